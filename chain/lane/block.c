/* Inclusion, and what becomes of it: confirmed, vanished; or a nonce that is taken for good. Each of these is one
 * batch of the lane's rows and its owner's. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- the day's gas -------------------------------------------------------------------------------------- */

static fb_u128 reserve_of(const struct fb_lane_row *row)
{
	return (fb_u128)row->gas_limit * row->max_fee;
}

/* Takes one amount off the day's gas and puts another in its place; a day that is over, and its budget, stay. */
static void exchange_gas(const struct fb_lane_row *row, fb_u128 off, fb_u128 on)
{
	struct fb_lane *lane = row->lane;

	if (row->day != lane->day)
		return;
	lane->spent = lane->spent > off ? lane->spent - off : 0;
	lane->spent += on;
}

/* ---- one batch -------------------------------------------------------------------------------------------- */

enum end { INCLUDE, VANISH, CONFIRM, LOSE };
static const struct {
	enum fb_lane_move done, failed;
} ends[] = {
	[INCLUDE] = { FB_LANE_MOVE_RECORDED, FB_LANE_MOVE_FAIL_MINED },
	[VANISH] = { FB_LANE_MOVE_VANISHED, FB_LANE_MOVE_FAIL_VANISHED },
	[CONFIRM] = { FB_LANE_MOVE_CONFIRMED, FB_LANE_MOVE_FAIL_CONFIRM },
	[LOSE] = { FB_LANE_MOVE_LOST, FB_LANE_MOVE_FAIL_LOST },
};

struct ending {
	struct fb_lane_row *row;
	enum end end;
	struct fb_hash tx; /* as the owner was told */
};

static void wait_again(struct fb_lane_row *row)
{
	row->sent_ms = 0;
	row->attempt_ms = fb_lane_now_ms(row->lane);
	row->taken_ms = 0;
	row->known = row->seen = row->asks_again = row->capped = false;
	fb_lane_poll(row->lane); /* it may be in another block already; otherwise it is sent again */
}

static void on_recorded(struct ending *end, enum fb_status status)
{
	struct fb_lane_row *row = end->row;
	struct fb_lane *lane = row->lane;
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	char *bytes = fb_must_alloc(row->owner_len + 1, 1);
	struct fb_str key = { bytes, row->owner_len };

	memcpy(bytes, row->owner, row->owner_len);
	fb_lane_move(row, status == FB_OK ? ends[end->end].done : ends[end->end].failed);
	if (row->step == FB_LANE_GONE)
		fb_lane_unlink(lane, row); /* first: the owner may send its next job at once */
	if (owner != NULL && (end->end != VANISH || owner->vanished != NULL) &&
	    (end->end != CONFIRM || owner->confirmed != NULL))
		owner->recorded(owner->ctx, key, &end->tx, status);
	if (status == FB_OK && !lane->stopped && end->end == VANISH)
		wait_again(row);
	else if (status == FB_OK && !lane->stopped && end->end == INCLUDE)
		fb_lane_follow(row);
	free(bytes);
	free(end);
}

static void on_recorded_ok(void *arg)
{
	on_recorded(arg, FB_OK);
}

static void on_recorded_failed(void *arg)
{
	on_recorded(arg, FB_STORAGE);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct ending *end = arg;

	fb_loop_post(end->row->lane->ports.loop, status == FB_OK ? on_recorded_ok : on_recorded_failed, end);
}

struct batch {
	uint8_t row_key[FB_LANE_KEY_LEN], mined_key[FB_LANE_KEY_LEN], gas_key[FB_LANE_KEY_LEN];
	uint8_t mined[FB_LANE_MINED_LEN], spent[16];
	struct fb_put puts[3 + FB_LANE_OWNER_PUTS_MAX];
	size_t count;
};

static void add(struct batch *b, const uint8_t key[FB_LANE_KEY_LEN], const uint8_t *value, size_t len)
{
	b->puts[b->count++] = (struct fb_put){ .key = { (const char *)key, FB_LANE_KEY_LEN },
					       .value = { (const char *)value, len },
					       .remove = value == NULL };
}

