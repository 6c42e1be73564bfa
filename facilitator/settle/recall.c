/* A transaction that the lane does not follow: it was taken for lost, or another key signed it in an earlier
 * life. Its receipt alone decides; as long as there is none, the outcome is not known. (Should somebody else have
 * used both our nonce and the payer's authorization, it stays unknown: that is never told as a failure.) */
#include "settle_int.h"

static enum fb_status read_receipt(struct fb_lane_inclusion *in, const struct fb_settle_entry *e,
				   const struct fb_rpc_reply *reply)
{
	enum fb_status st = reply->status == FB_OK ? reply->results[0].status : reply->status;

	if (st != FB_OK)
		return st;
	in->json = reply->results[0].result;
	st = fb_receipt_read(&in->receipt, in->json, in->arena);
	return st == FB_OK && !fb_hash_eq(&in->receipt.tx, &e->record.tx) ? FB_BAD_VALUE : st;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	_Alignas(16) unsigned char block[1024];
	struct fb_settle_entry *e = arg;
	struct fb_arena arena;
	struct fb_lane_inclusion in = { .arena = &arena };

	FB_ASSERT(e->phase == FB_PHASE_RECALLING);
	fb_arena_init(&arena, block, sizeof(block));
	if (read_receipt(&in, e, reply) == FB_OK) {
		fb_settle_take_receipt(e, &in);
		fb_settle_commit_record(e);
		return;
	}
	fb_settle_answer_all(e, FB_REASON_PENDING,
			     "it is not known yet what became of the transaction; ask again with the same payload");
	fb_settle_drop(e);
}

void fb_settle_recall(struct fb_settle_entry *e)
{
	char block[FB_HASH_TEXT_LEN + 8];
	struct fb_rpc_call call = { .method = "eth_getTransactionReceipt" };
	struct fb_buf params;

	FB_ASSERT(e->record.state == FB_SETTLE_SIGNED || e->record.state == FB_SETTLE_LOST);
	e->phase = FB_PHASE_RECALLING;
	fb_buf_init(&params, block, sizeof(block));
	fb_buf_text(&params, "[\"");
	fb_buf_hash(&params, &e->record.tx);
	fb_buf_text(&params, "\"]");
	FB_ASSERT(!params.overflowed);
	call.params = fb_buf_view(&params);
	fb_rpc_send(e->settle->rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1 }, on_reply, e);
}
