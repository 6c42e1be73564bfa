/* Goal: a body of /verify and /settle becomes typed values, a reason, or a 400; never anything else. */
#include "fb_test.h"
#include "test_wire.h"

static struct fb_wire_request request;
static enum fb_reason reason;
static struct fb_error error;

static enum fb_status read_body(struct fb_str body)
{
	memset(&request, 0x55, sizeof(request));
	reason = FB_REASON_END;
	error.text[0] = '\0';
	return fb_wire_read_request(&request, &reason, body, wire_tokens, wire_arena(), &error);
}

static bool is_address(const struct fb_address *a, const char *text)
{
	struct fb_address want;

	return fb_address_parse(&want, fb_str_of(text)) == FB_OK && fb_address_eq(a, &want);
}

static bool is_u256(struct fb_u256 v, uint64_t want)
{
	return fb_u256_eq(v, fb_u256_from_u64(want));
}

static void check_authorization(void)
{
	const struct fb_authorization *a = &request.payment.authorization;

	CHECK(is_address(&a->from, WIRE_PAYER) && is_address(&a->to, WIRE_PAYEE));
	CHECK(is_u256(a->value, 1000) && is_u256(a->valid_after, 0) && is_u256(a->valid_before, 1893456000));
	for (size_t i = 0; i < sizeof(a->nonce.bytes); i++)
		CHECK(a->nonce.bytes[i] == 0x11);
	CHECK_STR(WIRE_PAYER, request.payment.payer_text);
}

/* The signature that was read is the payer's over what was read. */
static void check_signature(void)
{
	const struct fb_requirement *r = &request.requirement;
	struct fb_hash domain = fb_eip712_domain(r->domain_name, r->domain_version, 84532, &r->asset);
	struct fb_hash message = fb_eip3009_transfer_hash(&request.payment.authorization);
	struct fb_hash digest = fb_eip712_digest(&domain, &message);
	struct fb_signature signature;
	struct fb_address signer;

	CHECK(request.payment.signature.len == FB_SIGNATURE_LEN);
	CHECK_STATUS(FB_OK, fb_signature_unpack(&signature, request.payment.signature));
	CHECK_STATUS(FB_OK, fb_recover(&signer, &signature, &digest));
	CHECK(fb_address_eq(&signer, &request.payment.authorization.from));
}

static void check_requirement(const struct fb_requirement *r, const char *network, const char *raw)
{
	CHECK_STR("exact", r->scheme);
	CHECK_STR(network, r->network);
	CHECK(is_u256(r->amount, 1000) && is_address(&r->asset, WIRE_ASSET) && is_address(&r->pay_to, WIRE_PAYEE));
	CHECK(r->max_timeout_s == 300 && r->has_domain);
	CHECK_STR("USDC", r->domain_name);
	CHECK_STR("2", r->domain_version);
	CHECK(r->payment_flow.len == 0 && r->asset_transfer_method.len == 0);
	CHECK_STR(raw, r->raw);
}

static void request__v2_of_a_stock_server__every_value_read(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_body(FB_STR(WIRE_BODY_V2)));
	CHECK(reason == FB_REASON_NONE && request.payment.version == 2);
	check_authorization();
	check_requirement(&request.requirement, "eip155:84532", WIRE_REQUIREMENT_V2);
	CHECK(request.payment.has_accepted);
	check_requirement(&request.payment.accepted, "eip155:84532", WIRE_REQUIREMENT_V2);
	CHECK_STR("exact", request.payment.scheme);
	CHECK_STR("eip155:84532", request.payment.network);
	CHECK_STR("http://127.0.0.1:4021/p", request.payment.resource_url);
	check_signature();
}

