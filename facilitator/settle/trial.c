/* Simulation, gas and fees of a set, in one batch of questions: of one payment the node's estimate of its own
 * transaction, of several the trial that runs them one after another. Who fails is refused, the others go on. */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

enum { CALLS = 3, PARAMS_MAX = 2 * FB_SETTLE_CALL_MAX + 256, BLOCK_TEXT = 64 };
enum { ITEM_EXTRA_GAS = 6000 /* what Multicall3 needs for a call, and a balance that was emptied meanwhile */ };

static enum fb_status quantity_of(fb_u128 *out, struct fb_json_value v)
{
	_Alignas(16) unsigned char block[BLOCK_TEXT];
	struct fb_arena arena;
	struct fb_str text;
	enum fb_status st;

	fb_arena_init(&arena, block, sizeof(block));
	st = fb_json_string(&text, v, &arena);
	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

static enum fb_status read_fees(struct fb_settle_fees *out, const struct fb_rpc_reply *reply)
{
	if (reply->results[1].status != FB_OK || reply->results[2].status != FB_OK)
		return FB_RPC_ERROR;
	if (quantity_of(&out->base_fee, fb_json_get(reply->results[1].result, "baseFeePerGas")) != FB_OK ||
	    quantity_of(&out->tip, reply->results[2].result) != FB_OK)
		return FB_BAD_SYNTAX;
	return FB_OK;
}

/* ---- who stays in the set -------------------------------------------------------------------------------- */

void fb_settle_set_came_back(struct fb_settle_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct fb_settle_entry *e = set->entries[i];

		if (fb_settle_came_back(e, FB_PHASE_TRYING) && !fb_settle_abandoned(e))
			set->entries[kept++] = e;
	}
	set->count = kept;
}

static void refuse_all(struct fb_settle_set *set, const char *note)
{
	for (size_t i = 0; i < set->count; i++)
		fb_settle_refuse(set->entries[i], FB_REASON_SETTLE_ERROR, note);
	set->count = 0;
}

/* ---- one payment ----------------------------------------------------------------------------------------- */

static void take_estimate(struct fb_settle_set *set, const struct fb_rpc_result *r)
{
	struct fb_settle_entry *e = set->entries[0];
	fb_u128 gas;

	if (r->status == FB_REVERTED) {
		fb_metric_add(set->settle->metrics, FB_M_SETTLE_TRIAL_REFUSED, 1);
		fb_settle_refuse(e, FB_REASON_SIMULATION, "the transfer fails in simulation");
		set->count = 0;
	} else if (r->status != FB_OK) {
		refuse_all(set, "the chain did not estimate the transfer; nothing was sent");
	} else if (quantity_of(&gas, r->result) != FB_OK || gas > UINT32_MAX) {
		refuse_all(set, "the chain did not tell its fees; nothing was sent");
	} else {
		e->gas = (uint64_t)(gas + gas / 5); /* the estimate and a fifth */
		set->estimated = true;
	}
}

/* ---- several --------------------------------------------------------------------------------------------- */

static struct fb_str decode(uint8_t out[FB_LANE_BATCH_MAX * 32], const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[BLOCK_TEXT];
	struct fb_arena arena;
	struct fb_str text;
	size_t len;

	fb_arena_init(&arena, block, sizeof(block)); /* a hex string needs no unescaping */
	if (r->status != FB_OK || fb_json_string(&text, r->result, &arena) != FB_OK ||
	    fb_hex_decode(out, &len, (size_t)FB_LANE_BATCH_MAX * 32, text) != FB_OK)
		len = 0;
	return (struct fb_str){ (const char *)out, len };
}

static void take_facts(struct fb_settle_set *set, const struct fb_trial_fact *facts)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct fb_settle_entry *e = set->entries[i];

		if (facts[i].taken) {
			e->gas = facts[i].gas + facts[i].gas / 5 + ITEM_EXTRA_GAS;
			set->entries[kept++] = e;
			continue;
		}
		fb_metric_add(set->settle->metrics, FB_M_SETTLE_TRIAL_REFUSED, 1);
		fb_settle_refuse(e, FB_REASON_SIMULATION, "the transfer fails in simulation");
	}
	set->count = kept;
}

/* A node that does not run the trial may well run the single ones. */
static void split(struct fb_settle_set *set)
{
	while (set->count > 0) {
		struct fb_settle_entry *e = set->entries[--set->count];

		e->alone = true;
		fb_settle_put_back(e);
	}
}

/* ---- asking ---------------------------------------------------------------------------------------------- */

struct trial {
	struct fb_settle_set *set;
	size_t asked;                                 /* payments when it was asked */
	struct fb_settle_entry *order[FB_LANE_BATCH_MAX]; /* as it was asked; compared, not followed */
};

