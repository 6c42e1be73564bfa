/* The simulated chain. */
#include "world.h"

#include "farebox/crypto.h"

#include <string.h>

struct fb_hash chain_hash(uint64_t id)
{
	uint8_t bytes[8];

	fb_put_be64(bytes, id);
	return fb_keccak256(bytes, sizeof(bytes));
}

struct fb_address chain_wallet(uint8_t i)
{
	struct fb_address a;

	memset(a.bytes, 0x10 + i, sizeof(a.bytes));
	return a;
}

static struct world_tx new_tx(struct world *w)
{
	static const enum fb_movement_kind kinds[] = { FB_MOVEMENT_TRANSFER, FB_MOVEMENT_AUTHORIZED, FB_MOVEMENT_DEPOSIT,
						       FB_MOVEMENT_DEPOSIT,  FB_MOVEMENT_GIFT,       FB_MOVEMENT_PAYOUT };
	struct world_tx t = { .kind = kinds[world_draw(w, FB_COUNT(kinds))], .id = ++w->ids, .deed = ++w->ids,
			      .payer = (uint8_t)world_draw(w, WORLD_WALLETS), .amount = 1 + world_draw(w, 1000) };

	t.wallet = t.kind == FB_MOVEMENT_GIFT || t.kind == FB_MOVEMENT_PAYOUT
			   ? (uint8_t)world_draw(w, WORLD_WALLETS) : t.payer;
	if (t.kind == FB_MOVEMENT_PAYOUT)
		t.amount = 1 + world_draw(w, 20);
	return t;
}

/* One of the pool, as it was or, an authorization, in somebody else's transaction. */
static struct world_tx take_pooled(struct world *w)
{
	size_t i = world_draw(w, w->pooled);
	struct world_tx t = w->pool[i];

	w->pool[i] = w->pool[--w->pooled];
	if (t.kind == FB_MOVEMENT_AUTHORIZED && world_draw(w, 3) == 0)
		t.id = ++w->ids;
	return t;
}

void chain_mine(struct world *w)
{
	struct world_block *b = &w->chain[w->head + 1];

	CHECK(w, w->head + 1 < WORLD_BLOCKS);
	*b = (struct world_block){ .hash = ++w->hashes, .parent = w->chain[w->head].hash };
	w->head++;
	if (w->head <= WORLD_FROM)
		return;
	for (size_t n = world_draw(w, 3); n > 0; n--)
		b->txs[b->count++] = new_tx(w);
	while (b->count < WORLD_BLOCK_TXS && w->pooled > 0 && world_draw(w, 3) != 0)
		b->txs[b->count++] = take_pooled(w);
}

static void pool_block(struct world *w, const struct world_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (w->pooled < WORLD_POOL && world_draw(w, 8) != 0)
			w->pool[w->pooled++] = b->txs[i];
}

static void forget_return(struct world *w)
{
	w->left_head = 0;
}

void chain_reorg(struct world *w)
{
	uint64_t floor = w->final > WORLD_FROM ? w->final : WORLD_FROM, depth, first, grow;

	if (w->head <= floor)
		return;
	depth = 1 + world_draw(w, w->head - floor);
	first = w->head - depth + 1;
	memcpy(&w->left[first], &w->chain[first], depth * sizeof(w->left[0]));
	w->left_first = first;
	w->left_head = w->head;
	for (uint64_t h = first; h <= w->head; h++)
		pool_block(w, &w->chain[h]);
	w->head = first - 1;
	w->safe = w->safe > w->head ? w->head : w->safe;
	grow = world_draw(w, depth + 2);
	for (uint64_t i = 0; i < grow && w->head + 1 < WORLD_BLOCKS - 64; i++)
		chain_mine(w);
	w->reorgs++;
	CHECK(w, fb_credit_rewind(w->credit, first) == FB_OK);
}

/* What the other branch took meanwhile is in the pool again, unless the old branch holds it. */
static bool holds(const struct world *w, const struct world_tx *t)
{
	for (uint64_t h = WORLD_FROM; h <= w->head; h++)
		for (size_t i = 0; i < w->chain[h].count; i++)
			if (w->chain[h].txs[i].deed == t->deed)
				return true;
	return false;
}

void chain_return(struct world *w)
{
	uint64_t first = w->left_first;

	if (w->left_head == 0 || first <= w->final || w->chain[first - 1].hash != w->left[first].parent)
		return;
	for (uint64_t h = first; h <= w->head; h++)
		pool_block(w, &w->chain[h]);
	memcpy(&w->chain[first], &w->left[first], (w->left_head - first + 1) * sizeof(w->left[0]));
	w->head = w->left_head;
	w->safe = w->safe >= first ? first - 1 : w->safe;
	for (size_t i = 0; i < w->pooled;)
		if (holds(w, &w->pool[i]))
			w->pool[i] = w->pool[--w->pooled];
		else
			i++;
	forget_return(w);
	w->returns++;
	CHECK(w, fb_credit_rewind(w->credit, first) == FB_OK);
}

size_t chain_movements(const struct world *w, struct fb_movement *out, uint64_t height)
{
	const struct world_block *b = &w->chain[height];

	for (size_t i = 0; i < b->count; i++) {
		const struct world_tx *t = &b->txs[i];
		struct fb_movement m = { .kind = t->kind, .block = height, .index = 3 * i, .block_hash = chain_hash(b->hash),
					 .tx = chain_hash(t->id << 20), .payer = chain_wallet(t->payer),
					 .wallet = chain_wallet(t->wallet), .amount = { t->amount } };

		if (t->kind == FB_MOVEMENT_AUTHORIZED || t->kind == FB_MOVEMENT_PAYOUT)
			m.reference = chain_hash(t->deed << 40);
		m.identity = fb_movement_identity(&m, &w->settings.escrow);
		out[i] = m;
	}
	return b->count;
}

enum fb_stand chain_stands(void *ctx, uint64_t block, const struct fb_hash *hash)
{
	const struct world *w = ctx;
	struct fb_hash now;

	if (block + 96 < w->head)
		return FB_STAND_UNKNOWN;
	if (block > w->head)
		return FB_STAND_NO;
	now = chain_hash(w->chain[block].hash);
	return fb_hash_eq(&now, hash) ? FB_STAND_YES : FB_STAND_NO;
}
