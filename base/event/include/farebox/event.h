/* farebox/event.h - the catalogue of everything the program can say about itself in its log.
 *
 * An event is a row: name, level, meaning. A log call without a row cannot be written.
 * Layer      2
 * Levels     DEBUG  for the one who wrote it.   INFO  one line per business fact.
 *            ODD    legal but rare (a retry, a failover).
 *            BROKEN our own invariant or promise failed: any test that sees one fails.
 * Output     one JSON object per line on the log's descriptor: {"ts":"2026-…Z","level":"info",
 *            "event":"…",fields…}; ts is RFC 3339 with microseconds. Input cannot forge a line: all but
 *            ASCII is escaped, and what is not UTF-8 becomes U+FFFD.
 *            Secrets, signatures and bodies never pass through here.
 * Limits     FB_EVENT_LINE_MAX bytes a line; a longer one is cut inside a field, stays valid JSON and ends
 *            with "cut":true.
 * Errors     none: a line the descriptor does not take is lost, a log never stops payments.
 * Threads    any thread; a line is written whole by one write(2).
 */
#ifndef FB_EVENT_H
#define FB_EVENT_H
#include "farebox/core.h"
#include "farebox/port.h"

/* X(name, level, meaning and fields) */
#define FB_EVENTS(X)                                                                                  \
	X(STARTED,          INFO,   "the server is ready: address, network, signer")                  \
	X(STOPPING,         INFO,   "a signal asked for the end: signal")                             \
	X(STOPPED,          INFO,   "everything is answered and closed")                              \
	X(REQUEST,          INFO,   "one HTTP request: id, method, path, status, ms, bytes, peer")    \
	X(REQUEST_REFUSED,  ODD,    "bad framing, the connection is closed: id, why, peer")           \
	X(CONNECTION_REAPED, ODD,   "a request took too long to arrive: peer, ms")                    \
	X(RPC_FAILOVER,     ODD,    "an RPC endpoint failed, the next one is asked: endpoint, why")   \
	X(RPC_DOWN,         ODD,    "no RPC endpoint answers: why")                                   \
	X(CHAIN_STALE,      ODD,    "the newest block is older than allowed: block, age_s")           \
	X(REORG,            ODD,    "the chain took blocks back: depth, first (number), head")        \
	X(HEAD_FAULT,       ODD,    "an endpoint's head cannot be followed: fault (class), head (ours)") \
	X(SETTLE_STATE,     INFO,   "a settlement moved: payer, nonce, from, to, tx")                 \
	X(SETTLE_GRANTED,   INFO,   "success was granted, once: payer, nonce, tx")                    \
	X(SETTLE_REFUSED,   INFO,   "a settlement was refused: payer, nonce, reason")                 \
	X(SETTLE_TAKEN_BACK, ODD,   "the block that decided a settlement is gone, the chain is asked: payer, nonce, tx, block") \
	X(TX_SENT,          INFO,   "a transaction was handed to the chain: signer, nonce, tx")       \
	X(TX_RESENT,        ODD,    "the same bytes were sent again: signer, nonce, tx, why")         \
	X(TX_REFUSED,       ODD,    "an endpoint did not take a transaction: signer, nonce, tx, class, why") \
	X(TX_REPLACED,      ODD,    "a transaction waits too long, another with higher fees: signer, nonce, tx, max_fee_gwei") \
	X(TX_CAPPED,        ODD,    "a transaction waits and its fees may not be raised further: signer, nonce, tx") \
	X(TX_INCLUDED,      INFO,   "a transaction is in a block: signer, nonce, tx, block, attempt")       \
	X(TX_VANISHED,      ODD,    "the block of a transaction is gone, it waits again: signer, nonce, tx, block") \
	X(TX_CONFIRMED,     INFO,   "a transaction has its confirmations: signer, nonce, tx, block")        \
	X(TX_GAP,           ODD,    "nothing stands for an account nonce the chain waits for, it is filled: signer, nonce, tx") \
	X(TX_FOREIGN,       ODD,    "another program sent with our key: signer, nonce (the next), ours")    \
	X(TX_NONCE_TAKEN,   ODD,    "another program used our account nonce: signer, nonce, tx")      \
	X(SIGNER_HELD,      ODD,    "another process of this machine uses the key, it is waited for: signer, wait_s") \
	X(SIGNER_LOW,       ODD,    "the signer's gas money runs out: signer, wei")                   \
	X(MOVEMENT,         INFO,   "money moved at the escrow, or got on: kind, state, amount, block, tx")  \
	X(MOVEMENT_GONE,    ODD,    "a movement's block is gone, it is reversed: kind, amount, block, tx")  \
	X(INDEXER_DOUBT,    ODD,    "an answer about logs is not believed and asked for again: first, last, why") \
	X(INDEXER_HALTED,   ODD,    "nothing is credited until an operator releases it: why")              \
	X(RESERVES_DIFFER,  ODD,    "the escrow does not hold what the books say, withdrawals stop: block, books, chain, good, first, which") \
	X(ESCROW_LEAK,      ODD,    "money left the escrow that was not paid out by us: movements")         \
	X(WITHDRAWAL,       INFO,   "a withdrawal moved: id, from, to, amount, reason, block, tx")          \
	X(PAYOUT_REFUSED,   ODD,    "the escrow refused to pay a withdrawal: id, reason, tx")               \
	X(PAYOUT_STRANGE,   ODD,    "a payout id of ours was paid otherwise than ordered, an operator must look: payout, tx") \
	X(PAYOUTS_WAIT,     ODD,    "no payout is signed: why, withdrawals (open)")                         \
	X(PAYOUTS_HELD,     ODD,    "withdrawals are stopped until they are released: withdrawals (open)")  \
	X(PAYOUTS_RELEASED, ODD,    "withdrawals go on: withdrawals (open)")                                \
	X(LEDGER_READY,     INFO,   "the books are loaded: batch, seq, replayed (records), accounts") \
	X(STORE_SALVAGED,   ODD,    "damaged records were replaced by a copy that lacks nothing acknowledged: aside, batch") \
	X(DERIVED_DAMAGED,  ODD,    "rows derived from the journal cannot be read; the next start makes them again") \
	X(DERIVED_REBUILT,  ODD,    "rows derived from the journal did not fit it and are made again: why") \
	X(STORAGE_FAILED,   BROKEN, "a write was not confirmed by the disk, nothing more is written: why") \
	X(INVARIANT,        BROKEN, "our own promise failed: what")

