/* Goal: one authorization buys one thing. Method: one payload by one caller and by many, again, in two
 * versions, with other content; on a chain that works. */
#include "test_settle.h"

static void settle__good_payment__success_with_its_transaction(void **state)
{
	struct fb_address payee = fb_sample_address(0xbb);
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_settle_outcome o = fb_rig_settle(r, &c);

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, o);
	CHECK(fb_sim_tx_state(fb_rig_sim(r), &o.tx) == FB_SIM_TX_MOVED);
	CHECK(fb_u256_eq(fb_sim_account(fb_rig_sim(r), &payee).atoms, fb_u256_from_u64(1000)));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void settle__repeat_after_success__already_used_with_the_hash(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_settle_outcome first = fb_rig_settle(r, &c), second;

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, first);
	for (int i = 0; i < 3; i++) {
		second = fb_rig_settle(r, &c);
		CHECK_OUTCOME(FB_REASON_NONCE_USED, second);
		CHECK(second.has_tx && fb_hash_eq(&first.tx, &second.tx));
	}
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void settle__ten_callers_at_once__one_success_and_nine_repeats(void **state)
{
	enum { CALLERS = 10 };
	fb_rig_ticket tickets[CALLERS];
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_hash tx = { { 0 } };
	unsigned successes = 0;

	(void)state;
	for (int i = 0; i < CALLERS; i++)
		tickets[i] = fb_rig_submit(r, &c);
	for (int i = 0; i < CALLERS; i++) {
		struct fb_settle_outcome o = fb_rig_wait(r, tickets[i]).outcome;

		CHECK(o.reason == FB_REASON_NONE || o.reason == FB_REASON_NONCE_USED);
		CHECK(o.has_tx && (i == 0 || fb_hash_eq(&o.tx, &tx)));
		tx = o.tx;
		successes += o.reason == FB_REASON_NONE;
	}
	CHECK(successes == 1);
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void settle__many_payments_at_once__few_transactions(void **state)
{
	enum { PAYMENTS = 50 };
	static struct fb_settle_outcome o[PAYMENTS];
	fb_rig_ticket tickets[PAYMENTS];
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t i = 0; i < PAYMENTS; i++) {
		struct fb_claim c = payment(r, i);

		tickets[i] = fb_rig_submit(r, &c);
	}
	for (int i = 0; i < PAYMENTS; i++) {
		o[i] = fb_rig_wait(r, tickets[i]).outcome;
		CHECK_OUTCOME(FB_REASON_NONE, o[i]);
	}
	CHECK(fb_sim_taken(fb_rig_sim(r)) < PAYMENTS / 2);
	WAIT_UNTIL(fb_rig_open_rows(r) == 0);
	fb_rig_close(r);
}

static void settle__the_same_authorization_in_the_other_version__is_a_repeat(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim v2 = payment(r, 1), v1 = v2;
	struct fb_settle_outcome first, second;

	(void)state;
	v1.version = 1;
	first = fb_rig_settle(r, &v2);
	second = fb_rig_settle(r, &v1);
	CHECK_OUTCOME(FB_REASON_NONE, first);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, second);
	CHECK(fb_hash_eq(&first.tx, &second.tx));
	fb_rig_close(r);
}

/* ---- the same nonce with other content ------------------------------------------------------------------------ */

static struct fb_claim other_content(struct fb_rig *r, uint32_t nonce)
{
	struct fb_rig_payment p = { .payer = fb_rig_payer(0), .nonce = nonce, .atoms = 2000 };
	struct fb_claim c;

	fb_rig_claim(&c, r, &p);
	return c;
}

static void settle__other_content_after_success__already_used(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim first = payment(r, 1), second = other_content(r, 1);
	struct fb_settle_outcome a = fb_rig_settle(r, &first), b = fb_rig_settle(r, &second);

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, a);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, b);
	CHECK(b.has_tx && fb_hash_eq(&a.tx, &b.tx));
	fb_rig_close(r);
}

static void settle__other_content_while_the_first_is_sent__already_used(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim first = payment(r, 1), second = other_content(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &first);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &second));
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	fb_rig_close(r);
}

/* Nothing is decided yet: to say "used" would be a guess about the payer. */
static void settle__other_content_while_the_first_is_judged__asked_to_come_again(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim first = payment(r, 1), second = other_content(r, 1);
	struct fb_settle_outcome o;
	fb_rig_ticket t;

	(void)state;
	fault(r, "eth_call", FB_SIM_LATE, 1);
	first.signer_matches = false; /* it will be refused */
	first.signature[5] ^= 1;
	t = fb_rig_submit(r, &first);
	o = fb_rig_settle(r, &second);
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, o);
	CHECK(!o.has_tx);
	CHECK_OUTCOME(FB_REASON_SIGNATURE, fb_rig_wait(r, t).outcome);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &second));
	fb_rig_close(r);
}

static void settle__known_payment_at_another_price__refused_for_the_price(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1), dearer = c, elsewhere = c;

	(void)state;
	dearer.amount = fb_u256_from_u64(1001);
	elsewhere.pay_to = fb_sample_address(0x77);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_VALUE, fb_rig_settle(r, &dearer));
	CHECK_OUTCOME(FB_REASON_RECIPIENT, fb_rig_settle(r, &elsewhere));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* ---- pending, and giving back ------------------------------------------------------------------------------------ */

