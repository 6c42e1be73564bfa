/* Batches on their way to the ledger, one at a time, and its answers. */
#include "follow_int.h"

#include <stdlib.h>

_Static_assert((int)FB_CREDIT_OPS_MAX <= (int)FB_SUBMIT_OPS_MAX, "a batch is one submission");
_Static_assert((int)FB_CREDIT_PUTS_MAX + 1 <= (int)FB_PUTS_MAX, "a batch is one submission");

/* From the writer's thread to the loop's. */
struct answer {
	struct fb_follow *f;
	enum fb_status status; /* of the write */
	enum fb_status refused; /* of the first operation that was not taken, or FB_OK */
};

static void log_op(struct fb_follow *f, const struct fb_op *op)
{
	enum fb_credit_posting what = (enum fb_credit_posting)op->code;
	char digits[FB_U128_DIGITS + 1];
	struct fb_buf amount;

	fb_buf_init(&amount, digits, sizeof(digits));
	fb_buf_amount(&amount, op->legs[0].amount);
	fb_log(f->log, what == FB_CREDIT_POST_REVERSAL ? FB_EV_MOVEMENT_GONE : FB_EV_MOVEMENT,
	       FB_F_TEXT("from", fb_purpose_text(op->debit.purpose)),
	       FB_F_TEXT("to", fb_purpose_text(op->legs[0].credit.purpose)),
	       FB_F_HEX("owner", op->legs[0].credit.owner.bytes, FB_OWNER_LEN),
	       FB_F_STR("amount", fb_buf_view(&amount)), FB_F_U64("block", (uint64_t)op->user),
	       FB_F_HEX("tx", op->external.bytes, 32));
}

/* In memory is what was not written: the rows know better. */
static void start_over(struct fb_follow *f, enum fb_status refused)
{
	fb_log(f->log, FB_EV_INVARIANT, FB_F_TEXT("what", "the ledger refused a posting of the indexer"),
	       FB_F_TEXT("why", fb_status_info(refused)->name));
	f->working = false;
	free(f->receipt);
	f->receipt = NULL;
	if (fb_follow_load(f, NULL) != FB_OK)
		f->dead = true;
	else
		fb_follow_halt(f, FB_CREDIT_HALT_REFUSED);
}

static void on_answer(void *arg)
{
	struct answer *a = arg;
	struct fb_follow *f = a->f;

	f->submitting = false;
	if (a->status != FB_OK) {
		f->dead = true;
	} else if (f->repaying) {
		f->repaying = false;
		f->repay_due = a->refused == FB_OK;
		fb_credit_repaid(f->credit, a->refused);
	} else if (a->refused != FB_OK) {
		start_over(f, a->refused);
	}
	free(a);
	fb_follow_pump(f);
}

static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct fb_follow *f = arg;
	struct answer *a = fb_must_alloc(1, sizeof(*a));

	*a = (struct answer){ .f = f, .status = status };
	for (size_t i = 0; status == FB_OK && i < count && a->refused == FB_OK; i++)
		a->refused = results[i].status;
	fb_loop_post(f->loop, on_answer, a);
}

void fb_follow_submit(struct fb_follow *f)
{
	FB_ASSERT(!f->submitting);
	if (f->writer == NULL) {
		f->ports.batch(f->ports.ctx, &f->batch);
		return;
	}
	f->submitting = true;
	for (size_t i = 0; i < f->batch.op_count; i++)
		log_op(f, &f->batch.ops[i]);
	fb_writer_submit(f->writer, &(struct fb_submission){ .ops = f->batch.ops, .op_count = f->batch.op_count,
							     .puts = f->batch.puts, .put_count = f->batch.put_count,
							     .puts_need_ok = true, .done = on_done, .arg = f });
}

void fb_follow_work(struct fb_follow *f)
{
	FB_ASSERT(f->working);
	if (fb_credit_next(f->credit, &f->batch)) {
		fb_follow_submit(f);
		return;
	}
	f->working = false;
	free(f->receipt);
	f->receipt = NULL;
}
