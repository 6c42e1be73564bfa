/* Settlement records on their way to the disk, and what the lanes report about the transactions that carry them. A
 * lane's job is a list of settlement keys and a number of its own; a record that names another number goes its own
 * way since and is left alone. */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

static void encode_row(struct fb_settle_entry *e)
{
	e->record.updated_us = fb_settle_now_us(e->settle);
	e->row_len = fb_settle_record_encode(e->row, &e->record);
}

static struct fb_put row_put(const struct fb_settle_entry *e)
{
	return (struct fb_put){ .key = { (const char *)e->key.bytes, sizeof(e->key.bytes) },
				.value = { (const char *)e->row, e->row_len } };
}

/* ---- a record committed on its own ----------------------------------------------------------------------- */

static void on_record(struct fb_settle_entry *e, enum fb_status status)
{
	FB_ASSERT(e->commits > 0);
	e->commits--;
	e->failed |= status != FB_OK;
	if (e->commits == 0)
		fb_settle_go_on(e);
}

static void on_record_durable(void *arg)
{
	on_record(arg, FB_OK);
}

static void on_record_failed(void *arg)
{
	on_record(arg, FB_STORAGE);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct fb_settle_entry *e = arg;

	fb_loop_post(e->settle->loop, status == FB_OK ? on_record_durable : on_record_failed, e);
}

void fb_settle_commit_record(struct fb_settle_entry *e)
{
	struct fb_put put;

	e->phase = FB_PHASE_RECORDING;
	e->commits++;
	encode_row(e);
	put = row_put(e);
	e->settle->commit.commit(e->settle->commit.ctx, &put, 1, on_committed, e);
}

void fb_settle_commit_watched(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_put puts[2];

	e->phase = FB_PHASE_RECORDING;
	e->commits++;
	encode_row(e);
	puts[0] = row_put(e);
	fb_settle_watch_begin(s, &e->record);
	fb_settle_watch_add(s, &e->key);
	puts[1] = fb_settle_watch_put(s, e->record.state != FB_SETTLE_INCLUDED);
	s->commit.commit(s->commit.ctx, puts, FB_COUNT(puts), on_committed, e);
}

static void on_aside(void *arg, enum fb_status status)
{
	(void)arg; /* what comes behind it on the disk fails, too */
	(void)status;
}

void fb_settle_commit_aside(struct fb_settle_entry *e)
{
	struct fb_put put;

	encode_row(e);
	put = row_put(e);
	e->settle->commit.commit(e->settle->commit.ctx, &put, 1, on_aside, NULL);
}

void fb_settle_forget(struct fb_settle_entry *e)
{
	struct fb_put put = { .key = { (const char *)e->key.bytes, sizeof(e->key.bytes) }, .remove = true };

	FB_ASSERT(!e->record.granted);
	fb_settle_move(e, FB_SETTLE_NONE);
	e->phase = FB_PHASE_RECORDING;
	e->commits++;
	e->settle->commit.commit(e->settle->commit.ctx, &put, 1, on_committed, e);
}

enum fb_status fb_settle_load_record(struct fb_settle *s, struct fb_settle_record *out, const struct fb_settle_key *key)
{
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len;
	enum fb_status st = fb_store_get(s->store, row, &len, sizeof(row),
					 (struct fb_str){ (const char *)key->bytes, sizeof(key->bytes) });

	return st != FB_OK ? st : fb_settle_record_decode(out, (struct fb_str){ (const char *)row, len });
}

/* ---- a job's key ----------------------------------------------------------------------------------------- */

struct job {
	size_t count;
	uint64_t number; /* 0: of version 1, which had none */
	const uint8_t *keys;
};

static struct job job_of(struct fb_str key)
{
	struct job j = { key.len / FB_SETTLE_KEY_LEN, 0, (const uint8_t *)key.at };

	FB_ASSERT(j.count >= 1 && j.count <= FB_LANE_BATCH_MAX);
	if (key.len == FB_SETTLE_KEY_LEN)
		return j;
	FB_ASSERT(key.len == j.count * FB_SETTLE_KEY_LEN + FB_SETTLE_JOB_LEN);
	j.number = fb_get_be64(j.keys + j.count * FB_SETTLE_KEY_LEN);
	return j;
}

static struct fb_settle_key key_at(const struct job *j, size_t i)
{
	struct fb_settle_key key;

	FB_ASSERT(i < j->count);
	memcpy(key.bytes, j->keys + i * FB_SETTLE_KEY_LEN, sizeof(key.bytes));
	return key;
}

