/* Goal: a chain that is not what the file says is found out, and the sentence says what, found and expected.
 * Method: a peer that plays the chain; each row replaces one of its answers. */
#include "farebox/network.h"
#include "fb_peer.h"
#include "fb_test.h"
#include "test_network.h"

#define WORD_20 "0000000000000000000000000000000000000000000000000000000000000020"
#define TEXT(len, hex) "\"0x" WORD_20 "00000000000000000000000000000000000000000000000000000000000000" len hex "\""
#define NUMBER(hex) "\"0x00000000000000000000000000000000000000000000000000000000000000" hex "\""
#define PAD28 "00000000000000000000000000000000000000000000000000000000"
#define DOMAIN "71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818"
#define MULTICALL "0xca11bde05977b3631167028862be2a173976ca11"
#define TOKEN "0x036cbd53842c5426634e7929541ec2318f3dcf7e"
#define ERROR(code) "{\"code\":" code ",\"message\":\"execution reverted\"}"

/* What is asked, and what Base Sepolia answers. */
static const struct { const char *marks[2]; const char *answer; } chain[] = {
	{ { "eth_chainId", "" }, "\"0x14a34\"" },
	{ { "eth_getCode", MULTICALL }, "\"0x6080\"" },
	{ { "eth_getCode", TOKEN }, "\"0x6080\"" },
	{ { "0x06fdde03", TOKEN }, TEXT("04", "55534443" PAD28) },
	{ { "0x54fd4d50", TOKEN }, TEXT("01", "32000000" PAD28) },
	{ { "0x313ce567", TOKEN }, NUMBER("06") },
	{ { "0x3644e515", TOKEN }, "\"0x" DOMAIN "\"" },
};

struct row {
	size_t replaced;    /* of chain */
	const char *answer; /* an object starting with {"code" is an error */
	enum fb_status want;
	const char *says;
};

#define NAME_IS(x) "USDC " TOKEN ": name() is " x ", expected \"USDC\" (network base-sepolia, asked http://127.0.0.1:"
static const struct row rows[] = {
	{ 99, "", FB_OK, "" },
	{ 0, "\"0x1\"", FB_MISMATCH, "chain id is 1, expected 84532 (network base-sepolia, asked http://127.0.0.1:" },
	{ 0, "84532", FB_MISMATCH, "chain id is no number, expected 84532" },
	{ 0, "\"0x014a34\"", FB_MISMATCH, "chain id is no number" },
	{ 0, "null", FB_MISMATCH, "chain id is no number" },
	{ 0, ERROR("-32601"), FB_RPC_ERROR, "chain id could not be read: error -32601 (network base-sepolia" },
	{ 1, "\"0x\"", FB_MISMATCH, "Multicall3 " MULTICALL " is an address without code, expected a contract" },
	{ 1, "null", FB_MISMATCH, "Multicall3 " MULTICALL " is an address without code" },
	{ 1, ERROR("-32005"), FB_RPC_ERROR, "Multicall3 " MULTICALL " could not be read: error -32005" },
	{ 2, "\"0x\"", FB_MISMATCH, "USDC " TOKEN " is an address without code, expected a contract" },
	{ 3, TEXT("08", "55534420436f696e000000000000000000000000000000000000000000000000"), FB_MISMATCH,
	  NAME_IS("\"USD Coin\"") },
	{ 3, TEXT("03", "55534443" PAD28), FB_MISMATCH, NAME_IS("\"USD\"") },
	{ 3, TEXT("04", "550a1b22" PAD28), FB_MISMATCH, NAME_IS("\"U??\"\"") },
	{ 3, TEXT("21", "55534443" PAD28), FB_MISMATCH, NAME_IS("no text") },
	{ 3, "\"0x\"", FB_MISMATCH, NAME_IS("no text") },
	{ 3, "\"0x5\"", FB_MISMATCH, NAME_IS("no text") },
	{ 3, "\"USDC\"", FB_MISMATCH, NAME_IS("no text") },
	{ 3, "{\"a\":1}", FB_MISMATCH, NAME_IS("no text") },
	{ 3, ERROR("3"), FB_MISMATCH, NAME_IS("not there (the call reverts)") },
	{ 3, ERROR("-32603"), FB_RPC_ERROR, "USDC " TOKEN ": name() could not be read: error -32603" },
	{ 4, TEXT("01", "31000000" PAD28), FB_MISMATCH, ": version() is \"1\", expected \"2\"" },
	{ 4, ERROR("-32000"), FB_MISMATCH, ": version() is not there (the call reverts), expected \"2\"" },
	{ 5, NUMBER("12"), FB_MISMATCH, ": decimals() is 18, expected 6" },
	{ 5, "\"0x" WORD_20 WORD_20 "\"", FB_MISMATCH, ": decimals() is no number, expected 6" },
	{ 5, "\"0x06\"", FB_MISMATCH, ": decimals() is no number, expected 6" },
	{ 5, "\"0x" DOMAIN "\"", FB_MISMATCH, ": decimals() is no number" },
	{ 6, "\"0x" WORD_20 "\"", FB_MISMATCH, ": DOMAIN_SEPARATOR() is 0x" WORD_20 ", expected 0x" DOMAIN },
	{ 6, "\"0x" DOMAIN "00\"", FB_MISMATCH, ": DOMAIN_SEPARATOR() is no hash, expected 0x" DOMAIN },
	{ 6, ERROR("3"), FB_MISMATCH, ": DOMAIN_SEPARATOR() is not there" },
};

