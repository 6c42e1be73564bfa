/* The rows, and the answers that are the same for everybody. */
#include "x402_int.h"

enum { SUPPORTED_MAX = 1024 };

static struct fb_answered supported(struct fb_request *r)
{
	const struct fb_x402 *x = r->ctx;
	struct fb_wire_kind kind = { fb_str_of(x->network->caip2), fb_str_of(x->network->v1_name) };
	struct fb_buf b = fb_arena_buf(r->arena, SUPPORTED_MAX);

	fb_wire_write_supported(&b, &kind, 1, x->signers, x->signer_count, x->payment_identifier);
	return fb_http_json(r, 200, fb_buf_view(&b));
}

static struct fb_answered health(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("{\"status\":\"ok\"}"));
}

static const struct fb_route routes[] = {
	/* method  pattern       handler         body_max          auth            repeat             summary */
	{ FB_POST, "/verify", fb_x402_verify, FB_X402_BODY_MAX, FB_AUTH_POLICY, FB_REPEAT_NONE,
	  "judge a payment without settling it" },
	{ FB_POST, "/settle", fb_x402_settle, FB_X402_BODY_MAX, FB_AUTH_POLICY, FB_REPEAT_PAYLOAD,
	  "settle a payment on chain" },
	{ FB_GET, "/supported", supported, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "schemes, networks and signers" },
	{ FB_GET, "/health", health, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "is the facilitator up" },
};

struct fb_mount fb_x402_mount(struct fb_x402 *x)
{
	return (struct fb_mount){ routes, FB_COUNT(routes), x };
}
