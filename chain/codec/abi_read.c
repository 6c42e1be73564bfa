/* Solidity ABI, reading: typed words of returned data and of logs. */
#include "farebox/codec.h"

#include <string.h>

enum { WORD = 32 };

/* Word i, or NULL if the data is shorter. */
static const uint8_t *word_at(struct fb_str data, size_t i)
{
	return i < data.len / WORD ? (const uint8_t *)data.at + i * WORD : NULL;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

enum fb_status fb_abi_get_u256(struct fb_u256 *out, struct fb_str data, size_t i)
{
	const uint8_t *word = word_at(data, i);

	if (word == NULL)
		return FB_BAD_LENGTH;
	*out = fb_u256_from_be(word);
	return FB_OK;
}

enum fb_status fb_abi_get_u64(uint64_t *out, struct fb_str data, size_t i)
{
	struct fb_u256 v;
	enum fb_status st = fb_abi_get_u256(&v, data, i);

	return st == FB_OK ? fb_u256_to_u64(out, v) : st;
}

enum fb_status fb_abi_get_address(struct fb_address *out, struct fb_str data, size_t i)
{
	const uint8_t *word = word_at(data, i);
	size_t pad = WORD - sizeof(out->bytes);

	if (word == NULL)
		return FB_BAD_LENGTH;
	if (!all_zero(word, pad))
		return FB_BAD_VALUE;
	memcpy(out->bytes, word + pad, sizeof(out->bytes));
	return FB_OK;
}

enum fb_status fb_abi_get_bool(bool *out, struct fb_str data, size_t i)
{
	const uint8_t *word = word_at(data, i);

	if (word == NULL)
		return FB_BAD_LENGTH;
	if (!all_zero(word, WORD - 1) || word[WORD - 1] > 1)
		return FB_BAD_VALUE;
	*out = word[WORD - 1] == 1;
	return FB_OK;
}

enum fb_status fb_abi_get_bytes(struct fb_str *out, struct fb_str data, size_t i)
{
	uint64_t offset, len;
	struct fb_str tail;

	if (fb_abi_get_u64(&offset, data, i) != FB_OK || offset > data.len)
		return FB_BAD_LENGTH;
	tail = (struct fb_str){ data.at + offset, data.len - (size_t)offset };
	/* The padding behind the bytes may be missing: contracts that leave it out exist, and nothing reads it. */
	if (fb_abi_get_u64(&len, tail, 0) != FB_OK || len > tail.len - WORD)
		return FB_BAD_LENGTH;
	*out = (struct fb_str){ tail.at + WORD, (size_t)len };
	return FB_OK;
}
