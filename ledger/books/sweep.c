/* Ends the holds whose time has come. Each expiry is a record, so that replay consults no clock. */
#include "books_int.h"

int64_t fb_books_next_expiry(const struct fb_books *b)
{
	uint32_t slot = fb_heap_first(b->holds);

	return slot == 0 ? INT64_MAX : fb_hold_at(b->holds, slot)->expires_us;
}

static void expire(struct fb_books *b, const struct fb_hold *hold)
{
	const struct fb_id_fact fact = { .seq = hold->seq, .content = hold->content, .kind = FB_RECORD_HOLD };
	struct fb_record *r = fb_draft_record(b, FB_RECORD_EXPIRE);

	r->ref = hold->id;
	r->debit = hold->account;
	r->asset = fb_key_asset(&fb_cell_at(b->accounts, hold->account)->key);
	r->amount = hold->amount;
	fb_draft_apply(b, r);
	fb_draft_undo(b, hold->id, &fact);
}

size_t fb_books_expire(struct fb_books *b, uint8_t *records, uint32_t *record_count, int64_t time_us, size_t max)
{
	size_t count = 0;

	if (!fb_books_are_whole(b))
		return 0;
	for (; count < max && fb_books_next_expiry(b) <= time_us && b->holds->heap.count > 0; count++) {
		struct fb_hold hold = fb_hold_view(fb_hold_at(b->holds, fb_heap_first(b->holds)));

		fb_draft_begin(b, records, *record_count);
		expire(b, &hold);
		*record_count = fb_draft_commit(b);
	}
	return count;
}
