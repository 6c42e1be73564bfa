/* farebox/rig.h - the settlement engine whole, on a simulated chain: real store, real writer, real loop, real
 * HTTP, in a directory of its own; started, stopped and crashed as often as a test likes.
 *
 * What it checks by itself, at every moment, stopping the test at once:
 *   - on every transaction that is handed to the chain: its lane row stands in the store (lane L1);
 *   - on every booking of gas: the transaction was mined, and costs what it cost before;
 *   - on every success that is granted: the record in the store says granted (settle S3) and the named
 *     transaction moved the money (settle S2); and nobody else holds the success of that authorization;
 *   - on every answer: pending and success name a transaction; refused answers say why; of a payment said to have
 *     failed we moved no money, and its transaction was really mined.
 *   Of a chain in another process nothing is seen but what its node says.
 * Clock       real time plus what fb_rig_advance_ms added; the wall stands at FB_SAMPLE_NOW_S at first.
 * Layer       12; linked by tests alone.
 * Errors      none, but for fb_rig_start's: what goes wrong is the test's failure and stops it.
 * Threads     one test thread. Answers come on the loop's.
 */
#ifndef FB_RIG_H
#define FB_RIG_H
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/head.h"
#include "farebox/lane.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/rpc.h"
#include "farebox/settle.h"
#include "farebox/sim.h"
#include "farebox/verify.h"
#include "farebox/view.h"

enum { FB_RIG_ANSWERS_MAX = 32768, FB_RIG_WAIT_MS = 20000 /* real, before a test gives up */ };
struct fb_rig;
struct fb_rig_settings {
	uint64_t seed;
	const char *directory; /* used and kept; NULL: one of its own, removed at the end */
	const char *url;       /* of a chain in another process; NULL: one of its own */
	uint64_t wait_ms;         /* for a receipt; 0 takes 60 s, that is: until the test moves the clock */
	uint64_t rpc_timeout_ms;  /* 0 takes 2 s */
	fb_u128 budget_day_wei;   /* 0: none */
	uint64_t gas_limit_max;   /* 0 takes 400000 */
	fb_u128 max_fee_wei;      /* 0 takes 500 gwei */
	fb_u128 payer_day_wei, api_key_day_wei; /* 0: none */
	size_t batch_max;         /* payments a transaction; 0 takes FB_LANE_BATCH_MAX */
};
/* A chain, an empty directory, a signer with gas money; nothing runs yet. */
void fb_rig_open(struct fb_rig **out, const struct fb_rig_settings *settings);
void fb_rig_close(struct fb_rig *r); /* stopped already or not; the directory goes */
/* Opens everything on the directory and starts the lane; what fb_lane_start said. */
enum fb_status fb_rig_start(struct fb_rig *r);
const char *fb_rig_sentence(const struct fb_rig *r); /* of the last start */
void fb_rig_stop(struct fb_rig *r);  /* drains, then closes everything in order */
/* The same, with `between` run when nothing more is asked of the chain and before the writer is closed. */
void fb_rig_stop_with(struct fb_rig *r, void (*between)(void *rig));
void fb_rig_drain(struct fb_rig *r); /* the first step of a stop, alone */
void fb_rig_crash(struct fb_rig *r); /* nothing more is stored, answers from now on reach nobody; then closes */
bool fb_rig_runs(const struct fb_rig *r);
/* For the next start. */
void fb_rig_use_key(struct fb_rig *r, const struct fb_key *signer);
void fb_rig_use_chain(struct fb_rig *r, struct fb_sim *other); /* borrowed; NULL: the rig's own */

