/* What happens in a world, drawn from its seed. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SETTLE_BLOCKS = 60,
	FINAL_DEPTH = 24,
	SAFE_DEPTH = 9,
	RANGE_MAX = 7,
	MOVEMENTS = WORLD_BLOCKS * WORLD_BLOCK_TXS,
};

static struct fb_credit_batch batch;
static struct fb_movement movements[MOVEMENTS];
static struct fb_credit_block blocks[WORLD_BLOCKS];

_Noreturn void world_fail(const struct world *w, const char *what, const char *file, int line)
{
	fprintf(stderr, "seed %llu: %s is false at %s:%d\n", (unsigned long long)w->seed, what, file, line);
	abort();
}

uint64_t world_draw(struct world *w, uint64_t below)
{
	uint64_t z = (w->random += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) % below;
}

/* False: the process died on the way. */
static bool work_off(struct world *w)
{
	while (fb_credit_next(w->credit, &batch))
		if (!ledger_submit(w, &batch))
			return false;
	audit_always(w);
	return true;
}

static bool heads(struct world *w)
{
	w->fresh = false;
	CHECK(w, fb_credit_heads(w->credit, w->head, w->safe, w->final) == FB_OK);
	return work_off(w);
}

/* A range as it is; a liar leaves out one movement. */
static enum fb_status scan(struct world *w, uint64_t first, uint64_t last, bool lie, bool with_blocks)
{
	struct fb_credit_scan s = { .first = first, .last = last, .last_hash = chain_hash(w->chain[last].hash),
				    .movements = movements, .blocks = blocks, .sequence = last - (WORLD_FROM - 1) };

	for (uint64_t h = first; h <= last; h++) {
		s.count += chain_movements(w, movements + s.count, h);
		if (with_blocks)
			blocks[s.block_count++] = (struct fb_credit_block){ h, chain_hash(w->chain[h].hash) };
	}
	if (lie && s.count > 0) {
		size_t gone = world_draw(w, s.count);

		memmove(&movements[gone], &movements[gone + 1], (s.count - gone - 1) * sizeof(movements[0]));
		s.count--;
	}
	return fb_credit_scan(w->credit, &s, NULL);
}

static bool is_credited(const struct world *w, uint64_t first, uint64_t last)
{
	for (size_t i = 0; i < fb_credit_count(w->credit); i++) {
		const struct fb_credit_item *is = fb_credit_item(w->credit, i);

		if (is->state == FB_CREDIT_REVERSED || is->m.block < first || is->m.block > last)
			continue;
		return true;
	}
	return false;
}

/* A liar is found out if what he leaves out was credited; so a lie is told only about ranges where all of it was. */
static void second_look(struct world *w, uint64_t last)
{
	struct fb_hash hash;
	uint64_t first = fb_credit_looked(w->credit, &hash) + 1;
	enum fb_status st;

	if (first > last)
		return;
	if (last < fb_credit_next_block(w->credit) && is_credited(w, first, last) && world_draw(w, 4) == 0) {
		st = scan(w, first, last, true, true);
		if (st == FB_MISMATCH)
			w->lies++;
		if (st == FB_OK) { /* he left out what was lost in a crash; the truth is told before he is believed */
			while (fb_credit_next(w->credit, &batch))
				;
			ledger_load(w);
			(void)heads(w);
			return;
		}
	}
	st = scan(w, first, last, false, true);
	CHECK(w, st == FB_OK);
	w->finals++;
	(void)work_off(w);
}

static void look(struct world *w)
{
	uint64_t next = fb_credit_next_block(w->credit), last = next + world_draw(w, RANGE_MAX);

	if (next > w->head)
		return;
	last = last > w->head ? w->head : last;
	if (last <= w->final) {
		second_look(w, last);
		return;
	}
	CHECK(w, fb_credit_sequence(w->credit, next) == next - WORLD_FROM);
	CHECK(w, scan(w, next, last, false, true) == FB_OK);
	(void)work_off(w);
}

static void receipt(struct world *w)
{
	uint64_t next = fb_credit_next_block(w->credit), h = w->head;
	size_t count;

	if (next > h || h <= w->final)
		return;
	count = chain_movements(w, movements, h);
	if (count == 0)
		return;
	CHECK(w, fb_credit_receipt(w->credit, &movements[world_draw(w, count)], 1) == FB_OK);
	w->receipts++;
	(void)work_off(w);
}

static void spend(struct world *w)
{
	uint8_t wallet = (uint8_t)world_draw(w, WORLD_WALLETS);
	struct fb_owner owner = ledger_owner(w, wallet, world_draw(w, 2) == 0), fees = { { 0xfe } };
	fb_u128 available = ledger_available(w, &owner).atoms;
	struct fb_op op = { .kind = FB_OP_POST, .id = ++w->op_ids, .leg_count = 1,
			    .debit = { owner, WORLD_ASSET, FB_PURPOSE_AVAILABLE } };

	if (available == 0)
		return;
	op.legs[0].credit = (struct fb_account_key){ fees, WORLD_ASSET, FB_PURPOSE_FEES };
	op.legs[0].amount.atoms = 1 + world_draw(w, (uint64_t)available);
	if (world_draw(w, 4) == 0) {
		op.kind = FB_OP_HOLD;
		op.amount = op.legs[0].amount;
		op.leg_count = 0;
		w->holds++;
		CHECK(w, ledger_post(w, &op) == FB_OK);
		return;
	}
	CHECK(w, ledger_post(w, &op) == FB_OK);
	w->spent[wallet] += (uint64_t)op.legs[0].amount.atoms;
}

