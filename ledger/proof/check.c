/* The verifier's side: does a leaf lead to the root, and do the parts of a statement fit together? */
#include "proof_int.h"

/* ---- one leaf --------------------------------------------------------------------------------------------------- */

/* How many nodes lie beside the way from that place up. */
static size_t length_of(uint64_t index, uint64_t leaves)
{
	size_t len = 0;

	for (uint64_t width = leaves; width > 1; width = (width + 1) / 2, index /= 2)
		len += (index ^ 1) < width;
	return len;
}

static enum fb_status climb(struct fb_proof_node *node, const struct fb_proof_path *p, uint64_t leaves)
{
	uint64_t index = p->index;
	enum fb_status st = FB_OK;
	size_t used = 0;

	for (uint64_t width = leaves; width > 1 && st == FB_OK; width = (width + 1) / 2, index /= 2) {
		if ((index ^ 1) >= width)
			continue; /* no neighbour: it is the node above as well */
		if (index % 2 == 0)
			st = fb_proof_join(node, node, &p->siblings[used++]);
		else
			st = fb_proof_join(node, &p->siblings[used++], node);
	}
	FB_ASSERT(st != FB_OK || used == p->len);
	return st;
}

enum fb_status fb_proof_check(const struct fb_proof_path *p, const struct fb_proof_root *root)
{
	struct fb_proof_node node;
	struct fb_proof_root reached;
	enum fb_status st;

	if (!fb_proof_is_purpose(p->leaf.purpose) || p->leaf.part >= FB_PROOF_PARTS ||
	    root->leaves > FB_PROOF_LEAVES_MAX || p->index >= root->leaves)
		return FB_BAD_VALUE;
	if (p->len != length_of(p->index, root->leaves))
		return FB_BAD_LENGTH;
	if (p->leaf.amount.atoms > FB_AMOUNT_MAX)
		return FB_OVERFLOW;
	node = fb_proof_leaf_node(&p->leaf, &p->salt);
	st = climb(&node, p, root->leaves);
	if (st != FB_OK)
		return st;
	reached = fb_proof_root_of(&node, root->leaves);
	if (!fb_hash_eq(&reached.hash, &root->hash) || fb_amount_cmp(reached.sum, root->sum) != 0)
		return FB_MISMATCH;
	return FB_OK;
}

/* ---- what is owed and what is there ------------------------------------------------------------------------------ */

static enum fb_status held(const struct fb_reserves *r, struct fb_amount *out)
{
	return fb_amount_add(out, r->balance, r->paid_out);
}

enum fb_status fb_reserves_difference(const struct fb_reserves *r, struct fb_amount *out, bool *negative)
{
	struct fb_amount sum;
	enum fb_status st = held(r, &sum);

	if (st == FB_OK)
		st = fb_amount_add(&sum, sum, r->receivables);
	if (st != FB_OK)
		return st;
	*negative = fb_amount_cmp(sum, r->root.sum) < 0;
	return *negative ? fb_amount_sub(out, r->root.sum, sum) : fb_amount_sub(out, sum, r->root.sum);
}

bool fb_reserves_cover(const struct fb_reserves *r)
{
	struct fb_amount sum;

	return held(r, &sum) == FB_OK && fb_amount_cmp(sum, r->root.sum) >= 0;
}

bool fb_reserves_same(const struct fb_reserves *a, const struct fb_reserves *b)
{
	for (size_t c = 0; c < FB_PROOF_CLASS_COUNT; c++)
		if (fb_amount_cmp(a->totals[c], b->totals[c]) != 0)
			return false;
	return a->chain_id == b->chain_id && a->block == b->block && fb_address_eq(&a->escrow, &b->escrow) &&
	       fb_address_eq(&a->token, &b->token) && fb_hash_eq(&a->block_hash, &b->block_hash) &&
	       fb_amount_cmp(a->balance, b->balance) == 0 && fb_hash_eq(&a->root.hash, &b->root.hash) &&
	       fb_amount_cmp(a->root.sum, b->root.sum) == 0 && a->root.leaves == b->root.leaves &&
	       a->accounts == b->accounts && fb_amount_cmp(a->receivables, b->receivables) == 0 &&
	       fb_amount_cmp(a->paid_out, b->paid_out) == 0;
}

/* ---- the statement -------------------------------------------------------------------------------------------- */

enum fb_status fb_reserves_check(const struct fb_reserves *r, struct fb_error *e)
{
	struct fb_amount sum = { 0 };
	bool negative;

	if (r->root.leaves > FB_PROOF_LEAVES_MAX || r->root.leaves != r->accounts * FB_PROOF_PARTS)
		return fb_error_set(e, FB_BAD_VALUE, "the number of leaves does not fit the number of accounts");
	for (size_t c = 0; c < FB_PROOF_CLASS_COUNT; c++)
		if (fb_amount_add(&sum, sum, r->totals[c]) != FB_OK)
			return fb_error_set(e, FB_OVERFLOW, "the totals are too much for any token");
	if (fb_reserves_difference(r, &(struct fb_amount){ 0 }, &negative) != FB_OK)
		return fb_error_set(e, FB_OVERFLOW, "balance, paidOut and receivables are too much for any token");
	if (fb_amount_cmp(sum, r->root.sum) != 0)
		return fb_error_set(e, FB_MISMATCH, "the totals are not the liabilities");
	return FB_OK;
}

static bool same_leaf(const struct fb_proof_path *a, const struct fb_proof_path *b)
{
	return a->index == b->index || (a->leaf.purpose == b->leaf.purpose && a->leaf.part == b->leaf.part);
}

static enum fb_status check_leaf(const struct fb_proof *p, size_t i, struct fb_error *e)
{
	enum fb_status st;

	for (size_t j = 0; j < FB_OWNER_LEN; j++)
		if (p->paths[i].leaf.owner.bytes[j] != p->owner.bytes[j])
			return fb_error_set(e, FB_MISMATCH, "leaf %zu is another owner's", i);
	for (size_t j = 0; j < i; j++)
		if (same_leaf(&p->paths[i], &p->paths[j]))
			return fb_error_set(e, FB_MISMATCH, "leaf %zu is there twice", i);
	st = fb_proof_check(&p->paths[i], &p->reserves.root);
	if (st == FB_BAD_VALUE)
		return fb_error_set(e, st, "leaf %zu cannot be where it says", i);
	if (st == FB_BAD_LENGTH)
		return fb_error_set(e, st, "leaf %zu has a path of the wrong length", i);
	if (st == FB_OVERFLOW)
		return fb_error_set(e, st, "leaf %zu has a sum on its path that is too much for any token", i);
	return st == FB_OK ? st : fb_error_set(e, st, "leaf %zu does not lead to the root", i);
}

enum fb_status fb_proof_verify(const struct fb_proof *p, struct fb_amount *total, struct fb_error *e)
{
	struct fb_amount sum = { 0 };
	enum fb_status st = fb_reserves_check(&p->reserves, e);

	FB_ASSERT(p->count <= FB_PROOF_PATHS_MAX);
	for (size_t i = 0; i < p->count && st == FB_OK; i++) {
		st = check_leaf(p, i, e);
		if (st == FB_OK && fb_amount_add(&sum, sum, p->paths[i].leaf.amount) != FB_OK)
			st = fb_error_set(e, FB_OVERFLOW, "the leaves together are too much for any token");
	}
	if (st == FB_OK)
		*total = sum;
	return st;
}
