/* What this process has used so far: processor, disk, memory. */
#include "ledger_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	FB_ASSERT(clock_gettime(clock, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The number behind `name`, in a file of /proc. */
static uint64_t proc_number(const char *path, const char *name)
{
	char text[2048], *at;
	size_t len;
	FILE *f = fopen(path, "r");

	FB_ASSERT(f != NULL);
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	at = strstr(text, name);
	FB_ASSERT(at != NULL);
	return strtoull(at + strlen(name), NULL, 10);
}

void usage_read(struct usage *out, clockid_t writer)
{
	out->process_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	out->load_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	out->writer_ns = clock_ns(writer);
	out->written = proc_number("/proc/self/io", "\nwrite_bytes:");
}

uint64_t usage_resident(void)
{
	return proc_number("/proc/self/statm", " ") * (uint64_t)sysconf(_SC_PAGESIZE);
}
