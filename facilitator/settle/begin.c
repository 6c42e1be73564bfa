/* A claim that was never seen: facts, judgement, the payer's other payments, simulation and fees, and
 * into the lane. Whatever fails here fails before anything is durable or sent. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAS_CALL_MAX = 9216, FEE_MULTIPLE = 2, CALLS = 3 };

/* As long as nobody knows what became of a lost transaction, an outage is no failure. */
static void refuse(struct fb_settle_entry *e, enum fb_reason reason, const char *note)
{
	struct fb_settle *s = e->settle;
	struct fb_address payer = e->claim->authorization.from;

	fb_log(s->log, FB_EV_SETTLE_REFUSED, FB_F_HEX("payer", payer.bytes, 20),
	       FB_F_HEX("nonce", e->claim->authorization.nonce.bytes, 32), FB_F_TEXT("reason", fb_reason_text(reason)),
	       FB_F_TEXT("why", note));
	if (e->record.state == FB_SETTLE_LOST && reason == FB_REASON_SETTLE_ERROR) {
		reason = FB_REASON_PENDING;
		note = "it is not known yet what became of the transaction; ask again with the same payload";
	} else {
		e->record.state = 0;
	}
	fb_settle_answer_all(e, reason, note);
	fb_settle_drop(e);
}

/* Nobody waits: they were all answered that nothing was sent, so nothing may be. */
static bool abandoned(struct fb_settle_entry *e)
{
	if (e->waiters != NULL)
		return false;
	fb_settle_drop(e);
	return true;
}

/* ---- fees ------------------------------------------------------------------------------------------ */

struct preflight {
	uint64_t gas;
	fb_u128 base_fee, tip;
};

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

static enum fb_status read_preflight(struct preflight *out, const struct fb_rpc_reply *reply)
{
	fb_u128 gas;

	if (reply->results[1].status != FB_OK || reply->results[2].status != FB_OK)
		return FB_RPC_ERROR;
	if (quantity_of(&gas, reply->results[0].result) != FB_OK || gas > UINT32_MAX ||
	    quantity_of(&out->base_fee, fb_json_get(reply->results[1].result, "baseFeePerGas")) != FB_OK ||
	    quantity_of(&out->tip, reply->results[2].result) != FB_OK)
		return FB_BAD_SYNTAX;
	out->gas = (uint64_t)gas;
	return FB_OK;
}

/* False and a sentence if the transaction would break one of the operator's caps. */
static bool price(struct fb_lane_job *job, const struct fb_settle *s, const struct preflight *p, struct fb_note *note)
{
	fb_u128 balance, most = s->settings.max_fee_wei, tip = p->tip < most ? p->tip : most;

	job->gas_limit = p->gas + p->gas / 5; /* the estimate and a fifth */
	job->max_fee = p->base_fee < most ? FEE_MULTIPLE * p->base_fee + tip : most;
	job->max_fee = job->max_fee < most ? job->max_fee : most;
	job->max_priority_fee = tip < job->max_fee ? tip : job->max_fee;
	if (job->gas_limit > s->settings.gas_limit_max)
		snprintf(note->text, sizeof(note->text), "the transfer needs %llu gas, the facilitator's cap is %llu",
			 (unsigned long long)job->gas_limit, (unsigned long long)s->settings.gas_limit_max);
	else if (p->base_fee > most)
		snprintf(note->text, sizeof(note->text),
			 "the chain's base fee is above the facilitator's cap (max_fee_gwei)");
	else if (!fb_lane_balance(s->lane, &balance) || balance < (fb_u128)job->gas_limit * job->max_fee)
		snprintf(note->text, sizeof(note->text),
			 "the facilitator's signer has too little gas money; nothing was sent");
	else
		return true;
	return false;
}

/* ---- into the lane ------------------------------------------------------------------------------------ */

static void hand_over(struct fb_settle_entry *e, const struct preflight *p)
{
	struct fb_settle *s = e->settle;
	const struct fb_claim *c = e->claim;
	struct fb_lane_job job = { .key = { (const char *)e->key.bytes, sizeof(e->key.bytes) }, .to = c->asset };
	char *block = fb_must_alloc(GAS_CALL_MAX, 1);
	struct fb_buf data;
	struct fb_note note;
	enum fb_status st;

	fb_buf_init(&data, block, GAS_CALL_MAX);
	fb_token_transfer_call(&data, &c->authorization,
			       (struct fb_str){ (const char *)c->signature, c->signature_len });
	FB_ASSERT(!data.overflowed);
	job.data = fb_buf_view(&data);
	if (!price(&job, s, p, &note)) {
		free(block);
		refuse(e, FB_REASON_SETTLE_ERROR, note.text);
		return;
	}
	e->phase = FB_PHASE_SIGNING;
	st = fb_lane_send(s->lane, &job);
	free(block);
	if (st == FB_LIMIT)
		refuse(e, FB_REASON_SETTLE_ERROR, "the facilitator's gas budget of the day is spent; nothing was sent");
	else if (st != FB_OK)
		refuse(e, FB_REASON_SETTLE_ERROR,
		       "the facilitator has too many transactions under way; nothing was sent, try again");
}

