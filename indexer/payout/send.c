/* Asks the escrow what it would do and the chain for its fees, then signs: orders of what waits, oldest first and
 * several in one transaction, and the burning of what can never be paid. */
#include "payout_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS, PAUSED, BLACKLISTED, BLOCK, TIP, CALLS };
enum { PARAMS_MAX = 256, STATUS_BYTES = 11 * 32, WORD = 32 };
enum {
	FEE_MULTIPLE = 2,
	BASE_GAS = 100000,
	ORDER_GAS = 160000, /* the dearest payout takes less than 120000; too little would revert the whole */
	BURN_GAS = 120000,
	BURNS_MAX = 4,      /* transactions at once */
};

struct fees {
	fb_u128 max_fee, tip;
};
/* What the escrow still pays. */
struct room {
	struct fb_u256 balance, day;
};

/* ---- what waits -------------------------------------------------------------------------------------------------- */

static bool waits(const struct fb_payout_entry *e, enum fb_payout_state state)
{
	return e->w.state == state && !e->requested && !e->ending && !e->asking && !e->w.held &&
	       e->due_ms <= fb_payout_now_ms(e->payout);
}

/* Alone and at once while nothing is under way; else together with others. */
static bool is_time(const struct fb_payout *p)
{
	size_t open = fb_lane_open_count(p->ports.lane), count = 0;
	uint64_t now = fb_payout_now_ms(p), oldest = now;

	if (open >= FB_PAYOUT_INFLIGHT_MAX)
		return false;
	for (const struct fb_payout_entry *e = p->oldest; e != NULL; e = e->newer) {
		if (waits(e, FB_PAYOUT_DOOMED))
			return true;
		if (!waits(e, FB_PAYOUT_QUEUED))
			continue;
		count++;
		oldest = e->queued_ms < oldest ? e->queued_ms : oldest;
	}
	return count > 0 && (open == 0 || count >= FB_PAYOUT_BATCH_MAX || now - oldest >= FB_PAYOUT_GATHER_MS);
}

/* ---- one job ----------------------------------------------------------------------------------------------------- */

struct parcel {
	struct fb_lane_job job;
	uint8_t key[FB_PAYOUT_JOB_LEN + 16 * FB_PAYOUT_BATCH_MAX];
	char data[FB_LANE_DATA_MAX];
};

/* A number that no other job of ours has. */
static void write_key(struct parcel *a, struct fb_payout *p, enum fb_payout_job_kind kind,
		      struct fb_payout_entry *const *entries, size_t count)
{
	uint64_t now = (uint64_t)p->ports.clock.wall_us(p->ports.clock.ctx);

	p->last_job = now > p->last_job ? now : p->last_job + 1;
	a->key[0] = 'W';
	a->key[1] = (uint8_t)kind;
	fb_put_be64(a->key + 2, p->last_job);
	for (size_t i = 0; i < count; i++)
		memcpy(a->key + FB_PAYOUT_JOB_LEN + 16 * i, entries[i]->w.id.bytes, 16);
	a->job.key = (struct fb_str){ (const char *)a->key, FB_PAYOUT_JOB_LEN + 16 * count };
}

static void write_call(struct parcel *a, enum fb_payout_job_kind kind, struct fb_payout_entry *const *entries,
		       size_t count)
{
	struct fb_escrow_order orders[FB_PAYOUT_BATCH_MAX];
	struct fb_buf data;

	fb_buf_init(&data, a->data, sizeof(a->data));
	if (kind == FB_PAYOUT_JOB_BURN) {
		fb_escrow_cancel_call(&data, &entries[0]->w.payout_id);
	} else {
		for (size_t i = 0; i < count; i++)
			orders[i] = (struct fb_escrow_order){ entries[i]->w.payout_id, entries[i]->w.to,
							      fb_u256_from_amount(fb_payout_net(&entries[i]->w)) };
		fb_escrow_payout_batch_call(&data, orders, count);
	}
	FB_ASSERT(!data.overflowed);
	a->job.data = fb_buf_view(&data);
}

static bool can_pay(const struct fb_payout *p, uint64_t gas, const struct fees *fees)
{
	fb_u128 balance;

	return fb_lane_balance(p->ports.lane, &balance) && balance >= (fb_u128)gas * fees->max_fee;
}

/* False: nothing has happened. */
static bool send(struct fb_payout *p, enum fb_payout_job_kind kind, struct fb_payout_entry *const *entries,
		 size_t count, uint64_t gas, const struct fees *fees)
{
	struct parcel *a = fb_must_alloc(1, sizeof(*a));
	bool sent;

	a->job.to = p->rows.escrow.address;
	a->job.gas_limit = gas;
	a->job.max_fee = fees->max_fee;
	a->job.max_priority_fee = fees->tip;
	write_key(a, p, kind, entries, count);
	write_call(a, kind, entries, count);
	sent = fb_lane_send(p->ports.lane, &a->job) == FB_OK;
	if (sent)
		fb_metric_add(p->ports.metrics, FB_M_PAYOUT_TRANSACTIONS, 1);
	free(a);
	return sent;
}

