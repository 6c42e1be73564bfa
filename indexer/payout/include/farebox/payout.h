/* farebox/payout.h - withdrawals: from a request to money in the owner's wallet, or back in his balance.
 *
 * What it is  a withdrawal is a hold on its owner's available balance and a row, stored in one batch. It is ordered
 *             from the escrow by transactions of a lane of its own, several in one when several wait, always under the
 *             one payout id it will ever have: the contract pays an id once and never again, whatever is sent how
 *             often. What became of it is taken from the escrow's events alone. When they lie under the rung, the hold
 *             is captured; or released, if the id was burned on the chain, so that it can never be paid any more.
 * Layer       8
 * Amounts     in the token's smallest unit. `amount` leaves the owner's balance; amount - fee goes to the wallet, and
 *             in the books to `payout` (of the escrow's address), from where the indexer posts what left the escrow;
 *             fee goes to `fees` (of the owner of all zeros).
 * Ids         of a withdrawal: 16 bytes that read as a UUID, random or, with an idempotency key, made from owner and
 *             key. Payout id: withdrawal id and 16 bytes of a hash over chain, escrow, withdrawal id, owner, wallet,
 *             amount and fee. Of hold, capture and release in the ledger: from the payout id.
 * States      FB_PAYOUT_STATES, and FB_PAYOUT_MOVES with what leads from one to the next. A state says what is known:
 *               QUEUED   no transaction that is thought to pay it is on its way
 *               SENT     ordered by a signed transaction, of which the lane will tell
 *               PAID     the escrow's Payout is in `block`
 *               UNSURE   neither events nor lane tell: the chain is asked for the state of its id
 *               DOOMED   refused for a reason that will not pass: its id shall be burned
 *               BURNING  by a signed transaction, of which the lane will tell
 *               BURNT    the escrow's PayoutCancelled is in `block`
 *               COMPLETED, FAILED  the hold was captured, released; nothing follows
 * Reorgs      Whatever was concluded from a block that is gone is taken back (the GONE_ moves) while the lane follows
 *             the transaction, and asked again (the ADRIFT_ moves) when it does not any more. A refused order may be
 *             paid after all when its block is replaced: it keeps its id, so the next order of it, or the burning, is
 *             refused by the contract, and UNSURE finds the Payout. Under the rung nothing is looked at any more.
 * Crashes     Between any two durable steps:
 *               request stored, not answered      the same idempotency key finds it
 *               stored, not signed                QUEUED: signed after the start
 *               signed (row of the lane and ours in one batch), not sent or not known to be
 *                                                 the lane sends the same bytes again, and tells
 *               mined, not recorded               the lane asks for the receipt again
 *               recorded, hold not ended          PAID or BURNT: looked at again under the rung
 *               hold ended                        in one batch with the state
 *             A SENT or BURNING without a row of the lane (another key is used now): UNSURE, the chain is asked.
 * Waits       for Paused, TokenPaused, OverDayCap, InsufficientBalance: tried again, after a growing time. Other
 *             reasons: DOOMED. Nothing is signed while payouts are stopped (fb_payout_hold, the port `stopped`), while
 *             the escrow or its token is paused, the escrow is blacklisted, or the signer lacks the payout role or gas
 *             money. Withdrawals wait oldest first; one that the day's cap or the escrow's balance has no room for lets
 *             smaller ones pass.
 * Errors      as written at each function. If the disk fails nothing more is done in this life.
 * Limits      below.
 * Invariants  W1 nothing is signed for a withdrawal that is not durable                     (checked: report.c)
 *             W2 a withdrawal has one payout id, ever; the row proves it                    (checked: record.c)
 *             W3 a hold is captured only after the escrow's Payout of this id, wallet and amount was read in a block
 *                under the rung, released only after its PayoutCancelled was                 (checked: rung.c)
 *             W4 a state changes only as FB_PAYOUT_MOVES says                                (checked: table.c)
 *             W5 one transaction at most stands for a withdrawal that is SENT or BURNING     (checked: report.c)
 * Ownership   borrows everything it is opened with. Stop before the rpc is closed; close after the writer is closed and
 *             the loop has run what it posted.
 * Threads     the loop's thread; what reads rows (fb_payout_get, _list, _sum, _ordered): any.
 * Stored      DATA.md: W, V, X.
 */
