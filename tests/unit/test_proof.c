/* Goal: what a tree gives out leads to its root, and nothing else does. Method: trees of 0 to 70 accounts, each leaf of
 * which is proved and then forged in every way that a server could try; the root of a small tree is also computed by
 * hand. */
#include "fb_test.h"

#include "farebox/crypto.h"
#include "farebox/proof.h"

enum { ACCOUNTS = 70 };
static const uint8_t key[FB_PROOF_KEY_LEN] = "a key that is random elsewhere";

static struct fb_owner owner_of(unsigned n)
{
	struct fb_owner o = { { 1 } };

	fb_put_be32(o.bytes + 12, n);
	return o;
}

static void put(struct fb_proof_tree *t, unsigned n, fb_u128 atoms)
{
	struct fb_owner o = owner_of(n);

	CHECK_STATUS(FB_OK, fb_proof_tree_add(t, FB_PURPOSE_AVAILABLE, &o, (struct fb_amount){ atoms }));
}

static struct fb_proof_tree *tree_of(unsigned accounts)
{
	struct fb_proof_tree *t;

	fb_proof_tree_open(&t, key);
	for (unsigned n = 0; n < accounts; n++)
		put(t, n, 1000 + n);
	CHECK_STATUS(FB_OK, fb_proof_tree_seal(t));
	return t;
}

static struct fb_proof_path path_of(const struct fb_proof_tree *t, unsigned n, unsigned part)
{
	struct fb_proof_path paths[FB_PROOF_PARTS];
	struct fb_owner o = owner_of(n);

	CHECK_STATUS(FB_OK, fb_proof_tree_find(t, paths, FB_PURPOSE_AVAILABLE, &o));
	return paths[part];
}

static void tree__of_any_size__proves_every_leaf(void **state)
{
	(void)state;
	for (unsigned accounts = 0; accounts <= ACCOUNTS; accounts++) {
		struct fb_proof_tree *t = tree_of(accounts);
		struct fb_proof_root root = fb_proof_tree_root(t);
		struct fb_owner stranger = owner_of(accounts);
		struct fb_proof_path paths[FB_PROOF_PARTS];
		bool seen[FB_PROOF_PARTS * ACCOUNTS] = { false };

		CHECK(root.leaves == FB_PROOF_PARTS * accounts);
		CHECK(root.sum.atoms == 1000 * accounts + (accounts == 0 ? 0 : accounts * (accounts - 1) / 2));
		for (unsigned n = 0; n < accounts; n++) {
			struct fb_owner o = owner_of(n);

			CHECK_STATUS(FB_OK, fb_proof_tree_find(t, paths, FB_PURPOSE_AVAILABLE, &o));
			CHECK(paths[0].leaf.amount.atoms + paths[1].leaf.amount.atoms == 1000 + n);
			for (unsigned part = 0; part < FB_PROOF_PARTS; part++) {
				CHECK_STATUS(FB_OK, fb_proof_check(&paths[part], &root));
				CHECK(!seen[paths[part].index]);
				seen[paths[part].index] = true;
			}
		}
		CHECK_STATUS(FB_NOT_FOUND, fb_proof_tree_find(t, paths, FB_PURPOSE_AVAILABLE, &stranger));
		fb_proof_tree_close(t);
	}
}

/* As docs/reserves.md says it, with nothing of the library. */
static void root__of_two_leaves__is_as_written_down(void **state)
{
	struct fb_proof_tree *t = tree_of(1);
	struct fb_proof_root root = fb_proof_tree_root(t);
	uint8_t leaf[71], node[97] = { 1 }, top[57] = { 2 };
	struct fb_hash h;

	(void)state;
	for (unsigned part = 0; part < 2; part++) {
		struct fb_proof_path p = path_of(t, 0, part);
		uint8_t *child = node + 1 + 48 * p.index;

		leaf[0] = 0;
		memcpy(leaf + 1, p.salt.bytes, 32);
		leaf[33] = 2; /* available */
		leaf[34] = (uint8_t)part;
		memcpy(leaf + 35, p.leaf.owner.bytes, 20);
		fb_put_be128(leaf + 55, p.leaf.amount.atoms);
		h = fb_sha256(leaf, sizeof(leaf));
		fb_put_be128(child, p.leaf.amount.atoms);
		memcpy(child + 16, h.bytes, 32);
	}
	h = fb_sha256(node, sizeof(node));
	fb_put_be64(top + 1, 2);
	fb_put_be128(top + 9, 1000);
	memcpy(top + 25, h.bytes, 32);
	h = fb_sha256(top, sizeof(top));
	CHECK(memcmp(h.bytes, root.hash.bytes, 32) == 0);
	fb_proof_tree_close(t);
}

