/* Goal: whatever the chain and its node do, an answer is true. Method: one fault or one course of events a
 * test; afterwards the node is well again and the payment must come to its right end. */
#include "test_settle.h"

#define RESEND(r) fb_rig_advance_ms(r, FB_LANE_RESEND_MS)

/* ---- before anything is sent ------------------------------------------------------------------------------------ */

static void settle__simulation_reverts__refused_and_nothing_stored(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	unsigned commits = fb_rig_commits(r);

	(void)state;
	fb_sim_add_rule(fb_rig_sim(r), &(struct fb_sim_rule){ .method = "eth_estimateGas",
							      .fault = FB_SIM_ERROR,
							      .count = 1,
							      .code = 3,
							      .text = "execution reverted: no" });
	CHECK_OUTCOME(FB_REASON_SIMULATION, fb_rig_settle(r, &c));
	CHECK(fb_rig_commits(r) == commits && fb_rig_open_rows(r) == 0 && fb_sim_taken(fb_rig_sim(r)) == 0);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* The chain not answering is never the payer's fault, and sends nothing. */
static void settle__node_fails_before_the_send__error_with_nothing_sent(void **state)
{
	static const char *const methods[] = { "eth_call", "eth_estimateGas", "eth_getBlockByNumber",
					       "eth_maxPriorityFeePerGas" };
	static const enum fb_sim_fault faults[] = { FB_SIM_REFUSE, FB_SIM_LOSE, FB_SIM_HTML, FB_SIM_429,
						    FB_SIM_ERROR,  FB_SIM_NULL, FB_SIM_RUBBISH };
	struct fb_rig *r = rig();
	uint32_t nonce = 0;

	(void)state;
	for (size_t m = 0; m < FB_COUNT(methods); m++) {
		for (size_t f = 0; f < FB_COUNT(faults); f++) {
			struct fb_claim c = payment(r, ++nonce);
			struct fb_settle_outcome o;

			fault(r, methods[m], faults[f], 8); /* also what is tried again */
			o = fb_rig_settle(r, &c);
			if (o.reason != FB_REASON_SETTLE_ERROR || o.has_tx || fb_rig_record(r, &c).state != 0)
				fail_msg("%s, fault %d: %s (%s)", methods[m], (int)faults[f], fb_reason_text(o.reason),
					 o.note.text);
			CHECK_SENT(0, r, &c);
			fb_sim_clear_faults(fb_rig_sim(r));
			CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
		}
	}
	fb_rig_close(r);
}

static void settle__late_answers__success_all_the_same(void **state)
{
	static const char *const methods[] = { "eth_call", "eth_estimateGas", "eth_sendRawTransaction",
					       "eth_getTransactionReceipt" };
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t m = 0; m < FB_COUNT(methods); m++) {
		struct fb_claim c = payment(r, m);

		fault(r, methods[m], FB_SIM_LATE, 1);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
		CHECK_SENT(1, r, &c);
	}
	fb_rig_close(r);
}

/* A caller whose time is up while the chain is asked got "nothing was sent": so nothing may be. */
static void settle__caller_left_before_the_send__nothing_is_sent(void **state)
{
	static const char *const methods[] = { "eth_call", "eth_estimateGas" };
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t m = 0; m < FB_COUNT(methods); m++) {
		struct fb_claim c = payment(r, m);
		fb_rig_ticket t;

		fault(r, methods[m], FB_SIM_LATE, 1);
		t = fb_rig_submit(r, &c);
		breathe(50);
		fb_rig_advance_ms(r, 60000);
		CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_wait(r, t).outcome);
		breathe(400);
		CHECK_SENT(0, r, &c);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	}
	fb_rig_close(r);
}

/* ---- the send and the receipt --------------------------------------------------------------------------------------
 */

static void settle__reply_of_the_send_lost__success(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);

	(void)state;
	fault(r, "eth_sendRawTransaction", FB_SIM_LOSE, 1);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	CHECK_SENT(1, r, &c);
	CHECK(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_close(r);
}

