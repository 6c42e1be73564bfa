/* Goal: whichever step of the store fails, once, nothing is answered as done that was not, nothing is answered as done
 * after it until the next start, no reader hangs, and the next start has everything. Method: the course
 * (ledger_course.h) through three lives of a writer in one process; the n-th passage of a named place fails, for n = 1,
 * 2, 3 … until nothing failed. And: a fold that does not end stops the writer when the tail is full, and no sooner.
 *
 * test_ledger_torture [FIRST_N] */
#include "ledger_course.h"
#include "probe.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LIVES = 3, WINDOWS = 8, WINDOW = 10 /* submissions that are waited for together */, PASSAGES_MAX = 2000 };

/* ---- the n-th passage fails -------------------------------------------------------------------------------------- */

static struct {
	unsigned fails; /* the passage that fails, from 1 */
	atomic_uint passed;
	atomic_bool failed;
} torture;

static bool fail_nth(void *ctx, enum store_step step, bool after)
{
	(void)ctx, (void)step, (void)after;
	if (atomic_fetch_add(&torture.passed, 1) + 1 != torture.fails)
		return false;
	atomic_store(&torture.failed, true);
	return true;
}

/* ---- one life ---------------------------------------------------------------------------------------------------- */

struct life {
	sem_t came;
	uint64_t next;          /* submission to be handed over */
	uint64_t acknowledged;  /* submissions before this one were */
	bool over;              /* one was not */
};

/* In order, on the writer's thread. */
static void on_done(void *arg, enum fb_status st, const struct fb_op_result *results, size_t count)
{
	struct life *l = arg;

	MUST(st == FB_OK || st == FB_STORAGE);
	MUST(st != FB_OK || !l->over);
	l->over |= st != FB_OK;
	if (st == FB_OK)
		MUST(course_results_are_good(l->acknowledged++, results, count, false));
	sem_post(&l->came);
}

/* Whatever comes out: it comes. */
static void read_something(struct fb_writer *w)
{
	struct fb_trial_row rows[16];
	struct fb_account_key key = { .asset = 1, .purpose = FB_PURPOSE_AVAILABLE };
	struct fb_account a;
	uint64_t seq;
	size_t count;
	enum fb_status st;

	for (uint8_t owner = 1; owner <= 8; owner++) {
		key.owner.bytes[0] = owner;
		st = fb_writer_balance(w, &a, &key);
		MUST(st == FB_OK || st == FB_NOT_FOUND || st == FB_STORAGE);
	}
	st = fb_writer_trial_balance(w, rows, &count, FB_COUNT(rows), &seq);
	MUST(st == FB_OK || st == FB_STORAGE);
}

static void live(struct life *l, const char *directory)
{
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e = { "" };

	if (course_open(&store, &writer, directory, &e) != FB_OK) {
		MUST(atomic_load(&torture.failed) && strlen(e.text) > 10);
		return;
	}
	MUST(course_check(&l->next, store, writer) == FB_OK);
	l->acknowledged = l->next;
	l->over = false;
	for (unsigned i = 0; i < WINDOWS; i++) {
		for (unsigned k = 0; k < WINDOW; k++)
			course_submit(writer, l->next++, on_done, l);
		for (unsigned k = 0; k < WINDOW; k++)
			MUST(sem_wait(&l->came) == 0);
		read_something(writer);
	}
	MUST(!l->over || atomic_load(&torture.failed));
	course_close(store, writer);
}

/* False: nothing failed. */
static bool run_with_failure(unsigned n)
{
	struct life l = { .next = 0 };
	struct fb_test_dir dir;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e = { "" };
	uint64_t found;

	MUST(fb_test_dir_make(&dir) && sem_init(&l.came, 0, 0) == 0);
	torture.fails = n;
	atomic_store(&torture.passed, 0);
	atomic_store(&torture.failed, false);
	for (unsigned i = 0; i < LIVES; i++) {
		uint64_t least = l.acknowledged, most = l.next;

		live(&l, dir.path);
		MUST(l.acknowledged >= least && l.next >= most);
	}
	torture.fails = 0;
	if (course_open(&store, &writer, dir.path, &e) != FB_OK)
		fprintf(stderr, "n = %u: %s\n", n, e.text);
	MUST(writer != NULL);
	MUST(course_check(&found, store, writer) == FB_OK && found >= l.acknowledged && found <= l.next);
	course_close(store, writer);
	course_audit(dir.path);
	sem_destroy(&l.came);
	MUST(fb_test_dir_remove(&dir));
	return atomic_load(&torture.failed);
}

