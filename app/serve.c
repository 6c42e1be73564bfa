/*~ farebox serve: settings, chain, listeners, then waiting for a signal; and all of it backwards.
 *
 * Read on: settings.c (what may be combined), chain.c (the engines under the API), listen.c (the API);
 * then a payment's way, which begins in api/x402/verify.c and facilitator/settle/begin.c. */
#include "app.h"
#include "latch.h"
#include "server.h"

#include "farebox/os.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GWEI = 1000000000 };
enum { START_IS_OVER = SIGUSR1 }; /* said to the guard of the start, by one thread to the other */

static void print_help(void)
{
	char *block = fb_must_alloc(FB_CONF_PAGE_MAX, 1);
	struct fb_buf page;

	fb_buf_init(&page, block, FB_CONF_PAGE_MAX);
	fb_conf_help(&page);
	printf("usage: farebox serve [--SETTING VALUE]…\n\n"
	       "Runs the x402 facilitator. With PORT, EVM_RPC_URL, EVM_NETWORK and EVM_PRIVATE_KEY in the\n"
	       "environment it needs nothing else. It prints \"Facilitator listening\" when it is ready and ends on\n"
	       "SIGTERM or SIGINT after answering what is under way.\n\n%.*s",
	       FB_STR_ARG(fb_buf_view(&page)));
	free(block);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigprocmask(SIG_BLOCK, set, NULL); /* threads inherit this: only sigwait below takes them */
}

/* ---- the start ----------------------------------------------------------------------------------------- */

/* The start waits for the chain, and who asks for the end meanwhile shall not wait for it too. Nothing is promised to
 * anybody yet, and what a start does to the records may be cut off anywhere, as by a crash. */
static void *guard(void *arg)
{
	const sigset_t *signals = arg;
	int got = 0;

	sigwait(signals, &got);
	if (got == START_IS_OVER)
		return NULL;
	fprintf(stderr, "farebox: ended by %s before the start was over\n", got == SIGINT ? "SIGINT" : "SIGTERM");
	_exit(FB_EXIT_OK);
}

static enum fb_status start(struct fb_server *s, const sigset_t *signals, struct fb_error *e)
{
	sigset_t mine = *signals;
	pthread_t thread;
	enum fb_status st;

	sigaddset(&mine, START_IS_OVER);
	sigprocmask(SIG_BLOCK, &mine, NULL);
	if (pthread_create(&thread, NULL, guard, &mine) != 0)
		return fb_error_set(e, FB_IO, "cannot start a thread");
	st = fb_server_open_chain(s, e);
	if (st == FB_OK)
		st = fb_server_listen(s, e);
	pthread_kill(thread, START_IS_OVER);
	pthread_join(thread, NULL);
	return st;
}

/* The lane belongs to the loop's thread. */
struct funds {
	const struct fb_lane *lane;
	fb_u128 wei;
	bool known;
};

static void read_funds(void *arg)
{
	struct funds *f = arg;

	f->known = fb_lane_balance(f->lane, &f->wei);
}

/* Settling needs gas money; the server says so rather than wait for the first payment that finds out. */
static void warn_of_gas(struct fb_server *s, size_t lane)
{
	struct funds funds = { .lane = s->lanes[lane] };
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf signer;
	fb_u128 balance;

	fb_buf_init(&signer, block, sizeof(block));
	fb_buf_address_checksum(&signer, fb_lane_signer(s->lanes[lane]));
	fb_run_on(s->loop, read_funds, &funds);
	balance = funds.wei;
	if (!funds.known || balance >= (fb_u128)s->conf.signer_min_gwei * GWEI)
		return;
	printf("Warning: signer %.*s has %llu gwei, less than signer_min_gwei (%llu): send it gas money to settle\n",
	       FB_STR_ARG(fb_buf_view(&signer)), (unsigned long long)(balance / GWEI),
	       (unsigned long long)s->conf.signer_min_gwei);
}

static void announce(struct fb_server *s)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf signer;
	bool v6 = strchr(s->conf.bind, ':') != NULL;

	fb_buf_init(&signer, block, sizeof(block));
	fb_buf_address_checksum(&signer, fb_lane_signer(s->lanes[0]));
	printf("Facilitator listening on http://%s%s%s:%u (%s, signer %.*s)\n", v6 ? "[" : "", s->conf.bind, v6 ? "]" : "",
	       fb_http_port(s->http), s->network.name, FB_STR_ARG(fb_buf_view(&signer)));
	printf("Metrics on http://127.0.0.1:%u/metrics\n", fb_http_port(s->metrics_http));
	if (s->pay.token == NULL)
		printf("No demo_pay_to is set: GET /demo is not offered\n");
	if (s->lane_count > 1)
		printf("Settling with %zu signers side by side\n", s->lane_count);
	for (size_t i = 0; i < s->lane_count; i++)
		warn_of_gas(s, i);
	fflush(stdout);
	fb_log(s->log, FB_EV_STARTED, FB_F_U64("port", fb_http_port(s->http)), FB_F_TEXT("network", s->network.name),
	       FB_F_STR("signer", fb_buf_view(&signer)), FB_F_TEXT("data", s->data));
}

static void wait_for_end(struct fb_server *s, const sigset_t *signals)
{
	int got = 0;

	sigwait(signals, &got);
	fb_ops_set(&s->ops, FB_OPS_STOPPING, true);
	fb_log(s->log, FB_EV_STOPPING, FB_F_TEXT("signal", got == SIGINT ? "SIGINT" : "SIGTERM"));
	signal(SIGINT, SIG_DFL); /* a second one ends at once */
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
}

static void close_server(struct fb_server *s)
{
	if (s->settle != NULL)
		fb_server_drain(s); /* who waits for a receipt gets its hash now */
	fb_http_stop(s->http);
	fb_x402_close(&s->x402);
	fb_server_close_chain(s);
	fb_http_stop(s->metrics_http);
	fb_auth_close(s->keys);
	fb_server_wipe_keys(s);
	if (s->http != NULL) /* it had started */
		fb_log(s->log, FB_EV_STOPPED, FB_F_U64("broken_events", fb_log_broken_count(s->log)));
	fb_log_close(s->log);
	fb_metrics_close(s->metrics);
	fb_conf_close(&s->conf);
}

int fb_command_serve(int count, const char *const *args)
{
	struct fb_server *s;
	struct fb_error e = { "" };
	sigset_t signals;
	enum fb_status st;

	if (fb_app_wants_help(count, args)) {
		print_help();
		return FB_EXIT_OK;
	}
	s = fb_must_alloc(1, sizeof(*s));
	s->clock = fb_os_clock();
	s->rng = fb_os_rng();
	block_signals(&signals);
	st = fb_conf_open(&s->conf, count, args, (const char *const *)environ, &e);
	if (st != FB_OK) {
		free(s);
		return fb_app_fail(st, e.text);
	}
	fb_log_open(&s->log, STDERR_FILENO, FB_INFO, s->clock);
	fb_metrics_open(&s->metrics);
	st = fb_server_read_settings(s, &e);
	if (st == FB_OK)
		st = start(s, &signals, &e);
	if (st == FB_OK) {
		announce(s);
		wait_for_end(s, &signals);
	}
	close_server(s);
	free(s);
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}
