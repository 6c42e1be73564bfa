/* The groups of head's tests, one a file; and a chain that a test makes up, for the pure part. */
#ifndef FB_TEST_HEAD_H
#define FB_TEST_HEAD_H
#include "head_int.h"

#include "fb_test.h"

int test_head_block(void);
int test_head_follow(void);
int test_head_worlds(void);
int test_head_shell(void);

/* A chain: block n has the salt of n. */
enum { WORLD_MAX = 1 << 14 };
struct world {
	uint64_t tip, salt[WORLD_MAX], salts;
};

static inline struct fb_hash world_hash(uint64_t number, uint64_t salt)
{
	struct fb_hash h = { { 1 } };

	fb_put_be64(h.bytes + 8, number);
	fb_put_be64(h.bytes + 16, salt);
	return h;
}

static inline struct fb_head_block world_block(const struct world *w, uint64_t number)
{
	struct fb_head_block b = { .number = number, .time_s = 1000 + number, .gas_limit = 30000000, .base_fee = 7 };

	FB_ASSERT(number <= w->tip);
	b.hash = world_hash(number, w->salt[number]);
	b.parent = number == 0 ? (struct fb_hash){ { 0 } } : world_hash(number - 1, w->salt[number - 1]);
	return b;
}

/* Blocks from `from` up are others now, and `tip` is the last. */
static inline void world_set(struct world *w, uint64_t from, uint64_t tip)
{
	FB_ASSERT(tip < WORLD_MAX);
	w->salts++;
	for (uint64_t n = from; n <= tip; n++)
		w->salt[n] = w->salts;
	w->tip = tip;
}
#endif /* FB_TEST_HEAD_H */
