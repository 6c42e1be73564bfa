/* One record after the other, folded into the naive books; each is judged before it changes them. */
#include "audit_int.h"

#include "farebox/crypto.h"

#include <string.h>

/* ---- accounts ------------------------------------------------------------------------------------------------- */

static fb_u128 key_of(const struct fb_record *r)
{
	uint8_t bytes[FB_OWNER_LEN + 4 + 1];
	struct fb_hash h;

	memcpy(bytes, r->owner.bytes, FB_OWNER_LEN);
	fb_put_be32(bytes + FB_OWNER_LEN, r->asset);
	bytes[FB_OWNER_LEN + 4] = (uint8_t)r->purpose;
	h = fb_sha256(bytes, sizeof(bytes));
	return fb_get_be128(h.bytes);
}

static enum fb_status open_account(struct audit *a, const struct fb_record *r)
{
	fb_u128 key = key_of(r);
	uint64_t twin = table_find(&a->account_keys, key);
	struct account *opened;

	if (r->debit != a->accounts.count + 1)
		return audit_differ_number(a, FB_AUDIT_ACCOUNT_NUMBER, r->debit, "the number of the account that opens",
					   r->debit, a->accounts.count + 1);
	if (twin != 0)
		return audit_differ_number(a, FB_AUDIT_ACCOUNT_TWICE, r->debit,
					   "the number of the account with this owner, asset and purpose", r->debit, twin);
	opened = list_add(&a->accounts);
	*opened = (struct account){ .owner = r->owner, .asset = r->asset, .purpose = r->purpose, .key = key,
				    .may_go_below_zero = r->may_go_below_zero };
	table_add(&a->account_keys, key, r->debit);
	return FB_OK;
}

static enum fb_status check_party(struct audit *a, uint64_t number, uint32_t asset, const char *what)
{
	const struct account *party = audit_account(a, number);

	if (party == NULL)
		return audit_differ_number(a, FB_AUDIT_ACCOUNT_NUMBER, number, what, number, a->accounts.count);
	if (party->asset != asset)
		return audit_differ_number(a, FB_AUDIT_ASSET, number, "the record's asset", asset, party->asset);
	return FB_OK;
}

static enum fb_status check_parties(struct audit *a, const struct fb_record *r)
{
	enum fb_status st = check_party(a, r->debit, r->asset, "the debited account (expected: at most)");

	if (st != FB_OK || r->credit == 0)
		return st;
	st = check_party(a, r->credit, r->asset, "the credited account (expected: at most)");
	if (st == FB_OK && r->credit == r->debit)
		return audit_differ_text(a, FB_AUDIT_SAME_ACCOUNT, r->credit, "the credited account", "the debited one",
					 "another one");
	return st;
}

/* ---- counters -------------------------------------------------------------------------------------------------- */

/* What is posted and what is held count together. */
static enum fb_status add_debit(struct audit *a, uint64_t number, fb_u128 *counter, fb_u128 amount)
{
	const struct account *x = audit_account(a, number);
	fb_u128 out = x->debits_posted + x->debits_pending;

	if (amount > FB_AMOUNT_MAX - out)
		return audit_differ_number(a, FB_AUDIT_OVERFLOW, number, "the sum of the debits (expected: at most)",
					   out + amount, FB_AMOUNT_MAX);
	*counter += amount;
	return FB_OK;
}

static enum fb_status add_credit(struct audit *a, uint64_t number, fb_u128 amount)
{
	struct account *x = audit_account(a, number);

	if (amount > FB_AMOUNT_MAX - x->credits_posted)
		return audit_differ_number(a, FB_AUDIT_OVERFLOW, number, "the sum of the credits (expected: at most)",
					   x->credits_posted + amount, FB_AMOUNT_MAX);
	x->credits_posted += amount;
	return FB_OK;
}

/* B2, of an account that was just debited. */
static enum fb_status check_limit(struct audit *a, uint64_t number)
{
	const struct account *x = audit_account(a, number);
	fb_u128 out = x->debits_posted + x->debits_pending;
	char block[FB_U128_DIGITS + 2];
	struct fb_buf b;

	if (x->may_go_below_zero || out <= x->credits_posted)
		return FB_OK;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_char(&b, '-');
	fb_buf_u128(&b, out - x->credits_posted);
	return audit_differ(a, FB_AUDIT_LIMIT, number, "the balance", fb_buf_view(&b), FB_STR("0 or more"));
}

static enum fb_status move(struct audit *a, const struct fb_record *r)
{
	struct account *from = audit_account(a, r->debit);
	enum fb_status st = add_debit(a, r->debit, &from->debits_posted, r->amount.atoms);

