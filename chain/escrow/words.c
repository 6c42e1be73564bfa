/* Words of the ABI, taken one after the other; what is taken after a fault is zero. */
#include "escrow_int.h"

#include <string.h>

/* True if the word that was just asked for can be used. */
static bool note(struct fb_escrow_words *w, enum fb_status st)
{
	w->next++;
	if (w->status == FB_OK)
		w->status = st;
	return w->status == FB_OK;
}

struct fb_address fb_escrow_take_address(struct fb_escrow_words *w)
{
	struct fb_address a = { { 0 } };

	return note(w, fb_abi_get_address(&a, w->data, w->next)) ? a : (struct fb_address){ { 0 } };
}

struct fb_u256 fb_escrow_take_u256(struct fb_escrow_words *w)
{
	struct fb_u256 v = { { 0 } };

	return note(w, fb_abi_get_u256(&v, w->data, w->next)) ? v : (struct fb_u256){ { 0 } };
}

struct fb_hash fb_escrow_take_hash(struct fb_escrow_words *w)
{
	struct fb_u256 v = fb_escrow_take_u256(w);
	struct fb_hash h;

	fb_u256_to_be(h.bytes, v);
	return h;
}

uint64_t fb_escrow_take_u64(struct fb_escrow_words *w)
{
	uint64_t v = 0;

	return note(w, fb_abi_get_u64(&v, w->data, w->next)) ? v : 0;
}

fb_u128 fb_escrow_take_u128(struct fb_escrow_words *w)
{
	struct fb_u256 wide = fb_escrow_take_u256(w);
	fb_u128 v = 0;

	if (w->status == FB_OK)
		w->status = fb_u256_to_u128(&v, wide);
	return v;
}

bool fb_escrow_take_bool(struct fb_escrow_words *w)
{
	bool v = false;

	return note(w, fb_abi_get_bool(&v, w->data, w->next)) && v;
}
