/* A withdrawal is asked for: the hold and its rows in one submission, or a refusal that changes nothing. */
#include "payout_int.h"

#include <stdlib.h>
#include <string.h>

struct request {
	const struct fb_payout_request *r;
	void (*done)(void *arg, enum fb_status status, const struct fb_withdrawal *w);
	void *arg;
};

const char *fb_payout_stopped(const struct fb_payout *p)
{
	const char *why = p->ports.stopped(p->ports.ctx);

	if (p->dead)
		return "the disk failed";
	return p->held ? "withdrawals are held by the operator" : why;
}

/* ---- known already ----------------------------------------------------------------------------------------------- */

static void wait_for(struct fb_payout_entry *e, const struct request *q)
{
	struct fb_payout_waiter *waiter = fb_must_alloc(1, sizeof(*waiter));

	*waiter = (struct fb_payout_waiter){ q->done, q->arg, e->waiters };
	e->waiters = waiter;
	e->payout->waiters++;
}

/* True: it was answered, or will be. */
static bool is_known(struct fb_payout *p, const struct request *q, const struct fb_uuid *id)
{
	struct fb_payout_entry *e = fb_payout_find(p, id);
	struct fb_withdrawal w;
	enum fb_status st = FB_OK;

	if (e != NULL)
		w = e->w;
	else
		st = fb_payout_get(&p->rows, &w, id);
	if (st == FB_NOT_FOUND)
		return false;
	if (st == FB_OK && fb_amount_cmp(w.amount, q->r->amount) != 0)
		st = FB_ID_REUSED;
	if (st == FB_OK && e != NULL && e->requested)
		wait_for(e, q);
	else
		q->done(q->arg, st, st == FB_OK ? &w : NULL);
	return true;
}

/* ---- new --------------------------------------------------------------------------------------------------------- */

static bool is_payable(const struct fb_payout *p, const struct fb_payout_request *r)
{
	const struct fb_payout_settings *s = &p->settings;

	return fb_amount_cmp(r->amount, s->min) >= 0 && fb_amount_cmp(r->amount, s->max) <= 0 &&
	       fb_amount_cmp(r->amount, s->fee) > 0 && !fb_address_is_zero(&r->to) &&
	       !fb_address_eq(&r->to, &s->escrow.address) && !fb_address_eq(&r->to, &s->escrow.token);
}

/* Counts it into the owner's day. FB_LIMIT. */
static enum fb_status count_in(struct fb_payout *p, const struct fb_payout_request *r)
{
	struct fb_payout_owner *o = fb_payout_owner_of(p, &r->owner);
	struct fb_amount none = { 0 }, sum;

	if (o == NULL || o->count >= FB_PAYOUT_OWNER_DAY_MAX || fb_amount_add(&sum, o->sum, r->amount) != FB_OK)
		return FB_LIMIT;
	if (fb_amount_cmp(p->settings.day_max, none) != 0 && fb_amount_cmp(sum, p->settings.day_max) > 0)
		return FB_LIMIT;
	o->sum = sum;
	o->count++;
	return FB_OK;
}

static void count_out(struct fb_payout *p, const struct fb_withdrawal *w)
{
	struct fb_payout_owner *o = fb_payout_owner_of(p, &w->owner);

	if (o == NULL || w->created_us / FB_PAYOUT_DAY_US != p->day || o->count == 0 ||
	    fb_amount_sub(&o->sum, o->sum, w->amount) != FB_OK)
		return;
	o->count--;
}

static enum fb_status judge(struct fb_payout *p, const struct fb_payout_request *r)
{
	struct fb_amount sum;

	if (fb_payout_stopped(p) != NULL || p->entries >= FB_PAYOUT_OPEN_MAX ||
	    fb_amount_add(&sum, p->status.open_sum, r->amount) != FB_OK)
		return FB_BUSY;
	return is_payable(p, r) ? count_in(p, r) : FB_BAD_VALUE;
}

/* ---- the answer of the ledger ------------------------------------------------------------------------------------ */

struct answer {
	struct fb_payout_entry *entry;
	enum fb_status status;
};

