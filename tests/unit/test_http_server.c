/* Goal: methods, statuses, headers, ids, log and metrics of ordinary requests. Method: raw requests, one server for
 * all. */
#define _GNU_SOURCE
#include "test_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server server;
static struct answer answer;

static int start(void **state)
{
	(void)state;
	server_settings(&server);
	server_start(&server);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	server_stop(&server);
	return 0;
}

static void check_header(const char *name, const char *want)
{
	char text[512];
	const char *got = answer_header(&answer, name, text);

	if (got == NULL || strcmp(got, want) != 0)
		fail_msg("%s is \"%s\", want \"%s\"", name, got == NULL ? "(absent)" : got, want);
}

static void http_get__json__carries_every_promised_header(void **state)
{
	char text[512];

	(void)state;
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
	CHECK_STR("{\"ok\":true}", fb_str_of(answer.body));
	check_header("Content-Type", "application/json");
	check_header("Content-Length", "11");
	check_header("Cache-Control", "no-store");
	check_header("X-Content-Type-Options", "nosniff");
	CHECK(answer_header(&answer, "X-Request-Id", text) != NULL);
	CHECK(strlen(text) == 30 && strncmp(text, "req_", 4) == 0);
	CHECK(answer_header(&answer, "Connection", text) == NULL);
}

