/* The engine's life: opened in layer order, started, stopped in reverse, as app does it; or crashed. */
#include "fb_test_dir.h" /* before any other */

#include "rig_int.h"

#include "farebox/os.h"
#include "fb_sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the clock ------------------------------------------------------------------------------------------------ */

static uint64_t mono_ns(void *ctx)
{
	struct fb_rig *r = ctx;
	struct fb_clock os = fb_os_clock();
	uint64_t real = os.mono_ns(os.ctx),
		 raced = (real - atomic_load(&r->race_from_ns)) * atomic_load(&r->race_times);

	return real + raced + atomic_load(&r->offset_ms) * 1000000u;
}

static int64_t wall_us(void *ctx)
{
	struct fb_rig *r = ctx;

	return (int64_t)FB_SAMPLE_NOW_S * 1000000 + (int64_t)((mono_ns(r) - r->opened_ns) / 1000u);
}

struct fb_clock fb_rig_clock(struct fb_rig *r)
{
	return (struct fb_clock){ mono_ns, wall_us, r };
}

/* Set while nothing runs: what was won stays. */
void fb_rig_race_clock(struct fb_rig *r, unsigned times)
{
	struct fb_clock os = fb_os_clock();
	uint64_t now = os.mono_ns(os.ctx), won = (now - atomic_load(&r->race_from_ns)) * atomic_load(&r->race_times);

	FB_ASSERT(!fb_rig_runs(r) && times >= 1);
	atomic_store(&r->race_times, times - 1);
	atomic_store(&r->race_from_ns, now);
	atomic_fetch_add(&r->offset_ms, won / 1000000u + 1);
}

void fb_rig_advance_ms(struct fb_rig *r, uint64_t ms)
{
	atomic_fetch_add(&r->offset_ms, ms);
}

/* ---- life ---------------------------------------------------------------------------------------------------------
 */

static void take_defaults(struct fb_rig_settings *s)
{
	s->wait_ms = s->wait_ms == 0 ? 60000 : s->wait_ms;
	s->rpc_timeout_ms = s->rpc_timeout_ms == 0 ? 2000 : s->rpc_timeout_ms;
	s->gas_limit_max = s->gas_limit_max == 0 ? 400000 : s->gas_limit_max;
	s->batch_max = s->batch_max == 0 ? FB_LANE_BATCH_MAX : s->batch_max;
	s->max_fee_wei = s->max_fee_wei == 0 ? (fb_u128)500 * 1000000000 : s->max_fee_wei;
}

static void take_directory(struct fb_rig *r, const char *directory)
{
	struct fb_test_dir dir;

	r->keeps_directory = directory != NULL;
	if (directory == NULL)
		FB_ASSERT(fb_test_dir_make(&dir));
	snprintf(r->directory, sizeof(r->directory), "%s", directory == NULL ? dir.path : directory);
}

static void make_chain(struct fb_rig *r)
{
	struct fb_address signer = fb_key_address(&r->key);

	fb_sim_open(&r->own_sim, &r->network, fb_rig_clock(r), r->settings.seed);
	r->sim = r->own_sim;
	fb_sim_on_send(r->own_sim, rig_check_sent, r);
	fb_sim_set_gas_money(r->own_sim, &signer, (fb_u128)1000000000 * 1000000000);
}

void fb_rig_open(struct fb_rig **out, const struct fb_rig_settings *settings)
{
	struct fb_rig *r = fb_must_alloc(1, sizeof(*r));

	r->settings = *settings;
	take_defaults(&r->settings);
	take_directory(r, settings->directory);
	r->answers = fb_must_alloc(FB_RIG_ANSWERS_MAX, sizeof(*r->answers));
	FB_ASSERT(pthread_mutex_init(&r->lock, NULL) == 0 && pthread_cond_init(&r->changed, NULL) == 0);
	r->network = fb_sample_network();
	r->key = fb_sample_signer();
	r->opened_ns = mono_ns(r);
	r->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (settings->url == NULL)
		make_chain(r);
	*out = r;
}

static void open_parts(struct fb_rig *r)
{
	struct fb_rpc_settings rpc = { .urls = { r->sim == NULL ? r->settings.url : fb_sim_url(r->sim) },
				       .url_count = 1,
				       .timeout_ms = r->settings.rpc_timeout_ms };
	struct fb_writer_settings writer = { .clock = fb_rig_clock(r), .rng = fb_os_rng() };
	struct fb_store *store;
	struct fb_error e = { "" };

	fb_log_open(&r->log, r->nowhere, FB_DEBUG, fb_rig_clock(r));
	fb_metrics_open(&r->metrics);
	if (fb_writer_open_store(&store, r->directory, r->log, &e) != FB_OK)
		fprintf(stderr, "rig: %s\n", e.text);
	rig_lock(r);
	r->store = store;
	r->disk = (struct rig_disk){ .commits = r->disk.commits };
	rig_unlock(r);
	FB_ASSERT(fb_writer_open(&r->writer, r->store, &writer, r->log, r->metrics, &e) == FB_OK);
	FB_ASSERT(fb_loop_open(&r->loop) == FB_OK);
	FB_ASSERT(fb_rpc_open(&r->rpc, r->loop, &rpc, r->log, r->metrics) == FB_OK);
}

