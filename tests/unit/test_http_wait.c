/* Goal: answers that come later: woken, expired, too late, to nobody, and many at once. Method: the test holds the
 * tokens of all waiting requests and decides when to wake them. */
#define _GNU_SOURCE
#include "test_http.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static struct server server;
static struct answer answer;

#define WAIT "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n"

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
	server_wake_all(&server);
	server_stop(&server);
	return 0;
}

static void wait__woken__answers(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	for (int i = 0; i < 3; i++) { /* on one connection, with and without body */
		client_text(&c, i == 1 ? "POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" : WAIT);
		server_wait_tokens(&server, 1);
		CHECK(client_silent(&c, 30));
		CHECK(server_wake_all(&server) == 1);
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
		CHECK_STR("woken", fb_str_of(answer.body));
	}
	client_close(&c);
	CHECK(atomic_load(&server.woken) == 3 && atomic_load(&server.expired) == 0);
	wait_for(&server.whole, 3);
}

static void wait__deadline_passes__answers_expired_and_a_late_wake_is_harmless(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	client_text(&c, "GET /wait?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("expired", fb_str_of(answer.body));
	CHECK(server_wake_all(&server) == 1);
	client_text(&c, "GET /wait?ms=0 HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("expired", fb_str_of(answer.body));
	client_text(&c, WAIT);
	server_wait_tokens(&server, 2);
	CHECK(server_wake_all(&server) == 2); /* the late one and the new one */
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("woken", fb_str_of(answer.body));
	client_close(&c);
}

static void wait__woken_before_the_handler_returns__answers(void **state)
{
	(void)state;
	server.wake_at_once = true;
	for (int i = 0; i < 200; i++) {
		CHECK(ask(&server, &answer, WAIT) == 200);
		CHECK_STR("woken", fb_str_of(answer.body));
	}
	server.wake_at_once = false;
}

static void wait__twice__runs_each_continuation_once(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	client_text(&c, "GET /wait/twice HTTP/1.1\r\nHost: x\r\n\r\n");
	server_wait_tokens(&server, 1);
	CHECK(server_wake_all(&server) == 1);
	server_wait_tokens(&server, 1);
	CHECK(client_silent(&c, 20));
	CHECK(server_wake_all(&server) == 1);
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("woken", fb_str_of(answer.body));
	client_close(&c);
}

static void wait__client_gone_before_the_wake__runs_the_continuation_and_delivers_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		unsigned ran, lost, whole;
		struct client c;

		server_wait_connections(&server, 0);
		ran = atomic_load(&server.woken);
		lost = atomic_load(&server.not_whole);
		whole = atomic_load(&server.whole);
		client_open(&c, &server);
		client_text(&c, WAIT);
		server_wait_tokens(&server, 1);
		if (i == 0)
			client_close(&c);
		else if (i == 1)
			client_reset(&c);
		else
			CHECK(shutdown(c.fd, SHUT_WR) == 0); /* a half-closed connection counts as left */
		usleep(20000);
		CHECK(server_wake_all(&server) == 1);
		wait_for(&server.not_whole, lost + 1);
		CHECK(atomic_load(&server.woken) == ran + 1 && atomic_load(&server.whole) == whole);
		if (i == 2)
			client_close(&c);
	}
}

static void wait__client_gone_and_the_continuation_waits_again__expires_at_once(void **state)
{
	unsigned expired, lost;
	struct client c;

	(void)state;
	server_wait_connections(&server, 0);
	expired = atomic_load(&server.expired);
	lost = atomic_load(&server.not_whole);
	client_open(&c, &server);
	client_text(&c, "GET /wait/twice HTTP/1.1\r\nHost: x\r\n\r\n");
	server_wait_tokens(&server, 1);
	client_close(&c);
	usleep(20000);
	CHECK(server_wake_all(&server) == 1);
	wait_for(&server.not_whole, lost + 1);
	CHECK(atomic_load(&server.expired) == expired + 1);
	CHECK(server_wake_all(&server) == 1); /* the second token, of a request that is no more */
}

