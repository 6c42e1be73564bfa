/* String views and bounded text. No locale, no ctype: bytes are what they are. */
#include "farebox/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct fb_str fb_str_of(const char *text)
{
	return (struct fb_str){ text == NULL ? "" : text, text == NULL ? 0 : strlen(text) };
}

bool fb_str_eq(struct fb_str a, struct fb_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool fb_str_eq_nocase(struct fb_str a, struct fb_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool fb_str_starts(struct fb_str s, struct fb_str prefix)
{
	return s.len >= prefix.len && fb_str_eq((struct fb_str){ s.at, prefix.len }, prefix);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct fb_str fb_str_trim(struct fb_str s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s.at++, s.len--;
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool fb_str_split(struct fb_str *head, struct fb_str *tail, struct fb_str s, char at)
{
	const char *found = s.len == 0 ? NULL : memchr(s.at, at, s.len);
	size_t before;

	if (found == NULL)
		return false;
	before = (size_t)(found - s.at);
	*head = (struct fb_str){ s.at, before };
	*tail = (struct fb_str){ found + 1, s.len - before - 1 };
	return true;
}

bool fb_bytes_eq_secret(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (uint8_t)(x[i] ^ y[i]);
	return differ == 0;
}

void fb_buf_init(struct fb_buf *b, char *block, size_t cap)
{
	FB_ASSERT(block != NULL || cap == 0);
	*b = (struct fb_buf){ .at = block, .cap = cap };
}

void fb_buf_put(struct fb_buf *b, const void *bytes, size_t len)
{
	FB_ASSERT(b->len <= b->cap);
	if (b->overflowed || len > b->cap - b->len) {
		b->overflowed = true;
		return;
	}
	if (len > 0)
		memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

void fb_buf_char(struct fb_buf *b, char c)
{
	fb_buf_put(b, &c, 1);
}

void fb_buf_str(struct fb_buf *b, struct fb_str s)
{
	fb_buf_put(b, s.at, s.len);
}

void fb_buf_text(struct fb_buf *b, const char *text)
{
	fb_buf_put(b, text, strlen(text));
}

void fb_buf_printf(struct fb_buf *b, const char *format, ...)
{
	char text[1024]; /* one printf is a phrase, not a page */
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	FB_ASSERT(n >= 0);
	if ((size_t)n >= sizeof(text))
		b->overflowed = true;
	else
		fb_buf_put(b, text, (size_t)n);
}