/* ---- what is sent ------------------------------------------------------------------------------------------------ */

static void take(struct fb_u256 *from, struct fb_u256 what)
{
	if (fb_u256_sub(from, *from, what) != FB_OK)
		*from = fb_u256_from_u64(0);
}

/* What is ordered already may or may not be in the escrow's numbers. */
static struct room room_of(const struct fb_payout *p, const struct fb_escrow_status *s)
{
	struct room room = { s->balance, fb_u256_from_u128(s->day_cap) };

	take(&room.day, fb_u256_from_u128(s->paid_today));
	for (const struct fb_payout_entry *e = p->oldest; e != NULL; e = e->newer)
		if (e->w.state == FB_PAYOUT_SENT) {
			take(&room.balance, fb_u256_from_amount(fb_payout_net(&e->w)));
			take(&room.day, fb_u256_from_amount(fb_payout_net(&e->w)));
		}
	return room;
}

/* Also what the contract will refuse for good: its event says so. */
static bool fits(struct room *room, const struct fb_withdrawal *w, const struct fb_escrow_status *s,
		 bool *short_of_money)
{
	struct fb_u256 net = fb_u256_from_amount(fb_payout_net(w));

	if (fb_u256_cmp(net, fb_u256_from_u128(s->payout_cap)) > 0)
		return true;
	*short_of_money |= fb_u256_cmp(net, s->balance) > 0;
	if (fb_u256_cmp(net, room->balance) > 0 || fb_u256_cmp(net, room->day) > 0)
		return false;
	take(&room->balance, net);
	take(&room->day, net);
	return true;
}

static void send_orders(struct fb_payout *p, const struct fb_escrow_status *s, const struct fees *fees)
{
	struct fb_payout_entry *chosen[FB_PAYOUT_BATCH_MAX];
	struct room room = room_of(p, s);
	size_t count = 0;
	bool short_of_money = false;

	for (struct fb_payout_entry *e = p->oldest; e != NULL && count < FB_PAYOUT_BATCH_MAX; e = e->newer)
		if (waits(e, FB_PAYOUT_QUEUED) && fits(&room, &e->w, s, &short_of_money))
			chosen[count++] = e;
	p->status.short_of_money = short_of_money;
	while (count > 1 && !can_pay(p, BASE_GAS + ORDER_GAS * count, fees))
		count /= 2;
	if (count == 0)
		return;
	p->status.low = !can_pay(p, BASE_GAS + ORDER_GAS * count, fees);
	if (!p->status.low)
		(void)send(p, FB_PAYOUT_JOB_PAY, chosen, count, BASE_GAS + ORDER_GAS * count, fees);
}

static void send_burns(struct fb_payout *p, const struct fees *fees)
{
	size_t sent = 0;

	for (struct fb_payout_entry *e = p->oldest; e != NULL && sent < BURNS_MAX; e = e->newer) {
		if (!waits(e, FB_PAYOUT_DOOMED))
			continue;
		p->status.low = !can_pay(p, BURN_GAS, fees);
		if (p->status.low || !send(p, FB_PAYOUT_JOB_BURN, &e, 1, BURN_GAS, fees))
			return;
		sent++;
	}
}

/* ---- what the chain says ----------------------------------------------------------------------------------------- */

