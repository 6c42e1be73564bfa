/* Goal: the contract of farebox/writer.h. Method: a real store; where a test needs to know what is queued, the thread
 * that decides is held at its clock; where it needs to know what is decided, the one that answers in a callback. */
#include "test_writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct world test_world;

void test_writer_open(struct world *w)
{
	const struct fb_writer_settings settings = { .clock = w->clock, .rng = fb_os_rng(),
						     .snapshot_every = w->snapshot_every };
	struct fb_error e = { "" };

	if (fb_writer_open_store(&w->store, w->root.path, w->log, &e) != FB_OK ||
	    fb_writer_open(&w->writer, w->store, &settings, w->log, w->metrics, &e) != FB_OK)
		fail_msg("open: %s", e.text);
	w->port = fb_writer_port(w->writer);
}

void test_writer_close(struct world *w)
{
	fb_writer_close(w->writer);
	fb_store_close(w->store);
	w->writer = NULL;
	w->store = NULL;
}

static uint64_t mono_ns(void *ctx)
{
	struct fb_clock os = fb_os_clock();

	(void)ctx;
	return os.mono_ns(os.ctx);
}

static int64_t wall_us(void *ctx)
{
	struct world *w = ctx;

	pthread_mutex_lock(&w->lock);
	w->standing++;
	pthread_cond_broadcast(&w->changed);
	while (w->held)
		pthread_cond_wait(&w->changed, &w->lock);
	w->standing--;
	pthread_mutex_unlock(&w->lock);
	return (int64_t)atomic_load(&w->now_us);
}

static void ignore(void *arg, enum fb_status st)
{
	(void)arg, (void)st;
}

void test_writer_hold(struct world *w)
{
	struct fb_put put = { .key = FB_STR("gate"), .value = FB_STR("v") };

	pthread_mutex_lock(&w->lock);
	w->held = true;
	pthread_mutex_unlock(&w->lock);
	w->port.commit(w->port.ctx, &put, 1, ignore, NULL);
	pthread_mutex_lock(&w->lock);
	while (w->standing == 0)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void test_writer_let_go(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->held = false;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

int test_writer_setup(void **state)
{
	struct world *w = &test_world;

	*state = w;
	memset(w, 0, sizeof(*w));
	CHECK(pthread_mutex_init(&w->lock, NULL) == 0 && pthread_cond_init(&w->changed, NULL) == 0);
	if (!fb_test_dir_make(&w->root))
		return -1;
	w->log_fd = memfd_create("log", 0);
	atomic_store(&w->now_us, TEST_WRITER_START_US);
	w->clock = (struct fb_clock){ .mono_ns = mono_ns, .wall_us = wall_us, .ctx = w };
	fb_log_open(&w->log, w->log_fd, FB_DEBUG, fb_os_clock());
	fb_metrics_open(&w->metrics);
	test_writer_open(w);
	return 0;
}

int test_writer_teardown(void **state)
{
	struct world *w = *state;

	test_writer_close(w);
	fb_metrics_close(w->metrics);
	fb_log_close(w->log);
	close(w->log_fd);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	return fb_test_dir_remove(&w->root) ? 0 : -1;
}

bool test_writer_logged(const struct world *w, const char *event)
{
	static char text[1 << 16];
	ssize_t len = pread(w->log_fd, text, sizeof(text) - 1, 0);

	CHECK(len >= 0);
	return memmem(text, (size_t)len, event, strlen(event)) != NULL;
}

/* Commits one row named by a number. */
static void commit_row(struct world *w, unsigned n, struct fb_str value, void (*done)(void *, enum fb_status),
		       void *arg)
{
	char key[16];
	struct fb_put put = { .key = { key, 0 }, .value = value };

	put.key.len = (size_t)snprintf(key, sizeof(key), "%08u", n);
	w->port.commit(w->port.ctx, &put, 1, done, arg);
}

static bool has_row(struct world *w, unsigned n)
{
	char key[16];
	uint8_t out[8];
	size_t len;
	int key_len = snprintf(key, sizeof(key), "%08u", n);
	enum fb_status st = fb_store_get(w->store, out, &len, sizeof(out), (struct fb_str){ key, (size_t)key_len });

	CHECK(st == FB_OK || st == FB_NOT_FOUND || st == FB_TOO_LARGE);
	return st != FB_NOT_FOUND;
}

/* ---- one answer, waited for ---------------------------------------------------------------------------------- */
struct answer {
	sem_t came;
	enum fb_status status;
	pthread_t thread;
};

static void on_answer(void *arg, enum fb_status st)
{
	struct answer *a = arg;

	a->status = st;
	a->thread = pthread_self();
	sem_post(&a->came);
}

static enum fb_status commit_and_wait(struct world *w, unsigned n, struct answer *a)
{
	CHECK(sem_init(&a->came, 0, 0) == 0);
	commit_row(w, n, FB_STR("v"), on_answer, a);
	CHECK(sem_wait(&a->came) == 0);
	sem_destroy(&a->came);
	return a->status;
}

static void commit__one__is_durable_before_done_and_its_puts_were_copied(void **state)
{
	struct world *w = *state;
	struct answer a;
	char key[] = "key", value[] = "value";
	struct fb_put puts[] = { { .key = { key, 3 }, .value = { value, 5 } }, { .key = FB_STR("gone"), .remove = true } };
	uint8_t out[8];
	size_t len;

	CHECK(sem_init(&a.came, 0, 0) == 0);
	w->port.commit(w->port.ctx, puts, FB_COUNT(puts), on_answer, &a);
	memset(key, '?', sizeof(key));
	memset(value, '?', sizeof(value));
	memset(puts, 0, sizeof(puts));
	CHECK(sem_wait(&a.came) == 0);
	sem_destroy(&a.came);
	CHECK_STATUS(FB_OK, a.status);
	CHECK(!pthread_equal(a.thread, pthread_self()));
	CHECK_STATUS(FB_OK, fb_store_get(w->store, out, &len, sizeof(out), FB_STR("key")));
	CHECK_STR("value", ((struct fb_str){ (char *)out, len }));
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 1 && fb_metric_get(w->metrics, FB_M_COMMIT_PUTS) == 2);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMIT_SECONDS) == 1);
}

