/* Which blocks are read next, and which headers with them. */
#include "follow_int.h"

static bool add_number(struct fb_reading *r, uint64_t number)
{
	size_t at = r->header_count;

	for (size_t i = 0; i < r->header_count; i++)
		if (r->numbers[i] == number)
			return true;
	if (at == FB_FOLLOW_HEADERS_MAX)
		return false;
	while (at > 0 && r->numbers[at - 1] > number) {
		r->numbers[at] = r->numbers[at - 1];
		at--;
	}
	r->numbers[at] = number;
	r->header_count++;
	return true;
}

/* All of a short range; of a long one its ends, and where credited movements are. */
static bool choose_headers(const struct fb_follow *f, struct fb_reading *r)
{
	r->header_count = 0;
	if (r->last - r->first < FB_FOLLOW_HEADERS_MAX) {
		for (uint64_t n = r->first; n <= r->last; n++)
			r->numbers[r->header_count++] = n;
		return true;
	}
	(void)add_number(r, r->first);
	(void)add_number(r, r->last);
	for (size_t i = 0; i < fb_credit_count(f->credit); i++) {
		uint64_t block = fb_credit_item(f->credit, i)->m.block;

		if (block >= r->first && block <= r->last && !add_number(r, block))
			return false;
	}
	return true;
}

bool fb_follow_choose(struct fb_follow *f)
{
	struct fb_reading *r = &f->r;
	struct fb_hash hash;
	uint64_t looked = fb_credit_looked(f->credit, &hash), next = fb_credit_next_block(f->credit), span;

	if (fb_credit_halted(f->credit) != FB_CREDIT_HALT_NONE)
		return false;
	r->is_final = f->final > looked;
	r->first = r->is_final ? looked + 1 : next;
	if (r->first > f->latest || (f->settings.last > 0 && (!r->is_final || r->first > f->settings.last)))
		return false;
	span = f->range;
	if ((!r->is_final || f->pruned) && span > FB_FOLLOW_HEADERS_MAX)
		span = FB_FOLLOW_HEADERS_MAX;
	r->last = r->is_final ? f->final : f->latest;
	if (f->settings.last > 0 && r->last > f->settings.last)
		r->last = f->settings.last;
	if (r->last - r->first >= span)
		r->last = r->first + span - 1;
	if (!choose_headers(f, r)) {
		r->last = r->first + FB_FOLLOW_HEADERS_MAX - 1;
		FB_ASSERT(choose_headers(f, r));
	}
	return true;
}
