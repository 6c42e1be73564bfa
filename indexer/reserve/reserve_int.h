/* Shared inside indexer/reserve: what is asked, and the search for the first block with a difference. */
#ifndef FB_RESERVE_INT_H
#define FB_RESERVE_INT_H
#include "farebox/reserve.h"

#include <stdatomic.h>

/* What a final movement did to the escrow. */
struct fb_delta {
	uint64_t block;
	struct fb_amount amount;
	bool leaves;
};

struct fb_reserve {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_head *head;
	struct fb_follow *follow;
	struct fb_writer *writer;
	struct fb_store *store;
	struct fb_credit_settings settings;
	void (*changed)(void *arg);
	void *arg;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_timer *retry;
	bool asking, stopped;
	uint64_t block; /* being asked for */
	unsigned looks; /* at it, that found a difference */
	atomic_bool differs;
	struct fb_reserve_status status;

	bool search_due, searching;
	uint64_t low, high;    /* the first difference is above low and at most at high */
	unsigned tries;        /* in a row without an answer */
	struct fb_cursor *cursor;
	struct fb_delta *deltas; /* FB_RESERVE_ROWS_MAX, by block */
	size_t delta_count;
	uint64_t summed_to;    /* the deltas are all of the blocks up to it */
};

/* ask.c */
enum fb_heard { FB_HEARD_NOTHING, FB_HEARD_NO_STATE, FB_HEARD_BALANCE };
/* The escrow's balance at r->block; told to fb_reserve_hears, unless it is stopped meanwhile. */
void fb_reserve_ask(struct fb_reserve *r);
/* reserve.c */
void fb_reserve_hears(struct fb_reserve *r, enum fb_heard heard, struct fb_amount chain);
void fb_reserve_later(struct fb_reserve *r); /* looks again in FB_RESERVE_RETRY_MS */
void fb_reserve_tell(struct fb_reserve *r);  /* the alarm, as it is now: stored, logged, counted, shown */
/* search.c */
void fb_search_begin(struct fb_reserve *r);
void fb_search_step(struct fb_reserve *r);
void fb_search_hears(struct fb_reserve *r, enum fb_heard heard, struct fb_amount chain);
void fb_search_free(struct fb_reserve *r);
/* row.c */
enum { FB_ALARM_LEN = 1 + 1 + 3 * 8 + 2 * 16 };
void fb_alarm_encode(uint8_t out[FB_ALARM_LEN], const struct fb_reserve_status *s);
void fb_alarm_key(uint8_t out[FB_RESERVE_KEY_LEN], const struct fb_escrow *escrow);
#endif /* FB_RESERVE_INT_H */
