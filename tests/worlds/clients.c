/* What clients send: operations good and bad, new and repeated, alone and linked. */
#include "world_int.h"

#include <stdlib.h>
#include <string.h>

static const enum fb_purpose purposes[] = { FB_PURPOSE_AVAILABLE, FB_PURPOSE_AVAILABLE, FB_PURPOSE_AVAILABLE,
	FB_PURPOSE_FEES, FB_PURPOSE_PENDING_IN, FB_PURPOSE_ESCROW, FB_PURPOSE_WORLD, FB_PURPOSE_WORLD };

static struct fb_account_key draw_key(struct world *w, uint32_t asset)
{
	struct fb_account_key key = { .asset = asset, .purpose = purposes[draw(w, FB_COUNT(purposes))] };

	key.owner.bytes[draw(w, 2) * 19] = (uint8_t)(1 + draw(w, w->owners));
	return key;
}

static struct fb_account_key source_of_money(struct world *w, uint32_t asset)
{
	struct fb_account_key key = draw_key(w, asset);

	if (draw(w, 3) != 0)
		key.purpose = FB_PURPOSE_WORLD;
	return key;
}

static struct fb_amount draw_amount(struct world *w)
{
	static const fb_u128 huge[] = { FB_AMOUNT_MAX, FB_AMOUNT_MAX / 2, FB_AMOUNT_MAX - 1, FB_AMOUNT_MAX / 2 + 1 };
	fb_u128 amount = 1 + draw(w, 50);

	if (chance(w, w->p_huge))
		amount = huge[draw(w, FB_COUNT(huge))];
	return (struct fb_amount){ amount };
}

/* Of something that was sent before, of the wanted kind if there is one soon enough. */
static fb_id draw_ref(struct world *w, enum fb_op_kind kind)
{
	for (int tries = 0; tries < 20 && w->history_count > 0; tries++) {
		uint64_t back = 1 + draw(w, w->history_count < 60 || tries < 4 ? w->history_count : 60);
		const struct fb_op *op = &w->history[w->history_count - back];

		if (op->kind == kind || draw(w, 40) == 0)
			return op->id;
	}
	return 1 + draw(w, 1000);
}

static void draw_legs(struct world *w, struct fb_op *op)
{
	op->leg_count = 1 + (draw(w, 2) == 0 ? 0 : draw(w, FB_LEGS_MAX));
	for (size_t i = 0; i < op->leg_count; i++)
		op->legs[i] = (struct fb_leg){ draw_key(w, op->debit.asset), { 1 + draw(w, 12) } };
	if (chance(w, w->p_huge))
		op->legs[0].amount = draw_amount(w);
}

static enum fb_op_kind draw_kind(struct world *w)
{
	uint64_t sum = 0, pick;
	int kind = 0;

	for (int i = 0; i < WORLD_KINDS; i++)
		sum += w->kinds[i];
	for (pick = draw(w, sum); pick >= w->kinds[kind]; kind++)
		pick -= w->kinds[kind];
	return (enum fb_op_kind)kind;
}

static void draw_fields(struct world *w, struct fb_op *op)
{
	op->debit = draw_key(w, 1 + (uint32_t)draw(w, w->assets));
	switch (op->kind) {
	case FB_OP_ACCOUNT:
		op->may_go_below_zero = draw(w, 2) == 0;
		break;
	case FB_OP_POST:
		op->debit = source_of_money(w, op->debit.asset);
		op->legs[0] = (struct fb_leg){ draw_key(w, op->debit.asset), draw_amount(w) };
		op->leg_count = 1;
		break;
	case FB_OP_HOLD:
		op->amount = draw_amount(w);
		if (chance(w, w->p_expiry))
			op->expires_us = w->now_us - 5 + (int64_t)draw(w, 100);
		break;
	case FB_OP_CAPTURE:
		op->ref = draw_ref(w, FB_OP_HOLD);
		draw_legs(w, op);
		break;
	case FB_OP_RELEASE:
		op->ref = draw_ref(w, FB_OP_HOLD);
		break;
	case FB_OP_REVERSE:
		op->ref = draw_ref(w, FB_OP_POST);
		break;
	}
}

static struct fb_op new_op(struct world *w)
{
	struct fb_op op = { .kind = draw_kind(w) };

	op.id = FB_U128(draw(w, 3) == 0 ? 0 : draw(w, UINT64_MAX), 1 + draw(w, 1u << 20));
	op.code = (uint16_t)draw(w, 3);
	op.user = draw(w, 3);
	op.external.bytes[draw(w, 32)] = (uint8_t)draw(w, 2);
	draw_fields(w, &op);
	return op;
}

