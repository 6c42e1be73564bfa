/* Properties of reading a /verify body, over any bytes:
 * 1. a status other than OK leaves the output alone and explains itself;
 * 2. what is echoed in an answer is an address or nothing, and a network name within its limit;
 * 3. what is accepted is written again as a request (of the typed values) and read to the same values. */
#include "farebox/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 18, TEXT_MAX = 1 << 19 };

static _Alignas(16) unsigned char memory[2][ARENA_BYTES];
static struct fb_json_token tokens[FB_WIRE_TOKENS];

static enum fb_status read_body(struct fb_wire_request *out, enum fb_reason *reason, struct fb_str body, int which,
				struct fb_error *e)
{
	struct fb_arena a;

	fb_arena_init(&a, memory[which], sizeof(memory[which]));
	return fb_wire_read_request(out, reason, body, tokens, &a, e);
}

static void put_u256(struct fb_jw *w, const char *key, struct fb_u256 v)
{
	char block[FB_U256_DIGITS];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u256(&b, v);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void put_hex(struct fb_jw *w, const char *key, const void *bytes, size_t len)
{
	static char block[2 + 2 * FB_WIRE_SIGNATURE_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, len);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void put_payload(struct fb_jw *w, const struct fb_payment *p)
{
	const struct fb_authorization *a = &p->authorization;

	fb_jw_key(w, "payload");
	fb_jw_object(w);
	put_hex(w, "signature", p->signature.at, p->signature.len);
	fb_jw_key(w, "authorization");
	fb_jw_object(w);
	fb_jw_kv_str(w, "from", p->payer_text);
	put_hex(w, "to", a->to.bytes, sizeof(a->to.bytes));
	put_u256(w, "value", a->value);
	put_u256(w, "validAfter", a->valid_after);
	put_u256(w, "validBefore", a->valid_before);
	put_hex(w, "nonce", a->nonce.bytes, sizeof(a->nonce.bytes));
	fb_jw_end(w);
	fb_jw_end(w);
}

static void put_payment(struct fb_jw *w, const struct fb_payment *p)
{
	fb_jw_key(w, "paymentPayload");
	fb_jw_object(w);
	fb_jw_kv_u64(w, "x402Version", p->version);
	if (p->version == 1) {
		fb_jw_kv_str(w, "scheme", p->scheme);
		fb_jw_kv_str(w, "network", p->network);
	} else {
		fb_jw_kv_raw(w, "accepted", p->accepted.raw);
		fb_jw_key(w, "resource");
		fb_jw_object(w);
		fb_jw_kv_str(w, "url", p->resource_url);
		fb_jw_end(w);
	}
	put_payload(w, p);
	fb_jw_end(w);
}

static struct fb_str write_again(const struct fb_wire_request *r)
{
	static char text[TEXT_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, text, sizeof(text));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "x402Version", r->payment.version);
	put_payment(&w, &r->payment);
	fb_jw_kv_raw(&w, "paymentRequirements", r->requirement.raw);
	fb_jw_end(&w);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static void check_same_requirement(const struct fb_requirement *a, const struct fb_requirement *b)
{
	FB_ASSERT(fb_str_eq(a->scheme, b->scheme) && fb_str_eq(a->network, b->network) && fb_str_eq(a->raw, b->raw));
	FB_ASSERT(fb_u256_eq(a->amount, b->amount) && fb_address_eq(&a->asset, &b->asset) &&
		  fb_address_eq(&a->pay_to, &b->pay_to));
	FB_ASSERT(a->max_timeout_s == b->max_timeout_s && a->max_timeout_s > 0 && a->has_domain == b->has_domain);
	FB_ASSERT(fb_str_eq(a->domain_name, b->domain_name) && fb_str_eq(a->domain_version, b->domain_version));
	FB_ASSERT(a->has_domain == (a->domain_name.len > 0) && a->has_domain == (a->domain_version.len > 0));
	FB_ASSERT(fb_str_eq(a->payment_flow, b->payment_flow) &&
		  fb_str_eq(a->asset_transfer_method, b->asset_transfer_method));
}

static void check_same_payment(const struct fb_payment *a, const struct fb_payment *b)
{
	FB_ASSERT(a->version == b->version && a->has_accepted == b->has_accepted &&
		  a->has_accepted == (a->version == 2));
	FB_ASSERT(fb_str_eq(a->scheme, b->scheme) && fb_str_eq(a->network, b->network) &&
		  fb_str_eq(a->resource_url, b->resource_url));
	FB_ASSERT(memcmp(&a->authorization, &b->authorization, sizeof(a->authorization)) == 0);
	FB_ASSERT(fb_str_eq(a->signature, b->signature) && a->signature.len > 0 &&
		  a->signature.len <= FB_WIRE_SIGNATURE_MAX);
	FB_ASSERT(fb_str_eq(a->payer_text, b->payer_text));
	if (a->has_accepted)
		check_same_requirement(&a->accepted, &b->accepted);
}

static void check_echo(const struct fb_wire_request *r)
{
	struct fb_address payer;

	FB_ASSERT(r->payment.version <= 2);
	FB_ASSERT(r->requirement.network.len <= FB_WIRE_NETWORK_MAX);
	FB_ASSERT(r->payment.payer_text.len == 0 || fb_address_parse(&payer, r->payment.payer_text) == FB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fb_wire_request one, two;
	enum fb_reason reason = FB_REASON_END;
	struct fb_error e = { "" };
	enum fb_status st;

	memset(&one, 0x55, sizeof(one));
	two = one;
	st = read_body(&one, &reason, (struct fb_str){ (const char *)data, size }, 0, &e);
	if (st != FB_OK) {
		FB_ASSERT(reason == FB_REASON_END && memcmp(&one, &two, sizeof(one)) == 0);
		FB_ASSERT(st == FB_NO_MEMORY || e.text[0] != '\0');
		return 0;
	}
	check_echo(&one);
	FB_ASSERT((reason == FB_REASON_NONE) == (e.text[0] == '\0'));
	if (reason != FB_REASON_NONE)
		return 0;
	st = read_body(&two, &reason, write_again(&one), 1, &e);
	if (st == FB_TOO_MANY)
		return 0; /* what was written out in full came on top of a full body */
	FB_ASSERT(st == FB_OK && reason == FB_REASON_NONE);
	check_same_payment(&one.payment, &two.payment);
	check_same_requirement(&one.requirement, &two.requirement);
	return 0;
}
