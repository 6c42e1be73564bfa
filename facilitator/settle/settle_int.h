/* Shared inside facilitator/settle: the record of one settlement, and an entry under way. */
#ifndef FB_SETTLE_INT_H
#define FB_SETTLE_INT_H
#include "farebox/settle.h"

enum {
	FB_SETTLE_ROW_MAX = 384,
	FB_SETTLE_BUCKETS = 4096,
	FB_SETTLE_TICK_MS = 100,
	FB_SETTLE_PARK_MS = 1000,      /* a payer's balance may have grown: looked at again after this long */
	FB_SETTLE_LOOKS_MAX = 64,      /* parked payments of one payer that are looked at again at once */
	FB_SETTLE_ASK_MS = 200,        /* before a payment of unknown fate is asked about again; doubled */
	FB_SETTLE_ASKS_MAX = 12,       /* so often; then the next caller asks */
	FB_SETTLE_ITEM_GAS = 120000,   /* what a payment in a batch is taken to need before it was simulated */
	FB_SETTLE_PURSES_MAX = 1 << 20, /* payers and API keys with a budget that pay in one day */
	FB_SETTLE_CHARGES_MAX = 8192,  /* bytes of the row that a transaction's charges are in */
	FB_SETTLE_JOB_LEN = 8,         /* bytes behind the keys in a lane job's key */
	FB_SETTLE_WATCHES_MAX = 65536, /* blocks watched at a time */
	FB_SETTLE_WATCH_ASKS_MAX = 8,  /* of these, asked for at once */
	FB_SETTLE_WATCH_MAX = 8192,    /* bytes of the row of a watched block */
	FB_SETTLE_AHEAD_MAX = 64,      /* a receipt so far above the follower's head is none */
	FB_SETTLE_LOGS_BLOCKS = 2000,  /* looked through for a log at once; halved when an endpoint refuses */
	FB_SETTLE_LOGS_BLOCKS_MIN = 16,
};

/* What is stored under a key. */
struct fb_settle_record {
	enum fb_settle_state state; /* NONE: nothing stored */
	bool granted;
	enum fb_reason reason; /* of FAILED */
	struct fb_hash fingerprint;
	struct fb_hash tx; /* that moved the money; before, or when none did: our newest */
	struct fb_address to;
	struct fb_u256 value;
	uint64_t block; /* of the transaction that decided it, 0 before */
	struct fb_hash block_hash;
	int64_t created_us, updated_us;
	uint64_t job;   /* of the lane's row that stands for it; 0: written by version 1 */
	uint64_t since; /* the newest block that anybody knew of when the first transaction for it was signed */
	uint64_t base;  /* the follower's head at that time, 0: not stored */
	struct fb_hash base_hash; /* while that block stands, nothing from `since` down has changed */
	uint8_t items;  /* payments in its transaction */
	fb_u128 gas_wei; /* its share of what its transaction cost */
	struct fb_address signer;
};

/* record.c */
struct fb_settle_key fb_settle_key_of(uint64_t chain_id, const struct fb_claim *c);
struct fb_hash fb_settle_fingerprint(uint64_t chain_id, const struct fb_claim *c);
size_t fb_settle_record_encode(uint8_t out[FB_SETTLE_ROW_MAX], const struct fb_settle_record *r);
FB_MUST_USE enum fb_status fb_settle_record_decode(struct fb_settle_record *out, struct fb_str value); /* FB_STORAGE */
/* The authorization's fields that the record can answer for: from, to, value, nonce. */
struct fb_authorization fb_settle_authorization(const struct fb_settle_key *key, const struct fb_settle_record *r);
struct fb_address fb_settle_asset(const struct fb_settle_key *key);
enum fb_settle_move fb_settle_move_of(enum fb_settle_state from, enum fb_settle_state to); /* END: there is none */
/* Nothing can come after it: moved, or used for something else. */
bool fb_settle_is_final(const struct fb_settle_record *r);

/* Every step an entry under way can be in: what is being waited for. */
enum fb_settle_phase {
	FB_PHASE_IDLE,      /* nothing: it only waits for late answers before it goes */
	FB_PHASE_READING,   /* facts about the payment */
	FB_PHASE_PARKED,    /* the payer's other payments: they may use up its balance */
	FB_PHASE_READY,     /* its turn */
	FB_PHASE_TRYING,    /* simulation, gas and fees */
	FB_PHASE_SIGNING,   /* the signed bytes on their way to the disk */
	FB_PHASE_SIGNED,    /* inclusion */
	FB_PHASE_ASKING,    /* the chain: what became of it? */
	FB_PHASE_UNSURE,    /* the next time to ask */
	FB_PHASE_RECORDING, /* the record's next version on its way to the disk */
};

