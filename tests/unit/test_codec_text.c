/* Goal: hex, addresses, hashes, quantities. Method: tables of texts, one accepted text per value. */
#include "test_codec.h"

static void hex_decode__table__even_digits_behind_0x(void **state)
{
	static const struct { const char *text; enum fb_status want; size_t len; const char *bytes; } rows[] = {
		{ "0x", FB_OK, 0, "" },
		{ "0x00", FB_OK, 1, "\x00" },
		{ "0xDEADbeef", FB_OK, 4, "\xde\xad\xbe\xef" },
		{ "0x0123456789abcdef", FB_OK, 8, "\x01\x23\x45\x67\x89\xab\xcd\xef" },
		{ "", FB_BAD_HEX, 0, "" },
		{ "0", FB_BAD_HEX, 0, "" },
		{ "x0", FB_BAD_HEX, 0, "" },
		{ "00", FB_BAD_HEX, 0, "" },
		{ "0X00", FB_BAD_HEX, 0, "" },
		{ "0x0", FB_BAD_HEX, 0, "" },
		{ "0x0g", FB_BAD_HEX, 0, "" },
		{ "0xg0", FB_BAD_HEX, 0, "" },
		{ "0x 0", FB_BAD_HEX, 0, "" },
		{ "0x0/", FB_BAD_HEX, 0, "" },
		{ "0x0:", FB_BAD_HEX, 0, "" },
		{ "0x0@", FB_BAD_HEX, 0, "" },
		{ "0x0`", FB_BAD_HEX, 0, "" },
		{ "0x0G", FB_BAD_HEX, 0, "" },
		{ "0x\xff\xff", FB_BAD_HEX, 0, "" },
		{ " 0x00", FB_BAD_HEX, 0, "" },
		{ "0x0000000000000000ff", FB_TOO_LARGE, 0, "" },
		{ "0x0000000000000000zz", FB_BAD_HEX, 0, "" }, /* before FB_TOO_LARGE */
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint8_t out[8] = { 0 };
		size_t len = 77;

		CHECK_STATUS(rows[i].want, fb_hex_decode(out, &len, sizeof(out), fb_str_of(rows[i].text)));
		CHECK(len == (rows[i].want == FB_OK ? rows[i].len : 77));
		CHECK(memcmp(out, rows[i].bytes, rows[i].len) == 0);
	}
}

static void hex_decode__nul_inside__is_no_digit(void **state)
{
	uint8_t out[2];
	size_t len;

	(void)state;
	CHECK_STATUS(FB_BAD_HEX, fb_hex_decode(out, &len, sizeof(out), FB_STR("0x0\0")));
	CHECK_STATUS(FB_BAD_HEX, fb_hex_decode(out, &len, sizeof(out), (struct fb_str){ NULL, 0 }));
}

static void hex_decode_exact__table__one_length(void **state)
{
	static const struct { const char *text; enum fb_status want; } rows[] = {
		{ "0xabcd", FB_OK },
		{ "0xab", FB_BAD_LENGTH },
		{ "0xabcdef", FB_BAD_LENGTH },
		{ "0xabc", FB_BAD_LENGTH },
		{ "0xzz", FB_BAD_LENGTH }, /* before FB_BAD_HEX */
		{ "0xabcg", FB_BAD_HEX },
		{ "0Xabcd", FB_BAD_HEX },
		{ "00abcd", FB_BAD_HEX },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint8_t out[2] = { 7, 7 };

		CHECK_STATUS(rows[i].want, fb_hex_decode_exact(out, sizeof(out), fb_str_of(rows[i].text)));
		CHECK(rows[i].want == FB_OK ? out[0] == 0xab && out[1] == 0xcd : out[0] == 7 && out[1] == 7);
	}
}

static void buf_hex__any_length__decodes_to_the_same(void **state)
{
	uint64_t seed = fb_test_seed();
	static uint8_t bytes[300], back[300];
	static char text[700];

	(void)state;
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct fb_buf b;
		size_t back_len;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)draw(&seed);
		fb_buf_init(&b, text, sizeof(text));
		fb_buf_hex(&b, bytes, len);
		CHECK(!b.overflowed && b.len == 2 + 2 * len);
		CHECK_STATUS(FB_OK, fb_hex_decode(back, &back_len, len, fb_buf_view(&b)));
		CHECK(back_len == len && memcmp(bytes, back, len) == 0);
	}
}

static void buf_hex__no_room__latches_and_adds_nothing(void **state)
{
	char text[16];

	(void)state;
	for (size_t cap = 0; cap <= 6; cap++) {
		struct fb_buf b;

		fb_buf_init(&b, text, cap);
		fb_buf_hex(&b, "\xab\xcd", 2);
		CHECK(b.overflowed == (cap < 6));
		CHECK(b.len == (cap < 6 ? 0 : 6));
	}
}

