/* farebox/client.h - a buyer's decisions: which quote to take, and the payment for it.
 *
 * Layer      6
 * Takes      scheme "exact" by EIP-3009 on a known network, in a token that the network's file lists with
 *            the same EIP-712 name and version, with payment flow "authorization" or "upfront", up to the
 *            buyer's limit.
 * Limits     an authorization lives as long as the quote asks, but never longer than FB_CLIENT_LIFE_MAX_S.
 * Errors     as written at each function; e says what was offered and what would have been taken.
 * Threads    pure functions.
 * Spec       x402 v1 and v2, client side.
 */
#ifndef FB_CLIENT_H
#define FB_CLIENT_H
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/network.h"
#include "farebox/port.h"
#include "farebox/wire.h"

enum { FB_CLIENT_LIFE_MAX_S = 86400 };
struct fb_purchase {
	const struct fb_quote *quote;
	const struct fb_network *network;
	const struct fb_token *token;
	struct fb_amount amount;
};
/* The first quote that can be taken. `max` is in whole tokens, "0.5": what that is in atoms each token says for itself.
 * FB_NOT_FOUND: none can; FB_LIMIT: only ones above `max`; FB_BAD_VALUE: `max` is no amount of the quote's token. */
FB_MUST_USE enum fb_status fb_client_choose(struct fb_purchase *out, const struct fb_quotes *quotes,
					    const struct fb_network *networks, size_t count, struct fb_str max,
					    struct fb_error *e);
/* Signs an authorization for the purchase; *header gets the payment header's base64. FB_NO_MEMORY: header
 * or arena too small. */
FB_MUST_USE enum fb_status fb_client_pay(struct fb_buf *header, struct fb_authorization *signed_as,
					 const struct fb_purchase *p, const struct fb_quotes *quotes,
					 const struct fb_key *key, int64_t now_s, struct fb_rng rng,
					 struct fb_arena *arena);
#endif /* FB_CLIENT_H */