/* ---- batches -------------------------------------------------------------------------------------------------- */
static atomic_uint counted;
static void count(void *arg, enum fb_status st)
{
	(void)arg;
	FB_ASSERT(st == FB_OK);
	atomic_fetch_add(&counted, 1);
}

static void commit__many_while_one_is_under_way__share_one_fsync(void **state)
{
	struct world *w = *state;

	atomic_store(&counted, 0);
	test_writer_hold(w);
	for (unsigned i = 0; i < 1000; i++)
		commit_row(w, i, FB_STR("v"), count, NULL);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 0 && atomic_load(&counted) == 0);
	test_writer_let_go(w);
	test_writer_close(w);
	CHECK(atomic_load(&counted) == 1000);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 2); /* the gate, and all others together */
	CHECK(fb_metric_get(w->metrics, FB_M_COMMIT_PUTS) == 1001);
	test_writer_open(w);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(has_row(w, i));
}

static void commit__more_than_a_batch_holds__takes_the_next(void **state)
{
	static char value[FB_PUT_VALUE_MAX];
	struct world *w = *state;
	enum { PER_BATCH = FB_WRITER_BATCH_BYTES_MAX / (FB_PUT_VALUE_MAX + 8), BIG = 2 * PER_BATCH - 1 };
	_Static_assert(BIG * (FB_PUT_VALUE_MAX + 256) <= FB_WRITER_QUEUE_BYTES_MAX, "may be queued at once");

	atomic_store(&counted, 0);
	test_writer_hold(w);
	for (unsigned i = 0; i < FB_STORE_BATCH_MAX + 1; i++) /* by rows: two batches */
		commit_row(w, i, FB_STR("v"), count, NULL);
	test_writer_let_go(w);
	test_writer_close(w);
	CHECK(atomic_load(&counted) == FB_STORE_BATCH_MAX + 1);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 3);

	test_writer_open(w);
	test_writer_hold(w);
	for (unsigned i = 0; i < BIG; i++) /* by bytes: two */
		commit_row(w, i, (struct fb_str){ value, sizeof(value) }, count, NULL);
	test_writer_let_go(w);
	test_writer_close(w);
	CHECK(atomic_load(&counted) == FB_STORE_BATCH_MAX + 1 + BIG);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 3 + 1 + 2);
	test_writer_open(w);
}

/* ---- order --------------------------------------------------------------------------------------------------- */
enum { PRODUCERS = 8, COMMITS_EACH = 400 };
struct producer {
	struct world *w;
	unsigned index;
	unsigned next; /* of the writer's thread: the answer that must come next */
};
struct ticket {
	struct producer *p;
	unsigned n;
};

