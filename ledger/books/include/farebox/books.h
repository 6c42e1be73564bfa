/* farebox/books.h - the books: accounts, transfers, holds; pure state and what may happen to it.
 *
 * What it is  operations go in, records come out, and records alone change the state: applying the same
 *             records to the same state gives the same state, so the journal can rebuild everything. No I/O,
 *             no clock (the batch's time is an argument), no locks.
 * Layer       5
 * Accounts    (owner, asset, purpose), opened explicitly or by first use with the purpose's default
 *             flag; numbered from 1. Four counters that only grow, or for pending ones return to where they were:
 *             debits and credits, each pending and posted. Balance = credits_posted - debits_posted - debits_pending.
 * Invariants  B1  sum of debits = sum of credits, posted, per asset                     (checked: audit, sim)
 *             B2  balance >= 0 unless the account may go below zero                      (checked: check_funds, audit)
 *             B3  an id is applied at most once, ever; a refused id stays refused        (checked: admit, audit)
 *             B4  a hold ends exactly once: captured, released or expired                (checked: end_hold, audit)
 *             B5  sum of open holds of an account = its pending debits                   (checked: audit, slow assert)
 *             B6  records of a linked chain are all applied or none                      (checked: run_chain, sim)
 *             B7  counters equal the fold of the journal                                 (checked: audit)
 * Errors      of one operation, in order of precedence: BAD_VALUE (id 0 or all ones, no legs, too many; never burns the id),
 *             ZERO_AMOUNT, SAME_ACCOUNT (likewise); then by id: ok and `existed` (same content again), ID_REUSED (other
 *             content), ID_FAILED (refused before; the first refusal's reason is in `first`); then NOT_FOUND (hold or
 *             post; account of another asset: BAD_VALUE), HOLD_ENDED, HOLD_EXPIRED, HOLD_TOO_SMALL, REVERSED_ALREADY, OVERFLOW,
 *             FUNDS. Whatever comes after the id check burns the id. In a linked chain one refusal refuses all:
 *             the others get LINKED_FAILED, and all their ids are burnt.
 * Memory      about 128 bytes an account, 96 an open hold, 48 a remembered id (all three are measured by a bench).
 * Ownership   fb_books is opaque and owned by its opener.
 * Threads     one thread changes; fb_books_balance may be called from any thread (seqlock per account).
 */
#ifndef FB_BOOKS_H
#define FB_BOOKS_H
#include "farebox/core.h"
#include "farebox/journal.h"

enum { FB_LEGS_MAX = 8, FB_CHAIN_MAX = 32 /* operations linked together */ };

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
	struct fb_leg legs[FB_LEGS_MAX]; /* POST: one; CAPTURE: one to eight, together at most the hold; REVERSE: none */
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
	uint64_t seq;         /* of its record (also of a refusal's); 0 when there is none */
};

/* Ids older than what the books remember are looked up here (an index on disk). FB_OK and *out, or FB_NOT_FOUND, FB_STORAGE. */
struct fb_id_fact {
	uint64_t seq, content;
	enum fb_status refused; /* FB_OK: it was applied */
	enum fb_record_kind kind;
};
struct fb_id_index {
	enum fb_status (*find)(void *ctx, struct fb_id_fact *out, fb_id id);
	/* The post that REVERSE refers to, and whether it was reversed already, is found by its record. */
	enum fb_status (*record)(void *ctx, struct fb_record *out, uint64_t seq);
	void *ctx;
};

struct fb_books;
void fb_books_open(struct fb_books **out, struct fb_id_index index);
void fb_books_close(struct fb_books *b); /* NULL allowed */

/* Decides a submission of `count` operations (chains by `linked`) at the batch's time and applies what is
 * accepted. Records are appended at records[*record_count…] (room for fb_books_records_max must be left), one result per
 * operation. FB_STORAGE: the id index could not be read; nothing of this submission happened. */
FB_MUST_USE enum fb_status fb_books_run(struct fb_books *b, struct fb_op_result *results, uint8_t *records, uint32_t *record_count,
					const struct fb_op *ops, size_t count, int64_t time_us);
/* The most records that a submission can make, accounts opened by first use included. */
size_t fb_books_records_max(const struct fb_op *ops, size_t count);
/* Ends holds whose time has come, oldest first, at most `max`; appends EXPIRE records. Returns how many. */
size_t fb_books_expire(struct fb_books *b, uint8_t *records, uint32_t *record_count, int64_t time_us, size_t max);
/* When the next hold expires; INT64_MAX: none will. */
int64_t fb_books_next_expiry(const struct fb_books *b);

/* ---- recovery ------------------------------------------------------------------------------------- */
/* A record from the journal; what the account has seen already (last_seq) is not counted twice, so a snapshot may be newer in parts.
 * FB_STORAGE: it contradicts the state. */
FB_MUST_USE enum fb_status fb_books_replay(struct fb_books *b, const struct fb_record *r);
/* Rows of a snapshot. */
FB_MUST_USE enum fb_status fb_books_load_account(struct fb_books *b, const struct fb_account *a);
struct fb_hold {
	fb_id id;
	uint64_t account, seq;
	struct fb_amount amount;
	int64_t expires_us;
};
FB_MUST_USE enum fb_status fb_books_load_hold(struct fb_books *b, const struct fb_hold *h);
/* What changed since the last call, for the next snapshot: accounts by number, holds by id (ended ones have
 * amount 0). The lists are the caller's to free. */
struct fb_books_changes {
	struct fb_account *accounts;
	size_t account_count;
	struct fb_hold *holds;
	size_t hold_count;
};
void fb_books_take_changes(struct fb_books *b, struct fb_books_changes *out);
/* Ids up to this seq are in the index now and need not be remembered. */
void fb_books_forget_ids(struct fb_books *b, uint64_t up_to_seq);

/* ---- reading ---------------------------------------------------------------------------------------- */
uint64_t fb_books_seq(const struct fb_books *b); /* of the last record */
uint64_t fb_books_account_count(const struct fb_books *b);
/* Any thread. FB_NOT_FOUND. */
FB_MUST_USE enum fb_status fb_books_balance(const struct fb_books *b, struct fb_account *out, const struct fb_account_key *key);
FB_MUST_USE enum fb_status fb_books_account(const struct fb_books *b, struct fb_account *out, uint64_t number);
/* Open holds of an account, or of all (0), by id order of creation; each may stop the walk. Owner's thread. */
void fb_books_each_hold(const struct fb_books *b, uint64_t account, bool (*each)(void *arg, const struct fb_hold *h), void *arg);
size_t fb_books_memory(const struct fb_books *b); /* bytes held */
#endif /* FB_BOOKS_H */
