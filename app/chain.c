/* Everything under the API: the chain's loop and RPC first, and the chain checked through them before anything
 * is stored; then store, writer and engines; closed in reverse. */
#include "latch.h"
#include "server.h"

#include "farebox/os.h"

enum { GWEI = 1000000000, POLL_MS = 1000, LOCAL_POLL_MS = 500 };

/* ---- what the chain says while we run ------------------------------------------------------------------ */

static void on_head(void *arg, const struct fb_head_report *r)
{
	struct fb_server *s = arg;
	int64_t age = r->status == FB_OK ? fb_clock_wall_s(&s->clock) - (int64_t)r->block_time_s : 0;
	bool stale = age > (int64_t)s->conf.head_max_age_s && !s->conf.local_chain;
	fb_u128 balance;

	if (stale && !fb_ops_has(&s->ops, FB_OPS_CHAIN_STALE))
		fb_log(s->log, FB_EV_CHAIN_STALE, FB_F_U64("block", r->block), FB_F_U64("age_s", (uint64_t)age));
	fb_ops_set(&s->ops, FB_OPS_CHAIN_DOWN,
		   r->status != FB_OK && r->status != FB_MISMATCH && r->status != FB_CONFLICT);
	fb_ops_set(&s->ops, FB_OPS_CHAIN_PARTED, r->status == FB_CONFLICT);
	fb_ops_set(&s->ops, FB_OPS_CHAIN_OTHER, r->status == FB_MISMATCH);
	fb_ops_set(&s->ops, FB_OPS_CHAIN_STALE, stale);
	fb_ops_set(&s->ops, FB_OPS_BROKEN, fb_log_broken_count(s->log) > 0);
	fb_server_indexer_hears(s, r);
	if (r->status != FB_OK)
		return;
	fb_metric_set(s->metrics, FB_M_CHAIN_HEAD, r->block);
	fb_metric_set(s->metrics, FB_M_CHAIN_AGE, age > 0 ? (uint64_t)age : 0);
	if (s->lane == NULL || !fb_lane_balance(s->lane, &balance))
		return;
	if (balance < (fb_u128)s->conf.signer_min_gwei * GWEI && !fb_ops_has(&s->ops, FB_OPS_SIGNER_LOW))
		fb_log(s->log, FB_EV_SIGNER_LOW, FB_F_HEX("signer", fb_lane_signer(s->lane)->bytes, 20),
		       FB_F_U64("gwei", (uint64_t)(balance / GWEI)));
	fb_ops_set(&s->ops, FB_OPS_SIGNER_LOW, balance < (fb_u128)s->conf.signer_min_gwei * GWEI);
}

struct opening {
	struct fb_server *server;
	struct fb_error *error;
	enum fb_status status;
};

/* ---- opening ---------------------------------------------------------------------------------------------- */

static enum fb_status open_store(struct fb_server *s, struct fb_error *e)
{
	const struct fb_writer_settings settings = { .clock = s->clock, .rng = fb_os_rng() };
	enum fb_status st = fb_os_make_dirs(s->data, e);

	if (st == FB_OK)
		st = fb_writer_open_store(&s->store, s->data, s->log, e);
	if (st == FB_OK)
		st = fb_writer_open(&s->writer, s->store, &settings, s->log, s->metrics, e);
	return st;
}

enum fb_status fb_server_open_rpc(struct fb_server *s, struct fb_error *e)
{
	struct fb_rpc_settings settings = { .url_count = s->network.rpc_url_count,
					    .timeout_ms = s->conf.rpc_timeout_ms };
	enum fb_status st = fb_loop_open(&s->loop);

	for (size_t i = 0; i < settings.url_count; i++)
		settings.urls[i] = s->network.rpc_urls[i];
	if (st == FB_OK)
		st = fb_net_open(&s->net, s->loop);
	if (st == FB_OK)
		st = fb_rpc_open(&s->rpc, s->loop, &settings, s->log, s->metrics);
	return st == FB_OK ? st : fb_error_set(e, st, "the event loop cannot be opened: %s", fb_status_info(st)->name);
}

static void own_lane(struct fb_server *s, struct fb_commit commit, const struct fb_settle_settings *settings)
{
	struct fb_lane_owner owner;

	fb_settle_open(&s->settle, s->loop, &s->network, s->rpc, s->view, s->lane, s->store, commit, settings, s->clock,
		       s->log, s->metrics);
	owner = fb_settle_owner(s->settle);
	fb_lane_own(s->lane, 'S', &owner);
}

static void start_head(struct fb_server *s)
{
	uint64_t unset_ms = s->conf.local_chain ? LOCAL_POLL_MS : POLL_MS;
	struct fb_head_settings settings = { .chain_id = s->network.chain_id,
					     .poll_ms = s->conf.head_poll_ms == 0 ? unset_ms : s->conf.head_poll_ms,
					     .depth_max = s->conf.reorg_depth_max,
					     .confirmations = s->conf.confirmations,
					     .finality_blocks = s->conf.finality_blocks };

	fb_head_open(&s->head, s->loop, s->rpc, &settings, s->log, s->metrics, on_head, s);
}

