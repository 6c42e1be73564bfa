/* The lens' answer: the first byte is how many items were asked for, the rest is what the chain said. Properties:
 * accepted exactly if the length is right and the head is three small numbers; and then every item is its own word. */
#include "farebox/token.h"

#include <string.h>

enum { HEAD = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_small(const uint8_t *word)
{
	for (size_t i = 0; i < 24; i++)
		if (word[i] != 0)
			return false;
	return true;
}

static bool is_well_formed(const uint8_t *answer, size_t len, size_t count)
{
	return len == (HEAD + count) * 32 && is_small(answer) && is_small(answer + 32) && is_small(answer + 64);
}

static void check_item(const struct fb_lens_facts *f, const uint8_t *word)
{
	uint8_t balance[32];

	fb_u256_to_be(balance, f->balance);
	FB_ASSERT(memcmp(balance + 16, word + 16, 16) == 0);
	FB_ASSERT(f->payer_has_code == (word[0] >> 7 & 1) && f->nonce_used == (word[0] >> 6 & 1));
	FB_ASSERT(f->from_blacklisted == (word[0] >> 4 & 1) && f->to_blacklisted == (word[0] >> 3 & 1));
	FB_ASSERT(f->eip3009 == ((word[0] & 0x24) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fb_lens_facts facts[FB_TOKEN_READ_MAX];
	struct fb_lens_head head = { .block = 77 };
	const uint8_t *answer = data + 1;
	size_t count;
	enum fb_status st;

	if (size == 0)
		return 0;
	count = (size_t)data[0] + 1;
	st = fb_lens_answer(&head, facts, count, (struct fb_str){ (const char *)answer, size - 1 });
	FB_ASSERT((st == FB_OK) == is_well_formed(answer, size - 1, count));
	FB_ASSERT(st == FB_OK || head.block == 77);
	if (st != FB_OK)
		return 0;
	FB_ASSERT(head.block == fb_get_be64(answer + 24) && head.block_time_s == fb_get_be64(answer + 56));
	for (size_t i = 0; i < count; i++)
		check_item(&facts[i], answer + (HEAD + i) * 32);
	return 0;
}
