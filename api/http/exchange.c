/* One request from its first line to the end of its answer: the order of checks, and what happens at which call of
 * libmicrohttpd. It calls once with the head, once per piece of body, once with the whole request (again after each
 * resume), and once at the end. */
#include "http_int.h"

#include <string.h>

enum { STATUS_GONE = 499 }; /* in log and metrics only: the client left before the answer */

/* ---- the request line --------------------------------------------------------------------------- */

/* libmicrohttpd splits the query into its own list right after this callback. When that list outgrows its memory it
 * goes on with a half-reset connection, so it gets no query: the text, which it owns and may write, ends here. */
static void hide_query(const char *uri)
{
	char *mark = strchr((char *)(uintptr_t)uri, '?');

	if (mark != NULL && mark[1] != '\0')
		mark[1] = '\0';
}

void *fb_http_exchange_begin(void *worker, const char *uri, struct MHD_Connection *mhd)
{
	struct worker *w = worker;
	struct conn *c = fb_http_conn_of(mhd);
	struct exchange *x = c == NULL || c->cut ? NULL : fb_http_block_take(w);
	char *copy;

	if (x == NULL)
		return NULL;
	FB_ASSERT(c->exchange == NULL);
	x->conn = c;
	x->mhd = mhd;
	x->started_ns = fb_http_now(w->http);
	x->target_len = strlen(uri);
	x->method = "";
	x->r.arena = &x->arena;
	x->r.path = x->r.query = x->r.body = x->r.host = x->r.id = FB_STR("");
	fb_buf_init(&x->allow, x->allow_text, sizeof(x->allow_text));
	if (x->target_len <= FB_HTTP_HEADERS_MAX) {
		copy = fb_arena_copy(&x->own, (struct fb_str){ uri, x->target_len });
		FB_ASSERT(copy != NULL);
		x->target = (struct fb_str){ copy, x->target_len };
	}
	hide_query(uri);
	c->exchange = x;
	c->sweeps = 0;
	w->exchange_count++;
	fb_http_conn_deadline(c, w->http->settings.read_ms);
	return x;
}

/* ---- the head ------------------------------------------------------------------------------------ */

/* The method for routing; -1 for one that no row can have. *name gets a literal for the log. */
static int method_of(const char **name, const char *method)
{
	static const struct {
		const char *name;
		int method;
	} rows[] = {
		{ "GET", FB_GET }, { "POST", FB_POST }, { "HEAD", FB_GET }, { "OPTIONS", FB_OPTIONS },
		{ "PUT", FB_PUT }, { "PATCH", FB_PATCH }, { "DELETE", FB_DELETE },
	};

	*name = "other";
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		if (strcmp(rows[i].name, method) == 0) {
			*name = rows[i].name;
			return rows[i].method;
		}
	return -1;
}

static void set_id(struct exchange *x, struct fb_str inbound)
{
	size_t len = inbound.len;

	if (len > 0)
		memcpy(x->id_text, inbound.at, len);
	else
		len = fb_http_id_make(x->conn->worker, x->id_text);
	FB_ASSERT(len <= ID_MAX);
	x->id_text[len] = '\0';
	x->r.id = (struct fb_str){ x->id_text, len };
}

static enum fb_status find_route(struct exchange *x, int method)
{
	struct fb_http *h = x->conn->worker->http;
	struct fb_buf names;
	char text[ALLOW_MAX];
	enum fb_status st;

	fb_buf_init(&names, text, sizeof(text));
	if (method < 0)
		return fb_http_allow(&x->allow, h->mounts, h->mount_count, x->r.path) ? FB_METHOD : FB_NOT_FOUND;
	st = fb_route_find(&x->route, &x->r.ctx, x->r.params, &names, h->mounts, h->mount_count, (enum fb_method)method,
			   x->r.path);
	if (st == FB_METHOD)
		FB_ASSERT(fb_http_allow(&x->allow, h->mounts, h->mount_count, x->r.path));
	x->r.method = (enum fb_method)method;
	return st;
}

/* What is wrong with a well-formed request, known from its head alone. */
static enum fb_status admit(struct exchange *x, const struct head *head, int method)
{
	enum fb_status st;

	if (x->conn->worker->draining)
		return FB_DRAINING;
	st = find_route(x, method);
	if (strcmp(x->method, "OPTIONS") == 0 && st == FB_METHOD) {
		x->options = true;
		return fb_head_has_body(head) ? FB_TOO_LARGE : FB_OK;
	}
	if (st != FB_OK)
		return st;
	x->body.max = x->route->body_max;
	x->body.announced = head->body_len <= x->body.max ? (size_t)head->body_len : 0;
	return head->body_len > x->body.max || (head->chunked && x->body.max == 0) ? FB_TOO_LARGE : FB_OK;
}

