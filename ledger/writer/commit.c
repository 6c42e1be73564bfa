/* The committer, on its own thread: writes what was decided, shows and answers it. */
#include "writer_int.h"

#include <sys/prctl.h>

void commits_open(struct commits *c)
{
	for (unsigned i = 0; i < BATCHES; i++)
		batch_open(&c->batch[i]);
	FB_ASSERT(pthread_mutex_init(&c->lock, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&c->work, NULL) == 0);
	FB_ASSERT(pthread_cond_init(&c->room, NULL) == 0);
}

void commits_close(struct commits *c)
{
	FB_ASSERT(c->decided == c->answered);
	pthread_cond_destroy(&c->room);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	for (unsigned i = 0; i < BATCHES; i++)
		batch_close(&c->batch[i]);
}

static struct batch *at(struct commits *c, uint64_t n)
{
	return &c->batch[n % BATCHES];
}

/* ---- the decider's side -------------------------------------------------------------------------------------- */

struct batch *commits_next(struct fb_writer *w)
{
	struct commits *c = &w->commits;
	struct batch *b;

	pthread_mutex_lock(&c->lock);
	while (c->decided - c->answered == BATCHES)
		pthread_cond_wait(&c->room, &c->lock);
	b = at(c, c->decided);
	pthread_mutex_unlock(&c->lock);
	return b;
}

bool commits_idle(struct fb_writer *w)
{
	struct commits *c = &w->commits;
	bool idle;

	pthread_mutex_lock(&c->lock);
	idle = c->decided == c->answered;
	pthread_mutex_unlock(&c->lock);
	return idle;
}

void commits_hand_over(struct fb_writer *w)
{
	struct commits *c = &w->commits;

	pthread_mutex_lock(&c->lock);
	FB_ASSERT(c->decided - c->answered < BATCHES);
	c->decided++;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
}

/* ---- write --------------------------------------------------------------------------------------------------- */

/* Makes it the journal's next batch after *head, and *head its head. */
static struct fb_put seal(struct batch *b, struct head *head)
{
	const struct fb_batch_head h = { .epoch = head->epoch, .number = head->number + 1, .first_seq = head->next_seq,
					 .records = b->records, .puts = (uint32_t)b->put_count, .time_us = b->time_us,
					 .previous = head->hash, .puts_hash = fb_puts_hash(b->puts, b->put_count) };

	FB_ASSERT(b->number == h.number);
	*head = (struct head){ .epoch = h.epoch, .number = h.number, .next_seq = h.first_seq + h.records,
			       .time_us = h.time_us };
	fb_journal_key(b->key, h.number);
	fb_batch_seal(b->bytes, &head->hash, &h);
	return (struct fb_put){ .key = { (const char *)b->key, sizeof(b->key) },
				.value = { (const char *)b->bytes, fb_batch_len(b->records) } };
}

/* Makes durable what was added to the store, up to *head. */
static enum fb_status flush(struct fb_writer *w, const struct head *head)
{
	const struct fb_anchor anchor = { .epoch = head->epoch, .number = head->number, .hash = head->hash };
	enum fb_status st = fb_store_commit(w->store, NULL, NULL, 0);

	if (st == FB_OK)
		st = fb_store_anchor_move(w->store, &anchor);
	if (st == FB_OK)
		w->head = *head;
	return st;
}

static void add(struct fb_writer *w, struct batch *b, struct head *head)
{
	const struct fb_put row = seal(b, head);

	fb_store_add(w->store, &row, b->puts, b->put_count);
}

enum fb_status commit_one(struct fb_writer *w, struct batch *b)
{
	struct head head = w->head;

	add(w, b, &head);
	return flush(w, &head);
}

/* H13: what came of the batches is unknown; nothing is written any more, and who waits for them is told. */
static void fail(struct fb_writer *w, const char *why)
{
	bool was_dead;

	pthread_mutex_lock(&w->durable_lock);
	was_dead = atomic_exchange(&w->dead, true);
	pthread_cond_broadcast(&w->durable);
	pthread_mutex_unlock(&w->durable_lock);
	fold_give_up(w);
	if (!was_dead)
		fb_log(w->log, FB_EV_STORAGE_FAILED, FB_F_TEXT("why", why));
}

