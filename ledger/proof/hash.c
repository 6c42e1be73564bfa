/* What is hashed: leaves, nodes and the root, told apart by their first byte and their length. SHA-256. */
#include "proof_int.h"

#include "farebox/crypto.h"

#include <string.h>

enum { LEAF, NODE, ROOT }; /* first bytes */
enum { LEAF_LEN = 1 + 32 + 1 + 1 + FB_OWNER_LEN + 16, NODE_LEN = 1 + 2 * (16 + 32), ROOT_LEN = 1 + 8 + 16 + 32 };

enum fb_purpose fb_proof_class_purpose(enum fb_proof_class c)
{
	static const enum fb_purpose purposes[] = {
#define X(name) [FB_PROOF_##name] = FB_PURPOSE_##name,
		FB_PROOF_CLASSES(X)
#undef X
	};

	FB_ASSERT(c < FB_PROOF_CLASS_COUNT);
	return purposes[c];
}

/* Inputs of one length, the key in front: a plain hash is as good as an HMAC here. */
struct fb_hash fb_proof_salt(const uint8_t key[FB_PROOF_KEY_LEN], enum fb_purpose purpose, const struct fb_owner *owner,
			     uint8_t part)
{
	uint8_t bytes[FB_PROOF_KEY_LEN + 2 + FB_OWNER_LEN];

	memcpy(bytes, key, FB_PROOF_KEY_LEN);
	bytes[FB_PROOF_KEY_LEN] = (uint8_t)purpose;
	bytes[FB_PROOF_KEY_LEN + 1] = part;
	memcpy(bytes + FB_PROOF_KEY_LEN + 2, owner->bytes, FB_OWNER_LEN);
	return fb_sha256(bytes, sizeof(bytes));
}

struct fb_proof_node fb_proof_leaf_node(const struct fb_proof_leaf *leaf, const struct fb_hash *salt)
{
	uint8_t bytes[LEAF_LEN] = { LEAF };

	FB_ASSERT(fb_proof_is_purpose(leaf->purpose) && leaf->part < FB_PROOF_PARTS);
	FB_ASSERT(leaf->amount.atoms <= FB_AMOUNT_MAX);
	memcpy(bytes + 1, salt->bytes, 32);
	bytes[33] = (uint8_t)leaf->purpose;
	bytes[34] = leaf->part;
	memcpy(bytes + 35, leaf->owner.bytes, FB_OWNER_LEN);
	fb_put_be128(bytes + 35 + FB_OWNER_LEN, leaf->amount.atoms);
	return (struct fb_proof_node){ fb_sha256(bytes, sizeof(bytes)), leaf->amount };
}

static void put_node(uint8_t *p, const struct fb_proof_node *n)
{
	fb_put_be128(p, n->sum.atoms);
	memcpy(p + 16, n->hash.bytes, 32);
}

/* Both sums are hashed, not theirs alone: else a child could be shown with less than it holds. */
enum fb_status fb_proof_join(struct fb_proof_node *out, const struct fb_proof_node *left,
			     const struct fb_proof_node *right)
{
	uint8_t bytes[NODE_LEN] = { NODE };
	struct fb_amount sum;

	if (fb_amount_add(&sum, left->sum, right->sum) != FB_OK)
		return FB_OVERFLOW;
	put_node(bytes + 1, left);
	put_node(bytes + 1 + 48, right);
	*out = (struct fb_proof_node){ fb_sha256(bytes, sizeof(bytes)), sum };
	return FB_OK;
}

struct fb_proof_root fb_proof_root_of(const struct fb_proof_node *top, uint64_t leaves)
{
	uint8_t bytes[ROOT_LEN] = { ROOT };

	fb_put_be64(bytes + 1, leaves);
	put_node(bytes + 9, top);
	return (struct fb_proof_root){ fb_sha256(bytes, sizeof(bytes)), top->sum, leaves };
}
