/* Goal: the end of a server: requests under way are answered, waiting ones too, nobody waits longer than the grace.
 * Method: a thread stops the server while the test's clients are in each state. */
#define _GNU_SOURCE
#include "test_http.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server server;
static struct answer answer;

#define WAIT "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"

static void *stop_it(void *arg)
{
	fb_http_stop(arg);
	return NULL;
}

static pthread_t stop_in_background(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, stop_it, server.http) == 0);
	server.http = NULL; /* server_stop then only checks and closes the rest */
	return t;
}

static void stop__woken_within_the_grace__is_answered_and_closed(void **state)
{
	struct client waiting, idle;
	pthread_t t;
	char text[512];

	(void)state;
	server_settings(&server);
	server_start(&server);
	client_open(&idle, &server);
	client_text(&idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_read(&idle, &answer, false) && answer.status == 200);
	client_open(&waiting, &server);
	client_text(&waiting, WAIT);
	server_wait_tokens(&server, 1);
	t = stop_in_background();
	CHECK(client_closed(&idle));
	CHECK(client_silent(&waiting, 100));
	CHECK(server_wake_all(&server) == 1);
	CHECK(client_read(&waiting, &answer, false));
	CHECK_STR("woken", fb_str_of(answer.body));
	CHECK_STR("close", fb_str_of(answer_header(&answer, "Connection", text)));
	CHECK(client_closed(&waiting));
	pthread_join(t, NULL);
	client_close(&waiting);
	client_close(&idle);
	server_stop(&server);
}

static void stop__grace_passes__waits_expire_and_late_wakes_are_harmless(void **state)
{
	enum { N = 50 };
	struct client c[N];
	uint64_t before;
	pthread_t t;

	(void)state;
	server_settings(&server);
	server.settings.grace_ms = 200;
	server_start(&server);
	for (int i = 0; i < N; i++) {
		client_open(&c[i], &server);
		client_text(&c[i], i % 2 == 0 ? WAIT : "GET /wait/twice HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	server_wait_tokens(&server, N);
	before = now_ms();
	t = stop_in_background();
	for (int i = 0; i < N; i++) {
		CHECK(client_read(&c[i], &answer, false));
		CHECK_STR("expired", fb_str_of(answer.body));
		client_close(&c[i]);
	}
	pthread_join(t, NULL);
	CHECK(now_ms() - before < 2000);
	CHECK(server_wake_all(&server) == N);
	server_stop(&server);
}

static void stop__clients_in_every_state__ends_within_the_grace(void **state)
{
	struct client half_head, half_body, not_reading, gone;
	uint64_t before;

	(void)state;
	server_settings(&server);
	server.settings.grace_ms = 100;
	server_start(&server);
	client_open(&half_head, &server);
	client_text(&half_head, "GET / HTTP/1.1\r\nHost: x\r\n");
	client_open(&half_body, &server);
	client_text(&half_body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
	client_open(&not_reading, &server);
	for (int i = 0; i < 60; i++)
		client_text(&not_reading, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
	client_open(&gone, &server);
	client_text(&gone, WAIT);
	server_wait_tokens(&server, 1);
	client_close(&gone);
	usleep(50000);
	before = now_ms();
	fb_http_stop(server.http);
	server.http = NULL;
	CHECK(now_ms() - before < 3000);
	wait_for(&server.expired, 1);
	CHECK(server_wake_all(&server) == 1);
	client_close(&half_head);
	client_close(&half_body);
	client_close(&not_reading);
	server_stop(&server);
}

/* A request that comes while the server drains, on a connection that is still needed. */
static void stop__new_request_while_draining__is_503(void **state)
{
	struct client c;
	pthread_t t;

	(void)state;
	server_settings(&server);
	server_start(&server);
	client_open(&c, &server);
	client_text(&c, "POST /echo HTTP/1.1\r\n");
	usleep(50000);
	t = stop_in_background();
	usleep(150000);
	client_text(&c, "Host: x\r\nContent-Length: 0\r\n\r\n");
	CHECK(client_read(&c, &answer, false) && answer.status == 503);
	CHECK(strstr(answer.body, "draining") != NULL);
	CHECK(client_closed(&c));
	client_close(&c);
	pthread_join(t, NULL);
	server_stop(&server);
}

static void *keep_asking(void *arg)
{
	atomic_bool *on = arg;
	static struct answer mine;

	while (atomic_load(on)) {
		struct client c;

		if (!client_try(&c, &server))
			continue;
		client_send(&c, WAIT, sizeof(WAIT) - 1);
		client_read(&c, &mine, false);
		client_close(&c);
	}
	return NULL;
}

static void *keep_waking(void *arg)
{
	atomic_bool *on = arg;

	while (atomic_load(on))
		server_wake_all(&server);
	return NULL;
}

/* Servers come and go while another thread wakes without pause: no wake may touch a daemon that has ended. */
static void stop__while_wakes_pour_in__never_touches_what_ended(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		atomic_bool asking = true, waking = true;
		pthread_t asker, waker;

		server_settings(&server);
		server_start(&server);
		CHECK(pthread_create(&asker, NULL, keep_asking, &asking) == 0);
		CHECK(pthread_create(&waker, NULL, keep_waking, &waking) == 0);
		usleep(30000);
		fb_http_stop(server.http);
		atomic_store(&asking, false);
		pthread_join(asker, NULL);
		atomic_store(&waking, false);
		pthread_join(waker, NULL);
		server_wake_all(&server);
		server.http = NULL;
		server_stop(&server);
	}
}

int run_http_stop_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stop__woken_within_the_grace__is_answered_and_closed),
		cmocka_unit_test(stop__grace_passes__waits_expire_and_late_wakes_are_harmless),
		cmocka_unit_test(stop__clients_in_every_state__ends_within_the_grace),
		cmocka_unit_test(stop__new_request_while_draining__is_503),
		cmocka_unit_test(stop__while_wakes_pour_in__never_touches_what_ended),
	};

	return cmocka_run_group_tests_name("http: stop", tests, NULL, NULL);
}