static void on_answer(void *arg)
{
	struct answer *a = arg;
	struct fb_payout_entry *e = a->entry;
	struct fb_payout *p = e->payout;

	e->requested = false;
	fb_payout_answer(e, a->status);
	if (a->status == FB_STORAGE)
		fb_payout_fail(p);
	if (a->status != FB_OK) {
		count_out(p, &e->w);
		fb_payout_drop(e);
	} else {
		fb_metric_add(p->ports.metrics, FB_M_WITHDRAWALS_ASKED, 1);
		fb_payout_pump(p);
	}
	free(a);
}

/* On the writer's thread, or before the submission returns. */
static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct fb_payout_entry *e = arg;
	struct answer *a = fb_must_alloc(1, sizeof(*a));

	*a = (struct answer){ e, status };
	if (status == FB_OK && count > 0 && results[0].status != FB_OK)
		a->status = results[0].status == FB_ID_FAILED ? results[0].first : results[0].status;
	fb_loop_post(e->payout->ports.loop, on_answer, a);
}

static void submit(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	const struct fb_withdrawal *w = &e->w;
	uint8_t open_key[FB_PAYOUT_OPEN_KEY_LEN], index_key[FB_PAYOUT_INDEX_KEY_LEN], amount[FB_PAYOUT_AMOUNT_LEN];
	struct fb_str value = { (const char *)amount, sizeof(amount) };
	struct fb_op op = { .kind = FB_OP_HOLD, .id = fb_payout_op_id(w, FB_PAYOUT_CODE_HOLD),
			    .debit = { w->owner, p->settings.asset, FB_PURPOSE_AVAILABLE }, .amount = w->amount,
			    .code = FB_PAYOUT_CODE_HOLD, .external = w->payout_id };
	struct fb_put puts[3] = { fb_payout_put(e) };

	fb_payout_open_key(open_key, &p->rows.escrow, w);
	fb_payout_index_key(index_key, &p->rows.escrow, w);
	fb_payout_encode_amount(amount, w->amount);
	puts[1] = (struct fb_put){ .key = { (const char *)open_key, sizeof(open_key) }, .value = value };
	puts[2] = (struct fb_put){ .key = { (const char *)index_key, sizeof(index_key) }, .value = value };
	fb_writer_submit(p->ports.writer, &(struct fb_submission){ .ops = &op, .op_count = 1, .puts = puts,
								   .put_count = FB_COUNT(puts), .puts_need_ok = true,
								   .done = on_done, .arg = e });
}

static void begin(struct fb_payout *p, const struct request *q, const struct fb_uuid *id)
{
	const struct fb_payout_request *r = q->r;
	struct fb_withdrawal w = { .id = *id, .owner = r->owner, .to = r->to, .amount = r->amount,
				   .fee = p->settings.fee,
				   .created_us = p->ports.clock.wall_us(p->ports.clock.ctx) };
	struct fb_payout_entry *e;

	w.payout_id = fb_payout_id_of(&p->rows.escrow, &w);
	e = fb_payout_add(p, &w);
	e->requested = true;
	fb_payout_move(e, FB_PAYOUT_QUEUED);
	wait_for(e, q);
	submit(e);
}

void fb_payout_request(struct fb_payout *p, const struct fb_payout_request *r,
		       void (*done)(void *arg, enum fb_status status, const struct fb_withdrawal *w), void *arg)
{
	struct request q = { r, done, arg };
	struct fb_uuid id;
	uint8_t random[16];
	enum fb_status st;

	FB_ASSERT(fb_loop_is_mine(p->ports.loop) && r->key.len <= FB_PAYOUT_KEY_MAX);
	if (p->stopped || p->dead) {
		done(arg, p->stopped ? FB_DRAINING : FB_STORAGE, NULL);
		return;
	}
	p->ports.rng.fill(p->ports.rng.ctx, random, sizeof(random));
	id = r->key.len > 0 ? fb_payout_keyed_id(&p->rows.escrow, &r->owner, r->key) : fb_uuid_make(random);
	if (is_known(p, &q, &id))
		return;
	st = p->waiters < FB_PAYOUT_WAITERS_MAX ? judge(p, r) : FB_BUSY;
	if (st == FB_OK)
		begin(p, &q, &id);
	else
		done(arg, st, NULL);
}
