/* The settlement engine's front: submitting, repeats, waiting times, giving back, draining. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_tick(void *arg);

void fb_settle_open(struct fb_settle **out, struct fb_loop *loop, const struct fb_network *network, struct fb_rpc *rpc,
		    struct fb_view *view, struct fb_head *head, struct fb_lane *const *lanes, size_t lane_count,
		    struct fb_store *store, struct fb_commit commit, const struct fb_settle_settings *settings,
		    struct fb_clock clock, struct fb_log *log, struct fb_metrics *metrics)
{
	struct fb_settle *s = fb_must_alloc(1, sizeof(*s));

	FB_ASSERT(lane_count >= 1 && lane_count <= FB_SETTLE_LANES_MAX);
	*s = (struct fb_settle){ .loop = loop,
				 .network = network,
				 .rpc = rpc,
				 .view = view,
				 .head = head,
				 .lane_count = lane_count,
				 .store = store,
				 .commit = commit,
				 .settings = *settings,
				 .clock = clock,
				 .log = log,
				 .metrics = metrics };
	memcpy(s->lanes, lanes, lane_count * sizeof(lanes[0]));
	s->ready_tail = &s->ready;
	fb_settle_budget_load(s);
	fb_settle_watch_load(s);
	s->timer = fb_timer_start(loop, FB_SETTLE_TICK_MS, FB_SETTLE_TICK_MS, on_tick, s);
	*out = s;
}

static void free_entry(struct fb_settle_entry *e)
{
	e->pending = e->commits = 0; /* what was asked will not come back any more */
	fb_settle_drop(e);
}

void fb_settle_close(struct fb_settle *s)
{
	if (s == NULL)
		return;
	FB_ASSERT(s->waiters == 0);
	fb_timer_stop(s->timer);
	fb_timer_stop(s->gathering);
	fb_settle_each(s, free_entry);
	FB_ASSERT(s->entries == 0 && s->awaited == 0 && s->ready_count == 0);
	fb_settle_budget_clear(s);
	fb_settle_watch_clear(s);
	free(s);
}

/* ---- waiting ---------------------------------------------------------------------------------------- */

/* Of one that nothing was sent for. */
static const char *what_is_known(const struct fb_settle_entry *e)
{
	if (e->phase == FB_PHASE_PARKED)
		return "the payer's earlier payments are not included yet and may use up its balance; nothing was sent";
	if (e->phase == FB_PHASE_READY)
		return "the facilitator has too many transactions under way; nothing was sent, try again";
	return "the chain did not answer in time; nothing was sent";
}

static struct fb_settle_outcome outcome_in_time(const struct fb_settle_entry *e)
{
	bool out = fb_settle_is_out(e) || e->record.state == FB_SETTLE_FAILED; /* perhaps somebody's else has come since */
	struct fb_settle_outcome o = { .reason = out ? FB_REASON_PENDING : FB_REASON_SETTLE_ERROR, .has_tx = out,
				       .tx = e->record.tx, .key = e->key };

	snprintf(o.note.text, sizeof(o.note.text), "%s", out ? "the transaction's end is not known yet; ask again with the "
								"same payload" :
							       what_is_known(e));
	return o;
}

/* Answers those whose time is up; while draining, everybody. */
static void expire(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	uint64_t now = fb_clock_mono_ms(&s->clock);
	struct fb_settle_outcome o;

	if (e->waiters == NULL || (!s->draining && e->waiters->deadline_ms > now))
		return;
	o = outcome_in_time(e);
	while (e->waiters != NULL && (s->draining || e->waiters->deadline_ms <= now))
		fb_settle_answer_one(s, fb_settle_next_waiter(e), &o);
}

static void tick_entry(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	bool due = fb_clock_mono_ms(&s->clock) >= e->due_ms;

	expire(e);
	if ((e->phase == FB_PHASE_PARKED || e->phase == FB_PHASE_READY) && e->waiters == NULL) {
		fb_settle_drop(e);
	} else if (e->phase == FB_PHASE_PARKED && due) {
		fb_settle_unpark(e);
		fb_settle_begin(e);
	} else if (e->phase == FB_PHASE_UNSURE && due) {
		fb_settle_ask(e);
	}
}

