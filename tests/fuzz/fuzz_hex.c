/* Hex, addresses, hashes and quantities. Property: what parses is written back to the same text, once
 * lower-cased, and every parser of the family agrees on what is hex. */
#include "farebox/codec.h"

enum { BYTES_MAX = 4096 };

static bool same_but_for_case(struct fb_str a, struct fb_str b)
{
	return fb_str_eq_nocase(a, b);
}

static void check_bytes(struct fb_str text)
{
	static uint8_t bytes[BYTES_MAX], exact[BYTES_MAX];
	static char block[2 * BYTES_MAX + 2];
	struct fb_buf b;
	size_t len = 0;
	enum fb_status st = fb_hex_decode(bytes, &len, sizeof(bytes), text);

	FB_ASSERT(st == FB_OK || st == FB_BAD_HEX || st == FB_TOO_LARGE);
	if (st != FB_OK)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, len);
	FB_ASSERT(!b.overflowed && same_but_for_case(text, fb_buf_view(&b)));
	FB_ASSERT(fb_hex_decode_exact(exact, len, text) == FB_OK);
	FB_ASSERT(fb_str_eq((struct fb_str){ (char *)bytes, len }, (struct fb_str){ (char *)exact, len }));
	FB_ASSERT(fb_hex_decode_exact(exact, len + 1, text) == FB_BAD_LENGTH);
}

static void check_fixed(struct fb_str text)
{
	char block[FB_HASH_TEXT_LEN];
	struct fb_buf b;
	struct fb_address a;
	struct fb_hash h;

	fb_buf_init(&b, block, sizeof(block));
	if (fb_address_parse(&a, text) == FB_OK)
		fb_buf_address(&b, &a);
	else if (fb_hash_parse(&h, text) == FB_OK)
		fb_buf_hash(&b, &h);
	else
		return;
	FB_ASSERT(same_but_for_case(text, fb_buf_view(&b)));
}

static void check_quantity(struct fb_str text)
{
	char block[40];
	struct fb_buf b;
	uint64_t small = 0;
	fb_u128 wide;
	enum fb_status narrow = fb_quantity_parse_u64(&small, text);

	if (fb_quantity_parse_u128(&wide, text) != FB_OK) {
		FB_ASSERT(narrow != FB_OK);
		return;
	}
	FB_ASSERT(narrow == (wide > UINT64_MAX ? FB_OVERFLOW : FB_OK));
	FB_ASSERT(narrow != FB_OK || small == wide);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_quantity(&b, wide);
	FB_ASSERT(same_but_for_case(text, fb_buf_view(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str text = { (const char *)data, size };

	check_bytes(text);
	check_fixed(text);
	check_quantity(text);
	return 0;
}
