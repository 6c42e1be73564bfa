/* Goal: one edit of a good request gives exactly its reason, and a sentence that begins with the member.
 * Method: tables of edits; each row changes one thing. */
#include "fb_test.h"
#include "test_wire.h"

static struct fb_wire_request request;
static enum fb_reason reason;
static struct fb_error error;

#define P "\"paymentPayload\""
#define A "\"accepted\""
#define R "\"paymentRequirements\""
#define PAY "paymentPayload."
#define AUTH "paymentPayload.payload.authorization"
#define REQ "paymentRequirements."
#define BAD_VERSION FB_REASON_INVALID_X402_VERSION
#define BAD_PAYLOAD FB_REASON_INVALID_PAYLOAD
#define BAD_KIND FB_REASON_UNSUPPORTED_PAYLOAD_TYPE
#define BAD_TERMS FB_REASON_INVALID_REQUIREMENTS
#define VERSION(json) { "", "\"x402Version\":2", "\"x402Version\":" json, BAD_VERSION, "x402Version: " }
#define VALUE(json) { P, "\"value\":\"1000\"", "\"value\":" json, BAD_PAYLOAD, AUTH ".value: " }
#define TIMEOUT(json) { R, ":300", ":" json, BAD_TERMS, REQ "maxTimeoutSeconds: " }
#define DIGITS_2_256 "115792089237316195423570985008687907853269984665640564039457584007913129639936"
struct edit {
	const char *after, *find, *replace;
	enum fb_reason want;
	const char *path; /* how the sentence in error begins */
};

