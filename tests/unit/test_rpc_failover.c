/* Goal: a batch is answered as long as any endpoint is sane and time is left, what must be sent once is
 * sent once, and secrets in URLs stay there. Method: real HTTP peers, each with a manner of its own. */
#include "farebox/os.h"
#include "farebox/rpc.h"
#include "fb_peer.h"
#include "fb_test.h"
#include "test_rpc.h"

#include <stdio.h>
#include <unistd.h>

enum manner { GOOD, REFUSE, CLOSE, HANG, HTTP_429, HTTP_500, HTML, LONE_ERROR, WRONG_ID, CUT, EMPTY, HUGE_BODY,
	MANY_VALUES, GARBAGE };

/* Answers each call with its id times ten. */
static void answer_well(struct peer_call *call)
{
	char body[65536];
	struct fb_buf b;
	size_t id = 0;
	bool array = call->body.at[0] == '[';

	fb_buf_init(&b, body, sizeof(body));
	if (array)
		fb_buf_char(&b, '[');
	for (const char *at = call->body.at; (at = strstr(at, "\"method\"")) != NULL; at++) {
		id++;
		fb_buf_printf(&b, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":%zu}", id > 1 ? "," : "", id, id * 10);
	}
	if (array)
		fb_buf_char(&b, ']');
	peer_reply(call, 200, "application/json", fb_buf_view(&b));
}

