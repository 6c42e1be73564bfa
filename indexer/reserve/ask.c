/* One question: the escrow's balance at a block, with the chain's id and that block's header. */
#include "reserve_int.h"

#include "abi_constants.h"
#include "farebox/codec.h"

enum { CHAIN, HEADER, BALANCE, CALLS };
enum { PARAMS_MAX = 512 };

static enum fb_status read_balance(struct fb_amount *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	uint8_t word[32];
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	st = fb_json_string(&text, v, &arena);
	if (st == FB_OK)
		st = fb_hex_decode_exact(word, sizeof(word), text);
	return st == FB_OK ? fb_u256_to_amount(out, fb_u256_from_be(word)) : st;
}

static bool is_our_chain(const struct fb_reserve *r, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	uint64_t id;

	fb_arena_init(&arena, block, sizeof(block));
	return fb_json_string(&text, v, &arena) == FB_OK && fb_quantity_parse_u64(&id, text) == FB_OK &&
	       id == r->settings.escrow.chain_id;
}

/* Is the block that the balance is of the one in our chain? */
static bool is_our_block(const struct fb_reserve *r, struct fb_json_value header)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	struct fb_hash hash, known;
	struct fb_str text;

	fb_arena_init(&arena, block, sizeof(block));
	return fb_json_string(&text, fb_json_get(header, "hash"), &arena) == FB_OK &&
	       fb_hash_parse(&hash, text) == FB_OK &&
	       (fb_head_hash(r->head, r->block, &known) != FB_OK || fb_hash_eq(&hash, &known));
}

static void on_answer(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_reserve *r = arg;
	const struct fb_rpc_result *results = reply->results;
	enum fb_heard heard = FB_HEARD_NOTHING;
	struct fb_amount chain = { 0 };

	r->asking = false;
	if (r->stopped || reply->status == FB_DRAINING)
		return;
	if (reply->status == FB_OK && results[CHAIN].status == FB_OK && is_our_chain(r, results[CHAIN].result) &&
	    results[HEADER].status == FB_OK && is_our_block(r, results[HEADER].result)) {
		if (results[BALANCE].status != FB_OK)
			heard = FB_HEARD_NO_STATE;
		else if (read_balance(&chain, results[BALANCE].result) == FB_OK)
			heard = FB_HEARD_BALANCE;
	}
	fb_reserve_hears(r, heard, chain);
}

static void put_block(struct fb_buf *b, uint64_t number)
{
	fb_buf_char(b, '"');
	fb_buf_quantity(b, number);
	fb_buf_char(b, '"');
}

static void put_balance_call(struct fb_buf *b, const struct fb_reserve *r)
{
	char data[64];
	struct fb_buf call;

	fb_buf_init(&call, data, sizeof(data));
	fb_abi_selector(&call, FB_SELECTOR_BALANCE_OF);
	fb_abi_address(&call, &r->settings.escrow.address);
	FB_ASSERT(!call.overflowed);
	fb_buf_text(b, "[{\"to\":\"");
	fb_buf_address(b, &r->settings.escrow.token);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, call.at, call.len);
	fb_buf_text(b, "\"},");
	put_block(b, r->block);
	fb_buf_char(b, ']');
}

void fb_reserve_ask(struct fb_reserve *r)
{
	char header[PARAMS_MAX], balance[PARAMS_MAX];
	struct fb_rpc_call calls[CALLS] = { [CHAIN] = { "eth_chainId", FB_STR("[]") },
					    [HEADER] = { .method = "eth_getBlockByNumber" },
					    [BALANCE] = { .method = "eth_call" } };
	struct fb_buf h, b;

	fb_buf_init(&h, header, sizeof(header));
	fb_buf_init(&b, balance, sizeof(balance));
	fb_buf_char(&h, '[');
	put_block(&h, r->block);
	fb_buf_text(&h, ",false]");
	put_balance_call(&b, r);
	FB_ASSERT(!h.overflowed && !b.overflowed);
	calls[HEADER].params = fb_buf_view(&h);
	calls[BALANCE].params = fb_buf_view(&b);
	r->asking = true;
	fb_rpc_send(r->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_answer, r);
}

