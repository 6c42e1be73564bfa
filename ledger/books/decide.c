/* Decides one operation. Each kind: checks in the documented order, then the line, then records that cannot be
 * refused. */
#include "books_int.h"

/* ---- checks ----------------------------------------------------------------------------------------------------- */
/* What is posted and what is reserved together stay in range, so that ending a hold never overflows. */
static bool room_for_debit(const struct fb_entry *e, struct fb_amount amount)
{
	struct fb_amount sum;

	return fb_amount_add(&sum, e->counters.debits_posted, e->counters.debits_pending) == FB_OK &&
	       fb_amount_add(&sum, sum, amount) == FB_OK;
}

static bool room_for_credit(const struct fb_entry *e, struct fb_amount amount)
{
	struct fb_amount sum;

	return fb_amount_add(&sum, e->counters.credits_posted, amount) == FB_OK;
}

/* B2. After room_for_debit, so that the sum is in range. */
static bool has_funds(const struct fb_entry *e, struct fb_amount amount)
{
	const struct fb_counters *c = &e->counters;

	return e->may_go_below_zero ||
	       c->debits_posted.atoms + c->debits_pending.atoms + amount.atoms <= c->credits_posted.atoms;
}

/* Room for the accounts that are not open yet; some may be the same. */
static bool room_to_open(const struct fb_books *b, struct fb_entry *const *e, size_t count)
{
	uint64_t open = fb_accounts_count(b->accounts) + b->draft->opens, fresh = 0;

	for (size_t i = 0; i < count; i++) {
		bool first = e[i]->number == 0;

		for (size_t k = 0; k < i; k++)
			first = first && e[k] != e[i];
		fresh += first;
	}
	return fresh == 0 || open + fresh <= b->accounts->max;
}

/* The line's other side. */
static void open_entry(struct fb_books *b, struct fb_entry *e)
{
	struct fb_account_key key = fb_key_unpack(&e->key);
	struct fb_record *r;

	if (e->number != 0)
		return;
	r = fb_draft_record(b, FB_RECORD_ACCOUNT);
	r->debit = fb_accounts_count(b->accounts) + b->draft->opens + 1;
	r->owner = key.owner;
	r->asset = key.asset;
	r->purpose = key.purpose;
	r->may_go_below_zero = e->may_go_below_zero;
	fb_draft_apply(b, r);
	FB_ASSERT(e->number == r->debit);
}

static struct fb_record *begin_record(struct fb_books *b, enum fb_record_kind kind, const struct fb_op *op,
				      uint64_t content)
{
	struct fb_record *r = fb_draft_record(b, kind);

	r->id = op->id;
	r->ref = op->ref;
	r->code = op->code;
	r->user = op->user;
	r->external = op->external;
	r->content = content;
	return r;
}

/* ---- accounts --------------------------------------------------------------------------------------------------- */
static enum fb_status decide_account(struct fb_books *b, struct fb_op_result *result, const struct fb_op *op)
{
	const struct fb_key key = fb_key_pack(&op->debit);
	struct fb_entry *e = fb_draft_account(b, &key);

	if (e->number != 0 && e->may_go_below_zero != op->may_go_below_zero)
		return FB_ID_REUSED;
	if (e->number != 0) {
		result->existed = true;
		return FB_OK;
	}
	if (!room_to_open(b, &e, 1))
		return FB_LIMIT;
	/* ---- after this line it is opened ---- */
	e->may_go_below_zero = op->may_go_below_zero;
	open_entry(b, e);
	result->seq = b->draft->seq;
	return FB_OK;
}

/* ---- posts ------------------------------------------------------------------------------------------------------ */
static enum fb_status decide_post(struct fb_books *b, const struct fb_op *op, uint64_t content)
{
	const struct fb_key debit_key = fb_key_pack(&op->debit), credit_key = fb_key_pack(&op->legs[0].credit);
	struct fb_entry *debit = fb_draft_account(b, &debit_key), *credit = fb_draft_account(b, &credit_key);
	struct fb_amount amount = op->legs[0].amount;
	struct fb_record *r;

	if (!room_for_debit(debit, amount) || !room_for_credit(credit, amount))
		return FB_OVERFLOW;
	if (!has_funds(debit, amount))
		return FB_FUNDS;
	if (!room_to_open(b, (struct fb_entry *const[]){ debit, credit }, 2))
		return FB_LIMIT;
	/* ---- after this line it is posted ---- */
	open_entry(b, debit);
	open_entry(b, credit);
	r = begin_record(b, FB_RECORD_POST, op, content);
	r->ref = 0;
	r->asset = op->debit.asset;
	r->debit = debit->number;
	r->credit = credit->number;
	r->amount = amount;
	fb_draft_apply(b, r);
	return FB_OK;
}

