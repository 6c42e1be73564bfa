/* The HTTP client: curl's multi interface driven by the loop's sockets and timers. */
#include "net_int.h"

#include <pthread.h>
#include <stdlib.h>

enum { IDLE_MAX = 64, CONNECTIONS_KEPT = 64, CONNECTIONS_MAX = 512, CLOSING_SENDS_MAX = 65536 };

struct list {
	struct fb_exchange *first, *last;
	size_t count;
};

struct fb_net {
	struct fb_loop *loop;
	CURLM *multi;
	uv_timer_t *clock;    /* when curl wants to be called without a socket event */
	uv_timer_t *deferred; /* the answers to refused requests: never inside fb_net_send */
	struct list pending, refused, idle;
	size_t closing_sends;
	bool closing, inside_done;
};

/* A socket that curl wants watched. */
struct watch {
	uv_poll_t uv; /* first: the handle is the allocation */
	struct fb_net *net;
	curl_socket_t fd;
};

static void list_add(struct list *list, struct fb_exchange *x)
{
	x->prev = list->last;
	x->next = NULL;
	if (list->last == NULL)
		list->first = x;
	else
		list->last->next = x;
	list->last = x;
	list->count++;
}

static void list_remove(struct list *list, struct fb_exchange *x)
{
	FB_ASSERT(list->count > 0);
	if (x->prev == NULL)
		list->first = x->next;
	else
		x->prev->next = x->next;
	if (x->next == NULL)
		list->last = x->prev;
	else
		x->next->prev = x->prev;
	list->count--;
}

/* The last one used first: its memory is warm. */
static struct fb_exchange *take_idle(struct fb_net *net)
{
	struct fb_exchange *x = net->idle.last;

	if (x == NULL)
		return fb_exchange_open();
	list_remove(&net->idle, x);
	return x;
}

static void give_idle(struct fb_net *net, struct fb_exchange *x)
{
	if (net->idle.count == IDLE_MAX)
		fb_exchange_close(x);
	else
		list_add(&net->idle, x);
}

/* Ends one request; its caller may send the next one meanwhile, but not close the net. A status other
 * than FB_OK stands above what curl may have said. */
static void end(struct fb_net *net, struct fb_exchange *x, enum fb_status status, const char *why, CURLcode result)
{
	FB_ASSERT(!net->inside_done);
	list_remove(x->given ? &net->pending : &net->refused, x);
	if (x->given)
		FB_ASSERT(curl_multi_remove_handle(net->multi, x->easy) == CURLM_OK);
	net->inside_done = true;
	if (status != FB_OK)
		fb_exchange_refuse(x, status, why);
	else
		fb_exchange_finish(x, result);
	net->inside_done = false;
	give_idle(net, x);
}

static void harvest(struct fb_net *net)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(net->multi, &left)) != NULL) {
		CURLcode result = message->data.result;
		struct fb_exchange *x = NULL;

		FB_ASSERT(message->msg == CURLMSG_DONE);
		FB_ASSERT(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK);
		end(net, x, FB_OK, NULL, result);
	}
}

static void act(struct fb_net *net, curl_socket_t fd, int events)
{
	int running;

	FB_ASSERT(curl_multi_socket_action(net->multi, fd, events, &running) == CURLM_OK);
	harvest(net);
}

static void on_ready(uv_poll_t *uv, int status, int events)
{
	struct watch *watch = (struct watch *)uv;
	int flags = 0;

	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	act(watch->net, watch->fd, flags);
}

static void on_clock(uv_timer_t *clock)
{
	act(clock->data, CURL_SOCKET_TIMEOUT, 0);
}

static struct watch *watch_open(struct fb_net *net, curl_socket_t fd)
{
	struct watch *watch = fb_must_alloc(1, sizeof(*watch));

	watch->net = net;
	watch->fd = fd;
	FB_ASSERT(uv_poll_init_socket(fb_loop_uv(net->loop), &watch->uv, fd) == 0);
	FB_ASSERT(curl_multi_assign(net->multi, fd, watch) == CURLM_OK);
	return watch;
}

