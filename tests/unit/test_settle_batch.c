/* Goal: payments that share a transaction are judged one by one, and when which of them go is decided as agreed.
 * Method: the decision as a table; batches on the simulated chain with one bad payment, a stranger, a cancellation, a
 * node that does not run the trial, and blocks that are taken back. */
#include "settle_int.h"
#include "test_settle.h"

/* ---- when which set goes out ---- */

static void decide__table__how_many_go_now(void **state)
{
	static const struct {
		const char *what;
		struct fb_settle_load load;
		size_t want;
	} rows[] = {
		{ "nothing", { .ready = 0, .lanes = 1, .room = 9 }, 0 },
		{ "a lone one on an idle engine", { .ready = 1, .lanes = 1, .room = 9 }, 1 },
		{ "all on an idle engine", { .ready = 7, .lanes = 1, .room = 9 }, 7 },
		{ "no room", { .ready = 500, .oldest_ms = 99, .lanes = 1, .room = 0, .in_flight = 9 }, 0 },
		{ "young", { .ready = 1, .oldest_ms = 4, .lanes = 1, .room = 9, .in_flight = 1 }, 0 },
		{ "old enough", { .ready = 3, .oldest_ms = 5, .lanes = 1, .room = 9, .in_flight = 1 }, 3 },
		{ "old, lanes full", { .ready = 3, .oldest_ms = 900, .lanes = 1, .room = 9, .in_flight = 4 }, 0 },
		{ "old, a second lane", { .ready = 3, .oldest_ms = 5, .lanes = 2, .room = 9, .in_flight = 4 }, 3 },
		{ "at the next inclusion", { .ready = 3, .lanes = 1, .room = 9, .in_flight = 9, .moved = true }, 3 },
		{ "one less than full", { .ready = 99, .lanes = 1, .room = 9, .in_flight = 9 }, 0 },
		{ "full", { .ready = 100, .lanes = 1, .room = 9, .in_flight = 9 }, 100 },
		{ "more than full", { .ready = 250, .lanes = 1, .room = 9, .in_flight = 9 }, 100 },
	};
	const struct fb_settle_settings settings = { .batch_max = 100, .batch_gas_max = 16000000, .batch_age_ms = 5,
						     .batch_inflight = 4 };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		if (fb_settle_decide(&rows[i].load, &settings) != rows[i].want)
			fail_msg("%s: %zu go, want %zu", rows[i].what, fb_settle_decide(&rows[i].load, &settings),
				 rows[i].want);
}

static void decide__small_gas_limit__fewer_go_but_one_at_least(void **state)
{
	const struct fb_settle_load load = { .ready = 50, .lanes = 1, .room = 9 };
	struct fb_settle_settings settings = { .batch_max = 100, .batch_gas_max = 7 * FB_SETTLE_ITEM_GAS,
					       .batch_age_ms = 5, .batch_inflight = 4 };

	(void)state;
	CHECK(fb_settle_decide(&load, &settings) == 7);
	settings.batch_gas_max = 1;
	CHECK(fb_settle_decide(&load, &settings) == 1);
	settings.batch_gas_max = 16000000;
	settings.batch_max = 1;
	CHECK(fb_settle_decide(&load, &settings) == 1);
}

/* ---- batches ---------------------------------------------------------------------------------------*/

enum { MANY = 12 };

struct many {
	struct fb_rig *r;
	struct fb_claim c[MANY];
	fb_rig_ticket t[MANY];
};

/* Different transactions that carry them. */
static size_t transactions_of(struct many *m)
{
	size_t n = 0;

	for (size_t i = 0; i < MANY; i++) {
		struct fb_hash tx = fb_rig_record(m->r, &m->c[i]).tx;
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++) {
			struct fb_hash other = fb_rig_record(m->r, &m->c[k]).tx;

			seen = fb_hash_eq(&tx, &other);
		}
		n += !seen;
	}
	return n;
}

/* The first goes out at once; the others, submitted while it is on its way, together. None is mined yet. */
static void start_many(struct many *m, const struct fb_rig_settings *settings)
{
	m->r = rig_with(settings);
	fb_sim_auto_mine(fb_rig_sim(m->r), false);
	fault(m->r, "eth_estimateGas", FB_SIM_LATE, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		m->c[i] = payment(m->r, i);
		m->t[i] = fb_rig_submit(m->r, &m->c[i]);
		if (i == 0)
			WAIT_UNTIL(fb_sim_asked(fb_rig_sim(m->r), "eth_estimateGas") == 1);
	}
	for (uint32_t i = 0; i < MANY; i++)
		WAIT_UNTIL(fb_rig_record(m->r, &m->c[i]).state == FB_SETTLE_SIGNED);
	WAIT_UNTIL(fb_sim_taken(fb_rig_sim(m->r)) >= transactions_of(m));
	CHECK(transactions_of(m) > 1 && transactions_of(m) < MANY / 2);
}

