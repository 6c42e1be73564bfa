/* What the escrow's events mean for a withdrawal: its next state, and what may be tried again. Pure. */
#include "payout_int.h"

#include <string.h>

static const enum fb_payout_class classes[] = {
	[FB_ESCROW_REFUSAL_PAUSED] = FB_PAYOUT_PASSES,
	[FB_ESCROW_REFUSAL_ALREADY_PAID] = FB_PAYOUT_DECIDED,
	[FB_ESCROW_REFUSAL_CANCELLED] = FB_PAYOUT_DECIDED,
	[FB_ESCROW_REFUSAL_BAD_PAYEE] = FB_PAYOUT_STAYS,
	[FB_ESCROW_REFUSAL_ZERO_AMOUNT] = FB_PAYOUT_STAYS,
	[FB_ESCROW_REFUSAL_OVER_PAYOUT_CAP] = FB_PAYOUT_STAYS,
	[FB_ESCROW_REFUSAL_OVER_DAY_CAP] = FB_PAYOUT_PASSES,
	[FB_ESCROW_REFUSAL_TOKEN_PAUSED] = FB_PAYOUT_PASSES,
	[FB_ESCROW_REFUSAL_INSUFFICIENT_BALANCE] = FB_PAYOUT_PASSES,
	[FB_ESCROW_REFUSAL_TOKEN_REFUSED] = FB_PAYOUT_STAYS,
};

enum fb_payout_class fb_payout_class_of(enum fb_escrow_refusal r)
{
	FB_ASSERT(r != FB_ESCROW_REFUSAL_NONE && r < FB_COUNT(classes));
	return classes[r];
}

uint64_t fb_payout_retry_ms(uint32_t tries)
{
	uint32_t shift = tries < 16 ? tries : 16;
	uint64_t ms = (uint64_t)FB_PAYOUT_RETRY_MS << shift;

	return ms < FB_PAYOUT_RETRY_MAX_MS ? ms : FB_PAYOUT_RETRY_MAX_MS;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static enum fb_payout_said said_by(const struct fb_escrow_event *event, const struct fb_withdrawal *w)
{
	bool ordered = fb_address_eq(&event->to, &w->to) &&
		       fb_u256_eq(event->amount, fb_u256_from_amount(fb_payout_net(w)));

	if (event->kind == FB_ESCROW_PAYOUT_CANCELLED)
		return FB_PAYOUT_SAID_BURNT;
	if (event->kind == FB_ESCROW_PAYOUT)
		return ordered ? FB_PAYOUT_SAID_PAID : FB_PAYOUT_SAID_OTHERWISE;
	return event->kind == FB_ESCROW_PAYOUT_FAILED ? FB_PAYOUT_SAID_REFUSED : FB_PAYOUT_SAID_NOTHING;
}

static void hear(struct fb_payout_word *word, struct fb_json_value v, const struct fb_escrow *e,
		 const struct fb_withdrawal *w)
{
	struct fb_escrow_event event;
	struct fb_chain_log log;
	enum fb_payout_said said;

	if (fb_chain_log_read(&log, v) != FB_OK || !fb_address_eq(&log.address, &e->address) ||
	    log.data_len > sizeof(log.data))
		return;
	if (fb_escrow_event_read(&event, log.topics, log.topic_count,
				 (struct fb_str){ (const char *)log.data, log.data_len }) != FB_OK ||
	    !fb_hash_eq(&event.id, &w->payout_id))
		return;
	said = said_by(&event, w);
	if (said != FB_PAYOUT_SAID_NOTHING)
		*word = (struct fb_payout_word){ said, event.reason, log.block, log.tx, log.block_hash };
}

struct fb_payout_word fb_payout_judge(struct fb_json_value logs, const struct fb_escrow *e,
				      const struct fb_withdrawal *w)
{
	struct fb_payout_word word = { .said = FB_PAYOUT_SAID_NOTHING };

	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return word;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v); v = fb_json_next(logs, v, NULL))
		hear(&word, v, e, w);
	return word;
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

static enum fb_payout_state after_refusal(enum fb_escrow_refusal reason)
{
	switch (fb_payout_class_of(reason)) {
	case FB_PAYOUT_PASSES:
		return FB_PAYOUT_QUEUED;
	case FB_PAYOUT_STAYS:
		return FB_PAYOUT_DOOMED;
	case FB_PAYOUT_DECIDED:
		break;
	}
	return FB_PAYOUT_UNSURE;
}

enum fb_payout_state fb_payout_after(enum fb_payout_state now, const struct fb_payout_word *word)
{
	FB_ASSERT(now == FB_PAYOUT_SENT || now == FB_PAYOUT_BURNING);
	if (now == FB_PAYOUT_BURNING)
		return word->said == FB_PAYOUT_SAID_BURNT ? FB_PAYOUT_BURNT : FB_PAYOUT_UNSURE;
	if (word->said == FB_PAYOUT_SAID_PAID)
		return FB_PAYOUT_PAID;
	return word->said == FB_PAYOUT_SAID_REFUSED ? after_refusal(word->reason) : FB_PAYOUT_UNSURE;
}

enum fb_payout_state fb_payout_gone(enum fb_payout_state now, enum fb_payout_job_kind kind)
{
	if (kind == FB_PAYOUT_JOB_BURN)
		return now == FB_PAYOUT_BURNT || now == FB_PAYOUT_UNSURE ? FB_PAYOUT_BURNING : now;
	return now == FB_PAYOUT_PAID || now == FB_PAYOUT_QUEUED || now == FB_PAYOUT_DOOMED || now == FB_PAYOUT_UNSURE ?
		       FB_PAYOUT_SENT : now;
}

enum fb_payout_state fb_payout_unused(enum fb_escrow_refusal reason)
{
	bool burn = reason != FB_ESCROW_REFUSAL_NONE && fb_payout_class_of(reason) == FB_PAYOUT_STAYS;

	return burn ? FB_PAYOUT_DOOMED : FB_PAYOUT_QUEUED;
}

static const struct {
	enum fb_payout_state from, to;
} moves[] = {
#define X(name, from_state, to_state) [FB_PAYOUT_MOVE_##name] = { FB_PAYOUT_##from_state, FB_PAYOUT_##to_state },
	FB_PAYOUT_MOVES(X)
#undef X
};

enum fb_payout_move fb_payout_move_of(enum fb_payout_state from, enum fb_payout_state to)
{
	size_t i = 0;

	while (i < FB_COUNT(moves) && (moves[i].from != from || moves[i].to != to))
		i++;
	return (enum fb_payout_move)i;
}
