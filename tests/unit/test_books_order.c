/* Goal: of several things that are wrong the documented one is answered, for ever. Method: for every kind of operation
 * a good one and its faults in the order of precedence; each fault alone, and every pair that fits into one operation.
 * What burns the id is refused again as ID_FAILED with the same reason; what does not may be done right later. */
#include "test_books.h"

static const struct fb_account_key full = { .owner = { { 'm' } }, .asset = USDC, .purpose = FB_PURPOSE_AVAILABLE },
	spent = { .owner = { { 's' } }, .asset = USDC, .purpose = FB_PURPOSE_AVAILABLE },
	world_2 = { .owner = { { 'v' } }, .asset = USDC, .purpose = FB_PURPOSE_WORLD };
enum { /* ids of what is in the ledger */
	TO_ALICE = 1, TO_FULL, TO_SPENT, OPEN_HOLD, EXPIRED_HOLD, SWEPT_HOLD, ENDED_HOLD, RELEASE_IT, GIVEN, GIVEN_BACK,
	FROM_FULL, TO_BOB, SPEND_ALL, HOLD_OF_FULL, SPEND_MORE, REFUSED_HOLD, FIRST_FREE = 100,
};

static struct ledger l;
static fb_id next_id;

#define OK(op) CHECK_STATUS(FB_OK, ledger_do(&l, op).status)

static void open_ledger(void)
{
	ledger_open(&l);
	next_id = FIRST_FREE;
	OK(op_hold(SWEPT_HOLD, world, 1, 1001));
	l.now_us = 1001;
	CHECK(ledger_expire(&l, 1) == 1);
	OK(op_post(TO_ALICE, world, alice, 100));
	OK(op_hold(OPEN_HOLD, alice, 50, 0));
	OK(op_hold(EXPIRED_HOLD, alice, 5, 2000));
	OK(op_hold(ENDED_HOLD, alice, 5, 0));
	OK(op_release(RELEASE_IT, ENDED_HOLD));
	OK(op_post(GIVEN, world, alice, 7));
	OK(op_reverse(GIVEN_BACK, GIVEN));
	OK(op_post(TO_FULL, world_2, full, FB_AMOUNT_MAX));
	OK(op_post(FROM_FULL, full, bob, 3));
	OK(op_post(TO_BOB, world, bob, 9));
	OK(op_post(SPEND_ALL, bob, fees, 8));
	OK(op_post(TO_SPENT, full, spent, FB_AMOUNT_MAX - 3));
	OK(op_post(SPEND_MORE, spent, world_2, FB_AMOUNT_MAX - 3));
	CHECK_STATUS(FB_FUNDS, ledger_do(&l, op_hold(REFUSED_HOLD, bob, 1000, 0)).status);
	l.now_us = 2000;
}

/* ---- faults ----------------------------------------------------------------------------------------------------- */
static void no_id(struct fb_op *op) { op->id = 0; }
static void last_id(struct fb_op *op) { op->id = ~(fb_id)0; }
static void no_ref(struct fb_op *op) { op->ref = 0; }
static void last_ref(struct fb_op *op) { op->ref = ~(fb_id)0; }
static void no_kind(struct fb_op *op) { op->kind = (enum fb_op_kind)6; }
static void debit_purpose(struct fb_op *op) { op->debit.purpose = (enum fb_purpose)0; }
static void debit_purpose_end(struct fb_op *op) { op->debit.purpose = FB_PURPOSE_END; }
static void credit_purpose(struct fb_op *op) { op->legs[0].credit.purpose = (enum fb_purpose)0; }
static void credit_purpose_end(struct fb_op *op)
{
	size_t last = op->leg_count <= FB_LEGS_MAX ? op->leg_count - 1 : 0; /* beside nine_legs: any leg will do */

	op->legs[last].credit.purpose = FB_PURPOSE_END;
}

