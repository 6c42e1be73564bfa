/* POST /verify: the chain is asked while this thread recovers the signer. */
#include "x402_int.h"

#include <stdlib.h>

enum { ANSWER_MAX = 1024 };

/* What the continuation needs, in the request's arena. */
struct verifying {
	struct fb_x402_job *job;
	struct fb_str payer;
	bool signer_matches; /* recovered after the job was shared: kept beside it */
};

static struct fb_answered answer(struct fb_request *r, enum fb_reason reason, const char *note, struct fb_str payer)
{
	struct fb_x402 *x = r->ctx;
	struct fb_verdict v = { .reason = reason, .message = note[0] == '\0' ? NULL : note, .payer = payer };
	struct fb_buf b = fb_arena_buf(r->arena, ANSWER_MAX);

	fb_metric_add(x->metrics,
		      reason == FB_REASON_NONE           ? FB_M_VERIFY_VALID
		      : reason == FB_REASON_VERIFY_ERROR ? FB_M_VERIFY_UNKNOWN
							 : FB_M_VERIFY_INVALID,
		      1);
	fb_wire_write_verdict(&b, &v);
	if (b.overflowed)
		return fb_http_error(r, FB_NO_MEMORY, NULL);
	return fb_http_json(r, 200, fb_buf_view(&b));
}

static struct fb_answered finish(struct fb_request *r)
{
	struct verifying *v = r->state;
	struct fb_x402 *x = r->ctx;
	struct fb_x402_job *j = v->job;
	struct fb_note note = { "" };
	enum fb_reason reason = FB_REASON_VERIFY_ERROR;
	const char *text = note.text;

	if (r->expired) {
		text = "the chain did not answer in time";
	} else if (j->facts.status != FB_OK) {
		text = j->facts.why;
	} else {
		j->claim.signer_matches = v->signer_matches;
		reason = fb_claim_judge(&j->claim, &j->facts, fb_clock_wall_s(&x->clock), &note);
	}
	fb_x402_job_release(j);
	return answer(r, reason, text, v->payer);
}

/* On the loop's thread. */
static void on_facts(void *arg, const struct fb_facts *facts)
{
	struct fb_x402_job *j = arg;
	struct fb_http_wait *w = j->wait;

	j->facts = *facts;
	fb_x402_job_release(j);
	fb_http_wake(w);
}

/* On the loop's thread. */
static void read_facts(void *arg)
{
	struct fb_x402_job *j = arg;
	struct fb_view_query q = fb_claim_query(&j->claim, &j->x402->signers[0], j->x402->gas_limit_max);

	fb_view_read(j->x402->view, &q, on_facts, j);
}

struct fb_answered fb_x402_verify(struct fb_request *r)
{
	struct fb_x402 *x = r->ctx;
	struct fb_x402_intake in;
	struct fb_claim claim;
	struct fb_error e;
	struct verifying *v;
	struct fb_http_wait *w;
	enum fb_status st = fb_x402_read(r, &in, &claim, &e);

	if (st != FB_OK)
		return fb_x402_bad_request(r, st, &e);
	if (in.reason != FB_REASON_NONE)
		return answer(r, in.reason, in.note.text, in.wire.payment.payer_text);
	v = FB_NEW(r->arena, struct verifying);
	if (v == NULL)
		return fb_http_error(r, FB_NO_MEMORY, NULL);
	v->job = fb_x402_job_new(x, &claim);
	v->payer = in.wire.payment.payer_text;
	r->state = v;
	w = fb_http_wait(r, finish, x->verify_ms);
	v->job->wait = w;
	fb_loop_post(x->loop, read_facts, v->job);
	fb_claim_recover(&claim); /* meanwhile: the job belongs to the loop now, this is our own copy */
	v->signer_matches = claim.signer_matches;
	return fb_http_later(w);
}
