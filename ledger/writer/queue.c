/* Commits that wait: their copies, and the line they stand in. */
#include "writer_int.h"

#include <string.h>

static struct fb_str copy(char **at, struct fb_str s)
{
	struct fb_str own = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.at, s.len);
	*at += s.len;
	return own;
}

struct item *item_make(const struct fb_put *puts, size_t count, void (*done)(void *arg, enum fb_status status),
		       void *arg)
{
	size_t bytes = 0;
	struct item *i;
	char *at;

	FB_ASSERT(count > 0 && count <= FB_PUTS_MAX);
	for (size_t k = 0; k < count; k++) {
		FB_ASSERT(puts[k].key.len > 0 && puts[k].key.len <= FB_PUT_KEY_MAX);
		FB_ASSERT(puts[k].value.len <= FB_PUT_VALUE_MAX);
		bytes += puts[k].key.len + puts[k].value.len;
	}
	i = fb_must_alloc(1, sizeof(*i) + count * sizeof(i->puts[0]) + bytes);
	i->done = done;
	i->arg = arg;
	i->count = count;
	i->bytes = bytes;
	at = (char *)(i->puts + count);
	for (size_t k = 0; k < count; k++) {
		i->puts[k].key = copy(&at, puts[k].key);
		i->puts[k].value = copy(&at, puts[k].value);
		i->puts[k].remove = puts[k].remove;
	}
	return i;
}

void queue_push(struct queue *q, struct item *i)
{
	i->next = NULL;
	if (q->first == NULL)
		q->first = i;
	else
		q->last->next = i;
	q->last = i;
	q->rows += i->count;
	q->bytes += i->bytes;
}

static struct item *queue_pop(struct queue *q)
{
	struct item *i = q->first;

	FB_ASSERT(q->rows >= i->count && q->bytes >= i->bytes);
	q->first = i->next;
	if (q->first == NULL)
		q->last = NULL;
	q->rows -= i->count;
	q->bytes -= i->bytes;
	return i;
}

void queue_take(struct queue *out, struct queue *q, size_t rows_max, size_t bytes_max)
{
	FB_ASSERT(out->first == NULL);
	while (q->first != NULL && (out->first == NULL || (out->rows + q->first->count <= rows_max &&
							   out->bytes + q->first->bytes <= bytes_max)))
		queue_push(out, queue_pop(q));
}
