/* A withdrawal of unknown fate: at a block that we know, in what state is its id; and of one that is used, in which
 * block did the escrow say so. What does not fit our chain is asked again. */
#include "payout_int.h"

#include <string.h>

enum { HEADER, STATE, LOGS, CALLS };
enum { PARAMS_MAX = 512, WORD = 32 };

/* ---- shared with the other questions ----------------------------------------------------------------------------- */

bool fb_payout_bytes(struct fb_str *out, uint8_t *block, size_t cap, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char space[16]; /* hex is never escaped: an answer that needs the room is none */
	struct fb_arena none;
	struct fb_str hex;
	size_t len = 0;

	fb_arena_init(&none, space, sizeof(space));
	if (r->status != FB_OK || fb_json_string(&hex, r->result, &none) != FB_OK ||
	    fb_hex_decode(block, &len, cap, hex) != FB_OK)
		return false;
	*out = (struct fb_str){ (const char *)block, len };
	return true;
}

void fb_payout_unanswered(struct fb_payout_entry *e)
{
	uint32_t shift = e->asks < 8 ? e->asks : 8;
	uint64_t ms = (uint64_t)FB_PAYOUT_ASK_MS << shift;

	e->asks++;
	e->due_ms = fb_payout_now_ms(e->payout) + (ms < FB_PAYOUT_ASK_MAX_MS ? ms : FB_PAYOUT_ASK_MAX_MS);
}

void fb_payout_put_filter(struct fb_buf *b, const struct fb_payout *p, const struct fb_hash *id)
{
	struct fb_hash paid = fb_escrow_topic(FB_ESCROW_PAYOUT), burnt = fb_escrow_topic(FB_ESCROW_PAYOUT_CANCELLED);

	fb_buf_text(b, "\"address\":\"");
	fb_buf_address(b, &p->rows.escrow.address);
	fb_buf_text(b, "\",\"topics\":[[\"");
	fb_buf_hash(b, &paid);
	fb_buf_text(b, "\",\"");
	fb_buf_hash(b, &burnt);
	fb_buf_text(b, "\"],null,\"");
	fb_buf_hash(b, id);
	fb_buf_text(b, "\"]");
}

/* ---- conclusions ------------------------------------------------------------------------------------------------- */

static void conclude_unused(struct fb_payout_entry *e)
{
	fb_payout_move(e, fb_payout_unused(e->w.reason));
	e->w.since = 0; /* nothing of it is in a block so far; but for a reorganization, which ask() allows for */
	if (e->w.state == FB_PAYOUT_QUEUED)
		e->w.reason = FB_ESCROW_REFUSAL_NONE;
	e->due_ms = fb_payout_now_ms(e->payout) + (e->w.tries > 0 ? fb_payout_retry_ms(e->w.tries) : 0);
	e->w.tries++;
	fb_payout_store(e);
}

/* From here on it goes its own way: the lane's row, if there is one, may be of another transaction. */
static void conclude_found(struct fb_payout_entry *e, const struct fb_payout_word *word)
{
	bool paid = word->said == FB_PAYOUT_SAID_PAID;

	e->w.block = word->block;
	e->w.block_hash = word->block_hash;
	e->w.tx = word->tx;
	e->w.job = 0;
	e->row_open = false;
	if (paid)
		e->w.reason = FB_ESCROW_REFUSAL_NONE;
	else if (e->w.reason == FB_ESCROW_REFUSAL_NONE)
		e->w.reason = FB_ESCROW_REFUSAL_CANCELLED;
	e->due_ms = 0;
	fb_payout_move(e, paid ? FB_PAYOUT_PAID : FB_PAYOUT_BURNT);
	fb_payout_store(e);
}

