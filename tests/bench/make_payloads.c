/* Writes distinct signed payments, each as the body of a v2 POST /verify on the local chain, one a line. The payers'
 * keys are derived from their numbers, so that whoever runs the chain can fund the addresses it reads here. */
#include "farebox/crypto.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	COUNT_MAX = 1000000,
	PAYERS_MAX = 10000,
	BODY_MAX = 2048,
	CHAIN_ID = 84532,
	PRICE = 1000,  /* 0.001 USDC */
	LIFE_S = 3600, /* longer than any run */
};

static const struct fb_address usdc = { { 0x03, 0x6c, 0xbd, 0x53, 0x84, 0x2c, 0x54, 0x26, 0x63, 0x4e,
					  0x79, 0x29, 0x54, 0x1e, 0xc2, 0x31, 0x8f, 0x3d, 0xcf, 0x7e } };

static struct fb_hash hash_of(const char *what, size_t number)
{
	char block[64];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, what);
	fb_buf_u64(&b, number);
	FB_ASSERT(!b.overflowed);
	return fb_keccak256(block, b.len);
}

static struct fb_key key_of(const char *who, size_t number)
{
	struct fb_hash secret = hash_of(who, number);
	struct fb_key key;

	FB_ASSERT(fb_key_from_bytes(&key, secret.bytes) == FB_OK); /* fails once in 2^128 */
	return key;
}

static void write_requirement(struct fb_buf *b, const struct fb_authorization *a)
{
	fb_buf_printf(b, "{\"scheme\":\"exact\",\"network\":\"eip155:%d\"", CHAIN_ID);
	fb_buf_printf(b, ",\"amount\":\"%d\",\"asset\":\"", PRICE);
	fb_buf_address_checksum(b, &usdc);
	fb_buf_text(b, "\",\"payTo\":\"");
	fb_buf_address_checksum(b, &a->to);
	fb_buf_printf(b, "\",\"maxTimeoutSeconds\":%d,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}", LIFE_S);
}

static void write_authorization(struct fb_buf *b, const struct fb_authorization *a)
{
	fb_buf_text(b, "{\"from\":\"");
	fb_buf_address_checksum(b, &a->from);
	fb_buf_text(b, "\",\"to\":\"");
	fb_buf_address_checksum(b, &a->to);
	fb_buf_text(b, "\",\"value\":\"");
	fb_buf_u256(b, a->value);
	fb_buf_text(b, "\",\"validAfter\":\"");
	fb_buf_u256(b, a->valid_after);
	fb_buf_text(b, "\",\"validBefore\":\"");
	fb_buf_u256(b, a->valid_before);
	fb_buf_text(b, "\",\"nonce\":\"");
	fb_buf_hash(b, &a->nonce);
	fb_buf_text(b, "\"}");
}

static void write_body(struct fb_buf *b, const struct fb_authorization *a, const uint8_t signature[FB_SIGNATURE_LEN])
{
	fb_buf_text(b, "{\"x402Version\":2,\"paymentPayload\":{\"x402Version\":2,\"payload\":{\"signature\":\"");
	fb_buf_hex(b, signature, FB_SIGNATURE_LEN);
	fb_buf_text(b, "\",\"authorization\":");
	write_authorization(b, a);
	fb_buf_text(b, "},\"resource\":{\"url\":\"http://127.0.0.1/thing\",\"description\":\"a thing\"");
	fb_buf_text(b, ",\"mimeType\":\"application/json\"},\"accepted\":");
	write_requirement(b, a);
	fb_buf_text(b, "},\"paymentRequirements\":");
	write_requirement(b, a);
	fb_buf_text(b, "}\n");
}

static void sign_and_write(const struct fb_authorization *a, const struct fb_key *key, const struct fb_hash *domain)
{
	struct fb_hash message = fb_eip3009_transfer_hash(a), digest = fb_eip712_digest(domain, &message);
	uint8_t packed[FB_SIGNATURE_LEN];
	struct fb_signature signature;
	char block[BODY_MAX];
	struct fb_buf b;

	fb_sign(&signature, key, &digest);
	fb_signature_pack(packed, &signature);
	fb_buf_init(&b, block, sizeof(block));
	write_body(&b, a, packed);
	FB_ASSERT(!b.overflowed);
	fwrite(b.at, 1, b.len, stdout);
}

static void write_all(size_t count, size_t payers)
{
	struct fb_clock clock = fb_os_clock();
	struct fb_hash domain = fb_eip712_domain(FB_STR("USDC"), FB_STR("2"), CHAIN_ID, &usdc);
	struct fb_key payee = key_of("farebox bench payee ", 0);
	struct fb_authorization a = { .to = fb_key_address(&payee), .value = fb_u256_from_u64(PRICE) };

	a.valid_before = fb_u256_from_u64((uint64_t)fb_clock_wall_s(&clock) + LIFE_S);
	for (size_t i = 0; i < count; i++) {
		struct fb_key key = key_of("farebox bench payer ", i % payers);

		a.from = fb_key_address(&key);
		a.nonce = hash_of("farebox bench nonce ", i);
		sign_and_write(&a, &key, &domain);
	}
}

static bool read_number(uint64_t *out, const char *text, uint64_t most)
{
	return fb_u64_parse(out, fb_str_of(text)) == FB_OK && *out > 0 && *out <= most;
}

int main(int arg_count, char **args)
{
	uint64_t count, payers;

	if (arg_count != 3 || !read_number(&count, args[1], COUNT_MAX) || !read_number(&payers, args[2], PAYERS_MAX)) {
		fprintf(stderr, "usage: bench_payloads COUNT PAYERS >FILE (at most %d, %d)\n", COUNT_MAX, PAYERS_MAX);
		return 2;
	}
	write_all(count, payers);
	return fflush(stdout) == 0 ? 0 : 1;
}
