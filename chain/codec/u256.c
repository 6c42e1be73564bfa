/* 256-bit numbers: checked arithmetic, decimal text, the doors to narrower types. */
#include "codec_int.h"

#include <gmp.h>
#include <string.h>

enum { LIMBS = 4, LIMB_BYTES = 8 };

_Static_assert(GMP_NUMB_BITS == 64 && sizeof(mp_limb_t) == sizeof(uint64_t), "a limb of ours is a limb of GMP's");
_Static_assert(sizeof(struct fb_u256) == 32, "no padding");

struct fb_u256 fb_u256_from_u64(uint64_t v)
{
	return (struct fb_u256){ { v } };
}

struct fb_u256 fb_u256_from_u128(fb_u128 v)
{
	return (struct fb_u256){ { (uint64_t)v, (uint64_t)(v >> 64) } };
}

struct fb_u256 fb_u256_from_be(const uint8_t bytes[32])
{
	struct fb_u256 v;

	for (size_t i = 0; i < LIMBS; i++)
		v.limb[i] = fb_get_be64(bytes + (LIMBS - 1 - i) * LIMB_BYTES);
	return v;
}

void fb_u256_to_be(uint8_t out[32], struct fb_u256 v)
{
	for (size_t i = 0; i < LIMBS; i++)
		fb_put_be64(out + (LIMBS - 1 - i) * LIMB_BYTES, v.limb[i]);
}

size_t fb_u256_minimal(uint8_t out[32], struct fb_u256 v)
{
	size_t zeros = 0;

	fb_u256_to_be(out, v);
	while (zeros < 32 && out[zeros] == 0)
		zeros++;
	return 32 - zeros;
}

enum fb_status fb_u256_parse(struct fb_u256 *out, struct fb_str text)
{
	unsigned char digits[FB_U256_DIGITS];
	mp_limb_t limbs[LIMBS + 1] = { 0 }; /* 78 digits can need 260 bits */
	mp_size_t used;

	if (text.len == 0 || (text.len > 1 && text.at[0] == '0'))
		return FB_BAD_SYNTAX;
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return FB_BAD_SYNTAX;
	if (text.len > FB_U256_DIGITS)
		return FB_OVERFLOW;
	for (size_t i = 0; i < text.len; i++)
		digits[i] = (unsigned char)(text.at[i] - '0');
	used = mpn_set_str(limbs, digits, text.len, 10);
	FB_ASSERT(used <= LIMBS + 1);
	if (limbs[LIMBS] != 0)
		return FB_OVERFLOW;
	memcpy(out->limb, limbs, sizeof(out->limb));
	return FB_OK;
}

void fb_buf_u256(struct fb_buf *b, struct fb_u256 v)
{
	unsigned char text[FB_U256_DIGITS + 2]; /* GMP wants one spare */
	mp_size_t limbs = LIMBS;
	size_t count, zeros = 0;

	while (limbs > 1 && v.limb[limbs - 1] == 0)
		limbs--; /* GMP wants the top limb of a number used, zero has no such limb */
	if (v.limb[limbs - 1] == 0) {
		fb_buf_char(b, '0');
		return;
	}
	count = mpn_get_str(text, 10, v.limb, limbs);
	FB_ASSERT(count <= sizeof(text));
	while (text[zeros] == 0)
		zeros++;
	FB_ASSERT(zeros < count);
	for (size_t i = zeros; i < count; i++)
		text[i] = (unsigned char)(text[i] + '0');
	fb_buf_put(b, text + zeros, count - zeros);
}

int fb_u256_cmp(struct fb_u256 a, struct fb_u256 b)
{
	int order = mpn_cmp(a.limb, b.limb, LIMBS);

	return (order > 0) - (order < 0);
}

bool fb_u256_eq(struct fb_u256 a, struct fb_u256 b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

bool fb_u256_is_zero(struct fb_u256 v)
{
	return (v.limb[0] | v.limb[1] | v.limb[2] | v.limb[3]) == 0;
}

enum fb_status fb_u256_add(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	struct fb_u256 sum;

	if (mpn_add_n(sum.limb, a.limb, b.limb, LIMBS) != 0)
		return FB_OVERFLOW;
	*out = sum;
	return FB_OK;
}

enum fb_status fb_u256_sub(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	struct fb_u256 difference;

	if (mpn_sub_n(difference.limb, a.limb, b.limb, LIMBS) != 0)
		return FB_OVERFLOW;
	*out = difference;
	return FB_OK;
}

enum fb_status fb_u256_mul(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b)
{
	mp_limb_t product[2 * LIMBS];

	mpn_mul_n(product, a.limb, b.limb, LIMBS);
	for (size_t i = LIMBS; i < 2 * LIMBS; i++)
		if (product[i] != 0)
			return FB_OVERFLOW;
	memcpy(out->limb, product, sizeof(out->limb));
	return FB_OK;
}

enum fb_status fb_u256_to_u64(uint64_t *out, struct fb_u256 v)
{
	if ((v.limb[1] | v.limb[2] | v.limb[3]) != 0)
		return FB_OVERFLOW;
	*out = v.limb[0];
	return FB_OK;
}

enum fb_status fb_u256_to_u128(fb_u128 *out, struct fb_u256 v)
{
	if ((v.limb[2] | v.limb[3]) != 0)
		return FB_OVERFLOW;
	*out = FB_U128(v.limb[1], v.limb[0]);
	return FB_OK;
}

enum fb_status fb_u256_to_amount(struct fb_amount *out, struct fb_u256 v)
{
	fb_u128 atoms;
	enum fb_status st = fb_u256_to_u128(&atoms, v);

	if (st != FB_OK || atoms > FB_AMOUNT_MAX)
		return FB_OVERFLOW;
	out->atoms = atoms; /* allow(atoms): the one door from the chain's numbers to money */
	return FB_OK;
}

struct fb_u256 fb_u256_from_amount(struct fb_amount a)
{
	return fb_u256_from_u128(a.atoms); /* allow(atoms): and the way back */
}
