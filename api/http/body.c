/* The body of a request: memory follows what really arrived, never what was announced. */
#include "http_int.h"

#include <stdlib.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t first_cap(const struct body *b)
{
	return min(b->announced > 0 ? b->announced : b->max, BODY_FIRST);
}

static bool grow(struct body *b, size_t want)
{
	size_t cap = b->cap > 0 ? b->cap : first_cap(b);
	char *at;

	while (cap < want)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	at = realloc(b->at, cap);
	if (at == NULL)
		return false;
	b->at = at;
	b->cap = cap;
	return true;
}

/* What comes after a fault is read for a while, so that the client finishes and sees our answer. */
static bool discard(struct body *b, size_t len)
{
	b->discarded += len;
	return b->discarded <= BODY_DISCARD_MAX;
}

bool fb_http_body_add(struct body *b, const char *bytes, size_t len)
{
	FB_ASSERT(b->len <= b->cap && b->len <= b->max);
	FB_ASSERT(len > 0);
	if (b->status == FB_OK && len > b->max - b->len)
		b->status = FB_TOO_LARGE;
	if (b->status == FB_OK && len > b->cap - b->len && !grow(b, b->len + len))
		b->status = FB_NO_MEMORY;
	if (b->status != FB_OK)
		return discard(b, len);
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
	return true;
}

void fb_http_body_free(struct body *b)
{
	free(b->at);
	*b = (struct body){ .at = NULL };
}
