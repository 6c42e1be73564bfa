/* Goal: RLP in both directions. Method: the vectors of the Ethereum test suite, valid and invalid;
 * seeded trees written, read and written again. */
#include "test_codec.h"

#define ASDF "84617364668471776572847a786376" /* "asdf", "qwer", "zxcv" */
#define Z32 "00000000000000000000000000000000"
#define LOREM "Lorem ipsum dolor sit amet, consectetur adipisicing eli"
#define LOREM_HEX                                                                                \
	"4c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164"    \
	"697069736963696e6720656c69"

static char block[16384];

static struct fb_buf fresh(void)
{
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	return b;
}

static void write__strings__vectors(void **state)
{
	static const struct { struct fb_str text; const char *want; } rows[] = {
		{ FB_STR(""), "80" },
		{ FB_STR("\0"), "00" },
		{ FB_STR("\x01"), "01" },
		{ FB_STR("\x7f"), "7f" },
		{ FB_STR("\x80"), "8180" },
		{ FB_STR("dog"), "83646f67" },
		{ FB_STR(LOREM), "b7" LOREM_HEX },
		{ FB_STR(LOREM "t"), "b838" LOREM_HEX "74" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b = fresh();

		fb_rlp_bytes(&b, rows[i].text.at, rows[i].text.len);
		CHECK_HEX(rows[i].want, fb_buf_view(&b));
	}
}

static void write__long_strings__length_in_two_and_three_bytes(void **state)
{
	static const struct { size_t len; struct fb_str head; } rows[] = {
		{ 255, FB_STR("\xb8\xff") },
		{ 256, FB_STR("\xb9\x01\x00") },
		{ 1024, FB_STR("\xb9\x04\x00") },
		{ 65536, FB_STR("\xba\x01\x00\x00") },
	};
	static char long_block[70000], text[65536];

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b;
		struct fb_rlp_item item;
		struct fb_str rest;

		fb_buf_init(&b, long_block, sizeof(long_block));
		fb_rlp_bytes(&b, text, rows[i].len);
		CHECK(b.len == rows[i].head.len + rows[i].len && fb_str_starts(fb_buf_view(&b), rows[i].head));
		rest = fb_buf_view(&b);
		CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
		CHECK(!item.list && item.body.len == rows[i].len && rest.len == 0);
	}
}

