/* Which is the first block with a difference? By halves, between the last good block and the one that was found. */
#include "reserve_int.h"

#include <stdlib.h>

enum { SLICE_ROWS = 4096 };

/* ---- the books' side of blocks that are done with ----------------------------------------------------------- */
static int by_block(const void *a, const void *b)
{
	const struct fb_delta *x = a, *y = b;

	return (x->block > y->block) - (x->block < y->block);
}

static void add_row(struct fb_reserve *r, struct fb_str key, struct fb_str value)
{
	struct fb_credit_item i;

	if (fb_credit_read_final(&i, key, value, &r->settings.escrow) != FB_OK || i.state == FB_CREDIT_REVERSED)
		return; /* a row that cannot be read is a difference of its own */
	r->deltas[r->delta_count++] = (struct fb_delta){ i.m.block, i.m.amount, fb_movement_leaves(i.m.kind) };
}

/* The next rows; true: there are more. */
static bool add_rows(struct fb_reserve *r)
{
	uint8_t prefix[FB_CREDIT_PREFIX_LEN];
	size_t left = SLICE_ROWS;

	fb_credit_prefix(prefix, 'D', &r->settings.escrow);
	for (; left > 0 && r->delta_count < FB_RESERVE_ROWS_MAX; left--) {
		struct fb_str key = fb_cursor_key(r->cursor);

		if (!fb_str_starts(key, (struct fb_str){ (const char *)prefix, sizeof(prefix) }))
			return false;
		add_row(r, key, fb_cursor_value(r->cursor));
		if (!fb_cursor_next(r->cursor))
			return false;
	}
	return left == 0;
}

/* In slices, between which the loop does other things. True: all is summed up, or there is too much. */
static bool sum_up(struct fb_reserve *r)
{
	bool more;

	if (r->deltas == NULL || r->cursor == NULL)
		return true;
	more = add_rows(r);
	if (more)
		return false;
	if (r->delta_count == FB_RESERVE_ROWS_MAX)
		r->summed_to = 0; /* nothing is known below `looked` */
	fb_cursor_close(r->cursor);
	r->cursor = NULL;
	if (r->delta_count > 0)
		qsort(r->deltas, r->delta_count, sizeof(*r->deltas), by_block);
	return true;
}

static enum fb_status sum_to(const struct fb_reserve *r, uint64_t block, struct fb_amount *out)
{
	struct fb_amount in = { 0 }, gone = { 0 };
	enum fb_status st = FB_OK;

	for (size_t i = 0; i < r->delta_count && r->deltas[i].block <= block && st == FB_OK; i++) {
		struct fb_amount *side = r->deltas[i].leaves ? &gone : &in;

		st = fb_amount_add(side, *side, r->deltas[i].amount);
	}
	return st == FB_OK ? fb_amount_sub(out, in, gone) : st;
}

/* FB_BUSY: later. FB_NOT_FOUND: the books do not tell of that block. FB_OVERFLOW: less than nothing. */
static enum fb_status books_at(const struct fb_reserve *r, uint64_t block, struct fb_amount *out)
{
	if (block <= r->summed_to)
		return sum_to(r, block, out);
	return fb_follow_value(r->follow, block, out);
}

/* ---- the search ------------------------------------------------------------------------------------------------ */
void fb_search_free(struct fb_reserve *r)
{
	if (r->cursor != NULL)
		fb_cursor_close(r->cursor);
	free(r->deltas);
	r->cursor = NULL;
	r->deltas = NULL;
	r->delta_count = 0;
	r->summed_to = 0;
}

static void end(struct fb_reserve *r)
{
	r->searching = false;
	r->status.searched = true;
	r->status.bad = r->high;
	fb_search_free(r);
	fb_reserve_tell(r);
}

void fb_search_begin(struct fb_reserve *r)
{
	uint8_t prefix[FB_CREDIT_PREFIX_LEN];
	struct fb_follow_status s;

	r->search_due = false;
	r->searching = true;
	r->tries = 0;
	r->high = r->status.bad;
	r->low = r->status.good > 0 ? r->status.good : r->settings.from_block - 1;
	fb_follow_status(r->follow, &s);
	if (r->low >= s.looked)
		return;
	r->summed_to = s.looked;
	r->deltas = fb_must_alloc(FB_RESERVE_ROWS_MAX, sizeof(*r->deltas));
	fb_cursor_open(&r->cursor, r->store, FB_FAMILY_ROWS);
	fb_credit_prefix(prefix, 'D', &r->settings.escrow);
	if (!fb_cursor_seek(r->cursor, (struct fb_str){ (const char *)prefix, sizeof(prefix) })) {
		fb_cursor_close(r->cursor); /* no row at all */
		r->cursor = NULL;
	}
}

static void on_slice(void *arg)
{
	struct fb_reserve *r = arg;

	fb_timer_stop(r->retry);
	r->retry = NULL;
	fb_reserve_wake(r);
}

void fb_search_step(struct fb_reserve *r)
{
	if (!sum_up(r)) {
		r->retry = fb_timer_start(r->loop, 1, 0, on_slice, r);
		return;
	}
	if (r->high - r->low <= 1) {
		end(r);
		return;
	}
	r->block = r->low + (r->high - r->low) / 2;
	fb_reserve_ask(r);
}

void fb_search_hears(struct fb_reserve *r, enum fb_heard heard, struct fb_amount chain)
{
	struct fb_amount books = { 0 };
	enum fb_status st = books_at(r, r->block, &books);
	bool differs = st == FB_OVERFLOW || (st == FB_OK && fb_amount_cmp(books, chain) != 0);

	if (heard == FB_HEARD_NOTHING || st == FB_BUSY) {
		if (++r->tries == FB_RESERVE_TRIES)
			end(r);
		else
			fb_reserve_later(r);
		return;
	}
	r->tries = 0;
	if (heard == FB_HEARD_NO_STATE || st == FB_NOT_FOUND) { /* older ones are not known either */
		r->low = r->block;
	} else if (differs) {
		r->high = r->block;
	} else {
		r->low = r->status.good = r->block;
	}
}
