/* Bulk: sorted files written beside the log, then shown together. */
#include "store_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BULK_FILES_MAX = 16, BULK_NAME_MAX = 32 };

struct fb_bulk {
	struct fb_store *store;
	enum fb_family family;
	rocksdb_envoptions_t *env;
	rocksdb_sstfilewriter_t *writer;
	bool writing; /* a file is open in writer */
	char paths[BULK_FILES_MAX][STORE_PATH_MAX];
	size_t files;
	bool failed;
	struct fb_error failure;
};

/* Keeps the first failure. */
static void take(struct fb_bulk *b, char *text)
{
	if (text == NULL)
		return;
	if (b->failed)
		rocksdb_free(text);
	else
		store_take_text(b->failure.text, sizeof(b->failure.text), text);
	b->failed = true;
}

static void fail(struct fb_bulk *b, const char *why)
{
	if (!b->failed)
		fb_error_set(&b->failure, FB_STORAGE, "%s", why);
	b->failed = true;
}

void fb_bulk_open(struct fb_bulk **out, struct fb_store *s, enum fb_family family)
{
	struct fb_bulk *b = fb_must_alloc(1, sizeof(*b));

	b->store = s;
	b->family = family;
	b->env = rocksdb_envoptions_create();
	b->writer = rocksdb_sstfilewriter_create(b->env, s->family_options[family]);
	*out = b;
}

static void end_file(struct fb_bulk *b)
{
	char *text = NULL;

	if (!b->writing)
		return;
	b->writing = false;
	if (store_before(STORE_BULK_FILE)) {
		fail(b, "a test wants it");
		return;
	}
	rocksdb_sstfilewriter_finish(b->writer, &text); /* with an fsync */
	take(b, text);
	if (store_after(STORE_BULK_FILE))
		fail(b, "a test wants it");
}

static void start_file(struct fb_bulk *b)
{
	char name[BULK_NAME_MAX];
	char *text = NULL;

	FB_ASSERT(b->files < BULK_FILES_MAX && !b->writing);
	snprintf(name, sizeof(name), "bulk/%u-%zu.sst", (unsigned)b->family, b->files);
	store_path(b->paths[b->files], b->store->directory, name);
	rocksdb_sstfilewriter_open(b->writer, b->paths[b->files++], &text);
	take(b, text);
	b->writing = text == NULL;
}

/* False: the bulk has failed. */
static bool prepare(struct fb_bulk *b, struct fb_str key)
{
	FB_ASSERT(key.len > 0 && key.len <= FB_PUT_KEY_MAX);
	if (!b->writing && !b->failed)
		start_file(b);
	return !b->failed;
}

void fb_bulk_put(struct fb_bulk *b, struct fb_str key, struct fb_str value)
{
	char *text = NULL;

	FB_ASSERT(value.len <= FB_PUT_VALUE_MAX);
	if (!prepare(b, key))
		return;
	rocksdb_sstfilewriter_put(b->writer, key.at, key.len, value.at, value.len, &text);
	take(b, text);
}

void fb_bulk_remove(struct fb_bulk *b, struct fb_str key)
{
	char *text = NULL;

	if (!prepare(b, key))
		return;
	rocksdb_sstfilewriter_delete(b->writer, key.at, key.len, &text);
	take(b, text);
}

void fb_bulk_split(struct fb_bulk *b)
{
	end_file(b);
}

enum fb_status fb_bulk_finish(struct fb_bulk *b)
{
	end_file(b);
	return b->failed ? FB_STORAGE : FB_OK;
}

static void ingest(struct fb_bulk *b)
{
	rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
	const char *paths[BULK_FILES_MAX];
	char *text = NULL;

	for (size_t i = 0; i < b->files; i++)
		paths[i] = b->paths[i];
	rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
	rocksdb_ingest_external_file_cf(b->store->db, b->store->families[b->family], paths, b->files, options, &text);
	rocksdb_ingestexternalfileoptions_destroy(options);
	take(b, text);
}

enum fb_status fb_bulk_ingest(struct fb_bulk *b)
{
	FB_ASSERT(b->files > 0 && !b->writing);
	if (!b->failed && store_before(STORE_BULK_INGEST))
		fail(b, "a test wants it");
	if (!b->failed)
		ingest(b);
	if (!b->failed && store_after(STORE_BULK_INGEST))
		fail(b, "a test wants it");
	return b->failed ? FB_STORAGE : FB_OK;
}

uint64_t fb_store_unmerged(struct fb_store *s)
{
	uint64_t files = 0;

	if (store_before(STORE_MERGE))
		return UINT64_MAX;
	if (rocksdb_property_int_cf(s->db, s->families[FB_FAMILY_DERIVED], "rocksdb.num-files-at-level0", &files) != 0)
		return 0;
	return files;
}

const char *fb_bulk_failure(const struct fb_bulk *b)
{
	return b->failure.text;
}

void fb_bulk_close(struct fb_bulk *b)
{
	for (size_t i = 0; i < b->files; i++)
		remove(b->paths[i]); /* of an ingested file the second name */
	rocksdb_sstfilewriter_destroy(b->writer);
	rocksdb_envoptions_destroy(b->env);
	free(b);
}
