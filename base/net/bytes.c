/* Bytes of one message in a block that grows, has a limit, and is used again for the next message. */
#include "net_int.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_START = 4096, BLOCK_KEPT = 64 << 10 };

void fb_bytes_reserve(struct fb_bytes *b, size_t need)
{
	size_t cap = b->cap == 0 ? BLOCK_START : b->cap;
	char *at;

	if (need <= b->cap)
		return;
	while (cap < need)
		cap *= 2;
	at = realloc(b->at, cap);
	if (at == NULL)
		fb_panic(__FILE__, __LINE__, __func__, "out of memory");
	b->at = at;
	b->cap = cap;
}

bool fb_bytes_add(struct fb_bytes *b, const char *at, size_t len, size_t max)
{
	FB_ASSERT(b->len <= b->cap);
	if (b->len > max || len > max - b->len)
		return false;
	if (len == 0)
		return true;
	fb_bytes_reserve(b, b->len + len);
	memcpy(b->at + b->len, at, len);
	b->len += len;
	return true;
}

void fb_bytes_clear(struct fb_bytes *b)
{
	if (b->cap > BLOCK_KEPT) {
		free(b->at);
		*b = (struct fb_bytes){ 0 };
	}
	b->len = 0;
}
