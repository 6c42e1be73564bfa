/* farebox/writer.h - the ledger as a service: one thread decides, one writes, and anybody reads.
 *
 * What it is  Group commit: whatever waits when the last write is done goes into the next one (no timer): idle
 *             latency is two flushes, throughput grows with load. A batch: holds whose time has come expire; every
 *             submission's operations are decided by the books; what came out is one row of the journal. All batches
 *             that are decided are, together with all callers' rows, one durable write; then the anchor; then every
 *             answer. Meanwhile the next batches are decided: the books are ahead of what is durable; what is ahead is
 *             shown to nobody, and nothing of it is written if the write before fails. A batch of rows alone is in the
 *             journal too, so that its loss is noticed.
 *             A third thread folds the journal's end, from time to time, into derived rows: the snapshot that a start
 *             begins with, and the indexes behind the queries. What is not folded yet is the tail, kept in memory.
 * Layer       6
 * Order       submissions become durable in the order in which they were handed over; answers come in that order on
 *             one thread, the one that writes, after the journal's and the anchor's flush. Time grows strictly from
 *             batch to batch.
 * Errors      FB_STORAGE once: then every later submission too; logged as STORAGE_FAILED, and nothing of that write or
 *             behind it is answered as done: its outcome is unknown until the next start. FB_DRAINING after close
 *             began: then, and only then, done is called on the caller's thread, before the call returns.
 *             Open answers FB_STORAGE and a sentence that says what is wrong, what is lost, and what to do.
 * Limits      FB_WRITER_QUEUE_BYTES_MAX wait to be decided; a submission beyond waits for room (back-pressure). At most
 *             six batches are decided and not answered; what they were made of is kept as well. A submission's rows
 *             have FB_WRITER_SUBMIT_BYTES_MAX bytes at most; more is the caller's bug. A batch holds
 *             FB_WRITER_BATCH_OPS_MAX operations, FB_BATCH_RECORDS_MAX records, FB_STORE_BATCH_MAX rows and
 *             FB_WRITER_BATCH_BYTES_MAX bytes of them. The tail holds FB_WRITER_TAIL_FACTOR times snapshot_every
 *             records, at least two batches; beyond, nothing is decided before a fold, and a fold waits for merges
 *             while there are more than FB_WRITER_UNMERGED_MAX files. A done callback never submits: it would wait for
 *             itself.
 * Memory      the books; 400 bytes a record of the tail; seven queues of FB_WRITER_QUEUE_BYTES_MAX, as far as they were
 *             ever used.
 * Ownership   borrows store, log and metrics until closed. Close first writes what is queued.
 * Threads     submit, commit, reads: any. open and close: one; nobody uses the writer once close has returned.
 */
#ifndef FB_WRITER_H
#define FB_WRITER_H
#include "farebox/books.h"
#include "farebox/core.h"
#include "farebox/event.h"
#include "farebox/journal.h"
#include "farebox/metric.h"
#include "farebox/port.h"
#include "farebox/store.h"

enum {
	FB_WRITER_QUEUE_BYTES_MAX = 8 << 20,
	FB_WRITER_BATCH_OPS_MAX = 4096,
	FB_WRITER_SUBMIT_BYTES_MAX = 1 << 20, /* of the rows of one submission */
	FB_WRITER_BATCH_BYTES_MAX = 4 << 20,  /* of callers' rows */
	FB_WRITER_EXPIRE_MAX = 1024,         /* holds that expire in one batch */
	FB_SUBMIT_OPS_MAX = 128,
	FB_SNAPSHOT_EVERY = 131072,          /* records: the default */
	FB_SNAPSHOT_EVERY_MAX = 1 << 20,
	FB_WRITER_TAIL_FACTOR = 3,
	FB_WRITER_UNMERGED_MAX = 120, /* files of folds */
};
struct fb_writer_settings {
	struct fb_clock clock;
	struct fb_rng rng;             /* seeds the books' hash tables */
	uint32_t snapshot_every;       /* records between two folds; 0 stands for FB_SNAPSHOT_EVERY */
	uint32_t accounts, holds;      /* the most of each; 0: what the books allow */
};
struct fb_writer;

/* Opens the store of a data directory. If its log is damaged, a copy that can be read up to the damage takes its place,
 * provided that everything the anchor knows of is in it; the original is kept, and STORE_SALVAGED logged. Errors as
 * fb_store_open's. */
FB_MUST_USE enum fb_status fb_writer_open_store(struct fb_store **out, const char *directory, struct fb_log *log,
						struct fb_error *e);
/* Compares the journal with the anchor, loads the newest snapshot and replays the records after it; a new store gets a
 * journal. Never opens with less than was acknowledged. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_writer_open(struct fb_writer **out, struct fb_store *store,
					  const struct fb_writer_settings *settings, struct fb_log *log,
					  struct fb_metrics *metrics, struct fb_error *e);
/* For reading beside a running server: the state at the time of the call. Nothing is submitted to it. FB_NOT_FOUND:
 * the directory has no journal yet. FB_BUSY, FB_STORAGE. */
