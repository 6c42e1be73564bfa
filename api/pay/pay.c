/* The paid demo resource: quote, payment, settlement, answer. */
#include "farebox/pay.h"

#include "farebox/json.h"
#include "farebox/settle.h"
#include "farebox/verify.h"

#include <stdio.h>
#include <string.h>

enum { REQUIRED_MAX = 4096, URL_MAX = 512, RESPONSE_MAX = 2048, RETRY_AFTER_S = 2 };

/* What a page of another site may send along: the payment, and what payment libraries add to it (stock ones send
 * Access-Control-Expose-Headers, which is an answer's, with their requests). */
#define REQUEST_HEADERS \
	"PAYMENT-SIGNATURE, X-PAYMENT, Access-Control-Expose-Headers, Content-Type, X-Request-Id, Idempotency-Key"

/* One paid request. The room for its receipt is taken before anything is settled. */
struct sale {
	struct fb_offer offer;
	uint8_t version;
	struct fb_str payer;
	char url[URL_MAX], json[RESPONSE_MAX], header[FB_BASE64_LEN(RESPONSE_MAX)];
};

/* ---- the quote ------------------------------------------------------------------------------------- */

/* False if the host is longer than a URL may be. */
static bool write_url(struct fb_buf *out, const struct fb_pay *p, const struct fb_request *r, char url[URL_MAX])
{
	fb_buf_init(out, url, URL_MAX);
	if (p->public_url[0] != '\0') {
		fb_buf_text(out, p->public_url);
	} else {
		fb_buf_text(out, "http://");
		fb_buf_str(out, r->host);
	}
	fb_buf_str(out, r->path);
	return !out->overflowed;
}

static struct fb_offer make_offer(const struct fb_pay *p, struct fb_str url)
{
	const struct fb_network *n = p->x402->network;

	return (struct fb_offer) { .caip2 = fb_str_of(n->caip2),
				   .v1_name = fb_str_of(n->v1_name),
				   .url = url,
				   .description = FB_STR("farebox demo: a paid call"),
				   .mime_type = FB_STR("application/json"),
				   .domain_name = fb_str_of(p->token->name),
				   .domain_version = fb_str_of(p->token->version),
				   .amount = p->price,
				   .asset = p->token->address,
				   .pay_to = p->pay_to,
				   .max_timeout_s = p->timeout_s,
				   .upfront = true };
}

/* Browsers may read these; caches may not keep them. */
static void add_common(struct fb_reply *reply, const char *cache)
{
	fb_reply_header(reply, "Cache-Control", fb_str_of(cache));
	fb_reply_header(reply, "Vary", FB_STR("PAYMENT-SIGNATURE, X-PAYMENT"));
	fb_reply_header(reply, "Access-Control-Allow-Origin", FB_STR("*"));
	fb_reply_header(reply, "Access-Control-Expose-Headers",
			FB_STR("PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, Retry-After, X-Request-Id"));
}

/* 402: the v2 header and the v1 body at once. `receipt` (may be empty) tells why a payment did not do. */
static struct fb_answered ask_payment(struct fb_request *r, const struct fb_offer *o, const char *error,
				      const char *receipt_name, struct fb_str receipt)
{
	struct fb_buf v2 = fb_arena_buf(r->arena, REQUIRED_MAX),
		      header = fb_arena_buf(r->arena, FB_BASE64_LEN(REQUIRED_MAX));
	struct fb_buf v1 = fb_arena_buf(r->arena, REQUIRED_MAX);
	struct fb_reply reply = { .status = 402 };

	fb_wire_write_required_v2(&v2, o, error);
	fb_base64_put(&header, v2.at, v2.len);
	fb_wire_write_required_v1(&v1, o, error);
	if (v2.overflowed || header.overflowed || v1.overflowed)
		return fb_http_error(r, FB_NO_MEMORY, NULL);
	reply.body = fb_buf_view(&v1);
	add_common(&reply, "no-store");
	fb_reply_header(&reply, "PAYMENT-REQUIRED", fb_buf_view(&header));
	if (receipt.len > 0)
		fb_reply_header(&reply, receipt_name, receipt);
	return fb_http_reply(r, &reply);
}

/* ---- the answer after a settlement -------------------------------------------------------------------- */

static const char *receipt_name(const struct sale *s)
{
	return s->version == 1 ? "X-PAYMENT-RESPONSE" : "PAYMENT-RESPONSE";
}

static struct fb_str write_receipt(struct sale *s, const struct fb_settle_outcome *o)
{
	struct fb_settlement_answer a = { .reason = o->reason,
					  .message = o->note.text[0] == '\0' ? NULL : o->note.text,
					  .payer = s->payer,
					  .network = s->version == 1 ? s->offer.v1_name : s->offer.caip2,
					  .has_tx = o->has_tx,
					  .tx = o->tx };
	struct fb_buf json, header;

	fb_buf_init(&json, s->json, sizeof(s->json));
	fb_buf_init(&header, s->header, sizeof(s->header));
	fb_wire_write_settlement(&json, &a);
	fb_base64_put(&header, json.at, json.len);
	FB_ASSERT(!json.overflowed && !header.overflowed); /* every text in it is bounded */
	return fb_buf_view(&header);
}

static struct fb_answered serve(struct fb_request *r, struct sale *s, const struct fb_settle_outcome *o,
				struct fb_str receipt)
{
	struct fb_pay *p = r->ctx;
	struct fb_reply reply = { .status = 200,
				  .body = FB_STR("{\"message\":\"paid in full: here is your answer\",\"answer\":42}") };