static void write__numbers__vectors_that_read_back(void **state)
{
	static const struct { const char *number, *want; } rows[] = {
		{ "0", "80" }, { "1", "01" }, { "16", "10" }, { "79", "4f" }, { "127", "7f" }, { "128", "8180" },
		{ "1000", "8203e8" }, { "100000", "830186a0" },
		{ "18446744073709551615", "88ffffffffffffffff" },
		{ "83729609699884896815286331701780722", "8f102030405060708090a0b0c0d0e0f2" },
		{ "105315505618206987246253880190783558935785933862974822347068935681",
		  "9c0100020003000400050006000700080009000a000b000c000d000e01" },
		{ "115792089237316195423570985008687907853269984665640564039457584007913129639935",
		  "a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b = fresh();
		struct fb_u256 v, back;
		struct fb_rlp_item item;
		struct fb_str rest;
		fb_u128 wide;
		uint64_t small, small_back;

		CHECK_STATUS(FB_OK, fb_u256_parse(&v, fb_str_of(rows[i].number)));
		fb_rlp_u256(&b, v);
		CHECK_HEX(rows[i].want, fb_buf_view(&b));
		rest = fb_buf_view(&b);
		CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
		CHECK_STATUS(FB_OK, fb_rlp_item_u256(&back, &item));
		CHECK(fb_u256_eq(v, back));
		if (fb_u256_to_u64(&small, v) == FB_OK) {
			CHECK_STATUS(FB_OK, fb_rlp_item_u64(&small_back, &item));
			CHECK(small == small_back);
			b = fresh();
			fb_rlp_u64(&b, small);
			CHECK_HEX(rows[i].want, fb_buf_view(&b));
		} else {
			CHECK_STATUS(FB_OVERFLOW, fb_rlp_item_u64(&small, &item));
		}
		if (fb_u256_to_u128(&wide, v) == FB_OK) {
			b = fresh();
			fb_rlp_u128(&b, wide);
			CHECK_HEX(rows[i].want, fb_buf_view(&b));
		}
	}
}

/* One tree as text: ( opens a list, ) closes it, anything else is a string of its own length. */
static void write_tree(struct fb_buf *b, const char *tree)
{
	size_t marks[8], depth = 0;

	while (*tree != '\0') {
		size_t len = strcspn(tree, "() ");

		if (len > 0)
			fb_rlp_bytes(b, tree, len);
		else if (*tree == '(')
			marks[depth++] = fb_rlp_list_begin(b);
		else if (*tree == ')')
			fb_rlp_list_end(b, marks[--depth]);
		tree += len > 0 ? len : 1;
	}
	CHECK(depth == 0);
}

static void write__lists__vectors(void **state)
{
	static const struct { const char *tree, *want; } rows[] = {
		{ "()", "c0" },
		{ "(dog god cat)", "cc83646f6783676f6483636174" },
		{ "(zw (\x04) \x01)", "c6827a77c10401" },
		{ "((()())())", "c4c2c0c0c0" },
		{ "(()(())(()(())))", "c7c0c1c0c3c0c1c0" },
		{ "((key1 val1)(key2 val2)(key3 val3)(key4 val4))",
		  "ecca846b6579318476616c31ca846b6579328476616c32ca846b6579338476616c33ca846b6579348476616c34" },
		{ "(asdf qwer zxcv asdf qwer zxcv asdf qwer zxcv asdf qwer)",
		  "f7" ASDF ASDF ASDF "84617364668471776572" },
		{ "((asdf qwer zxcv)(asdf qwer zxcv)(asdf qwer zxcv)(asdf qwer zxcv))",
		  "f840cf" ASDF "cf" ASDF "cf" ASDF "cf" ASDF },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf b = fresh();

		write_tree(&b, rows[i].tree);
		CHECK_HEX(rows[i].want, fb_buf_view(&b));
	}
}

static void write__long_list__length_in_two_bytes(void **state)
{
	struct fb_buf b = fresh();
	size_t outer = fb_rlp_list_begin(&b);

	(void)state;
	for (int i = 0; i < 32; i++)
		write_tree(&b, "(asdf qwer zxcv)");
	fb_rlp_list_end(&b, outer);
	CHECK(b.len == 3 + 512 && memcmp(block, "\xf9\x02\x00\xcf\x84" "asdf", 9) == 0);
}

static void write__no_room__latches_at_every_size(void **state)
{
	const char *tree = "((asdf qwer zxcv)(asdf qwer zxcv)(asdf qwer zxcv)(asdf qwer zxcv))";

	(void)state;
	for (size_t cap = 0; cap <= 66; cap++) {
		struct fb_buf b;

		memset(block, '#', 100);
		fb_buf_init(&b, block, cap);
		write_tree(&b, tree);
		CHECK(b.overflowed == (cap < 66));
		for (size_t i = cap; i < 100; i++)
			CHECK(block[i] == '#');
	}
}

static void take__invalid_encodings__refused(void **state)
{
	static const char *const rows[] = {
		"", /* nothing */
		"81", "820a", "a0000102030405060708090a0b0c0d0e0f", /* a string cut short */
		"c1", "c5010203", /* a list cut short */
		"8100", "8101", "817f", /* a byte that stands for itself */
		"b8", "b9", "b901", "f8", "f901", "ff", "bf", "bf00000000000000", /* the length cut short */
		"b801ff", "b80100", "b837" LOREM_HEX, /* long form where the short one does */
		"f80180", "f80100", "f803112233", "f800", "b800",
		/* zeros in front of the length */
		"b90037" LOREM_HEX, "b90038" LOREM_HEX "74", "fb00000040000102", "b900",
		/* more than there is */
		"b840ffeeddccbbaa99887766554433221100", "ba010000aabbccddeeff", "f90180", "ba002100",
		"bf0f000000000000021111", "ff0f000000000000021111", "bfffffffffffffffff", "ffffffffffffffffff",
		"bffffffffffffffff7", "b9002100dc2b275d0f74e8a53e6f4ec61b27f24278820be3f82ea2110e582081b0565df0",
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str in = bytes_of(rows[i]), rest = in;
		struct fb_rlp_item item = { .body.len = 77 };

		CHECK_STATUS(FB_BAD_SYNTAX, fb_rlp_take(&item, &rest));
		CHECK(item.body.len == 77 && rest.at == in.at && rest.len == in.len);
	}
}

static void take__items_in_a_row__one_at_a_time(void **state)
{
	struct fb_str rest = bytes_of("83646f67" "c20102" "7f");
	struct fb_rlp_item item;

	(void)state;
	CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
	CHECK(!item.list);
	CHECK_STR("dog", item.body);
	CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
	CHECK(item.list);
	CHECK_STR("\x01\x02", item.body);
	CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
	CHECK_STR("\x7f", item.body);
	CHECK(!item.list && rest.len == 0);
	CHECK_STATUS(FB_BAD_SYNTAX, fb_rlp_take(&item, &rest));
}

static void item_numbers__not_minimal_or_too_wide__refused(void **state)
{
	static const struct { const char *hex; enum fb_status small, wide; } rows[] = {
		{ "00", FB_BAD_SYNTAX, FB_BAD_SYNTAX }, /* zero is the empty string */
		{ "820001", FB_BAD_SYNTAX, FB_BAD_SYNTAX },
		{ "c0", FB_WRONG_TYPE, FB_WRONG_TYPE },
		{ "c101", FB_WRONG_TYPE, FB_WRONG_TYPE },
		{ "88ffffffffffffffff", FB_OK, FB_OK },
		{ "89010000000000000000", FB_OVERFLOW, FB_OK },
		{ "a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", FB_OVERFLOW, FB_OK },
		{ "a101" Z32 Z32, FB_OVERFLOW, FB_OVERFLOW },
		{ "a100" Z32 Z32, FB_BAD_SYNTAX, FB_BAD_SYNTAX },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str rest = bytes_of(rows[i].hex);
		struct fb_rlp_item item;
		uint64_t small = 77;
		struct fb_u256 wide = fb_u256_from_u64(77);

		CHECK_STATUS(FB_OK, fb_rlp_take(&item, &rest));
		CHECK_STATUS(rows[i].small, fb_rlp_item_u64(&small, &item));
		CHECK_STATUS(rows[i].wide, fb_rlp_item_u256(&wide, &item));
		CHECK(rows[i].small == FB_OK || small == 77);
		CHECK(rows[i].wide == FB_OK || fb_u256_eq(wide, fb_u256_from_u64(77)));
	}
}

static void put_random(struct fb_buf *b, uint64_t *seed, int depth)
{
	static const char text[300];
	size_t mark, count = (size_t)(draw(seed) % 5);

	if (depth == 0 || draw(seed) % 3 == 0) {
		char first = (char)draw(seed);

		if (count == 0)
			fb_rlp_bytes(b, &first, 1);
		else
			fb_rlp_bytes(b, text, (size_t)(draw(seed) % (count == 1 ? 300 : 60)));
		return;
	}
	mark = fb_rlp_list_begin(b);
	for (size_t i = 0; i < count; i++)
		put_random(b, seed, depth - 1);
	fb_rlp_list_end(b, mark);
}

/* Writes again what stands in `in`, item by item. */
static void copy_items(struct fb_buf *b, struct fb_str in)
{
	while (in.len > 0) {
		struct fb_rlp_item item;
		size_t mark = fb_rlp_list_begin(b);

		CHECK_STATUS(FB_OK, fb_rlp_take(&item, &in));
		if (!item.list) {
			fb_rlp_bytes(b, item.body.at, item.body.len);
			continue;
		}
		copy_items(b, item.body);
		fb_rlp_list_end(b, mark);
	}
}

static void trees__seeded__read_and_written_again_are_the_same(void **state)
{
	uint64_t seed = fb_test_seed();
	static char again[sizeof(block)];
	size_t longest = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct fb_buf b = fresh(), copy;

		fb_buf_init(&copy, again, sizeof(again));
		put_random(&b, &seed, 4);
		if (b.overflowed)
			continue;
		copy_items(&copy, fb_buf_view(&b));
		CHECK(fb_str_eq(fb_buf_view(&b), fb_buf_view(&copy)));
		longest = b.len > longest ? b.len : longest;
	}
	CHECK(longest > 300);
}

int test_codec_rlp(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write__strings__vectors),
		cmocka_unit_test(write__long_strings__length_in_two_and_three_bytes),
		cmocka_unit_test(write__numbers__vectors_that_read_back),
		cmocka_unit_test(write__lists__vectors),
		cmocka_unit_test(write__long_list__length_in_two_bytes),
		cmocka_unit_test(write__no_room__latches_at_every_size),
		cmocka_unit_test(take__invalid_encodings__refused),
		cmocka_unit_test(take__items_in_a_row__one_at_a_time),
		cmocka_unit_test(item_numbers__not_minimal_or_too_wide__refused),
		cmocka_unit_test(trees__seeded__read_and_written_again_are_the_same),
	};
	return cmocka_run_group_tests_name("codec rlp", tests, NULL, NULL);
}
