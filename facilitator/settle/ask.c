/* What became of a payment where its own transaction does not tell: that one was mined without the token's logs of it,
 * another one took its account nonce, or another key signed it in an earlier life. Asked are its receipt and the
 * authorization's state; of one that was used, by which transaction; and what that one's logs say. What the chain
 * does not tell for certain stays unknown and is asked again. */
#include "settle_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

enum { PARAMS_MAX = 640, REORG_BLOCKS = 64 /* a transaction may have moved to an earlier block by so many */ };

static const char still_unknown[] =
	"it is not known yet what became of the transaction; ask again with the same payload";

/* ---- conclusions ----------------------------------------------------------------------------------------- */

/* The chain does not tell. A row that was mined is asked about again; else the next caller asks. */
static void stay_unsure(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	unsigned shift = e->asks < 5 ? e->asks : 5;

	if (!e->fresh || ++e->asks >= FB_SETTLE_ASKS_MAX) {
		fb_settle_answer_pending(e, still_unknown);
		fb_settle_drop(e);
		return;
	}
	e->phase = FB_PHASE_UNSURE;
	e->due_ms = fb_clock_mono_ms(&s->clock) + ((uint64_t)FB_SETTLE_ASK_MS << shift);
}

static void conclude_moved(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	if (!fb_hash_eq(&receipt->tx, &e->record.tx))
		fb_metric_add(e->settle->metrics, FB_M_SETTLE_FRONT_RUN, 1);
	fb_settle_take_moved(e, receipt);
	fb_settle_commit_record(e);
}

/* Cancelled, or used for another transfer: nothing can come of it any more. */
static void conclude_spent(struct fb_settle_entry *e)
{
	e->record.reason = FB_REASON_NONCE_USED;
	fb_settle_move(e, FB_SETTLE_FAILED);
	fb_settle_commit_record(e);
}

/* Not used, and a transaction of it was mined: that one moved nothing. */
static void conclude_failed(struct fb_settle_entry *e, const struct fb_receipt_summary *receipt)
{
	e->record.block = receipt->block;
	e->record.block_hash = receipt->block_hash;
	e->record.reason = receipt->succeeded && e->record.items == 1 ? FB_REASON_TRANSFER_EVENT :
									 FB_REASON_TRANSACTION_FAILED;
	fb_settle_move(e, FB_SETTLE_FAILED);
	fb_settle_commit_record(e);
}

static void conclude_unused(struct fb_settle_entry *e)
{
	e->anew = true;
	if (e->record.state == FB_SETTLE_LOST && !e->record.granted)
		fb_settle_forget(e);
	else if (e->refused)
		fb_settle_tell(e);
	else
		fb_settle_try_anew(e);
}

/* ---- reading answers ------------------------------------------------------------------------------------- */

static enum fb_status read_receipt(struct fb_receipt_summary *out, const struct fb_rpc_result *r,
				   const struct fb_hash *tx)
{
	_Alignas(16) unsigned char block[1024];
	struct fb_arena arena;
	enum fb_status st = r->status;

	fb_arena_init(&arena, block, sizeof(block));
	if (st == FB_OK)
		st = fb_receipt_read(out, r->result, &arena);
	return st == FB_OK && !fb_hash_eq(&out->tx, tx) ? FB_BAD_VALUE : st;
}

static struct fb_log_item item_of(const struct fb_settle_entry *e)
{
	return (struct fb_log_item){ .asset = fb_settle_asset(&e->key),
				     .authorization = fb_settle_authorization(&e->key, &e->record) };
}

static enum fb_logs_said logs_of(const struct fb_settle_entry *e, const struct fb_rpc_result *r)
{
	struct fb_log_item item = item_of(e);

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

/* ---- the third question: what did the foreign transaction do --------------------------------------------- */

static void send(struct fb_settle_entry *e, const struct fb_rpc_call *calls, size_t count,
		 void (*done)(void *arg, const struct fb_rpc_reply *reply))
{
	e->phase = FB_PHASE_ASKING;
	e->pending++;
	fb_rpc_send(e->settle->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = count }, done, e);
}

static void write_hash(struct fb_buf *b, char block[PARAMS_MAX], const struct fb_hash *tx)
{
	fb_buf_init(b, block, PARAMS_MAX);
	fb_buf_text(b, "[\"");
	fb_buf_hash(b, tx);
	fb_buf_text(b, "\"]");
	FB_ASSERT(!b->overflowed);
}

static void on_other(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct fb_receipt_summary receipt;
	enum fb_logs_said said;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	if (reply->status != FB_OK || read_receipt(&receipt, &reply->results[0], &e->other) != FB_OK) {
		stay_unsure(e);
		return;
	}
	said = receipt.succeeded ? logs_of(e, &reply->results[0]) : FB_LOGS_NOTHING;
	if (said == FB_LOGS_MOVED)
		conclude_moved(e, &receipt);
	else if (said == FB_LOGS_NOTHING)
		stay_unsure(e);
	else
		conclude_spent(e);
}

