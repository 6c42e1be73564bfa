/* Shared inside api/x402: one request's way from the API thread to the loop and back. */
#ifndef FB_X402_INT_H
#define FB_X402_INT_H
#include "farebox/x402.h"

#include <stdatomic.h>

/* Two hold it: the request (until its continuation) and the loop (until it has woken). Whoever lets go
 * last frees it, so a deadline or a lost connection never leaves the loop with a dead pointer. */
enum fb_x402_end { FB_X402_OPEN, FB_X402_ANSWERED, FB_X402_LEFT };
struct fb_x402_id {
	bool given, bound;   /* bound: to this payment, before it was asked for now */
	uint8_t key[33];     /* of the row */
	struct fb_hash payment;
	void (*finish)(struct fb_x402_job *j);
};
struct fb_x402_job {
	atomic_int holders;
	atomic_int end; /* enum fb_x402_end of a settlement: which came first, its outcome or the request's deadline */
	struct fb_x402 *x402;
	struct fb_http_wait *wait;
	bool has_api_key; /* of a settlement: whose budget it is charged to */
	uint8_t api_key[FB_SETTLE_API_KEY_LEN];
	struct fb_claim claim;
	struct fb_facts facts;           /* of a verification */
	struct fb_settle_outcome outcome; /* of a settlement */
	enum fb_status refused;           /* FB_OK, or why it never reached the engine */
	bool repeated;                    /* the outcome is a success that was given out before */
	struct fb_x402_id id;
	struct fb_x402_job *next;         /* running with an id; the loop's */
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

/* identifier.c */
void fb_x402_id_make(struct fb_x402_id *id, uint64_t chain_id, const struct fb_claim *c, struct fb_str text);
/* FB_OK: it runs, and must end. FB_CONFLICT: the id is another payment's. FB_STORAGE */
FB_MUST_USE enum fb_status fb_x402_id_begin(struct fb_x402_job *j);
void fb_x402_id_end(struct fb_x402_job *j);
/* Binds the id to its payment if the outcome is its own; then ends, and finishes. */
void fb_x402_id_bind(struct fb_x402_job *j, void (*finish)(struct fb_x402_job *j));
/* Was it settled with this id, and told so before? Then the outcome becomes that success. */
bool fb_x402_id_repeats(const struct fb_x402_job *j, struct fb_settle_outcome *o);

fb_handler fb_x402_verify;
fb_handler fb_x402_settle;
#endif /* FB_X402_INT_H */
