/* Transactions: taking them, mining them, forgetting them, and the history that tests look at. */
#include "sim_int.h"

#include <stdlib.h>
#include <string.h>

static struct sim_tx *find(struct fb_sim *s, const struct fb_hash *hash)
{
	for (size_t i = 0; i < s->tx_count; i++)
		if (fb_hash_eq(&s->txs[i].hash, hash))
			return &s->txs[i];
	return NULL;
}

const struct sim_tx *sim_find(const struct fb_sim *s, const struct fb_hash *hash)
{
	return find((struct fb_sim *)(uintptr_t)s, hash);
}

/* ---- the history of an authorization --------------------------------------------------------------------- */

static bool is_for(const struct sim_tx *tx, const struct fb_address *payer, const struct fb_hash *nonce)
{
	if (tx->batch != NULL)
		return sim_batch_find(tx->batch, payer, nonce) < tx->batch->count;
	return tx->call != NULL && fb_address_eq(&tx->call->authorization.from, payer) &&
	       fb_hash_eq(&tx->call->authorization.nonce, nonce);
}

/* Of one that was mined: did it move this one's money? */
static bool has_moved(const struct sim_tx *tx, const struct fb_authorization *a)
{
	if (tx->state != FB_SIM_TX_MOVED)
		return false;
	return tx->batch == NULL || tx->batch->moved[sim_batch_find(tx->batch, &a->from, &a->nonce)];
}

/* Could it still move money, or has it? */
static bool counts(struct fb_sim *s, const struct sim_tx *tx, const struct fb_authorization *a)
{
	if (has_moved(tx, a))
		return true;
	return (tx->state == FB_SIM_TX_WAITING || tx->state == FB_SIM_TX_UNKNOWN) &&
	       tx->nonce >= sim_account(&s->now, &tx->sender)->counter;
}

static struct fb_sim_history_row *row_of(struct fb_sim *s, const struct fb_address *payer, const struct fb_hash *nonce)
{
	for (size_t i = 0; i < s->history_count; i++) {
		struct fb_sim_history_row *h = &s->histories[i];

		if (fb_address_eq(&h->authorization.payer, payer) && fb_hash_eq(&h->authorization.nonce, nonce))
			return h;
	}
	FB_ASSERT(s->history_count < SIM_USED_MAX);
	s->histories[s->history_count].authorization = (struct sim_used){ .payer = *payer, .nonce = *nonce };
	return &s->histories[s->history_count++];
}

/* Is it the first of its nonce that counts? Attempts at one nonce are one. */
static bool counts_first(struct fb_sim *s, const struct sim_tx *tx, const struct fb_authorization *a)
{
	if (tx->foreign || !is_for(tx, &a->from, &a->nonce) || !counts(s, tx, a))
		return false;
	for (const struct sim_tx *o = s->txs; o < tx; o++)
		if (o->nonce == tx->nonce && fb_address_eq(&o->sender, &tx->sender) &&
		    is_for(o, &a->from, &a->nonce) && counts(s, o, a))
			return false;
	return true;
}

static void note_open_of(struct fb_sim *s, const struct fb_authorization *a)
{
	struct fb_sim_history_row *h;
	unsigned open = 0;

	for (size_t i = 0; i < s->tx_count; i++)
		open += counts_first(s, &s->txs[i], a);
	h = row_of(s, &a->from, &a->nonce);
	h->open_max = open > h->open_max ? open : h->open_max;
}

static void note_open(struct fb_sim *s, const struct sim_tx *tx)
{
	if (tx->call != NULL)
		note_open_of(s, &tx->call->authorization);
	for (size_t i = 0; tx->batch != NULL && i < tx->batch->count; i++)
		note_open_of(s, &tx->batch->calls[i].authorization);
}

static bool is_dead(const struct sim_tx *tx, const struct fb_authorization *a)
{
	if (tx->state == FB_SIM_TX_MOVED)
		return !has_moved(tx, a);
	return tx->state == FB_SIM_TX_LOST || tx->state == FB_SIM_TX_REVERTED || tx->state == FB_SIM_TX_SILENT;
}

