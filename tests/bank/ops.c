/* What a client does next: mostly what succeeds, often what must be refused. */
#include "bank.h"

#include <stdlib.h>
#include <string.h>

enum {
	AMOUNT_MAX = 1000,
	DEPOSIT_MAX = 3000,
	SHORT_US = 60000, /* a hold that will expire under way */
	LONG_US = 3600000000,
	CODES = 5,
};

uint64_t bank_draw(struct client *c, uint64_t below)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random % below;
}

static bool one_in(struct client *c, uint64_t n)
{
	return bank_draw(c, n) == 0;
}

static fb_id new_id(struct client *c)
{
	return FB_U128(c->bank->run << 32 | c->number, ++c->made);
}

/* ---- accounts -------------------------------------------------------------------------------------------------- */

static struct fb_account_key account(uint8_t owner, uint32_t asset, enum fb_purpose purpose)
{
	struct fb_account_key k = { .asset = asset, .purpose = purpose };

	memset(k.owner.bytes, owner, sizeof(k.owner.bytes));
	return k;
}

static uint32_t any_asset(struct client *c)
{
	return 1 + (uint32_t)bank_draw(c, BANK_ASSETS);
}

static struct fb_account_key any_wallet(struct client *c, uint32_t asset)
{
	return account((uint8_t)(1 + bank_draw(c, BANK_OWNERS)), asset, FB_PURPOSE_AVAILABLE);
}

static struct fb_account_key escrow(uint32_t asset)
{
	return account(0xee, asset, FB_PURPOSE_ESCROW);
}

static struct fb_account_key fees(uint32_t asset)
{
	return account(0xff, asset, FB_PURPOSE_FEES);
}

struct fb_account_key bank_any_account(struct client *c)
{
	uint32_t asset = any_asset(c);

	switch (bank_draw(c, 8)) {
	case 0:
		return escrow(asset);
	case 1:
		return fees(asset);
	case 2:
		return account((uint8_t)(1 + bank_draw(c, BANK_OWNERS)), asset, FB_PURPOSE_RECEIVABLE);
	}
	return any_wallet(c, asset);
}

/* ---- operations ------------------------------------------------------------------------------------------------ */

static struct fb_op begin(struct client *c, enum fb_op_kind kind)
{
	return (struct fb_op){ .kind = kind, .id = new_id(c), .code = (uint16_t)bank_draw(c, CODES),
			       .user = bank_draw(c, 1000) };
}

static struct fb_op make_post(struct client *c)
{
	struct fb_op op = begin(c, FB_OP_POST);
	uint32_t asset = any_asset(c);
	bool deposit = one_in(c, 3);

	op.debit = deposit ? escrow(asset) : any_wallet(c, asset);
	op.leg_count = 1;
	op.legs[0].credit = any_wallet(c, asset);
	op.legs[0].amount.atoms = 1 + bank_draw(c, deposit ? DEPOSIT_MAX : AMOUNT_MAX);
	if (!deposit && one_in(c, 20))
		op.legs[0].amount.atoms *= 1000000; /* nobody has that much */
	c->posts[c->post_count++ % BANK_MEMORY] = op.id;
	return op;
}

static struct fb_op make_hold(struct client *c)
{
	struct fb_op op = begin(c, FB_OP_HOLD);
	int64_t now_us = c->bank->clock.wall_us(c->bank->clock.ctx);

	op.debit = any_wallet(c, any_asset(c));
	op.amount.atoms = 1 + bank_draw(c, AMOUNT_MAX);
	if (one_in(c, 2))
		op.expires_us = now_us + (int64_t)bank_draw(c, SHORT_US);
	else if (one_in(c, 2))
		op.expires_us = now_us + LONG_US;
	c->holds[c->hold_count++ % BANK_MEMORY] = (struct bank_hold){ op.id, op.debit.asset, (uint64_t)op.amount.atoms };
	return op;
}

