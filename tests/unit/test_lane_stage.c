/* A lane with an owner that writes down what it hears, over a real store, writer and follower, on a simulated chain. */
#include "test_lane.h"

#define OWNER_KEY FB_STR("job-1")

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

bool lane_stored(struct lane_stage *l, const char *value)
{
	uint8_t got[64];
	size_t len;

	return fb_store_get(l->store, got, &len, sizeof(got), fb_str_of(owners_row)) == FB_OK &&
	       fb_str_eq((struct fb_str){ (const char *)got, len }, fb_str_of(value));
}

/* What a call leaves in the owner's row, and what may stand there before it. */
static void tell(struct lane_stage *l, char what, bool right, struct fb_str key, struct fb_lane_puts *puts,
		 const char *value)
{
	hear(l, right ? what : '?', key);
	put(puts, value);
}

static void on_signing(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	l->tx = *tx;
	tell(l, 's', true, key, puts, "signed");
}

static void on_replaced(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;
	bool other = !fb_hash_eq(tx, &l->tx);

	l->tx = *tx;
	tell(l, 'R', other, key, puts, "replaced");
}

static void on_found(void *ctx, struct fb_str key, const struct fb_hash *tx)
{
	struct lane_stage *l = ctx;

	hear(l, fb_hash_eq(tx, lane_stored(l, "included") ? &l->mined : &l->tx) ? 'f' : '?', key);
}

static void on_durable(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	struct lane_stage *l = ctx;

	if (status == FB_STORAGE)
		hear(l, 'D', key);
	else
		hear(l, status == FB_OK && lane_stored(l, "signed") && fb_hash_eq(tx, &l->tx) ? 'd' : '?', key);
}

static void on_included(void *ctx, struct fb_str key, const struct fb_hash *tx, const struct fb_lane_inclusion *in,
			struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	l->last_succeeded = in->receipt.succeeded;
	l->mined = *tx;
	tell(l, 'i', fb_hash_eq(tx, &in->receipt.tx) && in->receipt.gas_used == FB_SIM_GAS_USED, key, puts, "included");
}

static void on_vanished(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	tell(l, 'v', fb_hash_eq(tx, &l->tx) && lane_stored(l, "included"), key, puts, "vanished");
}

static void on_confirmed(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	tell(l, 'c', fb_hash_eq(tx, &l->mined) && lane_stored(l, "included"), key, puts, "confirmed");
}

static void on_lost(void *ctx, struct fb_str key, const struct fb_hash *tx, struct fb_lane_puts *puts)
{
	struct lane_stage *l = ctx;

	tell(l, 'l', fb_hash_eq(tx, &l->tx), key, puts, "lost");
}

/* Behind each of the calls above that asks for rows, the row is in the store. */
static void on_recorded(void *ctx, struct fb_str key, const struct fb_hash *tx, enum fb_status status)
{
	struct lane_stage *l = ctx;
	bool mined = lane_stored(l, "included") || lane_stored(l, "confirmed");
	bool waits = lane_stored(l, "vanished") || lane_stored(l, "lost");

	if (status == FB_STORAGE)
		hear(l, 'S', key);
	else
		hear(l, (mined || waits) && fb_hash_eq(tx, mined ? &l->mined : &l->tx) ? 'r' : '?', key);
}

static const struct fb_lane_owner owner = {
	.signing = on_signing, .durable = on_durable, .replaced = on_replaced, .found = on_found, .included = on_included,
	.recorded = on_recorded, .vanished = on_vanished, .confirmed = on_confirmed, .lost = on_lost,
};

/* Books the gas of a transaction, after refusing as often as the test wants. */
static void on_spent(void *ctx, const struct fb_hash *tx, fb_u128 cost, void (*done)(void *arg, enum fb_status status),
		     void *arg)
{
	struct lane_stage *l = ctx;
	bool refused;

	(void)tx;
	pthread_mutex_lock(&l->lock);
	refused = l->refuse_books > 0;
	l->refuse_books -= refused;
	l->booked += !refused;
	l->cost = cost;
	pthread_mutex_unlock(&l->lock);
	done(arg, refused ? FB_STORAGE : FB_OK);
}

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

enum fb_status lane_start(struct lane_stage *l)
{
	stage_on_loop(&l->stage, start_lane, l);
	STAGE_WAIT(start_answered(l));
	return l->started;
}

