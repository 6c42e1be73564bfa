/* Goal: a stop or a crash at any moment loses no money and grants nothing twice. Method: the engine is closed
 * and opened again on the same directory in every state, and behind every single commit. */
#include "test_settle.h"

static void restart(struct fb_rig *r)
{
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
}

static void restart__signed_but_never_sent__sent_and_success_once(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_settle_outcome o;
	fb_rig_ticket t;

	(void)state;
	fault(r, "eth_sendRawTransaction", FB_SIM_REFUSE, 1);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_SIGNED &&
		   fb_sim_asked(fb_rig_sim(r), "eth_getTransactionReceipt") > 0);
	fb_rig_stop(r);
	o = fb_rig_wait(r, t).outcome;
	CHECK_OUTCOME(FB_REASON_PENDING, o);
	CHECK_SENT(0, r, &c);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	CHECK(fb_sim_tx_state(fb_rig_sim(r), &o.tx) == FB_SIM_TX_MOVED); /* the very bytes that were signed */
	fb_rig_close(r);
}

static void restart__sent_and_not_mined__success_once(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	restart(r);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	t = fb_rig_submit(r, &c);
	breathe(50);
	CHECK(!fb_rig_answered(r, t));
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void restart__mined_while_away__success_once(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_stop(r);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_sim_mine(fb_rig_sim(r));
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	CHECK(fb_rig_open_rows(r) == 0);
	fb_rig_close(r);
}

static void restart__mined_and_not_asked_for__recorded_and_success_later(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);

	(void)state;
	fb_sim_hide_receipts(fb_rig_sim(r), true);
	fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	restart(r);
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_INCLUDED); /* with nobody waiting */
	CHECK(!fb_rig_record(r, &c).granted);
	restart(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	restart(r);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void restart__failed__tried_anew(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	struct fb_settle_outcome first, second;

	(void)state;
	fb_sim_next_fates(fb_rig_sim(r), FB_SIM_REVERT, 4);
	first = fb_rig_settle(r, &c);
	restart(r);
	CHECK(fb_rig_record(r, &c).state == FB_SETTLE_FAILED);
	second = fb_rig_settle(r, &c);
	CHECK_OUTCOME(FB_REASON_TRANSACTION_FAILED, first);
	CHECK_OUTCOME(FB_REASON_TRANSACTION_FAILED, second);
	CHECK(!fb_hash_eq(&first.tx, &second.tx));
	CHECK_SENT(4, r, &c);
	fb_rig_close(r);
}

static void restart__given_back__next_caller_gets_it(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t = fb_rig_submit(r, &c);

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	fb_rig_give_back(r, t);
	restart(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

/* The nonces go on where they were, and the lane leaves no gap. */
static void restart__several_open_in_a_row__all_end_well(void **state)
{
	enum { OPEN = 5 };
	struct fb_claim c[OPEN];
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = fb_test_seed(), .batch_max = 1 });
	struct fb_claim last = payment(r, 99);

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	for (uint32_t i = 0; i < OPEN; i++) {
		c[i] = payment(r, i);
		fb_rig_submit(r, &c[i]);
	}
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == OPEN);
	fb_sim_forget_pending(fb_rig_sim(r));
	fb_sim_auto_mine(fb_rig_sim(r), true);
	restart(r);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &last));
	for (int i = 0; i < OPEN; i++) {
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c[i]));
		CHECK_SENT(1, r, &c[i]);
	}
	fb_rig_close(r);
}

/* ---- the disk fails, or the program dies, behind every commit
 * ------------------------------------------------------------ */

/* One payment, with the commit number `nth` not confirmed; then a new life. Returns how often it was granted. */
static unsigned pay_through_failure(unsigned nth, bool stored, bool crash)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;
	unsigned granted;

	fb_rig_fail_commit(r, nth, stored);
	t = fb_rig_submit(r, &c);
	if (crash) {
		WAIT_UNTIL(fb_rig_answered(r, t) || fb_rig_commits(r) > nth);
		fb_rig_crash(r);
	} else {
		struct fb_settle_outcome o = fb_rig_wait(r, t).outcome;

		CHECK(o.reason == FB_REASON_PENDING || (o.reason == FB_REASON_NONE && nth > 1));
		CHECK(o.reason != FB_REASON_PENDING || o.has_tx);
		fb_rig_stop(r);
	}
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	for (int i = 0; i < 2; i++) {
		enum fb_reason reason = fb_rig_settle(r, &c).reason;

		CHECK(reason == FB_REASON_NONE || reason == FB_REASON_NONCE_USED);
	}
	granted = fb_rig_successes(r, &c);
	CHECK_SENT(1, r, &c);
	CHECK(history(r, &c).moved == 1);
	fb_rig_close(r);
	return granted;
}

/* Commit 0 is the signed row, 1 the inclusion with its grant. When the disk stored the grant and could not say
 * so, success is granted to somebody who was never told: at most once is kept, at the price of none. */
