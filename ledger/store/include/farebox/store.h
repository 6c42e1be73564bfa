/* farebox/store.h - durable rows: RocksDB behind one small door, and the anchor beside it.
 *
 * What it is  a data directory with three families of rows (key spaces of their own), and one small file outside of
 *             RocksDB, the anchor, that says how far the journal must reach:
 *               <directory>/rows       RocksDB          <directory>/anchor     two slots, see fb_anchor
 *               <directory>/bulk       files being made, emptied at open
 *               <directory>/damaged-N  what salvage put aside
 *               <directory>/distrust   there while derived rows are known to be damaged
 * Layer      2. RocksDB is linked by this library alone.
 * Promise    fb_store_commit returns FB_OK only after all rows of the batch are on disk (sync=1,
 *            WAL recovery mode 0, paranoid checks); a batch is wholly there or wholly not after any
 *            crash. After FB_STORAGE the store is poisoned: every later commit is FB_STORAGE, since
 *            RocksDB may accept writes behind a failed one. The process reopens.
 * Errors     FB_STORAGE; e of open says which directory, what is wrong and what to do.
 *            FB_BUSY: somebody else has the directory open. Damaged records are never skipped: open
 *            refuses. (Rows cut off the very end of the log look like a write a crash tore and go unnoticed here:
 *            whoever writes the journal compares its head with the anchor.)
 * Limits     FB_STORE_BATCH_MAX rows a call besides the row of the journal; keys of 1..FB_PUT_KEY_MAX, values up to
 *            FB_PUT_VALUE_MAX, of the journal up to FB_STORE_JOURNAL_VALUE_MAX bytes; more is the caller's bug, not a
 *            status.
 * Memory     write buffers 8 MiB (journal 32 MiB), each twice while it is flushed; block cache 16 MiB.
 * Ownership  the directory is created with mode 0700 if only its last part is missing; its owner alone may use it.
 * Threads    get, scan, cursors, bulk: any thread (one cursor or bulk: one thread). add, commit, anchors and failure:
 *            one thread (ledger/writer's). open, close, clear, salvage: one, while nobody else uses the store.
 */
#ifndef FB_STORE_H
#define FB_STORE_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/port.h"

enum { FB_STORE_BATCH_MAX = 4096 /* rows */, FB_STORE_JOURNAL_VALUE_MAX = 4 << 20 /* bytes */ };
enum fb_family {
	FB_FAMILY_ROWS,    /* what callers keep: fb_store_commit's puts */
	FB_FAMILY_JOURNAL, /* the truth: one row a batch, keys that only grow */
	FB_FAMILY_DERIVED, /* can be made again from the journal */
	FB_FAMILY_END      /* not a family */
};
struct fb_store;
FB_MUST_USE enum fb_status fb_store_open(struct fb_store **out, const char *directory, struct fb_error *e);
void fb_store_close(struct fb_store *s); /* NULL allowed */

/* ---- reading ------------------------------------------------------------------------------------------------- */
/* The value of a caller's row into out. FB_NOT_FOUND, FB_TOO_LARGE (cap), FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_get(struct fb_store *s, uint8_t *out, size_t *out_len, size_t cap,
					struct fb_str key);
FB_MUST_USE enum fb_status fb_store_get_from(struct fb_store *s, enum fb_family family, uint8_t *out, size_t *out_len,
					     size_t cap, struct fb_str key);
/* Calls found(arg, i, value) for every keys[i] that is there, in any order; cheaper than one by one. FB_STORAGE. */
enum { FB_STORE_GET_MANY_MAX = 512 };
FB_MUST_USE enum fb_status fb_store_get_many(struct fb_store *s, enum fb_family family, const struct fb_str *keys,
					     size_t count, void (*found)(void *arg, size_t i, struct fb_str value),
					     void *arg);
/* Calls each(arg, key, value) for every caller's row whose key starts with prefix, in key order, on one
 * consistent snapshot; stops when it returns false. FB_OK also then; FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_scan(struct fb_store *s, struct fb_str prefix,
					 bool (*each)(void *arg, struct fb_str key, struct fb_str value), void *arg);

/* A place in a family, as the family was when the cursor was opened. The moves say whether there is a row; a false
 * that is not the end shows in fb_cursor_status. Key and value are borrowed until the next move. */
struct fb_cursor;
void fb_cursor_open(struct fb_cursor **out, struct fb_store *s, enum fb_family family);
void fb_cursor_close(struct fb_cursor *c);
bool fb_cursor_seek(struct fb_cursor *c, struct fb_str key);      /* the first row at or after key */
bool fb_cursor_seek_back(struct fb_cursor *c, struct fb_str key); /* the last row at or before key */
bool fb_cursor_next(struct fb_cursor *c);
bool fb_cursor_back(struct fb_cursor *c);
struct fb_str fb_cursor_key(const struct fb_cursor *c);
struct fb_str fb_cursor_value(const struct fb_cursor *c);
FB_MUST_USE enum fb_status fb_cursor_status(const struct fb_cursor *c); /* FB_OK, FB_STORAGE */

