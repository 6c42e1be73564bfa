/* Goal: whatever the other side does, a request ends once, in time, with the right status.
 * Method: a row for each misbehaviour: the bytes that the peer sends, and what must come of them. */
#include "farebox/net.h"
#include "fb_peer.h"
#include "fb_test.h"
#include "test_net.h"

enum manner { THEN_CLOSE, THEN_WAIT, DRIP, FLOOD_BODY, FLOOD_HEADERS, LONG_HEADER, FLOOD_INTERIM, FLOOD_TRAILERS };

struct row {
	const char *what, *bytes;
	enum manner manner;
	enum fb_status want;
	uint16_t code;
	const char *body, *headers;
};

static const struct row rows[] = {
	/* legal answers */
	{ "plain", "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello", THEN_WAIT, FB_OK, 200, "hello",
	  "A: b\r\nContent-Length: 5\r\n" },
	{ "HTML", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", THEN_WAIT, FB_OK, 200, "<html>", NULL },
	{ "too many requests", "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", THEN_WAIT, FB_OK, 429,
	  "", NULL },
	{ "server error", "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno", THEN_WAIT, FB_OK, 500, "no", NULL },
	{ "no content", "HTTP/1.1 204 None\r\n\r\n", THEN_WAIT, FB_OK, 204, "", "" },
	{ "redirect is not followed", "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
	  THEN_WAIT, FB_OK, 302, "", NULL },
	{ "until close", "HTTP/1.1 200 OK\r\n\r\nall", THEN_CLOSE, FB_OK, 200, "all", NULL },
	{ "old HTTP", "HTTP/1.0 200 OK\r\n\r\nall", THEN_CLOSE, FB_OK, 200, "all", NULL },
	{ "chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", THEN_WAIT,
	  FB_OK, 200, "abcde", NULL },
	{ "trailers are no headers",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n1\r\na\r\n0\r\nA: evil\r\n\r\n", THEN_WAIT,
	  FB_OK, 200, "a", "Transfer-Encoding: chunked\r\nTrailer: A\r\n" },
	{ "interim answers",
	  "HTTP/1.1 100 Go\r\nA: 1\r\n\r\nHTTP/1.1 103 Hint\r\nB: 2\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nC: 3\r\nContent-Length: 1\r\n\r\nx",
	  THEN_WAIT, FB_OK, 200, "x", "C: 3\r\nContent-Length: 1\r\n" },
	{ "packed stays packed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01",
	  THEN_WAIT, FB_OK, 200, "\x1f\x8b\x08\x01", NULL },
	{ "as long as allowed", "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n01234567890123456789012345678901", THEN_WAIT,
	  FB_OK, 200, "01234567890123456789012345678901", NULL },
	/* nothing, or not HTTP */
	{ "closes at once", "", THEN_CLOSE, FB_UNREACHABLE, 0, NULL, NULL },
	{ "hangs", "", THEN_WAIT, FB_TIMEOUT, 0, NULL, NULL },
	{ "garbage", "this is not the protocol you look for\r\n\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "garbage and open", "SSH-2.0-OpenSSH_9.2\r\n", THEN_WAIT, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "JSON without a head", "{\"jsonrpc\":\"2.0\"}", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "bad version", "HTTP/9.9 200 OK\r\n\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "code zero", "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "code of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL,
	  NULL },
	/* cut short */
	{ "cut in the status line", "HTTP/1.1 20", THEN_CLOSE, FB_UNREACHABLE, 0, NULL, NULL },
	{ "cut in the headers", "HTTP/1.1 200 OK\r\nContent-Le", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "cut behind a header", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", THEN_CLOSE, FB_BAD_SYNTAX, 0, NULL, NULL },
	{ "cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", THEN_CLOSE, FB_BAD_SYNTAX, 0,
	  NULL, NULL },
	{ "no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", THEN_CLOSE, FB_BAD_SYNTAX, 0,
	  NULL, NULL },
	{ "chunk size of letters", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
	  THEN_CLOSE, FB_UNREACHABLE, 0, NULL, NULL }, /* curl does not tell it from a broken connection */
	{ "stops in the headers", "HTTP/1.1 200 OK\r\nContent-Le", THEN_WAIT, FB_TIMEOUT, 0, NULL, NULL },
	{ "stops in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", THEN_WAIT, FB_TIMEOUT, 0, NULL, NULL },
	{ "drips", "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n0123456789012345678901234567890", DRIP, FB_TIMEOUT, 0,
	  NULL, NULL },
	/* too much */
	{ "one byte too long", "HTTP/1.1 200 OK\r\nContent-Length: 33\r\n\r\n012345678901234567890123456789012", THEN_WAIT,
	  FB_TOO_LARGE, 0, NULL, NULL },
	{ "chunks too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FLOOD_BODY, FB_TOO_LARGE, 0, NULL,
	  NULL },
	{ "endless body", "HTTP/1.1 200 OK\r\n\r\n", FLOOD_BODY, FB_TOO_LARGE, 0, NULL, NULL },
	{ "endless headers", "HTTP/1.1 200 OK\r\n", FLOOD_HEADERS, FB_TOO_LARGE, 0, NULL, NULL },
	{ "endless header line", "HTTP/1.1 200 OK\r\nA: ", LONG_HEADER, FB_TOO_LARGE, 0, NULL, NULL },
	{ "endless interim answers", "", FLOOD_INTERIM, FB_TOO_LARGE, 0, NULL, NULL },
	{ "endless trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", FLOOD_TRAILERS, FB_TOO_LARGE, 0,
	  NULL, NULL },
};

static void flood(struct peer_call *call, const char *text)
{
	for (int i = 0; i < 100000 && !call->close; i++)
		peer_text(call, text);
}

static void misbehave(void *arg, struct peer_call *call)
{
	const struct row *row = arg;

	call->close = row->manner == THEN_CLOSE;
	if (row->manner == DRIP) {
		for (const char *at = row->bytes; *at != '\0' && !call->close && !peer_is_stopping(call->peer); at++) {
			peer_put(call, at, 1);
			peer_sleep_ms(10);
		}
		return;
	}
	peer_text(call, row->bytes);
	if (row->manner == THEN_WAIT)
		peer_hang(call);
	else if (row->manner == FLOOD_BODY)
		flood(call, "7\r\nabcdefg\r\n");
	else if (row->manner == FLOOD_HEADERS || row->manner == FLOOD_TRAILERS)
		flood(call, "Name: value\r\n");
	else if (row->manner == LONG_HEADER)
		flood(call, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	else if (row->manner == FLOOD_INTERIM)
		flood(call, "HTTP/1.1 103 Hint\r\nA: b\r\n\r\n");
}

struct outcome {
	struct fb_loop *loop;
	const struct row *row;
	int calls;
};

static void judge(void *arg, const struct fb_net_reply *r)
{
	struct outcome *o = arg;
	const struct row *row = o->row;

	o->calls++;
	fb_loop_stop(o->loop);
	if (r->status != row->want)
		fail_msg("%s: %s (%s), want %s", row->what, fb_status_info(r->status)->name, r->why == NULL ? "" : r->why,
			 fb_status_info(row->want)->name);
	if (r->code != row->code || !r->sent || r->elapsed_ns == 0)
		fail_msg("%s: code %u sent %d elapsed %llu", row->what, r->code, r->sent, (unsigned long long)r->elapsed_ns);
	CHECK((r->why == NULL) == (r->status == FB_OK));
	CHECK_STR(row->body == NULL ? "" : row->body, r->body);
	if (row->headers != NULL || row->want != FB_OK)
		CHECK_STR(row->headers == NULL ? "" : row->headers, r->headers);
}

static void send__misbehaving_peer__ends_once_with_the_right_status(void **state)
{
	struct fb_loop *loop;
	struct fb_net *net;

	(void)state;
	CHECK_STATUS(FB_OK, fb_loop_open(&loop));
	CHECK_STATUS(FB_OK, fb_net_open(&net, loop));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct row row = rows[i];
		struct peer *peer = peer_open(misbehave, &row);
		struct outcome o = { loop, &row, 0 };
		struct fb_net_request request = { .method = "GET", .url = peer->url, .answer_max = 32,
						  .timeout_ms = row.want == FB_TIMEOUT ? 100 : 10000 };

		fb_net_send(net, &request, judge, &o);
		fb_loop_run(loop);
		CHECK(o.calls == 1);
		peer_close(peer);
	}
	fb_net_close(net);
	fb_loop_close(loop);
}

int test_net_peer(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send__misbehaving_peer__ends_once_with_the_right_status),
	};
	return cmocka_run_group_tests_name("net.peer", tests, NULL, NULL);
}
