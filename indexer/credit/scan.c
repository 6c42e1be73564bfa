/* Events are taken here, or refused before anything has changed. */
#include "credit_int.h"

#include <stdlib.h>
#include <string.h>

static bool is_idle(const struct fb_credit *c)
{
	return c->job.phase == FB_JOB_NONE && !c->repaying;
}

static void begin(struct fb_credit *c, const struct fb_job *job)
{
	FB_ASSERT(is_idle(c));
	c->job = *job;
	c->mark++;
}

/* Room for all that an event could bring, at worst. */
static bool has_room(const struct fb_credit *c, size_t more)
{
	return more <= FB_CREDIT_LIVE_MAX - c->items.count && c->debt_count <= FB_CREDIT_DEBTORS_MAX - FB_CREDIT_LIVE_MAX;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------ */
static int block_order(const void *key, const void *element)
{
	const uint64_t *number = key;
	const struct fb_credit_block *b = element;

	return (*number > b->number) - (*number < b->number);
}

/* What the range says of a credited movement in it: FB_OK (it is there, or its block is gone), FB_MISSING,
 * FB_MISMATCH. */
static enum fb_status check_item(const struct fb_credit_scan *s, const struct fb_item *i, uint64_t mark,
				 struct fb_error *e)
{
	const struct fb_movement *m = &i->is.m;
	const struct fb_credit_block *b;

	if (i->is.state == FB_CREDIT_REVERSED || m->block < s->first || m->block > s->last || i->mark == mark)
		return FB_OK;
	b = s->block_count == 0
		    ? NULL : bsearch(&m->block, s->blocks, s->block_count, sizeof(*s->blocks), block_order);
	if (b == NULL)
		return fb_error_set(e, FB_MISSING, "the hash of block %llu is needed", (unsigned long long)m->block);
	if (fb_hash_eq(&b->hash, &m->block_hash))
		return fb_error_set(e, FB_MISMATCH, "block %llu holds a transfer that the logs leave out now",
				    (unsigned long long)m->block);
	return FB_OK;
}

/* Marks what is confirmed. The marks mean nothing if the range is refused in the end. */
static enum fb_status check_scan(struct fb_credit *c, const struct fb_credit_scan *s, uint64_t mark, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	for (size_t k = 0; k < s->count; k++) {
		struct fb_item *i = fb_items_find(&c->items, &s->movements[k].identity);

		FB_ASSERT(s->movements[k].block >= s->first && s->movements[k].block <= s->last);
		if (i != NULL && fb_hash_eq(&i->is.m.block_hash, &s->movements[k].block_hash))
			i->mark = mark;
	}
	for (size_t i = 0; i < c->items.count && st == FB_OK; i++)
		st = check_item(s, c->items.list[i], mark, e);
	return st;
}

enum fb_status fb_credit_scan(struct fb_credit *c, const struct fb_credit_scan *s, struct fb_error *e)
{
	bool is_final = s->first == c->cursor.looked + 1 && s->last <= c->final;
	enum fb_status st;

	FB_ASSERT(is_idle(c));
	FB_ASSERT(s->first <= s->last && (is_final || s->first == c->next)); /* C4: above looked */
	if (c->cursor.halt != FB_CREDIT_HALT_NONE)
		return FB_CONFLICT;
	if (!has_room(c, s->count))
		return FB_LIMIT;
	c->mark++; /* those of a refused range are never used */
	st = check_scan(c, s, c->mark + 1, e);
	if (st != FB_OK)
		return st;
	begin(c, &(struct fb_job){ .phase = FB_JOB_VANISH, .is_scan = true, .is_final = is_final, .scan = *s });
	return FB_OK;
}

/* ---- the others
 * ---------------------------------------------------------------------------------------------------- */
enum fb_status fb_credit_rewind(struct fb_credit *c, uint64_t first)
{
	if (c->cursor.halt != FB_CREDIT_HALT_NONE || first <= c->cursor.looked)
		return FB_CONFLICT;
	if (!has_room(c, 0))
		return FB_LIMIT;
	while (c->range_count > 0 && c->ranges[c->range_count - 1].last >= first)
		c->next = c->ranges[--c->range_count].first;
	FB_ASSERT(c->next > c->cursor.looked);
	begin(c, &(struct fb_job){ .phase = FB_JOB_VANISH, .is_rewind = true, .rewind = first });
	return FB_OK;
}

enum fb_status fb_credit_heads(struct fb_credit *c, uint64_t latest, uint64_t safe, uint64_t final)
{
	if (c->cursor.halt != FB_CREDIT_HALT_NONE)
		return FB_CONFLICT;
	FB_ASSERT(final <= safe && safe <= latest);
	c->latest = latest;
	c->safe = safe > c->safe ? safe : c->safe;
	c->final = final > c->final ? final : c->final;
	begin(c, &(struct fb_job){ .phase = FB_JOB_RIPEN });
	return FB_OK;
}

enum fb_status fb_credit_receipt(struct fb_credit *c, const struct fb_movement *m, size_t count)
{
	if (c->cursor.halt != FB_CREDIT_HALT_NONE)
		return FB_CONFLICT;
	if (!has_room(c, count))
		return FB_LIMIT;
	for (size_t i = 0; i < count; i++)
		if (m[i].block <= c->cursor.looked || m[i].block <= c->final ||
		    c->ports.stands(c->ports.ctx, m[i].block, &m[i].block_hash) != FB_STAND_YES)
			return FB_BUSY;
	begin(c, &(struct fb_job){ .phase = FB_JOB_CREDIT, .scan = { .movements = m, .count = count } });
	return FB_OK;
}

/* What of a wallet's suspense will still be moved, or taken back, movement by movement. */
static struct fb_amount not_final(const struct fb_credit *c, const struct fb_address *wallet)
{
	struct fb_amount sum = { 0 };

	for (size_t i = 0; i < c->items.count; i++) {
		const struct fb_credit_item *is = &c->items.list[i]->is;

		if (is->suspense && is->state == FB_CREDIT_PENDING && fb_address_eq(&is->m.wallet, wallet))
			sum = fb_sum(sum, is->m.amount);
	}
	return sum;
}

enum fb_status fb_credit_claim(struct fb_credit *c, const struct fb_address *wallet, struct fb_amount suspense)
{
	struct fb_job job = { .phase = FB_JOB_CLAIM, .wallet = *wallet };

	if (c->cursor.halt != FB_CREDIT_HALT_NONE)
		return FB_CONFLICT;
	FB_ASSERT(c->ports.owner_of(c->ports.ctx, &job.owner, wallet));
	job.claim = fb_rest(suspense, not_final(c, wallet));
	begin(c, &job);
	return FB_OK;
}

enum fb_status fb_credit_amend(struct fb_credit *c, const struct fb_credit_amendment *a)
{
	FB_ASSERT(is_idle(c) && a->first <= c->cursor.looked);
	if (a->stored_count > FB_CREDIT_LIVE_MAX || !has_room(c, a->stored_count + a->count))
		return FB_LIMIT;
	for (size_t i = 0; i < a->stored_count; i++) /* one that is there was amended before a crash */
		if (fb_items_find(&c->items, &a->stored[i].m.identity) == NULL)
			fb_items_add(&c->items, &a->stored[i]);
	begin(c, &(struct fb_job){ .phase = FB_JOB_VANISH, .is_scan = true, .is_final = true, .is_amend = true,
				   .scan = { .first = a->first, .last = c->cursor.looked, .last_hash = a->last_hash,
					     .movements = a->movements, .count = a->count, .sequence = a->sequence } });
	return FB_OK;
}

void fb_credit_halt(struct fb_credit *c, enum fb_credit_halt why)
{
	begin(c, &(struct fb_job){ .phase = FB_JOB_HALT });
	c->cursor.halt = why;
}

/* ---- repayment
 * ----------------------------------------------------------------------------------------------------- */
bool fb_credit_repay(struct fb_credit *c, struct fb_credit_batch *out, size_t debtor, struct fb_amount available)
{
	struct fb_amount debt;

	FB_ASSERT(is_idle(c));
	c->repay_owner = fb_credit_debtor(c, debtor, &debt);
	c->repay_amount = fb_amount_cmp(debt, available) < 0 ? debt : available;
	if (c->cursor.halt != FB_CREDIT_HALT_NONE || fb_amount_cmp(c->repay_amount, (struct fb_amount){ 0 }) == 0)
		return false;
	out->op_count = out->put_count = 0;
	fb_post_repay(c, out);
	fb_debt_set(c, &c->repay_owner, fb_rest(debt, c->repay_amount));
	fb_put_debt(c, out, &c->repay_owner);
	fb_put_cursor(c, out);
	c->repaying = true;
	return true;
}

void fb_credit_repaid(struct fb_credit *c, enum fb_status status)
{
	FB_ASSERT(c->repaying);
	c->repaying = false;
	if (status != FB_OK)
		fb_debt_set(c, &c->repay_owner, fb_sum(fb_debt_of(c, &c->repay_owner), c->repay_amount));
}
