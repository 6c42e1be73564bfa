/* By which transaction a payment's authorization was used, and what that one did with it: the token's logs of it,
 * looked for in windows of blocks, and that transaction's receipt. One that is older than our intent is not ours. */
#include "settle_int.h"

#include "abi_constants.h"

#include <string.h>

enum { REORG_BLOCKS = 64 /* a transaction may have moved to an earlier block by so many */ };

/* ---- is it older than our intent? ------------------------------------------------------------------------- */

static void take_foreign(struct fb_settle_entry *e, bool is_older)
{
	if (is_older)
		fb_settle_conclude_spent(e, &e->other_receipt);
	else
		fb_settle_conclude_moved(e, &e->other_receipt);
}

static void on_base(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	bool same;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	if (fb_settle_read_same(&same, reply, &e->record.base_hash) != FB_OK)
		fb_settle_stay_unsure(e);
	else
		take_foreign(e, same);
}

/* In a block that was there when we signed, if the chain has not taken it back since: then it was in a later one, and
 * has come to an earlier number. */
static void judge_age(struct fb_settle_entry *e)
{
	const struct fb_settle_record *r = &e->record;
	struct fb_rpc_call call = { .method = "eth_getBlockByNumber" };
	char block[FB_SETTLE_PARAMS_MAX];
	struct fb_hash known;
	struct fb_buf b;

	if (e->other_receipt.block > r->since || r->base == 0) {
		take_foreign(e, false);
		return;
	}
	if (fb_head_hash(e->settle->head, r->base, &known) == FB_OK) {
		take_foreign(e, fb_hash_eq(&known, &r->base_hash));
		return;
	}
	fb_settle_write_block(&b, block, r->base);
	call.params = fb_buf_view(&b);
	fb_settle_question(e, &call, 1, on_base);
}

/* ---- what did it do --------------------------------------------------------------------------------------- */

static void on_other(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	enum fb_logs_said said;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	if (reply->status != FB_OK ||
	    fb_settle_read_receipt(&e->other_receipt, e, &reply->results[0], &e->other) != FB_OK) {
		fb_settle_stay_unsure(e);
		return;
	}
	said = e->other_receipt.succeeded ? fb_settle_logs_of(e, &reply->results[0]) : FB_LOGS_NOTHING;
	if (said == FB_LOGS_MOVED)
		judge_age(e);
	else if (said == FB_LOGS_NOTHING)
		fb_settle_stay_unsure(e);
	else
		fb_settle_conclude_spent(e, &e->other_receipt);
}

static void ask_other(struct fb_settle_entry *e, const struct fb_hash *tx)
{
	struct fb_rpc_call call = { .method = "eth_getTransactionReceipt" };
	char block[FB_SETTLE_PARAMS_MAX];
	struct fb_buf b;

	e->other = *tx;
	fb_settle_write_hash(&b, block, tx);
	call.params = fb_buf_view(&b);
	fb_settle_question(e, &call, 1, on_other);
}

/* ---- windows of blocks ------------------------------------------------------------------------------------ */

static void ask_window(struct fb_settle_entry *e);

static bool is_last(const struct fb_settle_entry *e)
{
	return e->logs_to == UINT64_MAX;
}

/* It is asked about on its own while it gets on. */
static void next_window(struct fb_settle_entry *e)
{
	if (is_last(e)) {
		fb_settle_stay_unsure(e);
		return;
	}
	e->asks = 0;
	e->insists = true;
	e->logs_from = e->logs_to + 1;
	e->logs_blocks = 2 * e->logs_blocks < FB_SETTLE_LOGS_BLOCKS ? 2 * e->logs_blocks : FB_SETTLE_LOGS_BLOCKS;
	ask_window(e);
}

/* Some endpoints take fewer blocks at once, or answer no more than so many logs. */
static void halve_window(struct fb_settle_entry *e)
{
	if (e->logs_blocks <= FB_SETTLE_LOGS_BLOCKS_MIN) {
		fb_settle_stay_unsure(e);
		return;
	}
	e->logs_blocks /= 2;
	ask_window(e);
}

static void on_logs(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct fb_log_item item = { .asset = fb_settle_asset(&e->key),
				    .authorization = fb_settle_authorization(&e->key, &e->record) };
	struct fb_hash tx;
	enum fb_status st;
	bool canceled;

	if (!fb_settle_came_back(e, FB_PHASE_ASKING))
		return;
	st = reply->status == FB_OK ? reply->results[0].status : reply->status;
	if (reply->status == FB_OK && st == FB_RPC_ERROR) {
		halve_window(e);
		return;
	}
	if (st == FB_OK)
		st = fb_authorization_find(&tx, &canceled, reply->results[0].result, &item);
	if (st == FB_OK)
		ask_other(e, &tx);
	else if (st == FB_NOT_FOUND)
		next_window(e);
	else
		fb_settle_stay_unsure(e);
}

static void put_topic(struct fb_buf *b, const char *before, const uint8_t topic[32])
{
	fb_buf_text(b, before);
	fb_buf_hex(b, topic, 32);
	fb_buf_text(b, "\"");
}

static void write_filter(struct fb_buf *b, char block[FB_SETTLE_PARAMS_MAX], const struct fb_settle_entry *e)
{
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);
	struct fb_address asset = fb_settle_asset(&e->key);
	uint8_t payer[32] = { 0 };

	memcpy(payer + 12, a.from.bytes, 20);
	fb_buf_init(b, block, FB_SETTLE_PARAMS_MAX);
	fb_buf_text(b, "[{\"fromBlock\":\"");
	fb_buf_quantity(b, e->logs_from);
	fb_buf_text(b, "\",\"toBlock\":\"");
	if (is_last(e))
		fb_buf_text(b, "latest");
	else
		fb_buf_quantity(b, e->logs_to);
	fb_buf_text(b, "\",\"address\":\"");
	fb_buf_address(b, &asset);
	fb_buf_text(b, "\"");
	put_topic(b, ",\"topics\":[[\"", FB_TOPIC_AUTHORIZATION_USED);
	put_topic(b, ",\"", FB_TOPIC_AUTHORIZATION_CANCELED);
	put_topic(b, "],\"", payer);
	put_topic(b, ",\"", a.nonce.bytes);
	fb_buf_text(b, "]}]");
	FB_ASSERT(!b->overflowed);
}

/* From logs_from on; the last one reaches up to whatever the endpoint's newest block is. */
static void ask_window(struct fb_settle_entry *e)
{
	struct fb_rpc_call call = { .method = "eth_getLogs" };
	struct fb_head_block head = { .number = 0 };
	char block[FB_SETTLE_PARAMS_MAX];
	struct fb_buf b;

	(void)fb_head_latest(e->settle->head, &head);
	e->logs_to = e->logs_from + e->logs_blocks - 1;
	if (e->logs_to >= head.number)
		e->logs_to = UINT64_MAX;
	write_filter(&b, block, e);
	call.params = fb_buf_view(&b);
	fb_settle_question(e, &call, 1, on_logs);
}

void fb_settle_trace(struct fb_settle_entry *e)
{
	uint64_t since = e->record.since > REORG_BLOCKS ? e->record.since - REORG_BLOCKS : 0;

	if (e->logs_blocks == 0 || is_last(e)) { /* else it goes on where an endpoint did not answer */
		e->logs_from = since;
		e->logs_blocks = FB_SETTLE_LOGS_BLOCKS;
	}
	ask_window(e);
}
