/* Goal: a buyer reads any server's 402, pays with bytes that servers accept, and reads the receipt. */
#include "fb_test.h"
#include "test_wire.h"

static struct fb_quotes quotes;
static struct fb_error error;
static char block[8192];
static struct fb_buf out;

#define REQUIRED_V2                                                                                       \
	"{\"x402Version\":2,\"error\":\"Payment required\",\"resource\":{\"url\":\"http://127.0.0.1:4021/p\"," \
	"\"description\":\"d\",\"mimeType\":\"application/json\"},\"accepts\":[" WIRE_REQUIREMENT_V2 "]}"
#define REQUIRED_V1 \
	"{\"x402Version\":1,\"error\":\"X-PAYMENT header is required\",\"accepts\":[" WIRE_REQUIREMENT_V1 "]}"

static enum fb_status read_v2(struct fb_str json)
{
	memset(&quotes, 0x55, sizeof(quotes));
	return fb_wire_read_required_v2(&quotes, wire_base64(json), wire_tokens, wire_arena(), &error);
}

static enum fb_status read_v1(struct fb_str json)
{
	memset(&quotes, 0x55, sizeof(quotes));
	return fb_wire_read_required_v1(&quotes, json, wire_tokens, wire_arena(), &error);
}

static void required__v2_of_a_stock_server__quote(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_v2(FB_STR(REQUIRED_V2)));
	CHECK(quotes.count == 1 && quotes.skipped == 0 && quotes.quote[0].version == 2);
	CHECK_STR(WIRE_REQUIREMENT_V2, quotes.quote[0].requirement.raw);
	CHECK_STR("http://127.0.0.1:4021/p", quotes.quote[0].url);
	CHECK_STR("d", quotes.quote[0].description);
	CHECK_STR("application/json", quotes.quote[0].mime_type);
	CHECK_STR("Payment required", quotes.error);
	CHECK_STR("{\"url\":\"http://127.0.0.1:4021/p\",\"description\":\"d\",\"mimeType\":\"application/json\"}",
		  quotes.resource);
	CHECK(quotes.extensions.len == 0);
}

static void required__v1_of_a_stock_server__quote(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_v1(FB_STR(REQUIRED_V1)));
	CHECK(quotes.count == 1 && quotes.skipped == 0 && quotes.quote[0].version == 1);
	CHECK_STR("base-sepolia", quotes.quote[0].requirement.network);
	CHECK(fb_u256_eq(quotes.quote[0].requirement.amount, fb_u256_from_u64(1000)));
	CHECK_STR("http://127.0.0.1:4021/p", quotes.quote[0].url);
	CHECK_STR("d", quotes.quote[0].description);
	CHECK_STR("application/json", quotes.quote[0].mime_type);
	CHECK(quotes.resource.len == 0 && quotes.extensions.len == 0);
}

static void required__lax_servers__still_read(void **state)
{
	static const struct { const char *find, *replace; size_t count; } rows[] = {
		{ "\"error\":\"Payment required\"", "\"error\":null", 1 },
		{ "\"error\":\"Payment required\"", "\"error\":{}", 1 },
		{ "\"resource\":", "\"extensions\":null,\"x\":[],\"resource\":", 1 },
		{ "\"resource\":", "\"extensions\":[],\"resource\":", 1 },
		{ "\"resource\":", "\"resource\":null,\"x\":", 1 },
		{ "\"resource\":", "\"resource\":\"http://x\",\"x\":", 1 },
		{ "\"description\":\"d\"", "\"description\":null,\"tags\":7", 1 },
		{ "\"scheme\":\"exact\"", "\"scheme\":\"subscription\"", 1 },
		{ "eip155:84532", "hypothetical:1", 1 },
		{ "\"extra\":{", "\"extra\":{\"paymentFlow\":\"layaway\",\"assetTransferMethod\":\"permit2\",", 1 },
		{ "\"extra\":{", "\"extra\":null,\"x\":{", 1 },
		{ "\"accepts\":[", "\"accepts\":[null,1,\"x\",{},[],", 1 },
		{ "\"amount\":\"1000\"", "\"amount\":\"1e3\"", 0 },
		{ "\"amount\":\"1000\"", "\"amount\":1000", 0 },
		{ WIRE_ASSET, "USDC", 0 },
		{ ":300", ":-300", 0 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK, read_v2(wire_edit(REQUIRED_V2, "", rows[i].find, rows[i].replace)));
		if (quotes.count != rows[i].count)
			fail_msg("%s -> %s", rows[i].find, rows[i].replace);
		CHECK(quotes.count + quotes.skipped >= 1 && quotes.extensions.len == 0);
	}
	CHECK_STATUS(FB_OK, read_v2(wire_edit(REQUIRED_V2, "", "\"accepts\":[", "\"accepts\":[null,1,\"x\",{},[],")));
	CHECK(quotes.skipped == 5);
	CHECK_STATUS(FB_OK, read_v1(wire_edit(REQUIRED_V1, "", "\"extra\":{", "\"outputSchema\":null,\"extra\":{")));
	CHECK(quotes.count == 1);
}

