/* Goal: a nonce that somebody else used costs time and nothing else; and what only looks lost is not paid for
 * twice nor refused. Method: foreign transactions and hidden receipts, with callers waiting, gone, and back. */
#include "test_settle.h"

/* The lane sees that the nonce is past, and what took it is confirmed. */
static void confirm(struct fb_rig *r)
{
	for (int i = 0; i < 10; i++) {
		breathe(20);
		fb_sim_mine(fb_rig_sim(r));
	}
}

/* Long enough for the lane to give a transaction up. */
static void pass_lost_time(struct fb_rig *r)
{
	confirm(r);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS);
}

/* Its transaction is out, and a foreign one took its nonce. */
static struct fb_claim start_taken(struct fb_rig *r, fb_rig_ticket *t)
{
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c = payment(r, 1);
	size_t before = fb_sim_taken(fb_rig_sim(r));

	fb_sim_auto_mine(fb_rig_sim(r), false);
	*t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) > before);
	fb_sim_take_nonce(fb_rig_sim(r), &signer);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	confirm(r);
	return c;
}

static void lost__nonce_taken__healed_with_a_new_transaction(void **state)
{
	struct fb_rig *r = rig();
	struct fb_settle_outcome o;
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_taken(r, &t);
	pass_lost_time(r);
	o = fb_rig_wait(r, t).outcome;
	CHECK_OUTCOME(FB_REASON_NONE, o);
	CHECK_SENT(2, r, &c);
	CHECK(history(r, &c).moved == 1);
	WAIT_UNTIL(fb_rig_open_rows(r) == 0); /* the loop hears of the durable record a moment later */
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void lost__only_for_a_moment__not_believed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_taken(r, &t);
	breathe(100);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS - 2000);
	breathe(200);
	CHECK(!fb_rig_answered(r, t));
	CHECK_SENT(1, r, &c);
	fb_rig_advance_ms(r, 2000);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	fb_rig_close(r);
}

/* A node that shows an old counter in between shows that it cannot be believed: the time starts again. */
static void lost__counter_goes_back_in_between__not_believed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	fb_sim_set_lag(fb_rig_sim(r), true); /* to fall back to */
	fb_sim_set_lag(fb_rig_sim(r), false);
	c = start_taken(r, &t);
	breathe(60);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS - 3000);
	breathe(60);
	fb_sim_fall_back(fb_rig_sim(r), 12);
	breathe(150);
	confirm(r);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS - 3000);
	breathe(100);
	CHECK_SENT(1, r, &c);
	fb_rig_advance_ms(r, 3000);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(2, r, &c);
	fb_rig_close(r);
}

/* The only caller is told "pending", and only then the transaction is given up. */
static struct fb_claim start_lost(struct fb_rig *r)
{
	fb_rig_ticket t;
	struct fb_claim c = start_taken(r, &t);

	breathe(60);
	fb_rig_advance_ms(r, 5000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS - 5000);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_LOST);
	CHECK_SENT(1, r, &c);
	return c;
}

static struct fb_rig *impatient_rig(void)
{
	return rig_with(&(struct fb_rig_settings){ .seed = fb_test_seed(), .wait_ms = 5000 });
}

static void lost__nobody_waits__the_next_caller_starts_anew(void **state)
{
	struct fb_rig *r = impatient_rig();
	struct fb_claim c = start_lost(r);

	(void)state;
	WAIT_UNTIL(fb_rig_open_rows(r) == 0); /* the loop hears of the durable record a moment later */
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(2, r, &c);
	fb_rig_close(r);
}

static void lost__restart__the_next_caller_starts_anew(void **state)
{
	struct fb_rig *r = impatient_rig();
	struct fb_claim c = start_lost(r);

	(void)state;
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(2, r, &c);
	fb_rig_close(r);
}

/* Taken while we were away. */
static void lost__while_away__healed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_stop(r);
	for (int i = 0; i < 3; i++)
		fb_sim_take_nonce(fb_rig_sim(r), &signer);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	t = fb_rig_submit(r, &c);
	pass_lost_time(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(2, r, &c);
	fb_rig_close(r);
}

static void lost__others_use_the_key_while_idle__the_next_nonce_is_used(void **state)
{
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c = payment(r, 1);

	(void)state;
	for (int i = 0; i < 3; i++)
		fb_sim_take_nonce(fb_rig_sim(r), &signer);
	fb_rig_advance_ms(r, 6000); /* an idle lane looks every 5 s */
	breathe(100);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* Not noticed in time: the transaction is refused as too low, and healed like any lost one. */
static void lost__others_used_the_key_just_now__healed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_take_nonce(fb_rig_sim(r), &signer);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	pass_lost_time(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK(history(r, &c).moved == 1);
	fb_rig_close(r);
}

/* ---- only the receipt is missing -------------------------------------------------------------------------------- */

static struct fb_claim start_hidden(struct fb_rig *r, fb_rig_ticket *t)
{
	struct fb_claim c = payment(r, 1);

	fb_sim_hide_receipts(fb_rig_sim(r), true);
	*t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	pass_lost_time(r);
	return c;
}

static void lost__receipt_is_hidden__pending_and_success_when_it_shows(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_hidden(r, &t);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c));
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c));
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* The authorization has expired meanwhile: that says nothing about money that moved before. */
static void lost__receipt_is_hidden_past_the_expiry__still_pending(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_hidden(r, &t);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_rig_advance_ms(r, 400000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c));
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void lost__reverted_and_hidden__failed_or_tried_anew(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	fb_sim_next_fates(fb_rig_sim(r), FB_SIM_REVERT, 1);
	c = start_hidden(r, &t);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) >= 2 &&
		   history(r, &c).sent == 2); /* its nonce is past and the money is there */
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK(history(r, &c).moved == 1);
	fb_rig_close(r);
}

