/* What is wrong with an operation whatever the books say. */
#include "books_int.h"

static bool is_id(fb_id id)
{
	return id != 0 && ~id != 0;
}

static bool is_purpose(enum fb_purpose p)
{
	return p >= FB_PURPOSE_ESCROW && p < FB_PURPOSE_END;
}

static size_t legs_min(enum fb_op_kind kind)
{
	return kind == FB_OP_POST || kind == FB_OP_CAPTURE;
}

static size_t legs_max(enum fb_op_kind kind)
{
	return kind == FB_OP_CAPTURE ? FB_LEGS_MAX : legs_min(kind);
}

static bool has_debit(enum fb_op_kind kind)
{
	return kind == FB_OP_ACCOUNT || kind == FB_OP_POST || kind == FB_OP_HOLD;
}

static bool has_ref(enum fb_op_kind kind)
{
	return kind == FB_OP_CAPTURE || kind == FB_OP_RELEASE || kind == FB_OP_REVERSE;
}

/* The legs are of one asset: the post's debit's, or the first leg's. */
static bool legs_are_good(const struct fb_op *op)
{
	uint32_t asset = op->kind == FB_OP_POST ? op->debit.asset : op->legs[0].credit.asset;

	for (size_t i = 0; i < op->leg_count; i++)
		if (!is_purpose(op->legs[i].credit.purpose) || op->legs[i].credit.asset != asset ||
		    op->legs[i].amount.atoms > FB_AMOUNT_MAX)
			return false;
	return true;
}

static bool values_are_good(const struct fb_op *op)
{
	enum fb_op_kind kind = op->kind;

	return (unsigned)kind <= FB_OP_REVERSE && (kind == FB_OP_ACCOUNT || is_id(op->id)) &&
	       (!has_ref(kind) || is_id(op->ref)) && (!has_debit(kind) || is_purpose(op->debit.purpose)) &&
	       op->leg_count >= legs_min(kind) && op->leg_count <= legs_max(kind) && legs_are_good(op) &&
	       (kind != FB_OP_HOLD || (op->amount.atoms <= FB_AMOUNT_MAX && op->expires_us >= 0));
}

static bool moves_nothing(const struct fb_op *op)
{
	for (size_t i = 0; i < op->leg_count; i++)
		if (op->legs[i].amount.atoms == 0)
			return true;
	return op->kind == FB_OP_HOLD && op->amount.atoms == 0;
}

static bool one_account(const struct fb_op *op)
{
	struct fb_key debit, credit;

	if (op->kind != FB_OP_POST)
		return false;
	debit = fb_key_pack(&op->debit);
	credit = fb_key_pack(&op->legs[0].credit);
	return fb_key_same(&debit, &credit);
}

enum fb_status fb_op_form(const struct fb_op *op)
{
	if (!values_are_good(op))
		return FB_BAD_VALUE;
	if (moves_nothing(op))
		return FB_ZERO_AMOUNT;
	if (one_account(op))
		return FB_SAME_ACCOUNT;
	return FB_OK;
}
