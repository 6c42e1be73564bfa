/* The command line: --name value, --name=value, and switches. */
#include "conf_int.h"

#include <stdio.h>
#include <string.h>

struct args {
	const char *const *at;
	int count, next;
};

/* Of an argument that is none of ours, what a message may repeat: a key typed in a wrong place is not shown, nor is
 * enough of it shown to guess the rest. */
static struct fb_str shown(struct fb_str arg)
{
	struct fb_str name = arg, value;

	(void)fb_str_split(&name, &value, arg, '=');
	if (conf_looks_like_key(name))
		return FB_STR("(a key)");
	if (name.len > SETTING_NAME_MAX)
		name.len = SETTING_NAME_MAX;
	return name;
}

static enum fb_status unknown(struct fb_str name, struct fb_error *e)
{
	const char *near = setting_suggest(name);
	size_t i = near == NULL ? SETTINGS : setting_find(fb_str_of(near));
	char flag[SETTING_NAME_MAX];

	if (i == SETTINGS)
		return fb_error_set(e, FB_BAD_VALUE, "--%.*s: no such setting; --help lists them",
				    FB_STR_ARG(shown(name)));
	setting_flag(flag, &fb_conf_settings[i]);
	return fb_error_set(e, FB_BAD_VALUE, "--%.*s: no such setting; did you mean --%s?", FB_STR_ARG(name), flag);
}

/* The setting a flag names, which has '-' where the setting has '_'. SETTINGS if there is none. */
static size_t find_flag(struct fb_str name)
{
	char flag[SETTING_NAME_MAX];
	size_t i = 0;

	for (; i < SETTINGS; i++) {
		setting_flag(flag, &fb_conf_settings[i]);
		if (fb_str_eq(name, fb_str_of(flag)))
			break;
	}
	return i;
}

/* The value of a flag that needs one: behind '=' or the next argument. */
static enum fb_status take_value(struct fb_str *value, struct args *a, struct fb_str name, bool joined,
				 struct fb_error *e)
{
	struct fb_str next;

	if (joined)
		return FB_OK;
	next = fb_str_of(a->next < a->count ? a->at[a->next] : NULL);
	if (a->next >= a->count || fb_str_starts(next, FB_STR("--")))
		return fb_error_set(e, FB_BAD_SYNTAX, "--%.*s: its value is missing", FB_STR_ARG(name));
	a->next++;
	*value = next;
	return FB_OK;
}

static enum fb_status set_config_path(const char **path, struct fb_str value, struct fb_error *e)
{
	if (*path != NULL)
		return fb_error_set(e, FB_BAD_VALUE, "--config: set twice");
	if (value.len == 0)
		return fb_error_set(e, FB_BAD_VALUE, "--config: want the path of a file");
	*path = value.at; /* the rest of an argument: terminated */
	return FB_OK;
}

static enum fb_status set_flag(struct fb_conf *c, struct source *source, struct args *a, struct fb_str name,
			       struct fb_str value, bool joined, struct fb_error *e)
{
	size_t i = find_flag(name);
	char where[SETTING_NAME_MAX + 2], origin[SETTING_NAME_MAX + 8];
	struct input in = { .setting = i, .value = FB_STR("true"), .where = where, .origin = origin };

	if (i == SETTINGS)
		return unknown(name, e);
	snprintf(where, sizeof(where), "--%.*s", FB_STR_ARG(name));
	snprintf(origin, sizeof(origin), "flag %s", where);
	if (fb_conf_settings[i].kind == SETTING_SWITCH) {
		if (joined)
			return fb_error_set(e, FB_BAD_VALUE, "%s: a switch, it takes no value", where);
	} else {
		enum fb_status st = take_value(&value, a, name, joined, e);

		if (st != FB_OK)
			return st;
		in.value = value;
	}
	return conf_set(c, source, &in, e);
}

static enum fb_status read_one(struct fb_conf *c, struct source *source, const char **path, struct args *a,
			       struct fb_error *e)
{
	struct fb_str arg = fb_str_of(a->at[a->next++]), name, value = FB_STR("");
	bool joined;
	enum fb_status st;

	if (!conf_is_printable(arg))
		return fb_error_set(e, FB_BAD_VALUE, "argument %d holds a control character", a->next);
	if (!fb_str_starts(arg, FB_STR("--")) || arg.len == 2)
		return fb_error_set(e, FB_BAD_VALUE, "%.*s: want --name value", FB_STR_ARG(shown(arg)));
	name = arg = (struct fb_str){ arg.at + 2, arg.len - 2 };
	joined = fb_str_split(&name, &value, arg, '=');
	if (!fb_str_eq(name, FB_STR("config")))
		return set_flag(c, source, a, name, value, joined, e);
	st = take_value(&value, a, name, joined, e);
	return st == FB_OK ? set_config_path(path, value, e) : st;
}

enum fb_status conf_read_args(struct fb_conf *c, const char **path, int count, const char *const *args,
			      struct fb_error *e)
{
	struct args a = { .at = args, .count = count };
	struct source source = { 0 };
	enum fb_status st = FB_OK;

	while (st == FB_OK && a.next < a.count)
		st = read_one(c, &source, path, &a, e);
	return st;
}
