/* Stored form of a settlement (DATA.md, key S): its key, its fingerprint, its row, and the steps it may make. */
#include "settle_int.h"

#include <string.h>

enum {
	VERSION = 3,
	AT_ASSET = 9,
	AT_PAYER = 29,
	AT_NONCE = 49,
	FIXED_1 = 4 + 32 + 32 + 20 + 32 + 8 + 8 + 8,           /* of version 1, where version 2 begins, too */
	FIXED_2 = FIXED_1 + 32 + 8 + 8 + 1 + 16 + 20,
	FIXED_3 = FIXED_2 + 8 + 32,
};
_Static_assert(FB_SETTLE_KEY_LEN == AT_NONCE + 32, "on-disk format");
_Static_assert(FB_SETTLE_SIGNED == 1 && FB_SETTLE_INCLUDED == 2 && FB_SETTLE_FAILED == 3 && FB_SETTLE_LOST == 4 &&
		       FB_SETTLE_CONFIRMED == 5,
	       "on-disk numbers");

enum fb_settle_move fb_settle_move_of(enum fb_settle_state from, enum fb_settle_state to)
{
	static const struct {
		enum fb_settle_state from, to;
	} moves[] = {
#define X(from, to, what) { FB_SETTLE_##from, FB_SETTLE_##to },
		FB_SETTLE_MOVES(X)
#undef X
	};

	size_t m = 0;

	while (m < FB_COUNT(moves) && (moves[m].from != from || moves[m].to != to))
		m++;
	return (enum fb_settle_move)m;
}

bool fb_settle_is_final(const struct fb_settle_record *r)
{
	return r->state == FB_SETTLE_INCLUDED || r->state == FB_SETTLE_CONFIRMED ||
	       (r->state == FB_SETTLE_FAILED && r->reason == FB_REASON_NONCE_USED);
}

struct fb_settle_key fb_settle_key_of(uint64_t chain_id, const struct fb_claim *c)
{
	struct fb_settle_key k;

	k.bytes[0] = 'S';
	fb_put_be64(k.bytes + 1, chain_id);
	memcpy(k.bytes + AT_ASSET, c->asset.bytes, 20);
	memcpy(k.bytes + AT_PAYER, c->authorization.from.bytes, 20);
	memcpy(k.bytes + AT_NONCE, c->authorization.nonce.bytes, 32);
	return k;
}

struct fb_address fb_settle_asset(const struct fb_settle_key *key)
{
	struct fb_address a;

	memcpy(a.bytes, key->bytes + AT_ASSET, 20);
	return a;
}

struct fb_authorization fb_settle_authorization(const struct fb_settle_key *key, const struct fb_settle_record *r)
{
	struct fb_authorization a = { .to = r->to, .value = r->value };

	memcpy(a.from.bytes, key->bytes + AT_PAYER, 20);
	memcpy(a.nonce.bytes, key->bytes + AT_NONCE, 32);
	return a;
}

static void absorb_u256(struct fb_keccak *k, struct fb_u256 v)
{
	uint8_t bytes[32];

	fb_u256_to_be(bytes, v);
	fb_keccak_update(k, bytes, sizeof(bytes));
}

struct fb_hash fb_settle_fingerprint(uint64_t chain_id, const struct fb_claim *c)
{
	const struct fb_authorization *a = &c->authorization;
	struct fb_settle_key key = fb_settle_key_of(chain_id, c);
	struct fb_keccak k;

	fb_keccak_init(&k);
	fb_keccak_update(&k, key.bytes, sizeof(key.bytes));
	fb_keccak_update(&k, a->to.bytes, sizeof(a->to.bytes));
	absorb_u256(&k, a->value);
	absorb_u256(&k, a->valid_after);
	absorb_u256(&k, a->valid_before);
	fb_keccak_update(&k, c->signature, c->signature_len); /* last, so its length needs no mark */
	return fb_keccak_final(&k);
}