struct fb_settle_waiter {
	void (*done)(void *arg, const struct fb_settle_outcome *o);
	void *arg;
	uint64_t deadline_ms; /* monotonic */
	struct fb_settle_waiter *next;
};

/* A payer of a token: what of its balance is spoken for, and who waits for that to change. */
struct fb_settle_payer {
	uint8_t id[40]; /* token, payer */
	struct fb_u256 held;
	unsigned holders;
	struct fb_settle_entry *parked, **parked_tail; /* oldest first, by queue_next */
	struct fb_settle_payer *next;
};

struct fb_settle_entry {
	struct fb_settle *settle;
	struct fb_settle_key key;
	struct fb_settle_record record;
	enum fb_settle_phase phase;
	bool row_open; /* a row of a lane stands for it and is not included: the lane will tell more */
	bool anew;     /* what the record says is over and moved nothing, or there is none: a new transaction may follow */
	bool retried;  /* that has happened once in this entry's life */
	bool alone;    /* never in a batch */
	bool fresh;    /* mined just now, without our logs: the chain is asked about that very block */
	bool insists;  /* its block is gone: the chain is asked again by itself while it does not tell */
	bool refused;  /* in the end; `refusal` is told once the chain has said that nothing moved */
	bool failed;   /* a commit of it was not confirmed */
	unsigned commits, lane_commits; /* of its record, on their way to the disk; of these, with a lane's rows */
	unsigned pending; /* questions that will come back with this entry in their hands */
	unsigned asks;
	uint64_t due_ms; /* monotonic: PARKED, UNSURE: when to look again; READY: since when */
	bool has_api_key;
	uint8_t api_key[FB_SETTLE_API_KEY_LEN]; /* whose budget it is charged to */
	fb_u128 charged; /* to its budgets, and not durable yet */
	uint64_t charged_day;
	uint64_t gas;    /* in its transaction, with its share of the call data */
	struct fb_settle_outcome refusal;
	struct fb_hash other; /* ASKING: the foreign transaction that used or cancelled the authorization */
	struct fb_receipt_summary other_receipt;
	uint64_t logs_from, logs_to, logs_blocks; /* ASKING: the window in which that is looked for, and its size */
	struct fb_claim *claim; /* owned; NULL for one taken up after a restart that nobody asked for since */
	struct fb_settle_waiter *waiters, **waiters_tail; /* oldest first; none while draining */
	bool awaited; /* there are any: it holds one of FB_SETTLE_ENTRIES_MAX places */
	struct fb_settle_waiter *grantee; /* out of `waiters`: gets success when the record is durable */
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t row_len;
	uint64_t begun_ns;
	struct fb_settle_payer *payer; /* that its value is held of; NULL: it is not */
	struct fb_settle_entry *next;  /* in its bucket */
	struct fb_settle_entry *queue_next; /* READY, PARKED */
};

/* A block that decided settlements which no lane follows. */
struct fb_settle_watch {
	struct fb_settle *settle;
	uint64_t block, number;
	struct fb_hash hash;
	bool confirmed; /* its records say so, where it counts */
	bool gone;      /* another one stands in its place */
	bool deep;      /* it stays */
	bool asking;
	struct fb_settle_watch *next;
};

struct fb_settle {
	struct fb_loop *loop;
	const struct fb_network *network;
	struct fb_rpc *rpc;
	struct fb_view *view;
	struct fb_head *head;
	struct fb_lane *lanes[FB_SETTLE_LANES_MAX];
	size_t lane_count;
	struct fb_store *store;
	struct fb_commit commit;
	struct fb_settle_settings settings;
	struct fb_clock clock;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_timer *timer, *gathering; /* gathering: runs while payments wait for others */
	struct fb_settle_entry *buckets[FB_SETTLE_BUCKETS];
	struct fb_settle_payer *payers[FB_SETTLE_BUCKETS];
	struct fb_settle_entry *ready, **ready_tail; /* oldest first */
	size_t entries, awaited, waiters, ready_count; /* awaited: entries with a caller */
	size_t trials; /* sets that are being simulated */
	uint64_t last_job;
	uint64_t moves[FB_SETTLE_MOVE_END];
	struct fb_lane *signing_lane; /* during fb_lane_send */
	struct fb_settle_purse *purses[FB_SETTLE_BUCKETS]; /* budget.c */
	size_t purse_count;
	uint64_t day;  /* of the purses */
	bool sweeping; /* rows of past days may be left */
	uint8_t charges[FB_SETTLE_CHARGES_MAX], charges_key[32];
	size_t charges_len;
	struct fb_settle_watch *watches, *watching; /* watch.c; watching: whose row is being made */
	size_t watch_count, watch_asks, watch_len;
	uint64_t last_watch;
	uint8_t watch_row[FB_SETTLE_WATCH_MAX], watch_key[32];
	bool watch_due; /* something may have come of them */
	bool draining, pumping;
};

