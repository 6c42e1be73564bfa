/* farebox indexer: how far the escrow's indexer is, from its rows; letting it go on after it halted; reading again. */
#include "app.h"
#include "indexer_cli.h"
#include "latch.h"

#include "farebox/json.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 128, PAGE_MAX = 2048 };

static int print_help(void)
{
	puts("usage: farebox indexer status [--json] [--SETTING VALUE]…\n"
	     "       farebox indexer rescan [--from BLOCK] [--check] [--json] [--SETTING VALUE]…\n"
	     "       farebox indexer release [--SETTING VALUE]…\n\n"
	     "status tells how far the blocks of the network's escrow are read, what is not final yet, who owes after\n"
	     "a reorg, whether crediting is halted and why, and whether the books and what the escrow holds were found\n"
	     "to differ, and since which block; also beside a running server.\n"
	     "rescan reads the blocks that are done with once more, from BLOCK on or from the escrow's first, without\n"
	     "trust in what is stored, and compares. What was left out is credited; what is in no block, or in another\n"
	     "one, is reversed; all by new postings. The server must be stopped; with --check it may run: then nothing\n"
	     "is repaired, only told. Name two endpoints, of different operators. It releases nothing.\n"
	     "release lets crediting go on after you have looked, and ends the alarm about the reserves, with which\n"
	     "withdrawals may go out again: if they differ still, it comes again. The server must be stopped.\n"
	     "Settings are listed by farebox serve --help.\n\n"
	     "exit code: 0 done, 1 status: a halt or an alarm, rescan: something differs and was not repaired, 64 wrong\n"
	     "usage, 69 the chain cannot be reached, 74 the records cannot be read or are in use, 78 a setting, or what\n"
	     "the chain says, is not as it must be");
	return FB_EXIT_OK;
}

/* ---- the rows, read without a server ------------------------------------------------------------------------ */
static enum fb_stand stands(void *ctx, uint64_t block, const struct fb_hash *hash)
{
	(void)ctx;
	(void)block;
	(void)hash;
	return FB_STAND_UNKNOWN;
}

enum fb_status fb_app_indexer_load(struct fb_credit **out, struct fb_server *s, struct fb_error *e)
{
	struct fb_credit *c;
	enum fb_status st;

	fb_credit_open(&c, &s->credit, (struct fb_credit_ports){ fb_server_owner_of, fb_server_is_payout, stands, s });
	st = fb_follow_rows(c, s->store, &s->credit.escrow, e);
	if (st == FB_OK)
		*out = c;
	else
		fb_credit_close(c);
	return st;
}

/* FB_OK too if there is no alarm: then out->differs is false. */
static enum fb_status load_alarm(struct fb_reserve_status *out, struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = fb_reserve_read(out, s->store, &s->credit.escrow);

	if (st == FB_NOT_FOUND)
		*out = (struct fb_reserve_status){ .differs = false };
	else if (st != FB_OK)
		return fb_error_set(e, st, "the stored alarm about the escrow's reserves cannot be read");
	return FB_OK;
}

/* ---- status ------------------------------------------------------------------------------------------------- */
static void put_alarm(struct fb_jw *w, const struct fb_reserve_status *a)
{
	fb_jw_key(w, "reserves");
	fb_jw_object(w);
	fb_jw_kv_bool(w, "differ", a->differs);
	if (a->differs) {
		fb_jw_kv_text(w, "which", a->ledger ? "ledger" : "chain");
		fb_jw_kv_u64(w, "firstBlock", a->bad);
		fb_jw_kv_u64(w, "lastGoodBlock", a->good);
		fb_jw_kv_u64(w, "seenAtBlock", a->block);
		fb_jw_key(w, "books");
		fb_jw_amount(w, a->books);
		fb_jw_key(w, "chain");
		fb_jw_amount(w, a->chain);
	}
	fb_jw_end(w);
}

static void print_json(const struct fb_credit *c, uint64_t looked, const struct fb_reserve_status *a)
{
	char page[PAGE_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, page, sizeof(page));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "finalBlock", looked);
	fb_jw_kv_u64(&w, "notFinal", fb_credit_count(c));
	fb_jw_kv_u64(&w, "debtors", fb_credit_debtors(c));
	fb_jw_key(&w, "atRisk");
	fb_jw_amount(&w, fb_credit_at_risk(c));
	fb_jw_kv_bool(&w, "halted", fb_credit_halted(c) != FB_CREDIT_HALT_NONE);
	fb_jw_kv_text(&w, "why", fb_credit_halt_text(fb_credit_halted(c)));
	put_alarm(&w, a);
	fb_jw_end(&w);
	printf("%.*s\n", FB_STR_ARG(fb_buf_view(&b)));
}

