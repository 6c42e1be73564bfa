/* A data directory read beside its owner, as it was when it was opened. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_NAME_MAX = 64, READER_TRIES = 50 };

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
