/* One transaction for a set whose payments are simulated: its price, its lane, its call data. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEE_MULTIPLE = 2, BASE_GAS = 21000, BATCH_GAS = 30000 /* Multicall3's own */, ZERO_GAS = 4, BYTE_GAS = 16 };

static void refuse_all(struct fb_settle_set *set, const char *note)
{
	for (size_t i = 0; i < set->count; i++)
		fb_settle_refuse(set->entries[i], FB_REASON_SETTLE_ERROR, note);
	set->count = 0;
}

/* ---- gas ------------------------------------------------------------------------------------------------- */

static uint64_t data_gas(struct fb_str data)
{
	uint64_t gas = 0;

	for (size_t i = 0; i < data.len; i++)
		gas += data.at[i] == 0 ? ZERO_GAS : BYTE_GAS;
	return gas;
}

/* Refuses who needs more than one payment may. */
static void check_gas(struct fb_settle_set *set)
{
	uint64_t most = set->settle->settings.gas_limit_max;
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct fb_settle_entry *e = set->entries[i];
		struct fb_note note;

		if (e->gas <= most) {
			set->entries[kept++] = e;
			continue;
		}
		snprintf(note.text, sizeof(note.text), "the transfer needs %llu gas, the facilitator's cap is %llu",
			 (unsigned long long)e->gas, (unsigned long long)most);
		fb_settle_refuse(e, FB_REASON_SETTLE_ERROR, note.text);
	}
	set->count = kept;
}

/* Refuses whose payer, or whose API key, has cost enough today. Charged is what it is expected to cost. */
static void check_budgets(struct fb_settle_set *set, const struct fb_settle_fees *fees)
{
	fb_u128 most = set->settle->settings.max_fee_wei;
	fb_u128 price = fees->base_fee < most ? fees->base_fee + (fees->tip < most ? fees->tip : most) : most;
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct fb_settle_entry *e = set->entries[i];

		if (fb_settle_charge(e, e->gas * price))
			set->entries[kept++] = e;
		else
			fb_settle_refuse(e, FB_REASON_SETTLE_ERROR,
					 "the payer's, or the API key's, gas budget of the day is spent; nothing was sent");
	}
	set->count = kept;
}

/* ---- call data ------------------------------------------------------------------------------------------- */

/* Everything a job points at. */
struct parcel {
	char data[FB_LANE_DATA_MAX];
	char calls[FB_LANE_BATCH_MAX][FB_ABI_PADDED(4 + 9 * 32)];
	uint8_t key[FB_LANE_OWNER_MAX];
};

static struct fb_str write_alone(struct parcel *p, const struct fb_claim *c)
{
	struct fb_buf b;

	fb_buf_init(&b, p->data, sizeof(p->data));
	fb_settle_write_call(&b, c);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static struct fb_str write_together(struct parcel *p, const struct fb_settle_set *set)
{
	struct fb_call3 calls[FB_LANE_BATCH_MAX];
	struct fb_buf b;

	for (size_t i = 0; i < set->count; i++) {
		const struct fb_claim *c = set->entries[i]->claim;

		fb_buf_init(&b, p->calls[i], sizeof(p->calls[i]));
		fb_settle_write_call(&b, c);
		FB_ASSERT(!b.overflowed);
		calls[i] = (struct fb_call3){ c->asset, fb_buf_view(&b) };
	}
	fb_buf_init(&b, p->data, sizeof(p->data));
	fb_call3_write(&b, calls, set->count);
	FB_ASSERT(!b.overflowed); /* FB_LANE_BATCH_MAX plain transfers fit FB_LANE_DATA_MAX */
	return fb_buf_view(&b);
}

/* The payments' keys, and a number that no other job of ours has. */
static struct fb_str write_key(struct parcel *p, const struct fb_settle_set *set)
{
	struct fb_settle *s = set->settle;
	uint64_t now = (uint64_t)fb_settle_now_us(s);
	size_t len = set->count * FB_SETTLE_KEY_LEN;

	_Static_assert(FB_LANE_BATCH_MAX * FB_SETTLE_KEY_LEN + FB_SETTLE_JOB_LEN <= FB_LANE_OWNER_MAX, "a key fits");
	s->last_job = now > s->last_job ? now : s->last_job + 1;
	for (size_t i = 0; i < set->count; i++)
		memcpy(p->key + i * FB_SETTLE_KEY_LEN, set->entries[i]->key.bytes, FB_SETTLE_KEY_LEN);
	fb_put_be64(p->key + len, s->last_job);
	return (struct fb_str){ (const char *)p->key, len + FB_SETTLE_JOB_LEN };
}

static void write_job(struct fb_lane_job *job, struct parcel *p, const struct fb_settle_set *set)
{
	job->key = write_key(p, set);
	if (set->count == 1) {
		job->to = set->entries[0]->claim->asset;
		job->data = write_alone(p, set->entries[0]->claim);
	} else {
		job->to = set->settle->network->multicall3;
		job->data = write_together(p, set);
	}
}

/* ---- fees and lane --------------------------------------------------------------------------------------- */

/* False and a sentence if the chain asks more than the operator allows. */
static bool price(struct fb_lane_job *job, const struct fb_settle *s, const struct fb_settle_fees *f,
		  struct fb_note *note)
{
	fb_u128 most = s->settings.max_fee_wei, tip = f->tip < most ? f->tip : most;