static void request__v1_of_a_stock_server__every_value_read(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_body(FB_STR(WIRE_BODY_V1)));
	CHECK(reason == FB_REASON_NONE && request.payment.version == 1);
	check_authorization();
	check_requirement(&request.requirement, "base-sepolia", WIRE_REQUIREMENT_V1);
	CHECK(!request.payment.has_accepted && request.payment.resource_url.len == 0);
	CHECK_STR("exact", request.payment.scheme);
	CHECK_STR("base-sepolia", request.payment.network);
	check_signature();
}

#define P "\"paymentPayload\""
#define R "\"paymentRequirements\""

static void request__no_request_at_all__status_and_untouched_output(void **state)
{
	static const struct { const char *body; enum fb_status want; const char *text; } rows[] = {
		{ "", FB_BAD_SYNTAX, "body: " },
		{ "x402", FB_BAD_SYNTAX, "body: not acceptable as JSON, bad_syntax at byte 0" },
		{ "[]", FB_WRONG_TYPE, "body: want a JSON object" },
		{ "null", FB_WRONG_TYPE, "body: want a JSON object" },
		{ "\"" "x402" "\"", FB_WRONG_TYPE, "body: want a JSON object" },
		{ "{}", FB_MISSING, "x402Version: " },
		{ "{\"x402Version\":null}", FB_WRONG_TYPE, "x402Version: " },
		{ "{\"x402Version\":\"2\"}", FB_WRONG_TYPE, "x402Version: " },
		{ "{\"x402Version\":2}", FB_MISSING, "paymentPayload: " },
		{ "{\"x402Version\":2,\"paymentPayload\":null}", FB_WRONG_TYPE, "paymentPayload: " },
		{ "{\"x402Version\":2,\"paymentPayload\":\"eyJ4\"}", FB_WRONG_TYPE, "paymentPayload: " },
		{ "{\"x402Version\":1,\"paymentHeader\":\"eyJ4\",\"paymentRequirements\":{}}", FB_MISSING,
		  "paymentPayload: " },
		{ "{\"x402Version\":2,\"paymentPayload\":{}}", FB_MISSING, "paymentRequirements: " },
		{ "{\"x402Version\":9,\"paymentPayload\":{},\"paymentRequirements\":[]}", FB_WRONG_TYPE,
		  "paymentRequirements: " },
		{ "{\"x402Version\":2,\"x402Version\":2,\"paymentPayload\":{},\"paymentRequirements\":{}}",
		  FB_DUPLICATE_KEY, "body: not acceptable as JSON, duplicate_key at byte 18" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(rows[i].want, read_body(fb_str_of(rows[i].body)));
		if (strncmp(error.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("%s: \"%s\"", rows[i].body, error.text);
		CHECK(reason == FB_REASON_END && ((unsigned char *)&request)[0] == 0x55);
	}
}

static void request__hostile_json_inside__refused_as_json(void **state)
{
	static const struct { const char *after, *find, *replace; enum fb_status want; } rows[] = {
		{ P, "\"value\":\"1000\"", "\"value\":\"1000\",\"value\":\"1\"", FB_DUPLICATE_KEY },
		{ P, "\"value\":\"1000\"", "\"value\":\"1000\",\"\\u0076alue\":\"1\"", FB_DUPLICATE_KEY },
		{ R, "\"payTo\"", "\"amount\":\"1\",\"payTo\"", FB_DUPLICATE_KEY },
		{ R, "\"USDC\"", "\"USDC\\u0000\"", FB_BAD_SYNTAX },
		{ R, "\"USDC\"", "\"\\ud800\"", FB_BAD_UTF8 },
		{ R, "\"USDC\"", "\"\xff\"", FB_BAD_UTF8 },
		{ R, "\"USDC\"", "\"US\nDC\"", FB_BAD_SYNTAX },
		{ R, ":300", ":0300", FB_BAD_SYNTAX },
		{ R, ":300", ":0x12c", FB_BAD_SYNTAX },
		{ R, ":300", ":NaN", FB_BAD_SYNTAX },
		{ R, "\"extra\":", "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],\"extra\":",
		  FB_TOO_DEEP },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(rows[i].want,
			     read_body(wire_edit(WIRE_BODY_V2, rows[i].after, rows[i].find, rows[i].replace)));
		CHECK(reason == FB_REASON_END);
	}
}

static void request__nul_byte__refused(void **state)
{
	char body[] = WIRE_BODY_V2;
	struct fb_str all = { body, sizeof(body) };

	(void)state;
	CHECK_STATUS(FB_BAD_SYNTAX, read_body(all)); /* the terminator is one byte too many */
	*strstr(body, "USDC") = '\0';
	CHECK_STATUS(FB_BAD_SYNTAX, read_body((struct fb_str){ body, sizeof(body) - 1 }));
}

static void request__truncated_anywhere__is_a_400(void **state)
{
	static const char *const bodies[] = { WIRE_BODY_V2, WIRE_BODY_V1 };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(bodies); i++) {
		for (size_t len = 0; len < strlen(bodies[i]); len++) {
			char *exact = malloc(len + 1); /* so that a read beyond the end is seen */

			memcpy(exact, bodies[i], len);
			CHECK_STATUS(FB_BAD_SYNTAX, read_body((struct fb_str){ exact, len }));
			CHECK(reason == FB_REASON_END);
			free(exact);
		}
	}
}

static void request__domain__non_ascii_kept_and_half_a_domain_is_none(void **state)
{
	static const struct { const char *find, *replace, *name; bool has; } rows[] = {
		{ "\"USDC\"", "\"USD\xe2\x82\xae" "0\"", "USD\xe2\x82\xae" "0", true },
		{ "\"USDC\"", "\"USD\\u20ae0\"", "USD\xe2\x82\xae" "0", true },
		{ "\"USDC\"", "\"USD Coin\"", "USD Coin", true },
		{ "\"USDC\"", "\"\"", "", false },
		{ "\"USDC\"", "1", "", false },
		{ "\"USDC\"", "null", "", false },
		{ "\"version\":\"2\"", "\"version\":2", "", false },
		{ "\"version\":\"2\"", "\"version\":\"\"", "", false },
		{ ",\"version\":\"2\"", "", "", false },
		{ "\"name\"", "\"Name\"", "", false },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK, read_body(wire_edit(WIRE_BODY_V2, R, rows[i].find, rows[i].replace)));
		CHECK(reason == FB_REASON_NONE && request.requirement.has_domain == rows[i].has);
		CHECK_STR(rows[i].name, request.requirement.domain_name);
		CHECK((request.requirement.domain_version.len > 0) == rows[i].has);
	}
}

static void request__flow_and_method__read_from_extra(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK,
		     read_body(wire_edit(WIRE_BODY_V2, R, "\"extra\":{",
					 "\"extra\":{\"paymentFlow\":\"upfront\","
					 "\"assetTransferMethod\":\"permit2\",")));
	CHECK_STR("upfront", request.requirement.payment_flow);
	CHECK_STR("permit2", request.requirement.asset_transfer_method);
	CHECK(request.payment.accepted.payment_flow.len == 0);
}

