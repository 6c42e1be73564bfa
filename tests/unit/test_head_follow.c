/* Goal: what a look makes of what the endpoint says. Method: a remembered chain 92..100, another truth a row, and an
 * endpoint that answers from it. */
#include "test_head.h"

enum { TIP = 100, DEPTH = 8, CONFIRMATIONS = 3, FINALITY = 16 };

struct seen {
	struct follow f;
	struct world w;
	struct fb_head_event events[64];
	size_t event_count, asks, blocks;
};

static void note(struct seen *s, const struct follow_step *step)
{
	if (!step->changed)
		return;
	FB_ASSERT(s->event_count < FB_COUNT(s->events));
	s->events[s->event_count++] = step->event;
}

/* A look to its end, the endpoint being honest. */
static enum fb_head_fault look(struct seen *s)
{
	struct follow_answer answers[FB_HEAD_BATCH];
	struct fb_head_block latest = world_block(&s->w, s->w.tip);
	struct follow_step step = fb_follow_latest(&s->f, &latest);

	s->event_count = s->asks = s->blocks = 0;
	note(s, &step);
	while (step.ask_count > 0) {
		CHECK(step.ask_count <= FB_HEAD_BATCH);
		s->asks++;
		s->blocks += step.ask_count;
		for (size_t i = 0; i < step.ask_count; i++) {
			answers[i] = (struct follow_answer){ .fault = FB_HEAD_FAULT_ABSENT };
			if (step.ask_from + i <= s->w.tip)
				answers[i] = (struct follow_answer){ .block = world_block(&s->w, step.ask_from + i) };
		}
		step = fb_follow_blocks(&s->f, answers, step.ask_count);
		note(s, &step);
	}
	return step.fault;
}

static const struct fb_head_settings usual = {
	.depth_max = DEPTH, .confirmations = CONFIRMATIONS, .finality_blocks = FINALITY, .poll_ms = 1
};

static struct seen *start(void)
{
	static struct seen s;

	memset(&s, 0, sizeof(s));
	fb_follow_init(&s.f, &usual);
	world_set(&s.w, 0, TIP);
	CHECK(look(&s) == FB_HEAD_FAULT_NONE);
	return &s;
}

static void follow__first_look__remembers_down_to_depth_max(void **state)
{
	struct seen *s = start();

	(void)state;
	CHECK(s->f.known && s->f.head == TIP && s->f.foot == TIP - DEPTH);
	CHECK(s->event_count == 1 && s->events[0].change == FB_HEAD_EXTENDED && s->events[0].first == TIP - DEPTH);
	CHECK(s->events[0].head.number == TIP && s->events[0].depth == 0 && s->blocks == DEPTH);
}

static void follow__young_chain__remembers_its_first_block(void **state)
{
	static struct seen s;

	(void)state;
	memset(&s, 0, sizeof(s));
	fb_follow_init(&s.f, &usual);
	world_set(&s.w, 0, 0);
	CHECK(look(&s) == FB_HEAD_FAULT_NONE && s.f.head == 0 && s.f.foot == 0 && s.asks == 0);
	world_set(&s.w, 1, 3);
	CHECK(look(&s) == FB_HEAD_FAULT_NONE && s.f.head == 3 && s.f.foot == 0);
	world_set(&s.w, 1, 3);
	CHECK(look(&s) == FB_HEAD_FAULT_NONE && s.events[0].depth == 3);
	world_set(&s.w, 0, 3);
	CHECK(look(&s) == FB_HEAD_FAULT_NONE && s.events[0].depth == 4); /* a young chain was begun anew */
}

