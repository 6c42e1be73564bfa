/* Shared inside indexer/payout: the engine, a withdrawal under way, and the decisions that need neither. */
#ifndef FB_PAYOUT_INT_H
#define FB_PAYOUT_INT_H
#include "farebox/json.h"
#include "farebox/payout.h"

enum {
	FB_PAYOUT_ROW_LEN = 216,
	FB_PAYOUT_PREFIX_LEN = 29, /* tag, chain id, escrow */
	FB_PAYOUT_ROW_KEY_LEN = FB_PAYOUT_PREFIX_LEN + 16,
	FB_PAYOUT_OPEN_KEY_LEN = FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN + 16,
	FB_PAYOUT_INDEX_KEY_LEN = FB_PAYOUT_PREFIX_LEN + FB_OWNER_LEN + 8 + 16,
	FB_PAYOUT_AMOUNT_LEN = 1 + 16, /* value of V and X: version, amount */
	FB_PAYOUT_BUCKETS = 4096,
	FB_PAYOUT_TICK_MS = 250,
	FB_PAYOUT_GATHER_MS = 1000,  /* how long a withdrawal waits for others while a transaction is under way */
	FB_PAYOUT_LOOK_MS = 15000,   /* the escrow is looked at so often when nothing waits */
	FB_PAYOUT_ASKS_MAX = 32,     /* questions about single withdrawals at once */
	FB_PAYOUT_ASK_MS = 500,      /* before a question is repeated; doubled up to */
	FB_PAYOUT_ASK_MAX_MS = 30000,
	FB_PAYOUT_REORG_BLOCKS = 64, /* a transaction may have moved to an earlier block by so many */
};
#define FB_PAYOUT_DAY_US ((int64_t)86400 * 1000000)

/* ---- record.c: rows and ids ---- */
struct fb_hash fb_payout_id_of(const struct fb_escrow *e, const struct fb_withdrawal *w);
struct fb_uuid fb_payout_keyed_id(const struct fb_escrow *e, const struct fb_owner *owner, struct fb_str key);
fb_id fb_payout_op_id(const struct fb_withdrawal *w, enum fb_payout_code what);
void fb_payout_prefix(uint8_t out[FB_PAYOUT_PREFIX_LEN], char tag, const struct fb_escrow *e);
void fb_payout_row_key(uint8_t out[FB_PAYOUT_ROW_KEY_LEN], const struct fb_escrow *e, const struct fb_uuid *id);
void fb_payout_open_key(uint8_t out[FB_PAYOUT_OPEN_KEY_LEN], const struct fb_escrow *e, const struct fb_withdrawal *w);
void fb_payout_index_key(uint8_t out[FB_PAYOUT_INDEX_KEY_LEN], const struct fb_escrow *e,
			 const struct fb_withdrawal *w);
void fb_payout_encode(uint8_t out[FB_PAYOUT_ROW_LEN], const struct fb_withdrawal *w);
/* Of the row with that key. FB_STORAGE: none of ours (W2). */
FB_MUST_USE enum fb_status fb_payout_decode(struct fb_withdrawal *out, const struct fb_escrow *e, struct fb_str key,
					    struct fb_str value);
void fb_payout_encode_amount(uint8_t out[FB_PAYOUT_AMOUNT_LEN], struct fb_amount a);
FB_MUST_USE enum fb_status fb_payout_decode_amount(struct fb_amount *out, struct fb_str value);
/* What goes to the wallet. */
struct fb_amount fb_payout_net(const struct fb_withdrawal *w);
bool fb_payout_is_over(enum fb_payout_state s);

/* ---- decide.c: what the escrow's events mean; pure ---- */
enum fb_payout_class { FB_PAYOUT_PASSES, FB_PAYOUT_STAYS, FB_PAYOUT_DECIDED };
enum fb_payout_class fb_payout_class_of(enum fb_escrow_refusal r); /* not of NONE */
enum fb_payout_said { FB_PAYOUT_SAID_NOTHING, FB_PAYOUT_SAID_PAID, FB_PAYOUT_SAID_REFUSED, FB_PAYOUT_SAID_BURNT,
		      FB_PAYOUT_SAID_OTHERWISE /* paid, but not this amount to this wallet */ };
struct fb_payout_word {
	enum fb_payout_said said;
	enum fb_escrow_refusal reason; /* of REFUSED */
	uint64_t block; /* of the log */
	struct fb_hash tx, block_hash;
};
/* What an array of logs says of a withdrawal; of several logs the last that says something. */
struct fb_payout_word fb_payout_judge(struct fb_json_value logs, const struct fb_escrow *e,
				      const struct fb_withdrawal *w);
/* The state after its transaction was mined with that word. */
enum fb_payout_state fb_payout_after(enum fb_payout_state now, const struct fb_payout_word *word);
/* The state when the block of its transaction is gone; its own if nothing changes. */
enum fb_payout_job_kind { FB_PAYOUT_JOB_PAY = 'P', FB_PAYOUT_JOB_BURN = 'B' };
enum fb_payout_state fb_payout_gone(enum fb_payout_state now, enum fb_payout_job_kind kind);
/* The state when an UNSURE one's id is not used. */
enum fb_payout_state fb_payout_unused(enum fb_escrow_refusal reason);
enum fb_payout_move fb_payout_move_of(enum fb_payout_state from, enum fb_payout_state to); /* END: there is none */
uint64_t fb_payout_retry_ms(uint32_t tries);

