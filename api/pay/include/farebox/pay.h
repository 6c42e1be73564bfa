/* farebox/pay.h - the paywall: 402 with a quote, settle first, then serve.
 *
 * What it is  today one paid resource, GET /demo. Without a payment: 402 with the v2 header and the
 *             v1 body at once. With PAYMENT-SIGNATURE (v2) or X-PAYMENT (v1): the payment is matched with our own
 *             offer, settled, and only then the resource is answered.
 * Layer       10
 * Answers     200 with PAYMENT-RESPONSE or X-PAYMENT-RESPONSE after the request's header, Cache-Control private;
 *             402 when paying (again) is right; 503 with Retry-After when the outcome is not known: a client that got
 *             a 402 there would pay twice; 400 for two payment headers or one that cannot be decoded.
 *             A page of another site can pay, too: OPTIONS says what it may send, and the answers above may be read
 *             by it. They carry no credentials and none are looked at.
 * Errors      see Answers; a request that cannot get memory is a 503.
 * Ownership   borrows everything until the HTTP server has stopped.
 * Threads     handlers on the API pool.
 * Spec        x402 v1 and v2, HTTP transport, paymentFlow "upfront".
 */
#ifndef FB_PAY_H
#define FB_PAY_H
#include "farebox/core.h"
#include "farebox/http.h"
#include "farebox/network.h"
#include "farebox/wire.h"
#include "farebox/x402.h"

struct fb_pay {
	struct fb_x402 *x402;
	const struct fb_token *token;
	struct fb_amount price;
	struct fb_address pay_to;
	const char *public_url; /* without '/' at its end, at most 400 bytes; "" takes the Host header */
	uint64_t timeout_s;     /* how long a signed payment may live */
};
struct fb_mount fb_pay_mount(struct fb_pay *p);
#endif /* FB_PAY_H */
