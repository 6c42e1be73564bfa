/* farebox/verify.h - the judgement of one payment: pure decisions in the order stock clients expect.
 *
 * What it is  fb_claim_make turns a wire request into a claim or the reason why not (steps 0 to 3);
 *             fb_claim_recover does the CPU work; fb_claim_judge decides with the chain's facts
 *             (steps 4 to 11). What would fail in simulation fails here, because the facts cover
 *             everything the token checks; payers with code are really simulated.
 * Layer       6
 * Order       version, requirement's scheme and network, payload's scheme, domain, networks equal; then envelope,
 *             signature, recipient, valid_before, valid_after, value, asset code, allow-list, EIP-3009, nonce, name,
 *             version, balance, pause and blacklist.
 * Units       seconds, atoms.
 * Errors      enum fb_reason (farebox/wire.h); the message says what was found and what would be right.
 * Ownership   a claim is a plain value without pointers, but for its token, which lives as long as
 *             the network. It may move between threads.
 * Threads     pure functions.
 * Spec        x402 v1 and v2, scheme exact on EVM, EIP-3009; SDK 2.27's order of checks.
 */
#ifndef FB_VERIFY_H
#define FB_VERIFY_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/network.h"
#include "farebox/view.h"
#include "farebox/wire.h"

enum { FB_VERIFY_LIFE_MIN_S = 6 /* validBefore must be this far ahead */ };

struct fb_claim {
	uint8_t version;
	struct fb_authorization authorization;
	struct fb_address asset, pay_to;
	struct fb_u256 amount;
	const struct fb_token *token; /* NULL: not on the allow-list */
	bool name_matches, version_matches;
	bool enveloped;      /* ERC-6492: the signature below is the inner one */
	bool signer_matches; /* after fb_claim_recover: 65 bytes that recover to the payer */
	struct fb_hash digest;
	size_t signature_len;
	uint8_t signature[FB_WIRE_SIGNATURE_MAX];
};
/* A human sentence about a refusal; the longest holds two numbers of 78 digits. */
struct fb_note {
	char text[224];
};

enum fb_reason fb_claim_make(struct fb_claim *out, const struct fb_network *n, const struct fb_payment *p,
			     const struct fb_requirement *r, struct fb_note *note);
void fb_claim_recover(struct fb_claim *c);
/* The query that fetches this claim's facts; borrows the claim. */
struct fb_view_query fb_claim_query(const struct fb_claim *c, const struct fb_address *sender, uint64_t gas_limit_max);
/* facts->status must be FB_OK. note is empty exactly when the verdict is NONE. */
enum fb_reason fb_claim_judge(const struct fb_claim *c, const struct fb_facts *facts, int64_t now_s,
			      struct fb_note *note);
/* Recipient and value alone: what must hold of a repeat whose payment is known already. */
enum fb_reason fb_claim_judge_price(const struct fb_claim *c, struct fb_note *note);
#endif /* FB_VERIFY_H */
