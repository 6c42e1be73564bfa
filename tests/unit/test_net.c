/* Goal: the client's side of farebox/net.h: what is sent, how connections are kept, how it ends.
 * Method: a real TCP peer that records what it read. test_net_peer.c has the peers that misbehave. */
#include "farebox/net.h"
#include "fb_peer.h"
#include "fb_test.h"
#include "test_net.h"

#include <stdlib.h>

struct ask {
	struct fb_loop *loop;
	struct fb_net *net;
	size_t outstanding, ok, busy, draining, again;
	enum fb_status status;
	bool sent;
	uint16_t code;
	char body[256], why[128];
};

static void on_done(void *arg, const struct fb_net_reply *r)
{
	struct ask *a = arg;

	CHECK(a->outstanding > 0);
	a->outstanding--;
	a->status = r->status;
	a->sent = r->sent;
	a->code = r->code;
	snprintf(a->body, sizeof(a->body), "%.*s", FB_STR_ARG(r->body));
	snprintf(a->why, sizeof(a->why), "%s", r->why == NULL ? "" : r->why);
	CHECK((r->status == FB_OK) == (r->why == NULL));
	a->ok += r->status == FB_OK;
	a->busy += r->status == FB_BUSY;
	a->draining += r->status == FB_DRAINING;
	if (a->outstanding == 0)
		fb_loop_stop(a->loop);
}

static struct ask ask_open(void)
{
	struct ask a = { 0 };

	CHECK_STATUS(FB_OK, fb_loop_open(&a.loop));
	CHECK_STATUS(FB_OK, fb_net_open(&a.net, a.loop));
	return a;
}

static void ask_close(struct ask *a)
{
	fb_net_close(a->net);
	fb_loop_close(a->loop);
}

static void ask_send(struct ask *a, const struct fb_net_request *request)
{
	a->outstanding++;
	fb_net_send(a->net, request, on_done, a);
	CHECK(a->outstanding > 0); /* never inside the call */
}

static void ask_url(struct ask *a, const char *url)
{
	struct fb_net_request request = { .method = "GET", .url = url, .timeout_ms = 5000, .answer_max = 200 };

	ask_send(a, &request);
	fb_loop_run(a->loop);
}

/* ---- what is sent --------------------------------------------------------------------------------- */

static void echo_request(void *arg, struct peer_call *call)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%.*s%.*s", FB_STR_ARG(call->head), FB_STR_ARG(call->body));

	(void)arg;
	if (fb_str_starts(call->head, FB_STR("HEAD")))
		peer_text(call, "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
	else
		peer_reply(call, 200, "text/plain", (struct fb_str){ text, (size_t)n });
}

static void send__each_method__sends_exactly_these_bytes(void **state)
{
	static const struct { struct fb_net_request request; const char *want; } rows[] = {
		{ { .method = "GET" }, "GET /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\n\r\n" },
		{ { .method = "POST", .body = { "{}", 2 }, .headers = { "Content-Type: application/json" } },
		  "POST /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\nContent-Type: application/json\r\n"
		  "Content-Length: 2\r\n\r\n{}" },
		{ { .method = "POST" }, "POST /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n" },
		{ { .method = "PUT", .body = { "a", 1 }, .headers = { "A: b", "C: d" } },
		  "PUT /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\nA: b\r\nC: d\r\nContent-Length: 1\r\n\r\na" },
		{ { .method = "DELETE" }, "DELETE /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\n\r\n" },
		{ { .method = "HEAD" }, "" },
		{ { .method = "GET" }, "GET /x HTTP/1.1\r\nHost: H\r\nAccept: */*\r\n\r\n" }, /* nothing sticks */
	};
	struct peer *peer = peer_open(echo_request, NULL);
	struct ask a = ask_open();
	char url[128], host[64], want[512];

	(void)state;
	snprintf(url, sizeof(url), "%sx", peer->url);
	snprintf(host, sizeof(host), "%.*s", (int)strlen(peer->url + 7) - 1, peer->url + 7);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_net_request request = rows[i].request;
		const char *at = strstr(rows[i].want, "Host: H");

		request.url = url;
		request.timeout_ms = 5000;
		request.answer_max = 4096;
		if (request.body.at == NULL)
			request.body = FB_STR("");
		ask_send(&a, &request);
		fb_loop_run(a.loop);
		CHECK_STATUS(FB_OK, a.status);
		snprintf(want, sizeof(want), "%.*sHost: %s%s", at == NULL ? 0 : (int)(at - rows[i].want), rows[i].want, host,
			 at == NULL ? "" : at + 7);
		CHECK_STR(at == NULL ? "" : want, fb_str_of(a.body));
	}
	CHECK(peer_connections(peer) == 1); /* one after the other: one connection serves them all */
	ask_close(&a);
	peer_close(peer);
}

