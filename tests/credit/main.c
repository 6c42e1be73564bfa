/* Worlds for indexer/credit, one a seed: sim_credit [FIRST_SEED [COUNT]]; FB_TEST_FULL=1: many more. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 150, SEEDS_FULL = 20000, STEPS = 700 };

static void add(struct world *all, const struct world *w)
{
	all->crashes += w->crashes;
	all->reorgs += w->reorgs;
	all->returns += w->returns;
	all->lies += w->lies;
	all->receipts += w->receipts;
	all->debts += w->debts;
	all->repaid += w->repaid;
	all->finals += w->finals;
}

int main(int argc, char **argv)
{
	static struct world w, all;
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : getenv("FB_TEST_FULL") != NULL ? SEEDS_FULL : SEEDS;

	for (uint64_t seed = first; seed < first + count; seed++) {
		world_open(&w, seed);
		world_run(&w, STEPS);
		world_settle(&w);
		audit_end(&w);
		add(&all, &w);
		world_close(&w);
	}
	printf("%llu worlds: %llu crashes, %llu reorgs, %llu returns, %llu lies found out, %llu early receipts, "
	       "%llu debts met, %llu repayments, %llu second looks\n",
	       (unsigned long long)count, (unsigned long long)all.crashes, (unsigned long long)all.reorgs,
	       (unsigned long long)all.returns, (unsigned long long)all.lies, (unsigned long long)all.receipts,
	       (unsigned long long)all.debts, (unsigned long long)all.repaid, (unsigned long long)all.finals);
	if (count >= SEEDS && (all.crashes == 0 || all.reorgs == 0 || all.returns == 0 || all.lies == 0 ||
			       all.receipts == 0 || all.repaid == 0 || all.finals == 0)) {
		fprintf(stderr, "a run that tried nothing proves nothing\n");
		return 1;
	}
	return 0;
}
