/* Goal: Solidity's ABI in both directions. Method: the examples of the Solidity documentation, and
 * every way a reader's data can be short or wrong. */
#include "test_codec.h"

#define Z8 "00000000"
#define Z24 Z8 Z8 Z8
#define Z56 Z24 Z24 Z8
#define F16 "ffffffffffffffff"
#define WORD(low8) Z56 low8 /* a word of 32 bytes from its last 4 */

static char block[2048];

static struct fb_buf fresh(void)
{
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	return b;
}

static void write__baz__static_words(void **state)
{
	struct fb_buf b = fresh();

	(void)state;
	fb_abi_selector(&b, 0xcdcd77c0); /* baz(uint32,bool) with 69, true */
	fb_abi_u64(&b, 69);
	fb_abi_u64(&b, 1);
	CHECK_HEX("cdcd77c0" WORD("00000045") WORD("00000001"), fb_buf_view(&b));
}

static void write__sam__dynamic_parts_behind_their_offsets(void **state)
{
	struct fb_buf b = fresh();

	(void)state;
	fb_abi_selector(&b, 0xa5643bf2); /* sam(bytes,bool,uint256[]) with "dave", true, [1,2,3] */
	fb_abi_u64(&b, 0x60);
	fb_abi_u64(&b, 1);
	fb_abi_u64(&b, 0x60 + 32 + FB_ABI_PADDED(4));
	fb_abi_bytes(&b, "dave", 4);
	fb_abi_u64(&b, 3);
	for (uint64_t i = 1; i <= 3; i++)
		fb_abi_u256(&b, fb_u256_from_u64(i));
	CHECK_HEX("a5643bf2" WORD("00000060") WORD("00000001") WORD("000000a0") WORD("00000004") "64617665" Z56
		  WORD("00000003") WORD("00000001") WORD("00000002") WORD("00000003"), fb_buf_view(&b));
}

static void write__f__mixed(void **state)
{
	struct fb_buf b = fresh();
	const uint8_t ten[32] = "1234567890";

	(void)state;
	/* f(uint256,uint32[],bytes10,bytes) with 0x123, [0x456, 0x789], "1234567890", "Hello, world!" */
	fb_abi_selector(&b, 0x8be65246);
	fb_abi_u64(&b, 0x123);
	fb_abi_u64(&b, 0x80);
	fb_abi_word(&b, ten);
	fb_abi_u64(&b, 0x80 + 3 * 32);
	fb_abi_u64(&b, 2);
	fb_abi_u64(&b, 0x456);
	fb_abi_u64(&b, 0x789);
	fb_abi_bytes(&b, "Hello, world!", 13);
	CHECK_HEX("8be65246" WORD("00000123") WORD("00000080") "31323334353637383930" "0000" Z24 Z8 Z8
		  WORD("000000e0") WORD("00000002") WORD("00000456") WORD("00000789") WORD("0000000d")
		  "48656c6c6f2c20776f726c642100000000000000000000000000000000000000", fb_buf_view(&b));
}

static void write_bytes__lengths_around_a_word__padded_and_read_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 31, 32, 33, 63, 64, 65, 300 };
	uint64_t seed = fb_test_seed();
	char bytes[300];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)draw(&seed);
	for (size_t i = 0; i < FB_COUNT(lengths); i++) {
		struct fb_buf b = fresh();
		struct fb_str back;

		fb_abi_u64(&b, 32);
		fb_abi_bytes(&b, bytes, lengths[i]);
		CHECK(b.len == 64 + FB_ABI_PADDED(lengths[i]));
		CHECK_STATUS(FB_OK, fb_abi_get_bytes(&back, fb_buf_view(&b), 0));
		CHECK(fb_str_eq(back, (struct fb_str){ bytes, lengths[i] }));
	}
}

static void write__no_room__latches(void **state)
{
	(void)state;
	for (size_t cap = 0; cap <= 68; cap++) {
		struct fb_buf b;

		fb_buf_init(&b, block, cap);
		fb_abi_selector(&b, 1);
		fb_abi_bytes(&b, "x", 1);
		CHECK(b.overflowed == (cap < 68));
	}
}

static void read__words__typed(void **state)
{
	struct fb_buf b = fresh();
	struct fb_address a, got;
	struct fb_str data;
	struct fb_u256 wide;
	uint64_t small;
	bool flag;

	(void)state;
	CHECK_STATUS(FB_OK, fb_address_parse(&a, FB_STR("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")));
	fb_abi_u64(&b, UINT64_MAX);
	fb_abi_address(&b, &a);
	fb_abi_u64(&b, 1);
	fb_abi_u64(&b, 0);
	fb_abi_u256(&b, (struct fb_u256){ { 4, 3, 2, 1 } });
	data = fb_buf_view(&b);
	CHECK_STATUS(FB_OK, fb_abi_get_u64(&small, data, 0));
	CHECK(small == UINT64_MAX);
	CHECK_STATUS(FB_OK, fb_abi_get_address(&got, data, 1));
	CHECK(fb_address_eq(&a, &got));
	CHECK_STATUS(FB_OK, fb_abi_get_bool(&flag, data, 2));
	CHECK(flag);
	CHECK_STATUS(FB_OK, fb_abi_get_bool(&flag, data, 3));
	CHECK(!flag);
	CHECK_STATUS(FB_OK, fb_abi_get_u256(&wide, data, 4));
	CHECK(fb_u256_eq(wide, (struct fb_u256){ { 4, 3, 2, 1 } }));
}

