/* What this process has used so far: processor, disk, memory. */
#include "ledger_bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* What a thread of this process has used; 0 if it has another name. */
static uint64_t thread_ns(const char *id, const char *name)
{
	char path[64], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", id);
	f = fopen(path, "r");
	if (f == NULL || fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	if (f != NULL)
		fclose(f);
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, name) != 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/task/%.16s/schedstat", id);
	f = fopen(path, "r");
	FB_ASSERT(f != NULL && fgets(text, sizeof(text), f) != NULL);
	fclose(f);
	return strtoull(text, NULL, 10);
}

static uint64_t threads_ns(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	uint64_t ns = 0;

	FB_ASSERT(tasks != NULL);
	while ((task = readdir(tasks)) != NULL)
		if (task->d_name[0] != '.')
			ns += thread_ns(task->d_name, name);
	closedir(tasks);
	return ns;
}

void usage_read(struct usage *out)
{
	out->process_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	out->load_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	out->decide_ns = threads_ns("ledger");
	out->write_ns = threads_ns("ledger-write");
	out->fold_ns = threads_ns("ledger-fold");
	out->written = proc_number("/proc/self/io", "\nwrite_bytes:");
}

uint64_t usage_resident(void)
{
	return proc_number("/proc/self/statm", " ") * (uint64_t)sysconf(_SC_PAGESIZE);
}
