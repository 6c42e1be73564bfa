/* What the escrow answers to a read. */
#include "escrow_int.h"

#include "escrow_constants.h"

enum { STATUS_WORDS = 11, WORD_LEN = 32 };
/* As the contract numbers them. */
_Static_assert((int)FB_ESCROW_ID_UNUSED == (int)FB_ESCROW_SOL_PAYOUT_STATE_NONE, "unused");
_Static_assert((int)FB_ESCROW_ID_PAID == (int)FB_ESCROW_SOL_PAYOUT_STATE_PAID, "paid");
_Static_assert((int)FB_ESCROW_ID_CANCELLED == (int)FB_ESCROW_SOL_PAYOUT_STATE_CANCELLED, "cancelled");

enum fb_status fb_escrow_payout_state_answer(enum fb_escrow_payout_state *out, struct fb_str data)
{
	uint64_t v = 0;

	if (data.len != WORD_LEN)
		return FB_BAD_LENGTH;
	if (fb_abi_get_u64(&v, data, 0) != FB_OK || v > FB_ESCROW_ID_CANCELLED)
		return FB_BAD_VALUE;
	*out = (enum fb_escrow_payout_state)v;
	return FB_OK;
}

enum fb_status fb_escrow_status_answer(struct fb_escrow_status *out, struct fb_str data)
{
	struct fb_escrow_words w = { .data = data };
	struct fb_escrow_status s;

	if (data.len != (size_t)STATUS_WORDS * WORD_LEN)
		return FB_BAD_LENGTH;
	s.token = fb_escrow_take_address(&w);
	s.owner = fb_escrow_take_address(&w);
	s.pending_owner = fb_escrow_take_address(&w);
	s.payout_role = fb_escrow_take_address(&w);
	s.pause_role = fb_escrow_take_address(&w);
	s.paused = fb_escrow_take_bool(&w);
	s.sequence = fb_escrow_take_u64(&w);
	s.payout_cap = fb_escrow_take_u128(&w);
	s.day_cap = fb_escrow_take_u128(&w);
	s.paid_today = fb_escrow_take_u128(&w);
	s.balance = fb_escrow_take_u256(&w);
	FB_ASSERT(w.next == STATUS_WORDS);
	if (w.status == FB_OK)
		*out = s;
	return w.status;
}
