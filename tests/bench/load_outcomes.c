/* The file that tells what came of every request, so that the chain can be asked whether it is true. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct load_outcomes {
	FILE *file;
	const char *path;
};

static _Noreturn void stop(const char *path)
{
	fprintf(stderr, "bench_load: %s: cannot be written\n", path);
	exit(2);
}

struct load_outcomes *load_outcomes_open(const char *path)
{
	struct load_outcomes *o;

	if (path == NULL)
		return NULL;
	o = fb_must_alloc(1, sizeof(*o));
	*o = (struct load_outcomes){ .file = fopen(path, "we"), .path = path };
	if (o->file == NULL)
		stop(path);
	return o;
}

void load_outcomes_add(struct load_outcomes *o, uint64_t body, const char *what, struct fb_str answer)
{
	if (o == NULL)
		return;
	fprintf(o->file, "%" PRIu64 "\t%s\t", body, what);
	for (size_t i = 0; i < answer.len; i++)
		fputc((unsigned char)answer.at[i] < ' ' ? ' ' : answer.at[i], o->file);
	fputc('\n', o->file);
}

void load_outcomes_close(struct load_outcomes *o)
{
	bool failed;

	if (o == NULL)
		return;
	failed = ferror(o->file) != 0;
	if (fclose(o->file) != 0 || failed)
		stop(o->path);
	free(o);
}
