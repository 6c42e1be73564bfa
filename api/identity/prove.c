/* The proof of a wallet: a SIWE message for us, fresh, once, and signed by that wallet's key or accepted by its
 * contract. */
#include "identity_int.h"

#include "farebox/siwe.h"

#include <stdlib.h>
#include <string.h>

enum { CONTRACT_MS = 15000, SIGNATURE_MAX = 4096 /* bytes: contracts' ones are of any length */ };

/* Waits for the chain; the request and the answer hold it. */
struct proof_question {
	atomic_int holders;
	struct fb_http_wait *wait;
	enum fb_status status;
	struct fb_contract_question ask;
	size_t signature_len;
	uint8_t signature[SIGNATURE_MAX];
};

/* ---- what the message must say ---------------------------------------------------------------------------------- */
static bool is_listed(struct fb_str list, struct fb_str domain)
{
	struct fb_str head, rest;

	while (list.len > 0) {
		head = list;
		rest = (struct fb_str){ "", 0 };
		(void)fb_str_split(&head, &rest, list, ',');
		if (fb_str_eq(fb_str_trim(head), domain))
			return true;
		list = rest;
	}
	return false;
}

/* Only who can reach this machine from itself can name it so. */
static bool is_this_machine(struct fb_str host)
{
	struct fb_str name = host, port;

	if (fb_str_starts(host, FB_STR("[::1]")))
		return host.len == 5 || host.at[5] == ':';
	(void)fb_str_split(&name, &port, host, ':');
	return fb_str_eq(name, FB_STR("localhost")) || fb_str_eq(name, FB_STR("127.0.0.1"));
}

static bool is_domain(const struct fb_identity *i, const struct fb_request *r, struct fb_str domain)
{
	if (is_listed(fb_str_of(i->settings.domains), domain))
		return true;
	return i->settings.loopback_domains && fb_str_eq(domain, r->host) && is_this_machine(r->host);
}

static bool check_message(struct fb_problem *p, const struct fb_identity *i, const struct fb_request *r,
			  const struct fb_siwe *m)
{
	struct fb_str scheme = fb_str_of(i->settings.scheme);
	struct fb_error e;

	if (!is_domain(i, r, m->domain) || (m->scheme.len > 0 && scheme.len > 0 && !fb_str_eq(scheme, m->scheme)))
		return fb_problem_field(p, "message", "it is for another domain than this server's");
	if (m->chain_id != 1 && m->chain_id != i->settings.chain_id)
		return fb_problem_field(p, "message", "Chain ID: want 1 or %llu",
					(unsigned long long)i->settings.chain_id);
	if (fb_siwe_check_time(m, fb_identity_now(i), &e) != FB_OK)
		return fb_problem_field(p, "message", "%s", e.text);
	if (!fb_nonce_use(i->nonces, m->nonce)) { /* I3: used up now, whatever comes of it */
		(void)fb_problem_field(p, "message", "Nonce: not one of this server's, too old, or used before");
		p->code = "invalid_nonce";
		return false;
	}
	return true;
}

/* ---- the signature ---------------------------------------------------------------------------------------------- */
static bool is_bad_signature(struct fb_problem *p)
{
	(void)fb_problem_field(p, "signature", "it is not one of that address for this message");
	p->code = "invalid_signature";
	return false;
}

static void release(struct proof_question *q)
{
	if (atomic_fetch_sub(&q->holders, 1) == 1)
		free(q);
}

static void on_contract(void *arg, enum fb_status status)
{
	struct proof_question *q = arg;

	q->status = status;
	fb_http_wake(q->wait);
	release(q);
}

static struct fb_answered after_contract(struct fb_request *r)
{
	struct proof *proof = r->state;
	struct proof_question *q = proof->question;
	struct fb_problem p;
	enum fb_status st;

	st = r->expired ? FB_TIMEOUT : q->status;
	release(q);
	proof->question = NULL;
	if (st == FB_OK)
		return proof->next(r);
	if (st != FB_BAD_SIGNATURE)
		return fb_envelope_status(r, st, "the chain that knows this wallet's contract does not answer");
	(void)is_bad_signature(&p);
	return fb_envelope_problem(r, &p);
}

static struct fb_answered ask_contract(struct fb_request *r, struct proof *proof, struct fb_str message,
				       const uint8_t *signature, size_t len)
{
	struct fb_identity *i = r->ctx;
	struct proof_question *q = fb_must_alloc(1, sizeof(*q));
	struct fb_http_wait *w;

	atomic_init(&q->holders, 2);
	memcpy(q->signature, signature, len);
	q->ask = (struct fb_contract_question){ proof->wallet, fb_siwe_digest(message),
						{ (const char *)q->signature, len } };
	proof->question = q;
	r->state = proof;
	w = q->wait = fb_http_wait(r, after_contract, CONTRACT_MS);
	i->ports.ask_contract(i->ports.ctx, &q->ask, on_contract, q);
	return fb_http_later(w);
}

static struct fb_answered check_signature(struct fb_request *r, struct proof *proof, struct fb_str message,
					  uint64_t chain_id, const struct fb_value *signature)
{
	struct fb_identity *i = r->ctx;
	uint8_t *bytes = fb_arena_alloc(r->arena, SIGNATURE_MAX, 1);
	struct fb_address who;
	struct fb_problem p;
	size_t len;

	if (bytes == NULL)
		return fb_no_memory(r);
	if (fb_hex_decode(bytes, &len, SIGNATURE_MAX, signature->text) != FB_OK || len == 0) {
		(void)fb_problem_field(&p, "signature", "want 0x and hex digits");
		return fb_envelope_problem(r, &p);
	}
	if (fb_siwe_signer(&who, message, (struct fb_str){ (const char *)bytes, len }) == FB_OK &&
	    fb_address_eq(&who, &proof->wallet)) {
		r->state = proof;
		return proof->next(r);
	}
	if (i->ports.ask_contract != NULL && chain_id == i->settings.chain_id)
		return ask_contract(r, proof, message, bytes, len);
	(void)is_bad_signature(&p);
	return fb_envelope_problem(r, &p);
}

struct fb_answered fb_prove(struct fb_request *r, const struct fb_value *values, const struct fb_value *message,
			    const struct fb_value *signature, fb_handler *next)
{
	struct fb_identity *i = r->ctx;
	struct proof *proof = FB_NEW(r->arena, struct proof);
	struct fb_problem p;
	struct fb_siwe m;
	struct fb_error e;

	if (proof == NULL)
		return fb_no_memory(r);
	if (fb_siwe_parse(&m, message->text, &e) != FB_OK) {
		(void)fb_problem_field(&p, "message", "%s", e.text);
		return fb_envelope_problem(r, &p);
	}
	if (!check_message(&p, i, r, &m))
		return fb_envelope_problem(r, &p);
	*proof = (struct proof){ .wallet = m.address, .values = values, .next = next };
	return check_signature(r, proof, message->text, m.chain_id, signature);
}
