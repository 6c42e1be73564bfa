/* Records: an account's history, and the whole journal. */
#include "report_int.h"

#include <stdlib.h>

/* A record's own fields, those that its kind has. */
#define RECORD_COLUMNS(wide)                                                                             \
	{ "asset", COLUMN_NUMBER, wide }, { "debit", COLUMN_NUMBER, false }, { "credit", COLUMN_NUMBER, false }, \
	{ "amount", COLUMN_AMOUNT, false }, { "held", COLUMN_AMOUNT, wide }, { "id", COLUMN_AMOUNT, false },     \
	{ "ref", COLUMN_AMOUNT, false }, { "expires", COLUMN_TEXT, wide }, { "code", COLUMN_NUMBER, wide },      \
	{ "user", COLUMN_AMOUNT, wide }, { "external", COLUMN_TEXT, wide }, { "content", COLUMN_AMOUNT, wide },  \
	{ "linked", COLUMN_NUMBER, wide }

static void put_record(struct sheet *s, const struct fb_record *r)
{
	if (r->kind == FB_RECORD_REFUSE)
		sheet_skip(s);
	else
		sheet_u64(s, r->asset);
	sheet_u64_if(s, r->debit);
	sheet_u64_if(s, r->credit);
	sheet_amount_if(s, r->amount.atoms);
	sheet_amount_if(s, r->held.atoms);
	sheet_amount_if(s, r->id);
	sheet_amount_if(s, r->ref);
	sheet_time_if(s, r->expires_us);
	sheet_u64_if(s, r->code);
	sheet_amount_if(s, r->user);
	sheet_hash_if(s, &r->external);
	sheet_u64_if(s, r->content);
	sheet_bool(s, r->linked);
}

/* ---- history --------------------------------------------------------------------------------------------------- */
static const struct column history_columns[] = {
	{ "seq", COLUMN_NUMBER, false },
	{ "time", COLUMN_TEXT, false },
	{ "kind", COLUMN_TEXT, false },
	RECORD_COLUMNS(true),
	SHEET_COUNTER_COLUMNS,
};

static void put_line(struct sheet *s, const struct fb_history_line *l)
{
	sheet_u64(s, l->record.seq);
	sheet_time(s, l->time_us);
	sheet_text(s, fb_record_kind_text(l->record.kind));
	put_record(s, &l->record);
	sheet_counters(s, &l->after);
	sheet_row_end(s);
}

enum fb_status fb_report_history(FILE *out, enum fb_report_form form, struct fb_writer *w,
				 const struct fb_report_page *page, struct fb_error *e)
{
	struct fb_history_line *lines = fb_must_alloc(FB_REPORT_LINES_MAX, sizeof(*lines));
	struct sheet s;
	size_t count = 0;
	enum fb_status st, closed;

	FB_ASSERT(page->limit > 0 && page->limit <= FB_REPORT_LINES_MAX);
	st = fb_writer_history(w, lines, &count, page->limit, &page->key, page->cursor, page->newest_first);
	if (st != FB_OK)
		fb_error_set(e, st, st == FB_NOT_FOUND ? "the owner has no such account" : "the history cannot be read");
	sheet_open(&s, out, form, history_columns, FB_COUNT(history_columns));
	for (size_t i = 0; st == FB_OK && i < count; i++)
		put_line(&s, &lines[i]);
	free(lines);
	closed = sheet_close(&s, st == FB_OK ? e : NULL);
	return st == FB_OK ? closed : st;
}

/* ---- the journal ----------------------------------------------------------------------------------------------- */
static const struct column export_columns[] = {
	{ "batch", COLUMN_NUMBER, false },
	{ "seq", COLUMN_NUMBER, false },
	{ "time", COLUMN_TEXT, false },
	{ "kind", COLUMN_TEXT, false },
	RECORD_COLUMNS(false),
	{ "refused", COLUMN_TEXT, false },
	{ "owner", COLUMN_TEXT, false },
	{ "purpose", COLUMN_TEXT, false },
	{ "may_go_below_zero", COLUMN_NUMBER, false },
};

static void put_account_fields(struct sheet *s, const struct fb_record *r)
{
	sheet_owner(s, &r->owner);
	sheet_text(s, fb_purpose_text(r->purpose));
	sheet_bool(s, r->may_go_below_zero);
}

static void put_exported(struct sheet *s, const struct fb_batch_head *h, const struct fb_record *r)
{
	sheet_u64(s, h->number);
	sheet_u64(s, r->seq);
	sheet_time(s, h->time_us);
	sheet_text(s, fb_record_kind_text(r->kind));
	put_record(s, r);
	sheet_text(s, r->kind == FB_RECORD_REFUSE ? fb_status_info(r->refused)->name : "");
	if (r->kind == FB_RECORD_ACCOUNT)
		put_account_fields(s, r);
	while (s->column < s->column_count)
		sheet_skip(s);
	sheet_row_end(s);
}

static enum fb_status put_batch(struct sheet *s, struct fb_str row, uint64_t number, struct fb_error *e)
{
	struct fb_batch b;
	struct fb_record r;

	if (fb_batch_open(&b, row, NULL) != FB_OK || b.head.number != number)
		return fb_error_set(e, FB_STORAGE, "batch %llu of the journal is missing or damaged: run farebox ledger audit",
				    (unsigned long long)number);
	for (uint32_t i = 0; i < b.head.records; i++) {
		if (fb_record_decode(&r, b.records + (size_t)i * FB_RECORD_LEN) != FB_OK)
			return fb_error_set(e, FB_STORAGE, "record %llu of the journal is damaged: run farebox ledger audit",
					    (unsigned long long)(b.head.first_seq + i));
		put_exported(s, &b.head, &r);
	}
	return FB_OK;
}

enum fb_status fb_report_export(FILE *out, enum fb_report_form form, struct fb_store *store, struct fb_error *e)
{
	struct fb_cursor *c;
	struct sheet s;
	enum fb_status st = FB_OK, closed;
	uint64_t number = 0;

	FB_ASSERT(form != FB_REPORT_TABLE);
	sheet_open(&s, out, form, export_columns, FB_COUNT(export_columns));
	fb_cursor_open(&c, store, FB_FAMILY_JOURNAL);
	for (bool more = fb_cursor_seek(c, FB_STR("")); more && st == FB_OK && !ferror(out); more = fb_cursor_next(c))
		st = put_batch(&s, fb_cursor_value(c), number++, e);
	if (st == FB_OK && fb_cursor_status(c) != FB_OK)
		st = fb_error_set(e, FB_STORAGE, "the journal cannot be read to its end");
	fb_cursor_close(c);
	closed = sheet_close(&s, st == FB_OK ? e : NULL);
	return st == FB_OK ? closed : st;
}