static void request__refused__echoes_what_could_be_read(void **state)
{
	static const struct { const char *body, *after, *find, *replace; uint8_t version; const char *payer,
			      *network; } rows[] = {
		{ WIRE_BODY_V2, P, "\"value\":\"1000\"", "\"value\":1000", 2, WIRE_PAYER, "eip155:84532" },
		{ WIRE_BODY_V2, P, WIRE_PAYER, "<script>", 2, "", "eip155:84532" },
		{ WIRE_BODY_V2, P, WIRE_PAYER "\",\"to\":\"" WIRE_PAYEE,
		  "0x70997970c51812dc3a010c7d01b50e0d17dc79c8\",\"to\":\"", 2,
		  "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "eip155:84532" },
		{ WIRE_BODY_V2, P, "\"authorization\"", "\"permit2Authorization\"", 2, "", "eip155:84532" },
		{ WIRE_BODY_V2, R, "\"amount\"", "\"amnt\"", 2, WIRE_PAYER, "eip155:84532" },
		{ WIRE_BODY_V2, R, "\"network\":\"eip155:84532\"", "\"network\":84532", 2, WIRE_PAYER, "" },
		{ WIRE_BODY_V2, "", "\"x402Version\":2", "\"x402Version\":1", 1, WIRE_PAYER, "eip155:84532" },
		{ WIRE_BODY_V2, "", "\"x402Version\":2", "\"x402Version\":7", 0, WIRE_PAYER, "eip155:84532" },
		{ WIRE_BODY_V1, P, "\"x402Version\":1", "\"x402Version\":{}", 1, WIRE_PAYER, "base-sepolia" },
		{ WIRE_BODY_V1, P, "\"nonce\"", "\"once\"", 1, WIRE_PAYER, "base-sepolia" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK, read_body(wire_edit(rows[i].body, rows[i].after, rows[i].find, rows[i].replace)));
		CHECK(reason != FB_REASON_NONE && request.payment.version == rows[i].version);
		CHECK_STR(rows[i].payer, request.payment.payer_text);
		CHECK_STR(rows[i].network, request.requirement.network);
	}
}

static void request__other_kinds_of_payment__named_not_misread(void **state)
{
	static const struct { const char *body; enum fb_reason want; const char *text; } rows[] = {
		{ "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"accepted\":{\"scheme\":\"exact\","
		  "\"network\":\"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp\","
		  "\"amount\":\"1000\",\"asset\":\"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v\","
		  "\"payTo\":\"2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4\","
		  "\"maxTimeoutSeconds\":60,\"extra\":{\"feePayer\":\"2wKu\"}},\"payload\":"
		  "{\"transaction\":\"AAAA\"}},\"paymentRequirements\":{\"scheme\":\"exact\","
		  "\"network\":\"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp\",\"amount\":\"1000\","
		  "\"asset\":\"EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v\","
		  "\"payTo\":\"2wKupLR9q6wXYppw8Gr2NvWxKBUqm4PPJKkQfoxHDBg4\",\"maxTimeoutSeconds\":60}}",
		  FB_REASON_INVALID_NETWORK, "network: " },
		{ "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"accepted\":"
		  WIRE_REQUIREMENT_V2 ",\"payload\":{\"permit2Authorization\":{}}},"
		  "\"paymentRequirements\":{\"scheme\":\"upto\",\"network\":\"eip155:84532\",\"amount\":\"1000\","
		  "\"asset\":\"" WIRE_ASSET "\",\"payTo\":\""
		  WIRE_PAYEE "\",\"maxTimeoutSeconds\":60}}", FB_REASON_UNSUPPORTED_SCHEME, "scheme: " },
		{ "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"accepted\":"
		  WIRE_REQUIREMENT_V2 ",\"payload\":{\"permit2Authorization\":{}}},"
		  "\"paymentRequirements\":" WIRE_REQUIREMENT_V2 "}", FB_REASON_UNSUPPORTED_PAYLOAD_TYPE,
		  "paymentPayload.payload.authorization: " },
		{ "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2},\"paymentRequirements\":{}}",
		  FB_REASON_INVALID_PAYLOAD, "paymentPayload.accepted: " },
		{ "{\"x402Version\":1,\"paymentPayload\":{\"x402Version\":1},\"paymentRequirements\":{}}",
		  FB_REASON_INVALID_PAYLOAD, "paymentPayload.scheme: " },
		{ "{\"x402Version\":1,\"paymentPayload\":{},\"paymentRequirements\":{}}",
		  FB_REASON_INVALID_X402_VERSION, "x402Version: " },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK, read_body(fb_str_of(rows[i].body)));
		if (reason != rows[i].want || strncmp(error.text, rows[i].text, strlen(rows[i].text)) != 0)
			fail_msg("row %zu: %s, \"%s\"", i, fb_reason_text(reason), error.text);
	}
}

