/* Goal: B6, a chain happens wholly or not at all. Method: chains of every length in which one operation fails, at every
 * place; chains whose operations need each other; what a refused chain leaves behind, to the last record. */
#include "test_books.h"

static struct ledger l;

static int setup(void **state)
{
	(void)state;
	ledger_open(&l);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(1, world, alice, 1000)).status);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_close(&l);
	return 0;
}

static void link_all(struct fb_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ops[i].linked = i + 1 < count;
}

/* Posts of 1 from alice to bob. */
static void make_chain(struct fb_op *ops, size_t count, fb_id first_id)
{
	for (size_t i = 0; i < count; i++)
		ops[i] = op_post(first_id + i, alice, bob, 1);
	link_all(ops, count);
}

static void chain__one_fails_at_each_place__all_fail_and_all_ids_are_burnt(void **state) /* B6, B3 */
{
	struct fb_op ops[FB_CHAIN_MAX];
	struct fb_op_result r[FB_CHAIN_MAX];
	fb_id id = 1000;

	(void)state;
	for (size_t count = 1; count <= FB_CHAIN_MAX; count += count < 4 ? 1 : 7)
		for (size_t bad = 0; bad < count; bad++, id += FB_CHAIN_MAX) {
			size_t before = l.all_count;

			make_chain(ops, count, id);
			ops[bad].legs[0].amount.atoms = 5000;
			CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, count));
			CHECK(l.all_count == before + count);
			for (size_t i = 0; i < count; i++) {
				const struct fb_record *burnt = &l.all[before + i];

				CHECK_STATUS(i == bad ? FB_FUNDS : FB_LINKED_FAILED, r[i].status);
				CHECK(!r[i].existed && r[i].seq == before + i + 1);
				CHECK(burnt->kind == FB_RECORD_REFUSE && burnt->id == ops[i].id && !burnt->linked);
				CHECK_STATUS(r[i].status, burnt->refused);
			}
			check_counters(l.books, &alice, 0, 0, 1000);
			check_counters(l.books, &bob, 0, 0, 0);
			for (size_t i = 0; i < count; i++) {
				struct fb_op alone = ops[i];
				struct fb_op_result again;

				alone.linked = false;
				again = ledger_do(&l, alone);
				CHECK_STATUS(FB_ID_FAILED, again.status);
				CHECK_STATUS(r[i].status, again.first);
				CHECK(again.seq == r[i].seq);
			}
		}
	CHECK(fb_books_account_count(l.books) == 2); /* bob was never opened */
}

static void chain__of_the_longest__is_applied_as_one(void **state)
{
	struct fb_op ops[FB_CHAIN_MAX];
	struct fb_op_result r[FB_CHAIN_MAX];
	size_t before = l.all_count;

	(void)state;
	make_chain(ops, FB_CHAIN_MAX, 1000);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, FB_CHAIN_MAX));
	for (size_t i = 0; i < FB_CHAIN_MAX; i++)
		CHECK_STATUS(FB_OK, r[i].status);
	check_counters(l.books, &bob, 0, 0, FB_CHAIN_MAX);
	CHECK(l.all_count == before + FB_CHAIN_MAX + 1); /* bob's account */
	for (size_t i = before; i < l.all_count; i++)
		CHECK(l.all[i].linked == (i + 1 < l.all_count));
}

/* A form's fault burns nothing: the same chain, put right, is applied. */
static void check_form_fault(struct fb_op *ops, size_t count, size_t at_fault, enum fb_status want)
{
	struct fb_op_result r[FB_CHAIN_MAX + 8];
	size_t before = l.all_count;

	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, count));
	for (size_t i = 0; i < count; i++) {
		CHECK_STATUS(i == at_fault ? want : FB_LINKED_FAILED, r[i].status);
		CHECK(r[i].seq == 0 && !r[i].existed);
	}
	CHECK(l.all_count == before);
}

static void chain__a_form_that_is_wrong__burns_nothing(void **state)
{
	struct fb_op ops[FB_CHAIN_MAX + 1];
	struct fb_op_result r[FB_CHAIN_MAX];

	(void)state;
	make_chain(ops, 3, 1000);
	ops[1].legs[0].amount.atoms = 0;
	check_form_fault(ops, 3, 1, FB_ZERO_AMOUNT);
	make_chain(ops, 3, 1000);
	ops[2].linked = true; /* to nothing */
	check_form_fault(ops, 3, 2, FB_BAD_VALUE);
	make_chain(ops, FB_CHAIN_MAX + 1, 1000);
	check_form_fault(ops, FB_CHAIN_MAX + 1, 0, FB_BAD_VALUE);
	make_chain(ops, 3, 1000);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 3));
	CHECK_STATUS(FB_OK, r[0].status);
}

