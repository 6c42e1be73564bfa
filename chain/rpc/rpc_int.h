/* Shared inside chain/rpc: the client, its endpoints, a batch under way. */
#ifndef FB_RPC_INT_H
#define FB_RPC_INT_H
#include "farebox/rpc.h"

enum { FB_RPC_LABEL_MAX = 280, FB_RPC_WHY_MAX = 128 };

struct fb_endpoint {
	struct fb_rpc *rpc;
	char *url;
	char label[FB_RPC_LABEL_MAX]; /* scheme://host:port */
	struct fb_timer *rest;        /* runs while the endpoint rests */
};

/* Where an answer is parsed into; one is enough, as results live during `done` only. */
struct fb_scratch {
	struct fb_rpc_parsed parsed; /* the results point into it */
	struct fb_arena arena;
	struct fb_json_token *tokens;
	size_t token_cap;
	struct fb_rpc_result results[FB_RPC_CALLS_MAX];
	_Alignas(16) unsigned char messages[FB_RPC_ARENA_LEN(FB_RPC_CALLS_MAX)];
};

struct fb_rpc {
	struct fb_loop *loop;
	struct fb_net *net;
	struct fb_log *log;
	struct fb_metrics *metrics;
	uint64_t timeout_ms;
	struct fb_endpoint endpoints[FB_RPC_ENDPOINTS_MAX];
	size_t endpoint_count, current, pending;
	bool down; /* said in the log that nobody answers */
	struct fb_scratch scratch;
};

/* ---- endpoints ------------------------------------------------------------------------------------ */
/* FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_endpoint_open(struct fb_endpoint *e, struct fb_rpc *rpc, const char *url);
void fb_endpoint_close(struct fb_endpoint *e);
/* The endpoint to ask next, from the current one on, resting ones last; false if all are in `tried`
 * (bit i: endpoint i). */
bool fb_endpoint_choose(size_t *out, const struct fb_rpc *rpc, uint32_t tried);
/* The endpoint failed: it rests, and another one becomes the current one. */
void fb_endpoint_rest(struct fb_endpoint *e, const char *why);
/* It answered well: whatever rest it had is over. */
void fb_endpoint_answered(struct fb_endpoint *e);
bool fb_endpoint_all_rest(const struct fb_rpc *rpc);

/* ---- what is sent ----------------------------------------------------------------------------------- */
/* The body of the POST, in a block of its own: free(3) it. */
struct fb_buf fb_rpc_write(const struct fb_rpc_batch *batch);
#endif /* FB_RPC_INT_H */
