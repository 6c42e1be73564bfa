/* UUIDs and their text. */
#include "farebox/core.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

/* A dash stands before these bytes. */
static bool is_after_dash(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

struct fb_uuid fb_uuid_make(const uint8_t random[16])
{
	struct fb_uuid u;

	memcpy(u.bytes, random, sizeof(u.bytes));
	u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x40);
	u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
	return u;
}

static int value_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum fb_status fb_uuid_parse(struct fb_uuid *out, struct fb_str text)
{
	struct fb_uuid u;
	size_t at = 0;

	if (text.len != FB_UUID_TEXT_LEN)
		return FB_BAD_SYNTAX;
	for (size_t i = 0; i < sizeof(u.bytes); i++) {
		int high, low;

		if (is_after_dash(i) && text.at[at++] != '-')
			return FB_BAD_SYNTAX;
		high = value_of(text.at[at++]);
		low = value_of(text.at[at++]);
		if (high < 0 || low < 0)
			return FB_BAD_SYNTAX;
		u.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*out = u;
	return FB_OK;
}

void fb_buf_uuid(struct fb_buf *b, const struct fb_uuid *u)
{
	char text[FB_UUID_TEXT_LEN];
	size_t at = 0;

	for (size_t i = 0; i < sizeof(u->bytes); i++) {
		if (is_after_dash(i))
			text[at++] = '-';
		text[at++] = digits[u->bytes[i] >> 4];
		text[at++] = digits[u->bytes[i] & 15];
	}
	FB_ASSERT(at == sizeof(text));
	fb_buf_put(b, text, sizeof(text));
}

bool fb_uuid_eq(const struct fb_uuid *a, const struct fb_uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