static const struct edit edits_v2[] = {
	VERSION("3"),
	VERSION("1"),
	VERSION("2.0"),
	VERSION("-2"),
	VERSION("1e400"),
	VERSION("99999999999999999999"),
	{ P, "\"x402Version\":2", "\"x402Version\":1", BAD_VERSION, "x402Version" },
	{ P, "\"x402Version\":2", "\"x402Version\":\"2\"", BAD_VERSION, "x402Version" },
	{ P, "\"x402Version\":2", "\"y\":2", BAD_VERSION, "x402Version" },

	{ P, "\"payload\"", "\"p\"", BAD_PAYLOAD, PAY "payload: " },
	{ P, "{\"authorization\"", "null,\"x\":{\"authorization\"", BAD_PAYLOAD, PAY "payload: " },
	{ P, "{\"authorization\"", "[],\"x\":{\"authorization\"", BAD_PAYLOAD, PAY "payload: " },
	{ P, "\"authorization\":", "\"permit2Authorization\":", BAD_KIND, AUTH },
	{ P, "\"authorization\":", "\"transaction\":", BAD_KIND, AUTH },
	{ P, "\"authorization\":", "\"authorization\":null,\"x\":", BAD_KIND, AUTH },
	{ P, "\"authorization\":", "\"permit2Authorization\":{},\"authorization\":", BAD_KIND, AUTH },
	{ P, "\"authorization\":", "\"permit2Authorization\":null,\"authorization\":", FB_REASON_NONE, "" },
	{ P, "\"authorization\":", "\"authorization\":\"0x\",\"x\":", BAD_PAYLOAD, AUTH ": " },
	{ P, "\"authorization\":", "\"authorization\":[],\"x\":", BAD_PAYLOAD, AUTH ": " },

	{ P, WIRE_PAYER, "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", FB_REASON_NONE, "" },
	{ P, WIRE_PAYER, "0x70997970C51812DC3A010C7D01B50E0D17DC79C8", FB_REASON_NONE, "" },
	{ P, WIRE_PAYER, "0x70997970c51812dc3a010c7d01b50e0d17dc79", BAD_PAYLOAD, AUTH ".from: " },
	{ P, WIRE_PAYER, "70997970c51812dc3a010c7d01b50e0d17dc79c8", BAD_PAYLOAD, AUTH ".from: " },
	{ P, WIRE_PAYER, "0x70997970c51812dc3a010c7d01b50e0d17dc79cg", BAD_PAYLOAD, AUTH ".from: " },
	{ P, WIRE_PAYER, "", BAD_PAYLOAD, AUTH ".from: " },
	{ P, WIRE_PAYER, "payer.eth", BAD_PAYLOAD, AUTH ".from: " },
	{ P, WIRE_PAYER, "\\u0030x70997970C51812dc3A010C7d01b50e0d17dc79C8", FB_REASON_NONE, "" },
	{ P, "\"from\":\"" WIRE_PAYER "\"", "\"from\":7", BAD_PAYLOAD, AUTH ".from: " },
	{ P, "\"from\":", "\"From\":", BAD_PAYLOAD, AUTH ".from: " },
	{ P, "\"to\":\"" WIRE_PAYEE "\"", "\"to\":null", BAD_PAYLOAD, AUTH ".to: " },

	VALUE("1000"),
	VALUE("\"0x3e8\""),
	VALUE("\"01000\""),
	VALUE("\"-1000\""),
	VALUE("\"+1000\""),
	VALUE("\"1e3\""),
	VALUE("\"1000.0\""),
	VALUE("\" 1000\""),
	VALUE("\"\""),
	VALUE("\"" DIGITS_2_256 "\""),
	VALUE("{}"),
	{ P, "\"validAfter\":\"0\"", "\"validAfter\":0", BAD_PAYLOAD, AUTH ".validAfter: " },
	{ P, "\"validAfter\":\"0\",", "", BAD_PAYLOAD, AUTH ".validAfter: " },
	{ P, "\"validBefore\":\"1893456000\"", "\"validBefore\":true", BAD_PAYLOAD, AUTH ".validBefore: " },
	{ P, WIRE_NONCE, "0x11", BAD_PAYLOAD, AUTH ".nonce: " },
	{ P, WIRE_NONCE, WIRE_NONCE "11", BAD_PAYLOAD, AUTH ".nonce: " },
	{ P, "\"nonce\"", "\"once\"", BAD_PAYLOAD, AUTH ".nonce: " },
	{ P, WIRE_SIGNATURE, "", BAD_PAYLOAD, PAY "payload.signature: " },
	{ P, WIRE_SIGNATURE, "0x", BAD_PAYLOAD, PAY "payload.signature: " },
	{ P, WIRE_SIGNATURE, "0x1", BAD_PAYLOAD, PAY "payload.signature: " },
	{ P, WIRE_SIGNATURE, "0", BAD_PAYLOAD, PAY "payload.signature: " },
	{ P, WIRE_SIGNATURE, "0xzz", BAD_PAYLOAD, PAY "payload.signature: " },
	{ P, WIRE_SIGNATURE, "0x01", FB_REASON_NONE, "" },
	{ P, "\"signature\"", "\"sig\"", BAD_PAYLOAD, PAY "payload.signature: " },

	{ P, "\"accepted\"", "\"accept\"", BAD_PAYLOAD, PAY "accepted: " },
	{ P, "\"accepted\":", "\"accepted\":[],\"x\":", BAD_PAYLOAD, PAY "accepted: " },
	{ A, "\"amount\":\"1000\"", "\"amount\":\"0x3e8\"", BAD_PAYLOAD, PAY "accepted.amount: " },
	{ A, "\"amount\":\"1000\"", "\"amount\":\"999\"", FB_REASON_NONE, "" },
	{ A, "\"extra\":{", "\"extra\":{\"paymentFlow\":5,", BAD_PAYLOAD, PAY "accepted.extra.paymentFlow: " },
	{ A, "\"scheme\":\"exact\"", "\"scheme\":\"upto\"", FB_REASON_NONE, "" },
	{ A, "\"scheme\":\"exact\"", "\"scheme\":\"\"", BAD_PAYLOAD, PAY "accepted.scheme: " },
	{ P, "\"resource\":{\"url\"", "\"resource\":{\"u\"", FB_REASON_NONE, "" },
	{ P, "\"resource\":{", "\"resource\":null,\"x\":{", FB_REASON_NONE, "" },
	{ P, "\"resource\":{", "\"resource\":\"http://x\",\"x\":{", BAD_PAYLOAD, PAY "resource: " },
	{ P, "\"resource\":{\"url\":", "\"resource\":{\"url\":1,\"x\":", BAD_PAYLOAD, PAY "resource.url: " },
	{ P, "\"resource\":{", "\"extensions\":{\"bazaar\":{\"info\":[1,null]}},\"resource\":{", FB_REASON_NONE, "" },

	{ R, "\"scheme\":\"exact\"", "\"scheme\":\"upto\"", FB_REASON_NONE, "" },
	{ R, "\"scheme\":\"exact\",", "", BAD_TERMS, REQ "scheme: " },
	{ R, "\"scheme\":\"exact\"", "\"scheme\":null", BAD_TERMS, REQ "scheme: " },
	{ R, "eip155:84532", "eip155:1", FB_REASON_NONE, "" },
	{ R, "eip155:84532", "base-sepolia", FB_REASON_NONE, "" },
	{ R, "eip155:84532", "", BAD_TERMS, REQ "network: " },
	{ R, "\"amount\":\"1000\"", "\"maxAmountRequired\":\"1000\"", BAD_TERMS, REQ "amount: " },
	{ R, "\"amount\":\"1000\"", "\"amount\":1000", BAD_TERMS, REQ "amount: " },
	{ R, "\"amount\":\"1000\"", "\"amount\":\"$0.001\"", BAD_TERMS, REQ "amount: " },
	{ R, "\"amount\":\"1000\"", "\"amount\":\"0\"", FB_REASON_NONE, "" },
	{ R, WIRE_ASSET, "USDC", BAD_TERMS, REQ "asset: " },
	{ R, WIRE_PAYEE, "0x", BAD_TERMS, REQ "payTo: " },
	TIMEOUT("\"300\""),
	TIMEOUT("0"),
	TIMEOUT("-1"),
	TIMEOUT("0.5"),
	TIMEOUT("1e999999"),
	TIMEOUT("18446744073709551616"),
	{ R, "\"maxTimeoutSeconds\":300", "\"maxTimeoutSeconds\":18446744073709551615", FB_REASON_NONE, "" },
	{ R, "\"maxTimeoutSeconds\":300,", "", BAD_TERMS, REQ "maxTimeoutSeconds: " },
	{ R, "\"extra\":{", "\"extra\":null,\"x\":{", FB_REASON_NONE, "" },
	{ R, "\"extra\":{", "\"extra\":[],\"x\":{", BAD_TERMS, REQ "extra: " },
	{ R, "\"extra\":{", "\"extra\":{\"paymentFlow\":5,", BAD_TERMS, REQ "extra.paymentFlow: " },
	{ R, "\"extra\":{", "\"outputSchema\":null,\"unknown\":[{}],\"extra\":{\"feePayer\":1,", FB_REASON_NONE, "" },

	/* what is not ours is named before its shape is complained about */
	{ R, "\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\":\"1000\"",
	  "\"scheme\":\"upto\",\"network\":\"eip155:84532\",\"amount\":\"x\"", FB_REASON_UNSUPPORTED_SCHEME,
	  "scheme: want exact" },
	{ R, "\"network\":\"eip155:84532\",\"amount\":\"1000\",\"asset\":\"0x",
	  "\"network\":\"solana:5eykt4\",\"amount\":\"1000\",\"asset\":\"EPj", FB_REASON_INVALID_NETWORK,
	  "network: want one of the eip155 family" },
};

