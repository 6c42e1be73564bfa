/* JSON-RPC calls about blocks, logs and receipts, written into one buffer. */
#include "follow_int.h"

#include "abi_constants.h"

#include <string.h>

void fb_calls_init(struct fb_calls *c, struct fb_follow *f)
{
	c->count = 0;
	fb_buf_init(&c->params, f->params, FB_FOLLOW_PARAMS_MAX);
}

static void begin(struct fb_calls *c, const char *method)
{
	FB_ASSERT(c->count < FB_FOLLOW_CALLS_MAX);
	c->calls[c->count].method = method;
	c->calls[c->count].params = (struct fb_str){ c->params.at + c->params.len, 0 };
}

static void end(struct fb_calls *c)
{
	struct fb_str *params = &c->calls[c->count++].params;

	FB_ASSERT(!c->params.overflowed);
	params->len = (size_t)(c->params.at + c->params.len - params->at);
}

void fb_calls_chain(struct fb_calls *c)
{
	begin(c, "eth_chainId");
	fb_buf_text(&c->params, "[]");
	end(c);
}

void fb_calls_header(struct fb_calls *c, uint64_t number)
{
	begin(c, "eth_getBlockByNumber");
	fb_buf_text(&c->params, "[\"");
	fb_buf_quantity(&c->params, number);
	fb_buf_text(&c->params, "\",false]");
	end(c);
}

void fb_calls_balance(struct fb_calls *c, const struct fb_escrow *e, uint64_t number)
{
	char data[64];
	struct fb_buf call;

	fb_buf_init(&call, data, sizeof(data));
	fb_abi_selector(&call, FB_SELECTOR_BALANCE_OF);
	fb_abi_address(&call, &e->address);
	begin(c, "eth_call");
	fb_buf_text(&c->params, "[{\"to\":\"");
	fb_buf_address(&c->params, &e->token);
	fb_buf_text(&c->params, "\",\"data\":\"");
	fb_buf_hex(&c->params, call.at, call.len);
	fb_buf_text(&c->params, "\"},\"");
	fb_buf_quantity(&c->params, number);
	fb_buf_text(&c->params, "\"]");
	end(c);
}

void fb_calls_receipt(struct fb_calls *c, const struct fb_hash *tx)
{
	begin(c, "eth_getTransactionReceipt");
	fb_buf_text(&c->params, "[\"");
	fb_buf_hash(&c->params, tx);
	fb_buf_text(&c->params, "\"]");
	end(c);
}

/* A topic that is an address. */
static void put_wallet(struct fb_buf *b, const struct fb_address *a)
{
	uint8_t topic[32] = { 0 };

	memcpy(topic + 12, a->bytes, 20);
	fb_buf_char(b, '"');
	fb_buf_hex(b, topic, sizeof(topic));
	fb_buf_char(b, '"');
}

static void put_filter(struct fb_buf *b, const struct fb_escrow *e, size_t which)
{
	fb_buf_text(b, ",\"address\":\"");
	fb_buf_address(b, which == 0 ? &e->address : &e->token);
	fb_buf_char(b, '"');
	if (which == 0)
		return;
	fb_buf_text(b, ",\"topics\":[\"");
	fb_buf_hex(b, FB_TOPIC_TRANSFER, 32);
	fb_buf_text(b, which == 1 ? "\",null," : "\",");
	put_wallet(b, &e->address);
	fb_buf_char(b, ']');
}

void fb_calls_logs(struct fb_calls *c, const struct fb_escrow *e, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < FB_FOLLOW_FILTERS; i++) {
		begin(c, "eth_getLogs");
		fb_buf_text(&c->params, "[{\"fromBlock\":\"");
		fb_buf_quantity(&c->params, first);
		fb_buf_text(&c->params, "\",\"toBlock\":\"");
		fb_buf_quantity(&c->params, last);
		fb_buf_char(&c->params, '"');
		put_filter(&c->params, e, i);
		fb_buf_text(&c->params, "}]");
		end(c);
	}
}

void fb_calls_logs_of_block(struct fb_calls *c, const struct fb_escrow *e, const struct fb_hash *block)
{
	for (size_t i = 0; i < FB_FOLLOW_FILTERS; i++) {
		begin(c, "eth_getLogs");
		fb_buf_text(&c->params, "[{\"blockHash\":\"");
		fb_buf_hash(&c->params, block);
		fb_buf_char(&c->params, '"');
		put_filter(&c->params, e, i);
		fb_buf_text(&c->params, "}]");
		end(c);
	}
}

void fb_calls_send(struct fb_follow *f, struct fb_rpc *rpc, struct fb_calls *c,
		   void (*done)(void *arg, const struct fb_rpc_reply *reply))
{
	FB_ASSERT(!f->asking);
	f->asking = true;
	fb_rpc_send(rpc, &(struct fb_rpc_batch){ .calls = c->calls, .count = c->count }, done, f);
}
