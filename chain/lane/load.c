/* What earlier lives left: rows, where they were mined, the counter, the day's gas. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_TIP_WEI = 1000000000 /* until a transaction shows what is usual */ };

/* A row of one number; 0 if there is none. */
static enum fb_status load_number(fb_u128 *out, struct fb_lane *lane, const uint8_t key[FB_LANE_KEY_LEN])
{
	uint8_t value[16];
	size_t len;
	enum fb_status st = fb_store_get(lane->ports.store, value, &len, sizeof(value),
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

	if (load->lane->open == FB_LANE_ROWS_MAX)
		load->status = FB_STORAGE;
	else
		load->status = fb_lane_row_decode(row, key, value);
	if (load->status != FB_OK) {
		free(row);
		return false;
	}
	row->attempt_ms = fb_lane_now_ms(load->lane);
	fb_lane_insert(load->lane, row);
	return true;
}

static bool is_attempt(const struct fb_lane_row *row, const struct fb_hash *tx)
{
	for (size_t i = 0; i < row->attempt_count; i++)
		if (fb_hash_eq(&row->attempts[i], tx))
			return true;
	return false;
}

/* Stands for a row that was read before, and for one of its attempts. */
static bool load_mined(void *arg, struct fb_str key, struct fb_str value)
{
	struct load *load = arg;
	struct fb_lane_mined mined;
	struct fb_lane_row *row = NULL;

	load->status = key.len == FB_LANE_KEY_LEN ? fb_lane_mined_decode(&mined, value) : FB_STORAGE;
	if (load->status == FB_OK)
		row = fb_lane_find(load->lane, fb_get_be64((const uint8_t *)key.at + 29));
	if (row == NULL || !is_attempt(row, &mined.tx)) {
		load->status = FB_STORAGE;
		return false;
	}
	row->mined = mined;
	fb_lane_set_included(row);
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

static enum fb_status scan(struct fb_lane *lane,
			   void (*key_of)(uint8_t *out, const struct fb_lane *lane, uint64_t nonce),
			   bool (*each)(void *arg, struct fb_str key, struct fb_str value))
{
	uint8_t key[FB_LANE_KEY_LEN];
	struct load load = { .lane = lane };
	enum fb_status st;

	key_of(key, lane, 0);
	st = fb_store_scan(lane->ports.store, (struct fb_str){ (const char *)key, FB_LANE_KEY_LEN - 8 }, each, &load);
	return st != FB_OK ? st : load.status;
}

static enum fb_status load_numbers(struct fb_lane *lane)
{
	uint8_t key[FB_LANE_KEY_LEN];
	fb_u128 counter = 0;
	enum fb_status st;

	fb_lane_counter_key(key, lane);
	st = load_number(&counter, lane, key);
	lane->day = fb_lane_today(lane);
	fb_lane_gas_key(key, lane, lane->day);
	if (st == FB_OK)
		st = load_number(&lane->spent, lane, key);
	if (st == FB_OK && (counter < next_after(lane) || counter > UINT64_MAX))
		st = FB_STORAGE;
	lane->next_nonce = (uint64_t)counter; /* L3 */
	return st;
}

enum fb_status fb_lane_load(struct fb_lane *lane, struct fb_error *e)
{
	enum fb_status st = scan(lane, fb_lane_row_key, load_row);

	if (st == FB_OK)
		st = scan(lane, fb_lane_mined_key, load_mined);
	if (st == FB_OK)
		st = load_numbers(lane);
	lane->tip = FIRST_TIP_WEI;
	if (st != FB_OK)
		return fb_error_set(e, st,
				    "the stored transactions of the signer cannot be read: restore the data directory "
				    "from a backup");
	return FB_OK;
}
