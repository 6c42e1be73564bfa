/* An HTTP client as small as it gets, for tests of a server on loopback: one connection a request. */
#ifndef FB_CLIENT_H
#define FB_CLIENT_H
#include "fb_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_ANSWER_MAX = 8192 };

/* Sends the whole of a request to 127.0.0.1. */
static inline int client_send(unsigned port, struct fb_str request)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(write(fd, request.at, request.len) == (ssize_t)request.len);
	return fd;
}

/* The whole answer, terminated, until the next one is read. */
static inline const char *client_read(int fd)
{
	static char text[CLIENT_ANSWER_MAX];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	CHECK(n == 0);
	text[len] = '\0';
	close(fd);
	return text;
}
#endif /* FB_CLIENT_H */
