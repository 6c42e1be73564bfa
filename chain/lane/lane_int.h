/* Shared inside chain/lane: the lane, one row, and its stored form. */
#ifndef FB_LANE_INT_H
#define FB_LANE_INT_H
#include "farebox/lane.h"

enum {
	FB_LANE_RAW_MAX = FB_LANE_DATA_MAX + 256, /* signed bytes */
	FB_LANE_KEY_LEN = 1 + 8 + 20 + 8,         /* tag, chain, signer, number */
	FB_LANE_ROW_FIXED = 1 + 1 + 2 + 8 + 16 + 4, /* before hashes, owner's key and signed bytes */
	FB_LANE_ROW_MAX = FB_LANE_ROW_FIXED + FB_LANE_ATTEMPTS_MAX * 32 + FB_LANE_OWNER_MAX + FB_LANE_RAW_MAX,
	FB_LANE_MINED_LEN = 1 + 32 + 8 + 32 + 16,
	FB_LANE_ROWS_MAX = FB_LANE_OPEN_MAX + FB_LANE_INCLUDED_MAX + FB_LANE_FILL_MAX,
};
_Static_assert((int)FB_LANE_ROW_MAX <= (int)FB_PUT_VALUE_MAX && 3 + (int)FB_LANE_OWNER_PUTS_MAX <= (int)FB_PUTS_MAX,
	       "a lane's batch is one that may be committed");

/* Where a row was mined. */
struct fb_lane_mined {
	struct fb_hash tx, block_hash;
	uint64_t block;
	fb_u128 cost; /* wei */
};

/* One account nonce. */
struct fb_lane_row {
	struct fb_lane *lane;
	enum fb_lane_step step;
	uint64_t nonce, gas_limit;
	fb_u128 max_fee; /* of the newest attempt */
	uint32_t day;    /* whose gas budget it is counted in */
	size_t attempt_count;
	struct fb_hash attempts[FB_LANE_ATTEMPTS_MAX]; /* oldest first */
	struct fb_lane_mined mined; /* from INCLUDING to GONE */
	size_t owner_len, raw_len;
	uint8_t *owner, *raw; /* its key (empty: it fills a gap), and the signed bytes of the newest attempt; owned */
	/* Of this life only. */
	uint64_t sent_ms;    /* monotonic, of the last send; 0 never */
	uint64_t attempt_ms; /* monotonic, when the newest attempt was made or found */
	uint64_t taken_ms;   /* monotonic, since when its nonce looks taken by another; 0 it does not */
	uint64_t taken_block;      /* that had been mined by then; 0 not known */
	struct fb_hash taken_hash; /* its own, once the follower has it */
	bool taken_known;
	unsigned send_id;    /* of the newest send */
	size_t nothing, failed; /* of the last look: attempts without a receipt, and without an answer */
	bool known;          /* a node said that it has the newest attempt */
	bool asked;          /* all its attempts were asked for in this life */
	bool wants_fees;     /* an endpoint said that its fees are too low */
	bool capped;         /* and they cannot be raised: said once */
	bool seen;           /* the follower has had its block */
	bool asks_again;     /* included in a block that the follower does not remember */
	bool vanished_once;
	struct fb_lane_row *next;
};

struct fb_lane {
	struct fb_lane_ports ports;
	struct fb_key key;
	struct fb_address signer;
	struct fb_lane_settings settings;
	struct {
		char tag;
		struct fb_lane_owner owner;
	} owners[FB_LANE_OWNERS_MAX];
	size_t owner_count;
	struct fb_timer *timer, *soon;
	uint64_t soon_ms; /* to the next look of soon.c */
	bool slow;        /* the last inclusion took longer than those looks */
	struct fb_lane_row *rows; /* ascending nonces */
	size_t open, included;
	uint64_t moves[FB_LANE_MOVE_END];
	uint64_t next_nonce, chain_nonce; /* the next to use; the chain's counter as last seen */
	uint32_t day;       /* of `spent` */
	fb_u128 spent;      /* wei reserved or spent that day */
	fb_u128 balance;    /* of the signer, wei, as last seen */
	fb_u128 tip;        /* of the newest transaction: what a filler takes */
	uint64_t polled_ms; /* monotonic, of the last look */
	uint64_t behind_ms; /* monotonic, since when nothing stands for a nonce that the chain waits for; 0 it does */
	uint64_t heard_ms;  /* monotonic, of the last good answer while a start waits; 0 none */
	uint64_t ahead_ms;  /* monotonic, since when the chain counts many more than we sent; 0 it does not */
	uint64_t said_block; /* by the node of the last look, where it was asked; 0 else */
	uint64_t resume;    /* nonce at which the next look goes on, when one does not hold all */
	unsigned sends;
	bool balance_known, started, stopped, polling, poll_again, told;
	void (*on_started)(void *arg, enum fb_status status, const char *sentence);
	void *on_started_arg;
	char sentence[256];
};

