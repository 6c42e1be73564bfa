/* The socket side: one thread, one poll, HTTP/1.1 with kept connections, replies that may come late or never. */
#define _GNU_SOURCE /* strcasestr */
#include "sim_int.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 256, REQUEST_MAX = 1 << 20, REPLY_MAX = 1 << 20 };

struct connection {
	int fd; /* -1: free */
	size_t len, reply_len;
	uint64_t due_ms; /* when a late reply goes out; 0: none waits */
	char *in, *reply;
};

struct sim_server {
	struct fb_sim *sim;
	pthread_t thread;
	int listener, wake[2];
	char url[64];
	struct connection connections[CONNECTIONS_MAX];
	char body[REPLY_MAX];
};

const char *fb_sim_url(const struct fb_sim *s)
{
	return s->server->url;
}

/* Late replies wait in real time: a test's clock may jump. */
static uint64_t real_ms(void)
{
	struct timespec t;

	FB_ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

static void drop(struct connection *c)
{
	close(c->fd);
	free(c->in);
	free(c->reply);
	*c = (struct connection){ .fd = -1 };
}

static void write_all(struct connection *c, const char *at, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0) {
			drop(c);
			return;
		}
		at += n;
		len -= (size_t)n;
	}
}

static void reply(struct connection *c, struct fb_str body, unsigned code, const char *type, unsigned late_ms)
{
	struct fb_buf b;

	c->reply = fb_must_alloc(body.len + 256, 1);
	fb_buf_init(&b, c->reply, body.len + 256);
	fb_buf_printf(&b, "HTTP/1.1 %u X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", code, type, body.len);
	fb_buf_str(&b, body);
	c->reply_len = b.len;
	c->due_ms = real_ms() + late_ms;
}

/* Sends the reply that is due. */
static void flush(struct connection *c)
{
	char *bytes = c->reply;
	size_t len = c->reply_len;

	c->reply = NULL;
	c->due_ms = 0;
	write_all(c, bytes, len);
	free(bytes);
}

static void handle(struct sim_server *v, struct connection *c, struct fb_str request)
{
	struct fb_sim_rule fault;
	struct fb_buf out;

	fb_buf_init(&out, v->body, sizeof(v->body));
	sim_answer(v->sim, &out, request, &fault);
	if (fault.fault == FB_SIM_REFUSE || fault.fault == FB_SIM_LOSE)
		drop(c);
	else if (fault.fault == FB_SIM_HTML)
		reply(c, FB_STR("<html><body>Bad gateway</body></html>"), 200, "text/html", 0);
	else if (fault.fault == FB_SIM_429)
		reply(c, FB_STR("{\"error\":\"rate limited\"}"), 429, "application/json", 0);
	else
		reply(c, fb_buf_view(&out), 200, "application/json", fault.fault == FB_SIM_LATE ? fault.ms : 0);
}

/* Length of the head if it is whole, and of the body it announces. */
static bool framed(const struct connection *c, size_t *head, size_t *body)
{
	const char *end = strstr(c->in, "\r\n\r\n"), *field = strcasestr(c->in, "content-length: ");

	if (end == NULL || field == NULL)
		return false;
	*head = (size_t)(end - c->in) + 4;
	*body = 0;
	for (const char *at = field + 16; *at >= '0' && *at <= '9'; at++)
		*body = *body * 10 + (size_t)(*at - '0');
	return c->len >= *head + *body;
}

static void take_request(struct sim_server *v, struct connection *c)
{
	size_t head, body;
	char *request;

	if (c->due_ms != 0 || !framed(c, &head, &body))
		return;
	request = fb_must_alloc(body + 1, 1);
	memcpy(request, c->in + head, body);
	c->len -= head + body;
	memmove(c->in, c->in + head + body, c->len + 1);
	handle(v, c, (struct fb_str){ request, body });
	free(request);
}

static void receive(struct sim_server *v, struct connection *c)
{
	ssize_t n = recv(c->fd, c->in + c->len, REQUEST_MAX - 1 - c->len, 0);

	if (n <= 0) {
		drop(c);
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	take_request(v, c);
}

static void welcome(struct sim_server *v)
{
	int fd = accept(v->listener, NULL, NULL);
	struct connection *c = v->connections;

	FB_ASSERT(fd >= 0);
	while (c < v->connections + CONNECTIONS_MAX && c->fd >= 0)
		c++;
	FB_ASSERT(c < v->connections + CONNECTIONS_MAX);
	*c = (struct connection){ .fd = fd, .in = fb_must_alloc(REQUEST_MAX, 1) };
}

/* Fills the poll set; returns the time to wait. */
static int prepare(struct sim_server *v, struct pollfd set[CONNECTIONS_MAX + 2])
{
	uint64_t now = real_ms();
	int wait = -1;

	set[0] = (struct pollfd){ .fd = v->wake[0], .events = POLLIN };
	set[1] = (struct pollfd){ .fd = v->listener, .events = POLLIN };
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct connection *c = &v->connections[i];
		int left = c->due_ms == 0 ? -1 : c->due_ms <= now ? 0 : (int)(c->due_ms - now);

		set[i + 2] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		if (left >= 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return wait;
}

static void serve_one(struct sim_server *v, struct connection *c, short events)
{
	if (c->fd >= 0 && c->due_ms != 0 && c->due_ms <= real_ms())
		flush(c);
	if (c->fd >= 0 && (events & (POLLIN | POLLHUP | POLLERR)) != 0)
		receive(v, c);
	if (c->fd >= 0)
		take_request(v, c);
}

static void *serve(void *arg)
{
	static const int tick = 1;
	struct sim_server *v = arg;
	struct pollfd set[CONNECTIONS_MAX + 2];

	for (;;) {
		int wait = prepare(v, set);

		FB_ASSERT(poll(set, FB_COUNT(set), wait < 0 ? -1 : wait + (wait > 0 ? tick : 0)) >= 0);
		if (set[0].revents != 0)
			return NULL;
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			serve_one(v, &v->connections[i], set[i + 2].revents);
		if (set[1].revents != 0)
			welcome(v);
	}
}

static void listen_somewhere(struct sim_server *v)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);

	v->listener = socket(AF_INET, SOCK_STREAM, 0);
	FB_ASSERT(bind(v->listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	FB_ASSERT(listen(v->listener, 128) == 0);
	FB_ASSERT(getsockname(v->listener, (struct sockaddr *)&at, &len) == 0);
	snprintf(v->url, sizeof(v->url), "http://127.0.0.1:%u/", ntohs(at.sin_port));
}

void sim_serve_start(struct fb_sim *s)
{
	struct sim_server *v = fb_must_alloc(1, sizeof(*v));

	v->sim = s;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		v->connections[i].fd = -1;
	listen_somewhere(v);
	FB_ASSERT(pipe(v->wake) == 0);
	s->server = v;
	FB_ASSERT(pthread_create(&v->thread, NULL, serve, v) == 0);
}

void sim_serve_stop(struct fb_sim *s)
{
	struct sim_server *v = s->server;

	FB_ASSERT(write(v->wake[1], "x", 1) == 1);
	pthread_join(v->thread, NULL);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (v->connections[i].fd >= 0)
			drop(&v->connections[i]);
	close(v->listener);
	close(v->wake[0]);
	close(v->wake[1]);
	free(v);
}
