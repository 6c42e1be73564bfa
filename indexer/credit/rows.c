/* Stored form (DATA.md): C the cursor, M a movement that is not final, D one that is, O who owes. */
#include "credit_int.h"

#include <string.h>

enum {
	VERSION = 1,
	ITEM_LEN = 1 + 1 + 1 + 1 + 4 + 8 + 8 + 4 + 32 + 32 + 20 + 20 + 20 + 16 + 32 + 8,
	CURSOR_LEN = 1 + 1 + 8 + 32 + 8 + 8 + 8 + 16 + 16 + 8,
	DEBT_LEN = 1 + 16,
	SUSPENSE = 1, EARLY = 2, /* flags */
};
_Static_assert((int)ITEM_LEN <= (int)FB_CREDIT_ROW_MAX && (int)CURSOR_LEN <= (int)FB_CREDIT_ROW_MAX, "a row fits");

static void put_amount(uint8_t *p, struct fb_amount a)
{
	fb_put_be128(p, a.atoms); /* allow(atoms): the stored form of an amount */
}

/* FB_STORAGE: above FB_AMOUNT_MAX. */
static enum fb_status get_amount(struct fb_amount *out, const uint8_t *p)
{
	fb_u128 v = fb_get_be128(p);

	if (v > FB_AMOUNT_MAX)
		return FB_STORAGE;
	*out = (struct fb_amount){ v };
	return FB_OK;
}

void fb_credit_prefix(uint8_t out[FB_CREDIT_PREFIX_LEN], char tag, const struct fb_escrow *e)
{
	out[0] = (uint8_t)tag;
	fb_put_be64(out + 1, e->chain_id);
	memcpy(out + 9, e->address.bytes, 20);
}

/* The next row of the batch: its key begun, its place for the value. */
static uint8_t *next_row(struct fb_credit *c, struct fb_credit_batch *b, char tag, const void *rest, size_t rest_len,
			 size_t value_len)
{
	uint8_t *key = b->keys[b->put_count];
	struct fb_put *put = &b->puts[b->put_count];

	FB_ASSERT(b->put_count < FB_COUNT(b->puts));
	FB_ASSERT(FB_CREDIT_PREFIX_LEN + rest_len <= FB_CREDIT_KEY_MAX);
	fb_credit_prefix(key, tag, &c->settings.escrow);
	if (rest_len > 0)
		memcpy(key + FB_CREDIT_PREFIX_LEN, rest, rest_len);
	put->key = (struct fb_str){ (const char *)key, FB_CREDIT_PREFIX_LEN + rest_len };
	put->value = (struct fb_str){ (const char *)b->rows[b->put_count], value_len };
	put->remove = value_len == 0;
	return b->rows[b->put_count++];
}

/* ---- items ------------------------------------------------------------------------------------------------------ */
static void encode_item(uint8_t *p, const struct fb_credit_item *i)
{
	const struct fb_movement *m = &i->m;

	FB_ASSERT(m->index <= UINT32_MAX);
	p[0] = VERSION;
	p[1] = (uint8_t)i->state;
	p[2] = (uint8_t)((i->suspense ? SUSPENSE : 0) | (i->early ? EARLY : 0));
	p[3] = (uint8_t)m->kind;
	fb_put_be32(p + 4, i->round);
	fb_put_be64(p + 8, m->block);
	fb_put_be64(p + 16, m->index);
	fb_put_be32(p + 24, m->place);
	memcpy(p + 28, m->block_hash.bytes, 32);
	memcpy(p + 60, m->tx.bytes, 32);
	memcpy(p + 92, m->payer.bytes, 20);
	memcpy(p + 112, m->wallet.bytes, 20);
	memcpy(p + 132, i->owner.bytes, FB_OWNER_LEN);
	put_amount(p + 152, m->amount);
	memcpy(p + 168, m->reference.bytes, 32);
	fb_put_be64(p + 200, i->highest);
}

