/* An event, worked off in steps that each fit into what is left of a batch. */
#include "credit_int.h"

#include <string.h>

/* ---- rungs ------------------------------------------------------------------------------------------------------- */
bool fb_is_ripe(const struct fb_credit *c, const struct fb_credit_item *i)
{
	const struct fb_credit_settings *s = &c->settings;

	if (i->m.block <= c->final)
		return true;
	switch (s->rung) {
	case FB_CREDIT_BLOCKS:
		return i->m.block <= c->latest && c->latest - i->m.block + 1 >= s->blocks;
	case FB_CREDIT_SAFE:
		return i->m.block <= c->safe;
	case FB_CREDIT_FINAL:
		break;
	}
	return false;
}

/* What was not read by this process and is too old for the port may be gone: the next look will say. */
static bool stands(const struct fb_credit *c, const struct fb_item *i)
{
	if (c->job.is_final && i->mark == c->mark)
		return true;
	switch (c->ports.stands(c->ports.ctx, i->is.m.block, &i->is.m.block_hash)) {
	case FB_STAND_YES:
		return true;
	case FB_STAND_NO:
		return false;
	case FB_STAND_UNKNOWN:
		break;
	}
	return i->seen;
}

static bool may_be_early(const struct fb_credit *c, const struct fb_credit_item *i)
{
	struct fb_amount sum;

	return !i->suspense && fb_amount_cmp(i->m.amount, c->settings.early_max) <= 0 &&
	       fb_amount_add(&sum, c->at_risk, i->m.amount) == FB_OK && fb_amount_cmp(sum, c->settings.early_cap) <= 0;
}

static void ripen(struct fb_credit *c, struct fb_credit_batch *b, struct fb_item *i)
{
	bool ripe = fb_is_ripe(c, &i->is);
	struct fb_owner owner;

	if (i->is.early && ripe) {
		i->is.early = false;
		c->at_risk = fb_rest(c->at_risk, i->is.m.amount);
		fb_put_live(c, b, &i->is);
	}
	if (i->is.state != FB_CREDIT_PENDING || (!ripe && !may_be_early(c, &i->is)) || !stands(c, i))
		return;
	if (i->is.suspense && !c->ports.owner_of(c->ports.ctx, &owner, &i->is.m.wallet))
		return;
	fb_post_ready(c, b, &i->is);
	i->is.early = !ripe;
	if (i->is.early)
		c->at_risk = fb_sum(c->at_risk, i->is.m.amount);
	fb_put_live(c, b, &i->is);
}

/* ---- movements --------------------------------------------------------------------------------------------------- */
/* Is this credited movement of a block that is gone? */
static bool has_vanished(const struct fb_credit *c, const struct fb_item *i)
{
	const struct fb_movement *m = &i->is.m;
	const struct fb_job *j = &c->job;

	if (i->is.state == FB_CREDIT_REVERSED)
		return false;
	if (j->is_rewind)
		return m->block >= j->rewind && c->ports.stands(c->ports.ctx, m->block, &m->block_hash) == FB_STAND_NO;
	return m->block >= j->scan.first && m->block <= j->scan.last && i->mark != c->mark;
}

static void reverse(struct fb_credit *c, struct fb_credit_batch *b, struct fb_item *i)
{
	fb_post_reversal(c, b, &i->is);
	fb_put_live(c, b, &i->is);
}

static bool is_ours(struct fb_credit *c, const struct fb_movement *m)
{
	if (m->kind == FB_MOVEMENT_PAYOUT)
		return c->ports.is_payout(c->ports.ctx, m);
	return m->kind != FB_MOVEMENT_LEAK;
}

/* Its row was final before a crash that came in the middle of its range. */
static bool is_behind(const struct fb_credit *c, const struct fb_movement *m)
{
	const struct fb_cursor_row *r = &c->cursor;

	return m->block < r->at_block || (m->block == r->at_block && m->index < r->at_index);
}

