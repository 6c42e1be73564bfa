/* The raw request target. Property 1: no input breaks the parser. Property 2: a path that passes is absolute, holds no
 * control byte and no empty or dot segment but perhaps an empty last one. Property 3: it has a text (everything escaped
 * that may be) that parses to the same path again. Property 4: every value that a query gives is free of NUL, and
 * asking twice gives the same. */
#include "farebox/http.h"

#include <string.h>

enum { INPUT_MAX = 4096, ARENA = 65536 };

static char first_block[ARENA] __attribute__((aligned(16))), second_block[ARENA] __attribute__((aligned(16)));

static void check_path(struct fb_str path)
{
	size_t start = 1;

	FB_ASSERT(path.len > 0 && path.at[0] == '/');
	for (size_t i = 1; i <= path.len; i++) {
		FB_ASSERT(i == path.len || ((unsigned char)path.at[i] >= 0x20 && path.at[i] != 0x7f && path.at[i] != '\\'));
		if (i < path.len && path.at[i] != '/')
			continue;
		FB_ASSERT(i > start || i == path.len);
		FB_ASSERT(!(i - start == 1 && path.at[start] == '.'));
		FB_ASSERT(!(i - start == 2 && path.at[start] == '.' && path.at[start + 1] == '.'));
		start = i + 1;
	}
}

static void check_round_trip(struct fb_str path, struct fb_str host)
{
	static char text[3 * INPUT_MAX];
	struct fb_buf raw;
	struct fb_arena a;
	struct fb_target again;
	const char *why = NULL;

	fb_buf_init(&raw, text, sizeof(text));
	for (size_t i = 0; i < path.len; i++) {
		if (path.at[i] == '/')
			fb_buf_char(&raw, '/');
		else
			fb_buf_printf(&raw, "%%%02X", (unsigned)(unsigned char)path.at[i]);
	}
	FB_ASSERT(!raw.overflowed);
	fb_arena_init(&a, second_block, sizeof(second_block));
	FB_ASSERT(fb_target_parse(&again, &why, &a, fb_buf_view(&raw), host) == FB_OK);
	FB_ASSERT(fb_str_eq(again.path, path) && again.query.len == 0);
}

static void check_query(struct fb_arena *a, struct fb_str query)
{
	static const char *const names[] = { "q", "", "a b" };
	struct fb_request r = { .query = query, .arena = a };

	for (size_t i = 0; i < FB_COUNT(names); i++) {
		struct fb_str one = { NULL, 0 }, two = { NULL, 0 };
		enum fb_status st = fb_request_query(&r, &one, names[i]);

		FB_ASSERT(st == FB_OK || st == FB_NOT_FOUND || st == FB_BAD_SYNTAX);
		FB_ASSERT(st == fb_request_query(&r, &two, names[i]));
		FB_ASSERT(fb_str_eq(one, two));
		FB_ASSERT(one.len == 0 || memchr(one.at, '\0', one.len) == NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str raw = { (const char *)data, size }, host = FB_STR("shop.example:8402");
	struct fb_target t = { .path = { NULL, 0 } };
	struct fb_arena a;
	const char *why = NULL;
	enum fb_status st;

	if (size > INPUT_MAX)
		return 0;
	fb_arena_init(&a, first_block, sizeof(first_block));
	st = fb_target_parse(&t, &why, &a, raw, host);
	FB_ASSERT(st == FB_OK || (st == FB_BAD_REQUEST && why != NULL && t.path.at == NULL));
	if (st != FB_OK)
		return 0;
	check_path(t.path);
	check_round_trip(t.path, host);
	check_query(&a, t.query);
	return 0;
}
