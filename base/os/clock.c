/* Time and randomness of the operating system, as ports. */
#include "farebox/os.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static struct timespec now(clockid_t id)
{
	struct timespec t;

	FB_ASSERT(clock_gettime(id, &t) == 0); /* fails for an unknown clock only */
	return t;
}

static uint64_t mono_ns(void *ctx)
{
	struct timespec t = now(CLOCK_MONOTONIC);

	(void)ctx;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int64_t wall_us(void *ctx)
{
	struct timespec t = now(CLOCK_REALTIME);

	(void)ctx;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct fb_clock fb_os_clock(void)
{
	return (struct fb_clock){ .mono_ns = mono_ns, .wall_us = wall_us };
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
	size_t done = 0;

	(void)ctx;
	while (done < len) {
		ssize_t n = getrandom(out + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		FB_ASSERT(n > 0); /* a predictable key or nonce is worse than no program */
		done += (size_t)n;
	}
}

struct fb_rng fb_os_rng(void)
{
	return (struct fb_rng){ .fill = fill };
}
