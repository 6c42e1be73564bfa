/* JSON-RPC quantities: "0x" and digits, as few as the number needs. */
#include "codec_int.h"

enum { PREFIX = 2, U64_DIGITS = 16, U128_DIGITS = 32 };

static enum fb_status parse(fb_u128 *out, struct fb_str text, size_t digits_max)
{
	fb_u128 v = 0;

	FB_ASSERT(digits_max <= U128_DIGITS);
	if (!fb_hex_is(text) || text.len == PREFIX)
		return FB_BAD_HEX;
	if (text.at[PREFIX] == '0' && text.len > PREFIX + 1)
		return FB_BAD_HEX; /* a leading zero would be a second text for the same number */
	if (text.len > PREFIX + digits_max)
		return FB_OVERFLOW;
	for (size_t i = PREFIX; i < text.len; i++)
		v = v << 4 | fb_hex_digit(text.at[i]);
	*out = v;
	return FB_OK;
}

enum fb_status fb_quantity_parse_u64(uint64_t *out, struct fb_str text)
{
	fb_u128 v;
	enum fb_status st = parse(&v, text, U64_DIGITS);

	if (st == FB_OK)
		*out = (uint64_t)v;
	return st;
}

enum fb_status fb_quantity_parse_u128(fb_u128 *out, struct fb_str text)
{
	return parse(out, text, U128_DIGITS);
}

void fb_buf_quantity(struct fb_buf *b, fb_u128 v)
{
	char text[PREFIX + U128_DIGITS];
	size_t at = sizeof(text);

	do {
		FB_ASSERT(at > PREFIX);
		text[--at] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v > 0);
	text[--at] = 'x';
	text[--at] = '0';
	fb_buf_put(b, text + at, sizeof(text) - at);
}
