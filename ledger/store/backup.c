/* Copies of a whole data directory: made while it is used, and turned back into one. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIRECTORY_MODE = 0700, FLUSH_ALWAYS = 0 };

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