static void print_alarm(const struct fb_reserve_status *a)
{
	char block[2 * (FB_U128_DIGITS + 1) + 32];
	struct fb_buf b;

	if (!a->differs) {
		puts("reserves      no alarm");
		return;
	}
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, "books ");
	fb_buf_amount(&b, a->books);
	fb_buf_text(&b, ", chain ");
	fb_buf_amount(&b, a->chain);
	printf("reserves      DIFFER, first at block %llu%s (good at block %llu); at block %llu: %.*s\n",
	       (unsigned long long)a->bad, a->bad == a->good + 1 ? "" : " or before it", (unsigned long long)a->good,
	       (unsigned long long)a->block, FB_STR_ARG(fb_buf_view(&b)));
	printf("              %s; withdrawals are stopped until farebox indexer release\n",
	       a->ledger ? "the ledger says something else than was posted" :
			   "the escrow holds something else than was posted");
}

static void print_lines(const struct fb_credit *c, uint64_t looked, const struct fb_reserve_status *a)
{
	char digits[FB_U128_DIGITS + 1];
	struct fb_buf risk;

	fb_buf_init(&risk, digits, sizeof(digits));
	fb_buf_amount(&risk, fb_credit_at_risk(c));
	printf("final block   %llu\n", (unsigned long long)looked);
	printf("not final     %zu movements\n", fb_credit_count(c));
	printf("debtors       %zu\n", fb_credit_debtors(c));
	printf("at risk       %.*s\n", FB_STR_ARG(fb_buf_view(&risk)));
	printf("crediting     %s\n", fb_credit_halt_text(fb_credit_halted(c)));
	print_alarm(a);
}

