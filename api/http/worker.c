/* A worker: one thread, one libmicrohttpd daemon, its turns, and its end.
 *
 * The daemon's loop is ours (MHD_run_wait) because libmicrohttpd 0.9.75's own threads can stop for ever: when a wait
 * returns exactly 128 events it waits again before it looks at any of them, and without limit. 128 or 256 clients that
 * send at the same moment, as they do when one commit answers them all, and then wait for us, are that case; a pool of
 * several threads only makes it rarer. Here no wait is unlimited, and short where so many events are possible. */
#include "http_int.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

enum {
	EVENTS_AT_ONCE = 128, /* of libmicrohttpd */
	EVENTS_BESIDE = 2,    /* the listening socket's and a wake-up's */
	TICK_MS = 20,         /* how late a deadline may be noticed */
	TICK_IDLE_MS = 50,
	TICK_CROWD_MS = 5,
	NS_PER_MS = 1000000,
};

static size_t no_decoding(void *cls, struct MHD_Connection *mhd, char *text)
{
	(void)cls;
	(void)mhd;
	return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct worker *w, int listen_fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, fb_http_exchange_step, w,
				MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_LIMIT, w->http->settings.connections_max + LISTEN_BACKLOG, /* the limit is in crowd.c */
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION, fb_http_conn_notify, w,
				MHD_OPTION_NOTIFY_COMPLETED, fb_http_exchange_end, w, MHD_OPTION_URI_LOG_CALLBACK, fb_http_exchange_begin, w,
				MHD_OPTION_UNESCAPE_CALLBACK, no_decoding, NULL, MHD_OPTION_END);
}

static int tick_ms(const struct worker *w)
{
	if (w->conn_count == 0)
		return TICK_IDLE_MS;
	return w->conn_count < EVENTS_AT_ONCE - EVENTS_BESIDE ? TICK_MS : TICK_CROWD_MS;
}

static void turn(struct worker *w, int wait_ms, bool hurry)
{
	uint64_t now;

	if (MHD_run_wait(w->daemon, wait_ms) != MHD_YES)
		poll(NULL, 0, TICK_MS); /* the kernel refused something; no use in asking at full speed */
	now = fb_http_now(w->http);
	if (!hurry && now - w->swept_ns < (uint64_t)TICK_MS * NS_PER_MS)
		return;
	w->swept_ns = now;
	fb_http_conns_sweep(w, now, hurry);
}

static void drain(struct worker *w)
{
	uint64_t grace_end = w->http->stop_ns + w->http->settings.grace_ms * NS_PER_MS;

	MHD_quiesce_daemon(w->daemon);
	turn(w, 0, false); /* requests that already lie in their sockets still count as under way */
	w->draining = true;
	fb_http_conns_cut_idle(w);
	while (w->exchange_count > 0)
		turn(w, tick_ms(w), fb_http_now(w->http) >= grace_end);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&w->http->stopping))
		turn(w, tick_ms(w), false);
	drain(w);
	MHD_stop_daemon(w->daemon);
	FB_ASSERT(w->conns == NULL && w->conn_count == 0 && w->exchange_count == 0);
	fb_http_blocks_free(w);
	return NULL;
}

/* Signals are for the thread that started the server, SIGPIPE for nobody. */
static int start_thread(struct worker *w)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

enum fb_status fb_http_worker_start(struct worker *w, struct fb_http *h, int listen_fd, struct fb_error *e)
{
	int failed;

	w->http = h;
	w->daemon = start_daemon(w, listen_fd);
	if (w->daemon == NULL)
		return fb_error_set(e, FB_IO, "cannot start the HTTP server on %s port %u: no epoll or no memory", h->settings.bind, (unsigned)h->port);
	failed = start_thread(w);
	if (failed == 0)
		return FB_OK;
	MHD_quiesce_daemon(w->daemon); /* the socket stays ours */
	MHD_stop_daemon(w->daemon);
	return fb_error_set(e, FB_IO, "cannot start a thread of the HTTP server: %s", strerror(failed));
}

void fb_http_worker_join(struct worker *w)
{
	FB_ASSERT(pthread_join(w->thread, NULL) == 0);
}
