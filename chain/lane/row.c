/* Stored form of a lane: open rows, the nonce counter, the gas of a day (DATA.md, keys L, N and G). */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, FIXED = 1 + 32 + 8 + 16 + 4 + 1 };

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

void fb_lane_counter_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane)
{
	key_of(out, 'N', lane, 0);
}

void fb_lane_gas_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint32_t day)
{
	key_of(out, 'G', lane, day);
}

size_t fb_lane_row_encode(uint8_t out[FB_LANE_ROW_MAX], const struct fb_lane_row *row)
{
	uint8_t *p = out;

	FB_ASSERT(row->raw_len <= FB_LANE_RAW_MAX);
	FB_ASSERT(row->owner_len <= FB_LANE_OWNER_MAX);
	*p++ = VERSION;
	memcpy(p, row->tx.bytes, 32);
	fb_put_be64(p + 32, row->gas_limit);
	fb_put_be128(p + 40, row->max_fee);
	fb_put_be32(p + 56, row->day);
	p[60] = row->owner_len;
	p += 61;
	memcpy(p, row->owner, row->owner_len);
	p += row->owner_len;
	memcpy(p, row->raw, row->raw_len);
	return (size_t)(p - out) + row->raw_len;
}

enum fb_status fb_lane_row_decode(struct fb_lane_row *out, struct fb_str key, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct fb_lane_row row = { .step = FB_LANE_WAITING };
	size_t raw_at;

	if (key.len != FB_LANE_KEY_LEN || value.len <= FIXED || value.len > FB_LANE_ROW_MAX || p[0] != VERSION)
		return FB_STORAGE;
	memcpy(row.tx.bytes, p + 1, 32);
	row.nonce = fb_get_be64((const uint8_t *)key.at + 29);
	row.gas_limit = fb_get_be64(p + 33);
	row.max_fee = fb_get_be128(p + 41);
	row.day = fb_get_be32(p + 57);
	row.owner_len = p[61];
	raw_at = (size_t)FIXED + row.owner_len;
	if (row.owner_len > FB_LANE_OWNER_MAX || raw_at >= value.len || value.len - raw_at > FB_LANE_RAW_MAX)
		return FB_STORAGE;
	memcpy(row.owner, p + FIXED, row.owner_len);
	row.raw_len = value.len - raw_at;
	row.raw = fb_must_alloc(row.raw_len, 1);
	memcpy(row.raw, p + raw_at, row.raw_len);
	if (memcmp(fb_keccak256(row.raw, row.raw_len).bytes, row.tx.bytes, 32) != 0) {
		free(row.raw);
		return FB_STORAGE; /* the hash is the row's own checksum */
	}
	*out = row;
	return FB_OK;
}

/* A row of one number; 0 if there is none. */
static enum fb_status load_number(fb_u128 *out, struct fb_lane *lane, const uint8_t key[FB_LANE_KEY_LEN])
{
	uint8_t value[16];
	size_t len;
	enum fb_status st = fb_store_get(lane->store, value, &len, sizeof(value),
					 (struct fb_str){ (const char *)key, FB_LANE_KEY_LEN });

	*out = 0;
	if (st == FB_NOT_FOUND)
		return FB_OK;
	if (st != FB_OK || len != sizeof(value))
		return FB_STORAGE;
	*out = fb_get_be128(value);
	return FB_OK;
}

struct load {
	struct fb_lane *lane;
	enum fb_status status;
};

static bool load_row(void *arg, struct fb_str key, struct fb_str value)
{
	struct load *load = arg;
	struct fb_lane_row *row = fb_must_alloc(1, sizeof(*row));

	if (load->lane->open == FB_LANE_OPEN_MAX)
		load->status = FB_STORAGE;
	else
		load->status = fb_lane_row_decode(row, key, value);
	if (load->status != FB_OK) {
		free(row);
		return false;
	}
	row->lane = load->lane;
	fb_lane_insert(load->lane, row);
	return true;
}

/* The counter was stored with every row, so it stands behind all of them. */
static fb_u128 next_after(const struct fb_lane *lane)
{
	const struct fb_lane_row *row = lane->rows;

	while (row != NULL && row->next != NULL)
		row = row->next;
	return row == NULL ? 0 : (fb_u128)row->nonce + 1;
}

enum fb_status fb_lane_load(struct fb_lane *lane, struct fb_error *e)
{
	uint8_t key[FB_LANE_KEY_LEN];
	struct load load = { .lane = lane };
	fb_u128 counter = 0, spent = 0;
	enum fb_status st;

	fb_lane_row_key(key, lane, 0);
	st = fb_store_scan(lane->store, (struct fb_str){ (const char *)key, FB_LANE_KEY_LEN - 8 }, load_row, &load);
	if (st == FB_OK)
		st = load.status;
	if (st == FB_OK) {
		fb_lane_counter_key(key, lane);
		st = load_number(&counter, lane, key);
	}
	if (st == FB_OK) {
		lane->day = fb_lane_today(lane);
		fb_lane_gas_key(key, lane, lane->day);
		st = load_number(&spent, lane, key);
	}
	if (st == FB_OK && (counter < next_after(lane) || counter > UINT64_MAX))
		st = FB_STORAGE;
	if (st != FB_OK)
		return fb_error_set(e, st,
				    "the stored transactions of the signer cannot be read: restore the data directory "
				    "from a backup");
	lane->next_nonce = (uint64_t)counter; /* L3 */
	lane->spent = spent;
	return FB_OK;
}
