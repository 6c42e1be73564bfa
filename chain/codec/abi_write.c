/* Solidity ABI, writing: a selector and words of 32 bytes. */
#include "farebox/codec.h"

#include <string.h>

enum { WORD = 32 };

void fb_abi_selector(struct fb_buf *b, uint32_t selector)
{
	uint8_t be[4];

	fb_put_be32(be, selector);
	fb_buf_put(b, be, sizeof(be));
}

void fb_abi_word(struct fb_buf *b, const uint8_t word[32])
{
	fb_buf_put(b, word, WORD);
}

void fb_abi_u256(struct fb_buf *b, struct fb_u256 v)
{
	uint8_t word[WORD];

	fb_u256_to_be(word, v);
	fb_abi_word(b, word);
}

void fb_abi_u64(struct fb_buf *b, uint64_t v)
{
	fb_abi_u256(b, fb_u256_from_u64(v));
}

void fb_abi_address(struct fb_buf *b, const struct fb_address *a)
{
	uint8_t word[WORD] = { 0 };

	memcpy(word + WORD - sizeof(a->bytes), a->bytes, sizeof(a->bytes));
	fb_abi_word(b, word);
}

void fb_abi_bytes(struct fb_buf *b, const void *bytes, size_t len)
{
	static const uint8_t zeros[WORD];

	fb_abi_u64(b, len);
	fb_buf_put(b, bytes, len);
	fb_buf_put(b, zeros, (WORD - len % WORD) % WORD);
}
