/* Settlements under way: a small table by key, and the callers that wait for each. */
#include "settle_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Authorization nonces are random where clients behave; a client that does not only lengthens one list,
 * which FB_SETTLE_ENTRIES_MAX bounds. */
static size_t bucket_of(const struct fb_settle_key *key)
{
	return fb_get_be64(key->bytes + FB_SETTLE_KEY_LEN - 8) % FB_SETTLE_BUCKETS;
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
	e->next = s->buckets[b];
	s->buckets[b] = e;
	s->entries++;
	return e;
}

void fb_settle_drop(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_entry **at = &s->buckets[bucket_of(&e->key)];

	FB_ASSERT(e->waiters == NULL && e->grantee == NULL);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	s->entries--;
	free(e->claim);
	free(e);
}

void fb_settle_wait(struct fb_settle_entry *e, void (*done)(void *arg, const struct fb_settle_outcome *o), void *arg)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_waiter *w = fb_must_alloc(1, sizeof(*w)), **at = &e->waiters;

	*w = (struct fb_settle_waiter){ .done = done,
					.arg = arg,
					.deadline_ms = fb_clock_mono_ms(&s->clock) + s->settings.wait_ms };
	while (*at != NULL)
		at = &(*at)->next;
	*at = w;
	s->waiters++;
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

void fb_settle_answer_all(struct fb_settle_entry *e, enum fb_reason reason, const char *note)
{
	struct fb_settle_outcome o = {
		.reason = reason, .has_tx = e->record.state != 0, .tx = e->record.tx, .key = e->key
	};

	snprintf(o.note.text, sizeof(o.note.text), "%s", note);
	while (e->waiters != NULL) {
		struct fb_settle_waiter *w = e->waiters;

		e->waiters = w->next;
		fb_settle_answer_one(e->settle, w, &o);
	}
}

void fb_settle_outcome_of(struct fb_settle_outcome *o, const struct fb_settle_key *key,
			  const struct fb_settle_record *r)
{
	*o = (struct fb_settle_outcome){ .reason = FB_REASON_NONCE_USED, .has_tx = true, .tx = r->tx, .key = *key };
	if (r->state == FB_SETTLE_FAILED)
		o->reason = r->reason;
	snprintf(o->note.text, sizeof(o->note.text), "%s",
		 r->state == FB_SETTLE_FAILED ? "the transaction was included and moved no money"
					      : "this authorization was settled by the named transaction and its "
						"success was granted already");
}

struct fb_u256 fb_settle_in_flight(const struct fb_settle_entry *e)
{
	const struct fb_settle *s = e->settle;
	struct fb_u256 sum = fb_u256_from_u64(0);

	for (size_t b = 0; b < FB_SETTLE_BUCKETS; b++) {
		for (const struct fb_settle_entry *o = s->buckets[b]; o != NULL; o = o->next) {
			struct fb_u256 value = o->claim != NULL ? o->claim->authorization.value : o->record.value;

			if (o == e || o->phase < FB_PHASE_SIMULATING ||
			    memcmp(o->key.bytes, e->key.bytes, FB_SETTLE_KEY_LEN - 32) != 0)
				continue; /* another chain, token or payer, or not judged yet */
			if (fb_u256_add(&sum, sum, value) != FB_OK)
				memset(&sum, 0xff, sizeof(sum)); /* more than any balance */
		}
	}
	return sum;
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
