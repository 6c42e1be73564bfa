/* Goal: every limit of the judgement lies where it should. Method: values on both sides of each limit,
 * signatures as keys and contracts make them, and repeats whose price changed. */
#include "test_verify.h"

static struct fb_u256 u256(const char *text)
{
	struct fb_u256 v;

	CHECK_STATUS(FB_OK, fb_u256_parse(&v, fb_str_of(text)));
	return v;
}

#define U256_MAX "115792089237316195423570985008687907853269984665640564039457584007913129639935"

static void judge__life__from_six_seconds_on(void **state)
{
	static const struct {
		const char *valid_after, *valid_before;
		enum fb_reason want;
	} rows[] = {
		{ "0", "1700000300", FB_REASON_NONE },
		{ "0", "1700000006", FB_REASON_NONE },
		{ "0", "1700000005", FB_REASON_VALID_BEFORE },
		{ "0", "1700000000", FB_REASON_VALID_BEFORE },
		{ "0", "0", FB_REASON_VALID_BEFORE },
		{ "0", U256_MAX, FB_REASON_NONE },
		{ "0", "18446744073709551616", FB_REASON_NONE },         /* 2^64 is later, not zero */
		{ "0", "18446744075409551622", FB_REASON_NONE },         /* 2^64 + now + 6 */
		{ "1699999999", "1700000300", FB_REASON_NONE },
		{ "1700000000", "1700000300", FB_REASON_NONE },
		{ "1700000001", "1700000300", FB_REASON_VALID_AFTER },
		{ "18446744073709551616", U256_MAX, FB_REASON_VALID_AFTER },
		{ U256_MAX, U256_MAX, FB_REASON_VALID_AFTER },
		{ "1700000001", "1700000005", FB_REASON_VALID_BEFORE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->payment.authorization.valid_after = u256(rows[i].valid_after);
		c->payment.authorization.valid_before = u256(rows[i].valid_before);
		verify_sign(c);
		CHECK_REASON(rows[i].want, verify_run(c));
	}
}

static void judge__clock_moves__the_same_payment_ages(void **state)
{
	struct verify_case *c = verify_good(2);

	(void)state;
	c->now_s = FB_SAMPLE_NOW_S + 294;
	CHECK_REASON(FB_REASON_NONE, verify_run(c));
	c->now_s++;
	CHECK_REASON(FB_REASON_VALID_BEFORE, verify_run(c));
	c->now_s = FB_SAMPLE_NOW_S - 600;
	CHECK_REASON(FB_REASON_NONE, verify_run(c));
	c->now_s--;
	CHECK_REASON(FB_REASON_VALID_AFTER, verify_run(c));
}

static void judge__value_and_balance__exact_and_enough(void **state)
{
	static const struct {
		const char *value, *amount, *balance;
		enum fb_reason want;
	} rows[] = {
		{ "1000", "1000", "1000", FB_REASON_NONE },
		{ "1000", "1000", "1001", FB_REASON_NONE },
		{ "1000", "1000", "999", FB_REASON_BALANCE },
		{ "1000", "1000", "0", FB_REASON_BALANCE },
		{ "1001", "1000", "5000", FB_REASON_VALUE },
		{ "999", "1000", "5000", FB_REASON_VALUE },
		{ "0", "0", "0", FB_REASON_NONE },
		{ "0", "1000", "5000", FB_REASON_VALUE },
		{ "18446744073709552616", "1000", "5000", FB_REASON_VALUE }, /* 2^64 + 1000 */
		{ "340282366920938463463374607431768211455", "340282366920938463463374607431768211455",
		  "340282366920938463463374607431768211455", FB_REASON_NONE },
		{ "340282366920938463463374607431768211456", "340282366920938463463374607431768211456",
		  "340282366920938463463374607431768211455", FB_REASON_BALANCE },
		{ U256_MAX, U256_MAX, "340282366920938463463374607431768211455", FB_REASON_BALANCE },
		{ U256_MAX, "115792089237316195423570985008687907853269984665640564039457584007913129639934", "1",
		  FB_REASON_VALUE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->payment.authorization.value = u256(rows[i].value);
		c->requirement.amount = u256(rows[i].amount);
		c->facts.of.balance = u256(rows[i].balance);
		verify_sign(c);
		CHECK_REASON(rows[i].want, verify_run(c));
		CHECK(rows[i].want == FB_REASON_NONE ||
		      c->note.text[strlen(c->note.text) - 1] != ' '); /* nothing is cut off */
	}
}

static void judge__key_signature__exactly_as_the_token_takes_it(void **state)
{
	static const struct {
		size_t len, at;
		uint8_t flip;
		enum fb_reason want;
	} rows[] = {
		{ 65, 0, 0, FB_REASON_NONE },
		{ 64, 0, 0, FB_REASON_SIGNATURE },
		{ 66, 0, 0, FB_REASON_SIGNATURE },
		{ 1, 0, 0, FB_REASON_SIGNATURE },
		{ 65, 0, 1, FB_REASON_SIGNATURE },
		{ 65, 63, 1, FB_REASON_SIGNATURE },
		{ 65, 64, 27 ^ 28, FB_REASON_SIGNATURE }, /* the other v */
		{ 65, 64, 27, FB_REASON_SIGNATURE },      /* v 0 or 7 */
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->payment.signature.len = rows[i].len;
		c->signature[rows[i].at] ^= rows[i].flip;
		CHECK_REASON(rows[i].want, verify_run(c));
	}
}

/* n - s and the other v recover to the same address; the token takes the low one only. */
static void judge__high_s__refused(void **state)
{
	static const uint8_t n[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				       0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
				       0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
	struct verify_case *c = verify_good(2);
	struct fb_u256 high;

	(void)state;
	CHECK_STATUS(FB_OK, fb_u256_sub(&high, fb_u256_from_be(n), fb_u256_from_be(c->signature + 32)));
	fb_u256_to_be(c->signature + 32, high);
	c->signature[64] ^= 27 ^ 28;
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
}

static void judge__signed_by_another__refused(void **state)
{
	struct verify_case *c = verify_good(2);

	(void)state;
	c->payment.authorization.from = fb_sample_address(0x77);
	verify_sign(c);
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
}

static void judge__signed_for_another_chain__refused(void **state)
{
	struct verify_case *c = verify_good(2);
	struct fb_network other = c->network;

	(void)state;
	other.chain_id = 8453;
	other.tokens[0].domain = fb_eip712_domain(FB_STR("USDC"), FB_STR("2"), 8453, &other.tokens[0].address);
	c->network = other;
	verify_sign(c);
	c->network = fb_sample_network();
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
}

static void judge__payer_with_code__its_contract_alone_decides(void **state)
{
	static const struct {
		bool good_key, enveloped, accepts, simulated;
		enum fb_reason want;
	} rows[] = {
		{ true, false, true, true, FB_REASON_NONE },
		{ false, false, true, true, FB_REASON_NONE }, /* no 65 bytes of a key are needed */
		{ true, false, false, true, FB_REASON_SIGNATURE }, /* a key's signature does not help: EIP-7702 */
		{ true, false, false, false, FB_REASON_SIGNATURE },
		{ true, false, true, false, FB_REASON_SIMULATION },
		{ false, true, true, true, FB_REASON_NONE }, /* an envelope of a wallet that is deployed meanwhile */
		{ false, true, false, true, FB_REASON_SIGNATURE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct verify_case *c = verify_good(2);

		c->facts.of.payer_has_code = true;
		c->facts.contract_accepts = rows[i].accepts;
		c->facts.contract_simulated = rows[i].simulated;
		c->bad_signature = !rows[i].good_key;
		c->enveloped = rows[i].enveloped;
		verify_sign(c);
		CHECK_REASON(rows[i].want, verify_run(c));
	}
}

static void judge__payer_without_code__contract_facts_mean_nothing(void **state)
{
	struct verify_case *c = verify_good(2);

	(void)state;
	CHECK(c->facts.contract_accepts && c->facts.contract_simulated);
	c->bad_signature = true;
	verify_sign(c);
	CHECK_REASON(FB_REASON_SIGNATURE, verify_run(c));
}

static void judge_price__repeat__recipient_then_value(void **state)
{
	for (uint8_t v = 1; v <= 2; v++) {
		struct verify_case *c = verify_good(v);

		verify_run(c);
		CHECK_REASON(FB_REASON_NONE, fb_claim_judge_price(&c->claim, &c->note));
		c->requirement.amount = fb_u256_from_u64(1001);
		verify_run(c);
		CHECK_REASON(v == 1 ? FB_REASON_VALUE_V1 : FB_REASON_VALUE, fb_claim_judge_price(&c->claim, &c->note));
		c->requirement.pay_to = fb_sample_address(1);
		verify_run(c);
		CHECK_REASON(FB_REASON_RECIPIENT, fb_claim_judge_price(&c->claim, &c->note));
	}
	(void)state;
}

int test_verify_judge(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge__life__from_six_seconds_on),
		cmocka_unit_test(judge__clock_moves__the_same_payment_ages),
		cmocka_unit_test(judge__value_and_balance__exact_and_enough),
		cmocka_unit_test(judge__key_signature__exactly_as_the_token_takes_it),
		cmocka_unit_test(judge__high_s__refused),
		cmocka_unit_test(judge__signed_by_another__refused),
		cmocka_unit_test(judge__signed_for_another_chain__refused),
		cmocka_unit_test(judge__payer_with_code__its_contract_alone_decides),
		cmocka_unit_test(judge__payer_without_code__contract_facts_mean_nothing),
		cmocka_unit_test(judge_price__repeat__recipient_then_value),
	};
	return cmocka_run_group_tests_name("verify judge", tests, NULL, NULL);
}