static void size_of_request(void *arg, struct peer_call *call)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%zu", call->body.len);

	(void)arg;
	peer_reply(call, 200, "text/plain", (struct fb_str){ text, (size_t)n });
}

static void send__large_body__goes_out_whole(void **state)
{
	struct peer *peer = peer_open(size_of_request, NULL);
	struct ask a = ask_open();
	struct fb_net_request request = { .method = "POST", .url = peer->url, .timeout_ms = 5000, .answer_max = 100 };
	size_t len = 1000000;
	char *body = malloc(len);

	(void)state;
	memset(body, 'x', len);
	request.body = (struct fb_str){ body, len };
	ask_send(&a, &request);
	free(body); /* the request was copied */
	fb_loop_run(a.loop);
	CHECK_STATUS(FB_OK, a.status);
	CHECK_STR("1000000", fb_str_of(a.body));
	ask_close(&a);
	peer_close(peer);
}

/* ---- what never leaves ------------------------------------------------------------------------------ */

static void send__no_way_to_the_peer__is_unreachable_and_provably_not_sent(void **state)
{
	static const struct { const char *url, *why; } rows[] = {
		{ "http://" /* a label too long to be a name: refused without asking anyone */
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid/",
			"name not resolved" },
		{ "ftp://127.0.0.1/", "neither http nor https" },
		{ "file:///etc/passwd", "neither http nor https" },
		{ "http://127.0.0.1:99999/", "not a URL" },
		{ "http://a b/", "not a URL" },
		{ "", "not a URL" },
	};
	struct ask a = ask_open();
	char dead[64];

	(void)state;
	peer_dead_url(dead, sizeof(dead));
	for (size_t i = 0; i <= FB_COUNT(rows); i++) {
		ask_url(&a, i == FB_COUNT(rows) ? dead : rows[i].url);
		CHECK_STATUS(FB_UNREACHABLE, a.status);
		CHECK(!a.sent);
		CHECK_STR(i == FB_COUNT(rows) ? "connection refused" : rows[i].why, fb_str_of(a.why));
	}
	ask_close(&a);
}

static void never_called(void *arg, struct peer_call *call)
{
	(void)arg, (void)call;
	fail_msg("asked");
}

static void send__https_to_a_plain_port__is_unreachable_and_not_sent(void **state)
{
	struct peer *peer = peer_open(size_of_request, NULL);
	struct ask a = ask_open();
	struct fb_net_request request = { .method = "GET", .timeout_ms = 300, .answer_max = 100 };
	char url[80];

	(void)state;
	snprintf(url, sizeof(url), "https%s", peer->url + 4);
	request.url = url;
	ask_send(&a, &request);
	fb_loop_run(a.loop);
	CHECK(a.status == FB_TIMEOUT || a.status == FB_UNREACHABLE);
	CHECK(!a.sent && peer_requests(peer) == 0);
	ask_close(&a);
	peer_close(peer);
}