/* On the loop's thread. */
static void open_engines(void *arg)
{
	struct opening *o = arg;
	struct fb_server *s = o->server;
	struct fb_commit commit = fb_writer_port(s->writer);
	struct fb_lane_settings lane = { .chain_id = s->network.chain_id,
					 .receipt_poll_ms = s->conf.receipt_poll_ms,
					 .bump_ms = s->conf.bump_ms,
					 .max_fee_wei = (fb_u128)s->conf.max_fee_gwei * GWEI,
					 .budget_day_wei = (fb_u128)s->conf.gas_budget_day_gwei * GWEI };
	struct fb_settle_settings settle = { .wait_ms = s->conf.settle_wait_ms,
					     .gas_limit_max = s->conf.gas_limit_max,
					     .max_fee_wei = (fb_u128)s->conf.max_fee_gwei * GWEI };

	struct fb_lane_ports ports;

	start_head(s);
	ports = (struct fb_lane_ports){ .loop = s->loop, .rpc = s->rpc, .head = s->head, .store = s->store,
					.commit = commit, .clock = s->clock, .log = s->log, .metrics = s->metrics };
	fb_view_open(&s->view, s->loop, s->rpc, s->metrics);
	o->status = fb_lane_open(&s->lane, &ports, &s->key, &lane, o->error);
	if (o->status == FB_OK)
		own_lane(s, commit, &settle);
	if (o->status == FB_OK)
		o->status = fb_server_open_indexer(s, o->error);
}

/* ---- the checks before anything is served -------------------------------------------------------------------- */

struct check {
	struct fb_server *server;
	struct fb_latch latch;
};

static void on_checked(void *arg, enum fb_status status, const char *sentence)
{
	struct check *c = arg;

	fb_latch_set(&c->latch, status, sentence);
}

static void check_network(void *arg)
{
	struct check *c = arg;

	fb_network_check(c->server->rpc, &c->server->network, on_checked, c);
}

static void start_lane(void *arg)
{
	struct check *c = arg;
	fb_lane_start(c->server->lane, on_checked, c);
}

static enum fb_status await(struct fb_server *s, void (*what)(void *arg), struct fb_error *e)
{
	struct check c = { .server = s };
	const char *origin = s->conf.rpc_url[0] != '\0' ? fb_conf_origin(&s->conf, "rpc_url") : "the network file";
	enum fb_status st;

	fb_latch_init(&c.latch);
	fb_loop_post(s->loop, what, &c);
	st = fb_latch_wait(&c.latch);
	if (st != FB_OK)
		fb_error_set(e, st, "%s; rpc_url comes from %s", c.latch.error.text, origin);
	fb_latch_destroy(&c.latch);
	return st;
}

enum fb_status fb_server_open_chain(struct fb_server *s, struct fb_error *e)
{
	struct opening engines = { .server = s, .error = e };
	enum fb_status st = fb_server_open_rpc(s, e);

	if (st != FB_OK)
		return st;
	fb_loop_start(s->loop, "fb-chain");
	s->loop_runs = true;
	st = await(s, check_network, e);
	if (st == FB_OK)
		st = open_store(s, e);
	if (st != FB_OK)
		return st;
	fb_run_on(s->loop, open_engines, &engines);
	if (engines.status != FB_OK)
		return engines.status;
	return await(s, start_lane, e);
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static void drain(void *arg)
{
	struct fb_server *s = arg;

	fb_settle_drain(s->settle);
}

void fb_server_drain(struct fb_server *s)
{
	fb_run_on(s->loop, drain, s);
}

/* Nothing more is asked of the chain or told to it. */
static void close_outside(void *arg)
{
	struct fb_server *s = arg;

	if (s->lane != NULL)
		fb_lane_stop(s->lane);
	fb_head_stop(s->head);
	fb_server_stop_indexer(s);
	fb_rpc_close(s->rpc); /* first: what it is still asked is answered now, to owners that are there */
	fb_view_close(s->view);
}

static void close_engines(void *arg)
{
	struct fb_server *s = arg;

	fb_settle_close(s->settle);
	fb_lane_close(s->lane);
	fb_server_close_indexer(s);
	fb_head_close(s->head);
	fb_net_close(s->net);
}

/* On the loop's thread, which before the start is ours. */
static void run_on_loop(struct fb_server *s, void (*fn)(void *arg))
{
	if (s->loop_runs)
		fb_run_on(s->loop, fn, s);
	else
		fn(s);
}

/* The writer is closed between the two halves: its last confirmations are posts that close_engines comes
 * behind. */
void fb_server_close_chain(struct fb_server *s)
{
	run_on_loop(s, close_outside);
	fb_writer_close(s->writer);
	run_on_loop(s, close_engines);
	fb_loop_close(s->loop);
	fb_store_close(s->store);
}