static const struct fb_rig_settings usual = { .seed = 1 };

static void check_all_but(struct many *m, size_t except)
{
	for (size_t i = 0; i < MANY; i++) {
		if (i == except)
			continue;
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(m->r, m->t[i]).outcome);
		CHECK(history(m->r, &m->c[i]).moved == 1);
	}
}

static void batch__all_good__each_succeeds_in_a_few_transactions(void **state)
{
	struct many m;

	(void)state;
	start_many(&m, &usual);
	fb_sim_mine(fb_rig_sim(m.r));
	check_all_but(&m, MANY);
	fb_rig_close(m.r);
}

static void batch__stranger_was_faster_with_one__it_counts_and_names_the_strangers(void **state)
{
	struct fb_settle_outcome o;
	struct many m;

	(void)state;
	start_many(&m, &usual);
	CHECK(fb_sim_stranger_settles(fb_rig_sim(m.r), &m.c[5].authorization, m.c[5].signature));
	fb_sim_mine(fb_rig_sim(m.r));
	check_all_but(&m, 5);
	o = fb_rig_wait(m.r, m.t[5]).outcome;
	CHECK_OUTCOME(FB_REASON_NONE, o);
	CHECK(fb_sim_moved_by(fb_rig_sim(m.r), &m.c[5].authorization.from, &m.c[5].authorization.nonce, &o.tx));
	CHECK(history(m.r, &m.c[5]).ours == 0 && history(m.r, &m.c[5]).moved == 1);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(m.r, &m.c[5]));
	fb_rig_close(m.r);
}

static void batch__one_is_cancelled__failed_for_good_and_the_others_succeed(void **state)
{
	struct fb_settle_outcome o;
	struct many m;

	(void)state;
	start_many(&m, &usual);
	CHECK(fb_sim_cancel(fb_rig_sim(m.r), &m.c[5].authorization));
	fb_sim_mine(fb_rig_sim(m.r));
	check_all_but(&m, 5);
	o = fb_rig_wait(m.r, m.t[5]).outcome;
	CHECK_OUTCOME(FB_REASON_NONCE_USED, o);
	CHECK(o.has_tx && fb_rig_record(m.r, &m.c[5]).state == FB_SETTLE_FAILED);
	CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(m.r, &m.c[5]));
	CHECK_SENT(1, m.r, &m.c[5]);
	fb_rig_close(m.r);
}

/* All of a batch's payments are of one payer here: what is left covers some of them. */
static void batch__money_goes_meanwhile__who_was_paid_is_told_so_and_nobody_else(void **state)
{
	size_t moved = 0, failed = 0;
	struct many m;

	(void)state;
	start_many(&m, &usual);
	fb_sim_pay_out(fb_rig_sim(m.r), &m.c[0].authorization.from, 1000000 - 5500);
	fb_sim_auto_mine(fb_rig_sim(m.r), true);
	fb_sim_mine(fb_rig_sim(m.r));
	for (size_t i = 0; i < MANY; i++) {
		struct fb_settle_outcome o = fb_rig_wait(m.r, m.t[i]).outcome;

		CHECK((o.reason == FB_REASON_NONE) == (history(m.r, &m.c[i]).moved == 1));
		moved += o.reason == FB_REASON_NONE;
		failed += o.reason == FB_REASON_TRANSACTION_FAILED;
	}
	CHECK(moved == 5 && failed == MANY - 5);
	fb_sim_pay_in(fb_rig_sim(m.r), &m.c[0].authorization.from, 100000); /* it is not for good */
	for (size_t i = 0; i < MANY; i++) {
		enum fb_reason reason = fb_rig_settle(m.r, &m.c[i]).reason;

		CHECK(reason == FB_REASON_NONE || reason == FB_REASON_NONCE_USED);
		CHECK(history(m.r, &m.c[i]).moved == 1);
	}
	fb_rig_close(m.r);
}

/* What the chain says last is what counts: while it cannot be asked, nobody is told that anything failed. */
static void batch__chain_cannot_be_asked_about_one__it_waits_and_succeeds(void **state)
{
	struct many m;

	(void)state;
	start_many(&m, &usual);
	fault(m.r, "eth_getLogs", FB_SIM_ERROR, 2);
	CHECK(fb_sim_stranger_settles(fb_rig_sim(m.r), &m.c[5].authorization, m.c[5].signature));
	fb_sim_mine(fb_rig_sim(m.r));
	check_all_but(&m, 5);
	for (int i = 0; i < 20 && !fb_rig_answered(m.r, m.t[5]); i++) {
		fb_rig_advance_ms(m.r, 500);
		breathe(150);
	}
	CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(m.r, m.t[5]).outcome);
	fb_rig_close(m.r);
}

