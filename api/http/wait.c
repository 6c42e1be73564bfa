/* Tokens of requests that are answered later.
 *
 * A token is held twice: by the request until its continuation runs, by the waker until it has called. Whoever moves
 * the state away from WAITING resumes the connection; so it is resumed exactly once, and only while it is suspended,
 * in which state libmicrohttpd does not close it. A wake that comes later finds another state and touches nothing. */
#include "http_int.h"

#include <sched.h>
#include <stdlib.h>

enum { WAITING, WAKING, WOKEN, EXPIRED };

struct fb_http_wait {
	atomic_int refs, state;
	struct MHD_Connection *mhd; /* valid while WAITING or WAKING, like its worker */
	struct worker *worker;
};

static void drop(struct fb_http_wait *w)
{
	int before = atomic_fetch_sub(&w->refs, 1);

	FB_ASSERT(before == 1 || before == 2);
	if (before == 1)
		free(w);
}

static bool leave_waiting(struct fb_http_wait *w, int state)
{
	int expected = WAITING;

	return atomic_compare_exchange_strong(&w->state, &expected, state);
}

struct fb_http_wait *fb_http_wait(struct fb_request *r, fb_handler *next, uint64_t deadline_ms)
{
	struct exchange *x = fb_exchange_of(r);
	struct fb_http_wait *w = fb_must_alloc(1, sizeof(*w));

	FB_ASSERT(x->stage == STAGE_HANDLER);
	FB_ASSERT(next != NULL);
	FB_ASSERT(!r->expired); /* an expired continuation must answer: this bounds the stop */
	FB_ASSERT(deadline_ms <= FB_HTTP_WAIT_MAX_MS);
	atomic_init(&w->refs, 2);
	atomic_init(&w->state, x->gone ? EXPIRED : WAITING);
	w->mhd = x->mhd;
	w->worker = x->conn->worker;
	x->wait = w;
	x->next = next;
	x->stage = STAGE_WAITING;
	fb_http_conn_deadline(x->conn, deadline_ms);
	if (!x->gone)
		MHD_suspend_connection(x->mhd);
	return w;
}

struct fb_answered fb_http_later(struct fb_http_wait *w)
{
	FB_ASSERT(w != NULL); /* not looked into: it may be woken, answered and freed by now */
	return (struct fb_answered){ HOW_LATER };
}

void fb_http_wake(struct fb_http_wait *w)
{
	if (leave_waiting(w, WAKING)) {
		MHD_resume_connection(w->mhd);
		fb_http_worker_ring(w->worker);
		atomic_store(&w->state, WOKEN);
	}
	drop(w);
}

void fb_http_wait_expire(struct exchange *x)
{
	FB_ASSERT(x->stage == STAGE_WAITING);
	if (!leave_waiting(x->wait, EXPIRED))
		return;
	MHD_resume_connection(x->mhd);
	fb_http_worker_ring(x->conn->worker);
}

bool fb_http_wait_finish(struct exchange *x)
{
	struct fb_http_wait *w = x->wait;
	int state;

	/* The waker is between two statements: until it is through, the daemon must not end. */
	while ((state = atomic_load(&w->state)) == WAKING)
		sched_yield();
	FB_ASSERT(state == WOKEN || state == EXPIRED);
	x->wait = NULL;
	drop(w);
	return state == EXPIRED;
}
