/* Goal: what goes wrong with a transaction that is out heals by itself, and is counted. Method: one fault at a time on
 * a simulated chain; what the owner heard, what the chain took, and the metric. */
#include "test_lane.h"

enum { REPLY_MS = 300 };

/* Its one transaction is with the node and not mined. */
static struct lane_stage *waiting(void)
{
	struct lane_stage *l = lane_running();

	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1 && lane_moves(l, FB_LANE_MOVE_ANSWERED) == 1);
	return l;
}

static void finish(struct lane_stage *l, const char *calls)
{
	lane_mine(l, 1 + CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, calls));
	CHECK(lane_open_rows(l) == 0 && lane_included_rows(l) == 0);
	lane_close_stage(l);
}

/* ---- nodes that forget ------------------------------------------------------------ */

static void forgotten__resent_after_a_while(void **state)
{
	struct lane_stage *l = waiting();

	(void)state;
	fb_sim_forget_pending(l->stage.sim);
	lane_mine(l, 1);
	CHECK(lane_heard(l, "sd"));
	lane_advance(l, FB_LANE_RESEND_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_FORGOTTEN) == 1);
	finish(l, "sdircr");
}

static void reply_lost__taken_all_the_same__included(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	stage_fault(&l->stage, "eth_sendRawTransaction", FB_SIM_LOSE, 1);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	CHECK(lane_metric(l, FB_M_TX_UNKNOWN) == 1 && fb_sim_taken(l->stage.sim) == 1);
	finish(l, "sdircr");
}

/* The receipt is there before the node has answered to the send. */
static void reply_late__receipt_first__included(void **state)
{
	struct lane_stage *l = lane_running();
	struct fb_sim_rule late = { "eth_sendRawTransaction", FB_SIM_LATE, .count = 1, .ms = REPLY_MS };

	(void)state;
	fb_sim_add_rule(l->stage.sim, &late);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	CHECK(lane_moves(l, FB_LANE_MOVE_MINED_EARLY) == 1);
	stage_breathe(2 * REPLY_MS);
	CHECK(lane_moves(l, FB_LANE_MOVE_ANSWERED) == 0);
	finish(l, "sdircr");
}

static void request_lost__sent_again(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	stage_fault(&l->stage, "eth_sendRawTransaction", FB_SIM_REFUSE, 1);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_metric(l, FB_M_TX_UNKNOWN) == 1);
	CHECK(fb_sim_taken(l->stage.sim) == 0);
	lane_advance(l, FB_LANE_RESEND_MS);
	STAGE_WAIT(lane_heard(l, "sdir"));
	CHECK(lane_moves(l, FB_LANE_MOVE_AGAIN) == 1);
	finish(l, "sdircr");
}

/* ---- fees ------------------------------------------------------------ */

/* The next block asks ten times as much: the fees follow at once, and the newer attempt is mined. */
static void base_fee_rises__replaced_and_mined(void **state)
{
	struct lane_stage *l = waiting();
	struct fb_hash first = l->tx;

	(void)state;
	fb_sim_set_base_fee(l->stage.sim, 10 * (fb_u128)FB_SIM_BASE_FEE);
	lane_mine(l, 1);
	lane_advance(l, FB_LANE_BUMP_MS);
	STAGE_WAIT(lane_heard(l, "sdR"));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 2);
	CHECK(lane_metric(l, FB_M_LANE_REPLACED) == 1 && !fb_hash_eq(&first, &l->tx));
	lane_mine(l, 1);
	STAGE_WAIT(lane_heard(l, "sdRir"));
	CHECK(fb_hash_eq(&l->mined, &l->tx));
	finish(l, "sdRircr");
}

/* The older attempt is mined by a node that never saw the newer one. */
static void replaced__older_attempt_mined__included(void **state)
{
	struct lane_stage *l = waiting();
	struct fb_hash first = l->tx;

	(void)state;
	stage_fault(&l->stage, "eth_sendRawTransaction", FB_SIM_REFUSE, 1);
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(lane_heard(l, "sdR"));
	STAGE_WAIT(lane_metric(l, FB_M_TX_UNKNOWN) == 1);
	lane_mine(l, 1);
	STAGE_WAIT(lane_heard(l, "sdRir"));
	CHECK(fb_hash_eq(&l->mined, &first) && !fb_hash_eq(&first, &l->tx));
	finish(l, "sdRircr");
}