/* entry.c */
struct fb_settle_entry *fb_settle_find(struct fb_settle *s, const struct fb_settle_key *key);
struct fb_settle_entry *fb_settle_add(struct fb_settle *s, const struct fb_settle_key *key);
/* Nobody waits any more. It goes, or when the last question about it has come back. */
void fb_settle_drop(struct fb_settle_entry *e);
/* A question has come back. False: the entry no longer waits for it, and may be gone. */
bool fb_settle_came_back(struct fb_settle_entry *e, enum fb_settle_phase phase);
void fb_settle_move(struct fb_settle_entry *e, enum fb_settle_state to); /* S5 */
int64_t fb_settle_now_us(const struct fb_settle *s);
void fb_settle_wait(struct fb_settle_entry *e, void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg);
struct fb_settle_waiter *fb_settle_next_waiter(struct fb_settle_entry *e); /* taken off; NULL: none */
/* Who was to be told of success is the first in line again. */
void fb_settle_hold_back(struct fb_settle_entry *e);
/* Is a transaction out, or was one, whose end is not known? */
bool fb_settle_is_out(const struct fb_settle_entry *e);
/* The record's outcome for a caller that gets no grant. */
void fb_settle_outcome_of(struct fb_settle_outcome *o, const struct fb_settle_key *key,
			  const struct fb_settle_record *r);
void fb_settle_answer_one(struct fb_settle *s, struct fb_settle_waiter *w,
			  const struct fb_settle_outcome *o); /* frees w */
/* Answers everybody who waits (not the grantee). */
void fb_settle_answer_all(struct fb_settle_entry *e, const struct fb_settle_outcome *o);
void fb_settle_answer_pending(struct fb_settle_entry *e, const char *note);
/* Calls each for every entry; each may drop it. */
void fb_settle_each(struct fb_settle *s, void (*each)(struct fb_settle_entry *e));

/* payer.c: what is under way of a payer's balance */
void fb_settle_hold(struct fb_settle_entry *e);
void fb_settle_release(struct fb_settle_entry *e); /* may be held or not; who is parked for it is looked at again */
struct fb_u256 fb_settle_held(const struct fb_settle_entry *e); /* by the payer's other entries */
void fb_settle_park(struct fb_settle_entry *e);
void fb_settle_unpark(struct fb_settle_entry *e);

/* budget.c: gas money of a day, by payer and by API key */
void fb_settle_budget_load(struct fb_settle *s);
void fb_settle_budget_clear(struct fb_settle *s);
void fb_settle_budget_sweep(struct fb_settle *s); /* now and then: past days go */
bool fb_settle_charge(struct fb_settle_entry *e, fb_u128 cost); /* false: more than its budgets allow */
void fb_settle_uncharge(struct fb_settle_entry *e); /* nothing was signed; may be charged or not */
/* While a transaction is signed: its payments one by one, then their row. */
void fb_settle_add_charge(struct fb_settle *s, struct fb_settle_entry *e);
void fb_settle_put_charges(struct fb_settle *s, uint64_t job, struct fb_lane_puts *puts);

/* begin.c: facts and judgement. Whatever fails here fails before anything new is durable or sent. */
void fb_settle_begin(struct fb_settle_entry *e);
void fb_settle_refuse(struct fb_settle_entry *e, enum fb_reason reason, const char *note);
/* Nobody waits: they were all answered that nothing was sent, so nothing may be. */
bool fb_settle_abandoned(struct fb_settle_entry *e);
void fb_settle_tell(struct fb_settle_entry *e); /* the refusal, and drops */

/* ready.c: the queue of the judged, and when which of them go */
struct fb_settle_load {
	size_t ready;
	uint64_t oldest_ms;  /* how long the first has waited */
	size_t in_flight;    /* transactions not included, simulations under way */
	size_t lanes, room;  /* room: transactions that the lanes would still take */
	bool moved;          /* something was included just now */
};
/* How many of the ready go now; 0: they wait. */
size_t fb_settle_decide(const struct fb_settle_load *l, const struct fb_settle_settings *settings);
void fb_settle_make_ready(struct fb_settle_entry *e);
void fb_settle_put_back(struct fb_settle_entry *e); /* to the front */
void fb_settle_unready(struct fb_settle_entry *e);
void fb_settle_pump(struct fb_settle *s, bool moved);

