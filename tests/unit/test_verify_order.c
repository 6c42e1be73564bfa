/* Goal: of several faults the first in the documented order is told. Method: the faults as rows in that
 * order; each alone, and every pair. */
#include "test_verify.h"

static void r_scheme(struct verify_case *c) { c->requirement.scheme = FB_STR("upto"); }
static void r_network(struct verify_case *c) { c->requirement.network = FB_STR("eip155:1"); }
static void p_scheme(struct verify_case *c) { c->payment.scheme = FB_STR("upto"); }
static void no_domain(struct verify_case *c) { c->requirement.has_domain = false; }
static void p_network(struct verify_case *c) { c->payment.network = FB_STR("eip155:1"); }
static void enveloped(struct verify_case *c) { c->enveloped = true; }
static void bad_signature(struct verify_case *c) { c->bad_signature = true; }
static void pay_to(struct verify_case *c) { c->requirement.pay_to = fb_sample_address(0xab); }
static void before(struct verify_case *c)
{
	c->payment.authorization.valid_before = fb_u256_from_u64(FB_SAMPLE_NOW_S + 5);
}
static void after(struct verify_case *c)
{
	c->payment.authorization.valid_after = fb_u256_from_u64(FB_SAMPLE_NOW_S + 1);
}
static void amount(struct verify_case *c) { c->requirement.amount = fb_u256_from_u64(1001); }
static void no_code(struct verify_case *c) { c->facts.asset_has_code = false; }
static void asset(struct verify_case *c) { c->requirement.asset = fb_sample_address(0xdd); }
static void no_eip3009(struct verify_case *c) { c->facts.of.eip3009 = false; }
static void used(struct verify_case *c) { c->facts.of.nonce_used = true; }
static void name(struct verify_case *c) { c->requirement.domain_name = FB_STR("USD Coin"); }
static void version(struct verify_case *c) { c->requirement.domain_version = FB_STR("1"); }
static void balance(struct verify_case *c) { c->facts.of.balance = fb_u256_from_u64(999); }
static void paused(struct verify_case *c) { c->facts.paused = true; }
static void from_blacklisted(struct verify_case *c) { c->facts.of.from_blacklisted = true; }
static void to_blacklisted(struct verify_case *c) { c->facts.of.to_blacklisted = true; }
static void to_zero(struct verify_case *c)
{
	c->requirement.pay_to = fb_sample_address(0);
	c->payment.authorization.to = fb_sample_address(0);
}
static void contract_refuses(struct verify_case *c)
{
	c->facts.of.payer_has_code = true;
	c->facts.contract_accepts = false;
}
static void contract_fails(struct verify_case *c)
{
	c->facts.of.payer_has_code = true;
	c->facts.contract_simulated = false;
}

