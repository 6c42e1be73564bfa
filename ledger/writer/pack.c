/* Records and counters are mostly zeros: words of eight bytes behind a map of those that are not zero. */
#include "writer_int.h"

#include <string.h>

enum { WORD = 8, MAP_LEN = 4 };
_Static_assert(PACK_WORDS_MAX == MAP_LEN * 8, "one bit a word");

size_t pack(uint8_t *out, const uint8_t *words, size_t count)
{
	uint32_t map = 0;
	size_t len = MAP_LEN;

	FB_ASSERT(count <= PACK_WORDS_MAX);
	for (size_t i = 0; i < count; i++) { /* without a branch: which words are zero nobody can guess */
		uint64_t word;
		bool any;

		memcpy(&word, words + i * WORD, WORD);
		any = word != 0;
		memcpy(out + len, &word, WORD);
		map |= (uint32_t)any << i;
		len += any ? WORD : 0;
	}
	fb_put_be32(out, map);
	return len;
}

bool unpack(uint8_t *words, size_t count, struct fb_str bytes)
{
	const uint8_t *in = (const uint8_t *)bytes.at;
	uint32_t map;
	size_t at = MAP_LEN;

	FB_ASSERT(count <= PACK_WORDS_MAX);
	if (bytes.len < MAP_LEN)
		return false;
	map = fb_get_be32(in);
	if (bytes.len != MAP_LEN + WORD * (size_t)__builtin_popcount(map) || (count < 32 && map >> count != 0))
		return false;
	for (size_t i = 0; i < count; i++) {
		bool there = map >> i & 1;

		if (there)
			memcpy(words + i * WORD, in + at, WORD);
		else
			memset(words + i * WORD, 0, WORD);
		at += there ? WORD : 0;
	}
	return true;
}
