/* Goal: what the writer has acknowledged survives the death of the process, and no commit survives by halves.
 * Method: a child process commits numbered commits of three rows as fast as it can and tells every acknowledged number
 * through a pipe. The parent kills it with SIGKILL at a random moment, opens the store and checks that the rows are
 * commits 0..n without a gap, each of them whole, and that n is not below any acknowledged number. Then the next child
 * goes on from there.
 * What this does not show: the loss of power. The kernel outlives the child and keeps what it was given.
 *
 * test_writer_kill [KILLS [SEED]]; 100 kills by default, 1000 with FB_TEST_FULL=1. A store lives for 100 of them. */
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "farebox/writer.h"

#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>


enum {
	KILLS = 100,          /* of one store */
	FULL = 10,            /* stores of a full run */
	ROWS = 3,             /* of one commit */
	KEY_LEN = 1 + 8,      /* which of the rows, and the commit's number */
	VALUE_LEN = 100,
	DELAY_MAX_US = 40000, /* from the start of a child, or from its first answer, to its death */
	ANSWER_MAX_MS = 30000,
	NUMBER_MAX = 100000000,
};

#define MUST(c)                                                                             \
	do {                                                                                \
		if (!(c)) {                                                                 \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c);    \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

static struct fb_store *open_store(const char *directory)
{
	struct fb_store *s = NULL;
	struct fb_error e = { "" };

	if (fb_writer_open_store(&s, directory, NULL, &e) != FB_OK)
		fprintf(stderr, "open: %s\n", e.text);
	MUST(s != NULL);
	return s;
}

static struct fb_writer *open_writer(struct fb_store *store)
{
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng() };
	struct fb_writer *w = NULL;
	struct fb_error e = { "" };

	if (fb_writer_open(&w, store, &settings, NULL, NULL, &e) != FB_OK)
		fprintf(stderr, "open: %s\n", e.text);
	MUST(w != NULL);
	return w;
}

static void make_key(uint8_t key[KEY_LEN], unsigned row, uint64_t n)
{
	key[0] = (uint8_t)('a' + row);
	fb_put_be64(key + 1, n);
}

static void make_value(uint8_t value[VALUE_LEN], unsigned row, uint64_t n)
{
	for (unsigned i = 0; i < VALUE_LEN; i++)
		value[i] = (uint8_t)(n * 31 + row * 7 + i);
}

/* ---- the child ------------------------------------------------------------------------------------------------ */
static sem_t outstanding; /* commits it may still hand over before an answer comes */

static void acknowledge(void *arg, enum fb_status st)
{
	uint64_t n = (uint64_t)(uintptr_t)arg;

	if (st != FB_OK || write(STDOUT_FILENO, &n, sizeof(n)) != sizeof(n))
		_exit(3); /* the parent sees an exit where it expects its own signal */
	sem_post(&outstanding);
}

static void commit_number(struct fb_commit port, uint64_t n)
{
	uint8_t keys[ROWS][KEY_LEN], values[ROWS][VALUE_LEN];
	struct fb_put puts[ROWS] = { 0 };

	for (unsigned row = 0; row < ROWS; row++) {
		make_key(keys[row], row, n);
		make_value(values[row], row, n);
		puts[row].key = (struct fb_str){ (char *)keys[row], KEY_LEN };
		puts[row].value = (struct fb_str){ (char *)values[row], VALUE_LEN };
	}
	port.commit(port.ctx, puts, ROWS, acknowledge, (void *)(uintptr_t)n);
}

_Noreturn static void run_child(const char *directory, uint64_t first)
{
	enum { OUTSTANDING = 200 };
	struct fb_store *store = open_store(directory);
	struct fb_writer *writer = open_writer(store);

	MUST(sem_init(&outstanding, 0, OUTSTANDING) == 0);
	for (uint64_t n = first;; n++) {
		MUST(n < NUMBER_MAX);
		while (sem_wait(&outstanding) != 0)
			;
		commit_number(fb_writer_port(writer), n);
	}
}

/* ---- the parent: one life of a child --------------------------------------------------------------------------- */
struct run {
	struct fb_test_dir dir;
	uint64_t random;        /* xorshift state */
	uint64_t next;          /* commits found so far: the number the next child begins with */
	uint64_t acknowledged;  /* commits acknowledged so far */
	unsigned in_the_middle; /* kills that found a commit durable and not yet acknowledged */
};

