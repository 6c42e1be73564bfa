/* farebox indexer rescan: opens what it needs, has the blocks read again, and tells what came of it. */
#include "app.h"
#include "escrow_cli.h"
#include "indexer_cli.h"

#include "farebox/json.h"
#include "farebox/rescan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 2048, SHOWN_MAX = 50, PROGRESS_LOOKS = 10 };

struct rescan {
	struct fb_app_indexer *cli;
	struct fb_credit *credit;
	struct fb_rescan *is;
	enum fb_status status;
	struct fb_error error;
	unsigned looks, shown;
	uint64_t postings; /* made to repair */
};

/* ---- what is told on the way ------------------------------------------------------------------------------------ */
static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	const struct rescan *r = ctx;

	return fb_server_owner_of(r->cli->server, out, wallet);
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	const struct rescan *r = ctx;

	return fb_server_is_payout(r->cli->server, m);
}

static void on_progress(void *ctx, uint64_t block, uint64_t movements)
{
	struct rescan *r = ctx;
	struct fb_rescan_result result;

	if (++r->looks % PROGRESS_LOOKS != 0)
		return;
	fb_rescan_result(r->is, &result);
	fprintf(stderr, "block %llu of %llu..%llu, %llu movements\n", (unsigned long long)block,
		(unsigned long long)result.from, (unsigned long long)result.last, (unsigned long long)movements);
}

static void on_difference(void *ctx, enum fb_rescan_difference d, const struct fb_movement *m)
{
	struct rescan *r = ctx;
	char block[FB_HASH_TEXT_LEN + FB_U128_DIGITS + 2];
	struct fb_buf b;

	if (++r->shown > SHOWN_MAX)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_amount(&b, m->amount);
	fb_buf_text(&b, " ");
	fb_buf_hash(&b, &m->tx);
	fprintf(stderr, "%-9s block %llu, amount and transaction %.*s\n", fb_rescan_difference_text(d),
		(unsigned long long)m->block, FB_STR_ARG(fb_buf_view(&b)));
	if (r->shown == SHOWN_MAX)
		fputs("more of them are counted, not shown\n", stderr);
}