/* One that this client made, if there is one; now and then one that nobody made. */
static struct bank_hold any_hold(struct client *c)
{
	size_t known = c->hold_count < BANK_MEMORY ? c->hold_count : BANK_MEMORY;

	if (known == 0 || one_in(c, 20))
		return (struct bank_hold){ new_id(c), any_asset(c), 100 };
	return c->holds[bank_draw(c, known)];
}

static struct fb_op make_capture(struct client *c)
{
	struct fb_op op = begin(c, FB_OP_CAPTURE);
	struct bank_hold hold = any_hold(c);
	uint64_t part = 1 + bank_draw(c, hold.amount + (one_in(c, 10) ? 10 : 0));

	op.ref = hold.id;
	op.leg_count = 1 + bank_draw(c, 3);
	for (size_t i = 0; i < op.leg_count; i++) {
		op.legs[i].credit = i == 1 ? fees(hold.asset) : any_wallet(c, hold.asset);
		op.legs[i].amount.atoms = 1 + part / op.leg_count;
	}
	if (one_in(c, 50))
		op.legs[0].credit.asset = 1 + hold.asset % BANK_ASSETS;
	return op;
}

static struct fb_op make_release(struct client *c)
{
	struct fb_op op = begin(c, FB_OP_RELEASE);

	op.ref = any_hold(c).id;
	return op;
}

static struct fb_op make_reverse(struct client *c)
{
	struct fb_op op = begin(c, FB_OP_REVERSE);
	size_t known = c->post_count < BANK_MEMORY ? c->post_count : BANK_MEMORY;

	op.ref = known == 0 || one_in(c, 20) ? any_hold(c).id : c->posts[bank_draw(c, known)];
	return op;
}

/* The same again, or something else under the same id. */
static struct fb_op make_repeat(struct client *c)
{
	size_t known = c->before_count < BANK_MEMORY ? c->before_count : BANK_MEMORY;
	struct fb_op op;

	if (known == 0)
		return make_post(c);
	op = c->before[bank_draw(c, known)];
	if (one_in(c, 3))
		op.code++;
	return op;
}

static struct fb_op make_wrong(struct client *c)
{
	struct fb_op op = make_post(c);

	if (one_in(c, 2))
		op.legs[0].amount.atoms = 0;
	else
		op.legs[0].credit = op.debit;
	return op;
}

/* Receivables may go below zero by default; the other flag is for those that were not opened yet. */
static struct fb_op make_account(struct client *c)
{
	struct fb_op op = { .kind = FB_OP_ACCOUNT, .may_go_below_zero = one_in(c, 2) };

	op.debit = account((uint8_t)(1 + bank_draw(c, BANK_OWNERS)), any_asset(c), FB_PURPOSE_RECEIVABLE);
	return op;
}

static struct fb_op make_one(struct client *c)
{
	uint64_t dice = bank_draw(c, 100);

	if (dice < 40)
		return make_post(c);
	if (dice < 62)
		return make_hold(c);
	if (dice < 80)
		return make_capture(c);
	if (dice < 86)
		return make_release(c);
	if (dice < 91)
		return make_reverse(c);
	if (dice < 97)
		return make_repeat(c);
	return dice < 99 ? make_wrong(c) : make_account(c);
}

void bank_make(struct client *c, struct bank_submission *s)
{
	s->count = one_in(c, 6) ? 2 + bank_draw(c, BANK_LINKED_MAX - 1) : 1;
	for (size_t i = 0; i < s->count; i++) {
		s->ops[i] = make_one(c);
		s->ops[i].linked = i + 1 < s->count;
	}
	/* What was linked is remembered alone: repeated, it is still the same operation. */
	for (size_t i = 0; i < s->count; i++)
		if (s->ops[i].kind != FB_OP_ACCOUNT) {
			struct fb_op *before = &c->before[c->before_count++ % BANK_MEMORY];

			*before = s->ops[i];
			before->linked = false;
		}
}