#ifndef FB_PAYOUT_H
#define FB_PAYOUT_H
#include "farebox/books.h"
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/credit.h"
#include "farebox/escrow.h"
#include "farebox/event.h"
#include "farebox/head.h"
#include "farebox/lane.h"
#include "farebox/logs.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/port.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/writer.h"

enum {
	FB_PAYOUT_OPEN_MAX = 16384,     /* withdrawals that are not over */
	FB_PAYOUT_BATCH_MAX = 64,       /* in one transaction */
	FB_PAYOUT_INFLIGHT_MAX = 4,     /* transactions that are not included */
	FB_PAYOUT_OWNER_DAY_MAX = 1000, /* withdrawals of an owner and UTC day */
	FB_PAYOUT_OWNERS_MAX = 1 << 18, /* owners that withdraw in one UTC day */
	FB_PAYOUT_KEY_MAX = 255,        /* bytes of an idempotency key */
	FB_PAYOUT_LIST_MAX = 100,       /* withdrawals of one list */
	FB_PAYOUT_COUNT_MAX = 10000,    /* of one owner, that a list counts and reaches */
	FB_PAYOUT_WAITERS_MAX = 16384,  /* requests that are not answered */
	FB_PAYOUT_RETRY_MS = 5000,      /* after a refusal that may pass; doubled up to */
	FB_PAYOUT_RETRY_MAX_MS = 600000,
};

/* X(name, stored number, what the owner is shown) */
#define FB_PAYOUT_STATES(X)             \
	X(NONE,      0, "none")         \
	X(QUEUED,    1, "pending")      \
	X(SENT,      2, "processing")   \
	X(PAID,      3, "processing")   \
	X(UNSURE,    4, "processing")   \
	X(DOOMED,    5, "processing")   \
	X(BURNING,   6, "processing")   \
	X(BURNT,     7, "processing")   \
	X(COMPLETED, 8, "completed")    \
	X(FAILED,    9, "failed")
enum fb_payout_state {
#define X(name, num, text) FB_PAYOUT_##name = num,
	FB_PAYOUT_STATES(X)
#undef X
	FB_PAYOUT_STATE_END /* not a state */
};
const char *fb_payout_status_text(enum fb_payout_state s); /* what the owner is shown */
const char *fb_payout_state_name(enum fb_payout_state s);  /* for operators: "QUEUED" … */

/* X(name, from, to) */
#define FB_PAYOUT_MOVES(X)                                                                          \
	X(ACCEPT,        NONE,    QUEUED)    /* hold and row are on their way, in one batch */      \
	X(SIGN,          QUEUED,  SENT)                                                             \
	X(PAY,           SENT,    PAID)      /* Payout */                                           \
	X(PUT_OFF,       SENT,    QUEUED)    /* PayoutFailed, for a reason that may pass */         \
	X(DOOM,          SENT,    DOOMED)    /* PayoutFailed, for one that will not */              \
	X(DOUBT,         SENT,    UNSURE)    /* lost; no event; AlreadyPaid, Cancelled; no row */   \
	X(GONE_PAID,     PAID,    SENT)      /* its block is gone, the lane follows */              \
	X(GONE_PUT_OFF,  QUEUED,  SENT)                                                             \
	X(GONE_DOOMED,   DOOMED,  SENT)                                                             \
	X(GONE_UNSURE,   UNSURE,  SENT)                                                             \
	X(ADRIFT_PAID,   PAID,    UNSURE)    /* its block is gone, nobody follows */                \
	X(FIND_PAID,     UNSURE,  PAID)      /* the id is paid: in that block */                    \
	X(FIND_BURNT,    UNSURE,  BURNT)                                                            \
	X(FIND_UNUSED,   UNSURE,  QUEUED)    /* the id is not used */                               \
	X(FIND_DOOMED,   UNSURE,  DOOMED)    /* neither, and it was to be burned */                 \
	X(BURN,          DOOMED,  BURNING)                                                          \
	X(BURNT,         BURNING, BURNT)     /* PayoutCancelled */                                  \
	X(BURN_DOUBT,    BURNING, UNSURE)    /* lost, or no event */                                \
	X(GONE_BURNT,    BURNT,   BURNING)                                                          \
	X(GONE_BURNING,  UNSURE,  BURNING)                                                          \
	X(ADRIFT_BURNT,  BURNT,   UNSURE)                                                           \
	X(CAPTURE,       PAID,    COMPLETED) /* under the rung, with the end of the hold */         \
	X(RELEASE,       BURNT,   FAILED)
