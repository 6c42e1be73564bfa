/* farebox/lane.h - one signer key's transactions: nonces, signed bytes, sending, replacing, inclusion, reorgs.
 *
 * What it is  the only place that signs and sends. A job becomes a durable row (one account nonce, its payload, its
 *             first attempt) in the same batch as the owner's own rows; only then is anything sent. A row stays until
 *             the chain has decided over its nonce and `confirmations` blocks stand on that.
 * Layer       5
 * Row         an account nonce and up to FB_LANE_ATTEMPTS_MAX attempts at it: the same payload, each with fees at
 *             least 12.5 % above the last. A new attempt is durable before it is sent; a receipt of any of them
 *             counts. The states and the events that lead from one to the next: FB_LANE_STEPS, FB_LANE_MOVES.
 * Looks       for receipts: every receipt_poll_ms while a row is out, with every new block, and, where blocks come
 *             at once, FB_LANE_SOON_LOOKS times more behind a send, ever further apart.
 * Healing     A node that forgot the transaction, or whose reply was lost: the same bytes are sent again. Fees that
 *             rose: another attempt, up to max_fee and the day's budget. A block that vanished: the row waits again.
 *             A nonce that no row stands for while the chain waits for it: a transfer of nothing to ourselves. The
 *             key used elsewhere: the counter follows, a row whose nonce is taken for good is lost. Each is counted
 *             (farebox_lane_healed_total).
 * Restart     fb_lane_open loads the rows; fb_lane_start asks the chain about every attempt of every one of them
 *             and for the account's counter before anything new is signed.
 * Errors      fb_lane_send: FB_BUSY (not started, FB_LANE_OPEN_MAX rows not included, or FB_LANE_INCLUDED_MAX that wait
 *             for confirmations), FB_LIMIT (gas budget of the day). Enough gas money is the caller's check:
 *             fb_lane_balance. Later, through the owner: FB_STORAGE.
 * Units       wei, gas. Days are UTC.
 * Invariants  L1 nothing is sent before its row is durable            (checked: send.c fb_lane_send_row)
 *             L2 two rows of one lane never have the same nonce       (checked: lane.c fb_lane_insert)
 *             L3 a nonce below the stored counter is never allocated, but to fill a gap   (checked: lane.c new_row)
 *             L4 a row moves only as FB_LANE_MOVES says               (checked: step.c)
 * Ownership   borrows everything it is opened with until closed. Owner callbacks get what they gave.
 * Threads     the loop's thread only.
 * Stored      DATA.md: lane rows, inclusions, counter, gas of the day.
 */
#ifndef FB_LANE_H
#define FB_LANE_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/event.h"
#include "farebox/head.h"
#include "farebox/json.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/port.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/token.h"

enum {
	FB_LANE_OPEN_MAX = 200,       /* rows that are not included */
	FB_LANE_INCLUDED_MAX = 2048,  /* rows that wait for confirmations */
	FB_LANE_ATTEMPTS_MAX = 10,
	FB_LANE_BATCH_MAX = 100,      /* keys of one kind that an owner may put together in a job's key */
	FB_LANE_DATA_MAX = 49152,     /* calldata bytes */
	FB_LANE_OWNER_MAX = 8192,     /* bytes of an owner's key */
	FB_LANE_OWNER_PUTS_MAX = 101, /* rows an owner may commit with a lane's: one a key, and one of all together */
	FB_LANE_OWNERS_MAX = 4,
	FB_LANES_MAX = 8, /* side by side in one program */
	FB_LANE_SOON_LOOKS = 6, /* at most, for a receipt behind a send, beside the regular ones */
	FB_LANE_RESEND_MS = 5000,
	FB_LANE_BUMP_MS = 1000, /* least time between two attempts */
	FB_LANE_LOST_MS = 10000,  /* a nonce taken by another transaction must look so for this long, and for
				   * `confirmations` blocks */
	FB_LANE_BEHIND_MS = 5000, /* a chain that is behind us, or ahead by more than FB_LANE_FILL_MAX, must look so for
				   * this long */
	FB_LANE_FILL_MAX = 64,    /* nonces that may be filled at once; a chain further behind is another one */
};