static void no_legs(struct fb_op *op) { op->leg_count = 0; }
static void a_leg(struct fb_op *op) { op->leg_count = 1; op->legs[0] = (struct fb_leg){ bob, { 1 } }; }
static void a_leg_more(struct fb_op *op) { op->leg_count = 2; op->legs[1] = (struct fb_leg){ fees, { 1 } }; }
static void nine_legs(struct fb_op *op) { op->leg_count = 9; }
static void leg_above_max(struct fb_op *op) { op->legs[0].amount.atoms = FB_AMOUNT_MAX + 1; }
static void above_max(struct fb_op *op) { op->amount.atoms = FB_AMOUNT_MAX + 1; }
static void negative_expiry(struct fb_op *op) { op->expires_us = -1; }
static void leg_of_euro(struct fb_op *op) { op->legs[0].credit.asset = EURC; }
static void two_assets(struct fb_op *op) { a_leg_more(op); op->legs[1].credit.asset = EURC; }
static void leg_zero(struct fb_op *op) { op->legs[0].amount.atoms = 0; }
static void second_leg_zero(struct fb_op *op) { a_leg_more(op); op->legs[1].amount.atoms = 0; }
static void zero(struct fb_op *op) { op->amount.atoms = 0; }
static void to_itself(struct fb_op *op) { op->legs[0].credit = alice; }
static void used_id(struct fb_op *op) { op->id = TO_ALICE; }
static void expired_now(struct fb_op *op) { op->expires_us = 2000; }
static void unknown_ref(struct fb_op *op) { op->ref = 99999; }
static void own_ref(struct fb_op *op) { op->ref = op->id; }
static void post_as_hold(struct fb_op *op) { op->ref = TO_ALICE; }
static void refused_ref(struct fb_op *op) { op->ref = REFUSED_HOLD; }
static void hold_as_post(struct fb_op *op) { op->ref = OPEN_HOLD; }
static void expired_hold(struct fb_op *op) { op->ref = EXPIRED_HOLD; }
static void swept_hold(struct fb_op *op) { op->ref = SWEPT_HOLD; }
static void ended_hold(struct fb_op *op) { op->ref = ENDED_HOLD; }
static void reversed_post(struct fb_op *op) { op->ref = GIVEN; }
static void into_full(struct fb_op *op) { op->legs[op->leg_count - 1].credit = full; }
static void into_full_later(struct fb_op *op) { a_leg_more(op); op->legs[1].credit = full; }
static void of_spent(struct fb_op *op) { op->debit = spent; op->amount.atoms = 4; }
static void too_much(struct fb_op *op) { op->legs[0].amount.atoms = 51; }
static void hold_too_much(struct fb_op *op) { op->amount.atoms = 51; }
static void overflowing_post(struct fb_op *op) { op->ref = FROM_FULL; }
static void unfunded_post(struct fb_op *op) { op->ref = TO_BOB; }

