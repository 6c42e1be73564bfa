/* The payout engine with its indexer, lane and ledger on a real chain, without the server around it; told what to do by
 * lines on its input, one answer a line. A wallet's owner is the wallet itself.
 *
 * payout_driver URL DATA CHAIN_ID ESCROW TOKEN FROM_BLOCK, the key in FAREBOX_PAYOUT_KEY
 *   withdraw WALLET AMOUNT KEY   -> the status, the id and the state
 *   state ID                     -> the stored state and reason
 *   hold | release               -> of all
 *   available WALLET             -> balance in the books */
#include "farebox/follow.h"
#include "farebox/os.h"
#include "farebox/payout.h"
#include "farebox/reserve.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASSET = 1, LINE_MAX_LEN = 256, POLL_MS = 100, RPC_MS = 5000, GWEI = 1000000000 };

struct driver {
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_loop *loop;
	struct fb_net *net;
	struct fb_rpc *rpc;
	struct fb_head *head;
	struct fb_lane *lane;
	struct fb_follow *follow;
	struct fb_reserve *reserve;
	struct fb_payout *payout;
	struct fb_escrow escrow;
	uint64_t from;
	const char *url;
	struct fb_key key;
	char line[LINE_MAX_LEN];
	pthread_mutex_t mutex;
	pthread_cond_t told;
	bool done;
};

#define MUST(c)                                                                          \
	do {                                                                             \
		if (!(c)) {                                                              \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c); \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	(void)ctx;
	memcpy(out->bytes, wallet->bytes, FB_OWNER_LEN);
	return true;
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	struct driver *d = ctx;
	const struct fb_payout_rows rows = { d->store, d->escrow };

	return fb_payout_ordered(&rows, m);
}

static const char *stopped(void *ctx)
{
	struct driver *d = ctx;

	return fb_reserve_differs(d->reserve) ? "differs" : NULL;
}

static void on_changed(void *ctx)
{
	struct driver *d = ctx;

	if (d->reserve != NULL)
		fb_reserve_wake(d->reserve);
}

static void on_head(void *arg, const struct fb_head_report *r)
{
	struct driver *d = arg;

	if (d->follow != NULL)
		fb_follow_hear(d->follow, r);
}

static void tell(struct driver *d)
{
	fflush(stdout);
	pthread_mutex_lock(&d->mutex);
	d->done = true;
	pthread_cond_signal(&d->told);
	pthread_mutex_unlock(&d->mutex);
}

static void on_started(void *arg, enum fb_status status, const char *sentence)
{
	struct driver *d = arg;

	if (status != FB_OK)
		fprintf(stderr, "%s\n", sentence);
	MUST(status == FB_OK);
	fb_payout_start(d->payout);
	puts("ready");
	tell(d);
}