static void answer_hugely(struct peer_call *call, const char *bit)
{
	size_t len = strlen(bit), total = (size_t)(FB_RPC_ANSWER_MAX - 64) / len * len;
	char head[256];
	char *block = malloc(total + 65);
	struct fb_buf b;

	if (bit[0] == ' ')
		total += 65; /* one over the limit */
	fb_buf_init(&b, block, total);
	fb_buf_text(&b, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[0");
	while (b.len + len + 2 <= total)
		fb_buf_text(&b, bit);
	fb_buf_text(&b, "]}");
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", b.len);
	peer_text(call, head);
	peer_put(call, b.at, b.len);
	free(block);
}

static void act(void *arg, struct peer_call *call)
{
	enum manner manner;

	pthread_mutex_lock(&call->peer->lock);
	manner = *(enum manner *)arg;
	pthread_mutex_unlock(&call->peer->lock);
	switch (manner) {
	case GOOD: answer_well(call); break;
	case CLOSE: call->close = true; break;
	case HANG: peer_hang(call); break;
	case HTTP_429: peer_reply(call, 429, "application/json",
		FB_STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}")); break;
	case HTTP_500: peer_reply(call, 500, "text/plain", FB_STR("oh")); break;
	case HTML: peer_reply(call, 200, "text/html", FB_STR("<!DOCTYPE html><html></html>")); break;
	case LONE_ERROR:
		peer_reply(call, 200, "application/json",
			FB_STR("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"limit\"}}"));
		break;
	case WRONG_ID: peer_reply(call, 200, "application/json",
		FB_STR("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}")); break;
	case CUT: peer_text(call, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{\"json"); call->close = true; break;
	case EMPTY: peer_reply(call, 200, "application/json", FB_STR("")); break;
	case HUGE_BODY: answer_hugely(call, " "); break;
	case MANY_VALUES: answer_hugely(call, ",0"); break;
	case GARBAGE: peer_text(call, "220 smtp ready\r\n"); call->close = true; break;
	case REFUSE: fail_msg("a port without a listener was reached");
	}
}

enum { PEERS_MAX = 3 };
struct world {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_log *log;
	struct fb_metrics *metrics;
	FILE *log_file;
	struct peer *peers[PEERS_MAX];
	enum manner manners[PEERS_MAX];
	char urls[PEERS_MAX][128];
	size_t outstanding, answers, draining, busy;
	enum fb_status status;
	bool sent;
	char endpoint[128], why[128];
	uint64_t first;
};

static void on_done(void *arg, const struct fb_rpc_reply *r)
{
	struct world *w = arg;

	CHECK(w->outstanding > 0);
	w->outstanding--;
	w->answers++;
	w->status = r->status;
	w->sent = r->sent;
	w->draining += r->status == FB_DRAINING;
	w->busy += r->status == FB_BUSY;
	snprintf(w->endpoint, sizeof(w->endpoint), "%s", r->endpoint);
	snprintf(w->why, sizeof(w->why), "%s", r->why == NULL ? "" : r->why);
	CHECK((r->status == FB_OK) == (r->why == NULL) && (r->status == FB_OK) == (r->results != NULL));
	for (size_t i = 0; i < r->count; i++) {
		uint64_t n = 0;

		CHECK_STATUS(FB_OK, r->results[i].status);
		CHECK_STATUS(FB_OK, fb_json_u64(&n, r->results[i].result));
		CHECK(n == (i + 1) * 10);
	}
	if (w->outstanding == 0)
		fb_loop_stop(w->loop);
}

/* Peers of these manners; their URLs hold a user, a password and a key, which no log may show. */
static void world_open(struct world *w, size_t count, const enum manner *manners, uint64_t timeout_ms)
{
	struct fb_rpc_settings settings = { .url_count = count, .timeout_ms = timeout_ms };

	*w = (struct world){ .log_file = tmpfile() };
	CHECK(w->log_file != NULL);
	fb_log_open(&w->log, fileno(w->log_file), FB_DEBUG, fb_os_clock());
	fb_metrics_open(&w->metrics);
	for (size_t i = 0; i < count; i++) {
		char dead[64];

		w->manners[i] = manners[i];
		w->peers[i] = peer_open(act, &w->manners[i]);
		peer_dead_url(dead, sizeof(dead));
		snprintf(w->urls[i], sizeof(w->urls[i]), "http://user:hunter2@%sv3/key-of-mine?token=key-of-mine",
			 (manners[i] == REFUSE ? dead : w->peers[i]->url) + 7);
		settings.urls[i] = w->urls[i];
	}
	CHECK_STATUS(FB_OK, fb_loop_open(&w->loop));
	CHECK_STATUS(FB_OK, fb_rpc_open(&w->rpc, w->loop, &settings, w->log, w->metrics));
}

static void set_manner(struct world *w, size_t i, enum manner manner)
{
	pthread_mutex_lock(&w->peers[i]->lock);
	w->manners[i] = manner;
	pthread_mutex_unlock(&w->peers[i]->lock);
}

static void world_close(struct world *w, size_t lines_want)
{
	char text[8192];
	size_t len, lines = 0;

	fb_rpc_close(w->rpc);
	fb_loop_close(w->loop);
	for (size_t i = 0; i < PEERS_MAX && w->peers[i] != NULL; i++)
		peer_close(w->peers[i]);
	rewind(w->log_file);
	len = fread(text, 1, sizeof(text) - 1, w->log_file);
	text[len] = '\0';
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	if (lines != lines_want)
		fail_msg("%zu log lines, want %zu:\n%s", lines, lines_want, text);
	CHECK(strstr(text, "hunter2") == NULL && strstr(text, "key-of-mine") == NULL && strstr(text, "user") == NULL);
	fb_log_close(w->log);
	fb_metrics_close(w->metrics);
	fclose(w->log_file);
}

static void send_calls(struct world *w, size_t count, uint64_t timeout_ms, bool once)
{
	struct fb_rpc_call calls[FB_RPC_CALLS_MAX];

	for (size_t i = 0; i < count; i++)
		calls[i] = (struct fb_rpc_call){ "eth_call", FB_STR("[{\"to\":\"0x00\"},\"latest\"]") };
	w->outstanding++;
	fb_rpc_send(w->rpc,
		&(struct fb_rpc_batch){ .calls = calls, .count = count, .timeout_ms = timeout_ms, .once = once }, on_done, w);
	CHECK(w->outstanding > 0); /* never inside the call */
}

static void ask(struct world *w, size_t count, uint64_t timeout_ms, bool once)
{
	send_calls(w, count, timeout_ms, once);
	fb_loop_run(w->loop);
}

static void send__sane_endpoint__answers_batches_of_any_size(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 1, (enum manner[]){ GOOD }, 5000);
	for (size_t count = 1; count <= FB_RPC_CALLS_MAX; count = count < 4 ? count + 1 : count * 2) {
		ask(&w, count, 0, false);
		CHECK_STATUS(FB_OK, w.status);
		CHECK(!w.sent);
	}
	CHECK(peer_connections(w.peers[0]) == 1);
	CHECK(fb_metric_get(w.metrics, FB_M_RPC_OK) == w.answers && fb_metric_get(w.metrics, FB_M_RPC_FAILED) == 0);
	world_close(&w, 0);
}

/* One attempt's deadline: short only where it is meant to pass. */
static uint64_t patience(enum manner manner)
{
	return manner == HANG ? 200 : 10000;
}

/* The last two columns: what becomes of a batch when the endpoint in that manner is the only one. */
static const struct { enum manner manner; const char *what; enum fb_status alone; bool sent; } failures[] = {
	{ REFUSE, "refuse", FB_UNREACHABLE, false },
	{ CLOSE, "close", FB_UNREACHABLE, true },
	{ HANG, "hang", FB_TIMEOUT, true },
	{ HTTP_429, "429", FB_RPC_ERROR, true },
	{ HTTP_500, "500", FB_RPC_ERROR, true },
	{ HTML, "HTML", FB_RPC_ERROR, true },
	{ LONE_ERROR, "lone error", FB_RPC_ERROR, true },
	{ WRONG_ID, "wrong id", FB_RPC_ERROR, true },
	{ CUT, "cut", FB_RPC_ERROR, true },
	{ EMPTY, "empty", FB_RPC_ERROR, true },
	{ HUGE_BODY, "huge body", FB_RPC_ERROR, true },
	{ MANY_VALUES, "many values", FB_RPC_ERROR, true },
	{ GARBAGE, "garbage", FB_RPC_ERROR, true },
};

static void send__first_endpoint_fails__the_second_answers_and_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(failures); i++) {
		struct world w;
		char second[128];

		world_open(&w, 2, (enum manner[]){ failures[i].manner, GOOD }, patience(failures[i].manner));
		snprintf(second, sizeof(second), "%.*s", (int)strlen(w.peers[1]->url) - 1, w.peers[1]->url);
		for (int round = 0; round < 2; round++) {
			ask(&w, 2, 20000, false);
			if (w.status != FB_OK)
				fail_msg("%s: %s: %s", failures[i].what, fb_status_info(w.status)->name, w.why);
			CHECK_STR(second, fb_str_of(w.endpoint));
		}
		CHECK(peer_requests(w.peers[0]) == (failures[i].manner == REFUSE ? 0 : 1)); /* it rests */
		CHECK(peer_requests(w.peers[1]) == 2);
		CHECK(fb_metric_get(w.metrics, FB_M_RPC_OK) == 2 && fb_metric_get(w.metrics, FB_M_RPC_FAILED) == 1);
		CHECK(fb_metric_get(w.metrics, FB_M_RPC_SECONDS) == 3);
		world_close(&w, 1);
	}
}

