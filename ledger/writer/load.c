/* Books and tail at the start: the rows of the last fold, then the records of the journal after it. */
#include "writer_int.h"

#include <string.h>

/* Calls each for the rows of one kind. */
static enum fb_status each_row(struct fb_writer *w, const char *kind, enum fb_status (*each)(struct fb_writer *w,
			       struct fb_str key, struct fb_str value))
{
	struct fb_cursor *c;
	enum fb_status st = FB_OK;
	bool more;

	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	for (more = fb_cursor_seek(c, fb_str_of(kind)); more && st == FB_OK && fb_cursor_key(c).at[0] == kind[0];
	     more = fb_cursor_next(c))
		st = each(w, fb_cursor_key(c), fb_cursor_value(c));
	if (st == FB_OK && fb_cursor_status(c) != FB_OK)
		st = FB_MISMATCH;
	fb_cursor_close(c);
	return st;
}

static enum fb_status load_account(struct fb_writer *w, struct fb_str key, struct fb_str value)
{
	struct fb_account a;

	if (row_account_read(&a, key, value) != FB_OK || a.last_seq > w->mark.seq)
		return FB_MISMATCH;
	return fb_books_load_account(w->books, &a) == FB_OK ? FB_OK : FB_MISMATCH;
}

static enum fb_status load_hold(struct fb_writer *w, struct fb_str key, struct fb_str value)
{
	struct fb_hold h;

	if (row_hold_read(&h, key, value) != FB_OK || h.seq > w->mark.seq)
		return FB_MISMATCH;
	return fb_books_load_hold(w->books, &h) == FB_OK ? FB_OK : FB_MISMATCH;
}

static bool is_ours(struct fb_writer *w)
{
	struct journal_place p;
	enum fb_status st = journal_find(w->store, &p, w->mark.batch, NULL);
	bool ours = st == FB_OK && fb_hash_eq(&p.batch.hash, &w->mark.hash) &&
		    p.batch.head.first_seq + p.batch.head.records == w->mark.seq + 1;

	journal_leave(&p);
	return ours;
}

/* The snapshot. FB_NOT_FOUND: nothing was folded yet. */
static enum fb_status load_rows(struct fb_writer *w, struct fb_error *e)
{
	struct row r;
	enum fb_status st;

	if (fb_store_distrusts_derived(w->store) && !w->is_reader)
		return fb_error_set(e, FB_MISMATCH, "derived rows could not be read when they were used");
	row_mark_key(&r);
	st = index_get(w, &r);
	if (st == FB_NOT_FOUND)
		return st;
	if (st != FB_OK || row_mark_read(&w->mark, row_value(&r)) != FB_OK)
		return fb_error_set(e, FB_MISMATCH, "the mark of the derived rows is damaged");
	if (!is_ours(w))
		return fb_error_set(e, FB_MISMATCH, "the derived rows are not of this journal");
	st = each_row(w, "A", load_account);
	if (st == FB_OK)
		st = each_row(w, "H", load_hold);
	if (st != FB_OK)
		return fb_error_set(e, st, "the derived rows of accounts or holds are damaged");
	fb_books_load_seq(w->books, w->mark.seq);
	return FB_OK;
}

/* ---- replay -------------------------------------------------------------------------------------------------- */

static enum fb_status replay_chain(struct fb_writer *w, const struct fb_batch *b, uint32_t from, uint32_t *to)
{
	struct fb_record r = { .linked = true };

	for (*to = from; *to < b->head.records && r.linked; ++*to)
		if (fb_record_decode(&r, b->records + (size_t)*to * FB_RECORD_LEN) != FB_OK ||
		    fb_books_replay(w->books, &r) != FB_OK)
			return FB_STORAGE;
	return r.linked ? FB_STORAGE : FB_OK; /* B6: a chain ends in its batch */
}