struct fb_sim_history fb_sim_history(struct fb_sim *s, const struct fb_address *payer, const struct fb_hash *nonce)
{
	const struct fb_authorization a = { .from = *payer, .nonce = *nonce };
	struct fb_sim_history h = { 0 };

	sim_lock(s);
	for (size_t i = 0; i < s->now.used_count; i++) {
		if (!fb_address_eq(&s->used[i].payer, payer) || !fb_hash_eq(&s->used[i].nonce, nonce))
			continue;
		h.moved += !s->used[i].canceled;
		h.atoms += s->used[i].atoms;
	}
	for (size_t i = 0; i < s->tx_count; i++) {
		if (s->txs[i].foreign || !is_for(&s->txs[i], payer, nonce))
			continue;
		h.sent++;
		h.dead += is_dead(&s->txs[i], &a);
		h.ours += has_moved(&s->txs[i], &a);
	}
	h.open_max = row_of(s, payer, nonce)->open_max;
	sim_unlock(s);
	return h;
}

/* ---- taking and mining -------------------------------------------------------------------------------------- */

void sim_set_tx(struct sim_tx *tx, enum fb_sim_tx state, uint64_t block)
{
	tx->state = state;
	tx->was |= 1u << state;
	tx->block = block;
}

static bool same_nonce(const struct sim_tx *a, const struct sim_tx *b)
{
	return a->nonce == b->nonce && fb_address_eq(&a->sender, &b->sender);
}

static struct sim_tx *waiting_rival(struct fb_sim *s, const struct sim_tx *tx)
{
	for (size_t i = 0; i < s->tx_count; i++)
		if (s->txs[i].state == FB_SIM_TX_WAITING && same_nonce(&s->txs[i], tx))
			return &s->txs[i];
	return NULL;
}

static bool outbids(const struct sim_tx *tx, const struct sim_tx *rival)
{
	return 10 * tx->max_fee >= 11 * rival->max_fee && 10 * tx->tip >= 11 * rival->tip;
}

const char *sim_take(struct fb_sim *s, struct sim_tx *tx)
{
	struct sim_account *sender = sim_account(&s->now, &tx->sender);
	struct sim_tx *known = find(s, &tx->hash), *rival = waiting_rival(s, tx);

	s->taken++;
	if (known != NULL && known->state == FB_SIM_TX_WAITING)
		return "already known";
	if (tx->nonce < sender->counter)
		return "nonce too low";
	if (sender->wei < (fb_u128)tx->gas_limit * tx->max_fee)
		return "insufficient funds for gas * price + value";
	if (s->strict_fees && tx->max_fee < s->base_fee)
		return "max fee per gas less than block base fee";
	if (rival != NULL && !outbids(tx, rival))
		return "replacement transaction underpriced";
	if (rival != NULL)
		rival->state = FB_SIM_TX_UNKNOWN; /* the node forgets what was replaced */
	if (known != NULL) {
		known->state = FB_SIM_TX_WAITING; /* it was forgotten */
	} else {
		FB_ASSERT(s->tx_count < SIM_TXS_MAX);
		known = &s->txs[s->tx_count++];
		*known = *tx;
		tx->call = NULL;
		tx->batch = NULL;
		note_open(s, known);
	}
	if (s->auto_mine)
		sim_mine_locked(s);
	return NULL;
}

static enum fb_sim_fate draw_fate(struct fb_sim *s)
{
	if (s->fate_count == 0)
		return FB_SIM_HONEST;
	s->fate_count--;
	return s->fate;
}

/* The nonce is used: what else wanted it can never be mined, on this branch. */
static void lose_nonce(struct fb_sim *s, const struct fb_address *sender, uint64_t nonce)
{
	for (size_t i = 0; i < s->tx_count; i++) {
		struct sim_tx *tx = &s->txs[i];

		if (fb_address_eq(&tx->sender, sender) && tx->nonce == nonce &&
		    (tx->state == FB_SIM_TX_WAITING || tx->state == FB_SIM_TX_UNKNOWN))
			sim_set_tx(tx, FB_SIM_TX_LOST, s->now.block);
	}
}

