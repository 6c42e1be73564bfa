/* farebox/reserve.h - at every new safe block: do the books say what the escrow holds?
 *
 * What it is  the escrow's balance in the token, read at the newest safe block N that was indexed, against the sum of
 *             what was posted from blocks up to N; and the ledger's escrow account against all that was posted. A
 *             difference is asked for again, FB_RESERVE_LOOKS times, before it is believed. Then it is an alarm:
 *             withdrawals must not go out until an operator has looked and released it, though the difference may go
 *             away. The alarm is stored, so it lasts through a restart.
 * Search      then the first block with a difference is looked for, between the last one that is known to be good
 *             and N, by halves: the books' side from the indexer and the final movements' rows, the chain's from
 *             balances at old blocks. Where the endpoint keeps no state so old, the first block stays bounded from
 *             below by the last good one.
 * Layer       8
 * Errors      none returned but fb_reserve_read's: what could not be read is asked again with the next change, at the
 *             latest after FB_RESERVE_RETRY_MS.
 * Limits      FB_RESERVE_ROWS_MAX final movements are summed up for the search; with more it does not go below the
 *             indexer's `looked`. FB_RESERVE_TRIES questions in a row without an answer end it.
 * Ownership   borrows everything it is opened with. Stop before the rpc is closed, close after the writer is.
 * Threads     the loop's thread only; fb_reserve_differs: any; fb_reserve_read, fb_reserve_release_put: pure.
 * Stored      DATA.md: A.
 */
#ifndef FB_RESERVE_H
#define FB_RESERVE_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/follow.h"
#include "farebox/head.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/port.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/writer.h"

enum {
	FB_RESERVE_LOOKS = 3,
	FB_RESERVE_RETRY_MS = 1000,
	FB_RESERVE_TRIES = 20,
	FB_RESERVE_ROWS_MAX = 1 << 20,
	FB_RESERVE_KEY_LEN = FB_CREDIT_PREFIX_LEN,
};

struct fb_reserve_status {
	uint64_t block;               /* the last one that was compared; 0: none yet */
	struct fb_amount books, chain; /* at that block */
	uint64_t good;                /* the last one at which they are known to be equal; 0: none yet */
	uint64_t bad;                 /* the first one found at which they differ; 0: none */
	bool differs;                 /* at that block or an earlier one */
	bool ledger;                  /* it is the ledger that differs from what was posted */
	bool searched;                /* for the first block; it is `bad`, or lies above `good` if there is a gap */
};
struct fb_reserve;
/* changed: a comparison was made, or the search ended. NULL allowed. FB_STORAGE: a stored alarm is no row of ours. */
FB_MUST_USE enum fb_status fb_reserve_open(struct fb_reserve **out, struct fb_loop *loop, struct fb_rpc *rpc,
					   struct fb_head *head, struct fb_follow *follow, struct fb_writer *writer,
					   struct fb_store *store, const struct fb_credit_settings *settings,
					   void (*changed)(void *arg), void *arg, struct fb_log *log,
					   struct fb_metrics *metrics, struct fb_error *e);
void fb_reserve_stop(struct fb_reserve *r);
void fb_reserve_close(struct fb_reserve *r); /* stopped. NULL allowed */
void fb_reserve_wake(struct fb_reserve *r);  /* the indexer's `changed` */
bool fb_reserve_differs(const struct fb_reserve *r); /* withdrawals must not go out */
void fb_reserve_status(const struct fb_reserve *r, struct fb_reserve_status *out);

/* The stored alarm, for who only looks. FB_NOT_FOUND: there is none. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_reserve_read(struct fb_reserve_status *out, struct fb_store *store,
					   const struct fb_escrow *escrow);
/* The row that ends the alarm. */
struct fb_put fb_reserve_release_put(uint8_t key[FB_RESERVE_KEY_LEN], const struct fb_escrow *escrow);
#endif /* FB_RESERVE_H */