static void chain__no_room__burns_nothing(void **state)
{
	struct fb_op ops[3];
	struct fb_op_result r[3];

	(void)state;
	fb_books_close(l.books);
	fb_books_open(&l.books, ledger_index(&l), (struct fb_books_settings){ .accounts = 2 });
	l.all_count = 0;
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(1, world, alice, 1000)).status);
	make_chain(ops, 3, 1000);
	ops[0] = op_post(1000, alice, world, 1);
	link_all(ops, 3);
	check_form_fault(ops, 3, 1, FB_LIMIT);
	ops[1].legs[0].credit = ops[2].legs[0].credit = world;
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 3));
	CHECK_STATUS(FB_OK, r[2].status);
}

static void chain__each_needs_the_one_before__is_applied(void **state)
{
	struct fb_op ops[] = {
		op_account(bob, true),
		op_post(10, bob, fees, 30), /* bob may go below zero by now */
		op_hold(11, fees, 20, 5000),
		op_leg(op_capture(12, 11, alice, 5), bob, 5), /* of the hold before */
		op_hold(13, fees, 20, 0), /* of what the capture left */
		op_release(14, 13),
		op_reverse(15, 16),
		op_post(17, fees, alice, 20),
	};
	struct fb_op reversed = op_post(16, alice, fees, 500);
	struct fb_op_result r[FB_COUNT(ops)];
	size_t before;

	(void)state;
	CHECK_STATUS(FB_OK, ledger_do(&l, reversed).status);
	before = l.all_count;
	link_all(ops, FB_COUNT(ops));
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, FB_COUNT(ops)));
	for (size_t i = 0; i < FB_COUNT(ops); i++)
		CHECK_STATUS(FB_OK, r[i].status);
	check_counters(l.books, &bob, 30, 0, 5);
	check_counters(l.books, &fees, 10 + 500 + 20, 0, 500 + 30);
	check_counters(l.books, &alice, 500, 0, 1000 + 5 + 500 + 20);
	CHECK(count_holds(l.books, 0) == 0);
	CHECK(l.all_count == before + 9 && r[3].seq == before + 4 && r[7].seq == l.all_count);
	CHECK_STATUS(FB_HOLD_ENDED, ledger_do(&l, op_capture(18, 11, alice, 1)).status);
	CHECK_STATUS(FB_HOLD_ENDED, ledger_do(&l, op_release(19, 13)).status);
	CHECK_STATUS(FB_REVERSED_ALREADY, ledger_do(&l, op_reverse(20, 16)).status);
}

static void chain__ends_twice_what_it_opened__fails(void **state)
{
	static const struct {
		enum fb_op_kind first, second;
		enum fb_status want;
	} rows[] = {
		{ FB_OP_CAPTURE, FB_OP_CAPTURE, FB_HOLD_ENDED },
		{ FB_OP_CAPTURE, FB_OP_RELEASE, FB_HOLD_ENDED },
		{ FB_OP_RELEASE, FB_OP_CAPTURE, FB_HOLD_ENDED },
		{ FB_OP_RELEASE, FB_OP_RELEASE, FB_HOLD_ENDED },
		{ FB_OP_REVERSE, FB_OP_REVERSE, FB_REVERSED_ALREADY },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		for (int opened_before = 0; opened_before < 2; opened_before++) { /* by the chain itself, or before it */
			fb_id id = 100 + 10 * (2 * i + (size_t)opened_before);
			struct fb_op ops[3] = { op_hold(id, alice, 10, 0) };
			struct fb_op_result r[3];

			if (rows[i].first == FB_OP_REVERSE)
				ops[0] = op_post(id, alice, bob, 10);
			for (size_t k = 0; k < 2; k++) {
				enum fb_op_kind kind = k == 0 ? rows[i].first : rows[i].second;

				ops[1 + k] = kind == FB_OP_CAPTURE ? op_capture(id + 1 + k, id, bob, 10) :
					     kind == FB_OP_RELEASE ? op_release(id + 1 + k, id) : op_reverse(id + 1 + k, id);
			}
			link_all(ops, 3);
			if (opened_before != 0) {
				ops[0].linked = false;
				CHECK_STATUS(FB_OK, ledger_do(&l, ops[0]).status);
				CHECK_STATUS(FB_OK, ledger_run(&l, r + 1, ops + 1, 2));
			} else {
				CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 3));
				CHECK_STATUS(FB_LINKED_FAILED, r[0].status);
			}
			CHECK_STATUS(FB_LINKED_FAILED, r[1].status);
			CHECK_STATUS(rows[i].want, r[2].status);
		}
	check_counters(l.books, &bob, 0, 0, 10); /* the post that stands: its two reversals failed together */
	check_counters(l.books, &alice, 10, 40, 1000);
}