/* Opens everything on the directory; the lane is not started. */
void lane_open_life(struct lane_stage *l)
{
	struct fb_writer_settings settings = { .clock = stage_clock(&l->stage), .rng = fb_os_rng() };
	struct fb_rpc_settings rpc = { .urls = { fb_sim_url(l->stage.sim) }, .url_count = 1, .timeout_ms = 1000 };
	struct fb_key key = fb_sample_signer();
	struct fb_lane_owner mine = owner;
	struct fb_head_settings head = { .chain_id = FB_SAMPLE_CHAIN, .poll_ms = POLL_MS, .depth_max = DEPTH_MAX,
					 .confirmations = CONFIRMATIONS, .finality_blocks = DEPTH_MAX };
	struct fb_lane_ports ports;
	struct fb_error e = { "" };

	mine.ctx = l;
	CHECK_STATUS(FB_OK, fb_writer_open_store(&l->store, l->dir.path, NULL, &e));
	CHECK_STATUS(FB_OK, fb_writer_open(&l->writer, l->store, &settings, NULL, NULL, &e));
	if (l->stage.loop == NULL) {
		CHECK_STATUS(FB_OK, fb_loop_open(&l->stage.loop));
		CHECK_STATUS(FB_OK, fb_rpc_open(&l->stage.rpc, l->stage.loop, &rpc, NULL, NULL));
	}
	fb_head_open(&l->head_follower, l->stage.loop, l->stage.rpc, &head, NULL, l->stage.metrics, NULL, NULL);
	ports = (struct fb_lane_ports){ .loop = l->stage.loop, .rpc = l->stage.rpc, .head = l->head_follower,
					.store = l->store, .commit = fb_writer_port(l->writer), .clock = stage_clock(&l->stage),
					.metrics = l->stage.metrics };
	l->opened = fb_lane_open(&l->lane, &ports, &key, &l->settings, &e);
	snprintf(l->sentence, sizeof(l->sentence), "%s", e.text);
	if (l->opened == FB_OK)
		fb_lane_own(l->lane, 'j', &mine);
	fb_loop_start(l->stage.loop, "lane");
	l->runs = true;
}

void lane_stop(void *arg)
{
	struct lane_stage *l = arg;

	if (l->opened == FB_OK)
		fb_lane_stop(l->lane);
	fb_head_stop(l->head_follower);
	stage_close_rpc(&l->stage);
}

static void close_lane(void *arg)
{
	struct lane_stage *l = arg;

	if (l->opened == FB_OK)
		fb_lane_close(l->lane);
	fb_head_close(l->head_follower);
}

void lane_close_life(struct lane_stage *l)
{
	stage_on_loop(&l->stage, lane_stop, l);
	fb_writer_close(l->writer);
	stage_on_loop(&l->stage, close_lane, l);
	fb_loop_close(l->stage.loop);
	l->stage.loop = NULL;
	fb_store_close(l->store);
	l->runs = false;
}

struct lane_stage *lane_open_stage(void)
{
	static struct lane_stage l;
	struct fb_key key = fb_sample_signer();
	struct fb_address signer = fb_key_address(&key);

	memset(&l, 0, sizeof(l));
	pthread_mutex_init(&l.lock, NULL);
	CHECK(fb_test_dir_make(&l.dir));
	stage_open(&l.stage, 1000);
	fb_sim_set_gas_money(l.stage.sim, &signer, (fb_u128)1 << 70);
	l.settings = (struct fb_lane_settings){ .chain_id = FB_SAMPLE_CHAIN, .receipt_poll_ms = POLL_MS,
						 .bump_ms = BUMP_MS, .max_fee_wei = 100 * (fb_u128)FB_SIM_BASE_FEE,
						 .spent = on_spent, .spent_ctx = &l };
	l.max_fee = 2 * (fb_u128)FB_SIM_BASE_FEE;
	l.data = FB_STR("anything");
	lane_open_life(&l);
	return &l;
}

struct lane_stage *lane_running(void)
{
	struct lane_stage *l = lane_open_stage();

	CHECK_STATUS(FB_OK, l->opened);
	CHECK_STATUS(FB_OK, lane_start(l));
	return l;
}

void lane_close_stage(struct lane_stage *l)
{
	if (l->runs)
		lane_close_life(l);
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

enum fb_status lane_send(struct lane_stage *l)
{
	stage_on_loop(&l->stage, send, l);
	return l->sent;
}

bool lane_heard(struct lane_stage *l, const char *calls)
{
	bool same;

	pthread_mutex_lock(&l->lock);
	same = strcmp(l->heard, calls) == 0;
	pthread_mutex_unlock(&l->lock);
	return same;
}


/* ---- what the lane says -------------------------------------------------------------------------- */

static void look(void *arg)
{
	struct lane_stage *l = arg;
	struct fb_head_block head;

	l->head = fb_head_latest(l->head_follower, &head) ? head.number : 0;
	l->open = fb_lane_open_count(l->lane);
	l->included = fb_lane_included_count(l->lane);
	for (int m = 0; m < FB_LANE_MOVE_END; m++)
		l->moves[m] = fb_lane_moves(l->lane, (enum fb_lane_move)m);
}

static uint64_t head_now(struct lane_stage *l)
{
	stage_on_loop(&l->stage, look, l);
	return l->head;
}

uint64_t lane_open_rows(struct lane_stage *l)
{
	stage_on_loop(&l->stage, look, l);
	return l->open;
}

uint64_t lane_included_rows(struct lane_stage *l)
{
	stage_on_loop(&l->stage, look, l);
	return l->included;
}

uint64_t lane_moves(struct lane_stage *l, enum fb_lane_move m)
{
	stage_on_loop(&l->stage, look, l);
	return l->moves[m];
}

uint64_t lane_metric(struct lane_stage *l, enum fb_metric_id id)
{
	return fb_metric_get(l->stage.metrics, id);
}

void lane_advance(struct lane_stage *l, uint64_t ms)
{
	atomic_fetch_add(&l->stage.offset_ms, ms);
}

void lane_mine(struct lane_stage *l, unsigned blocks)
{
	uint64_t before;

	if (l->runs)
		stage_on_loop(&l->stage, look, l);
	before = l->head;
	for (unsigned i = 0; i < blocks; i++)
		fb_sim_mine(l->stage.sim);
	if (l->runs && before > 0)
		STAGE_WAIT(head_now(l) >= before + blocks);
}
