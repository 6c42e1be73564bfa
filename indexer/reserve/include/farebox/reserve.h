/* farebox/reserve.h - at every new safe block: do the books say what the escrow holds?
 *
 * What it is  the escrow's balance in the token, read at the newest safe block N that was indexed, against the sum of
 *             what was posted from blocks up to N; and the ledger's escrow account against all that was posted. A
 *             difference is asked for again, FB_RESERVE_LOOKS times, before it is believed. Then it is an alarm:
 *             withdrawals must not go out until an operator has looked and started the server again, though the
 *             difference may go away.
 * Layer       8
 * Errors      none returned: what could not be read is asked again with the next change, at the latest after
 *             FB_RESERVE_RETRY_MS.
 * Ownership   borrows everything it is opened with. Stop before the rpc is closed, close after.
 * Threads     the loop's thread only; fb_reserve_differs: any.
 */
#ifndef FB_RESERVE_H
#define FB_RESERVE_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/follow.h"
#include "farebox/head.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/rpc.h"
#include "farebox/writer.h"

enum { FB_RESERVE_LOOKS = 3, FB_RESERVE_RETRY_MS = 1000 };

struct fb_reserve_status {
	uint64_t block;               /* the last one that was compared; 0: none yet */
	struct fb_amount books, chain; /* at that block */
	uint64_t good;                /* the last one at which they were equal; 0: none yet */
	uint64_t bad;                 /* the first one found at which they differ; 0: none */
	bool differs;                 /* at that block or an earlier one */
	bool ledger;                  /* it is the ledger that differs from what was posted */
};
struct fb_reserve;
/* changed: a comparison was made. NULL allowed. */
void fb_reserve_open(struct fb_reserve **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_head *head,
		     struct fb_follow *follow, struct fb_writer *writer, const struct fb_credit_settings *settings,
		     void (*changed)(void *arg), void *arg, struct fb_log *log, struct fb_metrics *metrics);
void fb_reserve_stop(struct fb_reserve *r);
void fb_reserve_close(struct fb_reserve *r); /* stopped. NULL allowed */
void fb_reserve_wake(struct fb_reserve *r);  /* the indexer's `changed` */
bool fb_reserve_differs(const struct fb_reserve *r); /* withdrawals must not go out */
void fb_reserve_status(const struct fb_reserve *r, struct fb_reserve_status *out);
#endif /* FB_RESERVE_H */
