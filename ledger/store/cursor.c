/* Cursors: a place in a family, moved both ways, over one consistent snapshot. */
#include "store_int.h"

#include <stdlib.h>

struct fb_cursor {
	rocksdb_iterator_t *it; /* is a snapshot by itself */
};

void fb_cursor_open(struct fb_cursor **out, struct fb_store *s, enum fb_family family)
{
	struct fb_cursor *c = fb_must_alloc(1, sizeof(*c));

	c->it = rocksdb_create_iterator_cf(s->db, s->walk_options, s->families[family]);
	*out = c;
}

void fb_cursor_close(struct fb_cursor *c)
{
	rocksdb_iter_destroy(c->it);
	free(c);
}

bool fb_cursor_seek(struct fb_cursor *c, struct fb_str key)
{
	rocksdb_iter_seek(c->it, key.at, key.len);
	return rocksdb_iter_valid(c->it);
}

bool fb_cursor_seek_back(struct fb_cursor *c, struct fb_str key)
{
	rocksdb_iter_seek_for_prev(c->it, key.at, key.len);
	return rocksdb_iter_valid(c->it);
}

bool fb_cursor_next(struct fb_cursor *c)
{
	FB_ASSERT(rocksdb_iter_valid(c->it));
	rocksdb_iter_next(c->it);
	return rocksdb_iter_valid(c->it);
}

bool fb_cursor_back(struct fb_cursor *c)
{
	FB_ASSERT(rocksdb_iter_valid(c->it));
	rocksdb_iter_prev(c->it);
	return rocksdb_iter_valid(c->it);
}

struct fb_str fb_cursor_key(const struct fb_cursor *c)
{
	struct fb_str key;

	key.at = rocksdb_iter_key(c->it, &key.len);
	return key;
}

struct fb_str fb_cursor_value(const struct fb_cursor *c)
{
	struct fb_str value;

	value.at = rocksdb_iter_value(c->it, &value.len);
	return value;
}

enum fb_status fb_cursor_status(const struct fb_cursor *c)
{
	char *text = NULL;

	rocksdb_iter_get_error(c->it, &text);
	if (text == NULL)
		return FB_OK;
	rocksdb_free(text);
	return FB_STORAGE;
}