static struct fb_str with_signature_of(size_t bytes)
{
	static char hex[2 * FB_WIRE_SIGNATURE_MAX + 8];

	CHECK(2 + 2 * bytes < sizeof(hex));
	memset(hex, 'a', 2 + 2 * bytes);
	hex[0] = '0';
	hex[1] = 'x';
	hex[2 + 2 * bytes] = '\0';
	return wire_edit(WIRE_BODY_V2, P, WIRE_SIGNATURE, hex);
}

static void request__signature_length__refused_beyond_the_limit(void **state)
{
	static const size_t good[] = { 1, 64, 65, 66, 416, FB_WIRE_SIGNATURE_MAX };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(good); i++) {
		CHECK_STATUS(FB_OK, read_body(with_signature_of(good[i])));
		CHECK(reason == FB_REASON_NONE && request.payment.signature.len == good[i]);
		CHECK((unsigned char)request.payment.signature.at[good[i] - 1] == 0xaa);
	}
	CHECK_STATUS(FB_OK, read_body(with_signature_of(FB_WIRE_SIGNATURE_MAX + 1)));
	CHECK(reason == FB_REASON_INVALID_PAYLOAD);
}

static void request__network_length__refused_beyond_the_limit(void **state)
{
	char network[FB_WIRE_NETWORK_MAX + 2];

	(void)state;
	memset(network, '1', sizeof(network));
	memcpy(network, "eip155:", 7);
	network[FB_WIRE_NETWORK_MAX] = '\0';
	CHECK_STATUS(FB_OK, read_body(wire_edit(WIRE_BODY_V2, R, "eip155:84532", network)));
	CHECK(reason == FB_REASON_NONE && request.requirement.network.len == FB_WIRE_NETWORK_MAX);
	network[FB_WIRE_NETWORK_MAX] = '1';
	network[FB_WIRE_NETWORK_MAX + 1] = '\0';
	CHECK_STATUS(FB_OK, read_body(wire_edit(WIRE_BODY_V2, R, "eip155:84532", network)));
	CHECK(reason == FB_REASON_INVALID_REQUIREMENTS && request.requirement.network.len == 0);
}