static void settle__send_not_taken__sent_again_and_success(void **state)
{
	static const enum fb_sim_fault faults[] = { FB_SIM_REFUSE, FB_SIM_HTML, FB_SIM_429,
						    FB_SIM_ERROR,  FB_SIM_NULL, FB_SIM_RUBBISH };
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t f = 0; f < FB_COUNT(faults); f++) {
		struct fb_claim c = payment(r, f);
		fb_rig_ticket t;

		fault(r, "eth_sendRawTransaction", faults[f], 2);
		t = fb_rig_submit(r, &c);
		for (int i = 0; i < 2; i++) {
			WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_SIGNED);
			breathe(60);
			CHECK(!fb_rig_answered(r, t));
			RESEND(r);
		}
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
		CHECK_SENT(1, r, &c);
		fb_sim_clear_faults(fb_rig_sim(r));
	}
	fb_rig_close(r);
}

static void settle__sent_again_though_known__success(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	for (size_t i = 1; i <= 3; i++) { /* "already known" from the second on */
		WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == i);
		RESEND(r);
	}
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* "Nonce too low" of our own transaction: it is in. */
static void settle__receipt_missing_for_a_while__success_when_it_comes(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_hide_receipts(fb_rig_sim(r), true);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	breathe(50);
	RESEND(r);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 2);
	CHECK(!fb_rig_answered(r, t));
	fb_sim_hide_receipts(fb_rig_sim(r), false);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void settle__node_forgets_the_transaction__sent_again(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_sim_forget_pending(fb_rig_sim(r));
	fb_sim_mine(fb_rig_sim(r));
	RESEND(r);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 2);
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

static void settle__receipts_cannot_be_read__success_in_the_end(void **state)
{
	static const enum fb_sim_fault faults[] = { FB_SIM_REFUSE, FB_SIM_LOSE, FB_SIM_HTML,   FB_SIM_429,
						    FB_SIM_ERROR,  FB_SIM_NULL, FB_SIM_RUBBISH, FB_SIM_STRANGE };
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t f = 0; f < FB_COUNT(faults); f++) {
		struct fb_claim c = payment(r, f);

		fault(r, "eth_getTransactionReceipt", faults[f], 3);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
		CHECK_SENT(1, r, &c);
	}
	fb_rig_close(r);
}

static void settle__counter_cannot_be_read__success_in_the_end(void **state)
{
	static const char *const methods[] = { "eth_getTransactionCount", "eth_getBalance" };
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t m = 0; m < FB_COUNT(methods); m++) {
		struct fb_claim c = payment(r, m);

		fault(r, methods[m], FB_SIM_ERROR, 3);
		fault(r, methods[m], FB_SIM_RUBBISH, 3);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	}
	fb_rig_close(r);
}

static void settle__node_lags_after_the_send__success_when_it_has_caught_up(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1), d = payment(r, 2);
	fb_rig_ticket t;

	(void)state;
	fb_sim_set_lag(fb_rig_sim(r), true);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_advance_ms(r, FB_LANE_LOST_MS + 1000);
	breathe(100);
	CHECK(!fb_rig_answered(r, t));
	fb_sim_set_lag(fb_rig_sim(r), false);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &d));
	CHECK_SENT(1, r, &c);
	fb_rig_close(r);
}

/* ---- what the transaction did
 * ----------------------------------------------------------------------------------------- */

static const struct {
	enum fb_sim_fate fate;
	enum fb_reason want;
} bad_ends[] = { { FB_SIM_REVERT, FB_REASON_TRANSACTION_FAILED }, { FB_SIM_SILENT, FB_REASON_TRANSFER_EVENT } };

/* What moved nothing is tried once more; the authorization was good. */
static void settle__transaction_ends_badly_once__the_second_one_pays(void **state)
{
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t i = 0; i < FB_COUNT(bad_ends); i++) {
		struct fb_claim c = payment(r, i);

		fb_sim_next_fates(fb_rig_sim(r), bad_ends[i].fate, 1);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
		CHECK_SENT(2, r, &c);
		CHECK(history(r, &c).moved == 1);
	}
	fb_rig_close(r);
}

static void settle__transaction_ends_badly_twice__failed_and_a_later_caller_begins_anew(void **state)
{
	struct fb_rig *r = rig();

	(void)state;
	for (uint32_t i = 0; i < FB_COUNT(bad_ends); i++) {
		struct fb_claim c = payment(r, i);
		struct fb_settle_outcome o;

		fb_sim_next_fates(fb_rig_sim(r), bad_ends[i].fate, 2);
		o = fb_rig_settle(r, &c);
		CHECK_OUTCOME(bad_ends[i].want, o);
		CHECK(o.has_tx && history(r, &c).moved == 0);
		CHECK(fb_rig_record(r, &c).state == FB_SETTLE_FAILED);
		CHECK_SENT(2, r, &c);
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
		CHECK_SENT(3, r, &c);
	}
	fb_rig_close(r);
}

