/* Another attempt at the same nonce: the same payload, higher fees; durable, and then sent. */
#include "lane_int.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 8 }; /* of a signed transaction, up to its data */

/* The payload of the newest attempt, read back from its signed bytes: those are what is stored. */
static void read_tx(struct fb_tx *out, const struct fb_lane_row *row)
{
	struct fb_rlp_item list, f[FIELDS];
	struct fb_str rest = { (const char *)row->raw + 1, row->raw_len - 1 };
	struct fb_u256 tip, max_fee;
	bool good = fb_rlp_take(&list, &rest) == FB_OK;

	*out = (struct fb_tx){ .creates = false };
	rest = list.body;
	for (size_t i = 0; i < FIELDS && good; i++)
		good = fb_rlp_take(&f[i], &rest) == FB_OK;
	good = good && fb_rlp_item_u64(&out->chain_id, &f[0]) == FB_OK && fb_rlp_item_u64(&out->nonce, &f[1]) == FB_OK &&
	       fb_rlp_item_u256(&tip, &f[2]) == FB_OK && fb_u256_to_u128(&out->max_priority_fee, tip) == FB_OK &&
	       fb_rlp_item_u256(&max_fee, &f[3]) == FB_OK && fb_u256_to_u128(&out->max_fee, max_fee) == FB_OK &&
	       fb_rlp_item_u64(&out->gas_limit, &f[4]) == FB_OK && f[5].body.len == sizeof(out->to.bytes) &&
	       fb_rlp_item_u256(&out->value, &f[6]) == FB_OK;
	FB_ASSERT(good); /* we signed it, and its hash was compared */
	memcpy(out->to.bytes, f[5].body.at, sizeof(out->to.bytes));
	out->data = f[7].body;
}

/* At least an eighth more: what a node asks of a transaction that takes another's place. */
static fb_u128 raised(fb_u128 fee)
{
	return fee + fee / 8 + 1;
}

/* False if the fees may not rise so far: the setting, or the day's budget. */
static bool price(struct fb_tx *tx, const struct fb_lane_row *row, fb_u128 base_fee)
{
	const struct fb_lane *lane = row->lane;
	fb_u128 least = raised(tx->max_fee), most = lane->settings.max_fee_wei, more;
	fb_u128 spent = fb_lane_today(lane) == lane->day ? lane->spent : 0;

	tx->max_priority_fee = raised(tx->max_priority_fee);
	more = 2 * base_fee + tx->max_priority_fee;
	more = more > least ? more : least;
	more = more < most ? more : most;
	if (more < least || more < base_fee)
		return false;
	if (lane->settings.budget_day_wei > 0 &&
	    spent + (more - tx->max_fee) * tx->gas_limit > lane->settings.budget_day_wei)
		return false;
	tx->max_fee = more;
	return tx->max_priority_fee <= more;
}

/* ---- on its way to the disk -------------------------------------------------------------------------- */

static void on_durable(void *arg)
{
	struct fb_lane_row *row = arg;

	fb_lane_move(row, FB_LANE_MOVE_BUMPED);
	if (!row->lane->stopped)
		fb_lane_send_row(row, NULL);
}

/* Whether the new attempt is stored is not known: it is not sent, and neither is the old one any more. */
static void on_disk_failed(void *arg)
{
	fb_lane_move(arg, FB_LANE_MOVE_FAIL_BUMP);
}

/* On the writer's thread. */
static void on_committed(void *arg, enum fb_status status)
{
	struct fb_lane_row *row = arg;

	fb_loop_post(row->lane->ports.loop, status == FB_OK ? on_durable : on_disk_failed, row);
}

