/* `config print`: what is set, and from where. */
#include "conf_int.h"
#include "farebox/json.h"

#include <string.h>

enum { SHOWN_MAX = 4096 };

/* Providers put their customers' keys into the path and query of an endpoint's URL, or before its host. */
static void put_endpoint(struct fb_buf *out, struct fb_str url)
{
	struct fb_str scheme, rest, before, host;
	size_t len = 0;

	if (!fb_str_split(&scheme, &rest, url, ':') || !fb_str_starts(rest, FB_STR("//"))) {
		fb_buf_text(out, "..."); /* no URL: serve says so, and nothing of it is shown here */
		return;
	}
	rest = (struct fb_str){ rest.at + 2, rest.len - 2 };
	while (len < rest.len && rest.at[len] != '/' && rest.at[len] != '?' && rest.at[len] != '#')
		len++;
	host = (struct fb_str){ rest.at, len };
	(void)fb_str_split(&before, &host, host, '@');
	fb_buf_str(out, scheme);
	fb_buf_text(out, "://");
	fb_buf_str(out, host);
	if (rest.len > len + 1)
		fb_buf_text(out, "/...");
}

static void put_endpoints(struct fb_buf *out, struct fb_str list)
{
	struct fb_str one, tail;

	while (list.len > 0) {
		one = list;
		tail = (struct fb_str){ "", 0 };
		(void)fb_str_split(&one, &tail, list, ',');
		put_endpoint(out, fb_str_trim(one));
		if (tail.len > 0)
			fb_buf_char(out, ',');
		list = tail;
	}
}

/* The text as it may be shown. */
static void put_text(struct fb_buf *out, const struct fb_conf *c, const struct setting *s)
{
	if (strcmp(s->name, "rpc_url") == 0)
		put_endpoints(out, fb_str_of(conf_text(c, s)));
	else
		fb_buf_text(out, conf_text(c, s));
}

static void put_value(struct fb_buf *out, const struct fb_conf *c, const struct setting *s)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		put_text(out, c, s);
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

static void put_json_value(struct fb_jw *w, const char *key, const struct setting *s, struct fb_str text,
			   uint64_t number, bool on)
{
	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_SECRET:
		fb_jw_kv_str(w, key, text);
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
	char block[SHOWN_MAX];
	struct fb_buf shown;

	fb_buf_init(&shown, block, sizeof(block));
	if (s->kind == SETTING_TEXT || s->kind == SETTING_SECRET)
		put_text(&shown, c, s);

	fb_jw_object(w);
	fb_jw_kv_text(w, "name", s->name);
	put_json_value(w, "value", s, fb_buf_view(&shown), s->kind == SETTING_NUMBER ? conf_number(c, s) : 0,
		       s->kind == SETTING_SWITCH && conf_switch(c, s));
	fb_jw_kv_text(w, "origin", c->texts->origins[i]);
	put_json_value(w, "default", s, fb_str_of(s->text), s->number, false);
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
