/* Goal: the batched read's call and answer. Method: the layout that Lens.yul documents, one bit a row, and
 * answers of every wrong length. */
#include "test_token.h"

#include "lens_code.h"

static char block[65536];

static struct fb_lens_item item(uint8_t seed)
{
	struct fb_lens_item i;

	memset(&i.from, seed, sizeof(i.from));
	memset(&i.to, seed + 1, sizeof(i.to));
	memset(&i.nonce, seed + 2, sizeof(i.nonce));
	return i;
}

static void call__any_count__code_token_and_packed_items(void **state)
{
	static const size_t counts[] = { 1, 2, FB_TOKEN_READ_MAX };
	static struct fb_lens_item items[FB_TOKEN_READ_MAX];
	struct fb_address usdc = address_of(USDC_HEX);
	struct fb_buf b;

	(void)state;
	for (size_t i = 0; i < FB_TOKEN_READ_MAX; i++)
		items[i] = item((uint8_t)i);
	for (size_t c = 0; c < FB_COUNT(counts); c++) {
		const char *at = block + FB_LENS_CODE_LEN;

		fb_buf_init(&b, block, fb_lens_call_len(counts[c]));
		fb_lens_call(&b, &usdc, items, counts[c]);
		CHECK(!b.overflowed && b.len == b.cap);
		CHECK(b.len == FB_LENS_CODE_LEN + 20 + counts[c] * 72);
		CHECK(memcmp(block, FB_LENS_CODE, FB_LENS_CODE_LEN) == 0);
		CHECK(memcmp(at, usdc.bytes, 20) == 0);
		for (size_t i = 0; i < counts[c]; i++) {
			const char *it = at + 20 + i * 72;

			CHECK(memcmp(it, &items[i].from, 20) == 0 && memcmp(it + 20, &items[i].to, 20) == 0);
			CHECK(memcmp(it + 40, &items[i].nonce, 32) == 0);
		}
	}
}

#define ANSWER(flags, items) WORD("00000141") WORD("65538000") WORD(flags) items

static void answer__one_bit_a_row__one_fact(void **state)
{
	static const struct {
		const char *flags, *word;
		bool has_code, paused;
		struct fb_lens_facts want;
	} rows[] = {
		{ "00000001", WORD("00000000"), true, false, { .eip3009 = true } },
		{ "00000003", WORD("00000000"), true, true, { .eip3009 = true } },
		{ "00000005",
		  WORD("00000000"),
		  true,
		  false,
		  { .eip3009 = true } }, /* paused() failed: it has no pause */
		{ "00000000", WORD("00000000"), false, false, { .eip3009 = true } },
		{ "00000001", "80000000" ZEROS_56, true, false, { .payer_has_code = true, .eip3009 = true } },
		{ "00000001", "40000000" ZEROS_56, true, false, { .nonce_used = true, .eip3009 = true } },
		{ "00000001", "20000000" ZEROS_56, true, false, { .eip3009 = false } },
		{ "00000001", "10000000" ZEROS_56, true, false, { .from_blacklisted = true, .eip3009 = true } },
		{ "00000001", "08000000" ZEROS_56, true, false, { .to_blacklisted = true, .eip3009 = true } },
		{ "00000001", "04000000" ZEROS_56, true, false, { .eip3009 = false } },
		{ "00000001", WORD("000003e8"), true, false, { .eip3009 = true, .balance = { { 1000, 0, 0, 0 } } } },
		{ "00000001",
		  "00000000" ZEROS_24 "ffffffffffffffffffffffffffffffff",
		  true,
		  false,
		  { .eip3009 = true, .balance = { { UINT64_MAX, UINT64_MAX, 0, 0 } } } },
		{ "00000001",
		  "fc000000" ZEROS_24 "00000000000000000000000000000007",
		  true,
		  false,
		  { true, true, true, true, false, { { 7, 0, 0, 0 } } } },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		static char hex[1024];
		struct fb_lens_head head;
		struct fb_lens_facts got;

		snprintf(hex, sizeof(hex), WORD("00000141") WORD("65538000") ZEROS_56 "%s%s", rows[i].flags,
			 rows[i].word);
		CHECK_STATUS(FB_OK, fb_lens_answer(&head, &got, 1, bytes_of(hex)));
		CHECK(head.block == 0x141 && head.block_time_s == 0x65538000);
		CHECK(head.token_has_code == rows[i].has_code && head.paused == rows[i].paused);
		CHECK(got.payer_has_code == rows[i].want.payer_has_code && got.nonce_used == rows[i].want.nonce_used);
		CHECK(got.from_blacklisted == rows[i].want.from_blacklisted &&
		      got.to_blacklisted == rows[i].want.to_blacklisted);
		CHECK(got.eip3009 == rows[i].want.eip3009 && fb_u256_eq(got.balance, rows[i].want.balance));
	}
}

static void answer__three_items__in_their_order(void **state)
{
	const char *answer = ANSWER("00000001", WORD("00000001") "40000000" ZEROS_56 WORD("00000003"));
	struct fb_lens_head head;
	struct fb_lens_facts got[3];

	(void)state;
	CHECK_STATUS(FB_OK, fb_lens_answer(&head, got, 3, bytes_of(answer)));
	CHECK(!got[0].nonce_used && got[0].balance.limb[0] == 1);
	CHECK(got[1].nonce_used && got[1].balance.limb[0] == 0);
	CHECK(!got[2].nonce_used && got[2].balance.limb[0] == 3);
}

static void answer__wrong__refused_and_outputs_left(void **state)
{
	static const struct {
		const char *hex;
		size_t count;
		enum fb_status want;
	} rows[] = {
		{ "", 1, FB_BAD_LENGTH },
		{ ANSWER("00000001", ""), 1, FB_BAD_LENGTH },
		{ ANSWER("00000001", WORD("00000001")), 2, FB_BAD_LENGTH },
		{ ANSWER("00000001", WORD("00000001") WORD("00000001")), 1, FB_BAD_LENGTH },
		{ ANSWER("00000001", WORD("00000001")) "00", 1, FB_BAD_LENGTH },
		{ ANSWER("00000001", ZEROS_56 "000000"), 1, FB_BAD_LENGTH },
		{ "80000000" ZEROS_56 WORD("65538000") WORD("00000001") WORD("00000001"), 1, FB_BAD_VALUE },
		{ WORD("00000141") "80000000" ZEROS_56 WORD("00000001") WORD("00000001"), 1, FB_BAD_VALUE },
		{ WORD("00000141") WORD("65538000") "80000000" ZEROS_56 WORD("00000001"), 1, FB_BAD_VALUE },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_lens_head head = { .block = 77 };
		struct fb_lens_facts facts[2] = { { .nonce_used = true }, { .nonce_used = true } };

		CHECK_STATUS(rows[i].want, fb_lens_answer(&head, facts, rows[i].count, bytes_of(rows[i].hex)));
		CHECK(head.block == 77 && facts[0].nonce_used && facts[1].nonce_used);
	}
}

int test_token_lens(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call__any_count__code_token_and_packed_items),
		cmocka_unit_test(answer__one_bit_a_row__one_fact),
		cmocka_unit_test(answer__three_items__in_their_order),
		cmocka_unit_test(answer__wrong__refused_and_outputs_left),
	};
	return cmocka_run_group_tests_name("token lens", tests, NULL, NULL);
}
