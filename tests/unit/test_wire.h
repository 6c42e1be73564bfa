/* The groups of the wire test binary, and what they share: real messages, edits of them, memory. */
#ifndef FB_TEST_WIRE_H
#define FB_TEST_WIRE_H
#include "farebox/wire.h"

int wire_request_tests(void);
int wire_edit_tests(void);
int wire_header_tests(void);
int wire_answer_tests(void);
int wire_offer_tests(void);
int wire_buyer_tests(void);

enum { WIRE_TEXT_MAX = 1 << 16, WIRE_ARENA_BYTES = 1 << 17 };
extern struct fb_json_token wire_tokens[FB_WIRE_TOKENS];
struct fb_arena *wire_arena(void);           /* fresh, WIRE_ARENA_BYTES */
struct fb_arena *wire_arena_of(size_t size); /* fresh, smaller */

/* Bodies of /verify as stock clients and servers make them; the signature is a valid one (WIRE_PAYER
 * pays 1000 atoms to WIRE_PAYEE, domain USDC/2/84532). */
#define WIRE_PAYER "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
#define WIRE_PAYEE "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
#define WIRE_ASSET "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
#define WIRE_NONCE "0x1111111111111111111111111111111111111111111111111111111111111111"
#define WIRE_SIGNATURE                                                         \
	"0x25f0ac3505f6416f2aa881ad72c713e2bdf69089ac93e401f62922eead2efd3f" \
	"15fe178a742752f874b70d528aa7c8a1f506128ac3ed97284f6e5f346f1cfe8e1b"
#define WIRE_AUTHORIZATION                                                                             \
	"{\"from\":\"" WIRE_PAYER "\",\"to\":\"" WIRE_PAYEE "\",\"value\":\"1000\",\"validAfter\":\"0\"," \
	"\"validBefore\":\"1893456000\",\"nonce\":\"" WIRE_NONCE "\"}"
#define WIRE_REQUIREMENT_V2                                                                          \
	"{\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\":\"1000\",\"asset\":\"" WIRE_ASSET \
	"\",\"payTo\":\"" WIRE_PAYEE "\",\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}"
#define WIRE_PAYMENT_V2                                                                                           \
	"{\"x402Version\":2,\"payload\":{\"authorization\":" WIRE_AUTHORIZATION ",\"signature\":\"" WIRE_SIGNATURE \
	"\"},"                                                                                                   \
	"\"resource\":{\"url\":\"http://127.0.0.1:4021/p\",\"description\":\"d\",\"mimeType\":\"application/json\"}," \
	"\"accepted\":" WIRE_REQUIREMENT_V2 "}"
#define WIRE_REQUIREMENT_V1                                                                                   \
	"{\"scheme\":\"exact\",\"network\":\"base-sepolia\",\"maxAmountRequired\":\"1000\",\"asset\":\"" WIRE_ASSET \
	"\",\"payTo\":\"" WIRE_PAYEE "\",\"resource\":\"http://127.0.0.1:4021/p\",\"description\":\"d\","          \
	"\"mimeType\":\"application/json\",\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}"
#define WIRE_PAYMENT_V1                                                                               \
	"{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base-sepolia\",\"payload\":{\"signature\":\"" \
	WIRE_SIGNATURE "\",\"authorization\":" WIRE_AUTHORIZATION "}}"
#define WIRE_BODY(version, payment, requirement) \
	"{\"x402Version\":" version ",\"paymentPayload\":" payment ",\"paymentRequirements\":" requirement "}"
#define WIRE_BODY_V2 WIRE_BODY("2", WIRE_PAYMENT_V2, WIRE_REQUIREMENT_V2)
#define WIRE_BODY_V1 WIRE_BODY("1", WIRE_PAYMENT_V1, WIRE_REQUIREMENT_V1)

/* The text with the first `find` at or behind `after` replaced; both must occur. Lives in a static
 * block until the next call. */
struct fb_str wire_edit(const char *text, const char *after, const char *find, const char *replace);
/* Its base64, in a static block of its own. */
struct fb_str wire_base64(struct fb_str text);
#endif /* FB_TEST_WIRE_H */
