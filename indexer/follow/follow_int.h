/* Shared inside indexer/follow: what is under way. */
#ifndef FB_FOLLOW_INT_H
#define FB_FOLLOW_INT_H
#include "farebox/follow.h"

enum {
	FB_FOLLOW_FILTERS = 3, /* eth_getLogs calls that together find all that concerns the escrow */
	FB_FOLLOW_ENDS = 2,    /* balances: before the range and at its end */
	FB_FOLLOW_CONFIRMS = 3, /* empty answers to a block that may have logs, where no balance speaks for it */
	FB_FOLLOW_GAPS_MAX = 8, /* answers in a row whose logs do not explain the balances, before they are believed */
	FB_FOLLOW_CALLS_MAX = FB_FOLLOW_HEADERS_MAX * FB_FOLLOW_FILTERS,
	FB_FOLLOW_PARAMS_MAX = FB_FOLLOW_CALLS_MAX * 512,
	FB_FOLLOW_CONFLICTS_MAX = 5, /* looks in a row */
};

/* What others want, in the order of asking. */
struct fb_wish {
	struct fb_movement *movements; /* of a receipt, owned; NULL: a claim */
	size_t count;
	struct fb_address wallet;      /* of a claim */
};

/* A range being read. */
struct fb_reading {
	uint64_t first, last;
	bool is_final;
	uint64_t numbers[FB_FOLLOW_HEADERS_MAX + 1]; /* of the headers asked for, ascending */
	struct fb_block_header headers[FB_FOLLOW_HEADERS_MAX + 1];
	struct fb_credit_block blocks[FB_FOLLOW_HEADERS_MAX + 1]; /* number and hash of each */
	size_t header_count;
	struct fb_chain_log *logs, *second; /* FB_FOLLOW_LOGS_MAX each */
	size_t log_count, second_count;
	struct fb_movement *movements;
	size_t movement_count;
	bool has_balances; /* the endpoint still knows them */
	struct fb_amount before, after;
	uint64_t sequence;
	size_t suspects[FB_FOLLOW_HEADERS_MAX]; /* headers whose bloom says more than the logs */
	size_t suspect_count;
	unsigned confirms; /* times that they were said to have no logs */
	size_t receipts_from;               /* the first movement whose receipt is not read */
	size_t asked[FB_FOLLOW_RECEIPTS_MAX]; /* movements, the first of each transaction asked for */
	size_t asked_count;
};

struct fb_follow {
	struct fb_loop *loop;
	struct fb_rpc *rpc, *second_rpc;
	struct fb_head *head;
	struct fb_writer *writer;
	struct fb_store *store;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_follow_settings settings;
	struct fb_follow_ports ports;
	struct fb_credit *credit;
	struct fb_timer *retry;
	bool stopped, dead;
	bool asking;     /* the chain */
	bool submitting; /* to the ledger */
	bool working;    /* the decisions have more batches */
	bool repaying;
	bool pruned;     /* the endpoint did not know the last range's balances: blooms must speak for it */
	bool heads_due, rewind_due, repay_due, halt_due;
	uint64_t latest, safe, final; /* as the decisions were told; 0: nothing yet */
	uint64_t rewind_first, range;
	enum fb_credit_halt halt_why;
	struct fb_wish wishes[FB_FOLLOW_WISHES_MAX];
	size_t wish_count;
	struct fb_movement *receipt; /* of the event being worked off */
	uint64_t doubts, doubts_in_row, gaps_in_row, leaks, conflicts;
	struct fb_error doubt;
	struct fb_reading r;
	struct fb_credit_batch batch;
	char *params; /* FB_FOLLOW_PARAMS_MAX */
};

/* open.c */
FB_MUST_USE enum fb_status fb_follow_load(struct fb_follow *f, struct fb_error *e); /* the decisions, from the rows */

/* pump.c: whatever is due, as long as nothing is waited for */
void fb_follow_pump(struct fb_follow *f);
void fb_follow_later(struct fb_follow *f); /* again in FB_FOLLOW_RETRY_MS */

/* submit.c */
void fb_follow_work(struct fb_follow *f);   /* the event's next batch to the ledger, or its end */
void fb_follow_submit(struct fb_follow *f); /* f->batch */

/* range.c: which blocks next; false: none are due */
bool fb_follow_choose(struct fb_follow *f);

/* ask.c: calls and their parameters */
struct fb_calls {
	struct fb_rpc_call calls[FB_FOLLOW_CALLS_MAX];
	size_t count;
	struct fb_buf params;
};
void fb_calls_init(struct fb_calls *c, struct fb_follow *f);
void fb_calls_chain(struct fb_calls *c);
void fb_calls_header(struct fb_calls *c, uint64_t number);
void fb_calls_logs(struct fb_calls *c, const struct fb_escrow *e, uint64_t first, uint64_t last);
void fb_calls_logs_of_block(struct fb_calls *c, const struct fb_escrow *e, const struct fb_hash *block);
void fb_calls_balance(struct fb_calls *c, const struct fb_escrow *e, uint64_t number);
void fb_calls_receipt(struct fb_calls *c, const struct fb_hash *tx);
void fb_calls_send(struct fb_follow *f, struct fb_rpc *rpc, struct fb_calls *c,
		   void (*done)(void *arg, const struct fb_rpc_reply *reply));

/* read.c: the steps of reading a range */
void fb_follow_read(struct fb_follow *f); /* from f->r's first, last, is_final */
/* check.c: what a range's answer must be. FB_MISMATCH and a sentence; FB_CONFLICT: below it a final
 * block is another. */
FB_MUST_USE enum fb_status fb_follow_check(struct fb_follow *f, struct fb_error *e);
/* Do the movements explain how the escrow's balance changed? */
bool fb_follow_explains(const struct fb_reading *r);
bool fb_follow_same_logs(const struct fb_reading *r);
/* The range is asked for again later. What only a lie or a changed final block explains halts in the end; NONE: what
 * may pass. */
void fb_follow_doubt(struct fb_follow *f, enum fb_credit_halt halt, const char *why);
#endif /* FB_FOLLOW_INT_H */
