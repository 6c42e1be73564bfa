/* The batched read: contracts-abi/Lens.yul runs inside an eth_call without being deployed. */
#include "farebox/token.h"

#include "lens_code.h"

#include <string.h>

enum { ADDRESS = 20, NONCE = 32, ITEM = ADDRESS + ADDRESS + NONCE, HEAD_WORDS = 3 };
_Static_assert((int)FB_TOKEN_READ_MAX <= (int)FB_LENS_ITEMS_MAX, "a read fits the lens");
enum { TOKEN_HAS_CODE = 1, TOKEN_PAUSED = 2 };
/* Bits of the first byte of an item's word, from Lens.yul. */
enum {
	HAS_CODE = 0x80,
	USED = 0x40,
	STATE_FAILED = 0x20,
	FROM_BLACKLISTED = 0x10,
	TO_BLACKLISTED = 0x08,
	BALANCE_FAILED = 0x04,
};

size_t fb_lens_call_len(size_t count)
{
	return sizeof(FB_LENS_CODE) + ADDRESS + count * ITEM;
}

void fb_lens_call(struct fb_buf *out, const struct fb_address *token, const struct fb_lens_item *items, size_t count)
{
	FB_ASSERT(count >= 1 && count <= FB_TOKEN_READ_MAX);
	fb_buf_put(out, FB_LENS_CODE, sizeof(FB_LENS_CODE));
	fb_buf_put(out, token->bytes, ADDRESS);
	for (size_t i = 0; i < count; i++) {
		fb_buf_put(out, items[i].from.bytes, ADDRESS);
		fb_buf_put(out, items[i].to.bytes, ADDRESS);
		fb_buf_put(out, items[i].nonce.bytes, NONCE);
	}
}

static struct fb_lens_facts read_item(const uint8_t word[32])
{
	struct fb_lens_facts f = {
		.payer_has_code = (word[0] & HAS_CODE) != 0,
		.nonce_used = (word[0] & USED) != 0,
		.from_blacklisted = (word[0] & FROM_BLACKLISTED) != 0,
		.to_blacklisted = (word[0] & TO_BLACKLISTED) != 0,
		.eip3009 = (word[0] & (STATE_FAILED | BALANCE_FAILED)) == 0,
		.balance = fb_u256_from_u128(fb_get_be128(word + 16)),
	};
	return f;
}

enum fb_status fb_lens_answer(struct fb_lens_head *head, struct fb_lens_facts *facts, size_t count, struct fb_str data)
{
	struct fb_lens_head h;
	uint64_t flags;
	enum fb_status st;

	if (data.len != (HEAD_WORDS + count) * 32)
		return FB_BAD_LENGTH;
	if ((st = fb_abi_get_u64(&h.block, data, 0)) != FB_OK ||
	    (st = fb_abi_get_u64(&h.block_time_s, data, 1)) != FB_OK || (st = fb_abi_get_u64(&flags, data, 2)) != FB_OK)
		return FB_BAD_VALUE;
	h.token_has_code = (flags & TOKEN_HAS_CODE) != 0;
	h.paused = (flags & TOKEN_PAUSED) != 0;
	*head = h;
	for (size_t i = 0; i < count; i++)
		facts[i] = read_item((const uint8_t *)data.at + (HEAD_WORDS + i) * 32);
	return FB_OK;
}
