/* Goal: times are written in one way, and read in every way that RFC 3339 has. Method: tables, leap days and borders
 * among them; random times there and back. */
#include "fb_test.h"
#include "test_report.h"

static struct fb_str text_of(char block[FB_TIME_TEXT_LEN], int64_t time_us)
{
	struct fb_buf b;

	fb_buf_init(&b, block, FB_TIME_TEXT_LEN);
	fb_buf_time(&b, time_us);
	CHECK(!b.overflowed && b.len == FB_TIME_TEXT_LEN);
	return fb_buf_view(&b);
}

static const struct {
	int64_t time_us;
	const char *text;
} known[] = {
	{ 0, "1970-01-01T00:00:00.000000Z" },
	{ 1, "1970-01-01T00:00:00.000001Z" },
	{ 86399999999, "1970-01-01T23:59:59.999999Z" },
	{ 86400000000, "1970-01-02T00:00:00.000000Z" },
	{ 68169600000000, "1972-02-29T00:00:00.000000Z" },
	{ 951782400000000, "2000-02-29T00:00:00.000000Z" },
	{ 978307199000000, "2000-12-31T23:59:59.000000Z" },
	{ 1709164800000000, "2024-02-29T00:00:00.000000Z" },
	{ 1735689599999999, "2024-12-31T23:59:59.999999Z" },
	{ 1735689600000000, "2025-01-01T00:00:00.000000Z" },
	{ 4107542399000000, "2100-02-28T23:59:59.000000Z" },
	{ 4107542400000000, "2100-03-01T00:00:00.000000Z" }, /* 2100 is no leap year */
	{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
};

void time__known_values__are_written_and_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(known); i++) {
		char block[FB_TIME_TEXT_LEN];
		int64_t got = -1;

		CHECK_STR(known[i].text, text_of(block, known[i].time_us));
		CHECK_STATUS(FB_OK, fb_time_parse(&got, fb_str_of(known[i].text)));
		CHECK(got == known[i].time_us);
	}
}

void time__other_spellings__are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} rows[] = {
		{ "2026-01-31T12:00:00Z", 1769860800000000 },
		{ "2026-01-31t12:00:00z", 1769860800000000 },
		{ "2026-01-31T12:00:00.5Z", 1769860800500000 },
		{ "2026-01-31T12:00:00.000250Z", 1769860800000250 },
		{ "2026-01-31T12:00:00+00:00", 1769860800000000 },
		{ "2026-01-31T13:30:00+01:30", 1769860800000000 },
		{ "2026-01-30T23:00:00.25-13:00", 1769860800250000 },
		{ "1970-01-01T01:00:00+01:00", 0 },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		int64_t got = -1;

		CHECK_STATUS(FB_OK, fb_time_parse(&got, fb_str_of(rows[i].text)));
		CHECK(got == rows[i].want);
	}
}

void time__wrong_texts__are_refused(void **state)
{
	static const struct {
		const char *text;
		enum fb_status want;
	} rows[] = {
		{ "", FB_BAD_SYNTAX },
		{ "2026-01-31", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00", FB_BAD_SYNTAX },
		{ "2026-01-31 12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-1-31T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-00-31T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-13-01T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-02-29T12:00:00Z", FB_BAD_SYNTAX },
		{ "2100-02-29T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-04-31T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-01-00T12:00:00Z", FB_BAD_SYNTAX },
		{ "2026-01-31T24:00:00Z", FB_BAD_SYNTAX },
		{ "2026-01-31T12:60:00Z", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:60Z", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00.Z", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00.1234567Z", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00.1", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00ZZ", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00+0100", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00+24:00", FB_BAD_SYNTAX },
		{ "2026-01-31T12:00:00+01:60", FB_BAD_SYNTAX },
		{ "-026-01-31T12:00:00Z", FB_BAD_SYNTAX },
		{ "1969-12-31T23:59:59Z", FB_BAD_VALUE },
		{ "1970-01-01T00:00:00+00:01", FB_BAD_VALUE },
		{ "9999-12-31T23:59:59-00:01", FB_BAD_VALUE },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		int64_t got = -7;
		enum fb_status st = fb_time_parse(&got, fb_str_of(rows[i].text));

		if (st != rows[i].want || got != -7)
			fail_msg("\"%s\" -> %s, %lld", rows[i].text, fb_status_info(st)->name, (long long)got);
	}
}

void time__random_times__go_there_and_back(void **state)
{
	uint64_t random = fb_test_seed() * 0x9e3779b97f4a7c15u;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char block[FB_TIME_TEXT_LEN];
		int64_t time_us, got = -1;

		random = random * 6364136223846793005u + 1442695040888963407u;
		time_us = (int64_t)((random >> 4) % 253402300800000000u);
		CHECK_STATUS(FB_OK, fb_time_parse(&got, text_of(block, time_us)));
		CHECK(got == time_us);
	}
}
