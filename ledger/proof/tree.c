/* The tree: leaves in the order of their salts, and the nodes above them. */
#include "proof_int.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_AT_FIRST = 1024, SPLIT = 0xff /* in the place of a part: what divides a balance */ };

struct slot {
	struct fb_amount amount;
	uint64_t order; /* the first 8 bytes of the salt */
	struct fb_owner owner;
	uint8_t purpose, part;
};
_Static_assert(sizeof(struct slot) == 48, "what a leaf costs");

struct fb_proof_tree {
	uint8_t key[FB_PROOF_KEY_LEN];
	struct slot *slots;
	size_t count, room;
	struct fb_amount sum;
	/* Levels from FB_PROOF_KEPT_LEVEL up to the top, one behind the other. */
	struct fb_proof_node *kept;
	size_t kept_count;
	struct fb_proof_root root;
	bool sealed;
};

void fb_proof_tree_open(struct fb_proof_tree **out, const uint8_t key[FB_PROOF_KEY_LEN])
{
	struct fb_proof_tree *t = fb_must_alloc(1, sizeof(*t));

	memcpy(t->key, key, sizeof(t->key));
	*out = t;
}

void fb_proof_tree_close(struct fb_proof_tree *t)
{
	if (t == NULL)
		return;
	free(t->slots);
	free(t->kept);
	free(t);
}

size_t fb_proof_tree_memory(const struct fb_proof_tree *t)
{
	return sizeof(*t) + t->room * sizeof(t->slots[0]) + t->kept_count * sizeof(t->kept[0]);
}

/* ---- leaves --------------------------------------------------------------------------------------------------- */

static enum fb_status make_room(struct fb_proof_tree *t, size_t room)
{
	struct slot *more = realloc(t->slots, room * sizeof(*more));

	if (more == NULL)
		return FB_NO_MEMORY;
	t->slots = more;
	t->room = room;
	return FB_OK;
}

/* A random part of it, 0 to all. */
static struct fb_amount first_part(const struct fb_proof_tree *t, enum fb_purpose purpose, const struct fb_owner *owner,
				   struct fb_amount amount)
{
	struct fb_hash h = fb_proof_salt(t->key, purpose, owner, SPLIT);

	return (struct fb_amount){ fb_get_be128(h.bytes) % (amount.atoms + 1) };
}

static void add_slot(struct fb_proof_tree *t, enum fb_purpose purpose, const struct fb_owner *owner, uint8_t part,
		     struct fb_amount amount)
{
	struct fb_hash salt = fb_proof_salt(t->key, purpose, owner, part);

	t->slots[t->count++] = (struct slot){ .amount = amount, .order = fb_get_be64(salt.bytes), .owner = *owner,
					      .purpose = (uint8_t)purpose, .part = part };
}

enum fb_status fb_proof_tree_add(struct fb_proof_tree *t, enum fb_purpose purpose, const struct fb_owner *owner,
				 struct fb_amount amount)
{
	struct fb_amount sum, part, rest;
	enum fb_status st = FB_OK;

	FB_ASSERT(!t->sealed && fb_proof_is_purpose(purpose));
	if (amount.atoms == 0)
		return FB_ZERO_AMOUNT;
	if (t->count + FB_PROOF_PARTS > FB_PROOF_LEAVES_MAX)
		return FB_LIMIT;
	if (fb_amount_add(&sum, t->sum, amount) != FB_OK)
		return FB_OVERFLOW;
	if (t->count + FB_PROOF_PARTS > t->room)
		st = make_room(t, t->room == 0 ? ROOM_AT_FIRST : 2 * t->room);
	if (st != FB_OK)
		return st;
	part = first_part(t, purpose, owner, amount);
	FB_ASSERT(fb_amount_sub(&rest, amount, part) == FB_OK);
	add_slot(t, purpose, owner, 0, part);
	add_slot(t, purpose, owner, 1, rest);
	t->sum = sum;
	return FB_OK;
}

static int compare(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	if (a->purpose != b->purpose)
		return a->purpose < b->purpose ? -1 : 1;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return memcmp(a->owner.bytes, b->owner.bytes, FB_OWNER_LEN);
}

/* ---- nodes ---------------------------------------------------------------------------------------------------- */

static size_t width_of(size_t leaves, unsigned level)
{
	return (leaves + ((size_t)1 << level) - 1) >> level;
}

/* Where a kept level begins. */
static size_t offset_of(size_t leaves, unsigned level)
{
	size_t offset = 0;

	for (unsigned l = FB_PROOF_KEPT_LEVEL; l < level; l++)
		offset += width_of(leaves, l);
	return offset;
}

static struct fb_proof_leaf leaf_of(const struct slot *s)
{
	return (struct fb_proof_leaf){ (enum fb_purpose)s->purpose, s->part, s->owner, s->amount };
}

