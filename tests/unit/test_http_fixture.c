/* The server and the client of the tests of api/http. */
#define _GNU_SOURCE
#include "test_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

/* ---- handlers: they run on the server's threads, so they assert (a failed CHECK jumps) --------- */
static struct fb_answered root(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("{\"ok\":true}"));
}

static struct fb_answered item(struct fb_request *r)
{
	struct fb_buf out = fb_arena_buf(r->arena, 1024);

	fb_buf_text(&out, "item ");
	fb_buf_str(&out, r->params[0]);
	return fb_http_reply(r, &(struct fb_reply){ .status = 200, .content_type = "text/plain",
						    .body = fb_buf_view(&out) });
}

static struct fb_answered first(struct fb_request *r)
{
	return fb_http_json(r, 200, FB_STR("\"first\""));
}

static struct fb_answered echo(struct fb_request *r)
{
	return fb_http_reply(r, &(struct fb_reply){ .status = 200, .content_type = "text/plain", .body = r->body });
}

static struct fb_answered query(struct fb_request *r)
{
	struct fb_str value;
	enum fb_status st = fb_request_query(r, &value, "q");

	return st == FB_OK ? fb_http_json(r, 200, value) : fb_http_error(r, st, NULL);
}

static struct fb_answered header(struct fb_request *r)
{
	struct fb_reply reply = { .status = 200, .body = fb_request_header(r, "x-in") };

	fb_reply_header(&reply, "X-Out", fb_request_header(r, "X-IN"));
	fb_reply_header(&reply, "Cache-Control", FB_STR("private"));
	fb_reply_header(&reply, "X-Host", r->host);
	return fb_http_reply(r, &reply);
}

static struct fb_answered thread(struct fb_request *r)
{
	struct fb_buf out = fb_arena_buf(r->arena, 32);

	fb_buf_u64(&out, (uint64_t)pthread_self());
	return fb_http_json(r, 200, fb_buf_view(&out));
}

static struct fb_answered block(struct fb_request *r)
{
	poll(NULL, 0, 300); /* what no real handler may do */
	return root(r);
}

static struct fb_answered quote(struct fb_request *r)
{
	return fb_http_error(r, FB_BAD_VALUE, "a \"quoted\"\nmessage");
}

static void on_delivered(void *arg, bool whole)
{
	struct server *s = arg;

	atomic_fetch_add(whole ? &s->whole : &s->not_whole, 1);
}

static struct fb_answered reply_and_count(struct fb_request *r, struct fb_str body)
{
	return fb_http_reply(r, &(struct fb_reply){ .status = 200, .body = body, .delivered = on_delivered,
						    .delivered_arg = r->ctx });
}

static struct fb_answered greedy(struct fb_request *r)
{
	void *p = fb_arena_alloc(r->arena, FB_HTTP_ARENA, 1), *q = fb_arena_alloc(r->arena, 1, 1);

	FB_ASSERT(p != NULL && q == NULL);
	return reply_and_count(r, FB_STR("half"));
}

static struct fb_answered big(struct fb_request *r)
{
	struct fb_buf out = fb_arena_buf(r->arena, 250000);

	memset(out.at, 'b', out.cap);
	out.len = out.cap;
	return reply_and_count(r, fb_buf_view(&out));
}

static struct fb_answered wait_over(struct fb_request *r)
{
	struct server *s = r->ctx;

	atomic_fetch_add(r->expired ? &s->expired : &s->woken, 1);
	FB_ASSERT(r->state == s);
	return reply_and_count(r, r->expired ? FB_STR("expired") : FB_STR("woken"));
}

static struct fb_answered wait_with(struct fb_request *r, fb_handler *next)
{
	struct server *s = r->ctx;
	struct fb_str ms;
	uint64_t deadline_ms = 60000;
	struct fb_http_wait *w;

	if (fb_request_query(r, &ms, "ms") == FB_OK)
		FB_ASSERT(fb_u64_parse(&deadline_ms, ms) == FB_OK);
	r->state = s;
	w = fb_http_wait(r, next, deadline_ms);
	if (s->wake_at_once) {
		fb_http_wake(w);
		return fb_http_later(w);
	}
	pthread_mutex_lock(&s->lock);
	FB_ASSERT(s->token_count < TOKENS_MAX);
	s->tokens[s->token_count++] = w;
	pthread_mutex_unlock(&s->lock);
	return fb_http_later(w);
}

static struct fb_answered wait_once(struct fb_request *r)
{
	return wait_with(r, wait_over);
}

static struct fb_answered wait_again(struct fb_request *r)
{
	return r->expired ? wait_over(r) : wait_with(r, wait_over);
}

