/* Stored form of a lane (DATA.md, keys L, M, N and G): its rows, and where each was mined. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 2, V1_FIXED = 1 + 32 + 8 + 16 + 4 + 1, FIXED = FB_LANE_ROW_FIXED };

static void key_of(uint8_t out[FB_LANE_KEY_LEN], char tag, const struct fb_lane *lane, uint64_t last)
{
	out[0] = (uint8_t)tag;
	fb_put_be64(out + 1, lane->settings.chain_id);
	memcpy(out + 9, lane->signer.bytes, 20);
	fb_put_be64(out + 29, last);
}

void fb_lane_row_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint64_t nonce)
{
	key_of(out, 'L', lane, nonce);
}

void fb_lane_mined_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint64_t nonce)
{
	key_of(out, 'M', lane, nonce);
}

void fb_lane_counter_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane)
{
	key_of(out, 'N', lane, 0);
}

void fb_lane_gas_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint32_t day)
{
	key_of(out, 'G', lane, day);
}

const struct fb_hash *fb_lane_row_tx(const struct fb_lane_row *row)
{
	FB_ASSERT(row->attempt_count > 0);
	return &row->attempts[row->attempt_count - 1];
}

void fb_lane_row_clear(struct fb_lane_row *row)
{
	free(row->owner);
	free(row->raw);
	row->owner = row->raw = NULL;
}

size_t fb_lane_row_encode(uint8_t out[FB_LANE_ROW_MAX], const struct fb_lane_row *row)
{
	uint8_t *p = out + FIXED;

	FB_ASSERT(row->raw_len > 0 && row->raw_len <= FB_LANE_RAW_MAX);
	FB_ASSERT(row->owner_len <= FB_LANE_OWNER_MAX);
	FB_ASSERT(row->attempt_count > 0 && row->attempt_count <= FB_LANE_ATTEMPTS_MAX);
	out[0] = VERSION;
	out[1] = (uint8_t)row->attempt_count;
	fb_put_be16(out + 2, (uint16_t)row->owner_len);
	fb_put_be64(out + 4, row->gas_limit);
	fb_put_be128(out + 12, row->max_fee);
	fb_put_be32(out + 28, row->day);
	for (size_t i = 0; i < row->attempt_count; i++, p += 32)
		memcpy(p, row->attempts[i].bytes, 32);
	if (row->owner_len > 0)
		memcpy(p, row->owner, row->owner_len);
	p += row->owner_len;
	memcpy(p, row->raw, row->raw_len);
	return (size_t)(p - out) + row->raw_len;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = fb_must_alloc(len == 0 ? 1 : len, 1);

	memcpy(copy, bytes, len);
	return copy;
}

/* What both versions end with: the owner's key and the signed bytes, from `at` on. */
static enum fb_status take_tail(struct fb_lane_row *row, const uint8_t *p, size_t at, size_t len)
{
	struct fb_hash hash;

	if (row->owner_len > FB_LANE_OWNER_MAX || at + row->owner_len >= len)
		return FB_STORAGE;
	row->raw_len = len - at - row->owner_len;
	if (row->raw_len > FB_LANE_RAW_MAX)
		return FB_STORAGE;
	hash = fb_keccak256(p + at + row->owner_len, row->raw_len);
	if (!fb_hash_eq(&hash, fb_lane_row_tx(row)))
		return FB_STORAGE; /* the hash is the row's own checksum */
	row->owner = copy_of(p + at, row->owner_len);
	row->raw = copy_of(p + at + row->owner_len, row->raw_len);
	return FB_OK;
}

static enum fb_status decode_v1(struct fb_lane_row *row, const uint8_t *p, size_t len)
{
	if (len <= V1_FIXED)
		return FB_STORAGE;
	row->attempt_count = 1;
	memcpy(row->attempts[0].bytes, p + 1, 32);
	row->gas_limit = fb_get_be64(p + 33);
	row->max_fee = fb_get_be128(p + 41);
	row->day = fb_get_be32(p + 57);
	row->owner_len = p[61];
	return take_tail(row, p, V1_FIXED, len);
}

static enum fb_status decode_v2(struct fb_lane_row *row, const uint8_t *p, size_t len)
{
	if (len <= FIXED || p[1] == 0 || p[1] > FB_LANE_ATTEMPTS_MAX || len <= FIXED + 32 * (size_t)p[1])
		return FB_STORAGE;
	row->attempt_count = p[1];
	row->owner_len = fb_get_be16(p + 2);
	row->gas_limit = fb_get_be64(p + 4);
	row->max_fee = fb_get_be128(p + 12);
	row->day = fb_get_be32(p + 28);
	for (size_t i = 0; i < row->attempt_count; i++)
		memcpy(row->attempts[i].bytes, p + FIXED + 32 * i, 32);
	return take_tail(row, p, FIXED + 32 * row->attempt_count, len);
}

enum fb_status fb_lane_row_decode(struct fb_lane_row *out, struct fb_str key, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_lane_row row = { .step = FB_LANE_WAITING };
	enum fb_status st = FB_STORAGE;

	if (key.len != FB_LANE_KEY_LEN || value.len == 0 || value.len > FB_LANE_ROW_MAX)
		return FB_STORAGE;
	row.nonce = fb_get_be64((const uint8_t *)key.at + 29);
	if (p[0] == VERSION)
		st = decode_v2(&row, p, value.len);
	else if (p[0] == 1)
		st = decode_v1(&row, p, value.len);
	if (st == FB_OK)
		*out = row;
	return st;
}

/* ---- where it was mined ------------------------------------------------------------------------- */

enum { MINED_VERSION = 1 };
_Static_assert(FB_LANE_MINED_LEN == 1 + 32 + 8 + 32 + 16, "on-disk format");

void fb_lane_mined_encode(uint8_t out[FB_LANE_MINED_LEN], const struct fb_lane_mined *m)
{
	out[0] = MINED_VERSION;
	memcpy(out + 1, m->tx.bytes, 32);
	fb_put_be64(out + 33, m->block);
	memcpy(out + 41, m->block_hash.bytes, 32);
	fb_put_be128(out + 73, m->cost);
}

enum fb_status fb_lane_mined_decode(struct fb_lane_mined *out, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;

	if (value.len != FB_LANE_MINED_LEN || p[0] != MINED_VERSION)
		return FB_STORAGE;
	memcpy(out->tx.bytes, p + 1, 32);
	out->block = fb_get_be64(p + 33);
	memcpy(out->block_hash.bytes, p + 41, 32);
	out->cost = fb_get_be128(p + 73);
	return FB_OK;
}
