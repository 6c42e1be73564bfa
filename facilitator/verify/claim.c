/* From a wire request to a claim: what can be decided, and computed, without asking the chain. */
#include "farebox/verify.h"

#include <stdio.h>
#include <string.h>

static enum fb_reason refuse(struct fb_note *note, enum fb_reason reason, const char *text)
{
	snprintf(note->text, sizeof(note->text), "%s", text);
	return reason;
}

static struct fb_str our_name(const struct fb_network *n, uint8_t version)
{
	return fb_str_of(version == 1 ? n->v1_name : n->caip2);
}

/* Steps 0 to 3. */
static enum fb_reason check_envelope(const struct fb_network *n, const struct fb_payment *p,
				     const struct fb_requirement *r, struct fb_note *note)
{
	struct fb_str exact = FB_STR("exact"), ours = our_name(n, p->version);

	if (!fb_str_eq(r->scheme, exact))
		return refuse(note, FB_REASON_UNSUPPORTED_SCHEME, "this facilitator settles scheme \"exact\" only");
	if (ours.len == 0)
		return refuse(note, FB_REASON_INVALID_NETWORK, "the network served here has no name in x402 version 1");
	if (!fb_str_eq(r->network, ours)) {
		snprintf(note->text, sizeof(note->text), "this facilitator serves %.*s only", FB_STR_ARG(ours));
		return FB_REASON_INVALID_NETWORK;
	}
	if (!fb_str_eq(p->scheme, exact))
		return refuse(note, FB_REASON_SCHEME,
			      "the payload's scheme differs from the requirement's: want \"exact\" in both");
	if (!r->has_domain)
		return refuse(note, FB_REASON_MISSING_DOMAIN,
			      "extra.name and extra.version of the token's EIP-712 domain are required");
	if (!fb_str_eq(p->network, r->network))
		return refuse(note, FB_REASON_NETWORK_MISMATCH, "the payload's network differs from the requirement's");
	return FB_REASON_NONE;
}

/* ERC-6492: abi.encode(factory, calldata, inner signature) ‖ 0x6492 repeated. The inner signature is what a token can
 * use. */
static void take_signature(struct fb_claim *c, struct fb_str signature)
{
	static const uint8_t suffix[32] = { 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64,
					    0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
					    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92 };
	struct fb_str inner;

	FB_ASSERT(signature.len <= FB_WIRE_SIGNATURE_MAX);
	if (signature.len > sizeof(suffix) &&
	    memcmp(signature.at + signature.len - sizeof(suffix), suffix, sizeof(suffix)) == 0) {
		c->enveloped = true;
		if (fb_abi_get_bytes(&inner, (struct fb_str){ signature.at, signature.len - sizeof(suffix) }, 2) ==
		    FB_OK)
			signature = inner;
	}
	c->signature_len = signature.len;
	memcpy(c->signature, signature.at, signature.len);
}

static void compute_digest(struct fb_claim *c, const struct fb_network *n, const struct fb_requirement *r)
{
	struct fb_hash domain, message = fb_eip3009_transfer_hash(&c->authorization);

	if (c->token != NULL && c->name_matches && c->version_matches)
		domain = c->token->domain;
	else
		domain = fb_eip712_domain(r->domain_name, r->domain_version, n->chain_id, &c->asset);
	c->digest = fb_eip712_digest(&domain, &message);
}

enum fb_reason fb_claim_make(struct fb_claim *out, const struct fb_network *n, const struct fb_payment *p,
			     const struct fb_requirement *r, struct fb_note *note)
{
	enum fb_reason reason = check_envelope(n, p, r, note);

	if (reason != FB_REASON_NONE)
		return reason;
	out->version = p->version;
	out->authorization = p->authorization;
	out->asset = r->asset;
	out->pay_to = r->pay_to;
	out->amount = r->amount;
	out->token = fb_network_token(n, &r->asset);
	out->name_matches = out->token != NULL && fb_str_eq(r->domain_name, fb_str_of(out->token->name));
	out->version_matches = out->token != NULL && fb_str_eq(r->domain_version, fb_str_of(out->token->version));
	out->enveloped = false;
	out->signer_matches = false;
	take_signature(out, p->signature);
	compute_digest(out, n, r);
	return FB_REASON_NONE;
}

void fb_claim_recover(struct fb_claim *c)
{
	struct fb_signature s;
	struct fb_address signer;

	c->signer_matches =
		fb_signature_unpack(&s, (struct fb_str){ (const char *)c->signature, c->signature_len }) == FB_OK &&
		fb_recover(&signer, &s, &c->digest) == FB_OK && fb_address_eq(&signer, &c->authorization.from);
}

struct fb_view_query fb_claim_query(const struct fb_claim *c, const struct fb_address *sender, uint64_t gas_limit_max)
{
	return (struct fb_view_query){ .asset = c->asset,
				       .listed = c->token != NULL,
				       .authorization = &c->authorization,
				       .digest = &c->digest,
				       .signature = { (const char *)c->signature, c->signature_len },
				       .sender = sender,
				       .gas_limit_max = gas_limit_max };
}
