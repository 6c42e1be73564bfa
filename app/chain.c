/* Everything under the API: the chain's loop and RPC first, and the chain checked through them before anything
 * is stored; then store, writer and engines; closed in reverse. */
#include "hold.h"
#include "latch.h"
#include "server.h"

#include "farebox/os.h"

enum { GWEI = 1000000000, POLL_MS = 1000, LOCAL_POLL_MS = 500 };

/* ---- what the chain says while we run ------------------------------------------------------------------ */

/* True if the signer has too little; said in the log when that begins. */
static bool is_low(struct fb_server *s, size_t i, fb_u128 balance)
{
	bool low = balance < (fb_u128)s->conf.signer_min_gwei * GWEI;

	if (low && !s->signer_low[i])
		fb_log(s->log, FB_EV_SIGNER_LOW, FB_F_HEX("signer", fb_lane_signer(s->lanes[i])->bytes, 20),
		       FB_F_U64("gwei", (uint64_t)(balance / GWEI)));
	s->signer_low[i] = low;
	return low;
}

/* Not ready while one of them has too little: its share of the payments would wait. */
static void look_at_signers(struct fb_server *s)
{
	fb_u128 balance, lowest = 0;
	bool known = false, low = false;

	for (size_t i = 0; i < s->lane_count; i++) {
		if (!fb_lane_balance(s->lanes[i], &balance))
			continue;
		lowest = !known || balance < lowest ? balance : lowest;
		known = true;
		low |= is_low(s, i, balance);
	}
	if (known)
		fb_metric_set(s->metrics, FB_M_SIGNER_GWEI,
			      (uint64_t)(lowest / GWEI > UINT64_MAX ? UINT64_MAX : lowest / GWEI));
	fb_ops_set(&s->ops, FB_OPS_SIGNER_LOW, low);
}