/* ---- a fold that does not end ------------------------------------------------------------------------------------ */

static struct {
	sem_t reached, go_on;
	atomic_bool held, merged;
} stall;

/* Before the rows are shown: from there on the folder holds a lock that the writer's look-ups wait for. */
static bool hold_first_fold(void *ctx, enum store_step step, bool after)
{
	(void)ctx;
	if (step == STORE_BULK_FILE && !after && !atomic_exchange(&stall.held, true)) {
		sem_post(&stall.reached);
		sem_wait(&stall.go_on);
	}
	return false;
}

static void count_done(void *arg, enum fb_status st, const struct fb_op_result *results, size_t count)
{
	MUST(st == FB_OK && results != NULL && count > 0);
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* The same when a fold cannot begin because merges are behind. */
static bool hold_merges(void *ctx, enum store_step step, bool after)
{
	(void)ctx, (void)after;
	if (step != STORE_MERGE || atomic_load(&stall.merged))
		return false;
	if (!atomic_exchange(&stall.held, true))
		sem_post(&stall.reached);
	if (sem_trywait(&stall.go_on) == 0)
		atomic_store(&stall.merged, true);
	return true;
}

static unsigned wait_for_a_full_tail(struct fb_writer *writer, atomic_uint *done, uint64_t full)
{
	enum { QUIET = 5, WAITS_MAX = 3000 /* tenths of a s */ };
	unsigned before = 0;

	for (unsigned quiet = 0, waits = 0; quiet < QUIET && waits < WAITS_MAX; waits++) {
		before = atomic_load(done);
		usleep(100000);
		/* A slow disk also makes a pause: only one with the tail full counts. */
		quiet = atomic_load(done) == before && fb_writer_seq(writer) > full ? quiet + 1 : 0;
	}
	return before;
}

static void check_back_pressure(bool (*hold)(void *ctx, enum store_step step, bool after))
{
	enum { SUBMISSIONS = 4500, TAIL_RECORDS = 2 * FB_BATCH_RECORDS_MAX };
	struct fb_test_dir dir;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e;
	atomic_uint done = 0;
	unsigned before;

	MUST(fb_test_dir_make(&dir) && sem_init(&stall.reached, 0, 0) == 0 && sem_init(&stall.go_on, 0, 0) == 0);
	atomic_store(&stall.held, false);
	store_probe_set((struct store_probe){ .at = hold });
	MUST(course_open(&store, &writer, dir.path, &e) == FB_OK);
	for (uint64_t n = 0; n < SUBMISSIONS; n++)
		course_submit(writer, n, count_done, &done);
	MUST(sem_wait(&stall.reached) == 0);
	before = wait_for_a_full_tail(writer, &done, TAIL_RECORDS - FB_BATCH_RECORDS_MAX);
	printf("the writer stopped after %u submissions, %llu records\n", before,
	       (unsigned long long)fb_writer_seq(writer));
	MUST(before < SUBMISSIONS && fb_writer_seq(writer) <= TAIL_RECORDS);
	/* No sooner: another batch would have fitted. */
	MUST(fb_writer_seq(writer) > TAIL_RECORDS - FB_BATCH_RECORDS_MAX);
	sem_post(&stall.go_on);
	course_close(store, writer);
	MUST(atomic_load(&done) == SUBMISSIONS);
	store_probe_set((struct store_probe){ .at = NULL });
	course_audit(dir.path);
	MUST(fb_test_dir_remove(&dir));
}

int main(int argc, char **argv)
{
	uint64_t n = 1;

	MUST(argc < 2 || fb_u64_parse(&n, fb_str_of(argv[1])) == FB_OK);
	check_back_pressure(hold_first_fold);
	check_back_pressure(hold_merges);
	store_probe_set((struct store_probe){ .at = fail_nth });
	while (run_with_failure((unsigned)n))
		MUST(++n < PASSAGES_MAX);
	printf("each of %llu passages failed once\n", (unsigned long long)n - 1);
	MUST(n > 50);
	return 0;
}