static void credit_final(struct fb_credit *c, struct fb_credit_batch *b, struct fb_item *old, struct fb_credit_item *is)
{
	fb_post_credit(c, b, is, true);
	if (c->job.is_amend && old != NULL) /* its row may be of another transaction */
		fb_put_final(c, b, &old->is);
	fb_put_final(c, b, is);
	if (old != NULL) {
		fb_remove_live(c, b, &old->is);
		fb_items_remove(&c->items, old);
	}
	if (c->job.is_amend)
		return;
	c->cursor.at_block = is->m.block;
	c->cursor.at_index = is->m.index + 1;
}

static void credit_new(struct fb_credit *c, struct fb_credit_batch *b, struct fb_item *old,
		       const struct fb_movement *m)
{
	struct fb_credit_item is = { .m = *m, .highest = m->block };

	if (old != NULL) {
		is.round = old->is.round + 1;
		is.highest = old->is.highest > m->block ? old->is.highest : m->block;
	}
	if (c->job.is_final) {
		credit_final(c, b, old, &is);
		return;
	}
	fb_post_credit(c, b, &is, false);
	fb_put_live(c, b, &is);
	if (old != NULL)
		old->is = is;
	else
		old = fb_items_add(&c->items, &is);
	old->mark = c->mark;
	old->seen = c->job.is_scan;
}

/* True: the movement is dealt with; false: its older credit was taken back, it comes again. */
static bool credit_one(struct fb_credit *c, struct fb_credit_batch *b, const struct fb_movement *m)
{
	struct fb_item *old;

	if (!is_ours(c, m)) {
		c->leaks += !c->job.is_final || m->block >= c->next;
		return true;
	}
	old = fb_items_find(&c->items, &m->identity);
	if (old == NULL && !c->job.is_amend && is_behind(c, m))
		return true;
	if (old != NULL && old->is.state != FB_CREDIT_REVERSED && !fb_hash_eq(&old->is.m.block_hash, &m->block_hash)) {
		reverse(c, b, old); /* C1 */
		return false;
	}
	if (old == NULL || old->is.state == FB_CREDIT_REVERSED)
		credit_new(c, b, old, m);
	else
		old->seen |= c->job.is_scan;
	return true;
}

/* Final now: its row is written for good. */
static void finish(struct fb_credit *c, struct fb_credit_batch *b, struct fb_item *i)
{
	bool reversed = i->is.state == FB_CREDIT_REVERSED;

	if ((reversed ? i->is.highest : i->is.m.block) > c->job.scan.last)
		return;
	FB_ASSERT(i->is.state != FB_CREDIT_PENDING || i->is.suspense);
	if (i->is.state == FB_CREDIT_PENDING)
		i->is.state = FB_CREDIT_AVAILABLE;
	fb_put_final(c, b, &i->is);
	fb_remove_live(c, b, &i->is);
	fb_items_remove(&c->items, i);
}

/* ---- the end of a range ------------------------------------------------------------------------------------------ */
static void note_range(struct fb_credit *c, const struct fb_credit_scan *s)
{
	FB_ASSERT(s->first == c->next);
	if (c->range_count == FB_CREDIT_RANGES_MAX) { /* the two oldest become one: a reorg there reads more again */
		c->ranges[1].first = c->ranges[0].first;
		memmove(c->ranges, c->ranges + 1, --c->range_count * sizeof(*c->ranges));
	}
	c->ranges[c->range_count++] = (struct fb_range){ s->first, s->last, s->sequence };
}

static void drop_ranges(struct fb_credit *c, uint64_t looked)
{
	size_t gone = 0;

	while (gone < c->range_count && c->ranges[gone].last <= looked)
		gone++;
	c->range_count -= gone;
	memmove(c->ranges, c->ranges + gone, c->range_count * sizeof(*c->ranges));
	if (c->range_count > 0 && c->ranges[0].first <= looked)
		c->ranges[0].first = looked + 1;
}