/* What two faults change both cannot be wrong in two ways. */
enum { ID = 1, REF = 2, DEBIT = 4, LEG = 8, LEGS = 16, AMOUNT = 32, EXPIRY = 64, KIND = 128, LEG_AMOUNT = 256 };
struct fault {
	void (*make)(struct fb_op *op);
	unsigned changes;
	enum fb_status want;
	bool burns;
};
static const struct fault post_faults[] = {
	{ no_id, ID, FB_BAD_VALUE, false },
	{ last_id, ID, FB_BAD_VALUE, false },
	{ no_kind, KIND, FB_BAD_VALUE, false },
	{ debit_purpose, DEBIT, FB_BAD_VALUE, false },
	{ debit_purpose_end, DEBIT, FB_BAD_VALUE, false },
	{ credit_purpose, LEG, FB_BAD_VALUE, false },
	{ credit_purpose_end, LEG, FB_BAD_VALUE, false },
	{ no_legs, LEGS | LEG | LEG_AMOUNT, FB_BAD_VALUE, false },
	{ a_leg_more, LEGS, FB_BAD_VALUE, false },
	{ nine_legs, LEGS | LEG, FB_BAD_VALUE, false },
	{ leg_above_max, LEG_AMOUNT, FB_BAD_VALUE, false },
	{ leg_of_euro, LEG, FB_BAD_VALUE, false },
	{ leg_zero, LEG_AMOUNT, FB_ZERO_AMOUNT, false },
	{ to_itself, LEG, FB_SAME_ACCOUNT, false },
	{ used_id, ID, FB_ID_REUSED, false },
	{ into_full, LEG, FB_OVERFLOW, true },
	{ too_much, LEG_AMOUNT, FB_FUNDS, true },
};
static const struct fault hold_faults[] = {
	{ no_id, ID, FB_BAD_VALUE, false },
	{ last_id, ID, FB_BAD_VALUE, false },
	{ debit_purpose, DEBIT, FB_BAD_VALUE, false },
	{ debit_purpose_end, DEBIT, FB_BAD_VALUE, false },
	{ a_leg, LEGS, FB_BAD_VALUE, false },
	{ above_max, AMOUNT, FB_BAD_VALUE, false },
	{ negative_expiry, EXPIRY, FB_BAD_VALUE, false },
	{ zero, AMOUNT, FB_ZERO_AMOUNT, false },
	{ used_id, ID, FB_ID_REUSED, false },
	{ expired_now, EXPIRY, FB_HOLD_EXPIRED, true },
	{ of_spent, DEBIT | AMOUNT, FB_OVERFLOW, true }, /* has no funds either */
	{ hold_too_much, AMOUNT, FB_FUNDS, true },
};
static const struct fault capture_faults[] = {
	{ no_id, ID, FB_BAD_VALUE, false },
	{ last_id, ID, FB_BAD_VALUE, false },
	{ no_ref, REF, FB_BAD_VALUE, false },
	{ last_ref, REF, FB_BAD_VALUE, false },
	{ credit_purpose, LEG, FB_BAD_VALUE, false },
	{ credit_purpose_end, LEG, FB_BAD_VALUE, false },
	{ no_legs, LEGS | LEG | LEG_AMOUNT, FB_BAD_VALUE, false },
	{ nine_legs, LEGS | LEG, FB_BAD_VALUE, false },
	{ leg_above_max, LEG_AMOUNT, FB_BAD_VALUE, false },
	{ two_assets, LEG | LEGS, FB_BAD_VALUE, false },
	{ leg_zero, LEG_AMOUNT, FB_ZERO_AMOUNT, false },
	{ second_leg_zero, LEGS | LEG, FB_ZERO_AMOUNT, false },
	{ used_id, ID, FB_ID_REUSED, false },
	{ unknown_ref, REF, FB_NOT_FOUND, true },
	{ own_ref, REF | ID, FB_NOT_FOUND, true },
	{ post_as_hold, REF, FB_NOT_FOUND, true },
	{ refused_ref, REF, FB_NOT_FOUND, true },
	{ expired_hold, REF, FB_HOLD_EXPIRED, true },
	{ swept_hold, REF, FB_HOLD_EXPIRED, true },
	{ ended_hold, REF, FB_HOLD_ENDED, true },
	{ leg_of_euro, LEG, FB_BAD_VALUE, true },
	{ to_itself, LEG, FB_SAME_ACCOUNT, true },
	{ too_much, LEG_AMOUNT, FB_HOLD_TOO_SMALL, true },
	{ into_full, LEG, FB_OVERFLOW, true },
	{ into_full_later, LEGS | LEG, FB_OVERFLOW, true },
};
static const struct fault release_faults[] = {
	{ no_id, ID, FB_BAD_VALUE, false },
	{ last_id, ID, FB_BAD_VALUE, false },
	{ no_ref, REF, FB_BAD_VALUE, false },
	{ last_ref, REF, FB_BAD_VALUE, false },
	{ a_leg, LEGS, FB_BAD_VALUE, false },
	{ used_id, ID, FB_ID_REUSED, false },
	{ unknown_ref, REF, FB_NOT_FOUND, true },
	{ own_ref, REF | ID, FB_NOT_FOUND, true },
	{ post_as_hold, REF, FB_NOT_FOUND, true },
	{ refused_ref, REF, FB_NOT_FOUND, true },
	{ expired_hold, REF, FB_HOLD_EXPIRED, true },
	{ swept_hold, REF, FB_HOLD_EXPIRED, true },
	{ ended_hold, REF, FB_HOLD_ENDED, true },
};
static const struct fault reverse_faults[] = {
	{ no_id, ID, FB_BAD_VALUE, false },
	{ last_id, ID, FB_BAD_VALUE, false },
	{ no_ref, REF, FB_BAD_VALUE, false },
	{ last_ref, REF, FB_BAD_VALUE, false },
	{ a_leg, LEGS, FB_BAD_VALUE, false },
	{ used_id, ID, FB_ID_REUSED, false },
	{ unknown_ref, REF, FB_NOT_FOUND, true },
	{ own_ref, REF | ID, FB_NOT_FOUND, true },
	{ hold_as_post, REF, FB_NOT_FOUND, true },
	{ refused_ref, REF, FB_NOT_FOUND, true },
	{ reversed_post, REF, FB_REVERSED_ALREADY, true },
	{ overflowing_post, REF, FB_OVERFLOW, true },
	{ unfunded_post, REF, FB_FUNDS, true },
};
static const struct {
	enum fb_op_kind kind;
	const struct fault *faults;
	size_t count;
} kinds[] = {
	{ FB_OP_POST, post_faults, FB_COUNT(post_faults) },
	{ FB_OP_HOLD, hold_faults, FB_COUNT(hold_faults) },
	{ FB_OP_CAPTURE, capture_faults, FB_COUNT(capture_faults) },
	{ FB_OP_RELEASE, release_faults, FB_COUNT(release_faults) },
	{ FB_OP_REVERSE, reverse_faults, FB_COUNT(reverse_faults) },
};

