/* farebox admin-key: the first key that may make others, written into the records while no server runs. */
#include "app.h"
#include "server.h"

#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 128 };

static int print_help(void)
{
	puts("usage: farebox admin-key new [--owner OWNER_ID] [--SETTING VALUE]…\n\n"
	     "Makes an admin's API key for OWNER_ID (\"operator\"), who is made if there is none, and prints it: this\n"
	     "once, alone on its line. The server must be stopped.\n\n"
	     "exit code: 0 done, 64 wrong use, 74 the records cannot be opened, 78 settings");
	return FB_EXIT_OK;
}

static enum fb_status open_records(struct fb_server *s, struct fb_error *e)
{
	const struct fb_writer_settings settings = { .clock = s->clock, .rng = fb_os_rng() };
	enum fb_status st = fb_server_name_data(s, e);

	if (st == FB_OK)
		st = fb_os_make_dirs(s->data, e);
	if (st == FB_OK)
		st = fb_writer_open_store(&s->store, s->data, s->log, e);
	if (st == FB_OK)
		st = fb_writer_open(&s->writer, s->store, &settings, s->log, s->metrics, e);
	return st == FB_OK ? fb_server_open_identity(s, e) : st;
}

static int make(struct fb_server *s, struct fb_str owner_id)
{
	struct fb_error e = { "" };
	char block[FB_KEY_TEXT_MAX];
	struct fb_buf key;
	enum fb_status st = open_records(s, &e);

	fb_buf_init(&key, block, sizeof(block));
	if (st == FB_OK) {
		st = fb_identity_make_key(s->identity, &key, owner_id, FB_ROLE_ADMIN);
		if (st != FB_OK)
			(void)fb_error_set(&e, st, "the key is not stored: %s", fb_status_info(st)->name);
	}
	if (st == FB_OK)
		printf("%.*s\n", FB_STR_ARG(fb_buf_view(&key)));
	explicit_bzero(block, sizeof(block));
	fb_writer_close(s->writer);
	fb_identity_close(s->identity);
	fb_store_close(s->store);
	return st == FB_OK ? FB_EXIT_OK : fb_app_fail(st, e.text);
}

static int run(int count, const char *const *args, struct fb_str owner_id)
{
	struct fb_server *s = fb_must_alloc(1, sizeof(*s));
	struct fb_error e = { "" };
	enum fb_status st;
	int code;

	s->clock = fb_os_clock();
	st = fb_conf_open(&s->conf, count, args, (const char *const *)environ, &e);
	if (st != FB_OK) {
		free(s);
		return fb_app_fail(st, e.text);
	}
	fb_log_open(&s->log, STDERR_FILENO, FB_BROKEN, s->clock);
	fb_metrics_open(&s->metrics);
	code = make(s, owner_id);
	fb_log_close(s->log);
	fb_metrics_close(s->metrics);
	fb_conf_close(&s->conf);
	free(s);
	return code;
}

int fb_command_admin_key(int count, const char *const *args)
{
	struct fb_str owner_id = FB_STR("operator");
	const char *rest[ARGS_MAX];
	int rest_count = 0;

	if (fb_app_wants_help(count, args))
		return print_help();
	if (count < 1 || count > ARGS_MAX || strcmp(args[0], "new") != 0)
		return fb_app_usage("want: farebox admin-key new; --help says more");
	for (int i = 1; i < count; i++) {
		if (strcmp(args[i], "--owner") == 0 && i + 1 < count)
			owner_id = fb_str_of(args[++i]);
		else
			rest[rest_count++] = args[i];
	}
	if (owner_id.len < 1 || owner_id.len > FB_OWNER_ID_MAX)
		return fb_app_usage("--owner: want 1 to 128 bytes");
	return run(rest_count, rest, owner_id);
}
