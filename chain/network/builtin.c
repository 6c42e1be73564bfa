/* The networks that are compiled in. */
#include "network_int.h"

#include <pthread.h>

enum { BUILTIN_MAX = 8 };

static struct fb_network networks[BUILTIN_MAX];

static void read_files(void)
{
	FB_ASSERT(fb_network_files_count <= BUILTIN_MAX);
	for (size_t i = 0; i < fb_network_files_count; i++) {
		struct fb_str text = { (const char *)fb_network_files[i].bytes, fb_network_files[i].len };

		FB_ASSERT(fb_network_parse(&networks[i], text, "built-in network", NULL) == FB_OK);
	}
}

static const struct fb_network *builtin(size_t i)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	FB_ASSERT(i < fb_network_files_count);
	FB_ASSERT(pthread_once(&once, read_files) == 0);
	return &networks[i];
}

size_t fb_network_builtin_count(void)
{
	return fb_network_files_count;
}

const char *fb_network_builtin_name(size_t i)
{
	return builtin(i)->name;
}

static enum fb_status not_found(struct fb_str name, struct fb_error *e)
{
	char text[200];
	struct fb_buf known;

	fb_buf_init(&known, text, sizeof(text));
	for (size_t i = 0; i < fb_network_files_count; i++)
		fb_buf_printf(&known, "%s%s (%s)", i > 0 ? ", " : "", builtin(i)->name, builtin(i)->caip2);
	name.len = name.len < FB_NETWORK_TEXT_MAX ? name.len : FB_NETWORK_TEXT_MAX;
	return fb_error_set(e, FB_NOT_FOUND, "no network is called \"%.*s\": there are %.*s", FB_STR_ARG(name),
			    FB_STR_ARG(fb_buf_view(&known)));
}

enum fb_status fb_network_builtin(struct fb_network *out, struct fb_str name, struct fb_error *e)
{
	for (size_t i = 0; i < fb_network_files_count; i++) {
		if (!fb_str_eq(name, fb_str_of(builtin(i)->name)) && !fb_str_eq(name, fb_str_of(builtin(i)->caip2)))
			continue;
		*out = *builtin(i);
		return FB_OK;
	}
	return not_found(name, e);
}
