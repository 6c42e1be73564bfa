/* farebox/follow.h - the indexer: reads the chain's logs about the escrow and has the ledger post what they say.
 *
 * What it is  the shell around indexer/credit. Final blocks are read in ranges that adapt to what the endpoint is
 *             willing to give; blocks that are not final yet as the head follower reports them. Every postings batch
 *             is one submission to the ledger's writer, with the cursor; the next one waits for its answer.
 * Layer       7
 * Trust       no answer is believed because it is empty. The chain's id and the range's headers come in one request
 *             with its logs: the last block must be there, parents must fit, hashes must be what the head follower
 *             knows; every log's block hash must be its header's; a block whose bloom may hold something about the
 *             escrow but has no log is asked for again by hash; the escrow's events must be numbered without a gap;
 *             what moved must explain the escrow's balances before and at the end of the range, as long as the endpoint
 *             knows them; every block is read once more when it is final, and of a second endpoint, if there is one,
 *             final ranges must be the same. What does not fit is asked again; what only a lie or a changed final
 *             block explains halts everything, after doubts_max times without progress, until an operator
 *             releases it. (Headers of all blocks, and so blooms and hashes, are read of ranges up to
 *             FB_FOLLOW_HEADERS_MAX blocks; an endpoint that does not know balances so old gets no longer ones.)
 * Errors      fb_follow_open: FB_STORAGE. Later faults show in the status, the log and the metrics; an endpoint that
 *             does not answer is asked again every FB_FOLLOW_RETRY_MS. If the ledger refuses a posting, which it
 *             cannot, the state is read again from the rows and halts. If the disk fails nothing more is done.
 * Limits      below; of the decisions, in farebox/credit.h.
 * Ownership   borrows everything it is opened with. Stop before the rpc is closed; close after the rpc and the writer
 *             are closed and the loop has run what they posted.
 * Threads     the loop's thread only. Ports are called on it.
 */
#ifndef FB_FOLLOW_H
#define FB_FOLLOW_H
#include "farebox/core.h"
#include "farebox/credit.h"
#include "farebox/event.h"
#include "farebox/head.h"
#include "farebox/metric.h"
#include "farebox/net.h"
#include "farebox/rpc.h"
#include "farebox/store.h"
#include "farebox/writer.h"

enum {
	FB_FOLLOW_HEADERS_MAX = 64,
	FB_FOLLOW_LOGS_MAX = 20000,   /* of one range; more: the range is halved */
	FB_FOLLOW_RECEIPTS_MAX = 64,  /* asked for at once */
	FB_FOLLOW_RANGE = 2000,       /* blocks, to begin with */
	FB_FOLLOW_RANGE_MAX = 10000,
	FB_FOLLOW_RETRY_MS = 250,
	FB_FOLLOW_WISHES_MAX = 64,
	FB_FOLLOW_RECEIPT_MAX = 128,  /* movements of one receipt */
};

struct fb_follow_settings {
	struct fb_credit_settings credit;
	uint64_t range_max;  /* 1..FB_FOLLOW_RANGE_MAX blocks */
	uint64_t doubts_max; /* at least 1 */
	uint64_t last;       /* no block above is read, and none that is not final; 0: no end */
};
struct fb_follow_ports {
	bool (*owner_of)(void *ctx, struct fb_owner *out, const struct fb_address *wallet);
	bool (*is_payout)(void *ctx, const struct fb_movement *m);
	/* Something was read or decided; may ask everything, must not close. NULL allowed. */
	void (*changed)(void *ctx);
	/* Where there is no writer: takes what would be posted and stored, which is taken for done. */
	void (*batch)(void *ctx, const struct fb_credit_batch *b);
	void *ctx;
};
struct fb_follow_status {
	uint64_t next, looked;       /* the first block not read; the last one that is done with */
	struct fb_hash looked_hash;
	uint64_t sequence;           /* of the escrow's last event up to looked */
	uint64_t latest, safe, final; /* as the head follower says */
	enum fb_credit_halt halt;
	size_t live, debtors;
	struct fb_amount at_risk;
	uint64_t doubts, leaks;      /* since the start */
	bool working;                /* an event is being worked off: sums do not hold now */
	bool dead;                   /* the disk failed */
	const char *doubt;           /* the last one, "" if none */
};

struct fb_follow;
/* second: a client that prefers another endpoint; NULL: there is none. writer and store NULL: nothing is known from an
 * earlier life, nothing is posted, ports.batch is told instead. FB_STORAGE; e says which row. */
FB_MUST_USE enum fb_status fb_follow_open(struct fb_follow **out, struct fb_loop *loop, struct fb_rpc *rpc,
					  struct fb_rpc *second, struct fb_head *head, struct fb_writer *writer,
					  struct fb_store *store, const struct fb_follow_settings *settings,
					  struct fb_follow_ports ports, struct fb_log *log, struct fb_metrics *metrics,
					  struct fb_error *e);
void fb_follow_stop(struct fb_follow *f);
void fb_follow_close(struct fb_follow *f); /* stopped. NULL allowed */

/* Every look of the head follower, which begins the work too; if it finds again and again that final blocks were
 * changed, crediting halts. */
void fb_follow_hear(struct fb_follow *f, const struct fb_head_report *r);
/* A receipt of a transaction that may have paid into the escrow, before its block is read: credited now, once.
 * FB_BUSY: its block does not stand, is final, or too many wait: it will be found in time. Else as
 * fb_movements_of_receipt. */
FB_MUST_USE enum fb_status fb_follow_receipt(struct fb_follow *f, struct fb_json_value receipt);
/* The port owner_of knows this wallet now: what lies in suspense for it moves. FB_BUSY: too many wait. */
FB_MUST_USE enum fb_status fb_follow_claim(struct fb_follow *f, const struct fb_address *wallet);
void fb_follow_halt(struct fb_follow *f, enum fb_credit_halt why);
void fb_follow_status(const struct fb_follow *f, struct fb_follow_status *out);
/* What the escrow must hold after that block: looked <= number < next. FB_NOT_FOUND: it is not. FB_BUSY: working.
 * FB_OVERFLOW: less than nothing. */
FB_MUST_USE enum fb_status fb_follow_value(const struct fb_follow *f, uint64_t number, struct fb_amount *out);
/* The ledger's escrow account must say this: all that was posted. FB_BUSY, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_follow_total(const struct fb_follow *f, struct fb_amount *out);

/* What a fresh `credit` must know of an earlier life, out of the store. FB_STORAGE and those of fb_credit_load; e says
 * which row. Also without a follower, for who only looks. */
FB_MUST_USE enum fb_status fb_follow_rows(struct fb_credit *credit, struct fb_store *store,
					  const struct fb_escrow *escrow, struct fb_error *e);
#endif /* FB_FOLLOW_H */
