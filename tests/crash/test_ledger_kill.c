/* Goal: what the ledger has acknowledged survives the death of the process, and no submission survives by halves.
 * Method: a child process runs the course (ledger_course.h) as fast as it can and tells every acknowledged number
 * through a pipe, until it is killed with SIGKILL: by the parent at a random moment, or by itself at a named place
 * before or after a durable step (ledger/store/probe.h). The parent then opens the directory and checks that
 * submissions 0 … n-1 are there, each of them whole, and nothing else, that n is not below any acknowledged number, and
 * now and then audits everything. Then the next child repeats the last one, which must have no effect, and goes on.
 * What this does not show: the loss of power. The kernel outlives the child and keeps what it was given.
 *
 * test_ledger_kill random [KILLS [SEED]]: 100 kills by default, 1000 with FB_TEST_FULL=1; a directory lives for 100.
 * test_ledger_kill points: every named place, before and after, at its first, second and tenth time. */
#include "ledger_course.h"
#include "probe.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KILLS = 100,          /* of one directory */
	FULL = 10,            /* directories of a full run */
	AUDIT_EVERY = 10,     /* kills */
	OUTSTANDING = 64,
	DELAY_MAX_US = 40000, /* from the start of a child, or from its first answer, to its death */
	ANSWER_MAX_MS = 30000,
	CHILD_MAX_S = 120,
	NUMBER_MAX = 100000000,
};

/* ---- the child ------------------------------------------------------------------------------------------------ */

/* Where the child kills itself. */
static struct point {
	enum store_step step;
	bool after;
	unsigned times; /* how often it passes there first */
} point = { .step = STORE_STEP_END };

static bool at_point(void *ctx, enum store_step step, bool after)
{
	static atomic_uint passed;

	(void)ctx;
	if (step == point.step && after == point.after && atomic_fetch_add(&passed, 1) + 1 == point.times)
		kill(getpid(), SIGKILL);
	return false;
}

static sem_t outstanding; /* submissions it may still hand over before an answer comes */
static uint64_t first;    /* the number that it goes on from */

static void acknowledge(void *arg, enum fb_status st, const struct fb_op_result *results, size_t count)
{
	uint64_t n = (uint64_t)(uintptr_t)arg;

	if (st != FB_OK || !course_results_are_good(n, results, count, n < first) ||
	    write(STDOUT_FILENO, &n, sizeof(n)) != sizeof(n))
		_exit(3); /* the parent sees an exit where it expects a signal */
	sem_post(&outstanding);
}

/* Repeats the last submission that is there. */
_Noreturn static void run_child(const char *directory)
{
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e = { "" };

	alarm(CHILD_MAX_S); /* one that never comes to its place */
	store_probe_set((struct store_probe){ .at = at_point });
	MUST(sem_init(&outstanding, 0, OUTSTANDING) == 0);
	if (course_open(&store, &writer, directory, &e) != FB_OK)
		fprintf(stderr, "open: %s\n", e.text);
	MUST(writer != NULL);
	for (uint64_t n = first == 0 ? 0 : first - 1;; n++) {
		MUST(n < NUMBER_MAX);
		while (sem_wait(&outstanding) != 0)
			;
		course_submit(writer, n, acknowledge, (void *)(uintptr_t)n);
	}
}

/* ---- the parent: one life of a child --------------------------------------------------------------------------- */
struct run {
	struct fb_test_dir dir;
	uint64_t random;        /* xorshift state */
	uint64_t next;          /* submissions found so far: the number the next child goes on from */
	uint64_t acknowledged;  /* so far */
	unsigned kills, in_the_middle; /* in the middle: found something durable and not yet acknowledged */
};