static void required__no_402_of_ours__status_and_untouched_output(void **state)
{
	static const struct { const char *json; enum fb_status want; } rows[] = {
		{ "", FB_BAD_SYNTAX },
		{ "{", FB_BAD_SYNTAX },
		{ "[]", FB_WRONG_TYPE },
		{ "{}", FB_MISSING },
		{ "{\"x402Version\":2}", FB_MISSING },
		{ "{\"x402Version\":null,\"accepts\":[{}]}", FB_MISSING },
		{ "{\"x402Version\":1,\"accepts\":[{}]}", FB_BAD_VALUE },
		{ "{\"x402Version\":3,\"accepts\":[{}]}", FB_BAD_VALUE },
		{ "{\"x402Version\":\"2\",\"accepts\":[{}]}", FB_BAD_VALUE },
		{ "{\"x402Version\":2,\"accepts\":{}}", FB_WRONG_TYPE },
		{ "{\"x402Version\":2,\"accepts\":[]}", FB_MISSING },
		{ "{\"x402Version\":2,\"accepts\":null}", FB_MISSING },
		{ "{\"x402Version\":2,\"accepts\":[{}],\"accepts\":[{}]}", FB_DUPLICATE_KEY },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(rows[i].want, read_v2(fb_str_of(rows[i].json)));
		CHECK(((unsigned char *)&quotes)[0] == 0x55);
		CHECK(strncmp(error.text, "the server's 402", 16) == 0);
	}
	CHECK_STATUS(FB_BAD_SYNTAX, fb_wire_read_required_v2(&quotes, FB_STR(REQUIRED_V2), wire_tokens, wire_arena(),
							     &error));
	CHECK_STATUS(FB_BAD_VALUE, read_v1(FB_STR(REQUIRED_V2)));
}

static void required__entries_beyond_the_limit__skipped(void **state)
{
	struct fb_buf b;

	(void)state;
	for (size_t extra = 0; extra < 3; extra++) {
		fb_buf_init(&b, block, sizeof(block));
		fb_buf_text(&b, "{\"x402Version\":2,\"accepts\":[" WIRE_REQUIREMENT_V2);
		for (size_t i = 1; i < FB_QUOTES_MAX + extra; i++)
			fb_buf_text(&b, "," WIRE_REQUIREMENT_V2);
		fb_buf_text(&b, "]}");
		CHECK(!b.overflowed);
		CHECK_STATUS(FB_OK, read_v2(fb_buf_view(&b)));
		CHECK(quotes.count == FB_QUOTES_MAX && quotes.skipped == extra);
	}
}

static void required__truncated_anywhere__refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(REQUIRED_V1); len++)
		CHECK_STATUS(FB_BAD_SYNTAX, read_v1((struct fb_str){ REQUIRED_V1, len }));
}