/* RFC 9112 3.2.4: "OPTIONS *" asks about the server as a whole. */
static enum fb_status read_target(struct exchange *x, const char **fault, struct fb_str host)
{
	struct fb_target t;
	enum fb_status st;

	if (fb_str_eq(x->target, FB_STR("*")) && strcmp(x->method, "OPTIONS") == 0) {
		x->r.path = x->target;
		fb_buf_text(&x->allow, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		x->options = true;
		return FB_OK;
	}
	st = fb_target_parse(&t, fault, &x->own, x->target, host);
	if (st != FB_OK)
		return st;
	x->r.path = t.path;
	x->r.query = t.query;
	return FB_OK;
}

/* Bad framing: what follows on this connection cannot be trusted, so nothing of it is read. */
static void record_refusal(const struct exchange *x, const char *fault)
{
	struct fb_http *h = x->conn->worker->http;

	fb_metric_add(h->metrics, FB_M_HTTP_REFUSED, 1);
	fb_log(h->log, FB_EV_REQUEST_REFUSED, FB_F_STR("id", x->r.id), FB_F_TEXT("why", fault),
	       FB_F_STR("peer", fb_conn_peer(x->conn)));
}

static enum MHD_Result progress(const struct exchange *x)
{
	return x->broken ? MHD_NO : MHD_YES;
}

/* An answer given here closes the connection, whatever it says; so what can wait for the end of a request without
 * body waits. */
static enum MHD_Result on_head(struct exchange *x, const struct head_line *line)
{
	struct head head;
	int method;

	fb_http_head_check(&head, x->mhd, line);
	set_id(x, head.request_id);
	if (head.too_large || x->target_len > FB_HTTP_HEADERS_MAX) {
		fb_http_send_error(x, FB_HEADERS_TOO_LARGE, NULL);
		return progress(x);
	}
	method = method_of(&x->method, line->method);
	x->r.host = head.host;
	if (head.fault == NULL && read_target(x, &head.fault, head.host) == FB_NO_MEMORY)
		x->refusal = FB_NO_MEMORY;
	if (head.fault != NULL) {
		record_refusal(x, head.fault);
		fb_http_send_error(x, FB_BAD_REQUEST, head.fault);
		return progress(x);
	}
	if (x->refusal == FB_OK && !x->options)
		x->refusal = admit(x, &head, method);
	x->stage = STAGE_BODY;
	if (fb_head_has_body(&head) && (x->refusal != FB_OK || x->options))
		fb_http_send_error(x, x->refusal == FB_OK ? FB_TOO_LARGE : x->refusal, NULL);
	return progress(x);
}

/* ---- the handler ------------------------------------------------------------------------------------ */
static struct fb_answered authorise_and_handle(struct exchange *x)
{
	const struct fb_http_settings *s = &x->conn->worker->http->settings;
	enum fb_status st = x->route->auth == FB_AUTH_NONE ? FB_OK : s->authorise(s->authorise_ctx, &x->r, x->route);

