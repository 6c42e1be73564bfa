/*~ farebox serve: settings, chain, listeners, then waiting for a signal; and all of it backwards.
 *
 * Read on: settings.c (what may be combined), chain.c (the engines under the API), listen.c (the API);
 * then a payment's way, which begins in api/x402/verify.c and facilitator/settle/begin.c. */
#include "app.h"
#include "latch.h"
#include "server.h"

#include "farebox/os.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GWEI = 1000000000 };

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
static void warn_of_gas(struct fb_server *s, struct fb_str signer)
{
	struct funds funds = { .lane = s->lane };
	fb_u128 balance;

	fb_run_on(s->loop, read_funds, &funds);
	balance = funds.wei;
	if (!funds.known || balance >= (fb_u128)s->conf.signer_min_gwei * GWEI)
		return;
	printf("Warning: signer %.*s has %llu gwei, less than signer_min_gwei (%llu): send it gas money to settle\n",
	       FB_STR_ARG(signer), (unsigned long long)(balance / GWEI), (unsigned long long)s->conf.signer_min_gwei);
}

static void announce(struct fb_server *s)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf signer;

	fb_buf_init(&signer, block, sizeof(block));
	fb_buf_address_checksum(&signer, fb_lane_signer(s->lane));
	printf("Facilitator listening on http://%s:%u (%s, signer %.*s)\n", s->conf.bind, fb_http_port(s->http),
	       s->network.name, FB_STR_ARG(fb_buf_view(&signer)));
	printf("Metrics on http://127.0.0.1:%u/metrics\n", fb_http_port(s->metrics_http));
	if (s->pay.token == NULL)
		printf("No demo_pay_to is set: GET /demo is not offered\n");
	warn_of_gas(s, fb_buf_view(&signer));
	fflush(stdout);
	fb_log(s->log, FB_EV_STARTED, FB_F_U64("port", fb_http_port(s->http)), FB_F_TEXT("network", s->network.name),
	       FB_F_STR("signer", fb_buf_view(&signer)), FB_F_TEXT("data", s->data));
}

static void wait_for_end(struct fb_server *s, const sigset_t *signals)
{
	int got = 0;

	sigwait(signals, &got);
	fb_log(s->log, FB_EV_STOPPING, FB_F_TEXT("signal", got == SIGINT ? "SIGINT" : "SIGTERM"));
	signal(SIGINT, SIG_DFL); /* a second one ends at once */
	signal(SIGTERM, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
}

static void close_server(struct fb_server *s)
{
	fb_ops_set(&s->ops, FB_OPS_STOPPING, true);
	if (s->settle != NULL)
		fb_server_drain(s); /* who waits for a receipt gets its hash now */
	fb_http_stop(s->http);
	fb_server_close_chain(s);
	fb_http_stop(s->metrics_http);
	fb_auth_close(s->keys);
	fb_key_wipe(&s->key);
	if (s->log != NULL)
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
		st = fb_server_open_chain(s, &e);
	if (st == FB_OK)
		st = fb_server_listen(s, &e);
	if (st == FB_OK) {
		announce(s);
		wait_for_end(s, &signals);
	}
	close_server(s);
	free(s);
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}