static void ask_other(struct fb_settle_entry *e, const struct fb_hash *tx)
{
	struct fb_rpc_call call = { .method = "eth_getTransactionReceipt" };
	char block[PARAMS_MAX];
	struct fb_buf b;

	e->other = *tx;
	write_hash(&b, block, tx);
	call.params = fb_buf_view(&b);
	send(e, &call, 1, on_other);
}

/* ---- the second question: by which transaction ----------------------------------------------------------- */

static void on_logs(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct fb_log_item item;
	struct fb_hash tx;
	bool canceled;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	item = item_of(e);
	if (reply->status != FB_OK || reply->results[0].status != FB_OK ||
	    fb_authorization_find(&tx, &canceled, reply->results[0].result, &item) != FB_OK)
		stay_unsure(e);
	else if (canceled)
		conclude_spent(e);
	else
		ask_other(e, &tx);
}

static void put_topic(struct fb_buf *b, const char *before, const uint8_t topic[32])
{
	fb_buf_text(b, before);
	fb_buf_hex(b, topic, 32);
	fb_buf_text(b, "\"");
}

static void ask_logs(struct fb_settle_entry *e)
{
	struct fb_rpc_call call = { .method = "eth_getLogs" };
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);
	struct fb_address asset = fb_settle_asset(&e->key);
	uint64_t since = e->record.since > REORG_BLOCKS ? e->record.since - REORG_BLOCKS : 0;
	uint8_t payer[32] = { 0 };
	char block[PARAMS_MAX];
	struct fb_buf b;

	memcpy(payer + 12, a.from.bytes, 20);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_text(&b, "[{\"fromBlock\":\"");
	fb_buf_quantity(&b, since);
	fb_buf_text(&b, "\",\"toBlock\":\"latest\",\"address\":\"");
	fb_buf_address(&b, &asset);
	fb_buf_text(&b, "\"");
	put_topic(&b, ",\"topics\":[[\"", FB_TOPIC_AUTHORIZATION_USED);
	put_topic(&b, ",\"", FB_TOPIC_AUTHORIZATION_CANCELED);
	put_topic(&b, "],\"", payer);
	put_topic(&b, ",\"", a.nonce.bytes);
	fb_buf_text(&b, "]}]");
	FB_ASSERT(!b.overflowed);
	call.params = fb_buf_view(&b);
	send(e, &call, 1, on_logs);
}

/* ---- the first question: its receipt, and is the authorization used -------------------------------------- */

/* Unused: then a mined transaction moved nothing, and one that is lost can be followed by another. One that another key
 * signed may still be on its way. */
static void take_unused(struct fb_settle_entry *e, enum fb_status have, const struct fb_receipt_summary *receipt)
{
	if (e->record.state != FB_SETTLE_SIGNED)
		conclude_unused(e);
	else if (have == FB_OK)
		conclude_failed(e, receipt);
	else
		stay_unsure(e);
}

static void on_state(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct fb_receipt_summary receipt;
	enum fb_logs_said said = FB_LOGS_NOTHING;
	enum fb_status have;
	bool used;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	if (reply->status != FB_OK) {
		stay_unsure(e);
		return;
	}
	have = read_receipt(&receipt, &reply->results[0], &e->record.tx);
	if (have == FB_OK && receipt.succeeded)
		said = logs_of(e, &reply->results[0]);
	if (said == FB_LOGS_MOVED)
		conclude_moved(e, &receipt);
	else if (e->record.state == FB_SETTLE_INCLUDED) /* taken back: a lane tells more, or the next look */
		stay_unsure(e);
	else if (said != FB_LOGS_NOTHING)
		conclude_spent(e);
	else if ((have != FB_OK && have != FB_NOT_FOUND) || read_used(&used, &reply->results[1]) != FB_OK)
		stay_unsure(e);
	else if (used)
		ask_logs(e);
	else
		take_unused(e, have, &receipt);
}

/* Of a transaction that was mined just now the state is read behind that very block: a node that lags cannot answer. */
static void write_state(struct fb_buf *b, char block[PARAMS_MAX], const struct fb_settle_entry *e)
{
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);
	struct fb_address asset = fb_settle_asset(&e->key);
	char bytes[4 + 64];
	struct fb_buf data;

	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_abi_selector(&data, FB_SELECTOR_AUTHORIZATION_STATE);
	fb_abi_address(&data, &a.from);
	fb_abi_word(&data, a.nonce.bytes);
	fb_buf_init(b, block, PARAMS_MAX);
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
	char blocks[2][PARAMS_MAX];
	struct fb_buf params[2];
	struct fb_rpc_call calls[2] = { { .method = "eth_getTransactionReceipt" }, { .method = "eth_call" } };

	FB_ASSERT(e->record.state != FB_SETTLE_NONE && !e->row_open && e->commits == 0);
	if (e->settle->draining) { /* everybody was answered; the next life asks */
		fb_settle_drop(e);
		return;
	}
	write_hash(&params[0], blocks[0], &e->record.tx);
	write_state(&params[1], blocks[1], e);
	for (size_t i = 0; i < FB_COUNT(calls); i++)
		calls[i].params = fb_buf_view(&params[i]);
	fb_metric_add(e->settle->metrics, FB_M_SETTLE_ASKED, 1);
	send(e, calls, FB_COUNT(calls), on_state);
}
