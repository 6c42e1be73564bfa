/* A stored settlement. Property: what is read is written back to the same bytes, and what is written is read; a row of
 * an earlier version is written as one of today's that says the same. */
#include "settle_int.h"

#include <string.h>

/* Bytes of each version before the reason. */
static const size_t fixed[] = { 0, 144, 229, 269 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_settle_record r = { .state = FB_SETTLE_STATE_END };
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len;
	enum fb_status st = fb_settle_record_decode(&r, (struct fb_str){ (const char *)data, size });

	FB_ASSERT(st == FB_OK || st == FB_STORAGE);
	FB_ASSERT(st == FB_OK || r.state == FB_SETTLE_STATE_END); /* untouched */
	if (st != FB_OK)
		return 0;
	FB_ASSERT(r.state > 0 && r.state < FB_SETTLE_STATE_END && r.reason < FB_REASON_END);
	len = fb_settle_record_encode(row, &r);
	if (data[0] == 3) {
		FB_ASSERT(len == size && memcmp(row, data, size) == 0);
		return 0;
	}
	FB_ASSERT(len > size && memcmp(row + 1, data + 1, fixed[data[0]] - 1) == 0);
	FB_ASSERT(memcmp(row + len - data[3], data + fixed[data[0]], data[3]) == 0);
	FB_ASSERT(fb_settle_record_decode(&r, (struct fb_str){ (const char *)row, len }) == FB_OK);
	return 0;
}