/* Nothing is wrong with it. */
static struct fb_op good_op(enum fb_op_kind kind)
{
	fb_id id = ++next_id;

	switch (kind) {
	case FB_OP_POST:
		return op_post(id, alice, bob, 10);
	case FB_OP_HOLD:
		return op_hold(id, alice, 10, 0);
	case FB_OP_CAPTURE:
		return op_capture(id, OPEN_HOLD, bob, 10);
	case FB_OP_RELEASE:
		return op_release(id, OPEN_HOLD);
	case FB_OP_REVERSE:
		return op_reverse(id, SPEND_ALL);
	case FB_OP_ACCOUNT:
		break;
	}
	FB_UNREACHABLE("a kind in the table");
}

static void check_fault(enum fb_op_kind kind, const struct fault *first, const struct fault *second)
{
	struct fb_op op = good_op(kind);
	struct fb_op_result r;

	if (second != NULL)
		second->make(&op);
	first->make(&op);
	r = ledger_do(&l, op);
	if (r.status != first->want)
		fail_msg("kind %d, faults %d and %d: %s, want %s", (int)kind, (int)(first - kinds[kind - 1].faults),
			 second == NULL ? -1 : (int)(second - kinds[kind - 1].faults), fb_status_info(r.status)->name,
			 fb_status_info(first->want)->name);
	CHECK(!r.existed && (r.seq != 0) == first->burns);
	if (!first->burns)
		return;
	r = ledger_do(&l, op);
	CHECK_STATUS(FB_ID_FAILED, r.status);
	CHECK_STATUS(first->want, r.first);
}

static void errors__one_fault_each__table(void **state)
{
	(void)state;
	open_ledger();
	for (size_t k = 0; k < FB_COUNT(kinds); k++)
		for (size_t i = 0; i < kinds[k].count; i++)
			check_fault(kinds[k].kind, &kinds[k].faults[i], NULL);
	ledger_close(&l);
}

static void errors__pairs_of_faults__the_first_is_answered(void **state)
{
	size_t pairs = 0;

	(void)state;
	open_ledger();
	for (size_t k = 0; k < FB_COUNT(kinds); k++)
		for (size_t i = 0; i < kinds[k].count; i++)
			for (size_t j = i + 1; j < kinds[k].count; j++) {
				const struct fault *a = &kinds[k].faults[i], *b = &kinds[k].faults[j];

				if ((a->changes & b->changes) != 0)
					continue;
				check_fault(kinds[k].kind, a, b);
				pairs++;
			}
	CHECK(pairs > 200);
	ledger_close(&l);
}

/* The base of the tables: without a fault each is accepted; and what was wrong by its form can be sent right. */
static void errors__of_form__leave_the_id_free(void **state)
{
	(void)state;
	for (size_t k = 0; k < FB_COUNT(kinds); k++)
		for (size_t i = 0; i < kinds[k].count && kinds[k].faults[i].want != FB_ID_REUSED; i++) {
			struct fb_op good, bad;

			open_ledger();
			bad = good = good_op(kinds[k].kind);
			kinds[k].faults[i].make(&bad);
			CHECK_STATUS(kinds[k].faults[i].want, ledger_do(&l, bad).status);
			CHECK_STATUS(FB_OK, ledger_do(&l, good).status);
			ledger_close(&l);
		}
}

