/* farebox/escrow.h - what the escrow contract takes and says: its creation code, calldata, status and events.
 *
 * Layer      4
 * Spec       contracts-abi/Escrow.sol and EscrowRoles.sol; the Solidity ABI.
 * Events     Each carries a number: 1, 2, 3 … over all events of one escrow, without a gap; so whoever reads them can
 *            tell that none is missing, and ask for a missing one by number (it is topic 1 of every event).
 *            In a transaction's logs the token's Transfer stands directly before the DEPOSIT or PAYOUT that it belongs
 *            to, and AuthorizationUsed directly before that Transfer. A bare transfer to the escrow has no event.
 * Amounts    of events are what stands in the log, up to 2^256-1: fb_u256_to_amount is the door to money. A DEPOSIT or
 *            PAYOUT never says more than the token moved; a PAYOUT_FAILED may name any amount.
 * Errors     as written at each function; outputs only on FB_OK.
 * Threads    pure functions.
 */
#ifndef FB_ESCROW_H
#define FB_ESCROW_H
#include "farebox/codec.h"
#include "farebox/core.h"

/* ---- why a payout is not made ----------------------------------------------------------------------
 * X(name, number in the contract, stable name). The first that applies, in this order. A payout that failed may be
 * tried again, or its id burned by cancelPayout; only then can it never be paid. */
#define FB_ESCROW_REFUSALS(X)                                                                                     \
	X(NONE,                 0,  "none")                                                                       \
	X(PAUSED,               1,  "escrow_paused")        /* by its pause role or owner */                      \
	X(ALREADY_PAID,         2,  "already_paid")                                                               \
	X(CANCELLED,            3,  "cancelled")            /* the id was burned */                               \
	X(BAD_PAYEE,            4,  "bad_payee")            /* zero, the escrow or the token */                   \
	X(ZERO_AMOUNT,          5,  "zero_amount")                                                                \
	X(OVER_PAYOUT_CAP,      6,  "over_payout_cap")                                                            \
	X(OVER_DAY_CAP,         7,  "over_day_cap")         /* of the UTC day */                                  \
	X(TOKEN_PAUSED,         8,  "token_paused")                                                               \
	X(INSUFFICIENT_BALANCE, 9,  "insufficient_balance") /* the escrow holds less than the amount */           \
	X(TOKEN_REFUSED,        10, "token_refused")        /* else: payee or escrow blacklisted; ask which */
enum fb_escrow_refusal {
#define X(name, number, text) FB_ESCROW_REFUSAL_##name = number,
	FB_ESCROW_REFUSALS(X)
#undef X
};
const char *fb_escrow_refusal_name(enum fb_escrow_refusal r); /* the stable name; never NULL */

/* ---- events ----------------------------------------------------------------------------------------- */
/* X(name). What each sets beside kind and sequence stands in struct fb_escrow_event. */
#define FB_ESCROW_EVENTS(X)    \
	X(DEPOSIT)             \
	X(PAYOUT)              \
	X(PAYOUT_FAILED)       \
	X(PAYOUT_CANCELLED)    \
	X(CAPS_CHANGED)        \
	X(OWNER_PROPOSED)      \
	X(OWNER_CHANGED)       \
	X(PAYOUT_ROLE_CHANGED) \
	X(PAUSE_ROLE_CHANGED)  \
	X(PAUSED)              \
	X(UNPAUSED)
