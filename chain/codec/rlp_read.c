/* RLP, reading: one item at a time, canonical encodings only. */
#include "farebox/codec.h"

#include <string.h>

enum { STRING = 0x80, LIST = 0xc0, SHORT_MAX = 55 };

/* A length of `width` bytes behind the first byte. The long form is for lengths the short one cannot say. */
static enum fb_status long_length(uint64_t *out, struct fb_str rest, size_t width)
{
	uint64_t len = 0;

	FB_ASSERT(width >= 1 && width <= 8);
	if (rest.len - 1 < width || rest.at[1] == 0)
		return FB_BAD_SYNTAX;
	for (size_t i = 1; i <= width; i++)
		len = len << 8 | (uint8_t)rest.at[i];
	if (len <= SHORT_MAX)
		return FB_BAD_SYNTAX;
	*out = len;
	return FB_OK;
}

enum fb_status fb_rlp_take(struct fb_rlp_item *out, struct fb_str *rest)
{
	struct fb_str in = *rest;
	uint8_t first, kind;
	uint64_t len;
	size_t head = 1;

	if (in.len == 0)
		return FB_BAD_SYNTAX;
	first = (uint8_t)in.at[0];
	kind = first >= LIST ? LIST : STRING;
	if (first < STRING) {
		head = 0; /* the byte is its own encoding */
		len = 1;
	} else if (first - kind <= SHORT_MAX) {
		len = (uint64_t)(first - kind);
	} else {
		head += (size_t)(first - kind - SHORT_MAX);
		if (long_length(&len, in, head - 1) != FB_OK)
			return FB_BAD_SYNTAX;
	}
	if (len > in.len - head)
		return FB_BAD_SYNTAX;
	if (head == 1 && kind == STRING && len == 1 && (uint8_t)in.at[1] < STRING)
		return FB_BAD_SYNTAX; /* has a shorter form */
	*out = (struct fb_rlp_item){ kind == LIST, { in.at + head, (size_t)len } };
	*rest = (struct fb_str){ in.at + head + len, in.len - head - (size_t)len };
	return FB_OK;
}

enum fb_status fb_rlp_item_u256(struct fb_u256 *out, const struct fb_rlp_item *item)
{
	uint8_t be[32] = { 0 };

	if (item->list)
		return FB_WRONG_TYPE;
	if (item->body.len > 0 && item->body.at[0] == 0)
		return FB_BAD_SYNTAX;
	if (item->body.len > sizeof(be))
		return FB_OVERFLOW;
	if (item->body.len > 0)
		memcpy(be + sizeof(be) - item->body.len, item->body.at, item->body.len);
	*out = fb_u256_from_be(be);
	return FB_OK;
}

enum fb_status fb_rlp_item_u64(uint64_t *out, const struct fb_rlp_item *item)
{
	struct fb_u256 v;
	enum fb_status st = fb_rlp_item_u256(&v, item);

	return st == FB_OK ? fb_u256_to_u64(out, v) : st;
}
