/* Looking at the chain: one batch asks for the account's counter and balance and for the receipt of every attempt of
 * every row that is out; where they are too many, the next batch goes on. */
#include "lane_int.h"

#include <stdlib.h>

enum { IDLE_MS = 5000 /* between looks when nothing is open */, PARAM_MAX = 80, HEAD_CALLS_MAX = 3 };

/* Whose receipts are asked for, in the order of the calls. */
struct question {
	uint64_t nonce;
	struct fb_hash tx;
};
struct look {
	struct fb_lane *lane;
	size_t head_calls, count; /* calls before the receipts, and of all */
	struct question asked[FB_RPC_CALLS_MAX];
	struct fb_rpc_call calls[FB_RPC_CALLS_MAX];
	char params[FB_RPC_CALLS_MAX][PARAM_MAX];
};
_Static_assert(FB_LANE_ATTEMPTS_MAX + HEAD_CALLS_MAX <= FB_RPC_CALLS_MAX, "at least one row fits");

/* ---- answers ------------------------------------------------------------------------------------------ */

static enum fb_status number_of(fb_u128 *out, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	struct fb_str text;
	enum fb_status st = r->status;

	fb_arena_init(&arena, block, sizeof(block));
	if (st == FB_OK)
		st = fb_json_string(&text, r->result, &arena);
	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

/* The answers to all attempts of a row stand together. */
static void take_row(struct fb_lane_row *row, const struct question *q, const struct fb_rpc_result *r, size_t count)
{
	if (row->step == FB_LANE_INCLUDED) {
		fb_lane_retake(row, &r[0]);
		return;
	}
	row->nothing = row->failed = 0;
	for (size_t i = 0; i < count; i++)
		if (row->step == FB_LANE_WAITING || row->step == FB_LANE_SENDING)
			fb_lane_take_receipt(row, &q[i].tx, &r[i]);
	row->asked |= row->failed == 0;
	if (row->step == FB_LANE_WAITING && count == row->attempt_count)
		fb_lane_take_nothing(row);
}

static void take_rows(struct look *l, const struct fb_rpc_reply *reply)
{
	for (size_t i = l->head_calls, n; i < l->count; i += n) {
		struct fb_lane_row *row = fb_lane_find(l->lane, l->asked[i].nonce);

		for (n = 1; i + n < l->count && l->asked[i + n].nonce == l->asked[i].nonce;)
			n++;
		if (row != NULL)
			take_row(row, &l->asked[i], &reply->results[i], n);
	}
}

static void take_account(struct fb_lane *lane, uint64_t counter, fb_u128 balance)
{
	lane->chain_nonce = counter;
	lane->balance = balance;
	lane->balance_known = true;
}

/* Read behind the counter, by the same node: what that one counts is in no later block. */
static void take_block(struct look *l, const struct fb_rpc_reply *reply)
{
	fb_u128 block = 0;

	if (l->head_calls < HEAD_CALLS_MAX || number_of(&block, &reply->results[HEAD_CALLS_MAX - 1]) != FB_OK)
		block = 0;
	l->lane->said_block = block <= UINT64_MAX ? (uint64_t)block : 0;
}

/* A few transactions that are not ours are believed at once: should they turn out not to be there, the gap can be
 * filled. More only when they stay: the counter never goes back, and a wrong one would be the lane's end. */
static bool is_believed(struct fb_lane *lane)
{
	uint64_t now = fb_lane_now_ms(lane);

	if (lane->next_nonce == 0 || lane->chain_nonce - lane->next_nonce <= FB_LANE_FILL_MAX)
		return true;
	if (lane->ahead_ms == 0)
		lane->ahead_ms = now;
	return now - lane->ahead_ms >= FB_LANE_BEHIND_MS;
}

/* L3: somebody else sends, or has sent, with our key. */
static void go_past(struct fb_lane *lane)
{
	if (lane->chain_nonce > lane->next_nonce && !is_believed(lane))
		return;
	lane->ahead_ms = 0;
	if (lane->chain_nonce <= lane->next_nonce)
		return;
	if (lane->next_nonce > 0) {
		fb_metric_add(lane->ports.metrics, FB_M_LANE_FOREIGN, lane->chain_nonce - lane->next_nonce);
		fb_log(lane->ports.log, FB_EV_TX_FOREIGN, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", lane->chain_nonce), FB_F_U64("ours", lane->next_nonce));
	}
	lane->next_nonce = lane->chain_nonce;
}

/* Once in a life; and what the follower knew of included rows before counts now. */
static void tell_found(struct fb_lane *lane)
{
	if (lane->told)
		return;
	for (struct fb_lane_row *row = lane->rows; row != NULL; row = row->next) {
		const struct fb_lane_owner *owner = fb_lane_owner_of(row);
		bool open = fb_lane_step_is_open(row->step);

		if (owner != NULL)
			owner->found(owner->ctx, fb_lane_row_owner(row), open ? fb_lane_row_tx(row) : &row->mined.tx);
	}
	lane->told = true;
	for (struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		fb_lane_follow(row);
}

static void on_tick(void *arg)
{
	struct fb_lane *lane = arg;

	if (lane->open > 0 || lane->behind_ms != 0 || lane->on_started != NULL ||
	    fb_lane_now_ms(lane) - lane->polled_ms >= IDLE_MS)
		fb_lane_poll(lane);
}

/* A start that waits (for rows whose receipts were not told, or for a chain that is behind) bears with failures as long
 * as good answers come in between. */
static void fail_start(struct fb_lane *lane, enum fb_status status, const char *sentence)
{
	if (lane->heard_ms != 0 && fb_lane_now_ms(lane) - lane->heard_ms < FB_LANE_BEHIND_MS)
		return;
	fb_lane_answer_start(lane, status, sentence);
}

static void on_answers(struct look *l, const struct fb_rpc_reply *reply)
{
	struct fb_lane *lane = l->lane;
	fb_u128 nonce, balance;

	if (number_of(&nonce, &reply->results[0]) != FB_OK || number_of(&balance, &reply->results[1]) != FB_OK ||
	    nonce > UINT64_MAX) {
		fail_start(lane, FB_RPC_ERROR, "the chain did not tell the signer's transaction count and balance");
		return;
	}
	lane->heard_ms = fb_lane_now_ms(lane);
	if (lane->timer == NULL)
		lane->timer = fb_timer_start(lane->ports.loop, lane->settings.receipt_poll_ms,
					     lane->settings.receipt_poll_ms, on_tick, lane);
	take_account(lane, (uint64_t)nonce, balance);
	take_block(l, reply);
	tell_found(lane);
	take_rows(l, reply);
	fb_lane_check_gaps(lane);
	if (lane->started)
		go_past(lane);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct look *l = arg;
	struct fb_lane *lane = l->lane;

	lane->polling = false;
	if (lane->stopped) {
		free(l); /* asked for again at the next start */
		return;
	}
	if (reply->status == FB_OK)
		on_answers(l, reply);
	else
		fail_start(lane, reply->status, reply->why);
	free(l);
	if ((lane->poll_again || lane->resume != 0) && reply->status == FB_OK) {
		lane->poll_again = false;
		fb_lane_poll(lane);
	}
}

void fb_lane_answer_start(struct fb_lane *lane, enum fb_status status, const char *sentence)
{
	void (*started)(void *arg, enum fb_status status, const char *sentence) = lane->on_started;

	if (started == NULL)
		return;
	lane->started = status == FB_OK;
	if (!lane->started) {
		fb_timer_stop(lane->timer);
		lane->timer = NULL;
	}
	lane->behind_ms = lane->heard_ms = 0;
	lane->on_started = NULL;
	started(lane->on_started_arg, status, sentence);
}

/* ---- questions ------------------------------------------------------------------------------------------ */

static void ask(struct look *l, const char *method, const void *bytes, size_t len, const char *tail)
{
	struct fb_buf b;

	FB_ASSERT(l->count < FB_RPC_CALLS_MAX);
	fb_buf_init(&b, l->params[l->count], PARAM_MAX);
	fb_buf_text(&b, "[\"");
	fb_buf_hex(&b, bytes, len);
	fb_buf_text(&b, tail);
	FB_ASSERT(!b.overflowed);
	l->calls[l->count++] = (struct fb_rpc_call){ method, fb_buf_view(&b) };
}

static void ask_receipt(struct look *l, uint64_t nonce, const struct fb_hash *tx)
{
	l->asked[l->count] = (struct question){ nonce, *tx };
	ask(l, "eth_getTransactionReceipt", tx->bytes, 32, "\"]");
}

/* A row whose nonce looks taken, since which block is not known yet. */
static bool asks_block(const struct fb_lane *lane)
{
	for (const struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		if (row->step == FB_LANE_WAITING && row->taken_ms != 0 && row->taken_block == 0)
			return true;
	return false;
}

static bool is_asked_for(const struct fb_lane_row *row)
{
	return row->step == FB_LANE_WAITING || row->step == FB_LANE_SENDING ||
	       (row->step == FB_LANE_INCLUDED && row->asks_again);
}

/* From the nonce where the last look ended. */
static void ask_rows(struct look *l)
{
	struct fb_lane *lane = l->lane;
	uint64_t from = lane->resume;

	lane->resume = 0;
	for (const struct fb_lane_row *row = lane->rows; row != NULL; row = row->next) {
		if (row->nonce < from || !is_asked_for(row))
			continue;
		if (l->count + row->attempt_count > FB_RPC_CALLS_MAX) {
			lane->resume = row->nonce;
			return;
		}
		if (row->step == FB_LANE_INCLUDED)
			ask_receipt(l, row->nonce, &row->mined.tx);
		for (size_t i = 0; i < row->attempt_count && row->step != FB_LANE_INCLUDED; i++)
			ask_receipt(l, row->nonce, &row->attempts[i]);
	}
}

void fb_lane_poll(struct fb_lane *lane)
{
	struct look *l;

	if (lane->polling || lane->stopped) {
		lane->poll_again = lane->polling;
		return;
	}
	l = fb_must_alloc(1, sizeof(*l));
	l->lane = lane;
	lane->polling = true;
	lane->polled_ms = fb_lane_now_ms(lane);
	ask(l, "eth_getTransactionCount", lane->signer.bytes, 20, "\",\"latest\"]");
	ask(l, "eth_getBalance", lane->signer.bytes, 20, "\",\"latest\"]");
	if (asks_block(lane))
		l->calls[l->count++] = (struct fb_rpc_call){ "eth_blockNumber", FB_STR("[]") };
	l->head_calls = l->count;
	ask_rows(l);
	fb_rpc_send(lane->ports.rpc, &(struct fb_rpc_batch){ .calls = l->calls, .count = l->count }, on_reply, l);
}
