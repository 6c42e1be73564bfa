/* Settlements under way: a table by key, and the callers that wait for each. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Authorization nonces are random where clients behave; a client that does not only lengthens one list,
 * which FB_SETTLE_ENTRIES_MAX and the lanes' limits bound. */
static size_t bucket_of(const struct fb_settle_key *key)
{
	return (fb_get_be64(key->bytes + FB_SETTLE_KEY_LEN - 8) ^ fb_get_be64(key->bytes + FB_SETTLE_KEY_LEN - 32)) %
	       FB_SETTLE_BUCKETS;
}

struct fb_settle_entry *fb_settle_find(struct fb_settle *s, const struct fb_settle_key *key)
{
	struct fb_settle_entry *e = s->buckets[bucket_of(key)];

	while (e != NULL && memcmp(e->key.bytes, key->bytes, sizeof(key->bytes)) != 0)
		e = e->next;
	return e;
}

struct fb_settle_entry *fb_settle_add(struct fb_settle *s, const struct fb_settle_key *key)
{
	struct fb_settle_entry *e = fb_must_alloc(1, sizeof(*e));
	size_t b = bucket_of(key);

	FB_ASSERT(fb_settle_find(s, key) == NULL); /* S1 */
	e->settle = s;
	e->key = *key;
	e->begun_ns = s->clock.mono_ns(s->clock.ctx);
	e->waiters_tail = &e->waiters;
	e->next = s->buckets[b];
	s->buckets[b] = e;
	s->entries++;
	return e;
}

