/* The connections: each sends a body, waits for the whole answer, judges it, and sends the next. */
#define _GNU_SOURCE
#include "load.h"

#include "farebox/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, HEAD_MAX = 256, EXCERPT_MAX = 300 };

struct connection {
	int fd; /* -1: closed */
	bool waiting, bad;
	uint64_t body; /* its number among the good or the bad ones */
	unsigned tries;
	uint64_t sent_ns; /* the first time */
	struct load_answer answer;
};

struct run {
	const struct load_plan *plan;
	struct load_result *result;
	struct fb_clock clock;
	struct load_outcomes *outcomes;
	int epoll;
	uint64_t end_ns;
	size_t waiting, next_good, next_bad;
	struct connection connections[LOAD_CONNECTIONS_MAX];
};

static uint64_t now_ns(const struct run *r)
{
	return r->clock.mono_ns(r->clock.ctx);
}

static void note_fault(struct run *r, const char *what, struct fb_str excerpt)
{
	if (r->result->first_fault[0] != '\0')
		return;
	if (excerpt.len > EXCERPT_MAX)
		excerpt.len = EXCERPT_MAX;
	snprintf(r->result->first_fault, sizeof(r->result->first_fault), "%s: %.*s", what, FB_STR_ARG(excerpt));
}

/* ---- connecting and sending ---------------------------------------------------------------------- */

static struct fb_str arrived(const struct connection *c)
{
	return (struct fb_str){ c->answer.at, c->answer.len };
}

static void disconnect(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static bool connect_one(struct run *r, struct connection *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && connect(c->fd, (const struct sockaddr *)&r->plan->server, sizeof(r->plan->server)) == 0 &&
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0)
		return true;
	note_fault(r, "connect", fb_str_of(strerror(errno)));
	return false;
}

static void choose_body(struct run *r, struct connection *c)
{
	const struct load_plan *p = r->plan;

	c->bad = p->bad_every > 0 && r->result->sent % p->bad_every == p->bad_every - 1;
	c->body = c->bad ? r->next_bad++ % p->bad.count : r->next_good++ % p->good.count;
}

static struct fb_str body_of(const struct run *r, const struct connection *c)
{
	return c->bad ? r->plan->bad.line[c->body] : r->plan->good.line[c->body];
}

/* The socket blocks: a request fits its buffer, because the last answer was whole. */
static bool send_request(struct run *r, struct connection *c, struct fb_str body)
{
	char block[HEAD_MAX];
	struct fb_buf head;
	struct iovec parts[2];
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	fb_buf_init(&head, block, sizeof(block));
	fb_buf_text(&head, "POST ");
	fb_buf_text(&head, r->plan->path);
	fb_buf_text(&head, " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ");
	fb_buf_u64(&head, body.len);
	fb_buf_text(&head, "\r\n\r\n");
	FB_ASSERT(!head.overflowed);
	parts[0] = (struct iovec){ head.at, head.len };
	parts[1] = (struct iovec){ (void *)(uintptr_t)body.at, body.len };
	return sendmsg(c->fd, &message, MSG_NOSIGNAL) == (ssize_t)(head.len + body.len);
}

static bool is_over(const struct run *r, uint64_t now)
{
	return r->result->sent >= r->plan->requests || now >= r->end_ns;
}

static void lose(struct run *r, struct connection *c, const char *what)
{
	note_fault(r, what, arrived(c));
	load_outcomes_add(r->outcomes, c->body, "lost", (struct fb_str){ "", 0 });
	r->result->lost++;
	disconnect(c);
}

static void send_body(struct run *r, struct connection *c)
{
	c->answer.len = 0;
	c->tries++;
	if (c->fd < 0 && !connect_one(r, c)) {
		lose(r, c, "connect");
	} else if (!send_request(r, c, body_of(r, c))) {
		lose(r, c, "send");
	} else {
		c->waiting = true;
		r->waiting++;
	}
}

static void send_next(struct run *r, struct connection *c, uint64_t now)
{
	if (is_over(r, now))
		return;
	choose_body(r, c);
	r->result->sent++;
	c->sent_ns = now;
	c->tries = 0;
	send_body(r, c);
}

/* ---- answers --------------------------------------------------------------------------------------- */

static bool has_text(struct fb_str body, struct fb_str text)
{
	return text.len > 0 && memmem(body.at, body.len, text.at, text.len) != NULL;
}

