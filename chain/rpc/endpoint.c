/* The endpoints: what their URLs may be, which one is asked, and how a failed one rests. */
#include "rpc_int.h"

#include <stdlib.h>
#include <string.h>

static bool all_visible(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~')
			return false;
	return true;
}

/* What stands between "//" and the path, query or fragment, without user and password. */
static struct fb_str host_of(struct fb_str rest)
{
	size_t end = 0, start = 0;

	while (end < rest.len && strchr("/?#\\", rest.at[end]) == NULL)
		end++;
	for (size_t i = 0; i < end; i++)
		if (rest.at[i] == '@')
			start = i + 1;
	return (struct fb_str){ rest.at + start, end - start };
}

/* All of a URL that may be logged. FB_BAD_VALUE if it is none. */
static enum fb_status label(char out[FB_RPC_LABEL_MAX], struct fb_str url)
{
	struct fb_str scheme, rest, host;
	struct fb_buf b;

	if (!all_visible(url) || !fb_str_split(&scheme, &rest, url, ':') || !fb_str_starts(rest, FB_STR("//")))
		return FB_BAD_VALUE;
	if (!fb_str_eq_nocase(scheme, FB_STR("http")) && !fb_str_eq_nocase(scheme, FB_STR("https")))
		return FB_BAD_VALUE;
	host = host_of((struct fb_str){ rest.at + 2, rest.len - 2 });
	fb_buf_init(&b, out, FB_RPC_LABEL_MAX);
	fb_buf_str(&b, scheme);
	fb_buf_text(&b, "://");
	fb_buf_str(&b, host);
	fb_buf_char(&b, '\0');
	return host.len == 0 || b.overflowed ? FB_BAD_VALUE : FB_OK;
}

enum fb_status fb_endpoint_open(struct fb_endpoint *e, struct fb_rpc *rpc, const char *url)
{
	struct fb_str text = fb_str_of(url);
	enum fb_status st = label(e->label, text);

	if (st != FB_OK)
		return st;
	e->rpc = rpc;
	e->url = fb_must_alloc(text.len + 1, 1);
	memcpy(e->url, text.at, text.len);
	return FB_OK;
}

void fb_endpoint_close(struct fb_endpoint *e)
{
	fb_timer_stop(e->rest);
	free(e->url);
}

static bool choose(size_t *out, const struct fb_rpc *rpc, uint32_t tried, bool resting_too)
{
	for (size_t i = 0; i < rpc->endpoint_count; i++) {
		size_t at = (rpc->current + i) % rpc->endpoint_count;

		if ((tried >> at & 1) == 0 && (resting_too || rpc->endpoints[at].rest == NULL)) {
			*out = at;
			return true;
		}
	}
	return false;
}

bool fb_endpoint_choose(size_t *out, const struct fb_rpc *rpc, uint32_t tried)
{
	return choose(out, rpc, tried, false) || choose(out, rpc, tried, true);
}

bool fb_endpoint_all_rest(const struct fb_rpc *rpc)
{
	size_t at;

	return !choose(&at, rpc, 0, false);
}

static void wake(struct fb_endpoint *e)
{
	fb_timer_stop(e->rest);
	e->rest = NULL;
}

static void on_rested(void *arg)
{
	wake(arg);
}

void fb_endpoint_answered(struct fb_endpoint *e)
{
	struct fb_rpc *rpc = e->rpc;

	wake(e);
	if (rpc->endpoints[rpc->current].rest != NULL)
		rpc->current = (size_t)(e - rpc->endpoints);
}

/* One line a rest, not one a failure: a dead endpoint must not fill the log. */
void fb_endpoint_rest(struct fb_endpoint *e, const char *why)
{
	struct fb_rpc *rpc = e->rpc;

	if (e->rest == NULL)
		fb_log(rpc->log, FB_EV_RPC_FAILOVER, FB_F_TEXT("endpoint", e->label), FB_F_TEXT("why", why));
	fb_timer_stop(e->rest);
	e->rest = fb_timer_start(rpc->loop, FB_RPC_REST_MS, 0, on_rested, e);
	if (e == &rpc->endpoints[rpc->current])
		FB_ASSERT(fb_endpoint_choose(&rpc->current, rpc, 0));
}