static enum fb_status quantity_of(fb_u128 *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	st = fb_json_string(&text, v, &arena);
	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

/* False: the chain does not tell, or asks more than the operator allows. */
static bool read_fees(struct fees *out, const struct fb_payout *p, const struct fb_rpc_reply *reply)
{
	fb_u128 base_fee, tip, most = p->settings.max_fee_wei;

	if (reply->results[BLOCK].status != FB_OK || reply->results[TIP].status != FB_OK ||
	    quantity_of(&base_fee, fb_json_get(reply->results[BLOCK].result, "baseFeePerGas")) != FB_OK ||
	    quantity_of(&tip, reply->results[TIP].result) != FB_OK || base_fee > most)
		return false;
	out->tip = tip < most ? tip : most;
	out->max_fee = FEE_MULTIPLE * base_fee + out->tip;
	out->max_fee = out->max_fee < most ? out->max_fee : most;
	out->tip = out->tip < out->max_fee ? out->tip : out->max_fee;
	return true;
}

static bool read_status(struct fb_escrow_status *out, const struct fb_rpc_result *r)
{
	uint8_t bytes[STATUS_BYTES];
	struct fb_str data;

	return fb_payout_bytes(&data, bytes, sizeof(bytes), r) && fb_escrow_status_answer(out, data) == FB_OK;
}

/* A token that does not know the question has no such state. */
static bool read_flag(const struct fb_rpc_result *r)
{
	uint8_t bytes[WORD];
	struct fb_str data;
	bool flag = false;

	return fb_payout_bytes(&data, bytes, sizeof(bytes), r) && fb_abi_get_bool(&flag, data, 0) == FB_OK && flag;
}

static const char *obstacle(const struct fb_payout *p)
{
	const struct fb_payout_status *s = &p->status;

	if (fb_payout_stopped(p) != NULL)
		return fb_payout_stopped(p);
	if (s->role_missing)
		return "the signer does not have the escrow's payout role";
	if (s->escrow_paused)
		return "the escrow is paused";
	if (s->token_paused)
		return "the token is paused";
	if (s->blacklisted)
		return "the token refuses the escrow";
	if (s->short_of_money)
		return "the escrow holds less than a withdrawal that waits";
	return s->low ? "the signer has too little gas money" : NULL;
}

/* Said when it begins. */
static void tell_obstacle(struct fb_payout *p)
{
	const char *why = obstacle(p);

	if (why != NULL && why != p->said_why)
		fb_log(p->ports.log, FB_EV_PAYOUTS_WAIT, FB_F_TEXT("why", why), FB_F_U64("withdrawals", p->entries));
	p->said_why = why;
}

static void take_reply(struct fb_payout *p, const struct fb_rpc_reply *reply)
{
	struct fb_payout_status *out = &p->status;
	struct fb_escrow_status s;
	struct fees fees;

	if (reply->status != FB_OK || !read_status(&s, &reply->results[STATUS]))
		return;
	out->looked = true;
	out->role_missing = !fb_address_eq(&s.payout_role, &p->signer);
	out->escrow_paused = s.paused;
	out->token_paused = read_flag(&reply->results[PAUSED]);
	out->blacklisted = read_flag(&reply->results[BLACKLISTED]);
	if (fb_payout_stopped(p) == NULL && !out->role_missing && read_fees(&fees, p, reply)) {
		send_burns(p, &fees);
		if (!out->escrow_paused && !out->token_paused && !out->blacklisted)
			send_orders(p, &s, &fees);
	}
	tell_obstacle(p);
	fb_payout_changed(p);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_payout *p = arg;

	p->looking = false;
	if (p->stopped || p->dead || reply->status == FB_DRAINING)
		return;
	take_reply(p, reply);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static struct fb_str put_call(char block[PARAMS_MAX], const struct fb_address *to, const struct fb_buf *data)
{
	struct fb_buf b;

	fb_buf_init(&b, block, PARAMS_MAX);
	fb_buf_text(&b, "[{\"to\":\"");
	fb_buf_address(&b, to);
	fb_buf_text(&b, "\",\"data\":\"");
	fb_buf_hex(&b, data->at, data->len);
	fb_buf_text(&b, "\"},\"latest\"]");
	FB_ASSERT(!b.overflowed && !data->overflowed);
	return fb_buf_view(&b);
}

static void ask(struct fb_payout *p)
{
	struct fb_rpc_call calls[CALLS] = { [STATUS] = { .method = "eth_call" },
					    [PAUSED] = { .method = "eth_call" },
					    [BLACKLISTED] = { .method = "eth_call" },
					    [BLOCK] = { "eth_getBlockByNumber", FB_STR("[\"latest\",false]") },
					    [TIP] = { "eth_maxPriorityFeePerGas", FB_STR("[]") } };
	const struct fb_escrow *e = &p->rows.escrow;
	char params[3][PARAMS_MAX], bytes[4 + WORD];
	struct fb_buf data;

	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_escrow_status_call(&data);
	calls[STATUS].params = put_call(params[0], &e->address, &data);
	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_abi_selector(&data, FB_SELECTOR_PAUSED);
	calls[PAUSED].params = put_call(params[1], &e->token, &data);
	fb_buf_init(&data, bytes, sizeof(bytes));
	fb_abi_selector(&data, FB_SELECTOR_IS_BLACKLISTED);
	fb_abi_address(&data, &e->address);
	calls[BLACKLISTED].params = put_call(params[2], &e->token, &data);
	p->looking = true;
	fb_rpc_send(p->ports.rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_reply, p);
}

void fb_payout_look(struct fb_payout *p)
{
	uint64_t now = fb_payout_now_ms(p);
	bool due = p->looked_ms == 0 || now - p->looked_ms >= FB_PAYOUT_LOOK_MS;

	if (p->looking || (!due && (fb_payout_stopped(p) != NULL || !is_time(p))))
		return;
	p->looked_ms = now == 0 ? 1 : now;
	ask(p);
}
