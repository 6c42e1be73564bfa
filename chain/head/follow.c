/* The follower's decisions: what an endpoint said and the remembered chain go in, a changed chain and what to ask next
 * come out. Pure: no I/O, no clock. */
#include "head_int.h"

#include <string.h>

_Static_assert(FB_HEAD_GAP_MAX > FB_HEAD_DEPTH_MAX, "a jump lands above all that is remembered");
_Static_assert(FB_HEAD_KEEP_MAX > FB_HEAD_DEPTH_MAX, "what may be replaced is remembered");

static const struct fb_head_block *slot_of(const struct follow *f, uint64_t number)
{
	return &f->kept[number % FB_HEAD_KEEP_MAX];
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t more(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void fb_follow_init(struct follow *f, const struct fb_head_settings *settings)
{
	FB_ASSERT(settings->depth_max >= 1 && settings->depth_max <= FB_HEAD_DEPTH_MAX);
	FB_ASSERT(settings->confirmations >= 1 && settings->confirmations <= settings->depth_max);
	FB_ASSERT(settings->finality_blocks >= settings->confirmations);
	memset(f, 0, sizeof(*f));
	f->settings = *settings;
}

const struct fb_head_block *fb_follow_at(const struct follow *f, uint64_t number)
{
	return f->known && number >= f->foot && number <= f->head ? slot_of(f, number) : NULL;
}

/* ---- the remembered chain -------------------------------------------------------------------------------- */

/* Is the block's parent remembered? */
static bool joins(const struct follow *f, const struct fb_head_block *b)
{
	const struct fb_head_block *below = b->number == 0 ? NULL : fb_follow_at(f, b->number - 1);

	return below != NULL && fb_hash_eq(&below->hash, &b->parent);
}

/* H1 */
static void put(struct follow *f, const struct fb_head_block *b)
{
	FB_ASSERT(f->known && b->number == f->head + 1 && joins(f, b));
	f->kept[b->number % FB_HEAD_KEEP_MAX] = *b;
	f->head = b->number;
	if (f->head - f->foot >= FB_HEAD_KEEP_MAX)
		f->foot = f->head - FB_HEAD_KEEP_MAX + 1;
}

/* The lowest block that may be replaced. H2 */
static uint64_t lowest_replaceable(const struct follow *f)
{
	uint64_t by_depth = f->head + 1 > f->settings.depth_max ? f->head + 1 - f->settings.depth_max : 0;

	return more(more(f->foot, by_depth), fb_follow_final(f));
}

static void note(struct follow_step *step, const struct follow *f, uint64_t first, uint64_t depth)
{
	FB_ASSERT(!step->changed || depth == 0); /* what follows a change is more of the same branch */
	if (!step->changed)
		step->event = (struct fb_head_event){ depth > 0 ? FB_HEAD_REORGED : FB_HEAD_EXTENDED, first, depth, { 0 } };
	step->changed = true;
	step->event.head = *fb_follow_at(f, f->head);
}

/* The branch takes the place of everything from its lowest block on; or of everything, if that block joins nothing. */
static void put_branch(struct follow *f, struct follow_step *step)
{
	const struct fb_head_block *bottom = &f->branch[f->branch_count - 1];
	uint64_t depth = f->known && f->head >= bottom->number ? f->head - bottom->number + 1 : 0;
	uint64_t first = f->known && depth == 0 ? f->head + 1 : bottom->number;

	FB_ASSERT(f->branch_count > 0 && (depth == 0 || bottom->number >= lowest_replaceable(f)));
	if (joins(f, bottom)) {
		f->head = bottom->number - 1;
	} else {
		f->known = true;
		f->foot = f->head = bottom->number;
		f->kept[bottom->number % FB_HEAD_KEEP_MAX] = *bottom;
		f->branch_count--;
	}
	while (f->branch_count > 0)
		put(f, &f->branch[--f->branch_count]);
	note(step, f, first, depth);
}

/* ---- the walk ---------------------------------------------------------------------------------------------- */

static struct follow_step end_look(struct follow *f, struct follow_step step, enum fb_head_fault fault)
{
	f->stage = FOLLOW_IDLE;
	f->branch_count = 0;
	step.ask_count = 0;
	step.fault = fault;
	if (fault == FB_HEAD_FAULT_DEEP || fault == FB_HEAD_FAULT_FINAL) {
		f->rest_looks = FB_HEAD_REST_LOOKS;
		f->rest_fault = fault;
	}
	return step;
}

static struct follow_step ask(struct follow *f, struct follow_step step, enum follow_stage stage, uint64_t from,
			      uint64_t count)
{
	FB_ASSERT(count >= 1 && count <= FB_HEAD_BATCH);
	if (f->asks == LOOK_ASKS_MAX) /* H4: the endpoint changes its mind faster than it is asked */
		return end_look(f, step, FB_HEAD_FAULT_UNFIT);
	f->asks++;
	f->stage = stage;
	f->asked_from = step.ask_from = from;
	f->asked = step.ask_count = (size_t)count;
	return step;
}

/* Blocks below the branch, down to `low`: first a few, then more. */
static struct follow_step ask_below(struct follow *f, struct follow_step step, enum follow_stage stage, uint64_t low)
{
	uint64_t bottom = f->branch[f->branch_count - 1].number;
	uint64_t count = less(less(f->branch_count + 1, FB_HEAD_BATCH), bottom - low);

	return ask(f, step, stage, bottom - count, count);
}

static struct follow_step toward_target(struct follow *f, struct follow_step step);

/* The branch leaves the remembered chain below its lowest block, or further down, or too far down. */
static struct follow_step go_back(struct follow *f, struct follow_step step)
{
	const struct fb_head_block *bottom = &f->branch[f->branch_count - 1];
	uint64_t low = lowest_replaceable(f);

	if (bottom->number >= low && (joins(f, bottom) || (bottom->number == low && low == f->foot))) {
		put_branch(f, &step);
		return toward_target(f, step);
	}
	if (bottom->number <= low)
		return end_look(f, step,
				low == fb_follow_final(f) ? FB_HEAD_FAULT_FINAL : FB_HEAD_FAULT_DEEP);
	return ask_below(f, step, FOLLOW_BACK, low);
}

/* A first chain reaches depth_max below the target. */
static struct follow_step go_on_start(struct follow *f, struct follow_step step)
{
	uint64_t low = f->target.number > f->settings.depth_max ? f->target.number - f->settings.depth_max : 0;

	if (f->branch[f->branch_count - 1].number > low)
		return ask_below(f, step, FOLLOW_START, low);
	put_branch(f, &step);
	return end_look(f, step, FB_HEAD_FAULT_NONE);
}

static struct follow_step begin_branch(struct follow *f, struct follow_step step, const struct fb_head_block *top,
				       bool start)
{
	f->branch[0] = *top;
	f->branch_count = 1;
	return start ? go_on_start(f, step) : go_back(f, step);
}

/* What lies between the remembered head and the one that the endpoint named? */
static struct follow_step toward_target(struct follow *f, struct follow_step step)
{
	const struct fb_head_block *known = fb_follow_at(f, f->target.number);
	uint64_t missing;

	if (known != NULL && fb_hash_eq(&known->hash, &f->target.hash))
		return end_look(f, step, FB_HEAD_FAULT_NONE);
	if (joins(f, &f->target) || f->target.number <= f->head + 1)
		return begin_branch(f, step, &f->target, false);
	missing = f->target.number - f->head - 1;
	if (missing > FB_HEAD_GAP_MAX)
		return ask(f, step, FOLLOW_PROBE, f->head, 1);
	return ask(f, step, FOLLOW_FORWARD, f->head + 1, less(missing, FB_HEAD_BATCH));
}

/* ---- what the endpoint said ---------------------------------------------------------------------------------- */

/* A remembered block, named as the head. */
static struct follow_step see_known(struct follow *f, const struct fb_head_block *b, const struct fb_head_block *known)
{
	struct follow_step step = { 0 };

	f->lower_looks = 0;
	if (!fb_hash_eq(&b->parent, &known->parent))
		return end_look(f, step, FB_HEAD_FAULT_UNFIT);
	if (b->number < f->head)
		return end_look(f, step, FB_HEAD_FAULT_BACKWARDS);
	f->rest_looks = 0;
	return end_look(f, step, FB_HEAD_FAULT_NONE);
}

struct follow_step fb_follow_latest(struct follow *f, const struct fb_head_block *latest)
{
	const struct fb_head_block *known = fb_follow_at(f, latest->number);
	struct follow_step step = { 0 };

	FB_ASSERT(f->stage == FOLLOW_IDLE && f->branch_count == 0);
	f->target = *latest;
	f->asks = 0;
	if (!f->known)
		return begin_branch(f, step, latest, true);
	if (known != NULL && fb_hash_eq(&known->hash, &latest->hash))
		return see_known(f, latest, known);
	f->lower_looks = latest->number < f->head ? f->lower_looks + 1 : 0;
	if (f->lower_looks > 0 && f->lower_looks < FB_HEAD_LOWER_LOOKS)
		return end_look(f, step, FB_HEAD_FAULT_LOWER);
	if (f->rest_looks > 0 && !(latest->number == f->head + 1 && joins(f, latest))) {
		f->rest_looks--;
		step.fault = f->rest_fault;
		return step;
	}
	f->rest_looks = 0;
	return toward_target(f, step);
}

/* Every answer is the block that was asked for, and each the parent of the next. */
static enum fb_head_fault check(const struct follow_answer *answers, size_t count, uint64_t from)
{
	for (size_t i = 0; i < count; i++) {
		if (answers[i].fault != FB_HEAD_FAULT_NONE)
			return answers[i].fault;
		if (answers[i].block.number != from + i)
			return FB_HEAD_FAULT_UNFIT;
		if (i > 0 && !fb_hash_eq(&answers[i].block.parent, &answers[i - 1].block.hash))
			return FB_HEAD_FAULT_UNFIT;
	}
	return FB_HEAD_FAULT_NONE;
}

static struct follow_step take_above(struct follow *f, const struct follow_answer *answers, size_t count)
{
	struct follow_step step = { 0 };

	for (size_t i = 0; i < count; i++)
		f->branch[count - 1 - i] = answers[i].block;
	f->branch_count = count;
	return go_back(f, step);
}

/* Adds blocks under the branch until one joins. */
static struct follow_step take_below(struct follow *f, const struct follow_answer *answers, size_t count)
{
	struct follow_step step = { 0 };

	if (!fb_hash_eq(&f->branch[f->branch_count - 1].parent, &answers[count - 1].block.hash))
		return end_look(f, step, FB_HEAD_FAULT_UNFIT);
	while (count-- > 0) {
		FB_ASSERT(f->branch_count < BRANCH_MAX);
		f->branch[f->branch_count++] = answers[count].block;
		if (f->stage == FOLLOW_BACK && joins(f, &answers[count].block))
			break;
	}
	return f->stage == FOLLOW_BACK ? go_back(f, step) : go_on_start(f, step);
}

/* Before a jump: has the endpoint the remembered head still? If not, the chain was changed below it. */
static struct follow_step take_probe(struct follow *f, const struct fb_head_block *b)
{
	struct follow_step step = { 0 };
	bool still = fb_hash_eq(&b->hash, &fb_follow_at(f, f->head)->hash);

	return begin_branch(f, step, still ? &f->target : b, still);
}

struct follow_step fb_follow_blocks(struct follow *f, const struct follow_answer *answers, size_t count)
{
	struct follow_step step = { 0 };
	enum fb_head_fault fault = check(answers, count, f->asked_from);

	FB_ASSERT(count == f->asked);

	if (fault != FB_HEAD_FAULT_NONE)
		return end_look(f, step, fault);
	switch (f->stage) {
	case FOLLOW_FORWARD:
		return take_above(f, answers, count);
	case FOLLOW_PROBE:
		return take_probe(f, &answers[0].block);
	case FOLLOW_BACK:
	case FOLLOW_START:
		return take_below(f, answers, count);
	case FOLLOW_IDLE:
		break;
	}
	FB_UNREACHABLE("blocks that nobody asked for");
}

void fb_follow_abandon(struct follow *f)
{
	f->stage = FOLLOW_IDLE;
	f->branch_count = 0;
}