static int show(struct fb_server *s, bool json)
{
	struct fb_error e = { "" };
	struct fb_reserve_status alarm;
	struct fb_credit *c;
	struct fb_hash hash;
	enum fb_status st = fb_store_open_reader(&s->store, s->data, &e);
	bool halted;

	if (st == FB_OK)
		st = load_alarm(&alarm, s, &e);
	if (st == FB_OK)
		st = fb_app_indexer_load(&c, s, &e);
	if (st != FB_OK)
		return fb_app_fail(st, e.text);
	(json ? print_json : print_lines)(c, fb_credit_looked(c, &hash), &alarm);
	halted = fb_credit_halted(c) != FB_CREDIT_HALT_NONE || alarm.differs;
	fb_credit_close(c);
	return halted ? FB_EXIT_FAILED : FB_EXIT_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */
enum fb_status fb_app_indexer_open_writer(struct fb_server *s, struct fb_error *e)
{
	const struct fb_writer_settings settings = { .clock = s->clock, .rng = fb_os_rng() };
	enum fb_status st = fb_writer_open_store(&s->store, s->data, s->log, e);

	return st != FB_OK ? st : fb_writer_open(&s->writer, s->store, &settings, s->log, s->metrics, e);
}

static void on_written(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	for (size_t i = 0; status == FB_OK && i < count; i++)
		status = results[i].status;
	fb_latch_set(arg, status, "the ledger did not take it");
}

enum fb_status fb_app_indexer_submit(struct fb_server *s, const struct fb_credit_batch *b, struct fb_error *e)
{
	struct fb_latch latch;
	enum fb_status st;

	fb_latch_init(&latch);
	fb_writer_submit(s->writer, &(struct fb_submission){ .ops = b->ops, .op_count = b->op_count, .puts = b->puts,
							     .put_count = b->put_count, .puts_need_ok = true,
							     .done = on_written, .arg = &latch });
	st = fb_latch_wait(&latch);
	if (st != FB_OK)
		fb_error_set(e, st, "%s: %s", latch.error.text, fb_status_info(st)->name);
	fb_latch_destroy(&latch);
	return st;
}

/* ---- release ------------------------------------------------------------------------------------------------ */
static enum fb_status write_release(struct fb_server *s, struct fb_credit *c, struct fb_error *e)
{
	struct fb_credit_batch *batch = fb_must_alloc(1, sizeof(*batch));
	enum fb_status st;

	fb_credit_halt(c, FB_CREDIT_HALT_NONE);
	FB_ASSERT(fb_credit_next(c, batch) && batch->op_count == 0);
	st = fb_app_indexer_submit(s, batch, e);
	free(batch);
	return st;
}

static enum fb_status write_end_of_alarm(struct fb_server *s, struct fb_error *e)
{
	uint8_t key[FB_RESERVE_KEY_LEN];
	struct fb_credit_batch *batch = fb_must_alloc(1, sizeof(*batch));
	enum fb_status st;

	batch->puts[batch->put_count++] = fb_reserve_release_put(key, &s->credit.escrow);
	st = fb_app_indexer_submit(s, batch, e);
	free(batch);
	return st;
}

static enum fb_status release_both(struct fb_server *s, struct fb_credit *c, const struct fb_reserve_status *alarm,
				   struct fb_error *e)
{
	enum fb_status st = FB_OK;

	if (fb_credit_halted(c) == FB_CREDIT_HALT_NONE) {
		puts("crediting is not halted");
	} else {
		printf("was halted: %s\n", fb_credit_halt_text(fb_credit_halted(c)));
		st = write_release(s, c, e);
	}
	if (st != FB_OK || !alarm->differs)
		return st;
	printf("had an alarm: the reserves differ since block %llu\n", (unsigned long long)alarm->bad);
	return write_end_of_alarm(s, e);
}

static int release(struct fb_server *s)
{
	struct fb_error e = { "" };
	struct fb_reserve_status alarm;
	struct fb_credit *c = NULL;
	enum fb_status st = fb_app_indexer_open_writer(s, &e);

	if (st == FB_OK)
		st = load_alarm(&alarm, s, &e);
	if (st == FB_OK)
		st = fb_app_indexer_load(&c, s, &e);
	if (st == FB_OK)
		st = release_both(s, c, &alarm, &e);
	fb_credit_close(c);
	fb_writer_close(s->writer);
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}

/* ---- the command -------------------------------------------------------------------------------------------- */
static enum fb_status read_settings(struct fb_server *s, struct fb_error *e)
{
	enum fb_status st = fb_server_read_network(s, e);

	if (st == FB_OK)
		st = fb_server_read_credit(s, e);
	if (st == FB_OK && !s->network.has_escrow)
		st = fb_error_set(e, FB_BAD_VALUE, "no escrow is configured: set ESCROW_ADDRESS and ESCROW_FROM_BLOCK");
	return st == FB_OK ? fb_server_name_data(s, e) : st;
}

enum action { STATUS, RESCAN, RELEASE, ACTIONS };
static const char *const actions[ACTIONS] = { [STATUS] = "status", [RESCAN] = "rescan", [RELEASE] = "release" };

static int act(enum action action, struct fb_app_indexer *c)
{
	switch (action) {
	case STATUS:
		return show(c->server, c->json);
	case RESCAN:
		return fb_app_indexer_rescan(c);
	case RELEASE:
	case ACTIONS:
		break;
	}
	return release(c->server);
}

static int run(enum action action, struct fb_app_indexer *c, int count, const char *const *args)
{
	struct fb_server *s = c->server;
	struct fb_error e = { "" };
	enum fb_status st = fb_conf_open(&s->conf, count, args, (const char *const *)environ, &e);
	int code;

	if (st != FB_OK)
		return fb_app_fail(st, e.text);
	s->clock = fb_os_clock();
	fb_log_open(&s->log, STDERR_FILENO, FB_BROKEN, s->clock);
	fb_metrics_open(&s->metrics);
	st = read_settings(s, &e);
	code = st == FB_OK ? act(action, c) : fb_app_fail(st, e.text);
	fb_store_close(s->store);
	fb_log_close(s->log);
	fb_metrics_close(s->metrics);
	fb_conf_close(&s->conf);
	return code;
}

/* True if args[*i] is the action's own, and is taken. */
static bool take(struct fb_app_indexer *c, enum action action, int *i, int count, const char *const *args)
{
	if (action != RELEASE && strcmp(args[*i], "--json") == 0)
		return c->json = true;
	if (action == RESCAN && strcmp(args[*i], "--check") == 0)
		return c->check = true;
	if (action != RESCAN || strcmp(args[*i], "--from") != 0 || *i + 1 >= count ||
	    fb_u64_parse(&c->from, fb_str_of(args[*i + 1])) != FB_OK)
		return false;
	(*i)++;
	return true;
}

int fb_command_indexer(int count, const char *const *args)
{
	struct fb_app_indexer c = { .json = false };
	const char *rest[ARGS_MAX];
	enum action action = STATUS;
	int rest_count = 0, code;

	if (fb_app_wants_help(count, args))
		return print_help();
	while (count > 0 && action < ACTIONS && strcmp(args[0], actions[action]) != 0)
		action++;
	if (count < 1 || count > ARGS_MAX || action == ACTIONS)
		return fb_app_usage("want: farebox indexer status, rescan or release; --help says more");
	for (int i = 1; i < count; i++)
		if (!take(&c, action, &i, count, args))
			rest[rest_count++] = args[i];
	c.server = fb_must_alloc(1, sizeof(*c.server));
	code = run(action, &c, rest_count, rest);
	free(c.server);
	return code;
}
