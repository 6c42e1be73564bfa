/* The config file: one `name = value` a line. */
#include "conf_int.h"
#include "farebox/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum fb_status unknown(struct fb_str name, const char *origin, struct fb_error *e)
{
	const char *near = setting_suggest(name);

	if (near == NULL)
		return fb_error_set(e, FB_BAD_VALUE, "%s: %.*s: no such setting; --help lists them", origin,
				    name.len > 60 ? 60 : (int)name.len, name.at);
	return fb_error_set(e, FB_BAD_VALUE, "%s: %.*s: no such setting; did you mean %s?", origin, FB_STR_ARG(name), near);
}

static enum fb_status read_line(struct fb_conf *c, struct source *source, struct fb_str line, const char *origin,
				struct fb_error *e)
{
	struct fb_str name, value;
	char where[ORIGIN_MAX + SETTING_NAME_MAX + 2];
	struct input in = { .where = where, .origin = origin };

	line = fb_str_trim(line);
	if (line.len == 0 || line.at[0] == '#')
		return FB_OK;
	if (!conf_is_printable(line))
		return fb_error_set(e, FB_BAD_SYNTAX, "%s: a control character (a tab, or the line ends of Windows?)", origin);
	if (!fb_str_split(&name, &value, line, '='))
		return fb_error_set(e, FB_BAD_SYNTAX, "%s: want name = value", origin);
	name = fb_str_trim(name);
	in.value = fb_str_trim(value);
	in.setting = setting_find(name);
	if (in.setting == SETTINGS)
		return unknown(name, origin, e);
	snprintf(where, sizeof(where), "%s: %s", origin, fb_conf_settings[in.setting].name);
	return conf_set(c, source, &in, e);
}

static enum fb_status read_lines(struct fb_conf *c, struct fb_str rest, const char *path, struct fb_error *e)
{
	struct source source = { 0 };
	enum fb_status st = FB_OK;

	for (unsigned number = 1; st == FB_OK && rest.len > 0; number++) {
		struct fb_str line = rest, tail = { rest.at + rest.len, 0 };
		char origin[ORIGIN_MAX];

		(void)fb_str_split(&line, &tail, rest, '\n');
		rest = tail;
		snprintf(origin, sizeof(origin), "%s:%u", path, number);
		st = read_line(c, &source, line, origin, e);
	}
	return st;
}

enum fb_status conf_read_file(struct fb_conf *c, const char *path, struct fb_error *e)
{
	char *text;
	size_t len = 0;
	enum fb_status st;

	if (strlen(path) > FB_CONF_PATH_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "the path of the config file is longer than %d bytes", FB_CONF_PATH_MAX);
	text = fb_must_alloc(FB_CONF_FILE_MAX, 1);
	st = fb_os_read_file(text, &len, FB_CONF_FILE_MAX, path, e);
	if (st == FB_OK)
		st = read_lines(c, (struct fb_str){ text, len }, path, e);
	free(text);
	return st;
}
