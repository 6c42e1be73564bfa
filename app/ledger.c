/* farebox ledger: look into the books, check them, copy them; also beside a running server. Which options each action
 * takes is a table. */
#include "ledger.h"

#include "farebox/conf.h"
#include "farebox/os.h"

#include <stdio.h>
#include <string.h>

enum { JSON = 1, DATA = 2, ACCOUNT = 4, THEN = 8, PAGE = 16, FORMAT = 32 };
static const struct {
	const char *name, *positional, *summary;
	unsigned options;
	size_t positionals;
	int (*run)(const struct fb_ledger_options *o);
} actions[] = {
	{ "balance", "OWNER", "what an owner has, now or then", JSON | DATA | ACCOUNT | THEN, 1, fb_ledger_balance },
	{ "history", "OWNER", "the records of one account", JSON | DATA | ACCOUNT | PAGE, 1, fb_ledger_history },
	{ "trial-balance", "", "debits and credits by asset and purpose", JSON | DATA, 0, fb_ledger_trial_balance },
	{ "export", "", "every record of the journal, in order", DATA | FORMAT, 0, fb_ledger_export },
	{ "audit", "", "replay the journal and compare everything with it", JSON | DATA, 0, fb_ledger_audit },
	{ "verify", "", "only the chain of batches and the anchor", JSON | DATA, 0, fb_ledger_verify },
	{ "backup", "DIR", "copy the records, also while a server runs", JSON | DATA, 1, fb_ledger_backup },
	{ "restore", "BACKUP DIR", "make a data directory of a backup, and audit it", JSON, 2, fb_ledger_restore },
	{ "accept", "BATCH", "trust a journal that ends with this batch and lost its anchor", DATA, 1, fb_ledger_accept },
};

static int print_help(void)
{
	puts("usage: farebox ledger ACTION [OPTION]...\n\nactions:");
	for (size_t i = 0; i < FB_COUNT(actions); i++)
		printf("  %-14s %-10s  %s\n", actions[i].name, actions[i].positional, actions[i].summary);
	puts("\noptions:\n"
	     "  --data DIR          directory of the records; else FAREBOX_DATA, the config file, the platform's place\n"
	     "  --config PATH       the config file that may name it\n"
	     "  --json              for programs (not export)\n"
	     "  --purpose P         balance: only this account of the owner; history: available unless given\n"
	     "                      (escrow, available, pending_in, fees, suspense, receivable, gas, world, payout)\n"
	     "  --asset N           balance: only this asset; history: 1 unless given\n"
	     "  --at-seq N          balance: after the N-th record\n"
	     "  --at-time T         balance: at a time like 2026-01-31T12:00:00Z\n"
	     "  --limit N           history: at most N records (20; up to 1000)\n"
	     "  --cursor SEQ        history: only what is after SEQ, or before it with --newest-first\n"
	     "  --newest-first      history: backwards\n"
	     "  --format csv|jsonl  export: jsonl unless given\n\n"
	     "OWNER is 0x and 40 hex digits, or the digits alone. Amounts are in the asset's smallest unit.\n"
	     "audit, verify, backup and restore end with code 1 when something is wrong, and say what. All but\n"
	     "accept only read; accept is for the case in which serve says so, after a look at the journal's end.");
	return FB_EXIT_OK;
}

/* ---- options --------------------------------------------------------------------------------------------------- */
struct option {
	const char *flag;
	unsigned group;
	size_t at; /* of struct fb_ledger_options: where its text goes */
};
#define TEXT_OPTION(flag, group, field) { flag, group, offsetof(struct fb_ledger_options, field) }
static const struct option options[] = {
	TEXT_OPTION("--data", DATA, data),        TEXT_OPTION("--config", DATA, config),
	TEXT_OPTION("--purpose", ACCOUNT, purpose), TEXT_OPTION("--asset", ACCOUNT, asset),
	TEXT_OPTION("--at-seq", THEN, at_seq),    TEXT_OPTION("--at-time", THEN, at_time),
	TEXT_OPTION("--limit", PAGE, limit),      TEXT_OPTION("--cursor", PAGE, cursor),
	TEXT_OPTION("--format", FORMAT, format),
};

