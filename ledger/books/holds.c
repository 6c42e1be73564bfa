/* Open holds: slots that are used again, found by id and by account. */
#include "books_int.h"

#include <stdlib.h>

void fb_holds_open(struct fb_holds **out, uint64_t seed, uint32_t max)
{
	struct fb_holds *h = fb_must_alloc(1, sizeof(*h));

	fb_seg_open(&h->slots, sizeof(struct fb_open_hold));
	fb_seg_open(&h->heap.nodes, sizeof(struct fb_heap_node));
	fb_seg_open(&h->changes, sizeof(uint32_t));
	fb_seg_open(&h->ended, sizeof(struct fb_ended_hold));
	fb_table_open(&h->by_id);
	h->seed = seed;
	h->max = max;
	*out = h;
}

void fb_holds_close(struct fb_holds *h)
{
	fb_seg_close(&h->slots);
	fb_seg_close(&h->heap.nodes);
	fb_seg_close(&h->changes);
	fb_seg_close(&h->ended);
	fb_table_close(&h->by_id);
	free(h);
}

static bool has_id(const void *slots, uint32_t slot, const void *id)
{
	const struct fb_open_hold *o = fb_seg_at(slots, slot, sizeof(*o));

	return o->id == *(const fb_id *)id;
}

uint32_t fb_holds_find(const struct fb_holds *h, fb_id id)
{
	return fb_table_find(&h->by_id, fb_id_hash(id, h->seed), has_id, &h->slots, &id);
}

static uint32_t take_slot(struct fb_holds *h)
{
	uint32_t slot = h->free;

	FB_ASSERT(h->count < FB_HOLDS_MAX);
	if (slot != 0) {
		h->free = fb_hold_at(h, slot)->next;
		return slot;
	}
	fb_seg_reserve(&h->slots, ++h->high);
	return h->high;
}

/* Into the account's ring, before the one that leads it. */
static void enlist(struct fb_holds *h, uint32_t *first, uint32_t slot)
{
	struct fb_open_hold *o = fb_hold_at(h, slot), *leader;

	if (*first == 0) {
		o->next = o->prev = *first = slot;
		return;
	}
	leader = fb_hold_at(h, *first);
	o->next = *first;
	o->prev = leader->prev;
	fb_hold_at(h, o->prev)->next = slot;
	leader->prev = slot;
}

static void delist(struct fb_holds *h, uint32_t *first, uint32_t slot)
{
	struct fb_open_hold *o = fb_hold_at(h, slot);

	if (o->next == slot) {
		*first = 0;
		return;
	}
	fb_hold_at(h, o->prev)->next = o->next;
	fb_hold_at(h, o->next)->prev = o->prev;
	if (*first == slot)
		*first = o->next;
}

static void note_change(struct fb_holds *h, uint32_t slot)
{
	struct fb_open_hold *o = fb_hold_at(h, slot);

	if (o->changed)
		return;
	o->changed = true;
	fb_seg_reserve(&h->changes, h->change_count);
	*(uint32_t *)fb_seg_at(&h->changes, h->change_count++, sizeof(uint32_t)) = slot;
}

void fb_holds_add(struct fb_holds *h, uint32_t *first, const struct fb_hold *hold, bool saved)
{
	uint32_t slot = take_slot(h);
	struct fb_open_hold *o = fb_hold_at(h, slot);

	FB_ASSERT(o->id == 0 && hold->id != 0);
	*o = (struct fb_open_hold){ .id = hold->id, .amount = hold->amount, .seq = hold->seq, .content = hold->content,
		.expires_us = hold->expires_us, .account = (uint32_t)hold->account, .saved = saved, .changed = o->changed };
	h->count++;
	fb_table_put(&h->by_id, fb_id_hash(hold->id, h->seed), slot);
	fb_table_reap(&h->by_id);
	enlist(h, first, slot);
	if (hold->expires_us != 0)
		fb_heap_push(h, slot);
	if (!saved)
		note_change(h, slot);
}

static void note_end(struct fb_holds *h, const struct fb_open_hold *o)
{
	fb_seg_reserve(&h->ended, h->ended_count);
	*(struct fb_ended_hold *)fb_seg_at(&h->ended, h->ended_count++, sizeof(struct fb_ended_hold)) =
		(struct fb_ended_hold){ .id = o->id, .account = o->account, .seq = o->seq };
}

#ifdef FB_VERIFY
fb_u128 fb_holds_sum(const struct fb_holds *h, uint32_t first)
{
	fb_u128 sum = 0;
	uint32_t slot = first;

	do {
		sum += slot == 0 ? 0 : fb_hold_at(h, slot)->amount.atoms;
		slot = slot == 0 ? 0 : fb_hold_at(h, slot)->next;
	} while (slot != first);
	return sum;
}
#endif

void fb_holds_end(struct fb_holds *h, uint32_t *first, uint32_t slot)
{
	struct fb_open_hold *o = fb_hold_at(h, slot);

	FB_ASSERT(o->id != 0 && h->count > 0);
	if (o->heap != 0)
		fb_heap_remove(h, slot);
	if (o->saved)
		note_end(h, o);
	delist(h, first, slot);
	fb_table_remove(&h->by_id, fb_id_hash(o->id, h->seed), slot);
	o->id = 0;
	o->next = h->free;
	h->free = slot;
	h->count--;
}

struct fb_hold fb_hold_view(const struct fb_open_hold *o)
{
	return (struct fb_hold){ .id = o->id, .account = o->account, .seq = o->seq, .content = o->content,
		.amount = o->amount, .expires_us = o->expires_us };
}

/* The ring that `first` leads; `out` may be NULL, to count. */
static size_t collect_of(struct fb_hold *out, const struct fb_holds *h, uint32_t first)
{
	size_t count = 0;

	for (uint32_t slot = first; slot != 0 && (count == 0 || slot != first); slot = fb_hold_at(h, slot)->next) {
		if (out != NULL)
			out[count] = fb_hold_view(fb_hold_at(h, slot));
		count++;
	}
	return count;
}

static void collect_all(struct fb_hold *out, const struct fb_holds *h)
{
	size_t count = 0;

	for (uint32_t slot = 1; slot <= h->high; slot++)
		if (fb_hold_at(h, slot)->id != 0)
			out[count++] = fb_hold_view(fb_hold_at(h, slot));
	FB_ASSERT(count == h->count);
}

static int by_seq(const void *x, const void *y)
{
	const struct fb_hold *a = x, *b = y;

	return (a->seq > b->seq) - (a->seq < b->seq);
}

void fb_books_each_hold(const struct fb_books *b, uint64_t account, bool (*each)(void *arg, const struct fb_hold *h),
			void *arg)
{
	const struct fb_holds *h = b->holds;
	bool known = account != 0 && account <= fb_accounts_count(b->accounts);
	uint32_t first = known ? fb_cell_at(b->accounts, account)->holds : 0;
	size_t count = account == 0 ? h->count : collect_of(NULL, h, first);
	struct fb_hold *list = fb_must_alloc(count + 1, sizeof(*list));

	if (account == 0)
		collect_all(list, h);
	else
		collect_of(list, h, first);
	qsort(list, count, sizeof(*list), by_seq);
	for (size_t i = 0; i < count && each(arg, &list[i]); i++)
		continue;
	free(list);
}
