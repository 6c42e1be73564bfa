/* Goal: calldata, creation code and answers, to the byte. Method: golden bytes from viem 2.57. */
#include "test_escrow.h"

#include "escrow_code.h"

static char block[1 << 16];

static struct fb_buf fresh(void)
{
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	return b;
}

static void creation__all_terms__as_viem_encodes_it(void **state)
{
	struct fb_escrow_terms terms = { .token = address_of(1), .owner = address_of(2), .payout_role = address_of(3),
					 .pause_role = address_of(4), .payout_cap = 5, .day_cap = ~(fb_u128)0 };
	struct fb_buf b = fresh();

	(void)state;
	fb_escrow_creation(&b, &terms);
	CHECK(!b.overflowed && b.len <= FB_ESCROW_CREATION_MAX);
	CHECK_HEX(ADDRESS_WORD("01") ADDRESS_WORD("02") ADDRESS_WORD("03") ADDRESS_WORD("04") WORD("00000005")
			  OF_8("00") OF_8("00") OF_8("ff") OF_8("ff"),
		  b.at + b.len - 6 * 32, 6 * 32);
}

/* What the constructor leaves, by its header. */
static struct fb_str code_for(const struct fb_address *token)
{
	static char code[FB_ESCROW_RUNTIME_LEN];

	memcpy(code, FB_ESCROW_CODE + FB_ESCROW_RUNTIME_AT, sizeof(code));
	for (size_t i = 0; i < FB_ESCROW_TOKEN_PLACES; i++)
		memcpy(code + FB_ESCROW_TOKEN_AT[i] + 12, token->bytes, sizeof(token->bytes));
	return (struct fb_str){ code, sizeof(code) };
}

static void code_is_ours__with_its_token__and_no_other(void **state)
{
	struct fb_address one = address_of(1), two = address_of(2);
	struct fb_str code = code_for(&one);

	(void)state;
	CHECK(fb_escrow_code_is_ours(code, &one));
	CHECK(!fb_escrow_code_is_ours(code, &two));
	CHECK(!fb_escrow_code_is_ours((struct fb_str){ code.at, code.len - 1 }, &one));
	CHECK(!fb_escrow_code_is_ours((struct fb_str){ "", 0 }, &one));
}

static void code_is_ours__any_byte_changed__is_not(void **state)
{
	struct fb_address token = address_of(1);
	char changed[FB_ESCROW_RUNTIME_LEN];

	(void)state;
	memcpy(changed, code_for(&token).at, sizeof(changed));
	for (size_t i = 0; i < sizeof(changed); i++) {
		changed[i] ^= 1;
		CHECK(!fb_escrow_code_is_ours((struct fb_str){ changed, sizeof(changed) }, &token));
		changed[i] ^= 1;
	}
	CHECK(fb_escrow_code_is_ours((struct fb_str){ changed, sizeof(changed) }, &token));
}

static void payout_batch_call__two_orders__as_viem_encodes_it(void **state)
{
	struct fb_escrow_order orders[] = {
		{ .id = hash_of(1), .to = address_of(0xc1), .amount = fb_u256_from_u64(5) },
		{ .id = hash_of(2), .to = address_of(0xc2), .amount = { { 0, 0, 0, (uint64_t)1 << 63 } } },
	};
	struct fb_buf b = fresh();

	(void)state;
	fb_escrow_payout_batch_call(&b, orders, 2);
	CHECK_HEX("32dd10cf" WORD("00000020") WORD("00000002") HASH("01") ADDRESS_WORD("c1") WORD("00000005") HASH("02")
			  ADDRESS_WORD("c2") "80000000" ZEROS_24 ZEROS_24 "00000000",
		  b.at, b.len);
	CHECK(b.len == fb_escrow_payout_batch_len(2));
}

static void payout_batch_call__none_and_the_most__as_long_as_said(void **state)
{
	static struct fb_escrow_order orders[FB_ESCROW_BATCH_MAX];
	struct fb_buf none = fresh();

	(void)state;
	fb_escrow_payout_batch_call(&none, orders, 0);
	CHECK_HEX("32dd10cf" WORD("00000020") WORD("00000000"), none.at, none.len);
	for (size_t n = 0; n <= FB_ESCROW_BATCH_MAX; n++) {
		struct fb_buf b = fresh();

		fb_escrow_payout_batch_call(&b, orders, n);
		CHECK(!b.overflowed && b.len == fb_escrow_payout_batch_len(n));
	}
}

static void calls__of_one_id_or_none__as_viem_encodes_them(void **state)
{
	struct fb_hash id = hash_of(0x1d);
	struct fb_buf cancel = fresh(), look, all;

	(void)state;
	fb_escrow_cancel_call(&cancel, &id);
	CHECK_HEX("945b4e5a" HASH("1d"), cancel.at, cancel.len);
	look = fresh();
	fb_escrow_payout_state_call(&look, &id);
	CHECK_HEX("1e8a4975" HASH("1d"), look.at, look.len);
	all = fresh();
	fb_escrow_status_call(&all);
	CHECK_HEX("200d2ed2", all.at, all.len);
}