	return st == FB_OK ? x->route->handle(&x->r) : fb_http_error(&x->r, st, NULL);
}

static void check_answered(const struct exchange *x, struct fb_answered a)
{
	FB_ASSERT(a.how == HOW_REPLIED ? x->stage == STAGE_REPLYING : a.how == HOW_LATER && x->stage == STAGE_WAITING);
}

static enum MHD_Result on_whole(struct exchange *x)
{
	if (x->refusal == FB_OK)
		x->refusal = x->body.status;
	if (x->refusal != FB_OK) {
		fb_http_send_error(x, x->refusal, NULL);
	} else if (x->options) {
		fb_http_send_options(x);
	} else {
		x->r.body = (struct fb_str){ x->body.len == 0 ? "" : x->body.at, x->body.len };
		x->stage = STAGE_HANDLER;
		check_answered(x, authorise_and_handle(x));
	}
	return progress(x);
}

static void run_continuation(struct exchange *x)
{
	fb_handler *next = x->next;

	x->r.expired = fb_http_wait_finish(x);
	x->stage = STAGE_HANDLER;
	x->next = NULL;
	check_answered(x, next(&x->r));
}

enum MHD_Result fb_http_exchange_step(void *worker, struct MHD_Connection *mhd, const char *url, const char *method,
				      const char *version, const char *upload, size_t *upload_len, void **slot)
{
	struct exchange *x = *slot;
	bool more;

	(void)worker;
	if (x == NULL || (x->conn->cut && x->stage != STAGE_WAITING))
		return MHD_NO;
	FB_ASSERT(x->mhd == mhd);
	switch (x->stage) {
	case STAGE_HEAD:
		return on_head(x, &(struct head_line){ method, url, version, x->target_len });
	case STAGE_BODY:
		if (*upload_len == 0)
			return on_whole(x);
		more = fb_http_body_add(&x->body, upload, *upload_len);
		*upload_len = 0;
		return more ? MHD_YES : MHD_NO;
	case STAGE_WAITING:
		/* A client that gave up must not count as answered because the kernel still takes the bytes. */
		if (fb_http_conn_left(x->conn))
			return MHD_NO;
		run_continuation(x);
		return progress(x);
	case STAGE_HANDLER:
	case STAGE_REPLYING:
		break;
	}
	FB_UNREACHABLE("libmicrohttpd calls only while there is no answer");
}

/* ---- the end -------------------------------------------------------------------------------------------- */
static enum fb_metric_id metric_of(unsigned status)
{
	static const enum fb_metric_id rows[] = { FB_M_HTTP_2XX, FB_M_HTTP_3XX, FB_M_HTTP_4XX, FB_M_HTTP_5XX };

	FB_ASSERT(status >= 200 && status < 600);
	return rows[status / 100 - 2];
}

static void record(const struct exchange *x, bool whole)
{
	const struct fb_http *h = x->conn->worker->http;
	uint64_t took = fb_http_now(h) - x->started_ns;
	unsigned status = x->status == 0 || !whole ? STATUS_GONE : x->status;

	fb_metric_add(h->metrics, metric_of(status), 1);
	fb_metric_time_ns(h->metrics, FB_M_HTTP_SECONDS, took);
	if (!h->settings.access_log)
		return;
	fb_log(h->log, FB_EV_REQUEST, FB_F_STR("id", x->r.id), FB_F_TEXT("method", x->method),
	       FB_F_STR("path", x->r.path), FB_F_U64("status", status), FB_F_U64("ms", took / 1000000),
	       FB_F_U64("bytes", x->reply_len), FB_F_STR("peer", fb_conn_peer(x->conn)));
}

/* libmicrohttpd answered by itself: the head did not hold together, or the chunks of the body. */
static bool refused_below(const struct exchange *x, enum MHD_RequestTerminationCode code)
{
	return x->stage <= STAGE_BODY && code == MHD_REQUEST_TERMINATED_WITH_ERROR && !x->conn->cut &&
	       x->body.discarded == 0;
}

void fb_http_exchange_end(void *worker, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code)
{
	struct worker *w = worker;
	struct exchange *x = *slot;
	bool whole;

	if (x == NULL)
		return;
	FB_ASSERT(x->mhd == mhd && x->conn->exchange == x);
	*slot = NULL;
	x->gone = true;
	if (refused_below(x, code))
		record_refusal(x, "malformed header lines or chunks");
	while (x->stage == STAGE_WAITING) /* it left while it was waiting: the continuation runs all the same */
		run_continuation(x);
	whole = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && x->stage == STAGE_REPLYING && !x->broken;
	record(x, whole);
	if (x->delivered != NULL)
		x->delivered(x->delivered_arg, whole && !x->replaced);
	fb_http_body_free(&x->body);
	x->conn->exchange = NULL;
	x->conn->sweeps = 0;
	FB_ASSERT(w->exchange_count > 0);
	w->exchange_count--;
	fb_http_conn_deadline(x->conn, w->http->settings.idle_ms);
	fb_http_block_give(w, x);
}

/* libmicrohttpd forgets to call the end when it answers a fault of the head by itself and finds a second one. */
void fb_http_exchange_lost(struct exchange *x)
{
	void *slot = x;

	FB_ASSERT(x->stage <= STAGE_BODY); /* no handler has seen it */
	fb_http_exchange_end(x->conn->worker, x->mhd, &slot, MHD_REQUEST_TERMINATED_WITH_ERROR);
}

struct fb_str fb_request_header(const struct fb_request *r, const char *name)
{
	const struct exchange *x = (const struct exchange *)r;
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(x->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &len) != MHD_YES)
		return (struct fb_str){ "", 0 };
	return fb_str_trim((struct fb_str){ value, len });
}