static void wait__pipelined_request_behind__is_answered_after_it(void **state)
{
	struct client c;

	(void)state;
	client_open(&c, &server);
	client_text(&c, WAIT "GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n");
	server_wait_tokens(&server, 1);
	client_text(&c, "GET /items/2 HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(client_silent(&c, 30));
	CHECK(server_wake_all(&server) == 1);
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("woken", fb_str_of(answer.body));
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("item 1", fb_str_of(answer.body));
	CHECK(client_read(&c, &answer, false));
	CHECK_STR("item 2", fb_str_of(answer.body));
	client_close(&c);
}

/* ---- many at once ---------------------------------------------------------------------------- */
enum { CROWD = 320, ROUNDS = 40 };
static atomic_bool wake_on;

static void *wake_in_batches(void *arg)
{
	(void)arg;
	while (atomic_load(&wake_on)) {
		server_wake_all(&server);
		usleep(500);
	}
	return NULL;
}

/* More than 256 connections wait at the same time and are woken in batches, as by a group commit; each sends its next
 * request when it has its answer. A lost wake or a stuck worker leaves a client without one for 5 s, which fails. */
static void wait__hundreds_at_once__none_is_lost(void **state)
{
	static struct client c[CROWD];
	unsigned whole;
	pthread_t waker;

	(void)state;
	server_wait_connections(&server, 0);
	whole = atomic_load(&server.whole);
	for (int i = 0; i < CROWD; i++)
		client_open(&c[i], &server);
	for (int i = 0; i < CROWD; i++)
		client_text(&c[i], WAIT);
	server_wait_tokens(&server, CROWD); /* all of them wait at once */
	atomic_store(&wake_on, true);
	CHECK(pthread_create(&waker, NULL, wake_in_batches, NULL) == 0);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < CROWD; i++) {
			if (!client_read(&c[i], &answer, false))
				fail_msg("round %d: client %d got no answer", round, i);
			CHECK_STR("woken", fb_str_of(answer.body));
			if (round + 1 < ROUNDS)
				client_text(&c[i], i % 3 == 0 ? "GET /wait/twice HTTP/1.1\r\nHost: x\r\n\r\n" : WAIT);
		}
	wait_for(&server.whole, whole + CROWD * ROUNDS);
	atomic_store(&wake_on, false);
	pthread_join(waker, NULL);
	for (int i = 0; i < CROWD; i++)
		client_close(&c[i]);
}

/* A wake must not be left lying until the worker looks at its clock. */
static void wait__woken__answers_without_delay(void **state)
{
	enum { TIMES = 100, EACH_MS_MAX = 5 };
	uint64_t before = now_ms();
	struct client c;
	pthread_t waker;

	(void)state;
	atomic_store(&wake_on, true);
	CHECK(pthread_create(&waker, NULL, wake_in_batches, NULL) == 0);
	client_open(&c, &server);
	for (int i = 0; i < TIMES; i++) {
		client_text(&c, WAIT);
		CHECK(client_read(&c, &answer, false) && answer.status == 200);
	}
	CHECK(now_ms() - before < TIMES * EACH_MS_MAX);
	client_close(&c);
	atomic_store(&wake_on, false);
	pthread_join(waker, NULL);
}

/* Deadlines and wakes race on purpose: each request is answered once, by whichever came first. */
static void wait__wake_and_deadline_race__one_of_them_wins(void **state)
{
	unsigned before = atomic_load(&server.woken) + atomic_load(&server.expired);
	struct client c[8];
	pthread_t waker;
	int asked = 0;

	(void)state;
	atomic_store(&wake_on, true);
	CHECK(pthread_create(&waker, NULL, wake_in_batches, NULL) == 0);
	for (int i = 0; i < 8; i++)
		client_open(&c[i], &server);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 8; i++, asked++)
			client_text(&c[i], "GET /wait?ms=1 HTTP/1.1\r\nHost: x\r\n\r\n");
		for (int i = 0; i < 8; i++)
			CHECK(client_read(&c[i], &answer, false) && answer.status == 200);
	}
	CHECK(atomic_load(&server.woken) + atomic_load(&server.expired) == before + (unsigned)asked);
	atomic_store(&wake_on, false);
	pthread_join(waker, NULL);
	for (int i = 0; i < 8; i++)
		client_close(&c[i]);
}

int run_http_wait_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait__woken__answers),
		cmocka_unit_test(wait__deadline_passes__answers_expired_and_a_late_wake_is_harmless),
		cmocka_unit_test(wait__woken_before_the_handler_returns__answers),
		cmocka_unit_test(wait__twice__runs_each_continuation_once),
		cmocka_unit_test(wait__client_gone_before_the_wake__runs_the_continuation_and_delivers_nothing),
		cmocka_unit_test(wait__client_gone_and_the_continuation_waits_again__expires_at_once),
		cmocka_unit_test(wait__pipelined_request_behind__is_answered_after_it),
		cmocka_unit_test(wait__hundreds_at_once__none_is_lost),
		cmocka_unit_test(wait__woken__answers_without_delay),
		cmocka_unit_test(wait__wake_and_deadline_race__one_of_them_wins),
	};

	return cmocka_run_group_tests_name("http: waits", tests, start, stop);
}
