/* Handing signed bytes to the chain. What a node answers is a hint: only receipts and the account's
 * counter decide what became of a transaction (decide.c), and the same bytes are sent again until they do. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- what an answer means ---------------------------------------------------------------------------- */

/* X(name, metric): TAKEN and KNOWN: the node has it. NONCE_LOW: the chain has gone on. FEE_LOW, UNDERPRICED: the
 * fees are too low for this block, or to replace what waits. NO_FUNDS, REFUSED: this node will not have it as it is;
 * another, or a later moment, may. UNKNOWN: anything else, silence too. */
#define CLASSES(X)                          \
	X(TAKEN,       FB_M_TX_TAKEN)       \
	X(KNOWN,       FB_M_TX_KNOWN)       \
	X(NONCE_LOW,   FB_M_TX_NONCE_LOW)   \
	X(FEE_LOW,     FB_M_TX_FEE_LOW)     \
	X(UNDERPRICED, FB_M_TX_UNDERPRICED) \
	X(NO_FUNDS,    FB_M_TX_NO_FUNDS)    \
	X(REFUSED,     FB_M_TX_REFUSED)     \
	X(UNKNOWN,     FB_M_TX_UNKNOWN)
enum answer {
#define X(name, metric) name,
	CLASSES(X)
#undef X
};
static const struct {
	const char *name;
	enum fb_metric_id metric;
} classes[] = {
#define X(name, metric) { #name, metric },
	CLASSES(X)
#undef X
};

/* What nodes say, in lower case; the first that fits counts. geth, reth, erigon, nethermind, besu, anvil. */
static const struct {
	const char *words;
	enum answer means;
} sayings[] = {
	{ "already known", KNOWN },
	{ "alreadyknown", KNOWN },
	{ "known transaction", KNOWN },
	{ "already imported", KNOWN },
	{ "already exists", KNOWN },
	{ "nonce too low", NONCE_LOW },
	{ "nonce is too low", NONCE_LOW },
	{ "nonce_too_low", NONCE_LOW },
	{ "oldnonce", NONCE_LOW },
	{ "less than block base fee", FEE_LOW },
	{ "fee cap less than", FEE_LOW },
	{ "feetoolow", FEE_LOW },
	{ "below current base fee", FEE_LOW },
	{ "underpriced", UNDERPRICED },
	{ "gas price too low", UNDERPRICED },
	{ "fee too low to replace", UNDERPRICED },
	{ "replacement", UNDERPRICED },
	{ "insufficient funds", NO_FUNDS },
	{ "insufficientfunds", NO_FUNDS },
	{ "insufficient balance", NO_FUNDS },
	{ "upfront cost", NO_FUNDS },
	{ "intrinsic gas", REFUSED },
	{ "exceeds block gas limit", REFUSED },
	{ "exceeds the configured cap", REFUSED },
	{ "oversized data", REFUSED },
	{ "invalid sender", REFUSED },
	{ "invalid signature", REFUSED },
	{ "invalid chain id", REFUSED },
	{ "type not supported", REFUSED },
	{ "gas limit too high", REFUSED },
};

static bool holds(struct fb_str text, const char *words)
{
	size_t n = strlen(words);

	for (size_t i = 0; i + n <= text.len; i++)
		if (fb_str_eq_nocase((struct fb_str){ text.at + i, n }, (struct fb_str){ words, n }))
			return true;
	return false;
}

static enum answer classify(const struct fb_rpc_reply *reply)
{
	if (reply->status != FB_OK)
		return UNKNOWN;
	if (reply->results[0].status == FB_OK)
		return TAKEN;
	for (size_t i = 0; i < FB_COUNT(sayings); i++)
		if (holds(reply->results[0].error_message, sayings[i].words))
			return sayings[i].means;
	return UNKNOWN;
}

/* ---- sending ------------------------------------------------------------------------------------------- */

/* One send under way. The row may have gone on without its answer. */
struct sending {
	struct fb_lane *lane;
	uint64_t nonce;
	unsigned id;
	bool again;
	struct fb_hash tx;
};

static void log_answer(const struct sending *s, enum answer class, const struct fb_rpc_reply *reply)
{
	struct fb_str why = reply->status == FB_OK ? reply->results[0].error_message : fb_str_of(reply->why);
	struct fb_lane *lane = s->lane;

	fb_metric_add(lane->ports.metrics, classes[class].metric, 1);
	if (class == TAKEN || class == KNOWN)
		fb_log(lane->ports.log, FB_EV_TX_SENT, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", s->nonce), FB_F_HEX("tx", s->tx.bytes, 32));
	else
		fb_log(lane->ports.log, FB_EV_TX_REFUSED, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", s->nonce), FB_F_HEX("tx", s->tx.bytes, 32),
		       FB_F_TEXT("class", classes[class].name), FB_F_STR("why", why));
}

static void take_answer(struct fb_lane_row *row, const struct sending *s, enum answer class)
{
	if (class == TAKEN && s->again && row->known)
		fb_metric_add(s->lane->ports.metrics, FB_M_LANE_FORGOTTEN, 1); /* it had it, and has it anew */
	row->known |= class == TAKEN || class == KNOWN;
	row->wants_fees = class == FEE_LOW || class == UNDERPRICED;
	if (row->step == FB_LANE_SENDING)
		fb_lane_move(row, FB_LANE_MOVE_ANSWERED);
}

static void on_sent(void *arg, const struct fb_rpc_reply *reply)
{
	struct sending *s = arg;
	struct fb_lane_row *row = fb_lane_find(s->lane, s->nonce);
	enum answer class = classify(reply);

	if (reply->status != FB_DRAINING) {
		log_answer(s, class, reply);
		if (row != NULL && row->send_id == s->id)
			take_answer(row, s, class);
		fb_lane_poll(s->lane);
		fb_lane_look_soon(s->lane);
	}
	free(s);
}

static void hand_over(struct fb_lane_row *row, struct sending *s)
{
	size_t cap = 2 * row->raw_len + 16;
	struct fb_rpc_call call = { .method = "eth_sendRawTransaction" };
	struct fb_buf params;

	fb_buf_init(&params, fb_must_alloc(cap, 1), cap);
	fb_buf_text(&params, "[\"");
	fb_buf_hex(&params, row->raw, row->raw_len);
	fb_buf_text(&params, "\"]");
	FB_ASSERT(!params.overflowed);
	call.params = fb_buf_view(&params);
	fb_rpc_send(s->lane->ports.rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1, .once = true }, on_sent, s);
	free(params.at);
}

void fb_lane_send_row(struct fb_lane_row *row, const char *again)
{
	struct fb_lane *lane = row->lane;
	struct sending *s = fb_must_alloc(1, sizeof(*s));

	FB_ASSERT(row->step == FB_LANE_SENDING); /* L1: what is not durable yet never comes here */
	row->sent_ms = fb_lane_now_ms(lane);
	row->send_id = ++lane->sends;
	*s = (struct sending){ lane, row->nonce, row->send_id, again != NULL, *fb_lane_row_tx(row) };
	fb_metric_add(lane->ports.metrics, again == NULL ? FB_M_TX_SENT : FB_M_TX_RESENT, 1);
	if (again != NULL)
		fb_log(lane->ports.log, FB_EV_TX_RESENT, FB_F_HEX("signer", lane->signer.bytes, 20),
		       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", s->tx.bytes, 32), FB_F_TEXT("why", again));
	hand_over(row, s);
}
