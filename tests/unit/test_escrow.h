/* The groups of escrow's tests, one a file, and what they share. */
#ifndef FB_TEST_ESCROW_H
#define FB_TEST_ESCROW_H
#include "farebox/escrow.h"
#include "fb_test.h"

int test_escrow_call(void);
int test_escrow_event(void);

#define OF_8(hex2) hex2 hex2 hex2 hex2 hex2 hex2 hex2 hex2
#define ADDRESS(hex2) OF_8(hex2) OF_8(hex2) hex2 hex2 hex2 hex2 /* of 20 equal bytes */
#define HASH(hex2) OF_8(hex2) OF_8(hex2) OF_8(hex2) OF_8(hex2)  /* of 32 equal bytes */
#define ZEROS_24 "000000000000000000000000"
#define ADDRESS_WORD(hex2) ZEROS_24 ADDRESS(hex2)
#define WORD(low8) ZEROS_24 ZEROS_24 "00000000" low8 /* a word from its last 4 bytes */

/* Bytes of a hex text without "0x", in a block that the next call overwrites. */
static inline struct fb_str bytes_of(const char *hex)
{
	static uint8_t block[4096];
	static char text[2 * sizeof(block) + 3];
	size_t len;

	snprintf(text, sizeof(text), "0x%s", hex);
	CHECK_STATUS(FB_OK, fb_hex_decode(block, &len, sizeof(block), fb_str_of(text)));
	return (struct fb_str){ (const char *)block, len };
}

/* want: hex without "0x" */
#define CHECK_HEX(want, bytes, count)                                                    \
	do {                                                                             \
		static char hex_block_[2 * 16384 + 2];                                   \
		struct fb_buf hex_;                                                      \
		fb_buf_init(&hex_, hex_block_, sizeof(hex_block_));                      \
		fb_buf_hex(&hex_, (bytes), (count));                                     \
		CHECK(!hex_.overflowed);                                                 \
		CHECK_STR(want, ((struct fb_str){ hex_.at + 2, hex_.len - 2 }));         \
	} while (0)

static inline struct fb_address address_of(uint8_t byte)
{
	struct fb_address a;

	memset(a.bytes, byte, sizeof(a.bytes));
	return a;
}

static inline struct fb_hash hash_of(uint8_t byte)
{
	struct fb_hash h;

	memset(h.bytes, byte, sizeof(h.bytes));
	return h;
}
#endif /* FB_TEST_ESCROW_H */
