/* Copies of a whole data directory: made while it is used, turned back into one, read beside its owner. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700, FLUSH_ALWAYS = 0 };
enum { LIST_NAME_MAX = 64, READER_TRIES = 50 };

/* A new directory, given by its descriptor. */
static enum fb_status make_directory(int *out, const char *path, struct fb_error *e)
{
	if (mkdir(path, DIRECTORY_MODE) != 0)
		return fb_error_set(e, errno == EEXIST ? FB_CONFLICT : FB_STORAGE, "cannot create %s: %s", path,
				    strerror(errno));
	*out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out >= 0 ? FB_OK : fb_error_set(e, FB_STORAGE, "cannot open %s: %s", path, strerror(errno));
}

static enum fb_status check_length(const char *path, struct fb_error *e)
{
	if (strlen(path) <= STORE_PATH_MAX - sizeof("/rows/CURRENT"))
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "the name of the directory is too long: %zu bytes", strlen(path));
}

static enum fb_status checkpoint(struct fb_store *s, const char *target, struct fb_error *e)
{
	char path[STORE_PATH_MAX], *text = NULL;
	rocksdb_checkpoint_t *c = rocksdb_checkpoint_object_create(s->db, &text);

	store_path(path, target, "rows");
	if (text == NULL)
		rocksdb_checkpoint_create(c, path, FLUSH_ALWAYS, &text);
	if (c != NULL)
		rocksdb_checkpoint_object_destroy(c);
	return text == NULL ? FB_OK : store_refuse(s, text, e);
}

enum fb_status fb_store_backup(struct fb_store *s, const char *target, struct fb_error *e)
{
	struct fb_anchor anchor;
	unsigned slot;
	int fd = -1;
	enum fb_status st = check_length(target, e);

	FB_ASSERT(!s->is_reader);
	if (st == FB_OK) /* before the rows, so that it is not ahead of them */
		st = store_anchor_read(s, &anchor, &slot, e);
	if (st == FB_OK)
		st = make_directory(&fd, target, e);
	if (st == FB_OK)
		st = checkpoint(s, target, e);
	if (st == FB_OK)
		st = store_anchor_make_at(fd, &anchor, e);
	if (fd >= 0)
		close(fd);
	return st;
}

/* The anchor of a backup, which nobody else uses. */
static enum fb_status read_anchor(struct fb_anchor *out, const char *backup, struct fb_error *e)
{
	struct fb_store *s;
	enum fb_status st = store_make(&s, backup, true, e);

	if (st != FB_OK)
		return st;
	st = store_anchor_open(s, e);
	if (st == FB_OK)
		st = fb_store_anchor(s, out, e);
	fb_store_close(s);
	return st;
}

enum fb_status fb_store_restore(const char *backup, const char *target, struct fb_error *e)
{
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX];
	struct fb_anchor anchor;
	int fd = -1;
	enum fb_status st = check_length(target, e);

	if (st == FB_OK)
		st = read_anchor(&anchor, backup, e);
	if (st == FB_OK)
		st = make_directory(&fd, target, e);
	if (st == FB_OK) {
		store_path(from, backup, "rows");
		store_path(to, target, "rows");
		st = store_files_copy(to, from, false, e);
	}
	anchor.epoch++;
	if (st == FB_OK)
		st = store_anchor_make_at(fd, &anchor, e);
	if (fd >= 0)
		close(fd);
	return st;
}

/* RocksDB wants a directory for its own notes. */
static enum fb_status make_scratch(struct fb_store *s, struct fb_error *e)
{
	const char *base = getenv("TMPDIR");

	snprintf(s->scratch, sizeof(s->scratch), "%s/farebox-reader-XXXXXX", base == NULL ? "/tmp" : base);
	if (mkdtemp(s->scratch) != NULL)
		return FB_OK;
	s->scratch[0] = '\0';
	return fb_error_set(e, FB_STORAGE, "cannot create a temporary directory: %s", strerror(errno));
}

/* Where RocksDB lists its tables; it grows with every table. */
struct list_mark {
	char name[LIST_NAME_MAX];
	off_t size;
};

static bool mark_list(const struct fb_store *s, struct list_mark *out)
{
	char path[STORE_PATH_MAX + LIST_NAME_MAX];
	struct stat info;
	ssize_t len;
	int fd;

	memset(out, 0, sizeof(*out));
	store_path(path, s->rows, "CURRENT");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, out->name, sizeof(out->name) - 1);
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	out->name[len - 1] = '\0'; /* the line's end */
	snprintf(path, sizeof(path), "%s/%s", s->rows, out->name);
	if (stat(path, &info) != 0)
		return false;
	out->size = info.st_size;
	return true;
}

/* *steady: no table was added meanwhile. If one was, the list may have been read before it, and the log, which held its
 * rows, after it was removed: then they are missing without any sign. */
static enum fb_status open_reader_rows(struct fb_store *s, bool *steady, struct fb_error *e)
{
	struct list_mark before, after;
	bool marked = mark_list(s, &before);
	char *text = NULL;

	rocksdb_options_set_max_open_files(s->options, -1); /* the owner may remove a table that is still read here */
	s->db = rocksdb_open_as_secondary_column_families(s->options, s->rows, s->scratch, FB_FAMILY_END,
		store_family_names, (const rocksdb_options_t *const *)s->family_options, s->families, &text);
	*steady = !marked || (mark_list(s, &after) && strcmp(before.name, after.name) == 0 && before.size == after.size);
	return text == NULL ? FB_OK : store_refuse(s, text, e);
}

static enum fb_status open_reader_once(struct fb_store **out, const char *directory, bool *steady, struct fb_error *e)
{
	struct fb_store *s;
	enum fb_status st = store_make(&s, directory, true, e);

	*steady = true;
	if (st != FB_OK)
		return st;
	st = store_anchor_open(s, e);
	if (st == FB_OK)
		st = make_scratch(s, e);
	if (st == FB_OK)
		st = open_reader_rows(s, steady, e);
	if (st == FB_OK && *steady)
		*out = s;
	else
		fb_store_close(s);
	return st;
}

enum fb_status fb_store_open_reader(struct fb_store **out, const char *directory, struct fb_error *e)
{
	for (unsigned tries = 0; tries < READER_TRIES; tries++) {
		bool steady;
		enum fb_status st = open_reader_once(out, directory, &steady, e);

		if (steady)
			return st;
	}
	return fb_error_set(e, FB_BUSY, "the records in %s change too fast to be read beside their owner", directory);
}
