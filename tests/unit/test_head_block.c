/* Goal: a block is read wholly or not at all. Method: one good block, and one fault a row. */
#include "test_head.h"

#define HASH "0x1111111111111111111111111111111111111111111111111111111111111111"
#define PARENT "0x2222222222222222222222222222222222222222222222222222222222222222"
#define BLOCK(number, time, gas, hash, parent, more)                                                    \
	"{\"number\":" number ",\"timestamp\":" time ",\"gasLimit\":" gas ",\"hash\":" hash             \
	",\"parentHash\":" parent more "}"
#define Q(text) "\"" text "\""

static enum fb_status read_text(struct fb_head_block *out, const char *text)
{
	struct fb_json_token tokens[64];
	struct fb_json doc;

	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, FB_COUNT(tokens), fb_str_of(text)));
	return fb_head_block_read(out, fb_json_root(&doc));
}

static void head_block__good__every_member(void **state)
{
	struct fb_head_block b;

	(void)state;
	CHECK_STATUS(FB_OK, read_text(&b, BLOCK(Q("0x10"), Q("0x65"), Q("0x1c9c380"), Q(HASH), Q(PARENT),
						",\"baseFeePerGas\":\"0x3b9aca00\",\"transactions\":[]")));
	CHECK(b.number == 16 && b.time_s == 101 && b.gas_limit == 30000000 && b.base_fee == 1000000000);
	CHECK(b.hash.bytes[0] == 0x11 && b.parent.bytes[31] == 0x22);
}

static void head_block__without_base_fee__zero(void **state)
{
	struct fb_head_block b;

	(void)state;
	CHECK_STATUS(FB_OK, read_text(&b, BLOCK(Q("0x0"), Q("0x0"), Q("0x0"), Q(HASH), Q(PARENT), "")));
	CHECK(b.number == 0 && b.base_fee == 0);
	CHECK_STATUS(FB_OK, read_text(&b, BLOCK(Q("0x0"), Q("0x0"), Q("0x0"), Q(HASH), Q(PARENT),
						",\"baseFeePerGas\":null")));
}

static void head_block__one_fault__refused_and_untouched(void **state)
{
	static const struct {
		const char *text;
		enum fb_status want;
	} rows[] = {
		{ "null", FB_MISSING },
		{ "\"0x10\"", FB_MISSING },
		{ "{}", FB_MISSING },
		{ BLOCK("null", Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_WRONG_TYPE },
		{ BLOCK("16", Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_WRONG_TYPE },
		{ BLOCK(Q("16"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_BAD_HEX },
		{ BLOCK(Q("0x010"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_BAD_HEX },
		{ BLOCK(Q("\\u0030x10"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_BAD_HEX },
		{ BLOCK(Q("0x10000000000000000"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_OVERFLOW },
		{ BLOCK(Q("0x4000000000000000"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_OVERFLOW },
		{ BLOCK(Q("0x1"), Q("soon"), Q("0x1"), Q(HASH), Q(PARENT), ""), FB_BAD_HEX },
		{ BLOCK(Q("0x1"), Q("0x1"), "false", Q(HASH), Q(PARENT), ""), FB_WRONG_TYPE },
		{ BLOCK(Q("0x1"), Q("0x1"), Q("0x1"), "null", Q(PARENT), ""), FB_WRONG_TYPE },
		{ BLOCK(Q("0x1"), Q("0x1"), Q("0x1"), Q("0x11"), Q(PARENT), ""), FB_BAD_LENGTH },
		{ BLOCK(Q("0x1"), Q("0x1"), Q("0x1"), Q(HASH), Q("0x"), ""), FB_BAD_LENGTH },
		{ BLOCK(Q("0x1"), Q("0x1"), Q("0x1"), Q(HASH), Q(HASH), ""), FB_BAD_VALUE },
		{ BLOCK(Q("0x1"), Q("0x1"), Q("0x1"), Q(HASH), Q(PARENT), ",\"baseFeePerGas\":7"), FB_WRONG_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_head_block b = { .number = 77 };

		CHECK_STATUS(rows[i].want, read_text(&b, rows[i].text));
		CHECK(b.number == 77);
	}
}

int test_head_block(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_block__good__every_member),
		cmocka_unit_test(head_block__without_base_fee__zero),
		cmocka_unit_test(head_block__one_fault__refused_and_untouched),
	};
	return cmocka_run_group_tests_name("head: blocks", tests, NULL, NULL);
}
