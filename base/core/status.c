/* The status table, panics, and sentences for humans. */
#include "farebox/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void fb_panic(const char *file, int line, const char *func, const char *what)
{
	fprintf(stderr, "PANIC %s:%d %s(): %s\n", file, line, func, what);
	fflush(stderr);
	abort();
}

const struct fb_status_info *fb_status_info(enum fb_status s)
{
	static const struct fb_status_info table[] = {
#define X(name, num, http, retry, api) [num] = { api, http, retry },
		FB_STATUS_TABLE(X)
#undef X
	};
	size_t i = (size_t)s;

	FB_ASSERT(i < FB_COUNT(table));
	FB_ASSERT(table[i].name != NULL);
	return &table[i];
}

enum fb_status fb_error_set(struct fb_error *e, enum fb_status s, const char *format, ...)
{
	va_list args;

	FB_ASSERT(s != FB_OK);
	if (e == NULL)
		return s;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	return s;
}

void *fb_must_alloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (p == NULL)
		fb_panic(__FILE__, __LINE__, __func__, "out of memory");
	return p;
}