static struct fb_answered wait_twice(struct fb_request *r)
{
	return wait_with(r, wait_again);
}

static enum fb_status authorise(void *ctx, const struct fb_request *r, const struct fb_route *route)
{
	struct fb_str key = fb_request_header(r, "Authorization");

	FB_ASSERT(ctx != NULL && route->auth != FB_AUTH_NONE);
	if (key.len == 0)
		return FB_UNAUTHORIZED;
	return fb_str_eq(key, FB_STR("Bearer right")) ? FB_OK : FB_FORBIDDEN;
}

static const struct fb_route routes[] = {
	{ FB_GET,    "/",             root,       0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "root" },
	{ FB_GET,    "/items/{id}",   item,       0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "one item" },
	{ FB_GET,    "/items/first",  first,      0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "literals win" },
	{ FB_POST,   "/items/{id}",   echo,       SMALL_MAX, FB_AUTH_NONE,    FB_REPEAT_PAYLOAD, "small bodies" },
	{ FB_DELETE, "/items/{id}",   root,       0,         FB_AUTH_NONE,    FB_REPEAT_PAYLOAD, "no body" },
	{ FB_POST,   "/echo",         echo,       ECHO_MAX,  FB_AUTH_NONE,    FB_REPEAT_PAYLOAD, "larger bodies" },
	{ FB_GET,    "/query",        query,      0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "the parameter q" },
	{ FB_GET,    "/header",       header,     0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "headers in and out" },
	{ FB_OPTIONS, "/header",      header,     0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "answers OPTIONS itself" },
	{ FB_GET,    "/thread",       thread,     0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "which worker" },
	{ FB_GET,    "/block",        block,      0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "a worker stands still" },
	{ FB_GET,    "/quote",        quote,      0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "an error with quotes" },
	{ FB_GET,    "/secret",       root,       0,         FB_AUTH_API_KEY, FB_REPEAT_NONE,    "needs a key" },
};
static const struct fb_route stateful_routes[] = {
	{ FB_GET,    "/greedy",       greedy,     0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "spends its arena" },
	{ FB_GET,    "/big",          big,        0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "a large answer" },
	{ FB_GET,    "/wait",         wait_once,  0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "answers later" },
	{ FB_POST,   "/wait",         wait_once,  ECHO_MAX,  FB_AUTH_NONE,    FB_REPEAT_PAYLOAD, "answers later" },
	{ FB_GET,    "/wait/twice",   wait_twice, 0,         FB_AUTH_NONE,    FB_REPEAT_NONE,    "answers much later" },
};

/* ---- the server ---------------------------------------------------------------------------- */
static struct fb_mount mounts[2];

void server_settings(struct server *s)
{
	memset(s, 0, sizeof(*s));
	s->settings = (struct fb_http_settings){
		.bind = "127.0.0.1", .threads = 2, .connections_max = 4096, .per_address_max = 4096,
		.read_ms = 5000, .idle_ms = 60000, .grace_ms = 2000, .access_log = true,
		.authorise = authorise, .authorise_ctx = s,
	};
}

void server_start(struct server *s)
{
	struct fb_error e = { "" };

	mounts[0] = (struct fb_mount){ routes, FB_COUNT(routes), NULL };
	mounts[1] = (struct fb_mount){ stateful_routes, FB_COUNT(stateful_routes), s };
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
	fb_metrics_open(&s->metrics);
	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	CHECK(s->log_fd >= 0);
	fb_log_open(&s->log, s->log_fd, FB_DEBUG, fb_os_clock());
	CHECK_STATUS(FB_OK, fb_http_open(&s->http, &s->settings, mounts, 2, fb_os_clock(), fb_os_rng(), s->log,
					 s->metrics, &e));
	s->port = fb_http_port(s->http);
	CHECK(s->port != 0);
}

void server_stop(struct server *s)
{
	fb_http_stop(s->http);
	CHECK(fb_log_broken_count(s->log) == 0);
	CHECK(fb_metric_get(s->metrics, FB_M_HTTP_CONNECTIONS) == 0);
	fb_log_close(s->log);
	fb_metrics_close(s->metrics);
	close(s->log_fd);
	pthread_mutex_destroy(&s->lock);
}

unsigned server_wake_all(struct server *s)
{
	struct fb_http_wait *out[TOKENS_MAX];
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->token_count;
	memcpy(out, s->tokens, n * sizeof(out[0]));
	s->token_count = 0;
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < n; i++)
		fb_http_wake(out[i]);
	return n;
}

