/* Opening, and what is known. */
#include "credit_int.h"

#include <stdlib.h>
#include <string.h>

const char *fb_credit_halt_text(enum fb_credit_halt h)
{
	switch (h) {
#define X(name, num, text)           \
	case FB_CREDIT_HALT_##name:  \
		return text;
		FB_CREDIT_HALTS(X)
#undef X
	case FB_CREDIT_HALT_END:
		break;
	}
	FB_UNREACHABLE("a reason to halt");
}

void fb_credit_open(struct fb_credit **out, const struct fb_credit_settings *settings, struct fb_credit_ports ports)
{
	struct fb_credit *c = fb_must_alloc(1, sizeof(*c));

	FB_ASSERT(settings->from_block >= 1);
	FB_ASSERT(settings->rung != FB_CREDIT_BLOCKS ||
		  (settings->blocks >= 1 && settings->blocks <= FB_CREDIT_BLOCKS_MAX));
	c->settings = *settings;
	c->ports = ports;
	memcpy(c->escrow.bytes, settings->escrow.address.bytes, FB_OWNER_LEN);
	c->ranges = fb_must_alloc(FB_CREDIT_RANGES_MAX, sizeof(*c->ranges));
	c->cursor.looked = settings->from_block - 1;
	c->cursor.sequence = settings->sequence;
	c->next = settings->from_block;
	*out = c;
}

void fb_credit_close(struct fb_credit *c)
{
	if (c == NULL)
		return;
	fb_items_free(&c->items);
	free(c->debts);
	free(c->ranges);
	free(c);
}

uint64_t fb_credit_next_block(const struct fb_credit *c)
{
	return c->next;
}

uint64_t fb_credit_looked(const struct fb_credit *c, struct fb_hash *hash)
{
	*hash = c->cursor.looked_hash;
	return c->cursor.looked;
}

uint64_t fb_credit_sequence(const struct fb_credit *c, uint64_t first)
{
	if (first == c->cursor.looked + 1)
		return c->cursor.sequence;
	FB_ASSERT(first == c->next);
	return c->range_count > 0 ? c->ranges[c->range_count - 1].sequence : c->cursor.sequence;
}

enum fb_credit_halt fb_credit_halted(const struct fb_credit *c)
{
	return c->cursor.halt;
}

enum fb_status fb_credit_value(const struct fb_credit *c, uint64_t number, struct fb_amount *out)
{
	struct fb_amount in = c->cursor.in, gone = c->cursor.out;

	FB_ASSERT(number >= c->cursor.looked && number < c->next);
	for (size_t i = 0; i < c->items.count; i++) {
		const struct fb_credit_item *is = &c->items.list[i]->is;

		if (is->state == FB_CREDIT_REVERSED || is->m.block <= number)
			continue;
		if (fb_movement_leaves(is->m.kind))
			gone = fb_rest(gone, is->m.amount);
		else
			in = fb_rest(in, is->m.amount);
	}
	return fb_amount_sub(out, in, gone);
}

enum fb_status fb_credit_total(const struct fb_credit *c, struct fb_amount *out)
{
	return fb_amount_sub(out, c->cursor.in, c->cursor.out);
}

struct fb_amount fb_credit_at_risk(const struct fb_credit *c)
{
	return c->at_risk;
}

uint64_t fb_credit_leaks(const struct fb_credit *c)
{
	return c->leaks;
}

size_t fb_credit_count(const struct fb_credit *c)
{
	return c->items.count;
}

const struct fb_credit_item *fb_credit_item(const struct fb_credit *c, size_t i)
{
	FB_ASSERT(i < c->items.count);
	return &c->items.list[i]->is;
}

size_t fb_credit_debtors(const struct fb_credit *c)
{
	return c->debt_count;
}

struct fb_owner fb_credit_debtor(const struct fb_credit *c, size_t i, struct fb_amount *debt)
{
	FB_ASSERT(i < c->debt_count);
	*debt = c->debts[i].amount;
	return c->debts[i].owner;
}
