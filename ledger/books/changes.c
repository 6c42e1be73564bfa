/* What changed since the last snapshot, for the next one. */
#include "books_int.h"

#include <stdlib.h>

static int by_number(const void *x, const void *y)
{
	const struct fb_account *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

static void take_accounts(struct fb_books *b, struct fb_books_changes *out)
{
	struct fb_accounts *a = b->accounts;

	out->accounts = fb_must_alloc((size_t)a->change_count + 1, sizeof(*out->accounts));
	out->account_count = a->change_count;
	for (uint32_t i = 0; i < a->change_count; i++) {
		uint32_t number = *(const uint32_t *)fb_seg_at(&a->changes, i, sizeof(number));
		enum fb_status st = fb_books_account(b, &out->accounts[i], number);

		FB_ASSERT(st == FB_OK);
		fb_cell_at(a, number)->changed = false;
	}
	a->change_count = 0;
	qsort(out->accounts, out->account_count, sizeof(*out->accounts), by_number);
}

static int by_seq(const void *x, const void *y)
{
	const struct fb_hold *a = x, *b = y;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void take_holds(struct fb_holds *h, struct fb_books_changes *out)
{
	out->holds = fb_must_alloc((size_t)h->change_count + h->ended_count + 1, sizeof(*out->holds));
	out->hold_count = 0;
	for (uint32_t i = 0; i < h->ended_count; i++) {
		const struct fb_ended_hold *e = fb_seg_at(&h->ended, i, sizeof(*e));

		out->holds[out->hold_count++] = (struct fb_hold){ .id = e->id, .account = e->account, .seq = e->seq };
	}
	for (uint32_t i = 0; i < h->change_count; i++) {
		struct fb_open_hold *o = fb_hold_at(h, *(const uint32_t *)fb_seg_at(&h->changes, i, sizeof(uint32_t)));

		o->changed = false;
		if (o->id == 0 || o->saved)
			continue; /* it came and went meanwhile */
		o->saved = true;
		out->holds[out->hold_count++] = fb_hold_view(o);
	}
	h->ended_count = h->change_count = 0;
	qsort(out->holds, out->hold_count, sizeof(*out->holds), by_seq);
}

void fb_books_take_changes(struct fb_books *b, struct fb_books_changes *out)
{
	take_accounts(b, out);
	take_holds(b->holds, out);
}
