/* The listening sockets: a numeric address, bound, with a reason when it cannot be.
 *
 * Every worker has one of its own on the same port (SO_REUSEPORT), so that the kernel spreads connections evenly; on a
 * shared one, whichever worker is quicker takes nearly all. The first is bound without the option and gets it after,
 * before anyone listens: so a port that another process listens on, even with the option, counts as taken. */
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

static bool switch_on(int fd, int option)
{
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, option, &one, sizeof(one)) == 0;
}

static uint16_t bound_port(int fd)
{
	union any_address a;
	socklen_t len = sizeof(a);

	FB_ASSERT(getsockname(fd, &a.any, &len) == 0);
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* -1 with errno. */
static int open_bound(const union any_address *a, socklen_t len, bool is_first)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), why;

	if (fd < 0)
		return -1;
	if (switch_on(fd, SO_REUSEADDR) && (is_first || switch_on(fd, SO_REUSEPORT)) && bind(fd, &a->any, len) == 0 &&
	    (!is_first || switch_on(fd, SO_REUSEPORT)))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* False with errno; *opened says how many of fds are to be closed. */
static bool open_all(int *fds, unsigned *opened, unsigned count, union any_address *a, socklen_t len)
{
	for (*opened = 0; *opened < count; (*opened)++) {
		fds[*opened] = open_bound(a, len, *opened == 0);
		if (fds[*opened] < 0)
			return false;
		if (a->any.sa_family == AF_INET6)
			a->v6.sin6_port = htons(bound_port(fds[0]));
		else
			a->v4.sin_port = htons(bound_port(fds[0]));
	}
	for (unsigned i = 0; i < count; i++)
		if (listen(fds[i], LISTEN_BACKLOG) != 0)
			return false;
	return true;
}

enum fb_status fb_http_listen(int *fds, uint16_t *port, const struct fb_http_settings *s, struct fb_error *e)
{
	union any_address a;
	socklen_t len;
	unsigned opened;
	int why;

	if (!parse(&a, &len, s->bind, s->port))
		return fb_error_set(e, FB_IO, "cannot listen on \"%s\": want a numeric IPv4 or IPv6 address", s->bind);
	if (open_all(fds, &opened, s->threads, &a, len)) {
		*port = bound_port(fds[0]);
		return FB_OK;
	}
	why = errno;
	while (opened > 0)
		close(fds[--opened]);
	return fb_error_set(e, why == EADDRINUSE ? FB_CONFLICT : FB_IO, "cannot listen on %s port %u: %s", s->bind,
			    (unsigned)s->port, strerror(why));
}
