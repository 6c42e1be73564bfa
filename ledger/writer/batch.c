/* One batch: take what waits, decide it, write it, answer it. */
#include "writer_int.h"

#include <stdlib.h>

enum { ITEMS_MAX = FB_WRITER_BATCH_OPS_MAX + FB_STORE_BATCH_MAX /* every item has an operation or a row */ };
_Static_assert((size_t)FB_PUTS_MAX <= FB_STORE_BATCH_MAX && (size_t)FB_SUBMIT_OPS_MAX <= FB_WRITER_BATCH_OPS_MAX &&
		       (size_t)FB_WRITER_SUBMIT_BYTES_MAX <= FB_WRITER_BATCH_BYTES_MAX,
	       "one submission fits");
_Static_assert(FB_SUBMIT_OPS_MAX * (2 + 2 * FB_LEGS_MAX) + FB_WRITER_EXPIRE_MAX <= FB_BATCH_RECORDS_MAX,
	       "also in records, beside holds that expire");

void batch_open(struct batch *b)
{
	b->bytes = fb_must_alloc(1, fb_batch_len(FB_BATCH_RECORDS_MAX));
	b->puts = fb_must_alloc(FB_STORE_BATCH_MAX, sizeof(b->puts[0]));
	b->results = fb_must_alloc(FB_WRITER_BATCH_OPS_MAX, sizeof(b->results[0]));
	b->items = fb_must_alloc(ITEMS_MAX, sizeof(b->items[0]));
}

void batch_close(struct batch *b)
{
	free(b->bytes);
	free(b->puts);
	free(b->results);
	free(b->items);
}

/* ---- decide -------------------------------------------------------------------------------------------------- */

static void begin(struct fb_writer *w)
{
	struct batch *b = &w->batch;
	int64_t now_us = w->clock.wall_us(w->clock.ctx);
	uint64_t folded = tail_first(&w->tail) - 1;

	b->records = 0;
	b->put_count = b->row_count = b->row_bytes = b->op_count = b->item_count = 0;
	ahead_clear(w->ahead);
	b->time_us = now_us > w->head.time_us ? now_us : w->head.time_us + 1;
	if (folded > w->forgotten) {
		fb_books_forget_ids(w->books, folded);
		w->forgotten = folded;
	}
}

static void add_to_tail(struct fb_writer *w, uint32_t from)
{
	struct batch *b = &w->batch;

	tail_add_chain(&w->tail, w->books, fb_batch_records(b->bytes), from, b->records, b->time_us, w->head.number + 1);
}

/* One by one, so that the tail knows what each left. */
static void expire(struct fb_writer *w)
{
	struct batch *b = &w->batch;
	uint32_t before = 0;

	while (b->records < FB_WRITER_EXPIRE_MAX &&
	       fb_books_expire(w->books, fb_batch_records(b->bytes), &b->records, b->time_us, 1) == 1) {
		add_to_tail(w, before);
		before = b->records;
	}
}

static bool fits(const struct batch *b, const struct item *i)
{
	return b->op_count + i->op_count <= FB_WRITER_BATCH_OPS_MAX && b->row_count + i->put_count <= FB_STORE_BATCH_MAX &&
	       b->row_bytes + i->put_bytes <= FB_WRITER_BATCH_BYTES_MAX &&
	       b->records + i->records_max <= FB_BATCH_RECORDS_MAX;
}

static size_t chain_len(const struct fb_op *ops, size_t count)
{
	size_t len = 1;

	while (len < count && ops[len - 1].linked)
		len++;
	return len;
}

/* Chain by chain, for the same reason. */
static enum fb_status decide(struct fb_writer *w, struct item *i)
{
	struct batch *b = &w->batch;
	enum fb_status st = FB_OK;

	for (size_t k = 0, len; k < i->op_count && st == FB_OK; k += len) {
		uint32_t before = b->records;

		len = chain_len(i->ops + k, i->op_count - k);
		ahead_decide(w, len);
		st = fb_books_run(w->books, i->results + k, fb_batch_records(b->bytes), &b->records, i->ops + k, len,
				  b->time_us);
		add_to_tail(w, before);
	}
	return st;
}

static bool all_ok(const struct item *i)
{
	for (size_t k = 0; k < i->op_count; k++)
		if (i->results[k].status != FB_OK)
			return false;
	return true;
}

static void add_puts(struct batch *b, const struct item *i)
{
	if (i->puts_need_ok && !all_ok(i))
		return;
	for (size_t k = 0; k < i->put_count; k++)
		b->puts[b->put_count++] = i->puts[k];
}

static struct item *take(struct fb_writer *w)
{
	struct batch *b = &w->batch;
	struct item *i = queue_peek(&w->queue);

	if (i == NULL || !fits(b, i))
		return NULL;
	queue_take(&w->queue);
	FB_ASSERT(b->item_count < ITEMS_MAX);
	b->items[b->item_count++] = i;
	i->results = b->results + b->op_count;
	b->op_count += i->op_count;
	b->row_count += i->put_count;
	b->row_bytes += i->put_bytes;
	return i;
}