static void tree__another_key__has_other_places_and_root(void **state)
{
	uint8_t other[FB_PROOF_KEY_LEN] = "another one";
	struct fb_proof_tree *a = tree_of(1), *b;
	struct fb_proof_root one = fb_proof_tree_root(a), two;

	(void)state;
	fb_proof_tree_open(&b, other);
	put(b, 0, 1000);
	CHECK_STATUS(FB_OK, fb_proof_tree_seal(b));
	two = fb_proof_tree_root(b);
	CHECK(!fb_hash_eq(&one.hash, &two.hash));
	fb_proof_tree_close(a);
	fb_proof_tree_close(b);
}

static void add__what_is_no_debt__is_refused(void **state)
{
	struct fb_owner o = owner_of(1);
	struct fb_proof_tree *t;

	(void)state;
	fb_proof_tree_open(&t, key);
	CHECK_STATUS(FB_ZERO_AMOUNT, fb_proof_tree_add(t, FB_PURPOSE_AVAILABLE, &o, (struct fb_amount){ 0 }));
	CHECK_STATUS(FB_OK, fb_proof_tree_add(t, FB_PURPOSE_AVAILABLE, &o, (struct fb_amount){ FB_AMOUNT_MAX }));
	CHECK_STATUS(FB_OVERFLOW, fb_proof_tree_add(t, FB_PURPOSE_FEES, &o, (struct fb_amount){ 1 }));
	CHECK_STATUS(FB_OVERFLOW, fb_proof_tree_add(t, FB_PURPOSE_FEES, &o, (struct fb_amount){ ~(fb_u128)0 }));
	CHECK_STATUS(FB_OK, fb_proof_tree_seal(t));
	fb_proof_tree_close(t);
	fb_proof_tree_open(&t, key);
	put(t, 1, 5);
	put(t, 1, 5);
	CHECK_STATUS(FB_DUPLICATE_KEY, fb_proof_tree_seal(t));
	fb_proof_tree_close(t);
}

/* ---- what a server could try --------------------------------------------------------------------------------- */
typedef void forge(struct fb_proof_path *p, struct fb_proof_root *root);

static void less(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.amount.atoms += 1;
}
/* -1 in 128 bits. */
static void negative_leaf(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.amount.atoms = ~(fb_u128)0;
}
static void negative_sibling(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->siblings[1].sum.atoms = ~(fb_u128)0;
}
/* A sum that would wrap around to the root's. */
static void overflowed_sum(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->siblings[0].sum.atoms = FB_AMOUNT_MAX;
	p->siblings[1].sum.atoms = FB_AMOUNT_MAX;
}
static void moved_sum(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->siblings[0].sum.atoms += 1;
	p->siblings[1].sum.atoms -= 1;
}
static void swapped_sides(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->index ^= 1;
}
static void swapped_nodes(struct fb_proof_path *p, struct fb_proof_root *root)
{
	struct fb_proof_node n = p->siblings[0];

	(void)root;
	p->siblings[0] = p->siblings[1];
	p->siblings[1] = n;
}
static void too_short(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->len--;
}
static void too_long(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->siblings[p->len++] = p->siblings[0];
}
static void outside(struct fb_proof_path *p, struct fb_proof_root *root)
{
	p->index = root->leaves;
}
static void no_leaves(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->leaves = 0;
}
static void more_leaves(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->leaves *= 4;
}
static void one_leaf_more(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->leaves += 1;
}
static void endless_leaves(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->leaves = UINT64_MAX;
}
static void smaller_root(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->sum.atoms -= 1;
}
static void other_root(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)p;
	root->hash.bytes[31] ^= 1;
}
static void other_owner(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.owner.bytes[0] ^= 1;
}
static void other_purpose(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.purpose = FB_PURPOSE_FEES;
}
static void no_purpose(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.purpose = FB_PURPOSE_RECEIVABLE;
}
static void other_part(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.part ^= 1;
}
static void third_part(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->leaf.part = FB_PROOF_PARTS;
}
static void other_salt(struct fb_proof_path *p, struct fb_proof_root *root)
{
	(void)root;
	p->salt.bytes[7] ^= 0x80;
}

