/* The queue of payments that wait for facts, and the shared read that answers them. */
#include "view_int.h"

#include <stdlib.h>
#include <string.h>

/* One read: the items it answers, all of one asset. */
struct read {
	struct fb_view *view;
	size_t count;
	struct fb_view_item *items[FB_TOKEN_READ_MAX];
};

static void pump(struct fb_view *v);

void fb_view_open(struct fb_view **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_metrics *metrics)
{
	struct fb_view *v = fb_must_alloc(1, sizeof(*v));

	v->loop = loop;
	v->rpc = rpc;
	v->metrics = metrics;
	v->tail = &v->head;
	*out = v;
}

void fb_view_finish(struct fb_view_item *item, enum fb_status status, const char *why)
{
	item->facts.status = status;
	item->facts.why = why;
	item->done(item->arg, &item->facts);
	free(item);
}

void fb_view_close(struct fb_view *v)
{
	if (v == NULL)
		return;
	FB_ASSERT(v->reads == 0);
	fb_timer_stop(v->gathering);
	while (v->head != NULL) {
		struct fb_view_item *item = v->head;

		v->head = item->next;
		fb_view_finish(item, FB_DRAINING, "the server is stopping");
	}
	free(v);
}

uint64_t fb_view_block(const struct fb_view *v)
{
	return v->block;
}

/* Takes the oldest item and all others that can share its read. */
static struct read *take_read(struct fb_view *v)
{
	struct read *r = fb_must_alloc(1, sizeof(*r));
	struct fb_view_item **at = &v->head;

	FB_ASSERT(v->head != NULL);
	r->view = v;
	while (*at != NULL && r->count < FB_TOKEN_READ_MAX) {
		struct fb_view_item *item = *at;

		if (r->count > 0 && !fb_address_eq(&item->query.asset, &r->items[0]->query.asset)) {
			at = &item->next;
			continue;
		}
		*at = item->next;
		r->items[r->count++] = item;
		v->waiting--;
	}
	v->tail = &v->head;
	while (*v->tail != NULL)
		v->tail = &(*v->tail)->next;
	return r;
}

static void finish_all(struct read *r, enum fb_status status, const char *why)
{
	for (size_t i = 0; i < r->count; i++)
		fb_view_finish(r->items[i], status, why);
}

/* The lens answered: every item has its facts, or goes on to its contract. */
static void deliver(struct read *r, const struct fb_lens_head *head, const struct fb_lens_facts *facts)
{
	if (head->block > r->view->block)
		r->view->block = head->block;
	for (size_t i = 0; i < r->count; i++) {
		struct fb_view_item *item = r->items[i];

		item->facts = (struct fb_facts){ .block = head->block,
						 .block_time_s = head->block_time_s,
						 .asset_has_code = head->token_has_code,
						 .paused = head->paused,
						 .of = facts[i] };
		if (facts[i].payer_has_code)
			fb_view_ask_contract(item);
		else
			fb_view_finish(item, FB_OK, NULL);
	}
}

static void read_answer(struct read *r, const struct fb_rpc_result *result)
{
	enum { BYTES = (3 + FB_TOKEN_READ_MAX) * 32 };
	_Alignas(16) unsigned char block[64]; /* a hex string needs no unescaping */
	struct fb_lens_facts facts[FB_TOKEN_READ_MAX];
	struct fb_lens_head head;
	uint8_t data[BYTES];
	struct fb_arena arena;
	struct fb_str text;
	size_t len;

	fb_arena_init(&arena, block, sizeof(block));
	if (result->status != FB_OK)
		finish_all(r, FB_RPC_ERROR, "the chain refused the batched read");
	else if (fb_json_string(&text, result->result, &arena) != FB_OK ||
		 fb_hex_decode(data, &len, sizeof(data), text) != FB_OK ||
		 fb_lens_answer(&head, facts, r->count, (struct fb_str){ (const char *)data, len }) != FB_OK)
		finish_all(r, FB_BAD_SYNTAX, "the chain's answer to the batched read makes no sense");
	else
		deliver(r, &head, facts);
}

