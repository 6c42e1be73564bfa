/* The settlement engine's front: submitting, repeats, waiting times, giving back, draining. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_tick(void *arg);

void fb_settle_open(struct fb_settle **out, struct fb_loop *loop, const struct fb_network *network, struct fb_rpc *rpc,
		    struct fb_view *view, struct fb_lane *lane, struct fb_store *store, struct fb_commit commit,
		    const struct fb_settle_settings *settings, struct fb_clock clock, struct fb_log *log,
		    struct fb_metrics *metrics)
{
	struct fb_settle *s = fb_must_alloc(1, sizeof(*s));

	*s = (struct fb_settle){ .loop = loop,
				 .network = network,
				 .rpc = rpc,
				 .view = view,
				 .lane = lane,
				 .store = store,
				 .commit = commit,
				 .settings = *settings,
				 .clock = clock,
				 .log = log,
				 .metrics = metrics };
	s->timer = fb_timer_start(loop, FB_SETTLE_TICK_MS, FB_SETTLE_TICK_MS, on_tick, s);
	*out = s;
}

void fb_settle_close(struct fb_settle *s)
{
	if (s == NULL)
		return;
	FB_ASSERT(s->waiters == 0);
	fb_timer_stop(s->timer);
	for (size_t b = 0; b < FB_SETTLE_BUCKETS; b++)
		while (s->buckets[b] != NULL)
			fb_settle_drop(s->buckets[b]);
	free(s);
}

/* ---- waiting ---------------------------------------------------------------------------------------- */

static const char *what_is_known(const struct fb_settle_entry *e)
{
	if (e->record.state != 0)
		return "the transaction's end is not known yet; ask again with the same payload";
	if (e->phase == FB_PHASE_PARKED)
		return "the payer's earlier payments are not included yet and may use up its balance; nothing was sent";
	return "the chain did not answer in time; nothing was sent";
}

/* Answers those whose time is up; while draining, everybody. */
static void expire(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	uint64_t now = fb_clock_mono_ms(&s->clock);
	struct fb_settle_outcome o = { .reason = e->record.state != 0 ? FB_REASON_PENDING : FB_REASON_SETTLE_ERROR,
				       .has_tx = e->record.state != 0, .tx = e->record.tx, .key = e->key };

	snprintf(o.note.text, sizeof(o.note.text), "%s", what_is_known(e));
	while (e->waiters != NULL && (s->draining || e->waiters->deadline_ms <= now)) {
		struct fb_settle_waiter *w = e->waiters;

		e->waiters = w->next;
		fb_settle_answer_one(s, w, &o);
	}
}

static void tick_entry(struct fb_settle_entry *e)
{
	expire(e);
	if (e->phase == FB_PHASE_PARKED && e->waiters == NULL)
		fb_settle_drop(e);
	else if (e->phase == FB_PHASE_PARKED)
		fb_settle_begin(e);
}

static void on_tick(void *arg)
{
	fb_settle_each(arg, tick_entry);
}

void fb_settle_drain(struct fb_settle *s)
{
	s->draining = true;
	fb_settle_each(s, expire);
}

/* ---- submitting ---------------------------------------------------------------------------------------- */

