/* What a fold writes: from the tail's records the rows of accounts, batches, holds, ids and history, sorted. */
#include "writer_int.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 8 /* entries fetched ahead of their use: sorted by account, they lie anywhere */ };

/* A record of an account. */
struct line {
	uint64_t account, seq;
};
/* Something that happened to a hold or to an id: it began, or it ended (was undone). */
struct fact {
	fb_id id;
	uint64_t seq;
	uint32_t account; /* of a hold; 0 of an id */
	bool ends;
};
_Static_assert(sizeof(struct fact) <= 32, "qsort moves it, instead of a pointer to it");
_Static_assert(FB_ACCOUNTS_MAX <= UINT32_MAX, "an account's number fits");
struct derivation {
	struct fb_writer *w;
	struct fb_bulk *bulk;
	uint64_t first, end; /* seqs */
	struct line *lines, *spare;
	struct fact *holds, *ids;
	size_t line_count, hold_count, id_count;
};

static const struct entry *at(const struct derivation *d, uint64_t seq)
{
	return tail_at(&d->w->tail, seq);
}

static void put(struct derivation *d, const struct row *r)
{
	fb_bulk_put(d->bulk, row_key(r), row_value(r));
}

/* ---- gather -------------------------------------------------------------------------------------------------- */

static void add_line(struct derivation *d, uint64_t account, uint64_t seq)
{
	if (account != 0)
		d->lines[d->line_count++] = (struct line){ account, seq };
}

static void add_hold(struct derivation *d, const struct entry *e, fb_id id, uint64_t seq, bool ends)
{
	d->holds[d->hold_count++] = (struct fact){ .id = id, .account = (uint32_t)e->debit, .seq = seq, .ends = ends };
}

static void add_id(struct derivation *d, fb_id id, uint64_t seq, bool ends)
{
	d->ids[d->id_count++] = (struct fact){ .id = id, .seq = seq, .ends = ends };
}

static void gather(struct derivation *d, const struct entry *e, uint64_t seq)
{
	add_line(d, e->debit, seq);
	add_line(d, e->credit, seq);
	switch (e->kind) {
	case FB_RECORD_HOLD:
		add_hold(d, e, e->id, seq, false);
		break;
	case FB_RECORD_CAPTURE:
	case FB_RECORD_RELEASE:
		add_hold(d, e, e->ref, seq, true);
		break;
	case FB_RECORD_EXPIRE:
		add_hold(d, e, e->ref, seq, true);
		add_id(d, e->ref, seq, true);
		return;
	case FB_RECORD_REVERSE:
		add_id(d, e->ref, seq, true);
		break;
	case FB_RECORD_ACCOUNT:
	case FB_RECORD_LEG: /* its capture has the id */
		return;
	case FB_RECORD_POST:
	case FB_RECORD_REFUSE:
		break;
	case FB_RECORD_KIND_END:
		FB_UNREACHABLE("a kind of record");
	}
	add_id(d, e->id, seq, false);
}

/* ---- sort ---------------------------------------------------------------------------------------------------- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* One pass of a radix sort: stable, by the digit at `shift` of the account's number. */
static void sort_digit(struct derivation *d, unsigned shift)
{
	static _Thread_local size_t starts[DIGITS];
	struct line *sorted = d->spare;
	size_t start = 0;

	memset(starts, 0, sizeof(starts));
	for (size_t i = 0; i < d->line_count; i++)
		starts[d->lines[i].account >> shift & (DIGITS - 1)]++;
	for (size_t k = 0; k < DIGITS; k++) {
		size_t count = starts[k];

		starts[k] = start;
		start += count;
	}
	for (size_t i = 0; i < d->line_count; i++)
		sorted[starts[d->lines[i].account >> shift & (DIGITS - 1)]++] = d->lines[i];
	d->spare = d->lines;
	d->lines = sorted;
}

/* By account; they came by seq, and stay so. */
static void sort_lines(struct derivation *d)
{
	uint64_t highest = 0;

	for (size_t i = 0; i < d->line_count; i++)
		highest = d->lines[i].account > highest ? d->lines[i].account : highest;
	for (unsigned shift = 0; shift < 64 && highest >> shift != 0; shift += DIGIT_BITS)
		sort_digit(d, shift);
}

#define ORDER(a, b) \
	if ((a) != (b)) \
		return (a) < (b) ? -1 : 1

static int by_place_and_seq(const void *left, const void *right)
{
	const struct fact *a = left, *b = right;

	ORDER(a->account, b->account);
	ORDER(a->id, b->id);
	ORDER(a->seq, b->seq);
	return 0;
}

static void gather_all(struct derivation *d)
{
	size_t count = (size_t)(d->end - d->first);

	d->lines = fb_must_alloc(2 * count, sizeof(d->lines[0]));
	d->spare = fb_must_alloc(2 * count, sizeof(d->lines[0]));
	d->holds = fb_must_alloc(count, sizeof(d->holds[0]));
	d->ids = fb_must_alloc(2 * count, sizeof(d->ids[0]));
	for (uint64_t seq = d->first; seq < d->end; seq++)
		gather(d, at(d, seq), seq);
	sort_lines(d);
	qsort(d->holds, d->hold_count, sizeof(d->holds[0]), by_place_and_seq);
	qsort(d->ids, d->id_count, sizeof(d->ids[0]), by_place_and_seq);
}

/* ---- emit ---------------------------------------------------------------------------------------------------- */

/* The first `bytes` of an entry. */
static void fetch_ahead(const struct derivation *d, uint64_t seq, size_t bytes)
{
	const char *entry = (const char *)at(d, seq);

	for (size_t i = 0; i < bytes; i += 64)
		__builtin_prefetch(entry + i);
}

