/* Goal: B3, an id is applied at most once, ever, and a refused one stays refused. Method: every kind of operation
 * again, with each of its fields changed, after the books have forgotten it, after a restart; and facts that only the
 * index knows. */
#include "test_books.h"

static struct ledger l;

enum { HOLD_1 = 10, HOLD_2, HOLD_3, HOLD_4, POSTED, CAPTURED, RELEASED, REVERSED, REFUSED };

static int setup(void **state)
{
	(void)state;
	ledger_open(&l);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_close(&l);
	return 0;
}

static struct fb_op with_note(struct fb_op op)
{
	op.code = 7;
	op.user = FB_U128(8, 9);
	op.external.bytes[31] = 10;
	return op;
}

/* One of every kind, each accepted when it comes first. */
enum { OPS = 8 };
static void make_ops(struct fb_op ops[OPS])
{
	const struct fb_op list[OPS] = {
		op_post(1, world, alice, 1000), op_hold(HOLD_1, alice, 30, 0), op_hold(HOLD_2, alice, 40, 9000),
		op_post(POSTED, alice, bob, 50), op_leg(op_capture(CAPTURED, HOLD_1, bob, 9), fees, 1),
		op_release(RELEASED, HOLD_2), op_reverse(REVERSED, POSTED), op_post(REFUSED, bob, fees, 5000),
	};

	for (size_t i = 0; i < OPS; i++)
		ops[i] = with_note(list[i]);
}

static enum fb_status first_status(size_t i)
{
	return i == OPS - 1 ? FB_FUNDS : FB_OK;
}

static void run_first(struct fb_op_result first[OPS], const struct fb_op ops[OPS])
{
	for (size_t i = 0; i < OPS; i++) {
		first[i] = ledger_do(&l, ops[i]);
		CHECK_STATUS(first_status(i), first[i].status);
		CHECK(!first[i].existed && first[i].seq != 0);
	}
	/* the refused one could be paid by now */
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(2, world, bob, 100000)).status);
}

static void check_again(const struct fb_op_result first[OPS], const struct fb_op ops[OPS])
{
	size_t before = l.all_count;

	for (size_t i = 0; i < OPS; i++) {
		struct fb_op_result again = ledger_do(&l, ops[i]);

		CHECK_STATUS(first_status(i) == FB_OK ? FB_OK : FB_ID_FAILED, again.status);
		CHECK_STATUS(first_status(i), again.first);
		CHECK(again.existed == (first_status(i) == FB_OK) && again.seq == first[i].seq);
	}
	CHECK(l.all_count == before);
}

static void restart(void)
{
	struct fb_books *again;

	replay_all(&again, &l, ledger_index(&l));
	check_same(l.books, again);
	fb_books_close(l.books);
	l.books = again;
}

static void again__every_kind__exists_and_nothing_happens(void **state) /* B3 */
{
	struct fb_op_result first[OPS];
	struct fb_op ops[OPS];

	(void)state;
	make_ops(ops);
	run_first(first, ops);
	check_again(first, ops);
	restart();
	check_again(first, ops);
}

/* Everything up to now is in the index, and only there. Old ids leave by whole blocks, when new ones come: 1,024 to
 * fill the last old block, and one for every two that go. */
static void forget_all(void)
{
	static fb_id fill = FB_U128(1, 0);

	for (int i = 0; i < 4000; i++) {
		CHECK_STATUS(FB_OK, ledger_do(&l, op_post(++fill, world, fees, 1)).status);
		if (i == 2000)
			l.indexed = l.all_count;
		if (i == 2000)
			fb_books_forget_ids(l.books, l.indexed);
	}
}

static void again__when_only_the_index_knows__is_the_same(void **state) /* B3 */
{
	struct fb_op_result first[OPS];
	struct fb_op ops[OPS];
	unsigned calls;

	(void)state;
	make_ops(ops);
	run_first(first, ops);
	calls = l.calls;
	check_again(first, ops);
	CHECK(l.calls == calls); /* remembered */
	forget_all();
	calls = l.calls;
	check_again(first, ops);
	CHECK(l.calls >= calls + OPS);
}