/* The states of a row. X(name, not included yet) */
#define FB_LANE_STEPS(X)                                                           \
	X(COMMITTING, true)  /* the first attempt is on its way to the disk */     \
	X(SENDING,    true)  /* durable; its last send has not been answered */    \
	X(WAITING,    true)  /* sent, or to be sent again */                       \
	X(BUMPING,    true)  /* another attempt is on its way to the disk */       \
	X(INCLUDING,  true)  /* a receipt came, and is on its way to the disk */   \
	X(INCLUDED,   false) /* in a block; confirmations are waited for */        \
	X(VANISHING,  false) /* the block is gone; that is on its way to the disk */ \
	X(BOOKING,    false) /* confirmed; its gas is being booked */              \
	X(CONFIRMING, false) /* its removal is on its way to the disk */           \
	X(LOSING,     true)  /* nonce taken for good; likewise */                  \
	X(GONE,       false) /* no row any more */                                 \
	X(STUCK,      true)  /* the disk did not confirm; nothing more in this life */
enum fb_lane_step {
#define X(name, open) FB_LANE_##name,
	FB_LANE_STEPS(X)
#undef X
	FB_LANE_STEP_END /* not a state */
};
/* Every way from one state to another; nothing else happens to a row. X(name, from, to) */
#define FB_LANE_MOVES(X)                         \
	X(DURABLE,       COMMITTING, SENDING)    \
	X(ANSWERED,      SENDING,    WAITING)    \
	X(AGAIN,         WAITING,    SENDING)    \
	X(BUMP,          WAITING,    BUMPING)    \
	X(BUMPED,        BUMPING,    SENDING)    \
	X(MINED_EARLY,   SENDING,    INCLUDING)  \
	X(MINED,         WAITING,    INCLUDING)  \
	X(RECORDED,      INCLUDING,  INCLUDED)   \
	X(VANISH,        INCLUDED,   VANISHING)  \
	X(VANISHED,      VANISHING,  WAITING)    \
	X(BOOK,          INCLUDED,   BOOKING)    \
	X(UNBOOKED,      BOOKING,    INCLUDED)   \
	X(CONFIRM,       BOOKING,    CONFIRMING) \
	X(CONFIRMED,     CONFIRMING, GONE)       \
	X(LOSE,          WAITING,    LOSING)     \
	X(LOST,          LOSING,     GONE)       \
	X(FAIL_NEW,      COMMITTING, STUCK)      \
	X(FAIL_BUMP,     BUMPING,    STUCK)      \
	X(FAIL_MINED,    INCLUDING,  STUCK)      \
	X(FAIL_VANISHED, VANISHING,  STUCK)      \
	X(FAIL_CONFIRM,  CONFIRMING, STUCK)      \
	X(FAIL_LOST,     LOSING,     STUCK)
enum fb_lane_move {
#define X(name, from, to) FB_LANE_MOVE_##name,
	FB_LANE_MOVES(X)
#undef X
	FB_LANE_MOVE_END /* not a move */
};

/* Rows the owner wants in the lane's batch; texts must live until the callback's caller has committed,
 * that is, in the owner's own memory until the next callback for that job. */
struct fb_lane_puts {
	struct fb_put put[FB_LANE_OWNER_PUTS_MAX];
	size_t count;
};
struct fb_lane_inclusion {
	struct fb_receipt_summary receipt;
	struct fb_json_value json; /* the receipt itself, for its logs */
	struct fb_arena *arena;    /* scratch for reading it */
};
/* What the owner of a job is asked and told. `key` is the owner's key as given with the job. Order of calls for one
 * job:
 *   signing, durable; or, after a restart, found
 *   replaced, any number of times, while it is not included
 *   included, recorded; then either vanished, recorded and on as before, or confirmed, recorded and the row is gone
 *   lost, recorded and the row is gone: in place of included
 * Whatever asks for puts commits them in one batch with the lane's own rows. An FB_STORAGE leaves open whether the
 * batch is stored; the lane then does nothing more for the row in this life. */
