/* Goal: what becomes of an included transaction: confirmed, or taken back and included again; its gas is booked once.
 * Method: reorgs of every depth and kind on a simulated chain, with restarts in between. */
#include "test_lane.h"

static struct lane_stage *included(void)
{
	struct lane_stage *l = lane_running();

	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	return l;
}

static void confirmations__as_many_as_asked_for__confirmed_and_booked(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	lane_mine(l, CONFIRMATIONS - 1);
	stage_breathe(100);
	CHECK(lane_heard(l, "sdir") && lane_included_rows(l) == 1 && l->booked == 0);
	lane_mine(l, 1);
	STAGE_WAIT(lane_heard(l, "sdircr"));
	CHECK(lane_stored(l, "confirmed") && lane_included_rows(l) == 0 && l->booked == 1);
	CHECK(l->cost == (fb_u128)FB_SIM_GAS_USED * FB_SIM_BASE_FEE);
	lane_close_stage(l);
}

/* The books cannot take it now: the row stays, and a later block tries again. */
static void booking_refused__again_with_the_next_block(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	l->refuse_books = 1;
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_UNBOOKED) == 1);
	CHECK(lane_included_rows(l) == 1);
	lane_mine(l, 1);
	STAGE_WAIT(lane_heard(l, "sdircr"));
	CHECK(l->booked == 1);
	lane_close_stage(l);
}

static void reorg__again_at_once__vanished_and_included_again(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	STAGE_WAIT(lane_included_rows(l) == 1);
	stage_breathe(60); /* the follower has seen its block */
	fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_MINE);
	STAGE_WAIT(lane_heard(l, "sdirvrir"));
	CHECK(lane_metric(l, FB_M_LANE_VANISHED) == 1 && lane_metric(l, FB_M_LANE_RETURNED) == 1);
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdirvrircr"));
	CHECK(l->booked == 1);
	lane_close_stage(l);
}

/* At every depth that it may vanish from. */
static void reorg__forgotten_at_any_depth__sent_again(void **state)
{
	(void)state;
	for (unsigned depth = 1; depth <= CONFIRMATIONS; depth++) {
		struct lane_stage *l = included();

		lane_mine(l, depth - 1);
		stage_breathe(60);
		CHECK(lane_heard(l, "sdir"));
		fb_sim_auto_mine(l->stage.sim, false);
		fb_sim_reorg(l->stage.sim, depth, depth + 1, FB_SIM_REORG_DROP);
		STAGE_WAIT(lane_heard(l, "sdirvr"));
		CHECK(lane_stored(l, "vanished") && lane_open_rows(l) == 1 && lane_included_rows(l) == 0);
		STAGE_WAIT(fb_sim_taken(l->stage.sim) == 2);
		lane_mine(l, 1);
		STAGE_WAIT(lane_heard(l, "sdirvrir"));
		lane_mine(l, CONFIRMATIONS);
		STAGE_WAIT(lane_heard(l, "sdirvrircr"));
		CHECK(l->booked == 1);
		lane_close_stage(l);
	}
}

static void reorg__again_and_again__each_time_included_again(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		stage_breathe(40);
		fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_WAIT);
		lane_mine(l, 1);
		STAGE_WAIT(lane_moves(l, FB_LANE_MOVE_VANISHED) == i && lane_moves(l, FB_LANE_MOVE_RECORDED) == i + 1);
	}
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_included_rows(l) == 0 && lane_open_rows(l) == 0);
	CHECK(l->booked == 1);
	lane_close_stage(l);
}

/* After it vanished, the fees of the day are higher: another attempt, and that one is mined. */
static void reorg__fees_rose_meanwhile__replaced(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	stage_breathe(60);
	fb_sim_auto_mine(l->stage.sim, false);
	fb_sim_set_base_fee(l->stage.sim, 10 * (fb_u128)FB_SIM_BASE_FEE);
	fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_WAIT);
	STAGE_WAIT(lane_heard(l, "sdirvr"));
	lane_advance(l, FB_LANE_BUMP_MS);
	STAGE_WAIT(lane_heard(l, "sdirvrR"));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) >= 3);
	lane_mine(l, 1 + CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdirvrRircr"));
	CHECK(fb_hash_eq(&l->mined, &l->tx));
	lane_close_stage(l);
}

/* ---- restarts ------------------------------------------------------------ */

static void restart__included_and_still_there__confirmed(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	lane_close_life(l);
	lane_open_life(l);
	CHECK(lane_included_rows(l) == 1 && lane_open_rows(l) == 0);
	CHECK_STATUS(FB_OK, lane_start(l));
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdirfcr"));
	CHECK(l->booked == 1);
	lane_close_stage(l);
}

static void restart__vanished_meanwhile__waits_again(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	lane_close_life(l);
	fb_sim_auto_mine(l->stage.sim, false);
	fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_DROP);
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	STAGE_WAIT(lane_heard(l, "sdirfvr"));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 2);
	lane_mine(l, 1 + CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdirfvrircr"));
	lane_close_stage(l);
}

/* So many blocks went by that the follower does not remember its block: the receipt is asked for again. */
static void restart__long_after__confirmed_by_its_receipt(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	lane_close_life(l);
	lane_mine(l, 3 * DEPTH_MAX);
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	STAGE_WAIT(lane_heard(l, "sdirfcr"));
	CHECK(l->booked == 1 && lane_metric(l, FB_M_LANE_VANISHED) == 0);
	lane_close_stage(l);
}

static void restart__long_after_it_vanished__waits_again(void **state)
{
	struct lane_stage *l = included();

	(void)state;
	lane_close_life(l);
	fb_sim_auto_mine(l->stage.sim, false);
	fb_sim_reorg(l->stage.sim, 1, 2, FB_SIM_REORG_DROP);
	lane_mine(l, 3 * DEPTH_MAX);
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	STAGE_WAIT(lane_heard(l, "sdirfvr"));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 2);
	lane_mine(l, 1 + CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdirfvrircr"));
	lane_close_stage(l);
}

int test_lane_block(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(confirmations__as_many_as_asked_for__confirmed_and_booked),
		cmocka_unit_test(booking_refused__again_with_the_next_block),
		cmocka_unit_test(reorg__again_at_once__vanished_and_included_again),
		cmocka_unit_test(reorg__forgotten_at_any_depth__sent_again),
		cmocka_unit_test(reorg__again_and_again__each_time_included_again),
		cmocka_unit_test(reorg__fees_rose_meanwhile__replaced),
		cmocka_unit_test(restart__included_and_still_there__confirmed),
		cmocka_unit_test(restart__vanished_meanwhile__waits_again),
		cmocka_unit_test(restart__long_after__confirmed_by_its_receipt),
		cmocka_unit_test(restart__long_after_it_vanished__waits_again),
	};
	return cmocka_run_group_tests_name("lane block", tests, NULL, NULL);
}
