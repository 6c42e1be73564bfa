/* Many calls in one transaction: the calldata of Multicall3's aggregate3. */
#include "farebox/token.h"

#include "abi_constants.h"

enum { WORD = 32, CALL_WORDS = 4 /* target, allowFailure, offset and length of the data */ };

/* Bytes of one call's tuple. */
static size_t tuple_len(const struct fb_call3 *c)
{
	return CALL_WORDS * WORD + FB_ABI_PADDED(c->data.len);
}

size_t fb_call3_len(const struct fb_call3 *calls, size_t count)
{
	size_t len = 4 + 2 * WORD + count * WORD;

	for (size_t i = 0; i < count; i++)
		len += tuple_len(&calls[i]);
	return len;
}

void fb_call3_write(struct fb_buf *out, const struct fb_call3 *calls, size_t count)
{
	uint64_t at = count * WORD; /* of the next tuple, behind all offsets */

	FB_ASSERT(count >= 1);
	fb_abi_selector(out, FB_SELECTOR_AGGREGATE3);
	fb_abi_u64(out, WORD);
	fb_abi_u64(out, count);
	for (size_t i = 0; i < count; i++) {
		fb_abi_u64(out, at);
		at += tuple_len(&calls[i]);
	}
	for (size_t i = 0; i < count; i++) {
		fb_abi_address(out, &calls[i].to);
		fb_abi_u64(out, 1); /* a call that fails takes no other with it */
		fb_abi_u64(out, 3 * WORD);
		fb_abi_bytes(out, calls[i].data.at, calls[i].data.len);
	}
}