static bool is_item_row(const uint8_t *p, size_t len)
{
	return len == ITEM_LEN && p[0] == VERSION && p[1] >= 1 && p[1] < FB_CREDIT_STATE_END &&
	       (p[2] & ~(SUSPENSE | EARLY)) == 0 && p[3] >= 1 && p[3] < FB_MOVEMENT_END;
}

static enum fb_status decode_item(struct fb_credit_item *out, struct fb_str value, const struct fb_escrow *e)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_credit_item i = { .round = 0 };
	struct fb_movement *m = &i.m;

	if (!is_item_row(p, value.len) || get_amount(&m->amount, p + 152) != FB_OK)
		return FB_STORAGE;
	i.state = (enum fb_credit_state)p[1];
	i.suspense = (p[2] & SUSPENSE) != 0;
	i.early = (p[2] & EARLY) != 0;
	m->kind = (enum fb_movement_kind)p[3];
	i.round = fb_get_be32(p + 4);
	m->block = fb_get_be64(p + 8);
	m->index = fb_get_be64(p + 16);
	m->place = fb_get_be32(p + 24);
	memcpy(m->block_hash.bytes, p + 28, 32);
	memcpy(m->tx.bytes, p + 60, 32);
	memcpy(m->payer.bytes, p + 92, 20);
	memcpy(m->wallet.bytes, p + 112, 20);
	memcpy(i.owner.bytes, p + 132, FB_OWNER_LEN);
	memcpy(m->reference.bytes, p + 168, 32);
	i.highest = fb_get_be64(p + 200);
	if (m->index > UINT32_MAX || i.highest < m->block || fb_amount_cmp(m->amount, (struct fb_amount){ 0 }) == 0)
		return FB_STORAGE;
	m->identity = fb_movement_identity(m, e);
	*out = i;
	return FB_OK;
}

void fb_put_live(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i)
{
	encode_item(next_row(c, b, 'M', i->m.identity.bytes, 32, ITEM_LEN), i);
}

void fb_remove_live(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i)
{
	next_row(c, b, 'M', i->m.identity.bytes, 32, 0);
}

static void final_rest(uint8_t out[36], const struct fb_movement *m)
{
	memcpy(out, m->tx.bytes, 32);
	fb_put_be32(out + 32, m->place);
}

void fb_put_final(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i)
{
	uint8_t rest[36];

	final_rest(rest, &i->m);
	encode_item(next_row(c, b, 'D', rest, sizeof(rest), ITEM_LEN), i);
}

enum fb_status fb_credit_read_final(struct fb_credit_item *out, struct fb_str key, struct fb_str value,
				    const struct fb_escrow *e)
{
	uint8_t prefix[FB_CREDIT_PREFIX_LEN], rest[36];
	struct fb_credit_item i;

	fb_credit_prefix(prefix, 'D', e);
	if (key.len != FB_CREDIT_PREFIX_LEN + sizeof(rest) || memcmp(key.at, prefix, sizeof(prefix)) != 0 ||
	    decode_item(&i, value, e) != FB_OK)
		return FB_STORAGE;
	final_rest(rest, &i.m);
	if (memcmp(key.at + FB_CREDIT_PREFIX_LEN, rest, sizeof(rest)) != 0)
		return FB_STORAGE;
	*out = i;
	return FB_OK;
}

static enum fb_status load_item(struct fb_credit *c, struct fb_str rest, struct fb_str value)
{
	struct fb_credit_item i;

	if (rest.len != 32 || decode_item(&i, value, &c->settings.escrow) != FB_OK ||
	    memcmp(i.m.identity.bytes, rest.at, 32) != 0 || fb_items_find(&c->items, &i.m.identity) != NULL ||
	    c->items.count == FB_CREDIT_LIVE_MAX)
		return FB_STORAGE;
	if (i.early)
		c->at_risk = fb_sum(c->at_risk, i.m.amount);
	fb_items_add(&c->items, &i);
	return FB_OK;
}

