/* A lane's life: opening, starting, allocating a nonce, signing, committing. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

uint32_t fb_lane_today(const struct fb_lane *lane)
{
	return (uint32_t)(fb_clock_wall_s(&lane->clock) / DAY_S);
}

const struct fb_lane_owner *fb_lane_owner_of(const struct fb_lane_row *row)
{
	const struct fb_lane *lane = row->lane;

	for (size_t i = 0; i < lane->owner_count; i++)
		if (lane->owners[i].tag == (char)row->owner[0])
			return &lane->owners[i].owner;
	FB_UNREACHABLE("a transaction that nobody owns");
}

struct fb_str fb_lane_row_owner(const struct fb_lane_row *row)
{
	return (struct fb_str){ (const char *)row->owner, row->owner_len };
}

void fb_lane_insert(struct fb_lane *lane, struct fb_lane_row *row)
{
	struct fb_lane_row **at = &lane->rows;

	while (*at != NULL && (*at)->nonce < row->nonce)
		at = &(*at)->next;
	FB_ASSERT(*at == NULL || (*at)->nonce != row->nonce); /* L2 */
	row->next = *at;
	*at = row;
	lane->open++;
	fb_metric_set(lane->metrics, FB_M_TX_INFLIGHT, lane->open);
}

static void free_row(struct fb_lane_row *row)
{
	fb_lane_row_clear(row);
	free(row);
}

void fb_lane_unlink(struct fb_lane *lane, struct fb_lane_row *row)
{
	struct fb_lane_row **at = &lane->rows;

	while (*at != row)
		at = &(*at)->next;
	*at = row->next;
	lane->open--;
	fb_metric_set(lane->metrics, FB_M_TX_INFLIGHT, lane->open);
	free_row(row);
}

enum fb_status fb_lane_open(struct fb_lane **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_store *store,
			    struct fb_commit commit, const struct fb_key *key, const struct fb_lane_settings *settings,
			    struct fb_clock clock, struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	struct fb_lane *lane = fb_must_alloc(1, sizeof(*lane));
	enum fb_status st;

	*lane = (struct fb_lane){ .loop = loop,
				  .rpc = rpc,
				  .store = store,
				  .commit = commit,
				  .key = *key,
				  .settings = *settings,
				  .clock = clock,
				  .log = log,
				  .metrics = metrics,
				  .signer = fb_key_address(key) };
	st = fb_lane_load(lane, e);
	if (st != FB_OK) {
		fb_lane_close(lane);
		return st;
	}
	*out = lane;
	return FB_OK;
}

void fb_lane_stop(struct fb_lane *lane)
{
	lane->stopped = true;
	fb_timer_stop(lane->timer);
	lane->timer = NULL;
}

void fb_lane_close(struct fb_lane *lane)
{
	if (lane == NULL)
		return;
	fb_timer_stop(lane->timer);
	while (lane->rows != NULL) {
		struct fb_lane_row *row = lane->rows;

		lane->rows = row->next;
		free_row(row);
	}
	fb_key_wipe(&lane->key);
	free(lane);
}

void fb_lane_own(struct fb_lane *lane, char tag, const struct fb_lane_owner *owner)
{
	FB_ASSERT(!lane->started && lane->owner_count < FB_LANE_OWNERS_MAX);
	for (size_t i = 0; i < lane->owner_count; i++)
		FB_ASSERT(lane->owners[i].tag != tag);
	lane->owners[lane->owner_count].tag = tag;
	lane->owners[lane->owner_count++].owner = *owner;
}

void fb_lane_start(struct fb_lane *lane, void (*started)(void *arg, enum fb_status status, const char *sentence),
		   void *arg)
{
	FB_ASSERT(!lane->started);
	FB_ASSERT(lane->on_started == NULL);
	lane->on_started = started;
	lane->on_started_arg = arg;
	fb_lane_poll(lane);
}

const struct fb_address *fb_lane_signer(const struct fb_lane *lane)
{
	return &lane->signer;
}

bool fb_lane_balance(const struct fb_lane *lane, fb_u128 *wei)
{
	*wei = lane->balance;
	return lane->balance_known;
}

size_t fb_lane_open_count(const struct fb_lane *lane)
{
	return lane->open;
}

/* ---- a new transaction ----------------------------------------------------------------------- */

static enum fb_status sign_row(struct fb_lane *lane, struct fb_lane_row *row, const struct fb_lane_job *job)
{
	struct fb_tx tx = { .chain_id = lane->settings.chain_id,
			    .nonce = row->nonce,
			    .gas_limit = job->gas_limit,
			    .max_priority_fee = job->max_priority_fee,
			    .max_fee = job->max_fee,
			    .to = job->to,
			    .data = job->data };
	struct fb_buf raw;
	enum fb_status st;

	row->raw = fb_must_alloc(FB_LANE_RAW_MAX, 1);
	fb_buf_init(&raw, (char *)row->raw, FB_LANE_RAW_MAX);
	st = fb_tx_sign(&raw, &row->attempts[row->attempt_count++], &tx, &lane->key);
	row->raw_len = raw.len;
	return st;
}