/* Both attempts are stored: a restart asks for both. */
static void replaced__restart__older_attempt_found_mined(void **state)
{
	struct lane_stage *l = waiting();
	struct fb_hash first = l->tx;

	(void)state;
	stage_fault(&l->stage, "eth_sendRawTransaction", FB_SIM_REFUSE, 1);
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(lane_metric(l, FB_M_TX_UNKNOWN) == 1);
	lane_close_life(l);
	lane_mine(l, 1);
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	STAGE_WAIT(lane_heard(l, "sdRfir"));
	CHECK(fb_hash_eq(&l->mined, &first));
	finish(l, "sdRfircr");
}

static void fees_refused__raised_before_the_next_block(void **state)
{
	struct lane_stage *l = lane_running();
	struct fb_sim_rule low = { "eth_sendRawTransaction", FB_SIM_ERROR, .count = 1,
				   .text = "max fee per gas less than block base fee: address 0x1" };

	(void)state;
	fb_sim_add_rule(l->stage.sim, &low);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_metric(l, FB_M_TX_FEE_LOW) == 1);
	lane_advance(l, FB_LANE_BUMP_MS);
	STAGE_WAIT(lane_heard(l, "sdRir"));
	finish(l, "sdRircr");
}

/* max_fee is a promise: the same bytes wait on. */
static void base_fee_above_max_fee__never_replaced(void **state)
{
	struct lane_stage *l = waiting();

	(void)state;
	fb_sim_set_base_fee(l->stage.sim, 2 * l->settings.max_fee_wei);
	lane_mine(l, 1);
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_CAPPED) == 1);
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(fb_sim_taken(l->stage.sim) >= 2);
	CHECK(lane_heard(l, "sd") && lane_metric(l, FB_M_LANE_CAPPED) == 1);
	fb_sim_set_base_fee(l->stage.sim, FB_SIM_BASE_FEE);
	finish(l, "sdircr");
}

static void budget_spent__never_replaced(void **state)
{
	struct lane_stage *l = lane_open_stage();

	(void)state;
	lane_close_life(l);
	l->settings.budget_day_wei = (fb_u128)100000 * l->max_fee;
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_CAPPED) == 1);
	CHECK(lane_heard(l, "sd"));
	finish(l, "sdircr");
}

static void attempts_used_up__no_more_are_made(void **state)
{
	struct lane_stage *l = waiting();

	(void)state;
	for (uint64_t i = 1; i < FB_LANE_ATTEMPTS_MAX; i++) {
		lane_advance(l, BUMP_MS);
		STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_BUMPED) == i && fb_sim_taken(l->stage.sim) >= i + 1);
	}
	lane_advance(l, BUMP_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_CAPPED) == 1);
	CHECK(lane_heard(l, "sdRRRRRRRRR"));
	finish(l, "sdRRRRRRRRRircr");
}

/* ---- what nodes say ------------------------------------------------------------ */

static void answers__each_class__counted(void **state)
{
	static const struct {
		const char *text;
		enum fb_metric_id counts;
	} said[] = {
		{ "already known", FB_M_TX_KNOWN },
		{ "AlreadyKnown", FB_M_TX_KNOWN },
		{ "nonce too low: next nonce 7, tx nonce 3", FB_M_TX_NONCE_LOW },
		{ "max fee per gas less than block base fee", FB_M_TX_FEE_LOW },
		{ "replacement transaction underpriced", FB_M_TX_UNDERPRICED },
		{ "transaction underpriced: gas tip cap 0", FB_M_TX_UNDERPRICED },
		{ "insufficient funds for gas * price + value: balance 0", FB_M_TX_NO_FUNDS },
		{ "intrinsic gas too low", FB_M_TX_REFUSED },
		{ "Exceeds block gas limit", FB_M_TX_REFUSED },
		{ "tx fee (1.00 ether) exceeds the configured cap (0.50 ether)", FB_M_TX_REFUSED },
		{ "the dog ate it", FB_M_TX_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(said); i++) {
		struct lane_stage *l = lane_running();
		struct fb_sim_rule rule = { "eth_sendRawTransaction", FB_SIM_ERROR, .count = 1, .text = said[i].text };

		fb_sim_add_rule(l->stage.sim, &rule);
		CHECK_STATUS(FB_OK, lane_send(l));
		STAGE_WAIT(lane_metric(l, said[i].counts) == 1);
		lane_advance(l, FB_LANE_RESEND_MS);
		STAGE_WAIT(lane_included_rows(l) == 1);
		lane_close_stage(l);
	}
}

/* ---- nonces ------------------------------------------------------------ */

static void nonce_taken__for_good__lost_then_recorded(void **state)
{
	struct lane_stage *l = waiting();

	(void)state;
	fb_sim_take_nonce(l->stage.sim, fb_lane_signer(l->lane));
	stage_breathe(60);
	CHECK(lane_heard(l, "sd"));
	lane_advance(l, FB_LANE_LOST_MS);
	stage_breathe(60); /* what took it is not confirmed yet */
	CHECK(lane_heard(l, "sd"));
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdlr"));
	CHECK(lane_stored(l, "lost") && lane_metric(l, FB_M_LANE_LOST) == 1 && lane_open_rows(l) == 0);
	lane_close_stage(l);
}

static void nonce_taken__vanishes_in_time__included(void **state)
{
	struct lane_stage *l = waiting();

	(void)state;
	fb_sim_take_nonce(l->stage.sim, fb_lane_signer(l->lane));
	stage_breathe(60);
	fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_DROP);
	lane_advance(l, FB_LANE_LOST_MS);
	STAGE_WAIT(fb_sim_taken(l->stage.sim) >= 2);
	finish(l, "sdircr");
}

