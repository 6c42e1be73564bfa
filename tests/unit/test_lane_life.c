/* Goal: what a lane tells its owner, and when; what it keeps and what it refuses. Method: an owner that writes down
 * what it hears, over a real store and writer, on a simulated chain. */
#include "test_lane.h"

/* ---- tests
 * --------------------------------------------------------------------------------------------------------------- */

static void send__one_job__told_in_order(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	CHECK(l->last_succeeded && lane_stored(l, "included"));
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdirsdir"));
	lane_close_stage(l);
}

static void send__before_the_start_or_after_the_stop__busy(void **state)
{
	struct lane_stage *l = lane_open_stage();

	(void)state;
	CHECK_STATUS(FB_BUSY, lane_send(l));
	CHECK_STATUS(FB_OK, lane_start(l));
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	stage_on_loop(&l->stage, lane_stop, l);
	CHECK_STATUS(FB_BUSY, lane_send(l));
	CHECK(lane_heard(l, "sdir"));
	lane_close_stage(l);
}

static void send__start_failed__busy_until_one_succeeds(void **state)
{
	struct lane_stage *l = lane_open_stage();

	(void)state;
	stage_fault(&l->stage, "eth_getBalance", FB_SIM_ERROR, 1);
	CHECK_STATUS(FB_RPC_ERROR, lane_start(l));
	CHECK(l->sentence[0] != '\0');
	CHECK_STATUS(FB_BUSY, lane_send(l));
	CHECK_STATUS(FB_OK, lane_start(l));
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	lane_close_stage(l);
}

static void send__largest_data__fits(void **state)
{
	static char data[FB_LANE_DATA_MAX];
	struct lane_stage *l = lane_running();

	(void)state;
	l->data = (struct fb_str){ data, sizeof(data) };
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	lane_close_stage(l);
}

static void send__over_the_budget__limit_and_nothing_heard(void **state)
{
	struct lane_stage *l = lane_open_stage();

	(void)state;
	lane_close_life(l);
	l->settings.budget_day_wei = (fb_u128)100000 * l->max_fee - 1;
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	CHECK_STATUS(FB_LIMIT, lane_send(l));
	CHECK(lane_heard(l, ""));
	l->max_fee--;
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sdir"));
	lane_close_stage(l);
}

static size_t receipts_asked(struct lane_stage *l)
{
	return fb_sim_asked(l->stage.sim, "eth_getTransactionReceipt");
}

/* A block may come at once, and then it is not the regular look that finds it; a chain that takes its time is not asked
 * more often for nothing. */
static void send__before_the_regular_look__a_few_looks_unless_blocks_are_slow(void **state)
{
	struct lane_stage *l = lane_open_stage();
	size_t before;

	(void)state;
	lane_close_life(l);
	l->settings.receipt_poll_ms = 60000;
	lane_open_life(l);
	CHECK_STATUS(FB_OK, lane_start(l));
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(receipts_asked(l) >= 3);
	stage_breathe(300);
	CHECK(receipts_asked(l) <= 1 + FB_LANE_SOON_LOOKS);
	lane_advance(l, 1000);
	lane_mine(l, 1); /* which the follower tells of */
	STAGE_WAIT(lane_heard(l, "sdir"));
	before = receipts_asked(l);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(receipts_asked(l) == before + 1);
	stage_breathe(300);
	CHECK(receipts_asked(l) == before + 1);
	lane_close_stage(l);
}

static void restart__row_open__found_and_included(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	lane_close_life(l);
	fb_sim_mine(l->stage.sim);
	lane_open_life(l);
	CHECK(lane_open_rows(l) == 1);
	CHECK_STATUS(FB_OK, lane_start(l));
	STAGE_WAIT(lane_heard(l, "sdfir"));
	lane_mine(l, CONFIRMATIONS);
	STAGE_WAIT(lane_heard(l, "sdfircr"));
	lane_close_life(l);
	lane_open_life(l);
	CHECK(lane_open_rows(l) == 0 && lane_included_rows(l) == 0);
	CHECK_STATUS(FB_OK, lane_start(l));
	CHECK(lane_heard(l, "sdfircr"));
	lane_close_stage(l);
}

static void only_stop(void *arg)
{
	fb_lane_stop(((struct lane_stage *)arg)->lane);
}