static void required__arena_of_any_size__no_memory_or_done(void **state)
{
	struct fb_str header = wire_base64(wire_edit(REQUIRED_V2, "", "\"USDC\"", "\"USD\\u20ae0\""));
	enum fb_status st = FB_OK;

	(void)state;
	for (size_t size = 0; size <= 1024; size += 16) {
		memset(&quotes, 0x55, sizeof(quotes));
		st = fb_wire_read_required_v2(&quotes, header, wire_tokens, wire_arena_of(size), &error);
		CHECK(st == FB_OK || (st == FB_NO_MEMORY && ((unsigned char *)&quotes)[0] == 0x55));
	}
	CHECK_STATUS(FB_OK, st);
}

static struct fb_authorization authorization(void)
{
	struct fb_authorization a = {
		.value = fb_u256_from_u64(1000), .valid_before = fb_u256_from_u64(1893456000),
	};

	CHECK_STATUS(FB_OK, fb_address_parse(&a.from, FB_STR(WIRE_PAYER)));
	CHECK_STATUS(FB_OK, fb_address_parse(&a.to, FB_STR(WIRE_PAYEE)));
	memset(a.nonce.bytes, 0x11, sizeof(a.nonce.bytes));
	return a;
}

static struct fb_str payment_for(const struct fb_quote *q)
{
	struct fb_authorization a = authorization();
	uint8_t signature[FB_SIGNATURE_LEN];

	CHECK_STATUS(FB_OK, fb_hex_decode_exact(signature, sizeof(signature), FB_STR(WIRE_SIGNATURE)));
	fb_buf_init(&out, block, sizeof(block));
	fb_wire_write_payment(&out, &quotes, q, &a, signature);
	CHECK(!out.overflowed);
	return fb_buf_view(&out);
}

static void payment__v2__golden_bytes_echo_what_the_server_said(void **state)
{
	/* spelling, blanks, order and what we do not understand go back as they came */
	static const char accepted[] = "{\"extra\":{\"version\":\"2\",\"name\":\"USDC\",\"zeta\":[1.50,null]},"
				       "\"amount\":\"1000\", \"scheme\":\"exact\","
				       "\"network\":\"eip155:84532\","
				       "\"asset\":\"0x036CBD53842c5426634e7929541eC2318f3dCF7e\","
				       "\"payTo\":\"0x3c44CdDdB6a900fa2b585dd299e03d12FA4293BC\","
				       "\"maxTimeoutSeconds\":300,\"new\":\"\\u20ae\"}";
	char required[2048];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, required, sizeof(required));
	fb_buf_printf(&b,
		      "{\"x402Version\":2,\"resource\":{ \"iconUrl\":null,\"url\":\"u\"},\"extensions\":{\"bazaar\":"
		      "{\"info\":{}}},\"accepts\":[%s]}", accepted);
	CHECK_STATUS(FB_OK, read_v2(fb_buf_view(&b)));
	fb_buf_init(&b, required, sizeof(required));
	fb_buf_printf(&b,
		      "{\"x402Version\":2,\"payload\":{\"authorization\":" WIRE_AUTHORIZATION ",\"signature\":\""
		      WIRE_SIGNATURE "\"},"
		      "\"resource\":{ \"iconUrl\":null,\"url\":\"u\"},\"accepted\":%s,\"extensions\":{\"bazaar\":"
		      "{\"info\":{}}}}%c", accepted, 0);
	CHECK_STR(required, payment_for(&quotes.quote[0]));
}

static void payment__v2_without_resource__left_out(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_v2(FB_STR("{\"x402Version\":2,\"accepts\":[" WIRE_REQUIREMENT_V2 "]}")));
	CHECK_STR("{\"x402Version\":2,\"payload\":{\"authorization\":" WIRE_AUTHORIZATION ",\"signature\":\""
		  WIRE_SIGNATURE "\"},"
		  "\"accepted\":" WIRE_REQUIREMENT_V2 "}", payment_for(&quotes.quote[0]));
}