static const struct {
	forge *forge;
	enum fb_status status;
} forgeries[] = {
	{ less, FB_MISMATCH }, { negative_leaf, FB_OVERFLOW }, { negative_sibling, FB_OVERFLOW },
	{ overflowed_sum, FB_OVERFLOW }, { moved_sum, FB_MISMATCH }, { swapped_sides, FB_MISMATCH },
	{ swapped_nodes, FB_MISMATCH }, { too_short, FB_BAD_LENGTH }, { too_long, FB_BAD_LENGTH },
	{ outside, FB_BAD_VALUE }, { no_leaves, FB_BAD_VALUE }, { more_leaves, FB_BAD_LENGTH },
	{ one_leaf_more, FB_BAD_LENGTH }, { endless_leaves, FB_BAD_VALUE }, { smaller_root, FB_MISMATCH },
	{ other_root, FB_MISMATCH }, { other_owner, FB_MISMATCH }, { other_purpose, FB_MISMATCH },
	{ no_purpose, FB_BAD_VALUE }, { other_part, FB_MISMATCH }, { third_part, FB_BAD_VALUE },
	{ other_salt, FB_MISMATCH },
};

/* 64 leaves, so that one more has one node more on every way. */
static void check__forged_proof__is_refused(void **state)
{
	struct fb_proof_tree *t = tree_of(32);

	(void)state;
	for (unsigned n = 0; n < 32; n++) {
		for (size_t i = 0; i < FB_COUNT(forgeries); i++) {
			struct fb_proof_path p = path_of(t, n, n % 2);
			struct fb_proof_root root = fb_proof_tree_root(t);

			CHECK_STATUS(FB_OK, fb_proof_check(&p, &root));
			forgeries[i].forge(&p, &root);
			CHECK_STATUS(forgeries[i].status, fb_proof_check(&p, &root));
		}
	}
	fb_proof_tree_close(t);
}

/* An inner node shown as a leaf of a smaller tree, and a leaf shown as the top: the first byte tells them apart. */
static void check__node_in_the_place_of_a_leaf__is_refused(void **state)
{
	struct fb_proof_tree *t = tree_of(2);
	struct fb_proof_root root = fb_proof_tree_root(t);
	struct fb_proof_path p = path_of(t, 0, 0);

	(void)state;
	root.leaves = 2;
	p.index /= 2;
	p.siblings[0] = p.siblings[1];
	p.len = 1;
	CHECK_STATUS(FB_MISMATCH, fb_proof_check(&p, &root));
	root.leaves = 1;
	p.index = 0;
	p.len = 0;
	CHECK_STATUS(FB_MISMATCH, fb_proof_check(&p, &root));
	fb_proof_tree_close(t);
}

/* ---- the whole statement --------------------------------------------------------------------------------------- */

static struct fb_proof statement_of(const struct fb_proof_tree *t, unsigned n)
{
	struct fb_proof p = { .owner = owner_of(n), .count = FB_PROOF_PARTS };

	p.reserves.root = fb_proof_tree_root(t);
	p.reserves.accounts = p.reserves.root.leaves / FB_PROOF_PARTS;
	p.reserves.totals[FB_PROOF_AVAILABLE] = p.reserves.root.sum;
	p.reserves.balance = p.reserves.root.sum;
	CHECK_STATUS(FB_OK, fb_proof_tree_find(t, p.paths, FB_PURPOSE_AVAILABLE, &p.owner));
	return p;
}

