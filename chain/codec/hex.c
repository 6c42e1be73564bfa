/* Hex text to bytes and back. */
#include "codec_int.h"

enum { BAD = 0xFF, PREFIX = 2, CHUNK = 64 };

/* One more than the digit's value; 0 for what is no hex digit. A table: a payment holds over a thousand digits. */
static const uint8_t value_plus_one[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* 0..15, or BAD for a character that is no hex digit. */
static uint8_t digit_or_bad(char c)
{
	return (uint8_t)(value_plus_one[(unsigned char)c] - 1);
}

unsigned fb_hex_digit(char c)
{
	unsigned digit = digit_or_bad(c);

	FB_ASSERT(digit != BAD);
	return digit;
}

bool fb_hex_is(struct fb_str text)
{
	uint8_t seen = 0;

	if (text.len < PREFIX || text.at[0] != '0' || text.at[1] != 'x')
		return false;
	for (size_t i = PREFIX; i < text.len; i++)
		seen |= digit_or_bad(text.at[i]);
	return seen < 16;
}

/* Of a text that fb_hex_is has seen, with an even number of digits. */
static void decode(uint8_t *out, size_t len, struct fb_str text)
{
	const char *p = text.at + PREFIX;

	FB_ASSERT(text.len == PREFIX + 2 * len);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(digit_or_bad(p[2 * i]) << 4 | digit_or_bad(p[2 * i + 1]));
}

enum fb_status fb_hex_decode_exact(uint8_t *out, size_t len, struct fb_str text)
{
	FB_ASSERT(len <= (SIZE_MAX - PREFIX) / 2);
	if (text.len != PREFIX + 2 * len)
		return FB_BAD_LENGTH;
	if (!fb_hex_is(text))
		return FB_BAD_HEX;
	decode(out, len, text);
	return FB_OK;
}

enum fb_status fb_hex_decode(uint8_t *out, size_t *out_len, size_t cap, struct fb_str text)
{
	size_t len;

	if (text.len % 2 != 0 || !fb_hex_is(text))
		return FB_BAD_HEX;
	len = (text.len - PREFIX) / 2;
	if (len > cap)
		return FB_TOO_LARGE;
	decode(out, len, text);
	*out_len = len;
	return FB_OK;
}

static void put_digits(struct fb_buf *b, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * CHUNK];

	FB_ASSERT(len <= CHUNK);
	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	fb_buf_put(b, text, 2 * len);
}

void fb_buf_hex(struct fb_buf *b, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	/* All or nothing, like every write to a buf. */
	if (b->overflowed || b->cap - b->len < PREFIX || (b->cap - b->len - PREFIX) / 2 < len) {
		b->overflowed = true;
		return;
	}
	fb_buf_put(b, "0x", PREFIX);
	for (size_t i = 0; i < len; i += CHUNK)
		put_digits(b, in + i, len - i < CHUNK ? len - i : CHUNK);
	FB_ASSERT(!b->overflowed);
}
