/* A payer with code (a contract wallet, or an EIP-7702 account): what its own code says about the
 * signature, and whether the transfer goes through. */
#include "view_int.h"

#include <stdlib.h>

enum { CALL_MAX = 9216 /* calldata with the largest signature */, PARAMS_MAX = 2 * CALL_MAX + 256 };

static bool says_valid(const struct fb_rpc_result *result)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	uint8_t data[64];
	size_t len;

	fb_arena_init(&arena, block, sizeof(block));
	return result->status == FB_OK && fb_json_string(&text, result->result, &arena) == FB_OK &&
	       fb_hex_decode(data, &len, sizeof(data), text) == FB_OK &&
	       fb_token_is_valid_signature_answer((struct fb_str){ (const char *)data, len });
}

static bool holds(struct fb_str text, struct fb_str word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (fb_str_eq_nocase((struct fb_str){ text.at + i, word.len }, word))
			return true;
	return false;
}

/* "The node failed" is not "the contract said no". Nodes report out-of-gas and bad opcodes as plain
 * errors, which are answers about the call; these codes and words speak of the node: rate limits, inner faults,
 * a state it does not have. */
static bool is_outage(const struct fb_rpc_result *result)
{
	static const int64_t codes[] = { -32005, -32007, -32029, -32603, 429 };
	static const struct fb_str words[] = { FB_STR("header not found"),  FB_STR("block not found"),
					       FB_STR("missing trie node"), FB_STR("timeout"),
					       FB_STR("timed out"),	    FB_STR("rate limit"),
					       FB_STR("too many requests"), FB_STR("unavailable") };

	if (result->status != FB_RPC_ERROR)
		return result->status == FB_BAD_SYNTAX;
	for (size_t i = 0; i < FB_COUNT(codes); i++)
		if (result->error_code == codes[i])
			return true;
	for (size_t i = 0; i < FB_COUNT(words); i++)
		if (holds(result->error_message, words[i]))
			return true;
	return false;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_view_item *item = arg;

	if (reply->status != FB_OK) {
		fb_view_finish(item, reply->status, "the chain could not be reached");
		return;
	}
	for (size_t i = 0; i < reply->count; i++)
		if (is_outage(&reply->results[i])) {
			fb_view_finish(item, FB_RPC_ERROR, "the chain refused to run the payer's contract");
			return;
		}
	item->facts.contract_accepts = says_valid(&reply->results[0]);
	item->facts.contract_simulated = reply->count > 1 && reply->results[1].status == FB_OK;
	fb_view_finish(item, FB_OK, NULL);
}

void fb_view_ask_contract(struct fb_view_item *item)
{
	const struct fb_view_query *q = &item->query;
	struct fb_buf call, params[2];
	struct fb_rpc_call calls[2];

	fb_buf_init(&call, fb_must_alloc(CALL_MAX, 1), CALL_MAX);
	for (size_t i = 0; i < FB_COUNT(params); i++)
		fb_buf_init(&params[i], fb_must_alloc(PARAMS_MAX, 1), PARAMS_MAX);
	fb_token_is_valid_signature_call(&call, q->digest, q->signature);
	fb_view_write_call(&params[0], &q->authorization->from, NULL, fb_buf_view(&call), FB_VIEW_SIGNATURE_GAS);
	call.len = 0;
	fb_token_transfer_call(&call, q->authorization, q->signature);
	fb_view_write_call(&params[1], &q->asset, q->sender, fb_buf_view(&call), q->gas_limit_max);
	for (size_t i = 0; i < FB_COUNT(params); i++) {
		FB_ASSERT(!call.overflowed && !params[i].overflowed);
		calls[i] = (struct fb_rpc_call){ "eth_call", fb_buf_view(&params[i]) };
	}
	/* A token that is not listed is not run, not even here. */
	fb_rpc_send(item->view->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = q->listed ? 2 : 1 }, on_reply, item);
	for (size_t i = 0; i < FB_COUNT(params); i++)
		free(params[i].at);
	free(call.at);
}
