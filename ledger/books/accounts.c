/* Accounts: cells found by key or number, written by one thread and read by any. */
#include "books_int.h"

#include <stdlib.h>

void fb_accounts_open(struct fb_accounts **out, uint64_t seed, uint32_t max)
{
	struct fb_accounts *a = fb_must_alloc(1, sizeof(*a));

	fb_seg_open(&a->cells, sizeof(struct fb_cell));
	fb_seg_open(&a->changes, sizeof(uint32_t));
	fb_table_open(&a->by_key);
	fb_seg_reserve(&a->cells, 0);
	a->seed = seed;
	a->max = max;
	*out = a;
}

void fb_accounts_close(struct fb_accounts *a)
{
	fb_seg_close(&a->cells);
	fb_seg_close(&a->changes);
	fb_table_close(&a->by_key);
	free(a);
}

static bool has_key(const void *cells, uint32_t number, const void *key)
{
	const struct fb_cell *c = fb_seg_at(cells, number, sizeof(*c));

	return fb_key_same(&c->key, key);
}

uint32_t fb_accounts_find(const struct fb_accounts *a, const struct fb_key *key)
{
	return fb_table_find(&a->by_key, fb_key_hash(key, a->seed), has_key, &a->cells, key);
}

void fb_accounts_reach(struct fb_accounts *a, uint64_t number)
{
	FB_ASSERT(number > 0 && number <= FB_ACCOUNTS_MAX);
	if (number <= fb_accounts_count(a))
		return;
	fb_seg_reserve(&a->cells, (uint32_t)number);
	atomic_store_explicit(&a->count, number, memory_order_release);
}

/* Tables that grew out of use are freed at a moment when no other thread looks anything up: who comes later sees the
 * new one. (Both this load and the reader's are sequentially consistent with the stores between.) */
static void reap(struct fb_accounts *a)
{
	if (a->by_key.retired != NULL && atomic_load(&a->readers) == 0)
		fb_table_reap(&a->by_key);
}

void fb_accounts_add(struct fb_accounts *a, uint64_t number, const struct fb_key *key, bool may_go_below_zero)
{
	struct fb_cell *c;

	/* The cell is written before anybody can find it, by its number or by its key. */
	fb_seg_reserve(&a->cells, (uint32_t)number);
	c = fb_seg_at(&a->cells, (uint32_t)number, sizeof(*c));
	FB_ASSERT(!fb_cell_is_open(c));
	c->key = *key;
	c->may_go_below_zero = may_go_below_zero;
	FB_ASSERT(fb_cell_is_open(c));
	a->open++;
	fb_accounts_reach(a, number);
	fb_table_put(&a->by_key, fb_key_hash(key, a->seed), (uint32_t)number);
	reap(a);
}

void fb_accounts_changed(struct fb_accounts *a, uint64_t number)
{
	struct fb_cell *c = fb_cell_at(a, number);

	if (c->changed)
		return;
	c->changed = true;
	fb_seg_reserve(&a->changes, a->change_count);
	*(uint32_t *)fb_seg_at(&a->changes, a->change_count++, sizeof(uint32_t)) = (uint32_t)number;
}

/* ---- counters --------------------------------------------------------------------------------------------------- */
static fb_u128 wide(const struct fb_cell *c, unsigned i, memory_order order)
{
	uint64_t high = atomic_load_explicit(&c->counter[i], order);

	return FB_U128(high, atomic_load_explicit(&c->counter[i + 1], order));
}

static struct fb_counters read_counters(const struct fb_cell *c, memory_order order)
{
	return (struct fb_counters){
		.debits_posted.atoms = wide(c, 0, order),
		.debits_pending.atoms = wide(c, 2, order),
		.credits_posted.atoms = wide(c, 4, order),
		.credits_pending.atoms = wide(c, 6, order),
	};
}

struct fb_counters fb_cell_read(const struct fb_cell *c)
{
	return read_counters(c, memory_order_relaxed);
}

static void set_wide(struct fb_cell *c, unsigned i, fb_u128 v)
{
	atomic_store_explicit(&c->counter[i], (uint64_t)(v >> 64), memory_order_release);
	atomic_store_explicit(&c->counter[i + 1], (uint64_t)v, memory_order_release);
}

/* Stores with release order come after the odd version, and before the even one: no fence is needed. */
void fb_cell_write(struct fb_cell *c, const struct fb_counters *counters, uint64_t last_seq)
{
	uint32_t version = atomic_load_explicit(&c->version, memory_order_relaxed);

	FB_ASSERT(version % 2 == 0);
	atomic_store_explicit(&c->version, version + 1, memory_order_relaxed);
	atomic_store_explicit(&c->last_seq, last_seq, memory_order_release);
	set_wide(c, 0, counters->debits_posted.atoms);
	set_wide(c, 2, counters->debits_pending.atoms);
	set_wide(c, 4, counters->credits_posted.atoms);
	set_wide(c, 6, counters->credits_pending.atoms);
	atomic_store_explicit(&c->version, version + 2, memory_order_release);
}

/* Whatever was written while this reads makes it read again. */
static void read_cell(struct fb_account *out, const struct fb_cell *c)
{
	uint32_t before;

	do {
		before = atomic_load_explicit(&c->version, memory_order_acquire);
		out->last_seq = atomic_load_explicit(&c->last_seq, memory_order_acquire);
		out->counters = read_counters(c, memory_order_acquire);
	} while (before % 2 != 0 || atomic_load_explicit(&c->version, memory_order_relaxed) != before);
}

static enum fb_status read_account(struct fb_account *out, const struct fb_accounts *a, uint64_t number)
{
	const struct fb_cell *c;

	if (number == 0 || number > fb_accounts_count(a) || !fb_cell_is_open(fb_cell_at(a, number)))
		return FB_NOT_FOUND;
	c = fb_cell_at(a, number);
	read_cell(out, c);
	out->key = fb_key_unpack(&c->key);
	out->number = number;
	out->may_go_below_zero = c->may_go_below_zero;
	return FB_OK;
}

enum fb_status fb_books_account(const struct fb_books *b, struct fb_account *out, uint64_t number)
{
	return read_account(out, b->accounts, number);
}

enum fb_status fb_books_balance(const struct fb_books *b, struct fb_account *out, const struct fb_account_key *key)
{
	struct fb_key k = fb_key_pack(key);
	uint32_t number;

	atomic_fetch_add(&b->accounts->readers, 1);
	number = fb_accounts_find(b->accounts, &k);
	atomic_fetch_sub(&b->accounts->readers, 1);
	return read_account(out, b->accounts, number);
}

uint64_t fb_books_account_count(const struct fb_books *b)
{
	return fb_accounts_count(b->accounts);
}
