/* What became of a payment where its own transaction does not tell: that one was mined without the token's logs of it,
 * another one took its account nonce, its block is gone, or another key signed it in an earlier life. Asked are its
 * receipt and the authorization's state. What the chain does not tell for certain stays unknown and is asked again. */
#include "settle_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading answers ------------------------------------------------------------------------------------- */

/* FB_CONFLICT: of a block that is none for the follower, or not near its head. */
enum fb_status fb_settle_read_receipt(struct fb_receipt_summary *out, const struct fb_settle_entry *e,
				      const struct fb_rpc_result *r, const struct fb_hash *tx)
{
	_Alignas(16) unsigned char block[1024];
	struct fb_arena arena;
	enum fb_status st = r->status;

	fb_arena_init(&arena, block, sizeof(block));
	if (st == FB_OK)
		st = fb_receipt_read(out, r->result, &arena);
	if (st == FB_OK && !fb_hash_eq(&out->tx, tx))
		st = FB_BAD_VALUE;
	if (st == FB_OK && fb_settle_contradicted(e->settle, out->block, &out->block_hash))
		st = FB_CONFLICT;
	return st;
}

enum fb_logs_said fb_settle_logs_of(const struct fb_settle_entry *e, const struct fb_rpc_result *r)
{
	struct fb_log_item item = { .asset = fb_settle_asset(&e->key),
				    .authorization = fb_settle_authorization(&e->key, &e->record) };

	fb_receipt_judge(r->result, &item, 1);
	return item.said;
}

static enum fb_status read_used(bool *out, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	uint8_t word[32];

	fb_arena_init(&arena, block, sizeof(block));
	if (r->status != FB_OK)
		return r->status;
	if (fb_json_string(&text, r->result, &arena) != FB_OK || fb_hex_decode_exact(word, sizeof(word), text) != FB_OK)
		return FB_BAD_SYNTAX;
	return fb_abi_get_bool(out, (struct fb_str){ (const char *)word, sizeof(word) }, 0);
}

/* An answer to eth_getBlockByNumber: is it that block? */
enum fb_status fb_settle_read_same(bool *same, const struct fb_rpc_reply *reply, const struct fb_hash *hash)
{
	_Alignas(16) unsigned char none[16];
	struct fb_arena arena;
	struct fb_hash got;
	struct fb_str text;
	enum fb_status st = reply->status != FB_OK ? reply->status : reply->results[0].status;

	fb_arena_init(&arena, none, 0); /* a text with escapes is no hash */
	if (st == FB_OK)
		st = fb_json_string(&text, fb_json_get(reply->results[0].result, "hash"), &arena);
	if (st == FB_OK)
		st = fb_hash_parse(&got, text);
	if (st == FB_OK)
		*same = fb_hash_eq(&got, hash);
	return st;
}

/* ---- writing questions ---------------------------------------------------------------------------------------- */

void fb_settle_question(struct fb_settle_entry *e, const struct fb_rpc_call *calls, size_t count,
			void (*done)(void *arg, const struct fb_rpc_reply *reply))
{
	e->phase = FB_PHASE_ASKING;
	e->pending++;
	fb_rpc_send(e->settle->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = count }, done, e);
}

void fb_settle_write_hash(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], const struct fb_hash *tx)
{
	fb_buf_init(b, block, FB_SETTLE_PARAMS_MAX);
	fb_buf_text(b, "[\"");
	fb_buf_hash(b, tx);
	fb_buf_text(b, "\"]");
	FB_ASSERT(!b->overflowed);
}

void fb_settle_write_block(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], uint64_t number)
{
	fb_buf_init(b, block, FB_SETTLE_PARAMS_MAX);
	fb_buf_text(b, "[\"");
	fb_buf_quantity(b, number);
	fb_buf_text(b, "\",false]");
	FB_ASSERT(!b->overflowed);
}

/* ---- its receipt, and is the authorization used ------------------------------------------------------------ */

/* Its own transaction does not tell. One that was not included, or that shows nothing, leaves it to the token. */
static void take_state(struct fb_settle_entry *e, enum fb_status have, const struct fb_receipt_summary *receipt,
		       const struct fb_rpc_result *state)
{
	bool used;

	if ((have != FB_OK && have != FB_NOT_FOUND) || read_used(&used, state) != FB_OK)
		fb_settle_stay_unsure(e);
	else if (used)
		fb_settle_trace(e);
	else
		fb_settle_conclude_unused(e, have == FB_OK ? receipt : NULL);
}

static void on_state(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct fb_receipt_summary receipt;
	enum fb_logs_said said = FB_LOGS_NOTHING;
	enum fb_status have;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	if (reply->status != FB_OK) {
		fb_settle_stay_unsure(e);
		return;
	}
	have = fb_settle_read_receipt(&receipt, e, &reply->results[0], &e->record.tx);
	if (have == FB_OK && receipt.succeeded)
		said = fb_settle_logs_of(e, &reply->results[0]);
	if (said == FB_LOGS_MOVED)
		fb_settle_conclude_moved(e, &receipt);
	else if (said != FB_LOGS_NOTHING)
		fb_settle_conclude_spent(e, &receipt);
	else
		take_state(e, have, &receipt, &reply->results[1]);
}

/* Of a transaction that was mined just now the state is read behind that very block: a node that lags cannot answer. */
static void write_state(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], const struct fb_settle_entry *e)
{
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);
	struct fb_address asset = fb_settle_asset(&e->key);
	char bytes[4 + 64];
	struct fb_buf data;

	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_abi_selector(&data, FB_SELECTOR_AUTHORIZATION_STATE);
	fb_abi_address(&data, &a.from);
	fb_abi_word(&data, a.nonce.bytes);
	fb_buf_init(b, block, FB_SETTLE_PARAMS_MAX);
	fb_buf_text(b, "[{\"to\":\"");
	fb_buf_address(b, &asset);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, data.at, data.len);
	fb_buf_text(b, "\"},\"");
	if (e->fresh)
		fb_buf_quantity(b, e->record.block);
	else
		fb_buf_text(b, "latest");
	fb_buf_text(b, "\"]");
	FB_ASSERT(!data.overflowed && !b->overflowed);
}

void fb_settle_ask(struct fb_settle_entry *e)
{
	char blocks[2][FB_SETTLE_PARAMS_MAX];
	struct fb_buf params[2];
	struct fb_rpc_call calls[2] = { { .method = "eth_getTransactionReceipt" }, { .method = "eth_call" } };

	FB_ASSERT(e->record.state != FB_SETTLE_NONE && !e->row_open && e->commits == 0);
	if (e->settle->draining) { /* everybody was answered; the next life asks */
		fb_settle_drop(e);
		return;
	}
	fb_settle_write_hash(&params[0], blocks[0], &e->record.tx);
	write_state(&params[1], blocks[1], e);
	for (size_t i = 0; i < FB_COUNT(calls); i++)
		calls[i].params = fb_buf_view(&params[i]);
	fb_metric_add(e->settle->metrics, FB_M_SETTLE_ASKED, 1);
	fb_settle_question(e, calls, FB_COUNT(calls), on_state);
}
