/* farebox/head.h - follows the chain's head: which blocks are the chain now, what was taken back, how final each is.
 *
 * What it is  it looks at `latest` again and again, fetches what lies between that block and the ones it remembers,
 *             and takes blocks over only where they fit by parent hash. What an endpoint says that does not fit is the
 *             endpoint's fault: it is reported and counted, and the remembered chain stays as it was.
 * Layer       4
 * Units       block numbers, Unix seconds, milliseconds, wei per gas. Depth of a reorg: remembered blocks that are no
 *             longer in the chain.
 * States      nothing known (until the first block was read), then a remembered chain that only grows at its head,
 *             grows back at its foot (at the start, down to depth_max blocks), or is replaced from a block on.
 * Rungs       INCLUDED, CONFIRMED (`confirmations` blocks lie upon it), SAFE and FINAL (the endpoint's `safe` and
 *             `finalized`; of an endpoint that has never named them: `finality_blocks` lie upon it). `safe` and
 *             `finalized` are taken only if they name a remembered block, or one older than all of them, and never go
 *             down.
 * Reorgs      followed to any depth up to depth_max, if no block up to `finalized` changes. One to a lower head than
 *             the remembered one is believed once it was seen FB_HEAD_LOWER_LOOKS times in a row: a node that lags
 *             on a branch that lost shows the same picture.
 * Gaps        blocks that were missed are fetched by number, FB_HEAD_BATCH at a time. A head more than
 *             FB_HEAD_GAP_MAX blocks ahead is jumped to, if the endpoint has the remembered head still; what lies
 *             between is then not remembered.
 * Errors      none returned but fb_head_hash's. report->status, of each look: FB_OK (fault says if something was
 *             tolerated), FB_MISMATCH (another chain id), FB_CONFLICT (the endpoint's chain parts from ours deeper
 *             than depth_max or below `finalized`), FB_RPC_ERROR (an answer that is no block or does not fit), else
 *             why no endpoint could be read.
 * Limits      FB_HEAD_KEEP_MAX blocks are remembered; depth_max up to FB_HEAD_DEPTH_MAX; FB_HEAD_LISTENERS_MAX.
 * Ownership   borrows loop, rpc, log and metrics: loop until closed, the others until stopped.
 * Threads     the loop's thread only. Listeners and report run on it; they may ask everything and must not close.
 * Invariants  H1  the remembered blocks have consecutive numbers, each names the one below as its parent   (follow.c)
 *             H2  a block up to `finalized` is never replaced, nor more than depth_max blocks at once      (follow.c)
 *             H3  every change is told to every listener, after it was made and before the next one        (head.c)
 *             H4  what a look fetches is bounded: FB_HEAD_GAP_MAX + depth_max + FB_HEAD_BATCH blocks       (follow.c)
 */
#ifndef FB_HEAD_H
#define FB_HEAD_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/rpc.h"

enum {
	FB_HEAD_KEEP_MAX = 1024,       /* blocks remembered */
	FB_HEAD_DEPTH_MAX = 512,       /* largest depth_max */
	FB_HEAD_DEPTH = 64,            /* a depth_max that suits */
	FB_HEAD_BATCH = 32,            /* blocks asked for at once */
	FB_HEAD_GAP_MAX = 1024,        /* missed blocks that are fetched one by one */
	FB_HEAD_LOWER_LOOKS = 3,       /* before a reorg to a lower head is believed */
	FB_HEAD_REST_LOOKS = 8,        /* looks without a walk after one that led nowhere */
	FB_HEAD_LADDER_LOOKS = 4,      /* safe and finalized are asked for with every fourth look */
	FB_HEAD_LISTENERS_MAX = 16,
};
#define FB_HEAD_NUMBER_MAX (UINT64_MAX / 4) /* no chain is that long */

struct fb_head_block {
	uint64_t number, time_s, gas_limit;
	struct fb_hash hash, parent;
	fb_u128 base_fee; /* 0 if the chain has none */
};

