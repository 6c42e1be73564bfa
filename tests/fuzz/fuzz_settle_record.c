/* A stored settlement. Property: what is read is written back to the same bytes, and what is written is read. */
#include "settle_int.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_settle_record r = { .state = FB_SETTLE_STATE_END };
	uint8_t row[FB_SETTLE_ROW_MAX];
	enum fb_status st = fb_settle_record_decode(&r, (struct fb_str){ (const char *)data, size });

	FB_ASSERT(st == FB_OK || st == FB_STORAGE);
	FB_ASSERT(st == FB_OK || r.state == FB_SETTLE_STATE_END); /* untouched */
	if (st != FB_OK)
		return 0;
	FB_ASSERT(r.state > 0 && r.state < FB_SETTLE_STATE_END && r.reason < FB_REASON_END);
	FB_ASSERT(fb_settle_record_encode(row, &r) == size && memcmp(row, data, size) == 0);
	return 0;
}
