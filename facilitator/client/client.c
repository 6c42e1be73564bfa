/* Choosing a quote and signing for it. */
#include "farebox/client.h"

#include <string.h>

enum { V1_BACKDATE_S = 600 /* as v1 clients do */, PAYMENT_MAX = 32768 };

static bool flow_known(const struct fb_quote *q)
{
	return q->requirement.payment_flow.len == 0 ||
	       fb_str_eq(q->requirement.payment_flow, FB_STR("authorization")) ||
	       fb_str_eq(q->requirement.payment_flow, FB_STR("upfront"));
}

static bool method_known(const struct fb_quote *q)
{
	return q->requirement.asset_transfer_method.len == 0 ||
	       fb_str_eq(q->requirement.asset_transfer_method, FB_STR("eip3009"));
}

static const struct fb_network *find_network(const struct fb_quote *q, const struct fb_network *networks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fb_str_eq(q->requirement.network,
			      fb_str_of(q->version == 1 ? networks[i].v1_name : networks[i].caip2)))
			return &networks[i];
	return NULL;
}

/* The token's domain is ours to know: a server that names another one wants a signature for something else. */
static bool domain_agrees(const struct fb_quote *q, const struct fb_token *t)
{
	return q->requirement.has_domain && fb_str_eq(q->requirement.domain_name, fb_str_of(t->name)) &&
	       fb_str_eq(q->requirement.domain_version, fb_str_of(t->version));
}

/* NULL if the quote can be taken, else why not. */
static const char *consider(struct fb_purchase *out, const struct fb_quote *q, const struct fb_network *networks,
			    size_t count)
{
	struct fb_purchase p = { .quote = q };

	if (!fb_str_eq(q->requirement.scheme, FB_STR("exact")))
		return "its scheme is not \"exact\"";
	p.network = find_network(q, networks, count);
	if (p.network == NULL)
		return "its network is not known here";
	p.token = fb_network_token(p.network, &q->requirement.asset);
	if (p.token == NULL)
		return "its asset is not a listed token of the network";
	if (!domain_agrees(q, p.token))
		return "its extra.name or extra.version is not the token's";
	if (!flow_known(q) || !method_known(q))
		return "its payment flow or transfer method is not known here";
	if (fb_u256_to_amount(&p.amount, q->requirement.amount) != FB_OK)
		return "its amount is too large";
	*out = p;
	return NULL;
}

static enum fb_status refuse_price(struct fb_error *e, const struct fb_purchase *p, struct fb_str max)
{
	char block[64];
	struct fb_buf asked;

	fb_buf_init(&asked, block, sizeof(block));
	fb_buf_amount_decimal(&asked, p->amount, p->token->decimals);
	return fb_error_set(e, FB_LIMIT, "the server asks %.*s %s, your limit is %.*s: raise it with --max",
			    FB_STR_ARG(fb_buf_view(&asked)), p->token->symbol, FB_STR_ARG(max));
}

/* FB_LIMIT: it is dearer. FB_BAD_VALUE */
static enum fb_status check_price(const struct fb_purchase *p, struct fb_str max, struct fb_error *e)
{
	struct fb_amount limit;

	if (fb_amount_parse_decimal(&limit, max, p->token->decimals) != FB_OK)
		return fb_error_set(e, FB_BAD_VALUE, "--max \"%.*s\": want an amount in whole %s like 0.5, with at most %u "
				    "decimals", max.len > 40 ? 40 : (int)max.len, max.at, p->token->symbol, p->token->decimals);
	return fb_amount_cmp(p->amount, limit) <= 0 ? FB_OK : FB_LIMIT;
}

enum fb_status fb_client_choose(struct fb_purchase *out, const struct fb_quotes *quotes,
				const struct fb_network *networks, size_t count, struct fb_str max, struct fb_error *e)
{
	const char *why = quotes->skipped > 0 ? "what it offers cannot be read" : "it offers nothing";
	struct fb_purchase p, dear = { .quote = NULL };

	for (size_t i = 0; i < quotes->count; i++) {
		const char *no = consider(&p, &quotes->quote[i], networks, count);
		enum fb_status st;

		if (no != NULL) {
			why = no;
			continue;
		}
		st = check_price(&p, max, e);
		if (st == FB_OK)
			*out = p;
		if (st != FB_LIMIT)
			return st;
		if (dear.quote == NULL)
			dear = p;
	}
	if (dear.quote != NULL)
		return refuse_price(e, &dear, max);
	return fb_error_set(e, FB_NOT_FOUND, "none of the server's %zu offers can be paid: of the last one, %s",
			    quotes->count + quotes->skipped, why);
}

static struct fb_authorization authorize(const struct fb_purchase *p, const struct fb_key *key, int64_t now_s,
					 struct fb_rng rng)
{
	const struct fb_requirement *r = &p->quote->requirement;
	uint64_t now = (uint64_t)now_s;
	uint64_t life = r->max_timeout_s < FB_CLIENT_LIFE_MAX_S ? r->max_timeout_s : FB_CLIENT_LIFE_MAX_S;
	struct fb_authorization a = { .from = fb_key_address(key), .to = r->pay_to, .value = r->amount };

	FB_ASSERT(now_s > V1_BACKDATE_S);
	a.valid_after = fb_u256_from_u64(p->quote->version == 1 ? now - V1_BACKDATE_S : 0);
	a.valid_before = fb_u256_from_u64(now + life);
	rng.fill(rng.ctx, a.nonce.bytes, sizeof(a.nonce.bytes));
	return a;
}

enum fb_status fb_client_pay(struct fb_buf *header, struct fb_authorization *signed_as, const struct fb_purchase *p,
			     const struct fb_quotes *quotes, const struct fb_key *key, int64_t now_s, struct fb_rng rng,
			     struct fb_arena *arena)
{
	struct fb_authorization a = authorize(p, key, now_s, rng);
	struct fb_hash message = fb_eip3009_transfer_hash(&a), digest = fb_eip712_digest(&p->token->domain, &message);
	struct fb_buf json = fb_arena_buf(arena, PAYMENT_MAX);
	uint8_t packed[FB_SIGNATURE_LEN];
	struct fb_signature s;

	fb_sign(&s, key, &digest);
	fb_signature_pack(packed, &s);
	fb_wire_write_payment(&json, quotes, p->quote, &a, packed);
	if (json.overflowed)
		return FB_NO_MEMORY;
	fb_base64_put(header, json.at, json.len);
	if (header->overflowed)
		return FB_NO_MEMORY;
	*signed_as = a;
	return FB_OK;
}
