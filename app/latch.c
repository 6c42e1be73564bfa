/* Waiting on the main thread for what happens on the loop's. */
#include "latch.h"

#include <stdio.h>

void fb_latch_init(struct fb_latch *l)
{
	*l = (struct fb_latch){ .status = FB_OK };
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->changed, NULL);
}

void fb_latch_set(struct fb_latch *l, enum fb_status status, const char *sentence)
{
	pthread_mutex_lock(&l->mutex);
	FB_ASSERT(!l->set);
	l->set = true;
	l->status = status;
	snprintf(l->error.text, sizeof(l->error.text), "%s", sentence == NULL ? "" : sentence);
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

enum fb_status fb_latch_wait(struct fb_latch *l)
{
	pthread_mutex_lock(&l->mutex);
	while (!l->set)
		pthread_cond_wait(&l->changed, &l->mutex);
	pthread_mutex_unlock(&l->mutex);
	return l->status;
}

void fb_latch_destroy(struct fb_latch *l)
{
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->mutex);
}

struct task {
	void (*fn)(void *arg);
	void *arg;
	struct fb_latch done;
};

static void run_task(void *arg)
{
	struct task *t = arg;

	t->fn(t->arg);
	fb_latch_set(&t->done, FB_OK, NULL);
}

void fb_run_on(struct fb_loop *loop, void (*fn)(void *arg), void *arg)
{
	struct task t = { .fn = fn, .arg = arg };

	fb_latch_init(&t.done);
	fb_loop_post(loop, run_task, &t);
	(void)fb_latch_wait(&t.done);
	fb_latch_destroy(&t.done);
}
