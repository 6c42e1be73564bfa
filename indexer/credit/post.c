/* The postings: between which accounts, under which ids, and what they change here. */
#include "credit_int.h"

#include "farebox/crypto.h"

#include <string.h>

static const struct fb_amount ZERO = { 0 };

fb_id fb_credit_id(const struct fb_hash *identity, const struct fb_hash *block_hash, enum fb_credit_posting what,
		   uint32_t round)
{
	uint8_t tail[5] = { (uint8_t)what };
	struct fb_keccak k;
	struct fb_hash h;

	fb_put_be32(tail + 1, round);
	fb_keccak_init(&k);
	fb_keccak_update(&k, identity->bytes, 32);
	fb_keccak_update(&k, block_hash->bytes, 32);
	fb_keccak_update(&k, tail, round == 0 ? 1 : sizeof(tail));
	h = fb_keccak_final(&k);
	return fb_get_be128(h.bytes);
}

struct fb_amount fb_sum(struct fb_amount a, struct fb_amount b)
{
	struct fb_amount sum;

	FB_ASSERT(fb_amount_add(&sum, a, b) == FB_OK);
	return sum;
}

struct fb_amount fb_rest(struct fb_amount a, struct fb_amount b)
{
	struct fb_amount rest;

	FB_ASSERT(fb_amount_sub(&rest, a, b) == FB_OK);
	return rest;
}

static struct fb_amount lesser(struct fb_amount a, struct fb_amount b)
{
	return fb_amount_cmp(a, b) < 0 ? a : b;
}

static struct fb_owner owner_named(const struct fb_address *wallet)
{
	struct fb_owner o;

	memcpy(o.bytes, wallet->bytes, FB_OWNER_LEN);
	return o;
}

static struct fb_account_key account(const struct fb_credit *c, const struct fb_owner *owner, enum fb_purpose purpose)
{
	return (struct fb_account_key){ *owner, c->settings.asset, purpose };
}

static struct fb_op *next_op(struct fb_credit_batch *b)
{
	FB_ASSERT(b->op_count < FB_CREDIT_OPS_MAX);
	b->ops[b->op_count] = (struct fb_op){ .kind = FB_OP_POST, .leg_count = 1 };
	return &b->ops[b->op_count++];
}

/* One posting of a movement. */
static void post(struct fb_credit_batch *b, const struct fb_credit_item *i, enum fb_credit_posting what,
		 const struct fb_account_key *debit, const struct fb_account_key *credit, struct fb_amount amount)
{
	struct fb_op *op;

	if (fb_amount_cmp(amount, ZERO) == 0)
		return;
	op = next_op(b);
	op->id = fb_credit_id(&i->m.identity, &i->m.block_hash, what, i->round);
	op->debit = *debit;
	op->legs[0] = (struct fb_leg){ *credit, amount };
	op->code = (uint16_t)what;
	op->user = i->m.block;
	op->external = i->m.tx;
}

/* Takes from the owner's debt what the amount can repay. */
static struct fb_amount pay_debt(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_owner *owner,
				 struct fb_amount amount)
{
	struct fb_amount debt = fb_debt_of(c, owner), part = lesser(debt, amount);

	if (fb_amount_cmp(part, ZERO) == 0)
		return part;
	fb_debt_set(c, owner, fb_rest(debt, part));
	fb_put_debt(c, b, owner);
	return part;
}

/* From `from` to the owner: debts first, the rest is available. */
static void post_available(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_credit_item *i,
			   const struct fb_account_key *from, enum fb_credit_posting what)
{
	struct fb_account_key receivable = account(c, &i->owner, FB_PURPOSE_RECEIVABLE);
	struct fb_account_key available = account(c, &i->owner, FB_PURPOSE_AVAILABLE);
	struct fb_amount part = pay_debt(c, b, &i->owner, i->m.amount);

	post(b, i, FB_CREDIT_POST_READY_DEBT, from, &receivable, part);
	post(b, i, what, from, &available, fb_rest(i->m.amount, part));
}

/* The account that a movement not yet available is in. */
static struct fb_account_key place_of(const struct fb_credit *c, const struct fb_credit_item *i)
{
	struct fb_owner wallet = owner_named(&i->m.wallet);

	if (i->suspense)
		return account(c, &wallet, FB_PURPOSE_SUSPENSE);
	return account(c, &i->owner, FB_PURPOSE_PENDING_IN);
}

static void attribute(const struct fb_credit *c, struct fb_credit_item *i)
{
	bool signed_for = i->m.kind == FB_MOVEMENT_DEPOSIT || i->m.kind == FB_MOVEMENT_AUTHORIZED;

	i->owner = owner_named(&i->m.wallet);
	i->suspense = !c->ports.owner_of(c->ports.ctx, &i->owner, &i->m.wallet) && !signed_for;
}

static void post_payout(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i)
{
	struct fb_account_key payout = account(c, &c->escrow, FB_PURPOSE_PAYOUT);
	struct fb_account_key escrow = account(c, &c->escrow, FB_PURPOSE_ESCROW);

	i->owner = owner_named(&i->m.wallet);
	i->suspense = false;
	i->state = FB_CREDIT_AVAILABLE;
	post(b, i, FB_CREDIT_POST_CREDIT, &payout, &escrow, i->m.amount);
	c->cursor.out = fb_sum(c->cursor.out, i->m.amount);
}

