/* What was paid or burned, until it lies under the rung: then its event is read once more, from the very block, and the
 * hold ends in one batch with the state. A block that is gone is doubted, if the lane does not follow it any more. */
#include "payout_int.h"

#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 512 };

static bool is_paid(const struct fb_payout_entry *e)
{
	return e->w.state == FB_PAYOUT_PAID;
}

/* ---- the end of a hold ------------------------------------------------------------------------------------------- */

struct answer {
	struct fb_payout_entry *entry;
	enum fb_status status, refused;
};

static void finish(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	bool paid = e->w.state == FB_PAYOUT_COMPLETED;
	struct fb_payout_owner *o = paid ? NULL : fb_payout_owner_of(p, &e->w.owner);

	if (o != NULL && e->w.created_us / FB_PAYOUT_DAY_US == p->day && o->count > 0 &&
	    fb_amount_sub(&o->sum, o->sum, e->w.amount) == FB_OK) /* what failed does not count */
		o->count--;
	fb_metric_add(p->ports.metrics, paid ? FB_M_WITHDRAWALS_PAID : FB_M_WITHDRAWALS_FAILED, 1);
	fb_payout_drop(e);
	fb_payout_changed(p);
}

static void on_answer(void *arg)
{
	struct answer *a = arg;
	struct fb_payout_entry *e = a->entry;

	if (a->status == FB_OK && a->refused == FB_OK) {
		finish(e);
	} else if (a->status == FB_OK) { /* the hold is ours alone: somebody else ended it */
		fb_log(e->payout->ports.log, FB_EV_INVARIANT, FB_F_TEXT("what", "the hold of a withdrawal cannot be ended"),
		       FB_F_TEXT("why", fb_status_info(a->refused)->name), FB_F_HEX("payout", e->w.payout_id.bytes, 32));
		fb_payout_fail(e->payout);
	} else if (a->status != FB_DRAINING) {
		fb_payout_fail(e->payout);
	}
	free(a);
}

static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct fb_payout_entry *e = arg;
	struct answer *a = fb_must_alloc(1, sizeof(*a));

	*a = (struct answer){ e, status, status == FB_OK && count > 0 ? results[0].status : FB_OK };
	fb_loop_post(e->payout->ports.loop, on_answer, a);
}

static void fill_op(struct fb_op *op, const struct fb_payout *p, const struct fb_withdrawal *w)
{
	enum fb_payout_code code = w->state == FB_PAYOUT_PAID ? FB_PAYOUT_CODE_CAPTURE : FB_PAYOUT_CODE_RELEASE;
	struct fb_account_key payout = { .asset = p->settings.asset, .purpose = FB_PURPOSE_PAYOUT };
	struct fb_account_key fees = { .asset = p->settings.asset, .purpose = FB_PURPOSE_FEES };

	*op = (struct fb_op){ .kind = code == FB_PAYOUT_CODE_CAPTURE ? FB_OP_CAPTURE : FB_OP_RELEASE,
			      .id = fb_payout_op_id(w, code), .ref = fb_payout_op_id(w, FB_PAYOUT_CODE_HOLD),
			      .code = (uint16_t)code, .user = w->block, .external = w->tx };
	if (code == FB_PAYOUT_CODE_RELEASE)
		return;
	memcpy(payout.owner.bytes, p->rows.escrow.address.bytes, FB_OWNER_LEN);
	op->legs[op->leg_count++] = (struct fb_leg){ payout, fb_payout_net(w) };
	if (fb_amount_cmp(w->fee, (struct fb_amount){ 0 }) > 0)
		op->legs[op->leg_count++] = (struct fb_leg){ fees, w->fee };
}

