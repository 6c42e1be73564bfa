/* The rows. */
#include "identity_int.h"

static const struct fb_route routes[] = {
	/* method  pattern                     handler              body_max  auth               repeat        summary */
	{ FB_GET,  "/v1/auth/siwe/nonce",      fb_route_nonce,      0,        FB_AUTH_NONE,      FB_REPEAT_NONE,
	  "a nonce for a message to sign" },
	{ FB_POST, "/v1/agents/register",      fb_route_register,   BODY_MAX, FB_AUTH_NONE,      FB_REPEAT_PAYLOAD,
	  "an agent and its first key, for a proven wallet" },
	{ FB_GET,  "/v1/agents/me",            fb_route_me,         0,        FB_AUTH_PRINCIPAL, FB_REPEAT_NONE,
	  "the calling agent" },
	{ FB_PUT,  "/v1/agents/me/wallet",     fb_route_wallet,     BODY_MAX, FB_AUTH_PRINCIPAL, FB_REPEAT_PAYLOAD,
	  "another wallet, proven" },
	{ FB_GET,  "/v1/agents/claim/{token}", fb_route_claim_show, 0,        FB_AUTH_NONE,      FB_REPEAT_NONE,
	  "the agent of a claim link" },
	{ FB_POST, "/v1/agents/claim/{token}", fb_route_claim,      BODY_MAX, FB_AUTH_PRINCIPAL, FB_REPEAT_PAYLOAD,
	  "take an agent under one's care" },
	{ FB_GET,  "/v1/agents",               fb_route_claimed,    0,        FB_AUTH_PRINCIPAL, FB_REPEAT_NONE,
	  "the agents under one's care" },
	{ FB_POST, "/api/v1/keys",             fb_route_key_new,    BODY_MAX, FB_AUTH_NONE,      FB_REPEAT_NONE,
	  "an API key" },
	{ FB_POST, "/api/v1/keys/validate",    fb_route_key_validate, BODY_MAX, FB_AUTH_NONE,    FB_REPEAT_NONE,
	  "whether a key is good, and whose" },
};

struct fb_mount fb_identity_mount(struct fb_identity *i)
{
	return (struct fb_mount){ routes, FB_COUNT(routes), i };
}
