/* Goal: a claim holds exactly what was asked and what the token will see. Method: claims from real JSON
 * bodies and from values, compared field by field; envelopes of ERC-6492 whole and broken. */
#include "test_verify.h"

#define PAYER_LOWER "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
#define PAYER_MIXED "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
#define PAYEE_LOWER "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
#define PAYEE_MIXED "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
#define USDC_LOWER "0x036cbd53842c5426634e7929541ec2318f3dcf7e"
#define USDC_MIXED "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
#define SIGNATURE                                                              \
	"0x25f0ac3505f6416f2aa881ad72c713e2bdf69089ac93e401f62922eead2efd3f" \
	"15fe178a742752f874b70d528aa7c8a1f506128ac3ed97284f6e5f346f1cfe8e1b"
#define NONCE "0x1111111111111111111111111111111111111111111111111111111111111111"
#define REQUIREMENT(asset, pay_to)                                                                          \
	"{\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\":\"1000\",\"asset\":\"" asset         \
	"\",\"payTo\":\"" pay_to "\",\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}"
#define BODY(from, to, asset, pay_to)                                                                                  \
	"{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"payload\":{\"authorization\":{\"from\":\"" from    \
	"\",\"to\":\"" to                                                                                              \
	"\",\"value\":\"1000\",\"validAfter\":\"0\",\"validBefore\":\"1893456000\",\"nonce\":\"" NONCE                 \
	"\"},\"signature\":\"" SIGNATURE                                                                               \
	"\"},\"accepted\":" REQUIREMENT(asset, pay_to) "},\"paymentRequirements\":" REQUIREMENT(asset, pay_to) "}"

/* The real USDC of Base Sepolia. */
static struct fb_network real_network(void)
{
	struct fb_network n = fb_sample_network();

	CHECK_STATUS(FB_OK, fb_address_parse(&n.tokens[0].address, fb_str_of(USDC_LOWER)));
	n.tokens[0].domain = fb_eip712_domain(FB_STR("USDC"), FB_STR("2"), n.chain_id, &n.tokens[0].address);
	return n;
}

static void make__any_spelling_of_the_addresses__one_claim(void **state)
{
	static const char *const bodies[] = {
		BODY(PAYER_MIXED, PAYEE_MIXED, USDC_MIXED, PAYEE_MIXED),
		BODY(PAYER_LOWER, PAYEE_LOWER, USDC_LOWER, PAYEE_LOWER),
		BODY(PAYER_LOWER, PAYEE_MIXED, USDC_LOWER, PAYEE_LOWER),
		BODY(PAYER_MIXED, PAYEE_LOWER, USDC_MIXED, PAYEE_MIXED),
	};
	static struct fb_json_token tokens[FB_WIRE_TOKENS];
	_Alignas(16) static unsigned char memory[65536];
	struct fb_network n = real_network();

	(void)state;
	for (size_t i = 0; i < FB_COUNT(bodies); i++) {
		struct verify_case *c = verify_good(2);
		struct fb_wire_request r;
		enum fb_reason reason;
		struct fb_arena arena;
		struct fb_error e;

		fb_arena_init(&arena, memory, sizeof(memory));
		CHECK_STATUS(FB_OK, fb_wire_read_request(&r, &reason, fb_str_of(bodies[i]), tokens, &arena, &e));
		CHECK_REASON(FB_REASON_NONE, reason);
		c->network = n;
		c->payment = r.payment;
		c->requirement = r.requirement;
		CHECK_REASON(FB_REASON_NONE, verify_run(c));
	}
}

/* The published vector: its digest, and the payer recovered from its signature. */
static void make__known_vector__its_digest(void **state)
{
	struct verify_case *c = verify_good(2);
	struct fb_hash want;

	(void)state;
	c->network = real_network();
	c->requirement.asset = c->network.tokens[0].address;
	CHECK_STATUS(FB_OK, fb_address_parse(&c->payment.authorization.to, fb_str_of(PAYEE_LOWER)));
	c->payment.authorization.valid_after = fb_u256_from_u64(0);
	c->payment.authorization.valid_before = fb_u256_from_u64(1893456000);
	CHECK_REASON(FB_REASON_NONE, fb_claim_make(&c->claim, &c->network, &c->payment, &c->requirement, &c->note));
	CHECK_STATUS(
		FB_OK,
		fb_hash_parse(&want, FB_STR("0xe5afa43b41bd552c48e46cf284a1da97365f5546ef088f168d7d806c5301eec1")));
	CHECK(fb_hash_eq(&want, &c->claim.digest));
}