/* The entry that this job still stands for; NULL if it went its own way, or if none is in memory. */
static struct fb_settle_entry *entry_at(struct fb_settle *s, const struct job *j, size_t i)
{
	struct fb_settle_key key = key_at(j, i);
	struct fb_settle_entry *e = fb_settle_find(s, &key);

	return e != NULL && e->record.state != FB_SETTLE_NONE && e->record.job == j->number ? e : NULL;
}

/* The same, taken up from the store if it is not in memory. */
static struct fb_settle_entry *taken_up_at(struct fb_settle *s, const struct job *j, size_t i)
{
	struct fb_settle_key key = key_at(j, i);
	struct fb_settle_record record;
	struct fb_settle_entry *e;
	enum fb_status st;

	if (fb_settle_find(s, &key) != NULL)
		return entry_at(s, j, i);
	st = fb_settle_load_record(s, &record, &key);
	if (st == FB_NOT_FOUND) /* a later job carried it, was lost, and the record went with that */
		return NULL;
	if (st != FB_OK)
		fb_panic(__FILE__, __LINE__, __func__, "a transaction's settlement record cannot be read");
	if (record.job != j->number)
		return NULL;
	e = fb_settle_add(s, &key);
	e->record = record;
	return e;
}

static bool is_job(void *arg, struct fb_str key)
{
	const struct fb_settle_record *r = arg;

	return key.at[0] == 'S' && job_of(key).number == r->job;
}

bool fb_settle_has_row(const struct fb_settle_entry *e)
{
	struct fb_settle_record record = e->record;

	for (size_t i = 0; i < e->settle->lane_count; i++)
		if (fb_lane_has(e->settle->lanes[i], is_job, &record))
			return true;
	return false;
}

/* The record's new version goes with the lane's rows; `recorded` follows. */
static void put_with_lane(struct fb_settle_entry *e, struct fb_lane_puts *puts)
{
	FB_ASSERT(puts->count < FB_COUNT(puts->put));
	encode_row(e);
	puts->put[puts->count++] = row_put(e);
	e->phase = FB_PHASE_RECORDING;
	e->commits++;
	e->lane_commits++;
}

/* ---- signing --------------------------------------------------------------------------------------------- */

/* When its first transaction is signed: the newest block that anybody knows of. */
static void note_time(struct fb_settle_record *r, const struct fb_settle *s)
{
	struct fb_head_block head;
	uint64_t block = fb_view_block(s->view);

	r->created_us = fb_settle_now_us(s);
	r->since = block;
	r->base = 0;
	if (!fb_head_latest(s->head, &head))
		return;
	r->since = head.number > block ? head.number : block;
	r->base = head.number;
	r->base_hash = head.hash;
}

static void sign_record(struct fb_settle_entry *e, const struct job *j, const struct fb_hash *tx)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_record before = e->record;
	struct fb_hash fingerprint = fb_settle_fingerprint(s->network->chain_id, e->claim);

	FB_ASSERT(before.state == FB_SETTLE_NONE || fb_hash_eq(&before.fingerprint, &fingerprint)); /* S4 */
	e->record = (struct fb_settle_record){ .state = before.state,
					       .granted = before.granted,
					       .fingerprint = fingerprint,
					       .tx = *tx,
					       .to = e->claim->authorization.to,
					       .value = e->claim->authorization.value,
					       .created_us = before.created_us,
					       .job = j->number,
					       .since = before.since,
					       .base = before.base,
					       .base_hash = before.base_hash,
					       .items = (uint8_t)j->count,
					       .signer = *fb_lane_signer(s->signing_lane) };
	if (before.state == FB_SETTLE_NONE)
		note_time(&e->record, s);
	fb_settle_move(e, FB_SETTLE_SIGNED);
	e->anew = e->insists = false;
	e->row_open = true;
}

static void on_signing(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct fb_settle *s = ctx;
	struct job j = job_of(bytes);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_key key = key_at(&j, i);
		struct fb_settle_entry *e = fb_settle_find(s, &key);

		FB_ASSERT(e != NULL && e->phase == FB_PHASE_SIGNING && !fb_settle_is_out(e)); /* S1 */
		sign_record(e, &j, tx);
		encode_row(e);
		puts->put[puts->count++] = row_put(e);
		fb_settle_add_charge(s, e);
	}
	fb_settle_put_charges(s, j.number, puts);
}

