/* Ids and stored form (DATA.md): W a withdrawal, V an open one by owner, X all by owner and time. */
#include "payout_int.h"

#include "farebox/crypto.h"

#include <string.h>

enum {
	VERSION = 1,
	STATE = 1, REASON = 2, HELD = 3, OWNER = 4, TO = 24, AMOUNT = 44, FEE = 60, PAYOUT_ID = 76, CREATED = 108,
	UPDATED = 116, SINCE = 124, JOB = 132, TX = 140, BLOCK = 172, BLOCK_HASH = 180, TRIES = 212, END = 216,
};
_Static_assert((int)END == (int)FB_PAYOUT_ROW_LEN, "a row's length");

static const char *const status_texts[] = {
#define X(name, num, text) [num] = text,
	FB_PAYOUT_STATES(X)
#undef X
};
static const char *const state_names[] = {
#define X(name, num, text) [num] = #name,
	FB_PAYOUT_STATES(X)
#undef X
};

const char *fb_payout_status_text(enum fb_payout_state s)
{
	FB_ASSERT(s < FB_PAYOUT_STATE_END);
	return status_texts[s];
}

const char *fb_payout_state_name(enum fb_payout_state s)
{
	FB_ASSERT(s < FB_PAYOUT_STATE_END);
	return state_names[s];
}

bool fb_payout_is_over(enum fb_payout_state s)
{
	return s == FB_PAYOUT_COMPLETED || s == FB_PAYOUT_FAILED;
}

struct fb_amount fb_payout_net(const struct fb_withdrawal *w)
{
	struct fb_amount net = { 0 };

	FB_ASSERT(fb_amount_sub(&net, w->amount, w->fee) == FB_OK);
	return net;
}

/* ---- ids --------------------------------------------------------------------------------------------------------- */

static void hash_amount(struct fb_keccak *k, struct fb_amount a)
{
	uint8_t word[32];

	fb_u256_to_be(word, fb_u256_from_amount(a));
	fb_keccak_update(k, word, sizeof(word));
}

static void hash_escrow(struct fb_keccak *k, const char *tag, const struct fb_escrow *e)
{
	uint8_t chain[8];

	fb_put_be64(chain, e->chain_id);
	fb_keccak_init(k);
	fb_keccak_update(k, tag, strlen(tag) + 1);
	fb_keccak_update(k, chain, sizeof(chain));
	fb_keccak_update(k, e->address.bytes, sizeof(e->address.bytes));
}

struct fb_hash fb_payout_id_of(const struct fb_escrow *e, const struct fb_withdrawal *w)
{
	struct fb_keccak k;
	struct fb_hash h;

	hash_escrow(&k, "farebox payout", e);
	fb_keccak_update(&k, w->id.bytes, sizeof(w->id.bytes));
	fb_keccak_update(&k, w->owner.bytes, sizeof(w->owner.bytes));
	fb_keccak_update(&k, w->to.bytes, sizeof(w->to.bytes));
	hash_amount(&k, w->amount);
	hash_amount(&k, w->fee);
	h = fb_keccak_final(&k);
	memmove(h.bytes + 16, h.bytes, 16);
	memcpy(h.bytes, w->id.bytes, 16);
	return h;
}

struct fb_uuid fb_payout_keyed_id(const struct fb_escrow *e, const struct fb_owner *owner, struct fb_str key)
{
	struct fb_keccak k;
	struct fb_hash h;

	hash_escrow(&k, "farebox withdrawal", e);
	fb_keccak_update(&k, owner->bytes, sizeof(owner->bytes));
	fb_keccak_update(&k, key.at, key.len);
	h = fb_keccak_final(&k);
	return fb_uuid_make(h.bytes);
}

