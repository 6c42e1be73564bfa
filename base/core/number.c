/* Numbers as text and as big-endian fields; amounts of money among them. */
#include "farebox/core.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits only, no leading zero, up to `max`. */
static enum fb_status parse_decimal(fb_u128 *out, struct fb_str text, fb_u128 max)
{
	fb_u128 v = 0;

	if (text.len == 0 || (text.len > 1 && text.at[0] == '0'))
		return FB_BAD_SYNTAX;
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.at[i]))
			return FB_BAD_SYNTAX;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(text.at[i] - '0');

		if (__builtin_mul_overflow(v, (fb_u128)10, &v) || __builtin_add_overflow(v, (fb_u128)digit, &v) ||
		    v > max)
			return FB_OVERFLOW;
	}
	*out = v;
	return FB_OK;
}

enum fb_status fb_u64_parse(uint64_t *out, struct fb_str text)
{
	fb_u128 v;
	enum fb_status st = parse_decimal(&v, text, UINT64_MAX);

	if (st == FB_OK)
		*out = (uint64_t)v;
	return st;
}

void fb_buf_u128(struct fb_buf *b, fb_u128 v)
{
	char text[FB_U128_DIGITS];
	size_t at = sizeof(text);

	do {
		FB_ASSERT(at > 0);
		text[--at] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0);
	fb_buf_put(b, text + at, sizeof(text) - at);
}

void fb_buf_u64(struct fb_buf *b, uint64_t v)
{
	fb_buf_u128(b, v);
}

enum fb_status fb_amount_parse(struct fb_amount *out, struct fb_str text)
{
	fb_u128 v;
	enum fb_status st = parse_decimal(&v, text, FB_AMOUNT_MAX);

	if (st == FB_OK)
		out->atoms = v;
	return st;
}

void fb_buf_amount(struct fb_buf *b, struct fb_amount a)
{
	fb_buf_u128(b, a.atoms);
}

enum { DECIMALS_MAX = 38 };

void fb_buf_amount_decimal(struct fb_buf *b, struct fb_amount a, unsigned decimals)
{
	char digits[DECIMALS_MAX];
	fb_u128 rest = a.atoms;
	size_t len = decimals;

	FB_ASSERT(decimals <= DECIMALS_MAX);
	for (size_t i = decimals; i > 0; i--) {
		digits[i - 1] = (char)('0' + (int)(rest % 10));
		rest /= 10;
	}
	while (len > 0 && digits[len - 1] == '0')
		len--;
	fb_buf_u128(b, rest);
	if (len > 0) {
		fb_buf_char(b, '.');
		fb_buf_put(b, digits, len);
	}
}

enum fb_status fb_amount_parse_decimal(struct fb_amount *out, struct fb_str text, unsigned decimals)
{
	struct fb_str whole = text, fraction = { "", 0 };
	bool point = fb_str_split(&whole, &fraction, text, '.');
	fb_u128 v;
	enum fb_status st = parse_decimal(&v, whole, FB_AMOUNT_MAX);

	FB_ASSERT(decimals <= DECIMALS_MAX);
	if (st != FB_OK)
		return st;
	if (point && fraction.len == 0)
		return FB_BAD_SYNTAX;
	for (size_t i = 0; i < fraction.len; i++)
		if (!is_digit(fraction.at[i]))
			return FB_BAD_SYNTAX;
	if (fraction.len > decimals)
		return FB_BAD_VALUE;
	for (size_t i = 0; i < decimals; i++) {
		unsigned digit = i < fraction.len ? (unsigned)(fraction.at[i] - '0') : 0;

		if (__builtin_mul_overflow(v, (fb_u128)10, &v) || __builtin_add_overflow(v, (fb_u128)digit, &v) ||
		    v > FB_AMOUNT_MAX)
			return FB_OVERFLOW;
	}
	out->atoms = v;
	return FB_OK;
}

static void put_be(uint8_t *p, fb_u128 v, size_t width)
{
	for (size_t i = width; i > 0; i--) {
		p[i - 1] = (uint8_t)v;
		v >>= 8;
	}
}

static fb_u128 get_be(const uint8_t *p, size_t width)
{
	fb_u128 v = 0;

	for (size_t i = 0; i < width; i++)
		v = v << 8 | p[i];
	return v;
}

void fb_put_be16(uint8_t *p, uint16_t v)
{
	put_be(p, v, 2);
}

void fb_put_be32(uint8_t *p, uint32_t v)
{
	put_be(p, v, 4);
}

void fb_put_be64(uint8_t *p, uint64_t v)
{
	put_be(p, v, 8);
}

void fb_put_be128(uint8_t *p, fb_u128 v)
{
	put_be(p, v, 16);
}

uint16_t fb_get_be16(const uint8_t *p)
{
	return (uint16_t)get_be(p, 2);
}

uint32_t fb_get_be32(const uint8_t *p)
{
	return (uint32_t)get_be(p, 4);
}

uint64_t fb_get_be64(const uint8_t *p)
{
	return (uint64_t)get_be(p, 8);
}

fb_u128 fb_get_be128(const uint8_t *p)
{
	return get_be(p, 16);
}