static void on_durable(void *ctx, struct fb_str bytes, const struct fb_hash *tx, enum fb_status status)
{
	struct job j = job_of(bytes);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = entry_at(ctx, &j, i);

		FB_ASSERT(e != NULL && e->phase == FB_PHASE_SIGNING);
		e->failed = status != FB_OK; /* the row may be there after a restart, and then it is sent */
		e->row_open = !e->failed;
		fb_settle_go_on(e);
	}
}

static void on_replaced(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(bytes);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = entry_at(ctx, &j, i);

		if (e == NULL || e->record.state != FB_SETTLE_SIGNED)
			continue;
		e->record.tx = *tx;
		fb_settle_move(e, FB_SETTLE_SIGNED);
		encode_row(e);
		puts->put[puts->count++] = row_put(e);
	}
}

/* ---- after a restart ------------------------------------------------------------------------------------- */

static void on_found(void *ctx, struct fb_str bytes, const struct fb_hash *tx)
{
	struct fb_settle *s = ctx;
	struct job j = job_of(bytes);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = taken_up_at(s, &j, i);

		if (e == NULL)
			continue;
		if (e->record.state != FB_SETTLE_SIGNED || e->record.block != 0) { /* mined: who asks has the chain asked */
			fb_settle_drop(e);
			continue;
		}
		e->phase = FB_PHASE_SIGNED;
		e->row_open = true;
		fb_settle_hold(e);
	}
}

/* ---- inclusion ------------------------------------------------------------------------------------------- */

void fb_settle_take_moved(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	struct fb_settle *s = e->settle;
	bool moved = e->record.state == FB_SETTLE_INCLUDED || e->record.state == FB_SETTLE_CONFIRMED;
	bool stays = moved && fb_hash_eq(&receipt->block_hash, &e->record.block_hash);

	if (moved && !stays)
		fb_settle_move(e, FB_SETTLE_SIGNED); /* its block is gone, and it is in another */
	e->record.tx = receipt->tx;
	e->record.block = receipt->block;
	e->record.block_hash = receipt->block_hash;
	e->record.reason = FB_REASON_NONE;
	if (!stays) /* else it was asked about before it is granted */
		fb_settle_move(e, FB_SETTLE_INCLUDED);
	fb_settle_choose_grantee(e);
	fb_metric_time_ns(s->metrics, FB_M_SETTLE_SECONDS, s->clock.mono_ns(s->clock.ctx) - e->begun_ns);
}

/* The i-th part of the cost, in whole wei; the first parts take what does not divide. */
static fb_u128 share_of(fb_u128 cost, size_t count, size_t i)
{
	return cost / count + (i < cost % count ? 1 : 0);
}

/* Mined, and nothing in the logs: what became of it is asked when that is durable. */
static void take_silent(struct fb_settle_entry *e, const struct fb_lane_inclusion *in)
{
	e->record.block = in->receipt.block;
	e->record.block_hash = in->receipt.block_hash;
	e->record.reason = in->receipt.succeeded && e->record.items == 1 ? FB_REASON_TRANSFER_EVENT :
									    FB_REASON_TRANSACTION_FAILED;
	e->fresh = true;
}

static void include(struct fb_settle_entry *e, const struct fb_lane_inclusion *in, enum fb_logs_said said)
{
	e->row_open = false;
	e->record.tx = in->receipt.tx;
	if (said == FB_LOGS_MOVED && in->receipt.succeeded) /* S2 */
		fb_settle_take_moved(e, &in->receipt);
	else
		take_silent(e, in);
}

/* What the logs say of each payment of the job. */
static void judge_logs(struct fb_log_item *items, struct fb_settle *s, const struct job *j,
		       struct fb_json_value receipt)
{
	for (size_t i = 0; i < j->count; i++) {
		struct fb_settle_entry *e = entry_at(s, j, i);
		struct fb_settle_key key = key_at(j, i);

		items[i] = (struct fb_log_item){ .asset = fb_settle_asset(&key) };
		if (e != NULL)
			items[i].authorization = fb_settle_authorization(&key, &e->record);
	}
	fb_receipt_judge(receipt, items, j->count);
}

