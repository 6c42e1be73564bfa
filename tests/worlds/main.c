/* Thousands of worlds, each from its seed: sim_books [FIRST [COUNT [BATCHES]]]. Without arguments 1,000 from seed 1, or
 * 20,000 with FB_TEST_FULL=1 in the environment, of 40 batches (some worlds of 400). A world that differs prints its
 * seed; `sim_books SEED 1` runs it again. When many ran, every answer that the books can give must have been given: a
 * run that tested nothing fails. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 40, SEEDS = 1000, SEEDS_FULL = 20000, LONG = 25 /* every so many-th world is ten times as long */ };

/* xorshift64*, from a seed that is spread first. */
static uint64_t draw(void *ctx, uint64_t below)
{
	uint64_t *state = ctx, x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * 0x2545f4914f6cdd1du >> 16) % below;
}

static bool ended(void *ctx)
{
	(void)ctx;
	return false;
}

static void run_seed(struct world_seen *seen, uint64_t seed, unsigned steps)
{
	uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15u;
	char name[40];

	snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
	world_run(seen, (struct world_source){ draw, ended, &state }, steps, name);
}

/* What each kind of operation can be answered, besides OK and what any of them can. */
#define EVERY(kind) { kind, FB_OK }, { kind, FB_BAD_VALUE }, { kind, FB_LINKED_FAILED }, { kind, FB_ID_REUSED }
#define BURNS(kind) EVERY(kind), { kind, FB_ID_FAILED }
static const struct {
	enum fb_op_kind kind;
	enum fb_status status;
} possible[] = {
	EVERY(FB_OP_ACCOUNT), { FB_OP_ACCOUNT, FB_LIMIT },
	BURNS(FB_OP_POST), { FB_OP_POST, FB_ZERO_AMOUNT }, { FB_OP_POST, FB_SAME_ACCOUNT }, { FB_OP_POST, FB_OVERFLOW },
	{ FB_OP_POST, FB_FUNDS }, { FB_OP_POST, FB_LIMIT },
	BURNS(FB_OP_HOLD), { FB_OP_HOLD, FB_ZERO_AMOUNT }, { FB_OP_HOLD, FB_HOLD_EXPIRED }, { FB_OP_HOLD, FB_OVERFLOW },
	{ FB_OP_HOLD, FB_FUNDS }, { FB_OP_HOLD, FB_LIMIT },
	BURNS(FB_OP_CAPTURE), { FB_OP_CAPTURE, FB_ZERO_AMOUNT }, { FB_OP_CAPTURE, FB_NOT_FOUND },
	{ FB_OP_CAPTURE, FB_HOLD_EXPIRED }, { FB_OP_CAPTURE, FB_HOLD_ENDED }, { FB_OP_CAPTURE, FB_SAME_ACCOUNT },
	{ FB_OP_CAPTURE, FB_HOLD_TOO_SMALL }, { FB_OP_CAPTURE, FB_OVERFLOW }, { FB_OP_CAPTURE, FB_LIMIT },
	BURNS(FB_OP_RELEASE), { FB_OP_RELEASE, FB_NOT_FOUND }, { FB_OP_RELEASE, FB_HOLD_EXPIRED },
	{ FB_OP_RELEASE, FB_HOLD_ENDED },
	BURNS(FB_OP_REVERSE), { FB_OP_REVERSE, FB_NOT_FOUND }, { FB_OP_REVERSE, FB_REVERSED_ALREADY },
	{ FB_OP_REVERSE, FB_OVERFLOW }, { FB_OP_REVERSE, FB_FUNDS },
};

static int tested_nothing(const struct world_seen *s)
{
	int faults = 0;

	for (size_t i = 0; i < FB_COUNT(possible); i++)
		if (s->answers[possible[i].kind][possible[i].status] == 0) {
			printf("never: operation %d answered %s\n", (int)possible[i].kind,
			       fb_status_info(possible[i].status)->name);
			faults++;
		}
	for (int kind = 0; kind < WORLD_KINDS; kind++)
		faults += s->existed[kind] == 0;
	faults += s->crashes == 0 || s->lost_batches == 0 || s->part_snapshots == 0 || s->index_failures == 0;
	faults += s->expiries == 0 || s->chains_applied == 0 || s->chains_refused == 0 || s->replays == 0;
	return faults;
}

int main(int argc, char **argv)
{
	const char *full = getenv("FB_TEST_FULL");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : full != NULL && *full == '1' ? SEEDS_FULL : SEEDS;
	unsigned steps = argc > 3 ? (unsigned)strtoull(argv[3], NULL, 10) : STEPS;
	struct world_seen seen = { .crashes = 0 };

	for (uint64_t seed = first; seed < first + count; seed++)
		run_seed(&seen, seed, seed % LONG == 0 ? 10 * steps : steps);
	printf("%llu worlds: %llu crashes (%llu in the middle of a snapshot, %llu lost a batch), %llu index failures, "
	       "%llu expiries, %llu linked operations applied and %llu refused\n", (unsigned long long)count,
	       (unsigned long long)seen.crashes, (unsigned long long)seen.part_snapshots,
	       (unsigned long long)seen.lost_batches, (unsigned long long)seen.index_failures,
	       (unsigned long long)seen.expiries, (unsigned long long)seen.chains_applied,
	       (unsigned long long)seen.chains_refused);
	return count >= SEEDS ? tested_nothing(&seen) != 0 : 0;
}