/* ---- what is under way ---- */
struct fb_payout_waiter {
	void (*done)(void *arg, enum fb_status status, const struct fb_withdrawal *w);
	void *arg;
	struct fb_payout_waiter *next;
};
struct fb_payout_entry {
	struct fb_payout *payout;
	struct fb_withdrawal w;
	bool requested; /* its request is not durable yet: nothing may be signed */
	bool row_open;  /* a row of the lane stands for w.job */
	bool asking;    /* a question about it is out */
	bool ending;    /* the end of its hold is on its way */
	bool strange;   /* paid otherwise than ordered */
	uint32_t asks;  /* unanswered so far */
	uint64_t due_ms;    /* monotonic: nothing before it */
	uint64_t queued_ms; /* since when it waits to be signed */
	uint64_t scan_from; /* UNSURE: the next block whose logs are asked for; 0: from the beginning */
	uint64_t asked_up_to;
	uint8_t key[FB_PAYOUT_ROW_KEY_LEN], row[FB_PAYOUT_ROW_LEN];
	struct fb_payout_waiter *waiters;
	struct fb_payout_entry *next; /* in its bucket */
	struct fb_payout_entry *older, *newer;
};

struct fb_payout_owner { /* what an owner asked for today */
	struct fb_owner owner;
	struct fb_amount sum;
	uint32_t count;
	struct fb_payout_owner *next;
};

struct fb_payout {
	struct fb_payout_ports ports;
	struct fb_payout_settings settings;
	struct fb_payout_rows rows;
	struct fb_address signer;
	struct fb_timer *timer;
	struct fb_payout_entry *buckets[FB_PAYOUT_BUCKETS];
	struct fb_payout_entry *oldest, *newest;
	struct fb_payout_owner *owners[FB_PAYOUT_BUCKETS];
	size_t entries, owner_count, waiters, asks;
	int64_t day; /* of owners */
	uint64_t last_job;
	uint64_t looked_ms;
	bool held, dead, started, stopped, looking;
	const char *said_why; /* why nothing is signed, as logged last */
	struct fb_payout_status status; /* what the chain said, and the signer's purse */
};

/* ---- table.c ---- */
struct fb_payout_entry *fb_payout_find(struct fb_payout *p, const struct fb_uuid *id);
struct fb_payout_entry *fb_payout_add(struct fb_payout *p, const struct fb_withdrawal *w);
void fb_payout_drop(struct fb_payout_entry *e);
void fb_payout_move(struct fb_payout_entry *e, enum fb_payout_state to); /* W4 */
/* The row as it is now, in the entry's memory until the next call. */
struct fb_put fb_payout_put(struct fb_payout_entry *e);
void fb_payout_store(struct fb_payout_entry *e); /* the row alone; who follows in the writer comes behind it */
void fb_payout_answer(struct fb_payout_entry *e, enum fb_status status); /* everybody who waits for the request */
uint64_t fb_payout_now_ms(const struct fb_payout *p);
void fb_payout_fail(struct fb_payout *p); /* the disk */
void fb_payout_changed(struct fb_payout *p);
/* Today's sum of an owner; NULL: too many owners, or rows that cannot be read. */
struct fb_payout_owner *fb_payout_owner_of(struct fb_payout *p, const struct fb_owner *owner);
void fb_payout_forget_owners(struct fb_payout *p);

/* ---- rows.c ---- */
/* What was asked for since then, failed ones left out. FB_STORAGE, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_payout_asked(const struct fb_payout_rows *rows, struct fb_amount *sum, uint32_t *count,
					   const struct fb_owner *owner, int64_t since_us);

/* ---- report.c: what the lane tells ---- */
enum { FB_PAYOUT_JOB_LEN = 1 + 1 + 8 }; /* tag, kind, number; then 16 bytes a withdrawal */
struct fb_lane_owner fb_payout_lane_owner(struct fb_payout *p);

/* ---- the rest, each called by the pump ---- */
void fb_payout_pump(struct fb_payout *p);
void fb_payout_look(struct fb_payout *p);             /* send.c: asks the escrow, then signs what may be signed */
void fb_payout_ask(struct fb_payout_entry *e);        /* ask.c: UNSURE */
void fb_payout_check_rung(struct fb_payout_entry *e); /* rung.c: PAID, BURNT */
/* ask.c: hex of a result as bytes; false if it is none or too long. */
bool fb_payout_bytes(struct fb_str *out, uint8_t *block, size_t cap, const struct fb_rpc_result *r);
void fb_payout_unanswered(struct fb_payout_entry *e); /* later again */
/* The parameters of eth_getLogs for what the escrow said of an id, without the block members' closing. */
void fb_payout_put_filter(struct fb_buf *b, const struct fb_payout *p, const struct fb_hash *id);
#endif /* FB_PAYOUT_INT_H */
