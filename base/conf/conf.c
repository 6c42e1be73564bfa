/* All sources into one table, strongest first: whoever comes first has set the value. */
#include "conf_int.h"

#include <stdlib.h>

enum {
	/* A value and an origin for every setting, and one more value that is parsed and thrown away. */
	ARENA_ROUND = 32,
	ARENA_MAX = (SETTINGS + 1) * (FB_CONF_VALUE_MAX + ORIGIN_MAX + 2 * ARENA_ROUND),
};

static void start(struct fb_conf *c)
{
	*c = (struct fb_conf){ 0 };
	c->texts = fb_must_alloc(1, sizeof(*c->texts));
	c->texts->block = fb_must_alloc(1, ARENA_MAX);
	fb_arena_init(&c->texts->arena, c->texts->block, ARENA_MAX);
}

static void fill_defaults(struct fb_conf *c)
{
	const struct fb_conf defaults = {
#define TEXT(field, def, var, doc) .field = def,
#define NUMBER(field, def, min, max, var, doc) .field = def,
#define SWITCH(field, var, doc) .field = false,
#define SECRET(field, var, doc) .field = "",
		FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
	};

#define FILL(field)                                                           \
	if (c->texts->origins[SETTING_OF_##field] == NULL) {                  \
		c->field = defaults.field;                                    \
		c->texts->origins[SETTING_OF_##field] = "default";            \
	}
#define TEXT(field, def, var, doc) FILL(field)
#define NUMBER(field, def, min, max, var, doc) FILL(field)
#define SWITCH(field, var, doc) FILL(field)
#define SECRET(field, var, doc) FILL(field)
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
#undef FILL
}

enum fb_status fb_conf_open(struct fb_conf *out, int arg_count, const char *const *args,
			    const char *const *environment, struct fb_error *e)
{
	struct fb_conf c;
	const char *path = NULL;
	enum fb_status st;

	start(&c);
	st = conf_read_args(&c, &path, arg_count, args, e);
	if (st == FB_OK)
		st = conf_read_environment(&c, &path, environment, e);
	if (st == FB_OK && path != NULL)
		st = conf_read_file(&c, path, e);
	if (st != FB_OK) {
		fb_conf_close(&c);
		return st;
	}
	fill_defaults(&c);
	*out = c;
	return FB_OK;
}

void fb_conf_close(struct fb_conf *c)
{
	free(c->texts->block);
	free(c->texts);
	*c = (struct fb_conf){ 0 };
}

const char *fb_conf_origin(const struct fb_conf *c, const char *name)
{
	size_t i = setting_find(fb_str_of(name));

	FB_ASSERT(i < SETTINGS);
	return c->texts->origins[i];
}