	if (st == FB_OK)
		st = add_credit(a, r->credit, r->amount.atoms);
	return st == FB_OK ? check_limit(a, r->debit) : st;
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

static enum fb_status take_id(struct audit *a, const struct fb_record *r)
{
	const struct fact *before = audit_fact(a, r->id);
	struct fact *f;

	if (r->id == 0 || r->id == ~(fb_id)0)
		return audit_differ_number(a, FB_AUDIT_ID_RANGE, r->debit, "the id (expected: at most)", r->id, ~(fb_id)1);
	if (before != NULL)
		return audit_differ_number(a, FB_AUDIT_ID_TWICE, r->debit, "the seq that the id has", r->seq, before->seq);
	f = list_add(&a->facts);
	*f = (struct fact){ .id = r->id, .seq = r->seq, .content = r->content, .refused = r->refused,
			    .kind = (uint8_t)r->kind };
	table_add(&a->ids, r->id, a->facts.count);
	return FB_OK;
}

/* ---- holds ----------------------------------------------------------------------------------------------------- */

static enum fb_status open_hold(struct audit *a, const struct fb_record *r)
{
	struct account *from = audit_account(a, r->debit);
	enum fb_status st = add_debit(a, r->debit, &from->debits_pending, r->amount.atoms);
	uint64_t place;

	if (st == FB_OK && r->expires_us != 0 && r->expires_us <= a->time_us)
		st = audit_differ_text(a, FB_AUDIT_HOLD_TIME, r->debit, "the new hold's time", "over", "not over");
	if (st != FB_OK)
		return st;
	if (a->free_holds.count > 0) {
		place = *(const uint64_t *)list_at(&a->free_holds, a->free_holds.count - 1);
		a->free_holds.count--;
	} else {
		list_add(&a->holds);
		place = a->holds.count;
	}
	*(struct hold *)list_at(&a->holds, place - 1) = (struct hold){
		.id = r->id, .account = r->debit, .seq = r->seq, .amount = r->amount.atoms, .expires_us = r->expires_us
	};
	audit_fact(a, r->id)->hold = place;
	return check_limit(a, r->debit);
}

static const char *state_of(const struct fact *f)
{
	if (f == NULL)
		return "unknown";
	if (f->kind == FB_RECORD_REFUSE)
		return "refused";
	if (f->kind != FB_RECORD_HOLD)
		return fb_record_kind_text(f->kind);
	return f->hold == 0 ? "ended" : "open";
}

static enum fb_status check_hold_time(struct audit *a, const struct fb_record *r, const struct hold *h)
{
	bool over = h->expires_us != 0 && a->time_us >= h->expires_us;

	if (over == (r->kind == FB_RECORD_EXPIRE))
		return FB_OK;
	return audit_differ_text(a, FB_AUDIT_HOLD_TIME, h->account, "the hold's time", over ? "over" : "not over",
				 over ? "not over" : "over");
}

/* Ends the hold r->ref, which must be the whole of what r frees. */
static enum fb_status end_hold(struct audit *a, const struct fb_record *r, fb_u128 freed)
{
	struct fact *f = audit_fact(a, r->ref);
	struct hold *h;
	enum fb_status st;

	if (f == NULL || f->hold == 0)
		return audit_differ_text(a, FB_AUDIT_HOLD_OPEN, r->debit, "the hold that ends", state_of(f), "open");
	h = list_at(&a->holds, f->hold - 1);
	if (h->account != r->debit)
		return audit_differ_number(a, FB_AUDIT_HOLD_ACCOUNT, r->debit, "the account of the hold that ends",
					   r->debit, h->account);
	if (h->amount != freed)
		return audit_differ_number(a, FB_AUDIT_HOLD_AMOUNT, r->debit, "the amount of the hold that ends", freed,
					   h->amount);
	st = check_hold_time(a, r, h);
	if (st != FB_OK)
		return st;
	f->undone = r->kind == FB_RECORD_EXPIRE;
	FB_ASSERT(audit_account(a, r->debit)->debits_pending >= freed); /* it is the sum of such holds */
	audit_account(a, r->debit)->debits_pending -= freed;
	*(uint64_t *)list_add(&a->free_holds) = f->hold;
	h->amount = 0;
	f->hold = 0;
	return FB_OK;
}

/* ---- kinds ----------------------------------------------------------------------------------------------------- */

static enum fb_status take_leg(struct audit *a, const struct fb_record *r)
{
	if (r->amount.atoms > a->capture.held.atoms - a->taken)
		return audit_differ_number(a, FB_AUDIT_CAPTURE_SUM, r->debit, "the sum of the legs (expected: at most)",
					   a->taken + r->amount.atoms, a->capture.held.atoms);
	a->taken += r->amount.atoms;
	return move(a, r);
}

static enum fb_status capture(struct audit *a, const struct fb_record *r)
{
	enum fb_status st = end_hold(a, r, r->held.atoms);

