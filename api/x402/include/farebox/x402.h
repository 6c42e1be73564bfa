/* farebox/x402.h - the facilitator's HTTP face: /verify, /settle, /supported, /health.
 *
 * Layer      9
 * Answers    exactly the shapes stock clients read: 200 for every verdict, also a negative one; 400 with
 *            {"error":…} for a body that is no x402 request. A well-formed request never gets a 5xx.
 * Errors     see Answers; a request that cannot get memory is a 503 before anything is settled.
 * Policy     when payees are listed, a requirement for another payTo is refused before any work.
 * Ids        with payment_identifier, a v2 payment may carry extensions["payment-identifier"].info.id, 16 to 128 of
 *            A-Z a-z 0-9 _ -. It is bound, durably, to the exact payment that was settled with it: the same payment
 *            with the same id gets its success again, any other payment of that payer with it a 409. 400: an id of
 *            another shape, or info.required without one. Of payments whose signature is not the payer's own key's (a
 *            contract's) the id is not looked at. Stored: DATA.md, key I.
 * Ownership  borrows everything until the HTTP server has stopped; loop and settle until the loop has closed.
 * Threads    handlers on the API pool; facts and settlements on the chain's loop.
 * Spec       x402 v1 and v2 facilitator API.
 */
#ifndef FB_X402_H
#define FB_X402_H
#include "farebox/core.h"
#include "farebox/http.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/network.h"
#include "farebox/port.h"
#include "farebox/settle.h"
#include "farebox/store.h"
#include "farebox/verify.h"
#include "farebox/view.h"
#include "farebox/wire.h"

#include <stdatomic.h>

enum { FB_X402_PAYEES_MAX = 64, FB_X402_SIGNERS_MAX = 8, FB_X402_BODY_MAX = 65536 };
struct fb_x402_job;
struct fb_x402 {
	const struct fb_network *network;
	struct fb_loop *loop;
	struct fb_view *view;
	struct fb_settle *settle;
	struct fb_address signers[FB_X402_SIGNERS_MAX]; /* who pays the gas; the first stands for all in simulations */
	size_t signer_count;                            /* at least 1 */
	struct fb_clock clock;
	struct fb_metrics *metrics;
	uint64_t verify_ms; /* deadline of one verification */
	uint64_t settle_ms; /* deadline of one settlement at the HTTP server: longer than the engine's own */
	uint64_t gas_limit_max;
	struct fb_address payees[FB_X402_PAYEES_MAX];
	size_t payee_count; /* 0: any */
	bool payment_identifier; /* the extension is honoured; then: */
	struct fb_store *store;
	struct fb_commit commit;
	struct fb_x402_job *running; /* the loop's: settlements with an id; NULL at first */
	atomic_bool closed; /* false at first */
};
struct fb_mount fb_x402_mount(struct fb_x402 *x);
/* When the HTTP server has stopped and before the engine closes: from now on nothing is given back to it. */
void fb_x402_close(struct fb_x402 *x);

/* ---- for other libraries that charge for something (the paywall) ------------------------------------ */
/* Starts settling and suspends the request; `next` runs with the outcome at hand. `mine` is the caller's,
 * usually in the request's arena. */
struct fb_answered fb_x402_settle_later(struct fb_x402 *x, struct fb_request *r, const struct fb_claim *c,
					fb_handler *next, void *mine);
/* In `next`, once: the outcome, and `mine` back. When the deadline came first: not known, reason SETTLE_ERROR; should
 * it turn out to be a success after all, that is given back. */
struct fb_settle_outcome fb_x402_outcome(struct fb_request *r, void **mine);
/* Puts the delivery watch on a reply that tells of a success: an answer that never goes out whole gives
 * the success back. */
void fb_x402_watch(struct fb_x402 *x, struct fb_reply *reply, const struct fb_settle_outcome *o);
#endif /* FB_X402_H */
