/* What a look at the chain means for a row that is out, and for nonces that no row stands for. */
#include "lane_int.h"

#include <stdio.h>

enum {
	SCRATCH = 8192,   /* bytes for reading a receipt */
	AHEAD_MAX = 4096, /* blocks that a receipt may be ahead of the follower */
};
#define L1_FEE_MAX ((fb_u128)1000000000 * 1000000000) /* wei */

/* ---- a receipt ------------------------------------------------------------------------------------------ */

/* The follower knows another block of that number: the receipt is of a branch that lost, or the follower will hear of
 * the one that won. Either way the next looks tell. */
static bool contradicts(const struct fb_lane *lane, const struct fb_receipt_summary *r)
{
	struct fb_head_block head;
	struct fb_hash hash;

	if (fb_head_latest(lane->ports.head, &head) && r->block > head.number && r->block - head.number > AHEAD_MAX)
		return true;
	return fb_head_hash(lane->ports.head, r->block, &hash) == FB_OK && !fb_hash_eq(&hash, &r->block_hash);
}

/* No chain takes more than was offered: an endpoint that says so shall not use up the day's budget, or the books. */
static void bound_cost(const struct fb_lane_row *row, struct fb_receipt_summary *r)
{
	r->gas_used = r->gas_used < row->gas_limit ? r->gas_used : row->gas_limit;
	r->gas_price = r->gas_price < row->max_fee ? r->gas_price : row->max_fee;
	r->l1_fee = r->l1_fee < L1_FEE_MAX ? r->l1_fee : L1_FEE_MAX;
}

void fb_lane_take_receipt(struct fb_lane_row *row, const struct fb_hash *attempt, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[SCRATCH];
	struct fb_lane_inclusion in = { .json = r->result };
	struct fb_arena arena;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	in.arena = &arena;
	st = r->status == FB_OK ? fb_receipt_read(&in.receipt, r->result, &arena) : r->status;
	if (st == FB_OK && fb_hash_eq(&in.receipt.tx, attempt) && !contradicts(row->lane, &in.receipt)) {
		bound_cost(row, &in.receipt);
		fb_lane_include(row, attempt, &in);
	} else if (st == FB_NOT_FOUND) {
		row->nothing++;
	} else {
		row->failed++;
	}
}

/* ---- no receipt ------------------------------------------------------------------------------------------ */

/* The newest block of the node whose counter it was: the follower may be behind it. */
static void note_block(struct fb_lane_row *row, const struct fb_head_block *head)
{
	uint64_t said = row->lane->said_block;

	if (said == 0)
		return;
	row->taken_block = said > head->number && said - head->number <= AHEAD_MAX ? said : head->number;
	row->taken_known = false;
}

/* False: it has not come to the follower yet, lacks confirmations, or has vanished. */
static bool is_confirmed(struct fb_lane_row *row)
{
	const struct fb_head *head = row->lane->ports.head;
	enum fb_rung rung;

	if (!row->taken_known)
		row->taken_known = fb_head_hash(head, row->taken_block, &row->taken_hash) == FB_OK;
	if (!row->taken_known)
		return false;
	rung = fb_head_rung(head, row->taken_block, &row->taken_hash);
	if (rung == FB_RUNG_NONE)
		row->taken_ms = 0;
	return rung >= FB_RUNG_CONFIRMED;
}

/* The account's counter is past this row's nonce and no attempt has a receipt. Believed only after a while, a node
 * that lags behind itself shows the same picture for a moment; and when the newest block of that moment has its
 * confirmations, as what took the nonce may vanish. */
static bool looks_lost(struct fb_lane_row *row)
{
	struct fb_lane *lane = row->lane;
	uint64_t now = fb_lane_now_ms(lane);
	struct fb_head_block head;

	if (lane->chain_nonce <= row->nonce || !fb_head_latest(lane->ports.head, &head)) {
		row->taken_ms = 0;
		return false;
	}
	if (row->taken_ms == 0) {
		row->taken_ms = now;
		row->taken_block = 0;
	}
	if (row->taken_block == 0)
		note_block(row, &head);
	return row->taken_block != 0 && is_confirmed(row) && now - row->taken_ms >= FB_LANE_LOST_MS;
}

