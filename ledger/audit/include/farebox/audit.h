/* farebox/audit.h - everything that is stored about money, judged by a second, naive reading of the journal.
 *
 * What it is  replays the journal from its genesis and folds it once more, with code that shares nothing with
 *             ledger/books but the journal's format, and compares what comes out with everything that was derived
 *             from the journal. It stops at the first difference and says what, where, found and expected.
 * Layer       6; does not link ledger/books and ledger/writer on purpose
 * Checks      FB_AUDIT_CHECKS, each with the invariant of farebox/books.h that it is for.
 * Errors      FB_OK: all of it agrees. FB_MISMATCH: *finding says what does not. FB_STORAGE: the store could not be
 *             read; e says why.
 * Memory      about 80 bytes an id, 200 an account, 8 a record, while it runs.
 * Ownership   borrows the store; a reader (fb_store_open_reader) will do.
 * Threads     one call uses one thread; the store may be used by others meanwhile only as a reader.
 */
#ifndef FB_AUDIT_H
#define FB_AUDIT_H
#include "farebox/core.h"
#include "farebox/journal.h"
#include "farebox/port.h"
#include "farebox/store.h"

/* X(name, stable text, what it says) */
#define FB_AUDIT_CHECKS(X)                                                                                           \
	X(GENESIS,        "genesis",          "the journal begins with batch 0")                                     \
	X(BATCH_BYTES,    "batch_bytes",      "a batch's bytes are whole and give its hash")                         \
	X(BATCH_NUMBER,   "batch_number",     "batches are numbered without a gap, and stored under their number")   \
	X(BATCH_PREVIOUS, "batch_previous",   "a batch carries the hash of the one before")                          \
	X(BATCH_SEQ,      "batch_first_seq",  "a batch begins with the seq after the one before")                    \
	X(BATCH_TIME,     "batch_time",       "time grows from batch to batch")                                      \
	X(BATCH_EPOCH,    "batch_epoch",      "the epoch never goes back")                                           \
	X(RECORD_BYTES,   "record_bytes",     "a record has exactly the fields of its kind")                         \
	X(RECORD_SEQ,     "record_seq",       "records are numbered without a gap")                                  \
	X(ACCOUNT_NUMBER, "account_number",   "accounts are numbered from 1 without a gap, and used once they exist") \
	X(ACCOUNT_TWICE,  "account_twice",    "an owner, asset and purpose have one account")                        \
	X(ASSET,          "asset",            "a record moves its accounts' asset")                                  \
	X(SAME_ACCOUNT,   "same_account",     "money moves between two accounts")                                    \
	X(ID_RANGE,       "id_range",         "an id is neither 0 nor all ones")                                     \
	X(ID_TWICE,       "id_twice",         "an id is applied or refused once, ever (B3)")                         \
	X(HOLD_OPEN,      "hold_open",        "what ends a hold finds it open: it ends once (B4)")                   \
	X(HOLD_ACCOUNT,   "hold_account",     "a hold ends on the account that made it (B4)")                        \
	X(HOLD_AMOUNT,    "hold_amount",      "a hold ends with the amount that it reserved (B4)")                   \
	X(HOLD_TIME,      "hold_time",        "a hold ends by its owner before its time, by itself after it (B4)")   \
	X(CAPTURE_SUM,    "capture_sum",      "the legs of a capture take no more than the hold has")                \
	X(LEG_PLACE,      "leg_place",        "a leg follows its capture")                                           \
	X(REVERSE_POST,   "reverse_post",     "a reversal is a post, the other way round")                           \
	X(REVERSE_TWICE,  "reverse_twice",    "a post is reversed once")                                             \
	X(LIMIT,          "limit",            "an account that may not is never below zero (B2)")                    \
	X(OVERFLOW,       "overflow",         "counters stay below 2^127")                                           \
	X(CHAIN_WHOLE,    "chain_whole",      "a linked chain ends in the batch in which it began (B6)")             \
	X(CHAIN_MIXED,    "chain_mixed",      "a linked chain is applied or refused, as a whole (B6)")               \
	X(SUMS,           "sums",             "debits equal credits, for every asset (B1)")                          \
	X(PENDING,        "pending",          "an account's open holds add up to its pending debits (B5)")           \
	X(ANCHOR,         "anchor",           "the journal reaches the anchor, with the anchor's hash")              \
	X(DERIVED_BYTES,  "derived_bytes",    "a derived row has the layout of its kind")                            \
	X(DERIVED_MARK,   "derived_mark",     "the mark names the batch up to which rows were derived")              \
	X(SNAPSHOT,       "snapshot",         "accounts and open holds in the snapshot are what the journal gives (B7)") \
	X(ID_INDEX,       "id_index",         "the index of ids says of each what the journal says")                 \
	X(BATCH_INDEX,    "batch_index",      "the indexes of batches, by seq and by time, lead to them")            \
	X(HISTORY_INDEX,  "history_index",    "an account's history has all its records, and what it was after each (B7)")
enum fb_audit_check {
#define X(name, text, doc) FB_AUDIT_##name,
	FB_AUDIT_CHECKS(X)
#undef X
	FB_AUDIT_CHECK_END /* not a check */
};
struct fb_audit_check_info {
	const char *name, *doc;
};
const struct fb_audit_check_info *fb_audit_check_info(enum fb_audit_check c);

enum { FB_AUDIT_TEXT_MAX = 160 };
struct fb_audit_finding {
	enum fb_audit_check check;
	bool in_journal;              /* batch is meant; batch 0 is a batch */
	uint64_t batch, seq, account; /* seq, account: 0 when it is not about one */
	char what[FB_AUDIT_TEXT_MAX]; /* which row or field */
	char found[FB_AUDIT_TEXT_MAX], expected[FB_AUDIT_TEXT_MAX];
};
/* One line: "batch 12, seq 340, account 7: balance is -5, expected 0 or more (limit: …)". */
void fb_audit_describe(struct fb_buf *out, const struct fb_audit_finding *f);

struct fb_audit_progress {
	uint64_t done, total; /* records */
	uint64_t elapsed_ms;
};
struct fb_audit_settings {
	struct fb_rng rng;     /* so that nobody can choose ids that make the auditor slow */
	struct fb_clock clock;
	/* At most every FB_AUDIT_PROGRESS_MS; may be NULL. */
	void (*progress)(void *arg, const struct fb_audit_progress *p);
	void *arg;
};
enum { FB_AUDIT_PROGRESS_MS = 200 };

struct fb_audit_summary {
	uint64_t batches, records, accounts, holds /* open ones */, ids, derived /* rows compared */;
	uint64_t anchor; /* the batch that it names; the journal may reach further */
	struct fb_hash head;
	uint64_t elapsed_ms;
};
FB_MUST_USE enum fb_status fb_audit_run(struct fb_audit_summary *out, struct fb_audit_finding *finding,
					struct fb_store *s, const struct fb_audit_settings *settings,
					struct fb_error *e);
/* The quick half: the chain of batches and the anchor, without a look into the records. */
FB_MUST_USE enum fb_status fb_audit_verify(struct fb_audit_summary *out, struct fb_audit_finding *finding,
					   struct fb_store *s, const struct fb_audit_settings *settings,
					   struct fb_error *e);
#endif /* FB_AUDIT_H */
