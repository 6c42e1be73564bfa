/* What the chain's answers about a payment mean for its record, where its own transaction's logs did not tell. */
#include "settle_int.h"

#include <string.h>

static const char still_unknown[] =
	"it is not known yet what became of the transaction; ask again with the same payload";

/* The chain does not tell. What was mined, or taken back, is asked about again; else the next caller asks. */
void fb_settle_stay_unsure(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	unsigned shift = e->asks < 5 ? e->asks : 5;

	if ((!e->fresh && !e->insists) || ++e->asks >= FB_SETTLE_ASKS_MAX) {
		e->insists = false;
		fb_settle_answer_pending(e, still_unknown);
		fb_settle_drop(e);
		return;
	}
	e->phase = FB_PHASE_UNSURE;
	e->due_ms = fb_clock_mono_ms(&s->clock) + ((uint64_t)FB_SETTLE_ASK_MS << shift);
}

static bool names_block(const struct fb_settle_record *r, const struct fb_receipt_summary *receipt)
{
	return r->block == receipt->block && fb_hash_eq(&r->block_hash, &receipt->block_hash);
}

/* A lane, or a row of its block, watches over what the record said before. */
void fb_settle_conclude_moved(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	bool known = names_block(&e->record, receipt) && e->record.state != FB_SETTLE_SIGNED;

	if (!fb_hash_eq(&receipt->tx, &e->record.tx))
		fb_metric_add(e->settle->metrics, FB_M_SETTLE_FRONT_RUN, 1);
	e->insists = false;
	fb_settle_take_moved(e, receipt);
	if (known)
		fb_settle_commit_record(e);
	else
		fb_settle_commit_watched(e);
}

/* Nothing can come of it any more, while that block stands. */
void fb_settle_conclude_spent(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	e->insists = false;
	e->record.block = receipt->block;
	e->record.block_hash = receipt->block_hash;
	e->record.reason = FB_REASON_NONCE_USED;
	if (e->record.state == FB_SETTLE_INCLUDED || e->record.state == FB_SETTLE_CONFIRMED)
		fb_settle_move(e, FB_SETTLE_SIGNED); /* its block is gone, and another use of it is in one since */
	fb_settle_move(e, FB_SETTLE_FAILED);
	fb_settle_commit_watched(e);
}

/* Its transaction was mined: that one moved nothing. */
static void conclude_failed(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	e->insists = false;
	e->record.block = receipt->block;
	e->record.block_hash = receipt->block_hash;
	e->record.reason = receipt->succeeded && e->record.items == 1 ? FB_REASON_TRANSFER_EVENT :
									 FB_REASON_TRANSACTION_FAILED;
	fb_settle_move(e, FB_SETTLE_FAILED);
	fb_settle_commit_record(e);
}

/* No lane has a transaction for it any more: it can be followed by another. */
static void conclude_lost(struct fb_settle_entry *e)
{
	e->insists = false;
	fb_settle_move(e, FB_SETTLE_LOST);
	fb_settle_commit_record(e);
}

static void begin_anew(struct fb_settle_entry *e)
{
	e->anew = true;
	if (e->record.state == FB_SETTLE_LOST && !e->record.granted)
		fb_settle_forget(e);
	else if (e->refused)
		fb_settle_tell(e);
	else
		fb_settle_try_anew(e);
}

static bool is_of_our_lanes(const struct fb_settle_entry *e)
{
	for (size_t i = 0; i < e->settle->lane_count; i++)
		if (fb_address_eq(fb_lane_signer(e->settle->lanes[i]), &e->record.signer))
			return true;
	return false;
}

/* One that another key signed, or that a lane still has, may still be on its way. */
static void conclude_unused_signed(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	if (receipt != NULL)
		conclude_failed(e, receipt);
	else if (is_of_our_lanes(e) && !fb_settle_has_row(e))
		conclude_lost(e);
	else
		fb_settle_stay_unsure(e);
}

void fb_settle_conclude_unused(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	switch (e->record.state) {
	case FB_SETTLE_SIGNED:
		conclude_unused_signed(e, receipt);
		break;
	case FB_SETTLE_INCLUDED:
	case FB_SETTLE_CONFIRMED:
		if (fb_settle_stands(e->settle, e->record.block, &e->record.block_hash))
			fb_settle_stay_unsure(e); /* a node that lags */
		else
			(void)fb_settle_take_back(e);
		break;
	case FB_SETTLE_FAILED:
	case FB_SETTLE_LOST:
		begin_anew(e);
		break;
	case FB_SETTLE_NONE:
	case FB_SETTLE_STATE_END:
		FB_UNREACHABLE("nothing was asked about it");
	}
}