/* The books are never asked again after an error. */
static enum fb_status fill(struct fb_writer *w)
{
	enum fb_status st = w->failed ? FB_STORAGE : FB_OK;
	struct item *i;

	while ((i = take(w)) != NULL) {
		if (st == FB_OK && i->op_count > 0)
			ahead_look(w, i);
		if (st == FB_OK)
			st = decide(w, i);
		if (st == FB_OK)
			add_puts(&w->batch, i);
	}
	return st;
}

/* ---- write --------------------------------------------------------------------------------------------------- */

static struct fb_batch_head next_head(const struct fb_writer *w)
{
	const struct batch *b = &w->batch;

	return (struct fb_batch_head){ .epoch = w->head.epoch, .number = w->head.number + 1, .first_seq = w->head.next_seq,
				       .records = b->records, .puts = (uint32_t)b->put_count, .time_us = b->time_us,
				       .previous = w->head.hash, .puts_hash = fb_puts_hash(b->puts, b->put_count) };
}

enum fb_status batch_write(struct fb_writer *w)
{
	struct batch *b = &w->batch;
	struct fb_batch_head h = next_head(w);
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_put row = { .key = { (const char *)key, sizeof(key) },
			      .value = { (const char *)b->bytes, fb_batch_len(b->records) } };
	struct fb_anchor anchor = { .epoch = h.epoch, .number = h.number };
	enum fb_status st;

	fb_journal_key(key, h.number);
	fb_batch_seal(b->bytes, &anchor.hash, &h);
	st = fb_store_commit(w->store, &row, b->puts, b->put_count);
	if (st == FB_OK)
		st = fb_store_anchor_move(w->store, &anchor);
	if (st != FB_OK)
		return st;
	w->head = (struct head){ .epoch = h.epoch, .number = h.number, .next_seq = h.first_seq + h.records,
				 .time_us = h.time_us, .hash = anchor.hash };
	return FB_OK;
}

static void publish(struct fb_writer *w)
{
	pthread_mutex_lock(&w->durable_lock);
	tail_publish(&w->tail);
	fb_metric_add(w->metrics, FB_M_LEDGER_RECORDS, w->batch.records);
	fb_metric_set(w->metrics, FB_M_LEDGER_TAIL, tail_end(&w->tail) - tail_first(&w->tail));
	if (w->durable_waiters > 0)
		pthread_cond_broadcast(&w->durable);
	pthread_mutex_unlock(&w->durable_lock);
	if (tail_end(&w->tail) - tail_first(&w->tail) >= w->settings.snapshot_every)
		fold_want(w);
}

/* H13: what came of the batch is unknown; nothing is written any more, and who waits for it is told. */
void writer_fail(struct fb_writer *w, const char *why)
{
	if (!w->failed)
		fb_log(w->log, FB_EV_STORAGE_FAILED, FB_F_TEXT("why", why));
	w->failed = true;
	pthread_mutex_lock(&w->durable_lock);
	atomic_store(&w->dead, true);
	pthread_cond_broadcast(&w->durable);
	pthread_mutex_unlock(&w->durable_lock);
}

static enum fb_status write_measured(struct fb_writer *w)
{
	const struct batch *b = &w->batch;
	uint64_t start_ns = w->clock.mono_ns(w->clock.ctx);
	enum fb_status st;

	if (b->records == 0 && b->put_count == 0)
		return FB_OK; /* all of it had been done before */
	st = batch_write(w);
	if (st != FB_OK) {
		/* A merge that met a damaged table stops all commits. If it has derived rows, the next start mends it. */
		if (fb_str_starts(fb_str_of(fb_store_failure(w->store)), FB_STR("Corruption")))
			index_judge(w, FB_STORAGE);
		writer_fail(w, fb_store_failure(w->store));
		return st;
	}
	fb_metric_time_ns(w->metrics, FB_M_COMMIT_SECONDS, w->clock.mono_ns(w->clock.ctx) - start_ns);
	fb_metric_add(w->metrics, FB_M_COMMITS, 1);
	fb_metric_add(w->metrics, FB_M_COMMIT_PUTS, b->put_count);
	publish(w);
	return FB_OK;
}

/* ---- answer -------------------------------------------------------------------------------------------------- */

static void answer(const struct batch *b, enum fb_status st)
{
	for (size_t k = 0; k < b->item_count; k++) {
		const struct item *i = b->items[k];

		if (i->done_puts != NULL)
			i->done_puts(i->arg, st);
		else
			i->done(i->arg, st, st == FB_OK ? i->results : NULL, st == FB_OK ? i->op_count : 0);
	}
}

void batch_run(struct fb_writer *w)
{
	enum fb_status st;

	if (!w->failed && !fold_wait_room(w))
		writer_fail(w, "derived rows cannot be written");
	begin(w);
	if (!w->failed)
		expire(w);
	st = fill(w);
	if (st == FB_OK)
		st = write_measured(w);
	else
		writer_fail(w, "what the books need to decide could not be read");
	answer(&w->batch, st);
}
