/* Goal: the contract of farebox/verify.h: every refusal, in the order that decides which one is told.
 * Method: one good payment, and tables of what is changed about it; one file a topic, all run from here. */
#include "test_verify.h"

enum { INNER_AT = 5 * 32 }; /* of the envelope below: three head words, an empty factory call, the inner length */

struct verify_case *verify_good(uint8_t version)
{
	static struct verify_case c;
	struct fb_key payer = fb_sample_payer();

	memset(&c, 0, sizeof(c));
	c.network = fb_sample_network();
	c.requirement = fb_sample_requirement(&c.network, version);
	c.payment = (struct fb_payment){ .version = version,
					 .scheme = c.requirement.scheme,
					 .network = c.requirement.network,
					 .authorization = fb_sample_authorization(&payer, 0x11) };
	c.facts = (struct fb_facts){ .status = FB_OK,
				     .block = 100,
				     .block_time_s = FB_SAMPLE_NOW_S,
				     .asset_has_code = true,
				     .of = { .eip3009 = true, .balance = fb_u256_from_u64(1000) },
				     .contract_accepts = true,
				     .contract_simulated = true };
	c.now_s = FB_SAMPLE_NOW_S;
	verify_sign(&c);
	return &c;
}

/* abi.encode(factory, "", inner) and the mark of ERC-6492. */
static size_t wrap(uint8_t out[512], const uint8_t inner[FB_SIGNATURE_LEN])
{
	struct fb_address factory = fb_sample_address(0xfa);
	struct fb_buf b;

	fb_buf_init(&b, (char *)out, 512);
	fb_abi_address(&b, &factory);
	fb_abi_u64(&b, 3 * 32);
	fb_abi_u64(&b, 4 * 32);
	fb_abi_bytes(&b, "", 0);
	CHECK(b.len + 32 == INNER_AT);
	fb_abi_bytes(&b, inner, FB_SIGNATURE_LEN);
	for (size_t i = 0; i < 16; i++)
		fb_buf_put(&b, "\x64\x92", 2);
	CHECK(!b.overflowed);
	return b.len;
}

void verify_sign(struct verify_case *c)
{
	struct fb_key payer = fb_sample_payer();
	uint8_t packed[FB_SIGNATURE_LEN];
	struct fb_signature s;

	c->payment.signature = (struct fb_str){ (const char *)c->signature, FB_SIGNATURE_LEN };
	if (fb_claim_make(&c->claim, &c->network, &c->payment, &c->requirement, &c->note) != FB_REASON_NONE)
		return; /* refused before anything is signed for */
	fb_sign(&s, &payer, &c->claim.digest);
	s.r[7] ^= c->bad_signature ? 1 : 0;
	fb_signature_pack(packed, &s);
	memcpy(c->signature, packed, sizeof(packed));
	if (c->enveloped)
		c->payment.signature.len = wrap(c->signature, packed);
}

enum fb_reason verify_run(struct verify_case *c)
{
	enum fb_reason reason;

	memset(c->note.text, 0, sizeof(c->note.text));
	reason = fb_claim_make(&c->claim, &c->network, &c->payment, &c->requirement, &c->note);
	if (reason == FB_REASON_NONE) {
		fb_claim_recover(&c->claim);
		reason = fb_claim_judge(&c->claim, &c->facts, c->now_s, &c->note);
	}
	CHECK((reason == FB_REASON_NONE) == (c->note.text[0] == '\0'));
	CHECK(memchr(c->note.text, '\0', sizeof(c->note.text)) != NULL);
	return reason;
}

int main(void)
{
	return test_verify_order() + test_verify_claim() + test_verify_judge() == 0 ? 0 : 1;
}