/* W3: the caller has read the event. */
static void end_hold(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	uint8_t open_key[FB_PAYOUT_OPEN_KEY_LEN], index_key[FB_PAYOUT_INDEX_KEY_LEN], none[FB_PAYOUT_AMOUNT_LEN];
	bool paid = is_paid(e);
	struct fb_put puts[3];
	struct fb_op op;

	FB_ASSERT(!e->ending && (paid || e->w.state == FB_PAYOUT_BURNT));
	fill_op(&op, p, &e->w);
	fb_payout_move(e, paid ? FB_PAYOUT_COMPLETED : FB_PAYOUT_FAILED);
	e->ending = true;
	fb_payout_open_key(open_key, &p->rows.escrow, &e->w);
	fb_payout_index_key(index_key, &p->rows.escrow, &e->w);
	fb_payout_encode_amount(none, (struct fb_amount){ 0 });
	puts[0] = fb_payout_put(e);
	puts[1] = (struct fb_put){ .key = { (const char *)open_key, sizeof(open_key) }, .remove = true };
	puts[2] = (struct fb_put){ .key = { (const char *)index_key, sizeof(index_key) },
				   .value = { (const char *)none, sizeof(none) } };
	fb_writer_submit(p->ports.writer, &(struct fb_submission){ .ops = &op, .op_count = 1, .puts = puts,
								   .put_count = paid ? 2 : 3, .puts_need_ok = true,
								   .done = on_done, .arg = e });
}

/* ---- the event, once more ---------------------------------------------------------------------------------------- */

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_payout_entry *e = arg;
	struct fb_payout *p = e->payout;
	struct fb_payout_word word;

	e->asking = false;
	p->asks--;
	if (p->stopped || p->dead || (!is_paid(e) && e->w.state != FB_PAYOUT_BURNT))
		return;
	if (reply->status != FB_OK || reply->results[0].status != FB_OK) {
		fb_payout_unanswered(e);
		return;
	}
	word = fb_payout_judge(reply->results[0].result, &p->rows.escrow, &e->w);
	if (word.said == (is_paid(e) ? FB_PAYOUT_SAID_PAID : FB_PAYOUT_SAID_BURNT) &&
	    fb_hash_eq(&word.block_hash, &e->w.block_hash))
		end_hold(e);
	else
		fb_payout_unanswered(e); /* an empty answer is no proof */
}

static void confirm(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	struct fb_rpc *rpc = p->ports.second != NULL ? p->ports.second : p->ports.rpc;
	struct fb_rpc_call call = { .method = "eth_getLogs" };
	char block[PARAMS_MAX];
	struct fb_buf b;

	if (p->asks >= FB_PAYOUT_ASKS_MAX)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, "[{\"blockHash\":\"");
	fb_buf_hash(&b, &e->w.block_hash);
	fb_buf_text(&b, "\",");
	fb_payout_put_filter(&b, p, &e->w.payout_id);
	fb_buf_text(&b, "}]");
	FB_ASSERT(!b.overflowed);
	call.params = fb_buf_view(&b);
	e->asking = true;
	p->asks++;
	fb_rpc_send(rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1 }, on_reply, e);
}

/* ---- where its block stands -------------------------------------------------------------------------------------- */

static bool is_under_rung(const struct fb_payout *p, const struct fb_withdrawal *w)
{
	enum fb_rung rung = fb_head_rung(p->ports.head, w->block, &w->block_hash);
	struct fb_head_block head;

	if (rung == FB_RUNG_NONE || !fb_head_latest(p->ports.head, &head))
		return false;
	if (p->settings.rung == FB_CREDIT_SAFE)
		return rung >= FB_RUNG_SAFE;
	if (p->settings.rung == FB_CREDIT_FINAL)
		return rung >= FB_RUNG_FINAL;
	return head.number >= w->block && head.number - w->block + 1 >= p->settings.blocks;
}

/* Another block has its number. */
static bool is_gone(const struct fb_payout *p, const struct fb_withdrawal *w)
{
	struct fb_hash now;

	return fb_head_hash(p->ports.head, w->block, &now) == FB_OK && !fb_hash_eq(&now, &w->block_hash);
}

void fb_payout_check_rung(struct fb_payout_entry *e)
{
	if (is_under_rung(e->payout, &e->w)) {
		confirm(e);
	} else if (!e->row_open && is_gone(e->payout, &e->w)) {
		e->w.block = 0;
		memset(&e->w.block_hash, 0, sizeof(e->w.block_hash));
		fb_payout_move(e, FB_PAYOUT_UNSURE);
		fb_payout_store(e);
	}
}
