/* Books what a transaction of ours cost, in wei, in the native coin's own asset. The posting's id comes from the
 * transaction's hash, so the same cost told again is there already. */
#include "gas.h"

#include "farebox/crypto.h"

#include <stdlib.h>
#include <string.h>

struct booking {
	struct fb_loop *loop;
	enum fb_status status;
	void (*done)(void *arg, enum fb_status status);
	void *arg;
};

static fb_id id_of(const struct fb_hash *tx)
{
	static const char tag[] = "farebox gas";
	struct fb_keccak k;
	struct fb_hash h;
	fb_id id;

	fb_keccak_init(&k);
	fb_keccak_update(&k, tag, sizeof(tag) - 1);
	fb_keccak_update(&k, tx->bytes, sizeof(tx->bytes));
	h = fb_keccak_final(&k);
	id = fb_get_be128(h.bytes) >> 1; /* below the ids that may not be */
	return id == 0 ? 1 : id;
}

static void on_loop(void *arg)
{
	struct booking *b = arg;

	b->done(b->arg, b->status);
	free(b);
}

/* On the writer's thread, or before the call returns. A refusal says that something is booked under this id: the same
 * transaction in another block, whose gas had another price, after a reorganization deeper than is waited for. */
static void on_booked(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct booking *b = arg;

	(void)results, (void)count;
	b->status = status;
	fb_loop_post(b->loop, on_loop, b);
}

void fb_gas_spent(void *gas, const struct fb_hash *tx, fb_u128 cost_wei, void (*done)(void *arg, enum fb_status status),
		  void *arg)
{
	struct fb_gas *g = gas;
	struct booking *b;
	struct fb_op op = { .kind = FB_OP_POST, .id = id_of(tx), .leg_count = 1, .external = *tx };

	if (cost_wei == 0) { /* a chain without fees */
		done(arg, FB_OK);
		return;
	}
	b = fb_must_alloc(1, sizeof(*b));
	*b = (struct booking){ .loop = g->loop, .done = done, .arg = arg };
	op.debit = (struct fb_account_key){ .asset = g->asset, .purpose = FB_PURPOSE_GAS };
	memcpy(op.debit.owner.bytes, g->signer.bytes, sizeof(g->signer.bytes));
	op.legs[0].credit = (struct fb_account_key){ .asset = g->asset, .purpose = FB_PURPOSE_WORLD };
	op.legs[0].amount = (struct fb_amount){ cost_wei };
	fb_writer_submit(g->writer, &(struct fb_submission){ .ops = &op, .op_count = 1, .done = on_booked, .arg = b });
}
