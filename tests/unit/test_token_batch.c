/* Goal: the call data of a batch, and its simulation's call and answer. Method: small ones spelt out word by word,
 * and answers of every wrong shape. */
#include "test_token.h"

#include "trial_code.h"

enum { CALL = 4 + 9 * 32, TUPLE = 4 * 32 };

static char block[65536];

static void call3__two_calls__laid_out_as_the_abi_wants(void **state)
{
	const struct fb_call3 calls[] = { { address_of(USDC_HEX), FB_STR("\x11\x22\x33\x44\x55") },
					  { address_of(PAYEE_HEX), { "", 0 } } };
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, block, fb_call3_len(calls, 2));
	fb_call3_write(&b, calls, 2);
	CHECK(!b.overflowed && b.len == b.cap);
	CHECK_HEX("82ad56cb" WORD("00000020") WORD("00000002") WORD("00000040") WORD("000000e0")
		  ADDRESS_WORD(USDC_HEX) WORD("00000001") WORD("00000060") WORD("00000005")
		  "1122334455000000" ZEROS_24 ZEROS_24
		  ADDRESS_WORD(PAYEE_HEX) WORD("00000001") WORD("00000060") WORD("00000000"),
		  fb_buf_view(&b));
}

/* As many full transfers as a transaction may carry. */
static void call3__full_batch__its_length_is_exact(void **state)
{
	struct fb_call3 calls[FB_TRIAL_MAX];
	static const char data[CALL];
	struct fb_buf b;

	(void)state;
	for (size_t n = 1; n <= FB_TRIAL_MAX; n++) {
		calls[n - 1] = (struct fb_call3){ address_of(USDC_HEX), { data, sizeof(data) } };
		fb_buf_init(&b, block, sizeof(block));
		fb_call3_write(&b, calls, n);
		CHECK(!b.overflowed && b.len == fb_call3_len(calls, n));
		CHECK(b.len == 4 + 64 + n * (32 + TUPLE + FB_ABI_PADDED(CALL)));
	}
}

static void trial__any_count__code_tokens_and_calls(void **state)
{
	struct fb_trial_item items[FB_TRIAL_MAX];
	struct fb_authorization a = authorization();
	uint8_t signature[FB_SIGNATURE_LEN] = { 1, 2, 3 };
	char one[CALL];
	struct fb_buf b;

	(void)state;
	signature[64] = 27;
	fb_buf_init(&b, one, sizeof(one));
	fb_token_transfer_call(&b, &a, (struct fb_str){ (const char *)signature, sizeof(signature) });
	CHECK(!b.overflowed && b.len == sizeof(one));
	for (size_t n = 1; n <= FB_TRIAL_MAX; n++) {
		const char *last = block + FB_TRIAL_CODE_LEN + (n - 1) * (20 + CALL);

		items[n - 1] = (struct fb_trial_item){ address_of(USDC_HEX), &a, signature };
		fb_buf_init(&b, block, fb_trial_call_len(n));
		fb_trial_call(&b, items, n);
		CHECK(!b.overflowed && b.len == b.cap);
		CHECK(memcmp(block, FB_TRIAL_CODE, FB_TRIAL_CODE_LEN) == 0);
		CHECK(memcmp(last, items[0].token.bytes, 20) == 0 && memcmp(last + 20, one, sizeof(one)) == 0);
	}
}

static void answer__good_one__facts_in_order(void **state)
{
	uint8_t words[64] = { 0 };
	struct fb_trial_fact facts[2];

	(void)state;
	words[0] = 0x80;
	fb_put_be64(words + 24, 61234);
	fb_put_be64(words + 56, 4321);
	CHECK_STATUS(FB_OK, fb_trial_answer(facts, 2, (struct fb_str){ (const char *)words, sizeof(words) }));
	CHECK(facts[0].taken && facts[0].gas == 61234);
	CHECK(!facts[1].taken && facts[1].gas == 4321);
}

static void answer__wrong_shape__refused_and_output_left(void **state)
{
	uint8_t words[96] = { 0 };
	struct fb_trial_fact facts[2] = { { .gas = 7 }, { .gas = 7 } };

	(void)state;
	for (size_t len = 0; len <= sizeof(words); len++)
		if (len != 64)
			CHECK_STATUS(FB_BAD_LENGTH,
				     fb_trial_answer(facts, 2, (struct fb_str){ (const char *)words, len }));
	for (size_t bit = 1; bit < 24 * 8; bit++) {
		memset(words, 0, sizeof(words));
		words[32 + bit / 8] = (uint8_t)(0x80 >> bit % 8);
		CHECK_STATUS(FB_BAD_VALUE, fb_trial_answer(facts, 2, (struct fb_str){ (const char *)words, 64 }));
	}
	CHECK(facts[0].gas == 7 && facts[1].gas == 7);
}

int test_token_batch(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call3__two_calls__laid_out_as_the_abi_wants),
		cmocka_unit_test(call3__full_batch__its_length_is_exact),
		cmocka_unit_test(trial__any_count__code_tokens_and_calls),
		cmocka_unit_test(answer__good_one__facts_in_order),
		cmocka_unit_test(answer__wrong_shape__refused_and_output_left),
	};
	return cmocka_run_group_tests_name("token batch", tests, NULL, NULL);
}
