/* All memory of one request: bump allocation with a latched overflow, poisoned on release. */
#include "farebox/core.h"

#include <string.h>

enum { ALIGN = 16, POISON = 0xA5 };

void fb_arena_init(struct fb_arena *a, void *block, size_t size)
{
	FB_ASSERT(a != NULL);
	FB_ASSERT(block != NULL);
	FB_ASSERT((uintptr_t)block % ALIGN == 0);
	*a = (struct fb_arena){ .base = block, .size = size };
}

void *fb_arena_alloc(struct fb_arena *a, size_t count, size_t size)
{
	size_t bytes, rounded;
	void *p;

	FB_ASSERT(a->used <= a->size);
	FB_ASSERT(a->used % ALIGN == 0);
	FB_ASSERT(size > 0);
	if (__builtin_mul_overflow(count, size, &bytes) ||
	    __builtin_add_overflow(bytes, (size_t)ALIGN - 1, &rounded) ||
	    (rounded & ~(size_t)(ALIGN - 1)) > a->size - a->used) {
		a->overflowed = true;
		return NULL;
	}
	p = a->base + a->used;
	a->used += rounded & ~(size_t)(ALIGN - 1);
	memset(p, 0, bytes);
	return p;
}

char *fb_arena_copy(struct fb_arena *a, struct fb_str s)
{
	char *copy = s.len == SIZE_MAX ? NULL : fb_arena_alloc(a, s.len + 1, 1);

	if (copy != NULL && s.len > 0)
		memcpy(copy, s.at, s.len);
	return copy;
}

struct fb_buf fb_arena_buf(struct fb_arena *a, size_t cap)
{
	struct fb_buf b;
	char *block = fb_arena_alloc(a, cap, 1);

	fb_buf_init(&b, block, block == NULL ? 0 : cap);
	return b;
}

struct fb_arena_mark fb_arena_mark(const struct fb_arena *a)
{
	return (struct fb_arena_mark){ a->used };
}

void fb_arena_release(struct fb_arena *a, struct fb_arena_mark m)
{
	FB_ASSERT(m.used <= a->used);
	memset(a->base + m.used, POISON, a->used - m.used);
	a->used = m.used;
	if (m.used == 0)
		a->overflowed = false;
}
