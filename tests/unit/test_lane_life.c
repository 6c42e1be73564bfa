/* Goal: what a lane tells its owner, and when; what it keeps and what it refuses. Method: an owner that writes down
 * what it hears, over a real store and writer, on a simulated chain. */
#include "fb_test_dir.h"

#include "farebox/writer.h"
#include "fb_stage.h"
#include "test_lane.h"

enum { POLL_MS = 10, CALLS_MAX = 4096 };
#define OWNER_KEY FB_STR("job-1")

struct lane_stage {
	struct stage stage;
	struct fb_test_dir dir;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_lane *lane;
	struct fb_lane_settings settings;
	fb_u128 max_fee;
	struct fb_str data;
	enum fb_status sent, started, opened;
	char sentence[320];
	bool runs;
	pthread_mutex_t lock; /* of what follows */
	char heard[CALLS_MAX]; /* one letter a call: s d i l r f */
	size_t heard_len, wrong;
	bool start_answered;
	struct fb_hash tx;
	bool last_succeeded;
};

/* ---- the owner -----------------------------------------------------------------------------------------------------
 */

static const char owners_row[] = "Zowner";

static void hear(struct lane_stage *l, char what, struct fb_str key)
{
	pthread_mutex_lock(&l->lock);
	FB_ASSERT(l->heard_len + 1 < CALLS_MAX);
	l->heard[l->heard_len++] = what;
	l->wrong += !fb_str_eq(key, OWNER_KEY);
	pthread_mutex_unlock(&l->lock);
}

static void put(struct fb_lane_puts *puts, const char *value)
{
	puts->put[puts->count++] = (struct fb_put){ .key = fb_str_of(owners_row), .value = fb_str_of(value) };
}

static bool stored(struct lane_stage *l, const char *value)
{
	uint8_t got[64];
	size_t len;

	return fb_store_get(l->store, got, &len, sizeof(got), fb_str_of(owners_row)) == FB_OK &&
	       fb_str_eq((struct fb_str){ (const char *)got, len }, fb_str_of(value));
}

static void on_signing(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	l->tx = *tx;
	hear(l, 's', key);
	put(puts, "signed");
}

static void on_found(void *ctx, struct fb_str key, const struct fb_hash *tx)
{
	struct lane_stage *l = ctx;

	hear(l, fb_hash_eq(tx, &l->tx) ? 'f' : '?', key);
}

static void on_durable(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	struct lane_stage *l = ctx;

	hear(l, status == FB_OK && stored(l, "signed") && fb_hash_eq(tx, &l->tx) ? 'd' : '?', key);
}

static void on_included(void *ctx, struct fb_str key, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	l->last_succeeded = in->receipt.succeeded;
	hear(l, fb_hash_eq(tx, &l->tx) && in->receipt.gas_used == FB_SIM_GAS_USED ? 'i' : '?', key);
	put(puts, "included");
}

static void on_lost(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	hear(l, fb_hash_eq(tx, &l->tx) ? 'l' : '?', key);
	put(puts, "lost");
}

static void on_recorded(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	struct lane_stage *l = ctx;

	hear(l, status == FB_OK && (stored(l, "included") || stored(l, "lost")) && fb_hash_eq(tx, &l->tx) ? 'r' : '?',
	     key);
}

static const struct fb_lane_owner owner = { .signing = on_signing, .found = on_found, .durable = on_durable,
					    .included = on_included, .lost = on_lost, .recorded = on_recorded };

/* ---- life ----------------------------------------------------------------------------------------------------------
 */

static void on_started(void *arg, enum fb_status status, const char *sentence)
{
	struct lane_stage *l = arg;

	pthread_mutex_lock(&l->lock);
	l->started = status;
	l->start_answered = true;
	snprintf(l->sentence, sizeof(l->sentence), "%s", sentence == NULL ? "" : sentence);
	pthread_mutex_unlock(&l->lock);
}

static bool start_answered(struct lane_stage *l)
{
	bool yes;

	pthread_mutex_lock(&l->lock);
	yes = l->start_answered;
	pthread_mutex_unlock(&l->lock);
	return yes;
}

static void start_lane(void *arg)
{
	struct lane_stage *l = arg;
	l->start_answered = false;
	fb_lane_start(l->lane, on_started, l);
}

static enum fb_status start(struct lane_stage *l)
{
	stage_on_loop(&l->stage, start_lane, l);
	STAGE_WAIT(start_answered(l));
	return l->started;
}