enum fb_level { FB_DEBUG, FB_INFO, FB_ODD, FB_BROKEN };
enum fb_event {
#define X(name, level, doc) FB_EV_##name,
	FB_EVENTS(X)
#undef X
	FB_EV_END /* not an event */
};
struct fb_event_info {
	const char *name, *doc; /* name in lower case, as logged */
	enum fb_level level;
};
const struct fb_event_info *fb_event_info(enum fb_event e);

enum { FB_EVENT_LINE_MAX = 2048 };
enum fb_field_kind { FB_FIELD_TEXT, FB_FIELD_NUMBER, FB_FIELD_BYTES };
struct fb_field {
	const char *key;
	enum fb_field_kind kind;
	struct fb_str text; /* also the raw bytes of FB_FIELD_BYTES, written as 0x hex */
	uint64_t number;
};
#define FB_F_U64(k, v) ((struct fb_field){ .key = (k), .kind = FB_FIELD_NUMBER, .number = (v) })
#define FB_F_STR(k, v) ((struct fb_field){ .key = (k), .kind = FB_FIELD_TEXT, .text = (v) })
#define FB_F_TEXT(k, v) ((struct fb_field){ .key = (k), .kind = FB_FIELD_TEXT, .text = fb_str_of(v) })
#define FB_F_HEX(k, p, n) ((struct fb_field){ .key = (k), .kind = FB_FIELD_BYTES, .text = { (const char *)(p), (n) } })

struct fb_log; /* opaque */
/* Writes lines of level >= min to `fd`, which is borrowed until closed. */
void fb_log_open(struct fb_log **out, int fd, enum fb_level min, struct fb_clock clock);
void fb_log_close(struct fb_log *log); /* NULL is allowed */
/* log NULL: nothing */
void fb_log_write(struct fb_log *log, enum fb_event e, const struct fb_field *fields, size_t count);
uint64_t fb_log_broken_count(const struct fb_log *log); /* BROKEN lines so far */
/* fb_log(log, FB_EV_X, FB_F_U64("n", 1), …) with at least one field. */
#define fb_log(log, event, ...)                                                                   \
	fb_log_write((log), (event), (const struct fb_field[]){ __VA_ARGS__ },                    \
		     FB_COUNT(((const struct fb_field[]){ __VA_ARGS__ })))
#endif /* FB_EVENT_H */
