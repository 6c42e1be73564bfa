/* The last blocks replaced by others: what happened in them did not. */
#include "sim_int.h"

static void give_back(struct sim_state *st, const struct sim_used *u)
{
	struct sim_account *to = sim_account(st, &u->to), *payer;

	if (fb_u256_sub(&to->atoms, to->atoms, fb_u256_from_u64(u->atoms)) != FB_OK)
		to->atoms = fb_u256_from_u64(0); /* it was moved on by a test */
	payer = sim_account(st, &u->payer);
	FB_ASSERT(fb_u256_add(&payer->atoms, payer->atoms, fb_u256_from_u64(u->atoms)) == FB_OK);
}

static void undo_transfers(struct fb_sim *s, uint64_t above)
{
	while (s->now.used_count > 0 && s->used[s->now.used_count - 1].block > above)
		give_back(&s->now, &s->used[--s->now.used_count]);
}

static void undo_transaction(struct fb_sim *s, struct sim_tx *tx, enum fb_sim_reorg fate)
{
	struct sim_account *sender = sim_account(&s->now, &tx->sender);
	bool waits = tx->state != FB_SIM_TX_LOST && fate != FB_SIM_REORG_DROP;

	if (tx->foreign) { /* its sender does not send it again */
		tx->block = 0;
		tx->state = FB_SIM_TX_UNKNOWN;
		return;
	}
	if (tx->state != FB_SIM_TX_LOST) {
		FB_ASSERT(sender->counter > 0);
		sender->counter--;
		sender->wei += tx->paid;
	}
	tx->paid = 0;
	tx->block = 0;
	tx->state = waits ? FB_SIM_TX_WAITING : FB_SIM_TX_UNKNOWN; /* what had lost its nonce may be handed in again */
}

static void undo_transactions(struct fb_sim *s, uint64_t above, enum fb_sim_reorg fate)
{
	for (size_t i = 0; i < s->tx_count; i++)
		if (s->txs[i].block > above)
			undo_transaction(s, &s->txs[i], fate);
	while (s->taken_nonce_count > 0 && s->taken_nonces[s->taken_nonce_count - 1].block > above)
		sim_account(&s->now, &s->taken_nonces[--s->taken_nonce_count].sender)->counter--;
}

/* Blocks from `from` up have other hashes now. */
static void fork_at(struct fb_sim *s, uint64_t from)
{
	struct sim_state *st = &s->now;

	while (st->fork_count > 0 && st->forks[st->fork_count - 1].from >= from)
		st->fork_count--;
	FB_ASSERT(st->fork_count < SIM_FORKS_MAX);
	st->forks[st->fork_count].from = from;
	st->forks[st->fork_count++].salt = ++s->salts;
}

void fb_sim_reorg(struct fb_sim *s, uint64_t depth, uint64_t blocks, enum fb_sim_reorg fate)
{
	uint64_t from;

	sim_lock(s);
	FB_ASSERT(depth > 0 && depth < s->now.block);
	from = s->now.block - depth;
	undo_transfers(s, from);
	undo_transactions(s, from, fate);
	fork_at(s, from + 1);
	s->now.block = from;
	if (fate == FB_SIM_REORG_MINE && blocks > 0)
		sim_mine_locked(s);
	s->now.block = from + blocks;
	if (s->lag)
		s->lagging = s->now; /* what it saw is gone */
	sim_unlock(s);
}

void fb_sim_set_finality(struct fb_sim *s, uint64_t safe_blocks, uint64_t final_blocks)
{
	sim_lock(s);
	s->safe_blocks = safe_blocks;
	s->final_blocks = final_blocks;
	sim_unlock(s);
}

void fb_sim_lie(struct fb_sim *s, enum fb_sim_lie lie, unsigned count)
{
	sim_lock(s);
	s->lie = lie;
	s->lie_count = count;
	sim_unlock(s);
}
