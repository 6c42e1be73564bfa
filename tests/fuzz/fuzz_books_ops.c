/* The books, run by bytes: the world of the simulation (tests/worlds) with every choice of it taken from the input.
 * Property: whatever clients send and whenever the world crashes, the books answer, write and hold exactly what the
 * auditor says. */
#include "../worlds/world.h"

struct bytes {
	const uint8_t *at;
	size_t left;
};

/* As many bytes as the choice needs; then always the first one. */
static uint64_t draw(void *ctx, uint64_t below)
{
	struct bytes *b = ctx;
	uint64_t v = 0;

	for (uint64_t reach = below - 1; reach > 0 && b->left > 0; reach >>= 8, b->left--)
		v = v << 8 | *b->at++;
	return v % below;
}

static bool ended(void *ctx)
{
	return ((struct bytes *)ctx)->left == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world_seen seen;
	struct bytes b = { data, size };

	world_run(&seen, (struct world_source){ draw, ended, &b }, 200, "input");
	return 0;
}