/* Only the holder of the payout role can do that: nothing more is done here, and the books will not fit. */
static void conclude_strange(struct fb_payout_entry *e, const struct fb_payout_word *word)
{
	if (!e->strange)
		fb_log(e->payout->ports.log, FB_EV_PAYOUT_STRANGE, FB_F_HEX("payout", e->w.payout_id.bytes, 32),
		       FB_F_HEX("tx", word->tx.bytes, 32));
	e->strange = true;
	fb_payout_unanswered(e);
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static bool is_our_block(const struct fb_payout_entry *e, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[128];
	struct fb_arena arena;
	struct fb_hash hash, known;
	struct fb_str text;

	fb_arena_init(&arena, block, sizeof(block));
	return r->status == FB_OK && fb_json_string(&text, fb_json_get(r->result, "hash"), &arena) == FB_OK &&
	       fb_hash_parse(&hash, text) == FB_OK &&
	       fb_head_hash(e->payout->ports.head, e->asked_up_to, &known) == FB_OK && fb_hash_eq(&hash, &known);
}

static uint64_t scan_end(const struct fb_payout_entry *e)
{
	uint64_t end = e->scan_from + e->payout->settings.range_max - 1;

	return end < e->asked_up_to ? end : e->asked_up_to;
}

static void take_logs(struct fb_payout_entry *e, enum fb_escrow_payout_state state, const struct fb_rpc_result *r)
{
	struct fb_payout_word word;
	enum fb_payout_said want = state == FB_ESCROW_ID_PAID ? FB_PAYOUT_SAID_PAID : FB_PAYOUT_SAID_BURNT;

	if (r->status != FB_OK) {
		fb_payout_unanswered(e);
		return;
	}
	word = fb_payout_judge(r->result, &e->payout->rows.escrow, &e->w);
	if (word.said == want && word.block >= e->scan_from && word.block <= e->asked_up_to) {
		conclude_found(e, &word);
	} else if (word.said == FB_PAYOUT_SAID_OTHERWISE) {
		conclude_strange(e, &word);
	} else if (scan_end(e) < e->asked_up_to) {
		e->scan_from = scan_end(e) + 1; /* further on, at the next tick */
	} else {
		e->scan_from = 0;
		fb_payout_unanswered(e);
	}
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_payout_entry *e = arg;
	struct fb_payout *p = e->payout;
	enum fb_escrow_payout_state state;
	uint8_t word[WORD];
	struct fb_str data;

	e->asking = false;
	p->asks--;
	if (p->stopped || p->dead || e->w.state != FB_PAYOUT_UNSURE)
		return;
	if (reply->status != FB_OK || !is_our_block(e, &reply->results[HEADER]) ||
	    !fb_payout_bytes(&data, word, sizeof(word), &reply->results[STATE]) ||
	    fb_escrow_payout_state_answer(&state, data) != FB_OK)
		fb_payout_unanswered(e);
	else if (state == FB_ESCROW_ID_UNUSED)
		conclude_unused(e);
	else
		take_logs(e, state, &reply->results[LOGS]);
}

/* ---- the question ------------------------------------------------------------------------------------------------ */

static void put_number(struct fb_buf *b, const char *before, uint64_t number)
{
	fb_buf_text(b, before);
	fb_buf_quantity(b, number);
	fb_buf_char(b, '"');
}

static void put_state(struct fb_buf *b, const struct fb_payout_entry *e)
{
	char bytes[4 + WORD];
	struct fb_buf data;

	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_escrow_payout_state_call(&data, &e->w.payout_id);
	FB_ASSERT(!data.overflowed);
	fb_buf_text(b, "[{\"to\":\"");
	fb_buf_address(b, &e->payout->rows.escrow.address);
	fb_buf_text(b, "\",\"data\":\"");
	fb_buf_hex(b, data.at, data.len);
	put_number(b, "\"},\"", e->asked_up_to);
	fb_buf_char(b, ']');
}

static void put_logs(struct fb_buf *b, const struct fb_payout_entry *e)
{
	put_number(b, "[{\"fromBlock\":\"", e->scan_from);
	put_number(b, ",\"toBlock\":\"", scan_end(e));
	fb_buf_char(b, ',');
	fb_payout_put_filter(b, e->payout, &e->w.payout_id);
	fb_buf_text(b, "}]");
}

static void begin_scan(struct fb_payout_entry *e)
{
	uint64_t first = e->payout->settings.from_block, since = e->w.since;

	if (e->scan_from == 0 || e->scan_from > e->asked_up_to)
		e->scan_from = since > first + FB_PAYOUT_REORG_BLOCKS ? since - FB_PAYOUT_REORG_BLOCKS : first;
	if (e->scan_from > e->asked_up_to)
		e->scan_from = e->asked_up_to;
}

void fb_payout_ask(struct fb_payout_entry *e)
{
	struct fb_payout *p = e->payout;
	struct fb_rpc_call calls[CALLS] = { { .method = "eth_getBlockByNumber" }, { .method = "eth_call" },
					    { .method = "eth_getLogs" } };
	char blocks[CALLS][PARAMS_MAX];
	struct fb_buf params[CALLS];
	struct fb_head_block head;

	if (p->asks >= FB_PAYOUT_ASKS_MAX || !fb_head_latest(p->ports.head, &head))
		return;
	e->asked_up_to = head.number;
	begin_scan(e);
	for (size_t i = 0; i < CALLS; i++)
		fb_buf_init(&params[i], blocks[i], PARAMS_MAX);
	put_number(&params[HEADER], "[\"", e->asked_up_to);
	fb_buf_text(&params[HEADER], ",false]");
	put_state(&params[STATE], e);
	put_logs(&params[LOGS], e);
	for (size_t i = 0; i < CALLS; i++) {
		FB_ASSERT(!params[i].overflowed);
		calls[i].params = fb_buf_view(&params[i]);
	}
	e->asking = true;
	p->asks++;
	fb_rpc_send(p->ports.rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_reply, e);
}
