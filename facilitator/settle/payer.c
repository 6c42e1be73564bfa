/* What of a payer's balance is spoken for by payments that were judged good and are not in it yet, and the payments
 * that wait for that to change. */
#include "settle_int.h"

#include <stdlib.h>
#include <string.h>

/* Token and payer lie side by side in a key. */
enum { AT_ID = 9 };

static struct fb_settle_payer **slot_of(struct fb_settle *s, const uint8_t id[40])
{
	size_t b = (fb_get_be64(id + 12) ^ fb_get_be64(id + 32)) % FB_SETTLE_BUCKETS;
	struct fb_settle_payer **at = &s->payers[b];

	while (*at != NULL && memcmp((*at)->id, id, sizeof((*at)->id)) != 0)
		at = &(*at)->next;
	return at;
}

static struct fb_settle_payer *payer_of(struct fb_settle_entry *e)
{
	struct fb_settle_payer **at = slot_of(e->settle, e->key.bytes + AT_ID), *p = *at;

	if (p != NULL)
		return p;
	p = fb_must_alloc(1, sizeof(*p));
	memcpy(p->id, e->key.bytes + AT_ID, sizeof(p->id));
	p->held = fb_u256_from_u64(0);
	p->parked_tail = &p->parked;
	*at = p;
	return p;
}

static void free_if_idle(struct fb_settle *s, struct fb_settle_payer *p)
{
	struct fb_settle_payer **at = slot_of(s, p->id);

	if (p->holders > 0 || p->parked != NULL)
		return;
	FB_ASSERT(*at == p);
	*at = p->next;
	free(p);
}

static struct fb_u256 value_of(const struct fb_settle_entry *e)
{
	return e->claim != NULL ? e->claim->authorization.value : e->record.value;
}

void fb_settle_hold(struct fb_settle_entry *e)
{
	struct fb_settle_payer *p = e->payer != NULL ? e->payer : payer_of(e);

	if (e->payer != NULL)
		return;
	if (fb_u256_add(&p->held, p->held, value_of(e)) != FB_OK)
		FB_UNREACHABLE("a value judged good is at most a balance, which the lens caps at 128 bits");
	p->holders++;
	e->payer = p;
}

/* Begins the oldest again: each reads the balance anew, and parks again behind the others if it must. */
static void look_again(struct fb_settle *s, struct fb_settle_payer *p)
{
	for (size_t i = 0; i < FB_SETTLE_LOOKS_MAX && p->parked != NULL && !s->draining; i++) {
		struct fb_settle_entry *e = p->parked;

		p->parked = e->queue_next;
		if (p->parked == NULL)
			p->parked_tail = &p->parked;
		e->queue_next = NULL;
		e->phase = FB_PHASE_IDLE;
		fb_settle_begin(e); /* also without a caller: who walks over all entries is not to lose one under its feet */
	}
}

void fb_settle_release(struct fb_settle_entry *e)
{
	struct fb_settle_payer *p = e->payer;

	if (p == NULL)
		return;
	if (fb_u256_sub(&p->held, p->held, value_of(e)) != FB_OK)
		FB_UNREACHABLE("what is released was held");
	p->holders--;
	e->payer = NULL;
	look_again(e->settle, p);
	free_if_idle(e->settle, p);
}

struct fb_u256 fb_settle_held(const struct fb_settle_entry *e)
{
	struct fb_settle_payer *p = *slot_of(e->settle, e->key.bytes + AT_ID);

	FB_ASSERT(e->payer == NULL);
	return p == NULL ? fb_u256_from_u64(0) : p->held;
}

void fb_settle_park(struct fb_settle_entry *e)
{
	struct fb_settle_payer *p = payer_of(e);

	e->phase = FB_PHASE_PARKED;
	e->due_ms = fb_clock_mono_ms(&e->settle->clock) + FB_SETTLE_PARK_MS;
	e->queue_next = NULL;
	*p->parked_tail = e;
	p->parked_tail = &e->queue_next;
}

void fb_settle_unpark(struct fb_settle_entry *e)
{
	struct fb_settle_payer *p = payer_of(e);
	struct fb_settle_entry **at = &p->parked;

	FB_ASSERT(e->phase == FB_PHASE_PARKED);
	while (*at != e)
		at = &(*at)->queue_next;
	*at = e->queue_next;
	p->parked_tail = &p->parked;
	while (*p->parked_tail != NULL)
		p->parked_tail = &(*p->parked_tail)->queue_next;
	e->queue_next = NULL;
	e->phase = FB_PHASE_IDLE;
	free_if_idle(e->settle, p);
}
