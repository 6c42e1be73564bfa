/* The file of request bodies, one a line, kept in memory for the whole run. */
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void stop(const char *path)
{
	fprintf(stderr, "bench_load: %s: cannot be read, or holds no line\n", path);
	exit(2);
}

static struct fb_str map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *at;

	if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0)
		stop(path);
	at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (at == MAP_FAILED)
		stop(path);
	close(fd);
	return (struct fb_str){ at, (size_t)info.st_size };
}

static size_t count_lines(struct fb_str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.at[i] == '\n';
	return count;
}

void load_bodies_read(struct load_bodies *out, const char *path)
{
	struct fb_str rest = map_file(path), line;

	out->line = fb_must_alloc(count_lines(rest), sizeof(*out->line));
	out->count = 0;
	while (fb_str_split(&line, &rest, rest, '\n'))
		out->line[out->count++] = line;
	if (out->count == 0)
		stop(path);
}
