/* The auditor: mends the world, asks for every payment until its end is known, and compares naive books. */
#include "chaos.h"

#include "fb_sample.h"

#include <stdio.h>


enum { TRIES = 60, SETTLE_TRIES = 2000, SIGHT_MS = 500 /* until the follower, and who listens, has seen all */ };

static void mend(struct chaos *c)
{
	struct fb_address signer = fb_rig_signer(c->rig);
	struct fb_sim *sim = fb_rig_sim(c->rig);

	fb_sim_clear_faults(sim);
	fb_sim_set_base_fee(sim, FB_SIM_BASE_FEE);
	fb_sim_strict_fees(sim, false);
	fb_rig_refuse_books(c->rig, 0);
	fb_sim_auto_mine(sim, true);
	fb_sim_mine(sim);
	fb_sim_set_gas_money(sim, &signer, (fb_u128)1000000000 * 1000000000);
	fb_rig_stop(c->rig); /* a disk that failed wants a new life */
	chaos_start(c);
}

/* What a client does with an unknown outcome: it asks again with the same payload. */
static bool is_final(enum fb_reason reason)
{
	return reason != FB_REASON_PENDING && reason != FB_REASON_SETTLE_ERROR;
}

/* Time and blocks heal: transactions are sent again, and what is lost is found to be so. */
static void let_time_pass(struct chaos *c)
{
	chaos_sleep_ms(5);
	fb_sim_mine(fb_rig_sim(c->rig));
	fb_rig_advance_ms(c->rig, 400);
}

/* Until the chain has decided over everything that is out, and that is confirmed. */
static void settle_down(struct chaos *c)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		if (fb_rig_open_rows(c->rig) == 0 && fb_rig_included_rows(c->rig) == 0)
			return;
		let_time_pass(c);
	}
	FB_UNREACHABLE("a transaction never comes to an end");
}

static enum fb_reason ask_until_final(struct chaos *c, struct chaos_payment *p, const struct fb_claim *claim)
{
	struct fb_settle_outcome last = { .reason = FB_REASON_NONE };

	for (int i = 0; i < TRIES; i++) {
		fb_rig_ticket ticket;
		enum fb_reason reason;

		chaos_submit(c, p, claim);
		ticket = p->tickets[p->ticket_count - 1];
		while (!fb_rig_answered(c->rig, ticket))
			let_time_pass(c);
		last = fb_rig_wait(c->rig, ticket).outcome;
		reason = last.reason;
		if (is_final(reason))
			return reason;
		if (reason == FB_REASON_SETTLE_ERROR &&
		    claim != &p->other) /* the other content's transaction was lost? */
			ask_until_final(c, p, &p->other);
	}
	fprintf(stderr, "payment %zu: \"%s\" (%s), record in state %u\n", (size_t)(p - c->payments),
		fb_reason_text(last.reason), last.note.text, fb_rig_record(c->rig, claim).state);
	FB_UNREACHABLE("a payment never comes to an end");
}

/* ---- the books -------------------------------------------------------------------------------------------------- */

static void count(struct chaos_totals *t, enum fb_reason reason)
{
	unsigned *to = reason == FB_REASON_NONE							      ? &t->successes
		       : reason == FB_REASON_PENDING						      ? &t->pendings
		       : reason == FB_REASON_NONCE_USED						      ? &t->repeats
		       : reason == FB_REASON_SETTLE_ERROR					      ? &t->unknowns
		       : reason == FB_REASON_TRANSACTION_FAILED || reason == FB_REASON_TRANSFER_EVENT ? &t->failures
												      : &t->refusals;

	(*to)++;
}

struct answers {
	bool named_a_transaction, reached_nobody;
};

static struct answers read_answers(struct chaos *c, const struct chaos_payment *p, struct chaos_totals *t)
{
	struct answers all = { false, false };

	for (size_t i = 0; i < p->ticket_count; i++) {
		struct fb_rig_answer a = fb_rig_wait(c->rig, p->tickets[i]); /* everybody was answered */

		count(t, a.outcome.reason);
		all.named_a_transaction |= a.outcome.has_tx;
		all.reached_nobody |= a.reached_nobody;
	}
	return all;
}

/* ---- is the last answer the truth about the chain, as it is now? ------------------------------------------------- */

struct truth {
	const struct chaos_payment *payment;
	struct fb_sim_history history;
	bool poor; /* the payer has too little now */
};

/* By us, or by a stranger behind our intent. */
static bool is_settled(const struct truth *t)
{
	return t->history.moved == 1;
}

static bool is_used(const struct truth *t)
{
	/* perhaps by the other content, in vain */
	return t->history.moved == 1 || t->history.sent > 0 || t->payment->canceled;
}

static bool is_poor(const struct truth *t)
{
	return t->poor && t->history.ours == 0 && (t->history.moved == 0 || t->history.sent == 0);
}

static bool is_forged(const struct truth *t)
{
	return t->payment->forged && t->history.sent == 0;
}