static uint64_t draw(struct run *r)
{
	FB_ASSERT(r->random != 0);
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

static pid_t start_child(struct run *r, const struct point *p, int *from_child)
{
	char self[] = "/proc/self/exe", flag[] = "--child", number[24], step[8], after[8], times[16];
	char *args[] = { self, flag, r->dir.path, number, step, after, times, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int pipe_ends[2];

	snprintf(number, sizeof(number), "%llu", (unsigned long long)r->next);
	snprintf(step, sizeof(step), "%u", (unsigned)p->step);
	snprintf(after, sizeof(after), "%u", (unsigned)p->after);
	snprintf(times, sizeof(times), "%u", p->times);
	MUST(pipe(pipe_ends) == 0);
	MUST(posix_spawn_file_actions_init(&actions) == 0);
	MUST(posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO) == 0);
	MUST(posix_spawn_file_actions_addclose(&actions, pipe_ends[0]) == 0);
	MUST(posix_spawn(&child, self, &actions, NULL, args, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_ends[1]);
	*from_child = pipe_ends[0];
	return child;
}

/* Takes acknowledged numbers, which come in order. False at the end of the pipe. */
static bool take_numbers(struct run *r, int fd)
{
	uint64_t numbers[512];
	ssize_t len = read(fd, numbers, sizeof(numbers));

	MUST(len >= 0 && (size_t)len % sizeof(numbers[0]) == 0); /* a number is written whole: it is below PIPE_BUF */
	for (size_t i = 0; i < (size_t)len / sizeof(numbers[0]); i++)
		if (numbers[i] >= r->acknowledged)
			r->acknowledged = numbers[i] + 1;
	return len > 0;
}

static void bury(struct run *r, pid_t child, int fd)
{
	int status;

	while (take_numbers(r, fd))
		;
	close(fd);
	MUST(waitpid(child, &status, 0) == child);
	MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	r->kills++;
}

/* One life in four ends a random time after its start, while it opens; the others after their first answer. */
static void live_and_die(struct run *r)
{
	static const struct point nowhere = { .step = STORE_STEP_END };
	struct fb_clock clock = fb_os_clock();
	int fd;
	pid_t child = start_child(r, &nowhere, &fd);
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	uint64_t end_ns;

	if (draw(r) % 4 != 0)
		MUST(poll(&answer, 1, ANSWER_MAX_MS) == 1);
	end_ns = clock.mono_ns(NULL) + draw(r) % DELAY_MAX_US * 1000;
	for (uint64_t now_ns = clock.mono_ns(NULL); now_ns < end_ns; now_ns = clock.mono_ns(NULL)) {
		struct timespec left = { .tv_nsec = (long)(end_ns - now_ns) };
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (ppoll(&p, 1, &left, NULL) > 0)
			MUST(take_numbers(r, fd));
	}
	MUST(kill(child, SIGKILL) == 0);
	bury(r, child, fd);
}

/* ---- the parent: what is left ---------------------------------------------------------------------------------- */

static void check(struct run *r)
{
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_error e = { "" };
	uint64_t found;

	if (course_open(&store, &writer, r->dir.path, &e) != FB_OK) {
		fprintf(stderr, "open: %s\n", e.text);
		exit(1);
	}
	MUST(course_check(&found, store, writer) == FB_OK);
	course_close(store, writer);
	MUST(found >= r->acknowledged); /* no acknowledged submission is lost */
	r->in_the_middle += found > r->acknowledged;
	r->next = found;
	if (r->kills % AUDIT_EVERY == 0)
		course_audit(r->dir.path);
}

/* The life of one directory. */
static void kill_at_random(uint64_t kills, uint64_t seed)
{
	struct run r = { .random = 88172645463325252u ^ seed << 32 };

	MUST(fb_test_dir_make(&r.dir));
	while (r.kills < kills) {
		live_and_die(&r);
		check(&r);
	}
	printf("seed %llu: %llu kills, %llu submissions acknowledged, %llu found; %u kills between durable and answered\n",
	       (unsigned long long)seed, (unsigned long long)kills, (unsigned long long)r.acknowledged,
	       (unsigned long long)r.next, r.in_the_middle);
	MUST(r.acknowledged > kills); /* a run that tested nothing is no success */
	MUST(fb_test_dir_remove(&r.dir));
}

/* ---- named places ---------------------------------------------------------------------------------------------- */

static void shell(const struct run *r, const char *what)
{
	char command[512];

	snprintf(command, sizeof(command), "cd '%s' && %s", r->dir.path, what);
	MUST(system(command) == 0);
}

static void run_until(struct run *r, enum store_step step, bool after, unsigned times)
{
	struct point p = { step, after, times };
	int fd;
	pid_t child = start_child(r, &p, &fd);

	bury(r, child, fd);
}

/* So that the next start must pass there: some places are passed in need alone. */
static void prepare(struct run *r, enum store_step step)
{
	struct fb_store *s;
	struct fb_bulk *b;
	struct fb_error e;

	if (step == STORE_CLEAR) { /* derived rows that fit nothing */
		MUST(fb_store_open(&s, r->dir.path, &e) == FB_OK);
		fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
		fb_bulk_put(b, FB_STR("B"), FB_STR("nonsense"));
		MUST(fb_bulk_finish(b) == FB_OK && fb_bulk_ingest(b) == FB_OK);
		fb_bulk_close(b);
		fb_store_close(s);
	}
	if (step == STORE_SALVAGE_COPY || step == STORE_SALVAGE_SWAP) { /* a log that is damaged behind the anchor */
		shell(r, "rm -rf damaged-* && cp anchor older");
		run_until(r, STORE_COMMIT, true, 5);
		shell(r, "mv older anchor && f=$(ls rows/*.log | tail -n 1) && s=$(stat -c %s $f) && "
			 "printf XXXXXXXX | dd of=$f bs=1 seek=$((s - 700)) conv=notrunc status=none");
		r->acknowledged = r->next; /* by that anchor */
	}
	if (step == STORE_ANCHOR_MAKE) {
		MUST(fb_test_dir_remove(&r->dir) && fb_test_dir_make(&r->dir));
		r->next = r->acknowledged = 0;
	}
}

static const char *const step_names[] = {
#define X(name, text) text,
	STORE_STEPS(X)
#undef X
};

static void kill_at_points(void)
{
	static const unsigned times[] = { 1, 2, 10 };
	struct run r = { .random = 1 };
	unsigned points = 0;

	MUST(fb_test_dir_make(&r.dir));
	run_until(&r, STORE_COMMIT, true, 40);
	check(&r);
	for (unsigned step = 0; step < STORE_STEP_END; step++)
		for (unsigned after = 0; after < 2; after++)
			for (unsigned i = 0; i < FB_COUNT(times) && step != STORE_MERGE; i++) {
				bool once = step == STORE_ANCHOR_MAKE || step == STORE_CLEAR || step == STORE_SALVAGE_COPY ||
					    step == STORE_SALVAGE_SWAP;

				if (once && i > 0)
					continue;
				prepare(&r, step);
				run_until(&r, step, after, times[i]);
				check(&r);
				course_audit(r.dir.path);
				points++;
				printf("%s %s, time %u: %llu acknowledged, %llu found\n", after ? "after" : "before",
				       step_names[step], times[i], (unsigned long long)r.acknowledged,
				       (unsigned long long)r.next);
			}
	MUST(points == 2 * (4 * 3 + 4));
	MUST(fb_test_dir_remove(&r.dir));
}

/* ---- main ------------------------------------------------------------------------------------------------------ */

static uint64_t number_from(const char *text)
{
	uint64_t v;

	MUST(fb_u64_parse(&v, fb_str_of(text)) == FB_OK);
	return v;
}

int main(int argc, char **argv)
{
	const char *full = getenv("FB_TEST_FULL");
	uint64_t kills = full != NULL && strcmp(full, "1") == 0 ? FULL * KILLS : KILLS, seed = 1;

	if (argc == 7 && strcmp(argv[1], "--child") == 0) {
		first = number_from(argv[3]);
		point = (struct point){ (enum store_step)number_from(argv[4]), number_from(argv[5]) != 0,
					(unsigned)number_from(argv[6]) };
		run_child(argv[2]);
	}
	if (argc == 2 && strcmp(argv[1], "points") == 0) {
		kill_at_points();
		return 0;
	}
	MUST(argc >= 2 && argc <= 4 && strcmp(argv[1], "random") == 0);
	if (argc > 2)
		kills = number_from(argv[2]);
	if (argc > 3)
		seed = number_from(argv[3]);
	for (; kills > KILLS; kills -= KILLS)
		kill_at_random(KILLS, seed++);
	kill_at_random(kills, seed);
	return 0;
}
