/* Opening, closing, and the decider's thread: it sleeps until there is a submission, or a hold's time has come. */
#include "writer_int.h"

#include <stdlib.h>
#include <sys/prctl.h>

enum {
	EXPIRY_POLL_MS = 1000, /* how late a hold's expiry is recorded when the clock was moved forward */
	/* What must wait before it is decided while batches before are being written: of less would come small batches. */
	AHEAD_BYTES = 128 << 10,
};

/* ---- the thread ---------------------------------------------------------------------------------------------- */

/* How long the writer may sleep. */
static int timeout_ms(const struct fb_writer *w)
{
	int64_t next_us = fb_books_next_expiry(w->books), now_us;

	if (next_us == INT64_MAX || w->stopped != NULL)
		return -1;
	now_us = w->clock.wall_us(w->clock.ctx);
	if (next_us <= now_us)
		return 0;
	return next_us - now_us < EXPIRY_POLL_MS * 1000 ? (int)((next_us - now_us) / 1000 + 1) : EXPIRY_POLL_MS;
}

/* Room for a batch comes first: until then the queue must not take another block. False: that was all. */
static bool wait_for_work(struct fb_writer *w)
{
	w->batch = commits_next(w);
	return queue_peek(&w->queue) != NULL ||
	       queue_wait(&w->queue, commits_idle(w) ? 1 : AHEAD_BYTES, timeout_ms(w));
}

static void *run(void *arg)
{
	struct fb_writer *w = arg;

	prctl(PR_SET_NAME, "ledger");
	while (wait_for_work(w))
		if (queue_peek(&w->queue) != NULL || timeout_ms(w) == 0)
			batch_run(w);
	return NULL;
}

/* ---- callers ------------------------------------------------------------------------------------------------- */

/* The committer, which calls done, would wait for itself. */
static void check_caller(const struct fb_writer *w)
{
	FB_ASSERT(w->started && !pthread_equal(pthread_self(), w->commits.thread));
}

void fb_writer_submit(struct fb_writer *w, const struct fb_submission *s)
{
	check_caller(w);
	FB_ASSERT(s->done != NULL);
	if (!queue_push(&w->queue, s, NULL))
		s->done(s->arg, FB_DRAINING, NULL, 0);
}

static void commit(void *ctx, const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		   void *arg)
{
	struct fb_writer *w = ctx;
	const struct fb_submission s = { .puts = puts, .put_count = count, .arg = arg };

	check_caller(w);
	FB_ASSERT(count > 0);
	if (!queue_push(&w->queue, &s, done))
		done(arg, FB_DRAINING);
}

struct fb_commit fb_writer_port(struct fb_writer *w)
{
	return (struct fb_commit){ .commit = commit, .ctx = w };
}

/* ---- opening and closing ------------------------------------------------------------------------------------- */

static struct fb_writer *make(struct fb_store *store, const struct fb_writer_settings *settings, struct fb_log *log,
			      struct fb_metrics *metrics)
{
	struct fb_writer *w = fb_must_alloc(1, sizeof(*w));

	w->store = store;
	w->log = log;
	w->metrics = metrics;
	w->clock = settings->clock;
	w->settings = *settings;
	if (w->settings.snapshot_every == 0)
		w->settings.snapshot_every = FB_SNAPSHOT_EVERY;
	FB_ASSERT(w->settings.snapshot_every <= FB_SNAPSHOT_EVERY_MAX);
	queue_open(&w->queue);
	commits_open(&w->commits);
	w->ahead = fb_must_alloc(1, sizeof(*w->ahead));
	FB_ASSERT(pthread_mutex_init(&w->durable_lock, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&w->durable, NULL) == 0);
	FB_ASSERT(pthread_mutex_init(&w->fold.lock, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&w->fold.work, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&w->fold.done, NULL) == 0);
	return w;
}

static void destroy(struct fb_writer *w)
{
	pthread_cond_destroy(&w->fold.done);
	pthread_cond_destroy(&w->fold.work);
	pthread_mutex_destroy(&w->fold.lock);
	pthread_cond_destroy(&w->durable);
	pthread_mutex_destroy(&w->durable_lock);
	free(w->ahead);
	commits_close(&w->commits);
	queue_close(&w->queue);
	tail_close(&w->tail);
	fb_books_close(w->books);
	fb_store_close(w->own_store);
	free(w);
}

enum fb_status fb_writer_open(struct fb_writer **out, struct fb_store *store, const struct fb_writer_settings *settings,
			      struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	struct fb_writer *w = make(store, settings, log, metrics);
	enum fb_status st = recover(w, e);

	if (st != FB_OK) {
		destroy(w);
		return st;
	}
	fold_start(w);
	commits_start(w);
	FB_ASSERT(pthread_create(&w->thread, NULL, run, w) == 0);
	w->started = true;
	*out = w;
	return FB_OK;
}

enum fb_status fb_writer_open_reader(struct fb_writer **out, const char *directory,
				     const struct fb_writer_settings *settings, struct fb_error *e)
{
	struct fb_store *store;
	struct fb_writer *w;
	enum fb_status st = fb_store_open_reader(&store, directory, e);

	if (st != FB_OK)
		return st;
	w = make(store, settings, NULL, NULL);
	w->own_store = store;
	w->is_reader = true;
	st = recover(w, e);
	if (st == FB_OK)
		*out = w;
	else
		destroy(w);
	return st;
}

void fb_writer_close(struct fb_writer *w)
{
	if (w == NULL)
		return;
	if (w->started) {
		queue_drain(&w->queue);
		FB_ASSERT(pthread_join(w->thread, NULL) == 0);
		commits_stop(w);
		fold_stop(w);
	}
	destroy(w);
}
