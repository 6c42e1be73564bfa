/* farebox config: check the settings without starting anything, or show each with its origin. */
#include "app.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 128 };

static int print_help(void)
{
	puts("usage: farebox config check [--SETTING VALUE]…\n"
	     "       farebox config print [--json] [--SETTING VALUE]…\n\n"
	     "check reads flags, environment, config file, network file and keys as serve does and says what\n"
	     "is wrong; it asks neither chain nor disk for more.\n"
	     "print shows every setting, its value and where it came from. Secrets are shown as references.\n"
	     "Settings are listed by farebox serve --help.");
	return FB_EXIT_OK;
}

static void show(const struct fb_conf *c, bool json)
{
	char *block = fb_must_alloc(FB_CONF_PAGE_MAX, 1);
	struct fb_buf page;

	fb_buf_init(&page, block, FB_CONF_PAGE_MAX);
	fb_conf_print(c, &page, json);
	fwrite(page.at, 1, page.len, stdout);
	free(block);
}

/* Everything serve decides before it opens anything. */
static enum fb_status check(const struct fb_conf *c, struct fb_error *e)
{
	struct fb_server *s = fb_must_alloc(1, sizeof(*s));
	enum fb_status st;

	s->conf = *c;
	st = fb_server_read_settings(s, e);
	fb_auth_close(s->keys);
	fb_server_wipe_keys(s);
	free(s);
	return st;
}

int fb_command_config(int count, const char *const *args)
{
	const char *rest[ARGS_MAX];
	int rest_count = 0;
	bool json = false, print;
	struct fb_conf c;
	struct fb_error e = { "" };
	enum fb_status st;

	if (fb_app_wants_help(count, args))
		return print_help();
	if (count < 1 || (strcmp(args[0], "check") != 0 && strcmp(args[0], "print") != 0))
		return fb_app_usage("want: farebox config check or farebox config print");
	print = strcmp(args[0], "print") == 0;
	for (int i = 1; i < count && rest_count < ARGS_MAX; i++) {
		if (print && strcmp(args[i], "--json") == 0)
			json = true;
		else
			rest[rest_count++] = args[i];
	}
	st = fb_conf_open(&c, rest_count, rest, (const char *const *)environ, &e);
	if (st != FB_OK)
		return fb_app_fail(st, e.text);
	if (print)
		show(&c, json);
	else
		st = check(&c, &e);
	fb_conf_close(&c);
	if (!print && st == FB_OK)
		puts("ok");
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}