static void make__listed_token__its_row_and_what_matches(void **state)
{
	static const struct {
		const char *name, *version;
		bool name_matches, version_matches;
	} rows[] = {
		{ "USDC", "2", true, true },
		{ "USD Coin", "2", false, true },
		{ "USDC", "1", true, false },
		{ "usdc", "2", false, true },
		{ "USDC ", "02", false, false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->requirement.domain_name = fb_str_of(rows[i].name);
		c->requirement.domain_version = fb_str_of(rows[i].version);
		CHECK_REASON(FB_REASON_NONE,
			     fb_claim_make(&c->claim, &c->network, &c->payment, &c->requirement, &c->note));
		CHECK(c->claim.token == &c->network.tokens[0]);
		CHECK(c->claim.name_matches == rows[i].name_matches &&
		      c->claim.version_matches == rows[i].version_matches);
	}
}

static void make__second_token__its_own_domain(void **state)
{
	struct verify_case *c = verify_good(2);

	(void)state;
	c->requirement.asset = c->network.tokens[1].address;
	c->requirement.domain_name = FB_STR("EURC");
	c->requirement.domain_version = FB_STR("1");
	verify_sign(c);
	CHECK_REASON(FB_REASON_NONE, verify_run(c));
	CHECK(c->claim.token == &c->network.tokens[1]);
}

static void make__network_without_a_v1_name__serves_no_v1(void **state)
{
	struct verify_case *c = verify_good(1);

	(void)state;
	c->network.v1_name[0] = '\0';
	CHECK_REASON(FB_REASON_INVALID_NETWORK, verify_run(c));
	c->requirement.network = FB_STR("");
	c->payment.network = FB_STR("");
	CHECK_REASON(FB_REASON_INVALID_NETWORK, verify_run(c));
}

static void make__caip2_in_v1_and_name_in_v2__refused(void **state)
{
	struct verify_case *c = verify_good(1);

	(void)state;
	c->requirement.network = c->payment.network = FB_STR("eip155:84532");
	CHECK_REASON(FB_REASON_INVALID_NETWORK, verify_run(c));
	c = verify_good(2);
	c->requirement.network = c->payment.network = FB_STR("base-sepolia");
	CHECK_REASON(FB_REASON_INVALID_NETWORK, verify_run(c));
}

/* ---- envelopes ------------------------------------------------------------------------------------------ */

static void make__envelope__inner_signature_is_taken(void **state)
{
	struct verify_case *c = verify_good(2);
	uint8_t plain[FB_SIGNATURE_LEN];

	(void)state;
	memcpy(plain, c->signature, sizeof(plain));
	c->enveloped = true;
	verify_sign(c);
	CHECK(c->payment.signature.len > 2 * FB_SIGNATURE_LEN);
	verify_run(c);
	CHECK(c->claim.enveloped);
	CHECK(c->claim.signature_len == FB_SIGNATURE_LEN && memcmp(c->claim.signature, plain, sizeof(plain)) == 0);
}

static void make__broken_envelope__kept_whole_and_still_an_envelope(void **state)
{
	static const struct {
		size_t at; /* byte to change, of an envelope of 5 words, 3 words of signature and a word of mark */
		uint8_t value;
		bool enveloped, whole;
	} rows[] = {
		{ 2 * 32 + 24, 0xff, true, true },      /* offset of the inner signature */
		{ 4 * 32 + 24, 0xff, true, true },      /* its length */
		{ 4 * 32 + 31, 0x7f, true, true },      /* a length that ends behind the data */
		{ 4 * 32 + 31, 0x60, true, false },     /* one that ends within */
		{ 4 * 32 + 31, 0x00, true, false },     /* none */
		{ 8 * 32 + 31, 0x93, false, true },     /* the mark */
		{ 8 * 32 + 0, 0x65, false, true },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->enveloped = true;
		verify_sign(c);
		CHECK(c->payment.signature.len == 9 * 32);
		c->signature[rows[i].at] = rows[i].value;
		CHECK_REASON(rows[i].enveloped ? FB_REASON_FACTORY : FB_REASON_SIGNATURE, verify_run(c));
		CHECK(c->claim.enveloped == rows[i].enveloped);
		CHECK((c->claim.signature_len == c->payment.signature.len) == rows[i].whole);
	}
}

static void make__nothing_but_the_mark__is_a_signature_like_any_other(void **state)
{
	struct verify_case *c = verify_good(2);

	(void)state;
	for (size_t i = 0; i < 32; i++)
		c->signature[i] = i % 2 == 0 ? 0x64 : 0x92;
	c->payment.signature.len = 32;
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
	CHECK(!c->claim.enveloped && c->claim.signature_len == 32);
}

static void make__largest_signature__fits(void **state)
{
	static char bytes[FB_WIRE_SIGNATURE_MAX];
	struct verify_case *c = verify_good(2);

	(void)state;
	c->payment.signature = (struct fb_str){ bytes, sizeof(bytes) };
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
	CHECK(c->claim.signature_len == sizeof(bytes));
}

static void query__claim__borrows_what_the_chain_must_see(void **state)
{
	struct verify_case *c = verify_good(2);
	struct fb_address sender = fb_sample_address(0x5e);
	struct fb_view_query q;

	(void)state;
	verify_run(c);
	q = fb_claim_query(&c->claim, &sender, 400000);
	CHECK(q.listed && fb_address_eq(&q.asset, &c->requirement.asset));
	CHECK(q.authorization == &c->claim.authorization && q.digest == &c->claim.digest);
	CHECK(q.signature.at == (const char *)c->claim.signature && q.signature.len == FB_SIGNATURE_LEN);
	CHECK(q.sender == &sender && q.gas_limit_max == 400000);
	c->requirement.asset = fb_sample_address(0x99);
	verify_run(c);
	CHECK(!fb_claim_query(&c->claim, &sender, 1).listed);
}

int test_verify_claim(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(make__any_spelling_of_the_addresses__one_claim),
		cmocka_unit_test(make__known_vector__its_digest),
		cmocka_unit_test(make__listed_token__its_row_and_what_matches),
		cmocka_unit_test(make__second_token__its_own_domain),
		cmocka_unit_test(make__network_without_a_v1_name__serves_no_v1),
		cmocka_unit_test(make__caip2_in_v1_and_name_in_v2__refused),
		cmocka_unit_test(make__envelope__inner_signature_is_taken),
		cmocka_unit_test(make__broken_envelope__kept_whole_and_still_an_envelope),
		cmocka_unit_test(make__nothing_but_the_mark__is_a_signature_like_any_other),
		cmocka_unit_test(make__largest_signature__fits),
		cmocka_unit_test(query__claim__borrows_what_the_chain_must_see),
	};
	return cmocka_run_group_tests_name("verify claim", tests, NULL, NULL);
}
