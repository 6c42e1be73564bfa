/* What the books ask about the past: ids they no longer remember, and single records. */
#include "writer_int.h"

enum fb_status index_get(struct fb_writer *w, struct row *r)
{
	return fb_store_get_from(w->store, FB_FAMILY_DERIVED, r->value, &r->value_len, sizeof(r->value), row_key(r));
}

enum fb_status index_judge(struct fb_writer *w, enum fb_status st)
{
	if (st == FB_STORAGE && !atomic_exchange(&w->distrusts, true)) {
		fb_store_distrust_derived(w->store);
		fb_log(w->log, FB_EV_DERIVED_DAMAGED, FB_F_U64("folded", tail_first(&w->tail) - 1));
	}
	return st;
}

enum fb_status index_find(struct fb_writer *w, struct fb_id_fact *out, fb_id id)
{
	struct row r;
	enum fb_status st;

	row_id_key(&r, id);
	st = index_get(w, &r);
	if (st == FB_OK)
		st = row_id_read(out, row_value(&r));
	return index_judge(w, st == FB_TOO_LARGE ? FB_STORAGE : st);
}

/* The batch that holds a folded record. */
static enum fb_status find_batch(struct fb_writer *w, uint64_t *batch, uint64_t seq)
{
	struct fb_cursor *c;
	struct row r;
	enum fb_status st = FB_STORAGE;

	row_seq_key(&r, seq);
	fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
	if (fb_cursor_seek_back(c, row_key(&r)))
		st = row_seq_read(batch, fb_cursor_key(c), fb_cursor_value(c));
	fb_cursor_close(c);
	return index_judge(w, st);
}

static enum fb_status read_record(struct fb_record *out, int64_t *time_us, const struct fb_batch *b, uint64_t seq)
{
	if (seq < b->head.first_seq || seq - b->head.first_seq >= b->head.records)
		return FB_STORAGE;
	*time_us = b->head.time_us;
	return fb_record_decode(out, b->records + (seq - b->head.first_seq) * FB_RECORD_LEN);
}

enum fb_status index_record(struct fb_writer *w, struct fb_record *out, int64_t *time_us, uint64_t seq)
{
	struct journal_place p;
	uint64_t batch;
	enum fb_status st = find_batch(w, &batch, seq);

	if (st != FB_OK)
		return st;
	st = journal_find(w->store, &p, batch, NULL);
	if (st == FB_OK)
		st = read_record(out, time_us, &p.batch, seq);
	journal_leave(&p);
	return st;
}

static enum fb_status find(void *ctx, struct fb_id_fact *out, fb_id id)
{
	struct fb_writer *w = ctx;
	enum fb_status st;

	return ahead_find(w->ahead, &st, out, id) ? st : index_find(w, out, id);
}

/* On the writer's thread, which may see what is not durable yet. */
static enum fb_status record(void *ctx, struct fb_record *out, uint64_t seq)
{
	struct fb_writer *w = ctx;
	int64_t time_us;
	bool in_tail;

	pthread_rwlock_rdlock(&w->tail.lock);
	in_tail = seq >= tail_first(&w->tail);
	if (in_tail)
		*out = tail_record(&w->tail, seq);
	pthread_rwlock_unlock(&w->tail.lock);
	return in_tail ? FB_OK : index_record(w, out, &time_us, seq);
}

struct fb_id_index index_of(struct fb_writer *w)
{
	return (struct fb_id_index){ .find = find, .record = record, .ctx = w };
}
