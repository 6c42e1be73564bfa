/* A batch's way: written, sent to one endpoint after the other, answered once. */
#include "rpc_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOKENS_MIN = 1024, TOKENS_KEPT = 65536 };

struct batch {
	struct fb_rpc *rpc;
	struct fb_buf body;
	size_t count;
	uint64_t left_ms; /* until the batch's deadline */
	uint32_t tried;   /* bit i: endpoint i was asked */
	size_t endpoint;  /* being asked */
	bool once, sent;
	enum fb_status status; /* what the gravest failure was, FB_OK before the first */
	const char *failed;    /* and the endpoint it happened at */
	char why[FB_RPC_WHY_MAX];
	void (*done)(void *arg, const struct fb_rpc_reply *reply);
	void *arg;
};

static void attempt(struct batch *b);

/* An array that holds any JSON of that many bytes: a value and what sets it apart take two. */
static void reserve_tokens(struct fb_scratch *s, size_t body_len)
{
	size_t want = body_len / 2 + 2;

	want = want < TOKENS_MIN ? TOKENS_MIN : want > FB_RPC_TOKENS_MAX ? FB_RPC_TOKENS_MAX : want;
	if (want <= s->token_cap)
		return;
	free(s->tokens);
	s->tokens = fb_must_alloc(want, sizeof(*s->tokens));
	s->token_cap = want;
}

static void release_tokens(struct fb_scratch *s)
{
	if (s->token_cap <= TOKENS_KEPT)
		return;
	free(s->tokens);
	s->tokens = NULL;
	s->token_cap = 0;
}

static void end(struct batch *b, const struct fb_rpc_reply *reply)
{
	struct fb_rpc *rpc = b->rpc;

	FB_ASSERT(rpc->pending > 0);
	rpc->pending--;
	b->done(b->arg, reply);
	release_tokens(&rpc->scratch);
	free(b->body.at);
	free(b);
}

static void end_failed(struct batch *b, enum fb_status status, const char *endpoint, const char *why)
{
	FB_ASSERT(status != FB_OK);
	end(b, &(struct fb_rpc_reply){ .status = status, .sent = b->sent, .endpoint = endpoint, .why = why });
}

static void end_answered(struct batch *b)
{
	struct fb_endpoint *endpoint = &b->rpc->endpoints[b->endpoint];

	b->rpc->down = false;
	fb_endpoint_answered(endpoint);
	end(b, &(struct fb_rpc_reply){ .status = FB_OK, .results = b->rpc->scratch.results, .count = b->count,
				       .endpoint = endpoint->label });
}

/* What an HTTP answer is worth. FB_OK: the results are in the scratch. */
static enum fb_status judge(struct batch *b, const struct fb_net_reply *reply, char why[FB_RPC_WHY_MAX])
{
	struct fb_scratch *s = &b->rpc->scratch;

	snprintf(why, FB_RPC_WHY_MAX, "%s", reply->why == NULL ? "no JSON-RPC answer" : reply->why);
	if (reply->status == FB_TOO_LARGE || reply->status == FB_BAD_SYNTAX)
		return FB_RPC_ERROR;
	if (reply->status != FB_OK)
		return reply->status;
	if (reply->code != 200) {
		snprintf(why, FB_RPC_WHY_MAX, "HTTP %u", reply->code);
		return FB_RPC_ERROR;
	}
	reserve_tokens(s, reply->body.len);
	fb_arena_init(&s->arena, s->messages, sizeof(s->messages));
	s->parsed = (struct fb_rpc_parsed){ .tokens = s->tokens, .token_cap = s->token_cap, .results = s->results,
					    .arena = &s->arena };
	return fb_rpc_parse(&s->parsed, reply->body, b->count);
}

/* Rubbish says more than silence, and silence in time more than a refusal. */
static int gravity(enum fb_status status)
{
	return status == FB_RPC_ERROR ? 3 : status == FB_TIMEOUT ? 2 : status == FB_OK ? 0 : 1;
}

static void note_failure(struct batch *b, enum fb_status status, const char *why)
{
	if (gravity(status) < gravity(b->status))
		return;
	b->status = status;
	b->failed = b->rpc->endpoints[b->endpoint].label;
	snprintf(b->why, sizeof(b->why), "%s", why);
}

static void go_on(struct batch *b)
{
	struct fb_rpc *rpc = b->rpc;
	size_t next;

	if (!(b->once && b->sent) && b->left_ms > 0 && fb_endpoint_choose(&next, rpc, b->tried)) {
		attempt(b);
		return;
	}
	if (!rpc->down && fb_endpoint_all_rest(rpc)) {
		rpc->down = true;
		fb_log(rpc->log, FB_EV_RPC_DOWN, FB_F_TEXT("why", b->why));
	}
	end_failed(b, b->status, b->failed, b->why);
}