static void send__only_endpoint_fails__says_how_and_is_asked_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(failures); i++) {
		struct world w;

		world_open(&w, 1, &failures[i].manner, patience(failures[i].manner));
		for (int round = 0; round < 2; round++) {
			ask(&w, 1, 20000, false);
			if (w.status != failures[i].alone || w.sent != failures[i].sent)
				fail_msg("%s: %s (%s) sent %d", failures[i].what, fb_status_info(w.status)->name, w.why, w.sent);
			CHECK(w.why[0] != '\0' && strstr(w.endpoint, "hunter2") == NULL && strstr(w.endpoint, "key") == NULL);
		}
		CHECK(peer_requests(w.peers[0]) == (failures[i].manner == REFUSE ? 0 : 2)); /* resting, but there is no other */
		world_close(&w, 2); /* FAILOVER and DOWN, once each */
	}
}

static void send__once__never_goes_to_a_second_endpoint_after_it_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(failures); i++) {
		struct world w;

		world_open(&w, 2, (enum manner[]){ failures[i].manner, GOOD }, patience(failures[i].manner));
		ask(&w, 1, 20000, true);
		CHECK_STATUS(failures[i].sent ? failures[i].alone : FB_OK, w.status);
		CHECK(w.sent == failures[i].sent);
		CHECK(peer_requests(w.peers[0]) + peer_requests(w.peers[1]) == 1);
		ask(&w, 1, 20000, true); /* a new batch goes to the other at once */
		CHECK_STATUS(FB_OK, w.status);
		world_close(&w, 1);
	}
}

