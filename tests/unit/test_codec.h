/* The groups of codec's tests, one a file, and what they share. */
#ifndef FB_TEST_CODEC_H
#define FB_TEST_CODEC_H
#include "farebox/codec.h"
#include "fb_test.h"

int test_codec_text(void);
int test_codec_u256(void);
int test_codec_rlp(void);
int test_codec_abi(void);

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
#define CHECK_HEX(want, view)                                                            \
	do {                                                                             \
		static char hex_block_[2 * 4096 + 2];                                    \
		struct fb_str view_ = (view);                                            \
		struct fb_buf hex_;                                                      \
		fb_buf_init(&hex_, hex_block_, sizeof(hex_block_));                      \
		fb_buf_hex(&hex_, view_.at, view_.len);                                  \
		CHECK(!hex_.overflowed);                                                 \
		CHECK_STR(want, ((struct fb_str){ hex_.at + 2, hex_.len - 2 }));         \
	} while (0)

/* splitmix64: small, and the same everywhere from the same seed */
static inline uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Of every size: limbs are zeroed and filled with ones more often than chance would. */
static inline struct fb_u256 draw_u256(uint64_t *state)
{
	struct fb_u256 v;

	for (size_t i = 0; i < 4; i++) {
		uint64_t shape = draw(state) % 8, limb = draw(state);

		v.limb[i] = shape < 3 ? 0 : shape == 3 ? UINT64_MAX : shape == 4 ? limb % 256 : limb;
	}
	return v;
}
#endif /* FB_TEST_CODEC_H */
