/* The chain's state: accounts and used authorizations, now and as a lagging node still sees them. */
#include "sim_int.h"

#include <string.h>

struct sim_account *sim_account(struct sim_state *st, const struct fb_address *of)
{
	struct sim_account *a;

	for (size_t i = 0; i < st->account_count; i++)
		if (fb_address_eq(&st->accounts[i].address, of))
			return &st->accounts[i];
	FB_ASSERT(st->account_count < SIM_ACCOUNTS_MAX);
	a = &st->accounts[st->account_count++];
	*a = (struct sim_account){ .address = *of };
	return a;
}

const struct sim_state *sim_visible(const struct fb_sim *s)
{
	return s->lag || s->fall_back > 0 ? &s->lagging : &s->now;
}

struct fb_hash sim_block_hash(const struct sim_state *st, uint64_t number)
{
	uint64_t what[2] = { number, 0 };

	for (size_t i = 0; i < st->fork_count; i++)
		if (st->forks[i].from <= number)
			what[1] = st->forks[i].salt;
	return fb_keccak256(what, sizeof(what));
}

bool sim_is_used(const struct fb_sim *s, const struct sim_state *st, const struct fb_address *payer,
		 const struct fb_hash *nonce)
{
	for (size_t i = 0; i < st->used_count; i++)
		if (fb_address_eq(&s->used[i].payer, payer) && fb_hash_eq(&s->used[i].nonce, nonce))
			return true;
	return false;
}

/* ---- the world, as a test sets it ------------------------------------------------------------------------ */

void fb_sim_pay_in(struct fb_sim *s, const struct fb_address *to, uint64_t atoms)
{
	struct sim_account *a;

	sim_lock(s);
	a = sim_account(&s->now, to);
	FB_ASSERT(fb_u256_add(&a->atoms, a->atoms, fb_u256_from_u64(atoms)) == FB_OK);
	sim_unlock(s);
}

void fb_sim_pay_out(struct fb_sim *s, const struct fb_address *from, uint64_t atoms)
{
	struct sim_account *a;

	sim_lock(s);
	a = sim_account(&s->now, from);
	if (fb_u256_sub(&a->atoms, a->atoms, fb_u256_from_u64(atoms)) != FB_OK)
		a->atoms = fb_u256_from_u64(0);
	sim_unlock(s);
}

void fb_sim_set_gas_money(struct fb_sim *s, const struct fb_address *of, fb_u128 wei)
{
	sim_lock(s);
	sim_account(&s->now, of)->wei = wei;
	sim_unlock(s);
}

void fb_sim_set_contract(struct fb_sim *s, const struct fb_address *at, bool accepts_signatures)
{
	sim_lock(s);
	sim_account(&s->now, at)->has_code = true;
	sim_account(&s->now, at)->accepts = accepts_signatures;
	sim_unlock(s);
}

void fb_sim_set_blacklisted(struct fb_sim *s, const struct fb_address *who, bool listed)
{
	sim_lock(s);
	sim_account(&s->now, who)->blacklisted = listed;
	sim_unlock(s);
}

void fb_sim_set_paused(struct fb_sim *s, bool paused)
{
	sim_lock(s);
	s->now.paused = paused;
	sim_unlock(s);
}

void fb_sim_set_counter(struct fb_sim *s, const struct fb_address *of, uint64_t transactions)
{
	sim_lock(s);
	sim_account(&s->now, of)->counter = transactions;
	sim_unlock(s);
}

struct fb_sim_account fb_sim_account(struct fb_sim *s, const struct fb_address *of)
{
	struct fb_sim_account out;
	struct sim_account *a;

	sim_lock(s);
	a = sim_account(&s->now, of);
	out = (struct fb_sim_account){ a->atoms, a->wei, a->counter };
	sim_unlock(s);
	return out;
}