static void verify__statement__counts_each_leaf_once(void **state)
{
	struct fb_proof_tree *t = tree_of(5);
	struct fb_proof good = statement_of(t, 3), p = good;
	struct fb_amount total = { 0 };
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_proof_verify(&p, &total, &e));
	CHECK(total.atoms == 1003);
	p.paths[1] = p.paths[0]; /* a leaf shown twice */
	CHECK_STATUS(FB_MISMATCH, fb_proof_verify(&p, &total, &e));
	p = good;
	p.owner = owner_of(4); /* somebody else's leaves */
	CHECK_STATUS(FB_MISMATCH, fb_proof_verify(&p, &total, &e));
	p = good;
	p.reserves.totals[FB_PROOF_FEES].atoms = 1;
	CHECK_STATUS(FB_MISMATCH, fb_proof_verify(&p, &total, &e));
	p.reserves.totals[FB_PROOF_FEES].atoms = FB_AMOUNT_MAX;
	CHECK_STATUS(FB_OVERFLOW, fb_proof_verify(&p, &total, &e));
	p = good;
	p.reserves.receivables.atoms = FB_AMOUNT_MAX;
	CHECK_STATUS(FB_OVERFLOW, fb_proof_verify(&p, &total, &e));
	p = good;
	p.reserves.accounts++;
	CHECK_STATUS(FB_BAD_VALUE, fb_proof_verify(&p, &total, &e));
	fb_proof_tree_close(t);
}

static void reserves__what_is_missing__shows(void **state)
{
	struct fb_reserves r = { .balance = { 100 }, .root = { .sum = { 100 } } };
	struct fb_amount difference;
	bool negative;

	(void)state;
	CHECK_STATUS(FB_OK, fb_reserves_difference(&r, &difference, &negative));
	CHECK(difference.atoms == 0 && !negative && fb_reserves_cover(&r));
	r.balance.atoms = 60; /* drained */
	r.paid_out.atoms = 10;
	CHECK_STATUS(FB_OK, fb_reserves_difference(&r, &difference, &negative));
	CHECK(difference.atoms == 30 && negative && !fb_reserves_cover(&r));
	r.receivables.atoms = 30; /* explained, and still not there */
	CHECK_STATUS(FB_OK, fb_reserves_difference(&r, &difference, &negative));
	CHECK(difference.atoms == 0 && !fb_reserves_cover(&r));
}

/* ---- reading --------------------------------------------------------------------------------------------------- */
#define ADDRESS "\"0x00000000000000000000000000000000000000aa\""
#define HASH "\"0x00000000000000000000000000000000000000000000000000000000000000bb\""
#define RESERVES(balance, leaves)                                                                        \
	"{\"chainId\":8453,\"escrow\":" ADDRESS ",\"token\":" ADDRESS ",\"block\":7,\"blockHash\":" HASH \
	",\"balance\":" balance ",\"liabilities\":\"2.00\",\"root\":" HASH ",\"leaves\":" leaves           \
	",\"accounts\":1,\"totals\":{\"available\":\"2.00\",\"pending_in\":\"0.00\",\"suspense\":\"0.00\",\"fees\":\"0.00\"," \
	"\"payout\":\"0.00\"},\"receivables\":\"0.00\",\"paidOut\":\"0.00\",\"time\":\"2026-11-24T20:00:00.000Z\"}"
#define NODE "{\"hash\":" HASH ",\"sum\":\"1.00\"}"
#define LEAF(amount, part, purpose, path)                                                                \
	"{\"purpose\":" purpose ",\"part\":" part ",\"amount\":" amount ",\"salt\":" HASH ",\"index\":0,"       \
	"\"path\":[" path "]}"
#define PROOF(reserves, leaves)                                                                          \
	"{\"ok\":true,\"data\":{\"reserves\":" reserves ",\"owner\":" ADDRESS ",\"leaves\":[" leaves "]}}"

static const struct {
	const char *text;
	enum fb_status status;
} texts[] = {
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"0.000001\"", "1", "\"available\"", NODE)), FB_OK },
	{ PROOF(RESERVES("\"2.00\"", "2"), ""), FB_OK },
	{ PROOF(RESERVES("\"-2.00\"", "2"), ""), FB_BAD_VALUE },
	{ PROOF(RESERVES("2.00", "2"), ""), FB_WRONG_TYPE },
	{ PROOF(RESERVES("\"0.0000001\"", "2"), ""), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"170141183460469231731687303715884105728\"", "2"), ""), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "67108865"), ""), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "1e3"), ""), FB_WRONG_TYPE },
	{ PROOF(RESERVES("\"2.00\"", "18446744073709551616"), ""), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"-1\"", "1", "\"available\"", NODE)), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"1\"", "2", "\"available\"", NODE)), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"1\"", "257", "\"available\"", NODE)), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"1\"", "1", "\"receivable\"", NODE)), FB_BAD_VALUE },
	{ PROOF(RESERVES("\"2.00\"", "2"), LEAF("\"1\"", "1", "\"available\"", "7")), FB_MISSING },
	{ PROOF(RESERVES("\"2.00\"", "2"), "{}"), FB_MISSING },
	{ "{\"data\":[]}", FB_WRONG_TYPE },
	{ "{\"leaves\":[]}", FB_MISSING },
	{ "[]", FB_WRONG_TYPE },
	{ "{", FB_BAD_SYNTAX },
};

