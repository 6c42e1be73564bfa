/* The places where a test may interfere: one hook, in test builds alone. */
#include "probe.h"

#ifdef FB_VERIFY
#include <stddef.h>

static struct store_probe hook;

void store_probe_set(struct store_probe probe)
{
	hook = probe;
}

bool store_before(enum store_step step)
{
	return hook.at != NULL && hook.at(hook.ctx, step, false);
}

bool store_after(enum store_step step)
{
	return hook.at != NULL && hook.at(hook.ctx, step, true);
}
#endif