/* An answer that was under way when the lane was stopped: it would have been a reason to send again. */
static void stop__answer_comes_later__nothing_is_sent(void **state)
{
	struct lane_stage *l = lane_running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	stage_fault(&l->stage, "eth_getTransactionReceipt", FB_SIM_LATE, 1);
	stage_breathe(50); /* the next look is under way, for 200 ms */
	atomic_fetch_add(&l->stage.offset_ms, FB_LANE_RESEND_MS);
	stage_on_loop(&l->stage, only_stop, l);
	stage_breathe(300);
	CHECK(fb_sim_taken(l->stage.sim) == 1);
	lane_close_stage(l);
}

static void balance__before_and_after_the_first_look(void **state)
{
	struct lane_stage *l = lane_open_stage();
	fb_u128 wei;

	(void)state;
	CHECK(!fb_lane_balance(l->lane, &wei));
	CHECK_STATUS(FB_OK, lane_start(l));
	CHECK(fb_lane_balance(l->lane, &wei) && wei == (fb_u128)1 << 70);
	lane_close_stage(l);
}

/* ---- what is stored and cannot be read
 * -------------------------------------------------------------------------------------- */

static void lane_key(uint8_t key[37], char tag, uint64_t last)
{
	struct fb_key signer = fb_sample_signer();
	struct fb_address address = fb_key_address(&signer);

	key[0] = (uint8_t)tag;
	fb_put_be64(key + 1, FB_SAMPLE_CHAIN);
	memcpy(key + 9, address.bytes, 20);
	fb_put_be64(key + 29, last);
}

static void on_put(void *arg, enum fb_status status)
{
	CHECK_STATUS(FB_OK, status);
	atomic_store((atomic_bool *)arg, true);
}

static void write_row(struct lane_stage *l, char tag, uint64_t last, const void *value, size_t len)
{
	struct fb_commit commit = fb_writer_port(l->writer);
	uint8_t key[37];
	struct fb_put row = { .key = { (const char *)key, sizeof(key) }, .value = { value, len } };
	atomic_bool done = false;

	lane_key(key, tag, last);
	commit.commit(commit.ctx, &row, 1, on_put, &done);
	STAGE_WAIT(atomic_load(&done));
}

static void open__damaged_rows__storage_and_a_sentence(void **state)
{
	static const uint8_t number[16] = { 0 }, huge[16] = { 1 };
	const struct {
		char tag;
		uint64_t last;
		const void *value;
		size_t len;
	} rows[] = {
		{ 'L', 3, "rubbish", 7 }, { 'L', 3, "", 0 },      { 'N', 0, number, 15 }, { 'N', 0, huge, 16 },
		{ 'G', FB_SAMPLE_NOW_S / 86400, number, 8 },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct lane_stage *l = lane_open_stage();

		write_row(l, rows[i].tag, rows[i].last, rows[i].value, rows[i].len);
		lane_close_life(l);
		lane_open_life(l);
		CHECK_STATUS(FB_STORAGE, l->opened);
		CHECK(strstr(l->sentence, "backup") != NULL);
		lane_close_stage(l);
	}
}

/* The counter stands behind every row, or rows and counter are not of one life. */
static void open__counter_not_behind_the_rows__storage(void **state)
{
	static const uint8_t zero[16] = { 0 };
	struct lane_stage *l = lane_running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, lane_send(l));
	STAGE_WAIT(lane_heard(l, "sd"));
	write_row(l, 'N', 0, zero, sizeof(zero));
	lane_close_life(l);
	lane_open_life(l);
	CHECK_STATUS(FB_STORAGE, l->opened);
	lane_close_stage(l);
}

int test_lane_life(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send__one_job__told_in_order),
		cmocka_unit_test(send__before_the_start_or_after_the_stop__busy),
		cmocka_unit_test(send__start_failed__busy_until_one_succeeds),
		cmocka_unit_test(send__largest_data__fits),
		cmocka_unit_test(send__before_the_regular_look__a_few_looks_unless_blocks_are_slow),
		cmocka_unit_test(send__over_the_budget__limit_and_nothing_heard),
		cmocka_unit_test(restart__row_open__found_and_included),
		cmocka_unit_test(stop__answer_comes_later__nothing_is_sent),
		cmocka_unit_test(balance__before_and_after_the_first_look),
		cmocka_unit_test(open__damaged_rows__storage_and_a_sentence),
		cmocka_unit_test(open__counter_not_behind_the_rows__storage),
	};
	return cmocka_run_group_tests_name("lane life", tests, NULL, NULL);
}
