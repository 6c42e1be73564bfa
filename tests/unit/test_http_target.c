/* Goal: router, target parser and query values. Method: tables. */
#include "test_http.h"

static struct fb_answered nothing(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("{}"));
}

#define ROW(method, pattern) { method, pattern, nothing, 0, FB_AUTH_NONE, FB_REPEAT_NONE, pattern }
static const struct fb_route some[] = {
	ROW(FB_GET, "/"),
	ROW(FB_GET, "/v1/accounts/{id}"),
	ROW(FB_POST, "/v1/accounts/{id}"),
	ROW(FB_GET, "/v1/accounts/mine"),
	ROW(FB_GET, "/v1/{kind}/{id}/log"),
	ROW(FB_GET, "/v1/accounts/{id}/{part}"),
	ROW(FB_PUT, "/only-put"),
};
static const struct fb_route others[] = {
	ROW(FB_DELETE, "/v1/accounts/{id}"),
	ROW(FB_GET, "/{a}/{b}/{c}/{d}"),
	ROW(FB_GET, "/exact/"),
};
static int ctx_some, ctx_others;
static const struct fb_mount mounts[] = {
	{ some, FB_COUNT(some), &ctx_some },
	{ others, FB_COUNT(others), &ctx_others },
};

static void route_find__table__takes_the_most_literal_row(void **state)
{
	static const struct {
		enum fb_method method;
		const char *path, *pattern; /* NULL: not found */
		const char *params[3];
		bool other_mount;
	} rows[] = {
		{ FB_GET, "/", "/", { NULL }, false },
		{ FB_GET, "/v1/accounts/7", "/v1/accounts/{id}", { "7" }, false },
		{ FB_GET, "/v1/accounts/mine", "/v1/accounts/mine", { NULL }, false },
		{ FB_POST, "/v1/accounts/mine", "/v1/accounts/{id}", { "mine" }, false },
		{ FB_DELETE, "/v1/accounts/mine", "/v1/accounts/{id}", { "mine" }, true },
		{ FB_GET, "/v1/accounts/7/log", "/v1/accounts/{id}/{part}", { "7", "log" }, false },
		{ FB_GET, "/v1/things/7/log", "/v1/{kind}/{id}/log", { "things", "7" }, false },
		{ FB_GET, "/a/b/c/d", "/{a}/{b}/{c}/{d}", { "a", "b", "c" }, true },
		{ FB_GET, "/exact/", "/exact/", { NULL }, true },
		{ FB_GET, "/exact", NULL, { NULL }, false },
		{ FB_GET, "/v1/accounts/", NULL, { NULL }, false },
		{ FB_GET, "/v1/accounts", NULL, { NULL }, false },
		{ FB_GET, "/v1/accounts/7/", NULL, { NULL }, false },
		{ FB_GET, "/V1/accounts/7", NULL, { NULL }, false },
		{ FB_GET, "/v1/accounts/7/log/more/x", NULL, { NULL }, false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const struct fb_route *row = NULL;
		void *ctx = NULL;
		struct fb_str params[FB_HTTP_PARAMS_MAX];
		char text[64];
		struct fb_buf allow;
		enum fb_status st;

		fb_buf_init(&allow, text, sizeof(text));
		st = fb_route_find(&row, &ctx, params, &allow, mounts, FB_COUNT(mounts), rows[i].method,
				   fb_str_of(rows[i].path));
		CHECK_STATUS(rows[i].pattern == NULL ? FB_NOT_FOUND : FB_OK, st);
		if (st != FB_OK)
			continue;
		CHECK_STR(rows[i].pattern, fb_str_of(row->pattern));
		CHECK(row->method == rows[i].method);
		CHECK(ctx == (rows[i].other_mount ? &ctx_others : &ctx_some));
		for (size_t p = 0; p < 3 && rows[i].params[p] != NULL; p++)
			CHECK_STR(rows[i].params[p], params[p]);
	}
}

static void route_find__other_method__names_those_allowed_and_leaves_outputs(void **state)
{
	static const struct {
		enum fb_method method;
		const char *path, *allow;
	} rows[] = {
		{ FB_PUT, "/v1/accounts/7", "GET, POST, DELETE" },
		{ FB_POST, "/", "GET" },
		{ FB_GET, "/only-put", "PUT" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const struct fb_route *row = NULL;
		void *ctx = NULL;
		struct fb_str params[FB_HTTP_PARAMS_MAX] = { { NULL, 0 } };
		char text[64];
		struct fb_buf allow;

		fb_buf_init(&allow, text, sizeof(text));
		CHECK_STATUS(FB_METHOD, fb_route_find(&row, &ctx, params, &allow, mounts, FB_COUNT(mounts),
						      rows[i].method, fb_str_of(rows[i].path)));
		CHECK_STR(rows[i].allow, fb_buf_view(&allow));
		CHECK(row == NULL && ctx == NULL && params[0].at == NULL);
	}
}

static char block[65536] __attribute__((aligned(16)));

static void target_parse__sound_target__gives_decoded_path_and_raw_query(void **state)
{
	static const struct {
		const char *raw, *path, *query;
	} rows[] = {
		{ "/", "/", "" },
		{ "/a/b", "/a/b", "" },
		{ "/a/b/", "/a/b/", "" },
		{ "/a?x=1&y=%20", "/a", "x=1&y=%20" },
		{ "/a?", "/a", "" },
		{ "/a?x?y", "/a", "x?y" },
		{ "/%61%7Eb", "/a~b", "" },
		{ "/%C3%A9", "/\xc3\xa9", "" },
		{ "/%F0%9F%98%80", "/\xf0\x9f\x98\x80", "" },
		{ "/a%3Fb", "/a?b", "" },
		{ "/a+b", "/a+b", "" },
		{ "/...", "/...", "" },
		{ "/.a", "/.a", "" },
		{ "/?q=%00", "/", "q=%00" },
		{ "/?q=../x//y", "/", "q=../x//y" },
		{ "http://shop.example/a?b", "/a", "b" },
		{ "HTTPS://SHOP.example/a", "/a", "" },
		{ "http://shop.example", "/", "" },
		{ "http://shop.example?b", "/", "b" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_arena a;
		struct fb_target t;
		const char *why = NULL;

		fb_arena_init(&a, block, sizeof(block));
		CHECK_STATUS(FB_OK, fb_target_parse(&t, &why, &a, fb_str_of(rows[i].raw), FB_STR("shop.example")));
		CHECK_STR(rows[i].path, t.path);
		CHECK_STR(rows[i].query, t.query);
	}
}

static void target_parse__ambiguous_target__is_refused(void **state)
{
	static const char *const rows[] = {
		"", "a", "*", "a/b", "?q", "//", "//a", "/a//b",
		"/.", "/..", "/a/../b", "/a/./b", "/a/..", "/%2e%2e/a", "/a/%2E", "/%2e./",
		"/a%2fb", "/a%2Fb", "/a%5cb", "/a%5Cb", "/a\\b", "/a%00b", "/a%0ab", "/a%1fb", "/a%7fb",
		"/a b", "/a\tb", "/a\rb", "/a\x7f", "/a#b", "/a?x#y", "/\xc3\xa9", "/a?\xc3\xa9",
		"/%", "/%2", "/%zz", "/%4", "/%4g", "/a?%", "/a?x=%zz", "/a?x=%4",
		"/%C3", "/%c3%28", "/%C0%AF", "/%ED%A0%80", "/%F4%90%80%80", "/%E0%80%80", "/%F0%80%80%80", "/%FF",
		"http://other.example/a", "http://shop.example:80/a", "http://u@shop.example/a", "http:/a", "http://",
		"ftp://shop.example/a", "shop.example:443", "http://shop.example//a",
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_arena a;
		struct fb_target t = { .path = { NULL, 0 } };
		const char *why = NULL;
		enum fb_status st;

		fb_arena_init(&a, block, sizeof(block));
		st = fb_target_parse(&t, &why, &a, fb_str_of(rows[i]), FB_STR("shop.example"));
		if (st != FB_BAD_REQUEST)
			fail_msg("\"%s\" -> %s", rows[i], fb_status_info(st)->name);
		CHECK(why != NULL);
		CHECK(t.path.at == NULL);
	}
}

static void target_parse__arena_full__is_out_of_memory(void **state)
{
	struct fb_arena a;
	struct fb_target t;
	const char *why = NULL;

	(void)state;
	fb_arena_init(&a, block, 16);
	CHECK_STATUS(FB_NO_MEMORY, fb_target_parse(&t, &why, &a, FB_STR("/longer-than-16-bytes"), FB_STR("h")));
}

static void request_query__table__decodes_or_refuses(void **state)
{
	static const struct {
		const char *query;
		enum fb_status want;
		const char *value;
	} rows[] = {
		{ "q=1", FB_OK, "1" },
		{ "a=b&q=1&c", FB_OK, "1" },
		{ "q", FB_OK, "" },
		{ "q=", FB_OK, "" },
		{ "q=a+b%2Bc", FB_OK, "a b+c" },
		{ "%71=%C3%A9", FB_OK, "\xc3\xa9" },
		{ "q=a=b", FB_OK, "a=b" },
		{ "&&q=1&", FB_OK, "1" },
		{ "", FB_NOT_FOUND, NULL },
		{ "Q=1", FB_NOT_FOUND, NULL },
		{ "qq=1", FB_NOT_FOUND, NULL },
		{ "a=q", FB_NOT_FOUND, NULL },
		{ "q=1&q=1", FB_BAD_SYNTAX, NULL },
		{ "q=1&%71=2", FB_BAD_SYNTAX, NULL },
		{ "q=%00", FB_BAD_SYNTAX, NULL },
		{ "q=%FF", FB_BAD_SYNTAX, NULL },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_arena a;
		struct fb_request r = { .query = fb_str_of(rows[i].query), .arena = &a };
		struct fb_str value = { NULL, 0 };

		fb_arena_init(&a, block, sizeof(block));
		CHECK_STATUS(rows[i].want, fb_request_query(&r, &value, "q"));
		if (rows[i].want == FB_OK)
			CHECK_STR(rows[i].value, value);
		else
			CHECK(value.at == NULL);
	}
}

static void request_query__arena_full__is_out_of_memory(void **state)
{
	struct fb_arena a;
	struct fb_request r = { .query = FB_STR("q=longer-than-sixteen"), .arena = &a };
	struct fb_str value;

	(void)state;
	fb_arena_init(&a, block, 16);
	CHECK_STATUS(FB_NO_MEMORY, fb_request_query(&r, &value, "q"));
}

int run_http_target_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_find__table__takes_the_most_literal_row),
		cmocka_unit_test(route_find__other_method__names_those_allowed_and_leaves_outputs),
		cmocka_unit_test(target_parse__sound_target__gives_decoded_path_and_raw_query),
		cmocka_unit_test(target_parse__ambiguous_target__is_refused),
		cmocka_unit_test(target_parse__arena_full__is_out_of_memory),
		cmocka_unit_test(request_query__table__decodes_or_refuses),
		cmocka_unit_test(request_query__arena_full__is_out_of_memory),
	};

	return cmocka_run_group_tests_name("http: route and target", tests, NULL, NULL);
}
