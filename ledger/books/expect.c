/* Has the memory fetched that operations will need, for many at once: waiting for ten lines takes as long as for one.
 * First the places in the tables, then what they lead to. Nothing depends on it but speed. */
#include "books_int.h"

static bool any(const void *elements, uint32_t ref, const void *key)
{
	(void)elements;
	(void)ref;
	(void)key;
	return true;
}

static void fetch_two_lines(const void *p)
{
	__builtin_prefetch(p);
	__builtin_prefetch((const uint8_t *)p + 64);
}

static uint32_t key_hash(const struct fb_books *b, const struct fb_account_key *key)
{
	const struct fb_key k = fb_key_pack(key);

	return fb_key_hash(&k, b->accounts->seed);
}

static void fetch_account(const struct fb_books *b, const struct fb_account_key *key)
{
	uint32_t number = fb_table_find(&b->accounts->by_key, key_hash(b, key), any, NULL, NULL);

	if (number != 0)
		fetch_two_lines(fb_cell_at(b->accounts, number));
}

static void fetch_places(const struct fb_books *b, const struct fb_op *op)
{
	fb_table_prefetch(&b->ids->by_id, fb_id_hash(op->id, b->ids->seed));
	if (op->ref != 0)
		fb_table_prefetch(&b->holds->by_id, fb_id_hash(op->ref, b->holds->seed));
	else
		fb_table_prefetch(&b->accounts->by_key, key_hash(b, &op->debit));
	for (size_t i = 0; i < op->leg_count && i < FB_LEGS_MAX; i++)
		fb_table_prefetch(&b->accounts->by_key, key_hash(b, &op->legs[i].credit));
}

static void fetch_elements(const struct fb_books *b, const struct fb_op *op)
{
	uint32_t slot;

	if (op->ref == 0)
		fetch_account(b, &op->debit);
	for (size_t i = 0; i < op->leg_count && i < FB_LEGS_MAX; i++)
		fetch_account(b, &op->legs[i].credit);
	slot = op->ref == 0 ? 0 : fb_table_find(&b->holds->by_id, fb_id_hash(op->ref, b->holds->seed), any, NULL, NULL);
	if (slot != 0)
		fetch_two_lines(fb_hold_at(b->holds, slot));
}

/* The account that a hold reserves from. */
static void fetch_holder(const struct fb_books *b, const struct fb_op *op)
{
	uint32_t slot = fb_table_find(&b->holds->by_id, fb_id_hash(op->ref, b->holds->seed), any, NULL, NULL);

	if (slot != 0 && fb_hold_at(b->holds, slot)->account != 0)
		fetch_two_lines(fb_cell_at(b->accounts, fb_hold_at(b->holds, slot)->account));
}

void fb_books_expect(const struct fb_books *b, const struct fb_op *const *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fetch_places(b, ops[i]);
	for (size_t i = 0; i < count; i++)
		fetch_elements(b, ops[i]);
	for (size_t i = 0; i < count; i++)
		if (ops[i]->ref != 0)
			fetch_holder(b, ops[i]);
}
