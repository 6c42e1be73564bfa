/* Open holds: folded rows, less those that the tail ends, and those that it opens. */
#include "writer_int.h"

#include <stdlib.h>

/* What the tail says about holds, by account and id; amount 0: it ended. */
struct changes {
	struct fb_hold *items;
	size_t count;
};
struct page {
	struct fb_hold *out;
	size_t count, cap;
	uint64_t account;     /* 0: all */
	struct fb_hold after; /* what is up to here was seen */
};

static int compare(const struct fb_hold *a, const struct fb_hold *b)
{
	if (a->account != b->account)
		return a->account < b->account ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static int by_place_and_seq(const void *left, const void *right)
{
	const struct fb_hold *a = left, *b = right;
	int order = compare(a, b);

	return order != 0 ? order : (a->seq > b->seq) - (a->seq < b->seq);
}

static bool is_asked_for(const struct page *p, const struct fb_hold *h)
{
	return (p->account == 0 || h->account == p->account) && compare(h, &p->after) > 0;
}

/* The change that a record makes; false: it is about no hold. */
static bool change_of(struct fb_hold *h, const struct tail *t, uint64_t seq)
{
	const struct entry *e = tail_at(t, seq);
	bool begins = e->kind == FB_RECORD_HOLD;

	if (!begins && e->kind != FB_RECORD_CAPTURE && e->kind != FB_RECORD_RELEASE && e->kind != FB_RECORD_EXPIRE)
		return false;
	*h = (struct fb_hold){ .id = begins ? e->id : e->ref, .account = e->debit, .seq = seq };
	if (begins) {
		struct fb_record r = tail_record(t, seq);

		h->content = r.content;
		h->amount = r.amount;
		h->expires_us = r.expires_us;
	}
	return true;
}

/* Sorted; only the last change of a hold is left. */
static void gather(const struct tail *t, struct changes *c, const struct page *p)
{
	uint64_t first = tail_first(t), end = tail_end(t);
	size_t kept = 0;

	c->items = fb_must_alloc((size_t)(end - first) + 1, sizeof(c->items[0]));
	c->count = 0;
	for (uint64_t seq = first; seq < end; seq++)
		if (change_of(&c->items[c->count], t, seq) && is_asked_for(p, &c->items[c->count]))
			c->count++;
	qsort(c->items, c->count, sizeof(c->items[0]), by_place_and_seq);
	for (size_t i = 0; i < c->count; i++)
		if (i + 1 == c->count || compare(&c->items[i], &c->items[i + 1]) != 0)
			c->items[kept++] = c->items[i];
	c->count = kept;
}

static void add(struct page *p, const struct fb_hold *h)
{
	if (p->count < p->cap && h->amount.atoms != 0)
		p->out[p->count++] = *h;
}

/* Changes that stand before the row (NULL: all), and the row unless it changed. */
static void merge(struct page *p, const struct changes *c, size_t *next, const struct fb_hold *row)
{
	while (*next < c->count && (row == NULL || compare(&c->items[*next], row) < 0))
		add(p, &c->items[(*next)++]);
	if (row == NULL)
		return;
	if (*next < c->count && compare(&c->items[*next], row) == 0)
		add(p, &c->items[(*next)++]);
	else
		add(p, row);
}

static enum fb_status walk(struct page *p, const struct changes *changes, struct fb_cursor *c)
{
	struct row from;
	size_t next = 0;
	enum fb_status st = FB_OK;
	bool more;

	row_hold_key(&from, p->after.account > p->account ? p->after.account : p->account, p->after.id);
	for (more = fb_cursor_seek(c, row_key(&from)); more && p->count < p->cap; more = fb_cursor_next(c)) {
		struct fb_hold row;

		if (!row_is(fb_cursor_key(c), 'H', ROW_HOLD_KEY_LEN) ||
		    (p->account != 0 && row_number(fb_cursor_key(c)) != p->account))
			break;
		st = row_hold_read(&row, fb_cursor_key(c), fb_cursor_value(c));
		if (st != FB_OK)
			return st;
		if (is_asked_for(p, &row))
			merge(p, changes, &next, &row);
	}
	merge(p, changes, &next, NULL);
	return fb_cursor_status(c);
}

enum fb_status fb_writer_holds(struct fb_writer *w, struct fb_hold *out, size_t *count, size_t cap,
			       const struct fb_account_key *key, const struct fb_hold *after)
{
	struct page p = { .out = out, .cap = cap };
	struct changes changes;
	struct fb_account a = { 0 };
	struct fb_cursor *c;
	enum fb_status st = key == NULL ? FB_OK : fb_writer_balance(w, &a, key);

	if (st != FB_OK)
		return st;
	p.account = a.number;
	if (after != NULL)
		p.after = *after;
	pthread_rwlock_rdlock(&w->tail.lock);
	gather(&w->tail, &changes, &p);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	pthread_rwlock_unlock(&w->tail.lock);
	st = walk(&p, &changes, c);
	fb_cursor_close(c);
	free(changes.items);
	if (index_judge(w, st) == FB_OK)
		*count = p.count;
	return st;
}