static bool went_wrong(const struct truth *t)
{
	return t->history.sent > 0 && t->history.moved == 0;
}

/* Or a stranger moved it before we had any part in it. */
static bool never_moved(const struct truth *t)
{
	return t->history.ours == 0 && (t->history.moved == 0 || t->history.sent == 0);
}

static const struct {
	enum fb_reason reason;
	bool (*holds)(const struct truth *t);
} truths[] = {
	{ FB_REASON_NONE, is_settled },
	{ FB_REASON_NONCE_USED, is_used },
	{ FB_REASON_BALANCE, is_poor },
	{ FB_REASON_SIGNATURE, is_forged },
	{ FB_REASON_TRANSACTION_FAILED, went_wrong },
	{ FB_REASON_TRANSFER_EVENT, went_wrong },
	{ FB_REASON_VALID_BEFORE, never_moved },
};

static void check_reason(struct chaos *c, const struct chaos_payment *p, enum fb_reason reason,
			 const struct fb_sim_history *h)
{
	struct fb_sim_account payer = fb_sim_account(fb_rig_sim(c->rig), &p->claim.authorization.from);
	struct truth t = { p, *h, fb_u256_cmp(payer.atoms, p->claim.authorization.value) < 0 };
	bool holds = false;

	for (size_t i = 0; i < FB_COUNT(truths); i++)
		holds |= truths[i].reason == reason && truths[i].holds(&t);
	if (holds)
		return;
	fprintf(stderr, "payment %zu: \"%s\", but moved %u (ours %u), sent %u (dead %u), payer %s money\n",
		(size_t)(p - c->payments), fb_reason_text(reason), h->moved, h->ours, h->sent, h->dead,
		t.poor ? "without" : "with");
	FB_UNREACHABLE("the last answer is not the truth");
}

/* What was told as a success is money that moved, however often the chain took it back, where it still can. */
static bool stands_for_money(struct chaos *c, const struct chaos_payment *p, enum fb_reason reason, unsigned moved)
{
	struct fb_clock clock = fb_rig_clock(c->rig);
	uint64_t until;

	if (moved == 1 || reason != FB_REASON_NONCE_USED || p->canceled || c->swarm.poor ||
	    fb_rig_successes(c->rig, &p->claim) == 0)
		return true;
	return fb_u256_to_u64(&until, p->claim.authorization.valid_before) == FB_OK &&
	       until < (uint64_t)fb_clock_wall_s(&clock) + 60;
}

static void check_payment(struct chaos *c, struct chaos_payment *p, struct chaos_totals *t)
{
	enum fb_reason reason = ask_until_final(c, p, &p->claim);
	const struct fb_authorization *a = &p->claim.authorization;
	struct fb_sim_history h;
	struct answers answers;
	unsigned granted;

	if (reason == FB_REASON_NONCE_USED && fb_rig_successes(c->rig, &p->claim) == 0) {
		ask_until_final(c, p, &p->other); /* perhaps that one was signed, and its success is still to be had */
		reason = ask_until_final(c, p, &p->claim);
	}
	if (reason == FB_REASON_NONCE_USED) /* its success may be the other content's, and its block gone */
		ask_until_final(c, p, &p->other);
	h = fb_sim_history(fb_rig_sim(c->rig), &a->from, &a->nonce);
	answers = read_answers(c, p, t);
	granted = fb_rig_successes(c->rig, &p->claim);
	FB_ASSERT((h.open_max <= 1 || c->reorged) && h.moved <= 1 && h.ours <= 1);
	FB_ASSERT(granted <= 1 && (granted <= h.moved || c->reorged)); /* a stranger's counts when our intent was first */
	FB_ASSERT(granted >= h.ours || c->grants_may_be_lost);
	FB_ASSERT(answers.named_a_transaction || answers.reached_nobody ||
		  h.sent == h.dead); /* nobody was told of it */
	check_reason(c, p, reason, &h);
	FB_ASSERT(stands_for_money(c, p, reason, h.moved));
}

/* Every atom that left a payer for an authorization is with the payee. */
static void check_sum(struct chaos *c)
{
	struct fb_address payee = fb_sample_address(0xbb);
	uint64_t sum = 0, got;

	for (size_t i = 0; i < c->payment_count; i++) {
		const struct chaos_payment *p = &c->payments[i];
		const struct fb_authorization *a = &p->claim.authorization;

		sum += fb_sim_history(fb_rig_sim(c->rig), &a->from, &a->nonce).atoms;
	}
	FB_ASSERT(fb_u256_to_u64(&got, fb_sim_account(fb_rig_sim(c->rig), &payee).atoms) == FB_OK && got == sum);
}

void chaos_audit(struct chaos *c, struct chaos_totals *t)
{
	mend(c);
	settle_down(c);
	chaos_sleep_ms(SIGHT_MS);
	for (size_t i = 0; i < c->payment_count; i++)
		check_payment(c, &c->payments[i], t);
	settle_down(c);
	check_sum(c);
}
