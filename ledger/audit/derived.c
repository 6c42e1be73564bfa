/* Everything that was derived from the journal, row by row in the order of its keys: the mark and the indexes of
 * batches are judged here, the other kinds in files of their own. The layouts are those of DATA.md, read anew. */
#include "audit_int.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 1, MARK_MAX = 64 };

struct derived {
	struct audit *audit;
	uint64_t accounts, holds, ids; /* rows seen */
	size_t by_seq, by_time;        /* the batches that come next in their indexes */
	bool mark_seen;
	struct history history;
};

void audit_what(char out[AUDIT_WHAT_MAX], const char *row, fb_id id, const char *field)
{
	struct fb_buf b;

	fb_buf_init(&b, out, AUDIT_WHAT_MAX - 1);
	fb_buf_printf(&b, "the %s of id ", row);
	fb_buf_u128(&b, id);
	fb_buf_printf(&b, ": %s", field);
	out[b.len] = '\0';
}

enum fb_status audit_bad_row(struct audit *a, struct fb_str key)
{
	char block[AUDIT_WHAT_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block) - 1);
	fb_buf_text(&b, "the derived row ");
	fb_buf_hex(&b, key.at, key.len);
	block[b.len] = '\0';
	return audit_differ_text(a, FB_AUDIT_DERIVED_BYTES, 0, block, "of no known layout", "a row of its kind");
}

/* ---- the mark -------------------------------------------------------------------------------------------------- */

static bool read_mark(struct mark *m, struct fb_str value)
{
	struct fields f = fields_of(value);
	uint64_t version = fields_small(&f, 1);

	m->seq = fields_u64(&f);
	m->batch = fields_u64(&f);
	fields_bytes(&f, m->hash.bytes, sizeof(m->hash.bytes));
	m->exists = true;
	return fields_end(&f) && version == VERSION;
}

enum fb_status audit_mark(struct audit *a)
{
	uint8_t value[MARK_MAX];
	size_t len = 0;
	enum fb_status st = fb_store_get_from(a->store, FB_FAMILY_DERIVED, value, &len, sizeof(value), FB_STR("B"));

	if (st == FB_NOT_FOUND)
		return FB_OK;
	if (st == FB_OK && read_mark(&a->mark, (struct fb_str){ (const char *)value, len }))
		return FB_OK;
	return st == FB_STORAGE ? st : audit_bad_row(a, FB_STR("B"));
}

/* ---- batches --------------------------------------------------------------------------------------------------- */

/* The next batch that has records, from *at on and up to the mark. */
static const struct note *next_note(const struct audit *a, size_t *at)
{
	while (*at < a->batches.count && ((const struct note *)list_at(&a->batches, *at))->records == 0)
		++*at;
	return *at < a->batches.count ? list_at(&a->batches, *at) : NULL;
}

static enum fb_status differ_batch(struct audit *a, const char *what, uint64_t found, uint64_t expected)
{
	return audit_differ_number(a, FB_AUDIT_BATCH_INDEX, 0, what, found, expected);
}

static enum fb_status check_by_seq(struct derived *d, uint64_t key, uint64_t value)
{
	const struct note *n = next_note(d->audit, &d->by_seq);

	if (n == NULL)
		return audit_differ_text(d->audit, FB_AUDIT_BATCH_INDEX, 0, "another row by seq", "there", "none");
	if (key != n->first_seq)
		return differ_batch(d->audit, "the first seq of the next row by seq", key, n->first_seq);
	d->audit->finding->seq = key;
	if (value != d->by_seq)
		return differ_batch(d->audit, "the batch of the row by seq", value, d->by_seq);
	d->by_seq++;
	return FB_OK;
}

static enum fb_status check_by_time(struct derived *d, uint64_t key, uint64_t value)
{
	const struct note *n = next_note(d->audit, &d->by_time);

	if (n == NULL)
		return audit_differ_text(d->audit, FB_AUDIT_BATCH_INDEX, 0, "another row by time", "there", "none");
	if (key != (uint64_t)n->time_us)
		return differ_batch(d->audit, "the time of the next row by time", key, (uint64_t)n->time_us);
	d->audit->finding->seq = n->first_seq;
	if (value != n->first_seq + n->records - 1)
		return differ_batch(d->audit, "the last seq of the row by time", value, n->first_seq + n->records - 1);
	d->by_time++;
	return FB_OK;
}