static const char *answer_to(const struct row *row, struct fb_str call)
{
	for (size_t i = 0; i < FB_COUNT(chain); i++) {
		char text[512];

		snprintf(text, sizeof(text), "%.*s", FB_STR_ARG(call));
		if (strstr(text, chain[i].marks[0]) != NULL && strstr(text, chain[i].marks[1]) != NULL)
			return i == row->replaced ? row->answer : chain[i].answer;
	}
	fail_msg("asked %.*s", FB_STR_ARG(call));
	return NULL;
}

static void play_chain(void *arg, struct peer_call *call)
{
	char body[16384];
	const char *at = call->body.at, *next;
	struct fb_buf b;
	size_t id = 0;

	fb_buf_init(&b, body, sizeof(body));
	for (at = strstr(at, "\"method\""); at != NULL; at = next) {
		const char *answer;

		next = strstr(at + 1, "\"method\"");
		answer = answer_to(arg, (struct fb_str){ at, next == NULL ? strlen(at) : (size_t)(next - at) });
		fb_buf_printf(&b, "%c{\"jsonrpc\":\"2.0\",\"id\":%zu,\"%s\":", id == 0 ? '[' : ',', id + 1,
			      strncmp(answer, "{\"code\"", 7) == 0 ? "error" : "result");
		fb_buf_printf(&b, "%s}", answer);
		id++;
	}
	fb_buf_char(&b, ']');
	FB_ASSERT(!b.overflowed);
	peer_reply(call, 200, "application/json", fb_buf_view(&b));
}

struct outcome {
	struct fb_loop *loop;
	enum fb_status status;
	char sentence[400];
	int calls;
};

static void on_checked(void *arg, enum fb_status status, const char *sentence)
{
	struct outcome *o = arg;

	o->calls++;
	o->status = status;
	snprintf(o->sentence, sizeof(o->sentence), "%s", sentence);
	fb_loop_stop(o->loop);
}

static struct outcome check(const char *url, bool close_at_once)
{
	struct fb_rpc_settings settings = { .urls = { url }, .url_count = 1, .timeout_ms = 10000 };
	struct outcome o = { 0 };
	struct fb_network n;
	struct fb_rpc *rpc;

	CHECK_STATUS(FB_OK, fb_network_builtin(&n, FB_STR("base-sepolia"), NULL));
	CHECK_STATUS(FB_OK, fb_loop_open(&o.loop));
	CHECK_STATUS(FB_OK, fb_rpc_open(&rpc, o.loop, &settings, NULL, NULL));
	fb_network_check(rpc, &n, on_checked, &o);
	memset(&n, 0, sizeof(n)); /* it was copied */
	if (!close_at_once)
		fb_loop_run(o.loop);
	fb_rpc_close(rpc);
	fb_loop_close(o.loop);
	CHECK(o.calls == 1);
	return o;
}

static void check__each_difference__is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct row row = rows[i];
		struct peer *peer = peer_open(play_chain, &row);
		struct outcome o = check(peer->url, false);

		peer_close(peer);
		if (o.status != row.want || strstr(o.sentence, row.says) == NULL ||
			(o.sentence[0] == '\0') != (row.want == FB_OK))
			fail_msg("%s: %s: %s", row.answer, fb_status_info(o.status)->name, o.sentence);
	}
}

static void check__chain_down__is_unreachable(void **state)
{
	struct outcome o;
	char url[64];

	(void)state;
	peer_dead_url(url, sizeof(url));
	o = check(url, false);
	CHECK_STATUS(FB_UNREACHABLE, o.status);
	CHECK(strstr(o.sentence,
		"no RPC endpoint of base-sepolia answers: connection refused (asked http://127.0.0.1:") != NULL);
}

static void check__closed_meanwhile__is_draining(void **state)
{
	(void)state;
	CHECK_STATUS(FB_DRAINING, check("http://127.0.0.1:1/", true).status);
}

int test_network_check(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check__each_difference__is_named),
		cmocka_unit_test(check__chain_down__is_unreachable),
		cmocka_unit_test(check__closed_meanwhile__is_draining),
	};
	return cmocka_run_group_tests_name("network.check", tests, NULL, NULL);
}