static void payment__v1__golden_bytes(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_v1(FB_STR(REQUIRED_V1)));
	CHECK_STR("{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base-sepolia\",\"payload\":"
		  "{\"authorization\":" WIRE_AUTHORIZATION
		  ",\"signature\":\"" WIRE_SIGNATURE "\"}}", payment_for(&quotes.quote[0]));
}

static struct fb_offer offer_upfront(void)
{
	struct fb_offer o = {
		.caip2 = FB_STR("eip155:84532"), .v1_name = FB_STR("base-sepolia"),
		.url = FB_STR("https://x.example/\"q\""),
		.domain_name = FB_STR("USD\xe2\x82\xae" "0"), .domain_version = FB_STR("2"),
		.amount = { FB_AMOUNT_MAX },
		.max_timeout_s = UINT64_MAX, .upfront = true,
	};

	CHECK_STATUS(FB_OK, fb_address_parse(&o.asset, FB_STR(WIRE_ASSET)));
	CHECK_STATUS(FB_OK, fb_address_parse(&o.pay_to, FB_STR(WIRE_PAYEE)));
	return o;
}

/* offer -> 402 -> quote -> payment -> header -> the same offer, in both versions */
static void whole_round__offer_to_payment__matches_the_offer(void **state)
{
	(void)state;
	for (uint8_t version = 1; version <= 2; version++) {
		struct fb_offer o = offer_upfront();
		struct fb_requirement ours = fb_offer_requirement(&o, version);
		char json[4096];
		struct fb_payment p;
		enum fb_reason reason;
		struct fb_buf b;

		fb_buf_init(&b, json, sizeof(json));
		if (version == 2)
			fb_wire_write_required_v2(&b, &o, "Payment required");
		else
			fb_wire_write_required_v1(&b, &o, "Payment required");
		CHECK_STATUS(FB_OK, version == 2 ? read_v2(fb_buf_view(&b)) : read_v1(fb_buf_view(&b)));
		CHECK(quotes.count == 1 && fb_u256_eq(quotes.quote[0].requirement.amount, ours.amount));
		CHECK(fb_str_eq(quotes.quote[0].requirement.domain_name, o.domain_name) &&
		      fb_str_eq(quotes.quote[0].url, o.url));
		CHECK(fb_str_eq(quotes.quote[0].requirement.payment_flow, ours.payment_flow));
		CHECK_STATUS(FB_OK, fb_wire_read_payment_header(&p, &reason, wire_base64(payment_for(&quotes.quote[0])),
								version, wire_tokens, wire_arena(), &error));
		CHECK(reason == FB_REASON_NONE && fb_offer_matches(&o, &p));
		CHECK_STR(WIRE_PAYER, p.payer_text);
	}
}

static struct fb_receipt receipt;

static enum fb_status read_receipt(struct fb_str text)
{
	memset(&receipt, 0x55, sizeof(receipt));
	return fb_wire_read_receipt(&receipt, text, wire_tokens, wire_arena(), &error);
}

#define TX "0xabababababababababababababababababababababababababababababababab"

