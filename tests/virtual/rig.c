/* The rig waits by running events. */
#include "virtual.h"

#include "rig_int.h"

#include <stdio.h>

enum { WAIT_MS_MAX = 600000 /* of virtual time, before a test gives up */ };

void rig_lock(struct fb_rig *r)
{
	FB_ASSERT(pthread_mutex_lock(&r->lock) == 0);
}

void rig_unlock(struct fb_rig *r)
{
	FB_ASSERT(pthread_mutex_unlock(&r->lock) == 0);
}

void rig_wait(struct fb_rig *r, bool (*check)(struct fb_rig *r, void *arg), void *arg, const char *what)
{
	uint64_t until_ns = virtual_now_ns() + (uint64_t)WAIT_MS_MAX * VIRTUAL_MS;

	while (!check(r, arg)) {
		bool more;

		rig_unlock(r);
		more = virtual_now_ns() < until_ns && virtual_step();
		rig_lock(r);
		if (!more) {
			fprintf(stderr, "rig: waited in vain until %s\n", what);
			FB_UNREACHABLE("the rig waits in vain");
		}
	}
}