static void settle__expires_before_it_is_mined__transaction_failed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_rig_advance_ms(r, 301000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_TRANSACTION_FAILED, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void settle__a_stranger_was_first__already_used_and_nothing_sent(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);

	(void)state;
	CHECK(fb_sim_stranger_settles(fb_rig_sim(r), &c.authorization, c.signature));
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(r, &c));
	CHECK_SENT(0, r, &c);
	CHECK(fb_rig_record(r, &c).state == 0);
	fb_rig_close(r);
}

static void settle__money_gone_before_it_is_mined__transaction_failed(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_sim_pay_out(fb_rig_sim(r), &c.authorization.from, 1000000);
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_TRANSACTION_FAILED, fb_rig_wait(r, t).outcome);
	fb_rig_close(r);
}

static void settle__payer_with_code__its_contract_decides(void **state)
{
	struct fb_rig *r = rig();
	struct fb_rig_payment p = { .payer = fb_rig_payer(5), .nonce = 1 };
	struct fb_address wallet = fb_key_address(&p.payer);
	struct fb_claim c;

	(void)state;
	fb_rig_claim(&c, r, &p);
	fb_sim_pay_in(fb_rig_sim(r), &wallet, 5000);
	fb_sim_set_contract(fb_rig_sim(r), &wallet, false);
	CHECK_OUTCOME(FB_REASON_SIGNATURE, fb_rig_settle(r, &c));
	fb_sim_set_contract(fb_rig_sim(r), &wallet, true);
	c.signature_len = 200; /* the overload for bytes */
	memset(c.signature, 0x5a, c.signature_len);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

/* ---- a payer's payments together
 * ------------------------------------------------------------------------------------------ */

struct poor {
	struct fb_rig *r;
	struct fb_claim first, second;
	fb_rig_ticket t1, t2;
};

/* A payer with money for one of two payments; the first is sent, the second waits for it. */
static void start_poor(struct poor *p, uint64_t atoms)
{
	struct fb_rig_payment pay = { .payer = fb_rig_payer(3), .nonce = 1 };
	struct fb_address payer = fb_key_address(&pay.payer);

	p->r = rig();
	fb_sim_pay_in(fb_rig_sim(p->r), &payer, atoms);
	fb_sim_auto_mine(fb_rig_sim(p->r), false);
	fb_rig_claim(&p->first, p->r, &pay);
	pay.nonce = 2;
	fb_rig_claim(&p->second, p->r, &pay);
	p->t1 = fb_rig_submit(p->r, &p->first);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(p->r)) == 1);
	p->t2 = fb_rig_submit(p->r, &p->second);
	breathe(300);
	CHECK(!fb_rig_answered(p->r, p->t2));
	CHECK_SENT(0, p->r, &p->second);
}

static void settle__balance_for_one_of_two__the_second_waits_and_is_refused_truly(void **state)
{
	struct poor p;

	(void)state;
	start_poor(&p, 1500);
	fb_sim_mine(fb_rig_sim(p.r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(p.r, p.t1).outcome);
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_wait(p.r, p.t2).outcome);
	CHECK_SENT(0, p.r, &p.second);
	fb_rig_close(p.r);
}

static void settle__balance_for_one_of_two_and_money_comes__both_succeed(void **state)
{
	struct poor p;

	(void)state;
	start_poor(&p, 1999);
	fb_sim_pay_in(fb_rig_sim(p.r), &p.first.authorization.from, 1);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(p.r)) == 2);
	fb_sim_mine(fb_rig_sim(p.r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(p.r, p.t1).outcome);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(p.r, p.t2).outcome);
	fb_rig_close(p.r);
}

