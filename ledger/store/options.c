/* RocksDB's options: what a batch promises, and how each family is kept. */
#include "store_int.h"

enum {
	ROWS_BUFFER_BYTES = 8 << 20,
	JOURNAL_BUFFER_BYTES = 32 << 20,
	DERIVED_BUFFER_BYTES = 8 << 20,
	LOG_BYTES_MAX = 128 << 20, /* of RocksDB's log: what a start may have to read */
	CACHE_BYTES = 16 << 20,
	OPEN_FILES_MAX = 512,
	DERIVED_FILE_BYTES = 64 << 20,
	DERIVED_LEVEL_BYTES = 512 << 20,
	DERIVED_NEW_FILES = 24, /* bulk files that wait to be merged: eight bulks of three kinds */
	NEVER = 1 << 20,
	INFO_LOG_FATAL = 4,             /* rocksdb::FATAL_LEVEL: nothing, see make_database_options */
	INFO_LOG_FILES = 2,             /* one is made at every open, and stays empty */
	RECOVERY_TOLERATE_TORN_END = 0, /* any other damage in the log refuses to open; the library's default skips it */
	RECOVERY_UP_TO_DAMAGE = 2,
	/* A key that is absent, the usual case for a new payment, costs no read: with ten bits it would in one case of a
	 * hundred, and an id is looked for in a dozen files. */
	BLOOM_BITS = 15,
};

const char *const store_family_names[FB_FAMILY_END] = {
	[FB_FAMILY_ROWS] = "default",
	[FB_FAMILY_JOURNAL] = "journal",
	[FB_FAMILY_DERIVED] = "derived",
};

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

static void make_database_options(struct fb_store *s)
{
	s->options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(s->options, 1);
	rocksdb_options_set_create_missing_column_families(s->options, 1);
	rocksdb_options_set_paranoid_checks(s->options, 1);
	rocksdb_options_set_wal_recovery_mode(s->options, RECOVERY_TOLERATE_TORN_END);
	rocksdb_options_set_max_total_wal_size(s->options, LOG_BYTES_MAX);
	rocksdb_options_set_max_open_files(s->options, OPEN_FILES_MAX);
	/* On a full disk RocksDB 7.8 cannot write its own log either, and ends the process by an assertion at the line
	 * after. What it has to say comes back as errors anyway. */
	rocksdb_options_set_info_log_level(s->options, INFO_LOG_FATAL);
	rocksdb_options_set_keep_log_file_num(s->options, INFO_LOG_FILES);
	rocksdb_options_set_stats_dump_period_sec(s->options, 0);
	set_options_without_function(s);
}

/* Bulks never wait for merges, and must not hold up commits either, which a backlog of any family does. */
static void let_bulks_pile_up(rocksdb_options_t *options)
{
	rocksdb_options_set_target_file_size_base(options, DERIVED_FILE_BYTES);
	rocksdb_options_set_max_bytes_for_level_base(options, DERIVED_LEVEL_BYTES);
	rocksdb_options_set_level0_file_num_compaction_trigger(options, DERIVED_NEW_FILES);
	rocksdb_options_set_level0_slowdown_writes_trigger(options, NEVER);
	rocksdb_options_set_level0_stop_writes_trigger(options, NEVER);
	rocksdb_options_set_soft_pending_compaction_bytes_limit(options, 0);
	rocksdb_options_set_hard_pending_compaction_bytes_limit(options, 0);
}

static rocksdb_options_t *make_family_options(struct fb_store *s, size_t buffer_bytes, int compression, bool bloom)
{
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

	rocksdb_block_based_options_set_block_cache(table, s->cache);
	if (bloom)
		rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
	rocksdb_options_set_block_based_table_factory(options, table);
	rocksdb_block_based_options_destroy(table);
	rocksdb_options_set_write_buffer_size(options, buffer_bytes);
	rocksdb_options_set_compression(options, compression);
	return options;
}

void store_options_make(struct fb_store *s)
{
	make_database_options(s);
	s->cache = rocksdb_cache_create_lru(CACHE_BYTES);
	/* Rows are hashes, addresses and signed bytes: nothing to compress. Records are half zeros, and derived rows have
	 * been packed. */
	s->family_options[FB_FAMILY_ROWS] = make_family_options(s, ROWS_BUFFER_BYTES, rocksdb_no_compression, true);
	s->family_options[FB_FAMILY_JOURNAL] = make_family_options(s, JOURNAL_BUFFER_BYTES, rocksdb_lz4_compression, false);
	s->family_options[FB_FAMILY_DERIVED] = make_family_options(s, DERIVED_BUFFER_BYTES, rocksdb_no_compression, true);
	let_bulks_pile_up(s->family_options[FB_FAMILY_DERIVED]);
	s->get_options = rocksdb_readoptions_create();
	s->walk_options = rocksdb_readoptions_create();
	rocksdb_readoptions_set_fill_cache(s->walk_options, 0); /* a walk must not drive out what gets need */
	/* Nobody deletes ranges here. RocksDB 7.8, while it looks for such, takes a table that it cannot read for the end
	 * of its level: the walk goes on without that level's other tables and says nothing. */
	rocksdb_readoptions_set_ignore_range_deletions(s->walk_options, 1);
	s->commit_options = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(s->commit_options, 1);
	s->batch = rocksdb_writebatch_create();
}

void store_options_tolerate_damage(struct fb_store *s)
{
	rocksdb_options_set_wal_recovery_mode(s->options, RECOVERY_UP_TO_DAMAGE);
}

void store_options_free(struct fb_store *s)
{
	rocksdb_writebatch_destroy(s->batch);
	rocksdb_writeoptions_destroy(s->commit_options);
	rocksdb_readoptions_destroy(s->walk_options);
	rocksdb_readoptions_destroy(s->get_options);
	for (unsigned i = 0; i < FB_FAMILY_END; i++)
		rocksdb_options_destroy(s->family_options[i]);
	rocksdb_options_destroy(s->options);
	rocksdb_cache_destroy(s->cache);
}