static void execute(struct fb_sim *s, struct sim_tx *tx)
{
	struct sim_account *sender = sim_account(&s->now, &tx->sender);
	fb_u128 cost = (fb_u128)FB_SIM_GAS_USED * s->base_fee;
	enum fb_sim_fate fate = draw_fate(s);
	enum fb_sim_tx end = FB_SIM_TX_REVERTED;

	sender->counter++;
	tx->paid = cost < sender->wei ? cost : sender->wei;
	sender->wei -= tx->paid;
	if (tx->batch != NULL && fb_address_eq(&tx->to, &s->multicall3) && fate == FB_SIM_HONEST) {
		end = FB_SIM_TX_MOVED; /* perhaps not all of them */
		sim_batch_execute(s, tx);
	} else if (fate == FB_SIM_SILENT || tx->call == NULL || !fb_address_eq(&tx->to, &s->token)) {
		end = FB_SIM_TX_SILENT;
	} else if (fate == FB_SIM_HONEST && sim_token_refusal(s, &s->now, tx->call) == NULL) {
		end = FB_SIM_TX_MOVED;
		sim_token_move(s, tx->call, &tx->hash);
	}
	lose_nonce(s, &tx->sender, tx->nonce);
	sim_set_tx(tx, end, s->now.block);
}

static struct sim_tx *next_mineable(struct fb_sim *s)
{
	for (size_t i = 0; i < s->tx_count; i++) {
		struct sim_tx *tx = &s->txs[i];

		if (tx->state == FB_SIM_TX_WAITING && tx->nonce == sim_account(&s->now, &tx->sender)->counter &&
		    tx->max_fee >= s->base_fee)
			return tx;
	}
	return NULL;
}

void sim_mine_locked(struct fb_sim *s)
{
	struct sim_tx *tx;

	s->now.block++;
	while ((tx = next_mineable(s)) != NULL)
		execute(s, tx);
}

void fb_sim_mine(struct fb_sim *s)
{
	sim_lock(s);
	sim_mine_locked(s);
	sim_unlock(s);
}

void fb_sim_auto_mine(struct fb_sim *s, bool on)
{
	sim_lock(s);
	s->auto_mine = on;
	sim_unlock(s);
}

void fb_sim_next_fates(struct fb_sim *s, enum fb_sim_fate fate, unsigned count)
{
	sim_lock(s);
	s->fate = fate;
	s->fate_count = count;
	sim_unlock(s);
}

/* ---- others ----------------------------------------------------------------------------------------------- */

void fb_sim_forget_pending(struct fb_sim *s)
{
	sim_lock(s);
	for (size_t i = 0; i < s->tx_count; i++)
		if (s->txs[i].state == FB_SIM_TX_WAITING)
			s->txs[i].state = FB_SIM_TX_UNKNOWN;
	sim_unlock(s);
}

void fb_sim_take_nonce(struct fb_sim *s, const struct fb_address *sender)
{
	struct sim_account *a;

	sim_lock(s);
	s->now.block++;
	a = sim_account(&s->now, sender);
	lose_nonce(s, sender, a->counter++);
	FB_ASSERT(s->taken_nonce_count < FB_COUNT(s->taken_nonces));
	s->taken_nonces[s->taken_nonce_count++] = (struct sim_taken_nonce){ *sender, s->now.block };
	sim_unlock(s);
}

bool fb_sim_tx_was(struct fb_sim *s, const struct fb_hash *hash, enum fb_sim_tx state)
{
	const struct sim_tx *tx;
	bool was;

	sim_lock(s);
	tx = sim_find(s, hash);
	was = tx != NULL && (tx->was >> state & 1) == 1;
	sim_unlock(s);
	return was;
}

enum fb_sim_tx fb_sim_tx_state(struct fb_sim *s, const struct fb_hash *hash)
{
	const struct sim_tx *tx;
	enum fb_sim_tx state;

	sim_lock(s);
	tx = sim_find(s, hash);
	state = tx == NULL ? FB_SIM_TX_UNKNOWN : tx->state;
	sim_unlock(s);
	return state;
}
