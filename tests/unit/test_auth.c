/* Goal: the contract of farebox/auth.h: which keys a source holds, and who gets in with what. Method: sources in files
 * and variables; requests to a real server on a loopback port. */
#include "fb_test_dir.h"

#include "farebox/auth.h"
#include "farebox/os.h"
#include "fb_client.h"
#include "fb_test.h"

#include <sys/stat.h>
#include <unistd.h>

#define KEY_A "key-a-0123456789abcdef"
#define KEY_B "key-b-0123456789abcdef"
#define REVOKED "revoked-0123456789abcdef"

static struct fb_error error;

/* ---- a server whose routes need keys ------------------------------------------------------------------------- */

static struct fb_answered ok(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("{}"));
}

static const struct fb_route routes[] = {
	{ FB_GET, "/open", ok, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "no key" },
	{ FB_GET, "/policy", ok, 0, FB_AUTH_POLICY, FB_REPEAT_NONE, "a key if there are keys" },
	{ FB_GET, "/keyed", ok, 0, FB_AUTH_API_KEY, FB_REPEAT_NONE, "a key, always" },
};

static struct fb_http *serve(struct fb_auth_keys *keys)
{
	static const struct fb_mount mount = { routes, FB_COUNT(routes), NULL };
	struct fb_http_settings settings = { .bind = "127.0.0.1", .threads = 2, .connections_max = 16,
					     .per_address_max = 16, .read_ms = 5000, .idle_ms = 5000,
					     .grace_ms = 1000, .authorise = fb_auth_check, .authorise_ctx = keys };
	struct fb_http *http;

	CHECK_STATUS(FB_OK, fb_http_open(&http, &settings, &mount, 1, fb_os_clock(), fb_os_rng(), NULL, NULL, &error));
	return http;
}

/* The status of GET path with one more header line ("" for none). */
static unsigned ask(const struct fb_http *http, const char *path, const char *line)
{
	char text[1024];
	int fd;
	ssize_t n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s\r\n", path,
			     line, line[0] == '\0' ? "" : "\r\n");

	CHECK(n > 0 && (size_t)n < sizeof(text));
	fd = client_send(fb_http_port(http), (struct fb_str){ text, (size_t)n });
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 12);
	close(fd);
	text[12] = '\0';
	return (unsigned)strtoul(text + 9, NULL, 10);
}

/* ---- sources --------------------------------------------------------------------------------------------------- */

static enum fb_status open_variable(struct fb_auth_keys **keys, const char *value)
{
	error.text[0] = '\0';
	if (value == NULL)
		unsetenv("FB_TEST_KEYS");
	else
		CHECK(setenv("FB_TEST_KEYS", value, 1) == 0);
	return fb_auth_open(keys, "$FB_TEST_KEYS", &error);
}

static void open__no_source__no_keys(void **state)
{
	struct fb_auth_keys *keys;

	(void)state;
	CHECK_STATUS(FB_OK, fb_auth_open(&keys, "", &error));
	CHECK(!fb_auth_has_keys(keys));
	fb_auth_close(keys);
}

static void open__faulty_sources__refused_without_the_keys_in_the_message(void **state)
{
	static const struct {
		const char *value;
		enum fb_status want;
	} rows[] = {
		{ NULL, FB_NOT_FOUND },
		{ "", FB_BAD_VALUE },
		{ "\n# nothing but words\n", FB_BAD_VALUE },
		{ "0123456789abcde", FB_BAD_VALUE },              /* one character short */
		{ KEY_A "\n0123456789abcde\n", FB_BAD_VALUE },
		{ KEY_A ",,short", FB_BAD_VALUE },
		{ "/etc/passwd-or-so/keys.txt\n", FB_OK },        /* no file: a key like another */
		{ "/etc/../etc/../etc/passwd", FB_BAD_VALUE },    /* a file: its name is no key */
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_auth_keys *keys = NULL;
		enum fb_status st = open_variable(&keys, rows[i].value);

		if (st != rows[i].want)
			fail_msg("row %zu: %s", i, fb_status_info(st)->name);
		if (st == FB_OK)
			fb_auth_close(keys);
		CHECK(st == FB_OK || (error.text[0] != '\0' && strstr(error.text, "0123456789") == NULL));
	}
}

/* "key-00001-xxxxxxxx\n"; its length */
static size_t put_key(char *at, unsigned number)
{
	return (size_t)snprintf(at, 32, "key-%05u-xxxxxxxx\n", number);
}

