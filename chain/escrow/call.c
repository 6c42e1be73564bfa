/* Calldata for the escrow, and the code that creates one. */
#include "farebox/escrow.h"

#include "escrow_code.h"
#include "escrow_constants.h"

#include <string.h>

enum { CONSTRUCTOR_WORDS = 6, ORDER_WORDS = 3, SELECTOR_LEN = 4, WORD_LEN = 32 };
_Static_assert(FB_ESCROW_RUNTIME_AT + FB_ESCROW_RUNTIME_LEN <= FB_ESCROW_CODE_LEN, "the code that stays is in it");
_Static_assert(FB_ESCROW_CODE_LEN + CONSTRUCTOR_WORDS * WORD_LEN <= FB_ESCROW_CREATION_MAX, "a deployment fits");

void fb_escrow_creation(struct fb_buf *out, const struct fb_escrow_terms *terms)
{
	fb_buf_put(out, FB_ESCROW_CODE, FB_ESCROW_CODE_LEN);
	fb_abi_address(out, &terms->token);
	fb_abi_address(out, &terms->owner);
	fb_abi_address(out, &terms->payout_role);
	fb_abi_address(out, &terms->pause_role);
	fb_abi_u256(out, fb_u256_from_u128(terms->payout_cap));
	fb_abi_u256(out, fb_u256_from_u128(terms->day_cap));
}

bool fb_escrow_code_is_ours(struct fb_str code, const struct fb_address *token)
{
	const uint8_t *ours = FB_ESCROW_CODE + FB_ESCROW_RUNTIME_AT;
	size_t done = 0;

	if (code.len != FB_ESCROW_RUNTIME_LEN)
		return false;
	for (size_t i = 0; i < FB_ESCROW_TOKEN_PLACES; i++) {
		size_t at = FB_ESCROW_TOKEN_AT[i];
		struct fb_address named;

		if (memcmp(code.at + done, ours + done, at - done) != 0 ||
		    fb_abi_get_address(&named, (struct fb_str){ code.at + at, WORD_LEN }, 0) != FB_OK ||
		    !fb_address_eq(&named, token))
			return false;
		done = at + WORD_LEN;
	}
	return memcmp(code.at + done, ours + done, code.len - done) == 0;
}

size_t fb_escrow_payout_batch_len(size_t count)
{
	FB_ASSERT(count <= FB_ESCROW_BATCH_MAX);
	return SELECTOR_LEN + (2 + count * ORDER_WORDS) * WORD_LEN;
}

void fb_escrow_payout_batch_call(struct fb_buf *out, const struct fb_escrow_order *orders, size_t count)
{
	FB_ASSERT(count <= FB_ESCROW_BATCH_MAX);
	fb_abi_selector(out, FB_ESCROW_SELECTOR_PAYOUT_BATCH);
	fb_abi_u64(out, WORD_LEN); /* where the list begins */
	fb_abi_u64(out, count);
	for (size_t i = 0; i < count; i++) {
		fb_abi_word(out, orders[i].id.bytes);
		fb_abi_address(out, &orders[i].to);
		fb_abi_u256(out, orders[i].amount);
	}
}

void fb_escrow_cancel_call(struct fb_buf *out, const struct fb_hash *id)
{
	fb_abi_selector(out, FB_ESCROW_SELECTOR_CANCEL_PAYOUT);
	fb_abi_word(out, id->bytes);
}

void fb_escrow_payout_state_call(struct fb_buf *out, const struct fb_hash *id)
{
	fb_abi_selector(out, FB_ESCROW_SELECTOR_PAYOUT_STATE);
	fb_abi_word(out, id->bytes);
}

void fb_escrow_status_call(struct fb_buf *out)
{
	fb_abi_selector(out, FB_ESCROW_SELECTOR_STATUS);
}