/* A set of payments on its way into one transaction. */
struct fb_settle_set {
	struct fb_settle *settle;
	size_t count;
	bool estimated; /* its one payment's gas is that of the whole transaction */
	struct fb_settle_entry *entries[FB_LANE_BATCH_MAX];
};
struct fb_settle_fees {
	fb_u128 base_fee, tip;
};
/* trial.c: simulates the set and asks for the fees, then hands over what is good; owns the set from here on. */
void fb_settle_try(struct fb_settle_set *set);
/* batch.c: one transaction for the set, whose entries all have their gas, into a lane. Frees the set. */
void fb_settle_hand_over(struct fb_settle_set *set, const struct fb_settle_fees *fees);
/* Entries that are no longer in TRYING leave the set; the rest lose a pending question. */
void fb_settle_set_came_back(struct fb_settle_set *set);
void fb_settle_write_call(struct fb_buf *out, const struct fb_claim *c);
enum { FB_SETTLE_CALL_MAX = 9216 };

/* rows.c: what the lanes report */
void fb_settle_commit_record(struct fb_settle_entry *e); /* and then fb_settle_go_on */
void fb_settle_commit_watched(struct fb_settle_entry *e); /* the same, and its block is watched */
/* Behind what is under way: nobody waits for it. */
void fb_settle_commit_aside(struct fb_settle_entry *e);
bool fb_settle_has_row(const struct fb_settle_entry *e); /* one of a lane carries its job; it may be included */
void fb_settle_forget(struct fb_settle_entry *e); /* a lost transaction moved nothing, and no other follows it */
enum fb_status fb_settle_load_record(struct fb_settle *s, struct fb_settle_record *out,
				     const struct fb_settle_key *key);
/* The transaction `tx` in that block moved the money, into the record. */
void fb_settle_take_moved(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt);

/* grant.c: from a durable record to answers and next steps */
void fb_settle_go_on(struct fb_settle_entry *e);
void fb_settle_choose_grantee(struct fb_settle_entry *e);
void fb_settle_try_anew(struct fb_settle_entry *e); /* a new transaction, if that is what somebody waits for */

/* ask.c: what became of a payment, where its own transaction does not tell */
void fb_settle_ask(struct fb_settle_entry *e);
void fb_settle_question(struct fb_settle_entry *e, const struct fb_rpc_call *calls, size_t count,
			void (*done)(void *arg, const struct fb_rpc_reply *reply));
FB_MUST_USE enum fb_status fb_settle_read_receipt(struct fb_receipt_summary *out, const struct fb_settle_entry *e,
						  const struct fb_rpc_result *r, const struct fb_hash *tx);
enum fb_logs_said fb_settle_logs_of(const struct fb_settle_entry *e, const struct fb_rpc_result *r);
enum { FB_SETTLE_PARAMS_MAX = 640 };
void fb_settle_write_hash(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], const struct fb_hash *tx);
void fb_settle_write_block(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], uint64_t number);
FB_MUST_USE enum fb_status fb_settle_read_same(bool *same, const struct fb_rpc_reply *reply,
					       const struct fb_hash *hash);
/* trace.c: by which transaction its authorization was used */
void fb_settle_trace(struct fb_settle_entry *e);

/* conclude.c: what the chain's answers mean for the record */
void fb_settle_stay_unsure(struct fb_settle_entry *e);
void fb_settle_conclude_moved(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt);
/* Cancelled, or used for another transfer, in the block of that receipt. */
void fb_settle_conclude_spent(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt);
/* receipt: of its own transaction; NULL: it has none. */
void fb_settle_conclude_unused(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt);

/* watch.c: the blocks of settlements that no lane follows */
void fb_settle_watch_load(struct fb_settle *s);
void fb_settle_watch_clear(struct fb_settle *s);
void fb_settle_watch_step(struct fb_settle *s);
/* One row: the block that a record names, then the keys of all that are decided there, then the row itself. */
void fb_settle_watch_begin(struct fb_settle *s, const struct fb_settle_record *r);
void fb_settle_watch_add(struct fb_settle *s, const struct fb_settle_key *key);
struct fb_put fb_settle_watch_put(struct fb_settle *s, bool confirmed);
/* The follower knows another block of that number, or none anywhere near. */
bool fb_settle_contradicted(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash);
bool fb_settle_stands(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash); /* it knows that one */
bool fb_settle_is_watched(const struct fb_settle *s, uint64_t block, const struct fb_hash *hash);
/* What its record says is not so any more: the chain is asked. True. */
bool fb_settle_take_back(struct fb_settle_entry *e);
#endif /* FB_SETTLE_INT_H */