static void on_ticket(void *arg, enum fb_status st)
{
	struct ticket *t = arg;

	FB_ASSERT(st == FB_OK);
	FB_ASSERT(t->n == t->p->next);
	t->p->next++;
	FB_ASSERT(has_row(t->p->w, t->p->index * COMMITS_EACH + t->n));
	free(t);
}

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (unsigned n = 0; n < COMMITS_EACH; n++) {
		struct ticket *t = fb_must_alloc(1, sizeof(*t));

		*t = (struct ticket){ p, n };
		commit_row(p->w, p->index * COMMITS_EACH + n, FB_STR("v"), on_ticket, t);
	}
	return NULL;
}

static void commit__many_producers__answers_come_in_order_and_in_few_batches(void **state)
{
	struct world *w = *state;
	struct producer producers[PRODUCERS];
	pthread_t threads[PRODUCERS];

	for (unsigned i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ .w = w, .index = i };
		CHECK(pthread_create(&threads[i], NULL, produce, &producers[i]) == 0);
	}
	for (unsigned i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	fb_writer_close(w->writer); /* the last answers still read from the store */
	w->writer = NULL;
	for (unsigned i = 0; i < PRODUCERS; i++)
		CHECK(producers[i].next == COMMITS_EACH);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMIT_PUTS) == PRODUCERS * COMMITS_EACH);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) < PRODUCERS * COMMITS_EACH);
}

/* Two rows of one key: the commit handed over later wins, also within a batch. */
static void commit__same_key_twice__the_later_wins(void **state)
{
	struct world *w = *state;
	uint8_t out[8];
	size_t len;

	test_writer_hold(w);
	commit_row(w, 1, FB_STR("old"), count, NULL);
	commit_row(w, 1, FB_STR("new"), count, NULL);
	test_writer_let_go(w);
	test_writer_close(w);
	test_writer_open(w);
	CHECK_STATUS(FB_OK, fb_store_get(w->store, out, &len, sizeof(out), FB_STR("00000001")));
	CHECK_STR("new", ((struct fb_str){ (char *)out, len }));
}

/* ---- back-pressure and the end --------------------------------------------------------------------------------- */
struct late {
	struct world *w;
	struct fb_str value;
	atomic_bool returned;
	struct answer answer;
};

static void *commit_late(void *arg)
{
	struct late *l = arg;

	commit_row(l->w, 77777777, l->value, on_answer, &l->answer);
	atomic_store(&l->returned, true);
	return NULL;
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* Starts a commit that finds the queue full. */
enum { FILLING = FB_WRITER_QUEUE_BYTES_MAX / (FB_PUT_VALUE_MAX + 256) };

static void start_late(struct late *l, pthread_t *thread, struct world *w, struct fb_str value)
{
	*l = (struct late){ .w = w, .value = value };
	CHECK(sem_init(&l->answer.came, 0, 0) == 0);
	CHECK(pthread_create(thread, NULL, commit_late, l) == 0);
	pause_ms(50);
	CHECK(!atomic_load(&l->returned));
}

static void fill_queue(struct world *w)
{
	static char value[FB_PUT_VALUE_MAX];

	for (unsigned i = 0; i < FILLING; i++)
		commit_row(w, i + 1000, (struct fb_str){ value, sizeof(value) }, count, NULL);
}

static void commit__queue_full__waits_for_room(void **state)
{
	static char value[FB_PUT_VALUE_MAX];
	struct world *w = *state;
	struct late late;
	pthread_t thread;

	atomic_store(&counted, 0);
	test_writer_hold(w);
	fill_queue(w);
	start_late(&late, &thread, w, (struct fb_str){ value, sizeof(value) });
	test_writer_let_go(w);
	pthread_join(thread, NULL);
	CHECK(sem_wait(&late.answer.came) == 0);
	CHECK_STATUS(FB_OK, late.answer.status);
}

static void *close_writer(void *arg)
{
	struct world *w = arg;

	fb_writer_close(w->writer);
	return NULL;
}

static void close__under_load__writes_what_is_queued_and_refuses_the_rest(void **state)
{
	struct world *w = *state;
	static char value[FB_PUT_VALUE_MAX];
	struct late late;
	struct answer after;
	pthread_t waiting, closing;

	atomic_store(&counted, 0);
	test_writer_hold(w);
	fill_queue(w);
	start_late(&late, &waiting, w, (struct fb_str){ value, sizeof(value) });
	CHECK(pthread_create(&closing, NULL, close_writer, w) == 0);
	pthread_join(waiting, NULL); /* the end wakes who waits for room */
	CHECK_STATUS(FB_DRAINING, late.answer.status);
	CHECK(pthread_equal(late.answer.thread, waiting));
	CHECK_STATUS(FB_DRAINING, commit_and_wait(w, 1, &after)); /* close began and cannot end yet */
	CHECK(pthread_equal(after.thread, pthread_self()));
	test_writer_let_go(w);
	pthread_join(closing, NULL);
	CHECK(atomic_load(&counted) == FILLING);
	w->writer = NULL;
	CHECK(!has_row(w, 1) && !has_row(w, 77777777) && has_row(w, 1000));
}

/* ---- a write that fails ---------------------------------------------------------------------------------------- */
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	signal(SIGXFSZ, bytes == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
}

static void commit__disk_refuses__fails_all_that_follow_and_logs_once(void **state)
{
	struct world *w = *state;
	struct answer a;
	unsigned stored = 0;

	limit_file_size(16 << 10);
	while (stored < 10000 && commit_and_wait(w, stored, &a) == FB_OK)
		stored++;
	CHECK_STATUS(FB_STORAGE, a.status);
	CHECK(stored > 10 && stored < 10000);
	limit_file_size(RLIM_INFINITY);
	CHECK_STATUS(FB_STORAGE, commit_and_wait(w, stored + 1, &a));
	CHECK_STATUS(FB_STORAGE, commit_and_wait(w, stored + 2, &a));
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == stored);
	CHECK(fb_log_broken_count(w->log) == 1);
	CHECK(test_writer_logged(w, "\"event\":\"storage_failed\"") && test_writer_logged(w, "File too large"));
	test_writer_close(w);
	test_writer_open(w);
	for (unsigned i = 0; i < stored; i++)
		CHECK(has_row(w, i));
	CHECK(!has_row(w, stored + 1) && !has_row(w, stored + 2));
	CHECK_STATUS(FB_OK, commit_and_wait(w, stored + 1, &a));
}

