/* Goal: 256-bit numbers. Method: edges, and seeded numbers against schoolbook arithmetic on small
 * digits, which shares nothing with the library under test. */
#include "test_codec.h"

#define MAX_BUT_ONE_DIGIT "11579208923731619542357098500868790785326998466564056403945758400791312963993"
#define MAX_TEXT MAX_BUT_ONE_DIGIT "5"
#define NINES "9999999999999999999" /* 19 */

static const struct fb_u256 max = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

static struct fb_str text_of(struct fb_u256 v)
{
	static char block[FB_U256_DIGITS];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u256(&b, v);
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

static void parse__table__one_text_per_number(void **state)
{
	static const struct { const char *text; enum fb_status want; struct fb_u256 value; } rows[] = {
		{ "0", FB_OK, { { 0 } } },
		{ "1", FB_OK, { { 1 } } },
		{ "18446744073709551615", FB_OK, { { UINT64_MAX } } },
		{ "18446744073709551616", FB_OK, { { 0, 1 } } },
		{ "340282366920938463463374607431768211456", FB_OK, { { 0, 0, 1 } } },
		{ "6277101735386680763835789423207666416102355444464034512896", FB_OK, { { 0, 0, 0, 1 } } },
		{ MAX_TEXT, FB_OK, { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } },
		{ MAX_BUT_ONE_DIGIT "6", FB_OVERFLOW, { { 0 } } },
		{ "9" NINES NINES NINES NINES "9", FB_OVERFLOW, { { 0 } } }, /* 78 of them */
		{ "10" NINES NINES NINES NINES "9", FB_OVERFLOW, { { 0 } } },
		{ "10" NINES NINES NINES NINES "x", FB_BAD_SYNTAX, { { 0 } } }, /* before FB_OVERFLOW */
		{ "", FB_BAD_SYNTAX, { { 0 } } },
		{ "00", FB_BAD_SYNTAX, { { 0 } } },
		{ "01", FB_BAD_SYNTAX, { { 0 } } },
		{ "-1", FB_BAD_SYNTAX, { { 0 } } },
		{ "+1", FB_BAD_SYNTAX, { { 0 } } },
		{ " 1", FB_BAD_SYNTAX, { { 0 } } },
		{ "1.0", FB_BAD_SYNTAX, { { 0 } } },
		{ "1e3", FB_BAD_SYNTAX, { { 0 } } },
		{ "0x1", FB_BAD_SYNTAX, { { 0 } } },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_u256 v = fb_u256_from_u64(77);

		CHECK_STATUS(rows[i].want, fb_u256_parse(&v, fb_str_of(rows[i].text)));
		CHECK(fb_u256_eq(v, rows[i].want == FB_OK ? rows[i].value : fb_u256_from_u64(77)));
		if (rows[i].want == FB_OK)
			CHECK_STR(rows[i].text, text_of(v));
	}
}

static void buf_u256__no_room__latches(void **state)
{
	char block[FB_U256_DIGITS];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, block, FB_U256_DIGITS - 1);
	fb_buf_u256(&b, max);
	CHECK(b.overflowed && b.len == 0);
}

static void bytes__big_endian__both_ways(void **state)
{
	uint8_t be[32], back[32];
	struct fb_u256 v;

	(void)state;
	for (size_t i = 0; i < sizeof(be); i++)
		be[i] = (uint8_t)(i + 1);
	v = fb_u256_from_be(be);
	CHECK(v.limb[3] == 0x0102030405060708 && v.limb[0] == 0x191a1b1c1d1e1f20);
	fb_u256_to_be(back, v);
	CHECK(memcmp(be, back, sizeof(be)) == 0);
}

static void narrowing__edges__overflow_and_leave_output(void **state)
{
	const struct fb_u256 two64 = { { 0, 1 } }, two127 = { { 0, (uint64_t)1 << 63 } }, two128 = { { 0, 0, 1 } };
	const struct fb_u256 top = { { 0, 0, 0, 1 } };
	uint64_t small = 77;
	fb_u128 wide = 77;
	struct fb_amount amount = { 77 };

	(void)state;
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_u64(&small, two64));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_u64(&small, two128));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_u64(&small, top));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_u128(&wide, two128));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_u128(&wide, top));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_amount(&amount, two127));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_amount(&amount, two128));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_to_amount(&amount, max));
	CHECK(small == 77 && wide == 77 && amount.atoms == 77);
	CHECK_STATUS(FB_OK, fb_u256_to_u64(&small, fb_u256_from_u64(UINT64_MAX)));
	CHECK_STATUS(FB_OK, fb_u256_to_u128(&wide, fb_u256_from_u128(~(fb_u128)0)));
	CHECK_STATUS(FB_OK, fb_u256_to_amount(&amount, fb_u256_from_u128(FB_AMOUNT_MAX)));
	CHECK(small == UINT64_MAX && wide == ~(fb_u128)0 && amount.atoms == FB_AMOUNT_MAX);
}

