/* Shared inside ledger/proof: what is hashed, and the shape of the tree. */
#ifndef FB_PROOF_INT_H
#define FB_PROOF_INT_H
#include "farebox/proof.h"

/* hash.c */
struct fb_hash fb_proof_salt(const uint8_t key[FB_PROOF_KEY_LEN], enum fb_purpose purpose, const struct fb_owner *owner,
			     uint8_t part);
struct fb_proof_node fb_proof_leaf_node(const struct fb_proof_leaf *leaf, const struct fb_hash *salt);
/* FB_OVERFLOW */
FB_MUST_USE enum fb_status fb_proof_join(struct fb_proof_node *out, const struct fb_proof_node *left,
					 const struct fb_proof_node *right);
/* Of the topmost node; of an empty tree: of zeros. */
struct fb_proof_root fb_proof_root_of(const struct fb_proof_node *top, uint64_t leaves);

static inline bool fb_proof_is_purpose(enum fb_purpose p)
{
	for (unsigned c = 0; c < FB_PROOF_CLASS_COUNT; c++)
		if (fb_proof_class_purpose((enum fb_proof_class)c) == p)
			return true;
	return false;
}
#endif /* FB_PROOF_INT_H */
