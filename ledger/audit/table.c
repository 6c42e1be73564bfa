/* Plain containers: a list that doubles, and a hash table with linear probing whose hash nobody outside can guess. */
#include "audit_int.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_FIRST = 64, TABLE_FIRST = 256 /* a power of two */ };

void *list_add(struct list *l)
{
	FB_ASSERT(l->item_size > 0);
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? LIST_FIRST : 2 * l->cap;
		void *items = fb_must_alloc(cap, l->item_size);

		if (l->count > 0)
			memcpy(items, l->items, l->count * l->item_size);
		free(l->items);
		l->items = items;
		l->cap = cap;
	}
	return (char *)l->items + l->count++ * l->item_size;
}

void table_init(struct table *t, struct fb_rng rng, fb_u128 (*key_of)(const void *owner, uint64_t number),
		const void *owner)
{
	*t = (struct table){ .cap = TABLE_FIRST, .key_of = key_of, .owner = owner };
	t->slots = fb_must_alloc(t->cap, sizeof(t->slots[0]));
	rng.fill(rng.ctx, (uint8_t *)t->secret, sizeof(t->secret));
}

void table_free(struct table *t)
{
	free(t->slots);
}

/* The slot that holds the key, or the free one where it belongs. */
static uint64_t *slot_of(const struct table *t, fb_u128 key)
{
	fb_u128 mixed = (fb_u128)((uint64_t)key ^ t->secret[0]) * ((uint64_t)(key >> 64) ^ t->secret[1]);
	size_t at = (size_t)((uint64_t)mixed ^ (uint64_t)(mixed >> 64)) & (t->cap - 1);

	FB_ASSERT(t->count < t->cap);
	while (t->slots[at] != 0 && t->key_of(t->owner, t->slots[at]) != key)
		at = (at + 1) & (t->cap - 1);
	return &t->slots[at];
}

uint64_t table_find(const struct table *t, fb_u128 key)
{
	return *slot_of(t, key);
}

static void grow(struct table *t)
{
	uint64_t *old = t->slots;
	size_t old_cap = t->cap;

	t->cap *= 2;
	t->slots = fb_must_alloc(t->cap, sizeof(t->slots[0]));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i] != 0)
			*slot_of(t, t->key_of(t->owner, old[i])) = old[i];
	free(old);
}

void table_add(struct table *t, fb_u128 key, uint64_t number)
{
	uint64_t *slot;

	FB_ASSERT(number != 0);
	if (t->count + t->count / 2 >= t->cap) /* two thirds full */
		grow(t);
	slot = slot_of(t, key);
	FB_ASSERT(*slot == 0);
	*slot = number;
	t->count++;
}
