/* farebox/settle.h - settlement: one authorization, one transfer, success granted once; many in one transaction.
 *
 * What it is  the records of all settlements and the engine that moves them. A claim that was never seen is read,
 *             judged, put into the queue of the ready, simulated together with those that go with it, handed to a
 *             lane (its record becomes durable in the same batch as the signed bytes) and answered when the token's
 *             logs of it are in a receipt. A claim that is known is answered from its record.
 * Layer       7
 * Identity    (chain, token, payer, authorization nonce); bound to the exact payload by a fingerprint of all its
 *             fields and the signature.
 * States      FB_SETTLE_STATES; FB_SETTLE_MOVES lists every step there is. Numbers are stored: append only. A FAILED
 *             whose reason is not FB_REASON_NONCE_USED, and a LOST, are not for good: the next caller has the chain
 *             asked and, if the authorization is unused, a new transaction.
 * Batches     A payment goes out alone and at once when nothing is under way; under load payments gather and go out
 *             together (ready.c decides when). What was tried once in vain, a payer with code and an unusual
 *             signature always go alone. Each payment of a batch is judged by its own logs.
 * Who moved   A payment whose logs are missing in its transaction is looked for on the chain: somebody else's
 *             transaction with exactly our transfer counts, as our intent was durable before it; the record then
 *             names that one. Used for another transfer, or cancelled: failed for good. Unused: tried once more, alone.
 *             What no lane follows may be taken back unseen: before an INCLUDED is granted, the chain is asked again.
 * Grant       success goes to one caller, once, whatever the chain takes back afterwards. It is durable before it is
 *             answered; an answer that provably never went out gives it back (fb_settle_give_back).
 * Answers     success with the hash; failure with a reason; settlement_pending with the hash when the receipt
 *             does not come in time; nonce_already_used with the original hash for a repeat after the grant.
 *             The chain not answering is unexpected_settle_error: never success, never the payer's fault, nothing
 *             sent. A disk that does not confirm leaves the outcome unknown: settlement_pending.
 * Invariants  S1 at most one open transaction per identity          (checked: entry.c fb_settle_add, rows.c on_signing)
 *             S2 success only with the token's logs in a receipt    (checked: grant.c answer_grantee)
 *             S3 `granted` is durable before success is said        (checked: grant.c answer_grantee)
 *             S4 a record's fingerprint never changes while it counts (checked: rows.c on_signing)
 *             S5 a record moves only as FB_SETTLE_MOVES says        (checked: record.c fb_settle_move)
 * Errors      never a status: every submit ends in one outcome with a reason (see Answers).
 * Limits      FB_SETTLE_ENTRIES_MAX payments with a caller who waits, FB_SETTLE_WAITERS_MAX such callers,
 *             FB_SETTLE_LANES_MAX lanes, FB_LANE_BATCH_MAX payments a transaction. What is under way without a
 *             caller is in a lane's rows, or on its way to the disk: the lanes' limits bound it.
 * Ownership   borrows everything it is opened with until closed.
 * Threads     the loop's thread only.
 * Stored      DATA.md: settlement records.
 */
#ifndef FB_SETTLE_H
#define FB_SETTLE_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/head.h"
#include "farebox/lane.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/port.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/verify.h"
#include "farebox/view.h"
#include "farebox/wire.h"

enum { FB_SETTLE_ENTRIES_MAX = 8192, FB_SETTLE_WAITERS_MAX = 16384, FB_SETTLE_LANES_MAX = FB_LANES_MAX };
enum { FB_SETTLE_API_KEY_LEN = 8 /* of an API key's identity */ };
enum { FB_SETTLE_KEY_LEN = 1 + 8 + 20 + 20 + 32 };

/* X(name, stored number) */
#define FB_SETTLE_STATES(X)  \
	X(SIGNED,    1)      \
	X(INCLUDED,  2)      \
	X(FAILED,    3)      \
	X(LOST,      4)      \
	X(CONFIRMED, 5)
enum fb_settle_state {
	FB_SETTLE_NONE, /* no record */
#define X(name, num) FB_SETTLE_##name = num,
	FB_SETTLE_STATES(X)
#undef X
	FB_SETTLE_STATE_END /* not a state */
};
/* X(from, to, what it means) */
#define FB_SETTLE_MOVES(X)                                                                  \
	X(NONE,     SIGNED,    "a first transaction for it is durable")                     \
	X(SIGNED,   SIGNED,    "its transaction has a new hash: higher fees")               \
	X(SIGNED,   INCLUDED,  "the money moved, by our transaction or by somebody else's") \
	X(SIGNED,   FAILED,    "its transaction was mined and moved nothing")               \
	X(SIGNED,   LOST,      "another transaction has its account nonce")                 \
	X(INCLUDED, CONFIRMED, "as many blocks stand on it as the settings ask for")        \
	X(INCLUDED, SIGNED,    "the block is gone: it waits again")                         \
	X(CONFIRMED, SIGNED,   "the same, deeper than the settings took for possible")      \
	X(FAILED,   SIGNED,    "the block is gone, or a new transaction is durable")        \
	X(FAILED,   INCLUDED,  "somebody else's transaction moved the money later")         \
	X(FAILED,   FAILED,    "it was used for something else since: for good")            \
	X(LOST,     SIGNED,    "a new transaction, after a success that was told and taken back") \
	X(LOST,     INCLUDED,  "the money moved after all")                                 \
	X(LOST,     FAILED,    "it was mined after all and moved nothing")                 \
	X(LOST,     NONE,      "it moved nothing: the row is gone, and it may begin anew")
