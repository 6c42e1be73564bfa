/* Goal: every answer to a batch is read as what it is, and nothing else passes for one.
 * Method: tables of bodies for fb_rpc_parse. test_rpc_failover.c has the client against real peers. */
#include "farebox/rpc.h"
#include "fb_test.h"
#include "test_rpc.h"

enum { TOKENS = 4096 };

struct parsed {
	struct fb_rpc_parsed p;
	struct fb_json_token tokens[TOKENS];
	struct fb_rpc_result results[FB_RPC_CALLS_MAX];
	struct fb_arena arena;
	_Alignas(16) unsigned char block[FB_RPC_ARENA_LEN(4)];
};
static struct parsed state_;

static enum fb_status parse(const char *body, size_t count)
{
	struct parsed *s = &state_;

	fb_arena_init(&s->arena, s->block, sizeof(s->block));
	s->p = (struct fb_rpc_parsed){ .tokens = s->tokens, .token_cap = TOKENS, .results = s->results,
		.arena = &s->arena };
	return fb_rpc_parse(&s->p, fb_str_of(body), count);
}

#define ERROR(inside) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":" inside "}"

static const struct {
	const char *body;
	enum fb_status want, call;
	int64_t code;
	const char *message, *raw; /* of the result, or of the error's data */
} one_call[] = {
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}", FB_OK, FB_OK, 0, "", "\"0x1\"" },
	{ "{\"id\":1,\"result\":null,\"jsonrpc\":\"2.0\"}", FB_OK, FB_OK, 0, "", "null" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":[1]},\"took\":5}", FB_OK, FB_OK, 0, "", "{\"a\":[1]}" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":false,\"error\":null}", FB_OK, FB_OK, 0, "", "false" },
	/* errors of the call */
	{ ERROR("{\"code\":3,\"message\":\"execution reverted: no\",\"data\":\"0x08c3\"}"), FB_OK, FB_REVERTED, 3,
	  "execution reverted: no", "\"0x08c3\"" },
	{ ERROR("{\"code\":3,\"message\":\"anything\"}"), FB_OK, FB_REVERTED, 3, "anything", "" },
	{ ERROR("{\"code\":-32000,\"message\":\"execution reverted\"}"), FB_OK, FB_REVERTED, -32000,
	  "execution reverted", "" },
	{ ERROR("{\"code\":-32000,\"message\":\"VM Exception: Revert\"}"), FB_OK, FB_REVERTED, -32000,
	  "VM Exception: Revert", "" },
	{ ERROR("{\"code\":-32000,\"message\":\"nonce too low\"}"), FB_OK, FB_RPC_ERROR, -32000, "nonce too low", "" },
	{ ERROR("{\"code\":-32000,\"message\":\"rever\"}"), FB_OK, FB_RPC_ERROR, -32000, "rever", "" },
	{ ERROR("{\"code\":-32601,\"message\":\"revert not found\"}"), FB_OK, FB_RPC_ERROR, -32601, "revert not found",
	  "" },
	{ ERROR("{\"code\":-32005,\"message\":\"too \\\"many\\u00e9\"}"), FB_OK, FB_RPC_ERROR, -32005,
	  "too \"many\xc3\xa9", "" },
	{ ERROR("{\"code\":9223372036854775807}"), FB_OK, FB_RPC_ERROR, INT64_MAX, "", "" },
	{ ERROR("{\"code\":9223372036854775808}"), FB_OK, FB_RPC_ERROR, 0, "", "" },
	{ ERROR("{\"code\":-3e2,\"message\":7,\"data\":{}}"), FB_OK, FB_RPC_ERROR, 0, "", "{}" },
	{ ERROR("{\"code\":\"3\",\"message\":\"revert\"}"), FB_OK, FB_RPC_ERROR, 0, "revert", "" },
	{ ERROR("{}"), FB_OK, FB_RPC_ERROR, 0, "", "" },
	{ ERROR("{\"code\":3,\"message\":\"\"},\"result\":\"0x1\""), FB_OK, FB_REVERTED, 3, "", "" },
	/* neither result nor error */
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}", FB_OK, FB_BAD_SYNTAX, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null}", FB_OK, FB_BAD_SYNTAX, 0, "", "" },
	{ ERROR("\"busy\""), FB_OK, FB_BAD_SYNTAX, 0, "", "" },
	{ ERROR("[3]"), FB_OK, FB_BAD_SYNTAX, 0, "", "" },
	/* no answer to this call */
	{ "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":429,\"message\":\"slow down\"}}", FB_RPC_ERROR, 0, 0,
	  "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":2.0,\"id\":1,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"id\":1,\"result\":1}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}]", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"result\":2}", FB_RPC_ERROR, 0, 0, "", "" },
	{ "<html><body>502 Bad Gateway</body></html>", FB_RPC_ERROR, 0, 0, "", "" },
	{ "\"0x1\"", FB_RPC_ERROR, 0, 0, "", "" },
	{ "null", FB_RPC_ERROR, 0, 0, "", "" },
	{ "", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x", FB_RPC_ERROR, 0, 0, "", "" },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}", FB_RPC_ERROR, 0, 0, "", "" },
};

static void parse__one_call__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(one_call); i++) {
		const struct fb_rpc_result *r = &state_.results[0];
		enum fb_status st = parse(one_call[i].body, 1);

		if (st != one_call[i].want)
			fail_msg("%s: %s", one_call[i].body, fb_status_info(st)->name);
		if (st != FB_OK)
			continue;
		if (r->status != one_call[i].call || r->error_code != one_call[i].code)
			fail_msg("%s: call %s, code %lld", one_call[i].body, fb_status_info(r->status)->name,
				 (long long)r->error_code);
		CHECK_STR(one_call[i].message, r->error_message);
		CHECK_STR(one_call[i].raw, fb_json_raw(r->status == FB_OK ? r->result : r->error_data));
		CHECK(fb_json_present(r->result) == (r->status == FB_OK));
	}
}

