/* Shared inside chain/lane: the lane, one open row, and its stored form. */
#ifndef FB_LANE_INT_H
#define FB_LANE_INT_H
#include "farebox/lane.h"

enum {
	FB_LANE_RAW_MAX = FB_LANE_DATA_MAX + 256,                      /* signed bytes */
	FB_LANE_KEY_LEN = 1 + 8 + 20 + 8,                              /* 'L', chain, signer, nonce */
	FB_LANE_ROW_FIXED = 1 + 1 + 2 + 8 + 16 + 4,                    /* before hashes, owner's key and signed bytes */
	FB_LANE_ROW_MAX = FB_LANE_ROW_FIXED + FB_LANE_ATTEMPTS_MAX * 32 + FB_LANE_OWNER_MAX + FB_LANE_RAW_MAX,
};

enum fb_lane_step {
	FB_LANE_COMMITTING, /* the signed row is on its way to the disk */
	FB_LANE_SENDING,    /* durable; its send has not been answered yet */
	FB_LANE_WAITING,    /* sent, or to be sent again */
	FB_LANE_CLOSING,    /* the row that ends it is on its way to the disk */
};

/* One transaction. */
struct fb_lane_row {
	struct fb_lane *lane;
	enum fb_lane_step step;
	uint64_t nonce, gas_limit;
	fb_u128 max_fee;
	uint32_t day; /* whose gas budget it is counted in */
	size_t attempt_count;
	struct fb_hash attempts[FB_LANE_ATTEMPTS_MAX]; /* oldest first */
	uint64_t sent_ms; /* monotonic, of the last send; 0 never */
	bool polled;      /* a look for its receipt is under way */
	uint64_t taken_ms; /* monotonic, since when its nonce looks taken by another; 0 it does not */
	size_t owner_len, raw_len;
	uint8_t *owner, *raw; /* its key, and the signed bytes of the newest attempt; owned */
	struct fb_lane_row *next;
};

struct fb_lane {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_store *store;
	struct fb_commit commit;
	struct fb_key key;
	struct fb_address signer;
	struct fb_lane_settings settings;
	struct {
		char tag;
		struct fb_lane_owner owner;
	} owners[FB_LANE_OWNERS_MAX];
	size_t owner_count;
	struct fb_clock clock;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_timer *timer;
	struct fb_lane_row *rows; /* ascending nonces */
	size_t open;
	uint64_t next_nonce;
	uint32_t day;       /* of `spent` */
	fb_u128 spent;      /* wei reserved or spent that day */
	fb_u128 balance;    /* of the signer, wei, as last seen */
	uint64_t polled_ms; /* monotonic, of the last look */
	uint64_t behind_ms; /* monotonic, since when a start finds the chain behind us; 0 it does not */
	bool balance_known, started, stopped, polling, poll_again;
	void (*on_started)(void *arg, enum fb_status status, const char *sentence);
	void *on_started_arg;
	char sentence[256];
};

/* row.c: stored form */
void fb_lane_row_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint64_t nonce);
const struct fb_hash *fb_lane_row_tx(const struct fb_lane_row *row); /* the newest attempt */
size_t fb_lane_row_encode(uint8_t out[FB_LANE_ROW_MAX], const struct fb_lane_row *row);
/* FB_STORAGE for anything that this program did not write. The row's owner and raw bytes are allocated. */
FB_MUST_USE enum fb_status fb_lane_row_decode(struct fb_lane_row *out, struct fb_str key, struct fb_str value);
/* Loads counter, the day's gas and open rows. */
FB_MUST_USE enum fb_status fb_lane_load(struct fb_lane *lane, struct fb_error *e);
void fb_lane_row_clear(struct fb_lane_row *row); /* frees what it owns */
void fb_lane_counter_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane);
void fb_lane_gas_key(uint8_t out[FB_LANE_KEY_LEN], const struct fb_lane *lane, uint32_t day);

/* lane.c */
const struct fb_lane_owner *fb_lane_owner_of(const struct fb_lane_row *row);
struct fb_str fb_lane_row_owner(const struct fb_lane_row *row); /* its key */
void fb_lane_insert(struct fb_lane *lane, struct fb_lane_row *row); /* L2 */
void fb_lane_unlink(struct fb_lane *lane, struct fb_lane_row *row); /* frees */
uint32_t fb_lane_today(const struct fb_lane *lane);
/* send.c: hands the signed bytes to the chain; `again` says it is a repeat, and why. */
void fb_lane_send_row(struct fb_lane_row *row, const char *again);
/* poll.c: receipts of all open rows, the account's counter and balance, in one batch. */
void fb_lane_poll(struct fb_lane *lane);
/* close.c: the row's end, with its owner's rows, in one batch. */
void fb_lane_include(struct fb_lane_row *row, const struct fb_lane_inclusion *in);
void fb_lane_lose(struct fb_lane_row *row);
_Static_assert((int)FB_LANE_ROW_MAX <= (int)FB_PUT_VALUE_MAX && 3 + (int)FB_LANE_OWNER_PUTS_MAX <= (int)FB_PUTS_MAX,
	       "a lane's batch is one that may be committed");
#endif /* FB_LANE_INT_H */
