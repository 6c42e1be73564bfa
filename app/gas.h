/* What our signers spend, in the ledger. */
#ifndef FB_GAS_H
#define FB_GAS_H
#include "farebox/codec.h"
#include "farebox/net.h"
#include "farebox/writer.h"

/* One signer's purse: what fb_lane_settings.spent_ctx points at. */
struct fb_gas {
	struct fb_loop *loop;
	struct fb_writer *writer;
	struct fb_address signer;
	uint32_t asset; /* the chain's native coin, in wei */
};
/* fb_lane_settings.spent: debits the signer's gas account, credits the world, once per transaction. */
void fb_gas_spent(void *gas, const struct fb_hash *tx, fb_u128 cost_wei, void (*done)(void *arg, enum fb_status status),
		  void *arg);
#endif /* FB_GAS_H */
