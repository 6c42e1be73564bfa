/* Goal: what is asked is read strictly, and every fault names its member; answers have the form of their path. Method:
 * the real HTTP server and one handler that reads by a table and tells what it read. */
#include "fb_client.h"

#include "farebox/envelope.h"
#include "farebox/os.h"

static const struct fb_member members[] = {
	{ "name", FB_MEMBER_TEXT, true, 1, 8 },
	{ "amount", FB_MEMBER_MONEY, false, 0, 0 },
	{ "rate", FB_MEMBER_NUMBER, false, 1, 100 },
	{ "on", FB_MEMBER_BOOL, false, 0, 0 },
	{ "tags", FB_MEMBER_TEXTS, false, 1, 2 },
	{ "meta", FB_MEMBER_OBJECT, false, 0, 20 },
};

static const struct fb_member parameters[] = {
	{ "limit", FB_MEMBER_NUMBER, false, 1, 100 },
	{ "max_price", FB_MEMBER_MONEY, false, 0, 0 },
	{ "free", FB_MEMBER_BOOL, false, 0, 0 },
	{ "q", FB_MEMBER_TEXT, true, 0, 5 },
};

static struct fb_answered tell(struct fb_request *r, const struct fb_value *v, size_t count, const char *money)
{
	struct fb_buf b = fb_arena_buf(r->arena, 4096);
	struct fb_uuid id = { { 0 } };
	struct fb_jw w;

	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	for (size_t i = 0; i < count; i++)
		if (v[i].present && v[i].text.len > 0)
			fb_jw_kv_str(&w, "text", v[i].text);
	fb_jw_kv_money(&w, "money", v[1].money);
	fb_jw_kv_u64(&w, "number", v[0].number + v[2].number);
	fb_jw_kv_time(&w, "time", INT64_C(1709210096789000)); /* a leap day */
	fb_jw_kv_uuid(&w, "id", &id);
	fb_jw_kv_text(&w, "what", money);
	fb_jw_end(&w);
	return fb_envelope_data(r, 200, fb_buf_view(&b));
}

static struct fb_answered post(struct fb_request *r)
{
	struct fb_value v[FB_COUNT(members)];
	struct fb_problem p;

	if (!fb_body_read(&p, v, r, members, FB_COUNT(members)))
		return fb_envelope_problem(r, &p);
	return tell(r, v, FB_COUNT(members), "body");
}

static struct fb_answered get(struct fb_request *r)
{
	struct fb_value v[FB_COUNT(parameters)];
	struct fb_problem p;

	if (!fb_query_read(&p, v, r, parameters, FB_COUNT(parameters)))
		return fb_envelope_problem(r, &p);
	return tell(r, v, FB_COUNT(parameters), "query");
}

static struct fb_answered be_busy(struct fb_request *r)
{
	return fb_envelope_status(r, FB_BUSY, NULL);
}

static const struct fb_route routes[] = {
	{ FB_POST, "/v1/thing", post, 65536, FB_AUTH_NONE, FB_REPEAT_NONE, "" },
	{ FB_GET, "/v1/thing", get, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "" },
	{ FB_POST, "/api/v1/thing", post, 65536, FB_AUTH_NONE, FB_REPEAT_NONE, "" },
	{ FB_GET, "/v1/busy", be_busy, 0, FB_AUTH_NONE, FB_REPEAT_NONE, "" },
	{ FB_GET, "/v1/closed", get, 0, FB_AUTH_PRINCIPAL, FB_REPEAT_NONE, "" },
	{ FB_GET, "/api/v1/closed", get, 0, FB_AUTH_PRINCIPAL, FB_REPEAT_NONE, "" },
};

static enum fb_status refuse(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	(void)ctx;
	(void)r;
	(void)route;
	return FB_UNAUTHORIZED;
}

static struct {
	struct fb_http *http;
	struct fb_mount mount;
	struct fb_log *log;
	struct fb_metrics *metrics;
} all = { .mount = { routes, FB_COUNT(routes), NULL } };

static int open_server(void **state)
{
	struct fb_http_settings s = { .bind = "127.0.0.1", .threads = 2, .connections_max = 16, .per_address_max = 16,
				      .read_ms = 5000, .idle_ms = 5000, .grace_ms = 1000, .authorise = refuse,
				      .error_body = fb_envelope_error_body };
	struct fb_error e;

	(void)state;
	fb_log_open(&all.log, STDERR_FILENO, FB_BROKEN, fb_os_clock());
	fb_metrics_open(&all.metrics);
	CHECK_STATUS(FB_OK, fb_http_open(&all.http, &s, &all.mount, 1, fb_os_clock(), fb_os_rng(), all.log, all.metrics,
					 &e));
	return 0;
}

