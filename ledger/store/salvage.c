/* Salvage: a damaged directory is opened as a copy, as far as its log can be read; the original is never touched. */
#define _GNU_SOURCE /* renameat2 */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAMAGED_MAX = 9 /* directories put aside */, NAME_LEN_MAX = 16 };

/* The first free name damaged-N. */
static enum fb_status find_name(const struct fb_store *s, char path[STORE_PATH_MAX], struct fb_error *e)
{
	struct stat info;

	for (unsigned n = 1; n <= DAMAGED_MAX; n++) {
		char name[NAME_LEN_MAX];

		snprintf(name, sizeof(name), "damaged-%u", n);
		store_path(path, s->directory, name);
		if (stat(path, &info) != 0 && errno == ENOENT)
			return FB_OK;
	}
	return fb_error_set(e, FB_STORAGE, "the records in %s are damaged, and there are %d damaged copies beside them "
			    "already: move those away first", s->directory, DAMAGED_MAX);
}

static enum fb_status make_copy(struct fb_store *s, struct fb_error *e)
{
	char original[STORE_PATH_MAX];
	enum fb_status st;

	memcpy(original, s->rows, sizeof(original));
	st = find_name(s, s->rows, e);
	if (st != FB_OK)
		return st;
	memcpy(s->scratch, s->rows, sizeof(s->scratch)); /* removed unless accepted */
	if (store_before(STORE_SALVAGE_COPY))
		return fb_error_set(e, FB_STORAGE, "a test wants it");
	st = store_files_copy(s->rows, original, true, e);
	if (st == FB_OK && store_after(STORE_SALVAGE_COPY))
		st = fb_error_set(e, FB_STORAGE, "a test wants it");
	return st;
}

enum fb_status fb_salvage_open(struct fb_store **out, const char *directory, struct fb_error *e)
{
	struct fb_store *s;
	enum fb_status st = store_make(&s, directory, false, e);

	if (st != FB_OK)
		return st;
	st = store_anchor_open(s, e);
	if (st == FB_OK)
		st = make_copy(s, e);
	if (st != FB_OK) {
		fb_store_close(s);
		return st;
	}
	rocksdb_options_set_create_if_missing(s->options, 0);
	store_options_tolerate_damage(s);
	st = store_open_rows(s, e);
	if (st == FB_OK)
		*out = s;
	return st;
}

static bool swap(const struct fb_store *s, const char *name)
{
	return !store_before(STORE_SALVAGE_SWAP) && renameat2(s->lock, name, s->lock, "rows", RENAME_EXCHANGE) == 0 &&
	       fsync(s->lock) == 0 && !store_after(STORE_SALVAGE_SWAP);
}

enum fb_status fb_salvage_accept(struct fb_store **out, struct fb_store *s, struct fb_buf *aside, struct fb_error *e)
{
	const char *name = strrchr(s->rows, '/') + 1;
	char directory[STORE_PATH_MAX];

	FB_ASSERT(s->scratch[0] != '\0' && !s->is_reader);
	store_close_rows(s);
	if (!swap(s, name)) {
		enum fb_status st = fb_error_set(e, FB_STORAGE, "cannot put %s in the place of the damaged rows: %s", s->rows,
						 strerror(errno));

		fb_store_close(s);
		return st;
	}
	s->scratch[0] = '\0';
	fb_buf_text(aside, s->rows);
	memcpy(directory, s->directory, sizeof(directory));
	fb_store_close(s);
	return fb_store_open(out, directory, e);
}
