/* farebox/rescan.h - reads the escrow's final blocks once more and compares what they say with the rows of movements.
 *
 * What it is  the indexer itself (farebox/follow.h, with all that it checks) reads the blocks again into a fresh
 *             state, as if nothing had ever been stored. What it finds is compared, movement by movement, with the
 *             final rows; then rows of those blocks that nothing on the chain speaks for are looked for. What differs
 *             is put right on request: by postings as any other, under ids of their own, nothing is deleted.
 * Layer       8
 * Scope       the blocks from..looked of the rows. What is above is read again by every start of the server. An
 *             endpoint that calls fewer blocks final than the rows do is not believed: nothing is compared.
 * Differences MISSING: in the chain, never credited. GONE: credited, and in no block. MOVED: credited from another
 *             block than it is in. RETURNED: taken back, and in the chain. UNLIKE: the same block, transaction and
 *             place, with other content, which no chain can do: it is told, and never repaired.
 * Errors      done: FB_OK (compared; differences are no error), FB_MISMATCH (what the endpoint says does not fit
 *             together: nothing was concluded), FB_CONFLICT (it calls fewer blocks final), FB_LIMIT, FB_STORAGE.
 * Limits      FB_RESCAN_REPAIRS_MAX differences, FB_RESCAN_MOVEMENTS_MAX movements: beyond, FB_LIMIT, begin later.
 * Ownership   borrows everything it is opened with. Stop before the rpc is closed, close after.
 * Threads     the loop's thread only.
 */
#ifndef FB_RESCAN_H
#define FB_RESCAN_H
#include "farebox/core.h"
#include "farebox/credit.h"
#include "farebox/event.h"
#include "farebox/follow.h"
#include "farebox/head.h"
#include "farebox/logs.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/rpc.h"
#include "farebox/store.h"

enum { FB_RESCAN_REPAIRS_MAX = 16384, FB_RESCAN_MOVEMENTS_MAX = 1 << 26 };

/* X(name, text) */
#define FB_RESCAN_DIFFERENCES(X) \
	X(MISSING, "missing") X(GONE, "gone") X(MOVED, "moved") X(RETURNED, "returned") X(UNLIKE, "unlike")
enum fb_rescan_difference {
#define X(name, text) FB_RESCAN_##name,
	FB_RESCAN_DIFFERENCES(X)
#undef X
	FB_RESCAN_DIFFERENCE_END /* not a difference */
};
const char *fb_rescan_difference_text(enum fb_rescan_difference d);

struct fb_rescan_settings {
	struct fb_follow_settings follow; /* as the server's */
	uint64_t from;                    /* 0: the escrow's first block */
};
struct fb_rescan_ports {
	bool (*owner_of)(void *ctx, struct fb_owner *out, const struct fb_address *wallet);
	bool (*is_payout)(void *ctx, const struct fb_movement *m);
	/* Blocks up to this one are compared. */
	void (*progress)(void *ctx, uint64_t block, uint64_t movements);
	/* m: as the chain tells it, of what is GONE as the row does. */
	void (*differs)(void *ctx, enum fb_rescan_difference d, const struct fb_movement *m);
	void (*done)(void *ctx, enum fb_status status, const char *sentence);
	void *ctx;
};
struct fb_rescan_result {
	uint64_t from, last;   /* blocks compared */
	uint64_t movements;    /* in the chain */
	uint64_t differences[FB_RESCAN_DIFFERENCE_END];
	bool sequence_differs; /* the number of the escrow's last event */
	bool hash_differs;     /* of the last block */
};

struct fb_rescan;
/* `credit` holds the rows (fb_follow_rows). Begins at once; done is called once, perhaps before this returns, if
 * there is nothing to compare. */
void fb_rescan_open(struct fb_rescan **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_rpc *second,
		    struct fb_head *head, struct fb_store *store, struct fb_credit *credit,
		    const struct fb_rescan_settings *settings, struct fb_rescan_ports ports, struct fb_log *log,
		    struct fb_metrics *metrics);
void fb_rescan_stop(struct fb_rescan *r);
void fb_rescan_close(struct fb_rescan *r); /* stopped. NULL allowed */
void fb_rescan_result(const struct fb_rescan *r, struct fb_rescan_result *out);
/* After done said FB_OK: has the credit, which has no other event under way, amend what can be. Its batches
 * (fb_credit_next) are the caller's to submit. balance: of a wallet's suspense account. False: nothing can be. */
bool fb_rescan_amend(struct fb_rescan *r,
		     bool (*balance)(void *arg, struct fb_amount *out, const struct fb_address *wallet), void *arg);
#endif /* FB_RESCAN_H */
