/* What an owner has, now or then; and what all have together. */
#include "report_int.h"

#include <stdlib.h>

/* ---- balances -------------------------------------------------------------------------------------------------- */
static const struct column balance_columns[] = {
	{ "account", COLUMN_NUMBER, false },
	{ "owner", COLUMN_TEXT, true },
	{ "asset", COLUMN_NUMBER, false },
	{ "purpose", COLUMN_TEXT, false },
	SHEET_COUNTER_COLUMNS,
	{ "last_seq", COLUMN_NUMBER, false },
	{ "may_go_below_zero", COLUMN_NUMBER, true },
};

static void put_account(struct sheet *s, const struct fb_account *a)
{
	sheet_u64(s, a->number);
	sheet_owner(s, &a->key.owner);
	sheet_u64(s, a->key.asset);
	sheet_text(s, fb_purpose_text(a->key.purpose));
	sheet_counters(s, &a->counters);
	sheet_u64(s, a->last_seq);
	sheet_bool(s, a->may_go_below_zero);
	sheet_row_end(s);
}

static enum fb_status read_account(struct fb_writer *w, struct fb_account *out, const struct fb_report_query *q,
				   const struct fb_account_key *key)
{
	if (q->has_seq)
		return fb_writer_balance_at(w, out, key, q->seq);
	if (q->has_time)
		return fb_writer_balance_at_time(w, out, key, q->time_us);
	return fb_writer_balance(w, out, key);
}

/* What kinds of accounts there are: the owner has at most one of each. */
static enum fb_status read_kinds(struct fb_writer *w, struct fb_trial_row **rows, size_t *count, struct fb_error *e)
{
	uint64_t seq;
	enum fb_status st;

	*rows = fb_must_alloc(FB_TRIAL_ROWS_MAX, sizeof(**rows));
	st = fb_writer_trial_balance(w, *rows, count, FB_TRIAL_ROWS_MAX, &seq);
	return st == FB_OK ? st : fb_error_set(e, st, "the accounts cannot be read: %s", fb_status_info(st)->name);
}

static bool is_asked_for(const struct fb_report_query *q, const struct fb_trial_row *kind)
{
	return (!q->has_purpose || q->purpose == kind->purpose) && (!q->has_asset || q->asset == kind->asset);
}

static enum fb_status put_accounts(struct sheet *s, struct fb_writer *w, const struct fb_report_query *q,
				   const struct fb_trial_row *kinds, size_t count, struct fb_error *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct fb_account_key key = { q->owner, kinds[i].asset, kinds[i].purpose };
		struct fb_account a;
		enum fb_status st;

		if (!is_asked_for(q, &kinds[i]))
			continue;
		st = read_account(w, &a, q, &key);
		if (st == FB_OK)
			put_account(s, &a);
		else if (st != FB_NOT_FOUND)
			return fb_error_set(e, st, "the account cannot be read");
	}
	return FB_OK;
}

enum fb_status fb_report_balances(FILE *out, enum fb_report_form form, struct fb_writer *w,
				  const struct fb_report_query *q, struct fb_error *e)
{
	struct fb_trial_row *kinds;
	struct sheet s;
	size_t count = 0;
	enum fb_status st = read_kinds(w, &kinds, &count, e), closed;
	bool none;

	sheet_open(&s, out, form, balance_columns, FB_COUNT(balance_columns));
	if (st == FB_OK)
		st = put_accounts(&s, w, q, kinds, count, e);
	free(kinds);
	none = s.rows == 0;
	closed = sheet_close(&s, st == FB_OK ? e : NULL);
	if (st == FB_OK && none)
		return fb_error_set(e, FB_NOT_FOUND, "the owner has no such account%s",
				    q->has_seq || q->has_time ? " then" : "");
	return st == FB_OK ? closed : st;
}

/* ---- trial balance --------------------------------------------------------------------------------------------- */
static const struct column trial_columns[] = {
	{ "asset", COLUMN_NUMBER, false },
	{ "purpose", COLUMN_TEXT, false },
	{ "accounts", COLUMN_NUMBER, false },
	SHEET_COUNTER_COLUMNS,
	{ "seq", COLUMN_NUMBER, true },
};

static void put_kind(struct sheet *s, uint32_t asset, const char *purpose, uint64_t accounts,
		     const struct fb_counters *sums, uint64_t seq)
{
	sheet_u64(s, asset);
	sheet_text(s, purpose);
	sheet_u64(s, accounts);
	sheet_counters(s, sums);
	sheet_u64(s, seq);
	sheet_row_end(s);
}

static bool add(struct fb_counters *sum, const struct fb_counters *c)
{
	return fb_amount_add(&sum->debits_posted, sum->debits_posted, c->debits_posted) == FB_OK &&
	       fb_amount_add(&sum->debits_pending, sum->debits_pending, c->debits_pending) == FB_OK &&
	       fb_amount_add(&sum->credits_posted, sum->credits_posted, c->credits_posted) == FB_OK &&
	       fb_amount_add(&sum->credits_pending, sum->credits_pending, c->credits_pending) == FB_OK;
}

/* The lines of one asset from rows[from] on, and their total. *next: behind them. */
static enum fb_status put_asset(struct sheet *s, size_t *next, const struct fb_trial_row *rows, size_t from,
				size_t count, uint64_t seq, struct fb_error *e)
{
	struct fb_counters sum = { { 0 }, { 0 }, { 0 }, { 0 } };
	uint32_t asset = rows[from].asset;
	uint64_t accounts = 0;

	for (*next = from; *next < count && rows[*next].asset == asset; ++*next) {
		const struct fb_trial_row *r = &rows[*next];

		put_kind(s, asset, fb_purpose_text(r->purpose), r->accounts, &r->sums, seq);
		accounts += r->accounts;
		if (!add(&sum, &r->sums))
			return fb_error_set(e, FB_OVERFLOW, "the sums of asset %u are too large to be added", asset);
	}
	put_kind(s, asset, "total", accounts, &sum, seq);
	if (fb_amount_cmp(sum.debits_posted, sum.credits_posted) == 0)
		return FB_OK;
	return fb_error_set(e, FB_MISMATCH, "the debits of asset %u are not its credits: run farebox ledger audit", asset);
}

enum fb_status fb_report_trial_balance(FILE *out, enum fb_report_form form, struct fb_writer *w, struct fb_error *e)
{
	struct fb_trial_row *rows = fb_must_alloc(FB_TRIAL_ROWS_MAX, sizeof(*rows));
	struct sheet s;
	uint64_t seq = 0;
	size_t count = 0;
	enum fb_status st = fb_writer_trial_balance(w, rows, &count, FB_TRIAL_ROWS_MAX, &seq), closed;

	if (st != FB_OK)
		fb_error_set(e, st, "the accounts cannot be added up: %s", fb_status_info(st)->name);
	sheet_open(&s, out, form, trial_columns, FB_COUNT(trial_columns));
	for (size_t i = 0; st == FB_OK && i < count;)
		st = put_asset(&s, &i, rows, i, count, seq, e);
	free(rows);
	closed = sheet_close(&s, st == FB_OK ? e : NULL);
	return st == FB_OK ? closed : st;
}
