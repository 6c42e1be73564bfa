/* One setting gets its value: checked against its row, kept with its origin. */
#include "conf_int.h"

#include <inttypes.h>

static void *field(struct fb_conf *c, const struct setting *s)
{
	return (char *)c + s->offset;
}

const char *conf_text(const struct fb_conf *c, const struct setting *s)
{
	FB_ASSERT(s->kind == SETTING_TEXT || s->kind == SETTING_SECRET);
	return *(const char *const *)(const void *)((const char *)c + s->offset);
}

uint64_t conf_number(const struct fb_conf *c, const struct setting *s)
{
	FB_ASSERT(s->kind == SETTING_NUMBER);
	return *(const uint64_t *)(const void *)((const char *)c + s->offset);
}

bool conf_switch(const struct fb_conf *c, const struct setting *s)
{
	FB_ASSERT(s->kind == SETTING_SWITCH);
	return *(const bool *)(const void *)((const char *)c + s->offset);
}

/* "WHERE = VALUE: WHAT", the value cut to what a message is good for. */
static enum fb_status bad_value(const struct input *in, struct fb_error *e, const char *what)
{
	enum { SHOWN_MAX = 60 };
	struct fb_str v = in->value;

	return fb_error_set(e, FB_BAD_VALUE, "%s = %.*s%s: %s", in->where, v.len > SHOWN_MAX ? SHOWN_MAX : (int)v.len, v.at,
			    v.len > SHOWN_MAX ? "..." : "", what);
}

bool conf_is_printable(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.at[i] < 0x20 || s.at[i] == 0x7f)
			return false;
	return true;
}

static enum fb_status check_bytes(const struct input *in, struct fb_error *e)
{
	if (in->value.len > FB_CONF_VALUE_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "%s: the value is longer than %d bytes", in->where, FB_CONF_VALUE_MAX);
	if (!conf_is_printable(in->value))
		return fb_error_set(e, FB_BAD_VALUE, "%s: the value holds a control character", in->where);
	return FB_OK;
}

static char *keep(struct fb_conf *c, struct fb_str s)
{
	char *copy = fb_arena_copy(&c->texts->arena, s);

	FB_ASSERT(copy != NULL); /* sized for every setting at its longest */
	return copy;
}

static enum fb_status parse_number(uint64_t *out, const struct setting *s, const struct input *in, struct fb_error *e)
{
	char want[64];
	struct fb_buf b;
	uint64_t v;

	if (fb_u64_parse(&v, in->value) == FB_OK && v >= s->min && v <= s->max) {
		*out = v;
		return FB_OK;
	}
	fb_buf_init(&b, want, sizeof(want) - 1);
	fb_buf_printf(&b, "want %" PRIu64 "..%" PRIu64, s->min, s->max);
	want[b.len] = '\0';
	return bad_value(in, e, want);
}

static enum fb_status parse_switch(bool *out, const struct input *in, struct fb_error *e)
{
	bool on = fb_str_eq(in->value, FB_STR("true"));

	if (!on && !fb_str_eq(in->value, FB_STR("false")))
		return bad_value(in, e, "want true or false");
	*out = on;
	return FB_OK;
}

bool conf_looks_like_key(struct fb_str s)
{
	if (fb_str_starts(s, FB_STR("0x")) || fb_str_starts(s, FB_STR("0X")))
		s = (struct fb_str){ s.at + 2, s.len - 2 };
	if (s.len != 64)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return true;
}

/* The bytes of a secret are neither checked, kept nor shown here: only where they are. */
static enum fb_status parse_secret(const char **out, struct fb_conf *c, const struct setting *s, const struct input *in,
				   struct fb_error *e)
{
	enum fb_status st;

	if (in->own_variable) {
		char reference[SETTING_NAME_MAX + 1];
		struct fb_buf b;

		fb_buf_init(&b, reference, sizeof(reference));
		fb_buf_char(&b, '$');
		fb_buf_text(&b, s->variable);
		FB_ASSERT(!b.overflowed);
		*out = keep(c, fb_buf_view(&b));
		return FB_OK;
	}
	if (conf_looks_like_key(in->value))
		return fb_error_set(e, FB_BAD_VALUE, "%s: that is a key itself: want $NAME of a variable that holds it, "
				    "or the path of a file", in->where);
	st = check_bytes(in, e);
	if (st == FB_OK)
		*out = keep(c, in->value);
	return st;
}

/* The value at its place, in a table that is thrown away if it turns out to be overridden. */
static enum fb_status parse(struct fb_conf *c, const struct setting *s, const struct input *in, struct fb_error *e)
{
	enum fb_status st = s->kind == SETTING_SECRET ? FB_OK : check_bytes(in, e);

	if (st != FB_OK)
		return st;
	switch (s->kind) {
	case SETTING_TEXT:
		*(const char **)field(c, s) = keep(c, in->value);
		return FB_OK;
	case SETTING_NUMBER:
		return parse_number(field(c, s), s, in, e);
	case SETTING_SWITCH:
		return parse_switch(field(c, s), in, e);
	case SETTING_SECRET:
		return parse_secret(field(c, s), c, s, in, e);
	}
	FB_UNREACHABLE("setting kind");
}

enum fb_status conf_set(struct fb_conf *c, struct source *source, const struct input *in, struct fb_error *e)
{
	const struct setting *s = &fb_conf_settings[in->setting];
	struct fb_conf overridden = *c;
	struct fb_arena_mark mark = fb_arena_mark(&c->texts->arena);
	bool first = c->texts->origins[in->setting] == NULL;
	enum fb_status st;

	FB_ASSERT(in->setting < SETTINGS);
	if (source->seen[in->setting])
		return fb_error_set(e, FB_BAD_VALUE, "%s: set twice", in->where);
	source->seen[in->setting] = true;
	st = parse(first ? c : &overridden, s, in, e);
	if (st == FB_OK && first)
		c->texts->origins[in->setting] = keep(c, fb_str_of(in->origin));
	else
		fb_arena_release(&c->texts->arena, mark);
	return st;
}
