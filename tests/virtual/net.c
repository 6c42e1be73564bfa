/* HTTP without sockets: a request reaches its simulated chain after a while, and its reply comes back after another. */
#include "virtual.h"

#include "farebox/net.h"
#include "sim_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS_MAX = 4, URL_MAX = 64, BODY_MAX = 1 << 20, WAY_MS_MAX = 8 };

/* ---- the simulated chain's server --------------------------------------------------------------------- */

struct sim_server {
	char url[URL_MAX];
};
static struct fb_sim *chains[CHAINS_MAX];
static unsigned chains_opened;

const char *fb_sim_url(const struct fb_sim *s)
{
	return s->server->url;
}

void sim_serve_start(struct fb_sim *s)
{
	size_t i = 0;

	while (i < CHAINS_MAX && chains[i] != NULL)
		i++;
	FB_ASSERT(i < CHAINS_MAX);
	chains[i] = s;
	s->server = fb_must_alloc(1, sizeof(*s->server));
	snprintf(s->server->url, URL_MAX, "http://127.0.0.1:%u/", ++chains_opened);
}

void sim_serve_stop(struct fb_sim *s)
{
	for (size_t i = 0; i < CHAINS_MAX; i++)
		if (chains[i] == s)
			chains[i] = NULL;
	free(s->server);
}

void virtual_chains_clear(void)
{
	for (size_t i = 0; i < CHAINS_MAX; i++)
		FB_ASSERT(chains[i] == NULL);
	chains_opened = 0;
}

static struct fb_sim *chain_at(const char *url)
{
	for (size_t i = 0; i < CHAINS_MAX; i++)
		if (chains[i] != NULL && strcmp(chains[i]->server->url, url) == 0)
			return chains[i];
	return NULL;
}

/* ---- the client ------------------------------------------------------------------------------------------- */

struct exchange {
	struct fb_net *net; /* NULL: closed, nobody waits for the reply */
	char url[URL_MAX];
	char *request, *reply;
	size_t request_len, reply_len;
	uint64_t began_ns, deadline_ns;
	enum fb_status status;
	uint16_t code;
	bool sent;
	void (*done)(void *arg, const struct fb_net_reply *reply);
	void *arg;
	struct exchange *next; /* of its net */
};
struct fb_net {
	struct exchange *pending;
};

static void free_exchange(struct exchange *x)
{
	free(x->request);
	free(x->reply);
	free(x);
}

static void unlink_exchange(struct exchange *x)
{
	struct exchange **at = &x->net->pending;

	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
}

static void answer(struct exchange *x)
{
	struct fb_net_reply r = { .status = x->status, .sent = x->sent, .code = x->code,
				  .body = { x->reply == NULL ? "" : x->reply, x->reply_len }, .headers = FB_STR(""),
				  .why = "as the simulation wants it", .elapsed_ns = virtual_now_ns() - x->began_ns };

	unlink_exchange(x);
	x->net = NULL;
	x->done(x->arg, &r);
}

static void come_back(void *arg)
{
	struct exchange *x = arg;

	if (x->net != NULL)
		answer(x);
	free_exchange(x);
}

static void set_reply(struct exchange *x, uint16_t code, struct fb_str body)
{
	x->status = FB_OK;
	x->code = code;
	x->reply = fb_must_alloc(body.len + 1, 1);
	x->reply_len = body.len;
	memcpy(x->reply, body.at, body.len);
}

/* Into the chain; what comes of it stands in the exchange. The reply's own delay, in milliseconds. */
static uint64_t serve(struct exchange *x, struct fb_sim *sim)
{
	static char body[BODY_MAX];
	struct fb_sim_rule fault;
	struct fb_buf out;

	fb_buf_init(&out, body, sizeof(body));
	sim_answer(sim, &out, (struct fb_str){ x->request, x->request_len }, &fault);
	if (fault.fault == FB_SIM_HTML)
		set_reply(x, 200, FB_STR("<html><body>Bad gateway</body></html>"));
	else if (fault.fault == FB_SIM_429)
		set_reply(x, 429, FB_STR("{\"error\":\"rate limited\"}"));
	else if (fault.fault != FB_SIM_REFUSE && fault.fault != FB_SIM_LOSE)
		set_reply(x, 200, fb_buf_view(&out));
	return fault.fault == FB_SIM_LATE ? fault.ms : 0;
}

static void arrive(void *arg)
{
	struct exchange *x = arg;
	struct fb_sim *sim = chain_at(x->url);
	uint64_t now = virtual_now_ns(), back = virtual_draw(WAY_MS_MAX * VIRTUAL_MS);

	x->sent = sim != NULL;
	x->status = FB_UNREACHABLE;
	if (sim != NULL)
		back += serve(x, sim) * VIRTUAL_MS;
	if (now + back > x->deadline_ns) {
		free(x->reply);
		x->reply = NULL;
		x->reply_len = 0;
		x->status = FB_TIMEOUT;
		back = x->deadline_ns > now ? x->deadline_ns - now : 0;
	}
	virtual_at(back, come_back, x, NULL);
}

void fb_net_send(struct fb_net *net, const struct fb_net_request *request,
		 void (*done)(void *arg, const struct fb_net_reply *reply), void *arg)
{
	struct exchange *x = fb_must_alloc(1, sizeof(*x)), **at = &net->pending;

	x->net = net;
	snprintf(x->url, URL_MAX, "%s", request->url);
	x->request = fb_must_alloc(request->body.len + 1, 1);
	x->request_len = request->body.len;
	memcpy(x->request, request->body.at, request->body.len);
	x->began_ns = virtual_now_ns();
	x->deadline_ns = x->began_ns + request->timeout_ms * VIRTUAL_MS;
	x->done = done;
	x->arg = arg;
	while (*at != NULL)
		at = &(*at)->next;
	*at = x;
	virtual_at(virtual_draw(WAY_MS_MAX * VIRTUAL_MS), arrive, x, NULL);
}

enum fb_status fb_net_open(struct fb_net **out, struct fb_loop *loop)
{
	(void)loop;
	*out = fb_must_alloc(1, sizeof(**out));
	return FB_OK;
}

/* What is on its way still arrives, as it does when a process dies; nobody hears of it. */
void fb_net_close(struct fb_net *net)
{
	if (net == NULL)
		return;
	while (net->pending != NULL) {
		struct exchange *x = net->pending;

		x->status = FB_DRAINING;
		x->sent = true;
		answer(x);
	}
	free(net);
}
