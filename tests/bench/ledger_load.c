/* The load: so many pairs are always on their way; each that is answered is followed by the next at once.
 * A pair is a hold on a random buyer's account and its capture, 90 % to a random provider and 10 % to the fees. */
#include "ledger_bench.h"

#include <stdio.h>
#include <stdlib.h>

struct pair {
	struct load *load;
	uint64_t start_ns;
	fb_id hold;
	uint64_t buyer, provider;
	bool half, failed; /* half: its capture is still to come */
};

struct load {
	struct stage *stage;
	const struct load_plan *plan;
	struct load_result *result;
	struct answers answers;
	struct fb_op ops[2];
	struct pair pairs[LOAD_OUTSTANDING_MAX];
};

/* On the writer's thread. */
static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct pair *p = arg;

	p->failed |= status != FB_OK;
	for (size_t i = 0; i < count; i++)
		p->failed |= results[i].status != FB_OK || results[i].existed;
	answers_put(&p->load->answers, p);
}

static void submit(struct load *l, struct pair *p, const struct fb_op *ops, size_t count)
{
	struct fb_submission s = { .ops = ops, .op_count = count, .done = on_done, .arg = p };

	fb_writer_submit(l->stage->writer, &s);
}

static void set_hold(struct fb_op *op, const struct stage *s, const struct pair *p)
{
	op->kind = FB_OP_HOLD;
	op->id = p->hold;
	op->debit = stage_account(p->buyer);
	op->amount.atoms = PRICE;
	op->expires_us = s->expires_us;
}

static void set_capture(struct fb_op *op, struct stage *s, const struct pair *p)
{
	op->kind = FB_OP_CAPTURE;
	op->id = stage_new_id(s);
	op->ref = p->hold;
	op->legs[0] = (struct fb_leg){ stage_account(p->provider), { PRICE - FEE } };
	op->legs[1] = (struct fb_leg){ stage_fees(), { FEE } };
	op->leg_count = 2;
}

static void begin(struct load *l, struct pair *p)
{
	struct stage *s = l->stage;

	p->load = l;
	p->failed = false;
	p->half = l->plan->apart;
	p->hold = stage_new_id(s);
	p->buyer = stage_draw(s, s->accounts);
	p->provider = (p->buyer + 1 + stage_draw(s, s->accounts - 1)) % s->accounts;
	set_hold(&l->ops[0], s, p);
	if (!p->half)
		set_capture(&l->ops[1], s, p);
	p->start_ns = stage_now_ns(s);
	submit(l, p, l->ops, p->half ? 1 : 2);
}

static void check(const struct pair *p)
{
	if (!p->failed)
		return;
	fprintf(stderr, "bench_ledger: the ledger did not do a pair\n");
	exit(1);
}

/* The next pair whose answer is complete. */
static struct pair *take(struct load *l)
{
	for (;;) {
		struct pair *p = answers_take(&l->answers);

		check(p);
		if (!p->half)
			return p;
		p->half = false;
		set_capture(&l->ops[1], l->stage, p);
		submit(l, p, &l->ops[1], 1);
	}
}

/* Takes answers and begins new pairs until `end_ns`. */
static void keep_going(struct load *l, uint64_t end_ns)
{
	uint64_t now;

	do {
		struct pair *p = take(l);

		now = stage_now_ns(l->stage);
		histogram_add(&l->result->latency, now - p->start_ns);
		begin(l, p);
	} while (now < end_ns);
}

static void drain(struct load *l)
{
	for (uint64_t i = 0; i < l->plan->outstanding; i++)
		take(l);
}

static void subtract(struct usage *now, const struct usage *before)
{
	now->process_ns -= before->process_ns;
	now->load_ns -= before->load_ns;
	now->decide_ns -= before->decide_ns;
	now->write_ns -= before->write_ns;
	now->fold_ns -= before->fold_ns;
	now->written -= before->written;
}

static void measure(struct load *l)
{
	struct load_result *out = l->result;
	struct usage before;
	uint64_t start_ns = stage_now_ns(l->stage);
	uint64_t commits = fb_metric_get(l->stage->metrics, FB_M_COMMIT_SECONDS);

	out->latency = (struct histogram){ .count = 0 };
	usage_read(&before);
	keep_going(l, start_ns + l->plan->seconds * UINT64_C(1000000000));
	usage_read(&out->usage);
	subtract(&out->usage, &before);
	out->commits = fb_metric_get(l->stage->metrics, FB_M_COMMIT_SECONDS) - commits;
	out->elapsed_ns = stage_now_ns(l->stage) - start_ns;
	out->pairs = out->latency.count;
}

void load_run(struct load_result *out, struct stage *s, const struct load_plan *plan)
{
	struct load *l = fb_must_alloc(1, sizeof(*l));

	FB_ASSERT(plan->outstanding > 0 && plan->outstanding <= LOAD_OUTSTANDING_MAX && s->accounts > 1);
	*out = (struct load_result){ .pairs = 0 };
	l->stage = s;
	l->plan = plan;
	l->result = out;
	answers_open(&l->answers);
	for (uint64_t i = 0; i < plan->outstanding; i++)
		begin(l, &l->pairs[i]);
	keep_going(l, stage_now_ns(s) + LOAD_WARM_UP_S * UINT64_C(1000000000));
	measure(l);
	drain(l);
	answers_close(&l->answers);
	free(l);
}
