/* The queue of payments that were judged good, and when which of them go out together. */
#include "settle_int.h"

#include <stdlib.h>

/* In this order: nothing to send, no room; a full transaction; an idle engine, which keeps nobody waiting; payments
 * that have waited long enough while there is room; and the first chance after an inclusion. */
size_t fb_settle_decide(const struct fb_settle_load *l, const struct fb_settle_settings *settings)
{
	size_t by_gas = (size_t)(settings->batch_gas_max / FB_SETTLE_ITEM_GAS), most = settings->batch_max;

	FB_ASSERT(most >= 1 && most <= FB_LANE_BATCH_MAX);
	most = most < by_gas ? most : by_gas;
	most = most > 0 ? most : 1;
	if (l->ready == 0 || l->room == 0)
		return 0;
	if (l->ready >= most)
		return most;
	if (l->in_flight == 0 || l->moved)
		return l->ready;
	if (l->in_flight < l->lanes * settings->batch_inflight && l->oldest_ms >= settings->batch_age_ms)
		return l->ready;
	return 0;
}

/* ---- the queue ------------------------------------------------------------------------------------------- */

void fb_settle_make_ready(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;

	e->phase = FB_PHASE_READY;
	e->due_ms = fb_clock_mono_ms(&s->clock);
	e->queue_next = NULL;
	*s->ready_tail = e;
	s->ready_tail = &e->queue_next;
	s->ready_count++;
}

void fb_settle_put_back(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;

	e->phase = FB_PHASE_READY;
	e->queue_next = s->ready;
	s->ready = e;
	if (e->queue_next == NULL)
		s->ready_tail = &e->queue_next;
	s->ready_count++;
}

/* Takes the entry that *at names out of the queue. */
static void take(struct fb_settle *s, struct fb_settle_entry **at)
{
	struct fb_settle_entry *e = *at;

	FB_ASSERT(e->phase == FB_PHASE_READY && s->ready_count > 0);
	*at = e->queue_next;
	if (*at == NULL)
		s->ready_tail = at;
	e->queue_next = NULL;
	s->ready_count--;
}

void fb_settle_unready(struct fb_settle_entry *e)
{
	struct fb_settle_entry **at = &e->settle->ready;

	while (*at != e)
		at = &(*at)->queue_next;
	take(e->settle, at);
}

/* The oldest of those who still have a caller; NULL if there is none. */
static struct fb_settle_entry *first(struct fb_settle *s)
{
	while (s->ready != NULL && s->ready->waiters == NULL)
		fb_settle_drop(s->ready);
	return s->ready;
}

/* The oldest and, unless it goes alone, the next that may go with it. */
static struct fb_settle_set *take_set(struct fb_settle *s, size_t most)
{
	struct fb_settle_set *set = fb_must_alloc(1, sizeof(*set));
	struct fb_settle_entry **at = &s->ready;

	set->settle = s;
	most = s->ready->alone ? 1 : most;
	while (*at != NULL && set->count < most) {
		struct fb_settle_entry *e = *at;

		if (e->waiters == NULL || (e->alone && set->count > 0)) {
			at = &e->queue_next; /* who has no caller is dropped when it comes first */
			continue;
		}
		take(s, at);
		e->phase = FB_PHASE_TRYING;
		e->pending++;
		set->entries[set->count++] = e;
	}
	FB_ASSERT(set->count > 0);
	return set;
}

/* ---- the engine's pulse ---------------------------------------------------------------------------------- */

static struct fb_settle_load load_of(const struct fb_settle *s, bool moved)
{
	struct fb_settle_load l = { .ready = s->ready_count, .lanes = s->lane_count, .moved = moved };
	size_t open = 0;

	for (size_t i = 0; i < s->lane_count; i++)
		open += fb_lane_open_count(s->lanes[i]);
	l.in_flight = open + s->trials;
	l.room = s->lane_count * FB_LANE_OPEN_MAX > l.in_flight ? s->lane_count * FB_LANE_OPEN_MAX - l.in_flight : 0;
	l.oldest_ms = fb_clock_mono_ms(&s->clock) - s->ready->due_ms;
	return l;
}

static void on_gathered(void *arg)
{
	struct fb_settle *s = arg;

	fb_timer_stop(s->gathering);
	s->gathering = NULL;
	fb_settle_pump(s, false);
}

static void gather(struct fb_settle *s)
{
	uint64_t ms = s->settings.batch_age_ms;

	if (s->ready != NULL && s->gathering == NULL)
		s->gathering = fb_timer_start(s->loop, ms == 0 ? 1 : ms, 0, on_gathered, s);
}

void fb_settle_pump(struct fb_settle *s, bool moved)
{
	if (s->pumping) /* what a set's end makes ready is seen by the loop below */
		return;
	s->pumping = true;
	while (!s->draining && first(s) != NULL) {
		struct fb_settle_load l = load_of(s, moved);
		size_t n = fb_settle_decide(&l, &s->settings);

		if (n == 0)
			break;
		fb_settle_try(take_set(s, n));
	}
	s->pumping = false;
	gather(s);
}