/* ---- writing ------------------------------------------------------------------------------------------------- */
/* For the next commit: a row of the journal (NULL: none) and puts, in their order (the later of the same key wins). */
void fb_store_add(struct fb_store *s, const struct fb_put *journal, const struct fb_put *puts, size_t count);
/* All that was added since the last commit, and after it this: all rows, at least one, or none of them. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_commit(struct fb_store *s, const struct fb_put *journal, const struct fb_put *puts,
					   size_t count);
/* Why the store is poisoned, for the log; "" while it is not. */
const char *fb_store_failure(const struct fb_store *s);

/* Many rows at once, beside the log: sorted files that become visible together, durable, in one step.
 * Keys strictly ascending. */
struct fb_bulk;
void fb_bulk_open(struct fb_bulk **out, struct fb_store *s, enum fb_family family);
void fb_bulk_put(struct fb_bulk *b, struct fb_str key, struct fb_str value);
void fb_bulk_remove(struct fb_bulk *b, struct fb_str key);
/* What follows goes into another file, so that large kinds of rows are not merged with each other. */
void fb_bulk_split(struct fb_bulk *b);
/* Makes the files durable. After it, fb_bulk_ingest shows all rows or none: FB_STORAGE. Both report earlier failures
 * too. One bulk at a time. */
FB_MUST_USE enum fb_status fb_bulk_finish(struct fb_bulk *b);
FB_MUST_USE enum fb_status fb_bulk_ingest(struct fb_bulk *b);
const char *fb_bulk_failure(const struct fb_bulk *b);
void fb_bulk_close(struct fb_bulk *b); /* what was not ingested is thrown away */
/* Bulk files that RocksDB has not merged yet: each is one more to look into for a key. */
uint64_t fb_store_unmerged(struct fb_store *s);
/* Throws all derived rows away, damaged ones too. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_clear_derived(struct fb_store *s, struct fb_error *e);
/* Derived rows could not be read: remembered in the directory until they are cleared. Any thread. */
void fb_store_distrust_derived(struct fb_store *s);
bool fb_store_distrusts_derived(const struct fb_store *s);

/* ---- the anchor ---------------------------------------------------------------------------------------------- */
/* How far the journal reached when somebody was last answered. Kept where a fault of RocksDB's files cannot reach it:
 * two slots of 4 KiB, written before, overwritten in turn with O_DSYNC, each with a checksum. One damaged slot is what
 * a crash may leave; two are not. */
struct fb_anchor {
	uint64_t epoch;  /* 1, and one more with every restored backup */
	uint64_t number; /* of the newest batch */
	struct fb_hash hash;
};
/* The newest slot. FB_NOT_FOUND: there is no such file. FB_STORAGE: both slots are damaged, or the file cannot be
 * read. */
FB_MUST_USE enum fb_status fb_store_anchor(const struct fb_store *s, struct fb_anchor *out, struct fb_error *e);
/* Makes the file new, whole or not at all; also over a damaged one. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_anchor_make(struct fb_store *s, const struct fb_anchor *a, struct fb_error *e);
/* Durable when it returns. FB_STORAGE poisons like a failed commit. */
FB_MUST_USE enum fb_status fb_store_anchor_move(struct fb_store *s, const struct fb_anchor *a);

/* ---- damage, copies ------------------------------------------------------------------------------------------ */
/* For a directory that fb_store_open refused: copies what RocksDB has (tables are linked) to damaged-N, and opens the
 * copy up to the first damaged record of the log. Whether that is enough is the caller's decision: accept puts the copy
 * into the place of the original, which from then on is damaged-N; close without it removes the copy. */
FB_MUST_USE enum fb_status fb_salvage_open(struct fb_store **out, const char *directory, struct fb_error *e);
/* Closes s, and opens the directory as fb_store_open does. *aside: where the damaged rows are now. */
FB_MUST_USE enum fb_status fb_salvage_accept(struct fb_store **out, struct fb_store *s, struct fb_buf *aside,
					     struct fb_error *e);
/* A whole data directory at `target`, which must not exist, while the store is being used. Its anchor is not ahead of
 * its rows; it is written last: a backup that was cut short has none, and does not open. FB_CONFLICT, FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_backup(struct fb_store *s, const char *target, struct fb_error *e);
/* A data directory made from a backup; `target` must not exist. Its anchor is that of the backup in the next epoch.
 * FB_NOT_FOUND, FB_CONFLICT, FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_restore(const char *backup, const char *target, struct fb_error *e);
/* For reading beside a running server: what was durable when it was opened. Takes no lock; never writes to the
 * directory (RocksDB's notes go into a new one in TMPDIR, or /tmp, that close removes). add, commit, moving or making
 * the anchor, bulk, clear and backup are not for it. FB_BUSY: tables are added faster than their list can be read.
 * FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_open_reader(struct fb_store **out, const char *directory, struct fb_error *e);
#endif /* FB_STORE_H */
