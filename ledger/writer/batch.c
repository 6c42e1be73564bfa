/* One batch of the decider: what waits is taken, decided, and handed over to be written. */
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
	struct batch *b = w->batch;
	int64_t now_us = w->clock.wall_us(w->clock.ctx);
	uint64_t folded = tail_first(&w->tail) - 1;

	b->records = 0;
	b->failure = w->stopped;
	b->put_count = b->row_count = b->row_bytes = b->op_count = b->item_count = 0;
	ahead_clear(w->ahead);
	b->time_us = now_us > w->time_us ? now_us : w->time_us + 1;
	b->number = w->number + 1;
	if (folded > w->forgotten) {
		fb_books_forget_ids(w->books, folded);
		w->forgotten = folded;
	}
}

static void add_to_tail(struct fb_writer *w, uint32_t from)
{
	struct batch *b = w->batch;

	tail_add_chain(&w->tail, w->books, fb_batch_records(b->bytes), from, b->records, b->time_us, b->number);
}

/* One by one, so that the tail knows what each left. */
static void expire(struct fb_writer *w)
{
	struct batch *b = w->batch;
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
	struct batch *b = w->batch;
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
	struct batch *b = w->batch;
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
	enum fb_status st = w->stopped != NULL ? FB_STORAGE : FB_OK;
	struct item *i;

	while ((i = take(w)) != NULL) {
		if (st == FB_OK && i->op_count > 0)
			ahead_look(w, i);
		if (st == FB_OK)
			st = decide(w, i);
		if (st == FB_OK)
			add_puts(w->batch, i);
	}
	return st;
}

/* ---- stop, hand over ----------------------------------------------------------------------------------------- */

/* From this batch on nothing is decided. What was decided of it will not be written, and nobody is shown it. */
static void stop(struct fb_writer *w, const char *why)
{
	w->stopped = w->batch->failure = why;
}

static void hand_over(struct fb_writer *w)
{
	struct batch *b = w->batch;

	b->end = w->tail.filled;
	if (!batch_is_empty(b)) {
		w->number = b->number;
		w->time_us = b->time_us;
	}
	if (!batch_is_empty(b) || b->item_count > 0)
		commits_hand_over(w);
}

void batch_run(struct fb_writer *w)
{
	begin(w);
	if (w->stopped == NULL && !fold_wait_room(w))
		stop(w, "derived rows cannot be written");
	if (w->stopped == NULL)
		expire(w);
	if (fill(w) != FB_OK && w->stopped == NULL)
		stop(w, "what the books need to decide could not be read");
	hand_over(w);
}
