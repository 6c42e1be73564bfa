/* Group commit: one thread writes whatever has queued up while its last write was under way. */
#include "writer_int.h"

#include <pthread.h>
#include <stdlib.h>

_Static_assert((size_t)FB_PUTS_MAX <= FB_WRITER_BATCH_MAX, "one caller's batch fits");
_Static_assert((size_t)FB_PUTS_MAX * (FB_PUT_KEY_MAX + FB_PUT_VALUE_MAX) <= FB_WRITER_BATCH_BYTES_MAX, "also in bytes");

struct fb_writer {
	struct fb_store *store;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_clock clock;
	pthread_t thread;
	bool failed;                              /* of the writer's thread: the failure is logged */
	struct fb_put batch[FB_WRITER_BATCH_MAX]; /* likewise: the rows of the queue under way, flat */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;  /* there is a commit, or the end began, or the last waiter left */
	pthread_cond_t room;  /* the queue got shorter, or the end began */
	struct queue queue;
	unsigned waiters; /* threads inside commit that wait for room */
	bool closing;
};

static size_t flatten(struct fb_put *out, const struct queue *q)
{
	size_t count = 0;

	for (const struct item *i = q->first; i != NULL; i = i->next)
		for (size_t k = 0; k < i->count; k++) {
			FB_ASSERT(count < FB_WRITER_BATCH_MAX);
			out[count++] = i->puts[k];
		}
	FB_ASSERT(count == q->rows);
	return count;
}

static enum fb_status write_batch(struct fb_writer *w, const struct queue *q)
{
	size_t count = flatten(w->batch, q);
	uint64_t start_ns = w->clock.mono_ns(w->clock.ctx);
	enum fb_status st = fb_store_commit(w->store, NULL, w->batch, count);

	if (st == FB_OK) {
		fb_metric_time_ns(w->metrics, FB_M_COMMIT_SECONDS, w->clock.mono_ns(w->clock.ctx) - start_ns);
		fb_metric_add(w->metrics, FB_M_COMMITS, 1);
		fb_metric_add(w->metrics, FB_M_COMMIT_PUTS, count);
	} else if (!w->failed) {
		w->failed = true;
		fb_log(w->log, FB_EV_STORAGE_FAILED, FB_F_TEXT("why", fb_store_failure(w->store)));
	}
	return st;
}

static void finish(struct queue *q, enum fb_status st)
{
	struct item *i = q->first;

	while (i != NULL) {
		struct item *next = i->next;

		i->done(i->arg, st);
		free(i);
		i = next;
	}
}

/* Waits for work and takes it. False at the end, when nothing is queued and nobody can queue any more. */
static bool next_batch(struct fb_writer *w, struct queue *out)
{
	pthread_mutex_lock(&w->lock);
	while (w->queue.first == NULL && !(w->closing && w->waiters == 0))
		pthread_cond_wait(&w->work, &w->lock);
	queue_take(out, &w->queue, FB_WRITER_BATCH_MAX, FB_WRITER_BATCH_BYTES_MAX);
	pthread_cond_broadcast(&w->room);
	pthread_mutex_unlock(&w->lock);
	return out->first != NULL;
}

static void *run(void *arg)
{
	struct fb_writer *w = arg;

	for (;;) {
		struct queue batch = { 0 };

		if (!next_batch(w, &batch))
			return NULL;
		finish(&batch, write_batch(w, &batch));
	}
}

static bool has_room(const struct queue *q, const struct item *i)
{
	return q->rows + i->count <= FB_WRITER_QUEUE_MAX && q->bytes + i->bytes <= FB_WRITER_QUEUE_BYTES_MAX;
}

/* Queues the item, after a wait for room if need be. False if the end began first. */
static bool enqueue(struct fb_writer *w, struct item *i)
{
	bool accepted;

	pthread_mutex_lock(&w->lock);
	w->waiters++;
	while (!w->closing && !has_room(&w->queue, i))
		pthread_cond_wait(&w->room, &w->lock);
	w->waiters--;
	accepted = !w->closing;
	if (accepted)
		queue_push(&w->queue, i);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	return accepted;
}

static void commit(void *ctx, const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		   void *arg)
{
	struct fb_writer *w = ctx;
	struct item *i = item_make(puts, count, done, arg);

	FB_ASSERT(!pthread_equal(pthread_self(), w->thread));
	if (enqueue(w, i))
		return;
	free(i);
	done(arg, FB_DRAINING);
}

struct fb_commit fb_writer_port(struct fb_writer *w)
{
	return (struct fb_commit){ .commit = commit, .ctx = w };
}

void fb_writer_open(struct fb_writer **out, struct fb_store *store, struct fb_log *log, struct fb_metrics *metrics,
		    struct fb_clock clock)
{
	struct fb_writer *w = fb_must_alloc(1, sizeof(*w));

	w->store = store;
	w->log = log;
	w->metrics = metrics;
	w->clock = clock;
	FB_ASSERT(pthread_mutex_init(&w->lock, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&w->work, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&w->room, NULL) == 0);
	FB_ASSERT(pthread_create(&w->thread, NULL, run, w) == 0);
	*out = w;
}

void fb_writer_close(struct fb_writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	FB_ASSERT(!w->closing);
	w->closing = true;
	pthread_cond_broadcast(&w->room);
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	FB_ASSERT(pthread_join(w->thread, NULL) == 0);
	FB_ASSERT(w->queue.first == NULL && w->waiters == 0);
	pthread_cond_destroy(&w->room);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