static void commit_attempt(struct fb_lane_row *row)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_lane *lane = row->lane;
	uint8_t key[FB_LANE_KEY_LEN], gas_key[FB_LANE_KEY_LEN], spent[16];
	uint8_t *value = fb_must_alloc(FB_LANE_ROW_MAX, 1);
	struct fb_put puts[2 + FB_LANE_OWNER_PUTS_MAX];
	struct fb_lane_puts owners;

	owners.count = 0;
	fb_lane_row_key(key, lane, row->nonce);
	fb_lane_gas_key(gas_key, lane, lane->day);
	fb_put_be128(spent, lane->spent);
	puts[0] = (struct fb_put){ .key = { (const char *)key, sizeof(key) },
				   .value = { (const char *)value, fb_lane_row_encode(value, row) } };
	puts[1] = (struct fb_put){ .key = { (const char *)gas_key, sizeof(gas_key) },
				   .value = { (const char *)spent, sizeof(spent) } };
	if (owner != NULL)
		owner->replaced(owner->ctx, fb_lane_row_owner(row), fb_lane_row_tx(row), &owners);
	FB_ASSERT(owners.count <= FB_LANE_OWNER_PUTS_MAX);
	memcpy(puts + 2, owners.put, owners.count * sizeof(owners.put[0]));
	lane->ports.commit.commit(lane->ports.commit.ctx, puts, 2 + owners.count, on_committed, row);
	free(value);
}

/* ---- raising ------------------------------------------------------------------------------------------- */

static void say_capped(struct fb_lane_row *row)
{
	if (row->capped)
		return;
	row->capped = true;
	fb_metric_add(row->lane->ports.metrics, FB_M_LANE_CAPPED, 1);
	fb_lane_log(row, FB_EV_TX_CAPPED, fb_lane_row_tx(row));
}

/* The new signed bytes take the place of the old ones; the old hash stays. */
static void sign_attempt(struct fb_lane_row *row, const struct fb_tx *tx)
{
	size_t cap = tx->data.len + FB_LANE_RAW_MAX - FB_LANE_DATA_MAX;
	uint8_t *raw = fb_must_alloc(cap, 1);
	struct fb_buf b;

	fb_buf_init(&b, (char *)raw, cap);
	if (fb_tx_sign(&b, &row->attempts[row->attempt_count++], tx, &row->lane->key) != FB_OK)
		FB_UNREACHABLE("what was signed once fits again");
	free(row->raw); /* tx->data pointed into it */
	row->raw = raw;
	row->raw_len = b.len;
}

static void account(struct fb_lane_row *row, const struct fb_tx *tx)
{
	struct fb_lane *lane = row->lane;
	uint32_t today = fb_lane_today(lane);

	lane->spent = today == lane->day ? lane->spent : 0;
	lane->day = today;
	lane->spent += (tx->max_fee - row->max_fee) * tx->gas_limit;
	row->max_fee = tx->max_fee;
	row->attempt_ms = fb_lane_now_ms(lane);
	row->wants_fees = false;
}

void fb_lane_bump(struct fb_lane_row *row, fb_u128 base_fee)
{
	const struct fb_lane_owner *owner = fb_lane_owner_of(row);
	struct fb_tx tx;

	if (owner != NULL && owner->replaced == NULL)
		return;
	read_tx(&tx, row);
	FB_ASSERT(tx.nonce == row->nonce && tx.gas_limit == row->gas_limit && tx.max_fee == row->max_fee);
	if (row->attempt_count == FB_LANE_ATTEMPTS_MAX || !price(&tx, row, base_fee)) {
		say_capped(row);
		return;
	}
	account(row, &tx);
	sign_attempt(row, &tx);
	fb_metric_add(row->lane->ports.metrics, FB_M_LANE_REPLACED, 1);
	fb_log(row->lane->ports.log, FB_EV_TX_REPLACED, FB_F_HEX("signer", row->lane->signer.bytes, 20),
	       FB_F_U64("nonce", row->nonce), FB_F_HEX("tx", fb_lane_row_tx(row)->bytes, 32),
	       FB_F_U64("max_fee_gwei", (uint64_t)(tx.max_fee / 1000000000u)));
	fb_lane_move(row, FB_LANE_MOVE_BUMP);
	commit_attempt(row);
}
