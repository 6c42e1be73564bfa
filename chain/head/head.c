/* The shell around the follower: looks by timer, fetches what the follower asks for, tells what changed. */
#include "head_int.h"

#include <stdlib.h>

enum { LOOK_CALLS = 2, LADDER_CALLS = 2, PARAM_MAX = 32 };

struct fb_head {
	struct fb_rpc *rpc;
	struct fb_timer *timer;
	struct fb_log *log;
	struct fb_metrics *metrics;
	void (*report)(void *arg, const struct fb_head_report *r);
	void *arg;
	struct {
		void (*fn)(void *arg, const struct fb_head_event *e);
		void *arg;
	} listeners[FB_HEAD_LISTENERS_MAX];
	size_t listener_count;
	bool asking, stopped;
	bool climbing; /* this look has asked for the marks, too */
	bool climbed;  /* a look that did was answered */
	struct follow_answer safe, final;
	uint64_t looks;
	enum fb_head_fault last_fault;
	struct follow follow;
};

/* ---- telling --------------------------------------------------------------------------------------------- */

static void count_reorg(struct fb_head *h, const struct fb_head_event *e)
{
	fb_metric_add(h->metrics, FB_M_REORGS, 1);
	if (e->depth > fb_metric_get(h->metrics, FB_M_REORG_DEPTH))
		fb_metric_set(h->metrics, FB_M_REORG_DEPTH, e->depth);
	fb_log(h->log, FB_EV_REORG, FB_F_U64("depth", e->depth), FB_F_U64("first", e->first),
	       FB_F_U64("head", e->head.number));
}

/* H3 */
static void tell(struct fb_head *h, const struct follow_step *step)
{
	if (!step->changed)
		return;
	if (step->event.change == FB_HEAD_REORGED)
		count_reorg(h, &step->event);
	for (size_t i = 0; i < h->listener_count; i++)
		h->listeners[i].fn(h->listeners[i].arg, &step->event);
}

static void count_fault(struct fb_head *h, enum fb_head_fault fault)
{
	static const enum fb_metric_id ids[FB_HEAD_FAULT_END] = {
#define X(name, status, label, text) [FB_HEAD_FAULT_##name] = FB_M_HEAD_##name,
		FB_HEAD_FAULTS(X)
#undef X
	};

	if (fault == h->last_fault && fault == FB_HEAD_FAULT_NONE)
		return;
	if (fault != FB_HEAD_FAULT_NONE)
		fb_metric_add(h->metrics, ids[fault], 1);
	if (fault != FB_HEAD_FAULT_NONE && fault != h->last_fault)
		fb_log(h->log, FB_EV_HEAD_FAULT, FB_F_TEXT("fault", fb_head_fault_label(fault)),
		       FB_F_U64("head", h->follow.head));
	h->last_fault = fault;
}

static enum fb_status status_of(enum fb_head_fault fault)
{
	static const enum fb_status statuses[FB_HEAD_FAULT_END] = {
		[FB_HEAD_FAULT_NONE] = FB_OK,
#define X(name, status, label, text) [FB_HEAD_FAULT_##name] = FB_##status,
		FB_HEAD_FAULTS(X)
#undef X
	};

	return statuses[fault];
}

static uint64_t newest_below(uint64_t number)
{
	return number > 0 ? number - 1 : 0;
}

/* status: why nothing was heard, when the fault is SILENT. */
static void end_look(struct fb_head *h, enum fb_head_fault fault, enum fb_status status)
{
	struct fb_head_report r = { .fault = fault };
	struct fb_head_block head;

	h->asking = false;
	count_fault(h, fault);
	r.status = fault == FB_HEAD_FAULT_SILENT ? status : status_of(fault);
	fb_metric_set(h->metrics, FB_M_CHAIN_SAFE, newest_below(fb_follow_safe(&h->follow)));
	fb_metric_set(h->metrics, FB_M_CHAIN_FINAL, newest_below(fb_follow_final(&h->follow)));
	if (fb_head_latest(h, &head)) {
		r.block = head.number;
		r.block_time_s = head.time_s;
	}
	if (h->report != NULL)
		h->report(h->arg, &r);
}

/* ---- a look ------------------------------------------------------------------------------------------------ */

static struct follow_answer block_answer(const struct fb_rpc_result *r)
{
	struct follow_answer a = { .fault = FB_HEAD_FAULT_NONE };

