/* The escrow's indexer and the reserve check: opened if an escrow is configured, shown in readiness. */
#include "server.h"

#include <string.h>

static const char *const rungs[] = {
#define X(name, text) [FB_CREDIT_##name] = text,
	FB_CREDIT_RUNGS(X)
#undef X
};

enum fb_status fb_server_read_credit(struct fb_server *s, struct fb_error *e)
{
	struct fb_credit_settings *c = &s->credit;
	const struct fb_network *n = &s->network;
	size_t rung = 0;

	while (rung < FB_COUNT(rungs) && !fb_str_eq(fb_str_of(rungs[rung]), fb_str_of(s->conf.credit_rung)))
		rung++;
	if (rung == FB_COUNT(rungs))
		return fb_error_set(e, FB_BAD_VALUE, "credit_rung (%s): \"%.40s\" is none: want blocks, safe or finalized",
				    fb_conf_origin(&s->conf, "credit_rung"), s->conf.credit_rung);
	*c = (struct fb_credit_settings){ .asset = FB_SERVER_ASSET, .rung = (enum fb_credit_rung)rung,
					  .blocks = s->conf.credit_blocks,
					  .early_max = { s->conf.credit_early_max },
					  .early_cap = { s->conf.credit_early_cap } };
	if (!n->has_escrow)
		return FB_OK;
	c->escrow = (struct fb_escrow){ n->chain_id, n->escrow, n->tokens[0].address };
	c->from_block = n->escrow_block > 0 ? n->escrow_block : 1;
	return FB_OK;
}

bool fb_server_owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	struct fb_server *s = ctx;

	return s->identity != NULL && fb_identity_owner_of(s->identity, out, wallet);
}

/* Of all that are proven: a crash may have come between a proof and the claim it gives, and wishes may have been too
 * many. */
static void claim_if_any(void *arg, const struct fb_address *wallet)
{
	struct fb_server *s = arg;
	struct fb_account_key key = { { { 0 } }, FB_SERVER_ASSET, FB_PURPOSE_SUSPENSE };
	struct fb_account account;

	memcpy(key.owner.bytes, wallet->bytes, sizeof(wallet->bytes));
	if (fb_writer_balance(s->writer, &account, &key) == FB_OK &&
	    fb_amount_cmp(account.counters.debits_posted, account.counters.credits_posted) < 0)
		fb_server_wallet_proven(s, wallet); /* later: the claim asks for the owner, and the tables are locked now */
}

static void claim_missed(struct fb_server *s)
{
	if (!s->claims_missed)
		return;
	s->claims_missed = false;
	fb_identity_wallets(s->identity, claim_if_any, s);
}

void fb_server_indexer_claims(struct fb_server *s, const struct fb_address *wallet)
{
	if (s->follow != NULL && fb_follow_claim(s->follow, wallet) != FB_OK)
		s->claims_missed = true;
}

static void on_indexed(void *ctx)
{
	struct fb_server *s = ctx;
	struct fb_follow_status status;

	if (s->reserve == NULL) /* still being opened */
		return;
	fb_follow_status(s->follow, &status);
	fb_ops_set(&s->ops, FB_OPS_INDEXER_HALTED, status.halt != FB_CREDIT_HALT_NONE);
	if (!status.working)
		claim_missed(s);
	fb_reserve_wake(s->reserve);
}

static void on_compared(void *arg)
{
	struct fb_server *s = arg;
	struct fb_reserve_status status;

	fb_reserve_status(s->reserve, &status);
	atomic_store(&s->ops.reserve_first, status.bad);
	fb_ops_set(&s->ops, FB_OPS_RESERVES, status.differs);
}

/* The same endpoints, the next one first. */
enum fb_status fb_server_open_second(struct fb_server *s, struct fb_error *e)
{
	struct fb_rpc_settings settings = { .url_count = s->network.rpc_url_count,
					    .timeout_ms = s->conf.rpc_timeout_ms };
	enum fb_status st;

	if (settings.url_count < 2)
		return FB_OK;
	for (size_t i = 0; i < settings.url_count; i++)
		settings.urls[i] = s->network.rpc_urls[(i + 1) % settings.url_count];
	st = fb_rpc_open(&s->second_rpc, s->loop, &settings, s->log, s->metrics);
	return st == FB_OK ? st : fb_error_set(e, st, "a second RPC client cannot be opened: %s", fb_status_info(st)->name);
}

struct fb_follow_settings fb_server_follow_settings(const struct fb_server *s)
{
	return (struct fb_follow_settings){ .credit = s->credit, .range_max = s->conf.log_range_max,
					    .doubts_max = s->conf.log_doubts_max };
}

enum fb_status fb_server_open_indexer(struct fb_server *s, struct fb_error *e)
{
	const struct fb_follow_settings settings = fb_server_follow_settings(s);
	const struct fb_follow_ports ports = { .owner_of = fb_server_owner_of, .is_payout = fb_server_is_payout,
					       .changed = on_indexed, .ctx = s };
	enum fb_status st;

	if (!s->network.has_escrow)
		return FB_OK;
	st = fb_server_open_second(s, e);
	if (st == FB_OK)
		st = fb_follow_open(&s->follow, s->loop, s->rpc, s->second_rpc, s->head, s->writer, s->store, &settings,
				    ports, s->log, s->metrics, e);
	s->claims_missed = true; /* perhaps, by a crash */
	if (st == FB_OK)
		st = fb_reserve_open(&s->reserve, s->loop, s->rpc, s->head, s->follow, s->writer, s->store, &s->credit,
				     on_compared, s, s->log, s->metrics, e);
	if (st == FB_OK)
		on_compared(s); /* an alarm of an earlier life */
	return st;
}

void fb_server_stop_indexer(struct fb_server *s)
{
	if (s->reserve != NULL)
		fb_reserve_stop(s->reserve);
	if (s->follow != NULL)
		fb_follow_stop(s->follow);
	fb_rpc_close(s->second_rpc);
}

void fb_server_close_indexer(struct fb_server *s)
{
	fb_reserve_close(s->reserve);
	fb_follow_close(s->follow);
}

void fb_server_indexer_hears(struct fb_server *s, const struct fb_head_report *r)
{
	if (s->follow != NULL)
		fb_follow_hear(s->follow, r);
}
