/* A network, its token and well-known development keys, for the tests of what handles payments. */
#ifndef FB_SAMPLE_H
#define FB_SAMPLE_H
#include "farebox/crypto.h"
#include "farebox/network.h"
#include "farebox/wire.h"

#include <string.h>

enum { FB_SAMPLE_CHAIN = 84532, FB_SAMPLE_NOW_S = 1700000000 };

static inline struct fb_address fb_sample_address(uint8_t fill)
{
	struct fb_address a;

	memset(a.bytes, fill, sizeof(a.bytes));
	return a;
}

static inline struct fb_key fb_sample_key_of(const char *hex)
{
	struct fb_key key;

	FB_ASSERT(fb_key_parse(&key, fb_str_of(hex)) == FB_OK);
	return key;
}

/* The development keys number 0 (sends) and 1 (pays). */
static inline struct fb_key fb_sample_signer(void)
{
	return fb_sample_key_of("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
}

static inline struct fb_key fb_sample_payer(void)
{
	return fb_sample_key_of("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
}

/* Base Sepolia with its USDC and a second token of another name. */
static inline struct fb_network fb_sample_network(void)
{
	struct fb_network n = {
		.name = "base-sepolia", .caip2 = "eip155:84532", .v1_name = "base-sepolia", .chain_id = FB_SAMPLE_CHAIN
	};

	for (size_t i = 0; i < 2; i++) {
		struct fb_token *t = &n.tokens[i];

		*t = (struct fb_token){ .symbol = "USDC",
					.name = "USDC",
					.version = "2",
					.decimals = 6,
					.address = fb_sample_address(0xcc) };
		if (i == 1)
			*t = (struct fb_token){ .symbol = "EURC",
						.name = "EURC",
						.version = "1",
						.decimals = 6,
						.address = fb_sample_address(0xee) };
		t->domain = fb_eip712_domain(fb_str_of(t->name), fb_str_of(t->version), n.chain_id, &t->address);
	}
	n.token_count = 2;
	return n;
}

static inline struct fb_requirement fb_sample_requirement(const struct fb_network *n, uint8_t version)
{
	return (struct fb_requirement){ .scheme = FB_STR("exact"),
					.network = fb_str_of(version == 1 ? n->v1_name : n->caip2),
					.amount = fb_u256_from_u64(1000),
					.asset = n->tokens[0].address,
					.pay_to = fb_sample_address(0xbb),
					.max_timeout_s = 300,
					.has_domain = true,
					.domain_name = fb_str_of(n->tokens[0].name),
					.domain_version = fb_str_of(n->tokens[0].version) };
}

/* Pays what the sample requirement wants, from 10 minutes ago until 5 minutes from now. */
static inline struct fb_authorization fb_sample_authorization(const struct fb_key *payer, uint8_t nonce)
{
	struct fb_authorization a = { .from = fb_key_address(payer),
				      .to = fb_sample_address(0xbb),
				      .value = fb_u256_from_u64(1000) };

	a.valid_after = fb_u256_from_u64(FB_SAMPLE_NOW_S - 600);
	a.valid_before = fb_u256_from_u64(FB_SAMPLE_NOW_S + 300);
	memset(a.nonce.bytes, nonce, sizeof(a.nonce.bytes));
	return a;
}
#endif /* FB_SAMPLE_H */
