/* farebox/ops.h - what an operator's tools ask: /healthz, /readyz, /metrics, and /close for test rigs.
 *
 * Layer      9
 * Ready      the newest block is fresh, the signer has gas money, nothing of ours is broken (a failed disk
 *            write among it), nobody asked for the end. /readyz answers 200, or 503 with the reasons.
 * Threads    handlers on API threads; fb_ops_* setters from any thread (atomics).
 * Errors     none of its own.
 */
#ifndef FB_OPS_H
#define FB_OPS_H
#include "farebox/core.h"
#include "farebox/http.h"
#include "farebox/metric.h"
#include "farebox/port.h"

#include <stdatomic.h>

/* X(bit name, what /readyz says while the bit is set) */
#define FB_OPS_FAULTS(X)                                                    \
	X(CHAIN_DOWN,    "the chain does not answer")                       \
	X(CHAIN_STALE,   "the newest block is too old")                     \
	X(CHAIN_OTHER,   "the RPC endpoint serves another chain now")       \
	X(CHAIN_PARTED,  "the chain took back more blocks than are followed, or a final one") \
	X(SIGNER_LOW,    "the signer has too little gas money")             \
	X(INDEXER_HALTED, "crediting is halted, the log says why: an operator must look and release it") \
	X(RESERVES,      "the escrow does not hold what the books say: withdrawals are stopped") \
	X(PAYOUT_LOW,    "the payout key has too little gas money: withdrawals wait") \
	X(PAYOUT_ROLE,   "the payout key does not have the escrow's payout role: withdrawals wait") \
	X(ESCROW_PAUSED, "the escrow is paused: deposits fail and withdrawals wait") \
	X(BROKEN,        "a promise of ours failed, the log says which: restart") \
	X(STOPPING,      "the server is stopping")
enum fb_ops_fault {
#define X(name, text) FB_OPS_##name,
	FB_OPS_FAULTS(X)
#undef X
	FB_OPS_FAULT_END /* not a fault */
};

struct fb_ops {
	atomic_uint faults; /* bit per enum fb_ops_fault */
	atomic_ullong reserve_first; /* with RESERVES: the first block found at which they differ; 0: not known */
	struct fb_metrics *metrics;
	void (*close)(void *arg); /* asks the program to stop; any thread */
	void *close_arg;
};
void fb_ops_set(struct fb_ops *o, enum fb_ops_fault fault, bool present);
bool fb_ops_has(struct fb_ops *o, enum fb_ops_fault fault);
struct fb_mount fb_ops_mount(struct fb_ops *o);         /* /healthz, /readyz */
struct fb_mount fb_ops_metrics_mount(struct fb_ops *o); /* /metrics: for the loopback listener */
struct fb_mount fb_ops_close_mount(struct fb_ops *o);   /* POST /close: only with test hooks */
#endif /* FB_OPS_H */
