/* Shared inside indexer/rescan: what is found. */
#ifndef FB_RESCAN_INT_H
#define FB_RESCAN_INT_H
#include "farebox/rescan.h"

struct fb_rescan {
	struct fb_loop *loop;
	struct fb_head *head;
	struct fb_store *store;
	struct fb_credit *credit;
	struct fb_rescan_settings settings;
	struct fb_rescan_ports ports;
	struct fb_escrow escrow;
	struct fb_follow *follow;
	struct fb_timer *look;
	struct fb_rescan_result result;
	struct fb_hash looked_hash; /* of the chain */
	uint64_t sequence;
	enum fb_status status;      /* of a row, or a limit */
	bool over, stopped;
	uint64_t *seen;             /* fingerprints of the keys of rows that the chain speaks for */
	size_t seen_count, seen_cap;
	struct fb_credit_item *stored;     /* FB_RESCAN_REPAIRS_MAX */
	size_t stored_count;
	struct fb_movement *movements;     /* FB_RESCAN_REPAIRS_MAX */
	size_t movement_count;
};

/* compare.c */
void fb_rescan_compare(struct fb_rescan *r, const struct fb_credit_batch *b); /* what the chain says now */
void fb_rescan_find_gone(struct fb_rescan *r);                                /* when all of it was said */
#endif /* FB_RESCAN_INT_H */