static uint64_t draw(struct run *r)
{
	FB_ASSERT(r->random != 0);
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

static pid_t start_child(struct run *r, int *from_child)
{
	char self[] = "/proc/self/exe", flag[] = "--child", first[24];
	char *args[] = { self, flag, r->dir.path, first, NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int pipe_ends[2];

	snprintf(first, sizeof(first), "%llu", (unsigned long long)r->next);
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
	for (size_t i = 0; i < (size_t)len / sizeof(numbers[0]); i++) {
		MUST(numbers[i] >= r->acknowledged);
		r->acknowledged = numbers[i] + 1;
	}
	return len > 0;
}

/* One life in four ends a random time after its start, while it opens; the others after their first answer. */
static void live_and_die(struct run *r)
{
	struct fb_clock clock = fb_os_clock();
	int fd, status;
	pid_t child = start_child(r, &fd);
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
	MUST(waitpid(child, &status, 0) == child);
	MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (take_numbers(r, fd))
		;
	close(fd);
}

/* ---- the parent: what is left ---------------------------------------------------------------------------------- */
struct check {
	unsigned row;
	uint64_t next; /* the number that must come next */
};

static bool check_one(void *arg, struct fb_str key, struct fb_str value)
{
	struct check *c = arg;
	uint8_t want_key[KEY_LEN], want_value[VALUE_LEN];

	make_key(want_key, c->row, c->next);
	make_value(want_value, c->row, c->next);
	MUST(key.len == KEY_LEN && memcmp(key.at, want_key, KEY_LEN) == 0); /* no gap */
	MUST(value.len == VALUE_LEN && memcmp(value.at, want_value, VALUE_LEN) == 0);
	c->next++;
	return true;
}

static void check_store(struct run *r)
{
	struct fb_store *s = open_store(r->dir.path);
	uint64_t found[ROWS];

	for (unsigned row = 0; row < ROWS; row++) {
		char prefix = (char)('a' + row);
		struct check c = { .row = row };

		MUST(fb_store_scan(s, (struct fb_str){ &prefix, 1 }, check_one, &c) == FB_OK);
		found[row] = c.next;
	}
	fb_writer_close(open_writer(s)); /* the journal agrees with the anchor, too */
	fb_store_close(s);
	for (unsigned row = 1; row < ROWS; row++)
		MUST(found[row] == found[0]); /* no half commit */
	MUST(found[0] >= r->acknowledged);    /* no acknowledged commit is lost */
	r->in_the_middle += found[0] > r->acknowledged;
	r->next = found[0];
}

static uint64_t number_from(const char *text)
{
	uint64_t v;

	MUST(fb_u64_parse(&v, fb_str_of(text)) == FB_OK);
	return v;
}

/* The life of one store. */
static void kill_writers(uint64_t kills, uint64_t seed)
{
	struct run r = { .random = 88172645463325252u ^ seed << 32 };

	MUST(fb_test_dir_make(&r.dir));
	for (uint64_t i = 0; i < kills; i++) {
		live_and_die(&r);
		check_store(&r);
	}
	printf("seed %llu: %llu kills, %llu commits acknowledged, %llu found, %u kills between durable and acknowledged\n",
	       (unsigned long long)seed, (unsigned long long)kills, (unsigned long long)r.acknowledged,
	       (unsigned long long)r.next, r.in_the_middle);
	MUST(r.acknowledged > kills); /* a run that tested nothing is no success */
	MUST(fb_test_dir_remove(&r.dir));
}

int main(int argc, char **argv)
{
	const char *full = getenv("FB_TEST_FULL");
	uint64_t kills = full != NULL && strcmp(full, "1") == 0 ? FULL * KILLS : KILLS, seed = 1;

	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		run_child(argv[2], number_from(argv[3]));
	if (argc > 1)
		kills = number_from(argv[1]);
	if (argc > 2)
		seed = number_from(argv[2]);
	for (; kills > KILLS; kills -= KILLS)
		kill_writers(KILLS, seed++);
	kill_writers(kills, seed);
	return 0;
}