FB_MUST_USE enum fb_status fb_writer_open_reader(struct fb_writer **out, const char *directory,
						 const struct fb_writer_settings *settings, struct fb_error *e);
/* For the operator, when no anchor says any more how far the journal must reach, and he knows that it is complete:
 * makes a new one, of the next epoch, at its last batch, which he has to name. FB_CONFLICT: there is a good anchor.
 * FB_MISMATCH: that is not the last batch. FB_NOT_FOUND: there is no journal. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_writer_accept(struct fb_store *store, uint64_t number, struct fb_error *e);
void fb_writer_close(struct fb_writer *w); /* NULL allowed */

/* ---- writing ------------------------------------------------------------------------------------------------- */
/* Rows alone. */
struct fb_commit fb_writer_port(struct fb_writer *w);
/* Operations (chains by `linked`) and rows, in one batch. A refused operation is an answer, not an error: status is
 * FB_OK and its result says why. Everything is copied before the call returns. */
struct fb_submission {
	const struct fb_op *ops;
	size_t op_count;   /* at most FB_SUBMIT_OPS_MAX */
	const struct fb_put *puts;
	size_t put_count;  /* at most FB_PUTS_MAX, and FB_WRITER_SUBMIT_BYTES_MAX bytes; one of the two counts is not 0 */
	bool puts_need_ok; /* no row is stored unless every operation is FB_OK */
	/* Exactly once; results in the order of ops, borrowed for the call. Other than FB_OK: no results. */
	void (*done)(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count);
	void *arg;
};
void fb_writer_submit(struct fb_writer *w, const struct fb_submission *s);

/* ---- reading ------------------------------------------------------------------------------------------------- */
/* What is durable, never more. FB_STORAGE: the disk failed. A read never stops the writer; one of an account that
 * batches under way change waits for them. */
uint64_t fb_writer_seq(struct fb_writer *w); /* of the last durable record */
/* FB_NOT_FOUND */
FB_MUST_USE enum fb_status fb_writer_balance(struct fb_writer *w, struct fb_account *out,
					     const struct fb_account_key *key);
/* As it was when `seq` was the last record, or at a time (Unix microseconds). In a linked chain there is no in-between:
 * every record of it stands for its end. FB_NOT_FOUND: the account did not exist then. */
FB_MUST_USE enum fb_status fb_writer_balance_at(struct fb_writer *w, struct fb_account *out,
						const struct fb_account_key *key, uint64_t seq);
FB_MUST_USE enum fb_status fb_writer_balance_at_time(struct fb_writer *w, struct fb_account *out,
						     const struct fb_account_key *key, int64_t time_us);

struct fb_history_line {
	struct fb_record record;
	struct fb_counters after; /* of the account; see fb_writer_balance_at */
	int64_t time_us;
};
/* Records that changed the account, at most cap: before `cursor`, newest first, or after it, oldest first. Cursor: a
 * seq, exclusive; 0 with newest_first stands for the end. FB_NOT_FOUND: no such account. */
FB_MUST_USE enum fb_status fb_writer_history(struct fb_writer *w, struct fb_history_line *out, size_t *count,
					     size_t cap, const struct fb_account_key *key, uint64_t cursor,
					     bool newest_first);

struct fb_transfer {
	struct fb_record record; /* a capture's: its first leg; a refused one's: why */
	int64_t time_us;
	bool undone;             /* a hold that expired, a post that was reversed */
};
/* FB_NOT_FOUND */
FB_MUST_USE enum fb_status fb_writer_transfer(struct fb_writer *w, struct fb_transfer *out, fb_id id);

/* Open holds of an account (NULL: of all), ordered by account and id, those after `after` (NULL: from the first).
 * FB_NOT_FOUND: no such account. */
FB_MUST_USE enum fb_status fb_writer_holds(struct fb_writer *w, struct fb_hold *out, size_t *count, size_t cap,
					   const struct fb_account_key *key, const struct fb_hold *after);

/* One row per asset and purpose, all as of one seq. Sums of counters; per asset debits_posted = credits_posted (B1). */
struct fb_trial_row {
	uint32_t asset;
	enum fb_purpose purpose;
	uint64_t accounts;
	struct fb_counters sums;
};
enum { FB_TRIAL_ROWS_MAX = 1024 };
/* FB_TOO_MANY (cap), FB_OVERFLOW (a sum beyond FB_AMOUNT_MAX). Reads every account's row. */
FB_MUST_USE enum fb_status fb_writer_trial_balance(struct fb_writer *w, struct fb_trial_row *out, size_t *count,
						   size_t cap, uint64_t *seq);
#endif /* FB_WRITER_H */