enum fb_settle_move {
#define X(from, to, what) FB_SETTLE_MOVE_##from##_##to,
	FB_SETTLE_MOVES(X)
#undef X
	FB_SETTLE_MOVE_END /* not a move */
};

struct fb_settle_key {
	uint8_t bytes[FB_SETTLE_KEY_LEN];
};
/* The key as text: "84532-<asset>-<payer>-<nonce>", the chain in decimal, the others in lower-case hex without 0x. One
 * text per key. FB_BAD_LENGTH, FB_BAD_SYNTAX, FB_OVERFLOW (the chain), FB_BAD_HEX: the first fault. */
enum { FB_SETTLE_ID_MAX = 20 + 1 + 40 + 1 + 40 + 1 + 64 };
struct fb_settle_key fb_settle_key_from(uint64_t chain_id, const struct fb_address *asset,
					const struct fb_address *payer, const struct fb_hash *nonce);
void fb_buf_settle_id(struct fb_buf *b, const struct fb_settle_key *key);
FB_MUST_USE enum fb_status fb_settle_id_parse(struct fb_settle_key *out, struct fb_str text);
uint64_t fb_settle_key_chain(const struct fb_settle_key *key);
struct fb_address fb_settle_key_asset(const struct fb_settle_key *key);
struct fb_address fb_settle_key_payer(const struct fb_settle_key *key);
struct fb_hash fb_settle_key_nonce(const struct fb_settle_key *key);

struct fb_settle_outcome {
	enum fb_reason reason; /* NONE is success, granted to this caller */
	bool has_tx;
	struct fb_hash tx;
	struct fb_note note;      /* human text; empty for success */
	struct fb_settle_key key; /* of the record, for fb_settle_give_back */
};

struct fb_settle_settings {
	uint64_t wait_ms; /* for a receipt, before settlement_pending */
	uint64_t gas_limit_max; /* of one payment */
	fb_u128 max_fee_wei;
	size_t batch_max;       /* payments a transaction, 1..FB_LANE_BATCH_MAX */
	uint64_t batch_gas_max; /* of one transaction */
	fb_u128 payer_day_wei, api_key_day_wei; /* of gas that one may cost in a UTC day; 0: no limit */
	uint64_t batch_age_ms;  /* the longest that a payment waits for others while the lanes have room */
	size_t batch_inflight;  /* transactions a lane that are not included, before payments wait for one that is */
	uint64_t reorg_depth_max; /* a block with so many above it stays */
};
struct fb_settle;
void fb_settle_open(struct fb_settle **out, struct fb_loop *loop, const struct fb_network *network, struct fb_rpc *rpc,
		    struct fb_view *view, struct fb_head *head, struct fb_lane *const *lanes, size_t lane_count,
		    struct fb_store *store, struct fb_commit commit, const struct fb_settle_settings *settings,
		    struct fb_clock clock, struct fb_log *log, struct fb_metrics *metrics);
void fb_settle_close(struct fb_settle *s); /* NULL allowed; after fb_settle_drain */
/* The callbacks of every lane, for fb_lane_own with the tag 'S'. */
struct fb_lane_owner fb_settle_owner(struct fb_settle *s);
/* Copies the claim (fb_claim_recover done). done runs exactly once, later or inside this call. api_key: whose budget
 * it is charged to, FB_SETTLE_API_KEY_LEN bytes that are the same for the same key and no other; NULL: nobody's. */
void fb_settle_submit(struct fb_settle *s, const struct fb_claim *c, const uint8_t *api_key,
		      void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg);
/* The success answered under this key never went out: the next caller with the same payload may have it. */
void fb_settle_give_back(struct fb_settle *s, const struct fb_settle_key *key);
/* What is known of a settlement: what is durable, or state 0 and nothing else while it is under way and nothing is.
 * FB_NOT_FOUND; FB_STORAGE. */
struct fb_settle_status {
	enum fb_settle_state state;
	bool granted;
	enum fb_reason reason;      /* of FAILED */
	struct fb_hash tx;          /* that moved the money; before, or when none did: our newest */
	struct fb_address to;
	struct fb_u256 value;
	uint64_t block;             /* of the transaction that decided it, 0 before */
	struct fb_hash block_hash;  /* zero: not stored */
	fb_u128 gas_wei;            /* its share of what its transaction cost, 0: not known */
	int64_t created_us, updated_us;
};
FB_MUST_USE enum fb_status fb_settle_look(struct fb_settle *s, struct fb_settle_status *out,
					  const struct fb_settle_key *key);
uint64_t fb_settle_moves(const struct fb_settle *s, enum fb_settle_move m); /* made since it was opened */
/* Everybody who waits is answered now (pending with the hash, or an error with nothing sent); later
 * submits are refused. */
void fb_settle_drain(struct fb_settle *s);
#endif /* FB_SETTLE_H */