static void http_methods__table__answer_as_documented(void **state)
{
	static const struct {
		const char *line;
		unsigned status;
		const char *allow, *body;
	} rows[] = {
		{ "GET /items/9", 200, NULL, "item 9" },
		{ "GET /items/%C3%A9", 200, NULL, "item \xc3\xa9" },
		{ "GET /items/first", 200, NULL, "\"first\"" },
		{ "DELETE /items/9", 200, NULL, "{\"ok\":true}" },
		{ "GET /nowhere", 404, NULL, NULL },
		{ "GET /items/", 404, NULL, NULL },
		{ "BREW /nowhere", 404, NULL, NULL },
		{ "OPTIONS /nowhere", 404, NULL, NULL },
		{ "PUT /items/9", 405, "GET, HEAD, POST, DELETE, OPTIONS", NULL },
		{ "POST /", 405, "GET, HEAD, OPTIONS", NULL },
		{ "TRACE /", 405, "GET, HEAD, OPTIONS", NULL },
		{ "get /", 405, "GET, HEAD, OPTIONS", NULL },
		{ "HEAD /echo", 405, "POST, OPTIONS", "" },
		{ "OPTIONS /items/9", 204, "GET, HEAD, POST, DELETE, OPTIONS", "" },
		{ "OPTIONS /echo", 204, "POST, OPTIONS", "" },
		{ "OPTIONS /header", 200, NULL, "" },
		{ "POST /header", 405, "GET, HEAD, OPTIONS", NULL },
		{ "OPTIONS *", 204, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", "" },
		{ "GET http://x/items/9", 200, NULL, "item 9" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c;

		client_open(&c, &server);
		snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n\r\n", rows[i].line);
		client_text(&c, text);
		CHECK(client_read(&c, &answer, strncmp(rows[i].line, "HEAD", 4) == 0));
		if (answer.status != rows[i].status)
			fail_msg("%s -> %u, want %u", rows[i].line, answer.status, rows[i].status);
		if (rows[i].allow != NULL)
			check_header("Allow", rows[i].allow);
		if (rows[i].body != NULL)
			CHECK_STR(rows[i].body, fb_str_of(answer.body));
		/* Nothing of this is a fault of framing: the connection goes on. */
		client_text(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
		client_close(&c);
	}
}

static void http_head__get_route__is_its_answer_without_body(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	client_text(&c, "HEAD /items/9 HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_read(&c, &answer, true) && answer.status == 200);
	check_header("Content-Length", "6");
	CHECK(client_silent(&c, 20));
	client_close(&c);
}

static void http_error__body__has_code_message_and_request_id(void **state)
{
	(void)state;
	CHECK(ask(&server, &answer, "GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc-1.2_Z\r\n\r\n") == 404);
	CHECK_STR("{\"error\":{\"code\":\"not_found\",\"message\":\"not_found\",\"request_id\":\"abc-1.2_Z\"}}",
		  fb_str_of(answer.body));
	check_header("X-Request-Id", "abc-1.2_Z");
	check_header("Content-Type", "application/json");
	CHECK(ask(&server, &answer, "GET /quote HTTP/1.1\r\nHost: x\r\nX-Request-Id: q\r\n\r\n") == 400);
	CHECK_STR("{\"error\":{\"code\":\"bad_value\",\"message\":\"a \\\"quoted\\\"\\nmessage\",\"request_id\":\"q\"}}",
		  fb_str_of(answer.body));
}

#define LETTERS_64 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"

static void http_request_id__unusable_one__is_replaced(void **state)
{
	static const char *const rows[] = {
		"", "a b", "a/b", "\"a\"", "a\xc3\xa9", LETTERS_64 "a", "a\r\nX-Request-Id: b",
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\n\r\n", rows[i]);
		CHECK(ask(&server, &answer, text) == 200);
		CHECK(answer_header(&answer, "X-Request-Id", text) != NULL && strncmp(text, "req_", 4) == 0);
	}
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: " LETTERS_64 "\r\n\r\n") == 200);
	CHECK(strlen(answer_header(&answer, "X-Request-Id", text)) == 64);
}

static void http_headers__in_and_out__pass_and_override(void **state)
{
	char text[512];

	(void)state;
	CHECK(ask(&server, &answer,
		  "GET /header HTTP/1.1\r\nhOST: shop.example:80\r\nX-In: \t some value \r\n\r\n") == 200);
	CHECK_STR("some value", fb_str_of(answer.body));
	check_header("X-Out", "some value");
	check_header("X-Host", "shop.example:80");
	check_header("Cache-Control", "private");
	CHECK(ask(&server, &answer, "GET /header HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
	CHECK(answer.body_len == 0 && answer_header(&answer, "X-Out", text) == NULL);
}

static void http_query__parameter__reaches_the_handler_decoded(void **state)
{
	(void)state;
	CHECK(ask(&server, &answer, "GET /query?a=1&q=%22x+y%22 HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
	CHECK_STR("\"x y\"", fb_str_of(answer.body));
	CHECK(ask(&server, &answer, "GET /query?a=1 HTTP/1.1\r\nHost: x\r\n\r\n") == 404);
	CHECK(ask(&server, &answer, "GET /query?q=1&q=2 HTTP/1.1\r\nHost: x\r\n\r\n") == 400);
}

static void http_auth__key_route__asks_before_the_handler(void **state)
{
	(void)state;
	CHECK(ask(&server, &answer, "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n") == 401);
	check_header("WWW-Authenticate", "Bearer");
	CHECK(ask(&server, &answer, "GET /secret HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n") == 403);
	CHECK(ask(&server, &answer, "GET /secret HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\n\r\n") == 200);
}

static void http_keep_alive__many_and_pipelined__are_answered_in_order(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	for (int i = 0; i < 200; i++) {
		client_text(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
		CHECK_STR("abc", fb_str_of(answer.body));
	}
	for (int i = 0; i < 5; i++)
		client_text(&c, "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n"
				"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nz");
	for (int i = 0; i < 10; i++) {
		CHECK(client_read(&c, &answer, false));
		CHECK_STR(i % 2 == 0 ? "item 1" : "z", fb_str_of(answer.body));
	}
	client_close(&c);
}

static void http_close__asked_for_or_http_1_0__closes_after_the_answer(void **state)
{
	static const struct {
		const char *text;
		bool closes;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nHost: x\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: x\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c;

		client_open(&c, &server);
		client_text(&c, rows[i].text);
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
		CHECK(rows[i].closes ? client_closed(&c) : client_silent(&c, 20));
		client_close(&c);
	}
}

static void http_close__half_closed_client__gets_its_answers_and_the_end(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	for (int i = 0; i < 5; i++)
		client_text(&c, "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(shutdown(c.fd, SHUT_WR) == 0);
	for (int i = 0; i < 5; i++)
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
	CHECK(client_closed(&c));
	client_close(&c);
}

static void http_close__half_closed_in_a_request__is_closed_before_the_deadline(void **state)
{
	static const char *const rows[] = {
		"", "GET", "GET / HTTP/1.1\r\nHost", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc",
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint64_t before = now_ms();
		struct client c;

		client_open(&c, &server);
		client_text(&c, rows[i]);
		CHECK(shutdown(c.fd, SHUT_WR) == 0);
		CHECK(client_closed(&c));
		CHECK(now_ms() - before < server.settings.read_ms / 2);
		client_close(&c);
	}
}

static void http_delivered__whole_or_cut__is_told_once(void **state)
{
	unsigned whole, not_whole;
	struct client c;

	(void)state;
	server_wait_connections(&server, 0);
	whole = atomic_load(&server.whole);
	not_whole = atomic_load(&server.not_whole);
	CHECK(ask(&server, &answer, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n") == 200 && answer.body_len == 250000);
	wait_for(&server.whole, whole + 1);
	client_open(&c, &server);
	for (int i = 0; i < 60; i++) /* more than the kernel buffers */
		client_text(&c, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	do { /* until it is stuck in one of them */
		whole = atomic_load(&server.whole);
		usleep(100000);
	} while (atomic_load(&server.whole) != whole);
	client_reset(&c);
	server_wait_connections(&server, 0);
	CHECK(atomic_load(&server.not_whole) == not_whole + 1); /* the one being sent; those behind it never began */
}

static void http_arena__spent__answers_503_and_delivers_nothing(void **state)
{
	unsigned not_whole;

	(void)state;
	server_wait_connections(&server, 0);
	not_whole = atomic_load(&server.not_whole);
	CHECK(ask(&server, &answer, "GET /greedy HTTP/1.1\r\nHost: x\r\n\r\n") == 503);
	CHECK(strstr(answer.body, "no_memory") != NULL);
	check_header("Retry-After", "1");
	wait_for(&server.not_whole, not_whole + 1);
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200); /* the arena is whole again */
}

static void http_record__each_request__has_one_line_and_counts(void **state)
{
	static char log[1 << 20];
	uint64_t ok, bad, timed;
	char *line, *end;

	(void)state;
	server_wait_connections(&server, 0);
	ok = fb_metric_get(server.metrics, FB_M_HTTP_2XX);
	bad = fb_metric_get(server.metrics, FB_M_HTTP_4XX);
	timed = fb_metric_get(server.metrics, FB_M_HTTP_SECONDS);
	CHECK(ask(&server, &answer, "GET /items/7?q=hidden HTTP/1.1\r\nHost: x\r\nX-Request-Id: logged-1\r\n\r\n") == 200);
	CHECK(ask(&server, &answer, "GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: logged-2\r\n\r\n") == 404);
	server_wait_connections(&server, 0);
	CHECK(fb_metric_get(server.metrics, FB_M_HTTP_SECONDS) == timed + 2);
	CHECK(fb_metric_get(server.metrics, FB_M_HTTP_2XX) == ok + 1);
	CHECK(fb_metric_get(server.metrics, FB_M_HTTP_4XX) == bad + 1);
	server_log_text(&server, log, sizeof(log));
	line = strstr(log, "\"id\":\"logged-1\"");
	CHECK(line != NULL && strstr(line + 1, "\"id\":\"logged-1\"") == NULL);
	end = strchr(line, '\n');
	CHECK(end != NULL);
	*end = '\0';
	CHECK(strstr(line, "\"method\":\"GET\"") != NULL && strstr(line, "\"path\":\"/items/7\"") != NULL);
	CHECK(strstr(line, "\"status\":200") != NULL && strstr(line, "\"bytes\":6") != NULL);
	CHECK(strstr(line, "\"peer\":\"127.0.0.1:") != NULL);
	CHECK(strstr(line, "hidden") == NULL);
}

/* A port of two servers would be worse than a failed start: half of the requests would go to the old one. */
static void http_open__taken_port_or_bad_address__says_so(void **state)
{
	struct fb_http_settings s = server.settings;
	struct fb_http *h = NULL;
	struct fb_error e = { "" };

	(void)state;
	s.port = fb_http_port(server.http);
	CHECK_STATUS(FB_CONFLICT, fb_http_open(&h, &s, NULL, 0, fb_os_clock(), fb_os_rng(), NULL, NULL, &e));
	CHECK(h == NULL && strstr(e.text, "127.0.0.1") != NULL);
	s.port = 0;
	s.bind = "localhost";
	CHECK_STATUS(FB_IO, fb_http_open(&h, &s, NULL, 0, fb_os_clock(), fb_os_rng(), NULL, NULL, &e));
	s.bind = "192.0.2.1"; /* not ours */
	CHECK_STATUS(FB_IO, fb_http_open(&h, &s, NULL, 0, fb_os_clock(), fb_os_rng(), NULL, NULL, &e));
	CHECK(h == NULL);
	fb_http_stop(NULL);
}

static void http_open__ipv6__serves(void **state)
{
	static struct fb_mount none[1];
	struct fb_http_settings s = server.settings;
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct fb_http *h = NULL;
	static const char text[] = "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n";
	char got[64] = "";
	int fd;

	(void)state;
	s.bind = "::1";
	if (fb_http_open(&h, &s, none, 1, fb_os_clock(), fb_os_rng(), NULL, NULL, NULL) != FB_OK)
		skip(); /* a machine without IPv6 */
	a.sin6_port = htons(fb_http_port(h));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(send(fd, text, sizeof(text) - 1, 0) == sizeof(text) - 1);
	CHECK(recv(fd, got, sizeof(got) - 1, 0) > 12);
	CHECK(strncmp(got, "HTTP/1.1 404", 12) == 0); /* there are no routes */
	close(fd);
	fb_http_stop(h);
}

int run_http_server_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_get__json__carries_every_promised_header),
		cmocka_unit_test(http_methods__table__answer_as_documented),
		cmocka_unit_test(http_head__get_route__is_its_answer_without_body),
		cmocka_unit_test(http_error__body__has_code_message_and_request_id),
		cmocka_unit_test(http_request_id__unusable_one__is_replaced),
		cmocka_unit_test(http_headers__in_and_out__pass_and_override),
		cmocka_unit_test(http_query__parameter__reaches_the_handler_decoded),
		cmocka_unit_test(http_auth__key_route__asks_before_the_handler),
		cmocka_unit_test(http_keep_alive__many_and_pipelined__are_answered_in_order),
		cmocka_unit_test(http_close__asked_for_or_http_1_0__closes_after_the_answer),
		cmocka_unit_test(http_close__half_closed_client__gets_its_answers_and_the_end),
		cmocka_unit_test(http_close__half_closed_in_a_request__is_closed_before_the_deadline),
		cmocka_unit_test(http_delivered__whole_or_cut__is_told_once),
		cmocka_unit_test(http_arena__spent__answers_503_and_delivers_nothing),
		cmocka_unit_test(http_record__each_request__has_one_line_and_counts),
		cmocka_unit_test(http_open__taken_port_or_bad_address__says_so),
		cmocka_unit_test(http_open__ipv6__serves),
	};

	return cmocka_run_group_tests_name("http: requests and answers", tests, start, stop);
}