static struct fb_proof_node leaf_node(const struct fb_proof_tree *t, size_t index)
{
	struct fb_proof_leaf leaf = leaf_of(&t->slots[index]);
	struct fb_hash salt = fb_proof_salt(t->key, leaf.purpose, &leaf.owner, leaf.part);

	return fb_proof_leaf_node(&leaf, &salt);
}

static struct fb_proof_node node_at(const struct fb_proof_tree *t, unsigned level, size_t index);

/* Of two nodes below, or the one that has no neighbour, as it is. */
static struct fb_proof_node made_node(const struct fb_proof_tree *t, unsigned level, size_t index)
{
	struct fb_proof_node left = node_at(t, level - 1, 2 * index), right, out;

	if (2 * index + 1 >= width_of(t->count, level - 1))
		return left;
	right = node_at(t, level - 1, 2 * index + 1);
	FB_ASSERT(fb_proof_join(&out, &left, &right) == FB_OK); /* the whole sum fits */
	return out;
}

/* Recursion ends after FB_PROOF_KEPT_LEVEL steps at the leaves. */
static struct fb_proof_node node_at(const struct fb_proof_tree *t, unsigned level, size_t index)
{
	FB_ASSERT(index < width_of(t->count, level));
	if (level == 0)
		return leaf_node(t, index);
	if (level >= FB_PROOF_KEPT_LEVEL)
		return t->kept[offset_of(t->count, level) + index];
	return made_node(t, level, index);
}

static void make_kept(struct fb_proof_tree *t, unsigned top)
{
	size_t at = 0;

	for (unsigned level = FB_PROOF_KEPT_LEVEL; level <= top; level++)
		for (size_t i = 0; i < width_of(t->count, level); i++)
			t->kept[at++] = made_node(t, level, i);
	FB_ASSERT(at == t->kept_count);
}

static unsigned top_level(size_t leaves)
{
	unsigned top = 0;

	while (width_of(leaves, top) > 1)
		top++;
	FB_ASSERT(top <= FB_PROOF_DEPTH_MAX);
	return top;
}

enum fb_status fb_proof_tree_seal(struct fb_proof_tree *t)
{
	struct fb_proof_node top = { .sum = { 0 } };
	unsigned top_at = top_level(t->count);

	FB_ASSERT(!t->sealed);
	if (t->count > 0)
		qsort(t->slots, t->count, sizeof(t->slots[0]), compare);
	for (size_t i = 1; i < t->count; i++)
		if (compare(&t->slots[i - 1], &t->slots[i]) == 0)
			return FB_DUPLICATE_KEY;
	t->kept_count = offset_of(t->count, top_at + 1);
	if (t->kept_count > 0) {
		t->kept = calloc(t->kept_count, sizeof(t->kept[0]));
		if (t->kept == NULL)
			return FB_NO_MEMORY;
		make_kept(t, top_at);
	}
	if (t->count > 0)
		top = node_at(t, top_at, 0);
	FB_ASSERT(fb_amount_cmp(top.sum, t->sum) == 0);
	t->root = fb_proof_root_of(&top, t->count);
	t->sealed = true;
	return FB_OK;
}

struct fb_proof_root fb_proof_tree_root(const struct fb_proof_tree *t)
{
	FB_ASSERT(t->sealed);
	return t->root;
}

/* ---- the way up ------------------------------------------------------------------------------------------------- */

static void climb(const struct fb_proof_tree *t, struct fb_proof_path *out, size_t index)
{
	const struct slot *s = &t->slots[index];

	*out = (struct fb_proof_path){ .leaf = leaf_of(s), .index = index,
				       .salt = fb_proof_salt(t->key, (enum fb_purpose)s->purpose, &s->owner, s->part) };
	for (unsigned level = 0; width_of(t->count, level) > 1; level++, index /= 2)
		if ((index ^ 1) < width_of(t->count, level))
			out->siblings[out->len++] = node_at(t, level, index ^ 1);
}

enum fb_status fb_proof_tree_find(const struct fb_proof_tree *t, struct fb_proof_path out[FB_PROOF_PARTS],
				  enum fb_purpose purpose, const struct fb_owner *owner)
{
	const struct slot *found[FB_PROOF_PARTS];

	FB_ASSERT(t->sealed && fb_proof_is_purpose(purpose));
	if (t->count == 0)
		return FB_NOT_FOUND;
	for (uint8_t part = 0; part < FB_PROOF_PARTS; part++) {
		struct fb_hash salt = fb_proof_salt(t->key, purpose, owner, part);
		struct slot want = { .order = fb_get_be64(salt.bytes), .owner = *owner, .purpose = (uint8_t)purpose,
				     .part = part };

		found[part] = bsearch(&want, t->slots, t->count, sizeof(want), compare);
		if (found[part] == NULL)
			return FB_NOT_FOUND;
	}
	for (size_t part = 0; part < FB_PROOF_PARTS; part++)
		climb(t, &out[part], (size_t)(found[part] - t->slots));
	return FB_OK;
}
