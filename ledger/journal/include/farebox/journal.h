/* farebox/journal.h - the truth: records, packed into hash-chained batches; one stored row a batch.
 *
 * What it is  the format, encoded and decoded; no I/O. Balances, holds and indexes are derived from it.
 * Layer       4
 * Record      FB_RECORD_LEN bytes, fixed: numbers big-endian, no padding, a spare tail of zeros. Kinds and purposes
 *             have frozen numbers. A capture of several legs is one main record and one FB_RECORD_LEG a further leg.
 *             A record has exactly the fields of its kind (see record.c), the others are zero, so that one record
 *             has one encoding; encode asserts it, decode answers FB_STORAGE. A record alone says what changes:
 *             nothing else has to be known to fold it.
 * Batch       header {magic, version, epoch, number, first_seq, record count, put count, time, previous hash, hash of
 *             the puts} ‖ records ‖ SHA-256 of all before it. Batch 0 is the genesis (no records, previous hash zero).
 *             Batches are contiguous: number + 1, first_seq = previous first_seq + previous count.
 *             Rows that callers commit beside records (puts) are covered by their hash, so a batch of puts alone
 *             is a batch too.
 * Errors      FB_STORAGE: the bytes are not a batch this program wrote; e says which field.
 * Units       time_us: Unix microseconds, strictly growing from batch to batch. seq: 1, 2, 3 … over all records.
 * Ownership   decoding borrows the bytes.
 * Threads     pure functions.
 */
#ifndef FB_JOURNAL_H
#define FB_JOURNAL_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/port.h"

enum {
	FB_RECORD_LEN = 192,
	FB_BATCH_HEAD_LEN = 112,
	FB_BATCH_RECORDS_MAX = 8192,
	FB_JOURNAL_KEY_LEN = 9,
	FB_OWNER_LEN = 20,
};

/* Whose account: a wallet's address, or another principal's 20 bytes. */
struct fb_owner {
	uint8_t bytes[FB_OWNER_LEN];
};
typedef fb_u128 fb_id; /* a client's transfer id: 1..2^128-2 */

/* X(name, stored number, may go below zero by default, text) */
#define FB_PURPOSES(X)                                      \
	X(ESCROW,     1, true,  "escrow")     /* USDC in the escrow contract: the asset side */ \
	X(AVAILABLE,  2, false, "available")  /* what an owner can spend */                     \
	X(PENDING_IN, 3, false, "pending_in") /* credited, not yet at its rung */               \
	X(FEES,       4, false, "fees")       /* the platform's revenue */                      \
	X(SUSPENSE,   5, false, "suspense")   /* money nobody is known to own yet */            \
	X(RECEIVABLE, 6, true,  "receivable") /* owed to us after a reorg */                    \
	X(GAS,        7, true,  "gas")        /* native coin spent by our signers */            \
	X(WORLD,      8, true,  "world")      /* the other side of what comes from outside */   \
	X(PAYOUT,     9, true,  "payout")     /* paid by the escrow, not taken from its hold yet */
enum fb_purpose {
#define X(name, num, below, text) FB_PURPOSE_##name = num,
	FB_PURPOSES(X)
#undef X
	FB_PURPOSE_END /* not a purpose */
};

/* X(name, stored number, text) */
#define FB_RECORD_KINDS(X)                                                             \
	X(ACCOUNT, 1, "account") /* account `debit` opens: owner, asset, purpose, flags */ \
	X(POST,    2, "post")    /* debit -> credit at once */                         \
	X(HOLD,    3, "hold")    /* debit reserves */                                  \
	X(CAPTURE, 4, "capture") /* a hold ends: its first leg is paid, the rest freed */ \
	X(LEG,     5, "leg")     /* a further leg of the capture before it */          \
	X(RELEASE, 6, "release") /* a hold ends unpaid */                              \
	X(EXPIRE,  7, "expire")  /* a hold ends because its time came */               \
	X(REVERSE, 8, "reverse") /* a post, the other way round */                     \
	X(REFUSE,  9, "refuse")  /* an id that was refused and stays refused */
enum fb_record_kind {
#define X(name, num, text) FB_RECORD_##name = num,
	FB_RECORD_KINDS(X)
#undef X
	FB_RECORD_KIND_END /* not a kind */
};
const char *fb_purpose_text(enum fb_purpose p);
const char *fb_record_kind_text(enum fb_record_kind k);

struct fb_record {
	uint64_t seq;
	enum fb_record_kind kind;
	bool linked;             /* all records of a chain but its last: a capture and its legs, linked operations, an
				    account and what opened it */
	uint32_t asset;
	uint64_t debit, credit;  /* account numbers, from 1; 0 none */
	fb_id id, ref;           /* ref: the hold or the reversed post */
	struct fb_amount amount; /* RELEASE, EXPIRE: the whole hold, which is freed */
	struct fb_amount held;   /* CAPTURE: the whole hold; what its legs do not take is freed */
	int64_t expires_us;      /* HOLD; 0 never */
	uint16_t code;           /* the caller's class of transfer */
	fb_u128 user;            /* the caller's order or request */
	struct fb_hash external; /* e.g. a transaction's hash */
	uint64_t content;        /* digest of the operation as asked: tells "the same again" from "the id reused" */
	enum fb_status refused;  /* REFUSE: why */
	struct fb_owner owner;   /* ACCOUNT */
	enum fb_purpose purpose; /* ACCOUNT */
	bool may_go_below_zero;  /* ACCOUNT */
};
void fb_record_encode(uint8_t out[FB_RECORD_LEN], const struct fb_record *r);
FB_MUST_USE enum fb_status fb_record_decode(struct fb_record *out, const uint8_t bytes[FB_RECORD_LEN]);

struct fb_batch_head {
	uint64_t epoch, number, first_seq;
	uint32_t records, puts;
	int64_t time_us;
	struct fb_hash previous, puts_hash;
};
struct fb_batch {
	struct fb_batch_head head;
	struct fb_hash hash;    /* of the whole batch: the chain's new head */
	const uint8_t *records; /* head.records times FB_RECORD_LEN */
};
size_t fb_batch_len(uint32_t records);
/* Room for the header, then the caller fills records in place, then seals: fb_batch_len(head->records) bytes. */
uint8_t *fb_batch_records(uint8_t *batch);
void fb_batch_seal(uint8_t *batch, struct fb_hash *hash, const struct fb_batch_head *head);
FB_MUST_USE enum fb_status fb_batch_open(struct fb_batch *out, struct fb_str bytes, struct fb_error *e);
struct fb_hash fb_puts_hash(const struct fb_put *puts, size_t count); /* of the puts in their order; zero of none */
/* 'J' and the number. */
void fb_journal_key(uint8_t out[FB_JOURNAL_KEY_LEN], uint64_t number);
#endif /* FB_JOURNAL_H */
