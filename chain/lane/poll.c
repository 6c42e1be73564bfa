/* What became of the open rows: one batch asks for the account's counter and balance and for the
 * receipt of every transaction that is out. */
#include "lane_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 5000 /* between looks when nothing is open */, PARAM_MAX = 80, HEAD_CALLS = 2 };
_Static_assert(FB_LANE_OPEN_MAX + HEAD_CALLS <= FB_RPC_CALLS_MAX, "one batch asks for everything");

static enum fb_status number_of(fb_u128 *out, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	if (r->status != FB_OK)
		return r->status;
	st = fb_json_string(&text, r->result, &arena);
	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

static struct fb_lane_row *next_polled(struct fb_lane_row *row)
{
	while (row != NULL && !row->polled)
		row = row->next;
	return row;
}

/* The account's counter is past this row's nonce and the row has no receipt. Believed only after a
 * while: a node that lags behind itself shows the same picture for a moment. */
static bool looks_lost(struct fb_lane_row *row, uint64_t chain_nonce)
{
	uint64_t now = fb_clock_mono_ms(&row->lane->clock);

	if (chain_nonce <= row->nonce)
		row->taken_ms = 0;
	else if (row->taken_ms == 0)
		row->taken_ms = now;
	return row->taken_ms != 0 && now - row->taken_ms >= FB_LANE_LOST_MS;
}

static void resend_if_old(struct fb_lane_row *row)
{
	uint64_t now = fb_clock_mono_ms(&row->lane->clock);

	if (row->sent_ms != 0 && now - row->sent_ms < FB_LANE_RESEND_MS)
		return;
	row->step = FB_LANE_SENDING;
	fb_lane_send_row(row, row->sent_ms == 0 ? "found after a restart" : "no receipt yet");
}

static void take_receipt(struct fb_lane_row *row, const struct fb_rpc_result *r, uint64_t chain_nonce)
{
	_Alignas(16) unsigned char block[1024];
	struct fb_lane_inclusion in = { .json = r->result };
	struct fb_arena arena;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	in.arena = &arena;
	st = r->status == FB_OK ? fb_receipt_read(&in.receipt, r->result, &arena) : r->status;
	if (st == FB_OK && fb_hash_eq(&in.receipt.tx, fb_lane_row_tx(row)))
		fb_lane_include(row, &in);
	else if (st == FB_NOT_FOUND && looks_lost(row, chain_nonce))
		fb_lane_lose(row);
	else
		resend_if_old(row);
}

static void take_receipts(struct fb_lane *lane, const struct fb_rpc_reply *reply, uint64_t chain_nonce)
{
	struct fb_lane_row *row = next_polled(lane->rows), *next;

	for (size_t i = HEAD_CALLS; i < reply->count; i++, row = next) {
		FB_ASSERT(row != NULL); /* polled rows stay linked until this answer */
		next = next_polled(row->next);
		row->polled = false;
		if (row->step == FB_LANE_WAITING)
			take_receipt(row, &reply->results[i], chain_nonce);
	}
	FB_ASSERT(next_polled(lane->rows) == NULL);
}

static void forget_poll(struct fb_lane *lane)
{
	for (struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		row->polled = false;
}

/* ---- start ------------------------------------------------------------------------------------- */

/* Every nonce from the chain's counter up to ours must be in an open row: a lane leaves no gap. */
static bool covers(const struct fb_lane *lane, uint64_t chain_nonce)
{
	uint64_t want = chain_nonce;

	for (const struct fb_lane_row *row = lane->rows; row != NULL && want < lane->next_nonce; row = row->next)
		if (row->nonce == want)
			want++;
	return want >= lane->next_nonce;
}

static void answer_start(struct fb_lane *lane, enum fb_status status, const char *sentence)
{
	void (*started)(void *arg, enum fb_status status, const char *sentence) = lane->on_started;

	lane->started = status == FB_OK;
	if (!lane->started) {
		fb_timer_stop(lane->timer);
		lane->timer = NULL;
	}
	lane->behind_ms = 0;
	lane->on_started = NULL;
	started(lane->on_started_arg, status, sentence);
}

static void on_tick(void *arg)
{
	struct fb_lane *lane = arg;
	uint64_t now = fb_clock_mono_ms(&lane->clock);

	if (lane->open > 0 || lane->on_started != NULL || now - lane->polled_ms >= IDLE_MS)
		fb_lane_poll(lane);
}

/* A node that lags shows an old counter for a moment. */
static bool stays_behind(struct fb_lane *lane)
{
	uint64_t now = fb_clock_mono_ms(&lane->clock);

	if (lane->behind_ms == 0)
		lane->behind_ms = now;
	return now - lane->behind_ms >= FB_LANE_BEHIND_MS;
}

static void answer_behind(struct fb_lane *lane, uint64_t chain_nonce)
{
	snprintf(lane->sentence, sizeof(lane->sentence),
		 "the chain counts %llu transactions of the signer, the data directory %llu: this is another chain, or "
		 "one "
		 "that was reset; use its own --data directory, or a fresh one",
		 (unsigned long long)chain_nonce, (unsigned long long)lane->next_nonce);
	answer_start(lane, FB_MISMATCH, lane->sentence);
}

static void finish_start(struct fb_lane *lane, uint64_t chain_nonce)
{
	if (lane->timer == NULL)
		lane->timer = fb_timer_start(lane->loop, lane->settings.receipt_poll_ms, lane->settings.receipt_poll_ms,
					     on_tick, lane);
	if (!covers(lane, chain_nonce)) {
		if (stays_behind(lane))
			answer_behind(lane, chain_nonce);
		return;
	}
	for (const struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		fb_lane_owner_of(row)->found(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row));
	answer_start(lane, FB_OK, NULL);
}

/* ---- the look ------------------------------------------------------------------------------------ */

static void on_answers(struct fb_lane *lane, const struct fb_rpc_reply *reply)
{
	fb_u128 nonce, balance;

	if (number_of(&nonce, &reply->results[0]) != FB_OK || number_of(&balance, &reply->results[1]) != FB_OK ||
	    nonce > UINT64_MAX) {
		forget_poll(lane);
		if (lane->on_started != NULL)
			answer_start(lane, FB_RPC_ERROR,
				     "the chain did not tell the signer's transaction count and balance");
		return;
	}
	lane->balance = balance;
	lane->balance_known = true;
	fb_metric_set(lane->metrics, FB_M_SIGNER_GWEI,
		      (uint64_t)(balance / 1000000000u > UINT64_MAX ? UINT64_MAX : balance / 1000000000u));
	if (lane->on_started != NULL)
		finish_start(lane, (uint64_t)nonce);
	if (lane->started && (uint64_t)nonce > lane->next_nonce)
		lane->next_nonce = (uint64_t)nonce; /* L3: somebody else sends, or has sent, with our key */
	if (lane->started)
		take_receipts(lane, reply, (uint64_t)nonce);
	else
		forget_poll(lane);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_lane *lane = arg;

	lane->polling = false;
	if (lane->stopped) {
		forget_poll(lane); /* found again at the next start */
		return;
	}
	if (reply->status == FB_OK) {
		on_answers(lane, reply);
	} else {
		forget_poll(lane);
		if (lane->on_started != NULL)
			answer_start(lane, reply->status, reply->why);
	}
	if (lane->poll_again && reply->status != FB_DRAINING) {
		lane->poll_again = false;
		fb_lane_poll(lane);
	}
}

struct questions {
	struct fb_rpc_call calls[FB_LANE_OPEN_MAX + HEAD_CALLS];
	char params[FB_LANE_OPEN_MAX + HEAD_CALLS][PARAM_MAX];
	size_t count;
};

static void ask(struct questions *q, const char *method, const void *bytes, size_t len, const char *tail)
{
	struct fb_buf b;

	FB_ASSERT(q->count < FB_COUNT(q->calls));
	fb_buf_init(&b, q->params[q->count], PARAM_MAX);
	fb_buf_text(&b, "[\"");
	fb_buf_hex(&b, bytes, len);
	fb_buf_text(&b, tail);
	FB_ASSERT(!b.overflowed);
	q->calls[q->count++] = (struct fb_rpc_call){ method, fb_buf_view(&b) };
}

void fb_lane_poll(struct fb_lane *lane)
{
	struct questions *q;

	if (lane->polling || lane->stopped) {
		lane->poll_again = lane->polling;
		return;
	}
	q = fb_must_alloc(1, sizeof(*q));
	lane->polling = true;
	lane->polled_ms = fb_clock_mono_ms(&lane->clock);
	ask(q, "eth_getTransactionCount", lane->signer.bytes, 20, "\",\"latest\"]");
	ask(q, "eth_getBalance", lane->signer.bytes, 20, "\",\"latest\"]");
	for (struct fb_lane_row *row = lane->rows; row != NULL; row = row->next) {
		row->polled = row->step == FB_LANE_WAITING;
		if (row->polled)
			ask(q, "eth_getTransactionReceipt", fb_lane_row_tx(row)->bytes, 32, "\"]");
	}
	fb_rpc_send(lane->rpc, &(struct fb_rpc_batch){ .calls = q->calls, .count = q->count }, on_reply, lane);
	free(q);
}
