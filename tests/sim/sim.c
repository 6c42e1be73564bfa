/* Opening and closing a simulated chain; its lock, its chance, its counts. */
#include "sim_int.h"

#include <stdlib.h>
#include <string.h>

void sim_lock(struct fb_sim *s)
{
	FB_ASSERT(pthread_mutex_lock(&s->lock) == 0);
}

void sim_unlock(struct fb_sim *s)
{
	FB_ASSERT(pthread_mutex_unlock(&s->lock) == 0);
}

/* splitmix64 */
uint64_t sim_draw(struct fb_sim *s)
{
	uint64_t z = s->rng += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

void fb_sim_open(struct fb_sim **out, const struct fb_network *network, struct fb_clock clock, uint64_t seed)
{
	struct fb_sim *s = fb_must_alloc(1, sizeof(*s));

	FB_ASSERT(network->token_count > 0);
	FB_ASSERT(pthread_mutex_init(&s->lock, NULL) == 0);
	s->token = network->tokens[0].address;
	s->multicall3 = network->multicall3;
	s->domain = network->tokens[0].domain;
	s->chain_id = s->said_chain_id = network->chain_id;
	s->clock = clock;
	s->rng = seed;
	s->auto_mine = true;
	s->gas_estimate = FB_SIM_GAS_USED;
	s->base_fee = FB_SIM_BASE_FEE;
	s->now.block = 1000;
	sim_serve_start(s);
	*out = s;
}

void fb_sim_close(struct fb_sim *s)
{
	sim_serve_stop(s);
	for (size_t i = 0; i < s->tx_count; i++)
		sim_free_calls(&s->txs[i]);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void fb_sim_set_chain_id(struct fb_sim *s, uint64_t chain_id)
{
	sim_lock(s);
	s->said_chain_id = chain_id;
	sim_unlock(s);
}

void fb_sim_set_gas_estimate(struct fb_sim *s, fb_u128 gas)
{
	sim_lock(s);
	s->gas_estimate = gas;
	sim_unlock(s);
}

void fb_sim_set_base_fee(struct fb_sim *s, fb_u128 wei)
{
	sim_lock(s);
	s->base_fee = wei;
	sim_unlock(s);
}

void fb_sim_strict_fees(struct fb_sim *s, bool on)
{
	sim_lock(s);
	s->strict_fees = on;
	sim_unlock(s);
}

size_t fb_sim_taken(struct fb_sim *s)
{
	size_t n;

	sim_lock(s);
	n = s->taken;
	sim_unlock(s);
	return n;
}

size_t fb_sim_requests(struct fb_sim *s)
{
	size_t n;

	sim_lock(s);
	n = s->requests;
	sim_unlock(s);
	return n;
}

size_t fb_sim_asked(struct fb_sim *s, const char *method)
{
	size_t n = 0;

	sim_lock(s);
	for (size_t i = 0; i < SIM_METHODS_MAX; i++)
		if (strcmp(s->asked[i].method, method) == 0)
			n = s->asked[i].calls;
	sim_unlock(s);
	return n;
}

void fb_sim_on_send(struct fb_sim *s, void (*hook)(void *arg, const struct fb_sim_sent *sent), void *arg)
{
	sim_lock(s);
	s->hook = hook;
	s->hook_arg = arg;
	sim_unlock(s);
}
