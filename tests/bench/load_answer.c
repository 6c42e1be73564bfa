/* When is an answer whole, and what does it say: status line, Content-Length, Connection. */
#define _GNU_SOURCE
#include "load.h"

#include <string.h>

/* Takes a line off the front of *rest. */
static struct fb_str take_line(struct fb_str *rest)
{
	const char *end = memmem(rest->at, rest->len, "\r\n", 2);
	struct fb_str line = *rest;

	if (end != NULL)
		line.len = (size_t)(end - rest->at);
	rest->at += end == NULL ? line.len : line.len + 2;
	rest->len -= end == NULL ? line.len : line.len + 2;
	return line;
}

static enum fb_status read_status(unsigned *out, struct fb_str line)
{
	uint64_t code;

	if (line.len < 12 || !fb_str_starts(line, FB_STR("HTTP/1.1 ")))
		return FB_BAD_SYNTAX;
	if (fb_u64_parse(&code, (struct fb_str){ line.at + 9, 3 }) != FB_OK)
		return FB_BAD_SYNTAX;
	*out = (unsigned)code;
	return FB_OK;
}

static enum fb_status read_head(struct load_view *out, uint64_t *length, struct fb_str head)
{
	enum fb_status st = read_status(&out->status, take_line(&head));
	bool has_length = false;

	while (st == FB_OK && head.len > 0) {
		struct fb_str name, value;

		if (!fb_str_split(&name, &value, take_line(&head), ':'))
			return FB_BAD_SYNTAX;
		value = fb_str_trim(value);
		if (fb_str_eq_nocase(name, FB_STR("Content-Length"))) {
			has_length = true;
			st = fb_u64_parse(length, value);
		} else if (fb_str_eq_nocase(name, FB_STR("Connection"))) {
			out->close = fb_str_eq_nocase(value, FB_STR("close"));
		}
	}
	return st == FB_OK && !has_length ? FB_BAD_SYNTAX : st;
}

enum fb_status load_answer_view(struct load_view *out, const struct load_answer *a)
{
	const char *end = memmem(a->at, a->len, "\r\n\r\n", 4);
	struct load_view view = { 0 };
	uint64_t length = 0;
	size_t head_len, room;
	enum fb_status st;

	if (end == NULL)
		return a->len == sizeof(a->at) ? FB_BAD_SYNTAX : FB_PENDING;
	head_len = (size_t)(end - a->at) + 4;
	room = sizeof(a->at) - head_len;
	st = read_head(&view, &length, (struct fb_str){ a->at, head_len - 4 });
	if (st != FB_OK || length > room || a->len - head_len > length)
		return FB_BAD_SYNTAX; /* bytes behind the answer: nobody asked for them */
	if (a->len - head_len < length)
		return FB_PENDING;
	view.body = (struct fb_str){ a->at + head_len, (size_t)length };
	*out = view;
	return FB_OK;
}