enum fb_payout_move {
#define X(name, from, to) FB_PAYOUT_MOVE_##name,
	FB_PAYOUT_MOVES(X)
#undef X
	FB_PAYOUT_MOVE_END /* not a move */
};

/* Classes of operations in the ledger (`code`); above the indexer's. Numbers are stored. */
enum fb_payout_code { FB_PAYOUT_CODE_HOLD = 32, FB_PAYOUT_CODE_CAPTURE = 33, FB_PAYOUT_CODE_RELEASE = 34 };

struct fb_withdrawal {
	struct fb_uuid id;
	struct fb_owner owner;
	struct fb_address to;
	struct fb_amount amount, fee; /* amount > fee */
	struct fb_hash payout_id;
	enum fb_payout_state state;
	enum fb_escrow_refusal reason; /* of the last refusal, NONE if none stands; of FAILED: why it was not paid */
	bool held;                     /* by the operator: nothing is signed for it */
	uint32_t tries;                /* refusals that may pass, so far */
	int64_t created_us, updated_us;
	uint64_t since; /* no transaction of it is in an earlier block; 0: none was signed yet */
	uint64_t job;   /* number of the lane's job that stands for it; 0: none does */
	struct fb_hash tx; /* the newest that stood for it; PAID and on: that paid it; zero: none */
	uint64_t block;    /* PAID, BURNT and on: of the escrow's event; else 0 */
	struct fb_hash block_hash;
};

struct fb_payout_settings {
	struct fb_escrow escrow;
	uint32_t asset;
	uint64_t from_block;      /* the one the escrow was deployed in; at least 1 */
	enum fb_credit_rung rung; /* of the end of a hold */
	uint64_t blocks;          /* of the rung BLOCKS, the event's own counted */
	struct fb_amount min, max; /* of `amount`; min > fee */
	struct fb_amount fee;
	struct fb_amount day_max; /* of an owner and UTC day; 0: none */
	fb_u128 max_fee_wei;      /* per gas */
	uint64_t range_max;       /* blocks whose logs are asked for at once */
};
struct fb_payout_ports {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_rpc *second; /* prefers another endpoint: asked before a hold ends; NULL: rpc is */
	struct fb_head *head;
	struct fb_lane *lane;  /* of the payout role's key, for nothing else; fb_lane_own is called by fb_payout_open */
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_clock clock;
	struct fb_rng rng;
	struct fb_log *log;
	struct fb_metrics *metrics;
	/* Why nothing may be signed and nothing accepted now, NULL if nothing speaks against it. */
	const char *(*stopped)(void *ctx);
	/* fb_payout_status may say something else now. NULL allowed. */
	void (*changed)(void *ctx);
	void *ctx;
};
struct fb_payout;
/* Before the lane is started. FB_STORAGE: a row of ours cannot be read; e says which. */
FB_MUST_USE enum fb_status fb_payout_open(struct fb_payout **out, const struct fb_payout_ports *ports,
					  const struct fb_payout_settings *settings, struct fb_error *e);
void fb_payout_start(struct fb_payout *p); /* the lane has started */
void fb_payout_stop(struct fb_payout *p);  /* nothing more is asked or signed. NULL allowed */
void fb_payout_close(struct fb_payout *p); /* stopped. NULL allowed */