static void disk__commit_not_confirmed__unknown_is_never_failure(void **state)
{
	(void)state;
	for (int crash = 0; crash < 2; crash++) {
		for (unsigned nth = 0; nth < 3; nth++) {
			CHECK(pay_through_failure(nth, false, crash) == 1);
			CHECK(pay_through_failure(nth, true, crash) == (nth == 1 ? 0 : 1));
		}
	}
}

static void disk__failed__nothing_is_sent_from_then_on(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim a = payment(r, 1), b = payment(r, 2);

	(void)state;
	fb_rig_fail_commit(r, 0, false);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &a));
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &b));
	CHECK(fb_sim_taken(fb_rig_sim(r)) == 0);
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &a));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &b));
	fb_rig_close(r);
}

/* ---- another chain, another key
 * ------------------------------------------------------------------------------------------- */

static void start__chain_was_reset__refused_with_a_sentence(void **state)
{
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);
	struct fb_claim c = payment(r, 1);
	struct fb_sim *fresh;

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	for (int i = 0; i < 3; i++)
		fb_sim_mine(fb_rig_sim(r));
	WAIT_UNTIL(fb_rig_included_rows(r) == 0); /* confirmed: what is not may have been taken back */
	fb_rig_stop(r);
	fb_sim_open(&fresh, fb_rig_network(r), fb_rig_clock(r), 1);
	fb_sim_set_gas_money(fresh, &signer, (fb_u128)1 << 60);
	fb_rig_use_chain(r, fresh);
	fb_rig_race_clock(r, 50); /* it must look so for a while */
	CHECK_STATUS(FB_MISMATCH, fb_rig_start(r));
	CHECK(strstr(fb_rig_sentence(r), "counts 0 transactions") != NULL &&
	      strstr(fb_rig_sentence(r), "directory 1") != NULL);
	fb_rig_use_chain(r, NULL);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	fb_rig_stop(r);
	fb_sim_close(fresh);
	fb_rig_close(r);
}

static void start__node_lags_for_a_moment__waits_for_it(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);

	(void)state;
	fb_sim_set_lag(fb_rig_sim(r), true);
	fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_sim_set_lag(fb_rig_sim(r), false);
	WAIT_UNTIL(fb_rig_open_rows(r) == 0);
	fb_rig_stop(r);
	fb_sim_fall_back(fb_rig_sim(r), 5); /* to before the transaction */
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void start__node_down__asked_again_by_the_caller(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);

	(void)state;
	fb_rig_stop(r);
	fault(r, "eth_getTransactionCount", FB_SIM_REFUSE, 1);
	CHECK(fb_rig_start(r) != FB_OK);
	fault(r, "eth_getTransactionCount", FB_SIM_ERROR, 1);
	CHECK_STATUS(FB_RPC_ERROR, fb_rig_start(r));
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

/* Its transactions are nobody's rows now, but their receipts still tell. */
static void start__with_another_key__what_the_first_one_sent_is_found(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1), d = payment(r, 2);
	struct fb_key second = fb_rig_payer(77), first = fb_sample_signer();
	struct fb_address signer = fb_key_address(&second);

	(void)state;
	fb_sim_set_gas_money(fb_rig_sim(r), &signer, (fb_u128)1 << 60);
	fb_sim_auto_mine(fb_rig_sim(r), false);
	fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_stop(r);
	fb_rig_use_key(r, &second);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_settle(r, &c)); /* nobody knows yet */
	fb_sim_auto_mine(fb_rig_sim(r), true);
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &d));
	CHECK_SENT(1, r, &c);
	fb_rig_stop(r);
	fb_rig_use_key(r, &first); /* and back: its row is still open, its record long final */
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &d));
	WAIT_UNTIL(fb_rig_open_rows(r) == 0);
	fb_rig_close(r);
}

int test_settle_restart(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restart__signed_but_never_sent__sent_and_success_once),
		cmocka_unit_test(restart__sent_and_not_mined__success_once),
		cmocka_unit_test(restart__mined_while_away__success_once),
		cmocka_unit_test(restart__mined_and_not_asked_for__recorded_and_success_later),
		cmocka_unit_test(restart__failed__tried_anew),
		cmocka_unit_test(restart__given_back__next_caller_gets_it),
		cmocka_unit_test(restart__several_open_in_a_row__all_end_well),
		cmocka_unit_test(disk__commit_not_confirmed__unknown_is_never_failure),
		cmocka_unit_test(disk__failed__nothing_is_sent_from_then_on),
		cmocka_unit_test(start__chain_was_reset__refused_with_a_sentence),
		cmocka_unit_test(start__node_lags_for_a_moment__waits_for_it),
		cmocka_unit_test(start__node_down__asked_again_by_the_caller),
		cmocka_unit_test(start__with_another_key__what_the_first_one_sent_is_found),
	};
	return cmocka_run_group_tests_name("settle restart", tests, NULL, NULL);
}
