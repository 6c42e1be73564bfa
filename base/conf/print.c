/* `config print`: what is set, and from where. */
#include "conf_int.h"
#include "farebox/json.h"

static void put_value(struct fb_buf *out, const struct fb_conf *c, const struct setting *s)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		fb_buf_text(out, conf_text(c, s));
		return;
	case SETTING_NUMBER:
		fb_buf_u64(out, conf_number(c, s));
		return;
	case SETTING_SWITCH:
		fb_buf_text(out, conf_switch(c, s) ? "true" : "false");
		return;
	}
	FB_UNREACHABLE("setting kind");
}

static void pad_to(struct fb_buf *out, size_t start, size_t width)
{
	while (!out->overflowed && out->len - start < width)
		fb_buf_char(out, ' ');
}

static void print_table(const struct fb_conf *c, struct fb_buf *out)
{
	enum { NAME_WIDTH = 22, VALUE_WIDTH = 52 };

	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &fb_conf_settings[i];
		size_t start = out->len;

		fb_buf_text(out, s->name);
		pad_to(out, start, NAME_WIDTH);
		fb_buf_text(out, "= ");
		put_value(out, c, s);
		pad_to(out, start, VALUE_WIDTH);
		fb_buf_printf(out, "  (%s)\n", c->texts->origins[i]);
	}
}

static void put_json_value(struct fb_jw *w, const char *key, const struct setting *s, const char *text, uint64_t number,
			   bool on)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		fb_jw_kv_text(w, key, text);
		return;
	case SETTING_NUMBER:
		fb_jw_kv_u64(w, key, number);
		return;
	case SETTING_SWITCH:
		fb_jw_kv_bool(w, key, on);
		return;
	}
	FB_UNREACHABLE("setting kind");
}

static void print_json_row(struct fb_jw *w, const struct fb_conf *c, size_t i)
{
	const struct setting *s = &fb_conf_settings[i];
	bool is_text = s->kind == SETTING_TEXT || s->kind == SETTING_SECRET;

	fb_jw_object(w);
	fb_jw_kv_text(w, "name", s->name);
	put_json_value(w, "value", s, is_text ? conf_text(c, s) : NULL, s->kind == SETTING_NUMBER ? conf_number(c, s) : 0,
		       s->kind == SETTING_SWITCH && conf_switch(c, s));
	fb_jw_kv_text(w, "origin", c->texts->origins[i]);
	put_json_value(w, "default", s, s->text, s->number, false);
	fb_jw_kv_text(w, "help", s->doc);
	fb_jw_end(w);
}

void fb_conf_print(const struct fb_conf *c, struct fb_buf *out, bool json)
{
	struct fb_jw w;

	if (!json) {
		print_table(c, out);
		return;
	}
	fb_jw_init(&w, out);
	fb_jw_array(&w);
	for (size_t i = 0; i < SETTINGS; i++)
		print_json_row(&w, c, i);
	fb_jw_end(&w);
}
