/* POST /settle, and settling for the paywall. */
#include "x402_int.h"

#include "farebox/auth.h"

#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)FB_AUTH_IDENTITY_LEN == (int)FB_SETTLE_API_KEY_LEN, "one is the other");

enum { ANSWER_MAX = 2048, TEXT_MAX = 64 };

/* ---- a success that reached nobody ------------------------------------------------------------------ */

struct delivery {
	struct fb_x402 *x402;
	struct fb_settle_key key;
};

static struct delivery *delivery_of(struct fb_x402 *x, const struct fb_settle_outcome *o)
{
	struct delivery *d = fb_must_alloc(1, sizeof(*d));

	*d = (struct delivery){ x, o->key };
	return d;
}

/* On the loop's thread. */
static void give_back(void *arg)
{
	struct delivery *d = arg;

	if (!atomic_load(&d->x402->closed))
		fb_settle_give_back(d->x402->settle, &d->key);
	free(d);
}

static void on_delivered(void *arg, bool whole)
{
	struct delivery *d = arg;

	if (whole)
		free(d);
	else
		fb_loop_post(d->x402->loop, give_back, d);
}

void fb_x402_watch(struct fb_x402 *x, struct fb_reply *reply, const struct fb_settle_outcome *o)
{
	if (o->reason != FB_REASON_NONE)
		return;
	reply->delivered = on_delivered;
	reply->delivered_arg = delivery_of(x, o);
}

void fb_x402_close(struct fb_x402 *x)
{
	atomic_store(&x->closed, true);
}

/* ---- the way to the engine and back --------------------------------------------------------------- */

/* On the loop's thread. A success that comes when the caller has been told that nothing is known is the next
 * caller's. */
static void finish_job(struct fb_x402_job *j)
{
	struct fb_http_wait *w = j->wait;
	bool left = atomic_exchange(&j->end, FB_X402_ANSWERED) == FB_X402_LEFT;

	if (left && !j->repeated && j->refused == FB_OK && j->outcome.reason == FB_REASON_NONE)
		fb_loop_post(j->x402->loop, give_back, delivery_of(j->x402, &j->outcome));
	fb_x402_job_release(j);
	fb_http_wake(w);
}

static void on_outcome(void *arg, const struct fb_settle_outcome *o)
{
	struct fb_x402_job *j = arg;

	j->outcome = *o;
	if (!j->id.given) {
		finish_job(j);
		return;
	}
	j->repeated = fb_x402_id_repeats(j, &j->outcome);
	fb_x402_id_bind(j, finish_job);
}

/* On the loop's thread. */
static void submit(void *arg)
{
	struct fb_x402_job *j = arg;

	j->id.given = j->id.given && j->claim.signer_matches; /* whose id would it be otherwise? */
	j->refused = j->id.given ? fb_x402_id_begin(j) : FB_OK;
	if (j->refused != FB_OK) {
		finish_job(j);
		return;
	}
	fb_settle_submit(j->x402->settle, &j->claim, j->has_api_key ? j->api_key : NULL, on_outcome, j);
}

/* What r->state points at while the request is suspended. */
struct pending {
	struct fb_x402_job *job;
	void *mine;
};

static struct fb_answered settle_later(struct fb_x402 *x, struct fb_request *r, const struct fb_claim *c,
				       struct fb_str id, fb_handler *next, void *mine)
{
	struct pending *p = FB_NEW(r->arena, struct pending);
	struct fb_x402_job *j;

	if (p == NULL)
		return fb_http_error(r, FB_NO_MEMORY, NULL);
	j = fb_x402_job_new(x, c);
	fb_claim_recover(&j->claim);
	if (id.len > 0)
		fb_x402_id_make(&j->id, x->network->chain_id, c, id);
	j->has_api_key = fb_auth_identity(j->api_key, r);
	*p = (struct pending){ j, mine };
	r->state = p;
	j->wait = fb_http_wait(r, next, x->settle_ms);
	fb_loop_post(x->loop, submit, j);
	return fb_http_later(j->wait);
}

struct fb_answered fb_x402_settle_later(struct fb_x402 *x, struct fb_request *r, const struct fb_claim *c,
					fb_handler *next, void *mine)
{
	return settle_later(x, r, c, (struct fb_str){ "", 0 }, next, mine);
}

/* What the loop left in the job, if it was there before the deadline. */
struct taken {
	struct fb_settle_outcome outcome;
	enum fb_status refused;
	bool repeated;
	void *mine;
};

static struct taken take(struct fb_request *r)
{
	struct pending *p = r->state;
	struct taken t = { .outcome.reason = FB_REASON_SETTLE_ERROR, .mine = p->mine };

	if (r->expired && atomic_exchange(&p->job->end, FB_X402_LEFT) == FB_X402_OPEN) {
		snprintf(t.outcome.note.text, sizeof(t.outcome.note.text),
			 "the outcome is not known yet: ask again with the same payload");
	} else {
		t.refused = p->job->refused;
		t.repeated = p->job->repeated;
		t.outcome = t.refused == FB_OK ? p->job->outcome : t.outcome;
	}
	fb_x402_job_release(p->job);
	return t;
}

