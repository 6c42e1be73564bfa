/* How many connections are open, in all and per address: a bounded hash table behind a lock. */
#include "http_int.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = 0 }; /* slots count from 1 */

struct slot {
	struct address address;
	uint32_t next; /* of the chain, or of the free list */
	uint32_t count;
};

struct crowd {
	pthread_mutex_t lock;
	unsigned total, total_max, each_max;
	uint64_t seed;
	uint32_t free, mask;
	uint32_t *heads;
	struct slot *slots; /* [1..total_max]: never more addresses than connections */
};

static uint32_t chains_for(unsigned total_max)
{
	uint32_t n = 16;

	while (n < total_max)
		n *= 2;
	return n;
}

struct crowd *fb_http_crowd_open(unsigned total_max, unsigned each_max, uint64_t seed)
{
	struct crowd *c = fb_must_alloc(1, sizeof(*c));

	FB_ASSERT(total_max > 0 && total_max <= 1u << 20);
	FB_ASSERT(each_max > 0);
	FB_ASSERT(pthread_mutex_init(&c->lock, NULL) == 0);
	c->total_max = total_max;
	c->each_max = each_max;
	c->seed = seed;
	c->mask = chains_for(total_max) - 1;
	c->heads = fb_must_alloc(c->mask + 1u, sizeof(*c->heads));
	c->slots = fb_must_alloc(total_max + 1u, sizeof(*c->slots));
	for (uint32_t i = 1; i < total_max; i++)
		c->slots[i].next = i + 1;
	c->free = 1;
	return c;
}

void fb_http_crowd_close(struct crowd *c)
{
	if (c == NULL)
		return;
	FB_ASSERT(c->total == 0);
	pthread_mutex_destroy(&c->lock);
	free(c->heads);
	free(c->slots);
	free(c);
}

/* Seeded, so that nobody chooses addresses of one chain. */
static uint32_t *chain(struct crowd *c, const struct address *a)
{
	uint64_t h = c->seed ^ fb_get_be64(a->bytes);

	h = (h ^ h >> 32) * 0x9e3779b97f4a7c15u;
	h ^= fb_get_be64(a->bytes + 8);
	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9u;
	return &c->heads[(h ^ h >> 32) & c->mask];
}

/* The link that points to the address' slot, or to NONE at the chain's end. */
static uint32_t *find(struct crowd *c, const struct address *a)
{
	uint32_t *link = chain(c, a);

	while (*link != NONE && memcmp(c->slots[*link].address.bytes, a->bytes, sizeof(a->bytes)) != 0)
		link = &c->slots[*link].next;
	return link;
}

static bool enter(struct crowd *c, const struct address *a)
{
	uint32_t *link, i;

	if (c->total == c->total_max)
		return false;
	link = find(c, a);
	if (*link != NONE && c->slots[*link].count == c->each_max)
		return false;
	if (*link == NONE) {
		i = c->free;
		FB_ASSERT(i != NONE);
		c->free = c->slots[i].next;
		c->slots[i] = (struct slot){ .address = *a, .next = NONE };
		*link = i;
	}
	c->slots[*link].count++;
	c->total++;
	return true;
}

bool fb_http_crowd_enter(struct crowd *c, const struct address *a)
{
	bool in;

	pthread_mutex_lock(&c->lock);
	in = enter(c, a);
	pthread_mutex_unlock(&c->lock);
	return in;
}

void fb_http_crowd_leave(struct crowd *c, const struct address *a)
{
	uint32_t *link, i;

	pthread_mutex_lock(&c->lock);
	link = find(c, a);
	i = *link;
	FB_ASSERT(i != NONE && c->slots[i].count > 0 && c->total > 0);
	c->total--;
	if (--c->slots[i].count == 0) {
		*link = c->slots[i].next;
		c->slots[i].next = c->free;
		c->free = i;
	}
	pthread_mutex_unlock(&c->lock);
}