static void open__limits__up_to_and_including(void **state)
{
	char *text = fb_must_alloc(FB_AUTH_KEYS_MAX + 1, 32);
	struct fb_auth_keys *keys;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < FB_AUTH_KEYS_MAX; i++)
		len += put_key(text + len, i);
	CHECK_STATUS(FB_OK, open_variable(&keys, text));
	fb_auth_close(keys);
	put_key(text + len, FB_AUTH_KEYS_MAX);
	CHECK_STATUS(FB_BAD_VALUE, open_variable(&keys, text));
	memset(text, 'k', FB_AUTH_KEY_MAX + 1);
	text[FB_AUTH_KEY_MAX + 1] = '\0';
	CHECK_STATUS(FB_BAD_VALUE, open_variable(&keys, text));
	text[FB_AUTH_KEY_MAX] = '\0';
	CHECK_STATUS(FB_OK, open_variable(&keys, text));
	fb_auth_close(keys);
	free(text);
}

static void open__file__only_its_owner_may_read_it(void **state)
{
	struct fb_test_dir dir;
	struct fb_auth_keys *keys;
	char path[128];
	FILE *f;

	(void)state;
	CHECK(fb_test_dir_make(&dir));
	snprintf(path, sizeof(path), "%s/keys", dir.path);
	CHECK_STATUS(FB_NOT_FOUND, fb_auth_open(&keys, path, &error));
	f = fopen(path, "w");
	CHECK(f != NULL && fputs(KEY_A "\n", f) >= 0 && fclose(f) == 0);
	CHECK(chmod(path, 0644) == 0);
	CHECK_STATUS(FB_FORBIDDEN, fb_auth_open(&keys, path, &error));
	CHECK(chmod(path, 0600) == 0);
	CHECK_STATUS(FB_OK, fb_auth_open(&keys, path, &error));
	CHECK(fb_auth_has_keys(keys));
	fb_auth_close(keys);
	CHECK(fb_test_dir_remove(&dir));
}

/* ---- who gets in ------------------------------------------------------------------------------------------------- */

static void check__no_keys__policy_routes_are_open_and_keyed_ones_closed(void **state)
{
	struct fb_auth_keys *keys;
	struct fb_http *http;

	(void)state;
	CHECK_STATUS(FB_OK, fb_auth_open(&keys, "", &error));
	http = serve(keys);
	CHECK(ask(http, "/open", "") == 200);
	CHECK(ask(http, "/policy", "") == 200);
	CHECK(ask(http, "/policy", "Origin: https://page.example") == 403);
	CHECK(ask(http, "/policy", "Origin: null") == 403);
	CHECK(ask(http, "/open", "Origin: https://page.example") == 200);
	CHECK(ask(http, "/keyed", "") == 401);
	CHECK(ask(http, "/keyed", "X-API-Key: " KEY_A) == 401);
	fb_http_stop(http);
	fb_auth_close(keys);
}

static void check__keys__presented_in_either_way(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
	} rows[] = {
		{ "", 401 },
		{ "X-API-Key: " KEY_A, 200 },
		{ "x-api-key:   " KEY_B "  ", 200 },
		{ "Authorization: Bearer " KEY_A, 200 },
		{ "Authorization: bearer   " KEY_B, 200 },
		{ "Authorization: Basic " KEY_A, 401 },
		{ "Authorization: Bearer", 401 },
		{ "Authorization: Bearer " KEY_A "x", 401 },
		{ "X-API-Key: KEY-A-0123456789abcdef", 401 },
		{ "X-API-Key: " KEY_A "," KEY_B, 401 },
		{ "X-API-Key: " KEY_A "\r\nOrigin: https://page.example", 200 },
		{ "X-API-Key: # " REVOKED, 401 },
		{ "X-API-Key: " REVOKED, 401 },
		/* The stronger way decides alone. */
		{ "Authorization: Bearer wrong-0123456789abcdef\r\nX-API-Key: " KEY_A, 401 },
	};
	struct fb_auth_keys *keys;
	struct fb_http *http;

	(void)state;
	/* As an editor on Windows writes it, with a key that was taken out of use. */
	CHECK_STATUS(FB_OK, open_variable(&keys, "# ours\r\n  " KEY_A "\t\r\n\r\n# gone since May, " REVOKED "\r\n" KEY_B));
	http = serve(keys);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK(ask(http, "/open", rows[i].line) == 200);
		for (size_t k = 1; k < FB_COUNT(routes); k++)
			if (ask(http, routes[k].pattern, rows[i].line) != rows[i].status)
				fail_msg("row %zu: %s", i, rows[i].line);
	}
	fb_http_stop(http);
	fb_auth_close(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open__no_source__no_keys),
		cmocka_unit_test(open__faulty_sources__refused_without_the_keys_in_the_message),
		cmocka_unit_test(open__limits__up_to_and_including),
		cmocka_unit_test(open__file__only_its_owner_may_read_it),
		cmocka_unit_test(check__no_keys__policy_routes_are_open_and_keyed_ones_closed),
		cmocka_unit_test(check__keys__presented_in_either_way),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
