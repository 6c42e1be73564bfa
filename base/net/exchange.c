/* One request and its answer: what curl is told, what it hands back, and what that means. */
#include "net_int.h"

#include <stdlib.h>
#include <string.h>

#define SET(x, option, value) FB_ASSERT(curl_easy_setopt((x)->easy, (option), (value)) == CURLE_OK)

/* Runs when a connection stands and the request is about to be written: without it no byte left.
 * curl writes again, on a fresh connection, when a kept one proves dead; that is a second sending. */
static int on_connected(void *arg, char *peer, char *own, int peer_port, int own_port)
{
	struct fb_exchange *x = arg;

	(void)peer, (void)own, (void)peer_port, (void)own_port;
	if (x->sent && !x->repeatable)
		return CURL_PREREQFUNC_ABORT;
	x->sent = true;
	return CURL_PREREQFUNC_OK;
}

static size_t on_body(char *at, size_t size, size_t count, void *arg)
{
	struct fb_exchange *x = arg;

	FB_ASSERT(size == 1);
	if (!fb_bytes_add(&x->body, at, count, x->answer_max)) {
		x->too_large = true;
		return 0;
	}
	return count;
}

/* Called line by line. Keeps the headers of the final answer: not its status line, nothing of interim
 * answers, and no trailers, which could pass for headers. */
static size_t on_header(char *at, size_t size, size_t count, void *arg)
{
	struct fb_exchange *x = arg;
	struct fb_str line = { at, count };

	FB_ASSERT(size == 1);
	x->header_bytes += count;
	if (x->header_bytes > FB_NET_HEADER_MAX) {
		x->too_large = true;
		return 0;
	}
	if (fb_str_starts(line, FB_STR("HTTP/"))) {
		fb_bytes_clear(&x->headers);
		x->headers_done = false;
	} else if (fb_str_eq(line, FB_STR("\r\n")) || fb_str_eq(line, FB_STR("\n"))) {
		x->headers_done = true;
	} else if (!x->headers_done) {
		FB_ASSERT(fb_bytes_add(&x->headers, at, count, FB_NET_HEADER_MAX));
	}
	return count;
}

