/* Goal: every limit and every cap refuses with nothing sent, and draining answers everybody. Method: a rig
 * driven to each limit, and stopped in each phase. */
#include "test_settle.h"

enum { GAS_LIMIT = FB_SIM_GAS_USED + FB_SIM_GAS_USED / 5 };
#define MAX_FEE (2 * (fb_u128)FB_SIM_BASE_FEE + FB_SIM_TIP)

static void check_refused(struct fb_rig *r, uint32_t nonce, const char *note)
{
	struct fb_claim c = payment(r, nonce);
	struct fb_settle_outcome o = fb_rig_settle(r, &c);

	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, o);
	if (strstr(o.note.text, note) == NULL)
		fail_msg("\"%s\", want \"%s\" in it", o.note.text, note);
	CHECK(!o.has_tx && fb_rig_record(r, &c).state == 0);
	CHECK_SENT(0, r, &c);
}

static void check_success(struct fb_rig *r, uint32_t nonce)
{
	struct fb_claim c = payment(r, nonce);

	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
}

static void budget__of_the_day__counts_what_was_really_spent_and_ends_with_the_day(void **state)
{
	fb_u128 reserve = (fb_u128)GAS_LIMIT * MAX_FEE, cost = (fb_u128)FB_SIM_GAS_USED * FB_SIM_BASE_FEE;
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .budget_day_wei = 3 * cost + reserve });

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		check_success(r, i);
	check_refused(r, 10, "gas budget");
	fb_rig_stop(r); /* a restart does not forget it */
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	check_refused(r, 11, "gas budget");
	fb_rig_advance_ms(r, 86400000);
	check_success(r, 12);
	fb_rig_close(r);
}

static void budget__below_one_transaction__nothing_at_all(void **state)
{
	fb_u128 reserve = (fb_u128)GAS_LIMIT * MAX_FEE;
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .budget_day_wei = reserve - 1 });

	(void)state;
	check_refused(r, 1, "gas budget");
	fb_rig_close(r);
	r = rig_with(&(struct fb_rig_settings){ .seed = 1, .budget_day_wei = reserve });
	check_success(r, 1);
	fb_rig_close(r);
}

/* Open transactions are counted with all they may cost. */
static void budget__open_transactions__are_reserved(void **state)
{
	fb_u128 reserve = (fb_u128)GAS_LIMIT * MAX_FEE;
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .budget_day_wei = 2 * reserve });
	struct fb_claim a = payment(r, 1), b = payment(r, 2);
	fb_rig_ticket ta, tb;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	ta = fb_rig_submit(r, &a);
	tb = fb_rig_submit(r, &b);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 2);
	check_refused(r, 3, "gas budget");
	fb_sim_mine(fb_rig_sim(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, ta).outcome);
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, tb).outcome);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	check_success(r, 3);
	fb_rig_close(r);
}

/* What a payment is expected to cost: its estimate and a fifth, at the base fee and the tip. */
#define EXPECTED ((fb_u128)GAS_LIMIT * (FB_SIM_BASE_FEE + FB_SIM_TIP))

static void check_payers_budget(struct fb_rig *r, uint32_t payer, uint32_t nonce, bool fits)
{
	struct fb_rig_payment p = { .payer = fb_rig_payer(payer), .nonce = nonce };
	struct fb_address from = fb_key_address(&p.payer);
	struct fb_settle_outcome o;
	struct fb_claim c;

	fb_sim_pay_in(fb_rig_sim(r), &from, 1000);
	fb_rig_claim(&c, r, &p);
	o = fb_rig_settle(r, &c);
	CHECK_OUTCOME(fits ? FB_REASON_NONE : FB_REASON_SETTLE_ERROR, o);
	CHECK(fits || (strstr(o.note.text, "gas budget of the day") != NULL && !o.has_tx));
	CHECK_SENT(fits ? 1u : 0u, r, &c);
}

static void budget__of_a_payer__others_go_on_and_a_restart_forgets_nothing(void **state)
{
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .payer_day_wei = 3 * EXPECTED });

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		check_payers_budget(r, 0, i, true);
	check_payers_budget(r, 0, 10, false);
	check_payers_budget(r, 1, 11, true);
	fb_rig_stop(r);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	check_payers_budget(r, 0, 12, false);
	check_payers_budget(r, 1, 13, true);
	fb_rig_advance_ms(r, 86400000);
	check_payers_budget(r, 0, 14, true);
	fb_rig_close(r);
}

