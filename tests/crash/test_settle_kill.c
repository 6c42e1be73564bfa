/* Goal: settlement keeps its promises when the process is killed at any moment. Method: a child runs the whole engine
 * on a data directory and on the chain of its parent, settles payments as fast as it can, and tells every answer
 * through a pipe. The parent kills it with SIGKILL at a random moment and starts the next one, which goes on. In the
 * end the parent runs the engine itself, asks for every payment until its end is known, and looks at the chain: each
 * authorization moved its money once, by one transaction; success was told at most once; and it is still to be had if
 * nobody was told.
 *
 * test_settle_kill [KILLS [SEED]] */
#include "fb_test_dir.h"

#include "farebox/rig.h"
#include "fb_sample.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	KILLS = 60,
	NEW_PER_LIFE = 8,
	OLD_PER_ROUND = 8,
	PAYMENTS_MAX = 20000,
	DELAY_MAX_US = 60000, /* from a child's first answer to its death */
	ANSWER_MAX_MS = 30000,
	TRIES = 40,
};

#define MUST(c)                                                                          \
	do {                                                                             \
		if (!(c)) {                                                              \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c); \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

/* What a child tells. */
struct told {
	uint32_t payment, reason;
};

static uint64_t rng;

static uint64_t draw(uint64_t below)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

/* The same bytes in every process. */
static void claim_of(struct fb_claim *out, struct fb_rig *r, uint32_t payment)
{
	struct fb_rig_payment p = { .payer = fb_rig_payer(payment % 3),
				    .nonce = payment,
				    .until_s = FB_SAMPLE_NOW_S + 86400 };

	fb_rig_claim(out, r, &p);
}

/* ---- the child ----------------------------------------------------------------------------------------------------
 */

static void tell(uint32_t payment, enum fb_reason reason)
{
	struct told t = { payment, (uint32_t)reason };

	MUST(write(STDOUT_FILENO, &t, sizeof(t)) == sizeof(t));
}

static void settle_round(struct fb_rig *r, const uint32_t *payments, size_t count)
{
	fb_rig_ticket tickets[NEW_PER_LIFE + OLD_PER_ROUND];
	struct fb_claim c;

	for (size_t i = 0; i < count; i++) {
		claim_of(&c, r, payments[i]);
		tickets[i] = fb_rig_submit(r, &c);
	}
	for (size_t i = 0; i < count; i++)
		tell(payments[i], fb_rig_wait(r, tickets[i]).outcome.reason);
}

static void live(const char *directory, const char *url, uint32_t first)
{
	struct fb_rig_settings settings = { .directory = directory, .url = url };
	uint32_t payments[NEW_PER_LIFE + OLD_PER_ROUND];
	struct fb_rig *r;

	rng = first + 1;
	fb_rig_open(&r, &settings);
	MUST(fb_rig_start(r) == FB_OK);
	for (int round = 0; round < 1000; round++) {
		size_t count = 0;

		while (round == 0 && count < NEW_PER_LIFE) {
			payments[count] = first + (uint32_t)count;
			count++;
		}
		for (int i = 0; i < OLD_PER_ROUND; i++)
			payments[count++] = (uint32_t)draw(first + NEW_PER_LIFE);
		settle_round(r, payments, count);
	}
	fb_rig_close(r);
}

/* ---- the parent -----------------------------------------------------------------------------------------------------
 */

struct world {
	const char *self;
	struct fb_test_dir dir;
	struct fb_rig *rig; /* its chain serves the children; its engine runs in the end alone */
	unsigned successes[PAYMENTS_MAX];
	uint32_t payments;
	unsigned answers, lives;
};

static void take_in(struct world *w, int fd)
{
	struct told t;

	while (read(fd, &t, sizeof(t)) == sizeof(t)) { /* a pipe never gives half of what was written at once */
		MUST(t.payment < w->payments);
		MUST(t.reason == FB_REASON_NONE || t.reason == FB_REASON_NONCE_USED || t.reason == FB_REASON_PENDING);
		w->successes[t.payment] += t.reason == FB_REASON_NONE;
		w->answers++;
	}
}

static pid_t spawn(struct world *w, int *out, uint32_t first)
{
	char number[16];
	int ends[2];
	pid_t child;

	MUST(pipe(ends) == 0);
	snprintf(number, sizeof(number), "%u", first);
	child = fork();
	MUST(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		execl(w->self, w->self, "child", w->dir.path, fb_sim_url(fb_rig_sim(w->rig)), number, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	*out = ends[0];
	return child;
}

static void one_life(struct world *w)
{
	uint32_t first = w->payments;
	struct timespec delay;
	struct pollfd ready;
	int fd, status;
	pid_t child;

	w->payments += NEW_PER_LIFE;
	child = spawn(w, &fd, first);
	ready = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (draw(4) != 0) /* else it may die before its first answer, or at its start */
		MUST(poll(&ready, 1, ANSWER_MAX_MS) == 1);
	delay = (struct timespec){ 0, (long)draw(DELAY_MAX_US) * 1000 };
	nanosleep(&delay, NULL);
	kill(child, SIGKILL);
	MUST(waitpid(child, &status, 0) == child);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		fprintf(stderr, "life %u ended by itself: status %d\n", w->lives, status);
		exit(1);
	}
	take_in(w, fd);
	close(fd);
	w->lives++;
}

static void check_payment(struct world *w, uint32_t payment)
{
	struct fb_sim_history h;
	struct fb_claim c;
	enum fb_reason reason = FB_REASON_PENDING;

	claim_of(&c, w->rig, payment);
	for (int i = 0; i < TRIES && reason == FB_REASON_PENDING; i++)
		reason = fb_rig_settle(w->rig, &c).reason;
	w->successes[payment] += reason == FB_REASON_NONE;
	h = fb_sim_history(fb_rig_sim(w->rig), &c.authorization.from, &c.authorization.nonce);
	MUST(reason == FB_REASON_NONE || reason == FB_REASON_NONCE_USED);
	MUST(h.moved == 1 && h.ours == 1 && h.sent == 1);
	MUST(w->successes[payment] <= 1);
	MUST(reason == FB_REASON_NONE || fb_rig_record(w->rig, &c).granted); /* refused only because it was granted */
}

static void run(struct world *w, unsigned kills)
{
	struct fb_rig_settings settings = { .directory = w->dir.path };
	unsigned told = 0;

	fb_rig_open(&w->rig, &settings);
	for (uint32_t i = 0; i < 3; i++) {
		struct fb_key key = fb_rig_payer(i);
		struct fb_address payer = fb_key_address(&key);

		fb_sim_pay_in(fb_rig_sim(w->rig), &payer, (uint64_t)1 << 40);
	}
	fb_sim_on_send(fb_rig_sim(w->rig), NULL, NULL); /* the store is the child's */
	for (unsigned i = 0; i < kills; i++)
		one_life(w);
	MUST(fb_rig_start(w->rig) == FB_OK);
	for (uint32_t i = 0; i < w->payments; i++)
		check_payment(w, i);
	MUST(fb_rig_open_rows(w->rig) == 0);
	for (uint32_t i = 0; i < w->payments; i++)
		told += w->successes[i];
	printf("%u kills: %u payments, %u answers, success told for %u\n", w->lives, w->payments, w->answers, told);
	fb_rig_close(w->rig);
}

static uint64_t number(const char *text)
{
	uint64_t v;

	MUST(fb_u64_parse(&v, fb_str_of(text)) == FB_OK);
	return v;
}

int main(int argc, char **argv)
{
	static struct world w;
	unsigned kills = argc > 1 && strcmp(argv[1], "child") != 0 ? (unsigned)number(argv[1]) : KILLS;

	if (argc == 5 && strcmp(argv[1], "child") == 0) {
		live(argv[2], argv[3], (uint32_t)number(argv[4]));
		return 0;
	}
	rng = argc > 2 ? number(argv[2]) : (uint64_t)time(NULL);
	printf("seed %llu\n", (unsigned long long)rng);
	fflush(stdout);
	MUST(kills * NEW_PER_LIFE <= PAYMENTS_MAX);
	w.self = argv[0];
	MUST(fb_test_dir_make(&w.dir));
	run(&w, kills);
	MUST(fb_test_dir_remove(&w.dir));
	return 0;
}