static void key_used_elsewhere__counter_follows(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	fb_sim_take_nonce(l->stage.sim, fb_lane_signer(l->lane));
	fb_sim_take_nonce(l->stage.sim, fb_lane_signer(l->lane));
	lane_advance(l, 5000);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_FOREIGN) == 2);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_RECORDED) == 2);
	CHECK(fb_sim_account(l->stage.sim, fb_lane_signer(l->lane)).transactions == 4);
	lane_close_stage(l);
}

/* An endpoint tells a count that is not this account's; its believer could never send again. */
static void count_far_ahead__followed_only_when_it_stays(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_RECORDED) == 1);
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_included_rows(l) == 0);
	fb_sim_set_counter(l->stage.sim, fb_lane_signer(l->lane), 2 + FB_LANE_FILL_MAX);
	lane_advance(l, FB_LANE_RESEND_MS);
	stage_breathe(60);
	CHECK(lane_metric(l, FB_M_LANE_FOREIGN) == 0);
	lane_advance(l, FB_LANE_RESEND_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_FOREIGN) == 1 + FB_LANE_FILL_MAX);
	lane_close_stage(l);
}

/* Nothing stands for the nonce that the chain waits for: its transaction was confirmed, and then taken back from
 * deeper than anybody waits. Without a filler nothing that is sent later would ever be mined. */
static void nonce_without_a_row__filled(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_RECORDED) == 2);
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_included_rows(l) == 0);
	fb_sim_set_counter(l->stage.sim, fb_lane_signer(l->lane), 1);
	lane_advance(l, FB_LANE_RESEND_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_FOREIGN) == 0 && lane_metric(l, FB_M_LANE_FILLED) == 0);
	stage_breathe(60);
	lane_advance(l, FB_LANE_BEHIND_MS);
	STAGE_WAIT(lane_metric(l, FB_M_LANE_FILLED) == 1);
	STAGE_WAIT(fb_sim_account(l->stage.sim, fb_lane_signer(l->lane)).transactions == 2);
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_open_rows(l) == 0 && lane_included_rows(l) == 0);
	CHECK(l->wrong == 0);
	lane_close_stage(l);
}

int test_lane_heal(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgotten__resent_after_a_while),
		cmocka_unit_test(reply_lost__taken_all_the_same__included),
		cmocka_unit_test(reply_late__receipt_first__included),
		cmocka_unit_test(request_lost__sent_again),
		cmocka_unit_test(base_fee_rises__replaced_and_mined),
		cmocka_unit_test(replaced__older_attempt_mined__included),
		cmocka_unit_test(replaced__restart__older_attempt_found_mined),
		cmocka_unit_test(fees_refused__raised_before_the_next_block),
		cmocka_unit_test(base_fee_above_max_fee__never_replaced),
		cmocka_unit_test(budget_spent__never_replaced),
		cmocka_unit_test(attempts_used_up__no_more_are_made),
		cmocka_unit_test(answers__each_class__counted),
		cmocka_unit_test(nonce_taken__for_good__lost_then_recorded),
		cmocka_unit_test(nonce_taken__vanishes_in_time__included),
		cmocka_unit_test(key_used_elsewhere__counter_follows),
		cmocka_unit_test(count_far_ahead__followed_only_when_it_stays),
		cmocka_unit_test(nonce_without_a_row__filled),
	};
	return cmocka_run_group_tests_name("lane heal", tests, NULL, NULL);
}
