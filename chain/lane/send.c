/* Handing signed bytes to the chain. What a node answers is a hint: only receipts and the account's
 * counter decide what became of a transaction (poll.c), and the same bytes are sent again until they do. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

static bool holds(struct fb_str text, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= text.len; i++)
		if (fb_str_eq_nocase((struct fb_str){ text.at + i, n }, (struct fb_str){ word, n }))
			return true;
	return false;
}

/* The node has it already: the send did what it should. */
static bool is_known(const struct fb_rpc_result *r)
{
	static const char *const words[] = { "already known", "known transaction", "already imported",
					     "already exists" };

	for (size_t i = 0; i < FB_COUNT(words); i++)
		if (holds(r->error_message, words[i]))
			return true;
	return false;
}

static void log_answer(struct fb_lane_row *row, const struct fb_rpc_reply *reply)
{
	struct fb_lane *lane = row->lane;
	struct fb_str why = fb_str_of(reply->why);

	if (reply->status == FB_OK && (reply->results[0].status == FB_OK || is_known(&reply->results[0]))) {
		fb_log(lane->log, FB_EV_TX_SENT, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", fb_lane_row_tx(row)->bytes, 32));
		return;
	}
	if (reply->status == FB_OK)
		why = reply->results[0].error_message;
	fb_log(lane->log, FB_EV_TX_RESENT, FB_F_HEX("signer", lane->signer.bytes, 20), FB_F_U64("nonce", row->nonce),
	       FB_F_HEX("tx", fb_lane_row_tx(row)->bytes, 32), FB_F_STR("why", why));
}

static void on_sent(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_lane_row *row = arg;

	FB_ASSERT(row->step == FB_LANE_SENDING);
	row->step = FB_LANE_WAITING;
	if (reply->status == FB_DRAINING)
		return;
	log_answer(row, reply);
	fb_lane_poll(row->lane);
}

void fb_lane_send_row(struct fb_lane_row *row, const char *again)
{
	struct fb_lane *lane = row->lane;
	size_t cap = 2 * row->raw_len + 16;
	struct fb_buf params;
	struct fb_rpc_call call = { .method = "eth_sendRawTransaction" };

	FB_ASSERT(row->step == FB_LANE_SENDING); /* L1: COMMITTING rows never come here */
	fb_buf_init(&params, fb_must_alloc(cap, 1), cap);
	fb_buf_text(&params, "[\"");
	fb_buf_hex(&params, row->raw, row->raw_len);
	fb_buf_text(&params, "\"]");
	FB_ASSERT(!params.overflowed);
	call.params = fb_buf_view(&params);
	row->sent_ms = fb_clock_mono_ms(&lane->clock);
	fb_metric_add(lane->metrics, again == NULL ? FB_M_TX_SENT : FB_M_TX_RESENT, 1);
	if (again != NULL)
		fb_log(lane->log, FB_EV_TX_RESENT, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", fb_lane_row_tx(row)->bytes, 32), FB_F_TEXT("why", again));
	fb_rpc_send(lane->rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1, .once = true }, on_sent, row);
	free(params.at);
}
