/* Goal: what the operations do, one by one. Method: small ledgers whose counters are known by heart; test_books_*.c
 * have the order of errors, chains, repeats, recovery, threads and failures. */
#include "test_books.h"

static struct ledger l;

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

#define OK(op) CHECK_STATUS(FB_OK, ledger_do(&l, op).status)
#define FAILS(want, op) CHECK_STATUS(want, ledger_do(&l, op).status)

static void post__from_the_world__is_what_alice_has(void **state)
{
	(void)state;
	OK(op_post(1, world, alice, 100));
	check_counters(l.books, &world, 100, 0, 0);
	check_counters(l.books, &alice, 0, 0, 100);
	CHECK(l.all_count == 3 && l.all[0].kind == FB_RECORD_ACCOUNT && l.all[1].kind == FB_RECORD_ACCOUNT);
	CHECK(l.all[2].kind == FB_RECORD_POST && l.all[0].linked && l.all[1].linked && !l.all[2].linked);
	FAILS(FB_FUNDS, op_post(2, alice, bob, 101));
	OK(op_post(3, alice, bob, 100));
	check_counters(l.books, &alice, 100, 0, 100);
	check_counters(l.books, &bob, 0, 0, 100);
}

static void capture__ninety_and_ten__is_one_step(void **state)
{
	struct fb_op_result r;

	(void)state;
	OK(op_post(1, world, alice, 100));
	OK(op_hold(2, alice, 50, 0));
	check_counters(l.books, &alice, 0, 50, 100);
	FAILS(FB_FUNDS, op_post(3, alice, bob, 51));
	r = ledger_do(&l, op_leg(op_capture(4, 2, bob, 36), fees, 4));
	CHECK_STATUS(FB_OK, r.status);
	check_counters(l.books, &alice, 40, 0, 100);
	check_counters(l.books, &bob, 0, 0, 36);
	check_counters(l.books, &fees, 0, 0, 4);
	CHECK(r.seq == l.all_count - 1);
	CHECK(l.all[r.seq - 1].kind == FB_RECORD_CAPTURE && l.all[r.seq - 1].linked && l.all[r.seq - 1].held.atoms == 50);
	CHECK(l.all[r.seq].kind == FB_RECORD_LEG && !l.all[r.seq].linked);
	CHECK(count_holds(l.books, 0) == 0);
}

static void release_and_expiry__free_the_hold(void **state)
{
	(void)state;
	OK(op_post(1, world, alice, 100));
	OK(op_hold(2, alice, 60, 0));
	OK(op_release(3, 2));
	check_counters(l.books, &alice, 0, 0, 100);
	OK(op_hold(4, alice, 70, 2000));
	CHECK(fb_books_next_expiry(l.books) == 2000);
	l.now_us = 1999;
	CHECK(ledger_expire(&l, 10) == 0);
	l.now_us = 2000;
	FAILS(FB_HOLD_EXPIRED, op_capture(5, 4, bob, 70));
	CHECK(ledger_expire(&l, 10) == 1);
	check_counters(l.books, &alice, 0, 0, 100);
	CHECK(fb_books_next_expiry(l.books) == INT64_MAX);
	FAILS(FB_HOLD_EXPIRED, op_capture(6, 4, bob, 70));
}

static void reverse__of_a_post__puts_it_back_once(void **state)
{
	(void)state;
	OK(op_post(1, world, alice, 100));
	OK(op_reverse(2, 1));
	check_counters(l.books, &alice, 100, 0, 100);
	check_counters(l.books, &world, 100, 0, 100);
	FAILS(FB_REVERSED_ALREADY, op_reverse(3, 1));
	FAILS(FB_NOT_FOUND, op_reverse(4, 2));
}

static void replay__of_all_records__is_the_same_books(void **state)
{
	struct fb_books *again;

	(void)state;
	OK(op_post(1, world, alice, 100));
	OK(op_hold(2, alice, 60, 5000));
	OK(op_hold(3, alice, 10, 4000));
	OK(op_capture(4, 2, bob, 20));
	FAILS(FB_FUNDS, op_post(5, bob, fees, 21));
	replay_all(&again, &l, (struct fb_id_index){ NULL, NULL, NULL });
	check_same(l.books, again);
	fb_books_close(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(post__from_the_world__is_what_alice_has, setup, teardown),
		cmocka_unit_test_setup_teardown(capture__ninety_and_ten__is_one_step, setup, teardown),
		cmocka_unit_test_setup_teardown(release_and_expiry__free_the_hold, setup, teardown),
		cmocka_unit_test_setup_teardown(reverse__of_a_post__puts_it_back_once, setup, teardown),
		cmocka_unit_test_setup_teardown(replay__of_all_records__is_the_same_books, setup, teardown),
	};
	return cmocka_run_group_tests_name("books", tests, NULL, NULL) + test_books_order() + test_books_chain() +
	       test_books_once() + test_books_hold() + test_books_torture() +
	       test_books_recovery() + test_books_growth();
}
