/* Goal: a receipt counts only when it is whole, and as a payment only with the token's own Transfer log.
 * Method: one good receipt, and rows that change one thing of it. */
#include "test_token.h"

#define TX "0x2222222222222222222222222222222222222222222222222222222222222222"
#define BLOCK "0x3333333333333333333333333333333333333333333333333333333333333333"
#define TRANSFER "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
#define USED "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
#define FROM "0x" ADDRESS_WORD(PAYER_HEX)
#define TO "0x" ADDRESS_WORD(PAYEE_HEX)
#define VALUE "0x" WORD("000003e8")
#define LOG(emitter, topics, data) "{\"address\":\"" emitter "\",\"topics\":[" topics "],\"data\":\"" data "\"}"
#define Q(text) "\"" text "\""
#define IS_32(digit, hash) CHECK_HEX(digit digit, ((struct fb_str){ (const char *)(hash).bytes, 32 }))
#define GOOD_LOG LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE)
#define USED_LOG LOG("0x" USDC_HEX, Q(USED) "," Q(FROM) "," Q("0x" NONCE_HEX), "0x")
#define RECEIPT_OF(logs)                                                                                           \
	"{\"transactionHash\":\"" TX "\",\"status\":\"0x1\",\"blockNumber\":\"0x141\",\"blockHash\":\"" BLOCK "\"," \
	"\"gasUsed\":\"0xf618\",\"effectiveGasPrice\":\"0x3b9aca08\",\"logs\":" logs "}"

enum { TOKENS = 256 };
static struct fb_json_token tokens[TOKENS];
static struct fb_json doc;
_Alignas(16) static unsigned char memory[4096];
static struct fb_arena arena;

static struct fb_json_value parse(const char *text)
{
	fb_arena_init(&arena, memory, sizeof(memory));
	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, TOKENS, fb_str_of(text)));
	return fb_json_root(&doc);
}

/* The good receipt with the first `find` replaced; both must differ. */
static const char *edit(const char *find, const char *replace)
{
	static char text[4096];
	const char *good = RECEIPT_OF("[" USED_LOG "," GOOD_LOG "]"), *at = strstr(good, find);

	CHECK(at != NULL);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, replace, at + strlen(find));
	return text;
}

static void read__good_receipt__every_value(void **state)
{
	struct fb_receipt_summary r;

	(void)state;
	CHECK_STATUS(FB_OK, fb_receipt_read(&r, parse(RECEIPT_OF("[" GOOD_LOG "]")), &arena));
	CHECK(r.succeeded && r.block == 0x141 && r.gas_used == 63000 && r.gas_price == 1000000008 && r.l1_fee == 0);
	IS_32("33333333333333333333333333333333", r.block_hash);
	IS_32("22222222222222222222222222222222", r.tx);
	CHECK_STATUS(FB_OK, fb_receipt_read(&r, parse(edit("\"0x1\"", "\"0x0\"")), &arena));
	CHECK(!r.succeeded);
	CHECK_STATUS(FB_OK,
		     fb_receipt_read(&r, parse(edit("\"logs\"", "\"l1Fee\":\"0x5af3107a4000\",\"logs\"")), &arena));
	CHECK(r.l1_fee == 100000000000000u);
	CHECK_STATUS(FB_OK, fb_receipt_read(&r, parse(edit("\"logs\"", "\"l1Fee\":null,\"logs\"")), &arena));
	CHECK(r.l1_fee == 0);
}

static void read__null__not_found(void **state)
{
	struct fb_receipt_summary r = { .block = 77 };

	(void)state;
	CHECK_STATUS(FB_NOT_FOUND, fb_receipt_read(&r, parse("null"), &arena));
	CHECK(r.block == 77);
}

