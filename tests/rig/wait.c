/* Waiting for what other threads do, in real time. */
#include "rig_int.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

void rig_lock(struct fb_rig *r)
{
	FB_ASSERT(pthread_mutex_lock(&r->lock) == 0);
}

void rig_unlock(struct fb_rig *r)
{
	pthread_cond_broadcast(&r->changed);
	FB_ASSERT(pthread_mutex_unlock(&r->lock) == 0);
}

void rig_wait(struct fb_rig *r, bool (*check)(struct fb_rig *r, void *arg), void *arg, const char *what)
{
	struct timespec until;

	FB_ASSERT(clock_gettime(CLOCK_REALTIME, &until) == 0);
	until.tv_sec += FB_RIG_WAIT_MS / 1000;
	while (!check(r, arg)) {
		if (pthread_cond_timedwait(&r->changed, &r->lock, &until) == ETIMEDOUT) {
			fprintf(stderr, "rig: waited in vain until %s\n", what);
			FB_UNREACHABLE("the rig waits in vain");
		}
	}
}
