/* Inside ledger/report: the sheet that every report is written on. */
#ifndef FB_REPORT_INT_H
#define FB_REPORT_INT_H
#include "farebox/report.h"

/* ---- sheet.c: rows of named values, in four forms --------------------------------------------------------------- */
enum column_kind {
	COLUMN_TEXT,   /* a string in JSON, on the left in a table */
	COLUMN_AMOUNT, /* a string in JSON, since it may be too large for a number there; on the right */
	COLUMN_NUMBER, /* as it is in JSON; on the right */
};
struct column {
	const char *name;
	enum column_kind kind;
	bool not_in_table;
};
enum { SHEET_COLUMNS_MAX = 24, SHEET_CELL_MAX = 84 /* bytes */, SHEET_ROWS_MAX = 2048 /* of a table */ };
struct sheet {
	FILE *out;
	enum fb_report_form form;
	const struct column *columns;
	size_t column_count, column, rows;
	char cell[SHEET_COLUMNS_MAX][SHEET_CELL_MAX]; /* the row being written; "": absent */
	char (*table)[SHEET_CELL_MAX];                /* the rows before, of a table */
	struct fb_buf writing;
};
void sheet_open(struct sheet *s, FILE *out, enum fb_report_form form, const struct column *columns, size_t count);
/* Where the next cell's text goes. The last one completes the row. */
struct fb_buf *sheet_cell(struct sheet *s);
void sheet_row_end(struct sheet *s); /* all cells are written */
/* FB_IO; frees what the sheet holds. */
enum fb_status sheet_close(struct sheet *s, struct fb_error *e);

void sheet_skip(struct sheet *s); /* an absent value */
void sheet_text(struct sheet *s, const char *text);
void sheet_u64(struct sheet *s, uint64_t v);
void sheet_u64_if(struct sheet *s, uint64_t v); /* absent when 0 */
void sheet_amount(struct sheet *s, fb_u128 v);
void sheet_amount_if(struct sheet *s, fb_u128 v);
void sheet_bool(struct sheet *s, bool v);
void sheet_time(struct sheet *s, int64_t time_us);
void sheet_time_if(struct sheet *s, int64_t time_us);
void sheet_owner(struct sheet *s, const struct fb_owner *o);
void sheet_hash_if(struct sheet *s, const struct fb_hash *h);
/* Debits and credits, posted and pending, and what they leave. */
void sheet_counters(struct sheet *s, const struct fb_counters *c);
#define SHEET_COUNTER_COLUMNS                                                                                      \
	{ "debits_posted", COLUMN_AMOUNT, false }, { "debits_pending", COLUMN_AMOUNT, false },                     \
	{ "credits_posted", COLUMN_AMOUNT, false }, { "credits_pending", COLUMN_AMOUNT, true },                    \
	{ "balance", COLUMN_AMOUNT, false }
#endif /* FB_REPORT_INT_H */
