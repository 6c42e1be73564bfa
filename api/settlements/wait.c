/* Looking at settlements, and at those that somebody waits for again and again. On the loop's thread. */
#include "settlements_int.h"

#include <stdlib.h>
#include <string.h>

void fb_settlements_release(struct fb_settlements_job *j)
{
	if (atomic_fetch_sub(&j->holders, 1) == 1)
		free(j);
}

/* ---- a look ------------------------------------------------------------------------------------------------ */

static bool is_zero(const struct fb_hash *h)
{
	const struct fb_hash zero = { { 0 } };

	return fb_hash_eq(h, &zero);
}

/* Of one whose money moved in a block. A receipt may be known before its block is. */
static enum fb_settlements_rung rung_of_block(const struct fb_settlements *s, const struct fb_settle_status *r)
{
	struct fb_hash hash = r->block_hash;
	struct fb_head_block head;

	if (!fb_head_latest(s->head, &head) || head.number < r->block)
		return FB_SETTLEMENTS_INCLUDED;
	if (is_zero(&hash) && fb_head_hash(s->head, r->block, &hash) != FB_OK)
		hash = r->block_hash; /* older than what is remembered: not compared */
	switch (fb_head_rung(s->head, r->block, &hash)) {
	case FB_RUNG_INCLUDED:
		return FB_SETTLEMENTS_INCLUDED;
	case FB_RUNG_CONFIRMED:
		return FB_SETTLEMENTS_CONFIRMED;
	case FB_RUNG_SAFE:
		return FB_SETTLEMENTS_SAFE;
	case FB_RUNG_FINAL:
		return FB_SETTLEMENTS_FINAL;
	case FB_RUNG_NONE:
		break;
	}
	return FB_SETTLEMENTS_SENT; /* the block is gone: it waits again, which its record will soon say */
}

static enum fb_settlements_rung rung_of(const struct fb_settlements *s, const struct fb_settle_status *r)
{
	if ((int)r->state == 0 || r->state == FB_SETTLE_FAILED || r->state == FB_SETTLE_LOST)
		return FB_SETTLEMENTS_NO_RUNG;
	return r->state == FB_SETTLE_SIGNED ? FB_SETTLEMENTS_SENT : rung_of_block(s, r);
}

/* FNV-1a */
static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

static uint64_t revision_of(const struct fb_settlements_view *v)
{
	const struct fb_settle_status *r = &v->record;
	const uint64_t numbers[] = { (uint64_t)r->state, (uint64_t)v->rung, r->granted, (uint64_t)r->reason, r->block };
	uint64_t h = mix(0xcbf29ce484222325, numbers, sizeof(numbers));

	h = mix(mix(h, r->tx.bytes, sizeof(r->tx.bytes)), r->block_hash.bytes, sizeof(r->block_hash.bytes));
	return h == 0 ? 1 : h; /* 0 stands for what is not known */
}

static void look(struct fb_settlements_job *j)
{
	struct fb_settlements_view *v = &j->view;

	v->revision = 0;
	v->status = FB_NOT_FOUND;
	for (size_t i = 0; i < j->key_count && v->status == FB_NOT_FOUND; i++) {
		v->key = j->keys[i];
		v->status = fb_settle_look(j->settlements->settle, &v->record, &v->key);
	}
	if (v->status != FB_OK)
		return;
	v->rung = rung_of(j->settlements, &v->record);
	v->revision = revision_of(v);
}

/* ---- waiting ------------------------------------------------------------------------------------------------- */

static void answer(struct fb_settlements_job *j)
{
	struct fb_http_wait *w = j->wait;

	fb_settlements_release(j);
	fb_http_wake(w);
}

static bool is_over(const struct fb_settlements_job *j)
{
	const struct fb_settlements *s = j->settlements;
	const struct fb_settlements_view *v = &j->view;

	return s->draining || v->revision != j->seen || fb_clock_mono_ms(&s->clock) >= j->deadline_ms ||
	       (v->status != FB_OK && v->status != FB_NOT_FOUND) ||
	       (v->status == FB_OK && v->rung == FB_SETTLEMENTS_FINAL);
}

static void look_at_all(struct fb_settlements *s)
{
	struct fb_settlements_job **at = &s->waiting, *j;

	while ((j = *at) != NULL) {
		look(j);
		if (!is_over(j)) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		s->waiters--;
		answer(j);
	}
}

static void on_tick(void *arg)
{
	look_at_all(arg);
}

static void on_head(void *arg, const struct fb_head_event *e)
{
	struct fb_settlements *s = arg;

	(void)e;
	look_at_all(s);
}

void fb_settlements_begin(void *job)
{
	struct fb_settlements_job *j = job;
	struct fb_settlements *s = j->settlements;

	j->deadline_ms = fb_clock_mono_ms(&s->clock) + j->wait_ms;
	look(j);
	if (!j->has_seen)
		j->seen = j->view.revision;
	if (j->wait_ms == 0 || is_over(j)) {
		answer(j);
		return;
	}
	if (s->waiters == FB_SETTLEMENTS_WAITERS_MAX) {
		j->view.status = FB_BUSY;
		answer(j);
		return;
	}
	s->waiters++;
	j->next = s->waiting;
	s->waiting = j;
}

/* ---- life ------------------------------------------------------------------------------------------------------ */

void fb_settlements_open(struct fb_settlements **out, struct fb_loop *loop, const struct fb_network *network,
			 struct fb_settle *settle, struct fb_head *head, struct fb_clock clock)
{
	struct fb_settlements *s = fb_must_alloc(1, sizeof(*s));

	*s = (struct fb_settlements){
		.loop = loop, .network = network, .settle = settle, .head = head, .clock = clock
	};
	s->timer = fb_timer_start(loop, FB_SETTLEMENTS_LOOK_MS, FB_SETTLEMENTS_LOOK_MS, on_tick, s);
	fb_head_listen(head, on_head, s);
	*out = s;
}

void fb_settlements_drain(struct fb_settlements *s)
{
	if (s == NULL)
		return;
	s->draining = true;
	look_at_all(s);
}

void fb_settlements_close(struct fb_settlements *s)
{
	if (s == NULL)
		return;
	FB_ASSERT(s->draining && s->waiters == 0);
	fb_timer_stop(s->timer);
	free(s);
}
