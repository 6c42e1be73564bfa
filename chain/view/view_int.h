/* Shared inside chain/view: one waiting query and the read it travels in. */
#ifndef FB_VIEW_INT_H
#define FB_VIEW_INT_H
#include "farebox/view.h"

struct fb_view_item {
	struct fb_view *view;
	struct fb_view_query query;
	struct fb_facts facts;
	void (*done)(void *arg, const struct fb_facts *facts);
	void *arg;
	struct fb_view_item *next;
};

struct fb_view {
	struct fb_loop *loop;
	struct fb_rpc *rpc;
	struct fb_metrics *metrics;
	struct fb_view_item *head, **tail; /* waiting, oldest first */
	size_t waiting;
	unsigned reads; /* under way */
	struct fb_timer *gathering; /* runs while payments wait beside a read under way */
	uint64_t block;
};

/* Ends the item: tells its owner and frees it. */
void fb_view_finish(struct fb_view_item *item, enum fb_status status, const char *why);
/* An asset that is not on the allow-list: its code and the payer's are looked at, nothing of it is run. */
void fb_view_ask_code(struct fb_view_item *item);
/* A payer with code: asks its contract and simulates the transfer, then finishes the item. */
void fb_view_ask_contract(struct fb_view_item *item);
/* Writes [{"to":…,"from":…,"data":…,"gas":…},"latest"]; absent members for NULL and 0. */
void fb_view_write_call(struct fb_buf *out, const struct fb_address *to, const struct fb_address *from,
			struct fb_str data, uint64_t gas);
#endif /* FB_VIEW_INT_H */