void fb_post_credit(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i, bool at_once)
{
	struct fb_account_key escrow = account(c, &c->escrow, FB_PURPOSE_ESCROW), place;

	FB_ASSERT(i->m.kind != FB_MOVEMENT_LEAK);
	i->early = false;
	if (i->m.kind == FB_MOVEMENT_PAYOUT) {
		post_payout(c, b, i);
		return;
	}
	attribute(c, i);
	i->state = FB_CREDIT_PENDING;
	c->cursor.in = fb_sum(c->cursor.in, i->m.amount);
	if (at_once && !i->suspense) {
		i->state = FB_CREDIT_AVAILABLE;
		post_available(c, b, i, &escrow, FB_CREDIT_POST_CREDIT);
		return;
	}
	place = place_of(c, i);
	post(b, i, FB_CREDIT_POST_CREDIT, &escrow, &place, i->m.amount);
}

void fb_post_ready(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i)
{
	struct fb_account_key place = place_of(c, i);

	FB_ASSERT(i->state == FB_CREDIT_PENDING);
	if (i->suspense)
		FB_ASSERT(c->ports.owner_of(c->ports.ctx, &i->owner, &i->m.wallet));
	i->suspense = false;
	i->state = FB_CREDIT_AVAILABLE;
	post_available(c, b, i, &place, FB_CREDIT_POST_READY);
}

void fb_post_reversal(struct fb_credit *c, struct fb_credit_batch *b, struct fb_credit_item *i)
{
	struct fb_account_key escrow = account(c, &c->escrow, FB_PURPOSE_ESCROW), from = place_of(c, i);

	FB_ASSERT(i->state != FB_CREDIT_REVERSED);
	if (i->m.kind == FB_MOVEMENT_PAYOUT) {
		struct fb_account_key payout = account(c, &c->escrow, FB_PURPOSE_PAYOUT);

		post(b, i, FB_CREDIT_POST_REVERSAL, &escrow, &payout, i->m.amount);
		c->cursor.out = fb_rest(c->cursor.out, i->m.amount);
	} else {
		if (i->state == FB_CREDIT_AVAILABLE) {
			from = account(c, &i->owner, FB_PURPOSE_RECEIVABLE);
			fb_debt_set(c, &i->owner, fb_sum(fb_debt_of(c, &i->owner), i->m.amount));
			fb_put_debt(c, b, &i->owner);
		}
		post(b, i, FB_CREDIT_POST_REVERSAL, &from, &escrow, i->m.amount);
		c->cursor.in = fb_rest(c->cursor.in, i->m.amount);
	}
	if (i->early)
		c->at_risk = fb_rest(c->at_risk, i->m.amount);
	i->early = false;
	i->state = FB_CREDIT_REVERSED;
}

/* ---- postings of no movement ------------------------------------------------------------------------------------- */
/* Their identity is the owner, in place of a block stands the serial, which never comes again. */
static void post_serial(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_owner *owner,
			enum fb_credit_posting what, enum fb_purpose debit, const struct fb_owner *debit_owner,
			enum fb_purpose credit, struct fb_amount amount)
{
	struct fb_hash who = { { 0 } }, serial = { { 0 } };
	struct fb_op *op;

	if (fb_amount_cmp(amount, ZERO) == 0)
		return;
	memcpy(who.bytes, owner->bytes, FB_OWNER_LEN);
	memcpy(serial.bytes, c->escrow.bytes, FB_OWNER_LEN);
	fb_put_be64(serial.bytes + 24, ++c->cursor.serial);
	op = next_op(b);
	op->id = fb_credit_id(&who, &serial, what, 0);
	op->debit = account(c, debit_owner, debit);
	op->legs[0] = (struct fb_leg){ account(c, owner, credit), amount };
	op->code = (uint16_t)what;
}

void fb_post_claim(struct fb_credit *c, struct fb_credit_batch *b)
{
	const struct fb_owner wallet = owner_named(&c->job.wallet), *owner = &c->job.owner;
	struct fb_amount part = pay_debt(c, b, owner, c->job.claim);

	post_serial(c, b, owner, FB_CREDIT_POST_CLAIM_DEBT, FB_PURPOSE_SUSPENSE, &wallet, FB_PURPOSE_RECEIVABLE, part);
	post_serial(c, b, owner, FB_CREDIT_POST_CLAIM, FB_PURPOSE_SUSPENSE, &wallet, FB_PURPOSE_AVAILABLE,
		    fb_rest(c->job.claim, part));
}

void fb_post_repay(struct fb_credit *c, struct fb_credit_batch *b)
{
	post_serial(c, b, &c->repay_owner, FB_CREDIT_POST_REPAY, FB_PURPOSE_AVAILABLE, &c->repay_owner,
		    FB_PURPOSE_RECEIVABLE, c->repay_amount);
}
