/* Goal: B4 and B5, a hold reserves until it ends, exactly once, and frees what is not taken. Method: tables of
 * captures; expiries at their very microsecond and in their order, against a naive search for the next one; amounts at
 * the limit. */
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

#define OK(op) CHECK_STATUS(FB_OK, ledger_do(&l, op).status)
#define FAILS(want, op) CHECK_STATUS(want, ledger_do(&l, op).status)

/* ---- captures --------------------------------------------------------------------------------------------------- */
static const struct {
	fb_u128 hold, legs[FB_LEGS_MAX];
	enum fb_status want;
} captures[] = {
	{ 10, { 10 }, FB_OK },
	{ 10, { 9 }, FB_OK },
	{ 10, { 1 }, FB_OK },
	{ 10, { 0 }, FB_ZERO_AMOUNT },
	{ 10, { 11 }, FB_HOLD_TOO_SMALL },
	{ 10, { 9, 1 }, FB_OK },
	{ 10, { 9, 2 }, FB_HOLD_TOO_SMALL },
	{ 10, { 10, 1 }, FB_HOLD_TOO_SMALL },
	{ 10, { 5, 0 }, FB_ZERO_AMOUNT },
	{ 8, { 1, 1, 1, 1, 1, 1, 1, 1 }, FB_OK },
	{ 9, { 1, 1, 1, 1, 1, 1, 1, 1 }, FB_OK },
	{ 7, { 1, 1, 1, 1, 1, 1, 1, 1 }, FB_HOLD_TOO_SMALL },
	{ 10, { FB_AMOUNT_MAX, FB_AMOUNT_MAX }, FB_HOLD_TOO_SMALL }, /* together more than any amount */
	{ 10, { FB_AMOUNT_MAX, FB_AMOUNT_MAX, FB_AMOUNT_MAX }, FB_HOLD_TOO_SMALL }, /* and more than 2^128 */
	{ 10, { FB_AMOUNT_MAX + 1 }, FB_BAD_VALUE },
};

static struct fb_account_key payee(size_t i)
{
	struct fb_account_key key = bob;

	key.owner.bytes[5] = (uint8_t)(i + 1);
	return key;
}

static void capture__of_a_hold__table(void **state) /* B4 */
{
	fb_u128 spent = 0, received[FB_LEGS_MAX] = { 0 };

	(void)state;
	for (size_t row = 0; row < FB_COUNT(captures); row++) {
		fb_id id = 100 * (row + 1);
		struct fb_op op = { .kind = FB_OP_CAPTURE, .id = id + 1, .ref = id };
		size_t legs = 1;
		bool ok = captures[row].want == FB_OK;

		while (legs < FB_LEGS_MAX && captures[row].legs[legs] != 0)
			legs++;
		if (row == 8)
			legs = 2; /* whose second leg is 0 */
		for (size_t i = 0; i < legs; i++)
			op = op_leg(op, payee(i), captures[row].legs[i]);
		OK(op_hold(id, alice, captures[row].hold, 0));
		FAILS(captures[row].want, op);
		for (size_t i = 0; ok && i < legs; i++) {
			spent += captures[row].legs[i];
			received[i] += captures[row].legs[i];
		}
		check_counters(l.books, &alice, spent, ok ? 0 : captures[row].hold, 1000);
		for (size_t i = 0; i < FB_LEGS_MAX; i++) {
			struct fb_account_key key = payee(i);

			check_counters(l.books, &key, 0, 0, received[i]);
		}
		FAILS(ok ? FB_HOLD_ENDED : FB_OK, op_release(id + 2, id)); /* once, and only once */
		FAILS(FB_HOLD_ENDED, op_capture(id + 3, id, bob, 1));
		CHECK(count_holds(l.books, 0) == 0);
	}
}

static void capture__the_same_account_in_several_legs__gets_them_all(void **state)
{
	struct fb_op op = op_capture(11, 10, bob, 3);

	(void)state;
	OK(op_hold(10, alice, 20, 0));
	op = op_leg(op_leg(op_leg(op, fees, 2), bob, 4), fees, 5);
	OK(op);
	check_counters(l.books, &bob, 0, 0, 7);
	check_counters(l.books, &fees, 0, 0, 7);
	check_counters(l.books, &alice, 14, 0, 1000);
	CHECK(fb_books_account_count(l.books) == 4);
}

static void capture__legs_that_overflow_together__are_refused(void **state)
{
	struct fb_account_key source = world, other = world;

	(void)state;
	source.owner.bytes[3] = 1;
	other.owner.bytes[3] = 2;
	OK(op_post(10, source, bob, FB_AMOUNT_MAX - 5));
	OK(op_hold(11, other, 100, 0));
	FAILS(FB_OVERFLOW, op_leg(op_leg(op_capture(12, 11, bob, 3), fees, 1), bob, 3));
	FAILS(FB_OVERFLOW, op_leg(op_capture(13, 11, fees, 1), bob, 6));
	OK(op_leg(op_leg(op_capture(14, 11, bob, 3), fees, 1), bob, 2));
	check_counters(l.books, &bob, 0, 0, FB_AMOUNT_MAX);
}

