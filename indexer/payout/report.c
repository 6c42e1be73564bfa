/* What the lane tells about our transactions. A job's key: 'W', its kind, its number, and 16 bytes a withdrawal; a
 * withdrawal that names another number goes its own way since, and what is told of this job is not about it. */
#include "payout_int.h"

#include <string.h>

_Static_assert((int)FB_PAYOUT_BATCH_MAX <= (int)FB_LANE_BATCH_MAX, "a lane's row carries them");
_Static_assert((int)FB_PAYOUT_JOB_LEN + 16 * (int)FB_PAYOUT_BATCH_MAX <= (int)FB_LANE_OWNER_MAX, "a key fits");

struct job {
	enum fb_payout_job_kind kind;
	uint64_t number;
	const uint8_t *ids;
	size_t count;
};

static struct job job_of(struct fb_str key)
{
	const uint8_t *p = (const uint8_t *)key.at;
	struct job j = { .ids = p + FB_PAYOUT_JOB_LEN };

	FB_ASSERT(key.len > FB_PAYOUT_JOB_LEN && (key.len - FB_PAYOUT_JOB_LEN) % 16 == 0 && p[0] == 'W');
	FB_ASSERT(p[1] == FB_PAYOUT_JOB_PAY || p[1] == FB_PAYOUT_JOB_BURN);
	j.kind = (enum fb_payout_job_kind)p[1];
	j.number = fb_get_be64(p + 2);
	j.count = (key.len - FB_PAYOUT_JOB_LEN) / 16;
	return j;
}

/* The i-th withdrawal of the job; NULL if it is over or goes its own way. */
static struct fb_payout_entry *entry_at(struct fb_payout *p, const struct job *j, size_t i)
{
	struct fb_uuid id;
	struct fb_payout_entry *e;

	memcpy(id.bytes, j->ids + 16 * i, sizeof(id.bytes));
	e = fb_payout_find(p, &id);
	return e != NULL && e->w.job == j->number && !e->ending ? e : NULL;
}

static void put_with_lane(struct fb_payout_entry *e, struct fb_lane_puts *puts)
{
	FB_ASSERT(puts->count < FB_COUNT(puts->put));
	puts->put[puts->count++] = fb_payout_put(e);
}

/* ---- signing ----------------------------------------------------------------------------------------------------- */

static void sign(struct fb_payout_entry *e, const struct job *j, const struct fb_hash *tx)
{
	struct fb_head_block head;
	bool burns = j->kind == FB_PAYOUT_JOB_BURN;

	FB_ASSERT(!e->requested && !e->ending && !e->asking);                                  /* W1 */
	FB_ASSERT(e->w.state == (burns ? FB_PAYOUT_DOOMED : FB_PAYOUT_QUEUED)); /* W5 */
	if (e->w.since == 0 && fb_head_latest(e->payout->ports.head, &head))
		e->w.since = head.number;
	e->w.job = j->number;
	e->w.tx = *tx;
	if (!burns)
		e->w.reason = FB_ESCROW_REFUSAL_NONE;
	e->row_open = true;
	fb_payout_move(e, burns ? FB_PAYOUT_BURNING : FB_PAYOUT_SENT);
}

static void on_signing(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct fb_payout *p = ctx;
	struct job j = job_of(key);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_uuid id;
		struct fb_payout_entry *e;

		memcpy(id.bytes, j.ids + 16 * i, sizeof(id.bytes));
		e = fb_payout_find(p, &id);
		FB_ASSERT(e != NULL);
		sign(e, &j, tx);
		put_with_lane(e, puts);
	}
}

static void on_durable(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	(void)key, (void)tx;
	if (status != FB_OK)
		fb_payout_fail(ctx);
}

static void on_replaced(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(key);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_entry *e = entry_at(ctx, &j, i);

		if (e == NULL || (e->w.state != FB_PAYOUT_SENT && e->w.state != FB_PAYOUT_BURNING))
			continue;
		e->w.tx = *tx;
		put_with_lane(e, puts);
	}
}

/* A row of an earlier life. */
static void on_found(void *ctx, struct fb_str key, const struct fb_hash *tx)
{
	struct job j = job_of(key);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_entry *e = entry_at(ctx, &j, i);

		if (e != NULL)
			e->row_open = true;
	}
}

/* ---- inclusion --------------------------------------------------------------------------------------------------- */

