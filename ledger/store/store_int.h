/* Inside ledger/store: the open database. */
#ifndef FB_STORE_INT_H
#define FB_STORE_INT_H
#include "farebox/store.h"
#include "probe.h"

#include <rocksdb/c.h>
#include <stdatomic.h>

enum { STORE_PATH_MAX = 512 };

struct fb_store {
	char directory[STORE_PATH_MAX]; /* the data directory */
	char rows[STORE_PATH_MAX];      /* where RocksDB is */
	char scratch[STORE_PATH_MAX];   /* a directory to be removed at the end, "": none */
	bool is_reader;
	int lock;                       /* descriptor of the data directory, locked unless this is a reader */
	int anchor;                     /* descriptor of the anchor, -1 while there is none */
	unsigned slot;                  /* of the anchor: the one to be written next */
	enum fb_status newest_status;   /* of the anchor: what was read before RocksDB was opened, or written since */
	struct fb_anchor newest;
	struct fb_error newest_error;
	rocksdb_t *db;
	rocksdb_column_family_handle_t *families[FB_FAMILY_END];
	rocksdb_options_t *options; /* of the database */
	rocksdb_options_t *family_options[FB_FAMILY_END];
	rocksdb_cache_t *cache;
	rocksdb_readoptions_t *get_options, *walk_options;
	rocksdb_writeoptions_t *commit_options;
	rocksdb_writebatch_t *batch; /* of the committing thread, reused */
	atomic_bool committing;      /* proves that there is one such thread */
	bool poisoned;
	struct fb_error failure;     /* why */
};

/* ---- open.c */
/* `directory`/`name` into out; asserts that it fits: fb_store_open refuses longer directories. */
void store_path(char out[STORE_PATH_MAX], const char *directory, const char *name);
/* A store that has its directory and, unless `reader`, its lock, but no database yet. */
enum fb_status store_make(struct fb_store **out, const char *directory, bool reader, struct fb_error *e);
/* Opens RocksDB at s->rows. On failure s is closed. */
enum fb_status store_open_rows(struct fb_store *s, struct fb_error *e);
void store_close_rows(struct fb_store *s);
/* Takes over a text that RocksDB allocated: copies it, cut, without line breaks. */
void store_take_text(char *out, size_t cap, char *text);
enum fb_status store_refuse(const struct fb_store *s, char *rocksdb_text, struct fb_error *e);

/* ---- options.c */
extern const char *const store_family_names[FB_FAMILY_END];
void store_options_make(struct fb_store *s);
void store_options_free(struct fb_store *s);
/* Opens up to the first damaged record of the log, instead of refusing. */
void store_options_tolerate_damage(struct fb_store *s);

/* ---- anchor.c */
enum { ANCHOR_SLOT_LEN = 4096, ANCHOR_LEN = 2 * ANCHOR_SLOT_LEN };
enum fb_status store_anchor_open(struct fb_store *s, struct fb_error *e);
/* What the file says now: the newest of the two slots. */
enum fb_status store_anchor_read(const struct fb_store *s, struct fb_anchor *out, unsigned *slot, struct fb_error *e);
enum fb_status store_anchor_make_at(int directory, const struct fb_anchor *a, struct fb_error *e);

/* ---- files.c */
/* Copies every plain file into `to`, which is made; tables, which never change, are linked if `link`. Durable. */
enum fb_status store_files_copy(const char *to, const char *from, bool link, struct fb_error *e);
/* The directory and the plain files in it. */
void store_files_remove(const char *path);
#endif /* FB_STORE_INT_H */