/* Answers the first request of a connection, breaks the connection at the second. */
static void break_second(void *arg, struct peer_call *call)
{
	(void)arg;
	if (call->of_connection == 0)
		answer_well(call);
	else
		call->close = true;
}

static void send__kept_connection_dies__a_once_batch_is_not_repeated(void **state)
{
	(void)state;
	for (int once = 0; once <= 1; once++) {
		struct world w;

		world_open(&w, 1, (enum manner[]){ GOOD }, 1000);
		w.peers[0]->answer = break_second;
		ask(&w, 1, 0, once);
		CHECK_STATUS(FB_OK, w.status);
		ask(&w, 1, 0, once);
		CHECK_STATUS(once ? FB_UNREACHABLE : FB_OK, w.status);
		CHECK(w.sent == (once == 1));
		CHECK(peer_requests(w.peers[0]) == (once ? 2 : 3));
		world_close(&w, once ? 2 : 0);
	}
}

static void send__all_fail__reports_the_gravest(void **state)
{
	static const struct { enum manner manners[3]; enum fb_status want; } rows[] = {
		{ { REFUSE, REFUSE, REFUSE }, FB_UNREACHABLE }, { { REFUSE, HANG, REFUSE }, FB_TIMEOUT },
		{ { HTML, HANG, REFUSE }, FB_RPC_ERROR },       { { CLOSE, HTTP_429, HANG }, FB_RPC_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct world w;

		world_open(&w, 3, rows[i].manners, 100);
		ask(&w, 2, 20000, false);
		CHECK_STATUS(rows[i].want, w.status);
		world_close(&w, 4); /* three FAILOVERs, one DOWN */
	}
}

static void send__deadline__spans_all_endpoints(void **state)
{
	struct fb_clock clock = fb_os_clock();
	uint64_t began = fb_clock_mono_ms(&clock), took;
	struct world w;

	(void)state;
	world_open(&w, 3, (enum manner[]){ HANG, HANG, GOOD }, 200);
	ask(&w, 1, 300, false); /* 200 for the first, what is left for the second */
	took = fb_clock_mono_ms(&clock) - began;
	CHECK_STATUS(FB_TIMEOUT, w.status);
	CHECK(took >= 295 && took < 2000);
	CHECK(peer_requests(w.peers[0]) == 1 && peer_requests(w.peers[1]) == 1 && peer_requests(w.peers[2]) == 0);
	ask(&w, 1, 0, false); /* both rest now */
	CHECK_STATUS(FB_OK, w.status);
	world_close(&w, 2);
}

static void stop_loop(void *arg)
{
	fb_loop_stop(arg);
}

static void wait_out_rests(struct world *w)
{
	struct fb_timer *timer = fb_timer_start(w->loop, FB_RPC_REST_MS + 20, 0, stop_loop, w->loop);

	fb_loop_run(w->loop);
	fb_timer_stop(timer);
}

static void send__resting_endpoint__is_asked_last_and_rests_no_longer_than_said(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 2, (enum manner[]){ HTTP_429, GOOD }, 1000);
	ask(&w, 1, 0, false); /* FAILOVER */
	CHECK_STATUS(FB_OK, w.status);
	set_manner(&w, 0, GOOD);
	set_manner(&w, 1, HTTP_500);
	ask(&w, 1, 0, false); /* FAILOVER; the first rests still, but nobody else is left */
	CHECK_STATUS(FB_OK, w.status);
	CHECK(peer_requests(w.peers[0]) == 2 && peer_requests(w.peers[1]) == 2);
	ask(&w, 1, 0, false); /* it answered, so it is the one in use */
	CHECK_STATUS(FB_OK, w.status);
	CHECK(peer_requests(w.peers[0]) == 3 && peer_requests(w.peers[1]) == 2);
	set_manner(&w, 0, HTTP_500);
	set_manner(&w, 1, GOOD);
	ask(&w, 1, 0, false); /* FAILOVER: its rest ended when it answered */
	CHECK_STATUS(FB_OK, w.status);
	wait_out_rests(&w);
	set_manner(&w, 1, HTTP_500);
	ask(&w, 1, 0, false); /* two FAILOVERs, as neither was resting, and DOWN */
	CHECK_STATUS(FB_RPC_ERROR, w.status);
	world_close(&w, 6);
}