static void account__errors__table(void **state)
{
	struct fb_op op = op_account(alice_euro, false);
	struct fb_op_result r;

	(void)state;
	open_ledger();
	debit_purpose(&op);
	CHECK_STATUS(FB_BAD_VALUE, ledger_do(&l, op).status);
	op = op_account(alice_euro, false);
	a_leg(&op);
	CHECK_STATUS(FB_BAD_VALUE, ledger_do(&l, op).status);
	op = op_account(alice_euro, true);
	r = ledger_do(&l, op);
	CHECK_STATUS(FB_OK, r.status);
	CHECK(!r.existed && r.seq == l.all_count && l.all[r.seq - 1].kind == FB_RECORD_ACCOUNT);
	CHECK(l.all[r.seq - 1].may_go_below_zero);
	r = ledger_do(&l, op);
	CHECK_STATUS(FB_OK, r.status);
	CHECK(r.existed && r.seq == 0);
	CHECK_STATUS(FB_ID_REUSED, ledger_do(&l, op_account(alice_euro, false)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(++next_id, alice_euro, world_euro, 5)).status); /* below zero */
	ledger_close(&l);
}

/* ---- no room ---------------------------------------------------------------------------------------------------- */
static void limits__accounts__refuse_and_do_not_burn(void **state)
{
	struct fb_op both = op_post(2, world_euro, alice_euro, 5), capture;

	(void)state;
	ledger_open(&l);
	fb_books_close(l.books);
	fb_books_open(&l.books, ledger_index(&l), (struct fb_books_settings){ .accounts = 3 });
	OK(op_post(1, world, alice, 100));
	CHECK_STATUS(FB_LIMIT, ledger_do(&l, both).status); /* two more, and there is room for one */
	CHECK_STATUS(FB_FUNDS, ledger_do(&l, op_post(3, alice_euro, world_euro, 5)).status); /* funds come before room */
	OK(op_hold(4, alice, 10, 0));
	capture = op_leg(op_capture(5, 4, bob, 1), fees, 1);
	CHECK_STATUS(FB_LIMIT, ledger_do(&l, capture).status);
	OK(op_leg(op_capture(5, 4, bob, 1), bob, 1)); /* one account for two legs, and the id is free */
	CHECK_STATUS(FB_LIMIT, ledger_do(&l, op_account(fees, false)).status);
	CHECK_STATUS(FB_LIMIT, ledger_do(&l, both).status);
	OK(op_post(6, alice, bob, 1)); /* what is open works on */
	CHECK(fb_books_account_count(l.books) == 3);
	ledger_close(&l);
}

static void limits__holds__refuse_until_one_ends(void **state)
{
	(void)state;
	ledger_open(&l);
	fb_books_close(l.books);
	fb_books_open(&l.books, ledger_index(&l), (struct fb_books_settings){ .holds = 2 });
	OK(op_post(1, world, alice, 100));
	OK(op_hold(2, alice, 1, 0));
	OK(op_hold(3, alice, 1, 0));
	CHECK_STATUS(FB_FUNDS, ledger_do(&l, op_hold(4, alice, 99, 0)).status);
	CHECK_STATUS(FB_LIMIT, ledger_do(&l, op_hold(5, alice, 1, 0)).status);
	OK(op_release(6, 2));
	OK(op_hold(5, alice, 1, 0));
	ledger_close(&l);
}

int test_books_order(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors__one_fault_each__table),
		cmocka_unit_test(errors__pairs_of_faults__the_first_is_answered),
		cmocka_unit_test(errors__of_form__leave_the_id_free),
		cmocka_unit_test(account__errors__table),
		cmocka_unit_test(limits__accounts__refuse_and_do_not_burn),
		cmocka_unit_test(limits__holds__refuse_until_one_ends),
	};
	return cmocka_run_group_tests_name("books_order", tests, NULL, NULL);
}