	if (r->status != FB_OK)
		a.fault = r->status == FB_BAD_SYNTAX ? FB_HEAD_FAULT_MALFORMED : FB_HEAD_FAULT_REFUSED;
	else if (fb_json_is(r->result, FB_JSON_NULL))
		a.fault = FB_HEAD_FAULT_ABSENT;
	else if (fb_head_block_read(&a.block, r->result) != FB_OK)
		a.fault = FB_HEAD_FAULT_MALFORMED;
	return a;
}

static enum fb_head_fault check_chain(const struct fb_head *h, const struct fb_rpc_result *r)
{
	_Alignas(16) unsigned char block[64];
	struct fb_arena arena;
	struct fb_str text;
	uint64_t chain_id;

	fb_arena_init(&arena, block, sizeof(block));
	if (r->status != FB_OK)
		return r->status == FB_BAD_SYNTAX ? FB_HEAD_FAULT_MALFORMED : FB_HEAD_FAULT_REFUSED;
	if (fb_json_string(&text, r->result, &arena) != FB_OK || fb_quantity_parse_u64(&chain_id, text) != FB_OK)
		return FB_HEAD_FAULT_MALFORMED;
	return chain_id == h->follow.settings.chain_id ? FB_HEAD_FAULT_NONE : FB_HEAD_FAULT_CHAIN;
}

static void ask_blocks(struct fb_head *h, uint64_t from, size_t count);

static void take_step(struct fb_head *h, const struct follow_step *step)
{
	struct follow_step ladder;
	enum fb_head_fault fault = step->fault;

	tell(h, step);
	if (step->ask_count > 0) {
		ask_blocks(h, step->ask_from, step->ask_count);
		return;
	}
	if (fault == FB_HEAD_FAULT_NONE && h->climbing) {
		ladder = fb_follow_ladder(&h->follow, &h->safe, &h->final);
		h->climbed |= ladder.fault == FB_HEAD_FAULT_NONE;
		tell(h, &ladder);
		fault = ladder.fault;
	}
	end_look(h, fault, FB_OK);
}

static void on_blocks(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_head *h = arg;
	struct follow_answer answers[FB_HEAD_BATCH];
	struct follow_step step;

	if (h->stopped || reply->status != FB_OK) {
		fb_follow_abandon(&h->follow);
		h->asking = false;
		if (!h->stopped)
			end_look(h, FB_HEAD_FAULT_SILENT, reply->status);
		return;
	}
	FB_ASSERT(reply->count <= FB_COUNT(answers));
	for (size_t i = 0; i < reply->count; i++)
		answers[i] = block_answer(&reply->results[i]);
	step = fb_follow_blocks(&h->follow, answers, reply->count);
	take_step(h, &step);
}

static void ask_blocks(struct fb_head *h, uint64_t from, size_t count)
{
	struct fb_rpc_call calls[FB_HEAD_BATCH];
	char params[FB_HEAD_BATCH][PARAM_MAX];
	struct fb_buf b;

	FB_ASSERT(count >= 1 && count <= FB_HEAD_BATCH);
	for (size_t i = 0; i < count; i++) {
		fb_buf_init(&b, params[i], PARAM_MAX);
		fb_buf_text(&b, "[\"");
		fb_buf_quantity(&b, from + i);
		fb_buf_text(&b, "\",false]");
		FB_ASSERT(!b.overflowed);
		calls[i] = (struct fb_rpc_call){ "eth_getBlockByNumber", fb_buf_view(&b) };
	}
	fb_rpc_send(h->rpc, &(struct fb_rpc_batch){ .calls = calls, .count = count }, on_blocks, h);
}

static void on_look(void *arg, const struct fb_rpc_reply *reply)
{
	struct fb_head *h = arg;
	struct follow_answer latest;
	struct follow_step step;
	enum fb_head_fault fault;

	if (h->stopped) {
		h->asking = false;
		return;
	}
	if (reply->status != FB_OK) {
		end_look(h, FB_HEAD_FAULT_SILENT, reply->status);
		return;
	}
	fault = check_chain(h, &reply->results[0]);
	latest = block_answer(&reply->results[1]);
	fault = fault == FB_HEAD_FAULT_NONE ? latest.fault : fault;
	if (fault != FB_HEAD_FAULT_NONE) {
		end_look(h, fault, FB_OK);
		return;
	}
	if (h->climbing) {
		h->safe = block_answer(&reply->results[LOOK_CALLS]);
		h->final = block_answer(&reply->results[LOOK_CALLS + 1]);
	}
	step = fb_follow_latest(&h->follow, &latest.block);
	take_step(h, &step);
}