struct submission {
	const struct fb_claim *claim;
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

static void keep_claim(struct fb_settle_entry *e, const struct fb_claim *c)
{
	if (e->claim != NULL)
		return;
	e->claim = fb_must_alloc(1, sizeof(*e->claim));
	*e->claim = *c;
}

/* The authorization is known with other content or another signature. Before the first one is signed, and when its
 * transaction was lost, nothing is decided: it may yet be refused. */
static void answer_other(struct fb_settle *s, const struct submission *sub, const struct fb_settle_record *r)
{
	struct fb_settle_outcome o = { .reason = FB_REASON_NONCE_USED, .has_tx = r->state != 0, .tx = r->tx };
	const char *note = "an authorization with this nonce and other content is known already";

	if (r->state == 0 || r->state == FB_SETTLE_LOST) {
		o.has_tx = false;
		o.reason = FB_REASON_SETTLE_ERROR;
		note = "another authorization with this nonce is not decided yet; nothing was sent for this one";
	}
	snprintf(o.note.text, sizeof(o.note.text), "%s", note);
	answer(s, sub, &o);
}

static void join(struct fb_settle_entry *e, const struct submission *sub)
{
	struct fb_settle *s = e->settle;
	struct fb_hash ours = fb_settle_fingerprint(s->network->chain_id, sub->claim);
	struct fb_hash theirs =
		e->claim != NULL ? fb_settle_fingerprint(s->network->chain_id, e->claim) : e->record.fingerprint;

	if (!fb_hash_eq(&ours, &theirs)) {
		answer_other(s, sub, &e->record);
		return;
	}
	keep_claim(e, sub->claim);
	fb_settle_wait(e, sub->done, sub->arg);
}

/* From a record that is not final; an open row of the lane would have its entry in memory. */
static void go_on(struct fb_settle_entry *e)
{
	FB_ASSERT(e->record.state != 0);
	if (e->record.state == FB_SETTLE_INCLUDED) { /* every earlier answer was pending or never went out */
		e->phase = FB_PHASE_RECORDING;
		fb_settle_resolve(e, FB_OK);
	} else if (e->record.state == FB_SETTLE_LOST) {
		fb_settle_begin(e);
	} else {
		fb_settle_recall(e); /* signed by another key than ours of today */
	}
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
		return;
	}
	if (r->state == FB_SETTLE_FAILED || r->granted) {
		fb_settle_outcome_of(&o, key, r);
		answer(s, sub, &o);
		return;
	}
	e = fb_settle_add(s, key);
	e->record = *r;
	keep_claim(e, sub->claim);
	fb_settle_wait(e, sub->done, sub->arg);
	go_on(e);
}

static void begin_new(struct fb_settle *s, const struct submission *sub, const struct fb_settle_key *key)
{
	struct fb_settle_entry *e = fb_settle_add(s, key);

	keep_claim(e, sub->claim);
	fb_settle_wait(e, sub->done, sub->arg);
	fb_settle_begin(e);
}

static enum fb_status load(struct fb_settle *s, struct fb_settle_record *out, const struct fb_settle_key *key)
{
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len;
	enum fb_status st = fb_store_get(s->store, row, &len, sizeof(row),
					 (struct fb_str){ (const char *)key->bytes, sizeof(key->bytes) });

	return st != FB_OK ? st : fb_settle_record_decode(out, (struct fb_str){ (const char *)row, len });
}

void fb_settle_submit(struct fb_settle *s, const struct fb_claim *c,
		      void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg)
{
	struct submission sub = { c, done, arg };
	struct fb_settle_key key = fb_settle_key_of(s->network->chain_id, c);
	struct fb_settle_entry *e = fb_settle_find(s, &key);
	struct fb_settle_record record;
	struct fb_note note;
	enum fb_reason reason;
	enum fb_status st = e != NULL ? FB_OK : load(s, &record, &key);

	FB_ASSERT(fb_loop_is_mine(s->loop));
	if (s->draining)
		answer_refusal(s, &sub, FB_REASON_SETTLE_ERROR, "the server is stopping; nothing was sent");
	else if (s->entries >= FB_SETTLE_ENTRIES_MAX || s->waiters >= FB_SETTLE_WAITERS_MAX)
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

void fb_settle_give_back(struct fb_settle *s, const struct fb_settle_key *key)
{
	struct fb_settle_record record;
	struct fb_settle_entry *e = fb_settle_find(s, key);

	if (e != NULL || load(s, &record, key) != FB_OK || !record.granted)
		return;
	e = fb_settle_add(s, key);
	e->record = record;
	e->record.granted = false;
	fb_settle_commit_record(e);
}
