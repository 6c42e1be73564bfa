/* Goal: no course of faults, restarts and crashes breaks settlement's promises. Method: many seeds; each draws
 * which faults exist, then a few dozen events; at the end an auditor with naive books looks at every payment.
 *
 * The engine is the real one; time, network, disk and chain are simulated (tests/virtual): a seed replays its run.
 *
 * usage: sim_settle [FIRST_SEED [COUNT]]     also FB_TEST_SEED and FB_SIM_SEEDS; a failing seed is printed. */
#include "chaos.h"

#include "virtual.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SEEDS = 1000, SEEDS_FULL = 10000, STEPS = 70, WORKERS = 4 };

static uint64_t seed;

/* Where an invariant failed: the one number that brings it back. */
static void on_abort(int signal_number)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "sim.settle: seed %llu failed\n", (unsigned long long)seed);

	(void)signal_number;
	if (write(STDERR_FILENO, text, (size_t)n) < 0)
		_exit(3);
}

static uint64_t number(const char *argument, const char *variable, uint64_t otherwise)
{
	const char *text = argument != NULL ? argument : getenv(variable);
	uint64_t v;

	if (text == NULL)
		return otherwise;
	if (fb_u64_parse(&v, fb_str_of(text)) != FB_OK) {
		fprintf(stderr, "sim.settle: \"%s\" is no number\n", text);
		exit(2);
	}
	return v;
}

static void count_moves(struct chaos *c, struct chaos_totals *t)
{
	fb_rig_stop(c->rig);
#define X(name, from, to) t->move_##name += (unsigned)fb_rig_moves(c->rig, FB_LANE_MOVE_##name);
	FB_LANE_MOVES(X)
#undef X
#define X(from, to, what) \
	t->step_##from##_##to += (unsigned)fb_rig_settle_moves(c->rig, FB_SETTLE_MOVE_##from##_##to);
	FB_SETTLE_MOVES(X)
#undef X
}

static void run_one(struct chaos_totals *t)
{
	struct chaos *c = fb_must_alloc(1, sizeof(*c));

	virtual_reset(seed);
	chaos_open(c, seed);
	for (int i = 0; i < STEPS; i++)
		chaos_step(c, t);
	chaos_audit(c, t);
	count_moves(c, t);
	fb_rig_close(c->rig);
	free(c);
	virtual_reset(0);
}

/* Each process has a world of its own. */
static bool run_all(struct chaos_totals totals[WORKERS], uint64_t first, uint64_t count)
{
	bool good = true;
	int status;

	for (uint64_t w = 0; w < WORKERS; w++) {
		pid_t worker = fork();

		FB_ASSERT(worker >= 0);
		if (worker != 0)
			continue;
		for (seed = first + w; seed < first + count; seed += WORKERS)
			run_one(&totals[w]);
		exit(0); /* not _exit: a sanitizer looks for leaks here */
	}
	while (wait(&status) > 0)
		good &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return good;
}

static unsigned *numbers(struct chaos_totals *t)
{
	return (unsigned *)t;
}

static struct chaos_totals sum(struct chaos_totals totals[WORKERS])
{
	struct chaos_totals all = { 0 };

	for (size_t w = 0; w < WORKERS; w++)
		for (size_t i = 0; i < CHAOS_TOTALS; i++)
			numbers(&all)[i] += numbers(&totals[w])[i];
	return all;
}

static void print(struct chaos_totals *t, uint64_t seeds)
{
	static const char *const names[] = {
#define X(name, text) text,
		CHAOS_TOTALS_TABLE(X)
#undef X
#define X(name, from, to) #name,
		FB_LANE_MOVES(X)
#undef X
#define X(from, to, what) #from "-" #to,
		FB_SETTLE_MOVES(X)
#undef X
	};

	printf("%llu seeds", (unsigned long long)seeds);
	for (size_t i = 0; i < CHAOS_TOTALS; i++)
		printf("%s %u %s", i == 0 ? ":" : ",", numbers(t)[i], names[i]);
	printf("\n");
}

static bool met_everything(struct chaos_totals *t)
{
	bool all = true;

	for (size_t i = 0; i < CHAOS_TOTALS; i++)
		all &= numbers(t)[i] > 0;
	return all;
}

int main(int argc, char **argv)
{
	uint64_t first = number(argc > 1 ? argv[1] : NULL, "FB_TEST_SEED", 1);
	const char *full = getenv("FB_TEST_FULL");
	uint64_t usual = full != NULL && strcmp(full, "1") == 0 ? SEEDS_FULL : SEEDS;
	uint64_t count = number(argc > 2 ? argv[2] : NULL, "FB_SIM_SEEDS", usual);
	struct chaos_totals *totals =
		mmap(NULL, WORKERS * sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct chaos_totals all;

	FB_ASSERT(totals != MAP_FAILED);
	signal(SIGABRT, on_abort);
	if (!run_all(totals, first, count))
		return 1;
	all = sum(totals);
	print(&all, count);
	if (count >= SEEDS && !met_everything(&all)) {
		fprintf(stderr, "sim.settle: some kind of event never happened\n");
		return 1;
	}
	return 0;
}