static void receipt__table__read_as_body_and_as_header(void **state)
{
	static const struct { const char *json; bool success, has_tx; const char *transaction, *network, *payer,
			      *reason, *message; } rows[] = {
		{ "{\"success\":true,\"payer\":\"" WIRE_PAYER "\",\"transaction\":\""
		  TX "\",\"network\":\"eip155:84532\"}", true, true, TX, "eip155:84532", WIRE_PAYER, "", "" },
		{ "{\"success\":false,\"errorReason\":\"settlement_pending\",\"transaction\":\""
		  TX "\",\"network\":\"base\"}", false, true, TX, "base", "", "settlement_pending", "" },
		{ "{\"success\":false,\"errorReason\":\"moon_phase\",\"errorMessage\":\"n\\u00f6\","
		  "\"transaction\":\"\",\"network\":\"\"}", false, false, "", "", "", "moon_phase", "n\xc3\xb6" },
		{ "{\"success\":true,"
		  "\"transaction\":\"5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR\","
		  "\"network\":\"solana\",\"amount\":\"1\",\"extensions\":{}}", true, false,
		  "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR", "solana",
		  "", "", "" },
		{ "{\"success\":true,\"transaction\":null,\"payer\":null}", true, false, "", "", "", "", "" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		for (int header = 0; header < 2; header++) {
			struct fb_str json = fb_str_of(rows[i].json);

			CHECK_STATUS(FB_OK, read_receipt(header ? wire_base64(json) : json));
			CHECK(receipt.success == rows[i].success && receipt.has_tx == rows[i].has_tx);
			CHECK_STR(rows[i].transaction, receipt.transaction);
			CHECK_STR(rows[i].network, receipt.network);
			CHECK_STR(rows[i].payer, receipt.payer);
			CHECK_STR(rows[i].reason, receipt.reason_text);
			CHECK_STR(rows[i].message, receipt.message);
			CHECK(!receipt.has_tx || receipt.tx.bytes[31] == 0xab);
		}
	}
}

static void receipt__of_our_own_answer__reads_back(void **state)
{
	struct fb_settlement_answer a = { FB_REASON_NONCE_USED, "used", FB_STR(WIRE_PAYER), FB_STR("base-sepolia"),
					  true, { { 7 } }, { "", 0 } };

	(void)state;
	fb_buf_init(&out, block, sizeof(block));
	fb_wire_write_settlement(&out, &a);
	CHECK_STATUS(FB_OK, read_receipt(wire_base64(fb_buf_view(&out))));
	CHECK(!receipt.success && receipt.has_tx && fb_hash_eq(&receipt.tx, &a.tx));
	CHECK_STR("invalid_exact_evm_nonce_already_used", receipt.reason_text);
	CHECK_STR("used", receipt.message);
}

static void receipt__faults__status_and_untouched_output(void **state)
{
	static const struct { const char *text; enum fb_status want; } rows[] = {
		{ "", FB_BAD_SYNTAX },
		{ "{", FB_BAD_SYNTAX },
		{ "{}", FB_MISSING },
		{ "{\"success\":\"true\"}", FB_WRONG_TYPE },
		{ "{\"success\":null}", FB_WRONG_TYPE },
		{ "{\"success\":true,\"transaction\":5}", FB_WRONG_TYPE },
		{ "{\"success\":true,\"network\":[]}", FB_WRONG_TYPE },
		{ "{\"success\":true,\"success\":false}", FB_DUPLICATE_KEY },
		{ "W10=", FB_WRONG_TYPE },
		{ "W10", FB_BAD_SYNTAX },
		{ "<html>", FB_BAD_SYNTAX },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(rows[i].want, read_receipt(fb_str_of(rows[i].text)));
		CHECK(((unsigned char *)&receipt)[0] == 0x55);
		CHECK(strncmp(error.text, "receipt", 7) == 0);
	}
}

int wire_buyer_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(required__v2_of_a_stock_server__quote),
		cmocka_unit_test(required__v1_of_a_stock_server__quote),
		cmocka_unit_test(required__lax_servers__still_read),
		cmocka_unit_test(required__no_402_of_ours__status_and_untouched_output),
		cmocka_unit_test(required__entries_beyond_the_limit__skipped),
		cmocka_unit_test(required__truncated_anywhere__refused),
		cmocka_unit_test(required__arena_of_any_size__no_memory_or_done),
		cmocka_unit_test(payment__v2__golden_bytes_echo_what_the_server_said),
		cmocka_unit_test(payment__v2_without_resource__left_out),
		cmocka_unit_test(payment__v1__golden_bytes),
		cmocka_unit_test(whole_round__offer_to_payment__matches_the_offer),
		cmocka_unit_test(receipt__table__read_as_body_and_as_header),
		cmocka_unit_test(receipt__of_our_own_answer__reads_back),
		cmocka_unit_test(receipt__faults__status_and_untouched_output),
	};
	return cmocka_run_group_tests_name("wire.buyer", tests, NULL, NULL);
}
