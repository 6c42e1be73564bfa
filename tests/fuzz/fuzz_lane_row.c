/* A stored transaction. The signed bytes carry their hash, which chance never meets: so the input is a row without it,
 * and the hash of its newest attempt is put in. Property: what is read is written back to the same bytes (a row of the
 * first version: to one that reads the same); and without the right hash it is refused. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { V1_OWNER_LEN_AT = 61, V1_FIXED = 62 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fb_status decode(struct fb_lane_row *row, const uint8_t *bytes, size_t len)
{
	static const uint8_t key[FB_LANE_KEY_LEN] = { 'L' };

	return fb_lane_row_decode(row, (struct fb_str){ (const char *)key, sizeof(key) },
				  (struct fb_str){ (const char *)bytes, len });
}

static void check_same(const struct fb_lane_row *row, const uint8_t *bytes, size_t len)
{
	struct fb_lane_row got;

	FB_ASSERT(decode(&got, bytes, len) == FB_OK);
	FB_ASSERT(got.attempt_count == row->attempt_count && got.gas_limit == row->gas_limit &&
		  got.max_fee == row->max_fee && got.day == row->day);
	FB_ASSERT(got.owner_len == row->owner_len && memcmp(got.owner, row->owner, row->owner_len) == 0);
	FB_ASSERT(got.raw_len == row->raw_len && memcmp(got.raw, row->raw, row->raw_len) == 0);
	fb_lane_row_clear(&got);
}

static void check_row(const struct fb_lane_row *row, const uint8_t *bytes, size_t len)
{
	static uint8_t again[FB_LANE_ROW_MAX];
	size_t written;

	FB_ASSERT(row->raw_len > 0 && row->raw_len <= FB_LANE_RAW_MAX && row->owner_len <= FB_LANE_OWNER_MAX);
	FB_ASSERT(row->attempt_count > 0 && row->attempt_count <= FB_LANE_ATTEMPTS_MAX);
	written = fb_lane_row_encode(again, row);
	if (bytes[0] == 1)
		check_same(row, again, written);
	else
		FB_ASSERT(written == len && memcmp(again, bytes, len) == 0);
}

/* Where the newest hash and the signed bytes stand in a row that might be one; false if it is too short. */
static bool places(size_t *hash_at, size_t *raw_at, const uint8_t *bytes, size_t size)
{
	if (size <= V1_FIXED)
		return false;
	if (bytes[0] == 1) {
		*hash_at = 1;
		*raw_at = (size_t)V1_FIXED + bytes[V1_OWNER_LEN_AT];
	} else {
		*hash_at = FB_LANE_ROW_FIXED + 32 * ((size_t)bytes[1] - (bytes[1] > 0));
		*raw_at = *hash_at + 32 + fb_get_be16(bytes + 2);
	}
	return *hash_at + 32 <= *raw_at && *raw_at < size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	struct fb_lane_row row;
	size_t hash_at, raw_at;

	FB_ASSERT(bytes != NULL);
	memcpy(bytes, data, size);
	if (decode(&row, bytes, size) == FB_OK) {
		check_row(&row, bytes, size);
		fb_lane_row_clear(&row);
	}
	if (places(&hash_at, &raw_at, bytes, size)) {
		struct fb_hash hash = fb_keccak256(bytes + raw_at, size - raw_at);

		memcpy(bytes + hash_at, hash.bytes, sizeof(hash.bytes));
		if (decode(&row, bytes, size) == FB_OK) {
			check_row(&row, bytes, size);
			fb_lane_row_clear(&row);
			bytes[hash_at] ^= 1;
			FB_ASSERT(decode(&row, bytes, size) == FB_STORAGE);
		}
	}
	free(bytes);
	return 0;
}