static void budget__of_an_api_key__other_keys_and_none_go_on(void **state)
{
	static const struct {
		uint64_t key;
		bool fits;
	} rows[] = { { 7, true }, { 7, true }, { 7, false }, { 8, true }, { 0, true }, { 7, false }, { 8, true } };
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .api_key_day_wei = 2 * EXPECTED });

	(void)state;
	for (uint32_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_claim c = payment(r, i);
		fb_rig_ticket t = fb_rig_submit_keyed(r, &c, rows[i].key);

		CHECK_OUTCOME(rows[i].fits ? FB_REASON_NONE : FB_REASON_SETTLE_ERROR, fb_rig_wait(r, t).outcome);
	}
	fb_rig_close(r);
}

/* What was refused for another reason behind the budget's check is not charged. */
static void budget__of_a_payer_and_nothing_sent__not_charged(void **state)
{
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .payer_day_wei = EXPECTED });
	struct fb_address signer = fb_rig_signer(r);

	(void)state;
	fb_sim_set_gas_money(fb_rig_sim(r), &signer, 1);
	fb_rig_advance_ms(r, 6000); /* idle lanes look every 5 s */
	breathe(100);
	check_refused(r, 1, "gas money");
	check_refused(r, 2, "gas money");
	fb_sim_set_gas_money(fb_rig_sim(r), &signer, (fb_u128)1000000000 * 1000000000);
	fb_rig_advance_ms(r, 6000);
	breathe(100);
	check_success(r, 1);
	check_refused(r, 3, "gas budget");
	fb_rig_close(r);
}

static void gas__estimate_above_the_cap__refused(void **state)
{
	static const struct {
		fb_u128 estimate;
		bool fits;
	} rows[] = {
		{ 83333, true }, { 83334, true }, { 83335, false }, { 4294967295u, false }, { ~(fb_u128)0, false }
	};
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .gas_limit_max = 100000 });

	(void)state;
	for (uint32_t i = 0; i < FB_COUNT(rows); i++) {
		fb_sim_set_gas_estimate(fb_rig_sim(r), rows[i].estimate);
		if (rows[i].fits)
			check_success(r, i);
		else
			check_refused(r, i,
				      rows[i].estimate > UINT32_MAX ? "fees" : "gas, the facilitator's cap is 100000");
	}
	fb_rig_close(r);
}

static void fee__base_fee_and_cap__never_above_the_cap(void **state)
{
	const fb_u128 cap = 5000000000u;
	const struct {
		fb_u128 base;
		bool fits;
	} rows[] = { { 0, true },	    { 1, true },	{ 2500000000u, true },
		     { cap, true },	    { cap + 1, false }, { (fb_u128)1 << 127, false },
		     { ~(fb_u128)0, false } };
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .max_fee_wei = cap });

	(void)state;
	for (uint32_t i = 0; i < FB_COUNT(rows); i++) {
		fb_sim_set_base_fee(fb_rig_sim(r), rows[i].base);
		if (rows[i].fits)
			check_success(r, i);
		else
			check_refused(r, i, "base fee");
	}
	fb_rig_close(r);
}

static void signer__without_gas_money__refused_until_it_has_some(void **state)
{
	fb_u128 need = (fb_u128)GAS_LIMIT * MAX_FEE;
	struct fb_rig *r = rig();
	struct fb_address signer = fb_rig_signer(r);

	(void)state;
	fb_sim_set_gas_money(fb_rig_sim(r), &signer, need - 1);
	fb_rig_advance_ms(r, 6000); /* idle lanes look every 5 s */
	breathe(100);
	check_refused(r, 1, "gas money");
	fb_sim_set_gas_money(fb_rig_sim(r), &signer, need);
	fb_rig_advance_ms(r, 6000);
	breathe(100);
	check_success(r, 1);
	fb_rig_close(r);
}

/* ---- how much may be under way ------------------------------------------------------------------------------------
 */

/* There is no room for another: it waits until its caller's time is up. */
static void check_no_room(struct fb_rig *r, uint32_t nonce)
{
	size_t reads = fb_sim_asked(fb_rig_sim(r), "eth_call");
	struct fb_claim c = payment(r, nonce);
	fb_rig_ticket t = fb_rig_submit(r, &c);
	struct fb_settle_outcome o;

	WAIT_UNTIL(fb_sim_asked(fb_rig_sim(r), "eth_call") > reads);
	breathe(400);
	CHECK(!fb_rig_answered(r, t));
	fb_rig_advance_ms(r, 60000);
	o = fb_rig_wait(r, t).outcome;
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, o);
	if (strstr(o.note.text, "too many transactions") == NULL || o.has_tx)
		fail_msg("\"%s\", want it to say that there are too many", o.note.text);
	CHECK_SENT(0, r, &c);
}