/* Opens everything on the directory; the lane is not started. */
static void open_life(struct lane_stage *l)
{
	struct fb_writer_settings settings = { .clock = stage_clock(&l->stage), .rng = fb_os_rng() };
	struct fb_rpc_settings rpc = { .urls = { fb_sim_url(l->stage.sim) }, .url_count = 1, .timeout_ms = 1000 };
	struct fb_key key = fb_sample_signer();
	struct fb_lane_owner mine = owner;
	struct fb_error e = { "" };

	mine.ctx = l;
	CHECK_STATUS(FB_OK, fb_writer_open_store(&l->store, l->dir.path, NULL, &e));
	CHECK_STATUS(FB_OK, fb_writer_open(&l->writer, l->store, &settings, NULL, NULL, &e));
	if (l->stage.loop == NULL) {
		CHECK_STATUS(FB_OK, fb_loop_open(&l->stage.loop));
		CHECK_STATUS(FB_OK, fb_rpc_open(&l->stage.rpc, l->stage.loop, &rpc, NULL, NULL));
	}
	l->opened = fb_lane_open(&l->lane, l->stage.loop, l->stage.rpc, l->store, fb_writer_port(l->writer), &key,
				 &l->settings, stage_clock(&l->stage), NULL, NULL, &e);
	snprintf(l->sentence, sizeof(l->sentence), "%s", e.text);
	if (l->opened == FB_OK)
		fb_lane_own(l->lane, 'j', &mine);
	fb_loop_start(l->stage.loop, "lane");
	l->runs = true;
}

static void stop_lane(void *arg)
{
	struct lane_stage *l = arg;

	fb_lane_stop(l->lane);
	stage_close_rpc(&l->stage);
}

static void close_lane(void *arg)
{
	struct lane_stage *l = arg;

	fb_lane_close(l->lane);
}

static void close_life(struct lane_stage *l)
{
	if (l->opened == FB_OK)
		stage_on_loop(&l->stage, stop_lane, l);
	else
		stage_on_loop(&l->stage, stage_close_rpc, &l->stage);
	fb_writer_close(l->writer);
	if (l->opened == FB_OK)
		stage_on_loop(&l->stage, close_lane, l);
	fb_loop_close(l->stage.loop);
	l->stage.loop = NULL;
	fb_store_close(l->store);
	l->runs = false;
}

static struct lane_stage *open_stage(void)
{
	static struct lane_stage l;
	struct fb_key key = fb_sample_signer();
	struct fb_address signer = fb_key_address(&key);

	memset(&l, 0, sizeof(l));
	pthread_mutex_init(&l.lock, NULL);
	CHECK(fb_test_dir_make(&l.dir));
	stage_open(&l.stage, 1000);
	fb_sim_set_gas_money(l.stage.sim, &signer, (fb_u128)1 << 70);
	l.settings = (struct fb_lane_settings){ .chain_id = FB_SAMPLE_CHAIN, .receipt_poll_ms = POLL_MS };
	l.max_fee = 2 * (fb_u128)FB_SIM_BASE_FEE;
	l.data = FB_STR("anything");
	open_life(&l);
	return &l;
}

static struct lane_stage *running(void)
{
	struct lane_stage *l = open_stage();

	CHECK_STATUS(FB_OK, l->opened);
	CHECK_STATUS(FB_OK, start(l));
	return l;
}

static void close_stage(struct lane_stage *l)
{
	if (l->runs)
		close_life(l);
	CHECK(l->wrong == 0);
	fb_metrics_close(l->stage.metrics);
	fb_sim_close(l->stage.sim);
	CHECK(fb_test_dir_remove(&l->dir));
	pthread_mutex_destroy(&l->lock);
}

static void send(void *arg)
{
	struct lane_stage *l = arg;
	struct fb_lane_job job = { .key = OWNER_KEY,
				   .to = fb_sample_address(0x11),
				   .data = l->data,
				   .gas_limit = 100000,
				   .max_fee = l->max_fee,
				   .max_priority_fee = 1 };

	l->sent = fb_lane_send(l->lane, &job);
}

static enum fb_status send_one(struct lane_stage *l)
{
	stage_on_loop(&l->stage, send, l);
	return l->sent;
}

static bool heard(struct lane_stage *l, const char *calls)
{
	bool same;

	pthread_mutex_lock(&l->lock);
	same = strcmp(l->heard, calls) == 0;
	pthread_mutex_unlock(&l->lock);
	return same;
}

/* ---- tests
 * --------------------------------------------------------------------------------------------------------------- */

static void send__one_job__told_in_order(void **state)
{
	struct lane_stage *l = running();

	(void)state;
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdir"));
	CHECK(l->last_succeeded && stored(l, "included"));
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdirsdir"));
	close_stage(l);
}

static void send__before_the_start_or_after_the_stop__busy(void **state)
{
	struct lane_stage *l = open_stage();

	(void)state;
	CHECK_STATUS(FB_BUSY, send_one(l));
	CHECK_STATUS(FB_OK, start(l));
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdir"));
	stage_on_loop(&l->stage, stop_lane, l);
	CHECK_STATUS(FB_BUSY, send_one(l));
	CHECK(heard(l, "sdir"));
	close_stage(l);
}

static void send__start_failed__busy_until_one_succeeds(void **state)
{
	struct lane_stage *l = open_stage();

	(void)state;
	stage_fault(&l->stage, "eth_getBalance", FB_SIM_ERROR, 1);
	CHECK_STATUS(FB_RPC_ERROR, start(l));
	CHECK(l->sentence[0] != '\0');
	CHECK_STATUS(FB_BUSY, send_one(l));
	CHECK_STATUS(FB_OK, start(l));
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdir"));
	close_stage(l);
}