/* ---- debts ------------------------------------------------------------------------------------------------------ */
void fb_put_debt(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_owner *owner)
{
	struct fb_amount debt = fb_debt_of(c, owner);
	bool none = fb_amount_cmp(debt, (struct fb_amount){ 0 }) == 0;
	uint8_t *p = next_row(c, b, 'O', owner->bytes, FB_OWNER_LEN, none ? 0 : DEBT_LEN);

	p[0] = VERSION;
	put_amount(p + 1, debt);
}

static enum fb_status load_debt(struct fb_credit *c, struct fb_str rest, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_owner owner;
	struct fb_amount amount;

	if (rest.len != FB_OWNER_LEN || value.len != DEBT_LEN || p[0] != VERSION || get_amount(&amount, p + 1) != FB_OK ||
	    fb_amount_cmp(amount, (struct fb_amount){ 0 }) == 0 || c->debt_count == FB_CREDIT_DEBTORS_MAX)
		return FB_STORAGE;
	memcpy(owner.bytes, rest.at, FB_OWNER_LEN);
	fb_debt_set(c, &owner, amount);
	return FB_OK;
}

/* ---- the cursor ------------------------------------------------------------------------------------------------- */
void fb_put_cursor(struct fb_credit *c, struct fb_credit_batch *b)
{
	const struct fb_cursor_row *r = &c->cursor;
	uint8_t *p = next_row(c, b, 'C', NULL, 0, CURSOR_LEN);

	p[0] = VERSION;
	p[1] = (uint8_t)r->halt;
	fb_put_be64(p + 2, r->looked);
	memcpy(p + 10, r->looked_hash.bytes, 32);
	fb_put_be64(p + 42, r->sequence);
	fb_put_be64(p + 50, r->at_block);
	fb_put_be64(p + 58, r->at_index);
	put_amount(p + 66, r->in);
	put_amount(p + 82, r->out);
	fb_put_be64(p + 98, r->serial);
}

static enum fb_status load_cursor(struct fb_credit *c, struct fb_str rest, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_cursor_row r;

	if (rest.len != 0 || value.len != CURSOR_LEN || p[0] != VERSION || p[1] >= FB_CREDIT_HALT_END ||
	    get_amount(&r.in, p + 66) != FB_OK || get_amount(&r.out, p + 82) != FB_OK)
		return FB_STORAGE;
	r.halt = (enum fb_credit_halt)p[1];
	r.looked = fb_get_be64(p + 2);
	memcpy(r.looked_hash.bytes, p + 10, 32);
	r.sequence = fb_get_be64(p + 42);
	r.at_block = fb_get_be64(p + 50);
	r.at_index = fb_get_be64(p + 58);
	r.serial = fb_get_be64(p + 98);
	if (r.looked + 1 < c->settings.from_block || r.looked == UINT64_MAX)
		return FB_STORAGE;
	c->cursor = r;
	c->next = r.looked + 1;
	return FB_OK;
}

enum fb_status fb_credit_load(struct fb_credit *c, struct fb_str key, struct fb_str value)
{
	uint8_t prefix[FB_CREDIT_PREFIX_LEN];
	struct fb_str rest;

	FB_ASSERT(c->job.phase == FB_JOB_NONE);
	if (key.len < FB_CREDIT_PREFIX_LEN)
		return FB_STORAGE;
	fb_credit_prefix(prefix, key.at[0], &c->settings.escrow);
	if (memcmp(key.at, prefix, sizeof(prefix)) != 0)
		return FB_STORAGE;
	rest = (struct fb_str){ key.at + FB_CREDIT_PREFIX_LEN, key.len - FB_CREDIT_PREFIX_LEN };
	switch (key.at[0]) {
	case 'C':
		return load_cursor(c, rest, value);
	case 'M':
		return load_item(c, rest, value);
	case 'O':
		return load_debt(c, rest, value);
	}
	return FB_STORAGE;
}
