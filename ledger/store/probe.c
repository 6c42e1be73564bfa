/* The places where a test may interfere, in test builds alone: one hook for tests that link this library, and for the
 * built program FAREBOX_KILL_AT="before commit 3", with which the process kills itself when it comes for the third time
 * to the place before a commit. */
#include "probe.h"

#ifdef FB_VERIFY
#include "farebox/core.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static struct store_probe hook;

void store_probe_set(struct store_probe probe)
{
	hook = probe;
}

/* Where the process ends; step is STORE_STEP_END if it does not. */
static struct {
	enum store_step step;
	bool after;
	uint64_t times;
	atomic_uint_least64_t passed;
} end = { .step = STORE_STEP_END };

static void find_step(struct fb_str name)
{
	static const char *const names[] = {
#define X(name, text) text,
		STORE_STEPS(X)
#undef X
	};

	for (unsigned step = 0; step < FB_COUNT(names); step++)
		if (fb_str_eq(name, fb_str_of(names[step])))
			end.step = (enum store_step)step;
}

static void read_end(void)
{
	const char *place = getenv("FAREBOX_KILL_AT");
	struct fb_str side, rest, step, times;

	if (place == NULL)
		return;
	if (!fb_str_split(&side, &rest, fb_str_of(place), ' ') || !fb_str_split(&step, &times, rest, ' ') ||
	    fb_u64_parse(&end.times, times) != FB_OK)
		fb_panic(__FILE__, __LINE__, __func__, "FAREBOX_KILL_AT: want SIDE STEP TIMES");
	end.after = fb_str_eq(side, FB_STR("after"));
	find_step(step);
}

static void end_at(enum store_step step, bool after)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	FB_ASSERT(pthread_once(&once, read_end) == 0);
	if (step == end.step && after == end.after && atomic_fetch_add(&end.passed, 1) + 1 == end.times)
		kill(getpid(), SIGKILL);
}

bool store_before(enum store_step step)
{
	end_at(step, false);
	return hook.at != NULL && hook.at(hook.ctx, step, false);
}

bool store_after(enum store_step step)
{
	end_at(step, true);
	return hook.at != NULL && hook.at(hook.ctx, step, true);
}
#endif