/* True if args[*i] is an option with a value, which is taken. */
static bool take_value(struct fb_ledger_options *o, unsigned groups, int *i, int count, const char *const *args)
{
	for (size_t k = 0; k < FB_COUNT(options); k++) {
		const char **place = (const char **)((char *)o + options[k].at);

		if (strcmp(args[*i], options[k].flag) != 0 || (options[k].group & groups) == 0)
			continue;
		if (*i + 1 >= count || *place != NULL)
			return false;
		*place = args[++*i];
		return true;
	}
	return false;
}

static bool take_switch(struct fb_ledger_options *o, unsigned groups, const char *arg)
{
	if (strcmp(arg, "--json") == 0 && (groups & JSON) != 0)
		return o->json = true;
	if (strcmp(arg, "--newest-first") == 0 && (groups & PAGE) != 0)
		return o->newest_first = true;
	return false;
}

/* NULL, or the argument that is wrong. */
static const char *parse(struct fb_ledger_options *o, unsigned groups, int count, const char *const *args)
{
	for (int i = 1; i < count; i++) {
		if (take_value(o, groups, &i, count, args) || take_switch(o, groups, args[i]))
			continue;
		if (args[i][0] == '-' || o->positional_count == FB_COUNT(o->positional))
			return args[i];
		o->positional[o->positional_count++] = args[i];
	}
	return NULL;
}

/* ---- the directory --------------------------------------------------------------------------------------------- */

/* As serve finds it, but for settings that are not about it. */
static enum fb_status find_directory(struct fb_ledger_options *o, struct fb_error *e)
{
	const char *args[] = { "--data", o->data, "--config", o->config }, *ours[3] = { NULL };
	struct fb_buf b;
	struct fb_conf c;
	enum fb_status st;
	int first = o->data == NULL ? 2 : 0, last = o->config == NULL ? 2 : 4;
	size_t count = 0;

	for (char **v = environ; *v != NULL && count < 2; v++)
		if (strncmp(*v, "FAREBOX_DATA=", 13) == 0 || strncmp(*v, "FAREBOX_CONFIG=", 15) == 0)
			ours[count++] = *v;
	st = fb_conf_open(&c, last > first ? last - first : 0, args + first, ours, e);
	if (st != FB_OK)
		return st;
	fb_buf_init(&b, o->directory, sizeof(o->directory) - 1);
	if (c.data[0] != '\0')
		fb_buf_text(&b, c.data);
	else
		fb_os_state_dir(&b);
	o->directory[b.len] = '\0';
	fb_conf_close(&c);
	return b.overflowed ? fb_error_set(e, FB_BAD_VALUE, "the path of the data directory is too long") : FB_OK;
}

/* ---- the command ----------------------------------------------------------------------------------------------- */

static int run(size_t action, int count, const char *const *args)
{
	struct fb_ledger_options o = { .action = args[0] };
	struct fb_error e = { "" };
	const char *wrong = parse(&o, actions[action].options, count, args);
	enum fb_status st = FB_OK;

	if (wrong != NULL)
		fb_error_set(&e, FB_BAD_SYNTAX, "ledger %s: \"%s\" is wrong here: farebox ledger --help says what it takes",
			     o.action, wrong);
	else if (o.positional_count != actions[action].positionals)
		fb_error_set(&e, FB_BAD_SYNTAX, "want: farebox ledger %s %s", o.action, actions[action].positional);
	if (e.text[0] != '\0')
		return fb_app_usage(e.text);
	o.form = o.json ? FB_REPORT_JSON : FB_REPORT_TABLE;
	if ((actions[action].options & DATA) != 0)
		st = find_directory(&o, &e);
	return st == FB_OK ? actions[action].run(&o) : fb_app_fail(st, e.text);
}

int fb_command_ledger(int count, const char *const *args)
{
	if (count == 0 || fb_app_wants_help(count, args)) {
		print_help();
		return count == 0 ? FB_EXIT_USAGE : FB_EXIT_OK;
	}
	for (size_t i = 0; i < FB_COUNT(actions); i++)
		if (strcmp(args[0], actions[i].name) == 0)
			return run(i, count, args);
	return fb_app_usage("there is no such action: farebox ledger --help lists them");
}
