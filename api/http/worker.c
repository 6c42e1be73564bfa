/* A worker: one thread, one libmicrohttpd daemon, its turns, and its end.
 *
 * The daemon's loop is ours, and waits by itself before it lets the daemon look (MHD_run never waits). Two reasons,
 * both in libmicrohttpd 0.9.75: its own threads can stop for ever, because when a wait returns exactly 128 events it
 * waits again, without limit, before it looks at any of them (128 or 256 clients that one commit answers, and that all
 * send their next request at the same moment, are that case; more threads only make it rarer); and without such
 * threads nothing ends its wait when a connection is resumed. So each worker has a bell that a wake rings. */
#include "http_int.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	TICK_MS = 20, /* how late a deadline may be noticed */
	TICK_IDLE_MS = 50,
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
	/* Of the two limits of connections, crowd.c's is the nearer one. */
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, fb_http_exchange_step, w,
				MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_LIMIT, w->http->settings.connections_max + LISTEN_BACKLOG,
				MHD_OPTION_NOTIFY_CONNECTION, fb_http_conn_notify, w,
				MHD_OPTION_NOTIFY_COMPLETED, fb_http_exchange_end, w,
				MHD_OPTION_URI_LOG_CALLBACK, fb_http_exchange_begin, w,
				MHD_OPTION_UNESCAPE_CALLBACK, no_decoding, NULL, MHD_OPTION_END);
}

void fb_http_worker_ring(struct worker *w)
{
	const uint64_t one = 1;

	if (atomic_exchange(&w->rung, true))
		return; /* the ring before this one is still to be heard, and will find both */
	FB_ASSERT(write(w->bell, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

/* First the bell is silenced, then the daemon looks: who rings in between is heard by the next wait. */
static void silence(struct worker *w)
{
	uint64_t rings;

	FB_ASSERT(read(w->bell, &rings, sizeof(rings)) == (ssize_t)sizeof(rings));
	atomic_store(&w->rung, false);
}

static int tick_ms(const struct worker *w)
{
	return w->conn_count == 0 ? TICK_IDLE_MS : TICK_MS;
}

/* Until a socket, the bell or the time; not at all when the daemon has work left from its last look. */
static void wait_for_events(struct worker *w, int wait_ms)
{
	struct pollfd fds[] = { { .fd = w->events, .events = POLLIN }, { .fd = w->bell, .events = POLLIN } };
	MHD_UNSIGNED_LONG_LONG left;

	if (MHD_get_timeout(w->daemon, &left) == MHD_YES && left < (MHD_UNSIGNED_LONG_LONG)wait_ms)
		wait_ms = (int)left;
	if (poll(fds, FB_COUNT(fds), wait_ms) > 0 && fds[1].revents != 0)
		silence(w);
}

static void turn(struct worker *w, int wait_ms, bool hurry)
{
	uint64_t now;

	wait_for_events(w, wait_ms);
	if (MHD_run(w->daemon) != MHD_YES)
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

static int events_of(struct MHD_Daemon *daemon)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);

	FB_ASSERT(info != NULL && info->epoll_fd >= 0);
	return info->epoll_fd;
}

enum fb_status fb_http_worker_start(struct worker *w, struct fb_http *h, int listen_fd, struct fb_error *e)
{
	int failed;

	w->http = h;
	w->bell = eventfd(0, EFD_CLOEXEC);
	if (w->bell < 0)
		return fb_error_set(e, FB_IO, "cannot start the HTTP server: no descriptor for a wake-up: %s", strerror(errno));
	w->daemon = start_daemon(w, listen_fd);
	if (w->daemon == NULL) {
		close(w->bell);
		return fb_error_set(e, FB_IO, "cannot start the HTTP server on %s port %u: no epoll or no memory",
				    h->settings.bind, (unsigned)h->port);
	}
	w->events = events_of(w->daemon);
	failed = start_thread(w);
	if (failed == 0)
		return FB_OK;
	MHD_quiesce_daemon(w->daemon); /* the socket stays ours */
	MHD_stop_daemon(w->daemon);
	close(w->bell);
	return fb_error_set(e, FB_IO, "cannot start a thread of the HTTP server: %s", strerror(failed));
}

void fb_http_worker_join(struct worker *w)
{
	FB_ASSERT(pthread_join(w->thread, NULL) == 0);
	close(w->bell);
}