static void open_all(void *arg)
{
	struct driver *d = arg;
	struct fb_clock clock = fb_os_clock();
	struct fb_rpc_settings rpc = { .urls = { d->url }, .url_count = 1, .timeout_ms = RPC_MS };
	struct fb_head_settings head = { .chain_id = d->escrow.chain_id, .poll_ms = POLL_MS, .depth_max = 64,
					 .confirmations = 3, .finality_blocks = 64 };
	struct fb_lane_settings lane = { .chain_id = d->escrow.chain_id, .receipt_poll_ms = 50, .bump_ms = 1000,
					 .max_fee_wei = (fb_u128)500 * GWEI };
	struct fb_follow_settings follow = { .credit = { .escrow = d->escrow, .asset = ASSET, .from_block = d->from,
							 .rung = FB_CREDIT_BLOCKS, .blocks = 1 },
					     .range_max = 1000, .doubts_max = 1000 };
	struct fb_follow_ports ports = { .owner_of = owner_of, .is_payout = is_payout, .changed = on_changed, .ctx = d };
	struct fb_payout_settings terms = { .escrow = d->escrow, .asset = ASSET, .from_block = d->from,
					    .rung = FB_CREDIT_BLOCKS, .blocks = 3, .min = { 100 }, .max = { 1000000000 },
					    .fee = { 10 }, .max_fee_wei = (fb_u128)500 * GWEI, .range_max = 1000 };
	struct fb_error e = { "" };

	MUST(fb_net_open(&d->net, d->loop) == FB_OK);
	MUST(fb_rpc_open(&d->rpc, d->loop, &rpc, d->log, d->metrics) == FB_OK);
	fb_head_open(&d->head, d->loop, d->rpc, &head, d->log, d->metrics, on_head, d);
	MUST(fb_lane_open(&d->lane, &(struct fb_lane_ports){ d->loop, d->rpc, d->head, d->store, fb_writer_port(d->writer),
							     clock, d->log, d->metrics }, &d->key, &lane, &e) == FB_OK);
	MUST(fb_follow_open(&d->follow, d->loop, d->rpc, NULL, d->head, d->writer, d->store, &follow, ports, d->log,
			    d->metrics, &e) == FB_OK);
	MUST(fb_reserve_open(&d->reserve, d->loop, d->rpc, d->head, d->follow, d->writer, d->store, &follow.credit, NULL,
			     NULL, d->log, d->metrics, &e) == FB_OK);
	MUST(fb_payout_open(&d->payout, &(struct fb_payout_ports){ .loop = d->loop, .rpc = d->rpc, .head = d->head,
								   .lane = d->lane, .store = d->store,
								   .writer = d->writer, .clock = clock,
								   .rng = fb_os_rng(), .log = d->log,
								   .metrics = d->metrics, .stopped = stopped, .ctx = d },
			    &terms, &e) == FB_OK);
	fb_lane_start(d->lane, on_started, d);
}

/* ---- commands ---------------------------------------------------------------------------------------------------- */

static void on_request(void *arg, enum fb_status status, const struct fb_withdrawal *w)
{
	char text[FB_UUID_TEXT_LEN] = "";
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	if (w != NULL)
		fb_buf_uuid(&b, &w->id);
	printf("%s %.*s %s\n", fb_status_info(status)->name, FB_STR_ARG(fb_buf_view(&b)),
	       w != NULL ? fb_payout_state_name(w->state) : "");
	tell(arg);
}

static void say_state(struct driver *d, struct fb_str text)
{
	const struct fb_payout_rows rows = { d->store, d->escrow };
	struct fb_withdrawal w;
	struct fb_uuid id;

	MUST(fb_uuid_parse(&id, text) == FB_OK);
	if (fb_payout_get(&rows, &w, &id) != FB_OK)
		puts("NONE none");
	else
		printf("%s %s\n", fb_payout_state_name(w.state), fb_escrow_refusal_name(w.reason));
	tell(d);
}

static void say_available(struct driver *d, struct fb_str text)
{
	struct fb_account_key key = { .asset = ASSET, .purpose = FB_PURPOSE_AVAILABLE };
	struct fb_account a = { .number = 0 };
	struct fb_address wallet;
	fb_u128 left = 0;

	MUST(fb_address_parse(&wallet, text) == FB_OK);
	memcpy(key.owner.bytes, wallet.bytes, FB_OWNER_LEN);
	if (fb_writer_balance(d->writer, &a, &key) == FB_OK)
		left = a.counters.credits_posted.atoms - a.counters.debits_posted.atoms - a.counters.debits_pending.atoms;
	printf("%llu\n", (unsigned long long)left);
	tell(d);
}

static void withdraw(struct driver *d, struct fb_str rest)
{
	struct fb_payout_request r = { .key = { "", 0 } };
	struct fb_str wallet, amount, tail;

	MUST(fb_str_split(&wallet, &tail, rest, ' ') && fb_str_split(&amount, &r.key, tail, ' '));
	MUST(fb_address_parse(&r.to, wallet) == FB_OK && fb_amount_parse(&r.amount, amount) == FB_OK);
	memcpy(r.owner.bytes, r.to.bytes, FB_OWNER_LEN);
	fb_payout_request(d->payout, &r, on_request, d);
}