enum payer { ANY, KEY, CONTRACT };
static const struct {
	void (*break_it)(struct verify_case *c);
	enum payer payer; /* whose fault it can be */
	enum fb_reason v1, v2;
	const char *note; /* a part of it */
} faults[] = {
	{ r_scheme,         ANY, FB_REASON_UNSUPPORTED_SCHEME, FB_REASON_UNSUPPORTED_SCHEME, "\"exact\" only" },
	{ r_network,        ANY, FB_REASON_INVALID_NETWORK, FB_REASON_INVALID_NETWORK, "serves " },
	{ p_scheme,         ANY, FB_REASON_SCHEME, FB_REASON_SCHEME, "scheme" },
	{ no_domain,        ANY, FB_REASON_MISSING_DOMAIN, FB_REASON_MISSING_DOMAIN, "extra.name" },
	{ p_network,        ANY, FB_REASON_NETWORK_MISMATCH, FB_REASON_NETWORK_MISMATCH, "network" },
	{ enveloped,        KEY, FB_REASON_FACTORY, FB_REASON_FACTORY, "factory" },
	{ bad_signature,    KEY, FB_REASON_SIGNATURE, FB_REASON_SIGNATURE, "65 bytes" },
	{ contract_refuses, CONTRACT, FB_REASON_SIGNATURE, FB_REASON_SIGNATURE, "isValidSignature" },
	{ pay_to,           ANY, FB_REASON_RECIPIENT, FB_REASON_RECIPIENT, "payTo" },
	{ before,           ANY, FB_REASON_VALID_BEFORE, FB_REASON_VALID_BEFORE, "found 1700000005, want 1700000006" },
	{ after,            ANY, FB_REASON_VALID_AFTER, FB_REASON_VALID_AFTER, "found 1700000001, want 1700000000" },
	{ amount,           ANY, FB_REASON_VALUE_V1, FB_REASON_VALUE, "found 1000, want 1001" },
	{ no_code,          ANY, FB_REASON_ASSET_NO_CODE, FB_REASON_ASSET_NO_CODE, "no contract" },
	{ asset,            ANY, FB_REASON_INVALID_REQUIREMENTS, FB_REASON_INVALID_REQUIREMENTS, "list of tokens" },
	{ no_eip3009,       ANY, FB_REASON_NO_EIP3009, FB_REASON_NO_EIP3009, "authorizationState" },
	{ used,             ANY, FB_REASON_NONCE_USED, FB_REASON_NONCE_USED, "used or cancelled" },
	{ name,             ANY, FB_REASON_TOKEN_NAME, FB_REASON_TOKEN_NAME, "want \"USDC\"" },
	{ version,          ANY, FB_REASON_TOKEN_VERSION, FB_REASON_TOKEN_VERSION, "want \"2\"" },
	{ balance,          ANY, FB_REASON_BALANCE, FB_REASON_BALANCE, "found 999, want 1000" },
	{ paused,           ANY, FB_REASON_SIMULATION, FB_REASON_SIMULATION, "paused" },
	{ from_blacklisted, ANY, FB_REASON_SIMULATION, FB_REASON_SIMULATION, "the payer" },
	{ to_blacklisted,   ANY, FB_REASON_SIMULATION, FB_REASON_SIMULATION, "the payee" },
	{ to_zero,          ANY, FB_REASON_SIMULATION, FB_REASON_SIMULATION, "zero address" },
	{ contract_fails,   CONTRACT, FB_REASON_SIMULATION, FB_REASON_SIMULATION, "simulation" },
};

static void check(struct verify_case *c, size_t told, size_t other)
{
	enum fb_reason want = c->payment.version == 1 ? faults[told].v1 : faults[told].v2, got;

	verify_sign(c);
	got = verify_run(c);
	if (got != want || strstr(c->note.text, faults[told].note) == NULL)
		fail_msg("v%u, faults %zu and %zu: \"%s\" (%s), want \"%s\" (%s)", c->payment.version, told, other,
			 fb_reason_text(got), c->note.text, fb_reason_text(want), faults[told].note);
}

static void judge__one_fault__its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(faults); i++) {
		for (uint8_t v = 1; v <= 2; v++) {
			struct verify_case *c = verify_good(v);

			faults[i].break_it(c);
			check(c, i, i);
		}
	}
}

static bool exclude_each_other(size_t i, size_t k)
{
	return faults[i].payer != ANY && faults[k].payer != ANY && faults[i].payer != faults[k].payer;
}

static void judge__two_faults__the_first_in_the_order_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(faults); i++) {
		for (size_t k = i + 1; k < FB_COUNT(faults); k++) {
			for (uint8_t v = 1; v <= 2 && !exclude_each_other(i, k); v++) {
				struct verify_case *c = verify_good(v);

				faults[k].break_it(c);
				faults[i].break_it(c); /* last: where both want one field, it is the first fault's */
				check(c, i, k);
			}
		}
	}
}

static void judge__all_faults_at_once__walks_down_the_order_as_they_are_mended(void **state)
{
	(void)state;
	for (size_t first = 0; first < FB_COUNT(faults); first++) {
		struct verify_case *c = verify_good(2);

		for (size_t i = FB_COUNT(faults); i-- > first;)
			if (faults[i].payer != CONTRACT || faults[first].payer == CONTRACT)
				faults[i].break_it(c);
		check(c, first, first);
	}
}

static void judge__good__none(void **state)
{
	(void)state;
	for (uint8_t v = 1; v <= 2; v++)
		CHECK_REASON(FB_REASON_NONE, verify_run(verify_good(v)));
}

int test_verify_order(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge__good__none),
		cmocka_unit_test(judge__one_fault__its_reason),
		cmocka_unit_test(judge__two_faults__the_first_in_the_order_is_told),
		cmocka_unit_test(judge__all_faults_at_once__walks_down_the_order_as_they_are_mended),
	};
	return cmocka_run_group_tests_name("verify order", tests, NULL, NULL);
}