static void on_head(void *arg, const struct fb_head_report *r)
{
	struct fb_server *s = arg;
	int64_t age = r->status == FB_OK ? fb_clock_wall_s(&s->clock) - (int64_t)r->block_time_s : 0;
	bool stale = age > (int64_t)s->conf.head_max_age_s && !s->conf.local_chain;

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
	look_at_signers(s);
	fb_server_look_at_payouts(s);
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

struct fb_head_settings fb_server_head_settings(const struct fb_server *s)
{
	uint64_t unset_ms = s->conf.local_chain ? LOCAL_POLL_MS : POLL_MS;

	return (struct fb_head_settings){ .chain_id = s->network.chain_id,
					  .poll_ms = s->conf.head_poll_ms == 0 ? unset_ms : s->conf.head_poll_ms,
					  .depth_max = s->conf.reorg_depth_max,
					  .confirmations = s->conf.confirmations,
					  .finality_blocks = s->conf.finality_blocks };
}

static void start_head(struct fb_server *s)
{
	struct fb_head_settings settings = fb_server_head_settings(s);

	fb_head_open(&s->head, s->loop, s->rpc, &settings, s->log, s->metrics, on_head, s);
}

static struct fb_lane_ports lane_ports(const struct fb_server *s)
{
	return (struct fb_lane_ports){ .loop = s->loop, .rpc = s->rpc, .head = s->head, .store = s->store,
				       .commit = fb_writer_port(s->writer), .clock = s->clock, .log = s->log,
				       .metrics = s->metrics };
}

static struct fb_gas *gas_of(struct fb_server *s, size_t i)
{
	s->gas[i] = (struct fb_gas){ s->loop, s->writer, fb_key_address(&s->signers[i]), FB_SERVER_NATIVE_ASSET };
	return &s->gas[i];
}

struct fb_lane_settings fb_server_lane_settings(const struct fb_server *s)
{
	fb_u128 budget = (fb_u128)s->conf.gas_budget_day_gwei * GWEI;

	return (struct fb_lane_settings){ .chain_id = s->network.chain_id,
					  .receipt_poll_ms = s->conf.receipt_poll_ms,
					  .bump_ms = s->conf.bump_ms,
					  .max_fee_wei = (fb_u128)s->conf.max_fee_gwei * GWEI,
					  .budget_day_wei = budget / (s->signer_count + s->has_payout_key),
					  .spent = fb_gas_spent };
}

/* One for each key. */
static enum fb_status open_lanes(struct fb_server *s, struct fb_error *e)
{
	struct fb_lane_settings settings = fb_server_lane_settings(s);
	struct fb_lane_ports ports = lane_ports(s);
	enum fb_status st = FB_OK;

	while (st == FB_OK && s->lane_count < s->signer_count) {
		settings.spent_ctx = gas_of(s, s->lane_count);
		st = fb_lane_open(&s->lanes[s->lane_count], &ports, &s->signers[s->lane_count], &settings, e);
		s->lane_count += st == FB_OK;
	}
	return st;
}

static void open_settle(struct fb_server *s)
{
	struct fb_settle_settings settings = { .wait_ms = s->conf.settle_wait_ms,
					       .gas_limit_max = s->conf.gas_limit_max,
					       .max_fee_wei = (fb_u128)s->conf.max_fee_gwei * GWEI,
					       .batch_max = s->conf.batch_max,
					       .batch_gas_max = s->conf.batch_gas_max,
					       .batch_age_ms = s->conf.batch_age_ms,
					       .payer_day_wei = (fb_u128)s->conf.payer_gas_day_gwei * GWEI,
					       .api_key_day_wei = (fb_u128)s->conf.api_key_gas_day_gwei * GWEI,
					       .batch_inflight = s->conf.batch_inflight,
					       .reorg_depth_max = s->conf.reorg_depth_max };
	struct fb_lane_owner owner;

	fb_settle_open(&s->settle, s->loop, &s->network, s->rpc, s->view, s->head, s->lanes, s->lane_count, s->store,
		       fb_writer_port(s->writer), &settings, s->clock, s->log, s->metrics);
	owner = fb_settle_owner(s->settle);
	for (size_t i = 0; i < s->lane_count; i++)
		fb_lane_own(s->lanes[i], 'S', &owner);
	fb_settlements_open(&s->settlements, s->loop, &s->network, s->settle, s->head, s->clock);
}

static enum fb_status open_payout(struct fb_server *s, struct fb_error *e)
{
	const struct fb_lane_ports ports = lane_ports(s);

	return fb_server_open_payout(s, &ports, e);
}

/* On the loop's thread. */
static void open_engines(void *arg)
{
	struct opening *o = arg;
	struct fb_server *s = o->server;

	start_head(s);
	fb_view_open(&s->view, s->loop, s->rpc, s->metrics);
	o->status = open_lanes(s, o->error);
	if (o->status == FB_OK)
		open_settle(s);
	if (o->status == FB_OK)
		o->status = fb_server_open_indexer(s, o->error);
	if (o->status == FB_OK)
		o->status = open_payout(s, o->error);
}

/* ---- the checks before anything is served -------------------------------------------------------------------- */

struct check {
	struct fb_server *server;
	size_t lane; /* to be started */
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
	fb_lane_start(c->server->lanes[c->lane], on_checked, c);
}

static void on_payout_started(void *arg, enum fb_status status, const char *sentence)
{
	struct check *c = arg;

	if (status == FB_OK)
		fb_payout_start(c->server->payout);
	on_checked(c, status, sentence);
}

static void start_payout(void *arg)
{
	struct check *c = arg;

	fb_lane_start(c->server->payout_lane, on_payout_started, c);
}

static enum fb_status await(struct fb_server *s, void (*what)(void *arg), size_t lane, struct fb_error *e)
{
	struct check c = { .server = s, .lane = lane };
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
	st = await(s, check_network, 0, e);
	if (st == FB_OK)
		st = fb_server_check_escrow(s, e);
	if (st == FB_OK)
		st = fb_server_hold_signers(s, e);
	if (st == FB_OK)
		st = open_store(s, e);
	if (st == FB_OK)
		st = fb_server_open_identity(s, e);
	if (st != FB_OK)
		return st;
	fb_run_on(s->loop, open_engines, &engines);
	if (engines.status != FB_OK)
		return engines.status;
	for (size_t i = 0; st == FB_OK && i < s->lane_count; i++)
		st = await(s, start_lane, i, e);
	return st == FB_OK && s->payout != NULL ? await(s, start_payout, 0, e) : st;
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

static void drain(void *arg)
{
	struct fb_server *s = arg;

	fb_settle_drain(s->settle);
	fb_settlements_drain(s->settlements);
}

void fb_server_drain(struct fb_server *s)
{
	fb_run_on(s->loop, drain, s);
}

/* Nothing more is asked of the chain or told to it. */
static void close_outside(void *arg)
{
	struct fb_server *s = arg;

	for (size_t i = 0; i < s->lane_count; i++)
		fb_lane_stop(s->lanes[i]);
	fb_server_stop_payout(s);
	fb_settlements_drain(s->settlements); /* also when the start failed */
	fb_head_stop(s->head);
	fb_server_stop_indexer(s);
	fb_rpc_close(s->rpc); /* first: what it is still asked is answered now, to owners that are there */
	fb_view_close(s->view);
}

static void close_engines(void *arg)
{
	struct fb_server *s = arg;

	fb_settlements_close(s->settlements);
	fb_settle_close(s->settle);
	for (size_t i = 0; i < s->lane_count; i++)
		fb_lane_close(s->lanes[i]);
	fb_server_close_payout(s);
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
	fb_identity_close(s->identity);
	fb_store_close(s->store);
	fb_server_release_signers(s);
}