static void end_scan(struct fb_credit *c)
{
	const struct fb_credit_scan *s = &c->job.scan;

	if (s->first == c->next && !c->job.is_final)
		note_range(c, s);
	if (s->last >= c->next)
		c->next = s->last + 1;
	if (!c->job.is_final)
		return;
	c->cursor.looked = s->last;
	c->cursor.looked_hash = s->last_hash;
	c->cursor.sequence = s->sequence;
	drop_ranges(c, s->last);
}

/* ---- phases -------------------------------------------------------------------------------------------------------
 * */
static bool in_list(struct fb_job *j, const struct fb_credit *c, enum fb_job_phase next)
{
	if (j->at < c->items.count)
		return true;
	j->phase = next;
	j->at = next == FB_JOB_FINISH ? c->items.count : 0;
	return false;
}

static void step_vanish(struct fb_credit *c, struct fb_credit_batch *b)
{
	struct fb_job *j = &c->job;

	if (!in_list(j, c, FB_JOB_CREDIT))
		return;
	if (has_vanished(c, c->items.list[j->at]))
		reverse(c, b, c->items.list[j->at]);
	j->at++;
}

static void step_credit(struct fb_credit *c, struct fb_credit_batch *b)
{
	struct fb_job *j = &c->job;

	if (j->at < j->scan.count) {
		j->at += credit_one(c, b, &j->scan.movements[j->at]);
		return;
	}
	if (j->is_final && c->cursor.at_block <= j->scan.last) { /* from now on movements leave for their final rows */
		c->cursor.at_block = j->scan.last + 1;
		c->cursor.at_index = 0;
	}
	j->phase = j->is_amend ? FB_JOB_FINISH : FB_JOB_RIPEN;
	j->at = j->is_amend ? c->items.count : 0;
}

static void step_ripen(struct fb_credit *c, struct fb_credit_batch *b)
{
	struct fb_job *j = &c->job;

	if (in_list(j, c, FB_JOB_FINISH))
		ripen(c, b, c->items.list[j->at++]);
}

/* From the end: an item that goes is replaced by the last one. */
static void step_finish(struct fb_credit *c, struct fb_credit_batch *b)
{
	struct fb_job *j = &c->job;

	if (j->is_final && j->at > 0) {
		finish(c, b, c->items.list[--j->at]);
		return;
	}
	if (j->is_scan)
		end_scan(c);
	j->phase = FB_JOB_END;
}

bool fb_step(struct fb_credit *c, struct fb_credit_batch *b)
{
	switch (c->job.phase) {
	case FB_JOB_VANISH:
		step_vanish(c, b);
		return true;
	case FB_JOB_CREDIT:
		step_credit(c, b);
		return true;
	case FB_JOB_CLAIM:
		fb_post_claim(c, b);
		c->job.phase = FB_JOB_RIPEN;
		return true;
	case FB_JOB_RIPEN:
		step_ripen(c, b);
		return true;
	case FB_JOB_FINISH:
		step_finish(c, b);
		return true;
	case FB_JOB_HALT:
		c->job.phase = FB_JOB_END;
		return true;
	case FB_JOB_NONE:
	case FB_JOB_END:
		break;
	}
	return false;
}

static bool has_room(const struct fb_credit_batch *b)
{
	return b->op_count + FB_CREDIT_STEP_OPS <= FB_CREDIT_OPS_MAX &&
	       b->put_count + FB_CREDIT_STEP_PUTS <= FB_CREDIT_PUTS_MAX;
}

bool fb_credit_next(struct fb_credit *c, struct fb_credit_batch *out)
{
	bool cursor = c->job.is_final || c->job.phase == FB_JOB_HALT;
	bool more = c->job.phase != FB_JOB_NONE;

	out->op_count = out->put_count = 0;
	while (more && has_room(out) && fb_step(c, out))
		;
	if (c->job.phase == FB_JOB_END)
		c->job.phase = FB_JOB_NONE;
	if (out->op_count == 0 && out->put_count == 0 && !(more && cursor))
		return false;
	fb_put_cursor(c, out);
	return true;
}