/* row.c: stored form */
void fb_lane_row_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint64_t nonce);
void fb_lane_mined_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint64_t nonce);
void fb_lane_counter_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane);
void fb_lane_gas_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint32_t day);
const struct fb_hash *fb_lane_row_tx(const struct fb_lane_row *row); /* the newest attempt */
void fb_lane_row_clear(struct fb_lane_row *row);                     /* frees what it owns */
size_t fb_lane_row_encode(uint8_t out[FB_LANE_ROW_MAX], const struct fb_lane_row *row);
/* FB_STORAGE for anything that this program did not write. The row's owner and raw bytes are allocated. */
FB_MUST_USE enum fb_status fb_lane_row_decode(struct fb_lane_row *out, struct fb_str key, struct fb_str value);
void fb_lane_mined_encode(uint8_t out[FB_LANE_MINED_LEN], const struct fb_lane_mined *m);
FB_MUST_USE enum fb_status fb_lane_mined_decode(struct fb_lane_mined *out, struct fb_str value); /* FB_STORAGE */
/* load.c: rows, inclusions, counter and the day's gas, at open. */
FB_MUST_USE enum fb_status fb_lane_load(struct fb_lane *lane, struct fb_error *e);

/* step.c */
void fb_lane_move(struct fb_lane_row *row, enum fb_lane_move m); /* L4 */
bool fb_lane_step_is_open(enum fb_lane_step s);

/* lane.c */
const struct fb_lane_owner *fb_lane_owner_of(const struct fb_lane_row *row); /* NULL: it fills a gap */
struct fb_str fb_lane_row_owner(const struct fb_lane_row *row);              /* its key */
void fb_lane_insert(struct fb_lane *lane, struct fb_lane_row *row);          /* L2 */
void fb_lane_unlink(struct fb_lane *lane, struct fb_lane_row *row);          /* frees */
void fb_lane_set_included(struct fb_lane_row *row); /* of a row as it is loaded */
struct fb_lane_row *fb_lane_find(struct fb_lane *lane, uint64_t nonce);      /* NULL */
uint32_t fb_lane_today(const struct fb_lane *lane);
uint64_t fb_lane_now_ms(const struct fb_lane *lane);
void fb_lane_log(const struct fb_lane_row *row, enum fb_event event, const struct fb_hash *tx);

/* new.c: a transaction for a nonce of its own; `nonce` is the lane's next, or a gap. */
void fb_lane_fill(struct fb_lane *lane, uint64_t nonce, fb_u128 base_fee);
/* attempt.c: another attempt with higher fees, if they may rise. */
void fb_lane_bump(struct fb_lane_row *row, fb_u128 base_fee);
/* send.c: hands the signed bytes to the chain; `again` says that it is a repeat, and why. */
void fb_lane_send_row(struct fb_lane_row *row, const char *again);
/* poll.c: receipts of all open rows, the account's counter and balance, in one batch. */
void fb_lane_poll(struct fb_lane *lane);
/* soon.c: a few more looks after a send, unless the last inclusion took longer than all of them. */
void fb_lane_look_soon(struct fb_lane *lane);
void fb_lane_no_look_soon(struct fb_lane *lane); /* any more */
void fb_lane_learn_pace(const struct fb_lane_row *row); /* of one that is mined */
/* decide.c: what a look found. */
void fb_lane_take_receipt(struct fb_lane_row *row, const struct fb_hash *attempt, const struct fb_rpc_result *r);
void fb_lane_take_nothing(struct fb_lane_row *row); /* none of its attempts has a receipt */
void fb_lane_check_gaps(struct fb_lane *lane);      /* also answers a start */
/* block.c: inclusion, and what becomes of it. */
void fb_lane_include(struct fb_lane_row *row, const struct fb_hash *attempt, const struct fb_lane_inclusion *in);
void fb_lane_lose(struct fb_lane_row *row);
void fb_lane_follow(struct fb_lane_row *row); /* an included row, by what the follower knows now */
void fb_lane_retake(struct fb_lane_row *row, const struct fb_rpc_result *r); /* asked for again */
void fb_lane_on_head(void *lane, const struct fb_head_event *e);
/* poll.c: the start's answer. */
void fb_lane_answer_start(struct fb_lane *lane, enum fb_status status, const char *sentence);
#endif /* FB_LANE_INT_H */
