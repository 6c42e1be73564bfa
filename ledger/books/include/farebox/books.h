/* farebox/books.h - the books: accounts, transfers, holds; pure state and what may happen to it.
 *
 * What it is  operations go in, records come out, and records alone change the state: applying the same
 *             records to the same state gives the same state, so the journal can rebuild everything. No I/O,
 *             no clock (the batch's time is an argument), no locks.
 * Layer       5
 * Accounts    (owner, asset, purpose), opened explicitly or by first use with the purpose's default
 *             flag; numbered from 1. Four counters that only grow, or for pending ones return to where they were:
 *             debits and credits, each pending and posted. Balance = credits_posted - debits_posted - debits_pending.
 *             (Nothing reserves a credit yet: credits_pending is 0.)
 * Ranges      every counter, and debits_posted + debits_pending, at most FB_AMOUNT_MAX.
 * Invariants  B1  sum of debits = sum of credits, posted, per asset                     (checked: audit, sim)
 *             B2  balance >= 0 unless the account may go below zero                     (checked: funds, replay, audit)
 *             B3  an id is applied at most once, ever; a refused id stays refused       (checked: admit, audit)
 *             B4  a hold ends exactly once: captured, released or expired               (checked: find_hold, audit)
 *             B5  sum of open holds of an account = its pending debits                  (checked: audit, slow assert)
 *             B6  records of a linked chain are all applied or none                     (checked: run_chain, sim)
 *             B7  counters equal the fold of the journal                                (checked: audit, sim)
 * Errors      of one operation, in order of precedence. By its form, which never burns the id: BAD_VALUE (id or ref 0
 *             or all ones, kind, purpose, leg count, amount above FB_AMOUNT_MAX, negative expiry, legs of different
 *             assets; linked to nothing, or a chain longer than FB_CHAIN_MAX), ZERO_AMOUNT, SAME_ACCOUNT (a post's
 *             two sides). By its id: OK and `existed` (the same content again), ID_REUSED (other content), ID_FAILED
 *             (refused before; the first refusal's reason is in `first`). What comes now burns the id: NOT_FOUND (no
 *             such hold or post), HOLD_EXPIRED (also: a new hold's time has come already), HOLD_ENDED, BAD_VALUE (a
 *             leg of another asset than the hold), SAME_ACCOUNT (a leg to the hold's own account), HOLD_TOO_SMALL,
 *             REVERSED_ALREADY, OVERFLOW, FUNDS. Last, and not burning: LIMIT (no room for what it would open).
 *             An ACCOUNT has no id: OK and `existed`, or ID_REUSED (it is open with the other flag).
 *             In a linked chain one refusal refuses all. The first refused operation gets its reason, the others
 *             ID_FAILED if their id was refused before, else LINKED_FAILED, and every new id is burnt; but if there is
 *             no room nothing is burnt, and if the form of one is wrong no id is even looked at.
 * Content     everything of an operation that its kind uses, expires_us too: who retries a hold must ask for the
 *             same expiry again.
 * Limits      fb_books_settings; FB_LEGS_MAX, FB_CHAIN_MAX; FB_BATCH_RECORDS_MAX operations and records a submission.
 * Memory      about 150 bytes an account, 135 an open hold, 57 a remembered id (tests/bench/bench_books.c).
 * Ownership   fb_books is opaque and owned by its opener.
 * Threads     one thread changes; fb_books_balance, fb_books_account and fb_books_account_count may be called from any
 *             thread once recovery is over (seqlock per account).
 */
#ifndef FB_BOOKS_H
#define FB_BOOKS_H
#include "farebox/core.h"
#include "farebox/journal.h"

enum {
	FB_LEGS_MAX = 8,
	FB_CHAIN_MAX = 32, /* operations linked together */
	FB_EXPECT_MAX = 16,
	FB_ACCOUNTS_MAX = 1 << 30,
	FB_HOLDS_MAX = 1 << 30, /* open at once */
};

struct fb_account_key {
	struct fb_owner owner;
	uint32_t asset;
	enum fb_purpose purpose;
};
struct fb_counters {
	struct fb_amount debits_posted, debits_pending, credits_posted, credits_pending;
};
struct fb_account {
	struct fb_account_key key;
	struct fb_counters counters;
	uint64_t number, last_seq; /* last_seq: of the last record that changed it */
	bool may_go_below_zero;
};

enum fb_op_kind { FB_OP_ACCOUNT, FB_OP_POST, FB_OP_HOLD, FB_OP_CAPTURE, FB_OP_RELEASE, FB_OP_REVERSE };
struct fb_leg {
	struct fb_account_key credit;
	struct fb_amount amount;
};
struct fb_op {
	enum fb_op_kind kind;
	bool linked;             /* with the next operation of the same submission */
	bool may_go_below_zero;  /* ACCOUNT */
	fb_id id;                /* not for ACCOUNT, which is idempotent by its key */
	fb_id ref;               /* CAPTURE, RELEASE: the hold; REVERSE: the post */
	struct fb_account_key debit; /* ACCOUNT, POST, HOLD */
	struct fb_leg legs[FB_LEGS_MAX]; /* POST: one; CAPTURE: one to eight, together at most the hold; others: none */
	size_t leg_count;
	struct fb_amount amount; /* HOLD */
	int64_t expires_us;      /* HOLD; 0 never */
	uint16_t code;
	fb_u128 user;
	struct fb_hash external;
};
struct fb_op_result {
	enum fb_status status;
	bool existed;         /* FB_OK: nothing was done now, it had been done before */
	enum fb_status first; /* ID_FAILED: why it was refused the first time */
	uint64_t seq;         /* of its record, also of a refusal's; 0: none, or an account that existed */
};