struct fb_sim *fb_rig_sim(struct fb_rig *r);
struct fb_address fb_rig_signer(const struct fb_rig *r);
const struct fb_network *fb_rig_network(const struct fb_rig *r);
void fb_rig_advance_ms(struct fb_rig *r, uint64_t ms);
void fb_rig_race_clock(struct fb_rig *r, unsigned times); /* as fast as real time; 1 at the start */
struct fb_clock fb_rig_clock(struct fb_rig *r);
/* Runs fn(arg) on the loop and waits for it. */
void fb_rig_on_loop(struct fb_rig *r, void (*fn)(void *arg), void *arg);
struct fb_loop *fb_rig_loop(struct fb_rig *r);
struct fb_rpc *fb_rig_rpc(struct fb_rig *r);
struct fb_view *fb_rig_view(struct fb_rig *r);
struct fb_head *fb_rig_head(struct fb_rig *r);
struct fb_lane *fb_rig_lane(struct fb_rig *r);
size_t fb_rig_open_rows(struct fb_rig *r);
size_t fb_rig_included_rows(struct fb_rig *r); /* that wait for confirmations */
uint64_t fb_rig_moves(struct fb_rig *r, enum fb_lane_move m); /* of the lanes of all lives that are over */
uint64_t fb_rig_settle_moves(struct fb_rig *r, enum fb_settle_move m); /* likewise, of the records */
/* The gas book refuses so often; what it takes, it takes once for each transaction. */
/* From now on a transaction may be told at another cost than before: its block can go after it was booked. */
void fb_rig_reprice(struct fb_rig *r);
void fb_rig_refuse_books(struct fb_rig *r, unsigned times);

/* ---- payments --------------------------------------------------------------------------------------------- */
/* The sample payment (tests/unit/fb_sample.h) of a payer with its own nonce, changed as told, signed. */
struct fb_rig_payment {
	struct fb_key payer;
	uint32_t nonce;
	uint64_t atoms;     /* of the authorization and the price; 0 takes 1000 */
	uint64_t until_s;   /* it is valid; 0: life_s decides */
	uint64_t life_s;    /* from the clock's now; 0 takes 300 */
	uint8_t version;    /* 0 takes 2 */
	const char *domain; /* name; NULL takes the token's */
};
void fb_rig_claim(struct fb_claim *out, struct fb_rig *r, const struct fb_rig_payment *p);
struct fb_key fb_rig_payer(uint32_t number); /* a key of its own for each number */

typedef unsigned fb_rig_ticket;
struct fb_rig_answer {
	struct fb_settle_outcome outcome;
	bool reached_nobody; /* given after a crash */
};
fb_rig_ticket fb_rig_submit(struct fb_rig *r, const struct fb_claim *c);
fb_rig_ticket fb_rig_submit_keyed(struct fb_rig *r, const struct fb_claim *c, uint64_t api_key); /* 0: none */
bool fb_rig_answered(struct fb_rig *r, fb_rig_ticket t);
struct fb_rig_answer fb_rig_wait(struct fb_rig *r, fb_rig_ticket t); /* fails the test after FB_RIG_WAIT_MS */
struct fb_settle_outcome fb_rig_settle(struct fb_rig *r, const struct fb_claim *c); /* submit and wait */
/* The answer of that ticket never went out. */
void fb_rig_give_back(struct fb_rig *r, fb_rig_ticket t);
void fb_rig_give_back_key(struct fb_rig *r, const struct fb_claim *c); /* fb_settle_give_back alone */
unsigned fb_rig_successes(struct fb_rig *r, const struct fb_claim *c); /* granted and not given back */

/* ---- the disk ----------------------------------------------------------------------------------------------- */
struct fb_rig_record {
	unsigned state; /* 0: none */
	bool granted;
	struct fb_hash tx;
};
struct fb_rig_record fb_rig_record(struct fb_rig *r, const struct fb_claim *c);
void fb_rig_hold_commits(struct fb_rig *r, bool hold); /* fsync takes until it is let go */
/* The commit after `after` more is not confirmed (stored or not, as told), and all later ones fail. */
void fb_rig_fail_commit(struct fb_rig *r, unsigned after, bool stored);
unsigned fb_rig_commits(struct fb_rig *r); /* so far */
#endif /* FB_RIG_H */