/* What holds for every request. */
static void set_up(struct fb_exchange *x)
{
	SET(x, CURLOPT_PRIVATE, x);
	SET(x, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(x, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(x, CURLOPT_FOLLOWLOCATION, 0L);
	SET(x, CURLOPT_PROXY, ""); /* not even the environment's */
	SET(x, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(x, CURLOPT_NOSIGNAL, 1L);
	SET(x, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(x, CURLOPT_HTTP09_ALLOWED, 0L);
	SET(x, CURLOPT_PATH_AS_IS, 1L);
	SET(x, CURLOPT_ACCEPT_ENCODING, NULL); /* no answer that unpacks to more than it is */
	SET(x, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(x, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(x, CURLOPT_TCP_NODELAY, 1L);
	SET(x, CURLOPT_CONNECTTIMEOUT_MS, (long)FB_NET_CONNECT_MS);
	SET(x, CURLOPT_PREREQFUNCTION, on_connected);
	SET(x, CURLOPT_PREREQDATA, x);
	SET(x, CURLOPT_WRITEFUNCTION, on_body);
	SET(x, CURLOPT_WRITEDATA, x);
	SET(x, CURLOPT_HEADERFUNCTION, on_header);
	SET(x, CURLOPT_HEADERDATA, x);
}

struct fb_exchange *fb_exchange_open(void)
{
	struct fb_exchange *x = fb_must_alloc(1, sizeof(*x));

	x->easy = curl_easy_init();
	if (x->easy == NULL)
		fb_panic(__FILE__, __LINE__, __func__, "out of memory");
	set_up(x);
	return x;
}

void fb_exchange_close(struct fb_exchange *x)
{
	curl_easy_cleanup(x->easy);
	free(x->text.at);
	free(x->body.at);
	free(x->headers.at);
	free(x);
}

/* A terminated copy, in place until the exchange is used again. */
static char *copy(struct fb_exchange *x, struct fb_str text)
{
	char *at = x->text.at + x->text.len;

	FB_ASSERT(fb_bytes_add(&x->text, text.at, text.len, x->text.cap));
	FB_ASSERT(fb_bytes_add(&x->text, "", 1, x->text.cap));
	return at;
}

static void set_headers(struct fb_exchange *x, const struct fb_net_request *request)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
	bool has_type = false;
	size_t n = 0;

	x->lines[n++].data = no_expect; /* no waiting for a 100 before a body is sent */
	for (size_t i = 0; i < FB_NET_HEADERS_MAX && request->headers[i] != NULL; i++) {
		struct fb_str line = fb_str_of(request->headers[i]), name, rest;

		FB_ASSERT(memchr(line.at, '\r', line.len) == NULL && memchr(line.at, '\n', line.len) == NULL);
		FB_ASSERT(fb_str_split(&name, &rest, line, ':'));
		has_type = has_type || fb_str_eq_nocase(name, FB_STR("Content-Type"));
		x->lines[n++].data = copy(x, line);
	}
	if (!has_type)
		x->lines[n++].data = no_type; /* curl would call it a form */
	FB_ASSERT(n <= FB_COUNT(x->lines));
	for (size_t i = 0; i < n; i++)
		x->lines[i].next = i + 1 < n ? &x->lines[i + 1] : NULL;
	SET(x, CURLOPT_HTTPHEADER, x->lines);
}

static void set_method(struct fb_exchange *x, const struct fb_net_request *request)
{
	struct fb_str method = fb_str_of(request->method);
	bool head = fb_str_eq(method, FB_STR("HEAD")), post = fb_str_eq(method, FB_STR("POST"));

	FB_ASSERT(method.len > 0);
	if (head) {
		SET(x, CURLOPT_NOBODY, 1L);
	} else if (post || request->body.len > 0) {
		SET(x, CURLOPT_POST, 1L); /* this and HTTPGET end a HEAD before it */
		SET(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		SET(x, CURLOPT_POSTFIELDS, copy(x, request->body));
	} else {
		SET(x, CURLOPT_HTTPGET, 1L);
	}
	SET(x, CURLOPT_CUSTOMREQUEST, head || post ? NULL : request->method);
}

static size_t text_size(const struct fb_net_request *request)
{
	size_t size = request->body.len + 1;

	for (size_t i = 0; i < FB_NET_HEADERS_MAX && request->headers[i] != NULL; i++)
		size += strlen(request->headers[i]) + 1;
	return size;
}

void fb_exchange_prepare(struct fb_exchange *x, const struct fb_net_request *request)
{
	FB_ASSERT(request->timeout_ms > 0);
	fb_bytes_clear(&x->text);
	fb_bytes_clear(&x->body);
	fb_bytes_clear(&x->headers);
	fb_bytes_reserve(&x->text, text_size(request));
	x->answer_max = request->answer_max;
	x->header_bytes = 0;
	x->headers_done = x->sent = x->too_large = false;
	x->repeatable = request->repeatable;
	SET(x, CURLOPT_URL, request->url);
	SET(x, CURLOPT_TIMEOUT_MS, request->timeout_ms < INT32_MAX ? (long)request->timeout_ms : (long)INT32_MAX);
	set_headers(x, request);
	set_method(x, request);
}

/* Of what curl can say, what has a meaning of its own; the rest is "nobody answered". */
static const struct outcome {
	CURLcode code;
	enum fb_status status;
	const char *why;
} outcomes[] = {
	{ CURLE_OK, FB_OK, NULL },
	{ CURLE_COULDNT_RESOLVE_HOST, FB_UNREACHABLE, "name not resolved" },
	{ CURLE_COULDNT_CONNECT, FB_UNREACHABLE, "connection refused" },
	{ CURLE_OPERATION_TIMEDOUT, FB_TIMEOUT, "no answer in time" },
	{ CURLE_GOT_NOTHING, FB_UNREACHABLE, "closed without an answer" },
	{ CURLE_SEND_ERROR, FB_UNREACHABLE, "connection broke" },
	{ CURLE_RECV_ERROR, FB_UNREACHABLE, "connection broke" },
	{ CURLE_ABORTED_BY_CALLBACK, FB_UNREACHABLE, "kept connection was dead" },
	{ CURLE_SSL_CONNECT_ERROR, FB_UNREACHABLE, "TLS failed" },
	{ CURLE_PEER_FAILED_VERIFICATION, FB_UNREACHABLE, "certificate not trusted" },
	{ CURLE_URL_MALFORMAT, FB_UNREACHABLE, "not a URL" },
	{ CURLE_UNSUPPORTED_PROTOCOL, FB_UNREACHABLE, "neither http nor https" },
	{ CURLE_PARTIAL_FILE, FB_BAD_SYNTAX, "answer cut short" },
	{ CURLE_WEIRD_SERVER_REPLY, FB_BAD_SYNTAX, "not HTTP" },
	{ CURLE_OUT_OF_MEMORY, FB_TOO_LARGE, "header line too long" }, /* curl's word for it */
};

static struct outcome outcome_of(const struct fb_exchange *x, CURLcode result)
{
	if (x->too_large)
		return (struct outcome){ result, FB_TOO_LARGE, "answer too large" };
	if (x->sent && result == CURLE_UNSUPPORTED_PROTOCOL) /* an HTTP/0.9 answer: bytes without a head */
		return (struct outcome){ result, FB_BAD_SYNTAX, "not HTTP" };
	for (size_t i = 0; i < FB_COUNT(outcomes); i++)
		if (outcomes[i].code == result)
			return outcomes[i];
	return (struct outcome){ result, FB_UNREACHABLE, curl_easy_strerror(result) };
}

void fb_exchange_finish(struct fb_exchange *x, CURLcode result)
{
	struct outcome outcome = outcome_of(x, result);
	struct fb_net_reply reply = { .sent = x->sent, .elapsed_ns = uv_hrtime() - x->began_ns };
	long code = 0;

	FB_ASSERT(curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK);
	if (outcome.status == FB_OK && !x->headers_done) /* curl takes the end of the connection for theirs */
		outcome = (struct outcome){ result, FB_BAD_SYNTAX, "answer cut short" };
	if (outcome.status == FB_OK && (code < 100 || code > 999))
		outcome = (struct outcome){ result, FB_BAD_SYNTAX, "not HTTP" };
	reply.status = outcome.status;
	reply.why = outcome.why;
	if (reply.status == FB_OK) {
		reply.code = (uint16_t)code;
		reply.body = (struct fb_str){ x->body.at == NULL ? "" : x->body.at, x->body.len };
		reply.headers = (struct fb_str){ x->headers.at == NULL ? "" : x->headers.at, x->headers.len };
	}
	x->done(x->arg, &reply);
}

void fb_exchange_refuse(struct fb_exchange *x, enum fb_status status, const char *why)
{
	struct fb_net_reply reply = { .status = status, .sent = x->sent, .why = why,
				      .elapsed_ns = uv_hrtime() - x->began_ns };

	FB_ASSERT(status != FB_OK);
	reply.body = reply.headers = FB_STR("");
	x->done(x->arg, &reply);
}
