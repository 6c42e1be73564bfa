/* The router: rows against a method and a path, segment by segment; literals win over parameters. */
#include "http_int.h"

#include <string.h>

static const char *const method_names[] = {
	[FB_GET] = "GET", [FB_POST] = "POST", [FB_PUT] = "PUT", [FB_PATCH] = "PATCH", [FB_DELETE] = "DELETE",
	[FB_OPTIONS] = "OPTIONS",
};

/* The next segment, taken off the front of *rest; false at the end. A path "/a/" ends with an empty one. */
static bool next_segment(struct fb_str *segment, struct fb_str *rest)
{
	size_t len = 1;

	if (rest->len == 0)
		return false;
	while (len < rest->len && rest->at[len] != '/')
		len++;
	*segment = (struct fb_str){ rest->at + 1, len - 1 };
	*rest = (struct fb_str){ rest->at + len, rest->len - len };
	return true;
}

static bool is_param(struct fb_str segment)
{
	return segment.len > 2 && segment.at[0] == '{' && segment.at[segment.len - 1] == '}';
}

static bool matches(struct fb_str params[FB_HTTP_PARAMS_MAX], const char *pattern, struct fb_str path)
{
	struct fb_str rest = fb_str_of(pattern), want, got;
	size_t n = 0;

	while (next_segment(&want, &rest)) {
		if (!next_segment(&got, &path))
			return false;
		if (is_param(want)) {
			if (got.len == 0)
				return false;
			params[n++] = got;
		} else if (!fb_str_eq(want, got)) {
			return false;
		}
	}
	return path.len == 0;
}

/* Of two patterns that match the same path: is the first one literal where they first differ in kind? */
static bool more_literal(const char *one, const char *other)
{
	struct fb_str a = fb_str_of(one), b = fb_str_of(other), x, y;

	while (next_segment(&x, &a) && next_segment(&y, &b))
		if (is_param(x) != is_param(y))
			return is_param(y);
	return false;
}

/* Walks all rows that match the path; `methods` gets a bit for each one's method. */
static const struct fb_route *find(void **ctx, struct fb_str params[FB_HTTP_PARAMS_MAX], unsigned *methods,
				   const struct fb_mount *mounts, size_t count, int method, struct fb_str path)
{
	const struct fb_route *best = NULL;

	for (size_t m = 0; m < count; m++)
		for (size_t i = 0; i < mounts[m].count; i++) {
			const struct fb_route *row = &mounts[m].routes[i];
			struct fb_str found[FB_HTTP_PARAMS_MAX] = { { NULL, 0 } };

			if (!matches(found, row->pattern, path))
				continue;
			*methods |= 1u << row->method;
			if ((int)row->method != method || (best != NULL && !more_literal(row->pattern, best->pattern)))
				continue;
			best = row;
			*ctx = mounts[m].ctx;
			memcpy(params, found, sizeof(found));
		}
	return best;
}

static void put_name(struct fb_buf *out, const char *name)
{
	if (out->len > 0)
		fb_buf_text(out, ", ");
	fb_buf_text(out, name);
}

enum fb_status fb_route_find(const struct fb_route **out, void **ctx, struct fb_str params[FB_HTTP_PARAMS_MAX],
			     struct fb_buf *allow, const struct fb_mount *mounts, size_t count, enum fb_method method,
			     struct fb_str path)
{
	struct fb_str values[FB_HTTP_PARAMS_MAX];
	unsigned methods = 0;
	void *found_ctx = NULL;
	const struct fb_route *row = find(&found_ctx, values, &methods, mounts, count, (int)method, path);

	if (row != NULL) {
		*out = row;
		*ctx = found_ctx;
		memcpy(params, values, sizeof(values));
		return FB_OK;
	}
	for (size_t i = 0; i < FB_COUNT(method_names); i++)
		if ((methods & 1u << i) != 0)
			put_name(allow, method_names[i]);
	return methods == 0 ? FB_NOT_FOUND : FB_METHOD;
}

bool fb_http_allow(struct fb_buf *out, const struct fb_mount *mounts, size_t count, struct fb_str path)
{
	struct fb_str params[FB_HTTP_PARAMS_MAX];
	unsigned methods = 0;
	void *ctx;

	find(&ctx, params, &methods, mounts, count, -1, path);
	if (methods == 0)
		return false;
	for (size_t i = 0; i < FB_COUNT(method_names); i++) {
		if ((methods & 1u << i) == 0 || i == FB_OPTIONS)
			continue;
		put_name(out, method_names[i]);
		if (i == FB_GET)
			put_name(out, "HEAD");
	}
	put_name(out, "OPTIONS");
	return true;
}

static bool is_literal(struct fb_str segment)
{
	return memchr(segment.at, '{', segment.len) == NULL && memchr(segment.at, '}', segment.len) == NULL;
}

static void check_pattern(const char *pattern)
{
	struct fb_str rest = fb_str_of(pattern), segment;
	unsigned params = 0;

	FB_ASSERT(pattern[0] == '/');
	while (next_segment(&segment, &rest)) {
		FB_ASSERT(segment.len > 0 || strcmp(pattern, "/") == 0);
		FB_ASSERT(is_param(segment) || is_literal(segment));
		params += is_param(segment);
	}
	FB_ASSERT(params <= FB_HTTP_PARAMS_MAX);
}

/* Patterns that differ in the names of parameters only are the same pattern. */
static bool same_pattern(const char *one, const char *other)
{
	struct fb_str a = fb_str_of(one), b = fb_str_of(other), x, y;

	while (next_segment(&x, &a)) {
		if (!next_segment(&y, &b) || is_param(x) != is_param(y))
			return false;
		if (!is_param(x) && !fb_str_eq(x, y))
			return false;
	}
	return b.len == 0;
}

static bool doubled(const struct fb_mount *mounts, size_t count, const struct fb_route *row)
{
	for (size_t m = 0; m < count; m++)
		for (size_t i = 0; i < mounts[m].count; i++) {
			const struct fb_route *other = &mounts[m].routes[i];

			if (other != row && other->method == row->method && same_pattern(other->pattern, row->pattern))
				return true;
		}
	return false;
}

void fb_http_routes_check(const struct fb_mount *mounts, size_t count)
{
	for (size_t m = 0; m < count; m++)
		for (size_t i = 0; i < mounts[m].count; i++) {
			const struct fb_route *row = &mounts[m].routes[i];

			FB_ASSERT(row->handle != NULL && row->method < FB_COUNT(method_names));
			check_pattern(row->pattern);
			FB_ASSERT(!doubled(mounts, count, row));
		}
}
