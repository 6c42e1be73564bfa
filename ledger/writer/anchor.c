/* The journal against the anchor: whatever was acknowledged must be there. */
#include "writer_int.h"

/* What the operator reads: which directory is meant, the caller adds. */
static enum fb_status refuse_short(const struct fb_anchor *anchor, uint64_t reached, struct fb_error *e)
{
	return fb_error_set(e, FB_STORAGE, "the records end with batch %llu, but batch %llu was acknowledged: %llu batches "
			    "are lost; delete nothing: copy the directory, then restore it from a backup that has them",
			    (unsigned long long)reached, (unsigned long long)anchor->number,
			    (unsigned long long)(anchor->number - reached));
}

static enum fb_status refuse_unanchored(enum fb_status st, const struct fb_error *why, uint64_t reached,
					struct fb_error *e)
{
	return fb_error_set(e, FB_STORAGE, "%s%s; the records end with batch %llu: restore a backup that has it, or, if "
			    "that was the last one, accept it with `farebox ledger accept %llu`", why->text,
			    st == FB_NOT_FOUND ? ", which says how far the records must reach" : "",
			    (unsigned long long)reached, (unsigned long long)reached);
}

/* The batch that the anchor names must be the one that it means. */
static enum fb_status check_hash(struct fb_store *s, const struct fb_anchor *anchor, struct fb_error *e)
{
	struct journal_place p;
	enum fb_status st = journal_find(s, &p, anchor->number, e);

	if (st == FB_OK && !fb_hash_eq(&p.batch.hash, &anchor->hash))
		st = fb_error_set(e, FB_STORAGE, "batch %llu is not the one that was acknowledged: these records and this "
				  "anchor are not of one history; restore both from one backup",
				  (unsigned long long)anchor->number);
	journal_leave(&p);
	return st;
}

static bool is_zero(const struct fb_hash *h)
{
	static const struct fb_hash zero;

	return fb_hash_eq(h, &zero);
}

/* A journal that was announced, and may have begun: nobody was answered yet. */
static bool is_beginning(const struct fb_anchor *a)
{
	return a->number == 0 && is_zero(&a->hash);
}

static enum fb_status compare(struct fb_store *s, const struct fb_anchor *anchor, bool any, uint64_t reached,
			      struct fb_error *e)
{
	if (is_beginning(anchor))
		return any ? FB_OK : FB_NOT_FOUND;
	if (!any)
		return fb_error_set(e, FB_STORAGE, "there are no records, but batch %llu was acknowledged: all is lost; delete "
				    "nothing: copy the directory, then restore it from a backup",
				    (unsigned long long)anchor->number);
	return reached < anchor->number ? refuse_short(anchor, reached, e) : check_hash(s, anchor, e);
}

enum fb_status anchor_check(struct fb_store *s, struct fb_anchor *anchor, uint64_t *last, struct fb_error *e)
{
	struct fb_error why;
	struct journal_place p;
	enum fb_status anchored = fb_store_anchor(s, anchor, &why), st = journal_find_last(s, &p, e);

	*last = p.batch.head.number;
	journal_leave(&p);
	if (st == FB_STORAGE)
		return st;
	if (anchored == FB_OK)
		return compare(s, anchor, st == FB_OK, *last, e);
	if (anchored == FB_NOT_FOUND && st == FB_NOT_FOUND)
		return FB_NOT_FOUND;
	return refuse_unanchored(anchored, &why, *last, e);
}

enum fb_status fb_writer_accept(struct fb_store *s, uint64_t number, struct fb_error *e)
{
	struct fb_anchor a;
	struct journal_place last;
	enum fb_status st = journal_find_last(s, &last, e);

	a = (struct fb_anchor){ .epoch = last.batch.head.epoch + 1, .number = last.batch.head.number,
				.hash = last.batch.hash };
	journal_leave(&last);
	if (st == FB_NOT_FOUND)
		return fb_error_set(e, st, "there is no journal");
	if (st != FB_OK)
		return st;
	if (fb_store_anchor(s, &a, NULL) == FB_OK)
		return fb_error_set(e, FB_CONFLICT, "there is an anchor already: it names batch %llu",
				    (unsigned long long)a.number);
	if (number != a.number)
		return fb_error_set(e, FB_MISMATCH, "the records end with batch %llu", (unsigned long long)a.number);
	return fb_store_anchor_make(s, &a, e);
}

/* The anchor is made first: a journal without one has lost it. */
enum fb_status anchor_begin(struct fb_store *s, struct fb_anchor *anchor, struct fb_error *e)
{
	*anchor = (struct fb_anchor){ .epoch = 1 };
	return fb_store_anchor(s, anchor, NULL) == FB_OK ? FB_OK : fb_store_anchor_make(s, anchor, e);
}
