/* An asset that is not on the allow-list: does it have code, does the payer? A hostile token is never
 * run inside the read that others share. */
#include "view_int.h"

/* Only a hex string is an answer about code: anything else speaks of the node. */
static enum fb_status read_code(bool *has_code, const struct fb_rpc_result *result)
{
	struct fb_str raw = fb_json_raw(result->result), prefix = FB_STR("\"0x");

	if (result->status != FB_OK)
		return FB_RPC_ERROR;
	if (!fb_json_is(result->result, FB_JSON_STRING) || !fb_str_starts(raw, prefix))
		return FB_BAD_SYNTAX;
	*has_code = raw.len > prefix.len + 1; /* more than the closing quote */
	return FB_OK;
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_view_item *item = arg;
	enum fb_status st = reply->status;

	if (st == FB_OK)
		st = read_code(&item->facts.of.payer_has_code, &reply->results[0]);
	if (st == FB_OK)
		st = read_code(&item->facts.asset_has_code, &reply->results[1]);
	if (st != FB_OK) {
		fb_view_finish(item, st, "the chain could not be reached");
		return;
	}
	if (item->facts.of.payer_has_code)
		fb_view_ask_contract(item);
	else
		fb_view_finish(item, FB_OK, NULL);
}

static void write_params(struct fb_buf *out, char *block, size_t cap, const struct fb_address *of)
{
	fb_buf_init(out, block, cap);
	fb_buf_text(out, "[\"");
	fb_buf_address(out, of);
	fb_buf_text(out, "\",\"latest\"]");
	FB_ASSERT(!out->overflowed);
}

void fb_view_ask_code(struct fb_view_item *item)
{
	char blocks[2][64];
	struct fb_buf params[2];
	struct fb_rpc_call calls[2];

	write_params(&params[0], blocks[0], sizeof(blocks[0]), &item->query.authorization->from);
	write_params(&params[1], blocks[1], sizeof(blocks[1]), &item->query.asset);
	for (size_t i = 0; i < FB_COUNT(calls); i++)
		calls[i] = (struct fb_rpc_call){ "eth_getCode", fb_buf_view(&params[i]) };
	fb_rpc_send(item->view->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = 2 }, on_reply, item);
}
