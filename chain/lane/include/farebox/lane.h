/* farebox/lane.h - one signer key's transactions: nonce, signed bytes, sending, inclusion.
 *
 * What it is  the only place that signs and sends. A job becomes a durable row (nonce, hash, signed
 *             bytes) in the same batch as the owner's own rows; only then is anything sent. A row stays open until
 *             the chain has answered for its nonce; the same bytes are sent again until then.
 * Layer       5
 * States      open (durable, maybe sent) -> included | lost (another transaction took the nonce).
 * Restart     fb_lane_open loads the open rows; fb_lane_start asks the chain about every one of them
 *             and for the account's counter before anything new is signed.
 * Errors      fb_lane_send: FB_BUSY (FB_LANE_OPEN_MAX rows open, or not started), FB_LIMIT (gas budget of the day),
 *             FB_NO_GAS is the caller's check: fb_lane_balance. Later, through the owner: FB_STORAGE.
 * Units       wei, gas. Days are UTC.
 * Invariants  L1 nothing is sent before its row is durable            (checked: lane.c send_row)
 *             L2 two rows of one lane never have the same nonce       (checked: lane.c add_row)
 *             L3 a nonce below the stored counter is never allocated  (checked: lane.c allocate)
 * Ownership   borrows everything it is opened with until closed. Owner callbacks get what they gave.
 * Threads     the loop's thread only.
 * Stored      DATA.md: lane rows, lane counter, gas of the day.
 */
#ifndef FB_LANE_H
#define FB_LANE_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/event.h"
#include "farebox/json.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/port.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/token.h"

enum {
	FB_LANE_OPEN_MAX = 200,
	FB_LANE_DATA_MAX = 12288,   /* calldata bytes */
	FB_LANE_OWNER_MAX = 96,     /* bytes of an owner's key */
	FB_LANE_OWNER_PUTS_MAX = 4, /* rows an owner may commit with a lane's */
	FB_LANE_RESEND_MS = 5000,
	FB_LANE_LOST_MS = 10000, /* a nonce taken by another transaction must look so for this long */
	FB_LANE_BEHIND_MS = 5000, /* at the start: a chain that is behind us must look so for this long */
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
/* What the owner of a job is asked and told. `key` is the owner's key as given with the job. Order of
 * calls for one job: signing, durable (or, after a restart, found), then included or lost, then recorded. */
struct fb_lane_owner {
	void (*signing)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	/* A row of an earlier life that is still open; before the lane says that it has started. */
	void (*found)(void *ctx, struct fb_str key, const struct fb_hash *tx);
	/* The row is durable and on its way (FB_OK), or the disk failed and nothing is sent (FB_STORAGE). */
	void (*durable)(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status);
	void (*included)(void *ctx, struct fb_str key, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			 struct fb_lane_puts *puts);
	void (*recorded)(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status);
	/* The account's nonce is past and there is no receipt: the transaction can never be included, unless the
	 * node hides its receipt. The row is gone with the puts. */
	void (*lost)(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts);
	void *ctx;
};

struct fb_lane_settings {
	uint64_t chain_id;
	uint64_t receipt_poll_ms;
	fb_u128 budget_day_wei; /* 0: none */
};
struct fb_lane;
/* FB_STORAGE, FB_BAD_KEY; e says what. The key is copied and wiped at close. */
FB_MUST_USE enum fb_status fb_lane_open(struct fb_lane **out, struct fb_loop *loop, struct fb_rpc *rpc,
					struct fb_store *store, struct fb_commit commit, const struct fb_key *key,
					const struct fb_lane_settings *settings, struct fb_clock clock,
					struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e);
/* From now on nothing is sent or asked; rows stay open for the next start. What the disk still confirms
 * is heard. Then close the writer, let its last posts run, and close the lane. */
void fb_lane_stop(struct fb_lane *lane);
void fb_lane_close(struct fb_lane *lane); /* NULL allowed */
/* Asks the chain; started(arg, FB_OK) when the lane may sign. FB_UNREACHABLE …: ask again. FB_MISMATCH: the
 * chain's counter is and stays below what this lane has used: another chain, or one that was reset; the sentence says
 * so. */
void fb_lane_start(struct fb_lane *lane, const struct fb_lane_owner *owner,
		   void (*started)(void *arg, enum fb_status status, const char *sentence), void *arg);
const struct fb_address *fb_lane_signer(const struct fb_lane *lane);
/* The signer's native coin as last seen, and when the chain was last asked. */
bool fb_lane_balance(const struct fb_lane *lane, fb_u128 *wei);
size_t fb_lane_open_count(const struct fb_lane *lane);

struct fb_lane_job {
	struct fb_str key; /* the owner's, at most FB_LANE_OWNER_MAX bytes */
	struct fb_address to;
	struct fb_str data;
	uint64_t gas_limit;
	fb_u128 max_fee, max_priority_fee; /* wei per gas */
};
/* Allocates, signs, commits, sends. FB_OK: the owner hears the rest. Otherwise nothing has happened. */
FB_MUST_USE enum fb_status fb_lane_send(struct fb_lane *lane, const struct fb_lane_job *job);
#endif /* FB_LANE_H */