static int close_server(void **state)
{
	(void)state;
	fb_http_stop(all.http);
	fb_log_close(all.log);
	fb_metrics_close(all.metrics);
	return 0;
}

/* ---- asking --------------------------------------------------------------------------------------------------- */
static const char *ask(const char *method, const char *path, const char *type, struct fb_str body)
{
	static char request[32768];
	int len = snprintf(request, sizeof(request),
			   "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: me\r\n"
			   "Content-Length: %zu\r\n%s%s%s\r\n", method, path, body.len,
			   type == NULL ? "" : "Content-Type: ", type == NULL ? "" : type, type == NULL ? "" : "\r\n");

	CHECK(len > 0 && (size_t)len + body.len < sizeof(request));
	memcpy(request + len, body.at, body.len);
	return client_read(client_send(fb_http_port(all.http), (struct fb_str){ request, (size_t)len + body.len }));
}

static void expect(const char *answer, const char *status, const char *part)
{
	if (strncmp(answer + sizeof("HTTP/1.1"), status, 3) != 0 || strstr(answer, part) == NULL)
		fail_msg("want %s and <%s>, got:\n%s", status, part, answer);
}

static void post_is(const char *body, const char *status, const char *part)
{
	expect(ask("POST", "/v1/thing", "application/json", fb_str_of(body)), status, part);
}

static void body__every_kind__is_read(void **state)
{
	(void)state;
	post_is("{\"name\":\"ab\",\"amount\":\"10.5\",\"rate\":7,\"on\":true,\"tags\":[\"x\",\"y\"],\"meta\":{\"a\":1}}",
		"200",
		"{\"ok\":true,\"data\":{\"text\":\"ab\",\"text\":\"10.5\","
		"\"text\":\"[\\\"x\\\",\\\"y\\\"]\",\"text\":\"{\\\"a\\\":1}\","
		"\"money\":\"10.50\",\"number\":7,\"time\":\"2024-02-29T12:34:56.789Z\","
		"\"id\":\"00000000-0000-0000-0000-000000000000\","
		"\"what\":\"body\"}}");
	post_is("{\"name\":\"ab\",\"amount\":null,\"tags\":null}", "200", "\"money\":\"0.00\",\"number\":0");
	post_is("{\"name\":\"ab\",\"amount\":\"0.000001\"}", "200", "\"money\":\"0.000001\"");
	expect(ask("POST", "/v1/thing", NULL, FB_STR("{\"name\":\"ab\"}")), "200", "\"ok\":true");
	expect(ask("POST", "/v1/thing", "application/json; charset=utf-8", FB_STR("{\"name\":\"ab\"}")), "200",
	       "\"ok\":true");
	expect(ask("POST", "/api/v1/thing", "application/json", FB_STR("{\"name\":\"ab\"}")), "200",
	       "\r\n\r\n{\"text\":\"ab\"");
}