static void publish(struct fb_writer *w, uint64_t end)
{
	pthread_mutex_lock(&w->durable_lock);
	fb_metric_add(w->metrics, FB_M_LEDGER_RECORDS, end - tail_end(&w->tail));
	tail_publish(&w->tail, end);
	fb_metric_set(w->metrics, FB_M_LEDGER_TAIL, tail_end(&w->tail) - tail_first(&w->tail));
	if (w->durable_waiters > 0)
		pthread_cond_broadcast(&w->durable);
	pthread_mutex_unlock(&w->durable_lock);
	if (tail_end(&w->tail) - tail_first(&w->tail) >= w->settings.snapshot_every)
		fold_want(w);
}

static enum fb_status flush_measured(struct fb_writer *w, const struct head *head)
{
	uint64_t start_ns = w->clock.mono_ns(w->clock.ctx);
	enum fb_status st = flush(w, head);

	if (st == FB_OK) {
		fb_metric_time_ns(w->metrics, FB_M_COMMIT_SECONDS, w->clock.mono_ns(w->clock.ctx) - start_ns);
		return FB_OK;
	}
	/* A merge that met a damaged table stops all commits. If it has derived rows, the next start mends it. */
	if (fb_str_starts(fb_str_of(fb_store_failure(w->store)), FB_STR("Corruption")))
		index_judge(w, FB_STORAGE);
	fail(w, fb_store_failure(w->store));
	return st;
}

/* Writes `count` batches from the n-th on, or none of them. */
static enum fb_status write_all(struct fb_writer *w, uint64_t n, uint64_t count)
{
	struct head head = w->head;
	uint64_t batches = 0, rows = 0;
	enum fb_status st = FB_OK;

	for (uint64_t i = n; i < n + count; i++) {
		struct batch *b = at(&w->commits, i);

		if (batch_is_empty(b))
			continue; /* all of it had been done before */
		add(w, b, &head);
		batches++;
		rows += b->put_count;
	}
	if (batches > 0)
		st = flush_measured(w, &head);
	if (st != FB_OK)
		return st;
	fb_metric_add(w->metrics, FB_M_COMMITS, batches);
	fb_metric_add(w->metrics, FB_M_COMMIT_PUTS, rows);
	publish(w, at(&w->commits, n + count - 1)->end);
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

/* ---- the thread ---------------------------------------------------------------------------------------------- */

/* How many batches are decided. 0: that was all. */
static uint64_t wait_decided(struct commits *c)
{
	uint64_t count;

	pthread_mutex_lock(&c->lock);
	while (c->decided == c->answered && !c->closing)
		pthread_cond_wait(&c->work, &c->lock);
	count = c->decided - c->answered;
	pthread_mutex_unlock(&c->lock);
	return count;
}

/* Of so many batches from the n-th on, those before the first that failed. */
static uint64_t good(struct commits *c, uint64_t n, uint64_t count)
{
	uint64_t i = 0;

	while (i < count && at(c, n + i)->failure == NULL)
		i++;
	return i;
}

static void release(struct fb_writer *w, uint64_t count)
{
	struct commits *c = &w->commits;

	pthread_mutex_lock(&c->lock);
	c->answered += count;
	pthread_cond_signal(&c->room);
	pthread_mutex_unlock(&c->lock);
	queue_nudge(&w->queue);
}

/* All that were decided, or the first, which failed. */
static uint64_t commit_some(struct fb_writer *w, uint64_t n, uint64_t decided)
{
	uint64_t count = good(&w->commits, n, decided);
	enum fb_status st = FB_STORAGE;

	if (count == 0)
		fail(w, at(&w->commits, n)->failure);
	else if (!atomic_load(&w->dead))
		st = write_all(w, n, count);
	count = count > 0 ? count : 1;
	for (uint64_t i = n; i < n + count; i++)
		answer(at(&w->commits, i), st);
	return count;
}

static void *run(void *arg)
{
	struct fb_writer *w = arg;
	uint64_t n = 0, decided;

	prctl(PR_SET_NAME, "ledger-write");
	while ((decided = wait_decided(&w->commits)) > 0) {
		uint64_t count = commit_some(w, n, decided);

		n += count;
		release(w, count);
	}
	return NULL;
}

void commits_start(struct fb_writer *w)
{
	FB_ASSERT(pthread_create(&w->commits.thread, NULL, run, w) == 0);
}

void commits_stop(struct fb_writer *w)
{
	struct commits *c = &w->commits;

	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
	FB_ASSERT(pthread_join(c->thread, NULL) == 0);
}