/* X(name, status of the report, label, meaning). A look has one fault at most, the first that ended it. */
#define FB_HEAD_FAULTS(X)                                                                                          \
	X(SILENT,    UNREACHABLE, "silent",     "no endpoint answered, or with something that is no JSON-RPC")     \
	X(REFUSED,   RPC_ERROR,   "refused",    "an error object instead of a result")                             \
	X(MALFORMED, RPC_ERROR,   "malformed",  "a result that is no block")                                       \
	X(CHAIN,     MISMATCH,    "chain",      "the endpoint serves another chain id")                            \
	X(ABSENT,    RPC_ERROR,   "absent",     "a block below the head it named is not there")                    \
	X(UNFIT,     RPC_ERROR,   "unfit",      "number, hash or parent do not fit the blocks around")             \
	X(BACKWARDS, OK,          "backwards",  "the head it names is an older block of the remembered chain")     \
	X(LOWER,     OK,          "lower",      "the head it names is on another branch, and lower")               \
	X(DEEP,      CONFLICT,    "deep",       "its chain parts from ours deeper than depth_max")                 \
	X(FINAL,     CONFLICT,    "final",      "its chain, its safe or its finalized block contradict what was final")
enum fb_head_fault {
	FB_HEAD_FAULT_NONE,
#define X(name, status, label, text) FB_HEAD_FAULT_##name,
	FB_HEAD_FAULTS(X)
#undef X
	FB_HEAD_FAULT_END /* not a fault */
};
const char *fb_head_fault_label(enum fb_head_fault f); /* "" for none */

struct fb_head_settings {
	uint64_t chain_id;
	uint64_t poll_ms;         /* between two looks; at least 1 */
	uint64_t depth_max;       /* 1..FB_HEAD_DEPTH_MAX */
	uint64_t confirmations;   /* 1..depth_max */
	uint64_t finality_blocks; /* where the endpoint has no safe and finalized; at least confirmations */
};

struct fb_head_report { /* of one look, when it is over */
	enum fb_status status;
	enum fb_head_fault fault;
	uint64_t block, block_time_s; /* the remembered head; 0 while nothing is known */
};

struct fb_head;
/* The first look is soon. report: may be NULL; not called any more once stopped. */
void fb_head_open(struct fb_head **out, struct fb_loop *loop, struct fb_rpc *rpc,
		  const struct fb_head_settings *settings, struct fb_log *log, struct fb_metrics *metrics,
		  void (*report)(void *arg, const struct fb_head_report *r), void *arg);
/* No more looks, listeners hear nothing more; what is remembered can still be asked. Before the rpc is closed, whose
 * last answer may still come. NULL allowed */
void fb_head_stop(struct fb_head *h);
void fb_head_close(struct fb_head *h); /* stopped already, and the rpc closed. NULL allowed */

/* ---- what is known ----------------------------------------------------------------------------------------- */
bool fb_head_latest(const struct fb_head *h, struct fb_head_block *out); /* false: nothing known yet */
/* FB_NOT_FOUND: above the head, or older than what is remembered. */
FB_MUST_USE enum fb_status fb_head_hash(const struct fb_head *h, uint64_t number, struct fb_hash *out);
enum fb_rung { FB_RUNG_NONE, FB_RUNG_INCLUDED, FB_RUNG_CONFIRMED, FB_RUNG_SAFE, FB_RUNG_FINAL };
const char *fb_rung_name(enum fb_rung r); /* "none", "included", … "final" */
/* NONE: above the head, or another block has that number. A block older than what is remembered is not compared: its
 * number alone decides. The caller saw it in the chain, and what lies that deep is not given up any more. */
enum fb_rung fb_head_rung(const struct fb_head *h, uint64_t number, const struct fb_hash *hash);
/* The highest blocks that are SAFE and FINAL, 0 if none is. False: the endpoint was not asked for them yet. */
bool fb_head_ladder(const struct fb_head *h, uint64_t *safe, uint64_t *final);

/* ---- what changes ------------------------------------------------------------------------------------------ */
enum fb_head_change {
	FB_HEAD_EXTENDED, /* blocks from `first` up to the head are new, nothing was taken back */
	FB_HEAD_REORGED,  /* `depth` blocks from `first` up are gone, others may stand in their place */
	FB_HEAD_ROSE,     /* `safe` or `finalized` rose; first and depth are 0 */
};
struct fb_head_event {
	enum fb_head_change change;
	uint64_t first, depth;
	struct fb_head_block head; /* now */
};
/* Until the head is closed. More than FB_HEAD_LISTENERS_MAX is a programmer's error. */
void fb_head_listen(struct fb_head *h, void (*fn)(void *arg, const struct fb_head_event *e), void *arg);
#endif /* FB_HEAD_H */