/* Sometimes the owner is quicker: the ledger refuses, and it is tried again later. */
static void repay(struct world *w)
{
	for (size_t i = 0; i < fb_credit_debtors(w->credit); i++) {
		struct fb_amount debt, available;
		struct fb_owner owner = fb_credit_debtor(w->credit, i, &debt);

		available = ledger_available(w, &owner);
		w->debts++;
		if (!fb_credit_repay(w->credit, &batch, i, available))
			continue;
		if (world_draw(w, 8) == 0) {
			fb_credit_repaid(w->credit, FB_FUNDS);
			continue;
		}
		if (!ledger_submit(w, &batch))
			return;
		fb_credit_repaid(w->credit, FB_OK);
		w->repaid++;
		audit_always(w);
		return; /* the list may have changed */
	}
}

static void claim(struct world *w, uint8_t i)
{
	struct fb_address wallet = chain_wallet(i);
	struct fb_owner plain = ledger_owner(w, i, false);
	world_sum suspense = ledger_balance(w, &plain, FB_PURPOSE_SUSPENSE);

	CHECK(w, suspense >= 0);
	CHECK(w, fb_credit_claim(w->credit, &wallet, (struct fb_amount){ (fb_u128)suspense }) == FB_OK);
	(void)work_off(w);
}

static void register_wallet(struct world *w)
{
	uint8_t i = (uint8_t)world_draw(w, WORLD_WALLETS);

	w->registered[i] = true;
	claim(w, i);
}

static void rise(struct world *w)
{
	uint64_t safe = w->head > SAFE_DEPTH ? w->head - SAFE_DEPTH : 0;
	uint64_t final = w->head > FINAL_DEPTH ? w->head - FINAL_DEPTH : 0;

	w->safe = safe > w->safe ? safe : w->safe;
	w->final = final > w->final ? final : w->final;
	w->safe = w->safe < w->final ? w->final : w->safe;
	(void)heads(w);
}

static void mine(struct world *w)
{
	if (w->head < WORLD_BLOCKS - 64)
		chain_mine(w);
}

static void reorg(struct world *w)
{
	chain_reorg(w);
	if (!work_off(w))
		return;
}

static void come_back(struct world *w)
{
	chain_return(w);
	(void)work_off(w);
}

static void look_twice(struct world *w)
{
	struct fb_hash hash;
	uint64_t looked = fb_credit_looked(w->credit, &hash);

	if (w->final > looked)
		second_look(w, looked + 1 + world_draw(w, w->final - looked));
}

void world_run(struct world *w, unsigned steps)
{
	static void (*const events[])(struct world *) = {
		mine, mine, mine, mine, look, look, look, look, receipt, spend, spend, repay, rise, rise, look_twice,
		look_twice,
	};

	for (unsigned i = 0; i < steps; i++) {
		uint64_t draw = world_draw(w, 100);

		while (w->fresh)
			(void)heads(w);
		if (draw < 5)
			reorg(w);
		else if (draw < 7)
			come_back(w);
		else if (draw < 8 && world_draw(w, 4) == 0)
			register_wallet(w);
		else
			events[world_draw(w, FB_COUNT(events))](w);
	}
}

void world_settle(struct world *w)
{
	w->crash_rate = 0;
	for (unsigned i = 0; i < SETTLE_BLOCKS; i++)
		chain_mine(w);
	w->final = w->safe = w->head;
	(void)heads(w);
	for (unsigned i = 0; i < WORLD_BLOCKS && fb_credit_next_block(w->credit) <= w->head; i++)
		second_look(w, w->head);
	second_look(w, w->head);
	for (unsigned i = 0; i < 100 && fb_credit_debtors(w->credit) > 0; i++)
		repay(w);
	for (uint8_t i = 0; i < WORLD_WALLETS; i++)
		if (w->registered[i])
			claim(w, i);
}

void world_open(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->seed = w->random = seed;
	w->early_max = world_draw(w, 3) * 400;
	w->early_cap = world_draw(w, 3) * 700;
	w->crash_rate = (unsigned)(world_draw(w, 4) * 30);
	memset(w->settings.escrow.address.bytes, 0xee, 20);
	memset(w->settings.escrow.token.bytes, 0xcc, 20);
	w->settings.escrow.chain_id = 31337;
	w->settings.asset = WORLD_ASSET;
	w->settings.from_block = WORLD_FROM;
	w->settings.rung = (enum fb_credit_rung)world_draw(w, 3);
	w->settings.blocks = 1 + world_draw(w, 12);
	w->settings.early_max.atoms = w->early_max;
	w->settings.early_cap.atoms = w->early_cap;
	w->chain[0].hash = ++w->hashes;
	while (w->head < WORLD_FROM)
		chain_mine(w);
	ledger_open(w);
}

void world_close(struct world *w)
{
	fb_credit_close(w->credit);
	fb_books_close(w->books);
}
