/* Shared inside api/x402: one request's way from the API thread to the loop and back. */
#ifndef FB_X402_INT_H
#define FB_X402_INT_H
#include "farebox/x402.h"

#include <stdatomic.h>

/* Two hold it: the request (until its continuation) and the loop (until it has woken). Whoever lets go
 * last frees it, so a deadline or a lost connection never leaves the loop with a dead pointer. */
enum fb_x402_end { FB_X402_OPEN, FB_X402_ANSWERED, FB_X402_LEFT };
struct fb_x402_job {
	atomic_int holders;
	atomic_int end; /* enum fb_x402_end of a settlement: which came first, its outcome or the request's deadline */
	struct fb_x402 *x402;
	struct fb_http_wait *wait;
	struct fb_claim claim;
	struct fb_facts facts;           /* of a verification */
	struct fb_settle_outcome outcome; /* of a settlement */
};
struct fb_x402_job *fb_x402_job_new(struct fb_x402 *x, const struct fb_claim *c);
void fb_x402_job_release(struct fb_x402_job *j);

/* What both /verify and /settle begin with. FB_OK with reason NONE: *claim is made. */
struct fb_x402_intake {
	struct fb_wire_request wire;
	enum fb_reason reason;
	struct fb_note note;
};
enum fb_status fb_x402_read(struct fb_request *r, struct fb_x402_intake *in, struct fb_claim *claim,
			    struct fb_error *e);
struct fb_answered fb_x402_bad_request(struct fb_request *r, enum fb_status st, const struct fb_error *e);

fb_handler fb_x402_verify;
fb_handler fb_x402_settle;
#endif /* FB_X402_INT_H */