	job->max_fee = f->base_fee < most ? FEE_MULTIPLE * f->base_fee + tip : most;
	job->max_fee = job->max_fee < most ? job->max_fee : most;
	job->max_priority_fee = tip < job->max_fee ? tip : job->max_fee;
	if (f->base_fee <= most)
		return true;
	snprintf(note->text, sizeof(note->text), "the chain's base fee is above the facilitator's cap (max_fee_gwei)");
	return false;
}

static bool can_pay(const struct fb_lane *lane, const struct fb_lane_job *job)
{
	fb_u128 balance;

	return fb_lane_balance(lane, &balance) && balance >= (fb_u128)job->gas_limit * job->max_fee;
}

_Static_assert(FB_SETTLE_LANES_MAX <= 32, "a bit for each");

/* Of the lanes that can pay and were not tried, the one with the fewest transactions under way; lane_count: none. */
static size_t choose_lane(const struct fb_settle *s, const struct fb_lane_job *job, uint32_t tried)
{
	size_t best = s->lane_count;

	for (size_t i = 0; i < s->lane_count; i++)
		if ((tried >> i & 1) == 0 && can_pay(s->lanes[i], job) &&
		    (best == s->lane_count || fb_lane_open_count(s->lanes[i]) < fb_lane_open_count(s->lanes[best])))
			best = i;
	return best;
}

/* A lane that is full, or has spent its share of the day's gas, leaves the job to the next. FB_BAD_VALUE: no lane can
 * pay. */
static enum fb_status send(struct fb_settle *s, const struct fb_lane_job *job)
{
	enum fb_status st = FB_BAD_VALUE;
	uint32_t tried = 0;

	for (size_t i = choose_lane(s, job, tried); i < s->lane_count; i = choose_lane(s, job, tried)) {
		s->signing_lane = s->lanes[i];
		st = fb_lane_send(s->lanes[i], job);
		if (st == FB_OK)
			return FB_OK;
		tried |= 1u << i;
	}
	return st;
}

/* Gas of a payment that was estimated alone is that of its whole transaction already. */
static uint64_t limit_of(const struct fb_settle_set *set, bool estimated, struct fb_str data)
{
	uint64_t gas = estimated ? 0 : BASE_GAS + data_gas(data) + (set->count > 1 ? BATCH_GAS : 0);

	for (size_t i = 0; i < set->count; i++)
		gas += set->entries[i]->gas;
	return gas;
}

static void set_phase(struct fb_settle_set *set, enum fb_settle_phase phase)
{
	for (size_t i = 0; i < set->count; i++)
		set->entries[i]->phase = phase;
}

/* FB_OK: the lane has it; FB_LIMIT, FB_BUSY: nothing has happened; FB_OVERFLOW: too much gas together. */
static enum fb_status give(struct fb_settle_set *set, const struct fb_settle_fees *fees, bool estimated,
			   struct fb_note *note)
{
	struct fb_settle *s = set->settle;
	struct parcel *p = fb_must_alloc(1, sizeof(*p));
	struct fb_lane_job job = { .gas_limit = 0 };
	enum fb_status st = FB_BAD_VALUE;

	write_job(&job, p, set);
	job.gas_limit = limit_of(set, estimated, job.data);
	if (set->count > 1 && job.gas_limit > s->settings.batch_gas_max) {
		st = FB_OVERFLOW;
	} else if (price(&job, s, fees, note)) {
		snprintf(note->text, sizeof(note->text),
			 "the facilitator's signer has too little gas money; nothing was sent");
		set_phase(set, FB_PHASE_SIGNING);
		st = send(s, &job);
	}
	free(p);
	return st;
}

/* ---- halving --------------------------------------------------------------------------------------------- */

static void hand_over(struct fb_settle_set *set, const struct fb_settle_fees *fees, bool estimated);

/* What does not fit together, by gas or by the day's budget, may fit in two. */
static void halve(struct fb_settle_set *set, const struct fb_settle_fees *fees)
{
	struct fb_settle_set *half = fb_must_alloc(1, sizeof(*half));
	size_t first = set->count / 2;

	half->settle = set->settle;
	half->count = set->count - first;
	memcpy(half->entries, set->entries + first, half->count * sizeof(half->entries[0]));
	set->count = first;
	hand_over(set, fees, false);
	hand_over(half, fees, false);
	free(half);
}

static void hand_over(struct fb_settle_set *set, const struct fb_settle_fees *fees, bool estimated)
{
	struct fb_metrics *metrics = set->settle->metrics;
	struct fb_note note = { "" };
	enum fb_status st = give(set, fees, estimated, &note);

	if (st == FB_OK) {
		fb_metric_add(metrics, FB_M_SETTLE_BATCHES, 1);
		fb_metric_add(metrics, FB_M_SETTLE_BATCHED, set->count);
		return;
	}
	set_phase(set, FB_PHASE_TRYING);
	if (set->count > 1 && (st == FB_OVERFLOW || st == FB_LIMIT))
		halve(set, fees);
	else if (st == FB_LIMIT)
		refuse_all(set, "the facilitator's gas budget of the day is spent; nothing was sent");
	else if (st == FB_BUSY)
		refuse_all(set, "the facilitator has too many transactions under way; nothing was sent, try again");
	else
		refuse_all(set, note.text);
}

void fb_settle_hand_over(struct fb_settle_set *set, const struct fb_settle_fees *fees)
{
	bool estimated = set->estimated;

	check_gas(set);
	check_budgets(set, fees);
	if (set->count > 0)
		hand_over(set, fees, estimated);
	free(set);
}