static void open_rows__at_the_limit__the_next_waits_until_one_is_mined(void **state)
{
	static fb_rig_ticket t[FB_LANE_OPEN_MAX];
	static struct fb_claim c[FB_LANE_OPEN_MAX];
	struct fb_rig *r = rig_with(&(struct fb_rig_settings){ .seed = 1, .batch_max = 1 });

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	for (uint32_t i = 0; i < FB_LANE_OPEN_MAX; i++) {
		c[i] = payment(r, i);
		t[i] = fb_rig_submit(r, &c[i]);
	}
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) >= FB_LANE_OPEN_MAX);
	check_no_room(r, 5000);
	fb_rig_stop(r); /* as many are loaded again */
	for (uint32_t i = 0; i < FB_LANE_OPEN_MAX; i++)
		CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t[i]).outcome);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK(fb_rig_open_rows(r) == FB_LANE_OPEN_MAX);
	check_no_room(r, 5000);
	fb_sim_auto_mine(fb_rig_sim(r), true);
	fb_sim_mine(fb_rig_sim(r));
	WAIT_UNTIL(fb_rig_open_rows(r) == 0);
	check_success(r, 5000);
	for (uint32_t i = 0; i < FB_LANE_OPEN_MAX; i++)
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c[i]));
	fb_rig_close(r);
}

static void waiters__at_the_limit__refused(void **state)
{
	static fb_rig_ticket t[FB_SETTLE_WAITERS_MAX + 1];
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	unsigned successes = 0;

	(void)state;
	fb_sim_auto_mine(fb_rig_sim(r), false);
	for (int i = 0; i <= FB_SETTLE_WAITERS_MAX; i++)
		t[i] = fb_rig_submit(r, &c);
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_wait(r, t[FB_SETTLE_WAITERS_MAX]).outcome);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 1);
	fb_sim_mine(fb_rig_sim(r));
	for (int i = 0; i < FB_SETTLE_WAITERS_MAX; i++)
		successes += fb_rig_wait(r, t[i]).outcome.reason == FB_REASON_NONE;
	CHECK(successes == 1);
	fb_rig_close(r);
}

/* One more than there are places for: that one is refused, and nobody else. */
static void check_places(struct fb_rig *r)
{
	static fb_rig_ticket t[FB_SETTLE_ENTRIES_MAX + 1];
	struct fb_rig_payment p = { .payer = fb_rig_payer(0) };
	struct fb_claim c;

	fb_sim_add_rule(fb_rig_sim(r),
			&(struct fb_sim_rule){ .method = "eth_call", .fault = FB_SIM_LATE, .count = 2, .ms = 8000 });
	fb_rig_claim(&c, r, &p);
	c.signer_matches = false; /* nobody gets through: this is about the queue */
	for (uint32_t i = 0; i <= FB_SETTLE_ENTRIES_MAX; i++) {
		fb_put_be32(c.authorization.nonce.bytes, i);
		t[i] = fb_rig_submit(r, &c);
	}
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_wait(r, t[FB_SETTLE_ENTRIES_MAX]).outcome);
	for (uint32_t i = 0; i < FB_SETTLE_ENTRIES_MAX; i++)
		CHECK_OUTCOME(FB_REASON_SIGNATURE, fb_rig_wait(r, t[i]).outcome);
}

static const struct fb_rig_settings patient = { .seed = 1, .rpc_timeout_ms = 60000 };

static void entries__at_the_limit__refused(void **state)
{
	struct fb_rig *r = rig_with(&patient);

	(void)state;
	check_places(r);
	fb_rig_close(r);
}

static void entries__answered_and_being_confirmed__hold_no_place(void **state)
{
	struct fb_rig *r = rig_with(&patient);
	struct fb_claim c = payment(r, 1);

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_hold_commits(r, true);
	for (int i = 0; i < 200 && fb_rig_record(r, &c).state != FB_SETTLE_CONFIRMED; i++) {
		fb_sim_mine(fb_rig_sim(r));
		breathe(20);
	}
	CHECK(fb_rig_record(r, &c).state == FB_SETTLE_CONFIRMED); /* stored, but not told: it is in memory still */
	check_places(r);
	fb_rig_hold_commits(r, false);
	fb_rig_close(r);
}

/* ---- draining
 * --------------------------------------------------------------------------------------------------------- */

