/* farebox/net.h - the one outbound door: an event loop (libuv) and an HTTP client (libcurl) on it.
 *
 * Layer      2. libuv and libcurl are linked by this library alone.
 * Units      milliseconds, bytes.
 * Limits     per request: deadline and answer size as given; FB_NET_HEADER_MAX answer header bytes;
 *            FB_NET_CONNECT_MS to connect. Of a net: FB_NET_PENDING_MAX requests at once. Of a loop:
 *            FB_LOOP_POSTS_MAX posts waiting (more is a programmer's error: who posts is bounded).
 *            No redirects, no proxies from the environment, no netrc, no compression, http and https
 *            only, certificates verified. Connections are kept for later requests.
 * Errors     a request always ends in exactly one callback. reply->status: FB_OK (an HTTP answer
 *            came, whatever its code), FB_UNREACHABLE (nobody answered: refused, unresolved, TLS, the
 *            connection broke), FB_TIMEOUT, FB_TOO_LARGE, FB_BAD_SYNTAX (not HTTP, or cut short),
 *            FB_BUSY (too many pending), FB_DRAINING (the net is closing).
 *            `sent` tells whether any request byte may have left: an unknown outcome for a send.
 * Ownership  a loop owns its timers and requests; the net borrows its loop.
 * Threads    one loop, one thread. Only fb_loop_post may be called from others.
 */
#ifndef FB_NET_H
#define FB_NET_H
#include "farebox/core.h"

/* ---- loop ---------------------------------------------------------------------------------- */
struct fb_loop;
enum { FB_LOOP_POSTS_MAX = 1 << 20 };
FB_MUST_USE enum fb_status fb_loop_open(struct fb_loop **out);
void fb_loop_start(struct fb_loop *loop, const char *thread_name); /* runs it on a thread of its own */
/* Or on the caller's, until fb_loop_stop; SIGPIPE stays blocked there. May be run again. */
void fb_loop_run(struct fb_loop *loop);
void fb_loop_stop(struct fb_loop *loop); /* any thread; the thread is joined by close */
/* Stops, joins, frees; everything opened on it must be closed before. NULL allowed. */
void fb_loop_close(struct fb_loop *loop);
/* Runs fn(arg) on the loop's thread, soon, in the order of posting. Any thread, never blocks,
 * never drops: what was posted before fb_loop_stop is still run. */
void fb_loop_post(struct fb_loop *loop, void (*fn)(void *arg), void *arg);
/* The caller runs on the loop's thread. Before start that is the opener's. */
bool fb_loop_is_mine(const struct fb_loop *loop);

struct fb_timer;
/* fn(arg) once after `ms`, then every `repeat_ms` unless that is 0. Stop before the loop closes. */
struct fb_timer *fb_timer_start(struct fb_loop *loop, uint64_t ms, uint64_t repeat_ms, void (*fn)(void *arg),
				void *arg);
/* Frees it; also from inside its own fn. A one-shot must be stopped too. NULL allowed. */
void fb_timer_stop(struct fb_timer *t);

/* ---- HTTP client ---------------------------------------------------------------------------- */
struct fb_net;
FB_MUST_USE enum fb_status fb_net_open(struct fb_net **out, struct fb_loop *loop);
/* Pending requests end with FB_DRAINING before this returns. Loop's thread, never inside a `done`. NULL allowed */
void fb_net_close(struct fb_net *net);

enum { FB_NET_HEADERS_MAX = 16, FB_NET_HEADER_MAX = 65536, FB_NET_CONNECT_MS = 3000, FB_NET_PENDING_MAX = 4096 };
struct fb_net_request {
	const char *method; /* "GET", "POST" … */
	const char *url;
	const char *headers[FB_NET_HEADERS_MAX]; /* "Name: value" without CR and LF; NULL ends */
	struct fb_str body;
	uint64_t timeout_ms;  /* the whole exchange; at least 1 */
	size_t answer_max;    /* bytes of body accepted */
	bool repeatable;      /* may be sent once more if a kept connection turns out to be dead */
};
struct fb_net_reply {
	enum fb_status status;
	bool sent;            /* the request may have reached the other side */
	uint16_t code;        /* HTTP status, when status is FB_OK */
	struct fb_str body;
	struct fb_str headers; /* raw lines "Name: value\r\n" of the final answer */
	const char *why;      /* a word for the log when status is not FB_OK */
	uint64_t elapsed_ns;
};
/* The first header of that name (ASCII case ignored), trimmed; empty view if none. */
struct fb_str fb_net_header(const struct fb_net_reply *reply, const char *name);
/* Copies the request. done runs on the loop's thread, later (never inside this call); the reply's
 * texts are valid during done only. Loop's thread only. */
void fb_net_send(struct fb_net *net, const struct fb_net_request *request,
		 void (*done)(void *arg, const struct fb_net_reply *reply), void *arg);
#endif /* FB_NET_H */