static void send__largest_data__fits(void **state)
{
	static char data[FB_LANE_DATA_MAX];
	struct lane_stage *l = running();

	(void)state;
	l->data = (struct fb_str){ data, sizeof(data) };
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdir"));
	close_stage(l);
}

static void send__over_the_budget__limit_and_nothing_heard(void **state)
{
	struct lane_stage *l = open_stage();

	(void)state;
	close_life(l);
	l->settings.budget_day_wei = (fb_u128)100000 * l->max_fee - 1;
	open_life(l);
	CHECK_STATUS(FB_OK, start(l));
	CHECK_STATUS(FB_LIMIT, send_one(l));
	CHECK(heard(l, ""));
	l->max_fee--;
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sdir"));
	close_stage(l);
}

static void restart__row_open__found_and_included(void **state)
{
	struct lane_stage *l = running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	close_life(l);
	fb_sim_mine(l->stage.sim);
	open_life(l);
	CHECK(fb_lane_open_count(l->lane) == 1);
	CHECK_STATUS(FB_OK, start(l));
	STAGE_WAIT(heard(l, "sdfir"));
	close_life(l);
	open_life(l);
	CHECK(fb_lane_open_count(l->lane) == 0);
	CHECK_STATUS(FB_OK, start(l));
	CHECK(heard(l, "sdfir"));
	close_stage(l);
}

static void nonce_taken__for_long__lost_then_recorded(void **state)
{
	struct lane_stage *l = running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	fb_sim_take_nonce(l->stage.sim, fb_lane_signer(l->lane));
	stage_breathe(60);
	CHECK(heard(l, "sd"));
	atomic_fetch_add(&l->stage.offset_ms, FB_LANE_LOST_MS);
	STAGE_WAIT(heard(l, "sdlr"));
	CHECK(stored(l, "lost"));
	close_stage(l);
}

static void only_stop(void *arg)
{
	fb_lane_stop(((struct lane_stage *)arg)->lane);
}

/* An answer that was under way when the lane was stopped: it would have been a reason to send again. */
static void stop__answer_comes_later__nothing_is_sent(void **state)
{
	struct lane_stage *l = running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(fb_sim_taken(l->stage.sim) == 1);
	stage_fault(&l->stage, "eth_getTransactionReceipt", FB_SIM_LATE, 1);
	stage_breathe(50); /* the next look is under way, for 200 ms */
	atomic_fetch_add(&l->stage.offset_ms, FB_LANE_RESEND_MS);
	stage_on_loop(&l->stage, only_stop, l);
	stage_breathe(300);
	CHECK(fb_sim_taken(l->stage.sim) == 1);
	close_stage(l);
}

static void balance__before_and_after_the_first_look(void **state)
{
	struct lane_stage *l = open_stage();
	fb_u128 wei;

	(void)state;
	CHECK(!fb_lane_balance(l->lane, &wei));
	CHECK_STATUS(FB_OK, start(l));
	CHECK(fb_lane_balance(l->lane, &wei) && wei == (fb_u128)1 << 70);
	close_stage(l);
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
		struct lane_stage *l = open_stage();

		write_row(l, rows[i].tag, rows[i].last, rows[i].value, rows[i].len);
		close_life(l);
		open_life(l);
		CHECK_STATUS(FB_STORAGE, l->opened);
		CHECK(strstr(l->sentence, "backup") != NULL);
		close_stage(l);
	}
}

/* The counter stands behind every row, or rows and counter are not of one life. */
static void open__counter_not_behind_the_rows__storage(void **state)
{
	static const uint8_t zero[16] = { 0 };
	struct lane_stage *l = running();

	(void)state;
	fb_sim_auto_mine(l->stage.sim, false);
	CHECK_STATUS(FB_OK, send_one(l));
	STAGE_WAIT(heard(l, "sd"));
	write_row(l, 'N', 0, zero, sizeof(zero));
	close_life(l);
	open_life(l);
	CHECK_STATUS(FB_STORAGE, l->opened);
	close_stage(l);
}

int test_lane_life(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send__one_job__told_in_order),
		cmocka_unit_test(send__before_the_start_or_after_the_stop__busy),
		cmocka_unit_test(send__start_failed__busy_until_one_succeeds),
		cmocka_unit_test(send__largest_data__fits),
		cmocka_unit_test(send__over_the_budget__limit_and_nothing_heard),
		cmocka_unit_test(restart__row_open__found_and_included),
		cmocka_unit_test(nonce_taken__for_long__lost_then_recorded),
		cmocka_unit_test(stop__answer_comes_later__nothing_is_sent),
		cmocka_unit_test(balance__before_and_after_the_first_look),
		cmocka_unit_test(open__damaged_rows__storage_and_a_sentence),
		cmocka_unit_test(open__counter_not_behind_the_rows__storage),
	};
	return cmocka_run_group_tests_name("lane life", tests, NULL, NULL);
}
