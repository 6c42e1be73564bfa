/* The movements that are not final, by identity; and who owes how much. */
#include "credit_int.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MIN = 64 };

/* The identity is a hash already. */
static struct fb_item **bucket_of(const struct fb_items *t, const struct fb_hash *identity)
{
	return &t->buckets[fb_get_be64(identity->bytes) & (t->bucket_count - 1)];
}

struct fb_item *fb_items_find(const struct fb_items *t, const struct fb_hash *identity)
{
	struct fb_item *i = t->bucket_count == 0 ? NULL : *bucket_of(t, identity);

	while (i != NULL && !fb_hash_eq(&i->is.m.identity, identity))
		i = i->next;
	return i;
}

static void grow(struct fb_items *t)
{
	size_t cap = t->cap == 0 ? LIST_MIN : 2 * t->cap;
	struct fb_item **list = fb_must_alloc(cap, sizeof(struct fb_item *));

	if (t->count > 0)
		memcpy(list, t->list, t->count * sizeof(struct fb_item *));
	free(t->list);
	free(t->buckets);
	t->list = list;
	t->buckets = fb_must_alloc(cap, sizeof(struct fb_item *));
	t->cap = t->bucket_count = cap;
	for (size_t i = 0; i < t->count; i++) {
		struct fb_item **bucket = bucket_of(t, &t->list[i]->is.m.identity);

		t->list[i]->next = *bucket;
		*bucket = t->list[i];
	}
}

struct fb_item *fb_items_add(struct fb_items *t, const struct fb_credit_item *is)
{
	struct fb_item *i = fb_must_alloc(1, sizeof(*i)), **bucket;

	FB_ASSERT(fb_items_find(t, &is->m.identity) == NULL); /* C1 */
	if (t->count == t->cap)
		grow(t);
	bucket = bucket_of(t, &is->m.identity);
	i->is = *is;
	i->at = t->count;
	i->next = *bucket;
	*bucket = i;
	t->list[t->count++] = i;
	return i;
}

void fb_items_remove(struct fb_items *t, struct fb_item *item)
{
	struct fb_item **link = bucket_of(t, &item->is.m.identity);

	while (*link != item)
		link = &(*link)->next;
	*link = item->next;
	FB_ASSERT(t->list[item->at] == item);
	t->list[item->at] = t->list[--t->count];
	t->list[item->at]->at = item->at;
	free(item);
}

void fb_items_free(struct fb_items *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
	free(t->buckets);
}

static struct fb_debt *find_debt(const struct fb_credit *c, const struct fb_owner *owner)
{
	for (size_t i = 0; i < c->debt_count; i++)
		if (memcmp(c->debts[i].owner.bytes, owner->bytes, FB_OWNER_LEN) == 0)
			return &c->debts[i];
	return NULL;
}

struct fb_amount fb_debt_of(const struct fb_credit *c, const struct fb_owner *owner)
{
	const struct fb_debt *d = find_debt(c, owner);

	return d == NULL ? (struct fb_amount){ 0 } : d->amount;
}

static void grow_debts(struct fb_credit *c)
{
	size_t cap = c->debt_cap == 0 ? LIST_MIN : 2 * c->debt_cap;
	struct fb_debt *debts = fb_must_alloc(cap, sizeof(*debts));

	if (c->debt_count > 0)
		memcpy(debts, c->debts, c->debt_count * sizeof(*debts));
	free(c->debts);
	c->debts = debts;
	c->debt_cap = cap;
}

void fb_debt_set(struct fb_credit *c, const struct fb_owner *owner, struct fb_amount amount)
{
	struct fb_debt *d = find_debt(c, owner);

	if (d == NULL) {
		FB_ASSERT(c->debt_count < FB_CREDIT_DEBTORS_MAX);
		if (c->debt_count == c->debt_cap)
			grow_debts(c);
		d = &c->debts[c->debt_count++];
		d->owner = *owner;
	}
	d->amount = amount;
	if (fb_amount_cmp(amount, (struct fb_amount){ 0 }) == 0)
		*d = c->debts[--c->debt_count];
}