static void on_done(void *ctx, enum fb_status status, const char *sentence)
{
	struct rescan *r = ctx;

	r->status = status == FB_OK ? FB_OK : fb_error_set(&r->error, status, "%s", sentence);
	fb_loop_stop(r->cli->server->loop);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */
static void read_again(struct rescan *r)
{
	struct fb_server *s = r->cli->server;
	const struct fb_head_settings head = fb_server_head_settings(s);
	const struct fb_rescan_settings settings = { .follow = fb_server_follow_settings(s), .from = r->cli->from };
	const struct fb_rescan_ports ports = { .owner_of = owner_of, .is_payout = is_payout, .progress = on_progress,
					       .differs = on_difference, .done = on_done, .ctx = r };

	fb_head_open(&s->head, s->loop, s->rpc, &head, s->log, s->metrics, NULL, NULL);
	fb_rescan_open(&r->is, s->loop, s->rpc, s->second_rpc, s->head, s->store, r->credit, &settings, ports, s->log,
		       s->metrics);
	fb_loop_run(s->loop);
	fb_head_stop(s->head);
	fb_rescan_stop(r->is);
}

/* ---- repair ------------------------------------------------------------------------------------------------------ */
static bool suspense(void *arg, struct fb_amount *out, const struct fb_address *wallet)
{
	const struct rescan *r = arg;
	struct fb_account_key key = { .asset = r->cli->server->credit.asset, .purpose = FB_PURPOSE_SUSPENSE };
	struct fb_account a;

	memcpy(key.owner.bytes, wallet->bytes, FB_OWNER_LEN);
	return fb_writer_balance(r->cli->server->writer, &a, &key) == FB_OK &&
	       fb_amount_sub(out, a.counters.credits_posted, a.counters.debits_posted) == FB_OK;
}

static void repair(struct rescan *r)
{
	struct fb_credit_batch *batch;

	if (!fb_rescan_amend(r->is, suspense, r))
		return;
	batch = fb_must_alloc(1, sizeof(*batch));
	while (r->status == FB_OK && fb_credit_next(r->credit, batch)) {
		r->status = fb_app_indexer_submit(r->cli->server, batch, &r->error);
		r->postings += r->status == FB_OK ? batch->op_count : 0;
	}
	free(batch);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */
static uint64_t differences(const struct fb_rescan_result *o)
{
	uint64_t sum = o->sequence_differs + (uint64_t)o->hash_differs;

	for (size_t i = 0; i < FB_COUNT(o->differences); i++)
		sum += o->differences[i];
	return sum;
}

static void print_json(const struct rescan *r, const struct fb_rescan_result *o, bool repaired)
{
	char page[PAGE_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, page, sizeof(page));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "fromBlock", o->from);
	fb_jw_kv_u64(&w, "lastBlock", o->last);
	fb_jw_kv_u64(&w, "movements", o->movements);
	for (size_t i = 0; i < FB_COUNT(o->differences); i++)
		fb_jw_kv_u64(&w, fb_rescan_difference_text((enum fb_rescan_difference)i), o->differences[i]);
	fb_jw_kv_bool(&w, "eventNumberDiffers", o->sequence_differs);
	fb_jw_kv_bool(&w, "lastHashDiffers", o->hash_differs);
	fb_jw_kv_bool(&w, "repaired", repaired);
	fb_jw_kv_u64(&w, "postings", r->postings);
	fb_jw_kv_bool(&w, "halted", fb_credit_halted(r->credit) != FB_CREDIT_HALT_NONE);
	fb_jw_end(&w);
	printf("%.*s\n", FB_STR_ARG(fb_buf_view(&b)));
}

static void print_lines(const struct rescan *r, const struct fb_rescan_result *o, bool repaired)
{
	printf("blocks        %llu..%llu read again\n", (unsigned long long)o->from, (unsigned long long)o->last);
	printf("movements     %llu\n", (unsigned long long)o->movements);
	for (size_t i = 0; i < FB_COUNT(o->differences); i++)
		printf("%-13s %llu\n", fb_rescan_difference_text((enum fb_rescan_difference)i),
		       (unsigned long long)o->differences[i]);
	printf("event number  %s\n", o->sequence_differs ? "differs" : "agrees");
	printf("last hash     %s\n", o->hash_differs ? "differs" : "agrees");
	if (differences(o) == 0)
		puts("the rows agree with the chain: nothing to repair");
	else if (repaired)
		printf("repaired with %llu postings\n", (unsigned long long)r->postings);
	else
		puts(r->cli->check ? "nothing was repaired: that is done without --check" :
				     "not all of it could be repaired: restore a backup, or call for help");
	if (fb_credit_halted(r->credit) != FB_CREDIT_HALT_NONE)
		printf("crediting is halted still (%s): farebox indexer release ends that\n",
		       fb_credit_halt_text(fb_credit_halted(r->credit)));
}

static int tell(const struct rescan *r)
{
	struct fb_rescan_result o;
	bool repaired;

	if (r->status != FB_OK)
		return fb_app_fail(r->status, r->error.text);
	fb_rescan_result(r->is, &o);
	repaired = differences(&o) > 0 && !r->cli->check && o.differences[FB_RESCAN_UNLIKE] == 0;
	(r->cli->json ? print_json : print_lines)(r, &o, repaired);
	return differences(&o) == 0 || repaired ? FB_EXIT_OK : FB_EXIT_FAILED;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */
static enum fb_status open_store(struct rescan *r)
{
	struct fb_server *s = r->cli->server;
	struct fb_error why = { "" };
	enum fb_status st = r->cli->check ? fb_store_open_reader(&s->store, s->data, &why) :
					    fb_app_indexer_open_writer(s, &why);

	if (st != FB_OK)
		return fb_error_set(&r->error, st, "%s%s", why.text, st != FB_BUSY ? "" :
				    "; stop farebox serve first, or compare alone beside it with --check");
	st = fb_server_open_identity(s, &r->error); /* whose a wallet is decides where its money belongs */
	return st != FB_OK ? st : fb_app_indexer_load(&r->credit, s, &r->error);
}

static enum fb_status open_chain(struct rescan *r)
{
	struct fb_app_escrow ask = { .server = r->cli->server };
	enum fb_status st = fb_server_open_rpc(r->cli->server, &r->error);

	if (st != FB_OK)
		return st;
	st = fb_app_escrow_check(&ask);
	if (st != FB_OK)
		return fb_error_set(&r->error, st, "%s", ask.error.text);
	return fb_server_open_second(r->cli->server, &r->error);
}

static void close_all(struct rescan *r)
{
	struct fb_server *s = r->cli->server;

	fb_rpc_close(s->second_rpc);
	fb_rpc_close(s->rpc);
	fb_rescan_close(r->is);
	fb_head_close(s->head);
	fb_net_close(s->net);
	fb_credit_close(r->credit);
	fb_writer_close(s->writer);
	fb_identity_close(s->identity);
	fb_loop_close(s->loop);
}

int fb_app_indexer_rescan(struct fb_app_indexer *c)
{
	struct rescan r = { .cli = c };
	int code;

	r.status = open_store(&r);
	if (r.status == FB_OK)
		r.status = open_chain(&r);
	if (r.status == FB_OK)
		read_again(&r);
	if (r.status == FB_OK && !c->check)
		repair(&r);
	code = tell(&r);
	close_all(&r);
	return code;
}