/* Whatever is wrong, it must be told apart from "not included". */
static void read__one_thing_wrong__malformed_and_output_left(void **state)
{
	static const struct {
		const char *find, *replace;
		enum fb_status want;
	} rows[] = {
		{ "\"status\":\"0x1\",", "", FB_MISSING },
		{ "\"status\":\"0x1\"", "\"status\":null", FB_WRONG_TYPE },
		{ "\"status\":\"0x1\"", "\"status\":1", FB_WRONG_TYPE },
		{ "\"status\":\"0x1\"", "\"status\":\"0x2\"", FB_BAD_VALUE },
		{ "\"status\":\"0x1\"", "\"status\":\"1\"", FB_BAD_HEX },
		{ "\"status\":\"0x1\"", "\"status\":\"0x01\"", FB_BAD_HEX },
		{ "\"status\":\"0x1\"", "\"status\":\"\"", FB_BAD_HEX },
		{ "\"transactionHash\":\"" TX "\",", "", FB_MISSING },
		{ "\"transactionHash\":\"" TX "\"", "\"transactionHash\":\"0x22\"", FB_BAD_LENGTH },
		{ "\"blockNumber\":\"0x141\"", "\"blockNumber\":null",
		  FB_WRONG_TYPE }, /* some nodes say so of the mempool */
		{ "\"blockNumber\":\"0x141\"", "\"blockNumber\":\"0x10000000000000000\"", FB_OVERFLOW },
		{ "\"blockHash\":\"" BLOCK "\"", "\"blockHash\":null", FB_WRONG_TYPE },
		{ "\"blockHash\":\"" BLOCK "\"", "\"blockHash\":\"0x33\"", FB_BAD_LENGTH },
		{ "\"gasUsed\":\"0xf618\",", "", FB_MISSING },
		{ "\"gasUsed\":\"0xf618\"", "\"gasUsed\":\"f618\"", FB_BAD_HEX },
		{ "\"effectiveGasPrice\":\"0x3b9aca08\",", "", FB_MISSING },
		{ "\"0x3b9aca08\"", "\"0x100000000000000000000000000000000\"", FB_OVERFLOW },
		{ "\"logs\"", "\"l1Fee\":\"zero\",\"logs\"", FB_BAD_HEX },
		{ "\"logs\"", "\"none\"", FB_MISSING },
		{ "\"logs\":", "\"logs\":null,\"none\":", FB_WRONG_TYPE },
		{ "\"logs\":", "\"logs\":{},\"none\":", FB_WRONG_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_receipt_summary r = { .block = 77 };

		CHECK_STATUS(rows[i].want, fb_receipt_read(&r, parse(edit(rows[i].find, rows[i].replace)), &arena));
		CHECK(r.block == 77);
	}
}

static void read__no_receipt_at_all__malformed(void **state)
{
	static const char *const texts[] = { "{}", "[]", "\"0x1\"", "true", "1", "{\"status\":\"0x1\"}" };
	struct fb_receipt_summary r;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(texts); i++) {
		enum fb_status st = fb_receipt_read(&r, parse(texts[i]), &arena);

		CHECK(st != FB_OK && st != FB_NOT_FOUND);
	}
}

static bool has_transfer(const char *logs)
{
	static char text[8192];
	struct fb_authorization a = authorization();
	struct fb_address usdc = address_of(USDC_HEX);

	snprintf(text, sizeof(text), "{\"logs\":%s}", logs);
	return fb_receipt_has_transfer(parse(text), &usdc, &a, &arena);
}

#define OTHER "0x00000000000000000000000000000000000000aa"
#define OTHER_WORD "0x" ADDRESS_WORD("00000000000000000000000000000000000000aa")

