/* An account's records, both ways: folded rows joined with the tail. */
#include "writer_int.h"

struct page {
	struct fb_history_line *out;
	size_t count, cap;
	uint64_t account;
};

static void add_entry(struct page *p, const struct tail *t, uint64_t seq)
{
	const struct entry *e = tail_at(t, seq);

	if (e->debit != p->account && e->credit != p->account)
		return;
	p->out[p->count++] = (struct fb_history_line){ .record = tail_record(t, seq), .time_us = e->time_us,
						       .after = *entry_after(e, p->account) };
}

/* Rows of the account from seq on, or from seq back. */
static enum fb_status add_rows(struct fb_writer *w, struct page *p, uint64_t seq, bool back)
{
	struct fb_cursor *c;
	struct row r;
	enum fb_status st = FB_OK;
	bool more;

	row_history_key(&r, p->account, seq);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	more = back ? fb_cursor_seek_back(c, row_key(&r)) : fb_cursor_seek(c, row_key(&r));
	while (more && st == FB_OK && p->count < p->cap && row_is(fb_cursor_key(c), 'R', ROW_HISTORY_KEY_LEN) &&
	       row_number(fb_cursor_key(c)) == p->account) {
		st = row_history_read(&p->out[p->count++], fb_cursor_key(c), fb_cursor_value(c));
		more = back ? fb_cursor_back(c) : fb_cursor_next(c);
	}
	if (st == FB_OK)
		st = fb_cursor_status(c);
	fb_cursor_close(c);
	return index_judge(w, st);
}

/* Before seq `end`, newest first: the tail, then the rows. */
static enum fb_status add_before(struct fb_writer *w, struct page *p, uint64_t end)
{
	uint64_t first = tail_first(&w->tail), seq = end < tail_end(&w->tail) ? end : tail_end(&w->tail);

	for (; seq > first && p->count < p->cap; seq--)
		add_entry(p, &w->tail, seq - 1);
	if (p->count == p->cap || end <= 1)
		return FB_OK;
	return add_rows(w, p, (end < first ? end : first) - 1, true);
}

/* After the cursor, oldest first: the rows, then the tail. */
static enum fb_status add_after(struct fb_writer *w, struct page *p, uint64_t cursor)
{
	uint64_t first = tail_first(&w->tail), end = tail_end(&w->tail);
	enum fb_status st = FB_OK;

	if (cursor + 1 < first)
		st = add_rows(w, p, cursor + 1, false);
	for (uint64_t seq = cursor + 1 < first ? first : cursor + 1; seq < end && p->count < p->cap && st == FB_OK; seq++)
		add_entry(p, &w->tail, seq);
	return st;
}

enum fb_status fb_writer_history(struct fb_writer *w, struct fb_history_line *out, size_t *count, size_t cap,
				 const struct fb_account_key *key, uint64_t cursor, bool newest_first)
{
	struct page p = { .out = out, .cap = cap };
	struct fb_account a;
	enum fb_status st = fb_writer_balance(w, &a, key);

	if (st != FB_OK)
		return st;
	p.account = a.number;
	pthread_rwlock_rdlock(&w->tail.lock);
	if (newest_first)
		st = add_before(w, &p, cursor == 0 ? UINT64_MAX : cursor);
	else
		st = cursor == UINT64_MAX ? FB_OK : add_after(w, &p, cursor);
	pthread_rwlock_unlock(&w->tail.lock);
	if (st == FB_OK)
		*count = p.count;
	return st;
}