static bool is_last_of_account(const struct derivation *d, size_t i)
{
	return i + 1 == d->line_count || d->lines[i + 1].account != d->lines[i].account;
}

/* As every account is after its last record. */
static void put_accounts(struct derivation *d)
{
	for (size_t i = 0; i < d->line_count; i++) {
		const struct line *l = &d->lines[i];
		struct fb_account a;
		struct row r;

		if (i + AHEAD < d->line_count && is_last_of_account(d, i + AHEAD))
			fetch_ahead(d, d->lines[i + AHEAD].seq, offsetof(struct entry, bytes));
		if (!is_last_of_account(d, i))
			continue;
		FB_ASSERT(fb_books_account(d->w->books, &a, l->account) == FB_OK); /* its key, which never changes */
		a.counters = *entry_after(at(d, l->seq), l->account);
		a.last_seq = l->seq;
		row_account(&r, &a);
		put(d, &r);
	}
}

/* The mark, then batches by their first seq, then by time. */
static void put_batches(struct derivation *d, const struct mark *m)
{
	struct row r;

	row_mark(&r, m);
	put(d, &r);
	for (uint64_t seq = d->first, batch = 0; seq < d->end; seq++) {
		if (seq > d->first && at(d, seq)->batch == batch)
			continue;
		batch = at(d, seq)->batch;
		row_seq(&r, seq, batch);
		put(d, &r);
	}
	for (uint64_t seq = d->first; seq < d->end; seq++) {
		if (seq + 1 < d->end && at(d, seq + 1)->batch == at(d, seq)->batch)
			continue;
		row_time(&r, at(d, seq)->time_us, seq);
		put(d, &r);
	}
}

static void put_hold(struct derivation *d, const struct fact *f)
{
	const struct fb_record record = tail_record(&d->w->tail, f->seq);
	const struct fb_hold h = { .id = f->id, .account = f->account, .seq = f->seq, .content = record.content,
				   .amount = record.amount, .expires_us = record.expires_us };
	struct row r;

	row_hold(&r, &h);
	put(d, &r);
}

static bool same(const struct fact *a, const struct fact *b)
{
	return a->account == b->account && a->id == b->id;
}

/* A hold that began and ended here was never a row. */
static void put_holds(struct derivation *d)
{
	for (size_t i = 0, next; i < d->hold_count; i = next) {
		const struct fact *first = &d->holds[i], *last = first;
		struct row r;

		for (next = i + 1; next < d->hold_count && same(&d->holds[next], first); next++)
			last = &d->holds[next];
		row_hold_key(&r, first->account, first->id);
		if (!last->ends)
			put_hold(d, last);
		else if (first->ends)
			fb_bulk_remove(d->bulk, row_key(&r));
	}
}

/* What is known of an id that was undone here: its record is here too, or folded before. */
static enum fb_status fact_of(struct derivation *d, struct fb_id_fact *out, const struct fact *f)
{
	const struct entry *e = at(d, f->seq);

	if (f->ends)
		return index_find(d->w, out, f->id);
	*out = (struct fb_id_fact){ .seq = f->seq, .content = e->content, .refused = e->refused, .kind = e->kind };
	return FB_OK;
}

static enum fb_status put_ids(struct derivation *d)
{
	for (size_t i = 0, next; i < d->id_count; i = next) {
		const struct fact *first = &d->ids[i];
		struct fb_id_fact known;
		struct row r;

		if (i + AHEAD < d->id_count)
			fetch_ahead(d, d->ids[i + AHEAD].seq, offsetof(struct entry, after));
		if (fact_of(d, &known, first) != FB_OK)
			return FB_STORAGE;
		for (next = i; next < d->id_count && same(&d->ids[next], first); next++)
			known.undone |= d->ids[next].ends;
		row_id(&r, first->id, &known);
		put(d, &r);
	}
	return FB_OK;
}

static void put_history(struct derivation *d)
{
	for (size_t i = 0; i < d->line_count; i++) {
		const struct line *l = &d->lines[i];
		struct row r;

		if (i + AHEAD < d->line_count)
			fetch_ahead(d, d->lines[i + AHEAD].seq, sizeof(struct entry));
		row_history(&r, l->account, l->seq, at(d, l->seq));
		put(d, &r);
	}
}

static enum fb_status make_mark(const struct derivation *d, struct mark *m)
{
	struct journal_place p;
	enum fb_status st;

	FB_ASSERT(d->end > d->first);
	m->seq = d->end - 1;
	m->batch = at(d, m->seq)->batch;
	st = journal_find(d->w->store, &p, m->batch, NULL);
	m->hash = p.batch.hash;
	journal_leave(&p);
	return st;
}

/* In the order of the kinds' letters: A, B, H, I, R. */
static enum fb_status put_all(struct derivation *d, const struct mark *m)
{
	enum fb_status st;

	put_accounts(d);
	put_batches(d, m);
	put_holds(d);
	fb_bulk_split(d->bulk);
	st = put_ids(d);
	fb_bulk_split(d->bulk);
	put_history(d);
	return st;
}

enum fb_status derive(struct fb_writer *w, struct fb_bulk *bulk, struct mark *m)
{
	struct derivation d = { .w = w, .bulk = bulk, .first = tail_first(&w->tail), .end = tail_end(&w->tail) };
	enum fb_status st = make_mark(&d, m);

	if (st != FB_OK)
		return st;
	gather_all(&d);
	st = put_all(&d, m);
	free(d.lines);
	free(d.spare);
	free(d.holds);
	free(d.ids);
	return st;
}