static void log_refusal(const struct fb_payout_entry *e)
{
	char text[FB_UUID_TEXT_LEN];
	struct fb_buf id;

	fb_buf_init(&id, text, sizeof(text));
	fb_buf_uuid(&id, &e->w.id);
	fb_metric_add(e->payout->ports.metrics, FB_M_PAYOUT_REFUSED, 1);
	fb_log(e->payout->ports.log, FB_EV_PAYOUT_REFUSED, FB_F_STR("id", fb_buf_view(&id)),
	       FB_F_TEXT("reason", fb_escrow_refusal_name(e->w.reason)), FB_F_HEX("tx", e->w.tx.bytes, 32));
}

static void include(struct fb_payout_entry *e, const struct fb_payout_word *word, const struct fb_receipt_summary *r)
{
	enum fb_payout_state now = e->w.state;

	e->w.tx = r->tx;
	if (now == FB_PAYOUT_SENT)
		e->w.reason = word->said == FB_PAYOUT_SAID_REFUSED ? word->reason : FB_ESCROW_REFUSAL_NONE;
	fb_payout_move(e, fb_payout_after(now, word));
	if (e->w.state == FB_PAYOUT_PAID || e->w.state == FB_PAYOUT_BURNT) {
		e->w.block = r->block;
		e->w.block_hash = r->block_hash;
	} else if (now == FB_PAYOUT_SENT && word->said == FB_PAYOUT_SAID_REFUSED) {
		log_refusal(e);
	}
	if (e->w.state == FB_PAYOUT_QUEUED)
		e->due_ms = fb_payout_now_ms(e->payout) + fb_payout_retry_ms(e->w.tries++);
}

static void on_included(void *ctx, struct fb_str key, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			struct fb_lane_puts *puts)
{
	struct fb_payout *p = ctx;
	struct job j = job_of(key);
	struct fb_json_value logs = fb_json_get(in->json, "logs");

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_word word = { .said = FB_PAYOUT_SAID_NOTHING };
		struct fb_payout_entry *e = entry_at(p, &j, i);

		if (e == NULL || (e->w.state != FB_PAYOUT_SENT && e->w.state != FB_PAYOUT_BURNING))
			continue;
		if (in->receipt.succeeded)
			word = fb_payout_judge(logs, &p->rows.escrow, &e->w);
		include(e, &word, &in->receipt);
		put_with_lane(e, puts);
	}
}

static void on_recorded(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	struct fb_payout *p = ctx;

	(void)key, (void)tx;
	if (status != FB_OK)
		fb_payout_fail(p);
	else
		fb_payout_pump(p);
}

/* ---- reorganizations, confirmations, losses ---------------------------------------------------------------------- */

static void wait_again(struct fb_payout_entry *e, enum fb_payout_state to, const struct fb_hash *tx)
{
	e->w.tx = *tx;
	e->w.block = 0;
	memset(&e->w.block_hash, 0, sizeof(e->w.block_hash));
	if (to == FB_PAYOUT_SENT)
		e->w.reason = FB_ESCROW_REFUSAL_NONE;
	e->due_ms = 0;
	fb_payout_move(e, to);
}

static void on_vanished(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(key);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_entry *e = entry_at(ctx, &j, i);
		enum fb_payout_state to;

		if (e == NULL)
			continue;
		to = fb_payout_gone(e->w.state, j.kind);
		if (to == e->w.state)
			continue;
		wait_again(e, to, tx);
		put_with_lane(e, puts);
	}
}

/* From here on nobody follows the block but ourselves (rung.c). */
static void on_confirmed(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(key);

	(void)tx, (void)puts;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_entry *e = entry_at(ctx, &j, i);

		if (e != NULL)
			e->row_open = false;
	}
}

static void on_lost(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(key);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_payout_entry *e = entry_at(ctx, &j, i);

		if (e == NULL)
			continue;
		e->row_open = false;
		if (e->w.state != FB_PAYOUT_SENT && e->w.state != FB_PAYOUT_BURNING)
			continue;
		fb_payout_move(e, FB_PAYOUT_UNSURE);
		put_with_lane(e, puts);
	}
}

struct fb_lane_owner fb_payout_lane_owner(struct fb_payout *p)
{
	return (struct fb_lane_owner){ .signing = on_signing,
				       .found = on_found,
				       .durable = on_durable,
				       .replaced = on_replaced,
				       .included = on_included,
				       .recorded = on_recorded,
				       .vanished = on_vanished,
				       .confirmed = on_confirmed,
				       .lost = on_lost,
				       .ctx = p };
}