/* First it took over from a failed one; then both failed, and it answered first. */
static void send__endpoint_in_use__stays_when_the_others_have_rested(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 2, (enum manner[]){ HTTP_500, GOOD }, 1000);
	ask(&w, 1, 0, false);
	set_manner(&w, 0, GOOD);
	wait_out_rests(&w);
	ask(&w, 1, 0, false);
	CHECK(peer_requests(w.peers[0]) == 1 && peer_requests(w.peers[1]) == 2);
	set_manner(&w, 0, HTTP_500);
	set_manner(&w, 1, HTTP_500);
	ask(&w, 1, 0, false); /* the second, then the first */
	CHECK_STATUS(FB_RPC_ERROR, w.status);
	set_manner(&w, 1, GOOD);
	ask(&w, 1, 0, false); /* the first, then the second */
	CHECK(peer_requests(w.peers[0]) == 3 && peer_requests(w.peers[1]) == 4);
	set_manner(&w, 0, GOOD);
	wait_out_rests(&w);
	ask(&w, 1, 0, false);
	CHECK(peer_requests(w.peers[0]) == 3 && peer_requests(w.peers[1]) == 5);
	world_close(&w, 4);
}

static void send__endpoint_comes_back__its_next_failure_is_news(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 1, (enum manner[]){ HTTP_500 }, 1000);
	for (int round = 0; round < 2; round++) {
		set_manner(&w, 0, HTTP_500);
		ask(&w, 1, 0, false); /* FAILOVER, DOWN */
		ask(&w, 1, 0, false);
		CHECK_STATUS(FB_RPC_ERROR, w.status);
		set_manner(&w, 0, GOOD);
		ask(&w, 1, 0, false);
		CHECK_STATUS(FB_OK, w.status);
	}
	world_close(&w, 4);
}

static void send_again(void *arg, const struct fb_rpc_reply *r)
{
	struct world *w = arg;

	on_done(arg, r);
	if (w->draining < 3)
		send_calls(w, 1, 0, false);
}

static void close__with_batches_under_way__ends_each_with_draining(void **state)
{
	struct fb_rpc_call call = { "eth_chainId", FB_STR("[]") };
	struct world w;

	(void)state;
	world_open(&w, 2, (enum manner[]){ HANG, GOOD }, 5000);
	for (int i = 0; i < 2; i++) {
		w.outstanding++;
		fb_rpc_send(w.rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1 }, send_again, &w);
	}
	fb_loop_stop(w.loop);
	fb_loop_run(w.loop);
	world_close(&w, 0);
	CHECK(w.outstanding == 0 && w.draining == 4);
}

static void send__too_many_at_once__is_busy_and_blames_no_endpoint(void **state)
{
	char url[64];
	int listener = peer_listen(url, sizeof(url)); /* accepts nobody */
	struct fb_rpc_settings settings = { .urls = { url }, .url_count = 1, .timeout_ms = 60000 };
	struct world w = { 0 };

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&w.loop));
	fb_metrics_open(&w.metrics);
	CHECK_STATUS(FB_OK, fb_rpc_open(&w.rpc, w.loop, &settings, NULL, w.metrics));
	for (size_t i = 0; i <= FB_NET_PENDING_MAX; i++)
		send_calls(&w, 1, 0, false);
	w.outstanding = 1; /* the one too many, which stops the loop */
	fb_loop_run(w.loop);
	CHECK(w.busy == 1 && w.answers == 1 && !w.sent);
	w.outstanding = FB_NET_PENDING_MAX;
	fb_rpc_close(w.rpc);
	CHECK(w.draining == FB_NET_PENDING_MAX);
	CHECK(fb_metric_get(w.metrics, FB_M_RPC_FAILED) == 0);
	fb_metrics_close(w.metrics);
	fb_loop_close(w.loop);
	close(listener);
}

