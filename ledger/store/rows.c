/* Rows: one read, one durable batch, a walk in key order. */
#include "store_int.h"

#include <string.h>

enum fb_status fb_store_get(struct fb_store *s, uint8_t *out, size_t *out_len, size_t cap, struct fb_str key)
{
	char *text = NULL;
	rocksdb_pinnableslice_t *found = rocksdb_get_pinned(s->db, s->get_options, key.at, key.len, &text);
	const char *value;
	size_t len;

	if (text != NULL) {
		rocksdb_free(text);
		return FB_STORAGE;
	}
	if (found == NULL)
		return FB_NOT_FOUND;
	value = rocksdb_pinnableslice_value(found, &len);
	if (len <= cap) {
		if (len > 0)
			memcpy(out, value, len);
		*out_len = len;
	}
	rocksdb_pinnableslice_destroy(found);
	return len <= cap ? FB_OK : FB_TOO_LARGE;
}

static void fill_batch(rocksdb_writebatch_t *batch, const struct fb_put *puts, size_t count)
{
	rocksdb_writebatch_clear(batch);
	for (size_t i = 0; i < count; i++) {
		const struct fb_put *p = &puts[i];

		FB_ASSERT(p->key.len > 0 && p->key.len <= FB_PUT_KEY_MAX);
		FB_ASSERT(p->value.len <= FB_PUT_VALUE_MAX);
		if (p->remove)
			rocksdb_writebatch_delete(batch, p->key.at, p->key.len);
		else
			rocksdb_writebatch_put(batch, p->key.at, p->key.len, p->value.at, p->value.len);
	}
}

enum fb_status fb_store_commit(struct fb_store *s, const struct fb_put *puts, size_t count)
{
	char *text = NULL;

	FB_ASSERT(count > 0 && count <= FB_STORE_BATCH_MAX);
	FB_ASSERT(!atomic_exchange(&s->committing, true));
	if (!s->poisoned) {
		fill_batch(s->batch, puts, count);
		rocksdb_write(s->db, s->commit_options, s->batch, &text);
		s->poisoned = text != NULL;
		if (s->poisoned)
			store_take_text(s->failure.text, sizeof(s->failure.text), text);
	}
	atomic_store(&s->committing, false);
	return s->poisoned ? FB_STORAGE : FB_OK;
}

const char *fb_store_failure(const struct fb_store *s)
{
	return s->failure.text;
}

enum fb_status fb_store_scan(struct fb_store *s, struct fb_str prefix,
			     bool (*each)(void *arg, struct fb_str key, struct fb_str value), void *arg)
{
	/* An iterator is one consistent snapshot by itself. */
	rocksdb_iterator_t *it = rocksdb_create_iterator(s->db, s->get_options);
	char *text = NULL;
	bool more = true;

	for (rocksdb_iter_seek(it, prefix.at, prefix.len); more && rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
		struct fb_str key, value;

		key.at = rocksdb_iter_key(it, &key.len);
		if (!fb_str_starts(key, prefix))
			break;
		value.at = rocksdb_iter_value(it, &value.len);
		more = each(arg, key, value);
	}
	rocksdb_iter_get_error(it, &text);
	rocksdb_iter_destroy(it);
	if (text == NULL)
		return FB_OK;
	rocksdb_free(text);
	return FB_STORAGE;
}