	if (st != FB_OK)
		return st;
	a->capture = *r;
	a->taken = 0;
	return take_leg(a, r);
}

static enum fb_status leg(struct audit *a, const struct fb_record *r)
{
	const struct fb_record *main = &a->capture;

	if (main->kind != FB_RECORD_CAPTURE || !a->chained)
		return audit_differ_text(a, FB_AUDIT_LEG_PLACE, r->debit, "the record before a leg", "no part of a capture",
					 "its capture or another leg of it");
	if (main->id != r->id || main->ref != r->ref || main->debit != r->debit)
		return audit_differ_text(a, FB_AUDIT_LEG_PLACE, r->debit, "the id, hold or account of a leg",
					 "another one", "that of its capture");
	return take_leg(a, r);
}

static enum fb_status reverse(struct audit *a, const struct fb_record *r)
{
	struct fact *f = audit_fact(a, r->ref);
	struct fb_record post;

	if (f == NULL || f->kind != FB_RECORD_POST)
		return audit_differ_text(a, FB_AUDIT_REVERSE_POST, r->debit, "what is reversed", state_of(f), "post");
	if (f->undone)
		return audit_differ_text(a, FB_AUDIT_REVERSE_TWICE, r->debit, "the post", "reversed already", "not reversed");
	if (audit_record_at(a, &post, f->seq) != FB_OK)
		return FB_STORAGE;
	if (post.debit != r->credit || post.credit != r->debit)
		return audit_differ_text(a, FB_AUDIT_REVERSE_POST, r->debit, "the pair of accounts", "another one",
					 "that of the post, exchanged");
	if (post.amount.atoms != r->amount.atoms)
		return audit_differ_number(a, FB_AUDIT_REVERSE_POST, r->debit, "the amount", r->amount.atoms,
					   post.amount.atoms);
	f->undone = true;
	return move(a, r);
}

static bool has_parties(enum fb_record_kind k)
{
	return k != FB_RECORD_ACCOUNT && k != FB_RECORD_REFUSE;
}

static bool takes_id(enum fb_record_kind k)
{
	return k != FB_RECORD_ACCOUNT && k != FB_RECORD_LEG && k != FB_RECORD_EXPIRE;
}

static enum fb_status apply(struct audit *a, const struct fb_record *r)
{
	switch (r->kind) {
	case FB_RECORD_ACCOUNT:
		return open_account(a, r);
	case FB_RECORD_POST:
		return move(a, r);
	case FB_RECORD_HOLD:
		return open_hold(a, r);
	case FB_RECORD_CAPTURE:
		return capture(a, r);
	case FB_RECORD_LEG:
		return leg(a, r);
	case FB_RECORD_RELEASE:
	case FB_RECORD_EXPIRE:
		return end_hold(a, r, r->amount.atoms);
	case FB_RECORD_REVERSE:
		return reverse(a, r);
	case FB_RECORD_REFUSE:
		return FB_OK;
	case FB_RECORD_KIND_END:
		break;
	}
	FB_UNREACHABLE("decode lets known kinds through");
}

/* ---- chains (B6) ----------------------------------------------------------------------------------------------- */

static enum fb_status check_chain(struct audit *a, const struct fb_record *r)
{
	bool refused = r->kind == FB_RECORD_REFUSE;

	if (a->chained && a->chain_refused != refused)
		return audit_differ_text(a, FB_AUDIT_CHAIN_MIXED, r->debit, "the operation", refused ? "refused" : "applied",
					 refused ? "applied, as the chain was" : "refused, as the chain was");
	a->chain_refused = refused;
	return FB_OK;
}

static void add_line(struct audit *a, uint64_t number, uint64_t seq)
{
	struct account *x = audit_account(a, number);

	if (x == NULL)
		return;
	x->last_seq = seq;
	x->lines++;
}

enum fb_status audit_fold(struct audit *a, const struct fb_record *r)
{
	enum fb_status st = check_chain(a, r);

	if (st == FB_OK && has_parties(r->kind))
		st = check_parties(a, r);
	if (st == FB_OK && takes_id(r->kind))
		st = take_id(a, r);
	if (st == FB_OK)
		st = apply(a, r);
	if (st != FB_OK)
		return st;
	add_line(a, r->debit, r->seq);
	add_line(a, r->credit, r->seq);
	if (r->kind != FB_RECORD_CAPTURE && r->kind != FB_RECORD_LEG)
		a->capture.kind = 0;
	a->chained = r->linked;
	return FB_OK;
}

enum fb_status audit_end_batch(struct audit *a)
{
	if (!a->chained)
		return FB_OK;
	return audit_differ_text(a, FB_AUDIT_CHAIN_WHOLE, 0, "the batch's last record", "linked to the next",
				 "the end of its chain");
}
