/* A world for the books: clients that do what clients do, a disk with a journal, a snapshot being written and an index
 * that lags behind, crashes, and the auditor that knows what must come of it.
 *
 * The fault model. A crash may come before a batch is in the journal, which is then lost wholly, with its answers; or
 * after. A snapshot's rows are written a few at a time, in any order; a crash leaves some of them written, also over
 * the rows of the last snapshot, but the mark that says which record the rows are complete up to is written last. The
 * index knows all ids up to some record, at least the mark's at a restart, and may fail at any call. The clock may
 * stand still but does not go back. Nothing that was written changes by itself. */
#ifndef FB_WORLD_H
#define FB_WORLD_H
#include "model.h"

enum { WORLD_STATUSES = 64, WORLD_KINDS = 6 };
/* How often what came out, over all worlds: whoever runs many of them can see that everything was tried. */
struct world_seen {
	uint64_t answers[WORLD_KINDS][WORLD_STATUSES], existed[WORLD_KINDS];
	uint64_t crashes, lost_batches, part_snapshots, index_failures, expiries, chains_applied, chains_refused, replays;
};
/* Draws a number below `below` (> 0); what it is made of decides the run. */
struct world_source {
	uint64_t (*draw)(void *ctx, uint64_t below);
	bool (*ended)(void *ctx); /* the source has nothing more to say */
	void *ctx;
};
/* Runs `steps` batches at most and checks everything after each; aborts, after printing `name`, if anything differs. */
void world_run(struct world_seen *seen, struct world_source source, unsigned steps, const char *name);
#endif /* FB_WORLD_H */
