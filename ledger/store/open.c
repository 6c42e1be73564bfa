/* Opening and closing: the directory, its lock, RocksDB in it, and what the operator is told when it refuses. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char distrust_name[] = "distrust";
enum {
	DIRECTORY_MODE = 0700,
	FILE_MODE = 0600,
	NAME_MAX_LEN = 48, /* of anything we make in the directory */
	REASON_MAX = 160,  /* bytes of RocksDB's words kept in a message */
};

#ifdef __SANITIZE_THREAD__
/* The RocksDB of the system is not instrumented: ThreadSanitizer sees what its threads hand to memcpy and memcmp,
 * directly or through its own libraries, but not the atomics by which they agree, and takes that for races. Read by
 * the sanitizer's runtime, in such builds. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:librocksdb.so\ncalled_from_lib:libstdc++.so\ncalled_from_lib:liblz4.so\n";
}
#endif

void store_take_text(char *out, size_t cap, char *text)
{
	size_t len = strnlen(text, cap - 1);

	FB_ASSERT(cap > 0);
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] == '\n' ? ' ' : text[i];
	out[len] = '\0';
	rocksdb_free(text);
}

void store_path(char out[STORE_PATH_MAX], const char *directory, const char *name)
{
	int len = snprintf(out, STORE_PATH_MAX, "%s/%s", directory, name);

	FB_ASSERT(len > 0 && len < STORE_PATH_MAX);
}

/* The new name is durable when the directory above it is. */
static bool sync_above(int directory)
{
	int above = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = above >= 0 && fsync(above) == 0;

	if (above >= 0)
		close(above);
	return ok;
}

static enum fb_status open_directory(int *out, const char *path, bool create, struct fb_error *e)
{
	bool created = create && mkdir(path, DIRECTORY_MODE) == 0;
	int fd;

	if (create && !created && errno != EEXIST)
		return fb_error_set(e, FB_STORAGE, "cannot create the data directory %s: %s", path, strerror(errno));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fb_error_set(e, FB_STORAGE, "cannot open the data directory %s: %s", path, strerror(errno));
	if (created && !sync_above(fd)) {
		close(fd);
		return fb_error_set(e, FB_STORAGE, "cannot make the data directory %s durable: %s", path, strerror(errno));
	}
	*out = fd;
	return FB_OK;
}

/* RocksDB has a lock of its own, but tells its conflict only in prose. */
static enum fb_status lock_directory(int fd, const char *path, struct fb_error *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return FB_OK;
	if (errno == EWOULDBLOCK)
		return fb_error_set(e, FB_BUSY, "the data directory %s is in use by another farebox: stop it first, "
				    "or give this one a directory of its own", path);
	return fb_error_set(e, FB_STORAGE, "cannot lock the data directory %s: %s", path, strerror(errno));
}

enum fb_status store_make(struct fb_store **out, const char *directory, bool reader, struct fb_error *e)
{
	int fd = -1;
	enum fb_status st;
	struct fb_store *s;

	if (strlen(directory) > STORE_PATH_MAX - NAME_MAX_LEN)
		return fb_error_set(e, FB_STORAGE, "the name of the data directory is too long: at most %d bytes",
				    STORE_PATH_MAX - NAME_MAX_LEN);
	st = open_directory(&fd, directory, !reader, e);
	if (st == FB_OK && !reader)
		st = lock_directory(fd, directory, e);
	if (st != FB_OK) {
		if (fd >= 0)
			close(fd);
		return st;
	}
	s = fb_must_alloc(1, sizeof(*s));
	s->is_reader = reader;
	s->lock = fd;
	s->anchor = -1;
	memcpy(s->directory, directory, strlen(directory) + 1);
	store_path(s->rows, directory, "rows");
	store_options_make(s);
	*out = s;
	return FB_OK;
}

enum fb_status store_refuse(const struct fb_store *s, char *rocksdb_text, struct fb_error *e)
{
	char reason[REASON_MAX];

	store_take_text(reason, sizeof(reason), rocksdb_text);
	if (fb_str_starts(fb_str_of(reason), FB_STR("Corruption")))
		return fb_error_set(e, FB_STORAGE, "the records in %s are damaged; delete nothing: copy the directory, then "
				    "restore it from a backup (%s)", s->directory, reason);
	return fb_error_set(e, FB_STORAGE, "cannot open the records in %s: %s", s->directory, reason);
}

enum fb_status store_open_rows(struct fb_store *s, struct fb_error *e)
{
	char *text = NULL;
	enum fb_status st;

