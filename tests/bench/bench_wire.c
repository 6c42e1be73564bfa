/* What reading and writing x402 messages costs per message, after a warm-up; the best of several
 * rounds, because a shared machine only ever adds. */
#include "farebox/os.h"
#include "farebox/wire.h"

#include <stdio.h>

enum { ROUNDS = 15, PER_ROUND = 20000 };

#define PAYER "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
#define PAYEE "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
#define ASSET "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
#define NONCE "0x1111111111111111111111111111111111111111111111111111111111111111"
#define SIGNATURE                                                              \
	"0x25f0ac3505f6416f2aa881ad72c713e2bdf69089ac93e401f62922eead2efd3f" \
	"15fe178a742752f874b70d528aa7c8a1f506128ac3ed97284f6e5f346f1cfe8e1b"
#define AUTHORIZATION                                                                             \
	"{\"from\":\"" PAYER "\",\"to\":\"" PAYEE "\",\"value\":\"1000\",\"validAfter\":\"0\"," \
	"\"validBefore\":\"1893456000\",\"nonce\":\"" NONCE "\"}"
#define TERMS(amount, network)                                                                              \
	"\"scheme\":\"exact\",\"network\":\"" network "\",\"" amount "\":\"1000\",\"asset\":\"" ASSET     \
	"\",\"payTo\":\"" PAYEE "\",\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}"
#define PAYMENT_V2                                                                                            \
	"{\"x402Version\":2,\"payload\":{\"authorization\":" AUTHORIZATION ",\"signature\":\"" SIGNATURE    \
	"\"},\"resource\":{\"url\":\"https://api.example.com/weather/zurich?units=metric\",\"description\":" \
	"\"The weather, now and for the next five days, from the nearest station\",\"mimeType\":"            \
	"\"application/json\"},\"accepted\":{" TERMS("amount", "eip155:84532") "}}"
#define PAYMENT_V1                                                                                         \
	"{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base-sepolia\",\"payload\":{\"signature\":\"" \
	SIGNATURE "\",\"authorization\":" AUTHORIZATION "}}"
#define BODY(version, payment, terms) \
	"{\"x402Version\":" version ",\"paymentPayload\":" payment ",\"paymentRequirements\":{" terms "}}"

static const char body_v2[] = BODY("2", PAYMENT_V2, TERMS("amount", "eip155:84532"));
static const char body_v1[] = BODY("1", PAYMENT_V1, TERMS("maxAmountRequired", "base-sepolia"));
static const char payment_v2[] = PAYMENT_V2;

static struct fb_json_token tokens[FB_WIRE_TOKENS];
static _Alignas(16) unsigned char memory[1 << 16];
static char block[1 << 14];
static char header_v2[FB_BASE64_LEN(sizeof(PAYMENT_V2))];
static struct fb_str header;

static void parse(struct fb_str text)
{
	struct fb_json doc;

	FB_ASSERT(fb_json_parse(&doc, tokens, FB_WIRE_TOKENS, text) == FB_OK);
}

static void parse_v2(void)
{
	parse(FB_STR(BODY("2", PAYMENT_V2, TERMS("amount", "eip155:84532"))));
}

static void read_body(struct fb_str body)
{
	struct fb_wire_request r;
	enum fb_reason reason;
	struct fb_arena a;

	fb_arena_init(&a, memory, sizeof(memory));
	FB_ASSERT(fb_wire_read_request(&r, &reason, body, tokens, &a, NULL) == FB_OK);
	FB_ASSERT(reason == FB_REASON_NONE);
}

static void read_v2(void)
{
	read_body((struct fb_str){ body_v2, sizeof(body_v2) - 1 });
}

static void read_v1(void)
{
	read_body((struct fb_str){ body_v1, sizeof(body_v1) - 1 });
}

static void read_header(void)
{
	struct fb_payment p;
	enum fb_reason reason;
	struct fb_arena a;

	fb_arena_init(&a, memory, sizeof(memory));
	FB_ASSERT(fb_wire_read_payment_header(&p, &reason, header, 2, tokens, &a, NULL) == FB_OK);
	FB_ASSERT(reason == FB_REASON_NONE);
}

static void write_verdict(void)
{
	struct fb_verdict v = { .payer = FB_STR(PAYER) };
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_wire_write_verdict(&b, &v);
	FB_ASSERT(!b.overflowed);
}

static void write_required(void)
{
	struct fb_offer o = {
		.caip2 = FB_STR("eip155:84532"), .v1_name = FB_STR("base-sepolia"),
		.url = FB_STR("https://api.example.com/weather"),
		.description = FB_STR("The weather"), .mime_type = FB_STR("application/json"),
		.domain_name = FB_STR("USDC"),
		.domain_version = FB_STR("2"), .amount = { 1000 }, .max_timeout_s = 300, .upfront = true,
	};
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_wire_write_required_v2(&b, &o, "Payment required");
	fb_wire_write_required_v1(&b, &o, "Payment required");
	FB_ASSERT(!b.overflowed);
}

static void measure(const char *what, void (*once)(void))
{
	struct fb_clock clock = fb_os_clock();
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t begin = clock.mono_ns(clock.ctx), took;

		for (int i = 0; i < PER_ROUND; i++)
			once();
		took = clock.mono_ns(clock.ctx) - begin;
		best = took < best ? took : best;
	}
	printf("%-46s %6llu ns\n", what, (unsigned long long)(best / PER_ROUND));
}

int main(void)
{
	struct fb_buf b;

	fb_buf_init(&b, header_v2, sizeof(header_v2));
	fb_base64_put(&b, payment_v2, sizeof(payment_v2) - 1);
	header = fb_buf_view(&b);
	printf("v2 body %zu bytes, v1 body %zu bytes, v2 header %zu bytes\n", sizeof(body_v2) - 1, sizeof(body_v1) - 1,
	       header.len);
	measure("tokenise a v2 body", parse_v2);
	measure("read a v2 body (tokens and typed values)", read_v2);
	measure("read a v1 body", read_v1);
	measure("read a v2 payment header (base64 included)", read_header);
	measure("write a verdict", write_verdict);
	measure("write a 402, both versions", write_required);
	return 0;
}
