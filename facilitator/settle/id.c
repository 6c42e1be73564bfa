/* A settlement's id: its identity (chain, token, payer, nonce) as text, so that nobody has to store it. */
#include "farebox/settle.h"

#include <string.h>

enum { AT_CHAIN = 1, AT_ASSET = 9, AT_PAYER = 29, AT_NONCE = 49 };
_Static_assert(AT_NONCE + 32 == FB_SETTLE_KEY_LEN, "the whole key is in the id");

struct fb_settle_key fb_settle_key_from(uint64_t chain_id, const struct fb_address *asset,
					const struct fb_address *payer, const struct fb_hash *nonce)
{
	struct fb_settle_key k;

	k.bytes[0] = 'S';
	fb_put_be64(k.bytes + AT_CHAIN, chain_id);
	memcpy(k.bytes + AT_ASSET, asset->bytes, 20);
	memcpy(k.bytes + AT_PAYER, payer->bytes, 20);
	memcpy(k.bytes + AT_NONCE, nonce->bytes, 32);
	return k;
}

static void put_digits(struct fb_buf *b, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	fb_buf_char(b, '-');
	for (size_t i = 0; i < len; i++) {
		fb_buf_char(b, digits[bytes[i] >> 4]);
		fb_buf_char(b, digits[bytes[i] & 15]);
	}
}

void fb_buf_settle_id(struct fb_buf *b, const struct fb_settle_key *key)
{
	fb_buf_u64(b, fb_get_be64(key->bytes + AT_CHAIN));
	put_digits(b, key->bytes + AT_ASSET, 20);
	put_digits(b, key->bytes + AT_PAYER, 20);
	put_digits(b, key->bytes + AT_NONCE, 32);
}

static enum fb_status digit(uint8_t *out, char c)
{
	if (c >= '0' && c <= '9')
		*out = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*out = (uint8_t)(c - 'a' + 10);
	else
		return FB_BAD_HEX;
	return FB_OK;
}

/* Takes a field of so many bytes and the mark before it off the front. */
static enum fb_status take(uint8_t *out, size_t len, struct fb_str *rest)
{
	uint8_t high, low;

	if (rest->len < 1 + 2 * len)
		return FB_BAD_LENGTH;
	if (rest->at[0] != '-')
		return FB_BAD_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		if (digit(&high, rest->at[1 + 2 * i]) != FB_OK || digit(&low, rest->at[2 + 2 * i]) != FB_OK)
			return FB_BAD_HEX;
		out[i] = (uint8_t)(high << 4 | low);
	}
	rest->at += 1 + 2 * len;
	rest->len -= 1 + 2 * len;
	return FB_OK;
}

enum fb_status fb_settle_id_parse(struct fb_settle_key *out, struct fb_str text)
{
	struct fb_str chain, tail, rest = text;
	struct fb_settle_key k = { { 'S' } };
	uint64_t chain_id;
	enum fb_status st;

	if (text.len > FB_SETTLE_ID_MAX)
		return FB_BAD_LENGTH;
	if (!fb_str_split(&chain, &tail, text, '-'))
		return FB_BAD_SYNTAX;
	if ((st = fb_u64_parse(&chain_id, chain)) != FB_OK)
		return st;
	fb_put_be64(k.bytes + AT_CHAIN, chain_id);
	rest.at += chain.len;
	rest.len -= chain.len;
	if ((st = take(k.bytes + AT_ASSET, 20, &rest)) != FB_OK ||
	    (st = take(k.bytes + AT_PAYER, 20, &rest)) != FB_OK ||
	    (st = take(k.bytes + AT_NONCE, 32, &rest)) != FB_OK)
		return st;
	if (rest.len > 0)
		return FB_BAD_LENGTH;
	*out = k;
	return FB_OK;
}

uint64_t fb_settle_key_chain(const struct fb_settle_key *key)
{
	return fb_get_be64(key->bytes + AT_CHAIN);
}

struct fb_address fb_settle_key_asset(const struct fb_settle_key *key)
{
	struct fb_address a;

	memcpy(a.bytes, key->bytes + AT_ASSET, sizeof(a.bytes));
	return a;
}

struct fb_address fb_settle_key_payer(const struct fb_settle_key *key)
{
	struct fb_address a;

	memcpy(a.bytes, key->bytes + AT_PAYER, sizeof(a.bytes));
	return a;
}

struct fb_hash fb_settle_key_nonce(const struct fb_settle_key *key)
{
	struct fb_hash h;

	memcpy(h.bytes, key->bytes + AT_NONCE, sizeof(h.bytes));
	return h;
}
