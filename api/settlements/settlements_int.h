/* Shared inside api/settlements: one question's way from the API thread to the loop and back. */
#ifndef FB_SETTLEMENTS_INT_H
#define FB_SETTLEMENTS_INT_H
#include "farebox/settlements.h"

#include <stdatomic.h>

/* How far a settlement has come, when it has. */
enum fb_settlements_rung {
	FB_SETTLEMENTS_NO_RUNG, /* nothing was sent that still counts */
	FB_SETTLEMENTS_SENT,
	FB_SETTLEMENTS_INCLUDED,
	FB_SETTLEMENTS_CONFIRMED,
	FB_SETTLEMENTS_SAFE,
	FB_SETTLEMENTS_FINAL,
};
struct fb_settlements_view {
	enum fb_status status; /* FB_OK, FB_NOT_FOUND, FB_STORAGE, FB_BUSY */
	struct fb_settle_key key;
	struct fb_settle_status record;
	enum fb_settlements_rung rung;
	uint64_t revision;
};

/* Two hold it: the request (until its continuation) and the loop (until it has woken). */
struct fb_settlements_job {
	atomic_int holders;
	struct fb_settlements *settlements;
	struct fb_http_wait *wait;
	struct fb_settle_key keys[FB_NETWORK_TOKENS_MAX];
	size_t key_count;
	uint64_t wait_ms, deadline_ms;
	bool has_seen;
	uint64_t seen;
	struct fb_settlements_view view; /* the loop's until it has woken */
	struct fb_settlements_job *next; /* waiting; the loop's */
};

struct fb_settlements {
	struct fb_loop *loop;
	const struct fb_network *network;
	struct fb_settle *settle;
	struct fb_head *head;
	struct fb_clock clock;
	struct fb_timer *timer;
	struct fb_settlements_job *waiting;
	size_t waiters;
	bool draining;
};

/* wait.c */
void fb_settlements_begin(void *job); /* on the loop's thread */
void fb_settlements_release(struct fb_settlements_job *j);
/* write.c */
enum { FB_SETTLEMENTS_TEXT_MAX = 2048 };
void fb_settlements_write(struct fb_buf *out, const struct fb_settlements *s, const struct fb_settlements_view *v);
#endif /* FB_SETTLEMENTS_INT_H */