/* curl's request to watch a socket, or no longer. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct fb_net *net = arg;
	struct watch *watch = assigned;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL)
			fb_handle_close((uv_handle_t *)&watch->uv);
		return 0;
	}
	if (watch == NULL)
		watch = watch_open(net, fd);
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	FB_ASSERT(uv_poll_start(&watch->uv, events, on_ready) == 0);
	return 0;
}

/* curl's request to be called after some time, or no longer. */
static int on_clock_wanted(CURLM *multi, long ms, void *arg)
{
	struct fb_net *net = arg;

	(void)multi;
	if (ms < 0)
		FB_ASSERT(uv_timer_stop(net->clock) == 0);
	else
		FB_ASSERT(uv_timer_start(net->clock, on_clock, (uint64_t)ms, 0) == 0);
	return 0;
}

static uv_timer_t *new_timer(struct fb_net *net)
{
	uv_timer_t *timer = fb_must_alloc(1, sizeof(*timer));

	FB_ASSERT(uv_timer_init(fb_loop_uv(net->loop), timer) == 0);
	timer->data = net;
	return timer;
}

static void init_curl(void)
{
	FB_ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static void set_up(struct fb_net *net)
{
	CURLM *m = net->multi;

	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_SOCKETDATA, net) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_clock_wanted) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_TIMERDATA, net) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) == CURLM_OK);
	FB_ASSERT(curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX) == CURLM_OK);
}

enum fb_status fb_net_open(struct fb_net **out, struct fb_loop *loop)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct fb_net *net;

	FB_ASSERT(fb_loop_is_mine(loop));
	FB_ASSERT(pthread_once(&once, init_curl) == 0);
	net = fb_must_alloc(1, sizeof(*net));
	net->loop = loop;
	net->multi = curl_multi_init();
	if (net->multi == NULL) {
		free(net);
		return FB_NO_MEMORY;
	}
	net->clock = new_timer(net);
	net->deferred = new_timer(net);
	set_up(net);
	*out = net;
	return FB_OK;
}

/* Of the requests refused so far; one refused meanwhile waits for the next round. */
static void on_deferred(uv_timer_t *timer)
{
	struct fb_net *net = timer->data;

	for (size_t n = net->refused.count; n > 0; n--)
		end(net, net->refused.first, FB_BUSY, "too many requests under way", CURLE_OK);
}

static void submit(struct fb_net *net, struct fb_exchange *x)
{
	x->given = net->pending.count < FB_NET_PENDING_MAX && !net->closing;
	list_add(x->given ? &net->pending : &net->refused, x);
	if (x->given)
		FB_ASSERT(curl_multi_add_handle(net->multi, x->easy) == CURLM_OK);
	else
		FB_ASSERT(uv_timer_start(net->deferred, on_deferred, 0, 0) == 0);
}

void fb_net_send(struct fb_net *net, const struct fb_net_request *request,
		 void (*done)(void *arg, const struct fb_net_reply *reply), void *arg)
{
	struct fb_exchange *x;

	FB_ASSERT(done != NULL);
	FB_ASSERT(fb_loop_is_mine(net->loop));
	FB_ASSERT(!net->closing || net->closing_sends++ < CLOSING_SENDS_MAX);
	x = take_idle(net);
	fb_exchange_prepare(x, request);
	x->done = done;
	x->arg = arg;
	x->began_ns = uv_hrtime();
	submit(net, x);
}

static void end_all(struct fb_net *net)
{
	while (net->pending.count > 0)
		end(net, net->pending.first, FB_DRAINING, "closing", CURLE_OK);
	while (net->refused.count > 0)
		end(net, net->refused.first, FB_DRAINING, "closing", CURLE_OK);
}

void fb_net_close(struct fb_net *net)
{
	if (net == NULL)
		return;
	FB_ASSERT(fb_loop_is_mine(net->loop));
	FB_ASSERT(!net->inside_done && !net->closing);
	net->closing = true;
	end_all(net); /* what is sent meanwhile is refused, so the first list only shrinks */
	FB_ASSERT(net->pending.count == 0);
	FB_ASSERT(curl_multi_cleanup(net->multi) == CURLM_OK);
	fb_handle_close((uv_handle_t *)net->clock);
	fb_handle_close((uv_handle_t *)net->deferred);
	while (net->idle.count > 0)
		fb_exchange_close(take_idle(net));
	free(net);
}
