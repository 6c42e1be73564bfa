/* A new nonce: allocated, signed, committed with its owner's rows, and then sent. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { FILL_GAS = 60000 /* a transfer of nothing costs 21000, more where data is paid for in gas */ };

static enum fb_status sign_row(struct fb_lane *lane, struct fb_lane_row *row, const struct fb_lane_job *job)
{
	struct fb_tx tx = { .chain_id = lane->settings.chain_id,
			    .nonce = row->nonce,
			    .gas_limit = job->gas_limit,
			    .max_priority_fee = job->max_priority_fee,
			    .max_fee = job->max_fee,
			    .to = job->to,
			    .data = job->data };
	size_t cap = job->data.len + FB_LANE_RAW_MAX - FB_LANE_DATA_MAX;
	struct fb_buf raw;
	enum fb_status st;

	row->raw = fb_must_alloc(cap, 1);
	fb_buf_init(&raw, (char *)row->raw, cap);
	st = fb_tx_sign(&raw, &row->attempts[row->attempt_count++], &tx, &lane->key);
	row->raw_len = raw.len;
	return st;
}

static struct fb_lane_row *new_row(struct fb_lane *lane, uint64_t nonce, const struct fb_lane_job *job)
{
	struct fb_lane_row *row = fb_must_alloc(1, sizeof(*row));

	FB_ASSERT(job->key.len <= FB_LANE_OWNER_MAX);
	FB_ASSERT(nonce == lane->next_nonce || (job->key.len == 0 && nonce < lane->next_nonce)); /* L3 */
	row->nonce = nonce;
	row->gas_limit = job->gas_limit;
	row->max_fee = job->max_fee;
	row->day = fb_lane_today(lane);
	row->attempt_ms = fb_lane_now_ms(lane);
	row->asked = true;
	row->owner = fb_must_alloc(job->key.len + 1, 1);
	row->owner_len = job->key.len;
	if (job->key.len > 0)
		memcpy(row->owner, job->key.at, job->key.len);
	return row;
}

/* ---- on its way to the disk -------------------------------------------------------------------------- */

static void on_durable(void *arg)
{
	struct fb_lane_row *row = arg;
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);

	fb_lane_move(row, FB_LANE_MOVE_DURABLE);
	if (owner != NULL)
		owner->durable(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), FB_OK);
	if (!row->lane->stopped)
		fb_lane_send_row(row, NULL);
}

/* The disk did not confirm: the row may or may not be there, so it is never sent by this process; a
 * restart finds it, or finds nothing. The writer refuses everything from now on. */
static void on_disk_failed(void *arg)
{
	struct fb_lane_row *row = arg;
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);

	fb_lane_move(row, FB_LANE_MOVE_FAIL_NEW);
	if (owner != NULL)
		owner->durable(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), FB_STORAGE);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct fb_lane_row *row = arg;

	fb_loop_post(row->lane->ports.loop, status == FB_OK ? on_durable : on_disk_failed, row);
}

static void put_number(struct fb_put *put, uint8_t key[FB_LANE_KEY_LEN], uint8_t value[16], fb_u128 v)
{
	fb_put_be128(value, v);
	*put = (struct fb_put){ .key = { (const char *)key, FB_LANE_KEY_LEN }, .value = { (const char *)value, 16 } };
}

