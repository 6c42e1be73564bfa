/* Plain files of the data directory: copied, listed, removed. */
#include "store_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 64 << 10, FILE_MODE = 0600, DIRECTORY_MODE = 0700 };

static bool copy_bytes(int from, int to)
{
	static _Thread_local char block[COPY_BYTES];
	ssize_t got;

	while ((got = read(from, block, sizeof(block))) > 0)
		for (ssize_t put = 0, n; put < got; put += n) {
			n = write(to, block + put, (size_t)(got - put));
			if (n < 0)
				return false;
		}
	return got == 0 && fsync(to) == 0;
}

static bool copy_file(int from, int to, const char *name)
{
	int in = openat(from, name, O_RDONLY | O_CLOEXEC);
	int out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
	bool ok = out >= 0 && copy_bytes(in, out);
	int reason = errno;

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	errno = reason;
	return ok;
}

/* Calls each with the name of every plain file, until it returns false. */
static bool each_file(int directory, bool (*each)(void *arg, const char *name), void *arg)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;
	bool more = dir != NULL;

	while (more && (entry = readdir(dir)) != NULL) {
		struct stat info;

		if (fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode))
			more = each(arg, entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	return more;
}

struct copy {
	int from, to;
	bool link;
};

static bool is_table(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && strcmp(name + len - 4, ".sst") == 0;
}

static bool copy_one(void *arg, const char *name)
{
	struct copy *c = arg;

	return (c->link && is_table(name) && linkat(c->from, name, c->to, name, 0) == 0) || copy_file(c->from, c->to, name);
}

enum fb_status store_files_copy(const char *to, const char *from, bool link, struct fb_error *e)
{
	struct copy c = { .from = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .to = -1, .link = link };
	bool ok = c.from >= 0 && mkdir(to, DIRECTORY_MODE) == 0;
	int reason;

	if (ok)
		c.to = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = c.to >= 0 && each_file(c.from, copy_one, &c) && fsync(c.to) == 0;
	reason = errno;
	if (c.to >= 0)
		close(c.to);
	if (c.from >= 0)
		close(c.from);
	return ok ? FB_OK : fb_error_set(e, FB_STORAGE, "cannot copy %s to %s: %s", from, to, strerror(reason));
}

static bool remove_one(void *arg, const char *name)
{
	unlinkat(*(const int *)arg, name, 0);
	return true;
}

void store_files_remove(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	each_file(fd, remove_one, &fd);
	close(fd);
	rmdir(path);
}