fb_id fb_payout_op_id(const struct fb_withdrawal *w, enum fb_payout_code what)
{
	uint8_t bytes[32 + 2];
	struct fb_hash h;
	fb_id id;

	memcpy(bytes, w->payout_id.bytes, 32);
	fb_put_be16(bytes + 32, (uint16_t)what);
	h = fb_keccak256(bytes, sizeof(bytes));
	id = fb_get_be128(h.bytes) >> 1; /* below the ids that may not be */
	return id == 0 ? 1 : id;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

void fb_payout_prefix(uint8_t out[FB_PAYOUT_PREFIX_LEN], char tag, const struct fb_escrow *e)
{
	out[0] = (uint8_t)tag;
	fb_put_be64(out + 1, e->chain_id);
	memcpy(out + 9, e->address.bytes, 20);
}

void fb_payout_row_key(uint8_t out[FB_PAYOUT_ROW_KEY_LEN], const struct fb_escrow *e, const struct fb_uuid *id)
{
	fb_payout_prefix(out, 'W', e);
	memcpy(out + FB_PAYOUT_PREFIX_LEN, id->bytes, 16);
}

void fb_payout_open_key(uint8_t out[FB_PAYOUT_OPEN_KEY_LEN], const struct fb_escrow *e, const struct fb_withdrawal *w)
{
	fb_payout_prefix(out, 'V', e);
	memcpy(out + FB_PAYOUT_PREFIX_LEN, w->owner.bytes, FB_OWNER_LEN);
	memcpy(out + FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN, w->id.bytes, 16);
}

/* Newest first: the time is turned round. */
void fb_payout_index_key(uint8_t out[FB_PAYOUT_INDEX_KEY_LEN], const struct fb_escrow *e, const struct fb_withdrawal *w)
{
	fb_payout_prefix(out, 'X', e);
	memcpy(out + FB_PAYOUT_PREFIX_LEN, w->owner.bytes, FB_OWNER_LEN);
	fb_put_be64(out + FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN, UINT64_MAX - (uint64_t)w->created_us);
	memcpy(out + FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN + 8, w->id.bytes, 16);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* As 16 bytes: amounts are below 2^127. */
static void put_amount(uint8_t *p, struct fb_amount a)
{
	uint8_t word[32];

	fb_u256_to_be(word, fb_u256_from_amount(a));
	memcpy(p, word + 16, 16);
}

static enum fb_status get_amount(struct fb_amount *out, const uint8_t *p)
{
	uint8_t word[32] = { 0 };

	memcpy(word + 16, p, 16);
	return fb_u256_to_amount(out, fb_u256_from_be(word)) == FB_OK ? FB_OK : FB_STORAGE;
}

void fb_payout_encode_amount(uint8_t out[FB_PAYOUT_AMOUNT_LEN], struct fb_amount a)
{
	out[0] = VERSION;
	put_amount(out + 1, a);
}

enum fb_status fb_payout_decode_amount(struct fb_amount *out, struct fb_str value)
{
	if (value.len != FB_PAYOUT_AMOUNT_LEN || value.at[0] != VERSION)
		return FB_STORAGE;
	return get_amount(out, (const uint8_t *)value.at + 1);
}

void fb_payout_encode(uint8_t out[FB_PAYOUT_ROW_LEN], const struct fb_withdrawal *w)
{
	FB_ASSERT(w->state != FB_PAYOUT_NONE && w->state < FB_PAYOUT_STATE_END);
	out[0] = VERSION;
	out[STATE] = (uint8_t)w->state;
	out[REASON] = (uint8_t)w->reason;
	out[HELD] = w->held;
	memcpy(out + OWNER, w->owner.bytes, FB_OWNER_LEN);
	memcpy(out + TO, w->to.bytes, 20);
	put_amount(out + AMOUNT, w->amount);
	put_amount(out + FEE, w->fee);
	memcpy(out + PAYOUT_ID, w->payout_id.bytes, 32);
	fb_put_be64(out + CREATED, (uint64_t)w->created_us);
	fb_put_be64(out + UPDATED, (uint64_t)w->updated_us);
	fb_put_be64(out + SINCE, w->since);
	fb_put_be64(out + JOB, w->job);
	memcpy(out + TX, w->tx.bytes, 32);
	fb_put_be64(out + BLOCK, w->block);
	memcpy(out + BLOCK_HASH, w->block_hash.bytes, 32);
	fb_put_be32(out + TRIES, w->tries);
}

static void read_fields(struct fb_withdrawal *w, const uint8_t *p)
{
	w->state = (enum fb_payout_state)p[STATE];
	w->reason = (enum fb_escrow_refusal)p[REASON];
	w->held = p[HELD] == 1;
	memcpy(w->owner.bytes, p + OWNER, FB_OWNER_LEN);
	memcpy(w->to.bytes, p + TO, 20);
	memcpy(w->payout_id.bytes, p + PAYOUT_ID, 32);
	w->created_us = (int64_t)fb_get_be64(p + CREATED);
	w->updated_us = (int64_t)fb_get_be64(p + UPDATED);
	w->since = fb_get_be64(p + SINCE);
	w->job = fb_get_be64(p + JOB);
	memcpy(w->tx.bytes, p + TX, 32);
	w->block = fb_get_be64(p + BLOCK);
	memcpy(w->block_hash.bytes, p + BLOCK_HASH, 32);
	w->tries = fb_get_be32(p + TRIES);
}

static bool is_row(const struct fb_escrow *e, struct fb_str key, struct fb_str value)
{
	uint8_t prefix[FB_PAYOUT_PREFIX_LEN];
	const uint8_t *p = (const uint8_t *)value.at;

	fb_payout_prefix(prefix, 'W', e);
	return key.len == FB_PAYOUT_ROW_KEY_LEN && memcmp(key.at, prefix, sizeof(prefix)) == 0 &&
	       value.len == FB_PAYOUT_ROW_LEN && p[0] == VERSION && p[STATE] != FB_PAYOUT_NONE &&
	       p[STATE] < FB_PAYOUT_STATE_END && p[REASON] <= FB_ESCROW_REFUSAL_TOKEN_REFUSED && p[HELD] <= 1;
}

enum fb_status fb_payout_decode(struct fb_withdrawal *out, const struct fb_escrow *e, struct fb_str key,
				struct fb_str value)
{
	struct fb_withdrawal w = { .state = FB_PAYOUT_NONE };
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_hash id;

	if (!is_row(e, key, value))
		return FB_STORAGE;
	memcpy(w.id.bytes, key.at + FB_PAYOUT_PREFIX_LEN, 16);
	read_fields(&w, p);
	if (get_amount(&w.amount, p + AMOUNT) != FB_OK || get_amount(&w.fee, p + FEE) != FB_OK ||
	    fb_amount_cmp(w.amount, w.fee) <= 0)
		return FB_STORAGE;
	id = fb_payout_id_of(e, &w);
	if (!fb_hash_eq(&id, &w.payout_id)) /* W2 */
		return FB_STORAGE;
	*out = w;
	return FB_OK;
}