static bool is_right(const struct run *r, const struct load_view *v, bool bad)
{
	bool wanted = has_text(v->body, r->plan->want);

	return bad ? !wanted && v->status < 500 : wanted && v->status == 200;
}

static bool is_to_be_sent_again(const struct run *r, const struct connection *c, const struct load_view *v)
{
	return !c->bad && c->tries < LOAD_TRIES_MAX && v->status == 200 && has_text(v->body, r->plan->again);
}

static void judge(struct run *r, struct connection *c, const struct load_view *v, uint64_t now)
{
	uint64_t us = (now - c->sent_ns) / 1000;
	bool right = is_right(r, v, c->bad);

	r->result->sample_us[r->result->samples++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	load_outcomes_add(r->outcomes, c->body, right ? "right" : "wrong", v->body);
	if (right)
		return;
	r->result->wrong++;
	note_fault(r, c->bad ? "answer to a bad body" : "answer", arrived(c));
}

static void take_answer(struct run *r, struct connection *c, const struct load_view *v)
{
	uint64_t now = now_ns(r);
	bool again = is_to_be_sent_again(r, c, v);

	if (!again)
		judge(r, c, v, now);
	if (v->close) {
		r->result->closed++;
		disconnect(c);
	}
	r->result->again += again;
	if (again)
		send_body(r, c);
	else
		send_next(r, c, now);
}

static void end_wait(struct run *r, struct connection *c)
{
	FB_ASSERT(c->waiting && r->waiting > 0);
	c->waiting = false;
	r->waiting--;
}

static void on_readable(struct run *r, struct connection *c)
{
	struct load_answer *a = &c->answer;
	struct load_view view;
	ssize_t got = recv(c->fd, a->at + a->len, sizeof(a->at) - a->len, MSG_DONTWAIT);
	enum fb_status st;

	if (!c->waiting) {
		disconnect(c); /* the server ended an idle connection */
		return;
	}
	if (got > 0)
		a->len += (size_t)got;
	st = got > 0 ? load_answer_view(&view, a) : FB_UNREACHABLE;
	if (st == FB_PENDING)
		return;
	end_wait(r, c);
	if (st == FB_OK) {
		take_answer(r, c, &view);
	} else {
		lose(r, c, st == FB_BAD_SYNTAX ? "not understood" : "connection ended");
		send_next(r, c, now_ns(r));
	}
}

static void give_up(struct run *r)
{
	for (unsigned i = 0; i < r->plan->connections; i++)
		if (r->connections[i].waiting) {
			end_wait(r, &r->connections[i]);
			lose(r, &r->connections[i], "no answer");
		}
}

static void wait_and_serve(struct run *r)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(r->epoll, events, EVENTS_MAX, (int)r->plan->patience_ms);

	if (count == 0)
		give_up(r);
	for (int i = 0; i < count; i++)
		on_readable(r, events[i].data.ptr);
}

static uint64_t us_of(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_usec;
}

static uint64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return us_of(u.ru_utime) + us_of(u.ru_stime);
}

void load_run(struct load_result *out, const struct load_plan *plan)
{
	static struct run r;
	uint64_t start, cpu = cpu_us();

	FB_ASSERT(plan->connections > 0 && plan->connections <= LOAD_CONNECTIONS_MAX);
	FB_ASSERT(plan->requests <= LOAD_REQUESTS_MAX);
	*out = (struct load_result){ .sample_us = fb_must_alloc(LOAD_REQUESTS_MAX, sizeof(*out->sample_us)) };
	r = (struct run){ .plan = plan, .result = out, .clock = fb_os_clock(), .epoll = epoll_create1(EPOLL_CLOEXEC) };
	r.outcomes = load_outcomes_open(plan->outcomes);
	r.next_good = plan->first;
	FB_ASSERT(r.epoll >= 0);
	start = now_ns(&r);
	r.end_ns = start + plan->seconds * UINT64_C(1000000000);
	for (unsigned i = 0; i < plan->connections; i++) {
		r.connections[i].fd = -1;
		send_next(&r, &r.connections[i], now_ns(&r));
	}
	while (r.waiting > 0)
		wait_and_serve(&r);
	out->cpu_us = cpu_us() - cpu;
	out->elapsed_us = (now_ns(&r) - start) / 1000;
	for (unsigned i = 0; i < plan->connections; i++)
		disconnect(&r.connections[i]);
	load_outcomes_close(r.outcomes);
	close(r.epoll);
}
