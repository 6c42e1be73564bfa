/* The shared job, and the reading that /verify and /settle have in common. */
#include "x402_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fb_x402_job *fb_x402_job_new(struct fb_x402 *x, const struct fb_claim *c)
{
	struct fb_x402_job *j = malloc(sizeof(*j)); /* not zeroed: most of it is room for a long signature */

	if (j == NULL)
		fb_panic(__FILE__, __LINE__, __func__, "out of memory");
	atomic_init(&j->holders, 2);
	atomic_init(&j->end, FB_X402_OPEN);
	j->x402 = x;
	j->wait = NULL;
	j->refused = FB_OK;
	j->repeated = false;
	j->id.given = false;
	memcpy(&j->claim, c, offsetof(struct fb_claim, signature));
	memcpy(j->claim.signature, c->signature, c->signature_len);
	return j;
}

void fb_x402_job_release(struct fb_x402_job *j)
{
	if (atomic_fetch_sub(&j->holders, 1) == 1)
		free(j);
}

static bool payee_served(const struct fb_x402 *x, const struct fb_address *pay_to)
{
	for (size_t i = 0; i < x->payee_count; i++)
		if (fb_address_eq(&x->payees[i], pay_to))
			return true;
	return x->payee_count == 0;
}

enum fb_status fb_x402_read(struct fb_request *r, struct fb_x402_intake *in, struct fb_claim *claim, struct fb_error *e)
{
	/* Nothing read keeps a pointer to them; in the arena they would be cleared twice for every request. */
	static _Thread_local struct fb_json_token tokens[FB_WIRE_TOKENS];
	struct fb_x402 *x = r->ctx;
	enum fb_status st;

	in->reason = FB_REASON_NONE;
	in->note.text[0] = '\0';
	e->text[0] = '\0';
	st = fb_wire_read_request(&in->wire, &in->reason, r->body, tokens, r->arena, e);
	if (st != FB_OK)
		return st;
	if (in->reason != FB_REASON_NONE) {
		snprintf(in->note.text, sizeof(in->note.text), "%.*s", (int)sizeof(in->note.text) - 1, e->text);
		return FB_OK;
	}
	if (!payee_served(x, &in->wire.requirement.pay_to)) {
		in->reason = FB_REASON_INVALID_REQUIREMENTS;
		snprintf(in->note.text, sizeof(in->note.text),
			 "payTo is not among the payees this facilitator settles for");
		return FB_OK;
	}
	in->reason = fb_claim_make(claim, x->network, &in->wire.payment, &in->wire.requirement, &in->note);
	return FB_OK;
}

struct fb_answered fb_x402_bad_request(struct fb_request *r, enum fb_status st, const struct fb_error *e)
{
	return fb_http_error(r, st, e->text[0] == '\0' ? NULL : e->text);
}
