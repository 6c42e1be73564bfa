/* Timers of a loop. */
#include "net_int.h"

#include <stdlib.h>

struct fb_timer {
	uv_timer_t uv; /* first: the handle is the allocation */
	void (*fn)(void *arg);
	void *arg;
};

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

void fb_handle_close(uv_handle_t *handle)
{
	FB_ASSERT(!uv_is_closing(handle));
	uv_close(handle, free_handle);
}

static void on_time(uv_timer_t *uv)
{
	struct fb_timer *t = (struct fb_timer *)uv;

	t->fn(t->arg);
}

struct fb_timer *fb_timer_start(struct fb_loop *loop, uint64_t ms, uint64_t repeat_ms, void (*fn)(void *arg), void *arg)
{
	struct fb_timer *t = fb_must_alloc(1, sizeof(*t));

	FB_ASSERT(fn != NULL);
	FB_ASSERT(fb_loop_is_mine(loop));
	*t = (struct fb_timer){ .fn = fn, .arg = arg };
	FB_ASSERT(uv_timer_init(fb_loop_uv(loop), &t->uv) == 0);
	uv_update_time(fb_loop_uv(loop)); /* libuv counts from when its round began */
	FB_ASSERT(uv_timer_start(&t->uv, on_time, ms, repeat_ms) == 0);
	return t;
}

void fb_timer_stop(struct fb_timer *t)
{
	if (t == NULL)
		return;
	FB_ASSERT(fb_loop_is_mine(t->uv.loop->data));
	fb_handle_close((uv_handle_t *)&t->uv);
}
