/* farebox/report.h - the ledger as an operator reads it: tables for people, JSON and CSV for programs.
 *
 * What it is  rows of named values, put together from the writer's reads, or from the journal itself, and printed in
 *             one of four forms. Amounts are in the asset's smallest unit, as decimal text; so are ids. Times are
 *             RFC 3339 in UTC with microseconds. A value that a row does not have is left out (JSON) or empty (CSV,
 *             table).
 * Layer       7
 * Errors      FB_NOT_FOUND: there is nothing of what was asked for. FB_STORAGE: it cannot be read. FB_IO: it cannot be
 *             printed. FB_MISMATCH (trial balance): debits are not credits. e says what.
 * Limits      FB_REPORT_LINES_MAX lines of a history or a table. An export has none.
 * Ownership   borrows everything for the call.
 * Threads     any; one call uses one thread.
 */
#ifndef FB_REPORT_H
#define FB_REPORT_H
#include "farebox/core.h"
#include "farebox/store.h"
#include "farebox/writer.h"

#include <stdio.h>

enum { FB_REPORT_LINES_MAX = 1000, FB_TIME_TEXT_LEN = 27 };
enum fb_report_form {
	FB_REPORT_TABLE, /* aligned columns, the most important ones */
	FB_REPORT_JSON,  /* an array of objects */
	FB_REPORT_JSONL, /* an object a line */
	FB_REPORT_CSV,   /* RFC 4180, with a line of names */
};

/* "2026-01-31T12:00:00.000000Z" */
void fb_buf_time(struct fb_buf *b, int64_t time_us);
/* RFC 3339: a fraction of up to six digits, Z or an offset. FB_BAD_SYNTAX; FB_BAD_VALUE before 1970 or after 9999. */
FB_MUST_USE enum fb_status fb_time_parse(int64_t *time_us, struct fb_str text);

/* Which accounts, and as of when. */
struct fb_report_query {
	struct fb_owner owner;
	bool has_purpose, has_asset, has_seq, has_time; /* without the first two: all that the owner has */
	enum fb_purpose purpose;
	uint32_t asset;
	uint64_t seq;
	int64_t time_us;
};
FB_MUST_USE enum fb_status fb_report_balances(FILE *out, enum fb_report_form form, struct fb_writer *w,
					      const struct fb_report_query *q, struct fb_error *e);
struct fb_report_page {
	struct fb_account_key key;
	uint64_t cursor; /* as of fb_writer_history */
	size_t limit;    /* at most FB_REPORT_LINES_MAX */
	bool newest_first;
};
FB_MUST_USE enum fb_status fb_report_history(FILE *out, enum fb_report_form form, struct fb_writer *w,
					     const struct fb_report_page *page, struct fb_error *e);
/* By asset and purpose, with a line "total" for each asset. */
FB_MUST_USE enum fb_status fb_report_trial_balance(FILE *out, enum fb_report_form form, struct fb_writer *w,
						   struct fb_error *e);
/* Every record of the journal, in order; not as a table. */
FB_MUST_USE enum fb_status fb_report_export(FILE *out, enum fb_report_form form, struct fb_store *s,
					    struct fb_error *e);
#endif /* FB_REPORT_H */
