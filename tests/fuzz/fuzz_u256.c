/* 256-bit numbers. Property: decimal text and value are one to one; arithmetic undoes itself and says
 * when it cannot: (a + b) - b = a, (a - b) + b = a, and a product agrees with repeated doubling. */
#include "farebox/codec.h"

#include <string.h>

static void check_text(struct fb_str text)
{
	char block[FB_U256_DIGITS];
	struct fb_buf b;
	struct fb_u256 v;

	if (fb_u256_parse(&v, text) != FB_OK)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u256(&b, v);
	FB_ASSERT(!b.overflowed && fb_str_eq(text, fb_buf_view(&b)));
}

static void check_value(struct fb_u256 v)
{
	char block[FB_U256_DIGITS];
	struct fb_buf b;
	struct fb_u256 back;
	struct fb_amount amount;
	uint64_t small;
	uint8_t be[32];

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u256(&b, v);
	FB_ASSERT(fb_u256_parse(&back, fb_buf_view(&b)) == FB_OK && fb_u256_eq(v, back));
	fb_u256_to_be(be, v);
	FB_ASSERT(fb_u256_eq(v, fb_u256_from_be(be)));
	if (fb_u256_to_amount(&amount, v) == FB_OK)
		FB_ASSERT(fb_u256_eq(v, fb_u256_from_u128(amount.atoms)));
	if (fb_u256_to_u64(&small, v) == FB_OK)
		FB_ASSERT(fb_u256_eq(v, fb_u256_from_u64(small)));
}

/* a * b by doubling and adding; false if it does not fit. */
static bool slow_mul(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	struct fb_u256 sum = { { 0 } };

	for (int i = 255; i >= 0; i--) {
		if (fb_u256_add(&sum, sum, sum) != FB_OK)
			return false;
		if ((b.limb[i / 64] >> i % 64 & 1) == 1 && fb_u256_add(&sum, sum, a) != FB_OK)
			return false;
	}
	*out = sum;
	return true;
}

static void check_pair(struct fb_u256 a, struct fb_u256 b)
{
	struct fb_u256 r, back;
	bool fits;

	if (fb_u256_add(&r, a, b) == FB_OK)
		FB_ASSERT(fb_u256_sub(&back, r, b) == FB_OK && fb_u256_eq(back, a) && fb_u256_cmp(r, a) >= 0);
	FB_ASSERT((fb_u256_sub(&r, a, b) == FB_OK) == (fb_u256_cmp(a, b) >= 0));
	if (fb_u256_sub(&r, a, b) == FB_OK)
		FB_ASSERT(fb_u256_add(&back, r, b) == FB_OK && fb_u256_eq(back, a));
	FB_ASSERT(fb_u256_cmp(a, b) == -fb_u256_cmp(b, a) && fb_u256_eq(a, b) == (fb_u256_cmp(a, b) == 0));
	fits = slow_mul(&back, a, b);
	FB_ASSERT((fb_u256_mul(&r, a, b) == FB_OK) == fits);
	FB_ASSERT(!fits || fb_u256_eq(r, back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t be[64] = { 0 };
	size_t used = size < sizeof(be) ? size : sizeof(be);
	struct fb_u256 a, b;

	check_text((struct fb_str){ (const char *)data, size });
	if (used > 0)
		memcpy(be, data, used);
	a = fb_u256_from_be(be);
	b = fb_u256_from_be(be + 32);
	check_value(a);
	check_pair(a, b);
	return 0;
}