static const struct edit edits_v1[] = {
	{ P, "\"x402Version\":1", "\"x402Version\":2", BAD_VERSION, "x402Version" },
	{ "", "\"x402Version\":1", "\"x402Version\":0", BAD_VERSION, "x402Version" },
	{ P, "\"scheme\":\"exact\"", "\"scheme\":\"upto\"", FB_REASON_NONE, "" },
	{ P, "\"scheme\":\"exact\",", "", BAD_PAYLOAD, PAY "scheme: " },
	{ P, "\"scheme\":\"exact\"", "\"scheme\":1", BAD_PAYLOAD, PAY "scheme: " },
	{ P, "\"network\":\"base-sepolia\",", "", BAD_PAYLOAD, PAY "network: " },
	{ P, "\"value\":\"1000\"", "\"value\":\"1001\"", FB_REASON_NONE, "" },
	{ P, "\"authorization\":", "\"transaction\":", BAD_KIND, AUTH },
	{ R, "\"maxAmountRequired\":", "\"amount\":", BAD_TERMS, REQ "maxAmountRequired: " },
	{ R, "\"resource\":\"http://127.0.0.1:4021/p\",\"description\":\"d\",\"mimeType\":\"application/json\",", "",
	  FB_REASON_NONE, "" },
	{ R, "\"extra\":{", "\"outputSchema\":null,\"extra\":{", FB_REASON_NONE, "" },
	{ R, "\"network\":\"base-sepolia\"", "\"network\":\"solana\"", FB_REASON_NONE, "" },
};

static void check_edits(const char *body, const struct edit *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct edit *row = &rows[i];
		struct fb_str edited = wire_edit(body, row->after, row->find, row->replace);
		enum fb_status st;

		error.text[0] = '\0';
		st = fb_wire_read_request(&request, &reason, edited, wire_tokens, wire_arena(), &error);
		if (st != FB_OK || reason != row->want || strncmp(error.text, row->path, strlen(row->path)) != 0)
			fail_msg("%s -> %s: %s, %s, \"%s\"", row->find, row->replace, fb_status_info(st)->name,
				 st == FB_OK ? fb_reason_text(reason) : "none", error.text);
		CHECK((error.text[0] == '\0') == (row->want == FB_REASON_NONE));
	}
}

static void request__v2_one_edit__its_reason(void **state)
{
	(void)state;
	check_edits(WIRE_BODY_V2, edits_v2, FB_COUNT(edits_v2));
}

static void request__v1_one_edit__its_reason(void **state)
{
	(void)state;
	check_edits(WIRE_BODY_V1, edits_v1, FB_COUNT(edits_v1));
}

int wire_edit_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request__v2_one_edit__its_reason),
		cmocka_unit_test(request__v1_one_edit__its_reason),
	};
	return cmocka_run_group_tests_name("wire.edits", tests, NULL, NULL);
}
