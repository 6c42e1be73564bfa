/* What the lane reports about a settlement's transaction, and who gets the success. */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

static struct fb_settle_key key_from(struct fb_str bytes)
{
	struct fb_settle_key key;

	FB_ASSERT(bytes.len == sizeof(key.bytes));
	memcpy(key.bytes, bytes.at, sizeof(key.bytes));
	return key;
}

static int64_t now_us(const struct fb_settle *s)
{
	return s->clock.wall_us(s->clock.ctx);
}

static void encode_row(struct fb_settle_entry *e)
{
	e->record.updated_us = now_us(e->settle);
	e->row_len = fb_settle_record_encode(e->row, &e->record);
}

static struct fb_put row_put(const struct fb_settle_entry *e)
{
	return (struct fb_put){ .key = { (const char *)e->key.bytes, sizeof(e->key.bytes) },
				.value = { (const char *)e->row, e->row_len } };
}

void fb_settle_record_row(struct fb_settle_entry *e, struct fb_lane_puts *puts)
{
	encode_row(e);
	puts->put[puts->count++] = row_put(e);
}

/* The first in line becomes the one who will be told of success. */
static void choose_grantee(struct fb_settle_entry *e)
{
	FB_ASSERT(e->grantee == NULL && !e->record.granted);
	if (e->record.state != FB_SETTLE_INCLUDED || e->waiters == NULL)
		return;
	e->grantee = e->waiters;
	e->waiters = e->grantee->next;
	e->record.granted = true;
}

/* ---- a record committed on its own: granting, and giving back ----------------------------------------- */

static void on_record_durable(void *arg)
{
	fb_settle_resolve(arg, FB_OK);
}

static void on_record_failed(void *arg)
{
	fb_settle_resolve(arg, FB_STORAGE);
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
	encode_row(e);
	put = row_put(e);
	e->settle->commit.commit(e->settle->commit.ctx, &put, 1, on_committed, e);
}

void fb_settle_forget(struct fb_settle_entry *e)
{
	struct fb_put put = { .key = { (const char *)e->key.bytes, sizeof(e->key.bytes) }, .remove = true };

	FB_ASSERT(e->record.state == FB_SETTLE_LOST);
	e->phase = FB_PHASE_RECORDING;
	e->settle->commit.commit(e->settle->commit.ctx, &put, 1, on_committed, e);
}

static void answer_grantee(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_outcome o = { .reason = FB_REASON_NONE, .has_tx = true, .tx = e->record.tx, .key = e->key };
	struct fb_settle_waiter *w = e->grantee;
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);

	FB_ASSERT(e->record.state == FB_SETTLE_INCLUDED && e->record.granted); /* S2, S3 */
	e->grantee = NULL;
	fb_log(s->log, FB_EV_SETTLE_GRANTED, FB_F_HEX("payer", a.from.bytes, 20), FB_F_HEX("nonce", a.nonce.bytes, 32),
	       FB_F_HEX("tx", e->record.tx.bytes, 32));
	fb_settle_answer_one(s, w, &o);
}

/* The disk did not confirm what the chain did: the money moved, nobody is told more than that. */
static void resolve_unknown(struct fb_settle_entry *e)
{
	if (e->grantee != NULL) {
		e->grantee->next = e->waiters;
		e->waiters = e->grantee;
		e->grantee = NULL;
	}
	fb_settle_answer_all(e, FB_REASON_PENDING,
			     "the disk did not confirm what became of it; ask again with the same payload");
	fb_settle_drop(e);
}

/* From the start: nothing is known of it, or a lost transaction may have moved the money after all. */
static void retry(struct fb_settle_entry *e)
{
	FB_ASSERT(e->record.state == 0 || e->record.state == FB_SETTLE_LOST);
	if (e->waiters != NULL)
		fb_settle_begin(e);
	else
		fb_settle_drop(e);
}

void fb_settle_resolve(struct fb_settle_entry *e, enum fb_status status)
{
	struct fb_settle_outcome used;

	FB_ASSERT(e->phase == FB_PHASE_RECORDING);
	if (status != FB_OK) {
		resolve_unknown(e);
		return;
	}
	if (e->record.state == FB_SETTLE_LOST) { /* forgotten */
		e->record.state = 0;
		retry(e);
		return;
	}
	if (e->grantee != NULL)
		answer_grantee(e);
	if (e->waiters != NULL && e->record.state == FB_SETTLE_INCLUDED && !e->record.granted) {
		choose_grantee(e);
		fb_settle_commit_record(e);
		return;
	}
	fb_settle_outcome_of(&used, &e->key, &e->record);
	fb_settle_answer_all(e, used.reason, used.note.text);
	fb_settle_drop(e);
}

/* ---- the lane's callbacks ------------------------------------------------------------------------------- */

static void log_state(struct fb_settle_entry *e, const char *to)
{
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);

	fb_log(e->settle->log, FB_EV_SETTLE_STATE, FB_F_HEX("payer", a.from.bytes, 20),
	       FB_F_HEX("nonce", a.nonce.bytes, 32), FB_F_TEXT("to", to), FB_F_HEX("tx", e->record.tx.bytes, 32));
}

static void on_signing(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct fb_settle *s = ctx;
	struct fb_settle_key key = key_from(bytes);
	struct fb_settle_entry *e = fb_settle_find(s, &key);

	FB_ASSERT(e != NULL && e->phase == FB_PHASE_SIGNING);
	e->record = (struct fb_settle_record){ .state = FB_SETTLE_SIGNED,
					       .fingerprint = fb_settle_fingerprint(s->network->chain_id, e->claim),
					       .tx = *tx,
					       .to = e->claim->authorization.to,
					       .value = e->claim->authorization.value,
					       .created_us = now_us(s) };
	e->row_open = true;
	fb_settle_record_row(e, puts);
}

