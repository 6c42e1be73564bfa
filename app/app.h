/* Shared inside app: the commands and their exit codes. */
#ifndef FB_APP_H
#define FB_APP_H
#include "farebox/core.h"

/* Exit codes, as sysexits.h has them where it has one. */
enum fb_exit {
	FB_EXIT_OK = 0,
	FB_EXIT_FAILED = 1,      /* the thing asked for was tried and did not work (a payment refused) */
	FB_EXIT_USAGE = 64,      /* the command line is wrong */
	FB_EXIT_UNAVAILABLE = 69, /* the chain, or a server, cannot be reached */
	FB_EXIT_INTERNAL = 70,
	FB_EXIT_IO = 74,
	FB_EXIT_CONFIG = 78,     /* a setting, a key, a file or the chain is not as it must be */
};

struct fb_command {
	const char *name, *usage, *summary;
	/* args: behind the command's name. */
	int (*run)(int count, const char *const *args);
};
int fb_command_serve(int count, const char *const *args);
int fb_command_pay(int count, const char *const *args);
int fb_command_key(int count, const char *const *args);
int fb_command_config(int count, const char *const *args);
int fb_command_ledger(int count, const char *const *args);
int fb_command_escrow(int count, const char *const *args);
int fb_command_indexer(int count, const char *const *args);
int fb_command_admin_key(int count, const char *const *args);
int fb_command_version(int count, const char *const *args);

/* Prints "farebox: SENTENCE" to standard error; returns the exit code that fits the status. */
int fb_app_fail(enum fb_status st, const char *sentence);
int fb_app_usage(const char *sentence); /* likewise, for a wrong command line */
bool fb_app_wants_help(int count, const char *const *args);
/* The passphrase from `source`: "" asks on the terminal, else $NAME or a file. Its length; 0: none, and e says why. */
size_t fb_app_passphrase(char *out, size_t cap, const char *source, const char *prompt, struct fb_error *e);
/* What a stranger wrote, fit for a terminal: '?' for what could fool a reader, "..." for what does not fit. */
void fb_app_plain(struct fb_buf *out, struct fb_str s);
extern char **environ;
#endif /* FB_APP_H */
