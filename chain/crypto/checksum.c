/* EIP-55: the case of an address's letters is a checksum. */
#include "farebox/crypto.h"

#include <string.h>

enum { DIGITS = 40 };

/* EIP-55: a letter is a capital if the nibble of the hash at its place is 8 or more. */
void fb_buf_address_checksum(struct fb_buf *b, const struct fb_address *a)
{
	char text[FB_ADDRESS_TEXT_LEN];
	struct fb_buf lower;
	struct fb_hash hash;

	fb_buf_init(&lower, text, sizeof(text));
	fb_buf_address(&lower, a);
	FB_ASSERT(lower.len == FB_ADDRESS_TEXT_LEN && !lower.overflowed);
	hash = fb_keccak256(text + 2, DIGITS);
	for (size_t i = 0; i < DIGITS; i++) {
		unsigned nibble = hash.bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;

		if (nibble >= 8 && text[2 + i] >= 'a')
			text[2 + i] = (char)(text[2 + i] - 'a' + 'A');
	}
	fb_buf_put(b, text, sizeof(text));
}

static bool is_mixed_case(struct fb_str text)
{
	bool lower = false, upper = false;

	for (size_t i = 2; i < text.len; i++) {
		lower |= text.at[i] >= 'a';
		upper |= text.at[i] >= 'A' && text.at[i] <= 'F';
	}
	return lower && upper;
}

enum fb_status fb_address_parse_checked(struct fb_address *out, struct fb_str text)
{
	struct fb_address a;
	char right[FB_ADDRESS_TEXT_LEN];
	struct fb_buf b;
	enum fb_status st = fb_address_parse(&a, text);

	if (st != FB_OK)
		return st;
	fb_buf_init(&b, right, sizeof(right));
	fb_buf_address_checksum(&b, &a);
	if (is_mixed_case(text) && !fb_str_eq(text, fb_buf_view(&b)))
		return FB_BAD_CHECKSUM;
	*out = a;
	return FB_OK;
}
