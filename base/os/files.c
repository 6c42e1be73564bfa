/* The few files the program reads and writes by itself: settings, secrets, directories. */
#include "farebox/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PATH_LEN_MAX = 4095, /* bytes of a path, the kernel's own limit */
	SECRET_MODE = 0600,
	DIRECTORY_MODE = 0700,
	NOT_THE_OWNER = 077, /* the permission bits of everybody else */
};

/* "cannot read PATH: REASON" from errno. */
static enum fb_status fail(struct fb_error *e, enum fb_status s, const char *verb, const char *path)
{
	return fb_error_set(e, s, "cannot %s %s: %s", verb, path, strerror(errno));
}

/* Reads to the end; a byte more than cap is TOO_LARGE. Bytes may be in out after a failure. */
static enum fb_status read_all(char *out, size_t *out_len, size_t cap, int fd, const char *path, struct fb_error *e)
{
	size_t len = 0;
	char extra;

	for (;;) {
		size_t room = cap - len;
		ssize_t n = read(fd, room > 0 ? out + len : &extra, room > 0 ? room : 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(e, FB_IO, "read", path);
		if (n == 0)
			break;
		if (room == 0)
			return fb_error_set(e, FB_TOO_LARGE, "cannot read %s: it is larger than %zu bytes", path, cap);
		len += (size_t)n;
		FB_ASSERT(len <= cap);
	}
	*out_len = len;
	return FB_OK;
}

static enum fb_status open_to_read(int *fd, const char *path, struct fb_error *e)
{
	int got = open(path, O_RDONLY | O_CLOEXEC);

	if (got < 0)
		return fail(e, errno == ENOENT || errno == ENOTDIR ? FB_NOT_FOUND : FB_IO, "read", path);
	*fd = got;
	return FB_OK;
}

enum fb_status fb_os_read_file(char *out, size_t *out_len, size_t cap, const char *path, struct fb_error *e)
{
	int fd = -1;
	enum fb_status st = open_to_read(&fd, path, e);

	if (st != FB_OK)
		return st;
	st = read_all(out, out_len, cap, fd, path, e);
	close(fd);
	return st;
}

/* Asks the open file, not the path: nobody can swap one for the other in between. */
static enum fb_status check_owner_only(int fd, const char *path, struct fb_error *e)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return fail(e, FB_IO, "read", path);
	if ((info.st_mode & NOT_THE_OWNER) != 0)
		return fb_error_set(e, FB_FORBIDDEN, "%s holds a secret and others may open it (mode %04o): "
				    "run chmod 600 on it", path, (unsigned)(info.st_mode & 07777));
	return FB_OK;
}

enum fb_status fb_os_read_secret(char *out, size_t *out_len, size_t cap, const char *path, struct fb_error *e)
{
	int fd = -1;
	enum fb_status st = open_to_read(&fd, path, e);

	if (st != FB_OK)
		return st;
	st = check_owner_only(fd, path, e);
	if (st == FB_OK) {
		st = read_all(out, out_len, cap, fd, path, e);
		if (st != FB_OK)
			explicit_bzero(out, cap); /* half a secret is still a secret */
	}
	close(fd);
	return st;
}

static bool write_all(int fd, struct fb_str text)
{
	size_t done = 0;

	while (done < text.len) {
		ssize_t n = write(fd, text.at + done, text.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* The directory part of path, "." if there is none. False if it does not fit. */
static bool parent_of(char out[PATH_LEN_MAX + 1], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	if (slash == path)
		len = 1;
	if (len > PATH_LEN_MAX)
		return false;
	memcpy(out, len == 0 ? "." : path, len == 0 ? 1 : len);
	out[len == 0 ? 1 : len] = '\0';
	return true;
}

/* A new name is durable when its directory is. */
static bool sync_parent(const char *path)
{
	char parent[PATH_LEN_MAX + 1];
	int fd;
	bool ok;

	if (!parent_of(parent, path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

enum fb_status fb_os_write_secret(const char *path, struct fb_str text, struct fb_error *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, SECRET_MODE);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return fb_error_set(e, FB_CONFLICT, "%s exists already and is never overwritten", path);
	if (fd < 0)
		return fail(e, FB_IO, "create", path);
	ok = write_all(fd, text) && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok && sync_parent(path))
		return FB_OK;
	(void)fail(e, FB_IO, "write", path);
	unlink(path); /* half a secret would look like one, and block the next try */
	return FB_IO;
}

static enum fb_status make_one(const char *path, struct fb_error *e)
{
	struct stat info;

	if (mkdir(path, DIRECTORY_MODE) == 0)
		return sync_parent(path) ? FB_OK : fail(e, FB_IO, "create directory", path);
	if (errno != EEXIST)
		return fail(e, FB_IO, "create directory", path);
	if (stat(path, &info) != 0)
		return fail(e, FB_IO, "look at", path);
	if (!S_ISDIR(info.st_mode))
		return fb_error_set(e, FB_IO, "cannot create directory %s: a file is in its place", path);
	return FB_OK;
}

enum fb_status fb_os_make_dirs(const char *path, struct fb_error *e)
{
	char part[PATH_LEN_MAX + 1];
	size_t len = strlen(path);

	if (len == 0 || len > PATH_LEN_MAX)
		return fb_error_set(e, FB_IO, "cannot create a directory with a name of %zu bytes", len);
	for (size_t i = 1; i <= len; i++) {
		enum fb_status st;

		if (i < len && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		st = make_one(part, e);
		if (st != FB_OK)
			return st;
	}
	return FB_OK;
}
