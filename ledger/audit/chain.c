/* The walk through the journal: every batch in its place, carrying the hash of the one before; and the anchor. */
#include "audit_int.h"

#include <string.h>

static enum fb_status read_failed(struct fb_error *e)
{
	return fb_error_set(e, FB_STORAGE, "the journal cannot be read to its end");
}

/* ---- one batch ------------------------------------------------------------------------------------------------- */

static enum fb_status check_place(struct audit *a, struct fb_str key, const struct fb_batch_head *h)
{
	uint8_t want[FB_JOURNAL_KEY_LEN];

	fb_journal_key(want, a->next_batch);
	if (!fb_str_eq(key, (struct fb_str){ (const char *)want, sizeof(want) })) {
		uint64_t number = key.len == sizeof(want) ? fb_get_be64((const uint8_t *)key.at + 1) : 0;

		return audit_differ_number(a, FB_AUDIT_BATCH_NUMBER, 0, "the number in the batch's key", number,
					   a->next_batch);
	}
	if (h->number != a->next_batch)
		return audit_differ_number(a, FB_AUDIT_BATCH_NUMBER, 0, "the batch's number", h->number, a->next_batch);
	return FB_OK;
}

static enum fb_status check_head(struct audit *a, const struct fb_batch_head *h)
{
	if (!fb_hash_eq(&h->previous, &a->head))
		return audit_differ_hash(a, FB_AUDIT_BATCH_PREVIOUS, "the previous batch's hash", &h->previous, &a->head);
	if (h->first_seq != a->next_seq)
		return audit_differ_number(a, FB_AUDIT_BATCH_SEQ, 0, "the batch's first seq", h->first_seq, a->next_seq);
	if (h->number > 0 && h->time_us <= a->time_us)
		return audit_differ_number(a, FB_AUDIT_BATCH_TIME, 0, "the batch's time in microseconds (expected: from)",
					   (fb_u128)h->time_us, (fb_u128)a->time_us + 1);
	if (h->epoch < a->epoch)
		return audit_differ_number(a, FB_AUDIT_BATCH_EPOCH, 0, "the batch's epoch (expected: from)", h->epoch,
					   a->epoch);
	return FB_OK;
}

/* A journal was announced, and nobody was answered yet. */
static bool is_beginning(const struct fb_anchor *anchor)
{
	static const struct fb_hash zero;

	return anchor->number == 0 && fb_hash_eq(&anchor->hash, &zero);
}

static enum fb_status check_anchored(struct audit *a, const struct fb_hash *hash)
{
	if (a->next_batch != a->anchor.number || is_beginning(&a->anchor) || fb_hash_eq(hash, &a->anchor.hash))
		return FB_OK;
	return audit_differ_hash(a, FB_AUDIT_ANCHOR, "the hash of the batch that the anchor names", hash, &a->anchor.hash);
}

static enum fb_status fold_record(struct audit *a, const uint8_t bytes[FB_RECORD_LEN])
{
	struct fb_record r;

	a->finding->seq = a->next_seq;
	if (fb_record_decode(&r, bytes) != FB_OK)
		return audit_differ_text(a, FB_AUDIT_RECORD_BYTES, 0, "the record", "no record of ours", "one");
	if (r.seq != a->next_seq)
		return audit_differ_number(a, FB_AUDIT_RECORD_SEQ, 0, "the record's seq", r.seq, a->next_seq);
	*(uint64_t *)list_add(&a->prints) = audit_print(bytes, a->time_us, r.linked);
	a->next_seq++;
	return audit_fold(a, &r);
}

static enum fb_status fold_records(struct audit *a, const struct fb_batch *b)
{
	enum fb_status st = FB_OK;

	for (uint32_t i = 0; st == FB_OK && i < b->head.records; i++)
		st = fold_record(a, b->records + (size_t)i * FB_RECORD_LEN);
	return st == FB_OK ? audit_end_batch(a) : st;
}

/* The mark is the end of a batch: there, and nowhere else, the derived rows can be compared. */
static enum fb_status check_derived(struct audit *a, const struct fb_hash *hash, struct fb_error *e)
{
	if (!a->mark.exists || a->mark.batch != a->next_batch)
		return FB_OK;
	a->finding->seq = 0;
	if (a->mark.seq != a->next_seq - 1)
		return audit_differ_number(a, FB_AUDIT_DERIVED_MARK, 0, "the mark's seq", a->mark.seq, a->next_seq - 1);
	if (!fb_hash_eq(&a->mark.hash, hash))
		return audit_differ_hash(a, FB_AUDIT_DERIVED_MARK, "the mark's hash", &a->mark.hash, hash);
	a->finding->in_journal = false;
	return audit_derived(a, e);
}