size_t fb_settle_record_encode(uint8_t out[FB_SETTLE_ROW_MAX], const struct fb_settle_record *r)
{
	const char *reason = fb_reason_text(r->reason);
	size_t reason_len = strlen(reason);
	uint8_t *p = out + 4;

	FB_ASSERT(r->state > FB_SETTLE_NONE && r->state < FB_SETTLE_STATE_END);
	FB_ASSERT(FIXED_3 + reason_len <= FB_SETTLE_ROW_MAX);
	out[0] = VERSION;
	out[1] = (uint8_t)r->state;
	out[2] = r->granted;
	out[3] = (uint8_t)reason_len;
	memcpy(p, r->fingerprint.bytes, 32);
	memcpy(p + 32, r->tx.bytes, 32);
	memcpy(p + 64, r->to.bytes, 20);
	fb_u256_to_be(p + 84, r->value);
	fb_put_be64(p + 116, r->block);
	fb_put_be64(p + 124, (uint64_t)r->created_us);
	fb_put_be64(p + 132, (uint64_t)r->updated_us);
	p = out + FIXED_1;
	memcpy(p, r->block_hash.bytes, 32);
	fb_put_be64(p + 32, r->job);
	fb_put_be64(p + 40, r->since);
	p[48] = r->items;
	fb_put_be128(p + 49, r->gas_wei);
	memcpy(p + 65, r->signer.bytes, 20);
	fb_put_be64(out + FIXED_2, r->base);
	memcpy(out + FIXED_2 + 8, r->base_hash.bytes, 32);
	memcpy(out + FIXED_3, reason, reason_len); /* as text: the enum may be reordered, stored rows may not */
	return FIXED_3 + reason_len;
}

static enum fb_status reason_of(enum fb_reason *out, struct fb_str text)
{
	for (int i = 0; i < FB_REASON_END; i++) {
		if (fb_str_eq(text, fb_str_of(fb_reason_text((enum fb_reason)i)))) {
			*out = (enum fb_reason)i;
			return FB_OK;
		}
	}
	return FB_STORAGE;
}

static void read_first(struct fb_settle_record *r, const uint8_t *p)
{
	memcpy(r->fingerprint.bytes, p, 32);
	memcpy(r->tx.bytes, p + 32, 32);
	memcpy(r->to.bytes, p + 64, 20);
	r->value = fb_u256_from_be(p + 84);
	r->block = fb_get_be64(p + 116);
	r->created_us = (int64_t)fb_get_be64(p + 124);
	r->updated_us = (int64_t)fb_get_be64(p + 132);
}

static void read_second(struct fb_settle_record *r, const uint8_t *p)
{
	memcpy(r->block_hash.bytes, p, 32);
	r->job = fb_get_be64(p + 32);
	r->since = fb_get_be64(p + 40);
	r->items = p[48];
	r->gas_wei = fb_get_be128(p + 49);
	memcpy(r->signer.bytes, p + 65, 20);
}

static void read_third(struct fb_settle_record *r, const uint8_t *p)
{
	r->base = fb_get_be64(p);
	memcpy(r->base_hash.bytes, p + 8, 32);
}

enum fb_status fb_settle_record_decode(struct fb_settle_record *out, struct fb_str value)
{
	const uint8_t *row = (const uint8_t *)value.at;
	struct fb_settle_record r = { .items = 1 };
	static const size_t fixed_of[VERSION + 1] = { 0, FIXED_1, FIXED_2, FIXED_3 };
	size_t fixed;

	if (value.len < FIXED_1 || row[0] == 0 || row[0] > VERSION || row[1] == 0 || row[1] >= FB_SETTLE_STATE_END ||
	    row[2] > 1)
		return FB_STORAGE;
	fixed = fixed_of[row[0]];
	if (value.len != fixed + row[3])
		return FB_STORAGE;
	r.state = (enum fb_settle_state)row[1];
	r.granted = row[2] == 1;
	read_first(&r, row + 4);
	if (row[0] >= 2)
		read_second(&r, row + FIXED_1);
	else if (r.state > FB_SETTLE_LOST || (r.granted && r.state != FB_SETTLE_INCLUDED))
		return FB_STORAGE;
	if (row[0] >= 3)
		read_third(&r, row + FIXED_2);
	if (reason_of(&r.reason, (struct fb_str){ value.at + fixed, row[3] }) != FB_OK)
		return FB_STORAGE;
	*out = r;
	return FB_OK;
}
