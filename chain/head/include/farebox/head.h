/* farebox/head.h - the newest block, looked at again and again: is the chain there, is it ours, does it move.
 *
 * Layer      5
 * Units      seconds, block numbers.
 * Errors     report->status: FB_OK, FB_MISMATCH (the endpoint serves another chain id now), else why it could not
 *            be read.
 * Threads    the loop's thread only.
 */
#ifndef FB_HEAD_H
#define FB_HEAD_H
#include "farebox/core.h"
#include "farebox/net.h"
#include "farebox/rpc.h"

enum { FB_HEAD_POLL_MS = 2000 };
struct fb_head_report {
	enum fb_status status;
	uint64_t block, block_time_s; /* when FB_OK */
};
struct fb_head;
void fb_head_open(struct fb_head **out, struct fb_loop *loop, struct fb_rpc *rpc, uint64_t chain_id,
		  void (*report)(void *arg, const struct fb_head_report *r), void *arg);
void fb_head_close(struct fb_head *h); /* NULL allowed. Close the rpc first: its answers may not come later */
#endif /* FB_HEAD_H */