static enum fb_status take_batch(struct audit *a, struct fb_str key, struct fb_str value, bool quick,
				 struct fb_error *e)
{
	struct fb_error why = { "" };
	struct fb_batch b;
	enum fb_status st;

	a->finding->in_journal = true;
	a->finding->batch = a->next_batch;
	if (fb_batch_open(&b, value, &why) != FB_OK)
		return audit_differ_text(a, FB_AUDIT_BATCH_BYTES, 0, "the row", why.text, "a batch");
	st = check_place(a, key, &b.head);
	if (st == FB_OK)
		st = check_head(a, &b.head);
	if (st == FB_OK)
		st = check_anchored(a, &b.hash);
	if (st != FB_OK)
		return st;
	a->head = b.hash;
	a->time_us = b.head.time_us;
	a->epoch = b.head.epoch;
	*(struct note *)list_add(&a->batches) = (struct note){ b.head.first_seq, b.head.records, b.head.time_us };
	if (quick)
		a->next_seq += b.head.records;
	else
		st = fold_records(a, &b);
	if (st == FB_OK && !quick)
		st = check_derived(a, &b.hash, e);
	if (st != FB_OK)
		return st;
	a->next_batch++;
	a->finding->seq = 0;
	return FB_OK;
}

/* ---- the walk -------------------------------------------------------------------------------------------------- */

static void show_progress(struct audit *a)
{
	const struct fb_audit_settings *s = a->settings;
	uint64_t now_ms = fb_clock_mono_ms(&s->clock);
	struct fb_audit_progress p = { a->next_seq - 1, a->total, now_ms - a->start_ms };

	if (s->progress == NULL || now_ms - a->shown_ms < FB_AUDIT_PROGRESS_MS)
		return;
	a->shown_ms = now_ms;
	s->progress(s->arg, &p);
}

/* How many records there will be, for the progress alone. */
static void look_at_end(struct audit *a, struct fb_cursor *c)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_batch b;

	fb_journal_key(key, UINT64_MAX);
	if (fb_cursor_seek_back(c, (struct fb_str){ (const char *)key, sizeof(key) }) &&
	    fb_batch_open(&b, fb_cursor_value(c), NULL) == FB_OK)
		a->total = b.head.first_seq - 1 + b.head.records;
}

static enum fb_status check_reached(struct audit *a)
{
	a->finding->in_journal = false;
	if (a->next_batch == 0 && is_beginning(&a->anchor))
		return FB_OK;
	if (a->next_batch == 0)
		return audit_differ_text(a, FB_AUDIT_GENESIS, 0, "the journal", "empty", "begun by batch 0");
	if (a->anchor.number >= a->next_batch)
		return audit_differ_number(a, FB_AUDIT_ANCHOR, 0, "the newest batch (expected: at least)", a->next_batch - 1,
					   a->anchor.number);
	if (a->mark.exists && a->mark.batch >= a->next_batch)
		return audit_differ_number(a, FB_AUDIT_DERIVED_MARK, 0, "the mark's batch (expected: at most)", a->mark.batch,
					   a->next_batch - 1);
	if (a->anchor.epoch < a->epoch)
		return audit_differ_number(a, FB_AUDIT_ANCHOR, 0, "the anchor's epoch (expected: from)", a->anchor.epoch,
					   a->epoch);
	return FB_OK;
}

enum fb_status audit_journal(struct audit *a, bool quick, struct fb_error *e)
{
	enum fb_status st = FB_OK;
	struct fb_cursor *c;
	bool more;

	fb_cursor_open(&c, a->store, FB_FAMILY_JOURNAL);
	look_at_end(a, c);
	for (more = fb_cursor_seek(c, FB_STR("")); more && st == FB_OK; more = fb_cursor_next(c)) {
		st = take_batch(a, fb_cursor_key(c), fb_cursor_value(c), quick, e);
		show_progress(a);
	}
	if (st == FB_OK && fb_cursor_status(c) != FB_OK)
		st = FB_STORAGE;
	fb_cursor_close(c);
	if (st == FB_OK)
		st = check_reached(a);
	return st == FB_STORAGE ? read_failed(e) : st;
}
