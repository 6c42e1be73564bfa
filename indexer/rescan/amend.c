/* What was found, handed to the decisions. */
#include "rescan_int.h"

/* What is in suspense when everything before it was taken out. */
static bool still_lies(const struct fb_rescan *r, size_t at, struct fb_amount balance)
{
	struct fb_amount sum = r->stored[at].m.amount;

	for (size_t i = 0; i < at; i++)
		if (r->stored[i].state == FB_CREDIT_PENDING && fb_address_eq(&r->stored[i].m.wallet, &r->stored[at].m.wallet) &&
		    fb_amount_add(&sum, sum, r->stored[i].m.amount) != FB_OK)
			return false;
	return fb_amount_cmp(sum, balance) <= 0;
}

bool fb_rescan_amend(struct fb_rescan *r,
		     bool (*balance)(void *arg, struct fb_amount *out, const struct fb_address *wallet), void *arg)
{
	struct fb_credit_amendment a = { .first = r->result.from, .stored = r->stored, .stored_count = r->stored_count,
					 .movements = r->movements, .count = r->movement_count, .sequence = r->sequence,
					 .last_hash = r->looked_hash };
	struct fb_amount lies;

	if (r->stored_count + r->movement_count == 0 && !r->result.sequence_differs && !r->result.hash_differs)
		return false;
	for (size_t i = 0; i < r->stored_count; i++)
		if (r->stored[i].state == FB_CREDIT_AVAILABLE && r->stored[i].suspense &&
		    balance(arg, &lies, &r->stored[i].m.wallet) && still_lies(r, i, lies))
			r->stored[i].state = FB_CREDIT_PENDING;
	return fb_credit_amend(r->credit, &a) == FB_OK;
}
