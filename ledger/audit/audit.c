/* The audit as a whole: the journal, the totals, then each derivation. */
#include "audit_int.h"

#include <string.h>

static enum fb_status read_anchor(struct audit *a, struct fb_error *e)
{
	enum fb_status st = fb_store_anchor(a->store, &a->anchor, e);

	if (st == FB_NOT_FOUND)
		return audit_differ_text(a, FB_AUDIT_ANCHOR, 0, "the anchor", "missing", "the newest batch's number and hash");
	return st;
}

static void fill_summary(struct fb_audit_summary *out, struct audit *a)
{
	a->sum.batches = a->next_batch;
	a->sum.records = a->next_seq - 1;
	a->sum.accounts = a->accounts.count;
	a->sum.ids = a->facts.count;
	a->sum.anchor = a->anchor.number;
	a->sum.head = a->head;
	a->sum.elapsed_ms = fb_clock_mono_ms(&a->settings->clock) - a->start_ms;
	*out = a->sum;
}

static enum fb_status run(struct fb_audit_summary *out, struct fb_audit_finding *finding, struct fb_store *s,
			  const struct fb_audit_settings *settings, bool quick, struct fb_error *e)
{
	struct audit a = { .store = s, .settings = settings, .finding = finding, .next_seq = 1 };
	enum fb_status st;

	memset(finding, 0, sizeof(*finding));
	a.start_ms = a.shown_ms = fb_clock_mono_ms(&settings->clock);
	audit_books_open(&a);
	st = read_anchor(&a, e);
	if (st == FB_OK && !quick)
		st = audit_mark(&a);
	if (st == FB_OK)
		st = audit_journal(&a, quick, e);
	if (st == FB_OK && !quick && !a.mark.exists)
		st = audit_no_derived(&a);
	if (st == FB_OK && !quick)
		st = audit_totals(&a);
	if (st == FB_OK)
		fill_summary(out, &a);
	audit_books_close(&a);
	return st;
}

enum fb_status fb_audit_run(struct fb_audit_summary *out, struct fb_audit_finding *finding, struct fb_store *s,
			    const struct fb_audit_settings *settings, struct fb_error *e)
{
	return run(out, finding, s, settings, false, e);
}

enum fb_status fb_audit_verify(struct fb_audit_summary *out, struct fb_audit_finding *finding, struct fb_store *s,
			       const struct fb_audit_settings *settings, struct fb_error *e)
{
	return run(out, finding, s, settings, true, e);
}