static enum fb_status batch_row(struct derived *d, struct fb_str key, struct fb_str value)
{
	struct fields k = fields_of(key), v = fields_of(value);
	uint64_t kind = fields_small(&k, 2), number = fields_u64(&k);
	bool versioned = fields_small(&v, 1) == VERSION;
	uint64_t said = fields_u64(&v);

	if (key.len == 1) {
		d->mark_seen = true; /* it was read first of all */
		return FB_OK;
	}
	if (!fields_end(&k) || !fields_end(&v) || !versioned || (kind != ('B' << 8 | 's') && kind != ('B' << 8 | 't')))
		return audit_bad_row(d->audit, key);
	return (kind & 0xff) == 's' ? check_by_seq(d, number, said) : check_by_time(d, number, said);
}

/* ---- all of them ----------------------------------------------------------------------------------------------- */

static enum fb_status check_row(struct derived *d, struct fb_str key, struct fb_str value)
{
	struct audit *a = d->audit;

	a->finding->seq = 0;
	switch (key.at[0]) {
	case 'A':
		return audit_account_row(a, ++d->accounts, key, value);
	case 'B':
		return batch_row(d, key, value);
	case 'H':
		d->holds++;
		return audit_hold_row(a, key, value);
	case 'I':
		d->ids++;
		return audit_id_row(a, key, value);
	case 'R':
		return audit_history_row(a, &d->history, key, value);
	}
	return audit_bad_row(a, key);
}

static enum fb_status check_missing(struct derived *d)
{
	struct audit *a = d->audit;
	const struct note *by_seq = next_note(a, &d->by_seq), *by_time = next_note(a, &d->by_time);

	a->finding->seq = 0;
	if (!d->mark_seen)
		return FB_STORAGE; /* it was there a moment ago */
	if (d->accounts < a->accounts.count)
		return audit_differ_text(a, FB_AUDIT_SNAPSHOT, d->accounts + 1, "the account's row", "missing", "there");
	a->finding->seq = by_seq != NULL ? by_seq->first_seq : by_time != NULL ? by_time->first_seq : 0;
	if (by_seq != NULL || by_time != NULL)
		return audit_differ_text(a, FB_AUDIT_BATCH_INDEX, 0, by_seq != NULL ? "the row by seq" : "the row by time",
					 "missing", "there");
	if (d->holds < a->holds.count - a->free_holds.count)
		return audit_missing_hold(a);
	if (d->ids < a->facts.count)
		return audit_missing_id(a);
	return audit_history_end(a, &d->history);
}

enum fb_status audit_no_derived(struct audit *a)
{
	enum fb_status st = FB_OK;
	struct fb_cursor *c;

	fb_cursor_open(&c, a->store, FB_FAMILY_DERIVED);
	if (fb_cursor_seek(c, FB_STR("")))
		st = audit_differ_text(a, FB_AUDIT_DERIVED_MARK, 0, "the mark", "missing", "there, as there are derived rows");
	else
		st = fb_cursor_status(c);
	fb_cursor_close(c);
	return st;
}

enum fb_status audit_derived(struct audit *a, struct fb_error *e)
{
	struct derived d = { .audit = a };
	enum fb_status st = FB_OK;
	struct fb_cursor *c;
	bool more;

	fb_cursor_open(&c, a->store, FB_FAMILY_DERIVED);
	for (more = fb_cursor_seek(c, FB_STR("")); more && st == FB_OK; more = fb_cursor_next(c)) {
		a->sum.derived++;
		st = check_row(&d, fb_cursor_key(c), fb_cursor_value(c));
	}
	if (st == FB_OK && fb_cursor_status(c) != FB_OK)
		st = FB_STORAGE;
	fb_cursor_close(c);
	if (st == FB_OK)
		st = check_missing(&d);
	return st == FB_STORAGE ? fb_error_set(e, st, "the derived rows cannot be read to their end") : st;
}
