/* Polls chain id and newest block in one batch. */
#include "farebox/head.h"

#include "farebox/codec.h"

#include <stdlib.h>

struct fb_head {
	struct fb_rpc *rpc;
	struct fb_timer *timer;
	uint64_t chain_id;
	bool asking;
	void (*report)(void *arg, const struct fb_head_report *r);
	void *arg;
};

static enum fb_status quantity(uint64_t *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	st = fb_json_string(&text, v, &arena);
	return st != FB_OK ? st : fb_quantity_parse_u64(out, text);
}

static struct fb_head_report read_report(const struct fb_head *h, const struct fb_rpc_reply *reply)
{
	struct fb_head_report r = { .status = reply->status };
	uint64_t chain_id;

	if (reply->status != FB_OK)
		return r;
	if (reply->results[0].status != FB_OK || reply->results[1].status != FB_OK ||
	    quantity(&chain_id, reply->results[0].result) != FB_OK ||
	    quantity(&r.block, fb_json_get(reply->results[1].result, "number")) != FB_OK ||
	    quantity(&r.block_time_s, fb_json_get(reply->results[1].result, "timestamp")) != FB_OK)
		r.status = FB_RPC_ERROR;
	else if (chain_id != h->chain_id)
		r.status = FB_MISMATCH;
	return r;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_head *h = arg;
	struct fb_head_report r = read_report(h, reply);

	h->asking = false;
	if (reply->status != FB_DRAINING)
		h->report(h->arg, &r);
}

static void ask(void *arg)
{
	struct fb_head *h = arg;
	const struct fb_rpc_call calls[] = {
		{ "eth_chainId", FB_STR("[]") },
		{ "eth_getBlockByNumber", FB_STR("[\"latest\",false]") },
	};

	if (h->asking)
		return;
	h->asking = true;
	fb_rpc_send(h->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = FB_COUNT(calls) }, on_reply, h);
}

void fb_head_open(struct fb_head **out, struct fb_loop *loop, struct fb_rpc *rpc, uint64_t chain_id,
		  void (*report)(void *arg, const struct fb_head_report *r), void *arg)
{
	struct fb_head *h = fb_must_alloc(1, sizeof(*h));

	*h = (struct fb_head){ .rpc = rpc, .chain_id = chain_id, .report = report, .arg = arg };
	h->timer = fb_timer_start(loop, 0, FB_HEAD_POLL_MS, ask, h);
	*out = h;
}

void fb_head_close(struct fb_head *h)
{
	if (h == NULL)
		return;
	fb_timer_stop(h->timer);
	free(h);
}