static void follow__another_truth__table(void **state)
{
	enum { NO = -1, EXT = FB_HEAD_EXTENDED, REORG = FB_HEAD_REORGED };
	static const struct {
		const char *what;
		uint64_t from, tip; /* the truth: blocks from `from` are others, up to `tip` */
		unsigned looks;
		enum fb_head_fault fault;
		int change; /* of the first event */
		uint64_t first, depth, head;
	} rows[] = {
		{ "the same", 101, 100, 1, FB_HEAD_FAULT_NONE, NO, 0, 0, 100 },
		{ "one more", 101, 101, 1, FB_HEAD_FAULT_NONE, EXT, 101, 0, 101 },
		{ "two more", 101, 102, 1, FB_HEAD_FAULT_NONE, EXT, 101, 0, 102 },
		{ "a batch missed", 101, 133, 1, FB_HEAD_FAULT_NONE, EXT, 101, 0, 133 },
		{ "many missed", 101, 100 + FB_HEAD_GAP_MAX + 1, 1, FB_HEAD_FAULT_NONE, EXT, 101, 0, 101 + FB_HEAD_GAP_MAX },
		{ "a jump", 101, 102 + FB_HEAD_GAP_MAX, 1, FB_HEAD_FAULT_NONE, EXT, 101, 0, 102 + FB_HEAD_GAP_MAX },
		{ "the last replaced", 100, 100, 1, FB_HEAD_FAULT_NONE, REORG, 100, 1, 100 },
		{ "the last replaced by two", 100, 101, 1, FB_HEAD_FAULT_NONE, REORG, 100, 1, 101 },
		{ "the last replaced by many", 100, 140, 1, FB_HEAD_FAULT_NONE, REORG, 100, 1, 140 },
		{ "six replaced", 95, 102, 1, FB_HEAD_FAULT_NONE, REORG, 95, 6, 102 },
		{ "depth_max replaced", 93, 100, 1, FB_HEAD_FAULT_NONE, REORG, 93, 8, 100 },
		{ "depth_max replaced, and a gap", 93, 300, 1, FB_HEAD_FAULT_NONE, REORG, 93, 8, 300 },
		{ "replaced, and a jump", 96, 3000, 1, FB_HEAD_FAULT_NONE, REORG, 96, 5, 3000 },
		{ "one too many replaced", 92, 100, 1, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
		{ "one too many, and longer", 92, 200, 1, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
		{ "one too many, and a jump", 92, 5000, 1, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
		{ "a final one replaced", 84, 100, 1, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
		{ "older", 101, 97, 1, FB_HEAD_FAULT_BACKWARDS, NO, 0, 0, 100 },
		{ "older, for long", 101, 97, 9, FB_HEAD_FAULT_BACKWARDS, NO, 0, 0, 100 },
		{ "older than remembered", 101, 50, 1, FB_HEAD_FAULT_LOWER, NO, 0, 0, 100 },
		{ "older than remembered, for long", 101, 50, 3, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
		{ "a lower branch, once", 99, 99, 1, FB_HEAD_FAULT_LOWER, NO, 0, 0, 100 },
		{ "a lower branch, twice", 99, 99, 2, FB_HEAD_FAULT_LOWER, NO, 0, 0, 100 },
		{ "a lower branch, thrice", 99, 99, 3, FB_HEAD_FAULT_NONE, REORG, 99, 2, 99 },
		{ "a reset chain", 0, 5, 3, FB_HEAD_FAULT_DEEP, NO, 0, 0, 100 },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct seen *s = start();
		enum fb_head_fault fault = FB_HEAD_FAULT_NONE;

		print_message("%s\n", rows[i].what);
		world_set(&s->w, rows[i].from, rows[i].tip);
		for (unsigned l = 0; l < rows[i].looks; l++)
			fault = look(s);
		CHECK(fault == rows[i].fault);
		CHECK((rows[i].change == NO) == (s->event_count == 0));
		if (rows[i].change != NO)
			CHECK((int)s->events[0].change == rows[i].change && s->events[0].first == rows[i].first &&
			      s->events[0].depth == rows[i].depth);
		CHECK(s->f.head == rows[i].head && s->f.stage == FOLLOW_IDLE);
	}
}

static void follow__jump__remembers_around_the_new_head_only(void **state)
{
	struct seen *s = start();
	struct fb_hash old = world_hash(TIP, s->w.salt[TIP]);

	(void)state;
	world_set(&s->w, 101, 5000);
	CHECK(look(s) == FB_HEAD_FAULT_NONE && s->f.foot == 5000 - DEPTH && fb_follow_at(&s->f, TIP) == NULL);
	CHECK(fb_follow_rung(&s->f, TIP, &old) == FB_RUNG_FINAL);
}

static void follow__longer_than_remembered__the_foot_rises(void **state)
{
	struct seen *s = start();

	(void)state;
	world_set(&s->w, 101, 1100);
	CHECK(look(s) == FB_HEAD_FAULT_NONE && s->f.foot == 92);
	world_set(&s->w, 1101, 1200);
	CHECK(look(s) == FB_HEAD_FAULT_NONE && s->f.foot == 1200 - FB_HEAD_KEEP_MAX + 1);
}

static void follow__deep_reorg__walked_again_after_a_rest_only(void **state)
{
	struct seen *s = start();

	(void)state;
	world_set(&s->w, 92, 100);
	CHECK(look(s) == FB_HEAD_FAULT_DEEP && s->asks > 0);
	for (unsigned i = 0; i < FB_HEAD_REST_LOOKS; i++)
		CHECK(look(s) == FB_HEAD_FAULT_DEEP && s->asks == 0);
	CHECK(look(s) == FB_HEAD_FAULT_DEEP && s->asks > 0);
}

static void follow__deep_branch_was_a_lie__goes_on_at_once(void **state)
{
	struct seen *s = start();
	uint64_t salt = s->w.salt[TIP];

	(void)state;
	world_set(&s->w, 80, 100);
	CHECK(look(s) == FB_HEAD_FAULT_DEEP);
	for (uint64_t n = 80; n <= 100; n++)
		s->w.salt[n] = salt;
	world_set(&s->w, 101, 101);
	CHECK(look(s) == FB_HEAD_FAULT_NONE && s->f.head == 101);
}

/* One answer of a walk is not what was asked for. */
static void follow__walk_meets_a_fault__chain_stays(void **state)
{
	static const struct {
		enum fb_head_fault said, want;
		bool number, parent, hash;
	} rows[] = {
		{ FB_HEAD_FAULT_REFUSED, FB_HEAD_FAULT_REFUSED, false, false, false },
		{ FB_HEAD_FAULT_MALFORMED, FB_HEAD_FAULT_MALFORMED, false, false, false },
		{ FB_HEAD_FAULT_ABSENT, FB_HEAD_FAULT_ABSENT, false, false, false },
		{ FB_HEAD_FAULT_NONE, FB_HEAD_FAULT_UNFIT, true, false, false },
		{ FB_HEAD_FAULT_NONE, FB_HEAD_FAULT_UNFIT, false, true, false },
		{ FB_HEAD_FAULT_NONE, FB_HEAD_FAULT_UNFIT, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct seen *s = start();
		struct follow_answer answers[FB_HEAD_BATCH];
		struct fb_head_block latest;
		struct follow_step step;

		world_set(&s->w, 98, 100);
		latest = world_block(&s->w, 100);
		step = fb_follow_latest(&s->f, &latest);
		CHECK(step.ask_count == 2 && step.ask_from == 98);
		for (size_t k = 0; k < 2; k++)
			answers[k] = (struct follow_answer){ .block = world_block(&s->w, 98 + k) };
		answers[1].fault = rows[i].said;
		answers[1].block.number += rows[i].number;
		answers[1].block.parent.bytes[0] ^= rows[i].parent;
		answers[1].block.hash.bytes[0] ^= rows[i].hash;
		step = fb_follow_blocks(&s->f, answers, 2);
		CHECK(step.fault == rows[i].want && !step.changed && step.ask_count == 0 && s->f.head == 100);
		CHECK(look(s) == FB_HEAD_FAULT_NONE && s->events[0].depth == 3); /* the next look does it */
	}
}

static void follow__known_hash_with_another_parent__unfit(void **state)
{
	struct seen *s = start();
	struct fb_head_block b = world_block(&s->w, 100);

	(void)state;
	b.parent.bytes[5] ^= 1;
	CHECK(fb_follow_latest(&s->f, &b).fault == FB_HEAD_FAULT_UNFIT);
}

/* The endpoint changes its whole branch between any two questions. */
static void follow__endpoint_never_rests__look_ends(void **state)
{
	struct seen *s = start();
	struct follow_answer a = { .fault = FB_HEAD_FAULT_NONE };
	struct fb_head_block latest;
	struct follow_step step;
	unsigned asks = 0;

	(void)state;
	world_set(&s->w, 101, 4000);
	latest = world_block(&s->w, 4000);
	step = fb_follow_latest(&s->f, &latest);
	while (step.ask_count > 0) {
		CHECK(step.ask_count == 1 && ++asks <= LOOK_ASKS_MAX);
		s->w.salts++;
		a.block = *fb_follow_at(&s->f, 100);
		a.block.hash = world_hash(100, s->w.salts);
		step = fb_follow_blocks(&s->f, &a, 1);
	}
	CHECK(step.fault == FB_HEAD_FAULT_UNFIT && asks == LOOK_ASKS_MAX && s->f.stage == FOLLOW_IDLE);
}

/* ---- marks and rungs --------------------------------------------------------------------------------------- */

static struct follow_answer mark(const struct seen *s, uint64_t number)
{
	return (struct follow_answer){ .block = world_block(&s->w, number) };
}

static const struct follow_answer none = { .fault = FB_HEAD_FAULT_ABSENT };

static enum fb_rung rung(const struct seen *s, uint64_t number)
{
	struct fb_hash h = world_hash(number, s->w.salt[number]);

	return fb_follow_rung(&s->f, number, &h);
}

static void rung__no_marks__by_the_blocks_upon_it(void **state)
{
	struct seen *s = start();

	(void)state;
	CHECK(!fb_follow_ladder(&s->f, &none, &none).changed);
	CHECK(rung(s, 100) == FB_RUNG_INCLUDED && rung(s, 98) == FB_RUNG_INCLUDED);
	CHECK(rung(s, 97) == FB_RUNG_CONFIRMED && rung(s, 85) == FB_RUNG_CONFIRMED && rung(s, 84) == FB_RUNG_FINAL);
	world_set(&s->w, 101, 200);
	CHECK(rung(s, 101) == FB_RUNG_NONE); /* above the head */
}

static void rung__marks__by_them(void **state)
{
	struct seen *s = start();
	struct follow_answer safe = mark(s, 98), final = mark(s, 95);
	struct follow_step step = fb_follow_ladder(&s->f, &safe, &final);

	(void)state;
	CHECK(step.changed && step.event.change == FB_HEAD_ROSE && step.event.head.number == 100);
	CHECK(rung(s, 95) == FB_RUNG_FINAL && rung(s, 96) == FB_RUNG_SAFE && rung(s, 98) == FB_RUNG_SAFE);
	CHECK(rung(s, 99) == FB_RUNG_INCLUDED);
	CHECK(!fb_follow_ladder(&s->f, &safe, &final).changed);
	safe = mark(s, 93);
	final = mark(s, 90);
	step = fb_follow_ladder(&s->f, &safe, &final); /* they never go down */
	CHECK(!step.changed && step.fault == FB_HEAD_FAULT_NONE && rung(s, 95) == FB_RUNG_FINAL);
	CHECK(!fb_follow_ladder(&s->f, &none, &none).changed && rung(s, 95) == FB_RUNG_FINAL);
}

static void rung__another_block_of_that_number__none(void **state)
{
	struct seen *s = start();
	struct fb_hash other = world_hash(97, 99);

	(void)state;
	CHECK(fb_follow_rung(&s->f, 97, &other) == FB_RUNG_NONE);
	CHECK(fb_follow_rung(&s->f, 50, &other) == FB_RUNG_FINAL); /* not compared: older than what is remembered */
}

static void marks__do_not_fit__refused(void **state)
{
	static const struct {
		uint64_t number;
		bool other;
		enum fb_head_fault want;
	} rows[] = {
		{ 96, true, FB_HEAD_FAULT_UNFIT },
		{ 94, true, FB_HEAD_FAULT_FINAL }, /* below the mark 95 */
		{ 103, false, FB_HEAD_FAULT_UNFIT },
		{ 40, true, FB_HEAD_FAULT_NONE }, /* older than remembered, and than the mark */
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct seen *s = start();
		struct follow_answer first = mark(s, 95), lie = { .block = { .number = rows[i].number } };
		struct follow_step step;

		CHECK(fb_follow_ladder(&s->f, &first, &first).changed);
		if (!rows[i].other && rows[i].number <= s->w.tip)
			lie = mark(s, rows[i].number);
		step = fb_follow_ladder(&s->f, &first, &lie);
		CHECK(step.fault == rows[i].want && !step.changed && fb_follow_final(&s->f) == 96);
	}
}

static void follow__below_final__refused_above_followed(void **state)
{
	struct seen *s = start();
	struct follow_answer final = mark(s, 96);

	(void)state;
	CHECK(fb_follow_ladder(&s->f, &final, &final).changed);
	world_set(&s->w, 97, 101);
	CHECK(look(s) == FB_HEAD_FAULT_NONE && s->events[0].depth == 4 && s->f.head == 101);
	world_set(&s->w, 96, 101);
	CHECK(look(s) == FB_HEAD_FAULT_FINAL && s->event_count == 0 && s->f.head == 101);
}

int test_head_follow(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follow__first_look__remembers_down_to_depth_max),
		cmocka_unit_test(follow__young_chain__remembers_its_first_block),
		cmocka_unit_test(follow__another_truth__table),
		cmocka_unit_test(follow__jump__remembers_around_the_new_head_only),
		cmocka_unit_test(follow__longer_than_remembered__the_foot_rises),
		cmocka_unit_test(follow__deep_reorg__walked_again_after_a_rest_only),
		cmocka_unit_test(follow__deep_branch_was_a_lie__goes_on_at_once),
		cmocka_unit_test(follow__walk_meets_a_fault__chain_stays),
		cmocka_unit_test(follow__known_hash_with_another_parent__unfit),
		cmocka_unit_test(follow__endpoint_never_rests__look_ends),
		cmocka_unit_test(rung__no_marks__by_the_blocks_upon_it),
		cmocka_unit_test(rung__marks__by_them),
		cmocka_unit_test(rung__another_block_of_that_number__none),
		cmocka_unit_test(marks__do_not_fit__refused),
		cmocka_unit_test(follow__below_final__refused_above_followed),
	};
	return cmocka_run_group_tests_name("head: decisions", tests, NULL, NULL);
}