/* It may be the caller's contract with its node: then each payment goes alone. */
static void batch__node_does_not_run_the_trial__each_goes_alone(void **state)
{
	struct fb_rig *r = rig();
	struct fb_claim c[MANY];
	fb_rig_ticket t[MANY];

	(void)state;
	fault(r, "eth_estimateGas", FB_SIM_LATE, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		c[i] = payment(r, i);
		t[i] = fb_rig_submit(r, &c[i]);
		if (i == 0)
			WAIT_UNTIL(fb_sim_asked(fb_rig_sim(r), "eth_estimateGas") == 1);
		if (i == 0)
			fb_sim_add_rule(fb_rig_sim(r), &(struct fb_sim_rule){ .method = "eth_call",
									      .fault = FB_SIM_ERROR,
									      .skip = 1,
									      .count = 1 });
	}
	for (uint32_t i = 0; i < MANY; i++) {
		enum fb_reason reason = fb_rig_wait(r, t[i]).outcome.reason;

		CHECK(reason == FB_REASON_NONE || reason == FB_REASON_SETTLE_ERROR); /* it may have hit a read */
		CHECK((reason == FB_REASON_NONE) == (history(r, &c[i]).moved == 1));
	}
	fb_rig_close(r);
}

/* ---- blocks that are taken back ---- */

static void reorg__batch_is_mined_again__granted_once_and_confirmed(void **state)
{
	struct many m;

	(void)state;
	start_many(&m, &usual);
	fb_sim_mine(fb_rig_sim(m.r));
	check_all_but(&m, MANY);
	fb_sim_reorg(fb_rig_sim(m.r), 1, 2, FB_SIM_REORG_WAIT);
	for (size_t i = 0; i < MANY; i++)
		WAIT_UNTIL(fb_rig_record(m.r, &m.c[i]).state == FB_SETTLE_SIGNED);
	CHECK(fb_rig_record(m.r, &m.c[5]).granted);
	fb_sim_auto_mine(fb_rig_sim(m.r), true);
	fb_sim_mine(fb_rig_sim(m.r));
	for (size_t i = 0; i < MANY; i++) {
		WAIT_UNTIL(fb_rig_record(m.r, &m.c[i]).state >= FB_SETTLE_INCLUDED);
		CHECK_OUTCOME(FB_REASON_NONCE_USED, fb_rig_settle(m.r, &m.c[i]));
		CHECK(history(m.r, &m.c[i]).moved == 1);
	}
	for (size_t i = 0; i < 200 && fb_rig_record(m.r, &m.c[5]).state != FB_SETTLE_CONFIRMED; i++) {
		fb_sim_mine(fb_rig_sim(m.r));
		breathe(20);
	}
	CHECK(fb_rig_record(m.r, &m.c[5]).state == FB_SETTLE_CONFIRMED && fb_rig_record(m.r, &m.c[5]).granted);
	fb_rig_close(m.r);
}

static void reorg__stranger_gone_with_the_block__ours_pays_in_the_end(void **state)
{
	struct many m;

	(void)state;
	start_many(&m, &usual);
	CHECK(fb_sim_stranger_settles(fb_rig_sim(m.r), &m.c[5].authorization, m.c[5].signature));
	fb_sim_mine(fb_rig_sim(m.r));
	for (size_t i = 0; i < MANY; i++)
		CHECK_OUTCOME(FB_REASON_NONE, fb_rig_wait(m.r, m.t[i]).outcome);
	fb_sim_reorg(fb_rig_sim(m.r), 2, 3, FB_SIM_REORG_WAIT); /* the stranger does not send it again */
	WAIT_UNTIL(fb_rig_record(m.r, &m.c[5]).state == FB_SETTLE_SIGNED);
	fb_sim_mine(fb_rig_sim(m.r));
	WAIT_UNTIL(fb_rig_record(m.r, &m.c[5]).state == FB_SETTLE_INCLUDED);
	CHECK(history(m.r, &m.c[5]).ours == 1 && fb_rig_record(m.r, &m.c[5]).granted);
	fb_rig_close(m.r);
}

int test_settle_batch(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decide__table__how_many_go_now),
		cmocka_unit_test(decide__small_gas_limit__fewer_go_but_one_at_least),
		cmocka_unit_test(batch__all_good__each_succeeds_in_a_few_transactions),
		cmocka_unit_test(batch__stranger_was_faster_with_one__it_counts_and_names_the_strangers),
		cmocka_unit_test(batch__one_is_cancelled__failed_for_good_and_the_others_succeed),
		cmocka_unit_test(batch__money_goes_meanwhile__who_was_paid_is_told_so_and_nobody_else),
		cmocka_unit_test(batch__chain_cannot_be_asked_about_one__it_waits_and_succeeds),
		cmocka_unit_test(batch__node_does_not_run_the_trial__each_goes_alone),
		cmocka_unit_test(reorg__batch_is_mined_again__granted_once_and_confirmed),
		cmocka_unit_test(reorg__stranger_gone_with_the_block__ours_pays_in_the_end),
	};
	return cmocka_run_group_tests_name("settle batch", tests, NULL, NULL);
}
