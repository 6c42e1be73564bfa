/* Hash table of references: open addressing with linear probing, growing a few slots at a time beside the table it
 * replaces, so that no insertion pauses for all of them. */
#include "books_int.h"

#include <stdlib.h>

/* A table of n slots grows at 3/4 n elements; moving 4 slots an insertion it is done n / 4 insertions later, when the
 * new one is half full. */
enum { SLOTS_MIN = 64, MOVES = 4 };
static const uint64_t removed = (uint64_t)1 << 32;

static struct fb_slots *slots_new(uint64_t len)
{
	struct fb_slots *s = fb_must_alloc(1, sizeof(*s) + len * sizeof(s->slot[0]));

	s->mask = len - 1;
	return s;
}

static uint64_t get(const struct fb_slots *s, uint64_t i)
{
	return atomic_load_explicit(&s->slot[i], memory_order_relaxed);
}

/* Whoever reads the slot sees the element it stands for. */
static void set(struct fb_slots *s, uint64_t i, uint64_t slot)
{
	atomic_store_explicit(&s->slot[i], slot, memory_order_release);
}

static struct fb_slots *now_of(const struct fb_table *t)
{
	return atomic_load_explicit(&t->now, memory_order_relaxed);
}

static struct fb_slots *old_of(const struct fb_table *t)
{
	return atomic_load_explicit(&t->old, memory_order_relaxed);
}

void fb_table_open(struct fb_table *t)
{
	*t = (struct fb_table){ .now = slots_new(SLOTS_MIN) };
}

void fb_table_close(struct fb_table *t)
{
	fb_table_reap(t);
	free(now_of(t));
	free(old_of(t));
}

void fb_table_reap(struct fb_table *t)
{
	while (t->retired != NULL) {
		struct fb_slots *s = t->retired;

		t->retired = s->retired;
		free(s);
	}
}

static void insert(struct fb_slots *s, uint64_t slot)
{
	uint64_t i = slot >> 32 & s->mask;

	while (get(s, i) != 0)
		i = (i + 1) & s->mask;
	set(s, i, slot);
}

/* `old` is set before `now`, and in the end `now` has everything before `old` is taken away: see struct fb_table. */
static void begin_growth(struct fb_table *t)
{
	struct fb_slots *full = now_of(t);

	FB_ASSERT(old_of(t) == NULL);
	FB_ASSERT(full->mask < UINT32_MAX / 2);
	t->moved = 0;
	atomic_store_explicit(&t->old, full, memory_order_release);
	atomic_store(&t->now, slots_new(2 * (full->mask + 1)));
}

static void move_some(struct fb_table *t, struct fb_slots *old)
{
	struct fb_slots *now = now_of(t);

	for (int n = 0; n < MOVES && t->moved <= old->mask; n++, t->moved++) {
		uint64_t slot = get(old, t->moved);

		if ((uint32_t)slot != 0)
			insert(now, slot);
	}
	if (t->moved <= old->mask)
		return;
	old->retired = t->retired;
	t->retired = old;
	atomic_store(&t->old, NULL);
}

void fb_table_put(struct fb_table *t, uint32_t hash, uint32_t ref)
{
	FB_ASSERT(ref != 0);
	if (old_of(t) != NULL)
		move_some(t, old_of(t));
	else if (t->used >= (now_of(t)->mask + 1) / 4 * 3)
		begin_growth(t);
	insert(now_of(t), (uint64_t)hash << 32 | ref);
	t->used++;
	FB_ASSERT(t->used <= now_of(t)->mask);
}

/* The place of the slot, or one that is empty. */
static uint64_t place(const struct fb_slots *s, uint64_t slot)
{
	uint64_t i = slot >> 32 & s->mask;

	while (get(s, i) != slot && get(s, i) != 0)
		i = (i + 1) & s->mask;
	return i;
}

/* Closes the gap at i: what comes after it, up to the next empty slot, moves up unless that would pass its home. */
static void close_gap(struct fb_slots *s, uint64_t i)
{
	for (uint64_t k = (i + 1) & s->mask; get(s, k) != 0; k = (k + 1) & s->mask) {
		uint64_t slot = get(s, k), home = slot >> 32 & s->mask;

		if (((k - home) & s->mask) >= ((k - i) & s->mask)) {
			set(s, i, slot);
			i = k;
		}
	}
	set(s, i, 0);
}

void fb_table_remove(struct fb_table *t, uint32_t hash, uint32_t ref)
{
	struct fb_slots *now = now_of(t), *old = old_of(t);
	uint64_t slot = (uint64_t)hash << 32 | ref, i = place(now, slot);
	bool found = get(now, i) == slot;

	if (found)
		close_gap(now, i);
	if (old != NULL && get(old, i = place(old, slot)) == slot) {
		set(old, i, removed);
		found = true;
	}
	FB_ASSERT(found);
	t->used--;
}

static size_t slots_memory(const struct fb_slots *s)
{
	return s == NULL ? 0 : sizeof(*s) + (s->mask + 1) * sizeof(s->slot[0]);
}

size_t fb_table_memory(const struct fb_table *t)
{
	size_t bytes = slots_memory(now_of(t)) + slots_memory(old_of(t));

	for (const struct fb_slots *s = t->retired; s != NULL; s = s->retired)
		bytes += slots_memory(s);
	return bytes;
}