static void fill_batch(struct batch *b, struct fb_lane_row *row, enum end end)
{
	struct fb_lane *lane = row->lane;

	fb_lane_row_key(b->row_key, lane, row->nonce);
	fb_lane_mined_key(b->mined_key, lane, row->nonce);
	fb_lane_gas_key(b->gas_key, lane, lane->day);
	fb_put_be128(b->spent, lane->spent);
	add(b, b->gas_key, b->spent, sizeof(b->spent));
	if (end == INCLUDE) {
		fb_lane_mined_encode(b->mined, &row->mined);
		add(b, b->mined_key, b->mined, sizeof(b->mined));
	} else if (end == VANISH) {
		add(b, b->mined_key, NULL, 0);
	} else if (end == CONFIRM) {
		add(b, b->row_key, NULL, 0);
		add(b, b->mined_key, NULL, 0);
	} else {
		add(b, b->row_key, NULL, 0);
	}
}

static void commit_end(struct fb_lane_row *row, enum end kind, const struct fb_hash *tx,
		       const struct fb_lane_puts *owners)
{
	struct fb_commit commit = row->lane->ports.commit;
	struct ending *end = fb_must_alloc(1, sizeof(*end));
	struct batch b;

	b.count = 0;
	fill_batch(&b, row, kind);
	FB_ASSERT(owners->count <= FB_LANE_OWNER_PUTS_MAX);
	memcpy(b.puts + b.count, owners->put, owners->count * sizeof(owners->put[0]));
	*end = (struct ending){ row, kind, *tx };
	commit.commit(commit.ctx, b.puts, b.count + owners->count, on_committed, end);
}

static void log_block(const struct fb_lane_row *row, enum fb_event event)
{
	fb_log(row->lane->ports.log, event, FB_F_HEX("signer", row->lane->signer.bytes, 20),
	       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", row->mined.tx.bytes, 32),
	       FB_F_U64("block", row->mined.block));
}

/* ---- into a block -------------------------------------------------------------------------------------------- */

void fb_lane_include(struct fb_lane_row *row, const struct fb_hash *attempt, const struct fb_lane_inclusion *in)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_metrics *metrics = row->lane->ports.metrics;
	struct fb_lane_puts puts;
	fb_u128 cost = fb_receipt_cost(&in->receipt);

	puts.count = 0;
	row->mined = (struct fb_lane_mined){ *attempt, in->receipt.block_hash, in->receipt.block, cost };
	fb_lane_move(row, row->step == FB_LANE_SENDING ? FB_LANE_MOVE_MINED_EARLY : FB_LANE_MOVE_MINED);
	exchange_gas(row, reserve_of(row), cost);
	fb_lane_learn_pace(row);
	fb_metric_add(metrics, FB_M_LANE_RETURNED, row->vanished_once);
	fb_metric_add(metrics, FB_M_TX_FAILED, !in->receipt.succeeded);
	row->vanished_once = false;
	log_block(row, FB_EV_TX_INCLUDED);
	if (owner != NULL)
		owner->included(owner->ctx, fb_lane_row_owner(row), attempt, in, &puts);
	commit_end(row, INCLUDE, attempt, &puts);
}

/* ---- out of it -------------------------------------------------------------------------------------------------- */

static void vanish(struct fb_lane_row *row)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_lane_puts puts;

	puts.count = 0;
	fb_lane_move(row, FB_LANE_MOVE_VANISH);
	exchange_gas(row, row->mined.cost, reserve_of(row));
	fb_metric_add(row->lane->ports.metrics, FB_M_LANE_VANISHED, 1);
	row->vanished_once = true;
	log_block(row, FB_EV_TX_VANISHED);
	if (owner != NULL && owner->vanished != NULL)
		owner->vanished(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &puts);
	commit_end(row, VANISH, fb_lane_row_tx(row), &puts);
}

void fb_lane_lose(struct fb_lane_row *row)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_lane_puts puts;

	puts.count = 0;
	fb_lane_move(row, FB_LANE_MOVE_LOSE);
	exchange_gas(row, reserve_of(row), 0);
	fb_metric_add(row->lane->ports.metrics, FB_M_LANE_LOST, 1);
	fb_lane_log(row, FB_EV_TX_NONCE_TAKEN, fb_lane_row_tx(row));
	if (owner != NULL)
		owner->lost(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &puts);
	commit_end(row, LOSE, fb_lane_row_tx(row), &puts);
}