static void capture__into_an_account_of_another_asset__is_refused(void **state)
{
	(void)state;
	OK(op_post(10, world_euro, alice_euro, 50));
	OK(op_hold(11, alice_euro, 50, 0));
	FAILS(FB_BAD_VALUE, op_capture(12, 11, bob, 1));
	FAILS(FB_FUNDS, op_hold(13, alice_euro, 1, 0)); /* a thousand of the other asset do not help */
	check_counters(l.books, &alice_euro, 0, 50, 50);
}

/* ---- amounts at the limit --------------------------------------------------------------------------------------- */
static void amounts__at_the_maximum__are_held_and_paid(void **state)
{
	struct fb_account_key source = world;

	(void)state;
	source.owner.bytes[3] = 1;
	FAILS(FB_OVERFLOW, op_post(10, source, alice, FB_AMOUNT_MAX)); /* alice has 1000 already */
	OK(op_post(11, source, bob, FB_AMOUNT_MAX));
	OK(op_hold(12, bob, FB_AMOUNT_MAX, 0));
	FAILS(FB_OVERFLOW, op_hold(13, bob, 1, 0));
	FAILS(FB_OVERFLOW, op_post(14, bob, fees, 1));
	FAILS(FB_OVERFLOW, op_post(15, source, fees, 1)); /* the source's debits are at the maximum */
	OK(op_capture(16, 12, fees, FB_AMOUNT_MAX));
	check_counters(l.books, &bob, FB_AMOUNT_MAX, 0, FB_AMOUNT_MAX);
	check_counters(l.books, &fees, 0, 0, FB_AMOUNT_MAX);
	FAILS(FB_OVERFLOW, op_post(17, world, fees, 1));
	OK(op_hold(18, fees, FB_AMOUNT_MAX, 0));
	OK(op_release(19, 18));
	OK(op_post(20, fees, world, FB_AMOUNT_MAX));
}

/* What is posted and reserved never passes the maximum together, so that no capture fails for it. */
static void amounts__reserved_and_posted_together__stay_in_range(void **state)
{
	(void)state;
	OK(op_hold(10, world, FB_AMOUNT_MAX - 1000 - 1, 0));
	OK(op_post(11, world, bob, 1));
	FAILS(FB_OVERFLOW, op_post(12, world, bob, 1));
	FAILS(FB_OVERFLOW, op_hold(13, world, 1, 0));
	OK(op_capture(14, 10, fees, FB_AMOUNT_MAX - 1000 - 1));
	check_counters(l.books, &world, FB_AMOUNT_MAX, 0, 0);
}

static void funds__at_the_last_atom__table(void **state) /* B2 */
{
	(void)state;
	FAILS(FB_FUNDS, op_hold(10, alice, 1001, 0));
	OK(op_hold(11, alice, 400, 0));
	FAILS(FB_FUNDS, op_post(12, alice, bob, 601));
	FAILS(FB_FUNDS, op_hold(13, alice, 601, 0));
	OK(op_post(14, alice, bob, 600));
	FAILS(FB_FUNDS, op_post(15, alice, bob, 1));
	OK(op_release(16, 11));
	OK(op_hold(17, alice, 400, 0));
	FAILS(FB_FUNDS, op_post(18, bob, fees, 601));
	OK(op_post(19, bob, fees, 600));
	FAILS(FB_FUNDS, op_reverse(20, 14)); /* bob has nothing left to give back */
	OK(op_reverse(21, 19));
	OK(op_reverse(22, 14));
	check_counters(l.books, &alice, 600, 400, 1600);
}

/* ---- expiry ----------------------------------------------------------------------------------------------------- */
static void expiry__around_its_microsecond__table(void **state) /* B4 */
{
	static const struct {
		int64_t now_us;
		bool expired;
	} rows[] = { { 4998, false }, { 4999, false }, { 5000, true }, { 5001, true }, { INT64_MAX, true } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		fb_id id = 100 * (i + 1);

		l.now_us = 1000;
		OK(op_hold(id, alice, 10, 5000));
		l.now_us = rows[i].now_us;
		FAILS(rows[i].expired ? FB_HOLD_EXPIRED : FB_OK, op_capture(id + 1, id, bob, 1));
		CHECK(ledger_expire(&l, 9) == (rows[i].expired ? 1 : 0));
		CHECK(count_holds(l.books, 0) == 0);
		l.now_us = 1000;
		OK(op_hold(id + 2, alice, 10, 5000));
		l.now_us = rows[i].now_us;
		FAILS(rows[i].expired ? FB_HOLD_EXPIRED : FB_OK, op_release(id + 3, id + 2));
		CHECK(ledger_expire(&l, 9) == (rows[i].expired ? 1 : 0));
	}
	check_counters(l.books, &alice, 2, 0, 1000);
}

