/* The start: the store is opened, by way of a copy if need be; the journal is compared with the anchor; books and tail
 * are loaded, from the genesis if the derived rows will not do. */
#include "writer_int.h"

#include <string.h>

/* ---- the store ----------------------------------------------------------------------------------------------- */

/* A copy that could be read up to the damage: accepted if all that was acknowledged is in it. */
static enum fb_status judge(struct fb_store **out, struct fb_store *copy, struct fb_log *log, struct fb_error *e)
{
	char aside_text[256];
	struct fb_buf aside;
	struct fb_anchor anchor;
	uint64_t last;
	enum fb_status st = anchor_check(copy, &anchor, &last, e);

	if (st != FB_OK) {
		fb_store_close(copy);
		return st == FB_NOT_FOUND ? fb_error_set(e, FB_STORAGE, "the damaged records have no journal") : st;
	}
	fb_buf_init(&aside, aside_text, sizeof(aside_text));
	st = fb_salvage_accept(out, copy, &aside, e);
	if (st == FB_OK)
		fb_log(log, FB_EV_STORE_SALVAGED, FB_F_STR("aside", fb_buf_view(&aside)), FB_F_U64("batch", anchor.number));
	return st;
}

enum fb_status fb_writer_open_store(struct fb_store **out, const char *directory, struct fb_log *log,
				    struct fb_error *e)
{
	struct fb_error refusal;
	struct fb_store *copy;
	enum fb_status st = fb_store_open(out, directory, &refusal);

	if (st == FB_OK)
		return FB_OK;
	if (st != FB_STORAGE || fb_salvage_open(&copy, directory, e) != FB_OK)
		return fb_error_set(e, st, "%s", refusal.text);
	return judge(out, copy, log, e);
}

/* ---- the journal and what is derived from it ------------------------------------------------------------------- */

static enum fb_status begin_journal(struct fb_writer *w, struct fb_anchor *anchor, struct fb_error *e)
{
	struct batch *genesis = &w->commits.batch[0];
	int64_t now_us = w->clock.wall_us(w->clock.ctx);
	enum fb_status st = anchor_begin(w->store, anchor, e);

	if (st != FB_OK)
		return st;
	w->head = (struct head){ .epoch = anchor->epoch, .number = UINT64_MAX /* the next is 0 */, .next_seq = 1 };
	genesis->time_us = now_us > 0 ? now_us : 0;
	if (commit_one(w, genesis) != FB_OK)
		return fb_error_set(e, FB_STORAGE, "cannot begin the journal: %s", fb_store_failure(w->store));
	anchor->hash = w->head.hash;
	return FB_OK;
}

/* Nothing is thrown away before it is certain that it can be made again. */
static enum fb_status check_journal(struct fb_writer *w, struct fb_error *e)
{
	struct journal_place p;
	struct fb_error why;
	enum fb_status st = journal_find(w->store, &p, 0, &why);

	while (st == FB_OK)
		st = journal_next(&p, &why);
	journal_leave(&p);
	if (st == FB_NOT_FOUND)
		return FB_OK;
	return fb_error_set(e, st, "derived rows are damaged, and so is the journal that they could be made from: %s; "
			    "restore it from a backup", why.text);
}

/* Once more from the genesis: everything derived can be made again. */
static enum fb_status load_again(struct fb_writer *w, struct fb_error *e)
{
	bool from_genesis;
	enum fb_status st = check_journal(w, e);

	if (st != FB_OK)
		return st;
	fb_log(w->log, FB_EV_DERIVED_REBUILT, FB_F_TEXT("why", e->text));
	fb_books_close(w->books);
	tail_close(&w->tail);
	w->books = NULL;
	st = fb_store_clear_derived(w->store, e);
	return st == FB_OK ? load(w, &from_genesis, e) : st;
}

/* What was durable and never acknowledged counts from now on. */
static enum fb_status raise_anchor(struct fb_writer *w, const struct fb_anchor *anchor, struct fb_error *e)
{
	const struct fb_anchor head = { .epoch = w->head.epoch, .number = w->head.number, .hash = w->head.hash };

	if (head.number == anchor->number && fb_hash_eq(&head.hash, &anchor->hash))
		return FB_OK;
	if (fb_store_anchor_move(w->store, &head) == FB_OK)
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "%s", fb_store_failure(w->store));
}

static enum fb_status recover_journal(struct fb_writer *w, struct fb_anchor *anchor, struct fb_error *e)
{
	bool from_genesis;
	uint64_t last;
	enum fb_status st = anchor_check(w->store, anchor, &last, e);

	if (st == FB_NOT_FOUND && w->is_reader)
		return fb_error_set(e, FB_NOT_FOUND, "there is no journal yet");
	if (st == FB_NOT_FOUND) {
		last = 0;
		st = begin_journal(w, anchor, e);
	}
	if (st != FB_OK)
		return st;
	st = load(w, &from_genesis, e);
	if (st == FB_MISMATCH && !from_genesis && !w->is_reader)
		st = load_again(w, e);
	if (st == FB_OK && w->head.number != last)
		return fb_error_set(e, FB_STORAGE, "the journal can be read up to batch %llu, but ends with batch %llu",
				    (unsigned long long)w->head.number, (unsigned long long)last);
	return st == FB_MISMATCH ? FB_STORAGE : st;
}

enum fb_status recover(struct fb_writer *w, struct fb_error *e)
{
	struct fb_anchor anchor;
	enum fb_status st = recover_journal(w, &anchor, e);

	if (st != FB_OK || w->is_reader)
		return st;
	if (w->head.epoch < anchor.epoch) /* restored from a backup */
		w->head.epoch = anchor.epoch;
	w->number = w->head.number;
	w->time_us = w->head.time_us;
	st = raise_anchor(w, &anchor, e);
	if (st == FB_OK)
		fb_log(w->log, FB_EV_LEDGER_READY, FB_F_U64("batch", w->head.number), FB_F_U64("seq", w->head.next_seq - 1),
		       FB_F_U64("replayed", tail_end(&w->tail) - tail_first(&w->tail)),
		       FB_F_U64("accounts", fb_books_account_count(w->books)));
	return st;
}