/* What is decided behind the write that fails is not answered as done either. */
struct course {
	unsigned next, ok; /* answers that came; those that came before the first failure */
	bool failed;
};
struct step {
	struct course *course;
	unsigned n;
};

static void on_step(void *arg, enum fb_status st)
{
	struct step *s = arg;
	struct course *c = s->course;

	FB_ASSERT(s->n == c->next && (st == FB_OK || st == FB_STORAGE));
	FB_ASSERT(!c->failed || st == FB_STORAGE);
	c->next++;
	c->failed |= st != FB_OK;
	c->ok += st == FB_OK;
	free(s);
}

static void commit__disk_refuses_while_many_wait__nothing_is_answered_as_done_behind_it(void **state)
{
	enum { ROWS = 6000 };
	struct world *w = *state;
	struct course c = { .next = 0 };
	struct answer a;

	for (unsigned i = 0; i < 10; i++)
		CHECK_STATUS(FB_OK, commit_and_wait(w, ROWS + i, &a));
	limit_file_size(256 << 10);
	for (unsigned i = 0; i < ROWS; i++) {
		struct step *s = fb_must_alloc(1, sizeof(*s));

		*s = (struct step){ &c, i };
		commit_row(w, i, FB_STR("a value of some length, so that the log's limit is reached soon"), on_step, s);
	}
	fb_writer_close(w->writer);
	limit_file_size(RLIM_INFINITY);
	CHECK(c.next == ROWS && c.failed && c.ok < ROWS);
	CHECK(fb_log_broken_count(w->log) == 1);
	fb_store_close(w->store);
	test_writer_open(w);
	for (unsigned i = 0; i < c.ok; i++)
		CHECK(has_row(w, i));
}

static void close__nothing_queued__ends(void **state)
{
	struct world *w = *state;

	fb_writer_close(NULL);
	test_writer_close(w);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == 0);
	test_writer_open(w);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, test_writer_setup, test_writer_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(commit__one__is_durable_before_done_and_its_puts_were_copied),
		IN_WORLD(commit__many_while_one_is_under_way__share_one_fsync),
		IN_WORLD(commit__more_than_a_batch_holds__takes_the_next),
		IN_WORLD(commit__many_producers__answers_come_in_order_and_in_few_batches),
		IN_WORLD(commit__same_key_twice__the_later_wins),
		IN_WORLD(commit__queue_full__waits_for_room),
		IN_WORLD(close__under_load__writes_what_is_queued_and_refuses_the_rest),
		IN_WORLD(commit__disk_refuses__fails_all_that_follow_and_logs_once),
		IN_WORLD(commit__disk_refuses_while_many_wait__nothing_is_answered_as_done_behind_it),
		IN_WORLD(close__nothing_queued__ends),
	};
	return cmocka_run_group_tests_name("writer", tests, NULL, NULL) + test_writer_books() + test_writer_reads() +
	       test_writer_recover();
}
