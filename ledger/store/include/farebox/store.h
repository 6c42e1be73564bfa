/* farebox/store.h - durable rows: RocksDB behind one small door.
 *
 * Layer      2. RocksDB is linked by this library alone.
 * Promise    fb_store_commit returns FB_OK only after all puts of the batch are on disk (sync=1,
 *            WAL recovery mode 0, paranoid checks); a batch is wholly there or wholly not after any
 *            crash. After FB_STORAGE the store is poisoned: every later commit is FB_STORAGE, since
 *            RocksDB may accept writes behind a failed one. The process reopens.
 * Errors     FB_STORAGE; e of open says which directory, what is wrong and what to do.
 *            FB_BUSY: somebody else has the directory open. Damaged records are never skipped: open
 *            refuses. (Rows cut off the very end of the log look like a write a crash tore, and go unnoticed.)
 * Limits     FB_PUTS_MAX rows a caller's batch (the writer joins them up to FB_STORE_BATCH_MAX); keys of
 *            1..FB_PUT_KEY_MAX, values up to FB_PUT_VALUE_MAX bytes; more is the caller's bug, not a status.
 * Memory     write buffer 8 MiB (twice while it is flushed), block cache 8 MiB.
 * Ownership  the directory is created with mode 0700 if only its last part is missing; its owner alone may use it.
 * Threads    get and scan: any thread. commit, and failure: one thread (ledger/writer's).
 */
#ifndef FB_STORE_H
#define FB_STORE_H
#include "farebox/core.h"
#include "farebox/port.h"

enum { FB_STORE_BATCH_MAX = 4096 /* rows */ };
struct fb_store;
FB_MUST_USE enum fb_status fb_store_open(struct fb_store **out, const char *directory, struct fb_error *e);
void fb_store_close(struct fb_store *s); /* NULL allowed */
/* The value into out. FB_NOT_FOUND, FB_TOO_LARGE (cap), FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_get(struct fb_store *s, uint8_t *out, size_t *out_len, size_t cap,
					struct fb_str key);
/* All puts or none, in their order (a later put of the same key wins). FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_commit(struct fb_store *s, const struct fb_put *puts, size_t count);
/* Why the store is poisoned, for the log; "" while it is not. */
const char *fb_store_failure(const struct fb_store *s);
/* Calls each(arg, key, value) for every row whose key starts with prefix, in key order, on one
 * consistent snapshot; stops when it returns false. FB_OK also then; FB_STORAGE. */
FB_MUST_USE enum fb_status fb_store_scan(struct fb_store *s, struct fb_str prefix,
					 bool (*each)(void *arg, struct fb_str key, struct fb_str value), void *arg);
#endif /* FB_STORE_H */
