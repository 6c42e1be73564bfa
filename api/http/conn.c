/* Connections from accept to close: who is at the other end, whether there is room, and their deadlines.
 *
 * libmicrohttpd's own timeout starts anew with every byte; these deadlines are absolute. A connection has one at any
 * time: for its next request, for the rest of a request, for a continuation, or for taking the answer. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "http_int.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { NS_PER_MS = 1000000, HURRY_MS = 1000 };

static void cut(struct conn *c)
{
	shutdown(c->fd, SHUT_RDWR); /* libmicrohttpd sees the end and closes */
	c->cut = true;
	c->deadline_ns = UINT64_MAX;
}

static void put_v4(struct conn *c, struct fb_buf *peer, const struct in_addr *a, uint16_t port)
{
	char text[INET_ADDRSTRLEN];

	memset(c->address.bytes + 10, 0xff, 2);
	memcpy(c->address.bytes + 12, a, 4);
	FB_ASSERT(inet_ntop(AF_INET, a, text, sizeof(text)) != NULL);
	fb_buf_printf(peer, "%s:%u", text, (unsigned)ntohs(port));
}

static void put_v6(struct conn *c, struct fb_buf *peer, const struct in6_addr *a, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	memcpy(c->address.bytes, a, 8);
	FB_ASSERT(inet_ntop(AF_INET6, a, text, sizeof(text)) != NULL);
	fb_buf_printf(peer, "[%s]:%u", text, (unsigned)ntohs(port));
}

static void set_peer(struct conn *c, const struct sockaddr *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;
	struct fb_buf peer;
	struct in_addr mapped;

	fb_buf_init(&peer, c->peer, sizeof(c->peer));
	if (sa->sa_family == AF_INET) {
		put_v4(c, &peer, &v4->sin_addr, v4->sin_port);
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(&mapped, v6->sin6_addr.s6_addr + 12, sizeof(mapped));
		put_v4(c, &peer, &mapped, v6->sin6_port);
	} else {
		put_v6(c, &peer, &v6->sin6_addr, v6->sin6_port);
	}
	FB_ASSERT(!peer.overflowed);
	c->peer_len = peer.len;
}

static void link_conn(struct worker *w, struct conn *c)
{
	c->worker = w;
	c->next = w->conns;
	if (w->conns != NULL)
		w->conns->prev = c;
	w->conns = c;
	w->conn_count++;
}

static void unlink_conn(struct worker *w, struct conn *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		w->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	FB_ASSERT(w->conn_count > 0);
	w->conn_count--;
}

static struct conn *start(struct worker *w, struct MHD_Connection *mhd)
{
	int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		shutdown(fd, SHUT_RDWR);
		return NULL;
	}
	c->fd = fd;
	set_peer(c, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	link_conn(w, c);
	fb_metric_add(w->http->metrics, FB_M_HTTP_CONNECTIONS, 1);
	fb_http_conn_deadline(c, w->http->settings.read_ms);
	c->counted = fb_http_crowd_enter(w->http->crowd, &c->address);
	if (!c->counted)
		cut(c);
	return c;
}

static void end(struct worker *w, struct conn *c)
{
	FB_ASSERT(c->worker == w);
	if (c->exchange != NULL)
		fb_http_exchange_lost(c->exchange);
	FB_ASSERT(c->exchange == NULL);
	if (c->counted)
		fb_http_crowd_leave(w->http->crowd, &c->address);
	fb_metric_sub(w->http->metrics, FB_M_HTTP_CONNECTIONS, 1);
	unlink_conn(w, c);
	free(c);
}

void fb_http_conn_notify(void *worker, struct MHD_Connection *mhd, void **slot,
			 enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*slot = start(worker, mhd);
	} else if (*slot != NULL) {
		end(worker, *slot);
		*slot = NULL;
	}
}

struct conn *fb_http_conn_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void fb_http_conn_deadline(struct conn *c, uint64_t ms)
{
	if (!c->cut)
		c->deadline_ns = fb_http_now(c->worker->http) + ms * NS_PER_MS;
}

bool fb_http_conn_left(const struct conn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1;
}

static void reap(struct conn *c, uint64_t now)
{
	const struct fb_http *h = c->worker->http;

	fb_metric_add(h->metrics, FB_M_HTTP_REAPED, 1);
	fb_log(h->log, FB_EV_CONNECTION_REAPED, FB_F_STR("peer", fb_conn_peer(c)),
	       FB_F_U64("ms", (now - c->exchange->started_ns) / NS_PER_MS));
	cut(c);
}

static void on_deadline(struct conn *c, uint64_t now, bool hurry)
{
	if (c->exchange == NULL) {
		cut(c);
		return;
	}
	switch (c->exchange->stage) {
	case STAGE_HEAD:
	case STAGE_BODY:
		reap(c, now);
		return;
	case STAGE_WAITING:
		fb_http_wait_expire(c->exchange);
		c->deadline_ns = UINT64_MAX;
		return;
	case STAGE_REPLYING:
		if (c->deadline_ns <= now)
			cut(c);
		else if (hurry && c->deadline_ns > now + (uint64_t)HURRY_MS * NS_PER_MS)
			c->deadline_ns = now + (uint64_t)HURRY_MS * NS_PER_MS;
		return;
	case STAGE_HANDLER:
		break;
	}
	FB_UNREACHABLE("handlers run on this thread");
}

/* Nothing more will come, and nothing is left to read. */
static bool at_end(const struct conn *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* A client's end that arrives together with its last bytes is no event of its own, and libmicrohttpd overlooks it. So
 * whoever owes us a request is looked at, at ever longer intervals. */
static void look_for_end(struct conn *c)
{
	if (c->exchange != NULL && c->exchange->stage > STAGE_BODY)
		return;
	c->sweeps++;
	if (c->sweeps > 1 && (c->sweeps & (c->sweeps - 1)) == 0 && at_end(c))
		cut(c);
}

void fb_http_conns_sweep(struct worker *w, uint64_t now, bool hurry)
{
	for (struct conn *c = w->conns; c != NULL; c = c->next) {
		if (c->cut)
			continue;
		if (hurry || c->deadline_ns <= now)
			on_deadline(c, now, hurry);
		else
			look_for_end(c);
	}
}

void fb_http_conns_cut_idle(struct worker *w)
{
	for (struct conn *c = w->conns; c != NULL; c = c->next)
		if (!c->cut && c->exchange == NULL)
			cut(c);
}