/* Another content under the same id, mostly. */
static void alter(struct world *w, struct fb_op *op)
{
	fb_id id = op->id;

	switch (draw(w, 8)) {
	case 0: op->code ^= 1; break;
	case 1: op->user ^= (fb_u128)1 << draw(w, 128); break;
	case 2: op->external.bytes[draw(w, 32)] ^= 1; break;
	case 3: op->amount.atoms++; break;
	case 4: op->legs[0].amount.atoms++; break;
	case 5: op->debit.owner.bytes[draw(w, 20)] ^= 1; break;
	case 6: op->legs[draw(w, FB_LEGS_MAX)].credit.purpose = purposes[draw(w, FB_COUNT(purposes))]; break;
	default: *op = new_op(w); break;
	}
	op->id = id;
}

/* What no careful client sends. */
static void spoil(struct world *w, struct fb_op *op)
{
	switch (draw(w, 14)) {
	case 0: op->id = 0; break;
	case 1: op->id = ~(fb_id)0; break;
	case 2: op->ref = draw(w, 2) == 0 ? 0 : ~(fb_id)0; break;
	case 3: op->kind = (enum fb_op_kind)(6 + draw(w, 3)); break;
	case 4: op->debit.purpose = (enum fb_purpose)(draw(w, 2) * FB_PURPOSE_END); break;
	case 5: op->legs[0].credit.purpose = (enum fb_purpose)(draw(w, 2) * FB_PURPOSE_END); break;
	case 6: op->leg_count = draw(w, 2) * (FB_LEGS_MAX + 1); break;
	case 7: op->amount.atoms = draw(w, 2) * (FB_AMOUNT_MAX + 1); break;
	case 8: op->legs[0].amount.atoms = draw(w, 2) * (FB_AMOUNT_MAX + 1); break;
	case 9: op->legs[0].credit.asset++; break;
	case 10: op->legs[0].credit = op->debit; break;
	case 11: op->expires_us = -1; break;
	case 12: op->ref = op->id; break;
	default: op->leg_count++; break;
	}
}

static void remember(struct world *w, const struct fb_op *op)
{
	size_t n = w->history_count;

	if ((n & (n - 1)) == 0) {
		w->history = realloc(w->history, (n == 0 ? 1 : 2 * n) * sizeof(*op));
		FB_ASSERT(w->history != NULL);
	}
	w->history[w->history_count++] = *op;
}

static size_t draw_count(struct world *w)
{
	uint64_t size = draw(w, 16);

	return size == 0 ? 1 + draw(w, SUBMISSION_MAX) : size < 6 ? 1 + draw(w, 6) : 1;
}

/* What a paid call is made of, in one chain: money comes in, is held, and is captured. */
static size_t submit_purchase(struct world *w, struct fb_op *ops)
{
	struct fb_op *post = &ops[0], *hold = &ops[1], *capture = &ops[2];

	for (int i = 0; i < 3; i++) {
		ops[i] = new_op(w);
		ops[i].kind = i == 0 ? FB_OP_POST : i == 1 ? FB_OP_HOLD : FB_OP_CAPTURE;
		ops[i].ref = 0;
		draw_fields(w, &ops[i]);
		ops[i].linked = i < 2;
	}
	hold->debit = post->legs[0].credit;
	hold->amount = post->legs[0].amount;
	hold->leg_count = 0;
	capture->ref = hold->id;
	for (size_t i = 0; i < capture->leg_count; i++)
		capture->legs[i].credit.asset = hold->debit.asset;
	for (int i = 0; i < 3; i++)
		remember(w, &ops[i]);
	return 3;
}

size_t clients_submit(struct world *w, struct fb_op ops[SUBMISSION_MAX])
{
	size_t count = draw_count(w);
	bool long_chain = chance(w, w->p_link / 4);

	if (draw(w, 8) == 0)
		return submit_purchase(w, ops);

	for (size_t i = 0; i < count; i++) {
		if (w->history_count > 0 && chance(w, w->p_repeat)) {
			ops[i] = w->history[draw(w, w->history_count)];
			if (chance(w, w->p_alter))
				alter(w, &ops[i]);
		} else {
			ops[i] = new_op(w);
		}
		if (chance(w, w->p_spoil))
			spoil(w, &ops[i]);
		ops[i].linked = long_chain || chance(w, w->p_link);
		if (i == count - 1 && draw(w, 16) != 0)
			ops[i].linked = false;
		remember(w, &ops[i]);
	}
	return count;
}
