/* A stored transaction. The signed bytes carry their hash, which chance never meets: so the input is a row without it,
 * and the hash is put in. Property: what is read is written back to the same bytes; and without the right hash it is
 * refused. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { HASH_AT = 1, OWNER_LEN_AT = 61, FIXED = 62 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fb_status decode(struct fb_lane_row *row, const uint8_t *bytes, size_t len)
{
	static const uint8_t key[FB_LANE_KEY_LEN] = { 'L' };

	return fb_lane_row_decode(row, (struct fb_str){ (const char *)key, sizeof(key) },
				  (struct fb_str){ (const char *)bytes, len });
}

static void check_row(const struct fb_lane_row *row, const uint8_t *bytes, size_t len)
{
	static uint8_t again[FB_LANE_ROW_MAX];

	FB_ASSERT(row->raw_len > 0 && row->raw_len <= FB_LANE_RAW_MAX && row->owner_len <= FB_LANE_OWNER_MAX);
	FB_ASSERT(fb_lane_row_encode(again, row) == len && memcmp(again, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	struct fb_lane_row row;
	size_t raw_at;

	FB_ASSERT(bytes != NULL);
	memcpy(bytes, data, size);
	if (decode(&row, bytes, size) == FB_OK) {
		check_row(&row, bytes, size);
		free(row.raw);
	}
	raw_at = size > FIXED ? (size_t)FIXED + bytes[OWNER_LEN_AT] : size;
	if (raw_at < size) {
		struct fb_hash hash = fb_keccak256(bytes + raw_at, size - raw_at);

		memcpy(bytes + HASH_AT, hash.bytes, sizeof(hash.bytes));
		if (decode(&row, bytes, size) == FB_OK) {
			check_row(&row, bytes, size);
			free(row.raw);
			bytes[HASH_AT] ^= 1;
			FB_ASSERT(decode(&row, bytes, size) == FB_STORAGE);
		}
	}
	free(bytes);
	return 0;
}