/* ---- other content ---------------------------------------------------------------------------------------------- */
static void change_code(struct fb_op *op) { op->code++; }
static void change_user_low(struct fb_op *op) { op->user ^= 1; }
static void change_user_high(struct fb_op *op) { op->user ^= (fb_u128)1 << 127; }
static void change_external_first(struct fb_op *op) { op->external.bytes[0] ^= 1; }
static void change_external_last(struct fb_op *op) { op->external.bytes[31] ^= 0x80; }
static void change_debit_owner(struct fb_op *op) { op->debit.owner.bytes[19] ^= 1; }
static void change_debit_middle(struct fb_op *op) { op->debit.owner.bytes[9] ^= 1; }
static void change_debit_purpose(struct fb_op *op) { op->debit.purpose = FB_PURPOSE_SUSPENSE; }
static void change_debit_asset(struct fb_op *op)
{
	op->debit.asset++;
	for (size_t i = 0; i < op->leg_count; i++)
		op->legs[i].credit.asset++;
}
static void change_credit_owner(struct fb_op *op) { op->legs[0].credit.owner.bytes[0] ^= 1; }
static void change_credit_purpose(struct fb_op *op) { op->legs[0].credit.purpose = FB_PURPOSE_SUSPENSE; }
static void change_last_leg(struct fb_op *op) { op->legs[op->leg_count - 1].amount.atoms++; }
static void change_leg_high(struct fb_op *op) { op->legs[0].amount.atoms ^= (fb_u128)1 << 126; }
static void swap_legs(struct fb_op *op)
{
	struct fb_leg first = op->legs[0];

	op->legs[0] = op->legs[1];
	op->legs[1] = first;
}
static void drop_leg(struct fb_op *op) { op->leg_count--; }
static void add_leg(struct fb_op *op) { op->legs[op->leg_count++] = (struct fb_leg){ world, { 1 } }; }
static void change_amount(struct fb_op *op) { op->amount.atoms++; }
static void change_amount_high(struct fb_op *op) { op->amount.atoms ^= (fb_u128)1 << 126; }
static void change_expiry(struct fb_op *op) { op->expires_us++; }
static void change_ref(struct fb_op *op) { op->ref ^= 1; }
static void change_ref_high(struct fb_op *op) { op->ref ^= (fb_u128)1 << 100; }
static void make_release(struct fb_op *op) { op->kind = FB_OP_RELEASE; op->leg_count = 0; }
static void make_reverse(struct fb_op *op) { op->kind = FB_OP_REVERSE; op->leg_count = 0; }
static void make_hold(struct fb_op *op)
{
	*op = (struct fb_op){ .kind = FB_OP_HOLD, .id = op->id, .debit = alice, .amount = { 50 }, .code = op->code,
		.user = op->user, .external = op->external };
}

enum { A_POST = 3, A_HOLD = 2, A_CAPTURE = 4, A_RELEASE = 5, A_REVERSE = 6, A_REFUSAL = 7 };
static const struct {
	size_t op;
	void (*change)(struct fb_op *op);
} changes[] = {
	{ A_POST, change_code }, { A_POST, change_user_low }, { A_POST, change_user_high },
	{ A_POST, change_external_first }, { A_POST, change_external_last }, { A_POST, change_debit_owner },
	{ A_POST, change_debit_middle }, { A_POST, change_debit_purpose }, { A_POST, change_debit_asset },
	{ A_POST, change_credit_owner }, { A_POST, change_credit_purpose }, { A_POST, change_last_leg },
	{ A_POST, change_leg_high }, { A_POST, make_hold },
	{ A_HOLD, change_code }, { A_HOLD, change_external_last }, { A_HOLD, change_debit_owner },
	{ A_HOLD, change_debit_asset }, { A_HOLD, change_amount }, { A_HOLD, change_amount_high },
	{ A_HOLD, change_expiry },
	{ A_CAPTURE, change_code }, { A_CAPTURE, change_ref }, { A_CAPTURE, change_ref_high },
	{ A_CAPTURE, change_last_leg }, { A_CAPTURE, change_credit_owner }, { A_CAPTURE, swap_legs },
	{ A_CAPTURE, drop_leg }, { A_CAPTURE, add_leg }, { A_CAPTURE, make_release },
	{ A_RELEASE, change_user_low }, { A_RELEASE, change_ref }, { A_RELEASE, change_ref_high },
	{ A_RELEASE, make_reverse },
	{ A_REVERSE, change_user_high }, { A_REVERSE, change_ref }, { A_REVERSE, make_release },
	{ A_REFUSAL, change_last_leg }, { A_REFUSAL, change_code },
};

static void reuse__every_field_changed__is_refused(void **state) /* B3 */
{
	struct fb_op_result first[OPS];
	struct fb_op ops[OPS];
	size_t before;

	(void)state;
	make_ops(ops);
	run_first(first, ops);
	before = l.all_count;
	for (size_t i = 0; i < FB_COUNT(changes); i++) {
		struct fb_op op = ops[changes[i].op];
		struct fb_op_result r;

		changes[i].change(&op);
		r = ledger_do(&l, op);
		if (r.status != FB_ID_REUSED)
			fail_msg("row %zu: %s", i, fb_status_info(r.status)->name);
		CHECK(!r.existed && r.seq == 0);
	}
	CHECK(l.all_count == before);
	check_again(first, ops);
}