static void send__proxy_in_the_environment__is_ignored(void **state)
{
	struct peer *peer = peer_open(size_of_request, NULL), *proxy = peer_open(never_called, NULL);
	struct ask a = ask_open();

	(void)state;
	CHECK(setenv("http_proxy", proxy->url, 1) == 0 && setenv("ALL_PROXY", proxy->url, 1) == 0);
	ask_url(&a, peer->url);
	CHECK_STATUS(FB_OK, a.status);
	CHECK(unsetenv("http_proxy") == 0 && unsetenv("ALL_PROXY") == 0);
	ask_close(&a);
	peer_close(peer);
	peer_close(proxy);
}

/* ---- kept connections ------------------------------------------------------------------------------- */

/* Answers the first request of a connection, and breaks the connection when the second has come. */
static void break_second(void *arg, struct peer_call *call)
{
	(void)arg;
	if (call->of_connection == 0)
		peer_reply(call, 200, "text/plain", FB_STR("ok"));
	else
		call->close = true;
}

static void send__kept_connection_dies_under_it__is_sent_twice_only_if_repeatable(void **state)
{
	(void)state;
	for (int repeatable = 0; repeatable <= 1; repeatable++) {
		struct peer *peer = peer_open(break_second, NULL);
		struct ask a = ask_open();
		struct fb_net_request request = { .method = "POST", .url = peer->url, .body = FB_STR("x"), .timeout_ms = 5000,
						  .answer_max = 100, .repeatable = repeatable };

		for (int i = 0; i < 2; i++) {
			ask_send(&a, &request);
			fb_loop_run(a.loop);
		}
		CHECK_STATUS(repeatable ? FB_OK : FB_UNREACHABLE, a.status);
		CHECK(a.sent);
		CHECK(peer_requests(peer) == (repeatable ? 3 : 2));
		ask_close(&a);
		peer_close(peer);
	}
}

static void answer_and_close(void *arg, struct peer_call *call)
{
	(void)arg;
	peer_reply(call, 200, "text/plain", FB_STR("ok"));
	call->close = true;
}

static void send__kept_connection_closed_while_idle__takes_a_fresh_one(void **state)
{
	struct peer *peer = peer_open(answer_and_close, NULL);
	struct ask a = ask_open();

	(void)state;
	for (int i = 0; i < 5; i++) {
		ask_url(&a, peer->url);
		CHECK_STATUS(FB_OK, a.status);
		peer_sleep_ms(5);
	}
	CHECK(peer_requests(peer) == 5);
	ask_close(&a);
	peer_close(peer);
}

/* ---- many at once, and the end ------------------------------------------------------------------------ */

static void slow_answer(void *arg, struct peer_call *call)
{
	(void)arg;
	peer_sleep_ms(2);
	peer_reply(call, 200, "text/plain", call->body);
}

static void send__many_at_once__each_gets_an_answer(void **state)
{
	struct peer *peer = peer_open(slow_answer, NULL);
	struct ask a = ask_open();

	(void)state;
	for (int i = 0; i < 40; i++) {
		struct fb_net_request request = { .method = "POST", .url = peer->url, .body = FB_STR("hello"),
						  .timeout_ms = 10000, .answer_max = 100 };

		ask_send(&a, &request);
	}
	fb_loop_run(a.loop);
	CHECK(a.ok == 40 && a.outstanding == 0);
	ask_close(&a);
	peer_close(peer);
}

static void hang(void *arg, struct peer_call *call)
{
	(void)arg;
	peer_hang(call);
}

static void send_again(void *arg, const struct fb_net_reply *r)
{
	struct ask *a = arg;
	struct fb_net_request request = { .method = "GET", .url = "http://127.0.0.1:1/", .timeout_ms = 1000 };

	on_done(arg, r);
	if (a->again > 0) {
		a->again--;
		a->outstanding++;
		fb_net_send(a->net, &request, send_again, a);
	}
}

