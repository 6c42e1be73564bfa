/* farebox/http.h - the HTTP server: routes as rows, bounded requests, answers now or later.
 *
 * What it is  libmicrohttpd (a daemon with epoll on each of at least two threads, suspend and resume) behind one
 *             narrow door, with the framing checks it lacks. Handlers map a request value to a reply
 *             and never see a socket; no route exists outside the rows that are mounted.
 * Layer       4. libmicrohttpd is linked by this library alone.
 * Refused     with 400 and a closed connection, before any handler: anything but plain lines ending in CRLF (folded
 *             lines, bare LF, NUL, empty names), header names that are no token, control bytes in values,
 *             not exactly one Host, more than one Content-Length or Transfer-Encoding or both, a
 *             transfer coding other than "chunked", repeated single-valued headers (Authorization, PAYMENT-SIGNATURE,
 *             X-PAYMENT, Idempotency-Key, Origin, Content-Type), names with "_" that shadow
 *             those, absolute-form targets of another host, NUL, control bytes or bad escapes in the
 *             target, %2F %5C %00, empty or dot segments in the path, a path that is not UTF-8.
 *             A few faults are answered by libmicrohttpd itself, with a page of its own (api/http/head.c lists them).
 * Limits      headers FB_HTTP_HEADERS_MAX bytes (431); body: the route's body_max (413, at once when
 *             Content-Length says so); connections and connections per address as set (closed at once);
 *             a connection's first line must come within read_ms, each next one within idle_ms (closed);
 *             a request must have arrived whole within read_ms of its first line (reaped), be answered within
 *             the deadline given to fb_http_wait, and its answer be taken within idle_ms.
 * Errors      each function's are with it.
 * Memory      48 KiB per connection, plus one exchange (what is touched of 350 KiB) per request under way.
 * Answers     every answer has X-Request-Id, Content-Length, Cache-Control (no-store unless the handler sets one) and
 *             X-Content-Type-Options; errors are {"error":{"code","message","request_id"}}, unless the setting
 *             error_body says otherwise.
 *             HEAD is answered as GET without its body; 405 carries Allow, and OPTIONS too unless a row answers it; one
 *             access log line each.
 *             The heads of request and answer together must fit 48 KiB, else the connection is closed unanswered.
 * Stop        fb_http_stop: no new connections, requests under way are answered, waiting ones are resumed as
 *             expired after grace_ms, then the daemon ends.
 * Ownership   a request, its arena and its texts live until the answer is sent.
 * Threads     handlers and continuations of one request run on one pool thread, never at the same
 *             time. fb_http_wake may be called from any thread.
 * Spec        RFC 9110, RFC 9112.
 */
#ifndef FB_HTTP_H
#define FB_HTTP_H
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/metric.h"
#include "farebox/port.h"

enum fb_method { FB_GET, FB_POST, FB_PUT, FB_PATCH, FB_DELETE, FB_OPTIONS };
/* Who may call: anyone; a key, always; or open or keyed, by the facilitator's configuration. */
/* FB_AUTH_PRINCIPAL: a key of somebody who is registered here (api/identity). */
enum fb_auth { FB_AUTH_NONE, FB_AUTH_API_KEY, FB_AUTH_POLICY, FB_AUTH_PRINCIPAL };
/* What makes a repeat of the request safe: nothing, the payload itself, or an Idempotency-Key header. */
enum fb_repeat { FB_REPEAT_NONE, FB_REPEAT_PAYLOAD, FB_REPEAT_HEADER };
enum {
	FB_HTTP_PARAMS_MAX = 4,
	FB_HTTP_HEADERS_MAX = 32768,
	FB_HTTP_ARENA = 262144,     /* bytes for handlers, beside the body; a spent one gives 503 */
	FB_HTTP_REPLY_HEADERS_MAX = 12,
	FB_HTTP_WAIT_MAX_MS = 600000,
};

struct fb_request {
	enum fb_method method;
	struct fb_str path;  /* decoded segment by segment; holds no NUL and no decoded '/' */
	struct fb_str query; /* raw, without '?' */
	struct fb_str body;
	struct fb_str params[FB_HTTP_PARAMS_MAX]; /* values of {..} in the pattern, in order */
	struct fb_str id;                         /* "req_…", or the client's X-Request-Id if it is [A-Za-z0-9._-]{1,64} */
	struct fb_str host;                       /* the Host header */
	struct fb_arena *arena;
	void *ctx;    /* of the mount the route belongs to */
	void *state;  /* the handler's own, from fb_http_wait to its continuation */
	bool expired; /* in a continuation: the deadline passed, nobody woke us */
};
/* The value of a header, empty view if absent (single-valued ones are known to be single). */
struct fb_str fb_request_header(const struct fb_request *r, const char *name);
/* The decoded value ('+' is a blank) of a query parameter into the arena. FB_NOT_FOUND; FB_BAD_SYNTAX: given twice, not
 * UTF-8 or with a NUL; FB_NO_MEMORY. */