static void on_included(void *ctx, struct fb_str bytes, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			struct fb_lane_puts *puts)
{
	struct fb_log_item items[FB_LANE_BATCH_MAX];
	struct job j = job_of(bytes);
	fb_u128 cost = fb_receipt_cost(&in->receipt);

	(void)tx;
	judge_logs(items, ctx, &j, in->json);
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = entry_at(ctx, &j, i);

		if (e == NULL || e->record.state != FB_SETTLE_SIGNED || !e->row_open)
			continue;
		e->record.gas_wei = share_of(cost, j.count, i);
		include(e, in, items[i].said);
		put_with_lane(e, puts);
	}
}

/* ---- reorganizations, confirmations, losses -------------------------------------------------------------- */

/* A success that was not told yet is taken back; one that was told stays. */
static void hold_back_grantee(struct fb_settle_entry *e)
{
	if (e->grantee == NULL)
		return;
	fb_settle_hold_back(e);
	e->record.granted = false;
}

/* Whatever was concluded from the block that is gone: it waits again. */
static void wait_again(struct fb_settle_entry *e, const struct fb_hash *tx)
{
	if (e->phase == FB_PHASE_PARKED)
		fb_settle_unpark(e);
	if (e->phase == FB_PHASE_READY)
		fb_settle_unready(e);
	hold_back_grantee(e);
	e->record.tx = *tx;
	e->record.block = 0;
	memset(&e->record.block_hash, 0, sizeof(e->record.block_hash));
	e->record.reason = FB_REASON_NONE;
	fb_settle_move(e, FB_SETTLE_SIGNED);
	e->anew = e->retried = e->refused = e->fresh = false;
	e->asks = 0;
	e->row_open = true;
	fb_settle_hold(e);
}

static void on_vanished(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(bytes);

	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = taken_up_at(ctx, &j, i);

		if (e == NULL)
			continue;
		wait_again(e, tx);
		put_with_lane(e, puts);
	}
}

/* From now on its block is watched, not the lane's row. */
static void take_confirmed(struct fb_settle_entry *e, struct fb_lane_puts *puts)
{
	static const struct fb_hash none; /* of a record of version 1 */
	struct fb_settle *s = e->settle;

	fb_settle_move(e, FB_SETTLE_CONFIRMED);
	put_with_lane(e, puts);
	if (fb_hash_eq(&e->record.block_hash, &none))
		return;
	if (s->watch_len == 0)
		fb_settle_watch_begin(s, &e->record);
	fb_settle_watch_add(s, &e->key);
}

/* The row goes, and the record is not about it: it moved nothing. */
static void go_without(struct fb_settle_entry *e)
{
	bool waits = e->record.state == FB_SETTLE_SIGNED && e->commits == 0 &&
		     (e->phase == FB_PHASE_SIGNED || e->phase == FB_PHASE_IDLE);

	if (waits) { /* a stranger's transaction had decided it, and its block is gone */
		e->row_open = false;
		e->insists = true;
		fb_settle_ask(e);
	} else if (e->phase == FB_PHASE_IDLE && e->waiters == NULL) {
		fb_settle_drop(e);
	}
}

static void on_confirmed(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct fb_settle *s = ctx;
	struct job j = job_of(bytes);

	s->watch_len = 0;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = taken_up_at(s, &j, i);

		if (e == NULL)
			continue;
		if (e->record.state == FB_SETTLE_INCLUDED && fb_hash_eq(&e->record.tx, tx))
			take_confirmed(e, puts);
		else
			go_without(e);
	}
	if (s->watch_len > 0)
		puts->put[puts->count++] = fb_settle_watch_put(s, true);
}

static void on_lost(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct job j = job_of(bytes);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_entry *e = entry_at(ctx, &j, i);

		if (e == NULL || e->record.state != FB_SETTLE_SIGNED || !e->row_open)
			continue;
		e->row_open = false;
		fb_settle_move(e, FB_SETTLE_LOST);
		put_with_lane(e, puts);
	}
}

/* Of those whose row went with the lane's; others of the job went their own way. */
static void on_recorded(void *ctx, struct fb_str bytes, const struct fb_hash *tx, enum fb_status status)
{
	struct job j = job_of(bytes);

	(void)tx;
	for (size_t i = 0; i < j.count; i++) {
		struct fb_settle_key key = key_at(&j, i);
		struct fb_settle_entry *e = fb_settle_find(ctx, &key);

		if (e == NULL || e->lane_commits == 0 || e->record.job != j.number)
			continue;
		e->lane_commits--;
		on_record(e, status);
	}
	fb_settle_pump(ctx, true);
}

struct fb_lane_owner fb_settle_owner(struct fb_settle *s)
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
				       .ctx = s };
}
