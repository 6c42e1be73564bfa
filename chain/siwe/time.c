/* Times by RFC 3339, in Unix microseconds. */
#include "farebox/siwe.h"

#include <string.h>

enum { MICROSECOND_DIGITS = 6 };

static bool take_digits(unsigned *out, struct fb_str *rest, size_t count)
{
	unsigned v = 0;

	if (rest->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest->at[i] < '0' || rest->at[i] > '9')
			return false;
		v = v * 10 + (unsigned)(rest->at[i] - '0');
	}
	*out = v;
	*rest = (struct fb_str){ rest->at + count, rest->len - count };
	return true;
}

static bool take(struct fb_str *rest, char c)
{
	if (rest->len == 0 || rest->at[0] != c)
		return false;
	*rest = (struct fb_str){ rest->at + 1, rest->len - 1 };
	return true;
}

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01; the year counts from March, so that the leap day is its last. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2), m = month <= 2 ? month + 9 : month - 3;
	int64_t leaps = (y + 400) / 4 - (y + 400) / 100 + (y + 400) / 400 - 97; /* 400 years more: y may be -1 */

	return 365 * y + leaps + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool take_date(int64_t *days, struct fb_str *rest)
{
	unsigned year, month, day;

	if (!take_digits(&year, rest, 4) || !take(rest, '-') || !take_digits(&month, rest, 2) || !take(rest, '-') ||
	    !take_digits(&day, rest, 2) || month < 1 || month > 12 || day < 1 || day > days_in(year, month))
		return false;
	*days = days_of(year, month, day);
	return true;
}

static bool take_minutes(int64_t *minutes, struct fb_str *rest)
{
	unsigned hour, minute;

	if (!take_digits(&hour, rest, 2) || !take(rest, ':') || !take_digits(&minute, rest, 2) || hour > 23 || minute > 59)
		return false;
	*minutes = (int64_t)hour * 60 + minute;
	return true;
}

/* Digits beyond microseconds are cut. */
static bool take_fraction(int64_t *us, struct fb_str *rest)
{
	size_t digits = 0;

	*us = 0;
	if (!take(rest, '.'))
		return true;
	while (digits < rest->len && rest->at[digits] >= '0' && rest->at[digits] <= '9') {
		if (digits < MICROSECOND_DIGITS)
			*us = *us * 10 + (rest->at[digits] - '0');
		digits++;
	}
	for (size_t i = digits; i < MICROSECOND_DIGITS; i++)
		*us *= 10;
	*rest = (struct fb_str){ rest->at + digits, rest->len - digits };
	return digits > 0;
}

static bool take_offset(int64_t *minutes, struct fb_str *rest)
{
	bool west;

	*minutes = 0;
	if (take(rest, 'Z'))
		return true;
	west = take(rest, '-');
	if ((!west && !take(rest, '+')) || !take_minutes(minutes, rest))
		return false;
	if (west)
		*minutes = -*minutes;
	return true;
}

enum fb_status fb_siwe_time(int64_t *out_us, struct fb_str text)
{
	int64_t days, minutes, us, offset;
	struct fb_str rest = text;
	unsigned second;

	if (!take_date(&days, &rest) || !take(&rest, 'T') || !take_minutes(&minutes, &rest) || !take(&rest, ':') ||
	    !take_digits(&second, &rest, 2) || second > 59 || !take_fraction(&us, &rest) || !take_offset(&offset, &rest) ||
	    rest.len > 0)
		return FB_BAD_SYNTAX;
	*out_us = ((days * 1440 + minutes - offset) * 60 + second) * 1000000 + us;
	return FB_OK;
}
