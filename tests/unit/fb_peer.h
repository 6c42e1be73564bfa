/* A TCP server on loopback for tests of what asks over HTTP: one thread accepts, one thread a connection
 * reads requests and hands each to the test's function, which answers as badly as the test wants.
 *
 * Everything shared is behind one lock; a peer stops and joins all its threads when closed. */
#ifndef FB_PEER_H
#define FB_PEER_H
#include "farebox/core.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEER_CONNECTIONS_MAX = 64, PEER_REQUEST_MAX = 1 << 20 };

struct peer;
struct peer_call {
	struct peer *peer;
	int fd;
	size_t request_nr;  /* of the peer, from 0 */
	size_t of_connection; /* from 0 */
	struct fb_str head, body;
	bool close;         /* set by the function: end the connection after this */
};
struct peer {
	void (*answer)(void *arg, struct peer_call *call);
	void *arg;
	int listener;
	char url[64]; /* http://127.0.0.1:PORT/ */
	pthread_t acceptor;
	pthread_mutex_t lock;
	size_t requests;
	bool stopping;
	size_t connection_count;
	struct { pthread_t thread; int fd; } connections[PEER_CONNECTIONS_MAX];
};
struct peer_connection {
	struct peer *peer;
	int fd;
};

static inline void peer_sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static inline void peer_put(struct peer_call *call, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(call->fd, bytes, len, MSG_NOSIGNAL);

		if (n <= 0) {
			call->close = true;
			return;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

static inline void peer_text(struct peer_call *call, const char *text)
{
	peer_put(call, text, strlen(text));
}

static inline void peer_reply(struct peer_call *call, unsigned code, const char *type, struct fb_str body)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %u X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", code, type,
			 body.len);

	peer_put(call, head, (size_t)n);
	peer_put(call, body.at, body.len);
}

static inline bool peer_is_stopping(struct peer *p)
{
	bool stopping;

	pthread_mutex_lock(&p->lock);
	stopping = p->stopping;
	pthread_mutex_unlock(&p->lock);
	return stopping;
}

/* Says nothing more until the other side gives up or the peer is closed. */
static inline void peer_hang(struct peer_call *call)
{
	char byte;

	while (recv(call->fd, &byte, 1, 0) > 0)
		;
	call->close = true;
}

static inline size_t peer_requests(struct peer *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->requests;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static inline size_t peer_connections(struct peer *p)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->connection_count;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static inline size_t peer_content_length(const char *head)
{
	const char *at = strstr(head, "Content-Length: ");
	size_t n = 0;

	for (at = at == NULL ? "" : at + 16; *at >= '0' && *at <= '9'; at++)
		n = n * 10 + (size_t)(*at - '0');
	return n;
}

/* Reads one request into buf; false at the end of the connection. */
static inline bool peer_read(int fd, char *buf, struct peer_call *call)
{
	size_t len = 0, head = 0, want = SIZE_MAX;

	while (len < want) {
		ssize_t n = len < PEER_REQUEST_MAX - 1 ? recv(fd, buf + len, PEER_REQUEST_MAX - 1 - len, 0) : 0;
		char *end;

		if (n <= 0)
			return false;
		len += (size_t)n;
		buf[len] = '\0';
		end = want == SIZE_MAX ? strstr(buf, "\r\n\r\n") : NULL;
		if (end != NULL) {
			head = (size_t)(end - buf) + 4;
			want = head + peer_content_length(buf);
		}
	}
	call->head = (struct fb_str){ buf, head };
	call->body = (struct fb_str){ buf + head, len - head };
	return true;
}

static inline void *peer_serve(void *arg)
{
	struct peer_connection c = *(struct peer_connection *)arg;
	char *buf = malloc(PEER_REQUEST_MAX);
	struct peer_call call = { .peer = c.peer, .fd = c.fd };

	free(arg);
	while (!call.close && peer_read(c.fd, buf, &call)) {
		pthread_mutex_lock(&c.peer->lock);
		call.request_nr = c.peer->requests++;
		pthread_mutex_unlock(&c.peer->lock);
		c.peer->answer(c.peer->arg, &call);
		call.of_connection++;
	}
	shutdown(c.fd, SHUT_RDWR); /* closed by whoever joins: the number must not be used again before */
	free(buf);
	return NULL;
}

static inline void *peer_accept(void *arg)
{
	struct peer *p = arg;
	int fd;

	while ((fd = accept(p->listener, NULL, NULL)) >= 0) {
		struct peer_connection *c = malloc(sizeof(*c));
		size_t i;

		*c = (struct peer_connection){ p, fd };
		pthread_mutex_lock(&p->lock);
		FB_ASSERT(p->connection_count < PEER_CONNECTIONS_MAX);
		i = p->connection_count++;
		p->connections[i].fd = fd;
		FB_ASSERT(pthread_create(&p->connections[i].thread, NULL, peer_serve, c) == 0);
		pthread_mutex_unlock(&p->lock);
	}
	return NULL;
}

/* A listening socket on a free port, and its URL. */
static inline int peer_listen(char *url, size_t cap)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	FB_ASSERT(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	FB_ASSERT(listen(fd, 128) == 0);
	FB_ASSERT(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	snprintf(url, cap, "http://127.0.0.1:%u/", ntohs(at.sin_port));
	return fd;
}

static inline struct peer *peer_open(void (*answer)(void *arg, struct peer_call *call), void *arg)
{
	struct peer *p = calloc(1, sizeof(*p));

	p->answer = answer;
	p->arg = arg;
	p->listener = peer_listen(p->url, sizeof(p->url));
	FB_ASSERT(pthread_mutex_init(&p->lock, NULL) == 0);
	FB_ASSERT(pthread_create(&p->acceptor, NULL, peer_accept, p) == 0);
	return p;
}

static inline void peer_close(struct peer *p)
{
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_mutex_unlock(&p->lock);
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->acceptor, NULL);
	close(p->listener);
	for (size_t i = 0; i < p->connection_count; i++) {
		shutdown(p->connections[i].fd, SHUT_RDWR);
		pthread_join(p->connections[i].thread, NULL);
		close(p->connections[i].fd);
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* The URL of a port on which nobody listens. */
static inline void peer_dead_url(char *url, size_t cap)
{
	close(peer_listen(url, cap));
}
#endif /* FB_PEER_H */
