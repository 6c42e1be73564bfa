/* A name that one process of the machine holds at a time: an abstract Unix socket, which goes with its process. */
#include "farebox/os.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(FB_OS_NAME_MAX < sizeof(((struct sockaddr_un *)NULL)->sun_path), "behind the byte of abstract names");

enum fb_status fb_os_hold(int *out, struct fb_str name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum fb_status st = FB_IO;

	FB_ASSERT(name.len > 0 && name.len <= FB_OS_NAME_MAX);
	if (fd < 0)
		return FB_IO;
	memcpy(at.sun_path + 1, name.at, name.len);
	if (bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name.len)) == 0) {
		*out = fd;
		return FB_OK;
	}
	if (errno == EADDRINUSE)
		st = FB_BUSY;
	close(fd);
	return st;
}

void fb_os_release(int held)
{
	close(held);
}