/* Ids that the books no longer remember are looked up here (an index on disk, derived from the journal). */
struct fb_id_fact {
	uint64_t seq, content;
	enum fb_status refused; /* FB_OK: it was applied */
	enum fb_record_kind kind;
	bool undone; /* HOLD: it expired; POST: it was reversed. (An EXPIRE or REVERSE record has this id as its ref.) */
};
struct fb_id_index {
	/* FB_OK and *out, or FB_NOT_FOUND, FB_STORAGE. Knows everything up to some seq, and whatever comes later is
	 * remembered by the books (see fb_books_forget_ids). NULL: there is no index. */
	enum fb_status (*find)(void *ctx, struct fb_id_fact *out, fb_id id);
	/* FB_OK and the record with this seq, or FB_STORAGE. Asked for the post that REVERSE names: of any batch before
	 * the one being filled, whether it is durable yet or not. */
	enum fb_status (*record)(void *ctx, struct fb_record *out, uint64_t seq);
	void *ctx;
};

struct fb_books_settings {
	uint64_t seed;            /* of the hash tables: random, so that nobody can choose what collides */
	uint32_t accounts, holds; /* the most of each; 0 stands for FB_ACCOUNTS_MAX, FB_HOLDS_MAX */
};
struct fb_books;
void fb_books_open(struct fb_books **out, struct fb_id_index index, struct fb_books_settings settings);
void fb_books_close(struct fb_books *b); /* NULL allowed */

/* Decides a submission of `count` operations (chains by `linked`) at the batch's time and applies what is
 * accepted. `records` is the batch's, and holds *record_count records of it already; more are appended (room for
 * fb_books_records_max must be left), one result per operation. FB_STORAGE: the id index could not be read, or what was
 * loaded and replayed does not make whole books; nothing of this submission happened. */
FB_MUST_USE enum fb_status fb_books_run(struct fb_books *b, struct fb_op_result *results, uint8_t *records,
					uint32_t *record_count, const struct fb_op *ops, size_t count, int64_t time_us);
/* Has the memory fetched that operations will need which are run soon: worth a third of their time when there are many
 * accounts and submissions are small. Changes nothing. The best count is about FB_EXPECT_MAX; it may be more. */
void fb_books_expect(const struct fb_books *b, const struct fb_op *const *ops, size_t count);
/* The most records that a submission can make, accounts opened by first use included. */
size_t fb_books_records_max(const struct fb_op *ops, size_t count);
/* Ends holds whose time has come, oldest first, at most `max` (room for them must be left); appends EXPIRE records.
 * Returns how many. */
size_t fb_books_expire(struct fb_books *b, uint8_t *records, uint32_t *record_count, int64_t time_us, size_t max);
/* When the next hold expires; INT64_MAX: none will. */
int64_t fb_books_next_expiry(const struct fb_books *b);

/* ---- recovery: rows of a snapshot, then its seq, then the records after it -------------------------- */
/* Rows of a snapshot, in any order; some may be newer than others (a snapshot that was being replaced).
 * FB_STORAGE: the row contradicts itself or the rows before it. */
FB_MUST_USE enum fb_status fb_books_load_account(struct fb_books *b, const struct fb_account *a);
struct fb_hold {
	fb_id id;
	uint64_t account, seq, content;
	struct fb_amount amount;
	int64_t expires_us;
};
FB_MUST_USE enum fb_status fb_books_load_hold(struct fb_books *b, const struct fb_hold *h);
/* After the rows: the last record of which no row lacks anything. */
void fb_books_load_seq(struct fb_books *b, uint64_t seq);
/* The next record from the journal; from the first (1) without a snapshot, else from the one after its seq. What an
 * account has seen already (last_seq) is not counted twice. The id index must know every id before the first replayed
 * record. FB_STORAGE: it contradicts the state (nothing happened), or the index could not be read. */
FB_MUST_USE enum fb_status fb_books_replay(struct fb_books *b, const struct fb_record *r);
/* What changed since the last call, for the next snapshot: accounts by number, holds by id (ended ones have
 * amount 0: their rows go). The lists are the caller's to free. */
struct fb_books_changes {
	struct fb_account *accounts;
	size_t account_count;
	struct fb_hold *holds;
	size_t hold_count;
};
void fb_books_take_changes(struct fb_books *b, struct fb_books_changes *out);
/* Ids up to this seq are in the index now and need not be remembered (they are let go a few at a time). */
void fb_books_forget_ids(struct fb_books *b, uint64_t up_to_seq);

/* ---- reading ---------------------------------------------------------------------------------------- */
uint64_t fb_books_seq(const struct fb_books *b); /* of the last record */
uint64_t fb_books_account_count(const struct fb_books *b);
/* Any thread. FB_NOT_FOUND. */
FB_MUST_USE enum fb_status fb_books_balance(const struct fb_books *b, struct fb_account *out,
					    const struct fb_account_key *key);
FB_MUST_USE enum fb_status fb_books_account(const struct fb_books *b, struct fb_account *out, uint64_t number);
/* Open holds of an account, or of all (0), in the order of creation; each may stop the walk. Owner's thread. */
void fb_books_each_hold(const struct fb_books *b, uint64_t account, bool (*each)(void *arg, const struct fb_hold *h),
			void *arg);
size_t fb_books_memory(const struct fb_books *b); /* bytes held */
#endif /* FB_BOOKS_H */
