/* The loop: one libuv loop, its thread, and the queue through which other threads reach it. */
#define _GNU_SOURCE
#include "net_int.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { POSTS_START = 64, POSTS_KEPT = 4096, THREAD_NAME_MAX = 15 };

struct post {
	void (*fn)(void *arg);
	void *arg;
};
struct posts {
	struct post *items;
	size_t count, cap;
};

struct fb_loop {
	uv_loop_t uv;
	uv_async_t wake;
	pthread_t thread;
	bool started;
	char thread_name[THREAD_NAME_MAX + 1];
	_Atomic pthread_t owner; /* whose calls are "on the loop's thread" */

	pthread_mutex_t lock; /* of the rest */
	struct posts queue;
	bool woken, stopping;

	struct posts spare; /* the owner's: the block that the queue changes places with */
};

uv_loop_t *fb_loop_uv(struct fb_loop *loop)
{
	FB_ASSERT(loop != NULL);
	return &loop->uv;
}

bool fb_loop_is_mine(const struct fb_loop *loop)
{
	return pthread_equal(atomic_load(&loop->owner), pthread_self()) != 0;
}

static void queue_add(struct posts *queue, struct post post)
{
	FB_ASSERT(queue->count < FB_LOOP_POSTS_MAX);
	if (queue->count == queue->cap) {
		size_t cap = queue->cap == 0 ? POSTS_START : queue->cap * 2;
		struct post *items = fb_must_alloc(cap, sizeof(*items));

		if (queue->count > 0)
			memcpy(items, queue->items, queue->count * sizeof(*items));
		free(queue->items);
		queue->items = items;
		queue->cap = cap;
	}
	queue->items[queue->count++] = post;
}

/* Under the lock: whoever closes the loop afterwards waits for the lock, so that the handle lives. */
static void wake_up(struct fb_loop *loop)
{
	if (!loop->woken)
		FB_ASSERT(uv_async_send(&loop->wake) == 0);
	loop->woken = true;
}

void fb_loop_post(struct fb_loop *loop, void (*fn)(void *arg), void *arg)
{
	FB_ASSERT(fn != NULL);
	pthread_mutex_lock(&loop->lock);
	queue_add(&loop->queue, (struct post){ fn, arg });
	wake_up(loop);
	pthread_mutex_unlock(&loop->lock);
}

void fb_loop_stop(struct fb_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->stopping = true;
	wake_up(loop);
	pthread_mutex_unlock(&loop->lock);
}

/* Runs what was queued when it was called: a post made meanwhile waits for the next round, so that
 * posts cannot keep sockets and timers from their turn. */
static size_t run_posts(struct fb_loop *loop)
{
	struct posts taken;

	pthread_mutex_lock(&loop->lock);
	taken = loop->queue;
	loop->queue = loop->spare;
	loop->woken = false;
	pthread_mutex_unlock(&loop->lock);
	for (size_t i = 0; i < taken.count; i++)
		taken.items[i].fn(taken.items[i].arg);
	if (taken.cap > POSTS_KEPT) {
		free(taken.items);
		taken = (struct posts){ 0 };
	}
	loop->spare = (struct posts){ taken.items, 0, taken.cap };
	return taken.count;
}

/* Under a stop everything posted is run before the loop ends. True: there is more to run. */
static bool stop_wants_more(struct fb_loop *loop)
{
	bool more, end;

	pthread_mutex_lock(&loop->lock);
	more = loop->stopping && loop->queue.count > 0;
	end = loop->stopping && !more;
	if (end)
		loop->stopping = false;
	pthread_mutex_unlock(&loop->lock);
	if (end)
		uv_stop(&loop->uv);
	return more;
}

static void on_wake(uv_async_t *wake)
{
	struct fb_loop *loop = wake->data;

	do
		run_posts(loop);
	while (stop_wants_more(loop));
}

enum fb_status fb_loop_open(struct fb_loop **out)
{
	struct fb_loop *loop = fb_must_alloc(1, sizeof(*loop));

	if (uv_loop_init(&loop->uv) != 0) {
		free(loop);
		return FB_IO;
	}
	if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
		FB_ASSERT(uv_loop_close(&loop->uv) == 0);
		free(loop);
		return FB_IO;
	}
	FB_ASSERT(pthread_mutex_init(&loop->lock, NULL) == 0);
	loop->wake.data = loop;
	loop->uv.data = loop;
	atomic_store(&loop->owner, pthread_self());
	*out = loop;
	return FB_OK;
}

/* A peer that closed its end must cost an EPIPE, not the program: TLS writes without MSG_NOSIGNAL. */
static void block_sigpipe(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	FB_ASSERT(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

void fb_loop_run(struct fb_loop *loop)
{
	FB_ASSERT(!loop->started);
	block_sigpipe();
	atomic_store(&loop->owner, pthread_self());
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void *thread_main(void *arg)
{
	struct fb_loop *loop = arg;

	atomic_store(&loop->owner, pthread_self());
	pthread_setname_np(pthread_self(), loop->thread_name);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return NULL;
}

/* Signals are the main thread's business: the new thread inherits a mask that blocks them all. */
void fb_loop_start(struct fb_loop *loop, const char *thread_name)
{
	struct fb_buf name;
	sigset_t all, before;

	FB_ASSERT(!loop->started);
	fb_buf_init(&name, loop->thread_name, THREAD_NAME_MAX);
	fb_buf_text(&name, thread_name);
	FB_ASSERT(!name.overflowed);
	loop->started = true;
	sigfillset(&all);
	FB_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	FB_ASSERT(pthread_create(&loop->thread, NULL, thread_main, loop) == 0);
	FB_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	atomic_store(&loop->owner, loop->thread);
}

static void assert_closing(uv_handle_t *handle, void *arg)
{
	(void)arg;
	FB_ASSERT(uv_is_closing(handle));
}

void fb_loop_close(struct fb_loop *loop)
{
	if (loop == NULL)
		return;
	if (loop->started) {
		FB_ASSERT(!fb_loop_is_mine(loop));
		fb_loop_stop(loop);
		FB_ASSERT(pthread_join(loop->thread, NULL) == 0);
	}
	atomic_store(&loop->owner, pthread_self());
	while (run_posts(loop) > 0)
		; /* posted after the stop: late, but not lost */
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_walk(&loop->uv, assert_closing, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	FB_ASSERT(uv_loop_close(&loop->uv) == 0);
	free(loop->spare.items);
	free(loop->queue.items);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}
