/* Withdrawals: their settings, their key and its lane, and when nothing may be paid out. */
#include "app.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

enum { GWEI = 1000000000 };

static enum fb_status bad(struct fb_server *s, struct fb_error *e, const char *name, const char *want)
{
	return fb_error_set(e, FB_BAD_VALUE, "%s (%s): %s", name, fb_conf_origin(&s->conf, name), want);
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

static enum fb_status read_rung(struct fb_server *s, enum fb_credit_rung *out, struct fb_error *e)
{
	static const char *const texts[] = {
#define X(name, text) [FB_CREDIT_##name] = text,
		FB_CREDIT_RUNGS(X)
#undef X
	};
	size_t i = 0;

	while (i < FB_COUNT(texts) && !fb_str_eq(fb_str_of(texts[i]), fb_str_of(s->conf.withdraw_rung)))
		i++;
	if (i == FB_COUNT(texts))
		return bad(s, e, "withdraw_rung", "want blocks, safe or finalized");
	*out = (enum fb_credit_rung)i;
	return FB_OK;
}

static enum fb_status read_terms(struct fb_server *s, struct fb_error *e)
{
	const struct fb_conf *c = &s->conf;
	struct fb_payout_settings *p = &s->payout_settings;

	if (c->withdraw_min <= c->withdraw_fee)
		return bad(s, e, "withdraw_min", "want more than withdraw_fee: something must arrive");
	if (c->withdraw_max < c->withdraw_min)
		return bad(s, e, "withdraw_max", "want at least withdraw_min");
	if (c->withdraw_day_max != 0 && c->withdraw_day_max < c->withdraw_min)
		return bad(s, e, "withdraw_day_max", "want at least withdraw_min, or 0 for no limit");
	*p = (struct fb_payout_settings){ .escrow = s->credit.escrow, .asset = FB_SERVER_ASSET,
					  .from_block = s->credit.from_block, .blocks = c->withdraw_blocks,
					  .min = { c->withdraw_min }, .max = { c->withdraw_max },
					  .fee = { c->withdraw_fee }, .day_max = { c->withdraw_day_max },
					  .max_fee_wei = (fb_u128)c->max_fee_gwei * GWEI,
					  .range_max = c->log_range_max };
	return read_rung(s, &p->rung, e);
}

/* A key of its own: whoever settles must not be able to pay out, and one lane must not take the other's nonces. */
static enum fb_status read_key(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = fb_server_load_key(s, &s->payout_key, s->conf.payout_key, e);
	struct fb_address address, other;

	if (st != FB_OK)
		return st;
	s->has_payout_key = true;
	address = fb_key_address(&s->payout_key);
	for (size_t i = 0; i < s->signer_count; i++) {
		other = fb_key_address(&s->signers[i]);
		if (fb_address_eq(&address, &other))
			return bad(s, e, "payout_key", "it is one of the keys that settle: payouts need a key of their own");
	}
	return FB_OK;
}

enum fb_status fb_server_read_payout(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = read_terms(s, e);

	if (st != FB_OK || s->conf.payout_key[0] == '\0')
		return st;
	if (!s->network.has_escrow)
		return bad(s, e, "payout_key", "it is set without an escrow: set ESCROW_ADDRESS too");
	return read_key(s, e);
}

/* ---- ports ------------------------------------------------------------------------------------------------------- */

bool fb_server_is_payout(void *ctx, const struct fb_movement *m)
{
	const struct fb_server *s = ctx;
	const struct fb_payout_rows rows = fb_server_payout_rows(s);

	return fb_payout_ordered(&rows, m);
}

struct fb_payout_rows fb_server_payout_rows(const struct fb_server *s)
{
	return (struct fb_payout_rows){ s->store, s->credit.escrow };
}

static const char *stopped(void *ctx)
{
	struct fb_server *s = ctx;
	struct fb_follow_status status;

	if (fb_reserve_differs(s->reserve))
		return "the escrow does not hold what the books say";
	fb_follow_status(s->follow, &status);
	if (status.halt != FB_CREDIT_HALT_NONE || status.dead)
		return "crediting is halted";
	if (fb_ops_has(&s->ops, FB_OPS_CHAIN_OTHER))
		return "the RPC endpoint serves another chain";
	return fb_ops_has(&s->ops, FB_OPS_CHAIN_PARTED) ? "the chain took back what was final" : NULL;
}

void fb_server_look_at_payouts(struct fb_server *s)
{
	struct fb_payout_status status;
	fb_u128 balance = 0;
	bool low;

	if (s->payout == NULL)
		return;
	fb_payout_status(s->payout, &status);
	low = status.low;
	if (fb_lane_balance(s->payout_lane, &balance)) {
		low |= balance < (fb_u128)s->conf.signer_min_gwei * GWEI;
		fb_metric_set(s->metrics, FB_M_PAYOUT_GWEI,
			      (uint64_t)(balance / GWEI > UINT64_MAX ? UINT64_MAX : balance / GWEI));
	}
	fb_ops_set(&s->ops, FB_OPS_PAYOUT_LOW, low);
	fb_ops_set(&s->ops, FB_OPS_PAYOUT_ROLE, status.role_missing);
	fb_ops_set(&s->ops, FB_OPS_ESCROW_PAUSED, status.escrow_paused);
	fb_metric_set(s->metrics, FB_M_PAYOUTS_STOPPED, fb_payout_stopped(s->payout) != NULL);
}

static void on_changed(void *ctx)
{
	struct fb_server *s = ctx;

	if (s->payout != NULL) /* else still being opened */
		fb_server_look_at_payouts(s);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static enum fb_status open_lane(struct fb_server *s, const struct fb_lane_ports *ports, struct fb_error *e)
{
	struct fb_lane_settings settings = fb_server_lane_settings(s);

	s->payout_gas = (struct fb_gas){ s->loop, s->writer, fb_key_address(&s->payout_key), FB_SERVER_NATIVE_ASSET };
	settings.spent_ctx = &s->payout_gas;
	return fb_lane_open(&s->payout_lane, ports, &s->payout_key, &settings, e);
}

enum fb_status fb_server_open_payout(struct fb_server *s, const struct fb_lane_ports *lane, struct fb_error *e)
{
	struct fb_payout_ports ports = { .loop = s->loop, .rpc = s->rpc, .second = s->second_rpc, .head = s->head,
					 .store = s->store, .writer = s->writer, .clock = s->clock, .rng = s->rng,
					 .log = s->log, .metrics = s->metrics, .stopped = stopped,
					 .changed = on_changed, .ctx = s };
	enum fb_status st;

	if (!s->has_payout_key)
		return FB_OK;
	st = open_lane(s, lane, e);
	ports.lane = s->payout_lane;
	return st == FB_OK ? fb_payout_open(&s->payout, &ports, &s->payout_settings, e) : st;
}

void fb_server_stop_payout(struct fb_server *s)
{
	fb_payout_stop(s->payout);
	if (s->payout_lane != NULL)
		fb_lane_stop(s->payout_lane);
}

void fb_server_close_payout(struct fb_server *s)
{
	fb_payout_close(s->payout);
	fb_lane_close(s->payout_lane);
}
