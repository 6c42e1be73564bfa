/* Sums over all that was folded: debits and credits of an asset, open holds and pending debits of an account. */
#include "audit_int.h"

#include <stdlib.h>
#include <string.h>

struct sums {
	uint32_t asset;
	fb_u128 debits, credits;
};

static struct sums *sums_of(struct list *all, uint32_t asset)
{
	struct sums *s;

	for (size_t i = 0; i < all->count; i++) {
		s = list_at(all, i);
		if (s->asset == asset)
			return s;
	}
	s = list_add(all);
	*s = (struct sums){ .asset = asset };
	return s;
}

/* B1. A sum beyond 128 bits wraps on both sides alike. */
static enum fb_status check_sums(struct audit *a)
{
	struct list all = { .item_size = sizeof(struct sums) };
	enum fb_status st = FB_OK;

	for (size_t i = 0; i < a->accounts.count; i++) {
		const struct account *x = list_at(&a->accounts, i);
		struct sums *s = sums_of(&all, x->asset);

		s->debits += x->debits_posted;
		s->credits += x->credits_posted;
	}
	for (size_t i = 0; st == FB_OK && i < all.count; i++) {
		const struct sums *s = list_at(&all, i);

		if (s->debits != s->credits)
			st = audit_differ_number(a, FB_AUDIT_SUMS, 0, "the sum of an asset's debits (expected: credits)",
						 s->debits, s->credits);
	}
	free(all.items);
	return st;
}

/* B5 */
static enum fb_status check_pending(struct audit *a)
{
	fb_u128 *held = fb_must_alloc(a->accounts.count + 1, sizeof(held[0]));
	enum fb_status st = FB_OK;

	for (size_t i = 0; i < a->holds.count; i++) {
		const struct hold *h = list_at(&a->holds, i);

		a->sum.holds += h->amount != 0;
		if (h->amount != 0)
			held[h->account] += h->amount;
	}
	for (uint64_t n = 1; st == FB_OK && n <= a->accounts.count; n++)
		if (held[n] != audit_account(a, n)->debits_pending)
			st = audit_differ_number(a, FB_AUDIT_PENDING, n, "the sum of the open holds", held[n],
						 audit_account(a, n)->debits_pending);
	free(held);
	return st;
}

enum fb_status audit_totals(struct audit *a)
{
	enum fb_status st = check_sums(a);

	return st == FB_OK ? check_pending(a) : st;
}
