/* A claim that may get a transaction: facts, judgement, the payer's other payments, and into the queue of the ready.
 * Whatever fails here fails before anything new is durable or sent. */
#include "settle_int.h"

#include <stdio.h>

static void log_refusal(struct fb_settle_entry *e, enum fb_reason reason, const char *note)
{
	struct fb_address payer = e->claim->authorization.from;

	fb_log(e->settle->log, FB_EV_SETTLE_REFUSED, FB_F_HEX("payer", payer.bytes, 20),
	       FB_F_HEX("nonce", e->claim->authorization.nonce.bytes, 32), FB_F_TEXT("reason", fb_reason_text(reason)),
	       FB_F_TEXT("why", note));
}

/* What is told: while an earlier transaction's end is not known, or was known a while ago, an outage is no failure; and
 * who was tried in vain is told of the transaction that moved nothing. */
void fb_settle_tell(struct fb_settle_entry *e)
{
	struct fb_settle_outcome o = e->refusal;
	bool stale = e->record.state == FB_SETTLE_FAILED && o.reason == FB_REASON_SETTLE_ERROR;

	if (fb_settle_is_out(e) || stale) {
		fb_settle_answer_pending(e, "it is not known yet what became of the transaction; ask again with the "
					    "same payload");
	} else {
		if (e->retried && e->record.state == FB_SETTLE_FAILED)
			fb_settle_outcome_of(&o, &e->key, &e->record);
		fb_settle_answer_all(e, &o);
	}
	fb_settle_drop(e);
}

/* A record says that a transaction of ours moved nothing. A refusal may come from somebody's having settled since, so
 * the chain is asked once more before it is told. */
void fb_settle_refuse(struct fb_settle_entry *e, enum fb_reason reason, const char *note)
{
	log_refusal(e, reason, note);
	fb_settle_uncharge(e);
	fb_settle_release(e);
	e->refusal = (struct fb_settle_outcome){ .reason = reason, .key = e->key };
	snprintf(e->refusal.note.text, sizeof(e->refusal.note.text), "%s", note);
	if (e->record.state != FB_SETTLE_NONE && e->anew && !e->refused && reason != FB_REASON_SETTLE_ERROR) {
		e->refused = true;
		e->anew = false;
		fb_settle_ask(e);
		return;
	}
	fb_settle_tell(e);
}

bool fb_settle_abandoned(struct fb_settle_entry *e)
{
	if (e->waiters != NULL)
		return false;
	fb_settle_drop(e);
	return true;
}

/* The balance covers this payment, but perhaps not together with what the same payer has under way: wait
 * for those to be in the balance instead of guessing. */
static bool must_park(const struct fb_settle_entry *e, struct fb_u256 balance)
{
	struct fb_u256 needed;

	if (fb_u256_add(&needed, fb_settle_held(e), e->claim->authorization.value) != FB_OK)
		return true;
	return fb_u256_cmp(balance, needed) < 0;
}

/* A payer with code runs its own, and other signatures than plain ones have call data of their own size. */
static bool goes_alone(const struct fb_settle_entry *e, const struct fb_facts *facts)
{
	return e->retried || facts->of.payer_has_code || e->claim->signature_len != FB_SIGNATURE_LEN;
}

static void judge(struct fb_settle_entry *e, const struct fb_facts *facts)
{
	struct fb_note note;
	enum fb_reason reason = fb_claim_judge(e->claim, facts, fb_clock_wall_s(&e->settle->clock), &note);

	if (reason != FB_REASON_NONE) {
		fb_settle_refuse(e, reason, note.text);
	} else if (must_park(e, facts->of.balance)) {
		fb_settle_park(e);
	} else {
		e->alone = goes_alone(e, facts);
		fb_settle_hold(e);
		fb_settle_make_ready(e);
		fb_settle_pump(e->settle, false);
	}
}

static void on_facts(void *arg, const struct fb_facts *facts)
{
	struct fb_settle_entry *e = arg;

	if (!fb_settle_came_back(e, FB_PHASE_READING) || fb_settle_abandoned(e))
		return;
	if (facts->status != FB_OK)
		fb_settle_refuse(e, FB_REASON_SETTLE_ERROR, facts->why);
	else
		judge(e, facts);
}

void fb_settle_begin(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_view_query q = fb_claim_query(e->claim, fb_lane_signer(s->lanes[0]), s->settings.gas_limit_max);

	FB_ASSERT(e->claim != NULL && (e->anew || e->record.state == FB_SETTLE_NONE));
	FB_ASSERT(e->payer == NULL);
	e->phase = FB_PHASE_READING;
	e->pending++;
	fb_view_read(s->view, &q, on_facts, e);
}