/* Of the batch that is being filled, or read from outside before. */
static struct fb_record post_record(const struct fb_books *b, const struct fb_outside *outside, uint64_t seq)
{
	const struct fb_draft *d = b->draft;
	struct fb_record r = outside->post;

	if (d->unwritten && seq == d->record.seq)
		r = d->record;
	else if (seq >= d->first_seq) {
		enum fb_status st = fb_record_decode(&r, d->out + (seq - d->first_seq) * FB_RECORD_LEN);

		FB_ASSERT(st == FB_OK);
	}
	FB_ASSERT(r.kind == FB_RECORD_POST && r.seq == seq);
	return r;
}

static enum fb_status decide_reverse(struct fb_books *b, const struct fb_op *op, uint64_t content,
				     const struct fb_outside *outside)
{
	struct fb_id_fact of_post;
	struct fb_entry *debit, *credit;
	struct fb_record post, *r;

	if (!fb_fact_find(b, &of_post, op->ref, outside->has_ref ? &outside->ref : NULL) ||
	    of_post.kind != FB_RECORD_POST || of_post.refused != FB_OK)
		return FB_NOT_FOUND;
	if (of_post.undone)
		return FB_REVERSED_ALREADY;
	post = post_record(b, outside, of_post.seq);
	debit = fb_draft_number(b, post.credit);
	credit = fb_draft_number(b, post.debit);
	if (!room_for_debit(debit, post.amount) || !room_for_credit(credit, post.amount))
		return FB_OVERFLOW;
	if (!has_funds(debit, post.amount))
		return FB_FUNDS;
	/* ---- after this line it is reversed ---- */
	r = begin_record(b, FB_RECORD_REVERSE, op, content);
	r->asset = post.asset;
	r->debit = debit->number;
	r->credit = credit->number;
	r->amount = post.amount;
	fb_draft_apply(b, r);
	fb_draft_undo(b, op->ref, &of_post);
	return FB_OK;
}

/* ---- holds ------------------------------------------------------------------------------------------------------ */
static enum fb_status decide_hold(struct fb_books *b, const struct fb_op *op, uint64_t content)
{
	const struct fb_key key = fb_key_pack(&op->debit);
	struct fb_entry *debit = fb_draft_account(b, &key);
	struct fb_record *r;

	if (op->expires_us != 0 && op->expires_us <= b->time_us)
		return FB_HOLD_EXPIRED;
	if (!room_for_debit(debit, op->amount))
		return FB_OVERFLOW;
	if (!has_funds(debit, op->amount))
		return FB_FUNDS;
	if (!room_to_open(b, &debit, 1) || b->holds->count + b->draft->more_holds >= b->holds->max)
		return FB_LIMIT;
	/* ---- after this line it is reserved ---- */
	open_entry(b, debit);
	r = begin_record(b, FB_RECORD_HOLD, op, content);
	r->ref = 0;
	r->asset = op->debit.asset;
	r->debit = debit->number;
	r->amount = op->amount;
	r->expires_us = op->expires_us;
	fb_draft_apply(b, r);
	return FB_OK;
}

/* Why a hold that is not open is not (B4). */
static enum fb_status why_no_hold(const struct fb_books *b, fb_id id, const struct fb_outside *outside)
{
	struct fb_id_fact fact;

	if (outside->was_open)
		return FB_HOLD_ENDED; /* by an operation before this one, of the same submission */
	if (!fb_fact_find(b, &fact, id, outside->has_ref ? &outside->ref : NULL) || fact.kind != FB_RECORD_HOLD ||
	    fact.refused != FB_OK)
		return FB_NOT_FOUND;
	return fact.undone ? FB_HOLD_EXPIRED : FB_HOLD_ENDED;
}

static enum fb_status find_hold(const struct fb_books *b, struct fb_hold *out, fb_id id,
				const struct fb_outside *outside)
{
	const struct fb_draft_hold *mine = fb_draft_hold(b, id);
	uint32_t slot;

	if (mine != NULL && mine->ended)
		return FB_HOLD_ENDED;
	if (mine != NULL) {
		*out = mine->hold;
		return FB_OK;
	}
	slot = fb_holds_find(b->holds, id);
	if (slot == 0)
		return why_no_hold(b, id, outside);
	*out = fb_hold_view(fb_hold_at(b->holds, slot));
	return out->expires_us != 0 && out->expires_us <= b->time_us ? FB_HOLD_EXPIRED : FB_OK;
}

/* What the legs up to i bring to the account of leg i. */
static bool room_for_leg(struct fb_entry *const *to, const struct fb_op *op, size_t i)
{
	struct fb_amount sum = { 0 };

	for (size_t k = 0; k <= i; k++)
		if (to[k] == to[i] && fb_amount_add(&sum, sum, op->legs[k].amount) != FB_OK)
			return false;
	return room_for_credit(to[i], sum);
}

