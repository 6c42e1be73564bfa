/* A hash table of links that lie in what they find. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64, KEY_MAX = FB_OWNER_ID_MAX };

void fb_map_open(struct map *m, struct fb_rng rng)
{
	*m = (struct map){ .slots = fb_must_alloc(FIRST_SIZE, sizeof(*m->slots)), .size = FIRST_SIZE };
	rng.fill(rng.ctx, m->seed, sizeof(m->seed));
}

void fb_map_close(struct map *m)
{
	free(m->slots);
}

static uint64_t hash_of(const struct map *m, const void *key, size_t len)
{
	uint8_t text[sizeof(m->seed) + KEY_MAX];
	struct fb_hash h;

	FB_ASSERT(len <= KEY_MAX);
	memcpy(text, m->seed, sizeof(m->seed));
	memcpy(text + sizeof(m->seed), key, len);
	h = fb_sha256(text, sizeof(m->seed) + len);
	return fb_get_be64(h.bytes);
}

static void put(struct map *m, struct link *l)
{
	struct link **slot = &m->slots[l->hash & (m->size - 1)];

	l->next = *slot;
	*slot = l;
}

static void grow(struct map *m)
{
	struct link **old = m->slots, *l, *next;
	size_t old_size = m->size;

	m->size *= 2;
	m->slots = fb_must_alloc(m->size, sizeof(*m->slots));
	for (size_t i = 0; i < old_size; i++)
		for (l = old[i]; l != NULL; l = next) {
			next = l->next;
			put(m, l);
		}
	free(old);
}

void *fb_map_find(const struct map *m, const void *key, size_t len)
{
	uint64_t hash = hash_of(m, key, len);

	for (const struct link *l = m->slots[hash & (m->size - 1)]; l != NULL; l = l->next)
		if (l->hash == hash && l->len == len && memcmp(l->key, key, len) == 0)
			return l->item;
	return NULL;
}

void fb_map_add(struct map *m, struct link *l, const void *key, size_t len, void *item)
{
	FB_ASSERT(fb_map_find(m, key, len) == NULL);
	*l = (struct link){ NULL, hash_of(m, key, len), key, len, item };
	if (m->count == m->size)
		grow(m);
	put(m, l);
	m->count++;
}

void fb_map_remove(struct map *m, struct link *l)
{
	struct link **at = &m->slots[l->hash & (m->size - 1)];

	while (*at != l) {
		FB_ASSERT(*at != NULL);
		at = &(*at)->next;
	}
	*at = l->next;
	m->count--;
}
