/* What the chain says against the final rows, both ways. */
#include "rescan_int.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = FB_CREDIT_PREFIX_LEN + 36, SEEN_MIN = 1024 };

/* ---- the keys that were met ---------------------------------------------------------------------------------- */
/* Of the transaction's hash and the place, which end the key. */
static uint64_t fingerprint(struct fb_str key)
{
	uint8_t tail[8] = { 0 };

	memcpy(tail + 4, key.at + KEY_LEN - 4, 4);
	return fb_get_be64((const uint8_t *)key.at + FB_CREDIT_PREFIX_LEN) ^ fb_get_be64(tail) * 0x9e3779b97f4a7c15u;
}

static bool remember(struct fb_rescan *r, struct fb_str key)
{
	if (r->seen_count == FB_RESCAN_MOVEMENTS_MAX)
		return false;
	if (r->seen_count == r->seen_cap) {
		size_t cap = r->seen_cap == 0 ? SEEN_MIN : 2 * r->seen_cap;
		uint64_t *seen = fb_must_alloc(cap, sizeof(*seen));

		if (r->seen_count > 0)
			memcpy(seen, r->seen, r->seen_count * sizeof(*seen));
		free(r->seen);
		r->seen = seen;
		r->seen_cap = cap;
	}
	r->seen[r->seen_count++] = fingerprint(key);
	return true;
}

static int order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* ---- differences ---------------------------------------------------------------------------------------------- */
/* stored, movement: NULL where there is none to be amended. */
static void note(struct fb_rescan *r, enum fb_rescan_difference d, const struct fb_credit_item *stored,
		 const struct fb_movement *m)
{
	r->result.differences[d]++;
	r->ports.differs(r->ports.ctx, d, m != NULL ? m : &stored->m);
	if (d == FB_RESCAN_UNLIKE)
		return;
	if (r->stored_count == FB_RESCAN_REPAIRS_MAX || r->movement_count == FB_RESCAN_REPAIRS_MAX) {
		r->status = FB_LIMIT;
		return;
	}
	if (stored != NULL)
		r->stored[r->stored_count++] = *stored;
	if (m != NULL)
		r->movements[r->movement_count++] = *m;
}

static bool same_content(const struct fb_movement *a, const struct fb_movement *b)
{
	return a->kind == b->kind && fb_hash_eq(&a->identity, &b->identity) && fb_address_eq(&a->payer, &b->payer) &&
	       fb_address_eq(&a->wallet, &b->wallet) && fb_amount_cmp(a->amount, b->amount) == 0 &&
	       fb_hash_eq(&a->reference, &b->reference);
}

static void compare_one(struct fb_rescan *r, struct fb_str key, const struct fb_movement *m)
{
	uint8_t row[FB_CREDIT_ROW_MAX];
	struct fb_credit_item old;
	size_t len = 0;
	enum fb_status st = fb_store_get(r->store, row, &len, sizeof(row), key);

	if (st == FB_NOT_FOUND) {
		note(r, FB_RESCAN_MISSING, NULL, m);
		return;
	}
	if (st == FB_OK)
		st = fb_credit_read_final(&old, key, (struct fb_str){ (const char *)row, len }, &r->escrow);
	if (st != FB_OK)
		r->status = FB_STORAGE;
	else if (!same_content(&old.m, m))
		note(r, FB_RESCAN_UNLIKE, &old, m);
	else if (old.state == FB_CREDIT_REVERSED)
		note(r, FB_RESCAN_RETURNED, &old, m);
	else if (!fb_hash_eq(&old.m.block_hash, &m->block_hash))
		note(r, FB_RESCAN_MOVED, &old, m);
}

void fb_rescan_compare(struct fb_rescan *r, const struct fb_credit_batch *b)
{
	for (size_t i = 0; i < b->put_count && r->status == FB_OK; i++) {
		const struct fb_put *put = &b->puts[i];
		struct fb_credit_item now;

		if (put->key.at[0] != 'D')
			continue;
		FB_ASSERT(!put->remove && fb_credit_read_final(&now, put->key, put->value, &r->escrow) == FB_OK);
		r->result.movements++;
		if (!remember(r, put->key))
			r->status = FB_LIMIT;
		else
			compare_one(r, put->key, &now.m);
	}
}

/* ---- rows that nothing speaks for ------------------------------------------------------------------------------ */
static bool look_at_row(void *arg, struct fb_str key, struct fb_str value)
{
	struct fb_rescan *r = arg;
	struct fb_credit_item old;
	uint64_t print;

	if (fb_credit_read_final(&old, key, value, &r->escrow) != FB_OK) {
		r->status = FB_STORAGE;
		return false;
	}
	print = fingerprint(key);
	if (old.state != FB_CREDIT_REVERSED && old.m.block >= r->result.from && old.m.block <= r->result.last &&
	    (r->seen_count == 0 || bsearch(&print, r->seen, r->seen_count, sizeof(print), order) == NULL))
		note(r, FB_RESCAN_GONE, &old, NULL);
	return r->status == FB_OK;
}

void fb_rescan_find_gone(struct fb_rescan *r)
{
	uint8_t prefix[FB_CREDIT_PREFIX_LEN];

	if (r->seen_count > 0)
		qsort(r->seen, r->seen_count, sizeof(*r->seen), order);
	fb_credit_prefix(prefix, 'D', &r->escrow);
	if (fb_store_scan(r->store, (struct fb_str){ (const char *)prefix, sizeof(prefix) }, look_at_row, r) != FB_OK)
		r->status = FB_STORAGE;
}