/* One batch: the signed row, the counter, the day's gas, and what the owner wants beside them. */
static void commit_row(struct fb_lane *lane, struct fb_lane_row *row)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	uint8_t keys[3][FB_LANE_KEY_LEN], numbers[2][16];
	uint8_t *value = fb_must_alloc(FB_LANE_ROW_MAX, 1);
	struct fb_put puts[3 + FB_LANE_OWNER_PUTS_MAX];
	struct fb_lane_puts owners;

	owners.count = 0;
	fb_lane_row_key(keys[0], lane, row->nonce);
	fb_lane_counter_key(keys[1], lane);
	fb_lane_gas_key(keys[2], lane, lane->day);
	puts[0] = (struct fb_put){ .key = { (const char *)keys[0], FB_LANE_KEY_LEN },
				   .value = { (const char *)value, fb_lane_row_encode(value, row) } };
	put_number(&puts[1], keys[1], numbers[0], lane->next_nonce);
	put_number(&puts[2], keys[2], numbers[1], lane->spent);
	if (owner != NULL)
		owner->signing(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &owners);
	FB_ASSERT(owners.count <= FB_LANE_OWNER_PUTS_MAX);
	memcpy(puts + 3, owners.put, owners.count * sizeof(owners.put[0]));
	lane->ports.commit.commit(lane->ports.commit.ctx, puts, 3 + owners.count, on_committed, row);
	free(value);
}

/* ---- allocation ---------------------------------------------------------------------------------------- */

/* The most that this transaction may cost. */
static fb_u128 reserve_of(const struct fb_lane_job *job)
{
	return (fb_u128)job->gas_limit * job->max_fee; /* gas < 2^24, fee < 2^60: far from 2^128 */
}

static void allocate(struct fb_lane *lane, uint64_t nonce, const struct fb_lane_job *job)
{
	struct fb_lane_row *row = new_row(lane, nonce, job);
	uint32_t today = fb_lane_today(lane);

	if (sign_row(lane, row, job) != FB_OK)
		FB_UNREACHABLE("calldata within its limit always fits a transaction");
	if (nonce == lane->next_nonce)
		lane->next_nonce++;
	lane->spent = (today == lane->day ? lane->spent : 0) + reserve_of(job);
	lane->day = today;
	lane->tip = job->max_priority_fee;
	fb_lane_insert(lane, row);
	commit_row(lane, row);
}

enum fb_status fb_lane_send(struct fb_lane *lane, const struct fb_lane_job *job)
{
	fb_u128 budget = lane->settings.budget_day_wei;
	fb_u128 spent = fb_lane_today(lane) == lane->day ? lane->spent : 0;

	FB_ASSERT(fb_loop_is_mine(lane->ports.loop));
	FB_ASSERT(job->data.len <= FB_LANE_DATA_MAX && job->key.len > 0);
	FB_ASSERT(job->gas_limit < (uint64_t)1 << 24 && job->max_fee < (fb_u128)1 << 60);
	FB_ASSERT(job->max_priority_fee <= job->max_fee);
	if (!lane->started || lane->stopped || lane->open >= FB_LANE_OPEN_MAX || lane->included >= FB_LANE_INCLUDED_MAX)
		return FB_BUSY;
	if (budget > 0 && spent + reserve_of(job) > budget)
		return FB_LIMIT;
	/* ---- after this line the nonce is taken ------------------------------------------------ */
	allocate(lane, lane->next_nonce, job);
	return FB_OK;
}

/* Not held back by the day's budget: without it nothing that was signed is ever included. */
void fb_lane_fill(struct fb_lane *lane, uint64_t nonce, fb_u128 base_fee)
{
	fb_u128 most = lane->settings.max_fee_wei;
	struct fb_lane_job job = { .to = lane->signer, .gas_limit = FILL_GAS, .max_priority_fee = lane->tip };

	FB_ASSERT(nonce < lane->next_nonce && lane->open < FB_LANE_OPEN_MAX + FB_LANE_FILL_MAX);
	job.max_fee = base_fee < most ? 2 * base_fee + lane->tip : most;
	job.max_fee = job.max_fee < most ? job.max_fee : most;
	job.max_priority_fee = lane->tip < job.max_fee ? lane->tip : job.max_fee;
	fb_metric_add(lane->ports.metrics, FB_M_LANE_FILLED, 1);
	allocate(lane, nonce, &job);
	fb_lane_log(fb_lane_find(lane, nonce), FB_EV_TX_GAP, fb_lane_row_tx(fb_lane_find(lane, nonce)));
}
