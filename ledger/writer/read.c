/* Reads of accounts and transfers, from any thread: what is durable, in memory or folded. */
#include "writer_int.h"

uint64_t fb_writer_seq(struct fb_writer *w)
{
	return tail_end(&w->tail) - 1;
}

/* ---- balances now -------------------------------------------------------------------------------------------- */

/* Until the record is durable. FB_STORAGE: it never will be. */
static enum fb_status wait_durable(struct fb_writer *w, uint64_t seq)
{
	bool durable;

	if (seq < tail_end(&w->tail))
		return FB_OK;
	pthread_mutex_lock(&w->durable_lock);
	w->durable_waiters++;
	while (seq >= tail_end(&w->tail) && !atomic_load(&w->dead))
		pthread_cond_wait(&w->durable, &w->durable_lock);
	w->durable_waiters--;
	durable = seq < tail_end(&w->tail);
	pthread_mutex_unlock(&w->durable_lock);
	return durable ? FB_OK : FB_STORAGE;
}

enum fb_status fb_writer_balance(struct fb_writer *w, struct fb_account *out, const struct fb_account_key *key)
{
	struct fb_account a;
	enum fb_status st = fb_books_balance(w->books, &a, key);

	if (st == FB_OK)
		st = wait_durable(w, a.last_seq);
	if (st == FB_OK)
		*out = a;
	return st;
}

/* ---- balances then ------------------------------------------------------------------------------------------- */

/* The newest record of the account up to seq that is in the tail. Under the tail's lock. */
static bool find_in_tail(const struct tail *t, struct fb_account *out, uint64_t seq)
{
	uint64_t first = tail_first(t), end = tail_end(t);

	for (uint64_t s = seq < end ? seq + 1 : end; s > first; s--) {
		const struct entry *e = tail_at(t, s - 1);

		if (e->debit != out->number && e->credit != out->number)
			continue;
		out->counters = *entry_after(e, out->number);
		out->last_seq = s - 1;
		return true;
	}
	return false;
}

static enum fb_status find_in_history(struct fb_writer *w, struct fb_account *out, uint64_t seq)
{
	struct fb_history_line line;
	struct fb_cursor *c;
	struct row r;
	enum fb_status st = FB_NOT_FOUND;

	row_history_key(&r, out->number, seq);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	if (fb_cursor_seek_back(c, row_key(&r)) && row_is(fb_cursor_key(c), 'R', ROW_HISTORY_KEY_LEN) &&
	    row_number(fb_cursor_key(c)) == out->number)
		st = row_history_read(&line, fb_cursor_key(c), fb_cursor_value(c));
	if (st == FB_NOT_FOUND && fb_cursor_status(c) != FB_OK)
		st = FB_STORAGE;
	fb_cursor_close(c);
	if (index_judge(w, st) != FB_OK)
		return st;
	out->counters = line.after;
	out->last_seq = line.record.seq;
	return FB_OK;
}

/* Under the tail's lock, so that what is folded meanwhile is neither here nor there twice. */
static enum fb_status balance_at(struct fb_writer *w, struct fb_account *out, uint64_t seq)
{
	uint64_t folded = tail_first(&w->tail) - 1;

	if (find_in_tail(&w->tail, out, seq))
		return FB_OK;
	return find_in_history(w, out, seq < folded ? seq : folded);
}

enum fb_status fb_writer_balance_at(struct fb_writer *w, struct fb_account *out, const struct fb_account_key *key,
				    uint64_t seq)
{
	struct fb_account a;
	enum fb_status st = fb_writer_balance(w, &a, key);

	if (st != FB_OK)
		return st;
	pthread_rwlock_rdlock(&w->tail.lock);
	st = balance_at(w, &a, seq);
	pthread_rwlock_unlock(&w->tail.lock);
	if (st == FB_OK)
		*out = a;
	return st;
}

static enum fb_status seq_in_rows(struct fb_writer *w, uint64_t *seq, int64_t time_us)
{
	struct fb_cursor *c;
	struct row r;
	enum fb_status st = FB_NOT_FOUND;

	row_time_key(&r, time_us);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	if (fb_cursor_seek_back(c, row_key(&r)) && row_is(fb_cursor_key(c), 'B', ROW_TIME_KEY_LEN) &&
	    fb_cursor_key(c).at[1] == 't')
		st = row_time_read(seq, fb_cursor_key(c), fb_cursor_value(c));
	if (st == FB_NOT_FOUND && fb_cursor_status(c) != FB_OK)
		st = FB_STORAGE;
	fb_cursor_close(c);
	return index_judge(w, st);
}

/* The last record that was there at a time. Under the tail's lock. */
static enum fb_status seq_at(struct fb_writer *w, uint64_t *seq, int64_t time_us)
{
	uint64_t low = tail_first(&w->tail), high = tail_end(&w->tail); /* the first entry that is later is in low … high */

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (tail_at(&w->tail, middle)->time_us <= time_us)
			low = middle + 1;
		else
			high = middle;
	}
	*seq = low - 1;
	return low > tail_first(&w->tail) ? FB_OK : seq_in_rows(w, seq, time_us);
}

enum fb_status fb_writer_balance_at_time(struct fb_writer *w, struct fb_account *out, const struct fb_account_key *key,
					 int64_t time_us)
{
	struct fb_account a;
	uint64_t seq;
	enum fb_status st = fb_writer_balance(w, &a, key);

	if (st == FB_OK && time_us < 0)
		st = FB_NOT_FOUND;
	if (st != FB_OK)
		return st;
	pthread_rwlock_rdlock(&w->tail.lock);
	st = seq_at(w, &seq, time_us);
	if (st == FB_OK)
		st = balance_at(w, &a, seq);
	pthread_rwlock_unlock(&w->tail.lock);
	if (st == FB_OK)
		*out = a;
	return st;
}

/* ---- one transfer -------------------------------------------------------------------------------------------- */

static bool undoes(const struct entry *e, fb_id id)
{
	return (e->kind == FB_RECORD_EXPIRE || e->kind == FB_RECORD_REVERSE) && e->ref == id;
}

/* The record with the id, and whether it is undone, as far as the tail knows. */
static bool transfer_in_tail(const struct tail *t, struct fb_transfer *out, fb_id id)
{
	bool found = false;

	out->undone = false;
	for (uint64_t seq = tail_first(t), end = tail_end(t); seq < end; seq++) {
		const struct entry *e = tail_at(t, seq);

		out->undone |= undoes(e, id);
		if (e->id != id || e->kind == FB_RECORD_LEG)
			continue;
		found = true;
		out->record = tail_record(t, seq);
		out->time_us = e->time_us;
	}
	return found;
}

static enum fb_status transfer_in_rows(struct fb_writer *w, struct fb_transfer *out, fb_id id)
{
	struct fb_id_fact fact;
	enum fb_status st = index_find(w, &fact, id);

	if (st != FB_OK)
		return st;
	out->undone |= fact.undone;
	return index_record(w, &out->record, &out->time_us, fact.seq);
}

enum fb_status fb_writer_transfer(struct fb_writer *w, struct fb_transfer *out, fb_id id)
{
	struct fb_transfer t;
	enum fb_status st = FB_OK;

	pthread_rwlock_rdlock(&w->tail.lock);
	if (!transfer_in_tail(&w->tail, &t, id))
		st = transfer_in_rows(w, &t, id);
	pthread_rwlock_unlock(&w->tail.lock);
	if (st == FB_OK)
		*out = t;
	return st;
}