static void body__each_fault__is_400_and_names_its_member(void **state)
{
	static const struct {
		const char *body, *part;
	} rows[] = {
		{ "", "invalid_json" },
		{ "{", "invalid_json" },
		{ "[]", "the body is not a JSON object" },
		{ "{\"name\":\"ab\",\"name\":\"ab\"}", "duplicate_key" },
		{ "{\"name\":\"ab\",\"nam\":1}", "\"details\":[\"nam: is not a member of this request\"]" },
		{ "{\"nam\\u0065x\":1}", "namex: is not a member" },
		{ "{}", "\"details\":[\"name: is missing\"]" },
		{ "{\"name\":null}", "name: is missing" },
		{ "{\"name\":1}", "name: want a text" },
		{ "{\"name\":\"\"}", "name: want 1 to 8 bytes of text, not 0" },
		{ "{\"name\":\"123456789\"}", "name: want 1 to 8 bytes of text, not 9" },
		{ "{\"name\":\"a\\u0007\"}", "name: holds control characters" },
		{ "{\"name\":\"a\",\"amount\":1.5}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":1}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":\"\"}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":\"-1\"}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":\"1e3\"}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":\"1.\"}", "amount: want an amount as a decimal text" },
		{ "{\"name\":\"a\",\"amount\":\"0.1234567\"}", "amount: has more than 6 digits" },
		{ "{\"name\":\"a\",\"amount\":\"999999999999999999999999999999999999999\"}", "amount: is too large" },
		{ "{\"name\":\"a\",\"rate\":\"7\"}", "rate: want a whole number from 1 to 100" },
		{ "{\"name\":\"a\",\"rate\":0}", "rate: want a whole number from 1 to 100" },
		{ "{\"name\":\"a\",\"rate\":101}", "rate: want a whole number from 1 to 100" },
		{ "{\"name\":\"a\",\"rate\":1.5}", "rate: want a whole number" },
		{ "{\"name\":\"a\",\"rate\":99999999999999999999999}", "rate: want a whole number" },
		{ "{\"name\":\"a\",\"on\":\"true\"}", "on: want true or false" },
		{ "{\"name\":\"a\",\"tags\":\"x\"}", "tags: want a list of texts" },
		{ "{\"name\":\"a\",\"tags\":[]}", "tags: want 1 to 2 texts" },
		{ "{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\"]}", "tags: want 1 to 2 texts" },
		{ "{\"name\":\"a\",\"tags\":[1]}", "tags: want a list of texts" },
		{ "{\"name\":\"a\",\"tags\":[\"\"]}", "tags: want texts of 1 to 100 bytes" },
		{ "{\"name\":\"a\",\"meta\":[]}", "meta: want an object" },
		{ "{\"name\":\"a\",\"meta\":{\"a\":\"123456789012345\"}}", "meta: has more than 20 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		post_is(rows[i].body, "400", rows[i].part);
	expect(ask("POST", "/v1/thing", "text/plain", FB_STR("{\"name\":\"ab\"}")), "415", "unsupported_media_type");
	expect(ask("POST", "/api/v1/thing", "application/json", FB_STR("{}")), "400",
	       "{\"detail\":\"name: is missing\",\"error\":{\"type\":\"invalid_request_error\","
	       "\"message\":\"name: is missing\",\"code\":\"invalid_request\",\"request_id\":\"me\"}}");
}

static void body__more_values_than_the_limit__is_400(void **state)
{
	static char body[FB_BODY_TOKENS_MAX * 2 + 32];
	size_t len = (size_t)snprintf(body, sizeof(body), "{\"meta\":[0");

	(void)state;
	for (size_t i = 0; i < FB_BODY_TOKENS_MAX; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, ",0");
	len += (size_t)snprintf(body + len, sizeof(body) - len, "]}");
	expect(ask("POST", "/v1/thing", "application/json", (struct fb_str){ body, len }), "400", "too_many_values");
}

static void query__parameters__are_read_as_strictly(void **state)
{
	static const struct {
		const char *query, *status, *part;
	} rows[] = {
		{ "?q=a%20b&limit=10&max_price=0.25&free=true", "200", "\"money\":\"0.25\",\"number\":10" },
		{ "?q=", "200", "\"what\":\"query\"" },
		{ "", "400", "q: is missing" },
		{ "?q=123456", "400", "q: want 0 to 5 bytes of text" },
		{ "?q=a&q=b", "400", "q: is given twice" },
		{ "?q=a&limit=0", "400", "limit: want a whole number from 1 to 100" },
		{ "?q=a&limit=1x", "400", "limit: want a whole number from 1 to 100" },
		{ "?q=a&limit=", "400", "limit: want a whole number from 1 to 100" },
		{ "?q=a&free=1", "400", "free: want true or false" },
		{ "?q=a&max_price=x", "400", "max_price: want an amount" },
		{ "?q=a&other=x", "400", "other: is not a parameter" },
	};
	char path[128];

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK(snprintf(path, sizeof(path), "/v1/thing%s", rows[i].query) > 0);
		expect(ask("GET", path, NULL, FB_STR("")), rows[i].status, rows[i].part);
	}
}

static void errors__outside_of_a_handler__have_the_form_of_their_path(void **state)
{
	(void)state;
	expect(ask("GET", "/v1/nothing", NULL, FB_STR("")), "404",
	       "{\"ok\":false,\"error\":{\"code\":\"not_found\",\"message\":\"not_found\",\"details\":[],"
	       "\"request_id\":\"me\"}}");
	expect(ask("GET", "/api/v1/nothing", NULL, FB_STR("")), "404",
	       "{\"detail\":\"not_found\",\"error\":{\"type\":\"not_found_error\"");
	expect(ask("GET", "/nothing", NULL, FB_STR("")), "404", "\r\n\r\n{\"error\":{\"code\":\"not_found\"");
	expect(ask("GET", "/v1/closed", NULL, FB_STR("")), "401", "\"ok\":false");
	expect(ask("GET", "/api/v1/closed", NULL, FB_STR("")), "401", "authentication_error");
	expect(ask("GET", "/v1/busy", NULL, FB_STR("")), "503", "Retry-After: 1");
	expect(ask("PUT", "/v1/thing", NULL, FB_STR("")), "405", "\"code\":\"method_not_allowed\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body__every_kind__is_read),
		cmocka_unit_test(body__each_fault__is_400_and_names_its_member),
		cmocka_unit_test(body__more_values_than_the_limit__is_400),
		cmocka_unit_test(query__parameters__are_read_as_strictly),
		cmocka_unit_test(errors__outside_of_a_handler__have_the_form_of_their_path),
	};

	return cmocka_run_group_tests_name("envelope", tests, open_server, close_server);
}
