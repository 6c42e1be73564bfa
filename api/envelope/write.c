/* Money, times and ids as both contracts write them. */
#include "farebox/envelope.h"

#include <string.h>

enum { MONEY_MAX = 64, TIME_MAX = 32, DECIMALS_SHOWN = 2 };

void fb_jw_kv_money(struct fb_jw *w, const char *key, struct fb_amount a)
{
	char block[MONEY_MAX];
	struct fb_str whole, fraction = { "", 0 };
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_amount_decimal(&b, a, FB_ENVELOPE_DECIMALS);
	if (!fb_str_split(&whole, &fraction, fb_buf_view(&b), '.'))
		fb_buf_char(&b, '.');
	for (size_t i = fraction.len; i < DECIMALS_SHOWN; i++)
		fb_buf_char(&b, '0');
	FB_ASSERT(!b.overflowed);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

/* Days since 1970 to year, month, day: the calendar repeats every 400 years of 146097 days, which are counted from
 * March on, so that the leap day is a year's last. */
static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
	uint64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day = (unsigned)(of_year - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

void fb_jw_kv_time(struct fb_jw *w, const char *key, int64_t us)
{
	uint64_t ms = us < 0 ? 0 : (uint64_t)us / 1000, s = ms / 1000 % 86400;
	unsigned year, month, day;
	char block[TIME_MAX];
	struct fb_buf b;

	date_of(ms / 86400000, &year, &month, &day);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_printf(&b, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day, (unsigned)(s / 3600),
		      (unsigned)(s / 60 % 60), (unsigned)(s % 60), (unsigned)(ms % 1000));
	FB_ASSERT(!b.overflowed);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

void fb_jw_kv_uuid(struct fb_jw *w, const char *key, const struct fb_uuid *u)
{
	char block[FB_UUID_TEXT_LEN];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_uuid(&b, u);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}