FB_MUST_USE enum fb_status fb_request_query(struct fb_request *r, struct fb_str *out, const char *name);

struct fb_reply {
	uint16_t status;
	const char *content_type; /* NULL: "application/json" */
	struct fb_str body;       /* copied, unless it lies in the request's arena */
	struct {
		const char *name;
		struct fb_str value; /* CR, LF and NUL in it are a programmer's error; an empty one leaves the header out */
	} headers[FB_HTTP_REPLY_HEADERS_MAX];
	size_t header_count;
	/* Called once on a pool thread when it is known whether the answer went out whole: every byte was taken by the
	 * kernel. A client that closes (also one direction only) while its request waits gets nothing: not whole. May
	 * be NULL. */
	void (*delivered)(void *arg, bool whole);
	void *delivered_arg;
};
void fb_reply_header(struct fb_reply *reply, const char *name, struct fb_str value);

/* A handler must return one of these, and only the functions below make one: forgetting to answer
 * does not compile. */
struct fb_answered {
	int how;
};
typedef struct fb_answered fb_handler(struct fb_request *r);
struct fb_answered fb_http_reply(struct fb_request *r, const struct fb_reply *reply);
struct fb_answered fb_http_json(struct fb_request *r, uint16_t status, struct fb_str json);
/* The error body of a status; message NULL takes the status' name. */
struct fb_answered fb_http_error(struct fb_request *r, enum fb_status s, const char *message);

/* Answer later. Order of calls: w = fb_http_wait(r, next, deadline_ms) suspends the connection and
 * gives a token; only then hand w to another thread; return fb_http_later(w). The other side calls
 * fb_http_wake(w) exactly once (any time, also after the deadline, the end of the connection or of the server, and also
 * when it has nothing to say); r and its arena must not be touched by it: share through memory of your
 * own. `next` then runs on the pool thread, exactly once and also when the client has left: woken, or with r->expired
 * set when deadline_ms (from now, at most FB_HTTP_WAIT_MAX_MS) have passed. It may wait again unless r->expired. */
struct fb_http_wait;
struct fb_http_wait *fb_http_wait(struct fb_request *r, fb_handler *next, uint64_t deadline_ms);
struct fb_answered fb_http_later(struct fb_http_wait *w);
void fb_http_wake(struct fb_http_wait *w);

struct fb_route {
	enum fb_method method;
	const char *pattern; /* "/v1/accounts/{id}": a parameter takes one non-empty segment; literals win over them */
	fb_handler *handle;
	uint32_t body_max; /* bytes; 0: a body is refused */
	enum fb_auth auth;
	enum fb_repeat repeat; /* never NONE for anything that moves money */
	const char *summary;
};
/* The rows of one library, with what its handlers get as r->ctx. */
struct fb_mount {
	const struct fb_route *routes;
	size_t count;
	void *ctx;
};

struct fb_http_settings {
	const char *bind;  /* numeric address */
	uint16_t port;     /* 0: any free one */
	unsigned threads;  /* at least 2 */
	unsigned connections_max, per_address_max;
	uint64_t read_ms, idle_ms, grace_ms;
	bool access_log;
	/* Called before the handler for every route whose auth is not NONE: FB_OK, FB_UNAUTHORIZED or
	 * FB_FORBIDDEN. */
	enum fb_status (*authorise)(void *ctx, const struct fb_request *r, const struct fb_route *route);
	void *authorise_ctx;
	/* Writes the body of an error answer to that request in another form than ours; false: ours. NULL allowed. */
	bool (*error_body)(struct fb_buf *out, const struct fb_request *r, enum fb_status s, struct fb_str message);
};
struct fb_http;
/* The raw request target alone: origin-form, or absolute-form with `host` as authority. FB_BAD_REQUEST, *why gets a
 * phrase; FB_NO_MEMORY. The query is checked for bad escapes and left raw. */
struct fb_target {
	struct fb_str path, query;
};
FB_MUST_USE enum fb_status fb_target_parse(struct fb_target *out, const char **why, struct fb_arena *a,
					   struct fb_str raw, struct fb_str host);
/* mounts are borrowed until the stop. FB_CONFLICT: the port is taken; FB_IO; e says address, port, reason. */
FB_MUST_USE enum fb_status fb_http_open(struct fb_http **out, const struct fb_http_settings *settings,
					const struct fb_mount *mounts, size_t count, struct fb_clock clock, struct fb_rng rng,
					struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e);
uint16_t fb_http_port(const struct fb_http *h); /* really bound */
void fb_http_stop(struct fb_http *h); /* as above, then frees. NULL allowed */
/* The router alone: the row for method and path, its parameters. FB_NOT_FOUND; FB_METHOD (*allow gets
 * "GET, POST"). */
FB_MUST_USE enum fb_status fb_route_find(const struct fb_route **out, void **ctx,
					 struct fb_str params[FB_HTTP_PARAMS_MAX], struct fb_buf *allow,
					 const struct fb_mount *mounts, size_t count, enum fb_method method,
					 struct fb_str path);
#endif /* FB_HTTP_H */