static void on_tick(void *arg)
{
	fb_settle_each(arg, tick_entry);
	fb_settle_watch_step(arg);
	fb_settle_budget_sweep(arg);
}

void fb_settle_drain(struct fb_settle *s)
{
	s->draining = true;
	fb_settle_each(s, expire);
}

/* ---- submitting ---------------------------------------------------------------------------------------- */

struct submission {
	const struct fb_claim *claim;
	const uint8_t *api_key;
	void (*done)(void *arg, const struct fb_settle_outcome *o);
	void *arg;
};

/* An answer without an entry. */
static void answer(struct fb_settle *s, const struct submission *sub, struct fb_settle_outcome *o)
{
	struct fb_settle_waiter *w = fb_must_alloc(1, sizeof(*w));

	*w = (struct fb_settle_waiter){ .done = sub->done, .arg = sub->arg };
	s->waiters++;
	fb_settle_answer_one(s, w, o);
}

static void answer_refusal(struct fb_settle *s, const struct submission *sub, enum fb_reason reason, const char *note)
{
	struct fb_settle_outcome o = { .reason = reason };

	snprintf(o.note.text, sizeof(o.note.text), "%s", note);
	answer(s, sub, &o);
}

/* The first to ask for it is charged for it. */
static void keep_claim(struct fb_settle_entry *e, const struct submission *sub)
{
	const struct fb_claim *c = sub->claim;

	if (e->claim != NULL)
		return;
	e->has_api_key = sub->api_key != NULL;
	if (e->has_api_key)
		memcpy(e->api_key, sub->api_key, sizeof(e->api_key));
	e->claim = fb_must_alloc(1, sizeof(*e->claim));
	*e->claim = *c;
}

/* Its transaction was lost, and nobody was told of a success. */
static bool may_be_forgotten(const struct fb_settle_record *r)
{
	return r->state == FB_SETTLE_LOST && !r->granted;
}

/* The authorization is known with other content or another signature. Before the first one is signed, and when its
 * transaction was lost, nothing is decided: it may yet be refused. */
static void answer_other(struct fb_settle *s, const struct submission *sub, const struct fb_settle_record *r)
{
	struct fb_settle_outcome o = { .reason = FB_REASON_NONCE_USED, .has_tx = true, .tx = r->tx };
	const char *note = "an authorization with this nonce and other content is known already";

	if (r->state == FB_SETTLE_NONE || may_be_forgotten(r)) {
		o.has_tx = false;
		o.reason = FB_REASON_SETTLE_ERROR;
		note = "another authorization with this nonce is not decided yet; nothing was sent for this one";
	}
	snprintf(o.note.text, sizeof(o.note.text), "%s", note);
	answer(s, sub, &o);
}

/* The money moved, and nobody was told yet: is it so still? The follower may not have seen its block go. */
static bool wants_another_look(const struct fb_settle_record *r)
{
	return r->state != FB_SETTLE_FAILED && !r->granted;
}

/* From what is known of it; an open row of a lane would have its entry in memory and out of IDLE. */
static void start(struct fb_settle_entry *e)
{
	e->anew = e->retried = e->refused = e->failed = e->fresh = false;
	if (e->record.state == FB_SETTLE_NONE)
		fb_settle_begin(e);
	else if (fb_settle_is_final(&e->record) && !wants_another_look(&e->record))
		fb_settle_go_on(e);
	else
		fb_settle_ask(e);
}

static bool is_idle(const struct fb_settle_entry *e)
{
	return e->phase == FB_PHASE_IDLE && e->commits == 0;
}

static void join(struct fb_settle_entry *e, const struct submission *sub)
{
	struct fb_settle *s = e->settle;
	struct fb_hash ours = fb_settle_fingerprint(s->network->chain_id, sub->claim);
	struct fb_hash theirs =
		e->claim != NULL ? fb_settle_fingerprint(s->network->chain_id, e->claim) : e->record.fingerprint;

	if (!fb_hash_eq(&ours, &theirs)) {
		answer_other(s, sub, &e->record);
		if (may_be_forgotten(&e->record) && is_idle(e))
			fb_settle_ask(e);
		return;
	}
	keep_claim(e, sub);
	fb_settle_wait(e, sub->done, sub->arg);
	if (is_idle(e))
		start(e);
}