enum fb_escrow_kind {
#define X(name) FB_ESCROW_##name,
	FB_ESCROW_EVENTS(X)
#undef X
	FB_ESCROW_KINDS
};
/* Members that its kind does not set are zero. */
struct fb_escrow_event {
	enum fb_escrow_kind kind;
	uint64_t sequence;             /* at least 1 */
	struct fb_address beneficiary; /* DEPOSIT: whose money it is */
	struct fb_address payer;       /* DEPOSIT: who it came from */
	struct fb_hash authorization;  /* DEPOSIT: nonce of its EIP-3009 authorization; zero: there was none */
	struct fb_hash id;             /* PAYOUT, PAYOUT_FAILED, PAYOUT_CANCELLED */
	struct fb_address to;          /* PAYOUT, PAYOUT_FAILED */
	struct fb_u256 amount;         /* DEPOSIT, PAYOUT, PAYOUT_FAILED */
	enum fb_escrow_refusal reason; /* PAYOUT_FAILED: not NONE */
	fb_u128 payout_cap, day_cap;   /* CAPS_CHANGED */
	struct fb_address previous;    /* OWNER_PROPOSED: the owner; *_CHANGED of a role: who had it before */
	struct fb_address account;     /* OWNER_PROPOSED: the candidate; *_CHANGED of a role: who has it now;
					* PAUSED, UNPAUSED: by whom */
};
enum { FB_ESCROW_TOPICS_MAX = 4 };
/* Topic 0 of a kind's events, for filters. */
struct fb_hash fb_escrow_topic(enum fb_escrow_kind kind);
/* A log that the escrow's address emitted: `count` topics, and data as bytes. In this order FB_NOT_FOUND (no event of
 * an escrow), FB_BAD_LENGTH (topics or data), and of the first wrong member FB_OVERFLOW (a number too large for its
 * type) or FB_BAD_VALUE (sequence 0, bytes before an address, an unknown reason or NONE). One log reads as one
 * event, and no two logs as the same (fuzzed). */
FB_MUST_USE enum fb_status fb_escrow_event_read(struct fb_escrow_event *out, const struct fb_hash *topics, size_t count,
						struct fb_str data);

/* ---- deployment -------------------------------------------------------------------------------------- */
/* Three different addresses hold the roles; payout_role and pause_role may be zero (held by nobody). */
struct fb_escrow_terms {
	struct fb_address token, owner, payout_role, pause_role;
	fb_u128 payout_cap, day_cap; /* in the token's smallest unit */
};
enum { FB_ESCROW_CREATION_MAX = 16384 };
/* True if this is, byte by byte, the code of an escrow for that token as this program would create it: it keeps the
 * promises that are tested here, whatever its address says of itself. */
bool fb_escrow_code_is_ours(struct fb_str code, const struct fb_address *token);
/* The data of the transaction that creates an escrow; at most FB_ESCROW_CREATION_MAX bytes. */
void fb_escrow_creation(struct fb_buf *out, const struct fb_escrow_terms *terms);

/* ---- calls of the payout role --------------------------------------------------------------------------- */
struct fb_escrow_order {
	struct fb_hash id; /* each is paid once, ever */
	struct fb_address to;
	struct fb_u256 amount;
};
enum { FB_ESCROW_BATCH_MAX = 256 };
/* payoutBatch: PAYOUT or PAYOUT_FAILED of each order, in their order. It reverts as a whole for a caller without the
 * role, for more than FB_ESCROW_BATCH_MAX orders and for want of gas, never because of an order. */
void fb_escrow_payout_batch_call(struct fb_buf *out, const struct fb_escrow_order *orders, size_t count);
size_t fb_escrow_payout_batch_len(size_t count); /* bytes that fb_escrow_payout_batch_call writes */
/* cancelPayout: PAYOUT_CANCELLED, or reverts if the id was paid or burned before. Also while the escrow is paused. */
void fb_escrow_cancel_call(struct fb_buf *out, const struct fb_hash *id);

/* ---- reads ----------------------------------------------------------------------------------------------- */
enum fb_escrow_payout_state { FB_ESCROW_ID_UNUSED = 0, FB_ESCROW_ID_PAID = 1, FB_ESCROW_ID_CANCELLED = 2 };
void fb_escrow_payout_state_call(struct fb_buf *out, const struct fb_hash *id);
/* FB_BAD_LENGTH, FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_escrow_payout_state_answer(enum fb_escrow_payout_state *out, struct fb_str data);

/* All there is to know, at one block: the balance and the number of the latest event belong together. */
struct fb_escrow_status {
	struct fb_address token, owner, pending_owner, payout_role, pause_role; /* zero: nobody */
	bool paused;
	uint64_t sequence; /* of the latest event */
	fb_u128 payout_cap, day_cap, paid_today;
	struct fb_u256 balance; /* token.balanceOf(escrow) */
};
void fb_escrow_status_call(struct fb_buf *out);
/* FB_BAD_LENGTH, FB_OVERFLOW, FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_escrow_status_answer(struct fb_escrow_status *out, struct fb_str data);
#endif /* FB_ESCROW_H */
