/* Goal: every limit is hit: heads, bodies, connections, time, memory. Method: raw bytes against servers whose settings
 * make the limit near. */
#define _GNU_SOURCE
#include "test_http.h"

#include <pthread.h>
#include <unistd.h>

static struct server server;
static struct answer answer;

static void start(void)
{
	server_settings(&server);
	server_start(&server);
}

/* A request whose head has exactly `size` bytes. */
static void ask_with_head(size_t size)
{
	static char text[80000];
	int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: x\r\nA: ");

	memset(text + n, 'a', size - (size_t)n - 4);
	memcpy(text + size - 4, "\r\n\r\n", 5);
	ask(&server, &answer, text);
}

static void http_head__at_and_over_the_limit__is_200_and_431(void **state)
{
	(void)state;
	start();
	ask_with_head(FB_HTTP_HEADERS_MAX);
	CHECK(answer.status == 200);
	ask_with_head(FB_HTTP_HEADERS_MAX + 1);
	CHECK(answer.status == 431);
	CHECK(strstr(answer.body, "headers_too_large") != NULL);
	ask_with_head(FB_HTTP_HEADERS_MAX + 30000);
	CHECK(answer.status == 431); /* libmicrohttpd's own */
	server_stop(&server);
}

static void http_target__longer_than_a_head__is_431_or_414(void **state)
{
	static const char rest[] = " HTTP/1.1\r\nHost: x\r\n\r\n";
	static char text[80000];

	(void)state;
	start();
	memcpy(text, "GET /", 5);
	memset(text + 5, 'a', 40000);
	memcpy(text + 40005, rest, sizeof(rest));
	CHECK(ask(&server, &answer, text) == 431);
	memset(text + 5, 'a', 60000);
	memcpy(text + 60005, rest, sizeof(rest));
	CHECK(ask(&server, &answer, text) == 414); /* libmicrohttpd's own */
	server_stop(&server);
}

static char big[3 << 20];

/* A request with a body of `len` bytes, in chunks of at most 10000. */
static void chunked(struct fb_buf *out, const char *path, size_t len)
{
	static char piece[10000];

	fb_buf_printf(out, "POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", path);
	for (size_t n; len > 0; len -= n) {
		n = len < sizeof(piece) ? len : sizeof(piece);
		fb_buf_printf(out, "%zx\r\n", n);
		fb_buf_put(out, piece, n);
		fb_buf_text(out, "\r\n");
	}
	fb_buf_text(out, "0\r\n\r\n");
}

static void sized(struct fb_buf *out, const char *path, size_t len)
{
	static char body[ECHO_MAX + 1];

	fb_buf_printf(out, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, len);
	fb_buf_put(out, body, len);
}

static void http_body__at_and_over_the_route_s_limit__is_200_and_413(void **state)
{
	static const struct {
		void (*make)(struct fb_buf *out, const char *path, size_t len);
		const char *path;
		size_t len;
		unsigned status;
		bool closes;
	} rows[] = {
		{ sized, "/items/1", SMALL_MAX, 200, false },
		{ sized, "/items/1", SMALL_MAX + 1, 413, true },
		{ sized, "/echo", ECHO_MAX, 200, false },
		{ sized, "/echo", ECHO_MAX + 1, 413, true },
		{ chunked, "/items/1", SMALL_MAX, 200, false },
		{ chunked, "/items/1", SMALL_MAX + 1, 413, false },
		{ chunked, "/echo", ECHO_MAX, 200, false },
		{ chunked, "/echo", ECHO_MAX + 1, 413, false },
		{ chunked, "/echo", 1 << 20, 413, false },
		{ sized, "/nowhere", 5, 404, true },
	};

	(void)state;
	start();
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_buf out;
		struct client c;

		fb_buf_init(&out, big, sizeof(big));
		rows[i].make(&out, rows[i].path, rows[i].len);
		client_open(&c, &server);
		client_send(&c, out.at, out.len);
		if (!client_read(&c, &answer, false) || answer.status != rows[i].status)
			fail_msg("row %zu: %u, want %u", i, answer.status, rows[i].status);
		CHECK(rows[i].status != 200 || answer.body_len == rows[i].len);
		CHECK(rows[i].closes ? client_closed(&c) : client_silent(&c, 10));
		client_close(&c);
	}
	server_stop(&server);
}