static void count_reply(struct fb_rpc *rpc, enum fb_status status, uint64_t elapsed_ns)
{
	fb_metric_add(rpc->metrics, status == FB_OK ? FB_M_RPC_OK : FB_M_RPC_FAILED, 1);
	fb_metric_time_ns(rpc->metrics, FB_M_RPC_SECONDS, elapsed_ns);
}

static void on_reply(void *arg, const struct fb_net_reply *reply)
{
	struct batch *b = arg;
	struct fb_endpoint *endpoint = &b->rpc->endpoints[b->endpoint];
	uint64_t took_ms = reply->elapsed_ns / 1000000 + 1;
	char why[FB_RPC_WHY_MAX];
	enum fb_status status = judge(b, reply, why);

	b->sent |= reply->sent;
	if (status == FB_DRAINING || status == FB_BUSY) {
		end_failed(b, status, endpoint->label, why);
		return;
	}
	count_reply(b->rpc, status, reply->elapsed_ns);
	if (status == FB_OK) {
		end_answered(b);
		return;
	}
	b->left_ms -= took_ms < b->left_ms ? took_ms : b->left_ms;
	fb_endpoint_rest(endpoint, why);
	note_failure(b, status, why);
	go_on(b);
}

static void attempt(struct batch *b)
{
	struct fb_rpc *rpc = b->rpc;
	struct fb_net_request request = { .method = "POST", .headers = { "Content-Type: application/json" },
					  .body = fb_buf_view(&b->body), .answer_max = FB_RPC_ANSWER_MAX,
					  .repeatable = !b->once };

	FB_ASSERT(fb_endpoint_choose(&b->endpoint, rpc, b->tried));
	b->tried |= (uint32_t)1 << b->endpoint;
	request.url = rpc->endpoints[b->endpoint].url;
	request.timeout_ms = b->left_ms < rpc->timeout_ms ? b->left_ms : rpc->timeout_ms;
	fb_net_send(rpc->net, &request, on_reply, b);
}

void fb_rpc_send(struct fb_rpc *rpc, const struct fb_rpc_batch *batch,
		 void (*done)(void *arg, const struct fb_rpc_reply *reply), void *arg)
{
	struct batch *b = fb_must_alloc(1, sizeof(*b));

	FB_ASSERT(batch->count >= 1 && batch->count <= FB_RPC_CALLS_MAX);
	FB_ASSERT(done != NULL);
	*b = (struct batch){ .rpc = rpc, .body = fb_rpc_write(batch), .count = batch->count, .once = batch->once,
			     .left_ms = batch->timeout_ms == 0 ? rpc->timeout_ms : batch->timeout_ms, .done = done, .arg = arg };
	rpc->pending++;
	attempt(b);
}

static void free_rpc(struct fb_rpc *rpc)
{
	for (size_t i = 0; i < rpc->endpoint_count; i++)
		fb_endpoint_close(&rpc->endpoints[i]);
	free(rpc->scratch.tokens);
	free(rpc);
}

enum fb_status fb_rpc_open(struct fb_rpc **out, struct fb_loop *loop, const struct fb_rpc_settings *settings,
			   struct fb_log *log, struct fb_metrics *metrics)
{
	enum fb_status st = settings->url_count >= 1 && settings->url_count <= FB_RPC_ENDPOINTS_MAX ? FB_OK : FB_BAD_VALUE;
	struct fb_rpc *rpc;

	FB_ASSERT(settings->timeout_ms > 0);
	if (st != FB_OK)
		return st;
	rpc = fb_must_alloc(1, sizeof(*rpc));
	rpc->loop = loop;
	rpc->log = log;
	rpc->metrics = metrics;
	rpc->timeout_ms = settings->timeout_ms;
	for (size_t i = 0; st == FB_OK && i < settings->url_count; i++) {
		st = fb_endpoint_open(&rpc->endpoints[i], rpc, settings->urls[i]);
		if (st == FB_OK)
			rpc->endpoint_count++;
	}
	if (st == FB_OK)
		st = fb_net_open(&rpc->net, loop);
	if (st != FB_OK) {
		free_rpc(rpc);
		return st;
	}
	*out = rpc;
	return FB_OK;
}

void fb_rpc_close(struct fb_rpc *rpc)
{
	if (rpc == NULL)
		return;
	fb_net_close(rpc->net);
	FB_ASSERT(rpc->pending == 0);
	free_rpc(rpc);
}
