/* Shared inside facilitator/settle: the record of one settlement, and an entry under way. */
#ifndef FB_SETTLE_INT_H
#define FB_SETTLE_INT_H
#include "farebox/settle.h"

enum { FB_SETTLE_ROW_MAX = 256, FB_SETTLE_BUCKETS = 1024, FB_SETTLE_TICK_MS = 100 };

/* What is stored under a key. */
struct fb_settle_record {
	enum fb_settle_state state; /* 0: nothing stored */
	bool granted;
	enum fb_reason reason; /* of FAILED */
	struct fb_hash fingerprint, tx;
	struct fb_address to;
	struct fb_u256 value;
	uint64_t block;
	int64_t created_us, updated_us;
};

/* record.c */
struct fb_settle_key fb_settle_key_of(uint64_t chain_id, const struct fb_claim *c);
struct fb_hash fb_settle_fingerprint(uint64_t chain_id, const struct fb_claim *c);
size_t fb_settle_record_encode(uint8_t out[FB_SETTLE_ROW_MAX], const struct fb_settle_record *r);
FB_MUST_USE enum fb_status fb_settle_record_decode(struct fb_settle_record *out, struct fb_str value); /* FB_STORAGE */
/* The authorization's fields that the record can answer for: from, to, value, nonce. */
struct fb_authorization fb_settle_authorization(const struct fb_settle_key *key, const struct fb_settle_record *r);
struct fb_address fb_settle_asset(const struct fb_settle_key *key);

/* Every step an entry under way can be in; a read by row: what is being waited for. */
enum fb_settle_phase {
	FB_PHASE_READING,    /* facts about the payment */
	FB_PHASE_PARKED,     /* the payer's other payments: they may use up its balance */
	FB_PHASE_SIMULATING, /* gas estimate and fees */
	FB_PHASE_SIGNING,    /* the signed bytes on their way to the disk */
	FB_PHASE_SIGNED,     /* inclusion */
	FB_PHASE_RECALLING,  /* the receipt of a transaction that the lane does not follow any more */
	FB_PHASE_RECORDING,  /* the record's next version on its way to the disk */
};

struct fb_settle_waiter {
	void (*done)(void *arg, const struct fb_settle_outcome *o);
	void *arg;
	uint64_t deadline_ms; /* monotonic */
	struct fb_settle_waiter *next;
};

struct fb_settle_entry {
	struct fb_settle *settle;
	struct fb_settle_key key;
	struct fb_settle_record record;
	enum fb_settle_phase phase;
	bool row_open;                      /* a row of the lane stands for it: the lane will tell more */
	struct fb_claim *claim; /* owned; NULL for one taken up after a restart that nobody asked for since */
	struct fb_settle_waiter *waiters; /* oldest first; none while draining */
	struct fb_settle_waiter *grantee;   /* out of `waiters`: gets success when the record is durable */
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t row_len;
	uint64_t begun_ns;
	struct fb_settle_entry *next; /* in its bucket */
};

struct fb_settle {
	struct fb_loop *loop;
	const struct fb_network *network;
	struct fb_rpc *rpc;
	struct fb_view *view;
	struct fb_lane *lane;
	struct fb_store *store;
	struct fb_commit commit;
	struct fb_settle_settings settings;
	struct fb_clock clock;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_timer *timer;
	struct fb_settle_entry *buckets[FB_SETTLE_BUCKETS];
	size_t entries, waiters;
	bool draining;
};

/* entry.c */
struct fb_settle_entry *fb_settle_find(struct fb_settle *s, const struct fb_settle_key *key);
struct fb_settle_entry *fb_settle_add(struct fb_settle *s, const struct fb_settle_key *key);
void fb_settle_drop(struct fb_settle_entry *e); /* nobody waits any more */
void fb_settle_wait(struct fb_settle_entry *e, void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg);
/* The record's outcome for a caller that gets no grant. */
void fb_settle_outcome_of(struct fb_settle_outcome *o, const struct fb_settle_key *key,
			  const struct fb_settle_record *r);
void fb_settle_answer_one(struct fb_settle *s, struct fb_settle_waiter *w,
			  const struct fb_settle_outcome *o); /* frees w */
/* Answers everybody who waits (not the grantee). tx of the record if it has one. */
void fb_settle_answer_all(struct fb_settle_entry *e, enum fb_reason reason, const char *note);
/* Sum of the values of the payer's other entries that were judged good and are not yet included. */
struct fb_u256 fb_settle_in_flight(const struct fb_settle_entry *e);
/* Calls each for every entry; each may drop it. */
void fb_settle_each(struct fb_settle *s, void (*each)(struct fb_settle_entry *e));

/* begin.c: facts, judgement, simulation, lane */
void fb_settle_begin(struct fb_settle_entry *e);
/* end.c: what the lane reports, and grants */
void fb_settle_record_row(struct fb_settle_entry *e, struct fb_lane_puts *puts); /* the record as a put */
void fb_settle_commit_record(struct fb_settle_entry *e); /* and then fb_settle_resolve */
void fb_settle_resolve(struct fb_settle_entry *e, enum fb_status status);
/* A lost transaction moved nothing: its record goes away, and who waits starts anew. */
void fb_settle_forget(struct fb_settle_entry *e);
void fb_settle_take_receipt(struct fb_settle_entry *e, const struct fb_lane_inclusion *in); /* into the record */
/* recall.c: asks for the receipt of the record's transaction, which no row of the lane stands for */
void fb_settle_recall(struct fb_settle_entry *e);
#endif /* FB_SETTLE_INT_H */
