/* From a durable record to answers and next steps: who gets the success, who is told what, what is tried again. */
#include "settle_int.h"

#include <string.h>

/* The first in line becomes the one who will be told of success. */
void fb_settle_choose_grantee(struct fb_settle_entry *e)
{
	FB_ASSERT(e->grantee == NULL);
	FB_ASSERT(e->record.state == FB_SETTLE_INCLUDED || e->record.state == FB_SETTLE_CONFIRMED);
	if (e->record.granted || e->waiters == NULL)
		return;
	e->grantee = fb_settle_next_waiter(e);
	e->record.granted = true;
}

static void answer_grantee(struct fb_settle_entry *e)
{
	struct fb_settle *s = e->settle;
	struct fb_settle_outcome o = { .reason = FB_REASON_NONE, .has_tx = true, .tx = e->record.tx, .key = e->key };
	struct fb_settle_waiter *w = e->grantee;
	struct fb_authorization a = fb_settle_authorization(&e->key, &e->record);

	FB_ASSERT(e->record.state == FB_SETTLE_INCLUDED || e->record.state == FB_SETTLE_CONFIRMED); /* S2 */
	FB_ASSERT(e->record.granted && e->commits == 0);                                            /* S3 */
	e->grantee = NULL;
	fb_log(s->log, FB_EV_SETTLE_GRANTED, FB_F_HEX("payer", a.from.bytes, 20), FB_F_HEX("nonce", a.nonce.bytes, 32),
	       FB_F_HEX("tx", e->record.tx.bytes, 32));
	fb_settle_answer_one(s, w, &o);
}

/* The disk did not confirm what the chain did, or what we would have sent: nobody is told more than that. */
static void resolve_unknown(struct fb_settle_entry *e)
{
	if (e->grantee != NULL)
		fb_settle_hold_back(e);
	if (e->record.state == FB_SETTLE_NONE && e->refusal.reason == FB_REASON_NONE) {
		/* a lost one's record was on its way out */
		e->refusal = (struct fb_settle_outcome){ .reason = FB_REASON_SETTLE_ERROR, .key = e->key,
							 .note = { "the disk did not confirm; nothing was sent" } };
	}
	if (e->record.state != FB_SETTLE_NONE)
		fb_settle_answer_pending(e, "the disk did not confirm what became of it; ask again with the same payload");
	else
		fb_settle_answer_all(e, &e->refusal);
	fb_settle_drop(e);
}

static void answer_and_drop(struct fb_settle_entry *e)
{
	struct fb_settle_outcome o;

	fb_settle_outcome_of(&o, &e->key, &e->record);
	fb_settle_answer_all(e, &o);
	fb_settle_drop(e);
}

static void go_on_moved(struct fb_settle_entry *e)
{
	fb_settle_release(e);
	if (e->grantee != NULL)
		answer_grantee(e);
	if (e->waiters != NULL && !e->record.granted) {
		fb_settle_choose_grantee(e);
		fb_settle_commit_record(e);
		return;
	}
	answer_and_drop(e);
}

void fb_settle_try_anew(struct fb_settle_entry *e)
{
	fb_settle_release(e);
	if (e->waiters == NULL) {
		fb_settle_drop(e);
		return;
	}
	e->anew = true;
	fb_settle_begin(e);
}

static void go_on_failed(struct fb_settle_entry *e)
{
	if (fb_settle_is_final(&e->record) || e->retried) {
		answer_and_drop(e);
		return;
	}
	e->retried = true;
	fb_settle_try_anew(e);
}

void fb_settle_go_on(struct fb_settle_entry *e)
{
	FB_ASSERT(e->commits == 0);
	if (e->failed) {
		resolve_unknown(e);
		return;
	}
	switch (e->record.state) {
	case FB_SETTLE_SIGNED:
		if (e->row_open)
			e->phase = FB_PHASE_SIGNED;
		else
			fb_settle_ask(e);
		break;
	case FB_SETTLE_INCLUDED:
	case FB_SETTLE_CONFIRMED:
		go_on_moved(e);
		break;
	case FB_SETTLE_FAILED:
		go_on_failed(e);
		break;
	case FB_SETTLE_LOST:
		if (e->waiters != NULL)
			fb_settle_ask(e);
		else
			fb_settle_drop(e);
		break;
	case FB_SETTLE_NONE: /* forgotten */
		if (e->refused)
			fb_settle_tell(e);
		else
			fb_settle_try_anew(e);
		break;
	case FB_SETTLE_STATE_END:
		FB_UNREACHABLE("that is no state");
	}
}