static void http_body__far_over_the_limit__is_cut_off(void **state)
{
	struct fb_buf out;
	struct client c;

	(void)state;
	start();
	fb_buf_init(&out, big, sizeof(big));
	chunked(&out, "/echo", 5 << 19); /* 2.5 MiB: more than is read for the sake of an answer */
	client_open(&c, &server);
	client_send(&c, out.at, out.len);
	CHECK(!client_read(&c, &answer, false));
	client_close(&c);
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
	server_stop(&server);
}

static void http_body__where_none_belongs__is_413_without_reading_it(void **state)
{
	(void)state;
	start();
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n") == 413);
	CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n") == 413);
	CHECK(ask(&server, &answer, "OPTIONS /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n") == 413);
	CHECK(ask(&server, &answer, "OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n") == 413);
	server_stop(&server);
}

static void http_expect__continue__is_answered_before_the_body(void **state)
{
	struct client c;

	(void)state;
	start();
	client_open(&c, &server);
	client_text(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	CHECK(client_read(&c, &answer, false) && answer.status == 100);
	client_text(&c, "abc");
	CHECK(client_read(&c, &answer, false) && answer.status == 200);
	client_text(&c, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n");
	CHECK(client_read(&c, &answer, false) && answer.status == 413);
	client_close(&c);
	server_stop(&server);
}

static void http_connections__one_too_many__is_closed_at_once(void **state)
{
	static const struct {
		unsigned in_all, per_address;
	} rows[] = { { 16, 100 }, { 100, 16 } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct client c[17];

		server_settings(&server);
		server.settings.connections_max = rows[i].in_all;
		server.settings.per_address_max = rows[i].per_address;
		server_start(&server);
		for (int k = 0; k < 16; k++) {
			client_open(&c[k], &server);
			client_text(&c[k], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
			CHECK(client_read(&c[k], &answer, false) && answer.status == 200);
		}
		client_open(&c[16], &server);
		CHECK(client_closed(&c[16]));
		client_close(&c[16]);
		client_close(&c[0]);
		usleep(50000); /* until the place is free again */
		CHECK(ask(&server, &answer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
		for (int k = 1; k < 16; k++)
			client_close(&c[k]);
		server_stop(&server);
	}
}

static void http_connection__late_with_its_request__is_closed(void **state)
{
	static const struct {
		const char *text;
		bool drip, reaped;
	} rows[] = {
		{ "", false, false },
		{ "GET / HTTP/1.1", false, false }, /* the line is not complete: not yet a request */
		{ "GET / HTTP/1.1\r\n", false, true },
		{ "GET / HTTP/1.1\r\nHost: x\r\nA: ", true, true },
		{ "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", true, true },
		{ "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", true, true },
	};

	(void)state;
	server_settings(&server);
	server.settings.read_ms = 300;
	server_start(&server);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint64_t reaped = fb_metric_get(server.metrics, FB_M_HTTP_REAPED), before = now_ms(), took;
		struct client c;

		client_open(&c, &server);
		client_text(&c, rows[i].text);
		if (rows[i].drip)
			for (int k = 0; k < 100 && client_send(&c, "a", 1); k++) /* would keep an idle timeout at bay for 2 s */
				usleep(20000);
		CHECK(client_closed(&c));
		took = now_ms() - before;
		if (took < 250 || took > 1500)
			fail_msg("row %zu: closed after %llu ms", i, (unsigned long long)took);
		CHECK(fb_metric_get(server.metrics, FB_M_HTTP_REAPED) == reaped + rows[i].reaped);
		client_close(&c);
	}
	server_stop(&server);
}

static void http_connection__idle_or_not_reading__is_closed(void **state)
{
	struct client c;

	(void)state;
	server_settings(&server);
	server.settings.idle_ms = 300;
	server_start(&server);
	client_open(&c, &server);
	client_text(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_read(&c, &answer, false) && answer.status == 200);
	CHECK(client_silent(&c, 150));
	CHECK(client_closed(&c));
	client_close(&c);
	client_open(&c, &server);
	for (int i = 0; i < 60; i++)
		client_text(&c, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"); /* 15 MB that nobody reads */
	wait_for(&server.not_whole, 1);
	client_close(&c);
	server_stop(&server);
}

static long resident_kib(void)
{
	char text[64] = "";
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	CHECK(f != NULL && fgets(text, sizeof(text), f) != NULL);
	fclose(f);
	for (const char *p = strchr(text, ' ') + 1; *p >= '0' && *p <= '9'; p++)
		pages = pages * 10 + (*p - '0');
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void http_memory__thousand_idle_connections__stays_flat(void **state)
{
	enum { N = 1000, KIB_PER_CONNECTION = 60 };
	static struct client c[N];
	static const char text[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
	long before, idle, later;

	(void)state;
	start();
	for (int i = 0; i < N; i++)
		client_open(&c[i], &server);
	before = resident_kib();
	for (int i = 0; i < N; i++) {
		client_text(&c[i], text);
		CHECK(client_read(&c[i], &answer, false) && answer.status == 200);
	}
	idle = resident_kib();
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < N; i++) {
			client_text(&c[i], text);
			CHECK(client_read(&c[i], &answer, false) && answer.status == 200);
		}
	later = resident_kib();
	printf("memory: %ld KiB for %d idle connections that were used, %ld KiB more after three more rounds\n",
	       idle - before, (int)N, later - idle);
	for (int i = 0; i < N; i++)
		client_close(&c[i]);
	server_stop(&server);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	CHECK(idle - before < (long)N * KIB_PER_CONNECTION);
	CHECK(later - idle < 2048);
#endif
}

/* 128 events at once are libmicrohttpd's blind spot (api/http/worker.c). All clients of one worker send while it is
 * busy, so that it finds exactly so many events in one wait. */
static void http_burst__multiples_of_128_at_once__are_answered(void **state)
{
	enum { ALL = 1000 };
	static struct client c[ALL];
	static const char plain[] = "GET /thread HTTP/1.1\r\nHost: x\r\n\r\n";

	(void)state;
	start();
	for (int burst = 128; burst <= 256; burst += 128) {
		struct client *mine[257];
		char worker[64] = "";
		int open = 0, n = 0;

		while (n < burst + 1) {
			FB_ASSERT(open < ALL);
			client_open(&c[open], &server);
			client_text(&c[open], plain);
			CHECK(client_read(&c[open], &answer, false) && answer.status == 200);
			if (n == 0)
				snprintf(worker, sizeof(worker), "%.63s", answer.body);
			if (strcmp(worker, answer.body) == 0)
				mine[n++] = &c[open];
			open++;
		}
		client_text(mine[burst], "GET /block HTTP/1.1\r\nHost: x\r\n\r\n");
		usleep(50000);
		for (int i = 0; i < burst; i++)
			client_text(mine[i], plain);
		for (int i = 0; i <= burst; i++)
			CHECK(client_read(mine[i], &answer, false) && answer.status == 200);
		for (int i = 0; i < open; i++)
			client_close(&c[i]);
	}
	server_stop(&server);
}

int run_http_limit_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_head__at_and_over_the_limit__is_200_and_431),
		cmocka_unit_test(http_target__longer_than_a_head__is_431_or_414),
		cmocka_unit_test(http_body__at_and_over_the_route_s_limit__is_200_and_413),
		cmocka_unit_test(http_body__far_over_the_limit__is_cut_off),
		cmocka_unit_test(http_body__where_none_belongs__is_413_without_reading_it),
		cmocka_unit_test(http_expect__continue__is_answered_before_the_body),
		cmocka_unit_test(http_connections__one_too_many__is_closed_at_once),
		cmocka_unit_test(http_connection__late_with_its_request__is_closed),
		cmocka_unit_test(http_connection__idle_or_not_reading__is_closed),
		cmocka_unit_test(http_memory__thousand_idle_connections__stays_flat),
		cmocka_unit_test(http_burst__multiples_of_128_at_once__are_answered),
	};

	return cmocka_run_group_tests_name("http: limits", tests, NULL, NULL);
}