static void on_durable(void *ctx, struct fb_str bytes, const struct fb_hash *tx, enum fb_status status)
{
	struct fb_settle_key key = key_from(bytes);
	struct fb_settle_entry *e = fb_settle_find(ctx, &key);

	FB_ASSERT(e != NULL && e->phase == FB_PHASE_SIGNING && fb_hash_eq(&e->record.tx, tx));
	if (status != FB_OK) {
		e->row_open = false;
		resolve_unknown(e); /* the row may be there after a restart, and then it is sent */
		return;
	}
	e->phase = FB_PHASE_SIGNED;
	log_state(e, "signed");
}

static struct fb_settle_record stored_record(struct fb_settle *s, struct fb_str key)
{
	struct fb_settle_record record;
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len;

	if (fb_store_get(s->store, row, &len, sizeof(row), key) != FB_OK ||
	    fb_settle_record_decode(&record, (struct fb_str){ (const char *)row, len }) != FB_OK)
		fb_panic(__FILE__, __LINE__, __func__, "a transaction's settlement record cannot be read");
	return record;
}

/* After a restart. While another key was in use the record may have gone on without this row. */
static void on_found(void *ctx, struct fb_str bytes, const struct fb_hash *tx)
{
	struct fb_settle *s = ctx;
	struct fb_settle_record record = stored_record(s, bytes);
	struct fb_settle_key key = key_from(bytes);
	struct fb_settle_entry *e;

	if (record.state != FB_SETTLE_SIGNED)
		return;
	FB_ASSERT(fb_hash_eq(&record.tx, tx)); /* S1 */
	e = fb_settle_add(s, &key);
	e->record = record;
	e->phase = FB_PHASE_SIGNED;
	e->row_open = true;
}

/* The entry of an open row: it stays in memory until the row is closed. NULL for a row that means nothing any
 * more (on_found). */
static struct fb_settle_entry *entry_of(struct fb_settle *s, struct fb_str bytes, const struct fb_hash *tx)
{
	struct fb_settle_key key = key_from(bytes);
	struct fb_settle_entry *e = fb_settle_find(s, &key);

	if (e == NULL || !e->row_open)
		return NULL;
	FB_ASSERT(fb_hash_eq(&e->record.tx, tx)); /* S1 */
	return e;
}

static enum fb_reason judge_receipt(const struct fb_settle_entry *e, const struct fb_lane_inclusion *in)
{
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);
	struct fb_address asset = fb_settle_asset(&e->key);

	if (!in->receipt.succeeded)
		return FB_REASON_TRANSACTION_FAILED;
	return fb_receipt_has_transfer(in->json, &asset, &a, in->arena) ? FB_REASON_NONE
									: FB_REASON_TRANSFER_EVENT; /* S2 */
}

void fb_settle_take_receipt(struct fb_settle_entry *e, const struct fb_lane_inclusion *in)
{
	struct fb_settle *s = e->settle;

	e->record.reason = judge_receipt(e, in);
	e->record.state = e->record.reason == FB_REASON_NONE ? FB_SETTLE_INCLUDED : FB_SETTLE_FAILED;
	e->record.block = in->receipt.block;
	choose_grantee(e);
	fb_metric_time_ns(s->metrics, FB_M_SETTLE_SECONDS, s->clock.mono_ns(s->clock.ctx) - e->begun_ns);
	log_state(e, e->record.state == FB_SETTLE_INCLUDED ? "included" : "failed");
}

static void on_included(void *ctx, struct fb_str bytes, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			struct fb_lane_puts *puts)
{
	struct fb_settle_entry *e = entry_of(ctx, bytes, tx);

	if (e == NULL)
		return;
	FB_ASSERT(e->phase == FB_PHASE_SIGNED && e->record.state == FB_SETTLE_SIGNED);
	e->phase = FB_PHASE_RECORDING;
	fb_settle_take_receipt(e, in);
	fb_settle_record_row(e, puts);
}

/* Its nonce is past. Who waits is tried again from the start, which first asks whether the money moved. */
static void on_lost(void *ctx, struct fb_str bytes, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct fb_settle_entry *e = entry_of(ctx, bytes, tx);

	if (e == NULL)
		return;
	FB_ASSERT(e->phase == FB_PHASE_SIGNED && e->record.state == FB_SETTLE_SIGNED);
	e->phase = FB_PHASE_RECORDING;
	e->record.state = FB_SETTLE_LOST;
	fb_settle_record_row(e, puts);
	log_state(e, "lost");
}

static void on_recorded(void *ctx, struct fb_str bytes, const struct fb_hash *tx, enum fb_status status)
{
	struct fb_settle_entry *e = entry_of(ctx, bytes, tx);

	if (e == NULL)
		return;
	FB_ASSERT(e->phase == FB_PHASE_RECORDING);
	e->row_open = false;
	if (status != FB_OK || e->record.state != FB_SETTLE_LOST)
		fb_settle_resolve(e, status);
	else
		retry(e);
}

struct fb_lane_owner fb_settle_owner(struct fb_settle *s)
{
	return (struct fb_lane_owner){ .signing = on_signing,
				       .durable = on_durable,
				       .found = on_found,
				       .included = on_included,
				       .recorded = on_recorded,
				       .lost = on_lost,
				       .ctx = s };
}