static enum fb_status open_engines(struct fb_rig *r)
{
	struct fb_lane_settings lane = { .chain_id = r->network.chain_id, .receipt_poll_ms = RIG_POLL_MS,
					 .bump_ms = RIG_BUMP_MS, .max_fee_wei = r->settings.max_fee_wei,
					 .budget_day_wei = r->settings.budget_day_wei,
					 .spent = rig_book, .spent_ctx = r };
	struct fb_head_settings head = { .chain_id = r->network.chain_id, .poll_ms = 2 * RIG_POLL_MS,
					 .depth_max = RIG_DEPTH_MAX, .confirmations = RIG_CONFIRMATIONS,
					 .finality_blocks = RIG_DEPTH_MAX };
	struct fb_settle_settings settle = { .wait_ms = r->settings.wait_ms, .gas_limit_max = r->settings.gas_limit_max,
					     .max_fee_wei = r->settings.max_fee_wei,
					     .batch_max = r->settings.batch_max,
					     .batch_gas_max = 16000000,
					     .batch_age_ms = 5,
					     .payer_day_wei = r->settings.payer_day_wei,
					     .api_key_day_wei = r->settings.api_key_day_wei,
					     .batch_inflight = 4,
					     .reorg_depth_max = RIG_DEPTH_MAX };
	struct fb_commit commit = rig_disk_port(r);
	struct fb_clock clock = fb_rig_clock(r);
	struct fb_lane_owner owner;
	struct fb_lane_ports ports;
	struct fb_error e = { "" };
	enum fb_status st;

	fb_head_open(&r->head, r->loop, r->rpc, &head, r->log, r->metrics, NULL, NULL);
	fb_view_open(&r->view, r->loop, r->rpc, r->metrics);
	ports = (struct fb_lane_ports){ .loop = r->loop, .rpc = r->rpc, .head = r->head, .store = r->store,
					.commit = commit, .clock = clock, .log = r->log, .metrics = r->metrics };
	st = fb_lane_open(&r->lane, &ports, &r->key, &lane, &e);
	if (st != FB_OK) {
		snprintf(r->sentence, sizeof(r->sentence), "%s", e.text);
		return st;
	}
	fb_settle_open(&r->settle, r->loop, &r->network, r->rpc, r->view, r->head, &r->lane, 1, r->store, commit,
		       &settle, clock, r->log, r->metrics);
	owner = fb_settle_owner(r->settle);
	fb_lane_own(r->lane, 'S', &owner);
	return FB_OK;
}

static void on_lane_started(void *arg, enum fb_status status, const char *sentence)
{
	struct fb_rig *r = arg;

	rig_lock(r);
	r->lane_answered = true;
	r->lane_status = status;
	snprintf(r->sentence, sizeof(r->sentence), "%s", sentence == NULL ? "" : sentence);
	rig_unlock(r);
}

static void start_lane(void *arg)
{
	struct fb_rig *r = arg;
	fb_lane_start(r->lane, on_lane_started, r);
}

static bool lane_answered(struct fb_rig *r, void *arg)
{
	(void)arg;
	return r->lane_answered;
}

static enum fb_status ask_lane(struct fb_rig *r)
{
	enum fb_status st;

	r->lane_answered = false;
	fb_loop_post(r->loop, start_lane, r);
	rig_lock(r);
	rig_wait(r, lane_answered, NULL, "the lane has started");
	st = r->lane_status;
	rig_unlock(r);
	return st;
}

enum fb_status fb_rig_start(struct fb_rig *r)
{
	enum fb_status st;

	FB_ASSERT(!fb_rig_runs(r));
	atomic_store(&r->crashed, false);
	open_parts(r);
	st = open_engines(r);
	fb_loop_start(r->loop, "rig");
	if (st == FB_OK)
		st = ask_lane(r);
	if (st != FB_OK)
		fb_rig_stop(r);
	return st;
}

bool fb_rig_runs(const struct fb_rig *r)
{
	return r->loop != NULL;
}

static void drain(void *arg)
{
	struct fb_rig *r = arg;

	if (r->settle != NULL)
		fb_settle_drain(r->settle);
}

static void close_outside(void *arg)
{
	struct fb_rig *r = arg;

	if (r->lane != NULL)
		fb_lane_stop(r->lane);
	fb_head_stop(r->head);
	fb_rpc_close(r->rpc);
	fb_view_close(r->view);
}

static void close_engines(void *arg)
{
	struct fb_rig *r = arg;

	for (int m = 0; r->settle != NULL && m < FB_SETTLE_MOVE_END; m++)
		r->settle_moves[m] += fb_settle_moves(r->settle, (enum fb_settle_move)m);
	fb_settle_close(r->settle);
	for (int m = 0; r->lane != NULL && m < FB_LANE_MOVE_END; m++)
		r->moves[m] += fb_lane_moves(r->lane, (enum fb_lane_move)m);
	fb_lane_close(r->lane);
	fb_head_close(r->head);
}

