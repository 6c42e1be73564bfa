/* The clock and the queue of events; the loop and its timers, which are nothing but events. */
#include "virtual.h"

#include "farebox/net.h"
#include "farebox/os.h"

#include <stdlib.h>

struct event {
	uint64_t at_ns;
	void (*fn)(void *arg);
	void *arg;
	const void *owner;
	struct event *next;
};
static struct {
	uint64_t now_ns, rng, os_rng; /* os_rng: what the program takes once in a process must not move the rest */
	struct event *events; /* by time, and in one moment by their asking */
} world;

uint64_t virtual_now_ns(void)
{
	return world.now_ns;
}

static uint64_t next_of(uint64_t *rng)
{
	uint64_t z = *rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t virtual_draw(uint64_t below)
{
	return next_of(&world.rng) % below;
}

/* ---- events -------------------------------------------------------------------------------------------- */

void virtual_at(uint64_t delay_ns, void (*fn)(void *arg), void *arg, const void *owner)
{
	struct event *e = fb_must_alloc(1, sizeof(*e)), **at = &world.events;

	*e = (struct event){ .at_ns = world.now_ns + delay_ns, .fn = fn, .arg = arg, .owner = owner };
	while (*at != NULL && (*at)->at_ns <= e->at_ns)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
}

void virtual_cancel(const void *owner)
{
	struct event **at = &world.events;

	while (*at != NULL) {
		struct event *e = *at;

		if (e->owner != owner) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		free(e);
	}
}

static void run(struct event **at)
{
	struct event e = **at;

	free(*at);
	*at = e.next;
	world.now_ns = e.at_ns > world.now_ns ? e.at_ns : world.now_ns;
	e.fn(e.arg);
}

bool virtual_step(void)
{
	if (world.events == NULL)
		return false;
	run(&world.events);
	return true;
}

bool virtual_step_of(const void *owner)
{
	struct event **at = &world.events;
	uint64_t now_ns = world.now_ns;

	while (*at != NULL && (*at)->owner != owner)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	(*at)->at_ns = now_ns; /* out of its turn: the others stay where they are in time */
	run(at);
	return true;
}

void virtual_run_ms(uint64_t ms)
{
	uint64_t until_ns = world.now_ns + ms * VIRTUAL_MS;

	while (world.events != NULL && world.events->at_ns <= until_ns)
		(void)virtual_step();
	world.now_ns = until_ns;
}

void virtual_reset(uint64_t seed)
{
	while (virtual_step())
		; /* what is still on its way arrives, and nobody is there */
	world.now_ns = VIRTUAL_MS; /* 0 stands for "never" in many places */
	world.rng = world.os_rng = seed * 7919;
	virtual_disks_clear();
	virtual_chains_clear();
}

/* ---- base/os --------------------------------------------------------------------------------------------- */

static uint64_t mono_ns(void *ctx)
{
	(void)ctx;
	return world.now_ns;
}

static int64_t wall_us(void *ctx)
{
	(void)ctx;
	return (int64_t)(world.now_ns / 1000);
}

struct fb_clock fb_os_clock(void)
{
	return (struct fb_clock){ mono_ns, wall_us, NULL };
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	while (len-- > 0)
		out[len] = (uint8_t)next_of(&world.os_rng);
}

struct fb_rng fb_os_rng(void)
{
	return (struct fb_rng){ fill, NULL };
}

/* ---- base/net: the loop ----------------------------------------------------------------------------------- */

struct fb_loop {
	bool running;
};

enum fb_status fb_loop_open(struct fb_loop **out)
{
	*out = fb_must_alloc(1, sizeof(**out));
	return FB_OK;
}

void fb_loop_start(struct fb_loop *loop, const char *thread_name)
{
	(void)thread_name;
	FB_ASSERT(!loop->running);
	loop->running = true;
}

/* What was posted is still run. */
void fb_loop_close(struct fb_loop *loop)
{
	if (loop == NULL)
		return;
	while (virtual_step_of(loop))
		;
	free(loop);
}

void fb_loop_post(struct fb_loop *loop, void (*fn)(void *arg), void *arg)
{
	virtual_at(0, fn, arg, loop);
}

bool fb_loop_is_mine(const struct fb_loop *loop)
{
	(void)loop;
	return true;
}

struct fb_timer {
	uint64_t repeat_ns;
	void (*fn)(void *arg);
	void *arg;
};

static void ring(void *arg)
{
	struct fb_timer *t = arg;

	if (t->repeat_ns > 0)
		virtual_at(t->repeat_ns, ring, t, t);
	t->fn(t->arg); /* may stop the timer */
}

struct fb_timer *fb_timer_start(struct fb_loop *loop, uint64_t ms, uint64_t repeat_ms, void (*fn)(void *arg), void *arg)
{
	struct fb_timer *t = fb_must_alloc(1, sizeof(*t));

	(void)loop;
	*t = (struct fb_timer){ repeat_ms * VIRTUAL_MS, fn, arg };
	virtual_at(ms * VIRTUAL_MS, ring, t, t);
	return t;
}

void fb_timer_stop(struct fb_timer *t)
{
	if (t == NULL)
		return;
	virtual_cancel(t);
	free(t);
}