static void obey(void *arg)
{
	struct driver *d = arg;
	struct fb_str line = fb_str_of(d->line), word = line, rest = { "", 0 };

	(void)fb_str_split(&word, &rest, line, ' ');
	if (fb_str_eq(word, FB_STR("withdraw"))) {
		withdraw(d, rest);
	} else if (fb_str_eq(word, FB_STR("state"))) {
		say_state(d, rest);
	} else if (fb_str_eq(word, FB_STR("available"))) {
		say_available(d, rest);
	} else {
		bool hold = fb_str_eq(word, FB_STR("hold"));

		MUST((hold ? fb_payout_hold : fb_payout_release)(d->payout, NULL) == FB_OK);
		puts("OK");
		tell(d);
	}
}

static void wait_told(struct driver *d)
{
	pthread_mutex_lock(&d->mutex);
	while (!d->done)
		pthread_cond_wait(&d->told, &d->mutex);
	d->done = false;
	pthread_mutex_unlock(&d->mutex);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void close_outside(void *arg)
{
	struct driver *d = arg;

	fb_payout_stop(d->payout);
	fb_lane_stop(d->lane);
	fb_head_stop(d->head);
	fb_reserve_stop(d->reserve);
	fb_follow_stop(d->follow);
	fb_rpc_close(d->rpc);
	tell(d);
}

static void close_engines(void *arg)
{
	struct driver *d = arg;

	fb_payout_close(d->payout);
	fb_lane_close(d->lane);
	fb_reserve_close(d->reserve);
	fb_follow_close(d->follow);
	fb_head_close(d->head);
	fb_net_close(d->net);
	tell(d);
}

static void run(struct driver *d, void (*fn)(void *arg))
{
	fb_loop_post(d->loop, fn, d);
	wait_told(d);
}

int main(int argc, char **argv)
{
	static struct driver d = { .mutex = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER };
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng() };
	struct fb_error e = { "" };

	MUST(argc == 7);
	d.url = argv[1];
	MUST(fb_u64_parse(&d.escrow.chain_id, fb_str_of(argv[3])) == FB_OK);
	MUST(fb_address_parse(&d.escrow.address, fb_str_of(argv[4])) == FB_OK);
	MUST(fb_address_parse(&d.escrow.token, fb_str_of(argv[5])) == FB_OK);
	MUST(fb_u64_parse(&d.from, fb_str_of(argv[6])) == FB_OK);
	MUST(fb_key_parse(&d.key, fb_str_of(getenv("FAREBOX_PAYOUT_KEY"))) == FB_OK);
	fb_log_open(&d.log, STDERR_FILENO, FB_INFO, fb_os_clock());
	fb_metrics_open(&d.metrics);
	MUST(fb_os_make_dirs(argv[2], &e) == FB_OK);
	MUST(fb_writer_open_store(&d.store, argv[2], d.log, &e) == FB_OK);
	MUST(fb_writer_open(&d.writer, d.store, &settings, d.log, d.metrics, &e) == FB_OK);
	MUST(fb_loop_open(&d.loop) == FB_OK);
	fb_loop_start(d.loop, "chain");
	run(&d, open_all);
	while (fgets(d.line, sizeof(d.line), stdin) != NULL) {
		d.line[strcspn(d.line, "\n")] = '\0';
		run(&d, obey);
	}
	run(&d, close_outside);
	fb_writer_close(d.writer);
	run(&d, close_engines);
	fb_loop_close(d.loop);
	fb_store_close(d.store);
	fb_log_close(d.log);
	fb_metrics_close(d.metrics);
	return 0;
}
