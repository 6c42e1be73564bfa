/* The groups of token's tests, one a file, and what they share. */
#ifndef FB_TEST_TOKEN_H
#define FB_TEST_TOKEN_H
#include "farebox/token.h"
#include "fb_test.h"

int test_token_batch(void);
int test_token_call(void);
int test_token_lens(void);
int test_token_receipt(void);

#define PAYER_HEX "70997970c51812dc3a010c7d01b50e0d17dc79c8"
#define PAYEE_HEX "3c44cdddb6a900fa2b585dd299e03d12fa4293bc"
#define USDC_HEX "036cbd53842c5426634e7929541ec2318f3dcf7e"
#define ZEROS_24 "000000000000000000000000"
#define ZEROS_56 ZEROS_24 ZEROS_24 "00000000"
#define WORD(low8) ZEROS_56 low8                 /* a word of 32 bytes from its last 4 */
#define ADDRESS_WORD(hex40) ZEROS_24 hex40
#define NONCE_HEX "1111111111111111111111111111111111111111111111111111111111111111"

/* Bytes of a hex text without "0x", in a block that the next call overwrites. */
static inline struct fb_str bytes_of(const char *hex)
{
	static uint8_t block[16384];
	static char text[2 * sizeof(block) + 3];
	size_t len;

	snprintf(text, sizeof(text), "0x%s", hex);
	CHECK_STATUS(FB_OK, fb_hex_decode(block, &len, sizeof(block), fb_str_of(text)));
	return (struct fb_str){ (const char *)block, len };
}

/* want: hex without "0x" */
#define CHECK_HEX(want, view)                                                            \
	do {                                                                             \
		static char hex_block_[2 * 16384 + 2];                                   \
		struct fb_str view_ = (view);                                            \
		struct fb_buf hex_;                                                      \
		fb_buf_init(&hex_, hex_block_, sizeof(hex_block_));                      \
		fb_buf_hex(&hex_, view_.at, view_.len);                                  \
		CHECK(!hex_.overflowed);                                                 \
		CHECK_STR(want, ((struct fb_str){ hex_.at + 2, hex_.len - 2 }));         \
	} while (0)

static inline struct fb_address address_of(const char *hex40)
{
	struct fb_address a;

	memcpy(a.bytes, bytes_of(hex40).at, sizeof(a.bytes));
	return a;
}

/* PAYER pays 1000 atoms to PAYEE until 1893456000. */
static inline struct fb_authorization authorization(void)
{
	struct fb_authorization a = { .from = address_of(PAYER_HEX), .to = address_of(PAYEE_HEX) };

	a.value = fb_u256_from_u64(1000);
	a.valid_before = fb_u256_from_u64(1893456000);
	memset(a.nonce.bytes, 0x11, sizeof(a.nonce.bytes));
	return a;
}
#endif /* FB_TEST_TOKEN_H */
