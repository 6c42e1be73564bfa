/* What is stored about withdrawals, for whoever asks, on any thread. */
#include "payout_int.h"

#include <string.h>

enum fb_status fb_payout_get(const struct fb_payout_rows *rows, struct fb_withdrawal *out,
			     const struct fb_uuid *id)
{
	uint8_t key[FB_PAYOUT_ROW_KEY_LEN], row[FB_PAYOUT_ROW_LEN];
	struct fb_str k = { (const char *)key, sizeof(key) };
	size_t len = 0;
	enum fb_status st;

	fb_payout_row_key(key, &rows->escrow, id);
	st = fb_store_get(rows->store, row, &len, sizeof(row), k);
	if (st != FB_OK)
		return st == FB_NOT_FOUND ? st : FB_STORAGE;
	return fb_payout_decode(out, &rows->escrow, k, (struct fb_str){ (const char *)row, len });
}

/* ---- the index of an owner --------------------------------------------------------------------------------------- */

static void index_prefix(uint8_t out[FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN], char tag, const struct fb_payout_rows *rows,
			 const struct fb_owner *owner)
{
	fb_payout_prefix(out, tag, &rows->escrow);
	memcpy(out + FB_PAYOUT_PREFIX_LEN, owner->bytes, FB_OWNER_LEN);
}

struct listing {
	struct fb_uuid ids[FB_PAYOUT_LIST_MAX];
	size_t offset, count, cap, total;
};

static bool list_one(void *arg, struct fb_str key, struct fb_str value)
{
	struct listing *l = arg;

	(void)value;
	if (key.len != FB_PAYOUT_INDEX_KEY_LEN)
		return true;
	if (l->total >= l->offset && l->count < l->cap)
		memcpy(l->ids[l->count++].bytes, key.at + key.len - 16, 16);
	return ++l->total < FB_PAYOUT_COUNT_MAX;
}

enum fb_status fb_payout_list(const struct fb_payout_rows *rows, struct fb_withdrawal *out, size_t *count, size_t cap,
			      size_t *total, const struct fb_owner *owner, size_t offset)
{
	struct listing l = { .offset = offset, .cap = cap < FB_PAYOUT_LIST_MAX ? cap : FB_PAYOUT_LIST_MAX };
	uint8_t prefix[FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN];
	enum fb_status st;

	index_prefix(prefix, 'X', rows, owner);
	st = fb_store_scan(rows->store, (struct fb_str){ (const char *)prefix, sizeof(prefix) }, list_one, &l);
	for (size_t i = 0; st == FB_OK && i < l.count; i++)
		st = fb_payout_get(rows, &out[i], &l.ids[i]);
	if (st != FB_OK)
		return FB_STORAGE; /* also a row that the index names and that is not there */
	*count = l.count;
	*total = l.total;
	return FB_OK;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

struct summing {
	struct fb_amount sum;
	uint32_t count;
	int64_t since_us;
	size_t key_len;
	enum fb_status status;
};

static bool add_one(struct summing *s, struct fb_str value)
{
	struct fb_amount a;

	s->status = fb_payout_decode_amount(&a, value);
	if (s->status == FB_OK)
		s->status = fb_amount_add(&s->sum, s->sum, a);
	if (s->status == FB_OK && fb_amount_cmp(a, (struct fb_amount){ 0 }) > 0)
		s->count++;
	return s->status == FB_OK;
}

static bool add_asked(void *arg, struct fb_str key, struct fb_str value)
{
	struct summing *s = arg;
	uint64_t turned;

	if (key.len != FB_PAYOUT_INDEX_KEY_LEN)
		return true;
	turned = fb_get_be64((const uint8_t *)key.at + FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN);
	return (int64_t)(UINT64_MAX - turned) >= s->since_us && add_one(s, value);
}

enum fb_status fb_payout_asked(const struct fb_payout_rows *rows, struct fb_amount *sum, uint32_t *count,
			       const struct fb_owner *owner, int64_t since_us)
{
	struct summing s = { .since_us = since_us, .status = FB_OK };
	uint8_t prefix[FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN];

	index_prefix(prefix, 'X', rows, owner);
	if (fb_store_scan(rows->store, (struct fb_str){ (const char *)prefix, sizeof(prefix) }, add_asked, &s) != FB_OK)
		return FB_STORAGE;
	if (s.status != FB_OK)
		return s.status;
	*sum = s.sum;
	*count = s.count;
	return FB_OK;
}

static bool add_open(void *arg, struct fb_str key, struct fb_str value)
{
	return key.len != FB_PAYOUT_OPEN_KEY_LEN || add_one(arg, value); /* the other one is the operator's hold */
}

enum fb_status fb_payout_sum(const struct fb_payout_rows *rows, struct fb_amount *out, const struct fb_owner *owner)
{
	struct summing s = { .status = FB_OK };
	uint8_t prefix[FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN];
	size_t len = owner != NULL ? sizeof(prefix) : FB_PAYOUT_PREFIX_LEN;

	fb_payout_prefix(prefix, 'V', &rows->escrow);
	if (owner != NULL)
		memcpy(prefix + FB_PAYOUT_PREFIX_LEN, owner->bytes, FB_OWNER_LEN);
	if (fb_store_scan(rows->store, (struct fb_str){ (const char *)prefix, len }, add_open, &s) != FB_OK)
		return FB_STORAGE;
	if (s.status == FB_OK)
		*out = s.sum;
	return s.status;
}

/* ---- the indexer's question -------------------------------------------------------------------------------------- */

bool fb_payout_ordered(const struct fb_payout_rows *rows, const struct fb_movement *m)
{
	struct fb_uuid id;
	struct fb_withdrawal w;

	memcpy(id.bytes, m->reference.bytes, sizeof(id.bytes));
	return m->kind == FB_MOVEMENT_PAYOUT && fb_payout_get(rows, &w, &id) == FB_OK &&
	       fb_hash_eq(&w.payout_id, &m->reference) && fb_address_eq(&w.to, &m->wallet) &&
	       fb_amount_cmp(fb_payout_net(&w), m->amount) == 0;
}
