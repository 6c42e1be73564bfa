/* A statement of reserves with an owner's leaves. Properties: what is refused leaves the output alone; what verifies
 * has no leaf above the liabilities, and is refused again once a leaf claims another amount. */
#include "farebox/proof.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void forge(struct fb_proof *p)
{
	struct fb_amount total;

	p->paths[0].leaf.amount.atoms ^= 1;
	FB_ASSERT(fb_proof_verify(p, &total, NULL) != FB_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str text = { (const char *)data, size };
	static struct fb_proof p, before;
	struct fb_reserves r;
	struct fb_amount total = { 0 };
	struct fb_error e;

	memset(&p, 0x77, sizeof(p));
	before = p;
	if (fb_proof_read(&p, text, &e) != FB_OK) {
		FB_ASSERT(memcmp(&p, &before, sizeof(p)) == 0);
		(void)!fb_reserves_read(&r, text, &e);
		return 0;
	}
	FB_ASSERT(p.count <= FB_PROOF_PATHS_MAX);
	if (fb_proof_verify(&p, &total, &e) == FB_OK) {
		for (size_t i = 0; i < p.count; i++)
			FB_ASSERT(fb_amount_cmp(p.paths[i].leaf.amount, p.reserves.root.sum) <= 0);
		if (p.count > 0)
			forge(&p);
	}
	return 0;
}