	s->db = rocksdb_open_column_families(s->options, s->rows, FB_FAMILY_END, store_family_names,
					     (const rocksdb_options_t *const *)s->family_options, s->families, &text);
	if (text == NULL)
		return FB_OK;
	st = store_refuse(s, text, e);
	fb_store_close(s);
	return st;
}

/* Files of a bulk that a crash left. */
static enum fb_status empty_bulk_directory(struct fb_store *s, struct fb_error *e)
{
	char path[STORE_PATH_MAX];

	store_path(path, s->directory, "bulk");
	store_files_remove(path);
	if (mkdir(path, DIRECTORY_MODE) == 0)
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "cannot create %s: %s", path, strerror(errno));
}

/* Where there is an anchor there have been rows. RocksDB would make an empty database without its file CURRENT, and
 * remove all other files. */
static enum fb_status check_rows_exist(const struct fb_store *s, struct fb_error *e)
{
	char current[STORE_PATH_MAX];
	struct stat info;

	rocksdb_options_set_create_if_missing(s->options, s->anchor < 0);
	store_path(current, s->directory, "CURRENT");
	if (stat(current, &info) == 0)
		return fb_error_set(e, FB_STORAGE, "the records in %s are laid out as an earlier version did: move all of its "
				    "files into %s", s->directory, s->rows);
	store_path(current, s->rows, "CURRENT");
	if (s->anchor < 0 || stat(current, &info) == 0)
		return FB_OK;
	return fb_error_set(e, FB_STORAGE, "the records are missing: there is an anchor in %s but no %s; delete nothing: "
			    "copy the directory, then restore it from a backup", s->directory, current);
}

enum fb_status fb_store_open(struct fb_store **out, const char *directory, struct fb_error *e)
{
	struct fb_store *s;
	enum fb_status st = store_make(&s, directory, false, e);

	if (st != FB_OK)
		return st;
	st = store_anchor_open(s, e);
	if (st == FB_OK)
		st = check_rows_exist(s, e);
	if (st == FB_OK)
		st = empty_bulk_directory(s, e);
	if (st != FB_OK) {
		fb_store_close(s);
		return st;
	}
	st = store_open_rows(s, e);
	if (st == FB_OK)
		*out = s;
	return st;
}

void store_close_rows(struct fb_store *s)
{
	for (unsigned i = 0; i < FB_FAMILY_END; i++) {
		if (s->families[i] != NULL)
			rocksdb_column_family_handle_destroy(s->families[i]);
		s->families[i] = NULL;
	}
	if (s->db != NULL)
		rocksdb_close(s->db);
	s->db = NULL;
}

static enum fb_status replace_family(struct fb_store *s, enum fb_family family, struct fb_error *e)
{
	char *text = NULL;

	rocksdb_drop_column_family(s->db, s->families[family], &text);
	if (text != NULL)
		return store_refuse(s, text, e);
	rocksdb_column_family_handle_destroy(s->families[family]);
	s->families[family] = rocksdb_create_column_family(s->db, s->family_options[family], store_family_names[family],
							   &text);
	return text == NULL ? FB_OK : store_refuse(s, text, e);
}

enum fb_status fb_store_clear_derived(struct fb_store *s, struct fb_error *e)
{
	enum fb_status st;

	if (store_before(STORE_CLEAR))
		return fb_error_set(e, FB_STORAGE, "a test wants it");
	st = replace_family(s, FB_FAMILY_DERIVED, e);
	if (st == FB_OK && store_after(STORE_CLEAR))
		st = fb_error_set(e, FB_STORAGE, "a test wants it");
	if (st == FB_OK)
		unlinkat(s->lock, distrust_name, 0);
	return st;
}

void fb_store_distrust_derived(struct fb_store *s)
{
	int fd = s->is_reader ? -1 : openat(s->lock, distrust_name, O_WRONLY | O_CREAT | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return; /* it will turn out again */
	fsync(s->lock);
	close(fd);
}

bool fb_store_distrusts_derived(const struct fb_store *s)
{
	return faccessat(s->lock, distrust_name, F_OK, 0) == 0;
}

void fb_store_close(struct fb_store *s)
{
	if (s == NULL)
		return;
	FB_ASSERT(!atomic_load(&s->committing));
	store_close_rows(s);
	store_options_free(s);
	if (s->scratch[0] != '\0')
		store_files_remove(s->scratch);
	if (s->anchor >= 0)
		close(s->anchor);
	close(s->lock); /* last: nobody else opens before everything is closed */
	free(s);
}
