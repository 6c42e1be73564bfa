/* The listening socket: a numeric address, bound, with a reason when it cannot be. */
#include "http_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union any_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool parse(union any_address *a, socklen_t *len, const char *bind_to, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, bind_to, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*len = sizeof(a->v4);
		return true;
	}
	if (inet_pton(AF_INET6, bind_to, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		*len = sizeof(a->v6);
		return true;
	}
	return false;
}

static bool open_at(int fd, const union any_address *a, socklen_t len)
{
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 && bind(fd, &a->any, len) == 0 &&
	       listen(fd, LISTEN_BACKLOG) == 0;
}

static uint16_t bound_port(int fd)
{
	union any_address a;
	socklen_t len = sizeof(a);

	FB_ASSERT(getsockname(fd, &a.any, &len) == 0);
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

enum fb_status fb_http_listen(int *out, uint16_t *port, const struct fb_http_settings *s, struct fb_error *e)
{
	union any_address a;
	socklen_t len;
	int fd, why;

	if (!parse(&a, &len, s->bind, s->port))
		return fb_error_set(e, FB_IO, "cannot listen on \"%s\": want a numeric IPv4 or IPv6 address", s->bind);
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && open_at(fd, &a, len)) {
		*out = fd;
		*port = bound_port(fd);
		return FB_OK;
	}
	why = errno;
	if (fd >= 0)
		close(fd);
	return fb_error_set(e, why == EADDRINUSE ? FB_CONFLICT : FB_IO, "cannot listen on %s port %u: %s", s->bind, (unsigned)s->port, strerror(why));
}
