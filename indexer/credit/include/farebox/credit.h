/* farebox/credit.h - decides what movements on the chain do to the books: credits, rungs, reversals. No I/O, no clock.
 *
 * What it is  an event goes in (a range of blocks was read, blocks were taken back, the head rose, a receipt came, a
 *             wallet was proven), batches come out: operations for the ledger and rows to store, to be submitted in
 *             their order, each as one submission with puts_need_ok. Every batch holds the cursor as it is after it,
 *             so that a crash between any two leaves books and rows in step. What was submitted is taken for done at
 *             once.
 * Layer       6
 * Accounts    all of one asset. A movement into the escrow: debit `escrow` (of the escrow's address), credit
 *             `pending_in` of its owner, and from there `available` once it is ripe; money nobody is known to own is
 *             credited to `suspense` of its wallet. A payout of ours: debit `payout` (of the escrow's address),
 *             credit `escrow`. What left in another way is not posted: the reserve check finds it.
 *             So debits - credits of `escrow` = what the escrow holds, in the blocks read so far.
 * Owner       DEPOSIT and AUTHORIZED: the payer, who signed; GIFT and TRANSFER: whoever has proven the wallet (port
 *             owner_of), else suspense. A proven wallet's owner may have another name than the wallet.
 * Ripe        at the rung of the settings (`blocks` counts the movement's own block as 1), at the latest when final.
 *             Earlier: an amount up to early_max while all that was made available early and is not ripe is at most
 *             early_cap.
 * Reversal    of what is not available yet: from where it is. Of what was available: a debt, the owner's
 *             `receivable`, is made for all of it, and repaid from `available` by fb_credit_repay, which the caller
 *             asks for right after; later movements of this owner repay it before anything else. Open holds are never
 *             touched.
 * Ids         of a posting: the first 16 bytes of hash(identity, block hash, which posting), and from the second
 *             credit of a movement on also its round: a block that comes back after another took its place has its
 *             old hash.
 * States      PENDING -> AVAILABLE; PENDING, AVAILABLE -> REVERSED (its block is gone) -> PENDING (in another block,
 *             or in the same again). A movement is final when a range that holds its block was read after that range
 *             was final (the second look); then it leaves this state for a row of its own.
 * Lies        a range is refused (FB_MISMATCH), and nothing changes, if it lacks a movement that was credited while
 *             its block is still what it was: the same block cannot hold other logs.
 * Errors      as written at each function. FB_CONFLICT: halted.
 * Limits      FB_CREDIT_LIVE_MAX movements that are not final, FB_CREDIT_DEBTORS_MAX debtors: beyond, a range is
 *             FB_LIMIT before anything of it happened. A batch: FB_CREDIT_OPS_MAX operations, FB_CREDIT_PUTS_MAX rows.
 * Invariants  C1 at most one credit of an identity is live                             (checked: step.c, sim.credit)
 *             C2 an owner's receivable is minus the debt kept here                     (checked: sim.credit)
 *             C3 books' escrow = sum of live movements                                 (checked: sim.credit, reserve)
 *             C4 nothing at or below `looked` is ever changed but by an amendment      (checked: scan.c)
 * Stored      DATA.md: C, M, D, O.
 * Threads     one.
 */
#ifndef FB_CREDIT_H
#define FB_CREDIT_H
#include "farebox/books.h"
#include "farebox/core.h"
#include "farebox/logs.h"
#include "farebox/port.h"

enum {
	FB_CREDIT_LIVE_MAX = 1 << 18,
	FB_CREDIT_DEBTORS_MAX = 1 << 19,
	FB_CREDIT_RANGES_MAX = 4096,
	FB_CREDIT_OPS_MAX = 120,
	FB_CREDIT_PUTS_MAX = 120,
	FB_CREDIT_KEY_MAX = 68,
	FB_CREDIT_ROW_MAX = 256,
	FB_CREDIT_BLOCKS_MAX = 1000000, /* of the rung */
};

/* Texts as in the settings. */
#define FB_CREDIT_RUNGS(X) \
	X(BLOCKS, "blocks") X(SAFE, "safe") X(FINAL, "finalized")
enum fb_credit_rung {
#define X(name, text) FB_CREDIT_##name,
	FB_CREDIT_RUNGS(X)
#undef X
};
struct fb_credit_settings {
	struct fb_escrow escrow;
	uint32_t asset;
	uint64_t from_block; /* the one the escrow was deployed in; at least 1 */
	uint64_t sequence;   /* of the escrow's last event before from_block, or FB_SEQUENCE_UNKNOWN */
	enum fb_credit_rung rung;
	uint64_t blocks;     /* of the rung BLOCKS; 1..FB_CREDIT_BLOCKS_MAX */
	struct fb_amount early_max, early_cap;
};