struct fb_settle_outcome fb_x402_outcome(struct fb_request *r, void **mine)
{
	struct taken t = take(r);

	*mine = t.mine;
	return t.outcome;
}

/* ---- POST /settle ------------------------------------------------------------------------------------- */

/* Kept while the settlement runs. The room for the answer is taken first, so that a success never fails
 * for want of memory. */
struct settling {
	struct fb_str payer, network;
	char id[FB_SETTLE_ID_MAX]; /* of the settlement, where it may be looked at */
	size_t id_len;             /* 0: the payment names none */
	char answer[ANSWER_MAX];
};

/* Or may have one: what nothing is known of is not named. */
static bool has_record(const struct fb_settle_outcome *o)
{
	return o->has_tx || o->reason == FB_REASON_PENDING || o->reason == FB_REASON_SETTLE_ERROR;
}

static struct fb_answered answer(struct fb_request *r, const struct fb_settle_outcome *o, struct settling *s,
				 bool repeated)
{
	struct fb_settlement_answer a = { .reason = o->reason, .message = o->note.text[0] == '\0' ? NULL : o->note.text,
					  .payer = s->payer, .network = s->network, .has_tx = o->has_tx, .tx = o->tx,
					  .settlement_id = { s->id, has_record(o) ? s->id_len : 0 } };
	struct fb_reply reply = { .status = 200 };
	struct fb_buf b;

	fb_buf_init(&b, s->answer, sizeof(s->answer));
	fb_wire_write_settlement(&b, &a);
	FB_ASSERT(!b.overflowed); /* every text in it is bounded */
	reply.body = fb_buf_view(&b);
	if (!repeated) /* one that was told before is not given back */
		fb_x402_watch(r->ctx, &reply, o);
	return fb_http_reply(r, &reply);
}

static struct fb_answered finish(struct fb_request *r)
{
	struct taken t = take(r);

	if (t.refused == FB_CONFLICT)
		return fb_http_error(r, t.refused, "this payment-identifier came with another payment");
	if (t.refused != FB_OK)
		return fb_http_error(r, t.refused, NULL);
	return answer(r, &t.outcome, t.mine, t.repeated);
}

static void name_settlement(struct settling *s, const struct fb_x402 *x, const struct fb_claim *c)
{
	struct fb_settle_key key = fb_settle_key_from(x->network->chain_id, &c->asset, &c->authorization.from,
						      &c->authorization.nonce);
	struct fb_buf b;

	fb_buf_init(&b, s->id, sizeof(s->id));
	fb_buf_settle_id(&b, &key);
	FB_ASSERT(!b.overflowed);
	s->id_len = b.len;
}

static struct fb_str bounded(struct fb_str s)
{
	return s.len <= TEXT_MAX ? s : (struct fb_str){ s.at, 0 };
}

/* Empty afterwards if there is none, or ids are not looked at. */
static enum fb_status take_identifier(const struct fb_x402 *x, struct fb_x402_intake *in, struct fb_error *e)
{
	struct fb_payment *p = &in->wire.payment;

	if (!x->payment_identifier || in->reason != FB_REASON_NONE) {
		p->identifier = (struct fb_str){ "", 0 };
		return FB_OK;
	}
	if (p->identifier_malformed)
		return fb_error_set(e, FB_BAD_VALUE, "extensions.payment-identifier.info: want an id of %d to %d of "
				    "A-Z a-z 0-9 _ -", FB_WIRE_IDENTIFIER_MIN, FB_WIRE_IDENTIFIER_MAX);
	if (p->identifier_required && p->identifier.len == 0)
		return fb_error_set(e, FB_MISSING, "extensions.payment-identifier.info.id: it is required");
	return FB_OK;
}

struct fb_answered fb_x402_settle(struct fb_request *r)
{
	struct settling *s = FB_NEW(r->arena, struct settling);
	struct fb_x402_intake in;
	struct fb_claim claim;
	struct fb_error e = { "" };
	enum fb_status st = s == NULL ? FB_NO_MEMORY : fb_x402_read(r, &in, &claim, &e);

	if (st != FB_OK)
		return fb_x402_bad_request(r, st, &e);
	st = take_identifier(r->ctx, &in, &e);
	if (st != FB_OK)
		return fb_x402_bad_request(r, st, &e);
	s->payer = bounded(in.wire.payment.payer_text);
	s->network = bounded(in.wire.requirement.network);
	if (in.reason != FB_REASON_NONE)
		return answer(r, &(struct fb_settle_outcome){ .reason = in.reason, .note = in.note }, s, false);
	name_settlement(s, r->ctx, &claim);
	return settle_later(r->ctx, r, &claim, in.wire.payment.identifier, finish, s);
}
