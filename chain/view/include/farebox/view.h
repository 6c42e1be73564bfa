/* farebox/view.h - what the chain says about a payment, read for many payments at once.
 *
 * What it is  payments that wait while a read is under way go into the next one together: one eth_call
 *             of the lens, pinned to one block, answers for up to FB_TOKEN_READ_MAX of them. The next one leaves
 *             when that read is answered, or beside it after FB_VIEW_GATHER_MS. A payment is
 *             never judged by a read that began before it arrived, so every answer is fresh to the
 *             newest block its endpoint knew. A payer with code costs one more round trip of its own:
 *             EIP-1271 and the simulated transfer, both with a gas cap.
 * Layer       5
 * Errors      facts->status: FB_OK; FB_UNREACHABLE, FB_TIMEOUT, FB_RPC_ERROR, FB_BAD_SYNTAX (the chain could not be
 *             read: never evidence about the payer), FB_BUSY (FB_VIEW_WAITING_MAX), FB_DRAINING.
 * Ownership   a query is borrowed until done. Borrows loop, rpc and metrics until closed.
 * Threads     the loop's thread only.
 */
#ifndef FB_VIEW_H
#define FB_VIEW_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/rpc.h"
#include "farebox/token.h"

enum {
	FB_VIEW_WAITING_MAX = 16384,
	FB_VIEW_READS_MAX = 2, /* under way at once */
	FB_VIEW_GATHER_MS = 2, /* how long payments wait for each other while a read is under way */
	FB_VIEW_SIGNATURE_GAS = 300000,
};

struct fb_view_query {
	struct fb_address asset;
	bool listed; /* an allowed token; of any other asset only the code is looked at */
	const struct fb_authorization *authorization;
	const struct fb_hash *digest;
	struct fb_str signature;
	const struct fb_address *sender; /* who would send the transaction */
	uint64_t gas_limit_max;          /* of the simulated transfer */
};
struct fb_facts {
	enum fb_status status;
	const char *why; /* when status is not FB_OK; a phrase of static life */
	uint64_t block, block_time_s;
	bool asset_has_code, paused;
	struct fb_lens_facts of;
	bool contract_accepts;  /* payer with code: EIP-1271 said yes */
	bool contract_simulated; /* payer with code: the transfer went through in simulation */
};

struct fb_view;
void fb_view_open(struct fb_view **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_metrics *metrics);
void fb_view_close(struct fb_view *v); /* waiting queries end with FB_DRAINING. NULL allowed */
/* done runs once, later or inside this call when the view is full. */
void fb_view_read(struct fb_view *v, const struct fb_view_query *q,
		  void (*done)(void *arg, const struct fb_facts *facts), void *arg);
/* The newest block any read has seen, and when (monotonic clock of the caller is not needed: 0 before the first). */
uint64_t fb_view_block(const struct fb_view *v);
#endif /* FB_VIEW_H */
