/* Answering when a change is durable. */
#include "identity_int.h"

#include <stdlib.h>

/* Held by the request and by the change. */
struct pending {
	atomic_int holders;
	struct fb_http_wait *wait;
	enum fb_status status;
};
/* In the request's arena. */
struct answer {
	struct pending *pending;
	uint16_t status;
	struct fb_str json;
};

static void release(struct pending *p)
{
	if (atomic_fetch_sub(&p->holders, 1) == 1)
		free(p);
}

static void on_done(void *arg, enum fb_status status)
{
	struct pending *p = arg;

	p->status = status;
	fb_http_wake(p->wait);
	release(p);
}

static struct fb_answered finish(struct fb_request *r)
{
	struct answer *a = r->state;
	enum fb_status st = r->expired ? FB_TIMEOUT : a->pending->status;

	release(a->pending);
	if (st == FB_TIMEOUT)
		return fb_envelope_status(r, st, "the disk is slow: whether this was stored is not known yet");
	return st == FB_OK ? fb_envelope_data(r, a->status, a->json) : fb_envelope_status(r, st, NULL);
}

static struct fb_answered refuse(struct fb_request *r, enum fb_status st)
{
	struct fb_problem p;

	if (st == FB_BUSY)
		return fb_envelope_status(r, st, "another change of the same principal is under way");
	if (st == FB_LIMIT)
		return fb_envelope_status(r, st, "too many registrations, or too many keys of this principal");
	if (st == FB_CONFLICT)
		(void)fb_problem_set(&p, 409, "wallet_taken", "message: this wallet is linked already");
	else
		(void)fb_problem_set(&p, 401, "owner_id_taken",
				     "owner_id: it exists; a key of it, or an admin's, has to ask for another one");
	return fb_envelope_problem(r, &p);
}

struct fb_answered fb_no_memory(struct fb_request *r)
{
	return fb_envelope_status(r, FB_NO_MEMORY, NULL);
}

struct fb_answered fb_change_answer(struct fb_request *r, struct change *c, uint16_t status, struct fb_str json)
{
	struct pending *p = fb_must_alloc(1, sizeof(*p));
	struct answer *a = FB_NEW(r->arena, struct answer);
	struct fb_http_wait *w;
	enum fb_status st;

	if (a == NULL || r->arena->overflowed) {
		free(p);
		fb_change_drop(c);
		return fb_no_memory(r);
	}
	atomic_init(&p->holders, 2);
	*a = (struct answer){ p, status, json };
	c->done = on_done;
	c->arg = p;
	st = fb_change_take(c);
	if (st != FB_OK) {
		free(p);
		return refuse(r, st);
	}
	r->state = a;
	w = p->wait = fb_http_wait(r, finish, CHANGE_MS);
	fb_change_commit(c);
	return fb_http_later(w);
}
