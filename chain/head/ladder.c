/* How final a block is: by the endpoint's own marks, or by the blocks upon it where there are none. Pure. */
#include "head_int.h"

static uint64_t without_mark(const struct follow *f)
{
	uint64_t blocks = f->settings.finality_blocks;

	return f->known && f->head >= blocks ? f->head - blocks + 1 : 0;
}

uint64_t fb_follow_final(const struct follow *f)
{
	return f->has_final ? f->final + 1 : without_mark(f);
}

uint64_t fb_follow_safe(const struct follow *f)
{
	uint64_t safe = f->has_safe ? f->safe + 1 : without_mark(f);
	uint64_t final = fb_follow_final(f);

	return safe > final ? safe : final;
}

enum fb_rung fb_follow_rung(const struct follow *f, uint64_t number, const struct fb_hash *hash)
{
	const struct fb_head_block *b = fb_follow_at(f, number);

	if (!f->known || number > f->head || (b != NULL && !fb_hash_eq(&b->hash, hash)))
		return FB_RUNG_NONE;
	if (number < fb_follow_final(f))
		return FB_RUNG_FINAL;
	if (number < fb_follow_safe(f))
		return FB_RUNG_SAFE;
	return f->head - number >= f->settings.confirmations ? FB_RUNG_CONFIRMED : FB_RUNG_INCLUDED;
}

/* Takes one mark over, or says why not. An endpoint that has none answers null or an error, which is no fault. */
static enum fb_head_fault take_mark(const struct follow *f, bool *has, uint64_t *mark, const struct follow_answer *a)
{
	const struct fb_head_block *b;

	if (a->fault == FB_HEAD_FAULT_REFUSED || a->fault == FB_HEAD_FAULT_ABSENT)
		return FB_HEAD_FAULT_NONE;
	if (a->fault != FB_HEAD_FAULT_NONE)
		return a->fault;
	if (a->block.number > f->head)
		return FB_HEAD_FAULT_UNFIT;
	b = fb_follow_at(f, a->block.number);
	if (b != NULL && !fb_hash_eq(&b->hash, &a->block.hash))
		return a->block.number < fb_follow_final(f) ? FB_HEAD_FAULT_FINAL : FB_HEAD_FAULT_UNFIT;
	*mark = *has && *mark > a->block.number ? *mark : a->block.number;
	*has = true;
	return FB_HEAD_FAULT_NONE;
}

struct follow_step fb_follow_ladder(struct follow *f, const struct follow_answer *safe,
				    const struct follow_answer *final)
{
	struct follow_step step = { .event.change = FB_HEAD_ROSE };
	uint64_t safe_before = fb_follow_safe(f), final_before = fb_follow_final(f);
	enum fb_head_fault fault;

	FB_ASSERT(f->known && f->stage == FOLLOW_IDLE);
	step.fault = take_mark(f, &f->has_final, &f->final, final);
	fault = take_mark(f, &f->has_safe, &f->safe, safe);
	step.fault = step.fault == FB_HEAD_FAULT_NONE ? fault : step.fault;
	step.changed = fb_follow_safe(f) != safe_before || fb_follow_final(f) != final_before;
	step.event.head = *fb_follow_at(f, f->head);
	return step;
}
