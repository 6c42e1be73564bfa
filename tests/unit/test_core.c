/* Goal: the contract of farebox/core.h. Method: tables of accepted and refused texts, and edges of
 * every range. */
#include "farebox/core.h"
#include "fb_test.h"

static void u64_parse__table__one_text_per_number(void **state)
{
	static const struct { const char *text; enum fb_status want; uint64_t value; } rows[] = {
		{ "0", FB_OK, 0 },
		{ "18446744073709551615", FB_OK, UINT64_MAX },
		{ "18446744073709551616", FB_OVERFLOW, 0 },
		{ "99999999999999999999999999999999999999999999", FB_OVERFLOW, 0 },
		{ "", FB_BAD_SYNTAX, 0 },
		{ "00", FB_BAD_SYNTAX, 0 },
		{ "01", FB_BAD_SYNTAX, 0 },
		{ "-1", FB_BAD_SYNTAX, 0 },
		{ "+1", FB_BAD_SYNTAX, 0 },
		{ "1 ", FB_BAD_SYNTAX, 0 },
		{ "0x1", FB_BAD_SYNTAX, 0 },
		{ "1e3", FB_BAD_SYNTAX, 0 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint64_t v = 0;

		CHECK_STATUS(rows[i].want, fb_u64_parse(&v, fb_str_of(rows[i].text)));
		CHECK(v == rows[i].value);
	}
}

static void amount_decimal__table__never_rounds(void **state)
{
	static const struct { const char *text; enum fb_status want; uint64_t atoms; const char *back; } rows[] = {
		{ "0.001", FB_OK, 1000, "0.001" },
		{ "1", FB_OK, 1000000, "1" },
		{ "1.000000", FB_OK, 1000000, "1" },
		{ "0.000001", FB_OK, 1, "0.000001" },
		{ "26.15", FB_OK, 26150000, "26.15" },
		{ "0", FB_OK, 0, "0" },
		{ "0.0000001", FB_BAD_VALUE, 0, "" },
		{ "1.", FB_BAD_SYNTAX, 0, "" },
		{ ".5", FB_BAD_SYNTAX, 0, "" },
		{ "1.5.0", FB_BAD_SYNTAX, 0, "" },
		{ "$1", FB_BAD_SYNTAX, 0, "" },
		{ "170141183460469231731687303715884105728", FB_OVERFLOW, 0, "" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_amount a = { 0 };
		char block[64];
		struct fb_buf b;

		CHECK_STATUS(rows[i].want, fb_amount_parse_decimal(&a, fb_str_of(rows[i].text), 6));
		CHECK(a.atoms == rows[i].atoms);
		if (rows[i].want != FB_OK)
			continue;
		fb_buf_init(&b, block, sizeof(block));
		fb_buf_amount_decimal(&b, a, 6);
		CHECK_STR(rows[i].back, fb_buf_view(&b));
	}
}

static void amount_add__at_max__overflows_and_leaves_output(void **state)
{
	struct fb_amount max = { FB_AMOUNT_MAX }, one = { 1 }, out = { 77 };

	(void)state;
	CHECK_STATUS(FB_OVERFLOW, fb_amount_add(&out, max, one));
	CHECK(out.atoms == 77);
	CHECK_STATUS(FB_OVERFLOW, fb_amount_sub(&out, one, max));
	CHECK(out.atoms == 77);
	CHECK_STATUS(FB_OK, fb_amount_sub(&out, max, one));
	CHECK(out.atoms == FB_AMOUNT_MAX - 1);
}

static void base64__table__one_text_per_value(void **state)
{
	static const struct { const char *text; enum fb_status want; const char *bytes; } rows[] = {
		{ "", FB_OK, "" },          { "Zg==", FB_OK, "f" },     { "Zm8=", FB_OK, "fo" },
		{ "Zm9v", FB_OK, "foo" },   { "Zm9vYg==", FB_OK, "foob" }, { "+/+/", FB_OK, "\xfb\xff\xbf" },
		{ "Zh==", FB_BAD_SYNTAX, "" }, { "Zg=", FB_BAD_SYNTAX, "" }, { "Zg", FB_BAD_SYNTAX, "" },
		{ "Z===", FB_BAD_SYNTAX, "" }, { "====", FB_BAD_SYNTAX, "" }, { "Zg==Zg==", FB_BAD_SYNTAX, "" },
		{ "-_-_", FB_BAD_SYNTAX, "" }, { "Zm9v\n", FB_BAD_SYNTAX, "" }, { "Zm 9v", FB_BAD_SYNTAX, "" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint8_t out[16];
		size_t len = 0;
		char block[32];
		struct fb_buf b;

		CHECK_STATUS(rows[i].want, fb_base64_decode(out, &len, sizeof(out), fb_str_of(rows[i].text)));
		if (rows[i].want != FB_OK)
			continue;
		CHECK_STR(rows[i].bytes, ((struct fb_str){ (const char *)out, len }));
		fb_buf_init(&b, block, sizeof(block));
		fb_base64_put(&b, out, len);
		CHECK_STR(rows[i].text, fb_buf_view(&b));
	}
}

static void base64_decode__result_over_cap__is_too_large(void **state)
{
	uint8_t out[2];
	size_t len = 99;

	(void)state;
	CHECK_STATUS(FB_TOO_LARGE, fb_base64_decode(out, &len, sizeof(out), FB_STR("Zm9v")));
	CHECK(len == 99);
}

static void buf__full__latches_and_adds_nothing(void **state)
{
	char block[4];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, "abc");
	fb_buf_text(&b, "de");
	CHECK(b.overflowed && b.len == 3);
	fb_buf_char(&b, 'd');
	CHECK(b.overflowed && b.len == 3);
}

static void arena__full__gives_null_and_latches(void **state)
{
	static _Alignas(16) unsigned char block[64];
	struct fb_arena a;
	struct fb_arena_mark mark;

	(void)state;
	fb_arena_init(&a, block, sizeof(block));
	CHECK(fb_arena_alloc(&a, 1, 33) != NULL);
	mark = fb_arena_mark(&a);
	CHECK(fb_arena_alloc(&a, 1, 33) == NULL);
	CHECK(a.overflowed);
	CHECK(fb_arena_alloc(&a, SIZE_MAX, 2) == NULL);
	CHECK_STR("hi", fb_str_of(fb_arena_copy(&a, FB_STR("hi"))));
	fb_arena_release(&a, mark);
	CHECK(block[mark.used] == 0xA5);
}

static void str__helpers__behave_as_named(void **state)
{
	struct fb_str head, tail;

	(void)state;
	CHECK(fb_str_split(&head, &tail, FB_STR("a=b=c"), '='));
	CHECK_STR("a", head);
	CHECK_STR("b=c", tail);
	CHECK(!fb_str_split(&head, &tail, FB_STR("abc"), '='));
	CHECK_STR("x y", fb_str_trim(FB_STR(" \tx y\t ")));
	CHECK_STR("", fb_str_trim(FB_STR(" \t ")));
	CHECK(fb_str_eq_nocase(FB_STR("Payment-Signature"), FB_STR("PAYMENT-SIGNATURE")));
	CHECK(!fb_str_eq_nocase(FB_STR("a@"), FB_STR("a`")));
	CHECK(fb_str_starts(FB_STR("eip155:1"), FB_STR("eip155:")));
	CHECK(!fb_str_starts(FB_STR("eip"), FB_STR("eip155:")));
}

static void be_fields__written__read_back(void **state)
{
	uint8_t p[16];

	(void)state;
	fb_put_be128(p, FB_U128(0x0102030405060708, 0x090a0b0c0d0e0f10));
	for (size_t i = 0; i < sizeof(p); i++)
		CHECK(p[i] == i + 1);
	CHECK(fb_get_be128(p) == FB_U128(0x0102030405060708, 0x090a0b0c0d0e0f10));
	CHECK(fb_get_be16(p) == 0x0102 && fb_get_be32(p) == 0x01020304 && fb_get_be64(p) == 0x0102030405060708);
}

static void status_numbers__are_frozen(void **state)
{
	(void)state;
	/* Stored and sent: this list is written twice on purpose. */
	CHECK(FB_OK == 0 && FB_BAD_HEX == 1 && FB_NOT_FOUND == 6 && FB_BAD_SYNTAX == 7 && FB_STORAGE == 17);
	CHECK(FB_TIMEOUT == 26 && FB_UNREACHABLE == 27 && FB_PENDING == 32 && FB_NO_GAS == 36 && FB_LIMIT == 37);
}

static void uuid__text__is_one_per_value(void **state)
{
	static const char *const bad[] = { "", "00010203-0405-4607-8809-0a0b0c0d0e0",
					   "00010203-0405-4607-8809-0a0b0c0d0e0F",
					   "00010203+0405-4607-8809-0a0b0c0d0e0f", "000102030405-4607-8809-0a0b-0c0d0e0f",
					   "00010203-0405-4607-8809-0a0b0c0d0e0f0" };
	uint8_t random[16];
	char block[FB_UUID_TEXT_LEN];
	struct fb_uuid made, read;
	struct fb_buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i < 6 || i == 7 ? i : 0xf0 | i);
	made = fb_uuid_make(random);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_uuid(&b, &made);
	CHECK_STR("00010203-0405-4607-b8f9-fafbfcfdfeff", fb_buf_view(&b));
	CHECK_STATUS(FB_OK, fb_uuid_parse(&read, fb_buf_view(&b)));
	CHECK(fb_uuid_eq(&made, &read));
	for (size_t i = 0; i < FB_COUNT(bad); i++)
		CHECK_STATUS(FB_BAD_SYNTAX, fb_uuid_parse(&read, fb_str_of(bad[i])));
	CHECK(fb_uuid_eq(&made, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid__text__is_one_per_value),
		cmocka_unit_test(u64_parse__table__one_text_per_number),
		cmocka_unit_test(amount_decimal__table__never_rounds),
		cmocka_unit_test(amount_add__at_max__overflows_and_leaves_output),
		cmocka_unit_test(base64__table__one_text_per_value),
		cmocka_unit_test(base64_decode__result_over_cap__is_too_large),
		cmocka_unit_test(buf__full__latches_and_adds_nothing),
		cmocka_unit_test(arena__full__gives_null_and_latches),
		cmocka_unit_test(str__helpers__behave_as_named),
		cmocka_unit_test(be_fields__written__read_back),
		cmocka_unit_test(status_numbers__are_frozen),
	};
	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