static void request__more_tokens_than_memory__too_many(void **state)
{
	static char many[2 * FB_WIRE_TOKENS + 32];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, many, sizeof(many) - 1);
	fb_buf_text(&b, "\"x\":[");
	for (unsigned i = 0; i < FB_WIRE_TOKENS; i++)
		fb_buf_text(&b, i == 0 ? "1" : ",1");
	fb_buf_text(&b, "],\"extra\":");
	many[b.len] = '\0';
	CHECK_STATUS(FB_TOO_MANY, read_body(wire_edit(WIRE_BODY_V2, R, "\"extra\":", many)));
}

static void request__arena_of_any_size__no_memory_or_done(void **state)
{
	struct fb_str body = wire_edit(WIRE_BODY_V2, R, "\"name\":\"USDC\"", "\"name\":\"USD\\u20ae0\"");
	bool done = false;

	(void)state;
	for (size_t size = 0; size <= 256; size += 16) {
		enum fb_status st;

		memset(&request, 0x55, sizeof(request));
		reason = FB_REASON_END;
		st = fb_wire_read_request(&request, &reason, body, wire_tokens, wire_arena_of(size), &error);
		done = st == FB_OK;
		if (done)
			CHECK(reason == FB_REASON_NONE);
		else
			CHECK(st == FB_NO_MEMORY && reason == FB_REASON_END && ((unsigned char *)&request)[0] == 0x55);
	}
	CHECK(done);
	CHECK_STATUS(FB_NO_MEMORY, fb_wire_read_request(&request, &reason, body, wire_tokens, wire_arena_of(0), NULL));
}