/* ---- what owners want ------------------------------------------------------------------------------------------- */
struct fb_payout_request {
	struct fb_owner owner;
	struct fb_address to;    /* the owner's proven wallet */
	struct fb_amount amount;
	struct fb_str key;       /* the owner's idempotency key, at most FB_PAYOUT_KEY_MAX bytes; empty: none */
};
/* done runs once, later or inside this call; with FB_OK it gets the withdrawal as it is stored. With a key that was
 * used before: the same withdrawal as then, as it is now, or the same refusal for want of money. In this order:
 *   FB_DRAINING, FB_STORAGE
 *   FB_ID_REUSED   the key stands for a withdrawal of another amount
 *   FB_BUSY        payouts are stopped (fb_payout_stopped), or too many are open
 *   FB_BAD_VALUE   amount below min or above max; `to` is zero, the escrow or the token
 *   FB_LIMIT       more than day_max, or FB_PAYOUT_OWNER_DAY_MAX, on this UTC day (what failed does not count)
 *   FB_FUNDS       less is available */
void fb_payout_request(struct fb_payout *p, const struct fb_payout_request *r,
		       void (*done)(void *arg, enum fb_status status, const struct fb_withdrawal *w), void *arg);

/* ---- what operators want ---------------------------------------------------------------------------------------- */
/* Stops signing for one withdrawal, or (NULL) for all, and then accepting too; until released, restarts included.
 * FB_NOT_FOUND: no open withdrawal. */
FB_MUST_USE enum fb_status fb_payout_hold(struct fb_payout *p, const struct fb_uuid *id);
FB_MUST_USE enum fb_status fb_payout_release(struct fb_payout *p, const struct fb_uuid *id);
/* Why payouts are stopped, as a phrase of static life; NULL: they are not. */
const char *fb_payout_stopped(const struct fb_payout *p);

struct fb_payout_status {
	size_t open;               /* withdrawals that are not over */
	struct fb_amount open_sum;
	bool held;                 /* all, by fb_payout_hold */
	bool dead;                 /* the disk failed */
	bool low;                  /* the signer has too little gas money for what waits */
	/* As the chain said last: */
	bool looked;               /* it was asked at all */
	bool role_missing;         /* the signer may not pay out */
	bool escrow_paused, token_paused, blacklisted; /* blacklisted: the escrow, by the token */
	bool short_of_money;       /* the escrow holds less than a withdrawal that waits */
};
void fb_payout_status(const struct fb_payout *p, struct fb_payout_status *out);
/* Every open withdrawal, oldest first; `each` may stop the walk and must not change anything. */
void fb_payout_each(const struct fb_payout *p, bool (*each)(void *arg, const struct fb_withdrawal *w), void *arg);
const struct fb_payout_settings *fb_payout_terms(const struct fb_payout *p); /* any thread */

/* ---- what is stored; any thread, also without an engine --------------------------------------------------------- */
struct fb_payout_rows {
	struct fb_store *store;
	struct fb_escrow escrow;
};
/* FB_NOT_FOUND, FB_STORAGE. */
FB_MUST_USE enum fb_status fb_payout_get(const struct fb_payout_rows *rows, struct fb_withdrawal *out,
					 const struct fb_uuid *id);
/* An owner's, newest first, behind the first `offset`; *total counts all, up to FB_PAYOUT_COUNT_MAX. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_payout_list(const struct fb_payout_rows *rows, struct fb_withdrawal *out, size_t *count,
					  size_t cap, size_t *total, const struct fb_owner *owner, size_t offset);
/* Of an owner's open withdrawals (NULL: of everybody's). FB_STORAGE, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_payout_sum(const struct fb_payout_rows *rows, struct fb_amount *out,
					 const struct fb_owner *owner);
/* The indexer's port is_payout: a withdrawal of ours ordered it, of that id, wallet and amount. */
bool fb_payout_ordered(const struct fb_payout_rows *rows, const struct fb_movement *m);
#endif /* FB_PAYOUT_H */
