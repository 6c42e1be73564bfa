/* Questions to the chain from the command line: sent, waited for, and read while the answer lasts. */
#include "escrow_cli.h"

#include <stdio.h>

struct asking {
	struct fb_app_escrow *cli;
	const struct fb_app_question *question;
	enum fb_status status;
};

/* ---- one batch ------------------------------------------------------------------------------------------- */

static enum fb_status call_failed(struct asking *a, const struct fb_rpc_reply *reply, size_t i)
{
	const struct fb_rpc_result *r = &reply->results[i];

	return fb_error_set(&a->cli->error, r->status, "%s: %s answers error %lld: %.*s", a->question->calls[i].method,
			    reply->endpoint, (long long)r->error_code, FB_STR_ARG(r->error_message));
}

static enum fb_status judge(struct asking *a, const struct fb_rpc_reply *reply)
{
	const struct fb_app_question *q = a->question;

	if (reply->status != FB_OK)
		return fb_error_set(&a->cli->error, reply->status, "no RPC endpoint of %s answers: %s (asked %s)",
				    a->cli->server->network.name, reply->why, reply->endpoint);
	FB_ASSERT(reply->count == q->count);
	for (size_t i = 0; i < q->count; i++)
		if (reply->results[i].status != FB_OK && !q->optional[i])
			return call_failed(a, reply, i);
	return q->read(q->out, reply, &a->cli->error);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct asking *a = arg;

	a->status = judge(a, reply);
	fb_loop_stop(a->cli->server->loop);
}

enum fb_status fb_app_escrow_ask(struct fb_app_escrow *c, const struct fb_app_question *q)
{
	struct asking a = { .cli = c, .question = q };
	struct fb_rpc_batch batch = { .calls = q->calls, .count = q->count, .once = q->once };

	FB_ASSERT(q->count >= 1 && q->count <= FB_APP_CALLS_MAX);
	fb_rpc_send(c->server->rpc, &batch, on_reply, &a);
	fb_loop_run(c->server->loop);
	return a.status;
}

/* ---- time, network --------------------------------------------------------------------------------------- */

static void on_time(void *arg)
{
	fb_loop_stop(arg);
}

void fb_app_escrow_wait(struct fb_app_escrow *c, uint64_t ms)
{
	struct fb_timer *t = fb_timer_start(c->server->loop, ms, 0, on_time, c->server->loop);

	fb_loop_run(c->server->loop);
	fb_timer_stop(t);
}

static void on_checked(void *arg, enum fb_status status, const char *sentence)
{
	struct asking *a = arg;

	a->status = status;
	if (status != FB_OK)
		fb_error_set(&a->cli->error, status, "%s", sentence);
	fb_loop_stop(a->cli->server->loop);
}

enum fb_status fb_app_escrow_check(struct fb_app_escrow *c)
{
	struct asking a = { .cli = c };

	fb_network_check(c->server->rpc, &c->server->network, on_checked, &a);
	fb_loop_run(c->server->loop);
	return a.status;
}

/* ---- values ------------------------------------------------------------------------------------------------ */

enum fb_status fb_app_escrow_text(struct fb_str *out, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[16]; /* hex is never escaped: an answer that needs the room is none */
	struct fb_arena none;

	fb_arena_init(&none, block, sizeof(block));
	return fb_json_string(out, r->result, &none) == FB_OK ? FB_OK : FB_BAD_SYNTAX;
}

enum fb_status fb_app_escrow_quantity(fb_u128 *out, const struct fb_rpc_result *r)
{
	struct fb_str text;

	return fb_app_escrow_text(&text, r) == FB_OK && fb_quantity_parse_u128(out, text) == FB_OK ? FB_OK : FB_BAD_SYNTAX;
}
