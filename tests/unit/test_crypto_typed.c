/* Goal: what gets signed. Method: type hashes recomputed from their texts, vectors made with an
 * independent implementation. */
#include "test_crypto.h"

#define USDC_BASE_SEPOLIA "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
#define USDC_BASE "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"

/* The struct hash of all zeros, with the type hash taken from the type's own text. */
static void type_hashes__are_the_hashes_of_their_texts(void **state)
{
	static const char transfer[] = "TransferWithAuthorization(address from,address to,uint256 value,"
				       "uint256 validAfter,uint256 validBefore,bytes32 nonce)";
	static const char domain[] = "EIP712Domain(string name,string version,uint256 chainId,"
				     "address verifyingContract)";
	static const struct fb_authorization none;
	static const struct fb_address nobody;
	uint8_t words[7 * 32] = { 0 };
	struct fb_hash type = fb_keccak256(transfer, sizeof(transfer) - 1), empty = fb_keccak256("", 0), want;
	struct fb_hash got = fb_eip3009_transfer_hash(&none);

	(void)state;
	memcpy(words, type.bytes, 32);
	want = fb_keccak256(words, 7 * 32);
	CHECK(fb_hash_eq(&want, &got));
	type = fb_keccak256(domain, sizeof(domain) - 1);
	memcpy(words, type.bytes, 32);
	memcpy(words + 32, empty.bytes, 32);
	memcpy(words + 64, empty.bytes, 32);
	want = fb_keccak256(words, 5 * 32);
	got = fb_eip712_domain(FB_STR(""), FB_STR(""), 0, &nobody);
	CHECK(fb_hash_eq(&want, &got));
}

static void domain__known_tokens__known_separators(void **state)
{
	static const struct { const char *name; uint64_t chain; const char *token, *want; } rows[] = {
		{ "USDC", 84532, USDC_BASE_SEPOLIA,
		  "0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818" },
		{ "USD Coin", 8453, USDC_BASE,
		  "0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_address token = address_of(rows[i].token);

		CHECK_HASH(rows[i].want,
			   fb_eip712_domain(fb_str_of(rows[i].name), FB_STR("2"), rows[i].chain, &token));
	}
}

struct vector {
	const char *key, *from, *to;
	uint64_t value, valid_before;
	const char *nonce, *struct_hash /* or NULL */, *digest, *signature;
};

static void check_vector(const struct vector *v)
{
	struct fb_address token = address_of(USDC_BASE_SEPOLIA), signer;
	struct fb_authorization a = {
		address_of(v->from), address_of(v->to), fb_u256_from_u64(v->value), fb_u256_from_u64(0),
		fb_u256_from_u64(v->valid_before), hash_of(v->nonce),
	};
	struct fb_hash domain = fb_eip712_domain(FB_STR("USDC"), FB_STR("2"), 84532, &token);
	struct fb_hash struct_hash = fb_eip3009_transfer_hash(&a), digest = fb_eip712_digest(&domain, &struct_hash);
	struct fb_key key = key_of(v->key);
	struct fb_signature s;
	uint8_t packed[FB_SIGNATURE_LEN];

	if (v->struct_hash != NULL)
		CHECK_HASH(v->struct_hash, struct_hash);
	CHECK_HASH(v->digest, digest);
	fb_sign(&s, &key, &digest);
	fb_signature_pack(packed, &s);
	CHECK_HEX(v->signature, packed, sizeof(packed));
	CHECK_STATUS(FB_OK, fb_recover(&signer, &s, &digest));
	CHECK_ADDRESS(v->from, signer);
}

static void authorization__vectors__hash_digest_signature(void **state)
{
	static const struct vector rows[] = {
		{ ANVIL_0, ANVIL_0_ADDRESS, "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", 10000, 1893456000,
		  "0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480", NULL,
		  "0xa2907ad09b1edfb8ed9dd7154a119efd2e824e676f03bc11261cd46cb4b83260",
		  "0xf8ddbb5111d4b6eb84728ba07da18b2b5307fd6d682c5e913861fd2564839bfb"
		  "0b5f2241ccafdc54036063456e970ec9abf4bdac429b00af9583fb187ed7be8d1b" },
		{ ANVIL_1, ANVIL_1_ADDRESS, "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", 1000, 1893456000,
		  "0x1111111111111111111111111111111111111111111111111111111111111111",
		  "0xa2ced0dd4f794e48ee388403c6c4873aabe1fe361d9f4958c843883e367d5c19",
		  "0xe5afa43b41bd552c48e46cf284a1da97365f5546ef088f168d7d806c5301eec1",
		  "0x25f0ac3505f6416f2aa881ad72c713e2bdf69089ac93e401f62922eead2efd3f"
		  "15fe178a742752f874b70d528aa7c8a1f506128ac3ed97284f6e5f346f1cfe8e1b" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		check_vector(&rows[i]);
}

/* Every field counts: a changed one changes the hash. */
static void authorization__each_field_changed__changes_the_hash(void **state)
{
	struct fb_authorization base = { .value = fb_u256_from_u64(1) };
	struct fb_hash before = fb_eip3009_transfer_hash(&base);

	(void)state;
	for (size_t i = 0; i < sizeof(base); i++) {
		struct fb_authorization changed = base;
		struct fb_hash after;

		((uint8_t *)&changed)[i] ^= 0x40;
		after = fb_eip3009_transfer_hash(&changed);
		CHECK(!fb_hash_eq(&before, &after));
	}
}

static void eip191__messages__known_hashes(void **state)
{
	/* The length is of bytes, in decimal. */
	static const struct { const char *text, *want; } rows[] = {
		{ "", "0x5f35dce98ba4fba25530a026ed80b2cecdaa31091ba4958b99b52ea1d068adad" },
		{ "hello", "0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750" },
		{ "Hello World", "0xa1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2" },
		{ "xxxxxxxxx", "0x9481e0d73ccde0e03d02ed91971f12e20877bd3bf6428f91be5a1d43e56bebc8" },
		{ "xxxxxxxxxx", "0xf1cb9ad6fc32f2b28b0925b6025faf5a43b3214a9a7f6c608396c44dfffe9d5f" },
		{ "\xc3\xbcn\xc3\xaf", "0xce2fa99ef8907e2131c109201aed0549f8b684aae4a313e69c84ce2a618b1ab3" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_HASH(rows[i].want, fb_eip191_hash(fb_str_of(rows[i].text)));
}

int test_crypto_typed(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_hashes__are_the_hashes_of_their_texts),
		cmocka_unit_test(domain__known_tokens__known_separators),
		cmocka_unit_test(authorization__vectors__hash_digest_signature),
		cmocka_unit_test(authorization__each_field_changed__changes_the_hash),
		cmocka_unit_test(eip191__messages__known_hashes),
	};
	return cmocka_run_group_tests_name("crypto typed", tests, NULL, NULL);
}
