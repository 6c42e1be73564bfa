/* Repeated keys: pairs for the few members that real messages have, a merge sort for what is hostile.
 * A sort, not a hash table: no choice of keys makes it slower than n log n comparisons. */
#include "json_int.h"

#include <string.h>

enum { PAIRWISE_MAX = 12 }; /* members; beyond that the sort is cheaper */

static bool keys_eq(const char *text, const struct fb_json_token *a, const struct fb_json_token *b)
{
	if (a->len != b->len && !a->escaped && !b->escaped)
		return false;
	return fb_json_string_cmp(text, a, b) == 0;
}

static uint32_t repeated_by_pairs(const char *text, const struct fb_json_token *tokens, const uint32_t *keys,
				  uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = 0; k < i; k++)
			if (keys_eq(text, &tokens[keys[k]], &tokens[keys[i]]))
				return keys[i];
	return 0;
}

/* Merges the sorted from[0..half) and from[half..n) into to; of equal keys the earlier comes first. */
static void merge(const char *text, const struct fb_json_token *tokens, uint32_t *to, const uint32_t *from,
		  uint32_t half, uint32_t n)
{
	uint32_t left = 0, right = half;

	for (uint32_t i = 0; i < n; i++) {
		bool take_left = left < half &&
				 (right == n ||
				  fb_json_string_cmp(text, &tokens[from[left]], &tokens[from[right]]) <= 0);

		to[i] = take_left ? from[left++] : from[right++];
	}
	FB_ASSERT(left == half && right == n);
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void sort_keys(const char *text, const struct fb_json_token *tokens, uint32_t *keys, uint32_t n)
{
	uint32_t merged[FB_JSON_MEMBERS_MAX];

	for (uint32_t run = 1; run < n; run *= 2) {
		for (uint32_t at = 0; at < n; at += 2 * run) {
			uint32_t len = smaller(2 * run, n - at);

			merge(text, tokens, merged + at, keys + at, smaller(run, len), len);
		}
		memcpy(keys, merged, n * sizeof(keys[0]));
	}
}

static uint32_t repeated_by_order(const char *text, const struct fb_json_token *tokens, uint32_t *keys, uint32_t n)
{
	uint32_t found = 0;

	sort_keys(text, tokens, keys, n);
	for (uint32_t i = 1; i < n; i++) {
		bool repeats = keys_eq(text, &tokens[keys[i - 1]], &tokens[keys[i]]);

		if (repeats && (found == 0 || keys[i] < found))
			found = keys[i];
	}
	return found;
}

uint32_t fb_json_repeated_key(const char *text, const struct fb_json_token *tokens, uint32_t object)
{
	uint32_t keys[FB_JSON_MEMBERS_MAX], n = tokens[object].count, at = object + 1;

	FB_ASSERT(tokens[object].type == FB_JSON_OBJECT);
	FB_ASSERT(n <= FB_JSON_MEMBERS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		keys[i] = at;
		at = tokens[at + 1].next;
	}
	FB_ASSERT(at == tokens[object].next);
	return n <= PAIRWISE_MAX ? repeated_by_pairs(text, tokens, keys, n) : repeated_by_order(text, tokens, keys, n);
}