/* What a kind does not use is not its content. */
static void again__unused_fields_changed__is_the_same(void **state)
{
	struct fb_op_result first[OPS];
	struct fb_op ops[OPS];

	(void)state;
	make_ops(ops);
	run_first(first, ops);
	for (size_t i = 0; i < OPS; i++) {
		ops[i].may_go_below_zero = true;
		ops[i].legs[FB_LEGS_MAX - 1].amount.atoms = 1;
		if (ops[i].kind != FB_OP_HOLD) {
			ops[i].amount.atoms = 3;
			ops[i].expires_us = 4;
		}
		if (ops[i].ref == 0)
			ops[i].ref = 5;
		else
			ops[i].debit = fees;
	}
	check_again(first, ops);
}

/* The digest is stored with every record: should it ever change, all ids in a journal would seem to be reused. */
static void content__of_known_operations__is_frozen(void **state)
{
	static const uint64_t want[OPS] = {
		0x4fc3a90fb7efa2e8, 0x9ef8775e7fee0d78, 0xec4eab592342d42d, 0x3538e37c72cdc9bc,
		0x985fe2b887a242bb, 0x2fcbdd00bf3b39bc, 0x05e94dceced17805, 0xe600b6f07336978a,
	};
	struct fb_op_result first[OPS];
	struct fb_op ops[OPS];

	(void)state;
	make_ops(ops);
	run_first(first, ops);
	for (size_t i = 0; i < OPS; i++) {
		const struct fb_record *r = &l.all[first[i].seq - 1];

		if (r->content != want[i])
			fail_msg("operation %zu: 0x%016llx", i, (unsigned long long)r->content);
	}
}

/* ---- what is undone --------------------------------------------------------------------------------------------- */
static void reverse__of_a_forgotten_post__happens_once(void **state) /* B3 */
{
	struct fb_op_result r;

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED, world, alice, 50)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED + 1, world, alice, 60)).status);
	forget_all();
	CHECK_STATUS(FB_OK, ledger_do(&l, op_reverse(20, POSTED)).status);
	check_counters(l.books, &alice, 50, 0, 110);
	/* the index does not know of the reversal yet */
	CHECK_STATUS(FB_REVERSED_ALREADY, ledger_do(&l, op_reverse(21, POSTED)).status);
	fb_books_forget_ids(l.books, l.all_count - 5);
	CHECK_STATUS(FB_REVERSED_ALREADY, ledger_do(&l, op_reverse(22, POSTED)).status);
	restart();
	CHECK_STATUS(FB_REVERSED_ALREADY, ledger_do(&l, op_reverse(23, POSTED)).status);
	forget_all(); /* now it does */
	CHECK_STATUS(FB_REVERSED_ALREADY, ledger_do(&l, op_reverse(24, POSTED)).status);
	r = ledger_do(&l, op_post(POSTED, world, alice, 50));
	CHECK(r.existed && l.all[r.seq - 1].id == POSTED);
}

static void hold__ended_long_ago__says_how(void **state) /* B4 */
{
	static const struct {
		fb_id hold;
		enum fb_status want;
	} rows[] = {
		{ HOLD_1, FB_HOLD_ENDED }, { HOLD_2, FB_HOLD_EXPIRED }, { HOLD_3, FB_HOLD_ENDED }, { POSTED, FB_NOT_FOUND },
		{ CAPTURED, FB_NOT_FOUND }, { REFUSED, FB_NOT_FOUND }, { 999, FB_NOT_FOUND },
	};
	fb_id id = 100;

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED, world, alice, 100)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(HOLD_1, alice, 10, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(HOLD_2, alice, 10, 1500)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(HOLD_3, alice, 10, 0)).status);
	CHECK_STATUS(FB_FUNDS, ledger_do(&l, op_hold(REFUSED, alice, 101, 0)).status);
	forget_all(); /* the holds are open, their ids are not remembered */
	CHECK_STATUS(FB_OK, ledger_do(&l, op_capture(CAPTURED, HOLD_1, bob, 1)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_release(RELEASED, HOLD_3)).status);
	l.now_us = 1500;
	CHECK(ledger_expire(&l, 5) == 1);
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < FB_COUNT(rows); i++) {
			CHECK_STATUS(rows[i].want, ledger_do(&l, op_capture(id++, rows[i].hold, bob, 1)).status);
			CHECK_STATUS(rows[i].want, ledger_do(&l, op_release(id++, rows[i].hold)).status);
		}
		if (round == 0)
			restart();
		if (round == 1)
			forget_all(); /* with the expiry */
		if (round == 2)
			restart();
	}
	CHECK(ledger_do(&l, op_hold(HOLD_2, alice, 10, 1500)).existed);
}

