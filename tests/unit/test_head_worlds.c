/* Goal: whatever an endpoint says, the remembered chain is a chain, its changes are all told, what is final stays, and
 * once the endpoint is honest again the remembered chain is the true one. Method: random worlds with reorgs, and an
 * endpoint that lags, lies and fails between any two questions; a naive mirror that knows events alone. */
#include "test_head.h"

enum { ROUNDS = 60, SEEDS = 4000, SEEDS_FULL = 100000, HONEST_LOOKS = 2 * FB_HEAD_REST_LOOKS, BELOW_FINAL = 8 };

struct course {
	uint64_t seed, rng;
	struct follow f;
	struct world now, before; /* the truth, and what a lagging node still sees */
	uint64_t highest;         /* tip of any truth, and head that was remembered */
	uint64_t lies_ppm;
	/* what a listener knows */
	bool heard;
	uint64_t mirror_head, mirror_foot;
	struct fb_hash mirror[WORLD_MAX];
	uint64_t final; /* the lowest number that is not */
	bool final_known, marked;
	struct fb_hash final_hash;
	/* a run that tested nothing fails */
	uint64_t reorgs, jumps, faults[FB_HEAD_FAULT_END];
};

static uint64_t draw(struct course *c, uint64_t below)
{
	uint64_t z = c->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

static bool happens(struct course *c, uint64_t ppm)
{
	return draw(c, 1000000) < ppm;
}

/* ---- the truth ------------------------------------------------------------------------------------------- */

static void grow(struct course *c)
{
	uint64_t more = happens(c, 20000) ? draw(c, 2200) : happens(c, 100000) ? draw(c, 90) : draw(c, 4);

	if (c->now.tip + more < WORLD_MAX - 100)
		world_set(&c->now, c->now.tip + 1, c->now.tip + more);
	c->highest = c->now.tip > c->highest ? c->now.tip : c->highest;
}

/* Replaces the last blocks, not deeper than may be followed from any head that somebody was told of. */
static void replace(struct course *c)
{
	uint64_t depth_max = c->f.settings.depth_max;
	uint64_t lowest = c->highest + 2 > depth_max ? c->highest + 2 - depth_max : 1;
	uint64_t depth = draw(c, depth_max), from = c->now.tip > depth ? c->now.tip - depth : 1;

	from = from < lowest ? lowest : from;
	if (from > c->now.tip)
		return;
	if (happens(c, 500000))
		c->before = c->now;
	world_set(&c->now, from, from - 1 + draw(c, c->now.tip - from + 4));
	c->highest = c->now.tip > c->highest ? c->now.tip : c->highest;
}

static void live(struct course *c)
{
	if (happens(c, 100000))
		c->before = c->now;
	if (happens(c, 500000))
		grow(c);
	if (happens(c, 150000))
		replace(c);
}

/* ---- the endpoint ------------------------------------------------------------------------------------------ */

static void twist(struct course *c, struct fb_head_block *b)
{
	switch (draw(c, 4)) {
	case 0:
		b->hash = world_hash(draw(c, 1000), 1u << 20);
		break;
	case 1:
		b->parent = world_hash(draw(c, 1000), 1u << 20);
		break;
	case 2:
		b->number += draw(c, 2) == 0 ? 1 + draw(c, 3000) : (uint64_t)-1;
		break;
	default:
		b->number = draw(c, FB_HEAD_NUMBER_MAX);
	}
	b->number = b->number > FB_HEAD_NUMBER_MAX ? 0 : b->number;
}

static struct follow_answer answer(struct course *c, const struct world *w, uint64_t number)
{
	struct follow_answer a = { .fault = FB_HEAD_FAULT_ABSENT };

	if (number <= w->tip)
		a = (struct follow_answer){ .block = world_block(w, number) };
	if (happens(c, c->lies_ppm / 4))
		a.fault = draw(c, 2) == 0 ? FB_HEAD_FAULT_REFUSED : FB_HEAD_FAULT_MALFORMED;
	else if (a.fault == FB_HEAD_FAULT_NONE && happens(c, c->lies_ppm / 4))
		twist(c, &a.block);
	return a;
}

static const struct world *node(struct course *c)
{
	return happens(c, c->lies_ppm) ? &c->before : &c->now;
}

/* ---- what must hold ------------------------------------------------------------------------------------------ */

static void check_chain(const struct course *c) /* H1 */
{
	const struct follow *f = &c->f;

	CHECK(!f->known || (f->head >= f->foot && f->head - f->foot < FB_HEAD_KEEP_MAX));
	for (uint64_t n = f->foot; f->known && n <= f->head; n++) {
		const struct fb_head_block *b = fb_follow_at(f, n);

		CHECK(b != NULL && b->number == n);
		CHECK(n == f->foot || fb_hash_eq(&b->parent, &fb_follow_at(f, n - 1)->hash));
	}
}

static void hear(struct course *c, const struct fb_head_event *e) /* H3 */
{
	if (e->change == FB_HEAD_ROSE)
		return;
	if (e->change == FB_HEAD_REORGED) {
		CHECK(c->heard && e->depth > 0 && e->depth <= c->f.settings.depth_max);
		CHECK(e->first <= c->mirror_head && c->mirror_head - e->first + 1 == e->depth);
		c->reorgs++;
	} else {
		CHECK(e->depth == 0 && (!c->heard || e->first == c->mirror_head + 1));
	}
	for (uint64_t n = e->first; n <= e->head.number; n++)
		if (fb_follow_at(&c->f, n) != NULL)
			c->mirror[n % WORLD_MAX] = fb_follow_at(&c->f, n)->hash;
	c->jumps += c->f.foot > e->first;
	c->heard = true;
	c->mirror_head = e->head.number;
	for (uint64_t n = c->f.foot; n <= c->f.head; n++)
		CHECK(fb_hash_eq(&c->mirror[n % WORLD_MAX], &fb_follow_at(&c->f, n)->hash));
	CHECK(c->mirror_head == c->f.head && fb_hash_eq(&e->head.hash, &fb_follow_at(&c->f, c->f.head)->hash));
}

static void check_final(struct course *c) /* H2 */
{
	const struct fb_head_block *b = c->final > 0 ? fb_follow_at(&c->f, c->final - 1) : NULL;

	CHECK(b == NULL || !c->final_known || fb_hash_eq(&b->hash, &c->final_hash));
	CHECK(c->final <= fb_follow_final(&c->f) || !c->marked);
	c->marked = c->f.has_final;
	c->final = fb_follow_final(&c->f);
	b = c->final > 0 ? fb_follow_at(&c->f, c->final - 1) : NULL;
	c->final_known = b != NULL;
	if (b != NULL)
		c->final_hash = b->hash;
}

static void take(struct course *c, const struct follow_step *step)
{
	check_chain(c);
	if (step->changed)
		hear(c, &step->event);
	check_final(c);
	c->highest = c->f.known && c->f.head > c->highest && c->f.head < WORLD_MAX ? c->f.head : c->highest;
}

static void climb(struct course *c)
{
	const struct world *w = node(c);
	uint64_t below = c->f.settings.depth_max + BELOW_FINAL;
	struct follow_answer safe = answer(c, w, w->tip > below / 2 ? w->tip - below / 2 : 0);
	struct follow_answer final = answer(c, w, w->tip > below ? w->tip - below : 0);
	struct follow_step step;

	if (safe.block.number > w->tip || final.block.number > w->tip - (w->tip > below ? below : w->tip))
		return; /* a mark on a block that is not final would be believed: there is nothing to hold against it */
	step = fb_follow_ladder(&c->f, &safe, &final);
	take(c, &step);
}

static enum fb_head_fault look(struct course *c)
{
	struct follow_answer answers[FB_HEAD_BATCH], latest;
	const struct world *w = node(c);
	struct follow_step step;

	latest = answer(c, w, w->tip);
	if (latest.fault != FB_HEAD_FAULT_NONE)
		return latest.fault;
	step = fb_follow_latest(&c->f, &latest.block);
	take(c, &step);
	while (step.ask_count > 0) {
		if (c->lies_ppm > 0 && happens(c, 30000))
			live(c);
		if (happens(c, c->lies_ppm / 16)) {
			fb_follow_abandon(&c->f);
			return FB_HEAD_FAULT_SILENT;
		}
		w = node(c);
		for (size_t i = 0; i < step.ask_count; i++)
			answers[i] = answer(c, w, step.ask_from + i);
		step = fb_follow_blocks(&c->f, answers, step.ask_count);
		take(c, &step);
	}
	if (c->f.known && step.fault == FB_HEAD_FAULT_NONE && c->f.settings.poll_ms == 2)
		climb(c);
	return step.fault;
}

/* ---- a course ------------------------------------------------------------------------------------------------- */

static void begin(struct course *c, uint64_t seed)
{
	struct fb_head_settings settings = { .confirmations = 1 };

	memset(c, 0, sizeof(*c));
	c->seed = c->rng = seed;
	settings.depth_max = 4 + draw(c, 70);
	settings.finality_blocks = settings.depth_max + BELOW_FINAL;
	settings.poll_ms = 1 + draw(c, 2); /* 2: the chain has marks */
	fb_follow_init(&c->f, &settings);
	c->lies_ppm = happens(c, 200000) ? 0 : draw(c, 400000);
	world_set(&c->now, 0, draw(c, 300));
	c->highest = c->now.tip;
	c->before = c->now;
}

static void end_honest(struct course *c)
{
	enum fb_head_fault last = FB_HEAD_FAULT_NONE;

	c->lies_ppm = 0;
	world_set(&c->now, c->now.tip + 1, c->now.tip + 1);
	for (unsigned i = 0; i < HONEST_LOOKS; i++)
		last = look(c);
	if (!c->f.known || c->f.head != c->now.tip)
		print_message("world %llu: head %llu foot %llu final %llu, truth %llu, depth_max %llu, fault %s\n",
			      (unsigned long long)c->seed, (unsigned long long)c->f.head, (unsigned long long)c->f.foot,
			      (unsigned long long)fb_follow_final(&c->f), (unsigned long long)c->now.tip,
			      (unsigned long long)c->f.settings.depth_max, fb_head_fault_label(last));
	CHECK(c->f.known && c->f.head == c->now.tip);
	for (uint64_t n = c->f.foot; n <= c->f.head; n++) {
		struct fb_head_block b = world_block(&c->now, n);

		CHECK(fb_hash_eq(&b.hash, &fb_follow_at(&c->f, n)->hash));
	}
}

static void run(struct course *c, uint64_t seed)
{
	begin(c, seed);
	for (unsigned i = 0; i < ROUNDS; i++) {
		live(c);
		c->faults[look(c)]++;
	}
	end_honest(c);
}

static void worlds__whatever_an_endpoint_says__a_chain_and_the_true_one_in_the_end(void **state)
{
	const char *full = getenv("FB_TEST_FULL");
	uint64_t seeds = full != NULL && strcmp(full, "1") == 0 ? SEEDS_FULL : SEEDS, faults[FB_HEAD_FAULT_END] = { 0 };
	static struct course c;
	uint64_t reorgs = 0, jumps = 0;

	(void)state;
	for (uint64_t i = 0; i < seeds; i++) {
		uint64_t seed = fb_test_seed() * 1000003 + i;

		run(&c, seed);
		reorgs += c.reorgs;
		jumps += c.jumps;
		for (int f = 0; f < FB_HEAD_FAULT_END; f++)
			faults[f] += c.faults[f];
	}
	print_message("%llu reorgs, %llu jumps", (unsigned long long)reorgs, (unsigned long long)jumps);
	for (int f = 1; f < FB_HEAD_FAULT_END; f++)
		print_message(", %s %llu", fb_head_fault_label((enum fb_head_fault)f), (unsigned long long)faults[f]);
	print_message("\n");
	CHECK(reorgs > 1000 && jumps > 10);
	CHECK(faults[FB_HEAD_FAULT_BACKWARDS] > 0 && faults[FB_HEAD_FAULT_LOWER] > 0 && faults[FB_HEAD_FAULT_UNFIT] > 0);
}

int test_head_worlds(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds__whatever_an_endpoint_says__a_chain_and_the_true_one_in_the_end),
	};
	return cmocka_run_group_tests_name("head: worlds", tests, NULL, NULL);
}
