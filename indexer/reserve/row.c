/* Stored form of the alarm (DATA.md, A). */
#include "reserve_int.h"

#include "farebox/codec.h"

enum { VERSION = 1, LEDGER = 1, SEARCHED = 2 /* flags */ };

static void put_amount(uint8_t *p, struct fb_amount a)
{
	fb_put_be128(p, a.atoms); /* allow(atoms): the stored form of an amount */
}

static bool get_amount(struct fb_amount *out, const uint8_t *p)
{
	fb_u128 v = fb_get_be128(p);

	*out = (struct fb_amount){ v };
	return v <= FB_AMOUNT_MAX;
}

void fb_alarm_key(uint8_t out[FB_RESERVE_KEY_LEN], const struct fb_escrow *escrow)
{
	fb_credit_prefix(out, 'A', escrow);
}

void fb_alarm_encode(uint8_t out[FB_ALARM_LEN], const struct fb_reserve_status *s)
{
	out[0] = VERSION;
	out[1] = (uint8_t)((s->ledger ? LEDGER : 0) | (s->searched ? SEARCHED : 0));
	fb_put_be64(out + 2, s->block);
	fb_put_be64(out + 10, s->good);
	fb_put_be64(out + 18, s->bad);
	put_amount(out + 26, s->books);
	put_amount(out + 42, s->chain);
}

enum fb_status fb_reserve_read(struct fb_reserve_status *out, struct fb_store *store, const struct fb_escrow *escrow)
{
	struct fb_reserve_status s = { .differs = true };
	uint8_t key[FB_RESERVE_KEY_LEN], row[FB_ALARM_LEN];
	size_t len = 0;
	enum fb_status st;

	fb_alarm_key(key, escrow);
	st = fb_store_get(store, row, &len, sizeof(row), (struct fb_str){ (const char *)key, sizeof(key) });
	if (st != FB_OK)
		return st == FB_NOT_FOUND ? st : FB_STORAGE;
	if (len != FB_ALARM_LEN || row[0] != VERSION || (row[1] & ~(LEDGER | SEARCHED)) != 0 ||
	    !get_amount(&s.books, row + 26) || !get_amount(&s.chain, row + 42))
		return FB_STORAGE;
	s.ledger = (row[1] & LEDGER) != 0;
	s.searched = (row[1] & SEARCHED) != 0;
	s.block = fb_get_be64(row + 2);
	s.good = fb_get_be64(row + 10);
	s.bad = fb_get_be64(row + 18);
	if (s.bad == 0 || s.bad > s.block || s.good >= s.bad)
		return FB_STORAGE;
	*out = s;
	return FB_OK;
}

struct fb_put fb_reserve_release_put(uint8_t key[FB_RESERVE_KEY_LEN], const struct fb_escrow *escrow)
{
	fb_alarm_key(key, escrow);
	return (struct fb_put){ .key = { (const char *)key, FB_RESERVE_KEY_LEN }, .value = { "", 0 }, .remove = true };
}