static void close_store(struct fb_rig *r)
{
	struct fb_store *store = r->store;

	rig_lock(r);
	r->store = NULL; /* the chain's thread looks into it */
	rig_unlock(r);
	fb_store_close(store);
}

static void close_all(struct fb_rig *r, void (*between)(void *rig))
{
	fb_rig_on_loop(r, close_outside, r);
	if (between != NULL)
		between(r);
	fb_writer_close(r->writer);
	fb_rig_on_loop(r, close_engines, r);
	fb_loop_close(r->loop);
	close_store(r);
	FB_ASSERT(fb_log_broken_count(r->log) == 0);
	fb_log_close(r->log);
	fb_metrics_close(r->metrics);
	r->loop = NULL;
	r->settle = NULL;
	r->lane = NULL;
	r->head = NULL;
}

void fb_rig_drain(struct fb_rig *r)
{
	fb_rig_on_loop(r, drain, r);
}

void fb_rig_stop_with(struct fb_rig *r, void (*between)(void *rig))
{
	fb_rig_drain(r);
	close_all(r, between);
}

void fb_rig_stop(struct fb_rig *r)
{
	fb_rig_stop_with(r, NULL);
}

void fb_rig_crash(struct fb_rig *r)
{
	rig_lock(r);
	atomic_store(&r->crashed, true);
	r->disk.held = false;
	rig_unlock(r);
	fb_rig_stop(r);
}

void fb_rig_close(struct fb_rig *r)
{
	struct fb_test_dir dir;

	if (fb_rig_runs(r))
		fb_rig_stop(r);
	if (r->own_sim != NULL)
		fb_sim_close(r->own_sim);
	snprintf(dir.path, sizeof(dir.path), "%s", r->directory);
	if (!r->keeps_directory)
		FB_ASSERT(fb_test_dir_remove(&dir));
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	close(r->nowhere);
	free(r->answers);
	free(r);
}

/* ---- on the loop ---------------------------------------------------------------------------------------------------
 */

struct visit {
	struct fb_rig *rig;
	void (*fn)(void *arg);
	void *arg;
	bool over;
};

static void visit(void *arg)
{
	struct visit *v = arg;

	v->fn(v->arg);
	rig_lock(v->rig);
	v->over = true;
	rig_unlock(v->rig);
}

static bool is_over(struct fb_rig *r, void *arg)
{
	(void)r;
	return ((const struct visit *)arg)->over;
}

void fb_rig_on_loop(struct fb_rig *r, void (*fn)(void *arg), void *arg)
{
	struct visit v = { r, fn, arg, false };

	fb_loop_post(r->loop, visit, &v);
	rig_lock(r);
	rig_wait(r, is_over, &v, "the loop ran a function");
	rig_unlock(r);
}

struct counted {
	struct fb_lane *lane;
	size_t rows, included;
};

static void count_rows(void *arg)
{
	struct counted *c = arg;

	c->rows = fb_lane_open_count(c->lane);
	c->included = fb_lane_included_count(c->lane);
}

size_t fb_rig_open_rows(struct fb_rig *r)
{
	struct counted c = { r->lane, 0, 0 };

	fb_rig_on_loop(r, count_rows, &c);
	return c.rows;
}

size_t fb_rig_included_rows(struct fb_rig *r)
{
	struct counted c = { r->lane, 0, 0 };

	fb_rig_on_loop(r, count_rows, &c);
	return c.included;
}

/* ---- parts ---------------------------------------------------------------------------------------------------------
 */

void fb_rig_use_key(struct fb_rig *r, const struct fb_key *signer)
{
	FB_ASSERT(!fb_rig_runs(r));
	r->key = *signer;
}

void fb_rig_use_chain(struct fb_rig *r, struct fb_sim *other)
{
	FB_ASSERT(!fb_rig_runs(r));
	r->sim = other == NULL ? r->own_sim : other;
	fb_sim_on_send(r->sim, rig_check_sent, r);
}

const char *fb_rig_sentence(const struct fb_rig *r)
{
	return r->sentence;
}

struct fb_sim *fb_rig_sim(struct fb_rig *r)
{
	return r->sim;
}

struct fb_address fb_rig_signer(const struct fb_rig *r)
{
	return fb_key_address(&r->key);
}

const struct fb_network *fb_rig_network(const struct fb_rig *r)
{
	return &r->network;
}

struct fb_loop *fb_rig_loop(struct fb_rig *r)
{
	return r->loop;
}

struct fb_rpc *fb_rig_rpc(struct fb_rig *r)
{
	return r->rpc;
}

struct fb_view *fb_rig_view(struct fb_rig *r)
{
	return r->view;
}

uint64_t fb_rig_moves(struct fb_rig *r, enum fb_lane_move m)
{
	return r->moves[m];
}

uint64_t fb_rig_settle_moves(struct fb_rig *r, enum fb_settle_move m)
{
	return r->settle_moves[m];
}

struct fb_head *fb_rig_head(struct fb_rig *r)
{
	return r->head;
}

struct fb_lane *fb_rig_lane(struct fb_rig *r)
{
	return r->lane;
}