struct fb_lane_owner {
	void (*signing)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	/* A row of an earlier life; before the lane says that it has started. tx: the attempt that was included, or
	 * else the newest. Which of the two the owner's own rows say, as they were stored with the lane's. */
	void (*found)(void *ctx, struct fb_str key, const struct fb_hash *tx);
	/* The row is durable and on its way (FB_OK), or the disk failed and nothing is sent (FB_STORAGE). */
	void (*durable)(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status);
	/* tx, a new attempt with higher fees, is about to be committed; any of the earlier ones may still be the one
	 * that is mined. No call says that it is durable. NULL: this owner's transactions are never replaced. */
	void (*replaced)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	/* tx: the attempt that was mined, here as in all that follow. */
	void (*included)(void *ctx, struct fb_str key, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			 struct fb_lane_puts *puts);
	void (*recorded)(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status);
	/* The block it was included in is no part of the chain any more: it waits again, and is included again or lost.
	 * tx: the newest attempt. */
	void (*vanished)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	/* As many blocks as the settings ask for stand on it. NULL: the row is gone as soon as it is included. */
	void (*confirmed)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	/* The account's nonce is past and none of the attempts has a receipt: they can never be included, unless the
	 * node hides their receipt. tx: the newest attempt. */
	void (*lost)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	void *ctx;
};

struct fb_lane_settings {
	uint64_t chain_id;
	uint64_t receipt_poll_ms;
	uint64_t bump_ms;       /* the account's next transaction waits so long before its fees are raised */
	fb_u128 max_fee_wei;    /* per gas, of any attempt */
	fb_u128 budget_day_wei; /* 0: none */
	/* What a confirmed transaction cost, to be booked once: called again for the same tx after a restart or a
	 * failure, so booking is idempotent by tx. done(arg, FB_OK) on the loop, later or at once; otherwise it is
	 * called again with a later block. NULL: nobody keeps books. */
	void (*spent)(void *ctx, const struct fb_hash *tx, fb_u128 cost_wei,
		      void (*done)(void *arg, enum fb_status status), void *arg);
	void *spent_ctx;
};
/* What a lane works with, borrowed until it is closed. */
struct fb_lane_ports {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_head *head; /* whose setting `confirmations` is the lane's */
	struct fb_store *store;
	struct fb_commit commit;
	struct fb_clock clock;
	struct fb_log *log;
	struct fb_metrics *metrics;
};
struct fb_lane;
/* FB_STORAGE, FB_BAD_KEY; e says what. The key is copied and wiped at close. */
FB_MUST_USE enum fb_status fb_lane_open(struct fb_lane **out, const struct fb_lane_ports *ports,
					const struct fb_key *key, const struct fb_lane_settings *settings,
					struct fb_error *e);
/* The owner of all jobs whose key begins with the byte `tag`; before the start, once for each tag. */
void fb_lane_own(struct fb_lane *lane, char tag, const struct fb_lane_owner *owner);
/* From now on nothing is sent or asked; rows stay open for the next start. What the disk still confirms
 * is heard. Then close the writer, let its last posts run, and close the lane. */
void fb_lane_stop(struct fb_lane *lane);
void fb_lane_close(struct fb_lane *lane); /* NULL allowed */
/* Asks the chain; started(arg, FB_OK) when the lane may sign. FB_UNREACHABLE …: ask again. FB_MISMATCH: the
 * chain's counter is and stays further below what this lane has used than can be filled (FB_LANE_FILL_MAX), or at 0
 * while no row is there: another chain, or one that was reset; the sentence says so. */
void fb_lane_start(struct fb_lane *lane, void (*started)(void *arg, enum fb_status status, const char *sentence),
		   void *arg);
const struct fb_address *fb_lane_signer(const struct fb_lane *lane);
/* The signer's native coin as last seen, and when the chain was last asked. */
bool fb_lane_balance(const struct fb_lane *lane, fb_u128 *wei);
size_t fb_lane_open_count(const struct fb_lane *lane);     /* rows that are not included */
size_t fb_lane_included_count(const struct fb_lane *lane); /* rows that wait for confirmations */
/* Does a row of an owner stand, in whatever state, whose key is one that `is` asks for? */
bool fb_lane_has(const struct fb_lane *lane, bool (*is)(void *arg, struct fb_str key), void *arg);
uint64_t fb_lane_moves(const struct fb_lane *lane, enum fb_lane_move m); /* made since it was opened */

struct fb_lane_job {
	struct fb_str key; /* the owner's, of 1..FB_LANE_OWNER_MAX bytes; the first says whose */
	struct fb_address to;
	struct fb_str data;
	uint64_t gas_limit;
	fb_u128 max_fee, max_priority_fee; /* wei per gas */
};
/* Allocates, signs, commits, sends. FB_OK: the owner hears the rest. Otherwise nothing has happened. */
FB_MUST_USE enum fb_status fb_lane_send(struct fb_lane *lane, const struct fb_lane_job *job);
#endif /* FB_LANE_H */