static enum fb_status replay_batch(struct fb_writer *w, const struct fb_batch *b, struct fb_error *e)
{
	for (uint32_t from = 0, to; from < b->head.records; from = to) {
		if (replay_chain(w, b, from, &to) != FB_OK)
			return fb_error_set(e, FB_MISMATCH, "record %llu of the journal, in batch %llu, contradicts what was "
					    "before it", (unsigned long long)(b->head.first_seq + to),
					    (unsigned long long)b->head.number);
		tail_add_chain(&w->tail, w->books, b->records, from, to, b->head.time_us, b->head.number);
	}
	tail_publish(&w->tail, w->tail.filled);
	return FB_OK;
}

/* The owner folds as it goes, so that the longest journal fits; a reader cannot. */
static enum fb_status make_room(struct fb_writer *w, struct fb_error *e)
{
	if (w->is_reader)
		return tail_room(&w->tail) >= FB_BATCH_RECORDS_MAX ? FB_OK :
			fb_error_set(e, FB_STORAGE, "too many records since the last snapshot to be read beside the server: start "
				     "farebox on this directory once, or wait until it has caught up");
	if (tail_end(&w->tail) - tail_first(&w->tail) < w->settings.snapshot_every)
		return FB_OK;
	return fold_now(w, e);
}

static void take_head(struct fb_writer *w, const struct fb_batch *b)
{
	w->head = (struct head){ .epoch = b->head.epoch, .number = b->head.number, .time_us = b->head.time_us,
				 .next_seq = b->head.first_seq + b->head.records, .hash = b->hash };
}

static enum fb_status replay(struct fb_writer *w, struct fb_error *e)
{
	struct journal_place p;
	enum fb_status st = journal_find(w->store, &p, w->mark.batch, e);

	while (st == FB_OK) {
		take_head(w, &p.batch);
		st = journal_next(&p, e);
		if (st == FB_OK)
			st = make_room(w, e);
		if (st == FB_OK)
			st = replay_batch(w, &p.batch, e);
	}
	journal_leave(&p);
	return st == FB_NOT_FOUND ? FB_OK : st;
}

static void open_books(struct fb_writer *w)
{
	struct fb_books_settings settings = { .accounts = w->settings.accounts, .holds = w->settings.holds };

	w->settings.rng.fill(w->settings.rng.ctx, (uint8_t *)&settings.seed, sizeof(settings.seed));
	fb_books_open(&w->books, index_of(w), settings);
}

/* Books that were put together from rows of different age would refuse every operation. They check it when they are
 * first asked, here about an operation that comes to nothing. */
static enum fb_status check_whole(struct fb_writer *w, struct fb_error *e)
{
	const struct fb_op nothing = { .kind = FB_OP_ACCOUNT };
	struct fb_op_result result;
	uint32_t records = 0;

	if (fb_books_run(w->books, &result, fb_batch_records(w->commits.batch[0].bytes), &records, &nothing, 1,
			 w->head.time_us) != FB_OK)
		return fb_error_set(e, FB_MISMATCH, "accounts, holds and records do not make whole books");
	FB_ASSERT(result.status == FB_BAD_VALUE && records == 0);
	return FB_OK;
}

static size_t tail_max(const struct fb_writer *w)
{
	size_t max = (size_t)w->settings.snapshot_every * FB_WRITER_TAIL_FACTOR, min = 2 * FB_BATCH_RECORDS_MAX;

	return max > min ? max : min;
}

enum fb_status load(struct fb_writer *w, bool *from_genesis, struct fb_error *e)
{
	enum fb_status st;

	memset(&w->mark, 0, sizeof(w->mark)); /* of the genesis */
	open_books(w);
	st = load_rows(w, e);
	*from_genesis = st == FB_NOT_FOUND;
	tail_open(&w->tail, w->mark.seq + 1, tail_max(w));
	if (st == FB_OK || st == FB_NOT_FOUND)
		st = replay(w, e);
	return st == FB_OK ? check_whole(w, e) : st;
}
