/* The table of settings as an array, and finding a row by its name or by a name nearly right. */
#include "conf_int.h"

#include <string.h>

const struct setting fb_conf_settings[SETTINGS] = {
#define ROW(field, k, var, help) \
	.name = #field, .variable = var, .doc = help, .kind = k, .offset = offsetof(struct fb_conf, field)
#define TEXT(field, def, var, doc) { ROW(field, SETTING_TEXT, var, doc), .text = def },
#define NUMBER(field, def, lo, hi, var, doc) \
	{ ROW(field, SETTING_NUMBER, var, doc), .number = def, .min = lo, .max = hi },
#define SWITCH(field, var, doc) { ROW(field, SETTING_SWITCH, var, doc) },
#define SECRET(field, var, doc) { ROW(field, SETTING_SECRET, var, doc), .text = "" },
	FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET
#undef ROW
};

#define NAME_FITS(field) _Static_assert(sizeof(#field) <= SETTING_NAME_MAX, "the name of " #field " fits");
#define TEXT(field, def, var, doc) NAME_FITS(field)
#define NUMBER(field, def, lo, hi, var, doc)                                                      \
	NAME_FITS(field)                                                                          \
	_Static_assert((lo) <= (def) && (def) <= (hi), "the default of " #field " is in its range");
#define SWITCH(field, var, doc) NAME_FITS(field)
#define SECRET(field, var, doc) NAME_FITS(field)
FB_SETTINGS(TEXT, NUMBER, SWITCH, SECRET)
#undef TEXT
#undef NUMBER
#undef SWITCH
#undef SECRET

size_t fb_conf_count(void)
{
	return SETTINGS;
}

const char *fb_conf_name(size_t i)
{
	FB_ASSERT(i < SETTINGS);
	return fb_conf_settings[i].name;
}

size_t setting_find(struct fb_str name)
{
	size_t i = 0;

	while (i < SETTINGS && !fb_str_eq(name, fb_str_of(fb_conf_settings[i].name)))
		i++;
	return i;
}

void setting_flag(char out[SETTING_NAME_MAX], const struct setting *s)
{
	size_t len = strlen(s->name);

	for (size_t i = 0; i <= len; i++)
		out[i] = s->name[i] == '_' ? '-' : s->name[i];
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static char folded(char c)
{
	if (c == '-')
		return '_';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Insertions, deletions and replacements from a to b (Levenshtein), row by row; '-' counts as '_', case not at all. */
static size_t distance(struct fb_str a, struct fb_str b)
{
	size_t row[SETTING_NAME_MAX + 1];

	FB_ASSERT(b.len <= SETTING_NAME_MAX);
	for (size_t k = 0; k <= b.len; k++)
		row[k] = k;
	for (size_t i = 0; i < a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t k = 0; k < b.len; k++) {
			size_t replaced = diagonal + (folded(a.at[i]) != b.at[k]);

			diagonal = row[k + 1];
			row[k + 1] = least(replaced, least(row[k], row[k + 1]) + 1);
		}
	}
	return row[b.len];
}

const char *setting_suggest(struct fb_str name)
{
	enum { NEAR = 3 };
	const char *best = NULL;
	size_t best_distance = NEAR + 1;

	if (name.len > SETTING_NAME_MAX)
		return NULL;
	for (size_t i = 0; i < SETTINGS; i++) {
		const char *candidate = fb_conf_settings[i].name;
		size_t d = distance(name, fb_str_of(candidate));

		if (d < best_distance && d < strlen(candidate)) {
			best = candidate;
			best_distance = d;
		}
	}
	return best;
}