static void resend_if_old(struct fb_lane_row *row)
{
	bool first = row->sent_ms == 0;

	if (!first && fb_lane_now_ms(row->lane) - row->sent_ms < FB_LANE_RESEND_MS)
		return;
	fb_lane_move(row, FB_LANE_MOVE_AGAIN);
	fb_lane_send_row(row, first ? "not sent in this life, or its block is gone" : "no receipt yet");
}

/* Too low for the newest block, or said to be by a node; or the account's next transaction waits too long. */
static bool needs_fees(const struct fb_lane_row *row, fb_u128 base_fee)
{
	uint64_t age = fb_lane_now_ms(row->lane) - row->attempt_ms;

	if (age < FB_LANE_BUMP_MS || row->lane->chain_nonce > row->nonce)
		return false;
	return row->wants_fees || base_fee > row->max_fee ||
	       (row->nonce == row->lane->chain_nonce && age >= row->lane->settings.bump_ms);
}

void fb_lane_take_nothing(struct fb_lane_row *row)
{
	struct fb_head_block head;
	bool all = row->nothing == row->attempt_count;

	if (all && looks_lost(row)) {
		fb_lane_lose(row);
		return;
	}
	if (all && row->lane->started && fb_head_latest(row->lane->ports.head, &head) && needs_fees(row, head.base_fee))
		fb_lane_bump(row, head.base_fee);
	if (row->step == FB_LANE_WAITING)
		resend_if_old(row);
}

/* ---- nonces without a row --------------------------------------------------------------------------------- */

/* Of the nonces from the chain's counter up to ours; the first of them. */
static uint64_t count_missing(const struct fb_lane *lane, uint64_t *first)
{
	uint64_t want = lane->chain_nonce, missing = 0;

	*first = UINT64_MAX;
	for (const struct fb_lane_row *row = lane->rows; want < lane->next_nonce; row = row == NULL ? NULL : row->next) {
		uint64_t upto = row == NULL || row->nonce > lane->next_nonce ? lane->next_nonce : row->nonce;

		if (row != NULL && row->nonce < want)
			continue;
		if (upto > want && *first == UINT64_MAX)
			*first = want;
		missing += upto - want;
		want = upto + 1;
	}
	return missing;
}

/* A node that lags shows an old counter for a moment. */
static bool stays_behind(struct fb_lane *lane)
{
	uint64_t now = fb_lane_now_ms(lane);

	if (lane->behind_ms == 0)
		lane->behind_ms = now;
	return now - lane->behind_ms >= FB_LANE_BEHIND_MS;
}

static void answer_behind(struct fb_lane *lane)
{
	snprintf(lane->sentence, sizeof(lane->sentence),
		 "the chain counts %llu transactions of the signer, the data directory %llu: this is another chain, or "
		 "one that was reset; use its own --data directory, or a fresh one",
		 (unsigned long long)lane->chain_nonce, (unsigned long long)lane->next_nonce);
	fb_lane_answer_start(lane, FB_MISMATCH, lane->sentence);
}

/* No transaction at all, and nothing of ours is on its way: what was confirmed is gone. */
static bool looks_reset(const struct fb_lane *lane)
{
	return lane->chain_nonce == 0 && lane->rows == NULL;
}

static bool all_asked(const struct fb_lane *lane)
{
	for (const struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		if (fb_lane_step_is_open(row->step) && !row->asked)
			return false;
	return true;
}

static void fill(struct fb_lane *lane, uint64_t first)
{
	struct fb_head_block head;

	if (!fb_head_latest(lane->ports.head, &head))
		return; /* what a block asks of fees is not known yet */
	for (uint64_t n = first; n < lane->next_nonce; n++)
		if (fb_lane_find(lane, n) == NULL)
			fb_lane_fill(lane, n, head.base_fee);
	lane->behind_ms = 0;
}

void fb_lane_check_gaps(struct fb_lane *lane)
{
	uint64_t first, missing = count_missing(lane, &first);

	if (missing == 0) {
		lane->behind_ms = 0;
		if (all_asked(lane))
			fb_lane_answer_start(lane, FB_OK, NULL);
	} else if (stays_behind(lane)) {
		if (missing > FB_LANE_FILL_MAX || looks_reset(lane))
			answer_behind(lane);
		else if (all_asked(lane) && lane->open < FB_LANE_OPEN_MAX)
			fill(lane, first);
	}
}
