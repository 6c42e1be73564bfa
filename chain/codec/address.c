/* Addresses and hashes: fixed numbers of bytes behind "0x". */
#include "farebox/codec.h"

#include <string.h>

enum fb_status fb_address_parse(struct fb_address *out, struct fb_str text)
{
	return fb_hex_decode_exact(out->bytes, sizeof(out->bytes), text);
}

enum fb_status fb_hash_parse(struct fb_hash *out, struct fb_str text)
{
	return fb_hex_decode_exact(out->bytes, sizeof(out->bytes), text);
}

void fb_buf_address(struct fb_buf *b, const struct fb_address *a)
{
	fb_buf_hex(b, a->bytes, sizeof(a->bytes));
}

void fb_buf_hash(struct fb_buf *b, const struct fb_hash *h)
{
	fb_buf_hex(b, h->bytes, sizeof(h->bytes));
}

bool fb_address_eq(const struct fb_address *a, const struct fb_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool fb_address_is_zero(const struct fb_address *a)
{
	static const struct fb_address zero;

	return fb_address_eq(a, &zero);
}

bool fb_hash_eq(const struct fb_hash *a, const struct fb_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
