/* API keys from a file or a variable, kept as hashes. */
#include "farebox/auth.h"

#include "farebox/crypto.h"
#include "farebox/os.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 131072 };

struct fb_auth_keys {
	struct fb_hash hashes[FB_AUTH_KEYS_MAX];
	size_t count;
};

static enum fb_status add_key(struct fb_auth_keys *k, struct fb_str key, const char *source, struct fb_error *e)
{
	if (key.len < FB_AUTH_KEY_MIN || key.len > FB_AUTH_KEY_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "api_keys (%s): key %zu has %zu characters: want %d..%d", source,
				    k->count + 1, key.len, FB_AUTH_KEY_MIN, FB_AUTH_KEY_MAX);
	if (k->count == FB_AUTH_KEYS_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "api_keys (%s): more than %d keys", source, FB_AUTH_KEYS_MAX);
	k->hashes[k->count++] = fb_sha256(key.at, key.len);
	return FB_OK;
}

/* Without blanks, and without the CR of files that come from Windows. */
static struct fb_str trim(struct fb_str s)
{
	s = fb_str_trim(s);
	if (s.len > 0 && s.at[s.len - 1] == '\r')
		s.len--;
	return fb_str_trim(s);
}

/* The text before the first `at`, or all of it; *rest goes behind. */
static struct fb_str take(struct fb_str *rest, char at)
{
	struct fb_str head = *rest, tail = { "", 0 };

	(void)fb_str_split(&head, &tail, *rest, at);
	*rest = tail;
	return trim(head);
}

static enum fb_status add_line(struct fb_auth_keys *k, struct fb_str line, const char *source, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	while (line.len > 0 && st == FB_OK) {
		struct fb_str key = take(&line, ',');

		if (key.len > 0)
			st = add_key(k, key, source, e);
	}
	return st;
}

static enum fb_status add_keys(struct fb_auth_keys *k, struct fb_str text, const char *source, struct fb_error *e)
{
	enum fb_status st = FB_OK;

	while (text.len > 0 && st == FB_OK) {
		struct fb_str line = take(&text, '\n');

		if (line.len > 0 && line.at[0] != '#') /* a key behind a comma in a comment is none either */
			st = add_line(k, line, source, e);
	}
	if (st == FB_OK && k->count == 0)
		st = fb_error_set(e, FB_BAD_VALUE, "api_keys (%s): holds no key: want one a line", source);
	return st;
}

/* A variable holds the keys. One that holds the path of their file would make that path a key, which anybody might
 * guess. */
static enum fb_status read_variable(struct fb_auth_keys *k, const char *source, struct fb_error *e)
{
	const char *value = getenv(source + 1);

	if (value == NULL)
		return fb_error_set(e, FB_NOT_FOUND, "api_keys: the variable %s is not set", source + 1);
	if (access(value, F_OK) == 0)
		return fb_error_set(e, FB_BAD_VALUE, "api_keys (%s): holds the path of a file, want the keys: to read them "
				    "from the file use --api-keys PATH", source);
	return add_keys(k, fb_str_of(value), source, e);
}

static enum fb_status read_file(struct fb_auth_keys *k, const char *path, struct fb_error *e)
{
	char *text = fb_must_alloc(FILE_MAX, 1);
	size_t len = 0;
	enum fb_status st = fb_os_read_secret(text, &len, FILE_MAX, path, e);

	if (st == FB_OK)
		st = add_keys(k, (struct fb_str){ text, len }, path, e);
	explicit_bzero(text, FILE_MAX);
	free(text);
	return st;
}

static enum fb_status read_source(struct fb_auth_keys *k, const char *source, struct fb_error *e)
{
	return source[0] == '$' ? read_variable(k, source, e) : read_file(k, source, e);
}

enum fb_status fb_auth_open(struct fb_auth_keys **out, const char *source, struct fb_error *e)
{
	struct fb_auth_keys *k = fb_must_alloc(1, sizeof(*k));
	enum fb_status st = source[0] == '\0' ? FB_OK : read_source(k, source, e);

	if (st != FB_OK) {
		fb_auth_close(k);
		return st;
	}
	*out = k;
	return FB_OK;
}

void fb_auth_close(struct fb_auth_keys *k)
{
	free(k);
}

bool fb_auth_has_keys(const struct fb_auth_keys *k)
{
	return k->count > 0;
}

static struct fb_str presented_key(const struct fb_request *r)
{
	struct fb_str authorization = fb_request_header(r, "Authorization"), bearer = FB_STR("Bearer ");

	if (authorization.len >= bearer.len &&
	    fb_str_eq_nocase((struct fb_str) { authorization.at, bearer.len }, bearer))
		return fb_str_trim((struct fb_str){ authorization.at + bearer.len, authorization.len - bearer.len });
	return fb_request_header(r, "X-API-Key");
}

enum fb_status fb_auth_check(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	const struct fb_auth_keys *k = ctx;
	struct fb_str key;
	struct fb_hash hash;
	bool found = false;

	if (route->auth == FB_AUTH_POLICY && k->count == 0) /* only browsers name an Origin, and always when they post */
		return fb_request_header(r, "Origin").len == 0 ? FB_OK : FB_FORBIDDEN;
	key = presented_key(r);
	if (key.len < FB_AUTH_KEY_MIN || key.len > FB_AUTH_KEY_MAX)
		return FB_UNAUTHORIZED;
	hash = fb_sha256(key.at, key.len);
	for (size_t i = 0; i < k->count; i++) /* all of them: time does not tell which one matched */
		found |= fb_bytes_eq_secret(hash.bytes, k->hashes[i].bytes, sizeof(hash.bytes));
	return found ? FB_OK : FB_UNAUTHORIZED;
}

bool fb_auth_identity(uint8_t out[FB_AUTH_IDENTITY_LEN], const struct fb_request *r)
{
	struct fb_str key = presented_key(r);
	struct fb_hash hash;

	if (key.len < FB_AUTH_KEY_MIN || key.len > FB_AUTH_KEY_MAX)
		return false;
	hash = fb_sha256(key.at, key.len);
	memcpy(out, hash.bytes, FB_AUTH_IDENTITY_LEN);
	return true;
}