static void free_entry(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_entry **at = &s->buckets[bucket_of(&e->key)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	s->entries--;
	free(e->claim);
	free(e);
}

void fb_settle_drop(struct fb_settle_entry *e)
{
	FB_ASSERT(e->waiters == NULL && e->grantee == NULL);
	if (e->phase == FB_PHASE_PARKED)
		fb_settle_unpark(e);
	if (e->phase == FB_PHASE_READY)
		fb_settle_unready(e);
	e->phase = FB_PHASE_IDLE;
	e->row_open = false; /* after a disk failure: whoever comes while a question is out begins as with a new entry */
	fb_settle_release(e);
	if (e->pending == 0 && e->commits == 0)
		free_entry(e);
}

bool fb_settle_came_back(struct fb_settle_entry *e, enum fb_settle_phase phase)
{
	FB_ASSERT(e->pending > 0);
	e->pending--;
	if (e->phase == phase)
		return true;
	if (e->phase == FB_PHASE_IDLE && e->pending == 0 && e->commits == 0)
		free_entry(e);
	return false;
}

void fb_settle_move(struct fb_settle_entry *e, enum fb_settle_state to)
{
	static const char *const names[] = {
		[FB_SETTLE_NONE] = "NONE",
#define X(name, num) [num] = #name,
		FB_SETTLE_STATES(X)
#undef X
	};
	enum fb_settle_move m = fb_settle_move_of(e->record.state, to);
	struct fb_authorization a;

	FB_ASSERT(m < FB_SETTLE_MOVE_END); /* S5 */
	e->settle->moves[m]++;
	e->record.state = to;
	a = fb_settle_authorization(&e->key, &e->record);
	fb_log(e->settle->log, FB_EV_SETTLE_STATE, FB_F_HEX("payer", a.from.bytes, 20),
	       FB_F_HEX("nonce", a.nonce.bytes, 32), FB_F_TEXT("to", names[to]), FB_F_HEX("tx", e->record.tx.bytes, 32));
}

uint64_t fb_settle_moves(const struct fb_settle *s, enum fb_settle_move m)
{
	FB_ASSERT(m < FB_SETTLE_MOVE_END);
	return s->moves[m];
}

int64_t fb_settle_now_us(const struct fb_settle *s)
{
	return s->clock.wall_us(s->clock.ctx);
}

void fb_settle_each(struct fb_settle *s, void (*each)(struct fb_settle_entry *e))
{
	for (size_t b = 0; b < FB_SETTLE_BUCKETS; b++) {
		struct fb_settle_entry *e = s->buckets[b], *next;

		for (; e != NULL; e = next) {
			next = e->next;
			each(e);
		}
	}
}

/* ---- who waits ------------------------------------------------------------------------------------------- */

static void count_place(struct fb_settle_entry *e)
{
	bool now = e->waiters != NULL;

	if (now != e->awaited)
		e->settle->awaited += now ? 1 : (size_t)-1;
	e->awaited = now;
}

void fb_settle_wait(struct fb_settle_entry *e, void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_waiter *w = fb_must_alloc(1, sizeof(*w));

	*w = (struct fb_settle_waiter){ .done = done,
					.arg = arg,
					.deadline_ms = fb_clock_mono_ms(&s->clock) + s->settings.wait_ms };
	*e->waiters_tail = w;
	e->waiters_tail = &w->next;
	s->waiters++;
	count_place(e);
}

struct fb_settle_waiter *fb_settle_next_waiter(struct fb_settle_entry *e)
{
	struct fb_settle_waiter *w = e->waiters;

	if (w == NULL)
		return NULL;
	e->waiters = w->next;
	if (e->waiters == NULL)
		e->waiters_tail = &e->waiters;
	w->next = NULL;
	count_place(e);
	return w;
}

void fb_settle_hold_back(struct fb_settle_entry *e)
{
	FB_ASSERT(e->grantee != NULL && e->grantee->next == NULL);
	e->grantee->next = e->waiters;
	if (e->waiters == NULL)
		e->waiters_tail = &e->grantee->next;
	e->waiters = e->grantee;
	e->grantee = NULL;
	count_place(e);
}

static void count_answer(struct fb_settle *s, enum fb_reason reason)
{
	enum fb_metric_id id = reason == FB_REASON_NONE       ? FB_M_SETTLE_SUCCESS :
			       reason == FB_REASON_PENDING    ? FB_M_SETTLE_PENDING :
			       reason == FB_REASON_NONCE_USED ? FB_M_SETTLE_REPEAT :
								FB_M_SETTLE_FAILURE;

	fb_metric_add(s->metrics, id, 1);
}

void fb_settle_answer_one(struct fb_settle *s, struct fb_settle_waiter *w, const struct fb_settle_outcome *o)
{
	FB_ASSERT(o->reason != FB_REASON_PENDING || o->has_tx); /* pending always names its transaction */
	FB_ASSERT(o->reason != FB_REASON_NONE || o->has_tx);
	count_answer(s, o->reason);
	s->waiters--;
	w->done(w->arg, o);
	free(w);
}

void fb_settle_answer_all(struct fb_settle_entry *e, const struct fb_settle_outcome *o)
{
	struct fb_settle_waiter *w;

	while ((w = fb_settle_next_waiter(e)) != NULL)
		fb_settle_answer_one(e->settle, w, o);
}

bool fb_settle_is_out(const struct fb_settle_entry *e)
{
	return e->record.state != FB_SETTLE_NONE && !e->anew;
}

void fb_settle_answer_pending(struct fb_settle_entry *e, const char *note)
{
	struct fb_settle_outcome o = { .reason = FB_REASON_PENDING, .has_tx = true, .tx = e->record.tx, .key = e->key };

	FB_ASSERT(e->record.state != FB_SETTLE_NONE);
	snprintf(o.note.text, sizeof(o.note.text), "%s", note);
	fb_settle_answer_all(e, &o);
}

static const char *note_of(const struct fb_settle_record *r)
{
	if (r->state != FB_SETTLE_FAILED)
		return "this authorization was settled by the named transaction and its success was granted already";
	if (r->reason == FB_REASON_NONCE_USED)
		return "the authorization was cancelled, or used for another transfer, before the named transaction could";
	return "the transaction was included and moved no money";
}

void fb_settle_outcome_of(struct fb_settle_outcome *o, const struct fb_settle_key *key,
			  const struct fb_settle_record *r)
{
	*o = (struct fb_settle_outcome){ .reason = FB_REASON_NONCE_USED, .has_tx = true, .tx = r->tx, .key = *key };
	if (r->state == FB_SETTLE_FAILED)
		o->reason = r->reason;
	snprintf(o->note.text, sizeof(o->note.text), "%s", note_of(r));
}