static void close__with_requests_under_way__ends_each_with_draining(void **state)
{
	struct peer *peer = peer_open(hang, NULL);
	struct ask a = ask_open();
	struct fb_net_request request = { .method = "GET", .url = peer->url, .timeout_ms = 10000 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		a.outstanding++;
		fb_net_send(a.net, &request, send_again, &a);
	}
	fb_loop_stop(a.loop);
	fb_loop_run(a.loop);
	a.again = 5;
	ask_close(&a);
	CHECK(a.outstanding == 0 && a.draining == 8); /* the three, and what their ends sent anew */
	peer_close(peer);
}

static void on_busy(void *arg, const struct fb_net_reply *r)
{
	struct ask *a = arg;

	CHECK_STATUS(FB_BUSY, r->status);
	CHECK(!r->sent);
	on_done(arg, r);
	if (a->busy == 1)
		fb_net_send(a->net, &(struct fb_net_request){ .method = "GET", .url = "http://127.0.0.1:1/", .timeout_ms = 1 },
			on_busy, a);
	else
		fb_loop_stop(a->loop);
}

static void send__over_the_limit__is_busy_and_not_sent(void **state)
{
	char url[64];
	int listener = peer_listen(url, sizeof(url)); /* accepts nobody */
	struct ask a = ask_open();
	struct fb_net_request request = { .method = "GET", .url = url, .timeout_ms = 60000 };

	(void)state;
	for (size_t i = 0; i < FB_NET_PENDING_MAX; i++)
		ask_send(&a, &request);
	a.outstanding += 2;
	fb_net_send(a.net, &request, on_busy, &a);
	fb_loop_run(a.loop);
	CHECK(a.busy == 2 && a.outstanding == FB_NET_PENDING_MAX);
	a.again = 3;
	a.outstanding++;
	fb_net_send(a.net, &request, send_again, &a); /* refused, and not yet told */
	ask_close(&a);
	CHECK(a.draining == FB_NET_PENDING_MAX + 4 && a.outstanding == 0);
	close(listener);
}

static void net_header__table__finds_by_name(void **state)
{
	static const struct { const char *name, *want; } rows[] = {
		{ "Retry-After", "5" }, { "retry-after", "5" }, { "RETRY-AFTER", "5" }, { "X-Empty", "" }, { "X-None", "" },
		{ "Retry", "" }, { "X-Twice", "first" }, { "X-Colons", "a:b: c" }, { "folded", "" }, { "Last", "z" },
	};
	struct fb_net_reply reply = {
		.headers = FB_STR("Retry-After: \t5 \r\nX-Empty:\r\nX-Twice: first\r\nx-twice: second\r\n"
				  "no colon\r\nX-Colons:a:b: c\r\n folded: no\r\nLast: z")
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_STR(rows[i].want, fb_net_header(&reply, rows[i].name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send__each_method__sends_exactly_these_bytes),
		cmocka_unit_test(send__large_body__goes_out_whole),
		cmocka_unit_test(send__no_way_to_the_peer__is_unreachable_and_provably_not_sent),
		cmocka_unit_test(send__https_to_a_plain_port__is_unreachable_and_not_sent),
		cmocka_unit_test(send__proxy_in_the_environment__is_ignored),
		cmocka_unit_test(send__kept_connection_dies_under_it__is_sent_twice_only_if_repeatable),
		cmocka_unit_test(send__kept_connection_closed_while_idle__takes_a_fresh_one),
		cmocka_unit_test(send__many_at_once__each_gets_an_answer),
		cmocka_unit_test(close__with_requests_under_way__ends_each_with_draining),
		cmocka_unit_test(send__over_the_limit__is_busy_and_not_sent),
		cmocka_unit_test(net_header__table__finds_by_name),
	};
	return cmocka_run_group_tests_name("net", tests, NULL, NULL) + test_net_loop() + test_net_peer();
}
