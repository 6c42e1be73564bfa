/* The fold, on its own thread: what is durable becomes derived rows, all of them in one step, and leaves the tail. */
#include "writer_int.h"

#include <poll.h>
#include <sys/prctl.h>

enum {
	LAST_FOLD_MIN = 1024, /* records: fewer are replayed faster than folded */
	MERGE_POLL_MS = 10,
};

/* ---- one fold ------------------------------------------------------------------------------------------------ */

/* Rows become visible and the tail shorter at the same time, as readers see it. */
static enum fb_status show(struct fb_writer *w, struct fb_bulk *b, const struct mark *m)
{
	enum fb_status st;

	pthread_rwlock_wrlock(&w->tail.lock);
	st = fb_bulk_ingest(b);
	if (st == FB_OK) {
		tail_drop(&w->tail, m->seq + 1);
		w->mark = *m;
	}
	pthread_rwlock_unlock(&w->tail.lock);
	return st;
}

enum fb_status fold_now(struct fb_writer *w, struct fb_error *why)
{
	struct fb_bulk *b;
	struct mark m;
	enum fb_status st;

	if (tail_first(&w->tail) == tail_end(&w->tail))
		return FB_OK;
	fb_bulk_open(&b, w->store, FB_FAMILY_DERIVED);
	st = derive(w, b, &m);
	if (st == FB_OK)
		st = fb_bulk_finish(b);
	if (st == FB_OK)
		st = show(w, b, &m);
	if (st != FB_OK)
		fb_error_set(why, st, "derived rows were not made: %s",
			     fb_bulk_failure(b)[0] == '\0' ? "older ones cannot be read" : fb_bulk_failure(b));
	fb_bulk_close(b);
	return st;
}

/* ---- the thread ---------------------------------------------------------------------------------------------- */

static bool next(struct fold *f)
{
	bool more;

	pthread_mutex_lock(&f->lock);
	while (!f->wanted && !f->closing)
		pthread_cond_wait(&f->work, &f->lock);
	more = !f->closing;
	f->wanted = false;
	pthread_mutex_unlock(&f->lock);
	return more;
}

static bool is_closing(struct fold *f)
{
	bool closing;

	pthread_mutex_lock(&f->lock);
	closing = f->closing;
	pthread_mutex_unlock(&f->lock);
	return closing;
}

/* Merges that fall behind hold up folds, and these, when the tail is full, the writer. Nobody rings when one ends. */
static void wait_for_merges(struct fb_writer *w)
{
	while (fb_store_unmerged(w->store) > FB_WRITER_UNMERGED_MAX && !is_closing(&w->fold))
		poll(NULL, 0, MERGE_POLL_MS);
}

static void tell(struct fold *f, bool failed)
{
	pthread_mutex_lock(&f->lock);
	atomic_store(&f->failed, failed);
	pthread_cond_signal(&f->done);
	pthread_mutex_unlock(&f->lock);
}

static void *run(void *arg)
{
	struct fb_writer *w = arg;
	struct fb_error why;

	prctl(PR_SET_NAME, "ledger-fold");
	while (next(&w->fold)) {
		uint64_t start_ns;
		bool failed;

		wait_for_merges(w);
		start_ns = w->clock.mono_ns(w->clock.ctx);
		failed = fold_now(w, &why) != FB_OK;
		fb_metric_time_ns(w->metrics, FB_M_FOLD_SECONDS, w->clock.mono_ns(w->clock.ctx) - start_ns);
		tell(&w->fold, failed);
		if (!failed)
			continue;
		fb_log(w->log, FB_EV_STORAGE_FAILED, FB_F_TEXT("why", why.text));
		return NULL;
	}
	return NULL;
}

void fold_start(struct fb_writer *w)
{
	FB_ASSERT(pthread_create(&w->fold.thread, NULL, run, w) == 0);
}

void fold_stop(struct fb_writer *w)
{
	struct fold *f = &w->fold;
	struct fb_error why;

	pthread_mutex_lock(&f->lock);
	f->closing = true;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
	FB_ASSERT(pthread_join(f->thread, NULL) == 0);
	if (atomic_load(&f->failed) || atomic_load(&w->dead) || tail_end(&w->tail) - tail_first(&w->tail) < LAST_FOLD_MIN)
		return;
	if (fold_now(w, &why) != FB_OK)
		fb_log(w->log, FB_EV_STORAGE_FAILED, FB_F_TEXT("why", why.text));
}

/* ---- the writer's side --------------------------------------------------------------------------------------- */

void fold_want(struct fb_writer *w)
{
	pthread_mutex_lock(&w->fold.lock);
	w->fold.wanted = true;
	pthread_cond_signal(&w->fold.work);
	pthread_mutex_unlock(&w->fold.lock);
}

void fold_give_up(struct fb_writer *w)
{
	pthread_mutex_lock(&w->fold.lock);
	pthread_cond_signal(&w->fold.done);
	pthread_mutex_unlock(&w->fold.lock);
}

static bool is_hopeless(struct fb_writer *w)
{
	return atomic_load(&w->fold.failed) || atomic_load(&w->dead);
}

/* What is decided and not durable is in the tail as well, and is folded after it is durable: if the tail has no room,
 * there is enough in it to be folded (FB_WRITER_TAIL_FACTOR), now or as soon as the committer is done. */
bool fold_wait_room(struct fb_writer *w)
{
	struct fold *f = &w->fold;

	if (tail_room(&w->tail) >= FB_BATCH_RECORDS_MAX)
		return !is_hopeless(w);
	pthread_mutex_lock(&f->lock);
	while (!is_hopeless(w) && tail_room(&w->tail) < FB_BATCH_RECORDS_MAX)
		pthread_cond_wait(&f->done, &f->lock);
	pthread_mutex_unlock(&f->lock);
	return !is_hopeless(w);
}
