/* Shared inside chain/escrow: words of the ABI read one after the other. */
#ifndef FB_ESCROW_INT_H
#define FB_ESCROW_INT_H
#include "farebox/escrow.h"

/* The words of `data` in order; the first fault stays. */
struct fb_escrow_words {
	struct fb_str data;
	size_t next;
	enum fb_status status;
};
struct fb_address fb_escrow_take_address(struct fb_escrow_words *w);
struct fb_u256 fb_escrow_take_u256(struct fb_escrow_words *w);
struct fb_hash fb_escrow_take_hash(struct fb_escrow_words *w);
uint64_t fb_escrow_take_u64(struct fb_escrow_words *w);
fb_u128 fb_escrow_take_u128(struct fb_escrow_words *w);
bool fb_escrow_take_bool(struct fb_escrow_words *w);
#endif /* FB_ESCROW_INT_H */