static void read__wrong_words__refused_and_output_left(void **state)
{
	struct fb_str dirty_address = bytes_of("000000000000000000000001" "f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
	struct fb_address a = { .bytes = { 7 } };
	struct fb_u256 wide = fb_u256_from_u64(77);
	uint64_t small = 77;
	bool flag = true;

	(void)state;
	CHECK_STATUS(FB_BAD_VALUE, fb_abi_get_address(&a, dirty_address, 0));
	CHECK_STATUS(FB_OVERFLOW, fb_abi_get_u64(&small, dirty_address, 0));
	CHECK_STATUS(FB_BAD_VALUE, fb_abi_get_bool(&flag, dirty_address, 0));
	CHECK_STATUS(FB_BAD_VALUE, fb_abi_get_bool(&flag, bytes_of(WORD("00000002")), 0));
	CHECK_STATUS(FB_BAD_VALUE, fb_abi_get_bool(&flag, bytes_of(WORD("00000101")), 0));
	for (size_t len = 0; len < 64; len++) {
		struct fb_str data = { bytes_of(WORD("00000001") WORD("00000001")).at, len };

		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_u256(&wide, data, 1));
		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_u64(&small, data, 1));
		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_address(&a, data, 1));
		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_bool(&flag, data, 1));
		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_u256(&wide, data, SIZE_MAX));
		CHECK_STATUS(FB_BAD_LENGTH, fb_abi_get_u256(&wide, data, SIZE_MAX / 32 + 1));
	}
	CHECK(a.bytes[0] == 7 && fb_u256_eq(wide, fb_u256_from_u64(77)) && small == 77 && flag);
}

static void read_bytes__table__inside_or_refused(void **state)
{
	static const struct { const char *hex; enum fb_status want; const char *text; } rows[] = {
		{ WORD("00000020") WORD("00000004") "64617665" Z56, FB_OK, "dave" },
		{ WORD("00000020") WORD("00000004") "64617665", FB_OK, "dave" }, /* padding left out */
		{ WORD("00000021") "00" WORD("00000004") "64617665", FB_OK, "dave" }, /* no multiple of 32 */
		{ WORD("00000020") WORD("00000000"), FB_OK, "" },
		{ WORD("00000000"), FB_OK, "" }, /* the offset is the length as well */
		{ WORD("00000020"), FB_BAD_LENGTH, "" },
		{ WORD("00000021"), FB_BAD_LENGTH, "" },
		{ WORD("00000001") WORD("00000000"), FB_BAD_LENGTH, "" }, /* between two words stands the length 256 */
		{ WORD("00000020") WORD("00000005") "64617665", FB_BAD_LENGTH, "" },
		{ WORD("00000040") WORD("00000004") "64617665", FB_BAD_LENGTH, "" },
		{ WORD("00000020") F16 F16 F16 F16, FB_BAD_LENGTH, "" },
		{ WORD("00000020") Z24 Z24 F16, FB_BAD_LENGTH, "" },
		{ Z24 Z24 F16 WORD("00000004") "64617665", FB_BAD_LENGTH, "" },
		{ Z24 Z24 "ffffffffffffffe0" WORD("00000004") "64617665", FB_BAD_LENGTH, "" },
		{ Z24 Z8 Z8 "00000001" Z8 "00000020" WORD("00000004") "64617665", FB_BAD_LENGTH, "" },
		{ "", FB_BAD_LENGTH, "" },
		{ Z8, FB_BAD_LENGTH, "" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str out = { "untouched", 9 };

		CHECK_STATUS(rows[i].want, fb_abi_get_bytes(&out, bytes_of(rows[i].hex), 0));
		CHECK_STR(rows[i].want == FB_OK ? rows[i].text : "untouched", out);
	}
}

int test_codec_abi(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write__baz__static_words),
		cmocka_unit_test(write__sam__dynamic_parts_behind_their_offsets),
		cmocka_unit_test(write__f__mixed),
		cmocka_unit_test(write_bytes__lengths_around_a_word__padded_and_read_back),
		cmocka_unit_test(write__no_room__latches),
		cmocka_unit_test(read__words__typed),
		cmocka_unit_test(read__wrong_words__refused_and_output_left),
		cmocka_unit_test(read_bytes__table__inside_or_refused),
	};
	return cmocka_run_group_tests_name("codec abi", tests, NULL, NULL);
}