static void drain__read_or_estimate_under_way__error_with_nothing_sent(void **state)
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
		fb_rig_stop(r);
		CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_wait(r, t).outcome);
		CHECK_SENT(0, r, &c);
		CHECK_STATUS(FB_OK, fb_rig_start(r));
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	}
	fb_rig_close(r);
}

static void drain__waiting_for_a_receipt__pending_with_the_hash(void **state)
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
	fb_rig_close(r);
}

static void let_go(void *arg)
{
	fb_rig_hold_commits(arg, false);
}

/* The disk answers only after the drain has begun: everybody must still be answered. */
static void drain__record_on_its_way_to_a_slow_disk__answered_when_it_is_there(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1), d = payment(r, 2);
	fb_rig_ticket t, u[3];
	unsigned successes = 0;

	(void)state;
	fb_rig_hold_commits(r, true);
	t = fb_rig_submit(r, &c);
	WAIT_UNTIL(fb_rig_record(r, &c).state == FB_SETTLE_SIGNED); /* stored, but not confirmed */
	fb_rig_stop_with(r, let_go);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, t).outcome);
	CHECK_SENT(0, r, &c);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_sim_auto_mine(fb_rig_sim(r), false);
	u[0] = fb_rig_submit(r, &d);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(r)) == 2);
	fb_rig_hold_commits(r, true);
	u[1] = fb_rig_submit(r, &d);
	fb_sim_mine(fb_rig_sim(r));
	WAIT_UNTIL(fb_rig_record(r, &d).state == FB_SETTLE_INCLUDED);
	u[2] = fb_rig_submit(r, &d);
	breathe(20);
	fb_rig_stop_with(r, let_go);
	for (int i = 0; i < 3; i++)
		successes += fb_rig_wait(r, u[i]).outcome.reason == FB_REASON_NONE;
	CHECK(successes == 1);
	fb_rig_close(r);
}

/* Given back, asked for again, and the disk is slow: nobody may be told "used", for it is not. */
static void drain__success_given_back_and_asked_for__pending(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1);
	fb_rig_ticket t = fb_rig_submit(r, &c), u;

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(r, t).outcome);
	fb_rig_hold_commits(r, true);
	fb_rig_give_back(r, t);
	u = fb_rig_submit(r, &c);
	breathe(20);
	fb_rig_stop_with(r, let_go);
	CHECK_OUTCOME(FB_REASON_PENDING, fb_rig_wait(r, u).outcome);
	CHECK_STATUS(FB_OK, fb_rig_start(r));
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_close(r);
}

static void drain__new_callers__refused(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c = payment(r, 1), d = payment(r, 2);

	(void)state;
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_settle(r, &c));
	fb_rig_drain(r);
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_settle(r, &c));
	CHECK_OUTCOME(FB_REASON_SETTLE_ERROR, fb_rig_settle(r, &d));
	CHECK_SENT(0, r, &d);
	fb_rig_close(r);
}

int test_settle_limits(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(budget__of_the_day__counts_what_was_really_spent_and_ends_with_the_day),
		cmocka_unit_test(budget__below_one_transaction__nothing_at_all),
		cmocka_unit_test(budget__open_transactions__are_reserved),
		cmocka_unit_test(budget__of_a_payer__others_go_on_and_a_restart_forgets_nothing),
		cmocka_unit_test(budget__of_an_api_key__other_keys_and_none_go_on),
		cmocka_unit_test(budget__of_a_payer_and_nothing_sent__not_charged),
		cmocka_unit_test(gas__estimate_above_the_cap__refused),
		cmocka_unit_test(fee__base_fee_and_cap__never_above_the_cap),
		cmocka_unit_test(signer__without_gas_money__refused_until_it_has_some),
		cmocka_unit_test(open_rows__at_the_limit__the_next_waits_until_one_is_mined),
		cmocka_unit_test(waiters__at_the_limit__refused),
		cmocka_unit_test(entries__at_the_limit__refused),
		cmocka_unit_test(entries__answered_and_being_confirmed__hold_no_place),
		cmocka_unit_test(drain__read_or_estimate_under_way__error_with_nothing_sent),
		cmocka_unit_test(drain__waiting_for_a_receipt__pending_with_the_hash),
		cmocka_unit_test(drain__record_on_its_way_to_a_slow_disk__answered_when_it_is_there),
		cmocka_unit_test(drain__success_given_back_and_asked_for__pending),
		cmocka_unit_test(drain__new_callers__refused),
	};
	return cmocka_run_group_tests_name("settle limits", tests, NULL, NULL);
}
