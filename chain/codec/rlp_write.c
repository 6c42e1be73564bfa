/* RLP, writing: strings, numbers, and lists whose header is put in front once their size is known. */
#include "codec_int.h"

#include <string.h>

enum { STRING = 0x80, LIST = 0xc0, SHORT_MAX = 55, HEADER_MAX = 9 };

/* The header of `len` bytes of payload; returns its own length. */
static size_t header(uint8_t out[HEADER_MAX], uint8_t kind, size_t len)
{
	uint8_t be[8];
	size_t zeros = 0;

	if (len <= SHORT_MAX) {
		out[0] = (uint8_t)(kind + len);
		return 1;
	}
	fb_put_be64(be, len);
	while (be[zeros] == 0)
		zeros++;
	out[0] = (uint8_t)(kind + SHORT_MAX + sizeof(be) - zeros);
	memcpy(out + 1, be + zeros, sizeof(be) - zeros);
	return 1 + sizeof(be) - zeros;
}

void fb_rlp_bytes(struct fb_buf *b, const void *bytes, size_t len)
{
	uint8_t head[HEADER_MAX];
	const uint8_t *in = bytes;

	if (len != 1 || in[0] >= STRING)
		fb_buf_put(b, head, header(head, STRING, len));
	fb_buf_put(b, bytes, len);
}

void fb_rlp_u256(struct fb_buf *b, struct fb_u256 v)
{
	uint8_t be[32];
	size_t len = fb_u256_minimal(be, v);

	fb_rlp_bytes(b, be + sizeof(be) - len, len);
}

void fb_rlp_u128(struct fb_buf *b, fb_u128 v)
{
	fb_rlp_u256(b, fb_u256_from_u128(v));
}

void fb_rlp_u64(struct fb_buf *b, uint64_t v)
{
	fb_rlp_u256(b, fb_u256_from_u64(v));
}

size_t fb_rlp_list_begin(const struct fb_buf *b)
{
	return b->len;
}

void fb_rlp_list_end(struct fb_buf *b, size_t mark)
{
	uint8_t head[HEADER_MAX];
	size_t head_len, body_len;

	FB_ASSERT(mark <= b->len);
	body_len = b->len - mark;
	head_len = header(head, LIST, body_len);
	fb_buf_put(b, head, head_len); /* makes the room, or latches the overflow */
	if (b->overflowed)
		return;
	memmove(b->at + mark + head_len, b->at + mark, body_len);
	memcpy(b->at + mark, head, head_len);
}