/* One submission: the hold's id is forgotten, and the hold ends before the second operation. */
static void hold__ended_earlier_in_its_submission__has_ended(void **state)
{
	struct fb_op ops[2] = { op_release(20, HOLD_1), op_capture(21, HOLD_1, bob, 1) };
	struct fb_op_result r[2];

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED, world, alice, 100)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(HOLD_1, alice, 10, 0)).status);
	forget_all();
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 2));
	CHECK_STATUS(FB_OK, r[0].status);
	CHECK_STATUS(FB_HOLD_ENDED, r[1].status);
}

/* ---- forgetting ------------------------------------------------------------------------------------------------- */
enum { IDS = 300000 };
static void forget__many_ids__keeps_memory_level(void **state)
{
	static struct fb_op ops[1000];
	static struct fb_op_result r[1000];
	size_t level = 0;

	(void)state;
	for (fb_id id = 1; id <= IDS; id += 1000) {
		for (size_t i = 0; i < 1000; i++)
			ops[i] = op_post(id + i, world, alice, 1);
		CHECK_STATUS(FB_OK, fb_books_run(l.books, r, l.batch, &l.count, ops, 1000, l.now_us));
		CHECK_STATUS(FB_OK, r[999].status);
		l.count = 0; /* nobody reads them */
		fb_books_forget_ids(l.books, fb_books_seq(l.books) - 500);
		if (id == 20001)
			level = fb_books_memory(l.books);
		CHECK(level == 0 || fb_books_memory(l.books) <= level + 100000); /* some blocks come and go */
	}
	/* the last 500 are remembered, whatever the index says */
	for (fb_id id = IDS; id > IDS - 500; id--) {
		ops[0] = op_post(id, world, alice, 1);
		CHECK_STATUS(FB_OK, fb_books_run(l.books, r, l.batch, &l.count, ops, 1, l.now_us));
		CHECK(r[0].existed);
	}
}

static void forget__what_is_not_in_a_full_block__is_remembered(void **state)
{
	unsigned calls;

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(1, world, alice, 1)).status);
	l.indexed = l.all_count;
	fb_books_forget_ids(l.books, l.all_count);
	fb_books_forget_ids(l.books, 0); /* never back */
	calls = l.calls;
	CHECK(ledger_do(&l, op_post(1, world, alice, 1)).existed);
	CHECK(l.calls == calls);
}

/* One submission makes room by forgetting what its last operation repeats. */
static void forget__in_a_long_submission__knows_what_it_began_with(void **state) /* B3 */
{
	static struct fb_op ops[2001];
	static struct fb_op_result r[2001];

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(1, world, alice, 7)).status);
	for (fb_id id = 2; id < 2000; id++)
		CHECK_STATUS(FB_OK, ledger_do(&l, op_post(id, world, fees, 1)).status);
	l.indexed = l.all_count;
	fb_books_forget_ids(l.books, l.indexed);
	for (size_t i = 0; i < 2000; i++)
		ops[i] = op_post(10000 + i, world, fees, 1);
	ops[2000] = op_post(1, world, alice, 7);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 2001));
	CHECK(r[2000].existed);
	check_counters(l.books, &alice, 0, 0, 7);
	CHECK(ledger_do(&l, op_post(1, world, alice, 7)).existed); /* by now the index is asked */
}

int test_books_once(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(again__every_kind__exists_and_nothing_happens),
		TEST(again__when_only_the_index_knows__is_the_same),
		TEST(reuse__every_field_changed__is_refused),
		TEST(again__unused_fields_changed__is_the_same),
		TEST(content__of_known_operations__is_frozen),
		TEST(reverse__of_a_forgotten_post__happens_once),
		TEST(hold__ended_long_ago__says_how),
		TEST(hold__ended_earlier_in_its_submission__has_ended),
		TEST(forget__many_ids__keeps_memory_level),
		TEST(forget__what_is_not_in_a_full_block__is_remembered),
		TEST(forget__in_a_long_submission__knows_what_it_began_with),
	};
#undef TEST
	return cmocka_run_group_tests_name("books_once", tests, NULL, NULL);
}