static void settle__pending_then_repeat__success_once(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_settle_outcome first, second, third;
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_advance_ms(r, 60000);
	first = fb_rig_wait(r, t).outcome;
	CHECK_OUTCOME(FB_REASON_PENDING, first);
	fb_sim_mine(fb_rig_sim(r));
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_INCLUDED);
	CHECK(!fb_rig_record(r, &c).granted);
	second = fb_rig_settle(r, &c);
	third = fb_rig_settle(r, &c);
	CHECK_OUTCOME(FB_REASON_NONE, second);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, third);
	CHECK(fb_hash_eq(&second.tx, &third.tx)); /* perhaps of another attempt than `first`: a minute has passed */
	CHECK(history(r, &c).open_max == 1 && history(r, &c).moved == 1);
	fb_rig_close(r);
}

static void settle__repeats_while_pending__all_wait_and_one_wins(void **state)
{
	enum { CALLERS = 5 };
	fb_rig_ticket t[CALLERS];
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	unsigned successes = 0;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t[0] = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_advance_ms(r, 60000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t[0]).outcome);
	for (int i = 0; i < CALLERS; i++)
		t[i] = fb_rig_submit(r, &c);
	breathe(50);
	fb_sim_mine(fb_rig_sim(r));
	for (int i = 0; i < CALLERS; i++)
		successes += fb_rig_wait(r, t[i]).outcome.reason == FB_REASON_NONE;
	CHECK(successes == 1);
	CHECK(history(r, &c).open_max == 1 && history(r, &c).moved == 1);
	fb_rig_close(r);
}

static void give_back__success_that_never_went_out__next_caller_gets_it(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_hash tx = { { 0 } };

	(void)state;
	for (int i = 0; i < 3; i++) {
		fb_rig_ticket t = fb_rig_submit(r, &c);
		struct fb_settle_outcome o = fb_rig_wait(r, t).outcome;

		CHECK_OUTCOME(FB_REASON_NONE, o);
		CHECK(i == 0 || fb_hash_eq(&o.tx, &tx));
		tx = o.tx;
		CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
		if (i < 2)
			fb_rig_give_back(r, t);
	}
	CHECK_SENT(1, r, &c);
	CHECK(fb_rig_successes(r, &c) == 1);
	fb_rig_close(r);
}

static void give_back__callers_come_while_it_is_stored__one_gets_it(void **state)
{
	enum { CALLERS = 5 };
	fb_rig_ticket first, t[CALLERS];
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	unsigned successes = 0;

	(void)state;
	first = fb_rig_submit(r, &c);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, first).outcome);
	fb_rig_hold_commits(r, true);
	fb_rig_give_back(r, first);
	for (int i = 0; i < CALLERS; i++)
		t[i] = fb_rig_submit(r, &c);
	breathe(50);
	fb_rig_hold_commits(r, false);
	for (int i = 0; i < CALLERS; i++)
		successes += fb_rig_wait(r, t[i]).outcome.reason == FB_REASON_NONE;
	CHECK(successes == 1);
	fb_rig_close(r);
}

static void give_back__nothing_to_give__ignored(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	unsigned commits;
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_give_back_key(r, &c); /* under way */
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	c = payment(r, 2);
	fb_rig_give_back_key(r, &c); /* never seen */
	CHECK(fb_rig_record(r, &c).state == 0);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	fb_sim_next_fates(fb_rig_sim(r), FB_SIM_REVERT, 2);
	CHECK_OUTCOME(FB_REASON_TRANSACTION_FAILED, fb_rig_settle(r, &c));
	commits = fb_rig_commits(r);
	fb_rig_give_back_key(r, &c); /* failed */
	CHECK(fb_rig_commits(r) == commits);
	fb_rig_close(r);
}

/* ---- refusals leave nothing behind ----------------------------------------------------------------------------------
 */

static void settle__refused__nothing_stored_or_sent_and_judged_again_next_time(void **state)
{
	struct fb_rig *r = rig();
	struct fb_rig_payment p = { .payer = fb_rig_payer(7), .nonce = 1 };
	struct fb_address payer = fb_key_address(&p.payer);
	struct fb_claim c;
	unsigned commits = fb_rig_commits(r);

	(void)state;
	fb_rig_claim(&c, r, &p);
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_settle(r, &c));
	CHECK(fb_rig_record(r, &c).state == 0 && fb_rig_commits(r) == commits);
	CHECK_SENT(0, r, &c);
	fb_sim_pay_in(fb_rig_sim(r), &payer, 1000);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

int test_settle_once(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settle__good_payment__success_with_its_transaction),
		cmocka_unit_test(settle__repeat_after_success__already_used_with_the_hash),
		cmocka_unit_test(settle__ten_callers_at_once__one_success_and_nine_repeats),
		cmocka_unit_test(settle__many_payments_at_once__few_transactions),
		cmocka_unit_test(settle__the_same_authorization_in_the_other_version__is_a_repeat),
		cmocka_unit_test(settle__other_content_after_success__already_used),
		cmocka_unit_test(settle__other_content_while_the_first_is_sent__already_used),
		cmocka_unit_test(settle__other_content_while_the_first_is_judged__asked_to_come_again),
		cmocka_unit_test(settle__known_payment_at_another_price__refused_for_the_price),
		cmocka_unit_test(settle__pending_then_repeat__success_once),
		cmocka_unit_test(settle__repeats_while_pending__all_wait_and_one_wins),
		cmocka_unit_test(give_back__success_that_never_went_out__next_caller_gets_it),
		cmocka_unit_test(give_back__callers_come_while_it_is_stored__one_gets_it),
		cmocka_unit_test(give_back__nothing_to_give__ignored),
		cmocka_unit_test(settle__refused__nothing_stored_or_sent_and_judged_again_next_time),
	};
	return cmocka_run_group_tests_name("settle once", tests, NULL, NULL);
}
