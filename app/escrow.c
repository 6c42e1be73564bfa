/* farebox escrow: create the contract that holds deposits, and look at one. */
#include "app.h"
#include "escrow_cli.h"
#include "hold.h"

#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 128 };

static int print_help(void)
{
	puts("usage: farebox escrow deploy --owner ADDRESS --payout-role ADDRESS --pause-role ADDRESS\n"
	     "                     [--payout-cap AMOUNT] [--day-cap AMOUNT] [--again] [--yes] [--json] [--SETTING VALUE]…\n"
	     "       farebox escrow status [--json] [--SETTING VALUE]…\n\n"
	     "deploy creates the escrow contract of the network's first token. The configured key (--key,\n"
	     "EVM_PRIVATE_KEY) signs and pays the gas, and gets no power over the escrow by that. It shows what\n"
	     "it is about to do and asks; the last line of the standard output is a JSON object with escrow and\n"
	     "escrowFrom, which --escrow and --escrow-from (ESCROW_ADDRESS, ESCROW_FROM_BLOCK) want.\n\n"
	     "--owner        appoints the others, sets the caps, ends a pause; best a multi-signature wallet\n"
	     "--payout-role  pays out within the caps: the key that farebox serve holds; or nobody\n"
	     "--pause-role   can stop deposits and payouts, and nothing else; or nobody\n"
	     "--payout-cap   the most that one payout may be, in whole tokens; or none (default 1000)\n"
	     "--day-cap      the most that may leave in one UTC day; or none (default 10000)\n"
	     "--again        deploy although the network has an escrow\n"
	     "--yes          do not ask\n"
	     "--json         nothing but the JSON line on standard output\n\n"
	     "status shows roles, caps, balance, pause and the number of events of the network's escrow, read at\n"
	     "one block. Settings are listed by farebox serve --help.\n\n"
	     "exit code: 0 done, 1 failed or not agreed to, 64 wrong usage, 69 chain not reachable or outcome not\n"
	     "known, 74 the key is in use by another farebox on this machine, 78 a setting, a key, or a chain that\n"
	     "is not as it must be");
	return FB_EXIT_OK;
}

/* ---- the command line ------------------------------------------------------------------------------------------ */

static const struct {
	const char *flag;
	size_t at; /* of struct fb_app_escrow: where its text goes */
} texts[] = {
	{ "--owner", offsetof(struct fb_app_escrow, owner) },
	{ "--payout-role", offsetof(struct fb_app_escrow, payout_role) },
	{ "--pause-role", offsetof(struct fb_app_escrow, pause_role) },
	{ "--payout-cap", offsetof(struct fb_app_escrow, payout_cap) },
	{ "--day-cap", offsetof(struct fb_app_escrow, day_cap) },
};
static const struct {
	const char *flag;
	size_t at;
	bool deploy_alone;
} switches[] = {
	{ "--yes", offsetof(struct fb_app_escrow, yes), true },
	{ "--again", offsetof(struct fb_app_escrow, again), true },
	{ "--json", offsetof(struct fb_app_escrow, json), false },
};

/* True if args[*i] is ours, and is taken. */
static bool take(struct fb_app_escrow *c, bool deploy, int *i, int count, const char *const *args)
{
	for (size_t k = 0; k < FB_COUNT(switches); k++)
		if (strcmp(args[*i], switches[k].flag) == 0 && (deploy || !switches[k].deploy_alone))
			return *(bool *)((char *)c + switches[k].at) = true;
	for (size_t k = 0; deploy && k < FB_COUNT(texts) && *i + 1 < count; k++) {
		const char **place = (const char **)((char *)c + texts[k].at);

		if (strcmp(args[*i], texts[k].flag) != 0 || *place != NULL)
			continue;
		*place = args[++*i];
		return true;
	}
	return false;
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

static enum fb_status open_chain(struct fb_app_escrow *c, bool deploy)
{
	struct fb_server *s = c->server;
	enum fb_status st = fb_server_read_network(s, &c->error);

	if (st == FB_OK && deploy)
		st = fb_server_read_key(s, &c->error);
	s->conf.handover_s = 0; /* a server that sends with the key is not about to end */
	if (st == FB_OK && deploy)
		st = fb_server_hold_signers(s, &c->error);
	return st != FB_OK ? st : fb_server_open_rpc(s, &c->error);
}

static void close_chain(struct fb_server *s)
{
	fb_rpc_close(s->rpc);
	fb_net_close(s->net);
	fb_loop_close(s->loop);
	fb_server_release_signers(s);
	fb_server_wipe_keys(s);
	fb_log_close(s->log);
	fb_metrics_close(s->metrics);
	fb_conf_close(&s->conf);
}

static int run(struct fb_app_escrow *c, bool deploy, int count, const char *const *args)
{
	struct fb_server *s = c->server;
	enum fb_status st = fb_conf_open(&s->conf, count, args, (const char *const *)environ, &c->error);
	int code;

	if (st != FB_OK)
		return fb_app_fail(st, c->error.text);
	s->clock = fb_os_clock();
	fb_log_open(&s->log, STDERR_FILENO, FB_BROKEN, s->clock);
	fb_metrics_open(&s->metrics);
	st = open_chain(c, deploy);
	if (st != FB_OK)
		code = fb_app_fail(st, c->error.text);
	else
		code = deploy ? fb_app_escrow_deploy(c) : fb_app_escrow_status(c);
	close_chain(s);
	return code;
}

int fb_command_escrow(int count, const char *const *args)
{
	struct fb_app_escrow c = { .json = false };
	const char *rest[ARGS_MAX];
	bool deploy;
	int rest_count = 0, code;

	if (fb_app_wants_help(count, args))
		return print_help();
	if (count < 1 || count > ARGS_MAX || (strcmp(args[0], "deploy") != 0 && strcmp(args[0], "status") != 0))
		return fb_app_usage("want: farebox escrow deploy or farebox escrow status; --help says more");
	deploy = strcmp(args[0], "deploy") == 0;
	for (int i = 1; i < count; i++)
		if (!take(&c, deploy, &i, count, args))
			rest[rest_count++] = args[i];
	if (deploy && (c.owner == NULL || c.payout_role == NULL || c.pause_role == NULL))
		return fb_app_usage("escrow deploy wants --owner, --payout-role and --pause-role");
	c.payout_cap = c.payout_cap == NULL ? "1000" : c.payout_cap;
	c.day_cap = c.day_cap == NULL ? "10000" : c.day_cap;
	c.server = fb_must_alloc(1, sizeof(*c.server));
	code = run(&c, deploy, rest_count, rest);
	free(c.server);
	return code;
}