static enum fb_status check_legs(struct fb_books *b, struct fb_entry **to, const struct fb_op *op,
				 const struct fb_hold *hold)
{
	const struct fb_entry *from = fb_draft_number(b, hold->account);
	struct fb_amount sum = { 0 };

	if (op->legs[0].credit.asset != fb_key_asset(&from->key))
		return FB_BAD_VALUE;
	for (size_t i = 0; i < op->leg_count; i++) {
		const struct fb_key key = fb_key_pack(&op->legs[i].credit);

		to[i] = fb_draft_account(b, &key);
		if (to[i] == from)
			return FB_SAME_ACCOUNT;
	}
	for (size_t i = 0; i < op->leg_count; i++)
		if (fb_amount_add(&sum, sum, op->legs[i].amount) != FB_OK || fb_amount_cmp(sum, hold->amount) > 0)
			return FB_HOLD_TOO_SMALL;
	for (size_t i = 0; i < op->leg_count; i++)
		if (!room_for_leg(to, op, i))
			return FB_OVERFLOW;
	return room_to_open(b, to, op->leg_count) ? FB_OK : FB_LIMIT;
}

static enum fb_status decide_capture(struct fb_books *b, struct fb_op_result *result, const struct fb_op *op,
				     uint64_t content, const struct fb_outside *outside)
{
	struct fb_entry *to[FB_LEGS_MAX];
	struct fb_hold hold;
	enum fb_status st = find_hold(b, &hold, op->ref, outside);

	if (st == FB_OK)
		st = check_legs(b, to, op, &hold);
	if (st != FB_OK)
		return st;
	/* ---- after this line it is captured ---- */
	for (size_t i = 0; i < op->leg_count; i++)
		open_entry(b, to[i]);
	for (size_t i = 0; i < op->leg_count; i++) {
		struct fb_record *r = begin_record(b, i == 0 ? FB_RECORD_CAPTURE : FB_RECORD_LEG, op, content);

		r->asset = op->legs[i].credit.asset;
		r->debit = hold.account;
		r->credit = to[i]->number;
		r->amount = op->legs[i].amount;
		r->held.atoms = i == 0 ? hold.amount.atoms : 0;
		fb_draft_apply(b, r);
		if (i == 0)
			result->seq = r->seq;
	}
	return FB_OK;
}

static enum fb_status decide_release(struct fb_books *b, const struct fb_op *op, uint64_t content,
				     const struct fb_outside *outside)
{
	struct fb_hold hold;
	enum fb_status st = find_hold(b, &hold, op->ref, outside);
	struct fb_record *r;

	if (st != FB_OK)
		return st;
	/* ---- after this line it is released ---- */
	r = begin_record(b, FB_RECORD_RELEASE, op, content);
	r->asset = fb_key_asset(&fb_draft_number(b, hold.account)->key);
	r->debit = hold.account;
	r->amount = hold.amount;
	fb_draft_apply(b, r);
	return FB_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */
/* B3: an id that was used says what came of it. */
static void answer_known(struct fb_op_result *result, const struct fb_id_fact *fact, uint64_t content)
{
	if (fact->content != content) {
		result->status = FB_ID_REUSED;
		return;
	}
	result->seq = fact->seq;
	result->first = fact->refused;
	result->existed = fact->refused == FB_OK;
	result->status = result->existed ? FB_OK : FB_ID_FAILED;
}

static enum fb_status decide_kind(struct fb_books *b, struct fb_op_result *result, const struct fb_op *op,
				  uint64_t content, const struct fb_outside *outside)
{
	switch (op->kind) {
	case FB_OP_ACCOUNT:
		break;
	case FB_OP_POST:
		return decide_post(b, op, content);
	case FB_OP_HOLD:
		return decide_hold(b, op, content);
	case FB_OP_CAPTURE:
		return decide_capture(b, result, op, content, outside);
	case FB_OP_RELEASE:
		return decide_release(b, op, content, outside);
	case FB_OP_REVERSE:
		return decide_reverse(b, op, content, outside);
	}
	FB_UNREACHABLE("an operation with an id");
}

void fb_decide(struct fb_books *b, struct fb_op_result *result, const struct fb_op *op,
	       const struct fb_outside *outside)
{
	const struct fb_id_fact *of_id = outside->has_id ? &outside->id : NULL;
	struct fb_id_fact known;
	uint64_t content;

	if (op->kind == FB_OP_ACCOUNT) {
		result->status = decide_account(b, result, op);
		return;
	}
	content = fb_op_digest(op);
	if (fb_fact_find(b, &known, op->id, of_id)) {
		answer_known(result, &known, content);
		return;
	}
	result->status = decide_kind(b, result, op, content, outside);
	if (result->status == FB_OK && result->seq == 0)
		result->seq = b->draft->seq;
}
