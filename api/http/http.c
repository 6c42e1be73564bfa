/* The server as a whole: opening, its port, stopping. */
#include "http_int.h"

#include <stdlib.h>
#include <unistd.h>

static bool needs_authorise(const struct fb_mount *mounts, size_t count)
{
	for (size_t m = 0; m < count; m++)
		for (size_t i = 0; i < mounts[m].count; i++)
			if (mounts[m].routes[i].auth != FB_AUTH_NONE)
				return true;
	return false;
}

static void check_settings(const struct fb_http_settings *s, const struct fb_mount *mounts, size_t count)
{
	FB_ASSERT(s->bind != NULL);
	FB_ASSERT(s->threads >= 2 && s->threads <= THREADS_MAX);
	FB_ASSERT(s->connections_max > 0 && s->per_address_max > 0);
	FB_ASSERT(s->read_ms > 0 && s->idle_ms > 0);
	FB_ASSERT(s->authorise != NULL || !needs_authorise(mounts, count));
	fb_http_routes_check(mounts, count);
}

static uint64_t random_u64(const struct fb_rng *rng)
{
	uint8_t bytes[8];

	rng->fill(rng->ctx, bytes, sizeof(bytes));
	return fb_get_be64(bytes);
}

static enum fb_status start(struct fb_http *h, struct fb_error *e)
{
	enum fb_status st = fb_http_listen(h->listen_fds, &h->port, &h->settings, e);

	h->listening = st == FB_OK;
	while (st == FB_OK && h->running < h->settings.threads) {
		st = fb_http_worker_start(&h->workers[h->running], h, h->listen_fds[h->running], e);
		if (st == FB_OK)
			h->running++;
	}
	return st;
}

enum fb_status fb_http_open(struct fb_http **out, const struct fb_http_settings *settings,
			    const struct fb_mount *mounts, size_t count, struct fb_clock clock, struct fb_rng rng,
			    struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	struct fb_http *h = fb_must_alloc(1, sizeof(*h));
	enum fb_status st;

	check_settings(settings, mounts, count);
	FB_ASSERT(clock.mono_ns != NULL && rng.fill != NULL);
	h->settings = *settings;
	h->mounts = mounts;
	h->mount_count = count;
	h->clock = clock;
	h->rng = rng;
	h->log = log;
	h->metrics = metrics;
	atomic_init(&h->stopping, false);
	h->crowd = fb_http_crowd_open(settings->connections_max, settings->per_address_max, random_u64(&rng));
	st = start(h, e);
	if (st == FB_OK)
		*out = h;
	else
		fb_http_stop(h);
	return st;
}

uint16_t fb_http_port(const struct fb_http *h)
{
	return h->port;
}

void fb_http_stop(struct fb_http *h)
{
	if (h == NULL)
		return;
	h->stop_ns = fb_http_now(h);
	atomic_store(&h->stopping, true);
	for (unsigned i = 0; i < h->running; i++)
		fb_http_worker_join(&h->workers[i]);
	for (unsigned i = 0; h->listening && i < h->settings.threads; i++)
		close(h->listen_fds[i]); /* only now: a daemon waited on it */
	fb_http_crowd_close(h->crowd);
	free(h);
}
