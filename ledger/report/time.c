/* Times as RFC 3339 texts and back, without a locale or a time zone of the machine. Proleptic Gregorian, UTC. */
#include "farebox/report.h"

enum {
	SECOND_US = 1000000,
	DAY_S = 86400,
	FRACTION_DIGITS = 6,
	DATE_TIME_LEN = 19, /* "2026-01-31T12:00:00" */
	OFFSET_LEN = 6,     /* "+01:00" */
	OFFSET_HOURS_MAX = 23,
	YEAR_FIRST = 1970,
	YEAR_LAST = 9999,
	DAYS_400_YEARS = 146097,
};

/* Days before a year, counted from year 0. */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;

	return 365 * year + y / 4 - y / 100 + y / 400 + 1; /* year 0 was a leap year */
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t days = days_before_year(year) - days_before_year(YEAR_FIRST);

	for (int64_t m = 1; m < month; m++)
		days += days_in_month(year, m);
	return days + day - 1;
}

void fb_buf_time(struct fb_buf *b, int64_t time_us)
{
	int64_t days = time_us / SECOND_US / DAY_S, second = time_us / SECOND_US % DAY_S;
	int64_t year = YEAR_FIRST + days * 400 / DAYS_400_YEARS, month = 1;

	FB_ASSERT(time_us >= 0);
	while (days_since_1970(year, 1, 1) > days) /* the guess is at most one too high or too low */
		year--;
	while (days_since_1970(year + 1, 1, 1) <= days)
		year++;
	days -= days_since_1970(year, 1, 1);
	for (; days >= days_in_month(year, month); month++)
		days -= days_in_month(year, month);
	fb_buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)year, (int)month, (int)days + 1, (int)(second / 3600),
		      (int)(second / 60 % 60), (int)(second % 60), (int)(time_us % SECOND_US));
}

/* ---- parsing --------------------------------------------------------------------------------------------------- */

/* `count` digits from `at` on; -1: there are others. */
static int64_t digits(struct fb_str text, size_t at, size_t count)
{
	int64_t v = 0;

	if (at + count > text.len)
		return -1;
	for (size_t i = at; i < at + count; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		v = v * 10 + (text.at[i] - '0');
	}
	return v;
}

/* Behind the seconds: nothing, or a point and one to six digits. *len: how many bytes that is. */
static bool parse_fraction(int64_t *us, size_t *len, struct fb_str text, size_t at)
{
	size_t count = 0;

	*us = 0;
	*len = 0;
	if (at >= text.len || text.at[at] != '.')
		return true;
	while (count < FRACTION_DIGITS && digits(text, at + 1 + count, 1) >= 0)
		count++;
	*us = digits(text, at + 1, count);
	for (size_t i = count; i < FRACTION_DIGITS; i++)
		*us *= 10;
	*len = 1 + count;
	return count > 0;
}

/* Seconds to be taken away for UTC. */
static bool parse_offset(int64_t *s, struct fb_str text, size_t at)
{
	int64_t hours, minutes;

	*s = 0;
	if (at + 1 == text.len && (text.at[at] == 'Z' || text.at[at] == 'z'))
		return true;
	if (at + OFFSET_LEN != text.len || (text.at[at] != '+' && text.at[at] != '-') || text.at[at + 3] != ':')
		return false;
	hours = digits(text, at + 1, 2);
	minutes = digits(text, at + 4, 2);
	*s = (hours * 60 + minutes) * (text.at[at] == '+' ? 60 : -60);
	return hours >= 0 && hours <= OFFSET_HOURS_MAX && minutes >= 0 && minutes <= 59;
}

static bool has_marks(struct fb_str t)
{
	return t.len > DATE_TIME_LEN && t.at[4] == '-' && t.at[7] == '-' && (t.at[10] == 'T' || t.at[10] == 't') &&
	       t.at[13] == ':' && t.at[16] == ':';
}

/* Seconds since 1970 of the text's first part, as if it were UTC. */
static bool parse_date_time(int64_t *s, struct fb_str text)
{
	int64_t year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
	int64_t hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);

	if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	*s = days_since_1970(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
	return true;
}

enum fb_status fb_time_parse(int64_t *time_us, struct fb_str text)
{
	const int64_t end_s = days_since_1970(YEAR_LAST + 1, 1, 1) * DAY_S;
	int64_t second, us, offset;
	size_t fraction_len;

	if (!has_marks(text) || !parse_date_time(&second, text) ||
	    !parse_fraction(&us, &fraction_len, text, DATE_TIME_LEN) ||
	    !parse_offset(&offset, text, DATE_TIME_LEN + fraction_len))
		return FB_BAD_SYNTAX;
	second -= offset;
	if (second < 0 || second >= end_s)
		return FB_BAD_VALUE;
	*time_us = second * SECOND_US + us;
	return FB_OK;
}