static void read__texts__are_taken_or_refused(void **state)
{
	static struct fb_proof proof;
	struct fb_error e;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(texts); i++) {
		memset(&proof, 0x55, sizeof(proof));
		CHECK_STATUS(texts[i].status, fb_proof_read(&proof, fb_str_of(texts[i].text), &e));
		CHECK(texts[i].status == FB_OK || proof.count == (size_t)0x5555555555555555);
	}
	CHECK_STATUS(FB_OK, fb_proof_read(&proof, fb_str_of(texts[0].text), &e));
	CHECK(proof.count == 1 && proof.paths[0].len == 1 && proof.paths[0].leaf.amount.atoms == 1);
	CHECK(proof.reserves.balance.atoms == 2000000 && proof.reserves.block == 7);
}

#define BEGIN "{\"reserves\":" RESERVES("\"2.00\"", "2") ",\"owner\":" ADDRESS ",\"leaves\":["
#define LEAF_BEGIN "{\"purpose\":\"fees\",\"part\":0,\"amount\":\"1\",\"salt\":" HASH ",\"index\":0,\"path\":["

static void read__more_than_there_may_be__is_refused(void **state)
{
	static char block[2 * FB_PROOF_TEXT_MAX];
	struct fb_proof proof;
	struct fb_error e;
	struct fb_buf b;

	(void)state;
	for (unsigned nodes = FB_PROOF_DEPTH_MAX; nodes <= FB_PROOF_DEPTH_MAX + 1; nodes++) {
		fb_buf_init(&b, block, sizeof(block));
		fb_buf_text(&b, BEGIN LEAF_BEGIN);
		for (unsigned i = 0; i < nodes; i++)
			fb_buf_text(&b, i == 0 ? NODE : "," NODE);
		fb_buf_text(&b, "]}]}");
		CHECK_STATUS(nodes == FB_PROOF_DEPTH_MAX ? FB_OK : FB_BAD_VALUE,
			     fb_proof_read(&proof, fb_buf_view(&b), &e));
	}
	for (unsigned leaves = FB_PROOF_PATHS_MAX; leaves <= FB_PROOF_PATHS_MAX + 1; leaves++) {
		fb_buf_init(&b, block, sizeof(block));
		fb_buf_text(&b, BEGIN);
		for (unsigned i = 0; i < leaves; i++)
			fb_buf_printf(&b, "%s%s", i == 0 ? "" : ",", LEAF("\"1\"", "0", "\"fees\"", ""));
		fb_buf_text(&b, "]}");
		CHECK_STATUS(leaves == FB_PROOF_PATHS_MAX ? FB_OK : FB_BAD_VALUE,
			     fb_proof_read(&proof, fb_buf_view(&b), &e));
	}
	memset(block, ' ', sizeof(block));
	CHECK_STATUS(FB_TOO_LARGE, fb_proof_read(&proof, (struct fb_str){ block, FB_PROOF_TEXT_MAX + 1 }, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree__of_any_size__proves_every_leaf),
		cmocka_unit_test(root__of_two_leaves__is_as_written_down),
		cmocka_unit_test(tree__another_key__has_other_places_and_root),
		cmocka_unit_test(add__what_is_no_debt__is_refused),
		cmocka_unit_test(check__forged_proof__is_refused),
		cmocka_unit_test(check__node_in_the_place_of_a_leaf__is_refused),
		cmocka_unit_test(verify__statement__counts_each_leaf_once),
		cmocka_unit_test(reserves__what_is_missing__shows),
		cmocka_unit_test(read__texts__are_taken_or_refused),
		cmocka_unit_test(read__more_than_there_may_be__is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