static void arithmetic__at_the_edges__overflows_and_leaves_output(void **state)
{
	const struct fb_u256 zero = { { 0 } }, one = { { 1 } }, two128 = { { 0, 0, 1 } };
	struct fb_u256 out = fb_u256_from_u64(77);

	(void)state;
	CHECK_STATUS(FB_OVERFLOW, fb_u256_add(&out, max, one));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_sub(&out, zero, one));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_mul(&out, two128, two128));
	CHECK_STATUS(FB_OVERFLOW, fb_u256_mul(&out, max, max));
	CHECK(fb_u256_eq(out, fb_u256_from_u64(77)));
	CHECK_STATUS(FB_OK, fb_u256_add(&out, max, zero));
	CHECK(fb_u256_eq(out, max));
	CHECK_STATUS(FB_OK, fb_u256_sub(&out, max, max));
	CHECK(fb_u256_is_zero(out));
	CHECK_STATUS(FB_OK, fb_u256_mul(&out, max, one));
	CHECK(fb_u256_eq(out, max));
	CHECK_STATUS(FB_OK, fb_u256_mul(&out, max, zero));
	CHECK(fb_u256_is_zero(out) && !fb_u256_is_zero(two128));
	out = one; /* an output may be an input as well */
	CHECK_STATUS(FB_OK, fb_u256_add(&out, out, out));
	CHECK(fb_u256_eq(out, fb_u256_from_u64(2)));
}

/* Schoolbook multiplication on digits of 16 bits; false if it does not fit. */
static bool model_mul(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	uint64_t digits[33] = { 0 };
	bool fits = true;

	*out = (struct fb_u256){ { 0 } };
	for (size_t i = 0; i < 16; i++) {
		uint64_t carry = 0;

		for (size_t k = 0; k < 16; k++) {
			uint64_t x = a.limb[i / 4] >> 16 * (i % 4) & 0xffff, y = b.limb[k / 4] >> 16 * (k % 4) & 0xffff;

			carry += digits[i + k] + x * y;
			digits[i + k] = carry & 0xffff;
			carry >>= 16;
		}
		digits[i + 16] = carry;
	}
	for (size_t i = 0; i < 32; i++) {
		fits &= i < 16 || digits[i] == 0;
		if (i < 16)
			out->limb[i / 4] |= digits[i] << 16 * (i % 4);
	}
	return fits;
}

static bool model_add(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	unsigned carry = 0;
	uint8_t x[32], y[32];

	fb_u256_to_be(x, a);
	fb_u256_to_be(y, b);
	for (size_t i = 32; i > 0; i--) {
		carry += (unsigned)x[i - 1] + y[i - 1];
		x[i - 1] = (uint8_t)carry;
		carry >>= 8;
	}
	*out = fb_u256_from_be(x);
	return carry == 0;
}

static int model_cmp(struct fb_u256 a, struct fb_u256 b)
{
	uint8_t x[32], y[32];
	int order;

	fb_u256_to_be(x, a);
	fb_u256_to_be(y, b);
	order = memcmp(x, y, 32);
	return (order > 0) - (order < 0);
}

static void arithmetic__seeded__agrees_with_schoolbook(void **state)
{
	uint64_t seed = fb_test_seed();
	unsigned products = 0, sums = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct fb_u256 a = draw_u256(&seed), b = draw_u256(&seed), want, got, back;
		bool fits = model_mul(&want, a, b);

		CHECK_STATUS(fits ? FB_OK : FB_OVERFLOW, fb_u256_mul(&got, a, b));
		CHECK(!fits || fb_u256_eq(want, got));
		products += fits;
		fits = model_add(&want, a, b);
		CHECK_STATUS(fits ? FB_OK : FB_OVERFLOW, fb_u256_add(&got, a, b));
		CHECK(!fits || fb_u256_eq(want, got));
		if (fits) {
			CHECK_STATUS(FB_OK, fb_u256_sub(&back, got, b));
			CHECK(fb_u256_eq(back, a));
		}
		sums += fits;
		CHECK(fb_u256_cmp(a, b) == model_cmp(a, b) && fb_u256_cmp(a, a) == 0);
		CHECK(fb_u256_eq(a, b) == (model_cmp(a, b) == 0));
		CHECK_STATUS(model_cmp(a, b) < 0 ? FB_OVERFLOW : FB_OK, fb_u256_sub(&got, a, b));
	}
	CHECK(products > 1000 && products < 19000 && sums > 1000 && sums < 19999); /* both answers were seen */
}

static void text__seeded__reads_back(void **state)
{
	uint64_t seed = fb_test_seed();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct fb_u256 v = draw_u256(&seed), back;

		CHECK_STATUS(FB_OK, fb_u256_parse(&back, text_of(v)));
		CHECK(fb_u256_eq(v, back));
	}
}

int test_codec_u256(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__table__one_text_per_number),
		cmocka_unit_test(buf_u256__no_room__latches),
		cmocka_unit_test(bytes__big_endian__both_ways),
		cmocka_unit_test(narrowing__edges__overflow_and_leave_output),
		cmocka_unit_test(arithmetic__at_the_edges__overflows_and_leaves_output),
		cmocka_unit_test(arithmetic__seeded__agrees_with_schoolbook),
		cmocka_unit_test(text__seeded__reads_back),
	};
	return cmocka_run_group_tests_name("codec u256", tests, NULL, NULL);
}