static void on_preflight(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_settle_entry *e = arg;
	struct preflight p;

	if (abandoned(e))
		return;
	if (reply->status != FB_OK)
		refuse(e, FB_REASON_SETTLE_ERROR, "the chain could not be reached; nothing was sent");
	else if (reply->results[0].status == FB_REVERTED)
		refuse(e, FB_REASON_SIMULATION, "the transfer fails in simulation");
	else if (reply->results[0].status != FB_OK)
		refuse(e, FB_REASON_SETTLE_ERROR, "the chain did not estimate the transfer; nothing was sent");
	else if (read_preflight(&p, reply) != FB_OK)
		refuse(e, FB_REASON_SETTLE_ERROR, "the chain did not tell its fees; nothing was sent");
	else
		hand_over(e, &p);
}

static void write_estimate(struct fb_buf *out, const struct fb_settle_entry *e)
{
	const struct fb_claim *c = e->claim;
	char *block = fb_must_alloc(GAS_CALL_MAX, 1);
	struct fb_buf data;

	fb_buf_init(&data, block, GAS_CALL_MAX);
	fb_token_transfer_call(&data, &c->authorization,
			       (struct fb_str){ (const char *)c->signature, c->signature_len });
	fb_buf_text(out, "[{\"from\":\"");
	fb_buf_address(out, fb_lane_signer(e->settle->lane));
	fb_buf_text(out, "\",\"to\":\"");
	fb_buf_address(out, &c->asset);
	fb_buf_text(out, "\",\"data\":\"");
	fb_buf_hex(out, data.at, data.len);
	fb_buf_text(out, "\"}]");
	FB_ASSERT(!data.overflowed && !out->overflowed);
	free(block);
}

static void simulate(struct fb_settle_entry *e)
{
	enum { CAP = 2 * GAS_CALL_MAX + 256 };
	char *block = fb_must_alloc(CAP, 1);
	struct fb_buf params;
	struct fb_rpc_call calls[CALLS];

	fb_buf_init(&params, block, CAP);
	write_estimate(&params, e);
	calls[0] = (struct fb_rpc_call){ "eth_estimateGas", fb_buf_view(&params) };
	calls[1] = (struct fb_rpc_call){ "eth_getBlockByNumber", FB_STR("[\"latest\",false]") };
	calls[2] = (struct fb_rpc_call){ "eth_maxPriorityFeePerGas", FB_STR("[]") };
	e->phase = FB_PHASE_SIMULATING;
	fb_rpc_send(e->settle->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = CALLS }, on_preflight, e);
	free(block);
}

/* The balance covers this payment, but perhaps not together with what the same payer has under way: wait
 * for those to be in the balance instead of guessing (settle.c reads again at its next tick). */
static bool must_park(const struct fb_settle_entry *e, struct fb_u256 balance)
{
	struct fb_u256 needed;

	if (fb_u256_add(&needed, fb_settle_in_flight(e), e->claim->authorization.value) != FB_OK)
		return true;
	return fb_u256_cmp(balance, needed) < 0;
}

static void on_facts(void *arg, const struct fb_facts *facts)
{
	struct fb_settle_entry *e = arg;
	struct fb_note note;
	enum fb_reason reason;

	if (abandoned(e))
		return;
	if (facts->status != FB_OK) {
		refuse(e, FB_REASON_SETTLE_ERROR, facts->why);
		return;
	}
	if (e->record.state == FB_SETTLE_LOST) {
		if (facts->of.nonce_used)
			fb_settle_recall(e); /* perhaps by the very transaction that seemed lost */
		else
			fb_settle_forget(e);
		return;
	}
	reason = fb_claim_judge(e->claim, facts, fb_clock_wall_s(&e->settle->clock), &note);
	if (reason != FB_REASON_NONE)
		refuse(e, reason, note.text);
	else if (must_park(e, facts->of.balance))
		e->phase = FB_PHASE_PARKED;
	else
		simulate(e);
}

void fb_settle_begin(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_view_query q = fb_claim_query(e->claim, fb_lane_signer(s->lane), s->settings.gas_limit_max);

	FB_ASSERT(e->claim != NULL);
	e->phase = FB_PHASE_READING;
	fb_view_read(s->view, &q, on_facts, e);
}