#define ID16 "abcXYZ_-01234567"
static void request__payment_identifier__read_or_malformed(void **state)
{
	static const struct {
		const char *extensions, *id;
		bool required, malformed;
	} rows[] = {
		{ "{\"payment-identifier\":{\"info\":{\"id\":\"" ID16 "\"}}}", ID16, false, false },
		{ "{\"payment-identifier\":{\"info\":{\"required\":true,\"id\":\"" ID16 "\"},\"schema\":{}}}", ID16, true,
		  false },
		{ "{\"payment-identifier\":{\"info\":{\"required\":true,\"id\":null}}}", "", true, false },
		{ "{\"payment-identifier\":{\"info\":{\"required\":false}}}", "", false, false },
		{ "{\"payment-identifier\":null}", "", false, false },
		{ "{\"bazaar\":{}}", "", false, false },
		{ "{}", "", false, false },
		{ "null", "", false, false },
		{ "7", "", false, false },
		{ "{\"payment-identifier\":{}}", "", false, true },
		{ "{\"payment-identifier\":7}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":[]}}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":{\"required\":\"true\"}}}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":{\"id\":16}}}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":{\"id\":\"\"}}}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":{\"id\":\"abcXYZ_-0123456\"}}}", "", false, true },
		{ "{\"payment-identifier\":{\"info\":{\"id\":\"abcXYZ_-0123456.\"}}}", "", false, true },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "\"extensions\":%s,\"payload\":", rows[i].extensions);
		CHECK_STATUS(FB_OK, read_body(wire_edit(WIRE_BODY_V2, "", "\"payload\":", text)));
		CHECK(reason == FB_REASON_NONE);
		CHECK_STR(rows[i].id, request.payment.identifier);
		CHECK(request.payment.identifier_malformed == rows[i].malformed);
		CHECK(rows[i].malformed || request.payment.identifier_required == rows[i].required);
	}
}

static void request__payment_identifier_length__up_to_the_limit(void **state)
{
	char text[256], id[FB_WIRE_IDENTIFIER_MAX + 2];

	(void)state;
	for (size_t len = FB_WIRE_IDENTIFIER_MAX; len <= FB_WIRE_IDENTIFIER_MAX + 1; len++) {
		memset(id, 'a', len);
		id[len] = '\0';
		snprintf(text, sizeof(text), "\"extensions\":{\"payment-identifier\":{\"info\":{\"id\":\"%s\"}}},\"payload\":",
			 id);
		CHECK_STATUS(FB_OK, read_body(wire_edit(WIRE_BODY_V2, "", "\"payload\":", text)));
		CHECK(request.payment.identifier_malformed == (len > FB_WIRE_IDENTIFIER_MAX));
	}
}

int wire_request_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request__v2_of_a_stock_server__every_value_read),
		cmocka_unit_test(request__v1_of_a_stock_server__every_value_read),
		cmocka_unit_test(request__no_request_at_all__status_and_untouched_output),
		cmocka_unit_test(request__hostile_json_inside__refused_as_json),
		cmocka_unit_test(request__nul_byte__refused),
		cmocka_unit_test(request__truncated_anywhere__is_a_400),
		cmocka_unit_test(request__domain__non_ascii_kept_and_half_a_domain_is_none),
		cmocka_unit_test(request__flow_and_method__read_from_extra),
		cmocka_unit_test(request__refused__echoes_what_could_be_read),
		cmocka_unit_test(request__other_kinds_of_payment__named_not_misread),
		cmocka_unit_test(request__signature_length__refused_beyond_the_limit),
		cmocka_unit_test(request__network_length__refused_beyond_the_limit),
		cmocka_unit_test(request__more_tokens_than_memory__too_many),
		cmocka_unit_test(request__arena_of_any_size__no_memory_or_done),
		cmocka_unit_test(request__payment_identifier__read_or_malformed),
		cmocka_unit_test(request__payment_identifier_length__up_to_the_limit),
	};
	return cmocka_run_group_tests_name("wire.request", tests, NULL, NULL);
}
