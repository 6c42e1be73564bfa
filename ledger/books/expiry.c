/* Which hold expires first: a binary heap by expiry, then by age. An ended hold leaves at once, so the heap is never
 * larger than the holds that are open. */
#include "books_int.h"

static struct fb_heap_node *node(const struct fb_heap *heap, uint32_t place)
{
	return fb_seg_at(&heap->nodes, place, sizeof(struct fb_heap_node));
}

static bool before(const struct fb_heap_node *a, const struct fb_heap_node *b)
{
	return a->expires_us != b->expires_us ? a->expires_us < b->expires_us : a->seq < b->seq;
}

static void set(struct fb_holds *h, uint32_t place, struct fb_heap_node n)
{
	*node(&h->heap, place) = n;
	fb_hold_at(h, n.slot)->heap = place;
}

static uint32_t sift_up(struct fb_holds *h, uint32_t place, const struct fb_heap_node *n)
{
	for (; place > 1 && before(n, node(&h->heap, place / 2)); place /= 2)
		set(h, place, *node(&h->heap, place / 2));
	return place;
}

static uint32_t sift_down(struct fb_holds *h, uint32_t place, const struct fb_heap_node *n)
{
	for (;;) {
		uint32_t child = 2 * place;

		if (child > h->heap.count)
			return place;
		if (child < h->heap.count && before(node(&h->heap, child + 1), node(&h->heap, child)))
			child++;
		if (!before(node(&h->heap, child), n))
			return place;
		set(h, place, *node(&h->heap, child));
		place = child;
	}
}

void fb_heap_push(struct fb_holds *h, uint32_t slot)
{
	const struct fb_open_hold *o = fb_hold_at(h, slot);
	struct fb_heap_node n = { o->expires_us, o->seq, slot };
	uint32_t place = ++h->heap.count;

	FB_ASSERT(n.expires_us > 0);
	fb_seg_reserve(&h->heap.nodes, place);
	set(h, sift_up(h, place, &n), n);
}

/* The last one takes its place, and goes up or down from there. */
void fb_heap_remove(struct fb_holds *h, uint32_t slot)
{
	uint32_t place = fb_hold_at(h, slot)->heap, last = h->heap.count--;
	struct fb_heap_node n = *node(&h->heap, last);

	FB_ASSERT(place >= 1 && place <= last && node(&h->heap, place)->slot == slot);
	fb_hold_at(h, slot)->heap = 0;
	if (place != last)
		set(h, sift_down(h, sift_up(h, place, &n), &n), n);
}

uint32_t fb_heap_first(const struct fb_holds *h)
{
	return h->heap.count == 0 ? 0 : node(&h->heap, 1)->slot;
}