/* Who was first may never come back: what is lost is decided for whoever comes with the same nonce. */
static void decide_for_other(struct fb_settle *s, const struct fb_settle_key *key, const struct fb_settle_record *r)
{
	struct fb_settle_entry *e = fb_settle_add(s, key);

	e->record = *r;
	fb_settle_ask(e);
}

/* A record that is not under way in memory. */
static void take_up(struct fb_settle *s, const struct submission *sub, const struct fb_settle_key *key,
		    const struct fb_settle_record *r)
{
	struct fb_hash ours = fb_settle_fingerprint(s->network->chain_id, sub->claim);
	struct fb_settle_outcome o;
	struct fb_settle_entry *e;

	if (!fb_hash_eq(&ours, &r->fingerprint)) {
		answer_other(s, sub, r);
		if (may_be_forgotten(r))
			decide_for_other(s, key, r);
		return;
	}
	if (fb_settle_is_final(r) && (r->state == FB_SETTLE_FAILED || r->granted)) {
		fb_settle_outcome_of(&o, key, r);
		answer(s, sub, &o);
		return;
	}
	e = fb_settle_add(s, key);
	e->record = *r;
	keep_claim(e, sub);
	fb_settle_wait(e, sub->done, sub->arg);
	start(e);
}

static void begin_new(struct fb_settle *s, const struct submission *sub, const struct fb_settle_key *key)
{
	struct fb_settle_entry *e = fb_settle_add(s, key);

	keep_claim(e, sub);
	fb_settle_wait(e, sub->done, sub->arg);
	start(e);
}

void fb_settle_submit(struct fb_settle *s, const struct fb_claim *c, const uint8_t *api_key,
		      void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg)
{
	struct submission sub = { c, api_key, done, arg };
	struct fb_settle_key key = fb_settle_key_of(s->network->chain_id, c);
	struct fb_settle_entry *e = fb_settle_find(s, &key);
	struct fb_settle_record record;
	struct fb_note note;
	enum fb_reason reason;
	enum fb_status st = e != NULL ? FB_OK : fb_settle_load_record(s, &record, &key);

	FB_ASSERT(fb_loop_is_mine(s->loop));
	if (s->draining)
		answer_refusal(s, &sub, FB_REASON_SETTLE_ERROR, "the server is stopping; nothing was sent");
	else if (s->awaited >= FB_SETTLE_ENTRIES_MAX || s->waiters >= FB_SETTLE_WAITERS_MAX)
		answer_refusal(s, &sub, FB_REASON_SETTLE_ERROR,
			       "too many settlements are under way; nothing was sent, try again");
	else if (st != FB_OK && st != FB_NOT_FOUND)
		answer_refusal(s, &sub, FB_REASON_SETTLE_ERROR, "the settlement's record cannot be read");
	else if (st == FB_NOT_FOUND)
		begin_new(s, &sub, &key);
	else if ((reason = fb_claim_judge_price(c, &note)) != FB_REASON_NONE)
		answer_refusal(s, &sub, reason, note.text); /* known payment, other terms */
	else if (e != NULL)
		join(e, &sub);
	else
		take_up(s, &sub, &key, &record);
}

/* Of one in memory: on its way to be confirmed, or waiting again after a reorganization. While a new
 * transaction of it is made, that goes its way. */
static void give_back_entry(struct fb_settle_entry *e)
{
	bool on_its_way = e->phase >= FB_PHASE_READING && e->phase <= FB_PHASE_SIGNING;

	if (!e->record.granted || e->grantee != NULL)
		return;
	e->record.granted = false;
	if (on_its_way)
		fb_settle_commit_aside(e);
	else
		fb_settle_commit_record(e);
}

void fb_settle_give_back(struct fb_settle *s, const struct fb_settle_key *key)
{
	struct fb_settle_record record;
	struct fb_settle_entry *e = fb_settle_find(s, key);

	if (e != NULL) {
		give_back_entry(e);
		return;
	}
	if (fb_settle_load_record(s, &record, key) != FB_OK || !record.granted)
		return;
	e = fb_settle_add(s, key);
	e->record = record;
	e->record.granted = false;
	fb_settle_commit_record(e);
}