static void address_and_hash__texts__parsed_and_written_in_lower_case(void **state)
{
	struct fb_address a, zero = { 0 };
	struct fb_hash h, other;
	char text[200];
	struct fb_buf b;

	(void)state;
	CHECK_STATUS(FB_OK, fb_address_parse(&a, FB_STR("0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266")));
	CHECK_STATUS(FB_OK, fb_hash_parse(&h, FB_STR("0xDDF252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628"
						     "f55a4df523b3ef")));
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_address(&b, &a);
	CHECK(b.len == FB_ADDRESS_TEXT_LEN);
	fb_buf_hash(&b, &h);
	CHECK(b.len == FB_ADDRESS_TEXT_LEN + FB_HASH_TEXT_LEN);
	CHECK_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
		  "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef", fb_buf_view(&b));
	CHECK(fb_address_eq(&a, &a) && !fb_address_eq(&a, &zero));
	CHECK(fb_address_is_zero(&zero) && !fb_address_is_zero(&a));
	zero.bytes[19] = 1;
	CHECK(!fb_address_is_zero(&zero));
	other = h;
	CHECK(fb_hash_eq(&h, &other));
	other.bytes[31] ^= 1;
	CHECK(!fb_hash_eq(&h, &other));
}

static void address_and_hash__wrong_lengths__refused(void **state)
{
	struct fb_address a;
	struct fb_hash h;

	(void)state;
	CHECK_STATUS(FB_BAD_LENGTH, fb_address_parse(&a, FB_STR("")));
	CHECK_STATUS(FB_BAD_LENGTH, fb_address_parse(&a, FB_STR("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")));
	CHECK_STATUS(FB_BAD_LENGTH, fb_address_parse(&a, FB_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb9226")));
	CHECK_STATUS(FB_BAD_LENGTH, fb_address_parse(&a, FB_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb922660")));
	CHECK_STATUS(FB_BAD_HEX, fb_address_parse(&a, FB_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb9226 ")));
	CHECK_STATUS(FB_BAD_LENGTH, fb_hash_parse(&h, FB_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")));
}

static void quantity__table__one_text_per_number(void **state)
{
	static const struct { const char *text; enum fb_status small, wide; fb_u128 value; } rows[] = {
		{ "0x0", FB_OK, FB_OK, 0 },
		{ "0x41", FB_OK, FB_OK, 65 },
		{ "0x400", FB_OK, FB_OK, 1024 },
		{ "0xA", FB_OK, FB_OK, 10 },
		{ "0xffffffffffffffff", FB_OK, FB_OK, UINT64_MAX },
		{ "0x10000000000000000", FB_OVERFLOW, FB_OK, FB_U128(1, 0) },
		{ "0xffffffffffffffffffffffffffffffff", FB_OVERFLOW, FB_OK, FB_U128(UINT64_MAX, UINT64_MAX) },
		{ "0x100000000000000000000000000000000", FB_OVERFLOW, FB_OVERFLOW, 0 },
		{ "0x10000000000000000000000000000000g", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x00", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x041", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x0000000000000000000000000000000000000001", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "41", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0X41", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "-0x1", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x-1", FB_BAD_HEX, FB_BAD_HEX, 0 },
		{ "0x1 ", FB_BAD_HEX, FB_BAD_HEX, 0 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint64_t small = 77;
		fb_u128 wide = 77;

		CHECK_STATUS(rows[i].small, fb_quantity_parse_u64(&small, fb_str_of(rows[i].text)));
		CHECK(small == (rows[i].small == FB_OK ? (uint64_t)rows[i].value : 77));
		CHECK_STATUS(rows[i].wide, fb_quantity_parse_u128(&wide, fb_str_of(rows[i].text)));
		CHECK(wide == (rows[i].wide == FB_OK ? rows[i].value : 77));
	}
}

static void quantity__every_size__reads_back(void **state)
{
	(void)state;
	for (unsigned shift = 0; shift < 128; shift++) {
		fb_u128 v = ~(fb_u128)0 >> shift, back = 0;
		char text[40];
		struct fb_buf b;

		fb_buf_init(&b, text, sizeof(text));
		fb_buf_quantity(&b, v);
		CHECK_STATUS(FB_OK, fb_quantity_parse_u128(&back, fb_buf_view(&b)));
		CHECK(back == v);
	}
}

int test_codec_text(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_decode__table__even_digits_behind_0x),
		cmocka_unit_test(hex_decode__nul_inside__is_no_digit),
		cmocka_unit_test(hex_decode_exact__table__one_length),
		cmocka_unit_test(buf_hex__any_length__decodes_to_the_same),
		cmocka_unit_test(buf_hex__no_room__latches_and_adds_nothing),
		cmocka_unit_test(address_and_hash__texts__parsed_and_written_in_lower_case),
		cmocka_unit_test(address_and_hash__wrong_lengths__refused),
		cmocka_unit_test(quantity__table__one_text_per_number),
		cmocka_unit_test(quantity__every_size__reads_back),
	};
	return cmocka_run_group_tests_name("codec text", tests, NULL, NULL);
}
