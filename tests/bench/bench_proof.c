/* What a proof of reserves costs: time and bytes to make the tree of N accounts (default a million), time of a proof
 * and of its check. Times are of the processor. */
#include "farebox/proof.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PROOFS = 10000, ACCOUNTS = 1000000 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct fb_owner owner_of(uint64_t n)
{
	struct fb_owner o = { { 0 } };

	fb_put_be64(o.bytes, (n + 1) * 0x9e3779b97f4a7c15u);
	fb_put_be64(o.bytes + 8, n);
	return o;
}

int main(int argc, char **argv)
{
	const uint8_t key[FB_PROOF_KEY_LEN] = { 1 };
	uint64_t accounts = ACCOUNTS;
	struct fb_proof_path paths[FB_PROOF_PARTS];
	struct fb_proof_tree *t;
	struct fb_proof_root root;
	double began, added, sealed, found, checked;

	if (argc > 1 && fb_u64_parse(&accounts, fb_str_of(argv[1])) != FB_OK)
		return 64;
	began = now_s();
	fb_proof_tree_open(&t, key);
	for (uint64_t n = 0; n < accounts; n++) {
		struct fb_owner o = owner_of(n);

		FB_ASSERT(fb_proof_tree_add(t, FB_PURPOSE_AVAILABLE, &o, (struct fb_amount){ 1 + n }) == FB_OK);
	}
	added = now_s();
	FB_ASSERT(fb_proof_tree_seal(t) == FB_OK);
	sealed = now_s();
	for (uint64_t n = 0; n < PROOFS; n++) {
		struct fb_owner o = owner_of(n * 7919 % accounts);

		FB_ASSERT(fb_proof_tree_find(t, paths, FB_PURPOSE_AVAILABLE, &o) == FB_OK);
	}
	found = now_s();
	root = fb_proof_tree_root(t);
	for (uint64_t n = 0; n < PROOFS; n++)
		FB_ASSERT(fb_proof_check(&paths[n % FB_PROOF_PARTS], &root) == FB_OK);
	checked = now_s();
	printf("%llu accounts: add %.2f s, seal %.2f s, %zu bytes (%.0f an account), proof %.1f us, check of a leaf %.1f "
	       "us\n",
	       (unsigned long long)accounts, added - began, sealed - added, fb_proof_tree_memory(t),
	       (double)fb_proof_tree_memory(t) / (double)accounts, (found - sealed) / PROOFS * 1e6,
	       (checked - found) / PROOFS * 1e6);
	fb_proof_tree_close(t);
	return 0;
}
