/* The environment: each setting has one variable. */
#include "conf_int.h"

#include <stdio.h>

/* The setting a variable is for; SETTINGS if it is none of ours. */
static size_t find_variable(struct fb_str name)
{
	size_t i = 0;

	while (i < SETTINGS && !fb_str_eq(name, fb_str_of(fb_conf_settings[i].variable)))
		i++;
	return i;
}

enum fb_status conf_read_environment(struct fb_conf *c, const char **path, const char *const *environment,
				     struct fb_error *e)
{
	struct source source = { 0 };

	for (size_t k = 0; environment[k] != NULL; k++) {
		struct fb_str name, value;
		char origin[ORIGIN_MAX];
		struct input in = { .origin = origin, .own_variable = true };
		enum fb_status st;

		if (!fb_str_split(&name, &value, fb_str_of(environment[k]), '=') || value.len == 0)
			continue;
		if (*path == NULL && fb_str_eq(name, FB_STR("FAREBOX_CONFIG")))
			*path = value.at; /* the rest of a terminated text */
		in.setting = find_variable(name);
		if (in.setting == SETTINGS)
			continue;
		in.where = fb_conf_settings[in.setting].variable;
		in.value = value;
		snprintf(origin, sizeof(origin), "%s in the environment", in.where);
		st = conf_set(c, &source, &in, e);
		if (st != FB_OK)
			return st;
	}
	return FB_OK;
}