/* The first one is judged and on its way, though not signed yet: it counts. */
static void settle__balance_for_one_of_two_at_once__one_is_sent(void **state)
{
	struct fb_rig_payment pay = { .payer = fb_rig_payer(3), .nonce = 1 };
	struct fb_address payer = fb_key_address(&pay.payer);
	struct fb_rig *r = rig();
	struct fb_claim first, second;
	fb_rig_ticket t1, t2;

	(void)state;
	fb_sim_pay_in(fb_rig_sim(r), &payer, 1500);
	fb_rig_claim(&first, r, &pay);
	pay.nonce = 2;
	fb_rig_claim(&second, r, &pay);
	fault(r, "eth_estimateGas", FB_SIM_LATE, 1);
	t1 = fb_rig_submit(r, &first);
	WAIT_UNTIL(fb_sim_asked(fb_rig_sim(r), "eth_estimateGas") == 1);
	t2 = fb_rig_submit(r, &second);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t1).outcome);
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_wait(r, t2).outcome);
	CHECK_SENT(0, r, &second);
	fb_rig_close(r);
}

static void settle__second_waits_too_long__error_with_nothing_sent(void **state)
{
	struct fb_settle_outcome o;
	struct poor p;

	(void)state;
	start_poor(&p, 1500);
	fb_rig_advance_ms(p.r, 60000);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(p.r, p.t1).outcome);
	o = fb_rig_wait(p.r, p.t2).outcome;
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, o);
	CHECK(strstr(o.note.text, "earlier payments") != NULL);
	fb_sim_mine(fb_rig_sim(p.r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(p.r, &p.first));
	CHECK_SENT(0, p.r, &p.second);
	fb_rig_close(p.r);
}

/* What was open before a restart counts against the balance, too. */
static void settle__restart_with_the_first_open__the_second_waits_still(void **state)
{
	struct poor p;
	fb_rig_ticket t;

	(void)state;
	start_poor(&p, 1500);
	fb_rig_stop(p.r);
	CHECK_STATUS(FB_OK, fb_rig_start(p.r));
	t = fb_rig_submit(p.r, &p.second);
	breathe(300);
	CHECK(!fb_rig_answered(p.r, t));
	fb_sim_mine(fb_rig_sim(p.r));
	CHECK_OUTCOME(FB_REASON_BALANCE, fb_rig_wait(p.r, t).outcome);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(p.r, &p.first));
	CHECK_SENT(0, p.r, &p.second);
	fb_rig_close(p.r);
}

int test_settle_chain(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settle__simulation_reverts__refused_and_nothing_stored),
		cmocka_unit_test(settle__node_fails_before_the_send__error_with_nothing_sent),
		cmocka_unit_test(settle__late_answers__success_all_the_same),
		cmocka_unit_test(settle__caller_left_before_the_send__nothing_is_sent),
		cmocka_unit_test(settle__reply_of_the_send_lost__success),
		cmocka_unit_test(settle__send_not_taken__sent_again_and_success),
		cmocka_unit_test(settle__sent_again_though_known__success),
		cmocka_unit_test(settle__receipt_missing_for_a_while__success_when_it_comes),
		cmocka_unit_test(settle__node_forgets_the_transaction__sent_again),
		cmocka_unit_test(settle__receipts_cannot_be_read__success_in_the_end),
		cmocka_unit_test(settle__counter_cannot_be_read__success_in_the_end),
		cmocka_unit_test(settle__node_lags_after_the_send__success_when_it_has_caught_up),
		cmocka_unit_test(settle__transaction_ends_badly_once__the_second_one_pays),
		cmocka_unit_test(settle__transaction_ends_badly_twice__failed_and_a_later_caller_begins_anew),
		cmocka_unit_test(settle__expires_before_it_is_mined__transaction_failed),
		cmocka_unit_test(settle__a_stranger_was_first__already_used_and_nothing_sent),
		cmocka_unit_test(settle__money_gone_before_it_is_mined__transaction_failed),
		cmocka_unit_test(settle__payer_with_code__its_contract_decides),
		cmocka_unit_test(settle__balance_for_one_of_two__the_second_waits_and_is_refused_truly),
		cmocka_unit_test(settle__balance_for_one_of_two_and_money_comes__both_succeed),
		cmocka_unit_test(settle__balance_for_one_of_two_at_once__one_is_sent),
		cmocka_unit_test(settle__second_waits_too_long__error_with_nothing_sent),
		cmocka_unit_test(settle__restart_with_the_first_open__the_second_waits_still),
	};
	return cmocka_run_group_tests_name("settle chain", tests, NULL, NULL);
}
