/* One HTTP request of the buyer, on a loop that runs until its answer is there. */
#include "purchase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(struct fb_str s)
{
	char *c = fb_must_alloc(s.len + 1, 1);

	if (s.len > 0)
		memcpy(c, s.at, s.len);
	return c;
}

void fb_buy_free_answer(struct fb_buying *b)
{
	free(b->answer.body);
	free(b->answer.headers);
	b->answer = (struct fb_http_answer){ .status = FB_UNREACHABLE };
}

static void on_reply(void *arg, const struct fb_net_reply *reply)
{
	struct fb_buying *b = arg;
	struct fb_http_answer *a = &b->answer;

	a->status = reply->status;
	a->code = reply->code;
	a->body = copy(reply->body);
	a->body_len = reply->body.len;
	a->headers = copy(reply->headers);
	a->headers_len = reply->headers.len;
	snprintf(a->why, sizeof(a->why), "%s", reply->why == NULL ? "" : reply->why);
	fb_loop_stop(b->loop);
}

void fb_buy_fetch(struct fb_buying *b, const char *payment)
{
	const struct fb_pay_options *o = &b->options;
	struct fb_net_request request = { .method = o->method,
					  .url = o->url,
					  .timeout_ms = FB_BUY_TIMEOUT_MS,
					  .answer_max = FB_BUY_ANSWER_MAX,
					  .body = fb_str_of(o->data),
					  .headers = { "Accept: application/json, */*" } };
	size_t n = 1;

	if (o->data != NULL)
		request.headers[n++] = "Content-Type: application/json";
	if (payment != NULL)
		request.headers[n++] = payment;
	fb_buy_free_answer(b);
	fb_net_send(b->net, &request, on_reply, b);
	fb_loop_run(b->loop);
}

struct fb_str fb_buy_header(const struct fb_buying *b, const char *name)
{
	struct fb_net_reply reply = { .headers = { b->answer.headers, b->answer.headers_len } };

	return fb_net_header(&reply, name);
}
