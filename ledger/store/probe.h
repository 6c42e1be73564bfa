/* Named places before and after every durable step, where a test may kill the process or let the step fail. Only test
 * builds (FB_VERIFY) have them. */
#ifndef FB_PROBE_H
#define FB_PROBE_H
#include <stdbool.h>

#define STORE_STEPS(X)                                                              \
	X(COMMIT, "commit")             /* the batch into RocksDB's log */          \
	X(ANCHOR, "anchor")             /* one slot of the anchor */                \
	X(ANCHOR_MAKE, "anchor_make")   /* a new anchor file */                     \
	X(BULK_FILE, "bulk_file")       /* one sorted file, not yet seen */         \
	X(BULK_INGEST, "bulk_ingest")   /* all sorted files become rows */          \
	X(MERGE, "merge")               /* no step, but a place: merges are behind */ \
	X(CLEAR, "clear")               /* derived rows are thrown away */          \
	X(SALVAGE_COPY, "salvage_copy") /* the copy of a damaged directory */       \
	X(SALVAGE_SWAP, "salvage_swap") /* it takes the original's place */
enum store_step {
#define X(name, text) STORE_##name,
	STORE_STEPS(X)
#undef X
	STORE_STEP_END /* not a step */
};

#ifdef FB_VERIFY
/* Called by whatever thread is at the place. True lets the step fail: before it, it does not happen; after it, it has
 * happened and is reported as failed, as a disk may do. */
struct store_probe {
	bool (*at)(void *ctx, enum store_step step, bool after);
	void *ctx;
};
/* Set before a store is opened. */
void store_probe_set(struct store_probe probe);
bool store_before(enum store_step step);
bool store_after(enum store_step step);
#else
static inline bool store_before(enum store_step step)
{
	(void)step;
	return false;
}
static inline bool store_after(enum store_step step)
{
	(void)step;
	return false;
}
#endif
#endif /* FB_PROBE_H */