/* ---- for good ---------------------------------------------------------------------------------------------------- */

static void on_booked(void *arg, enum fb_status status)
{
	struct fb_lane_row *row = arg;
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_lane_puts puts;

	puts.count = 0;
	if (status != FB_OK || row->lane->stopped) { /* stopped: nothing may be committed; the next life books it again */
		fb_lane_move(row, FB_LANE_MOVE_UNBOOKED);
		return;
	}
	fb_lane_move(row, FB_LANE_MOVE_CONFIRM);
	fb_metric_add(row->lane->ports.metrics, FB_M_GAS_SPENT_GWEI, (uint64_t)(row->mined.cost / 1000000000u));
	log_block(row, FB_EV_TX_CONFIRMED);
	if (owner != NULL && owner->confirmed != NULL)
		owner->confirmed(owner->ctx, fb_lane_row_owner(row), &row->mined.tx, &puts);
	commit_end(row, CONFIRM, &row->mined.tx, &puts);
}

static void book(struct fb_lane_row *row)
{
	const struct fb_lane_settings *s = &row->lane->settings;

	fb_lane_move(row, FB_LANE_MOVE_BOOK);
	if (s->spent != NULL)
		s->spent(s->spent_ctx, &row->mined.tx, row->mined.cost, on_booked, row);
	else
		on_booked(row, FB_OK);
}

static void book_if_confirmed(struct fb_lane_row *row)
{
	if (fb_head_rung(row->lane->ports.head, row->mined.block, &row->mined.block_hash) >= FB_RUNG_CONFIRMED)
		book(row);
}

/* ---- the follower --------------------------------------------------------------------------------------------- */

/* The follower has no block of that number: it has not come so far, or the chain is shorter now, or it does not
 * remember back so far (after a pause), and the receipt is asked for again. */
static void follow_unknown(struct fb_lane_row *row)
{
	struct fb_head_block head;

	if (!fb_head_latest(row->lane->ports.head, &head))
		return;
	if (head.number < row->mined.block) {
		if (row->seen)
			vanish(row);
	} else if (!row->asks_again) {
		row->asks_again = true;
		fb_lane_poll(row->lane);
	}
}

void fb_lane_follow(struct fb_lane_row *row)
{
	struct fb_hash hash;

	if (row->step != FB_LANE_INCLUDED)
		return;
	if (fb_head_hash(row->lane->ports.head, row->mined.block, &hash) != FB_OK) {
		follow_unknown(row);
	} else if (!fb_hash_eq(&hash, &row->mined.block_hash)) {
		vanish(row);
	} else {
		row->seen = true;
		row->asks_again = false;
		book_if_confirmed(row);
	}
}

void fb_lane_retake(struct fb_lane_row *row, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[1024];
	struct fb_receipt_summary receipt;
	struct fb_arena arena;
	struct fb_hash hash;
	enum fb_status st;

	if (fb_head_hash(row->lane->ports.head, row->mined.block, &hash) == FB_OK) {
		row->asks_again = false;
		fb_lane_follow(row); /* it remembers by now */
		return;
	}
	fb_arena_init(&arena, block, sizeof(block));
	st = r->status == FB_OK ? fb_receipt_read(&receipt, r->result, &arena) : r->status;
	if (st == FB_OK && fb_hash_eq(&receipt.tx, &row->mined.tx) &&
	    fb_hash_eq(&receipt.block_hash, &row->mined.block_hash))
		book_if_confirmed(row);
	else if (st == FB_OK || st == FB_NOT_FOUND)
		vanish(row);
}

void fb_lane_on_head(void *arg, const struct fb_head_event *e)
{
	struct fb_lane *lane = arg;

	if (lane->stopped || !lane->told)
		return;
	for (struct fb_lane_row *row = lane->rows; row != NULL; row = row->next)
		fb_lane_follow(row);
	if (e->change != FB_HEAD_ROSE && lane->open > 0)
		fb_lane_poll(lane);
}
