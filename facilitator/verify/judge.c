/* The verdict: steps 4 to 11 in the order that decides which reason is reported. */
#include "farebox/verify.h"

#include <stdio.h>
#include <string.h>

static enum fb_reason refuse(struct fb_note *note, enum fb_reason reason, const char *text)
{
	snprintf(note->text, sizeof(note->text), "%s", text);
	return reason;
}

/* "text: found N, want M" */
static enum fb_reason refuse_numbers(struct fb_note *note, enum fb_reason reason, const char *text,
				     struct fb_u256 found, struct fb_u256 want)
{
	struct fb_buf b;

	fb_buf_init(&b, note->text, sizeof(note->text) - 1);
	fb_buf_text(&b, text);
	fb_buf_text(&b, ": found ");
	fb_buf_u256(&b, found);
	fb_buf_text(&b, ", want ");
	fb_buf_u256(&b, want);
	FB_ASSERT(!b.overflowed);
	note->text[b.len] = '\0';
	return reason;
}

/* Steps 4 and 5. Routed by code exactly as the token does: no ECDSA for an account with code. */
static enum fb_reason judge_signature(const struct fb_claim *c, const struct fb_facts *f, struct fb_note *note)
{
	if (c->enveloped && !f->of.payer_has_code)
		return refuse(note, FB_REASON_FACTORY,
			      "the wallet is not deployed and its factory is not on the list (the list is empty)");
	if (f->of.payer_has_code && !f->contract_accepts)
		return refuse(note, FB_REASON_SIGNATURE,
			      "the payer is a contract and its isValidSignature does not accept the signature");
	if (!f->of.payer_has_code && !c->signer_matches)
		return refuse(note, FB_REASON_SIGNATURE,
			      "the signature is not the payer's: want 65 bytes, low s, v 27 or 28, over this network's "
			      "token domain");
	return FB_REASON_NONE;
}

static enum fb_reason judge_recipient(const struct fb_claim *c, struct fb_note *note)
{
	if (!fb_address_eq(&c->authorization.to, &c->pay_to))
		return refuse(note, FB_REASON_RECIPIENT, "authorization.to differs from payTo");
	return FB_REASON_NONE;
}

static enum fb_reason judge_value(const struct fb_claim *c, struct fb_note *note)
{
	if (!fb_u256_eq(c->authorization.value, c->amount))
		return refuse_numbers(note, c->version == 1 ? FB_REASON_VALUE_V1 : FB_REASON_VALUE,
				      "authorization.value is not the price", c->authorization.value, c->amount);
	return FB_REASON_NONE;
}

enum fb_reason fb_claim_judge_price(const struct fb_claim *c, struct fb_note *note)
{
	enum fb_reason reason = judge_recipient(c, note);

	return reason != FB_REASON_NONE ? reason : judge_value(c, note);
}

/* Steps 6 to 9. */
static enum fb_reason judge_terms(const struct fb_claim *c, int64_t now_s, struct fb_note *note)
{
	const struct fb_authorization *a = &c->authorization;
	struct fb_u256 now = fb_u256_from_u64((uint64_t)now_s),
		       soonest = fb_u256_from_u64((uint64_t)now_s + FB_VERIFY_LIFE_MIN_S);
	enum fb_reason reason = judge_recipient(c, note);

	if (reason != FB_REASON_NONE)
		return reason;
	if (fb_u256_cmp(a->valid_before, soonest) < 0)
		return refuse_numbers(note, FB_REASON_VALID_BEFORE, "validBefore is too near or past", a->valid_before,
				      soonest);
	if (fb_u256_cmp(a->valid_after, now) > 0)
		return refuse_numbers(note, FB_REASON_VALID_AFTER, "validAfter lies in the future", a->valid_after,
				      now);
	return judge_value(c, note);
}

/* Step 10, and the allow-list that the reference lacks. */
static enum fb_reason judge_asset(const struct fb_claim *c, const struct fb_facts *f, struct fb_note *note)
{
	if (!f->asset_has_code)
		return refuse(note, FB_REASON_ASSET_NO_CODE, "there is no contract at the asset's address");
	if (c->token == NULL)
		return refuse(note, FB_REASON_INVALID_REQUIREMENTS,
			      "this asset is not on the facilitator's list of tokens");
	return FB_REASON_NONE;
}

/* Step 11: everything the token would refuse, in the reference's order of diagnosis. */
static enum fb_reason judge_transfer(const struct fb_claim *c, const struct fb_facts *f, struct fb_note *note)
{
	if (!f->of.eip3009)
		return refuse(note, FB_REASON_NO_EIP3009, "the token does not answer authorizationState and balanceOf");
	if (f->of.nonce_used)
		return refuse(note, FB_REASON_NONCE_USED, "this authorization was used or cancelled already");
	if (!c->name_matches) {
		snprintf(note->text, sizeof(note->text), "extra.name is not the token's name: want \"%s\"",
			 c->token->name);
		return FB_REASON_TOKEN_NAME;
	}
	if (!c->version_matches) {
		snprintf(note->text, sizeof(note->text), "extra.version is not the token's version: want \"%s\"",
			 c->token->version);
		return FB_REASON_TOKEN_VERSION;
	}
	if (fb_u256_cmp(f->of.balance, c->authorization.value) < 0)
		return refuse_numbers(note, FB_REASON_BALANCE, "the payer's balance is too small", f->of.balance,
				      c->authorization.value);
	if (f->paused)
		return refuse(note, FB_REASON_SIMULATION, "the token is paused");
	if (f->of.from_blacklisted || f->of.to_blacklisted)
		return refuse(note, FB_REASON_SIMULATION,
			      f->of.from_blacklisted ? "the token's issuer has blacklisted the payer"
						     : "the token's issuer has blacklisted the payee");
	if (fb_address_is_zero(&c->authorization.to))
		return refuse(note, FB_REASON_SIMULATION, "the token does not transfer to the zero address");
	if (f->of.payer_has_code && !f->contract_simulated)
		return refuse(note, FB_REASON_SIMULATION, "the transfer fails in simulation");
	return FB_REASON_NONE;
}

enum fb_reason fb_claim_judge(const struct fb_claim *c, const struct fb_facts *facts, int64_t now_s,
			      struct fb_note *note)
{
	enum fb_reason reason;

	FB_ASSERT(facts->status == FB_OK);
	FB_ASSERT(now_s > 0);
	note->text[0] = '\0';
	reason = judge_signature(c, facts, note);
	if (reason == FB_REASON_NONE)
		reason = judge_terms(c, now_s, note);
	if (reason == FB_REASON_NONE)
		reason = judge_asset(c, facts, note);
	if (reason == FB_REASON_NONE)
		reason = judge_transfer(c, facts, note);
	FB_ASSERT((reason == FB_REASON_NONE) == (note->text[0] == '\0'));
	return reason;
}