static void transfer__table__only_the_tokens_own_and_exact_one(void **state)
{
	static const struct {
		const char *logs;
		bool want;
	} rows[] = {
		{ "[" GOOD_LOG "]", true },
		{ "[" USED_LOG "," GOOD_LOG "]", true },
		{ "[" GOOD_LOG "," USED_LOG "]", true },
		{ "[" LOG(OTHER, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "," GOOD_LOG "]", true },
		{ "[]", false },
		{ "[" USED_LOG "]", false },
		/* emitter */
		{ "[" LOG(OTHER, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "]", false },
		{ "[" LOG("0x" PAYEE_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "]", false },
		{ "[" LOG("0x036CbD53842c5426634e7929541eC2318f3dCF7e", Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "]",
		  true },
		{ "[" LOG("", Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "]", false },
		/* value */
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), "0x" WORD("000003e7")) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), "0x" WORD("000003e9")) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO),
			  "0x80000000" ZEROS_24 ZEROS_24 "000003e8") "]",
		  false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), "0x3e8") "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), "0x") "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE "00") "]", false },
		/* from and to */
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(TO) "," Q(FROM), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(OTHER_WORD), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(OTHER_WORD) "," Q(TO), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q("0x000000000000000000000001" PAYEE_HEX),
			  VALUE) "]",
		  false },
		/* topics */
		{ "[" LOG("0x" USDC_HEX, Q(USED) "," Q(FROM) "," Q(TO), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, "", VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO) "," Q(VALUE), "0x") "]",
		  false }, /* an NFT's */
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO) "," Q(VALUE), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, Q(FROM) "," Q(TO) "," Q(TRANSFER), VALUE) "]", false },
		{ "[" LOG("0x" USDC_HEX, "null," Q(FROM) "," Q(TO), VALUE) "]", false },
		/* half of it in one log and half in the other */
		{ "[" LOG("0x" USDC_HEX, Q(TRANSFER) "," Q(FROM) "," Q(TO),
			  "0x" WORD("00000001")) "," LOG(OTHER, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "]",
		  false },
		/* no logs */
		{ "null", false },
		{ "{}", false },
		{ "\"" TRANSFER "\"", false },
		{ "[null,1,\"\",[],{}," GOOD_LOG "]", true },
		{ "[{\"address\":\"0x" USDC_HEX "\",\"topics\":\"" TRANSFER "\",\"data\":\"" VALUE "\"}]", false },
		{ "[{\"address\":\"0x" USDC_HEX "\",\"topics\":[" Q(TRANSFER) "," Q(FROM) "," Q(TO) "]}]", false },
		{ "[{\"address\":\"0x" USDC_HEX "\",\"topics\":[" Q(TRANSFER) "," Q(FROM) "," Q(TO) "],\"data\":1000}]",
		  false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		if (has_transfer(rows[i].logs) != rows[i].want)
			fail_msg("row %zu: %s", i, rows[i].logs);
}

static void transfer__every_field_of_the_authorization__matters(void **state)
{
	struct fb_address usdc = address_of(USDC_HEX), other = address_of("00000000000000000000000000000000000000aa");
	struct fb_json_value receipt = parse(RECEIPT_OF("[" GOOD_LOG "]"));
	struct fb_authorization good = authorization(), a = good;

	(void)state;
	CHECK(fb_receipt_has_transfer(receipt, &usdc, &a, &arena));
	CHECK(!fb_receipt_has_transfer(receipt, &other, &a, &arena));
	a.from = other;
	CHECK(!fb_receipt_has_transfer(receipt, &usdc, &a, &arena));
	a = good;
	a.to = other;
	CHECK(!fb_receipt_has_transfer(receipt, &usdc, &a, &arena));
	a = good;
	a.value.limb[3] = 1;
	CHECK(!fb_receipt_has_transfer(receipt, &usdc, &a, &arena));
}

int test_token_receipt(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read__good_receipt__every_value),
		cmocka_unit_test(read__null__not_found),
		cmocka_unit_test(read__one_thing_wrong__malformed_and_output_left),
		cmocka_unit_test(read__no_receipt_at_all__malformed),
		cmocka_unit_test(transfer__table__only_the_tokens_own_and_exact_one),
		cmocka_unit_test(transfer__every_field_of_the_authorization__matters),
	};
	return cmocka_run_group_tests_name("token receipt", tests, NULL, NULL);
}
