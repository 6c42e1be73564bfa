/* Cells of each type. */
#include "report_int.h"

void sheet_skip(struct sheet *s)
{
	sheet_cell(s);
}

void sheet_text(struct sheet *s, const char *text)
{
	fb_buf_text(sheet_cell(s), text);
}

void sheet_u64(struct sheet *s, uint64_t v)
{
	fb_buf_u64(sheet_cell(s), v);
}

void sheet_u64_if(struct sheet *s, uint64_t v)
{
	struct fb_buf *b = sheet_cell(s);

	if (v != 0)
		fb_buf_u64(b, v);
}

void sheet_amount(struct sheet *s, fb_u128 v)
{
	fb_buf_u128(sheet_cell(s), v);
}

void sheet_amount_if(struct sheet *s, fb_u128 v)
{
	struct fb_buf *b = sheet_cell(s);

	if (v != 0)
		fb_buf_u128(b, v);
}

void sheet_bool(struct sheet *s, bool v)
{
	sheet_text(s, v ? "true" : "false");
}

void sheet_time(struct sheet *s, int64_t time_us)
{
	fb_buf_time(sheet_cell(s), time_us);
}

void sheet_time_if(struct sheet *s, int64_t time_us)
{
	if (time_us != 0)
		sheet_time(s, time_us);
	else
		sheet_skip(s);
}

void sheet_owner(struct sheet *s, const struct fb_owner *o)
{
	fb_buf_hex(sheet_cell(s), o->bytes, sizeof(o->bytes));
}

void sheet_hash_if(struct sheet *s, const struct fb_hash *h)
{
	static const struct fb_hash zero;
	struct fb_buf *b = sheet_cell(s);

	if (!fb_hash_eq(h, &zero))
		fb_buf_hash(b, h);
}

/* Counters are below 2^127, so the sum of two fits. */
void sheet_counters(struct sheet *s, const struct fb_counters *c)
{
	fb_u128 out = c->debits_posted.atoms + c->debits_pending.atoms, in = c->credits_posted.atoms;
	struct fb_buf *b;

	sheet_amount(s, c->debits_posted.atoms);
	sheet_amount(s, c->debits_pending.atoms);
	sheet_amount(s, c->credits_posted.atoms);
	sheet_amount(s, c->credits_pending.atoms);
	b = sheet_cell(s);
	if (out > in)
		fb_buf_char(b, '-');
	fb_buf_u128(b, out > in ? out - in : in - out);
}
