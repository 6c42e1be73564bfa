/* Shared inside app: the ledger's commands. */
#ifndef FB_LEDGER_H
#define FB_LEDGER_H
#include "app.h"
#include "farebox/report.h"

enum { FB_LEDGER_PATH_MAX = 1024 };
struct fb_ledger_options {
	const char *action, *positional[2], *data, *config;
	const char *purpose, *asset, *limit, *cursor, *at_seq, *at_time, *format; /* as given, NULL: not */
	bool json, newest_first;
	size_t positional_count;
	char directory[FB_LEDGER_PATH_MAX]; /* of the records */
	enum fb_report_form form;           /* of --json, --format */
};
/* Actions: what they print is on standard output. Each returns an exit code. */
int fb_ledger_balance(const struct fb_ledger_options *o);
int fb_ledger_history(const struct fb_ledger_options *o);
int fb_ledger_trial_balance(const struct fb_ledger_options *o);
int fb_ledger_export(const struct fb_ledger_options *o);
int fb_ledger_audit(const struct fb_ledger_options *o);
int fb_ledger_verify(const struct fb_ledger_options *o);
int fb_ledger_backup(const struct fb_ledger_options *o);
int fb_ledger_restore(const struct fb_ledger_options *o);
int fb_ledger_accept(const struct fb_ledger_options *o);
#endif /* FB_LEDGER_H */
