/* Goal: calldata of the token's and the wallet's functions, to the byte. Method: golden bytes from viem 2.57
 * for every length of signature that pads differently. */
#include "test_token.h"

#define R_HEX "25f0ac3505f6416f2aa881ad72c713e2bdf69089ac93e401f62922eead2efd3f"
#define S_HEX "15fe178a742752f874b70d528aa7c8a1f506128ac3ed97284f6e5f346f1cfe8e"
#define AB_8 "abababab"
#define AB_32 AB_8 AB_8 AB_8 AB_8 AB_8 AB_8 AB_8 AB_8
#define F_8 "ffffffff"
#define F_56 F_8 F_8 F_8 F_8 F_8 F_8 F_8
#define FE_8 "fefefefe"
#define FE_32 FE_8 FE_8 FE_8 FE_8 FE_8 FE_8 FE_8 FE_8
#define PAYMENT WORD("000003e8") WORD("00000000") WORD("70dbd880") NONCE_HEX
#define HEAD ADDRESS_WORD(PAYER_HEX) ADDRESS_WORD(PAYEE_HEX) PAYMENT

static char block[16384];

static struct fb_buf fresh(void)
{
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	return b;
}

static void transfer_call__signature_of_any_length__as_viem_encodes_it(void **state)
{
	static const struct {
		const char *signature, *want;
	} rows[] = {
		{ R_HEX S_HEX "1b", "e3ee160e" HEAD WORD("0000001b") R_HEX S_HEX },
		{ R_HEX S_HEX "00", "e3ee160e" HEAD WORD("00000000") R_HEX S_HEX }, /* the token judges v, not we */
		{ R_HEX S_HEX "ff", "e3ee160e" HEAD WORD("000000ff") R_HEX S_HEX },
		{ "", "cf092995" HEAD WORD("000000e0") WORD("00000000") },
		{ "1b", "cf092995" HEAD WORD("000000e0") WORD("00000001") "1b000000" ZEROS_56 },
		{ R_HEX S_HEX, "cf092995" HEAD WORD("000000e0") WORD("00000040") R_HEX S_HEX },
		{ R_HEX S_HEX "1bff",
		  "cf092995" HEAD WORD("000000e0") WORD("00000042") R_HEX S_HEX "1bff0000" ZEROS_56 },
		{ AB_32 AB_32 AB_32, "cf092995" HEAD WORD("000000e0") WORD("00000060") AB_32 AB_32 AB_32 },
	};
	struct fb_authorization a = authorization();

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b = fresh();

		fb_token_transfer_call(&b, &a, bytes_of(rows[i].signature));
		CHECK(!b.overflowed);
		CHECK_HEX(rows[i].want, fb_buf_view(&b));
	}
}

static void transfer_call__largest_numbers__whole_words(void **state)
{
	struct fb_authorization a = authorization();
	struct fb_u256 one = fb_u256_from_u64(1);
	struct fb_buf b = fresh();

	(void)state;
	memset(&a.value, 0xff, sizeof(a.value));
	CHECK_STATUS(FB_OK, fb_u256_sub(&a.valid_after, a.value, one));
	a.valid_before = fb_u256_from_u128((fb_u128)1 << 64);
	memset(a.nonce.bytes, 0xfe, sizeof(a.nonce.bytes));
	fb_token_transfer_call(&b, &a, bytes_of(R_HEX S_HEX "1c"));
	CHECK_HEX("e3ee160e" ADDRESS_WORD(PAYER_HEX) ADDRESS_WORD(PAYEE_HEX) F_56 F_8 F_56
		  "fffffffe" ZEROS_24 "00000000000000000000000"
		  "10000000000000000" FE_32 WORD("0000001c") R_HEX S_HEX,
		  fb_buf_view(&b));
}

static void is_valid_signature_call__signature_of_any_length__as_viem_encodes_it(void **state)
{
	static const struct {
		const char *signature, *want;
	} rows[] = {
		{ "", "1626ba7e" NONCE_HEX WORD("00000040") WORD("00000000") },
		{ "1b", "1626ba7e" NONCE_HEX WORD("00000040") WORD("00000001") "1b000000" ZEROS_56 },
		{ R_HEX S_HEX, "1626ba7e" NONCE_HEX WORD("00000040") WORD("00000040") R_HEX S_HEX },
		{ R_HEX S_HEX "1bff",
		  "1626ba7e" NONCE_HEX WORD("00000040") WORD("00000042") R_HEX S_HEX "1bff0000" ZEROS_56 },
		{ AB_32 AB_32 AB_32, "1626ba7e" NONCE_HEX WORD("00000040") WORD("00000060") AB_32 AB_32 AB_32 },
	};
	struct fb_hash digest;

	(void)state;
	memset(digest.bytes, 0x11, sizeof(digest.bytes));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b = fresh();

		fb_token_is_valid_signature_call(&b, &digest, bytes_of(rows[i].signature));
		CHECK_HEX(rows[i].want, fb_buf_view(&b));
	}
}

static void calls__no_room__latch(void **state)
{
	struct fb_authorization a = authorization();
	struct fb_str signature = bytes_of(R_HEX S_HEX "1b");
	struct fb_buf b;

	(void)state;
	for (size_t cap = 0; cap < 4 + 9 * 32; cap++) {
		fb_buf_init(&b, block, cap);
		fb_token_transfer_call(&b, &a, signature);
		CHECK(b.overflowed);
	}
	fb_buf_init(&b, block, 4 + 9 * 32);
	fb_token_transfer_call(&b, &a, signature);
	CHECK(!b.overflowed);
}

static void is_valid_signature_answer__table__magic_in_a_whole_word(void **state)
{
	static const struct {
		const char *data;
		bool want;
	} rows[] = {
		{ "1626ba7e" ZEROS_56, true },
		{ "1626ba7e" ZEROS_56 "00", true }, /* more than a word was returned */
		{ "1626ba7e", false },
		{ "1626ba7e" ZEROS_24, false },
		{ "", false },
		{ "1626ba7f" ZEROS_56, false },
		{ ZEROS_56 "1626ba7e", false }, /* a number is no bytes4 */
		{ "1626ba7e" ZEROS_24 ZEROS_24 "00000001", false }, /* dirty low bytes: the token compares all 32 */
		{ "ffffffff" ZEROS_56, false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK(fb_token_is_valid_signature_answer(bytes_of(rows[i].data)) == rows[i].want);
}

int test_token_call(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer_call__signature_of_any_length__as_viem_encodes_it),
		cmocka_unit_test(transfer_call__largest_numbers__whole_words),
		cmocka_unit_test(is_valid_signature_call__signature_of_any_length__as_viem_encodes_it),
		cmocka_unit_test(calls__no_room__latch),
		cmocka_unit_test(is_valid_signature_answer__table__magic_in_a_whole_word),
	};
	return cmocka_run_group_tests_name("token call", tests, NULL, NULL);
}
