/* The trial balance: every account's row, or what the tail knows better, summed by asset and purpose. */
#include "writer_int.h"

#include <stdlib.h>
#include <string.h>

/* What an account is after its last record in the tail. */
struct newer {
	uint64_t account, seq;
	struct fb_counters counters;
};
struct trial {
	struct fb_writer *w;
	struct newer *newer;
	size_t newer_count;
	struct fb_trial_row *out;
	size_t count, cap;
};

static int by_account(const void *left, const void *right)
{
	const struct newer *a = left, *b = right;

	if (a->account != b->account)
		return a->account < b->account ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

static void add_newer(struct trial *t, const struct entry *e, uint64_t account, uint64_t seq)
{
	if (account != 0)
		t->newer[t->newer_count++] = (struct newer){ account, seq, *entry_after(e, account) };
}

/* Sorted; only the last of an account is left. */
static void gather(struct trial *t, uint64_t first, uint64_t end)
{
	size_t kept = 0;

	t->newer = fb_must_alloc(2 * (size_t)(end - first) + 1, sizeof(t->newer[0]));
	for (uint64_t seq = first; seq < end; seq++) {
		const struct entry *e = tail_at(&t->w->tail, seq);

		add_newer(t, e, e->debit, seq);
		add_newer(t, e, e->credit, seq);
	}
	qsort(t->newer, t->newer_count, sizeof(t->newer[0]), by_account);
	for (size_t i = 0; i < t->newer_count; i++)
		if (i + 1 == t->newer_count || t->newer[i + 1].account != t->newer[i].account)
			t->newer[kept++] = t->newer[i];
	t->newer_count = kept;
}

/* ---- sums ---------------------------------------------------------------------------------------------------- */

/* The row of an asset and purpose, kept sorted by both. NULL: there is no room. */
static struct fb_trial_row *row_of(struct trial *t, const struct fb_account_key *key)
{
	size_t i = 0;

	while (i < t->count && (t->out[i].asset < key->asset ||
				(t->out[i].asset == key->asset && t->out[i].purpose < key->purpose)))
		i++;
	if (i < t->count && t->out[i].asset == key->asset && t->out[i].purpose == key->purpose)
		return &t->out[i];
	if (t->count == t->cap)
		return NULL;
	memmove(&t->out[i + 1], &t->out[i], (t->count - i) * sizeof(t->out[0]));
	t->count++;
	t->out[i] = (struct fb_trial_row){ .asset = key->asset, .purpose = key->purpose };
	return &t->out[i];
}

static enum fb_status add(struct trial *t, const struct fb_account_key *key, const struct fb_counters *c)
{
	struct fb_trial_row *row = row_of(t, key);

	if (row == NULL)
		return FB_TOO_MANY;
	row->accounts++;
	if (fb_amount_add(&row->sums.debits_posted, row->sums.debits_posted, c->debits_posted) != FB_OK ||
	    fb_amount_add(&row->sums.debits_pending, row->sums.debits_pending, c->debits_pending) != FB_OK ||
	    fb_amount_add(&row->sums.credits_posted, row->sums.credits_posted, c->credits_posted) != FB_OK ||
	    fb_amount_add(&row->sums.credits_pending, row->sums.credits_pending, c->credits_pending) != FB_OK)
		return FB_OVERFLOW;
	return FB_OK;
}

/* ---- accounts ------------------------------------------------------------------------------------------------ */

/* An account that is not a row yet. */
static enum fb_status add_opened(struct trial *t, const struct newer *n)
{
	struct fb_account a;

	FB_ASSERT(fb_books_account(t->w->books, &a, n->account) == FB_OK); /* its key */
	return add(t, &a.key, &n->counters);
}

static enum fb_status add_rows(struct trial *t, struct fb_cursor *c, size_t *next)
{
	enum fb_status st = FB_OK;
	bool more;

	for (more = fb_cursor_seek(c, FB_STR("A")); more && st == FB_OK && fb_cursor_key(c).at[0] == 'A';
	     more = fb_cursor_next(c)) {
		struct fb_account a;

		st = row_account_read(&a, fb_cursor_key(c), fb_cursor_value(c));
		if (st != FB_OK)
			return st;
		if (*next < t->newer_count && t->newer[*next].account == a.number)
			a.counters = t->newer[(*next)++].counters;
		st = add(t, &a.key, &a.counters);
	}
	return st == FB_OK ? fb_cursor_status(c) : st;
}

enum fb_status fb_writer_trial_balance(struct fb_writer *w, struct fb_trial_row *out, size_t *count, size_t cap,
				       uint64_t *seq)
{
	struct trial t = { .w = w, .out = out, .cap = cap };
	struct fb_cursor *c;
	uint64_t end;
	size_t next = 0;
	enum fb_status st;

	pthread_rwlock_rdlock(&w->tail.lock);
	end = tail_end(&w->tail);
	gather(&t, tail_first(&w->tail), end);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	pthread_rwlock_unlock(&w->tail.lock);
	st = add_rows(&t, c, &next);
	for (; st == FB_OK && next < t.newer_count; next++)
		st = add_opened(&t, &t.newer[next]);
	fb_cursor_close(c);
	free(t.newer);
	if (index_judge(w, st) != FB_OK)
		return st;
	*count = t.count;
	*seq = end - 1;
	return FB_OK;
}
