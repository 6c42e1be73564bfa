/* The end of a row: included, or lost to another transaction. Its removal, the day's gas and the owner's
 * rows are one batch. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

/* Takes the reserve off the day's gas and puts the real cost in its place. */
static void settle_gas(struct fb_lane_row *row, fb_u128 cost)
{
	struct fb_lane *lane = row->lane;
	fb_u128 reserve = (fb_u128)row->gas_limit * row->max_fee;

	fb_metric_add(lane->metrics, FB_M_GAS_SPENT_GWEI, (uint64_t)(cost / 1000000000u));
	if (row->day != lane->day)
		return; /* that day is over and its budget with it */
	lane->spent = lane->spent > reserve ? lane->spent - reserve : 0;
	lane->spent += cost;
}

static void on_recorded(struct fb_lane_row *row, enum fb_status status)
{
	struct fb_lane *lane = row->lane;
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	char *bytes = fb_must_alloc(row->owner_len, 1);
	struct fb_str key = { bytes, row->owner_len };
	struct fb_hash tx = *fb_lane_row_tx(row);

	memcpy(bytes, row->owner, row->owner_len);
	fb_lane_unlink(lane, row); /* first: the owner may send its next job at once */
	owner->recorded(owner->ctx, key, &tx, status);
	free(bytes);
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
	struct fb_lane_row *row = arg;

	fb_loop_post(row->lane->loop, status == FB_OK ? on_recorded_ok : on_recorded_failed, row);
}

static void commit_end(struct fb_lane_row *row, const struct fb_lane_puts *owners)
{
	struct fb_lane *lane = row->lane;
	uint8_t row_key[FB_LANE_KEY_LEN], gas_key[FB_LANE_KEY_LEN], spent[16];
	struct fb_put puts[2 + FB_LANE_OWNER_PUTS_MAX];

	FB_ASSERT(owners->count <= FB_LANE_OWNER_PUTS_MAX);
	fb_lane_row_key(row_key, lane, row->nonce);
	fb_lane_gas_key(gas_key, lane, lane->day);
	fb_put_be128(spent, lane->spent);
	puts[0] = (struct fb_put){ .key = { (const char *)row_key, sizeof(row_key) }, .remove = true };
	puts[1] = (struct fb_put){ .key = { (const char *)gas_key, sizeof(gas_key) },
				   .value = { (const char *)spent, sizeof(spent) } };
	memcpy(puts + 2, owners->put, owners->count * sizeof(owners->put[0]));
	lane->commit.commit(lane->commit.ctx, puts, 2 + owners->count, on_committed, row);
}

void fb_lane_include(struct fb_lane_row *row, const struct fb_lane_inclusion *in)
{
	struct fb_lane *lane = row->lane;
	struct fb_lane_puts puts = { .count = 0 };
	fb_u128 cost = (fb_u128)in->receipt.gas_used * in->receipt.gas_price + in->receipt.l1_fee;

	FB_ASSERT(row->step == FB_LANE_WAITING);
	row->step = FB_LANE_CLOSING;
	settle_gas(row, cost);
	if (!in->receipt.succeeded)
		fb_metric_add(lane->metrics, FB_M_TX_FAILED, 1);
	fb_lane_owner_of(row)->included(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), in, &puts);
	commit_end(row, &puts);
}

void fb_lane_lose(struct fb_lane_row *row)
{
	struct fb_lane *lane = row->lane;
	struct fb_lane_puts puts = { .count = 0 };

	FB_ASSERT(row->step == FB_LANE_WAITING);
	row->step = FB_LANE_CLOSING;
	settle_gas(row, 0);
	fb_log(lane->log, FB_EV_TX_NONCE_TAKEN, FB_F_HEX("signer", lane->signer.bytes, 20),
	       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", fb_lane_row_tx(row)->bytes, 32));
	fb_lane_owner_of(row)->lost(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &puts);
	commit_end(row, &puts);
}