static struct fb_lane_row *new_row(struct fb_lane *lane, const struct fb_lane_job *job)
{
	struct fb_lane_row *row = fb_must_alloc(1, sizeof(*row));

	FB_ASSERT(job->key.len > 0 && job->key.len <= FB_LANE_OWNER_MAX);
	row->lane = lane;
	row->nonce = lane->next_nonce; /* L3: the counter only grows, and is stored with the row */
	row->gas_limit = job->gas_limit;
	row->max_fee = job->max_fee;
	row->day = fb_lane_today(lane);
	row->owner = fb_must_alloc(job->key.len, 1);
	row->owner_len = job->key.len;
	memcpy(row->owner, job->key.at, job->key.len);
	return row;
}

static void on_durable(void *arg)
{
	struct fb_lane_row *row = arg;
	struct fb_lane *lane = row->lane;

	row->step = FB_LANE_SENDING;
	fb_lane_owner_of(row)->durable(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), FB_OK);
	if (!lane->stopped)
		fb_lane_send_row(row, NULL);
}

/* The disk did not confirm: the row may or may not be there, so it is never sent by this process; a
 * restart finds it, or finds nothing. The writer refuses everything from now on. */
static void on_disk_failed(void *arg)
{
	struct fb_lane_row *row = arg;

	row->step = FB_LANE_CLOSING;
	fb_lane_owner_of(row)->durable(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), FB_STORAGE);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct fb_lane_row *row = arg;

	fb_loop_post(row->lane->loop, status == FB_OK ? on_durable : on_disk_failed, row);
}

static void put_number(struct fb_put *put, uint8_t key[FB_LANE_KEY_LEN], uint8_t value[16], fb_u128 v)
{
	fb_put_be128(value, v);
	*put = (struct fb_put){ .key = { (const char *)key, FB_LANE_KEY_LEN }, .value = { (const char *)value, 16 } };
}

/* One batch: the signed row, the counter, the day's gas, and what the owner wants beside them. */
static void commit_row(struct fb_lane *lane, struct fb_lane_row *row)
{
	uint8_t keys[3][FB_LANE_KEY_LEN], numbers[2][16];
	uint8_t *value = fb_must_alloc(FB_LANE_ROW_MAX, 1);
	struct fb_put puts[3 + FB_LANE_OWNER_PUTS_MAX];
	struct fb_lane_puts owners = { .count = 0 };

	fb_lane_row_key(keys[0], lane, row->nonce);
	fb_lane_counter_key(keys[1], lane);
	fb_lane_gas_key(keys[2], lane, lane->day);
	puts[0] = (struct fb_put){ .key = { (const char *)keys[0], FB_LANE_KEY_LEN },
				   .value = { (const char *)value, fb_lane_row_encode(value, row) } };
	put_number(&puts[1], keys[1], numbers[0], lane->next_nonce);
	put_number(&puts[2], keys[2], numbers[1], lane->spent);
	fb_lane_owner_of(row)->signing(fb_lane_owner_of(row)->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &owners);
	FB_ASSERT(owners.count <= FB_LANE_OWNER_PUTS_MAX);
	memcpy(puts + 3, owners.put, owners.count * sizeof(owners.put[0]));
	lane->commit.commit(lane->commit.ctx, puts, 3 + owners.count, on_committed, row);
	free(value);
}

/* The most that this transaction may cost. */
static fb_u128 reserve_of(const struct fb_lane_job *job)
{
	return (fb_u128)job->gas_limit * job->max_fee; /* gas < 2^24, fee < 2^60: far from 2^128 */
}

enum fb_status fb_lane_send(struct fb_lane *lane, const struct fb_lane_job *job)
{
	uint32_t today = fb_lane_today(lane);
	fb_u128 budget = lane->settings.budget_day_wei, spent = today == lane->day ? lane->spent : 0;
	struct fb_lane_row *row;

	FB_ASSERT(fb_loop_is_mine(lane->loop));
	FB_ASSERT(job->data.len <= FB_LANE_DATA_MAX);
	FB_ASSERT(job->gas_limit < (uint64_t)1 << 24 && job->max_fee < (fb_u128)1 << 60);
	if (!lane->started || lane->stopped || lane->open >= FB_LANE_OPEN_MAX)
		return FB_BUSY;
	if (budget > 0 && spent + reserve_of(job) > budget)
		return FB_LIMIT;
	/* ---- after this line the nonce is taken ------------------------------------------------ */
	row = new_row(lane, job);
	if (sign_row(lane, row, job) != FB_OK)
		FB_UNREACHABLE("calldata within its limit always fits a transaction");
	lane->next_nonce++;
	lane->day = today;
	lane->spent = spent + reserve_of(job);
	fb_lane_insert(lane, row);
	commit_row(lane, row);
	return FB_OK;
}
