/* Rows of a snapshot, in any order. */
#include "books_int.h"

static bool counters_are_good(const struct fb_account *a)
{
	const struct fb_counters *c = &a->counters;
	struct fb_amount debits;

	if (c->debits_posted.atoms > FB_AMOUNT_MAX || c->debits_pending.atoms > FB_AMOUNT_MAX ||
	    c->credits_posted.atoms > FB_AMOUNT_MAX || c->credits_pending.atoms != 0 ||
	    fb_amount_add(&debits, c->debits_posted, c->debits_pending) != FB_OK)
		return false;
	return a->may_go_below_zero || fb_amount_cmp(debits, c->credits_posted) <= 0;
}

static bool is_taken(const struct fb_accounts *a, uint64_t number, const struct fb_key *key)
{
	return fb_accounts_find(a, key) != 0 ||
	       (number <= fb_accounts_count(a) && fb_cell_is_open(fb_cell_at(a, number)));
}

enum fb_status fb_books_load_account(struct fb_books *b, const struct fb_account *a)
{
	const struct fb_key key = fb_key_pack(&a->key);

	FB_ASSERT(!b->whole && b->seq == 0);
	if (a->number == 0 || a->number > FB_ACCOUNTS_MAX || a->last_seq == 0 || a->key.purpose < FB_PURPOSE_ESCROW ||
	    a->key.purpose >= FB_PURPOSE_END || !counters_are_good(a) || is_taken(b->accounts, a->number, &key))
		return FB_STORAGE;
	fb_accounts_add(b->accounts, a->number, &key, a->may_go_below_zero);
	fb_cell_write(fb_cell_at(b->accounts, a->number), &a->counters, a->last_seq);
	b->debits += a->counters.debits_posted.atoms;
	b->pending += a->counters.debits_pending.atoms;
	b->credits += a->counters.credits_posted.atoms;
	b->newest = a->last_seq > b->newest ? a->last_seq : b->newest;
	b->loaded = true;
	return FB_OK;
}

/* Its account's row may be missing: the hold is newer, and the account is in a record that will be replayed. */
enum fb_status fb_books_load_hold(struct fb_books *b, const struct fb_hold *h)
{
	FB_ASSERT(!b->whole && b->seq == 0);
	if (h->id == 0 || ~h->id == 0 || h->account == 0 || h->account > FB_ACCOUNTS_MAX || h->seq == 0 ||
	    h->amount.atoms == 0 || h->amount.atoms > FB_AMOUNT_MAX || h->expires_us < 0 ||
	    b->holds->count == FB_HOLDS_MAX || fb_holds_find(b->holds, h->id) != 0)
		return FB_STORAGE;
	fb_accounts_reach(b->accounts, h->account);
	fb_holds_add(b->holds, &fb_cell_at(b->accounts, h->account)->holds, h, true);
	b->held += h->amount.atoms;
	b->newest = h->seq > b->newest ? h->seq : b->newest;
	b->loaded = true;
	return FB_OK;
}

void fb_books_load_seq(struct fb_books *b, uint64_t seq)
{
	FB_ASSERT(!b->whole && b->seq == 0);
	b->loaded = true;
	b->seq = seq;
}
