/* Goal: whatever two parsers could read differently is refused with 400 and a closed connection, and what was smuggled
 * behind it is never executed. Method: a table of raw bytes against one server. */
#include "test_http.h"

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

#define RAW(text) { text, sizeof(text) - 1 }
#define CHUNKED "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SMUGGLED "GET /items/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

/* Refused by our checks: an error body of ours, then the end. */
static const struct fb_str refused[] = {
	/* lengths and codings */
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" SMUGGLED),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 44\r\n\r\nabc" SMUGGLED),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" SMUGGLED),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 03\r\n\r\nabc"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent_Length: 3\r\n\r\nabc"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent_Length: 0\r\n\r\nabc"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	RAW("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	/* lines */
	RAW("GET / HTTP/1.1\r\nHost: x\r\nPAYMENT-SIG: abc\r\n NATURE\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc: d\r\nE: f\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\n\tA: b\r\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.1\nHost: x\n\n"),
	RAW("GET / HTTP/1.1\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\n\n"),
	RAW("GET / HTTP/1.1\r\nA: b\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\rC: d\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\0: c\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\n: v\r\nContent-Length: 41\r\n\r\n" SMUGGLED),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n: v\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\n: v\r\nHost: x\r\n\r\n"),
	/* names and values */
	RAW("GET / HTTP/1.1\r\nHost: x\r\nX A: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nX(A): b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nX\x80: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\x01\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\x7f\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nA: b\x0b\r\n\r\n"),
	/* Host */
	RAW("GET / HTTP/1.1\r\n\r\n"),
	RAW("GET / HTTP/1.0\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x y\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: u@x\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x:y\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x:123456\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x,y\r\n\r\n"),
	/* headers that may come once */
	RAW("GET / HTTP/1.1\r\nHost: x\r\nPAYMENT-SIGNATURE: a\r\nPAYMENT-SIGNATURE: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nPayment-Signature: a\r\nPAYMENT_SIGNATURE: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nPAYMENT_SIGNATURE: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nX-PAYMENT: a\r\nx-payment: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nX_PAYMENT: a\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nIdempotency_Key: a\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nOrigin: a\r\nOrigin: b\r\n\r\n"),
	RAW("GET / HTTP/1.1\r\nHost: x\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n"),
	/* the request line */
	RAW("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /  HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("G(T / HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("G\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /?q=a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
	RAW("GET / HTTP/1.9\r\nHost: x\r\n\r\n"),
	/* the target */
	RAW("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET * HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a%2fb HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a%5Cb HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a/%2e%2e/%2fb HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET //a HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /?%zz HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"),
	RAW("GET /#a HTTP/1.1\r\nHost: x\r\n\r\n"),
};

static void framing__ambiguous_request__gets_400_and_the_end(void **state)
{
	uint64_t refusals;

	(void)state;
	server_wait_connections(&server, 0);
	refusals = fb_metric_get(server.metrics, FB_M_HTTP_REFUSED);
	for (size_t i = 0; i < FB_COUNT(refused); i++) {
		struct client c;
		char text[512];

		client_open(&c, &server);
		CHECK(client_send(&c, refused[i].at, refused[i].len));
		if (!client_read(&c, &answer, false) || answer.status != 400)
			fail_msg("row %zu: %u for\n%.*s", i, answer.status, FB_STR_ARG(refused[i]));
		if (strstr(answer.body, "\"code\":\"bad_request\"") == NULL)
			fail_msg("row %zu: %s", i, answer.body);
		CHECK_STR("close", fb_str_of(answer_header(&answer, "Connection", text)));
		if (!client_closed(&c))
			fail_msg("row %zu: not closed", i);
		client_close(&c);
		CHECK(fb_metric_get(server.metrics, FB_M_HTTP_REFUSED) == refusals + i + 1);
	}
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
}

/* Refused by libmicrohttpd before or beside our checks: its status, then the end, and nothing executed. */
static void framing__refused_below_us__gets_a_status_and_the_end(void **state)
{
	static const struct {
		struct fb_str bytes;
		unsigned status;
	} rows[] = {
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nabcd" SMUGGLED), 400 },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 4\r\n\r\nabcd" SMUGGLED), 400 },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" SMUGGLED), 400 },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4 \r\n\r\nabcd" SMUGGLED), 400 },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n" SMUGGLED), 400 },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n" SMUGGLED), 413 },
		{ RAW(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n" SMUGGLED), 400 },
		{ RAW(CHUNKED "-1\r\nabc\r\n0\r\n\r\n" SMUGGLED), 400 },
		{ RAW(CHUNKED "3\r\nabcd\r\n0\r\n\r\n" SMUGGLED), 400 },
		{ RAW(CHUNKED "\r\nabc\r\n0\r\n\r\n" SMUGGLED), 400 },
		{ RAW(CHUNKED "11111111111111111\r\n" SMUGGLED), 413 },
		{ RAW("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505 },
		{ RAW("GET / HTTP/0.9\r\nHost: x\r\n\r\n"), 505 },
		{ RAW("GET / http/1.1\r\nHost: x\r\n\r\n"), 400 },
		{ RAW("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 400 },
		{ RAW("GET /\r\nHost: x\r\n\r\n"), 400 },
		{ RAW("GET / HTTP/1.1\r\nHost x\r\n\r\n"), 400 },
		{ RAW("GET / HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n"), 400 },
		{ RAW("GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n"), 400 },
	};
	uint64_t served;

	(void)state;
	server_wait_connections(&server, 0); /* and with them every count */
	served = fb_metric_get(server.metrics, FB_M_HTTP_2XX);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c;

		client_open(&c, &server);
		CHECK(client_send(&c, rows[i].bytes.at, rows[i].bytes.len));
		if (!client_read(&c, &answer, false) || answer.status != rows[i].status)
			fail_msg("row %zu: %u, want %u", i, answer.status, rows[i].status);
		c.len = 0; /* its answer to a bad Content-Length comes with two heads */
		if (!client_closed(&c))
			fail_msg("row %zu: not closed", i);
		client_close(&c);
	}
	CHECK(fb_metric_get(server.metrics, FB_M_HTTP_2XX) == served);
}

static void framing__no_method_at_all__is_closed_without_an_answer(void **state)
{
	static const char *const rows[] = {
		" GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\r\n", "nonsense\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c;

		client_open(&c, &server);
		client_text(&c, rows[i]);
		if (!client_closed(&c))
			fail_msg("row %zu: not closed, or answered", i);
		client_close(&c);
	}
}

static void framing__unusual_but_sound__is_served(void **state)
{
	static const struct {
		struct fb_str bytes;
		const char *body;
	} rows[] = {
		{ RAW("\r\nGET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n"), "item 1" },
		{ RAW("GET /items/1 HTTP/1.1\r\nHOST:x\r\n\r\n"), "item 1" },
		{ RAW("GET /items/1 HTTP/1.1\r\nHost: \t [::1]:80 \t\r\nA:\r\nB:  \r\nC: \xc3\xa9\r\n\r\n"), "item 1" },
		{ RAW("GET /items/1 HTTP/1.1\r\nHost: x\r\nAny_Name: underscores alone are fine\r\n\r\n"), "item 1" },
		{ RAW("GET /items/1 HTTP/1.1\r\nHost: x\r\nAccept: a\r\nAccept: b\r\nCookie: a=b; c=\"d\"\r\n\r\n"), "item 1" },
		{ RAW(CHUNKED "3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"), "abcde" },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n"), "de" },
		{ RAW(CHUNKED "0\r\n\r\n"), "" },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "" },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\n\r\n"), "" },
		{ RAW("GET /items/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), "item 1" },
		{ RAW("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na\0b"), "a" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c;

		client_open(&c, &server);
		CHECK(client_send(&c, rows[i].bytes.at, rows[i].bytes.len));
		if (!client_read(&c, &answer, false) || answer.status != 200)
			fail_msg("row %zu: %u", i, answer.status);
		CHECK_STR(rows[i].body, fb_str_of(answer.body));
		CHECK(client_silent(&c, 10));
		client_close(&c);
	}
}

/* The measuring of the head must not depend on how the bytes arrive. */
static void framing__byte_by_byte__is_served_or_refused_alike(void **state)
{
	static const char fine[] = "POST /echo?a=b HTTP/1.1\r\nHost: x\r\nA:   b\r\nContent-Length: 3\r\n\r\nabc";
	static const char folded[] = "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n";
	struct client c;

	(void)state;
	client_open(&c, &server);
	for (size_t i = 0; i < sizeof(fine) - 1; i++) {
		CHECK(client_send(&c, fine + i, 1));
		usleep(200);
	}
	CHECK(client_read(&c, &answer, false) && answer.status == 200);
	CHECK_STR("abc", fb_str_of(answer.body));
	for (size_t i = 0; i < sizeof(folded) - 1; i++) {
		CHECK(client_send(&c, folded + i, 1));
		usleep(200);
	}
	CHECK(client_read(&c, &answer, false) && answer.status == 400);
	client_close(&c);
}

/* Thousands of parameters or cookies exhaust libmicrohttpd's memory of a connection; it must not matter. */
static void framing__thousands_of_parts__cost_nothing(void **state)
{
	static char text[30000];
	int n = snprintf(text, sizeof(text), "GET /?");

	(void)state;
	memset(text + n, '&', 20000);
	snprintf(text + n + 20000, sizeof(text) - (size_t)n - 20000, " HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(ask(&server, &answer, text) == 200);
	n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nCookie: ");
	for (int i = 0; i < 10000; i++)
		memcpy(text + n + 2 * i, "a;", 2);
	snprintf(text + n + 20000, sizeof(text) - (size_t)n - 20000, "\r\n\r\n");
	CHECK(ask(&server, &answer, text) == 431);
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
}

/* Too many cookies and then a bad length: libmicrohttpd answers the first fault, meets the second, and drops the
 * connection without a word to us. The body behind decides how much of its memory is left in between. */
static void framing__two_faults_below_us__end_like_one(void **state)
{
	static char text[64000], body[40000];

	(void)state;
	for (int cookies = 300; cookies <= 2000; cookies += 100)
		for (size_t behind = 0; behind < sizeof(body); behind += 8000) {
			struct client c;
			struct fb_buf out;

			fb_buf_init(&out, text, sizeof(text));
			fb_buf_text(&out, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\nCookie: ");
			for (int i = 0; i < cookies; i++)
				fb_buf_text(&out, "a;");
			fb_buf_text(&out, "\r\n\r\n");
			fb_buf_put(&out, body, behind);
			client_open(&c, &server);
			client_send(&c, out.at, out.len);
			client_read(&c, &answer, false);
			client_close(&c);
		}
	server_wait_connections(&server, 0);
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
}

int run_http_framing_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing__ambiguous_request__gets_400_and_the_end),
		cmocka_unit_test(framing__refused_below_us__gets_a_status_and_the_end),
		cmocka_unit_test(framing__no_method_at_all__is_closed_without_an_answer),
		cmocka_unit_test(framing__unusual_but_sound__is_served),
		cmocka_unit_test(framing__byte_by_byte__is_served_or_refused_alike),
		cmocka_unit_test(framing__thousands_of_parts__cost_nothing),
		cmocka_unit_test(framing__two_faults_below_us__end_like_one),
	};

	return cmocka_run_group_tests_name("http: framing", tests, start, stop);
}
