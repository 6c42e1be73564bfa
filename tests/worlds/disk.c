/* The world's disk: the journal, a snapshot that is written a few rows at a time, the id index, and what a crash makes
 * of them. */
#include "world_int.h"

#include <stdlib.h>

/* ---- the index: says what the journal says, up to a record ------------------------------------------------------ */
static bool fails(struct world *w)
{
	if (!w->index_fails || !chance(w, w->p_fail))
		return false;
	w->seen->index_failures++;
	return true;
}

static enum fb_status find(void *ctx, struct fb_id_fact *out, fb_id id)
{
	struct world *w = ctx;
	const struct fb_record *r = NULL;
	bool undone = false;

	WANT(w, id != 0 && ~id != 0);
	if (fails(w))
		return FB_STORAGE;
	for (size_t i = 0; i < w->disk.indexed; i++) {
		const struct fb_record *x = &w->disk.journal[i];

		if (x->id == id && x->kind != FB_RECORD_LEG)
			r = x;
		undone = undone || (x->ref == id && (x->kind == FB_RECORD_EXPIRE || x->kind == FB_RECORD_REVERSE));
	}
	if (r == NULL)
		return FB_NOT_FOUND;
	*out = (struct fb_id_fact){ .seq = r->seq, .content = r->content, .refused = r->refused, .kind = r->kind,
		.undone = undone };
	return FB_OK;
}

static enum fb_status record(void *ctx, struct fb_record *out, uint64_t seq)
{
	struct world *w = ctx;

	WANT(w, seq > 0 && seq <= w->disk.journal_count);
	if (fails(w))
		return FB_STORAGE;
	*out = w->disk.journal[seq - 1];
	return FB_OK;
}

struct fb_id_index disk_index(struct world *w)
{
	return (struct fb_id_index){ .find = find, .record = record, .ctx = w };
}

/* ---- the journal ------------------------------------------------------------------------------------------------ */
void disk_seal(struct world *w)
{
	struct disk *d = &w->disk;

	d->journal = realloc(d->journal, (d->journal_count + w->batch_count + 1) * sizeof(*d->journal));
	FB_ASSERT(d->journal != NULL);
	for (uint32_t i = 0; i < w->batch_count; i++) {
		struct fb_record *r = &d->journal[d->journal_count++];

		WANT(w, fb_record_decode(r, w->batch + i * FB_RECORD_LEN) == FB_OK);
		WANT(w, r->seq == d->journal_count);
	}
	w->batch_count = 0;
	w->expected_count = 0;
	WANT(w, fb_books_seq(w->books) == d->journal_count);
	if (chance(w, w->p_index)) {
		d->indexed += draw(w, d->journal_count - d->indexed + 1);
		fb_books_forget_ids(w->books, d->indexed);
	}
}

/* ---- the snapshot ----------------------------------------------------------------------------------------------- */
static void write_account(struct disk *d, const struct fb_account *row)
{
	size_t i = 0;

	while (i < d->account_count && d->accounts[i].number != row->number)
		i++;
	if (i == d->account_count) {
		d->accounts = realloc(d->accounts, ++d->account_count * sizeof(*row));
		FB_ASSERT(d->accounts != NULL);
	}
	d->accounts[i] = *row;
}

/* Of an ended hold the row goes. */
static void write_hold(struct world *w, const struct fb_hold *row)
{
	struct disk *d = &w->disk;
	size_t i = 0;

	while (i < d->hold_count && d->holds[i].id != row->id)
		i++;
	WANT(w, row->amount.atoms != 0 || i < d->hold_count);
	if (row->amount.atoms == 0) {
		d->holds[i] = d->holds[--d->hold_count];
		return;
	}
	if (i == d->hold_count) {
		d->holds = realloc(d->holds, ++d->hold_count * sizeof(*row));
		FB_ASSERT(d->holds != NULL);
	}
	d->holds[i] = *row;
}

static void begin_snapshot(struct world *w)
{
	struct disk *d = &w->disk;

	fb_books_take_changes(w->books, &d->writing);
	d->accounts_left = d->writing.account_count;
	d->holds_left = d->writing.hold_count;
	d->writing_mark = fb_books_seq(w->books);
}

static void end_snapshot(struct disk *d)
{
	free(d->writing.accounts);
	free(d->writing.holds);
	d->writing = (struct fb_books_changes){ .accounts = NULL };
	d->writing_mark = d->accounts_left = d->holds_left = 0;
}

void disk_snapshot_some(struct world *w)
{
	struct disk *d = &w->disk;

	if (d->writing_mark == 0 && fb_books_seq(w->books) == 0)
		return;
	if (d->writing_mark == 0)
		begin_snapshot(w);
	for (uint64_t n = draw(w, 12); n > 0 && d->accounts_left + d->holds_left > 0; n--) {
		if (d->holds_left == 0 || (d->accounts_left > 0 && draw(w, 2) == 0))
			write_account(d, &d->writing.accounts[--d->accounts_left]);
		else
			write_hold(w, &d->writing.holds[--d->holds_left]);
	}
	if (d->accounts_left + d->holds_left > 0)
		return;
	d->mark = d->writing_mark;
	d->indexed = d->indexed < d->mark ? d->mark : d->indexed;
	end_snapshot(d);
}

/* ---- crashes ---------------------------------------------------------------------------------------------------- */
static void load_rows(struct world *w)
{
	struct disk *d = &w->disk;
	size_t accounts = d->account_count, holds = d->hold_count;

	while (accounts + holds > 0)
		if (holds == 0 || (accounts > 0 && draw(w, 2) == 0))
			WANT(w, fb_books_load_account(w->books, &d->accounts[--accounts]) == FB_OK);
		else
			WANT(w, fb_books_load_hold(w->books, &d->holds[--holds]) == FB_OK);
	if (d->account_count + d->hold_count > 0)
		fb_books_load_seq(w->books, d->mark);
}

void disk_crash(struct world *w)
{
	w->seen->crashes++;
	w->seen->part_snapshots += w->disk.writing_mark != 0;
	end_snapshot(&w->disk);
	fb_books_close(w->books);
	w->settings.seed++;
	fb_books_open(&w->books, disk_index(w), w->settings);
	load_rows(w);
	for (size_t i = w->disk.account_count + w->disk.hold_count > 0 ? w->disk.mark : 0; i < w->disk.journal_count; i++)
		WANT(w, fb_books_replay(w->books, &w->disk.journal[i]) == FB_OK);
	fb_books_forget_ids(w->books, w->disk.indexed);
}

void disk_free(struct disk *d)
{
	end_snapshot(d);
	free(d->journal);
	free(d->accounts);
	free(d->holds);
}
