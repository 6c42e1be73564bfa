/* Inside base/conf: the table as data, and the settings while they are being read. */
#ifndef FB_CONF_INT_H
#define FB_CONF_INT_H
#include "farebox/conf.h"

enum setting_kind { SETTING_TEXT, SETTING_NUMBER, SETTING_SWITCH, SETTING_SECRET };
struct setting {
	const char *name, *variable, *doc;
	enum setting_kind kind;
	size_t offset;             /* of the field in struct fb_conf */
	const char *text;          /* default of a TEXT */
	uint64_t number, min, max; /* of a NUMBER */
};

/* How many rows the table has, as a constant. */
enum {
#define TEXT(field, def, var, doc) SETTING_OF_##field,
#define NUMBER(field, def, min, max, var, doc) SETTING_OF_##field,
#define SWITCH(field, var, doc) SETTING_OF_##field,
#define SECRET(field, var, doc) SETTING_OF_##field,
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
	SETTINGS
};
extern const struct setting fb_conf_settings[SETTINGS];

enum { SETTING_NAME_MAX = 32, ORIGIN_MAX = FB_CONF_PATH_MAX + 32 };

/* SETTINGS if there is none of that name. */
size_t setting_find(struct fb_str name);
void setting_flag(char out[SETTING_NAME_MAX], const struct setting *s); /* "rpc-timeout-ms" */
/* The setting whose name takes the fewest changes; NULL if none is near. */
const char *setting_suggest(struct fb_str name);

const char *conf_text(const struct fb_conf *c, const struct setting *s); /* of a TEXT or SECRET */
uint64_t conf_number(const struct fb_conf *c, const struct setting *s);
bool conf_switch(const struct fb_conf *c, const struct setting *s);

struct fb_conf_texts {
	const char *origins[SETTINGS];
	struct fb_arena arena; /* owns values and origins that are not constants */
	void *block;
};

/* One value on its way in. `where` is what messages and origins call the place. */
struct input {
	size_t setting;
	struct fb_str value;
	const char *where;  /* "--port", "PORT", "farebox.conf:3: port" */
	const char *origin; /* "flag --port", "PORT in the environment", "farebox.conf:3" */
	bool own_variable;  /* from the environment */
};

/* What one source has set so far: a second time is an error. */
struct source {
	bool seen[SETTINGS];
};

/* Checks the value and keeps it, unless a stronger source came before. */
FB_MUST_USE enum fb_status conf_set(struct fb_conf *c, struct source *source, const struct input *in,
				    struct fb_error *e);

/* No control characters: what a message may repeat and a page may show. */
bool conf_is_printable(struct fb_str s);
/* 64 hex digits, with or without 0x: a private key where its name or file belongs. Never to be repeated. */
bool conf_looks_like_key(struct fb_str s);

/* ---- the sources; *path is the config file's, NULL as long as none is named ---- */
FB_MUST_USE enum fb_status conf_read_args(struct fb_conf *c, const char **path, int count,
					  const char *const *args, struct fb_error *e);
FB_MUST_USE enum fb_status conf_read_environment(struct fb_conf *c, const char **path,
						 const char *const *environment, struct fb_error *e);
FB_MUST_USE enum fb_status conf_read_file(struct fb_conf *c, const char *path, struct fb_error *e);
#endif /* FB_CONF_INT_H */