#define A(id, n) "{\"jsonrpc\":\"2.0\",\"id\":" #id ",\"result\":" #n "}"

static void parse__batch__table(void **state)
{
	static const struct { const char *body; enum fb_status want; } rows[] = {
		{ "[" A(1, 10) "," A(2, 20) "," A(3, 30) "]", FB_OK },
		{ "[" A(3, 30) "," A(1, 10) "," A(2, 20) "]", FB_OK },
		{ " [ " A(2, 20) " , " A(3, 30) " , " A(1, 10) " ] ", FB_OK },
		{ "[" A(1, 10) "," A(2, 20) "]", FB_RPC_ERROR },                           /* one is missing */
		{ "[" A(1, 10) "," A(2, 20) "," A(2, 20) "]", FB_RPC_ERROR },              /* one came twice */
		{ "[" A(1, 10) "," A(2, 20) "," A(4, 30) "]", FB_RPC_ERROR },
		{ "[" A(1, 10) "," A(2, 20) "," A(3, 30) "," A(4, 40) "]", FB_RPC_ERROR },
		{ "[" A(1, 10) "," A(2, 20) ",null]", FB_RPC_ERROR },
		{ "[]", FB_RPC_ERROR },
		{ A(1, 10), FB_RPC_ERROR },
		{ "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"limit\"}}", FB_RPC_ERROR },
		{ "{\"error\":\"too many requests\"}", FB_RPC_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		enum fb_status st = parse(rows[i].body, 3);

		if (st != rows[i].want)
			fail_msg("%s: %s", rows[i].body, fb_status_info(st)->name);
		for (size_t k = 0; st == FB_OK && k < 3; k++) {
			uint64_t n = 0;

			CHECK_STATUS(FB_OK, fb_json_u64(&n, state_.results[k].result));
			CHECK(n == (k + 1) * 10);
		}
	}
}

/* Each row: the text that fills the message, which is then cut between two of them. */
static void parse__long_message__is_cut_between_characters(void **state)
{
	static const struct { const char *text, *plain; size_t each; } rows[] = {
		{ "x", "x", 1 }, { "\xc3\xa9", "\xc3\xa9", 2 }, { "\xe2\x82\xac", "\xe2\x82\xac", 3 },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 4 }, { "\\n", "\n", 2 }, { "\\u00e9", "\xc3\xa9", 6 },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80", 12 }, { "\\uD83D\\uDE00", "\xf0\x9f\x98\x80", 12 },
		{ "\\udABC\\udE00", "\xf2\xbf\x88\x80", 12 },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char body[16384];
		struct fb_buf b;
		size_t kept = FB_RPC_MESSAGE_MAX / rows[i].each, len = strlen(rows[i].plain);

		fb_buf_init(&b, body, sizeof(body));
		fb_buf_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"");
		for (int k = 0; k < 1000; k++)
			fb_buf_text(&b, rows[i].text);
		fb_buf_text(&b, "\"}}");
		fb_buf_char(&b, '\0');
		CHECK_STATUS(FB_OK, parse(body, 1));
		CHECK(state_.results[0].error_message.len == kept * len);
		for (size_t k = 0; k < kept; k++)
			CHECK(memcmp(state_.results[0].error_message.at + k * len, rows[i].plain, len) == 0);
	}
}

static void parse__message_of_exactly_the_limit__is_whole(void **state)
{
	char body[1024];
	int n = snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"message\":\"%0*d\"}}",
		FB_RPC_MESSAGE_MAX, 7);

	(void)state;
	CHECK(n > FB_RPC_MESSAGE_MAX);
	CHECK_STATUS(FB_OK, parse(body, 1));
	CHECK(state_.results[0].error_message.len == FB_RPC_MESSAGE_MAX);
	CHECK(state_.results[0].error_message.at[FB_RPC_MESSAGE_MAX - 1] == '7');
}

static void parse__every_prefix_of_an_answer__is_refused(void **state)
{
	const char *whole = "[" A(2, 20) "," ERROR("{\"code\":3,\"message\":\"a\\u0041\"}") "]";
	char part[512];

	(void)state;
	CHECK_STATUS(FB_OK, parse(whole, 2));
	for (size_t len = 0; len < strlen(whole); len++) {
		snprintf(part, sizeof(part), "%.*s", (int)len, whole);
		CHECK_STATUS(FB_RPC_ERROR, parse(part, 2));
	}
}

static void parse__more_values_than_tokens__is_refused(void **state)
{
	static char body[3 * TOKENS];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, body, sizeof(body));
	fb_buf_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[0");
	for (int i = 0; i < TOKENS; i++)
		fb_buf_text(&b, ",0");
	fb_buf_text(&b, "]}");
	fb_buf_char(&b, '\0');
	CHECK(!b.overflowed);
	CHECK_STATUS(FB_RPC_ERROR, parse(body, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__one_call__table),
		cmocka_unit_test(parse__batch__table),
		cmocka_unit_test(parse__long_message__is_cut_between_characters),
		cmocka_unit_test(parse__message_of_exactly_the_limit__is_whole),
		cmocka_unit_test(parse__every_prefix_of_an_answer__is_refused),
		cmocka_unit_test(parse__more_values_than_tokens__is_refused),
	};
	return cmocka_run_group_tests_name("rpc", tests, NULL, NULL) + test_rpc_failover();
}
