/* An array that grows without moving its elements: segments, each twice as long as the one before. */
#include "books_int.h"

#include <stdlib.h>

enum { ALIGN = 128 /* two cache lines, which are fetched together */, PAGE = 4096 };

_Static_assert((uint64_t)FB_SEG_BASE * ((1u << FB_SEG_MAX) - 1) > FB_ACCOUNTS_MAX, "numbers go from 1 to the maximum");
_Static_assert(FB_HOLDS_MAX <= FB_ACCOUNTS_MAX, "and so do slots");

void fb_seg_open(struct fb_seg *s, size_t size)
{
	*s = (struct fb_seg){ .size = size };
}

void fb_seg_close(struct fb_seg *s)
{
	for (unsigned k = 0; k < FB_SEG_MAX; k++)
		free(s->raw[k]);
}

static size_t segment_bytes(const struct fb_seg *s, unsigned k)
{
	return ((size_t)FB_SEG_BASE << k) * s->size + ALIGN - 1;
}

void fb_seg_reserve(struct fb_seg *s, uint32_t i)
{
	uint64_t room = (uint64_t)FB_SEG_BASE * ((1u << FB_SEG_MAX) - 1);

	FB_ASSERT(i < room);
	if (i < s->high)
		return;
	s->high = (size_t)i + 1;
	for (unsigned k = 0; k < FB_SEG_MAX && (uint64_t)FB_SEG_BASE * ((1u << k) - 1) <= i; k++)
		if (s->raw[k] == NULL) {
			/* Zeroed by the system page by page, when it is used: no pause, and no memory before. */
			s->raw[k] = fb_must_alloc(1, segment_bytes(s, k));
			s->at[k] = (uint8_t *)s->raw[k] + (-(uintptr_t)s->raw[k] & (ALIGN - 1));
		}
}

/* Of a segment only what was used counts: the rest is not memory yet. */
size_t fb_seg_memory(const struct fb_seg *s)
{
	return (s->high * s->size + PAGE - 1) / PAGE * PAGE;
}