static void expiry__of_a_new_hold__must_lie_ahead(void **state)
{
	(void)state;
	l.now_us = 5000;
	FAILS(FB_HOLD_EXPIRED, op_hold(10, alice, 1, 4999));
	FAILS(FB_HOLD_EXPIRED, op_hold(11, alice, 1, 5000));
	OK(op_hold(12, alice, 1, 5001));
	OK(op_hold(13, alice, 1, 0));
	OK(op_hold(14, alice, 1, INT64_MAX));
	l.now_us = INT64_MAX - 1;
	CHECK(ledger_expire(&l, 9) == 1);
	CHECK(fb_books_next_expiry(l.books) == INT64_MAX);
	CHECK(count_holds(l.books, 0) == 2);
	l.now_us = INT64_MAX;
	CHECK(ledger_expire(&l, 9) == 1);
	CHECK(ledger_expire(&l, 9) == 0); /* what never expires does not */
	CHECK(count_holds(l.books, 0) == 1);
}

enum { MANY = 500 };
static int64_t expiry_of(size_t i)
{
	return 2000 + (int64_t)(i * 7919 % 97); /* many expire together */
}

static void expiry__of_many__is_oldest_first(void **state)
{
	bool ended[MANY] = { false };
	size_t left = 0, seen = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		OK(op_hold(1000 + i, alice, 1, expiry_of(i)));
	for (size_t i = 0; i < MANY; i += 3) { /* some end before, from anywhere in the heap */
		OK(op_release(5000 + i, 1000 + i * 31 % MANY));
		ended[i * 31 % MANY] = true;
	}
	for (size_t i = 0; i < MANY; i++)
		left += !ended[i];
	l.now_us = 9999;
	while (left > 0) {
		size_t before = l.all_count, n = ledger_expire(&l, 7);

		CHECK(n == (left < 7 ? left : 7));
		for (; before < l.all_count; before++, seen++) {
			size_t first = MANY;

			for (size_t i = 0; i < MANY; i++) /* by time, then by age */
				if (!ended[i] && (first == MANY || expiry_of(i) < expiry_of(first)))
					first = i;
			CHECK(l.all[before].kind == FB_RECORD_EXPIRE && l.all[before].ref == 1000 + first);
			CHECK(l.all[before].amount.atoms == 1 && !l.all[before].linked);
			ended[first] = true;
		}
		left -= n;
	}
	CHECK(seen > MANY / 2 && ledger_expire(&l, 7) == 0);
	check_counters(l.books, &alice, 0, 0, 1000);
}

/* ---- lists ------------------------------------------------------------------------------------------------------ */
struct list {
	fb_id ids[8];
	size_t count, stop_at;
};

static bool take_id(void *arg, const struct fb_hold *h)
{
	struct list *list = arg;

	list->ids[list->count++] = h->id;
	return list->count != list->stop_at;
}

static void each_hold__of_one_or_all__by_age(void **state) /* B5 */
{
	static const struct {
		uint64_t account;
		size_t stop_at, count;
		fb_id ids[8];
	} rows[] = {
		{ 0, 0, 5, { 90, 20, 80, 30, 70 } }, { 2, 0, 3, { 90, 80, 70 } }, { 3, 0, 2, { 20, 30 } },
		{ 0, 2, 2, { 90, 20 } }, { 2, 1, 1, { 90 } }, { 1, 0, 0, { 0 } }, { 99, 0, 0, { 0 } },
	};

	(void)state;
	OK(op_post(10, world, bob, 100));
	OK(op_hold(50, alice, 1, 0));
	OK(op_hold(90, alice, 1, 0));
	OK(op_hold(20, bob, 1, 0));
	OK(op_release(51, 50)); /* its slot is used again, the order stays */
	OK(op_hold(80, alice, 1, 0));
	OK(op_hold(30, bob, 1, 0));
	OK(op_hold(70, alice, 1, 0));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct list list = { .stop_at = rows[i].stop_at };

		fb_books_each_hold(l.books, rows[i].account, take_id, &list);
		CHECK(list.count == rows[i].count);
		for (size_t k = 0; k < list.count; k++)
			CHECK(list.ids[k] == rows[i].ids[k]);
	}
}

int test_books_hold(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(capture__of_a_hold__table),
		TEST(capture__the_same_account_in_several_legs__gets_them_all),
		TEST(capture__legs_that_overflow_together__are_refused),
		TEST(capture__into_an_account_of_another_asset__is_refused),
		TEST(amounts__at_the_maximum__are_held_and_paid),
		TEST(amounts__reserved_and_posted_together__stay_in_range),
		TEST(funds__at_the_last_atom__table),
		TEST(expiry__around_its_microsecond__table),
		TEST(expiry__of_a_new_hold__must_lie_ahead),
		TEST(expiry__of_many__is_oldest_first),
		TEST(each_hold__of_one_or_all__by_age),
	};
#undef TEST
	return cmocka_run_group_tests_name("books_hold", tests, NULL, NULL);
}