static void payout_state_answer__each_word__is_its_state_or_refused(void **state)
{
	static const struct {
		const char *answer;
		enum fb_status status;
		enum fb_escrow_payout_state want;
	} rows[] = {
		{ WORD("00000000"), FB_OK, FB_ESCROW_ID_UNUSED },
		{ WORD("00000001"), FB_OK, FB_ESCROW_ID_PAID },
		{ WORD("00000002"), FB_OK, FB_ESCROW_ID_CANCELLED },
		{ WORD("00000003"), FB_BAD_VALUE, FB_ESCROW_ID_PAID },
		{ HASH("ff"), FB_BAD_VALUE, FB_ESCROW_ID_PAID },
		{ "", FB_BAD_LENGTH, FB_ESCROW_ID_PAID },
		{ WORD("00000000") "00", FB_BAD_LENGTH, FB_ESCROW_ID_PAID },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		enum fb_escrow_payout_state got = FB_ESCROW_ID_PAID;

		CHECK_STATUS(rows[i].status, fb_escrow_payout_state_answer(&got, bytes_of(rows[i].answer)));
		CHECK(got == rows[i].want);
	}
}

#define STATUS_HEAD ADDRESS_WORD("01") ADDRESS_WORD("02") ADDRESS_WORD("03") ADDRESS_WORD("04") ADDRESS_WORD("05")
#define STATUS_TAIL WORD("00000007") WORD("00000008") WORD("00000009") "00000000" "00000100" ZEROS_24 ZEROS_24

static void status_answer__all_members__where_they_stand(void **state)
{
	struct fb_escrow_status s;
	struct fb_address want[] = { address_of(1), address_of(2), address_of(3), address_of(4), address_of(5) };

	(void)state;
	CHECK_STATUS(FB_OK, fb_escrow_status_answer(
				    &s, bytes_of(STATUS_HEAD WORD("00000001") WORD("00000006") STATUS_TAIL)));
	CHECK(fb_address_eq(&s.token, &want[0]) && fb_address_eq(&s.owner, &want[1]));
	CHECK(fb_address_eq(&s.pending_owner, &want[2]) && fb_address_eq(&s.payout_role, &want[3]));
	CHECK(fb_address_eq(&s.pause_role, &want[4]));
	CHECK(s.paused && s.sequence == 6 && s.payout_cap == 7 && s.day_cap == 8 && s.paid_today == 9);
	CHECK(s.balance.limb[3] == 256 && s.balance.limb[0] == 0);
}

static void status_answer__one_word_wrong__is_refused_and_leaves_the_output(void **state)
{
	static const struct {
		const char *answer;
		enum fb_status status;
	} rows[] = {
		{ "", FB_BAD_LENGTH },
		{ STATUS_HEAD WORD("00000001") WORD("00000006") STATUS_TAIL "00", FB_BAD_LENGTH },
		{ STATUS_HEAD WORD("00000001") WORD("00000006") WORD("00000007"), FB_BAD_LENGTH },
		{ STATUS_HEAD WORD("00000002") WORD("00000006") STATUS_TAIL, FB_BAD_VALUE }, /* paused */
		{ STATUS_HEAD WORD("00000001") HASH("01") STATUS_TAIL, FB_OVERFLOW },       /* sequence */
		{ HASH("01") ADDRESS_WORD("02") ADDRESS_WORD("03") ADDRESS_WORD("04") ADDRESS_WORD("05") WORD("00000001")
			  WORD("00000006") STATUS_TAIL, FB_BAD_VALUE }, /* token */
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_escrow_status s = { .sequence = 77 };

		CHECK_STATUS(rows[i].status, fb_escrow_status_answer(&s, bytes_of(rows[i].answer)));
		CHECK(s.sequence == 77);
	}
}

int test_escrow_call(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation__all_terms__as_viem_encodes_it),
		cmocka_unit_test(code_is_ours__with_its_token__and_no_other),
		cmocka_unit_test(code_is_ours__any_byte_changed__is_not),
		cmocka_unit_test(payout_batch_call__two_orders__as_viem_encodes_it),
		cmocka_unit_test(payout_batch_call__none_and_the_most__as_long_as_said),
		cmocka_unit_test(calls__of_one_id_or_none__as_viem_encodes_them),
		cmocka_unit_test(payout_state_answer__each_word__is_its_state_or_refused),
		cmocka_unit_test(status_answer__all_members__where_they_stand),
		cmocka_unit_test(status_answer__one_word_wrong__is_refused_and_leaves_the_output),
	};

	return cmocka_run_group_tests_name("escrow calls", tests, NULL, NULL);
}
