/* The groups of crypto's tests, one a file, and what they share. */
#ifndef FB_TEST_CRYPTO_H
#define FB_TEST_CRYPTO_H
#include "farebox/crypto.h"
#include "fb_test.h"

int test_crypto_keccak(void);
int test_crypto_sign(void);
int test_crypto_typed(void);
int test_crypto_tx(void);
int test_crypto_keys(void);

/* The first two of the well-known development keys, and their addresses. */
#define ANVIL_0 "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define ANVIL_0_ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define ANVIL_1 "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
#define ANVIL_1_ADDRESS "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

static inline struct fb_key key_of(const char *hex)
{
	uint8_t secret[32];
	struct fb_key key;

	CHECK_STATUS(FB_OK, fb_hex_decode_exact(secret, sizeof(secret), fb_str_of(hex)));
	CHECK_STATUS(FB_OK, fb_key_from_bytes(&key, secret));
	return key;
}

static inline struct fb_hash hash_of(const char *hex)
{
	struct fb_hash h;

	CHECK_STATUS(FB_OK, fb_hash_parse(&h, fb_str_of(hex)));
	return h;
}

static inline struct fb_address address_of(const char *hex)
{
	struct fb_address a;

	CHECK_STATUS(FB_OK, fb_address_parse(&a, fb_str_of(hex)));
	return a;
}

static inline struct fb_signature signature_of(const char *hex)
{
	uint8_t bytes[FB_SIGNATURE_LEN];
	struct fb_signature s;

	CHECK_STATUS(FB_OK, fb_hex_decode_exact(bytes, sizeof(bytes), fb_str_of(hex)));
	CHECK_STATUS(FB_OK, fb_signature_unpack(&s, (struct fb_str){ (const char *)bytes, sizeof(bytes) }));
	return s;
}

#define CHECK_HEX(want, bytes, length)                                                   \
	do {                                                                             \
		char block_[4096];                                                       \
		struct fb_buf hex_;                                                      \
		fb_buf_init(&hex_, block_, sizeof(block_));                              \
		fb_buf_hex(&hex_, bytes, length);                                        \
		CHECK_STR(want, fb_buf_view(&hex_));                                     \
	} while (0)
#define CHECK_HASH(want, hash)                                                           \
	do {                                                                             \
		struct fb_hash hash_ = (hash);                                           \
		CHECK_HEX(want, hash_.bytes, sizeof(hash_.bytes));                       \
	} while (0)
#define CHECK_ADDRESS(want, address)                                                     \
	do {                                                                             \
		struct fb_address want_address_ = address_of(want), got_address_ = (address); \
		CHECK(fb_address_eq(&want_address_, &got_address_));                     \
	} while (0)
#endif /* FB_TEST_CRYPTO_H */