void server_wait_tokens(struct server *s, unsigned count)
{
	for (int i = 0; i < PATIENCE_MS; i++) {
		bool there;

		pthread_mutex_lock(&s->lock);
		there = s->token_count >= count;
		pthread_mutex_unlock(&s->lock);
		if (there)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("%u requests do not wait within %d ms", count, (int)PATIENCE_MS);
}

void server_wait_connections(struct server *s, unsigned count)
{
	for (int i = 0; i < PATIENCE_MS && fb_metric_get(s->metrics, FB_M_HTTP_CONNECTIONS) != count; i++)
		poll(NULL, 0, 1);
	CHECK(fb_metric_get(s->metrics, FB_M_HTTP_CONNECTIONS) == count);
}

uint64_t now_ms(void)
{
	struct fb_clock c = fb_os_clock();

	return fb_clock_mono_ms(&c);
}

void wait_for(atomic_uint *counter, unsigned value)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(counter) < value; i++)
		poll(NULL, 0, 1);
	if (atomic_load(counter) != value)
		fail_msg("a counter is %u, want %u", atomic_load(counter), value);
}

void server_log_text(const struct server *s, char *out, size_t cap)
{
	ssize_t n = pread(s->log_fd, out, cap - 1, 0);

	CHECK(n >= 0);
	out[n] = '\0';
}

/* ---- the client ---------------------------------------------------------------------------- */
bool client_try(struct client *c, const struct server *s)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	c->len = 0;
	c->buf = malloc(CLIENT_BUF);
	if (c->fd >= 0 && c->buf != NULL && connect(c->fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	client_close(c);
	return false;
}

void client_open(struct client *c, const struct server *s)
{
	CHECK(client_try(c, s));
}

void client_close(struct client *c)
{
	close(c->fd);
	free(c->buf);
}

void client_reset(struct client *c)
{
	struct linger hard = { .l_onoff = 1 };

	CHECK(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)) == 0);
	client_close(c);
}

bool client_send(struct client *c, const char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = send(c->fd, bytes + done, len - done, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

void client_text(struct client *c, const char *text)
{
	CHECK(client_send(c, text, strlen(text)));
}

/* More bytes, or false at the end and after PATIENCE_MS. */
static bool fill(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, PATIENCE_MS) != 1 || c->len == CLIENT_BUF)
		return false;
	n = recv(c->fd, c->buf + c->len, CLIENT_BUF - c->len, 0);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

static void take(struct client *c, char *to, size_t len)
{
	memcpy(to, c->buf, len);
	memmove(c->buf, c->buf + len, c->len - len);
	c->len -= len;
}

const char *answer_header(const struct answer *a, const char *name, char out[512])
{
	size_t name_len = strlen(name);

	for (const char *p = strstr(a->head, "\r\n"); p != NULL; p = strstr(p, "\r\n")) {
		const char *end = strstr(p += 2, "\r\n");

		if (end == NULL || p[name_len] != ':' ||
		    !fb_str_eq_nocase((struct fb_str){ p, name_len }, (struct fb_str){ name, name_len }))
			continue;
		snprintf(out, 512, "%.*s", (int)(end - p - (ptrdiff_t)name_len - 2), p + name_len + 2);
		return out;
	}
	return NULL;
}

bool client_read(struct client *c, struct answer *a, bool head_only)
{
	char *end, text[512];
	uint64_t len = 0;

	memset(a, 0, sizeof(*a));
	while ((end = memmem(c->buf, c->len, "\r\n\r\n", 4)) == NULL)
		if (!fill(c))
			return false;
	CHECK((size_t)(end - c->buf) + 4 < sizeof(a->head));
	take(c, a->head, (size_t)(end - c->buf) + 4);
	CHECK(strncmp(a->head, "HTTP/1.1 ", 9) == 0);
	a->status = (unsigned)(a->head[9] - '0') * 100 + (unsigned)(a->head[10] - '0') * 10 + (unsigned)(a->head[11] - '0');
	if (answer_header(a, "Content-Length", text) != NULL)
		CHECK_STATUS(FB_OK, fb_u64_parse(&len, fb_str_of(text)));
	a->body_len = head_only ? 0 : (size_t)len;
	CHECK(a->body_len < sizeof(a->body));
	while (c->len < a->body_len)
		if (!fill(c))
			return false;
	take(c, a->body, a->body_len);
	return true;
}

bool client_closed(struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char byte;

	if (c->len > 0 || poll(&p, 1, PATIENCE_MS) != 1)
		return false;
	return recv(c->fd, &byte, 1, 0) <= 0;
}

bool client_silent(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return c->len == 0 && poll(&p, 1, ms) == 0;
}

unsigned ask(const struct server *s, struct answer *a, const char *text)
{
	struct client c;

	client_open(&c, s);
	client_text(&c, text);
	if (!client_read(&c, a, false))
		a->status = 0;
	client_close(&c);
	return a->status;
}
