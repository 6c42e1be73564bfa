/* Rows: one read, one durable batch, a walk over a prefix. */
#include "store_int.h"

#include <string.h>

enum fb_status fb_store_get_from(struct fb_store *s, enum fb_family family, uint8_t *out, size_t *out_len, size_t cap,
				 struct fb_str key)
{
	char *text = NULL;
	rocksdb_pinnableslice_t *found = rocksdb_get_pinned_cf(s->db, s->get_options, s->families[family], key.at, key.len,
							       &text);
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

enum fb_status fb_store_get(struct fb_store *s, uint8_t *out, size_t *out_len, size_t cap, struct fb_str key)
{
	return fb_store_get_from(s, FB_FAMILY_ROWS, out, out_len, cap, key);
}

static bool give(rocksdb_pinnableslice_t *value, char *text, void (*found)(void *arg, size_t i, struct fb_str value),
		 void *arg, size_t i)
{
	struct fb_str bytes;

	if (value != NULL) {
		bytes.at = rocksdb_pinnableslice_value(value, &bytes.len);
		found(arg, i, bytes);
		rocksdb_pinnableslice_destroy(value);
	}
	rocksdb_free(text);
	return text == NULL;
}

enum fb_status fb_store_get_many(struct fb_store *s, enum fb_family family, const struct fb_str *keys, size_t count,
				 void (*found)(void *arg, size_t i, struct fb_str value), void *arg)
{
	const char *at[FB_STORE_GET_MANY_MAX];
	size_t len[FB_STORE_GET_MANY_MAX];
	rocksdb_pinnableslice_t *values[FB_STORE_GET_MANY_MAX];
	char *texts[FB_STORE_GET_MANY_MAX];
	bool ok = true;

	FB_ASSERT(count > 0 && count <= FB_STORE_GET_MANY_MAX);
	for (size_t i = 0; i < count; i++) {
		at[i] = keys[i].at;
		len[i] = keys[i].len;
	}
	rocksdb_batched_multi_get_cf(s->db, s->get_options, s->families[family], count, at, len, values, texts, false);
	for (size_t i = 0; i < count; i++)
		ok &= give(values[i], texts[i], found, arg, i);
	return ok ? FB_OK : FB_STORAGE;
}

static void add_journal(struct fb_store *s, const struct fb_put *row)
{
	FB_ASSERT(row->key.len > 0 && row->key.len <= FB_PUT_KEY_MAX && !row->remove);
	FB_ASSERT(row->value.len <= FB_STORE_JOURNAL_VALUE_MAX);
	rocksdb_writebatch_put_cf(s->batch, s->families[FB_FAMILY_JOURNAL], row->key.at, row->key.len, row->value.at,
				  row->value.len);
}

static void add_rows(rocksdb_writebatch_t *batch, const struct fb_put *puts, size_t count)
{
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

static bool write_batch(struct fb_store *s)
{
	char *text = NULL;

	if (store_before(STORE_COMMIT)) {
		fb_error_set(&s->failure, FB_STORAGE, "a test wants it");
		return false;
	}
	rocksdb_write(s->db, s->commit_options, s->batch, &text);
	if (text != NULL)
		store_take_text(s->failure.text, sizeof(s->failure.text), text);
	return text == NULL && !store_after(STORE_COMMIT);
}

static void add(struct fb_store *s, const struct fb_put *journal, const struct fb_put *puts, size_t count)
{
	FB_ASSERT(count <= FB_STORE_BATCH_MAX);
	if (journal != NULL)
		add_journal(s, journal);
	add_rows(s->batch, puts, count);
}

void fb_store_add(struct fb_store *s, const struct fb_put *journal, const struct fb_put *puts, size_t count)
{
	FB_ASSERT(!atomic_exchange(&s->committing, true));
	add(s, journal, puts, count);
	atomic_store(&s->committing, false);
}

enum fb_status fb_store_commit(struct fb_store *s, const struct fb_put *journal, const struct fb_put *puts,
			       size_t count)
{
	FB_ASSERT(!atomic_exchange(&s->committing, true));
	add(s, journal, puts, count);
	FB_ASSERT(rocksdb_writebatch_count(s->batch) > 0);
	if (!s->poisoned)
		s->poisoned = !write_batch(s);
	rocksdb_writebatch_clear(s->batch);
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
	struct fb_cursor *c;
	enum fb_status st;

	fb_cursor_open(&c, s, FB_FAMILY_ROWS);
	for (bool more = fb_cursor_seek(c, prefix); more && fb_str_starts(fb_cursor_key(c), prefix);)
		more = each(arg, fb_cursor_key(c), fb_cursor_value(c)) && fb_cursor_next(c);
	st = fb_cursor_status(c);
	fb_cursor_close(c);
	return st;
}