static void chain__known_ids_in_it__are_told_and_not_burnt(void **state)
{
	struct fb_op ops[4], refused = op_post(60, alice, bob, 5000);
	struct fb_op_result r[4];
	size_t before;

	(void)state;
	make_chain(ops, 4, 50);
	ops[0].linked = false;
	CHECK_STATUS(FB_OK, ledger_do(&l, ops[0]).status);
	make_chain(ops, 4, 50);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 4)); /* 50 exists, the others are new */
	CHECK(r[0].existed && !r[1].existed && !r[3].existed);
	check_counters(l.books, &bob, 0, 0, 4);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 4)); /* the same again */
	CHECK(r[0].existed && r[1].existed && r[3].existed);
	CHECK_STATUS(FB_FUNDS, ledger_do(&l, refused).status);
	before = l.all_count;
	make_chain(ops, 4, 57);
	ops[1] = op_post(50, alice, bob, 1);
	ops[2].legs[0].amount.atoms = 7000;
	ops[3] = refused;
	link_all(ops, 4);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 4));
	CHECK_STATUS(FB_LINKED_FAILED, r[0].status);
	CHECK_STATUS(FB_LINKED_FAILED, r[1].status);
	CHECK(!r[1].existed && r[1].seq == 0);
	CHECK_STATUS(FB_FUNDS, r[2].status);
	CHECK_STATUS(FB_ID_FAILED, r[3].status);
	CHECK_STATUS(FB_FUNDS, r[3].first);
	CHECK(l.all_count == before + 2);
	CHECK(ledger_do(&l, op_post(50, alice, bob, 1)).existed);
}

static void chain__the_same_id_twice__exists_or_is_reused(void **state)
{
	struct fb_op ops[2] = { op_post(70, alice, bob, 1), op_post(70, alice, bob, 1) };
	struct fb_op_result r[2];

	(void)state;
	link_all(ops, 2);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 2));
	CHECK(!r[0].existed && r[1].existed && r[0].seq == r[1].seq);
	check_counters(l.books, &bob, 0, 0, 1);
	CHECK(!l.all[l.all_count - 1].linked); /* the last record of the chain, though an operation follows */
	ops[0] = op_post(71, alice, bob, 1);
	ops[1] = op_post(71, alice, bob, 2);
	link_all(ops, 2);
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 2));
	CHECK_STATUS(FB_LINKED_FAILED, r[0].status);
	CHECK_STATUS(FB_ID_REUSED, r[1].status);
	CHECK_STATUS(FB_ID_FAILED, ledger_do(&l, op_post(71, alice, bob, 1)).status);
	check_counters(l.books, &bob, 0, 0, 1);
}

static void submission__of_several_chains__each_stands_alone(void **state)
{
	struct fb_op ops[6];
	struct fb_op_result r[6];
	static const enum fb_status want[6] = { FB_OK, FB_OK, FB_LINKED_FAILED, FB_FUNDS, FB_ZERO_AMOUNT, FB_OK };

	(void)state;
	make_chain(ops, 6, 80);
	ops[1].linked = ops[3].linked = ops[4].linked = false;
	ops[3].legs[0].amount.atoms = 5000;
	ops[4].legs[0].amount.atoms = 0;
	CHECK_STATUS(FB_OK, ledger_run(&l, r, ops, 6));
	for (size_t i = 0; i < 6; i++)
		CHECK_STATUS(want[i], r[i].status);
	check_counters(l.books, &bob, 0, 0, 3);
}

static void batch__of_several_submissions__reverses_what_is_not_written_yet(void **state)
{
	struct fb_op post = op_post(90, alice, bob, 3), reverse = op_reverse(91, 90);
	struct fb_op_result r;

	(void)state;
	l.indexed = l.all_count;
	CHECK_STATUS(FB_OK, fb_books_run(l.books, &r, l.batch, &l.count, &post, 1, l.now_us));
	CHECK_STATUS(FB_OK, fb_books_run(l.books, &r, l.batch, &l.count, &reverse, 1, l.now_us));
	CHECK_STATUS(FB_OK, r.status);
	CHECK(l.count == 3);
	ledger_seal(&l);
	check_counters(l.books, &bob, 3, 0, 3);
}

int test_books_chain(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(chain__one_fails_at_each_place__all_fail_and_all_ids_are_burnt),
		TEST(chain__of_the_longest__is_applied_as_one),
		TEST(chain__a_form_that_is_wrong__burns_nothing),
		TEST(chain__no_room__burns_nothing),
		TEST(chain__each_needs_the_one_before__is_applied),
		TEST(chain__ends_twice_what_it_opened__fails),
		TEST(chain__known_ids_in_it__are_told_and_not_burnt),
		TEST(chain__the_same_id_twice__exists_or_is_reused),
		TEST(submission__of_several_chains__each_stands_alone),
		TEST(batch__of_several_submissions__reverses_what_is_not_written_yet),
	};
#undef TEST
	return cmocka_run_group_tests_name("books_chain", tests, NULL, NULL);
}
