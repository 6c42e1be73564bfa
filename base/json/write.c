/* The writer: commas by itself, strings that cannot break out, overflow latched in the buf. */
#include "json_int.h"

#include <string.h>

enum { DEPTH_MAX = 31 }; /* containers; level 0 is the document itself, and levels are bits of 32 */

static bool in_array(const struct fb_jw *w)
{
	return (w->arrays >> w->depth & 1) != 0;
}

static bool has_items(const struct fb_jw *w)
{
	return (w->has_items >> w->depth & 1) != 0;
}

void fb_jw_init(struct fb_jw *w, struct fb_buf *out)
{
	FB_ASSERT(out != NULL);
	*w = (struct fb_jw){ .out = out };
}

static void begin_item(struct fb_jw *w)
{
	if (has_items(w))
		fb_buf_char(w->out, ',');
	w->has_items |= 1u << w->depth;
}

static void begin_value(struct fb_jw *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	FB_ASSERT(w->depth == 0 || in_array(w)); /* a member needs a key */
	FB_ASSERT(w->depth > 0 || !has_items(w)); /* one document, one value */
	begin_item(w);
}

static void begin_container(struct fb_jw *w, bool array)
{
	begin_value(w);
	FB_ASSERT(w->depth < DEPTH_MAX);
	w->depth++;
	w->has_items &= ~(1u << w->depth);
	w->arrays = (w->arrays & ~(1u << w->depth)) | (array ? 1u : 0u) << w->depth;
	fb_buf_char(w->out, array ? '[' : '{');
}

void fb_jw_object(struct fb_jw *w)
{
	begin_container(w, false);
}

void fb_jw_array(struct fb_jw *w)
{
	begin_container(w, true);
}

void fb_jw_end(struct fb_jw *w)
{
	FB_ASSERT(w->depth > 0);
	FB_ASSERT(!w->after_key);
	fb_buf_char(w->out, in_array(w) ? ']' : '}');
	w->depth--;
}

/* 'u' for a character that has no short escape. */
static char short_escape(char c)
{
	switch (c) {
	case '"': case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 'u';
	}
}

static void put_escaped(struct fb_buf *b, char c)
{
	static const char digits[] = "0123456789abcdef";
	char text[] = { '\\', short_escape(c), '0', '0', digits[(unsigned char)c >> 4], digits[c & 15] };

	FB_ASSERT((unsigned char)c < 0x80);
	fb_buf_put(b, text, text[1] == 'u' ? sizeof(text) : 2);
}

/* The one byte or UTF-8 sequence at `at` that is not plain; returns what stands behind it. */
static const char *put_special(struct fb_buf *b, const char *at, const char *end)
{
	unsigned len;

	if ((unsigned char)*at < 0x80) {
		put_escaped(b, *at);
		return at + 1;
	}
	len = fb_json_scan_utf8(at, end);
	if (len == 0) {
		fb_buf_text(b, "\xef\xbf\xbd"); /* U+FFFD */
		return at + 1;
	}
	fb_buf_put(b, at, len);
	return at + len;
}

static void put_string(struct fb_buf *b, struct fb_str s)
{
	const char *at = s.len == 0 ? "" : s.at, *end = at + s.len;

	fb_buf_char(b, '"');
	while (at < end) {
		const char *special = fb_json_scan_plain(at, end);

		fb_buf_put(b, at, (size_t)(special - at));
		at = special == end ? end : put_special(b, special, end);
	}
	fb_buf_char(b, '"');
}

void fb_jw_key(struct fb_jw *w, const char *key)
{
	FB_ASSERT(w->depth > 0 && !in_array(w));
	FB_ASSERT(!w->after_key);
	begin_item(w);
	put_string(w->out, fb_str_of(key));
	fb_buf_char(w->out, ':');
	w->after_key = true;
}

void fb_jw_str(struct fb_jw *w, struct fb_str s)
{
	begin_value(w);
	put_string(w->out, s);
}

void fb_jw_text(struct fb_jw *w, const char *text)
{
	fb_jw_str(w, fb_str_of(text));
}

void fb_jw_u64(struct fb_jw *w, uint64_t v)
{
	begin_value(w);
	fb_buf_u64(w->out, v);
}

void fb_jw_bool(struct fb_jw *w, bool v)
{
	begin_value(w);
	fb_buf_text(w->out, v ? "true" : "false");
}

void fb_jw_null(struct fb_jw *w)
{
	begin_value(w);
	fb_buf_text(w->out, "null");
}

void fb_jw_raw(struct fb_jw *w, struct fb_str json)
{
	FB_ASSERT(json.len > 0);
	begin_value(w);
	fb_buf_str(w->out, json);
}

void fb_jw_amount(struct fb_jw *w, struct fb_amount a)
{
	begin_value(w);
	fb_buf_char(w->out, '"');
	fb_buf_amount(w->out, a);
	fb_buf_char(w->out, '"');
}

void fb_jw_kv_str(struct fb_jw *w, const char *key, struct fb_str s)
{
	fb_jw_key(w, key);
	fb_jw_str(w, s);
}

void fb_jw_kv_text(struct fb_jw *w, const char *key, const char *text)
{
	fb_jw_key(w, key);
	fb_jw_text(w, text);
}

void fb_jw_kv_u64(struct fb_jw *w, const char *key, uint64_t v)
{
	fb_jw_key(w, key);
	fb_jw_u64(w, v);
}

void fb_jw_kv_bool(struct fb_jw *w, const char *key, bool v)
{
	fb_jw_key(w, key);
	fb_jw_bool(w, v);
}

void fb_jw_kv_raw(struct fb_jw *w, const char *key, struct fb_str json)
{
	fb_jw_key(w, key);
	fb_jw_raw(w, json);
}
