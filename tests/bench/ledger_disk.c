/* The raw limits of a disk: durable writes one after the other, at the end of a growing file and over what is there
 * already. Prints JSON. Started by tests/bench/ledger. */
#define _GNU_SOURCE
#include "ledger_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_MAX = 65536, OVERWRITE_BYTES = 64 << 20, FILE_MODE = 0600 };

static uint8_t block[BLOCK_MAX];

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_ledger_disk: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Written once, so that nothing about the file changes any more. */
static void fill(int fd)
{
	for (off_t at = 0; at < OVERWRITE_BYTES; at += BLOCK_MAX)
		must(pwrite(fd, block, BLOCK_MAX, at) == BLOCK_MAX, "write");
	must(fsync(fd) == 0, "fsync");
}

static void write_durably(struct histogram *h, int fd, size_t bytes, bool over, uint64_t seconds)
{
	struct fb_clock clock = fb_os_clock();
	uint64_t now = clock.mono_ns(clock.ctx), end = now + seconds * UINT64_C(1000000000);
	off_t at = 0;

	while (now < end) {
		uint64_t start = now;

		must(pwrite(fd, block, bytes, over ? at % OVERWRITE_BYTES : at) == (ssize_t)bytes, "write");
		must(fdatasync(fd) == 0, "fdatasync");
		at += (off_t)bytes;
		now = clock.mono_ns(clock.ctx);
		histogram_add(h, now - start);
	}
}

static void measure(const char *path, size_t bytes, bool over, uint64_t seconds)
{
	static struct histogram h;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

	h = (struct histogram){ .count = 0 };
	must(fd >= 0, path);
	must(unlink(path) == 0, path);
	if (over)
		fill(fd);
	write_durably(&h, fd, bytes, over, seconds);
	close(fd);
	printf("{\"write\": \"%s\", \"bytes\": %zu, \"per_second\": %.1f", over ? "overwrite" : "append", bytes,
	       (double)h.count / (double)seconds);
	printf(", \"p50_us\": %.1f, \"p99_us\": %.1f}", (double)histogram_at(&h, 5000) / 1e3,
	       (double)histogram_at(&h, 9900) / 1e3);
}

int main(int arg_count, char **args)
{
	static const size_t sizes[] = { 512, 4096, BLOCK_MAX };
	uint64_t seconds;

	if (arg_count != 3 || fb_u64_parse(&seconds, fb_str_of(args[2])) != FB_OK || seconds == 0 ||
	    seconds > LOAD_SECONDS_MAX) {
		fprintf(stderr, "usage: bench_ledger_disk FILE SECONDS (FILE is made and removed)\n");
		return 2;
	}
	printf("[");
	for (unsigned over = 0; over < 2; over++)
		for (size_t i = 0; i < FB_COUNT(sizes); i++) {
			printf(over + i == 0 ? "" : ",\n\t");
			measure(args[1], sizes[i], over == 1, seconds);
		}
	printf("]\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
