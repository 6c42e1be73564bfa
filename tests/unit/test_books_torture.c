/* Goal: a failing id index leaves no trace, and the same submission works when the index does. Method: the n-th call
 * fails, for every n, in submissions that ask for everything there is to ask; nothing may differ from books whose index
 * never fails. */
#include "test_books.h"

enum { FILL = 4000, HOLD = 10, POSTED, OTHER_POST };

/* The books remember none of these ids any more. */
static void open_forgetful(struct ledger *l)
{
	ledger_open(l);
	CHECK_STATUS(FB_OK, ledger_do(l, op_post(1, world, alice, 1000)).status);
	CHECK_STATUS(FB_OK, ledger_do(l, op_hold(HOLD, alice, 30, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(l, op_hold(HOLD + 20, alice, 30, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(l, op_release(HOLD + 21, HOLD + 20)).status);
	CHECK_STATUS(FB_OK, ledger_do(l, op_post(POSTED, alice, bob, 50)).status);
	CHECK_STATUS(FB_OK, ledger_do(l, op_post(OTHER_POST, alice, bob, 60)).status);
	CHECK_STATUS(FB_FUNDS, ledger_do(l, op_post(2, bob, fees, 5000)).status);
	for (fb_id i = 0; i < FILL; i++) {
		CHECK_STATUS(FB_OK, ledger_do(l, op_post(100000 + i, world, fees, 1)).status);
		if (i == FILL / 2)
			l->indexed = l->all_count;
		if (i == FILL / 2)
			fb_books_forget_ids(l->books, l->indexed);
	}
	l->calls = 0;
}

/* Applied, refused, known, unknown; alone and linked; asking for ids, refs and records. */
static const struct fb_op *submission(size_t *count)
{
	static struct fb_op ops[12];

	ops[0] = op_post(200, world, bob, 1);
	ops[1] = op_capture(201, HOLD, bob, 5);
	ops[2] = op_capture(202, HOLD + 20, bob, 5);
	ops[3] = op_reverse(203, POSTED);
	ops[4] = op_post(1, world, alice, 1000);
	ops[5] = op_post(2, bob, fees, 5000);
	ops[6] = op_release(204, 999);
	ops[7] = op_hold(205, alice, 10, 0);
	ops[8] = op_capture(206, 205, fees, 10);
	ops[9] = op_reverse(207, OTHER_POST);
	ops[10] = op_post(208, alice, bob, 100000);
	ops[11] = op_account(alice_euro, false);
	ops[7].linked = ops[8].linked = true;
	ops[9].linked = true; /* with the one that fails */
	*count = FB_COUNT(ops);
	return ops;
}

static void run__the_index_fails_at_each_call__leaves_no_trace(void **state)
{
	struct ledger good, bad;
	struct fb_op_result want[12], is[12];
	size_t count;
	const struct fb_op *ops = submission(&count);
	unsigned calls, n;

	(void)state;
	open_forgetful(&good);
	CHECK_STATUS(FB_OK, ledger_run(&good, want, ops, count));
	calls = good.calls;
	CHECK(calls > 12);
	open_forgetful(&bad);
	for (n = 1; n <= calls; n++) {
		bad.calls = 0;
		bad.fail_at = n;
		CHECK_STATUS(FB_STORAGE, ledger_run(&bad, is, ops, count)); /* which checks that no record came of it */
		check_counters(bad.books, &bob, 0, 0, 110);
		CHECK(count_holds(bad.books, 0) == 1);
		CHECK(fb_books_account_count(bad.books) == 4);
	}
	bad.calls = 0;
	bad.fail_at = n;
	CHECK_STATUS(FB_OK, ledger_run(&bad, is, ops, count));
	CHECK(bad.calls == calls);
	for (size_t i = 0; i < count; i++)
		CHECK(is[i].status == want[i].status && is[i].existed == want[i].existed && is[i].seq == want[i].seq &&
		      is[i].first == want[i].first);
	check_same(good.books, bad.books);
	ledger_close(&good);
	ledger_close(&bad);
}

/* A record that is not the post it should be is a broken index, not a refusal. */
static const struct fb_record wrong_records[] = {
	{ .seq = 3, .kind = FB_RECORD_POST, .id = POSTED + 1 },
	{ .seq = 2, .kind = FB_RECORD_POST, .id = POSTED },
	{ .seq = 3, .kind = FB_RECORD_REVERSE, .id = POSTED },
};
static struct fb_record given;

static enum fb_status give(void *ctx, struct fb_record *out, uint64_t seq)
{
	(void)ctx;
	CHECK(seq == 3);
	*out = given;
	return FB_OK;
}

static void run__the_index_gives_a_wrong_record__is_a_failure(void **state)
{
	struct ledger l;

	(void)state;
	ledger_open(&l);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED, world, alice, 5)).status);
	fb_books_close(l.books);
	replay_all(&l.books, &l, (struct fb_id_index){ .record = give });
	for (size_t i = 0; i < FB_COUNT(wrong_records); i++) {
		struct fb_op op = op_reverse(300, POSTED);
		struct fb_op_result r;

		given = wrong_records[i];
		CHECK_STATUS(FB_STORAGE, ledger_run(&l, &r, &op, 1));
	}
	given = l.all[2];
	CHECK_STATUS(FB_OK, ledger_do(&l, op_reverse(300, POSTED)).status);
	ledger_close(&l);
}

int test_books_torture(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run__the_index_fails_at_each_call__leaves_no_trace),
		cmocka_unit_test(run__the_index_gives_a_wrong_record__is_a_failure),
	};
	return cmocka_run_group_tests_name("books_torture", tests, NULL, NULL);
}