enum fb_stand { FB_STAND_UNKNOWN, FB_STAND_YES, FB_STAND_NO };
struct fb_credit_ports {
	/* True and *out: the wallet was proven to be this owner's. */
	bool (*owner_of)(void *ctx, struct fb_owner *out, const struct fb_address *wallet);
	/* A PAYOUT that this ledger ordered. */
	bool (*is_payout)(void *ctx, const struct fb_movement *m);
	/* Is that block in the chain? UNKNOWN: too old to say. */
	enum fb_stand (*stands)(void *ctx, uint64_t block, const struct fb_hash *hash);
	void *ctx;
};

/* X(name, stored number, text) */
#define FB_CREDIT_STATES(X)        \
	X(PENDING,   1, "pending")   \
	X(AVAILABLE, 2, "available") \
	X(REVERSED,  3, "reversed")
enum fb_credit_state {
#define X(name, num, text) FB_CREDIT_##name = num,
	FB_CREDIT_STATES(X)
#undef X
	FB_CREDIT_STATE_END /* not a state */
};

/* X(name, stored number, text). Why nothing is posted any more; an operator has to look. */
#define FB_CREDIT_HALTS(X)                                                                                  \
	X(NONE,     0, "not halted")                                                                         \
	X(DEEP,     1, "the chain was changed deeper than what was final")                                  \
	X(DISAGREE, 2, "two endpoints give different logs for final blocks")                                \
	X(REFUSED,  3, "the ledger refused a posting that it must take")                                    \
	X(MISSING,  4, "every endpoint leaves out logs that must be there")
enum fb_credit_halt {
#define X(name, num, text) FB_CREDIT_HALT_##name = num,
	FB_CREDIT_HALTS(X)
#undef X
	FB_CREDIT_HALT_END /* not a reason */
};
const char *fb_credit_halt_text(enum fb_credit_halt h);

/* Classes of postings (`code` of the operation) and what their ids are made from; numbers are stored. */
#define FB_CREDIT_POSTINGS(X)                                            \
	X(CREDIT,      1)  /* the escrow's money becomes somebody's */   \
	X(READY,       2)  /* pending or in suspense, now available */   \
	X(READY_DEBT,  3)  /* as above, but what the owner owes */       \
	X(REVERSAL,    4)  /* its block is gone */                       \
	X(REPAY,       5)  /* a debt, from what is available */          \
	X(CLAIM,       6)  /* final money in suspense found its owner */ \
	X(CLAIM_DEBT,  7)
enum fb_credit_posting {
#define X(name, num) FB_CREDIT_POST_##name = num,
	FB_CREDIT_POSTINGS(X)
#undef X
};
fb_id fb_credit_id(const struct fb_hash *identity, const struct fb_hash *block_hash, enum fb_credit_posting what,
		   uint32_t round);

/* A movement and what became of it. */
struct fb_credit_item {
	struct fb_movement m;
	enum fb_credit_state state;
	struct fb_owner owner;
	bool suspense; /* credited to the wallet's suspense, owner unknown */
	bool early;    /* available before it was ripe */
	uint32_t round;
	uint64_t highest; /* block it was ever credited in; until that one is final its ids must not be forgotten */
};

struct fb_credit_batch {
	struct fb_op ops[FB_CREDIT_OPS_MAX];
	struct fb_put puts[FB_CREDIT_PUTS_MAX + 1]; /* the last is the cursor */
	size_t op_count, put_count;
	uint8_t keys[FB_CREDIT_PUTS_MAX + 1][FB_CREDIT_KEY_MAX];
	uint8_t rows[FB_CREDIT_PUTS_MAX + 1][FB_CREDIT_ROW_MAX];
};

struct fb_credit;
void fb_credit_open(struct fb_credit **out, const struct fb_credit_settings *settings, struct fb_credit_ports ports);
void fb_credit_close(struct fb_credit *c); /* NULL allowed */
/* Before the first event, all rows of these prefixes, in any order. FB_STORAGE: not a row of ours. */
#define FB_CREDIT_PREFIXES "CMO"
enum { FB_CREDIT_PREFIX_LEN = 29 };
void fb_credit_prefix(uint8_t out[FB_CREDIT_PREFIX_LEN], char tag, const struct fb_escrow *e);
FB_MUST_USE enum fb_status fb_credit_load(struct fb_credit *c, struct fb_str key, struct fb_str value);
/* Rows of final and reversed movements: 'D', the prefix, tx 32, place 4. FB_STORAGE. */
FB_MUST_USE enum fb_status fb_credit_read_final(struct fb_credit_item *out, struct fb_str key, struct fb_str value,
						const struct fb_escrow *e);

