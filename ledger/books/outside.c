/* What an operation needs from the id index: read before anything is decided, so that a failure leaves no trace. */
#include "books_int.h"

static bool is_remembered(const struct fb_books *b, fb_id id)
{
	struct fb_id_fact fact;

	return fb_ids_find(b->ids, &fact, id);
}

/* Of an id that is not remembered. */
static enum fb_status ask_index(const struct fb_books *b, struct fb_id_fact *out, bool *found, fb_id id)
{
	enum fb_status st;

	if (b->index.find == NULL)
		return FB_OK;
	st = b->index.find(b->index.ctx, out, id);
	*found = st == FB_OK;
	return st == FB_NOT_FOUND ? FB_OK : st;
}

/* The post that is to be reversed, if it is in a batch before this one. */
static enum fb_status find_post(const struct fb_books *b, struct fb_outside *out, const struct fb_op *op)
{
	struct fb_id_fact fact;
	struct fb_record *post = &out->post;
	enum fb_status st;

	if (!fb_fact_find(b, &fact, op->ref, out->has_ref ? &out->ref : NULL) || fact.kind != FB_RECORD_POST ||
	    fact.refused != FB_OK || fact.seq >= b->draft->first_seq)
		return FB_OK;
	FB_ASSERT(b->index.record != NULL);
	st = b->index.record(b->index.ctx, post, fact.seq);
	if (st == FB_OK && (post->kind != FB_RECORD_POST || post->id != op->ref || post->seq != fact.seq))
		st = FB_STORAGE;
	return st;
}

enum fb_status fb_outside_read(struct fb_books *b, struct fb_outside *out, const struct fb_op *op)
{
	bool has_ref = op->kind == FB_OP_CAPTURE || op->kind == FB_OP_RELEASE || op->kind == FB_OP_REVERSE;
	enum fb_status st;

	out->has_id = out->has_ref = out->was_open = false;
	out->post.seq = 0;
	if (op->kind == FB_OP_ACCOUNT || is_remembered(b, op->id))
		return FB_OK;
	st = ask_index(b, &out->id, &out->has_id, op->id);
	if (st != FB_OK || out->has_id || !has_ref)
		return st;
	out->was_open = op->kind != FB_OP_REVERSE && fb_holds_find(b->holds, op->ref) != 0;
	if (out->was_open)
		return FB_OK;
	if (!is_remembered(b, op->ref))
		st = ask_index(b, &out->ref, &out->has_ref, op->ref);
	return st == FB_OK && op->kind == FB_OP_REVERSE ? find_post(b, out, op) : st;
}

bool fb_fact_find(const struct fb_books *b, struct fb_id_fact *out, fb_id id, const struct fb_id_fact *outside)
{
	if (fb_draft_fact(b, out, id) || fb_ids_find(b->ids, out, id))
		return true;
	if (outside != NULL)
		*out = *outside;
	return outside != NULL;
}