static void on_reply(void *arg, const struct fb_rpc_reply *reply)
{
	struct read *r = arg;
	struct fb_view *v = r->view;

	v->reads--;
	if (reply->status != FB_OK)
		finish_all(r, reply->status, "the chain could not be reached");
	else
		read_answer(r, &reply->results[0]);
	free(r);
	if (reply->status != FB_DRAINING)
		pump(v);
}

void fb_view_write_call(struct fb_buf *out, const struct fb_address *to, const struct fb_address *from,
			struct fb_str data, uint64_t gas)
{
	fb_buf_text(out, "[{");
	if (to != NULL) {
		fb_buf_text(out, "\"to\":\"");
		fb_buf_address(out, to);
		fb_buf_text(out, "\",");
	}
	if (from != NULL) {
		fb_buf_text(out, "\"from\":\"");
		fb_buf_address(out, from);
		fb_buf_text(out, "\",");
	}
	if (gas > 0) {
		fb_buf_text(out, "\"gas\":\"");
		fb_buf_quantity(out, gas);
		fb_buf_text(out, "\",");
	}
	fb_buf_text(out, "\"data\":\"");
	fb_buf_hex(out, data.at, data.len);
	fb_buf_text(out, "\"},\"latest\"]");
}

static void send_read(struct fb_view *v, struct read *r)
{
	struct fb_lens_item items[FB_TOKEN_READ_MAX];
	size_t data_cap = fb_lens_call_len(r->count), params_cap = 2 * data_cap + 256;
	struct fb_buf data, params;
	struct fb_rpc_call call = { .method = "eth_call" };

	for (size_t i = 0; i < r->count; i++) {
		const struct fb_authorization *a = r->items[i]->query.authorization;

		items[i] = (struct fb_lens_item){ a->from, a->to, a->nonce };
	}
	fb_buf_init(&data, fb_must_alloc(data_cap, 1), data_cap);
	fb_buf_init(&params, fb_must_alloc(params_cap, 1), params_cap);
	fb_lens_call(&data, &r->items[0]->query.asset, items, r->count);
	fb_view_write_call(&params, NULL, NULL, fb_buf_view(&data), 0);
	FB_ASSERT(!data.overflowed && !params.overflowed);
	call.params = fb_buf_view(&params);
	v->reads++;
	fb_metric_add(v->metrics, FB_M_VIEW_READS, 1);
	fb_metric_add(v->metrics, FB_M_VIEW_PAYMENTS, r->count);
	fb_rpc_send(v->rpc, &(struct fb_rpc_batch){ .calls = &call, .count = 1 }, on_reply, r);
	free(data.at);
	free(params.at);
}

static void pump(struct fb_view *v)
{
	fb_timer_stop(v->gathering);
	v->gathering = NULL;
	while (v->head != NULL && v->reads < FB_VIEW_READS_MAX)
		send_read(v, take_read(v));
}

static void on_gathered(void *arg)
{
	pump(arg);
}

/* A chain that answers at once is asked one read at a time: the next one carries all who came meanwhile. */
static void gather(struct fb_view *v)
{
	if (v->reads == 0)
		pump(v);
	else if (v->gathering == NULL && v->reads < FB_VIEW_READS_MAX)
		v->gathering = fb_timer_start(v->loop, FB_VIEW_GATHER_MS, 0, on_gathered, v);
}

void fb_view_read(struct fb_view *v, const struct fb_view_query *q,
		  void (*done)(void *arg, const struct fb_facts *facts), void *arg)
{
	struct fb_view_item *item;

	FB_ASSERT(fb_loop_is_mine(v->loop));
	if (v->waiting == FB_VIEW_WAITING_MAX) {
		done(arg, &(struct fb_facts){ .status = FB_BUSY, .why = "too many payments wait for the chain" });
		return;
	}
	item = fb_must_alloc(1, sizeof(*item));
	*item = (struct fb_view_item){ .view = v, .query = *q, .done = done, .arg = arg };
	if (!q->listed) {
		fb_view_ask_code(item);
		return;
	}
	*v->tail = item;
	v->tail = &item->next;
	v->waiting++;
	gather(v);
}
