/* Payments: made, handed in, answered, given back. */
#include "rig_int.h"

#include "fb_sample.h"

#include <stdlib.h>
#include <string.h>

struct fb_key fb_rig_payer(uint32_t number)
{
	uint8_t secret[32] = { 0x0f, 0xa2, 0xe0 };
	struct fb_key key;

	fb_put_be32(secret + 28, number + 1);
	FB_ASSERT(fb_key_from_bytes(&key, secret) == FB_OK);
	return key;
}

static struct fb_authorization authorize(struct fb_rig *r, const struct fb_rig_payment *p)
{
	struct fb_clock clock = fb_rig_clock(r);
	uint64_t now = (uint64_t)fb_clock_wall_s(&clock);
	struct fb_authorization a = fb_sample_authorization(&p->payer, 0);

	a.value = fb_u256_from_u64(p->atoms == 0 ? 1000 : p->atoms);
	a.valid_before = fb_u256_from_u64(p->until_s != 0 ? p->until_s : now + (p->life_s == 0 ? 300 : p->life_s));
	fb_put_be32(a.nonce.bytes + 28, p->nonce);
	fb_put_be32(a.nonce.bytes, p->nonce * 2654435761u);
	return a;
}

void fb_rig_claim(struct fb_claim *out, struct fb_rig *r, const struct fb_rig_payment *p)
{
	uint8_t version = p->version == 0 ? 2 : p->version, packed[FB_SIGNATURE_LEN] = { 0 };
	struct fb_requirement want = fb_sample_requirement(&r->network, version);
	struct fb_payment payment = { .version = version,
				      .scheme = want.scheme,
				      .network = want.network,
				      .authorization = authorize(r, p),
				      .signature = { (const char *)packed, sizeof(packed) } };
	struct fb_signature signature;
	struct fb_note note;

	want.amount = payment.authorization.value;
	if (p->domain != NULL)
		want.domain_name = fb_str_of(p->domain);
	memset(out, 0, sizeof(*out));
	FB_ASSERT(fb_claim_make(out, &r->network, &payment, &want, &note) == FB_REASON_NONE);
	fb_sign(&signature, &p->payer, &out->digest);
	fb_signature_pack(packed, &signature);
	FB_ASSERT(fb_claim_make(out, &r->network, &payment, &want, &note) == FB_REASON_NONE);
	fb_claim_recover(out);
	FB_ASSERT(out->signer_matches);
}

/* ---- handing in --------------------------------------------------------------------------------------------- */

struct submission {
	struct rig_answer *answer;
	struct fb_claim claim;
	bool has_api_key;
	uint8_t api_key[FB_SETTLE_API_KEY_LEN];
};

static void on_outcome(void *arg, const struct fb_settle_outcome *o)
{
	struct rig_answer *a = arg;
	struct fb_rig *r = a->rig;

	rig_lock(r);
	a->answer.outcome = *o;
	a->answer.reached_nobody = atomic_load(&r->crashed);
	a->times++;
	rig_check_answer(r, a);
	rig_unlock(r);
}

static void submit(void *arg)
{
	struct submission *s = arg;

	fb_settle_submit(s->answer->rig->settle, &s->claim, s->has_api_key ? s->api_key : NULL, on_outcome, s->answer);
	free(s);
}

fb_rig_ticket fb_rig_submit(struct fb_rig *r, const struct fb_claim *c)
{
	return fb_rig_submit_keyed(r, c, 0);
}

fb_rig_ticket fb_rig_submit_keyed(struct fb_rig *r, const struct fb_claim *c, uint64_t api_key)
{
	struct submission *s = fb_must_alloc(1, sizeof(*s));
	fb_rig_ticket ticket;

	FB_ASSERT(fb_rig_runs(r));
	rig_lock(r);
	FB_ASSERT(r->answer_count < FB_RIG_ANSWERS_MAX);
	ticket = (fb_rig_ticket)r->answer_count++;
	s->answer = &r->answers[ticket];
	*s->answer = (struct rig_answer){ .rig = r, .key = rig_key(r, c) };
	rig_unlock(r);
	s->claim = *c;
	s->has_api_key = api_key != 0;
	fb_put_be64(s->api_key, api_key);
	fb_loop_post(r->loop, submit, s);
	return ticket;
}

static bool is_answered(struct fb_rig *r, void *arg)
{
	return r->answers[*(const fb_rig_ticket *)arg].times > 0;
}

bool fb_rig_answered(struct fb_rig *r, fb_rig_ticket t)
{
	bool yes;

	rig_lock(r);
	yes = is_answered(r, &t);
	rig_unlock(r);
	return yes;
}

struct fb_rig_answer fb_rig_wait(struct fb_rig *r, fb_rig_ticket t)
{
	struct fb_rig_answer answer;

	rig_lock(r);
	rig_wait(r, is_answered, &t, "an answer");
	answer = r->answers[t].answer;
	rig_unlock(r);
	return answer;
}

struct fb_settle_outcome fb_rig_settle(struct fb_rig *r, const struct fb_claim *c)
{
	return fb_rig_wait(r, fb_rig_submit(r, c)).outcome;
}

struct return_of {
	struct fb_rig *rig;
	struct fb_settle_key key;
};

static void give_back(void *arg)
{
	struct return_of *b = arg;

	fb_settle_give_back(b->rig->settle, &b->key);
}

void fb_rig_give_back(struct fb_rig *r, fb_rig_ticket t)
{
	struct rig_answer *a = &r->answers[t];

	rig_lock(r);
	FB_ASSERT(a->times == 1 && a->answer.outcome.reason == FB_REASON_NONE && !a->given_back);
	a->given_back = true;
	rig_unlock(r);
	fb_rig_on_loop(r, give_back, &(struct return_of){ r, a->answer.outcome.key });
}

void fb_rig_give_back_key(struct fb_rig *r, const struct fb_claim *c)
{
	fb_rig_on_loop(r, give_back, &(struct return_of){ r, rig_key(r, c) });
}
