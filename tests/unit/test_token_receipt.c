/* Goal: a receipt counts only when it is whole, and as a payment only with the token's own logs of it.
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

static enum fb_logs_said said(const char *logs)
{
	static char text[8192];
	struct fb_log_item item = { .asset = address_of(USDC_HEX), .authorization = authorization() };

	snprintf(text, sizeof(text), "{\"logs\":%s}", logs);
	fb_receipt_judge(parse(text), &item, 1);
	return item.said;
}

/* A list of logs with AuthorizationUsed put before them. */
static bool has_transfer(const char *logs)
{
	static char text[8192];

	if (logs[0] != '[' || logs[1] == ']')
		return said(logs) == FB_LOGS_MOVED;
	snprintf(text, sizeof(text), "[" USED_LOG ",%s", logs + 1);
	return said(text) == FB_LOGS_MOVED;
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
		{ "[" GOOD_LOG "," USED_LOG "]", true },
		{ "[" LOG(OTHER, Q(TRANSFER) "," Q(FROM) "," Q(TO), VALUE) "," GOOD_LOG "]", false },
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

#define CANCELED "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81"
#define CANCELED_LOG LOG("0x" USDC_HEX, Q(CANCELED) "," Q(FROM) "," Q("0x" NONCE_HEX), "0x")
#define USED_BY(emitter, from, nonce) LOG(emitter, Q(USED) "," Q(from) "," Q(nonce), "0x")

static void judge__order_of_the_logs__used_and_the_transfer_next_to_it(void **state)
{
	static const struct {
		const char *logs;
		enum fb_logs_said want;
	} rows[] = {
		{ "[" USED_LOG "," GOOD_LOG "]", FB_LOGS_MOVED },
		{ "[null,1,\"\",[],{}," USED_LOG "," GOOD_LOG "]", FB_LOGS_MOVED },
		{ "[" GOOD_LOG "]", FB_LOGS_NOTHING },
		{ "[" GOOD_LOG "," USED_LOG "]", FB_LOGS_USED },
		{ "[" USED_LOG ",{}," GOOD_LOG "]", FB_LOGS_USED },
		{ "[" USED_LOG "," USED_LOG "," GOOD_LOG "]", FB_LOGS_USED },
		{ "[" CANCELED_LOG "]", FB_LOGS_CANCELED },
		{ "[" CANCELED_LOG "," GOOD_LOG "]", FB_LOGS_CANCELED },
		{ "[" USED_BY(OTHER, FROM, "0x" NONCE_HEX) "," GOOD_LOG "]", FB_LOGS_NOTHING },
		{ "[" USED_BY("0x" USDC_HEX, TO, "0x" NONCE_HEX) "," GOOD_LOG "]", FB_LOGS_NOTHING },
		{ "[" USED_BY("0x" USDC_HEX, FROM, FROM) "," GOOD_LOG "]", FB_LOGS_NOTHING },
		{ "[" USED_BY("0x" USDC_HEX, FROM, FROM) "," USED_LOG "," GOOD_LOG "]", FB_LOGS_MOVED },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		if (said(rows[i].logs) != rows[i].want)
			fail_msg("row %zu: %s", i, rows[i].logs);
}

/* Two payments of one payer that differ in their nonce alone: one Transfer pays for one of them. */
static void judge__two_of_a_payer__each_transfer_counts_once(void **state)
{
	struct fb_log_item items[2] = { { .asset = address_of(USDC_HEX), .authorization = authorization() } };
	const char *second = USED_BY("0x" USDC_HEX, FROM, FROM);
	char text[4096];

	(void)state;
	items[1] = items[0];
	memset(items[1].authorization.nonce.bytes, 0, 12);
	memcpy(items[1].authorization.nonce.bytes + 12, items[1].authorization.from.bytes, 20);
	snprintf(text, sizeof(text), "{\"logs\":[%s,%s,%s]}", second, USED_LOG, GOOD_LOG);
	fb_receipt_judge(parse(text), items, 2);
	CHECK(items[0].said == FB_LOGS_MOVED && items[1].said == FB_LOGS_USED);
	snprintf(text, sizeof(text), "{\"logs\":[%s,%s,%s,%s]}", second, GOOD_LOG, USED_LOG, GOOD_LOG);
	fb_receipt_judge(parse(text), items, 2);
	CHECK(items[0].said == FB_LOGS_MOVED && items[1].said == FB_LOGS_MOVED);
}

static bool item_moved(struct fb_json_value receipt, const struct fb_address *asset, const struct fb_authorization *a)
{
	struct fb_log_item item = { .asset = *asset, .authorization = *a };

	fb_receipt_judge(receipt, &item, 1);
	return item.said == FB_LOGS_MOVED;
}

static void transfer__every_field_of_the_authorization__matters(void **state)
{
	struct fb_address usdc = address_of(USDC_HEX), other = address_of("00000000000000000000000000000000000000aa");
	struct fb_json_value receipt = parse(RECEIPT_OF("[" USED_LOG "," GOOD_LOG "]"));
	struct fb_authorization good = authorization(), a = good;

	(void)state;
	CHECK(item_moved(receipt, &usdc, &a));
	CHECK(!item_moved(receipt, &other, &a));
	a.from = other;
	CHECK(!item_moved(receipt, &usdc, &a));
	a = good;
	a.to = other;
	CHECK(!item_moved(receipt, &usdc, &a));
	a = good;
	a.value.limb[3] = 1;
	CHECK(!item_moved(receipt, &usdc, &a));
	a = good;
	a.nonce.bytes[31] ^= 1;
	CHECK(!item_moved(receipt, &usdc, &a));
}

/* ---- eth_getLogs ------------------------------------------------------------------------------------------ */

static const char *with_tx(const char *log, const char *more)
{
	static char text[2048];

	snprintf(text, sizeof(text), "{\"transactionHash\":\"" TX "\",%s%s", more, log + 1);
	return text;
}

static enum fb_status find(bool *canceled, const char *logs)
{
	struct fb_log_item item = { .asset = address_of(USDC_HEX), .authorization = authorization() };
	struct fb_hash tx = { { 0 } };
	enum fb_status st = fb_authorization_find(&tx, canceled, parse(logs), &item);

	if (st == FB_OK)
		IS_32("22222222222222222222222222222222", tx);
	return st;
}

static void find__logs_of_the_chain__its_transaction_or_not_found(void **state)
{
	struct fb_log_item item = { .asset = address_of(USDC_HEX), .authorization = authorization() };
	char text[4096];
	bool canceled = true;

	(void)state;
	snprintf(text, sizeof(text), "[1,%s]", with_tx(USED_LOG, ""));
	CHECK_STATUS(FB_OK, find(&canceled, text));
	CHECK(!canceled);
	snprintf(text, sizeof(text), "[%s]", with_tx(CANCELED_LOG, ""));
	CHECK_STATUS(FB_OK, find(&canceled, text));
	CHECK(canceled);
	snprintf(text, sizeof(text), "[%s]", with_tx(USED_LOG, "\"removed\":true,"));
	CHECK_STATUS(FB_NOT_FOUND, find(&canceled, text));
	snprintf(text, sizeof(text), "{\"logs\":[%s," GOOD_LOG "]}", with_tx(USED_LOG, "\"removed\":true,"));
	fb_receipt_judge(parse(text), &item, 1); /* nor in a receipt */
	CHECK(item.said == FB_LOGS_NOTHING);
	snprintf(text, sizeof(text), "[%s]", with_tx(GOOD_LOG, ""));
	CHECK_STATUS(FB_NOT_FOUND, find(&canceled, text));
	CHECK_STATUS(FB_NOT_FOUND, find(&canceled, "[" USED_LOG "]")); /* of no transaction */
	CHECK_STATUS(FB_NOT_FOUND, find(&canceled, "[]"));
	CHECK_STATUS(FB_WRONG_TYPE, find(&canceled, "null"));
	CHECK_STATUS(FB_WRONG_TYPE, find(&canceled, "{}"));
}

int test_token_receipt(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read__good_receipt__every_value),
		cmocka_unit_test(read__null__not_found),
		cmocka_unit_test(read__one_thing_wrong__malformed_and_output_left),
		cmocka_unit_test(read__no_receipt_at_all__malformed),
		cmocka_unit_test(transfer__table__only_the_tokens_own_and_exact_one),
		cmocka_unit_test(judge__order_of_the_logs__used_and_the_transfer_next_to_it),
		cmocka_unit_test(judge__two_of_a_payer__each_transfer_counts_once),
		cmocka_unit_test(find__logs_of_the_chain__its_transaction_or_not_found),
		cmocka_unit_test(transfer__every_field_of_the_authorization__matters),
	};
	return cmocka_run_group_tests_name("token receipt", tests, NULL, NULL);
}