static void lost__chain_down_when_it_is_looked_at__pending_not_failed(void **state)
{
	static const enum fb_sim_fault faults[] = { FB_SIM_REFUSE, FB_SIM_ERROR, FB_SIM_RUBBISH, FB_SIM_NULL };
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_hidden(r, &t);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	for (size_t f = 0; f < FB_COUNT(faults); f++) {
		fault(r, "eth_getTransactionReceipt", faults[f], 4); /* a kept connection that breaks is asked twice */
		CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c));
		fb_sim_clear_faults(fb_rig_sim(r));
	}
	fault(r, "eth_getTransactionReceipt", FB_SIM_STRANGE, 1);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void lost__caller_leaves_while_it_is_looked_at__recorded_all_the_same(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_hidden(r, &t);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	fault(r, "eth_getTransactionReceipt", FB_SIM_LATE, 1);
	t = fb_rig_submit(r, &c);
	breathe(100);
	fb_rig_advance_ms(r, 60000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_INCLUDED);
	CHECK(!fb_rig_record(r, &c).granted);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void lost__money_gone_meanwhile__refused_with_the_payers_reason(void **state)
{
	struct fb_rig *r = rig();
	struct fb_settle_outcome o;
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_taken(r, &t);
	fb_sim_pay_out(fb_rig_sim(r), &c.authorization.from, 999500);
	pass_lost_time(r);
	o = fb_rig_wait(r, t).outcome;
	CHECK_OUTCOME(FB_REASON_BALANCE, o);
	CHECK(!o.has_tx && fb_rig_record(r, &c).state == FB_SETTLE_NONE); /* as if it had never been */
	fb_sim_pay_in(fb_rig_sim(r), &c.authorization.from, 1000);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void lost__other_content_comes__told_that_nothing_is_decided(void **state)
{
	struct fb_rig *r = impatient_rig();
	struct fb_claim c = start_lost(r);
	struct fb_rig_payment p = { .payer = fb_rig_payer(0), .nonce = 1, .atoms = 2000 };
	struct fb_settle_outcome o;
	struct fb_claim other;

	(void)state;
	fb_rig_claim(&other, r, &p);
	o = fb_rig_settle(r, &other);
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, o);
	CHECK(!o.has_tx);
	fb_sim_pay_out(fb_rig_sim(r), &c.authorization.from, 999000);
	fb_sim_pay_out(fb_rig_sim(r), &c.authorization.from, 500);
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_settle(r, &c));
	fb_sim_pay_in(fb_rig_sim(r), &c.authorization.from, 2000);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &other));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void let_go(void *arg)
{
	fb_rig_hold_commits(arg, false);
}

static void lost__disk_fails_or_the_server_stops__pending(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_taken(r, &t);
	fb_rig_fail_commit(r, 0, false);
	pass_lost_time(r);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	t = fb_rig_submit(r, &c);
	fb_rig_hold_commits(r, true);
	pass_lost_time(r);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_LOST);
	fb_rig_stop_with(r, let_go);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void lost__the_second_one_too__healed_again(void **state)
{
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c;
	fb_rig_ticket t;

	(void)state;
	c = start_taken(r, &t);
	fb_sim_auto_mine(fb_rig_sim(r), false);
	pass_lost_time(r);
	WAIT_UNTIL(history(r, &c).sent == 2);
	fb_sim_take_nonce(fb_rig_sim(r), &signer);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	pass_lost_time(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(3, r, &c);
	fb_rig_close(r);
}

int test_settle_lost(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost__nonce_taken__healed_with_a_new_transaction),
		cmocka_unit_test(lost__only_for_a_moment__not_believed),
		cmocka_unit_test(lost__counter_goes_back_in_between__not_believed),
		cmocka_unit_test(lost__nobody_waits__the_next_caller_starts_anew),
		cmocka_unit_test(lost__restart__the_next_caller_starts_anew),
		cmocka_unit_test(lost__while_away__healed),
		cmocka_unit_test(lost__others_use_the_key_while_idle__the_next_nonce_is_used),
		cmocka_unit_test(lost__others_used_the_key_just_now__healed),
		cmocka_unit_test(lost__receipt_is_hidden__pending_and_success_when_it_shows),
		cmocka_unit_test(lost__receipt_is_hidden_past_the_expiry__still_pending),
		cmocka_unit_test(lost__reverted_and_hidden__failed_or_tried_anew),
		cmocka_unit_test(lost__chain_down_when_it_is_looked_at__pending_not_failed),
		cmocka_unit_test(lost__caller_leaves_while_it_is_looked_at__recorded_all_the_same),
		cmocka_unit_test(lost__money_gone_meanwhile__refused_with_the_payers_reason),
		cmocka_unit_test(lost__other_content_comes__told_that_nothing_is_decided),
		cmocka_unit_test(lost__disk_fails_or_the_server_stops__pending),
		cmocka_unit_test(lost__the_second_one_too__healed_again),
	};
	return cmocka_run_group_tests_name("settle lost", tests, NULL, NULL);
}