static void open__table__refuses_what_is_no_url(void **state)
{
	static const struct { const char *url; enum fb_status want; const char *label; } rows[] = {
		{ "http://127.0.0.1:1", FB_OK, "http://127.0.0.1:1" },
		{ "HTTP://u:p@127.0.0.1:1/a@b?c#d", FB_OK, "HTTP://127.0.0.1:1" },
		{ "http://u:p@w@127.0.0.1:1?key=@x", FB_OK, "http://127.0.0.1:1" },
		{ "http://127.0.0.1:1#k", FB_OK, "http://127.0.0.1:1" },
		{ "http://127.0.0.1:1\\k@x", FB_OK, "http://127.0.0.1:1" },
		{ "", FB_BAD_VALUE, NULL },
		{ "127.0.0.1:8545", FB_BAD_VALUE, NULL },
		{ "http:/127.0.0.1", FB_BAD_VALUE, NULL },
		{ "http://", FB_BAD_VALUE, NULL },
		{ "http://user@/x", FB_BAD_VALUE, NULL },
		{ "ws://127.0.0.1:8546", FB_BAD_VALUE, NULL },
		{ "file:///etc/passwd", FB_BAD_VALUE, NULL },
		{ "http://a b", FB_BAD_VALUE, NULL },
		{ "http://a\n", FB_BAD_VALUE, NULL },
		{ "http://\xc3\xa9", FB_BAD_VALUE, NULL },
	};
	static char long_url[400] = "http://";
	struct fb_rpc_settings none = { .timeout_ms = 1 };
	struct fb_loop *loop;
	struct fb_rpc *rpc;

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&loop));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_rpc_settings settings = { .urls = { "http://127.0.0.1:1", rows[i].url }, .url_count = 2,
			.timeout_ms = 500 };

		CHECK_STATUS(rows[i].want, fb_rpc_open(&rpc, loop, &settings, NULL, NULL));
		if (rows[i].want != FB_OK)
			continue;
		fb_rpc_close(rpc);
		settings.urls[0] = rows[i].url;
		CHECK_STATUS(FB_OK, fb_rpc_open(&rpc, loop, &settings, NULL, NULL));
		struct world w = { .loop = loop, .rpc = rpc };

		settings.url_count = 1;
		ask(&w, 1, 0, false);
		CHECK_STR(rows[i].label, fb_str_of(w.endpoint));
		fb_rpc_close(rpc);
	}
	memset(long_url + 7, 'a', sizeof(long_url) - 8);
	CHECK_STATUS(FB_BAD_VALUE, fb_rpc_open(&rpc, loop,
		&(struct fb_rpc_settings){ .urls = { long_url }, .url_count = 1, .timeout_ms = 1 }, NULL, NULL));
	CHECK_STATUS(FB_BAD_VALUE, fb_rpc_open(&rpc, loop, &none, NULL, NULL));
	none.url_count = FB_RPC_ENDPOINTS_MAX + 1;
	CHECK_STATUS(FB_BAD_VALUE, fb_rpc_open(&rpc, loop, &none, NULL, NULL));
	fb_rpc_close(NULL);
	fb_loop_close(loop);
}

int test_rpc_failover(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send__sane_endpoint__answers_batches_of_any_size),
		cmocka_unit_test(send__first_endpoint_fails__the_second_answers_and_stays),
		cmocka_unit_test(send__only_endpoint_fails__says_how_and_is_asked_again),
		cmocka_unit_test(send__once__never_goes_to_a_second_endpoint_after_it_left),
		cmocka_unit_test(send__kept_connection_dies__a_once_batch_is_not_repeated),
		cmocka_unit_test(send__all_fail__reports_the_gravest),
		cmocka_unit_test(send__deadline__spans_all_endpoints),
		cmocka_unit_test(send__resting_endpoint__is_asked_last_and_rests_no_longer_than_said),
		cmocka_unit_test(send__endpoint_in_use__stays_when_the_others_have_rested),
		cmocka_unit_test(send__endpoint_comes_back__its_next_failure_is_news),
		cmocka_unit_test(close__with_batches_under_way__ends_each_with_draining),
		cmocka_unit_test(send__too_many_at_once__is_busy_and_blames_no_endpoint),
		cmocka_unit_test(open__table__refuses_what_is_no_url),
	};
	return cmocka_run_group_tests_name("rpc.failover", tests, NULL, NULL);
}
