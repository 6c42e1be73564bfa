/* Opening and closing: the directory, its lock, RocksDB's options, and what the operator is told when it refuses. */
#include "store_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WRITE_BUFFER_BYTES = 8 << 20,
	CACHE_BYTES = 8 << 20,
	OPEN_FILES_MAX = 256,
	INFO_LOG_FATAL = 4,             /* rocksdb::FATAL_LEVEL: nothing, see make_options */
	INFO_LOG_FILES = 2,             /* one is made at every open, and stays empty */
	RECOVERY_TOLERATE_TORN_END = 0, /* any other damage in the log refuses to open; the library's default skips it */
	BLOOM_BITS = 10,                /* a key that is absent, the usual case for a new payment, costs no read */
	NO_COMPRESSION = 0,             /* rows are hashes, addresses and signed bytes */
	DIRECTORY_MODE = 0700,
	REASON_MAX = 160, /* bytes of RocksDB's words kept in a message */
};

#ifdef __SANITIZE_THREAD__
/* The RocksDB of the system is not instrumented: ThreadSanitizer sees what its threads hand to memcpy and memcmp, but
 * not the atomics by which they agree, and takes that for races. Read by the sanitizer's runtime, in such builds. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:librocksdb.so\n";
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

/* The new name is durable when the directory above it is. */
static bool sync_above(int directory)
{
	int above = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = above >= 0 && fsync(above) == 0;

	if (above >= 0)
		close(above);
	return ok;
}

static enum fb_status open_directory(int *out, const char *path, struct fb_error *e)
{
	bool created = mkdir(path, DIRECTORY_MODE) == 0;
	int fd;

	if (!created && errno != EEXIST)
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

static void set_table_options(struct fb_store *s)
{
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

	s->cache = rocksdb_cache_create_lru(CACHE_BYTES);
	rocksdb_block_based_options_set_block_cache(table, s->cache);
	rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
	rocksdb_options_set_block_based_table_factory(s->options, table);
	rocksdb_block_based_options_destroy(table);
}

/* Notices a log file that was deleted, which no other option does; the C interface offers it as text alone. */
static void set_options_without_function(struct fb_store *s)
{
	rocksdb_options_t *base = s->options;
	char *text = NULL;

	s->options = rocksdb_options_create();
	rocksdb_get_options_from_string(base, "track_and_verify_wals_in_manifest=true", s->options, &text);
	FB_ASSERT(text == NULL);
	rocksdb_options_destroy(base);
}

static void make_options(struct fb_store *s)
{
	s->options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(s->options, 1);
	rocksdb_options_set_paranoid_checks(s->options, 1);
	rocksdb_options_set_wal_recovery_mode(s->options, RECOVERY_TOLERATE_TORN_END);
	rocksdb_options_set_write_buffer_size(s->options, WRITE_BUFFER_BYTES);
	rocksdb_options_set_max_open_files(s->options, OPEN_FILES_MAX);
	rocksdb_options_set_compression(s->options, NO_COMPRESSION);
	/* On a full disk RocksDB 7.8 cannot write its own log either, and ends the process by an assertion at the line
	 * after. What it has to say comes back as errors anyway. */
	rocksdb_options_set_info_log_level(s->options, INFO_LOG_FATAL);
	rocksdb_options_set_keep_log_file_num(s->options, INFO_LOG_FILES);
	rocksdb_options_set_stats_dump_period_sec(s->options, 0);
	set_options_without_function(s);
	set_table_options(s);
	s->get_options = rocksdb_readoptions_create();
	s->commit_options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(s->commit_options, 1);
	s->batch = rocksdb_writebatch_create();
}

static enum fb_status refuse(char *rocksdb_text, const char *path, struct fb_error *e)
{
	char reason[REASON_MAX];

	store_take_text(reason, sizeof(reason), rocksdb_text);
	if (fb_str_starts(fb_str_of(reason), FB_STR("Corruption")))
		return fb_error_set(e, FB_STORAGE, "the records in %s are damaged; delete nothing: copy the directory, then "
				    "restore it from a backup (%s)", path, reason);
	return fb_error_set(e, FB_STORAGE, "cannot open the records in %s: %s", path, reason);
}

enum fb_status fb_store_open(struct fb_store **out, const char *directory, struct fb_error *e)
{
	int fd = -1;
	enum fb_status st = open_directory(&fd, directory, e);
	struct fb_store *s;
	char *text = NULL;

	if (st != FB_OK)
		return st;
	st = lock_directory(fd, directory, e);
	if (st != FB_OK) {
		close(fd);
		return st;
	}
	s = fb_must_alloc(1, sizeof(*s));
	s->lock = fd;
	make_options(s);
	s->db = rocksdb_open(s->options, directory, &text);
	if (text != NULL) {
		fb_store_close(s);
		return refuse(text, directory, e);
	}
	*out = s;
	return FB_OK;
}

void fb_store_close(struct fb_store *s)
{
	if (s == NULL)
		return;
	FB_ASSERT(!atomic_load(&s->committing));
	if (s->db != NULL)
		rocksdb_close(s->db);
	rocksdb_writebatch_destroy(s->batch);
	rocksdb_writeoptions_destroy(s->commit_options);
	rocksdb_readoptions_destroy(s->get_options);
	rocksdb_options_destroy(s->options);
	rocksdb_cache_destroy(s->cache);
	close(s->lock); /* last: nobody else opens before everything is closed */
	free(s);
}