static void look(void *arg)
{
	struct fb_head *h = arg;
	static const struct fb_rpc_call calls[LOOK_CALLS + LADDER_CALLS] = {
		{ "eth_chainId", FB_STR("[]") },
		{ "eth_getBlockByNumber", FB_STR("[\"latest\",false]") },
		{ "eth_getBlockByNumber", FB_STR("[\"safe\",false]") },
		{ "eth_getBlockByNumber", FB_STR("[\"finalized\",false]") },
	};

	if (h->asking)
		return;
	h->asking = true;
	h->climbing = h->looks++ % FB_HEAD_LADDER_LOOKS == 0;
	fb_rpc_send(h->rpc,
		    &(struct fb_rpc_batch){ .calls = calls, .count = LOOK_CALLS + (h->climbing ? LADDER_CALLS : 0) },
		    on_look, h);
}

/* ---- opening, closing, asking --------------------------------------------------------------------------------- */

void fb_head_open(struct fb_head **out, struct fb_loop *loop, struct fb_rpc *rpc,
		  const struct fb_head_settings *settings, struct fb_log *log, struct fb_metrics *metrics,
		  void (*report)(void *arg, const struct fb_head_report *r), void *arg)
{
	struct fb_head *h = fb_must_alloc(1, sizeof(*h));

	FB_ASSERT(settings->poll_ms >= 1);
	h->rpc = rpc;
	h->log = log;
	h->metrics = metrics;
	h->report = report;
	h->arg = arg;
	fb_follow_init(&h->follow, settings);
	h->timer = fb_timer_start(loop, 0, settings->poll_ms, look, h);
	*out = h;
}

void fb_head_stop(struct fb_head *h)
{
	if (h == NULL || h->stopped)
		return;
	fb_timer_stop(h->timer);
	h->timer = NULL;
	h->stopped = true;
}

void fb_head_close(struct fb_head *h)
{
	if (h == NULL)
		return;
	FB_ASSERT(h->stopped && !h->asking);
	free(h);
}

void fb_head_listen(struct fb_head *h, void (*fn)(void *arg, const struct fb_head_event *e), void *arg)
{
	FB_ASSERT(h->listener_count < FB_HEAD_LISTENERS_MAX);
	h->listeners[h->listener_count].fn = fn;
	h->listeners[h->listener_count++].arg = arg;
}

bool fb_head_latest(const struct fb_head *h, struct fb_head_block *out)
{
	const struct fb_head_block *b = fb_follow_at(&h->follow, h->follow.head);

	if (b != NULL)
		*out = *b;
	return b != NULL;
}

enum fb_status fb_head_hash(const struct fb_head *h, uint64_t number, struct fb_hash *out)
{
	const struct fb_head_block *b = fb_follow_at(&h->follow, number);

	if (b == NULL)
		return FB_NOT_FOUND;
	*out = b->hash;
	return FB_OK;
}

enum fb_rung fb_head_rung(const struct fb_head *h, uint64_t number, const struct fb_hash *hash)
{
	return fb_follow_rung(&h->follow, number, hash);
}

bool fb_head_ladder(const struct fb_head *h, uint64_t *safe, uint64_t *final)
{
	struct fb_head_block latest;
	uint64_t not_safe = fb_follow_safe(&h->follow), not_final = fb_follow_final(&h->follow);

	if (!h->climbed || !fb_head_latest(h, &latest))
		return false;
	*safe = not_safe > 0 ? not_safe - 1 : 0;
	*final = not_final > 0 ? not_final - 1 : 0;
	return true;
}

const char *fb_rung_name(enum fb_rung r)
{
	static const char *const names[] = { "none", "included", "confirmed", "safe", "final" };

	FB_ASSERT(r < FB_COUNT(names));
	return names[r];
}

const char *fb_head_fault_label(enum fb_head_fault f)
{
	static const char *const labels[FB_HEAD_FAULT_END] = {
		[FB_HEAD_FAULT_NONE] = "",
#define X(name, status, label, text) [FB_HEAD_FAULT_##name] = label,
		FB_HEAD_FAULTS(X)
#undef X
	};

	FB_ASSERT(f < FB_HEAD_FAULT_END);
	return labels[f];
}
