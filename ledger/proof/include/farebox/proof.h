/* farebox/proof.h - proof of reserves: a Merkle-sum tree over what is owed, and the check of one owner's part of it.
 *
 * What it is  every balance that is owed is two leaves, at places that its salt chooses; an inner node commits to hash
 *             and sum of both its children; the root commits to number of leaves, sum and top. A proof is leaf, salt
 *             and the way up. docs/reserves.md has the bytes, so that anybody can write a verifier.
 * Layer       5
 * Privacy     a salt is made from the key, which is random and another one in every tree: who has not the salt cannot
 *             tell whose a leaf is, nor where an owner's are. What a proof shows of others is sums; the smallest is
 *             one leaf, a random part of one unknown balance.
 * Ranges      amounts and all sums 0..FB_AMOUNT_MAX: there is no negative leaf, and no sum wraps around.
 * Memory      48 bytes a leaf, and 6 for nodes: those of the lowest FB_PROOF_KEPT_LEVEL levels are made again.
 * Invariants  P1  a leaf is in the tree once                                            (checked: fb_proof_tree_seal)
 *             P2  the root's sum is the sum of what was added                           (checked: fb_proof_tree_seal)
 *             P3  what fb_proof_tree_find gives, fb_proof_check takes for the root      (checked: unit.proof, reserves)
 * Errors      as written at each function.
 * Limits      FB_PROOF_LEAVES_MAX leaves; a text FB_PROOF_TEXT_MAX bytes; FB_PROOF_PATHS_MAX leaves in a proof.
 * Threads     pure; a sealed tree may be asked from many.
 */
#ifndef FB_PROOF_H
#define FB_PROOF_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/journal.h"

enum {
	FB_PROOF_PARTS = 2,           /* leaves of one balance */
	FB_PROOF_LEAVES_MAX = 1 << 26,
	FB_PROOF_DEPTH_MAX = 26,      /* nodes on a way up */
	FB_PROOF_KEPT_LEVEL = 4,
	FB_PROOF_PATHS_MAX = 8,
	FB_PROOF_TEXT_MAX = 65536,
	FB_PROOF_KEY_LEN = 32,
	FB_PROOF_DECIMALS = 6,
};

struct fb_proof_leaf {
	enum fb_purpose purpose;
	uint8_t part; /* 0..FB_PROOF_PARTS-1 */
	struct fb_owner owner;
	struct fb_amount amount;
};
struct fb_proof_node {
	struct fb_hash hash;
	struct fb_amount sum;
};
struct fb_proof_root {
	struct fb_hash hash;
	struct fb_amount sum;
	uint64_t leaves;
};
struct fb_proof_path {
	struct fb_proof_leaf leaf;
	struct fb_hash salt;
	uint64_t index; /* of the leaf, from 0 */
	size_t len;
	struct fb_proof_node siblings[FB_PROOF_DEPTH_MAX]; /* from the leaf up; none where a node has no neighbour */
};

/* ---- making ---------------------------------------------------------------------------------------------------- */
struct fb_proof_tree;
void fb_proof_tree_open(struct fb_proof_tree **out, const uint8_t key[FB_PROOF_KEY_LEN]);
void fb_proof_tree_close(struct fb_proof_tree *t); /* NULL allowed */
/* A balance above 0. FB_ZERO_AMOUNT, FB_LIMIT, FB_OVERFLOW (the sum), FB_NO_MEMORY. */
FB_MUST_USE enum fb_status fb_proof_tree_add(struct fb_proof_tree *t, enum fb_purpose purpose,
					     const struct fb_owner *owner, struct fb_amount amount);
/* Nothing is added any more. FB_DUPLICATE_KEY: a balance was added twice. FB_NO_MEMORY. */
FB_MUST_USE enum fb_status fb_proof_tree_seal(struct fb_proof_tree *t);
struct fb_proof_root fb_proof_tree_root(const struct fb_proof_tree *t); /* sealed */
/* Of a sealed one: both leaves of that balance. FB_NOT_FOUND: nothing of it is owed. */
FB_MUST_USE enum fb_status fb_proof_tree_find(const struct fb_proof_tree *t, struct fb_proof_path out[FB_PROOF_PARTS],
					      enum fb_purpose purpose, const struct fb_owner *owner);
size_t fb_proof_tree_memory(const struct fb_proof_tree *t); /* bytes held */

/* ---- checking one leaf ----------------------------------------------------------------------------------------- */
/* In this order: FB_BAD_VALUE (purpose, part, place, or number of leaves), FB_BAD_LENGTH (a tree of that many leaves
 * has a way of another length to that place), FB_OVERFLOW (an amount or a sum), FB_MISMATCH (it leads to another
 * root). */
FB_MUST_USE enum fb_status fb_proof_check(const struct fb_proof_path *p, const struct fb_proof_root *root);

/* ---- the whole statement --------------------------------------------------------------------------------------- */
/* What is owed, by purpose: X(purpose). The ledger's texts are the names. */
#define FB_PROOF_CLASSES(X) X(AVAILABLE) X(PENDING_IN) X(SUSPENSE) X(FEES) X(PAYOUT)
enum fb_proof_class {
#define X(name) FB_PROOF_##name,
	FB_PROOF_CLASSES(X)
#undef X
	FB_PROOF_CLASS_COUNT
};
enum fb_purpose fb_proof_class_purpose(enum fb_proof_class c);

struct fb_reserves {
	uint64_t chain_id, block;
	struct fb_address escrow, token;
	struct fb_hash block_hash;
	struct fb_amount balance;     /* of the escrow, after that block */
	struct fb_proof_root root;    /* sum: liabilities */
	uint64_t accounts;
	struct fb_amount totals[FB_PROOF_CLASS_COUNT];
	struct fb_amount receivables; /* owed to us: credits that a reorganization took after they were spent */
	struct fb_amount paid_out;    /* left the escrow already, still among the liabilities */
	int64_t time_us;              /* not part of what is checked */
};
/* balance + paid_out + receivables - liabilities: 0 if books and chain say the same. FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_reserves_difference(const struct fb_reserves *r, struct fb_amount *out, bool *negative);
/* balance + paid_out cover the liabilities; receivables do not count. */
bool fb_reserves_cover(const struct fb_reserves *r);

struct fb_proof {
	struct fb_reserves reserves;
	struct fb_owner owner;
	size_t count;
	struct fb_proof_path paths[FB_PROOF_PATHS_MAX];
};
/* An answer of /v1/reserves or /v1/reserves/proof, in its envelope or without. Members that are not known are skipped;
 * what is read has one spelling. FB_TOO_LARGE, those of fb_json_parse, FB_MISSING, FB_WRONG_TYPE, FB_BAD_VALUE; e names
 * the member. */
FB_MUST_USE enum fb_status fb_reserves_read(struct fb_reserves *out, struct fb_str text, struct fb_error *e);
FB_MUST_USE enum fb_status fb_proof_read(struct fb_proof *out, struct fb_str text, struct fb_error *e);
/* All that can be said without the chain: the totals are the liabilities; the leaves are this owner's, each once and
 * each under the root; *total gets their sum. FB_BAD_VALUE, FB_BAD_LENGTH, FB_OVERFLOW, FB_MISMATCH; e says of what. */
FB_MUST_USE enum fb_status fb_reserves_check(const struct fb_reserves *r, struct fb_error *e);
FB_MUST_USE enum fb_status fb_proof_verify(const struct fb_proof *p, struct fb_amount *total, struct fb_error *e);
bool fb_reserves_same(const struct fb_reserves *a, const struct fb_reserves *b); /* but for time_us */
#endif /* FB_PROOF_H */
