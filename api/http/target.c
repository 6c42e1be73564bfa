/* The raw request target, strictly: forms, bytes, escapes, segments; then values out of its query. */
#include "http_int.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes one byte off the front, decoding an escape; -1 for a bad escape. */
static int take_byte(struct fb_str *s)
{
	int high, low;

	if (s->at[0] != '%') {
		int c = (unsigned char)s->at[0];

		*s = (struct fb_str){ s->at + 1, s->len - 1 };
		return c;
	}
	if (s->len < 3)
		return -1;
	high = hex_digit(s->at[1]);
	low = hex_digit(s->at[2]);
	if (high < 0 || low < 0)
		return -1;
	*s = (struct fb_str){ s->at + 3, s->len - 3 };
	return high << 4 | low;
}

static size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* How long the well-formed UTF-8 sequence at the front is; 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	size_t len = utf8_length(p[0]);

	if (len == 0 || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0)) /* overlong; surrogates */
		return 0;
	if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90)) /* overlong; beyond U+10FFFF */
		return 0;
	return len;
}

static bool is_utf8(struct fb_str s)
{
	const unsigned char *p = (const unsigned char *)s.at;

	for (size_t i = 0, n; i < s.len; i += n) {
		n = utf8_sequence(p + i, s.len - i);
		if (n == 0)
			return false;
	}
	return true;
}

static enum fb_status fault(const char **why, const char *what)
{
	*why = what;
	return FB_BAD_REQUEST;
}

static enum fb_status check_bytes(const char **why, struct fb_str raw)
{
	if (raw.len == 0)
		return fault(why, "no target");
	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.at[i];

		if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
			return fault(why, "a byte that a target cannot hold");
	}
	return FB_OK;
}

/* Takes "http://host" off an absolute-form target. */
static enum fb_status strip_origin(struct fb_str *rest, const char **why, struct fb_str raw, struct fb_str host)
{
	size_t start = 0, end;

	if (raw.at[0] == '/') {
		*rest = raw;
		return FB_OK;
	}
	if (raw.len > 7 && fb_str_eq_nocase((struct fb_str){ raw.at, 7 }, FB_STR("http://")))
		start = 7;
	else if (raw.len > 8 && fb_str_eq_nocase((struct fb_str){ raw.at, 8 }, FB_STR("https://")))
		start = 8;
	else
		return fault(why, "neither a path nor an http URL as target");
	for (end = start; end < raw.len && raw.at[end] != '/' && raw.at[end] != '?';)
		end++;
	if (!fb_str_eq_nocase((struct fb_str){ raw.at + start, end - start }, host))
		return fault(why, "the target names another host");
	*rest = (struct fb_str){ raw.at + end, raw.len - end };
	return FB_OK;
}

/* One decoded byte of a path, which must neither separate nor control anything. */
static bool sound_byte(const char **why, int c, bool escaped)
{
	if (c < 0)
		*why = "a bad escape";
	else if (c < 0x20 || c == 0x7f)
		*why = "an escaped control byte";
	else if (escaped && (c == '/' || c == '\\'))
		*why = "an escaped slash";
	else
		return true;
	return false;
}

static bool is_dots(struct fb_str segment)
{
	return fb_str_eq(segment, FB_STR(".")) || fb_str_eq(segment, FB_STR(".."));
}

static enum fb_status check_segments(const char **why, struct fb_str path)
{
	size_t start = 1;

	for (size_t i = 1; i <= path.len; i++) {
		struct fb_str segment = { path.at + start, i - start };

		if (i < path.len && path.at[i] != '/')
			continue;
		if (segment.len == 0 && i < path.len)
			return fault(why, "an empty path segment");
		if (is_dots(segment))
			return fault(why, "a dot segment");
		start = i + 1;
	}
	return FB_OK;
}

static enum fb_status decode_path(struct fb_str *out, const char **why, struct fb_arena *a, struct fb_str raw)
{
	char *text = fb_arena_alloc(a, raw.len + 1, 1);
	size_t len = 0;
	struct fb_str path;
	enum fb_status st;

	if (text == NULL)
		return FB_NO_MEMORY;
	while (raw.len > 0) {
		bool escaped = raw.at[0] == '%';
		int c = take_byte(&raw);

		if (!sound_byte(why, c, escaped))
			return FB_BAD_REQUEST;
		text[len++] = (char)c;
	}
	path = (struct fb_str){ text, len };
	if (!is_utf8(path))
		return fault(why, "a path that is not UTF-8");
	st = check_segments(why, path);
	if (st == FB_OK)
		*out = path;
	return st;
}

static enum fb_status check_escapes(const char **why, struct fb_str query)
{
	while (query.len > 0)
		if (take_byte(&query) < 0)
			return fault(why, "a bad escape");
	return FB_OK;
}

enum fb_status fb_target_parse(struct fb_target *out, const char **why, struct fb_arena *a, struct fb_str raw,
			       struct fb_str host)
{
	struct fb_target t = { .query = { "", 0 } };
	struct fb_str rest, path;
	enum fb_status st = check_bytes(why, raw);

	if (st == FB_OK)
		st = strip_origin(&rest, why, raw, host);
	if (st != FB_OK)
		return st;
	path = rest;
	fb_str_split(&path, &t.query, rest, '?');
	st = check_escapes(why, t.query);
	if (st == FB_OK)
		st = decode_path(&t.path, why, a, path.len == 0 ? FB_STR("/") : path);
	if (st == FB_OK)
		*out = t;
	return st;
}

/* ---- values of the query: names and values are decoded, '+' is a blank ----------------------- */
static int take_query_byte(struct fb_str *s)
{
	int c = s->at[0] == '+' ? ' ' : 0;

	if (c == 0)
		return take_byte(s);
	*s = (struct fb_str){ s->at + 1, s->len - 1 };
	return c;
}

static bool names(struct fb_str raw, const char *name)
{
	for (; *name != '\0'; name++)
		if (raw.len == 0 || take_query_byte(&raw) != (unsigned char)*name)
			return false;
	return raw.len == 0;
}

static enum fb_status find_value(struct fb_str *out, struct fb_str query, const char *name)
{
	unsigned found = 0;

	while (query.len > 0) {
		struct fb_str pair = query, rest = { "", 0 }, key, value = { "", 0 };

		fb_str_split(&pair, &rest, query, '&');
		query = rest;
		key = pair;
		fb_str_split(&key, &value, pair, '=');
		if (!names(key, name))
			continue;
		if (found++ > 0)
			return FB_BAD_SYNTAX; /* which of the two was meant? */
		*out = value;
	}
	return found > 0 ? FB_OK : FB_NOT_FOUND;
}

enum fb_status fb_request_query(struct fb_request *r, struct fb_str *out, const char *name)
{
	struct fb_str raw, value;
	size_t len = 0;
	char *text;
	enum fb_status st = find_value(&raw, r->query, name);

	if (st != FB_OK)
		return st;
	text = fb_arena_alloc(r->arena, raw.len + 1, 1);
	if (text == NULL)
		return FB_NO_MEMORY;
	while (raw.len > 0) {
		int c = take_query_byte(&raw);

		if (c <= 0)
			return FB_BAD_SYNTAX;
		text[len++] = (char)c;
	}
	value = (struct fb_str){ text, len };
	if (!is_utf8(value))
		return FB_BAD_SYNTAX;
	*out = value;
	return FB_OK;
}