	add_common(&reply, "private");
	fb_reply_header(&reply, receipt_name(s), receipt);
	fb_x402_watch(p->x402, &reply, o);
	return fb_http_reply(r, &reply);
}

/* The outcome is not known: never a 402, which a client answers by signing a second payment. */
static struct fb_answered not_yet(struct fb_request *r, struct sale *s, struct fb_str receipt)
{
	struct fb_reply reply = {
		.status = 503,
		.body = FB_STR(
			"{\"error\":{\"code\":\"settlement_pending\",\"message\":\"the outcome of this payment is not "
			"known yet: send the same request with the same payment again, do not sign a new one\"}}")
	};
	char after[8];

	snprintf(after, sizeof(after), "%d", RETRY_AFTER_S);
	add_common(&reply, "no-store");
	fb_reply_header(&reply, "Retry-After", fb_str_of(after));
	fb_reply_header(&reply, receipt_name(s), receipt);
	return fb_http_reply(r, &reply);
}

static struct fb_answered finish(struct fb_request *r)
{
	void *mine;
	struct fb_settle_outcome o = fb_x402_outcome(r, &mine);
	struct sale *s = mine;
	struct fb_str receipt = write_receipt(s, &o);

	if (o.reason == FB_REASON_NONE)
		return serve(r, s, &o, receipt);
	if (o.reason == FB_REASON_PENDING || o.reason == FB_REASON_SETTLE_ERROR)
		return not_yet(r, s, receipt);
	return ask_payment(r, &s->offer, fb_reason_text(o.reason), receipt_name(s), receipt);
}

/* ---- the payment ----------------------------------------------------------------------------------------- */

static struct fb_answered take_payment(struct fb_request *r, struct sale *s, struct fb_str header)
{
	struct fb_pay *p = r->ctx;
	struct fb_json_token *tokens = fb_arena_alloc(r->arena, FB_WIRE_TOKENS, sizeof(*tokens));
	struct fb_requirement requirement = fb_offer_requirement(&s->offer, s->version);
	struct fb_str none = { "", 0 };
	struct fb_payment payment;
	struct fb_claim claim;
	struct fb_error e = { "" };
	struct fb_note note;
	enum fb_reason reason;
	enum fb_status st = tokens == NULL ? FB_NO_MEMORY
					   : fb_wire_read_payment_header(&payment, &reason, header, s->version, tokens,
									 r->arena, &e);

	if (st != FB_OK)
		return fb_http_error(r, st, e.text[0] == '\0' ? NULL : e.text);
	if (reason == FB_REASON_NONE && !fb_offer_matches(&s->offer, &payment))
		return ask_payment(r, &s->offer, "No matching payment requirements", NULL, none);
	if (reason == FB_REASON_NONE)
		reason = fb_claim_make(&claim, p->x402->network, &payment, &requirement, &note);
	if (reason != FB_REASON_NONE)
		return ask_payment(r, &s->offer, fb_reason_text(reason), NULL, none);
	s->payer = payment.payer_text;
	return fb_x402_settle_later(p->x402, r, &claim, finish, s);
}

static struct fb_answered demo(struct fb_request *r)
{
	struct fb_str v2 = fb_request_header(r, "PAYMENT-SIGNATURE"), v1 = fb_request_header(r, "X-PAYMENT");
	struct sale *s = FB_NEW(r->arena, struct sale);
	struct fb_buf url;

	if (s == NULL)
		return fb_http_error(r, FB_NO_MEMORY, NULL);
	if (v1.len > 0 && v2.len > 0)
		return fb_http_error(r, FB_BAD_REQUEST, "PAYMENT-SIGNATURE and X-PAYMENT together: want one payment");
	if (!write_url(&url, r->ctx, r, s->url))
		return fb_http_error(r, FB_BAD_REQUEST, "Host: too long");
	s->offer = make_offer(r->ctx, fb_buf_view(&url));
	s->version = v1.len > 0 ? 1 : 2;
	if (v1.len == 0 && v2.len == 0)
		return ask_payment(r, &s->offer, "Payment required", NULL, v1);
	return take_payment(r, s, v2.len > 0 ? v2 : v1);
}

/* A browser asks before it sends a payment header for a page of another site. */
static struct fb_answered preflight(struct fb_request *r)
{
	struct fb_reply reply = { .status = 204 };

	fb_reply_header(&reply, "Allow", FB_STR("GET, HEAD, OPTIONS"));
	fb_reply_header(&reply, "Access-Control-Allow-Origin", FB_STR("*"));
	fb_reply_header(&reply, "Access-Control-Allow-Methods", FB_STR("GET, HEAD"));
	fb_reply_header(&reply, "Access-Control-Allow-Headers", FB_STR(REQUEST_HEADERS));
	fb_reply_header(&reply, "Access-Control-Max-Age", FB_STR("600"));
	return fb_http_reply(r, &reply);
}

static const struct fb_route routes[] = {
	/* method  pattern  handler body_max auth          repeat             summary */
	{ FB_GET, "/demo", demo, 0, FB_AUTH_NONE, FB_REPEAT_PAYLOAD, "a paid resource to try the whole way with" },
	{ FB_OPTIONS, "/demo", preflight, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "what a page of another site may ask of it" },
};

struct fb_mount fb_pay_mount(struct fb_pay *p)
{
	return (struct fb_mount){ routes, FB_COUNT(routes), p };
}