/* ---- events; each needs that the one before is worked off ------------------------------------------------------- */
struct fb_credit_block {
	uint64_t number;
	struct fb_hash hash;
};
struct fb_credit_scan {
	uint64_t first, last;
	struct fb_hash last_hash;
	const struct fb_movement *movements; /* all in first..last, in order; borrowed until worked off */
	size_t count;
	const struct fb_credit_block *blocks; /* ascending; the chain now, at least wherever a movement is missing */
	size_t block_count;
	uint64_t sequence; /* of the escrow's events, after last */
};
/* A range was read: either first = fb_credit_next_block, or first = looked + 1 and last is final (which is the second
 * look, or the only one). FB_MISSING: blocks lacks one that is needed. FB_MISMATCH: a lie, see above; e says which.
 * FB_LIMIT, FB_CONFLICT. */
FB_MUST_USE enum fb_status fb_credit_scan(struct fb_credit *c, const struct fb_credit_scan *s, struct fb_error *e);
/* Blocks from `first` on may have been replaced; `stands` knows by what. FB_CONFLICT (also if first is final),
 * FB_LIMIT. */
FB_MUST_USE enum fb_status fb_credit_rewind(struct fb_credit *c, uint64_t first);
/* The head is at `latest`, and that much is safe and final; numbers never go down but latest. FB_CONFLICT. */
FB_MUST_USE enum fb_status fb_credit_heads(struct fb_credit *c, uint64_t latest, uint64_t safe, uint64_t final);
/* Movements of one receipt whose block stands, perhaps not read yet. FB_LIMIT, FB_CONFLICT; FB_BUSY: the block does not
 * stand. */
FB_MUST_USE enum fb_status fb_credit_receipt(struct fb_credit *c, const struct fb_movement *m, size_t count);
/* What a second reading of the blocks first..looked, which are final, found to be otherwise than the rows say. Borrowed
 * until worked off. Taken although halted: an operator asked for it. FB_LIMIT. */
struct fb_credit_amendment {
	uint64_t first;
	/* Final rows that are wrong: of a movement that is not in the chain, is in another block, or is there again. A
	 * PENDING one stands for money that still lies in its wallet's suspense. */
	const struct fb_credit_item *stored;
	size_t stored_count;
	const struct fb_movement *movements; /* in the chain and not credited, in order */
	size_t count;
	uint64_t sequence; /* of the escrow's events, after looked */
	struct fb_hash last_hash; /* of looked */
};
FB_MUST_USE enum fb_status fb_credit_amend(struct fb_credit *c, const struct fb_credit_amendment *a);
/* The wallet was proven; `suspense`: the balance of its suspense account, nothing being under way. FB_CONFLICT. */
FB_MUST_USE enum fb_status fb_credit_claim(struct fb_credit *c, const struct fb_address *wallet,
					      struct fb_amount suspense);
/* FB_CREDIT_HALT_NONE releases. Always taken. */
void fb_credit_halt(struct fb_credit *c, enum fb_credit_halt why);
/* The next batch of the event; false: it is worked off. The batch is valid until the next call. */
bool fb_credit_next(struct fb_credit *c, struct fb_credit_batch *out);

/* Repayment: debtors, and a batch for one who has something available. False: nothing to repay. The answer of the
 * ledger must be told before the next event; FB_FUNDS: it was spent meanwhile. */
size_t fb_credit_debtors(const struct fb_credit *c);
struct fb_owner fb_credit_debtor(const struct fb_credit *c, size_t i, struct fb_amount *debt);
bool fb_credit_repay(struct fb_credit *c, struct fb_credit_batch *out, size_t debtor, struct fb_amount available);
void fb_credit_repaid(struct fb_credit *c, enum fb_status status);

/* ---- what is known ----------------------------------------------------------------------------------------------- */
uint64_t fb_credit_next_block(const struct fb_credit *c); /* not read yet */
/* All up to it is final and was looked at twice, or once after it was final; its hash (zero before the first). */
uint64_t fb_credit_looked(const struct fb_credit *c, struct fb_hash *hash);
/* The place of the escrow's last event before block `first`, which is one that fb_credit_scan takes. */
uint64_t fb_credit_sequence(const struct fb_credit *c, uint64_t first);
enum fb_credit_halt fb_credit_halted(const struct fb_credit *c);
/* What the escrow must hold after block `number`, looked <= number < next block. FB_OVERFLOW: less than nothing, a
 * lie. */
FB_MUST_USE enum fb_status fb_credit_value(const struct fb_credit *c, uint64_t number, struct fb_amount *out);
/* As of all that was posted, blocks not read yet (receipts) too. FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_credit_total(const struct fb_credit *c, struct fb_amount *out);
struct fb_amount fb_credit_at_risk(const struct fb_credit *c);
uint64_t fb_credit_leaks(const struct fb_credit *c); /* movements that left and are not ours, since the start */
/* Movements that are not final. */
size_t fb_credit_count(const struct fb_credit *c);
const struct fb_credit_item *fb_credit_item(const struct fb_credit *c, size_t i);
#endif /* FB_CREDIT_H */