/* The facts of those who are still in the set. */
static void select_facts(struct fb_trial_fact *facts, const struct trial *t)
{
	size_t i = 0;

	for (size_t k = 0; k < t->set->count; k++, i++) {
		while (t->order[i] != t->set->entries[k])
			i++;
		FB_ASSERT(i < t->asked);
		facts[k] = facts[i];
	}
}

static void take_trial(struct trial *t, const struct fb_rpc_result *r)
{
	uint8_t data[FB_LANE_BATCH_MAX * 32];
	struct fb_trial_fact facts[FB_LANE_BATCH_MAX];

	if (fb_trial_answer(facts, t->asked, decode(data, r)) != FB_OK) {
		split(t->set);
		return;
	}
	select_facts(facts, t);
	take_facts(t->set, facts);
}

static void take_reply(struct trial *t, const struct fb_rpc_reply *reply)
{
	struct fb_settle_fees fees;
	struct fb_settle_set *set = t->set;

	fb_settle_set_came_back(set);
	if (set->count > 0 && reply->status != FB_OK)
		refuse_all(set, "the chain could not be reached; nothing was sent");
	if (set->count > 0 && t->asked == 1)
		take_estimate(set, &reply->results[0]);
	else if (set->count > 0)
		take_trial(t, &reply->results[0]);
	if (set->count > 0 && read_fees(&fees, reply) != FB_OK)
		refuse_all(set, "the chain did not tell its fees; nothing was sent");
	if (set->count > 0)
		fb_settle_hand_over(set, &fees);
	else
		free(set);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct trial *t = arg;
	struct fb_settle *s = t->set->settle;

	s->trials--;
	take_reply(t, reply);
	free(t);
	fb_settle_pump(s, false);
}

void fb_settle_write_call(struct fb_buf *out, const struct fb_claim *c)
{
	fb_token_transfer_call(out, &c->authorization, (struct fb_str){ (const char *)c->signature, c->signature_len });
}

/* The parameters of eth_estimateGas. */
static void write_estimate(struct fb_buf *out, const struct fb_settle_set *set)
{
	const struct fb_claim *c = set->entries[0]->claim;
	char *block = fb_must_alloc(FB_SETTLE_CALL_MAX, 1);
	struct fb_buf data;

	fb_buf_init(&data, block, FB_SETTLE_CALL_MAX);
	fb_settle_write_call(&data, c);
	fb_buf_text(out, "[{\"from\":\"");
	fb_buf_address(out, fb_lane_signer(set->settle->lanes[0]));
	fb_buf_text(out, "\",\"to\":\"");
	fb_buf_address(out, &c->asset);
	fb_buf_text(out, "\",\"data\":\"");
	fb_buf_hex(out, data.at, data.len);
	fb_buf_text(out, "\"}]");
	FB_ASSERT(!data.overflowed);
	free(block);
}

/* The parameters of the trial's eth_call. */
static void write_trial(struct fb_buf *out, const struct fb_settle_set *set)
{
	struct fb_trial_item items[FB_LANE_BATCH_MAX];
	size_t cap = fb_trial_call_len(set->count);
	char *block = fb_must_alloc(cap, 1);
	struct fb_buf data;

	for (size_t i = 0; i < set->count; i++) {
		const struct fb_claim *c = set->entries[i]->claim;

		items[i] = (struct fb_trial_item){ c->asset, &c->authorization, c->signature };
	}
	fb_buf_init(&data, block, cap);
	fb_trial_call(&data, items, set->count);
	fb_buf_text(out, "[{\"data\":\"");
	fb_buf_hex(out, data.at, data.len);
	fb_buf_text(out, "\"},\"latest\"]");
	FB_ASSERT(!data.overflowed);
	free(block);
}

void fb_settle_try(struct fb_settle_set *set)
{
	struct trial *t = fb_must_alloc(1, sizeof(*t));
	size_t cap = set->count == 1 ? PARAMS_MAX : 2 * fb_trial_call_len(set->count) + 64;
	struct fb_rpc_call calls[CALLS] = { { "eth_call", { NULL, 0 } },
					    { "eth_getBlockByNumber", FB_STR("[\"latest\",false]") },
					    { "eth_maxPriorityFeePerGas", FB_STR("[]") } };
	char *block = fb_must_alloc(cap, 1);
	struct fb_buf params;

	t->set = set;
	t->asked = set->count;
	memcpy(t->order, set->entries, set->count * sizeof(set->entries[0]));
	fb_buf_init(&params, block, cap);
	if (set->count == 1) {
		calls[0].method = "eth_estimateGas";
		write_estimate(&params, set);
	} else {
		write_trial(&params, set);
	}
	FB_ASSERT(!params.overflowed);
	calls[0].params = fb_buf_view(&params);
	set->settle->trials++;
	fb_rpc_send(set->settle->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_reply, t);
	free(block);
}
