/* The token: what it refuses, what it moves, and what the lens reads of it. */
#include "sim_int.h"

#include <string.h>

static bool accepts_signature(const struct fb_sim *s, const struct sim_account *payer, const struct sim_call *call)
{
	struct fb_hash message = fb_eip3009_transfer_hash(&call->authorization),
		       digest = fb_eip712_digest(&s->domain, &message);
	struct fb_signature signature;
	struct fb_address signer;

	if (payer->has_code)
		return payer->accepts;
	return fb_signature_unpack(&signature, (struct fb_str){ (const char *)call->signature, call->signature_len }) ==
		       FB_OK &&
	       fb_recover(&signer, &signature, &digest) == FB_OK && fb_address_eq(&signer, &payer->address);
}

/* In the order of FiatTokenV2_2. */
const char *sim_token_refusal(const struct fb_sim *s, const struct sim_state *st, const struct sim_call *call)
{
	const struct fb_authorization *a = &call->authorization;
	struct fb_u256 now = fb_u256_from_u64((uint64_t)fb_clock_wall_s(&s->clock));
	struct sim_state *accounts = (struct sim_state *)(uintptr_t)st; /* an account that is missing is an empty one */
	struct sim_account *from = sim_account(accounts, &a->from);

	if (st->paused)
		return "Pausable: paused";
	if (from->blacklisted || sim_account(accounts, &a->to)->blacklisted)
		return "Blacklistable: account is blacklisted";
	if (fb_u256_cmp(now, a->valid_after) <= 0)
		return "FiatTokenV2: authorization is not yet valid";
	if (fb_u256_cmp(now, a->valid_before) >= 0)
		return "FiatTokenV2: authorization is expired";
	if (sim_is_used(s, st, &a->from, &a->nonce))
		return "FiatTokenV2: authorization is used or canceled";
	if (!accepts_signature(s, from, call))
		return "FiatTokenV2: invalid signature";
	if (fb_address_is_zero(&a->to))
		return "ERC20: transfer to the zero address";
	if (fb_u256_cmp(from->atoms, a->value) < 0)
		return "ERC20: transfer amount exceeds balance";
	return NULL;
}

void sim_token_move(struct fb_sim *s, const struct sim_call *call, const struct fb_hash *tx)
{
	const struct fb_authorization *a = &call->authorization;
	struct sim_account *from = sim_account(&s->now, &a->from), *to = sim_account(&s->now, &a->to);

	FB_ASSERT(s->now.used_count < SIM_USED_MAX);
	FB_ASSERT(fb_u256_sub(&from->atoms, from->atoms, a->value) == FB_OK);
	FB_ASSERT(fb_u256_add(&to->atoms, to->atoms, a->value) == FB_OK);
	s->used[s->now.used_count] =
		(struct sim_used){ .payer = a->from, .nonce = a->nonce, .to = a->to, .block = s->now.block, .tx = *tx };
	FB_ASSERT(fb_u256_to_u64(&s->used[s->now.used_count++].atoms, a->value) == FB_OK);
}

/* ---- the lens -------------------------------------------------------------------------------------------- */

static void put_head(struct fb_buf *out, const struct fb_sim *s, const struct sim_state *st, bool token)
{
	fb_abi_u64(out, st->block);
	fb_abi_u64(out, (uint64_t)fb_clock_wall_s(&s->clock));
	fb_abi_u64(out, token ? 1u | (st->paused ? 2u : 0) : 0);
}

static void put_item(struct fb_buf *out, const struct fb_sim *s, struct sim_state *st, bool token, const uint8_t *at)
{
	struct fb_address from, to;
	struct sim_account *payer;
	uint8_t word[32] = { 0 };
	struct fb_hash nonce;
	fb_u128 atoms;

	memcpy(from.bytes, at, 20);
	memcpy(to.bytes, at + 20, 20);
	memcpy(nonce.bytes, at + 40, 32);
	payer = sim_account(st, &from);
	word[0] = payer->has_code ? 0x80 : 0;
	if (token) {
		word[0] |= sim_is_used(s, st, &from, &nonce) ? 0x40 : 0;
		word[0] |= payer->blacklisted ? 0x10 : 0;
		word[0] |= sim_account(st, &to)->blacklisted ? 0x08 : 0;
		fb_put_be128(word + 16, fb_u256_to_u128(&atoms, payer->atoms) == FB_OK ? atoms : ~(fb_u128)0);
	}
	fb_abi_word(out, word);
}

void sim_lens_answer(const struct fb_sim *s, struct fb_buf *out, struct fb_str data)
{
	struct sim_state *st = (struct sim_state *)(uintptr_t)sim_visible(s);
	const uint8_t *at = (const uint8_t *)data.at;
	struct fb_address token;
	bool live;

	FB_ASSERT(data.len >= 20 && (data.len - 20) % 72 == 0);
	memcpy(token.bytes, at, 20);
	live = fb_address_eq(&token, &s->token);
	put_head(out, s, st, live);
	for (size_t i = 20; i < data.len; i += 72)
		put_item(out, s, st, live, at + i);
}
