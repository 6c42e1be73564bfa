/* farebox ledger balance, history, trial-balance, export: arguments turned into values, and a reader. */
#include "ledger.h"

#include "farebox/crypto.h"
#include "farebox/os.h"

#include <string.h>

enum { LIMIT_DEFAULT = 20, ASSET_DEFAULT = 1 };

/* ---- arguments ------------------------------------------------------------------------------------------------- */

static enum fb_status parse_number(uint64_t *out, const char *flag, const char *text, uint64_t min, uint64_t max,
				   struct fb_error *e)
{
	uint64_t v;

	if (text == NULL)
		return FB_OK;
	if (fb_u64_parse(&v, fb_str_of(text)) != FB_OK || v < min || v > max)
		return fb_error_set(e, FB_BAD_VALUE, "%s %s: want a number from %llu to %llu", flag, text,
				    (unsigned long long)min, (unsigned long long)max);
	*out = v;
	return FB_OK;
}

static enum fb_status parse_owner(struct fb_owner *out, const char *text, struct fb_error *e)
{
	char with_prefix[FB_ADDRESS_TEXT_LEN + 1];
	struct fb_address address;
	struct fb_str t = fb_str_of(text);

	if (t.len == FB_ADDRESS_TEXT_LEN - 2) {
		memcpy(with_prefix, "0x", 2);
		memcpy(with_prefix + 2, text, t.len);
		t = (struct fb_str){ with_prefix, FB_ADDRESS_TEXT_LEN };
	}
	if (fb_address_parse_checked(&address, t) != FB_OK)
		return fb_error_set(e, FB_BAD_VALUE, "\"%s\" is no owner: want 0x and 40 hex digits, in one case or with a "
				    "right EIP-55 checksum", text);
	memcpy(out->bytes, address.bytes, sizeof(out->bytes));
	return FB_OK;
}

static enum fb_status parse_purpose(enum fb_purpose *out, const char *text, struct fb_error *e)
{
	for (int p = 1; p < FB_PURPOSE_END; p++)
		if (strcmp(text, fb_purpose_text((enum fb_purpose)p)) == 0) {
			*out = (enum fb_purpose)p;
			return FB_OK;
		}
	return fb_error_set(e, FB_BAD_VALUE, "--purpose %s: there is no such purpose: farebox ledger --help lists them",
			    text);
}

static enum fb_status parse_account(struct fb_account_key *key, const struct fb_ledger_options *o, struct fb_error *e)
{
	uint64_t asset = key->asset;
	enum fb_status st = parse_owner(&key->owner, o->positional[0], e);

	if (st == FB_OK && o->purpose != NULL)
		st = parse_purpose(&key->purpose, o->purpose, e);
	if (st == FB_OK)
		st = parse_number(&asset, "--asset", o->asset, 0, UINT32_MAX, e);
	key->asset = (uint32_t)asset;
	return st;
}

static enum fb_status parse_query(struct fb_report_query *q, const struct fb_ledger_options *o, struct fb_error *e)
{
	struct fb_account_key key = { .purpose = FB_PURPOSE_AVAILABLE };
	enum fb_status st = parse_account(&key, o, e);

	*q = (struct fb_report_query){ .owner = key.owner, .purpose = key.purpose, .asset = key.asset,
				       .has_purpose = o->purpose != NULL, .has_asset = o->asset != NULL,
				       .has_seq = o->at_seq != NULL, .has_time = o->at_time != NULL };
	if (st == FB_OK && q->has_seq && q->has_time)
		return fb_error_set(e, FB_BAD_VALUE, "want --at-seq or --at-time, not both");
	if (st == FB_OK)
		st = parse_number(&q->seq, "--at-seq", o->at_seq, 1, UINT64_MAX, e);
	if (st == FB_OK && q->has_time && fb_time_parse(&q->time_us, fb_str_of(o->at_time)) != FB_OK)
		return fb_error_set(e, FB_BAD_VALUE, "--at-time %s: want a time like 2026-01-31T12:00:00Z", o->at_time);
	return st;
}

static enum fb_status parse_page(struct fb_report_page *page, const struct fb_ledger_options *o, struct fb_error *e)
{
	uint64_t limit = LIMIT_DEFAULT;
	enum fb_status st;

	*page = (struct fb_report_page){ .newest_first = o->newest_first,
					 .key = { .asset = ASSET_DEFAULT, .purpose = FB_PURPOSE_AVAILABLE } };
	st = parse_account(&page->key, o, e);
	if (st == FB_OK)
		st = parse_number(&limit, "--limit", o->limit, 1, FB_REPORT_LINES_MAX, e);
	if (st == FB_OK)
		st = parse_number(&page->cursor, "--cursor", o->cursor, 0, UINT64_MAX, e);
	page->limit = (size_t)limit;
	return st;
}

/* ---- actions --------------------------------------------------------------------------------------------------- */

static enum fb_status open_reader(struct fb_writer **out, const struct fb_ledger_options *o, struct fb_error *e)
{
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng() };

	return fb_writer_open_reader(out, o->directory, &settings, e);
}

/* What was asked for and is not there is an answer, of code 1. */
static int finish(struct fb_writer *w, enum fb_status st, const struct fb_error *e)
{
	fb_writer_close(w);
	if (st == FB_OK)
		return FB_EXIT_OK;
	fb_app_fail(st, e->text);
	return st == FB_NOT_FOUND || st == FB_MISMATCH ? FB_EXIT_FAILED : FB_EXIT_IO;
}

int fb_ledger_balance(const struct fb_ledger_options *o)
{
	struct fb_error e = { "" };
	struct fb_report_query q;
	struct fb_writer *w = NULL;
	enum fb_status st = parse_query(&q, o, &e);

	if (st != FB_OK)
		return fb_app_usage(e.text);
	st = open_reader(&w, o, &e);
	if (st == FB_OK)
		st = fb_report_balances(stdout, o->form, w, &q, &e);
	return finish(w, st, &e);
}

int fb_ledger_history(const struct fb_ledger_options *o)
{
	struct fb_error e = { "" };
	struct fb_report_page page;
	struct fb_writer *w = NULL;
	enum fb_status st = parse_page(&page, o, &e);

	if (st != FB_OK)
		return fb_app_usage(e.text);
	st = open_reader(&w, o, &e);
	if (st == FB_OK)
		st = fb_report_history(stdout, o->form, w, &page, &e);
	return finish(w, st, &e);
}

int fb_ledger_trial_balance(const struct fb_ledger_options *o)
{
	struct fb_error e = { "" };
	struct fb_writer *w = NULL;
	enum fb_status st = open_reader(&w, o, &e);

	if (st == FB_OK)
		st = fb_report_trial_balance(stdout, o->form, w, &e);
	return finish(w, st, &e);
}

int fb_ledger_export(const struct fb_ledger_options *o)
{
	struct fb_error e = { "" };
	struct fb_store *s = NULL;
	bool csv = o->format != NULL && strcmp(o->format, "csv") == 0;
	enum fb_status st;

	if (o->format != NULL && !csv && strcmp(o->format, "jsonl") != 0)
		return fb_app_usage("--format: want csv or jsonl");
	st = fb_store_open_reader(&s, o->directory, &e);
	if (st == FB_OK)
		st = fb_report_export(stdout, csv ? FB_REPORT_CSV : FB_REPORT_JSONL, s, &e);
	fb_store_close(s);
	return finish(NULL, st, &e);
}
