/* What verification costs: keccak-256, recovery, and one whole authorization (struct hash, digest,
 * recovery), in microseconds on one core. Best of several rounds, so that a busy machine says less. */
#include "farebox/crypto.h"
#include "farebox/os.h"

#include <stdio.h>
#include <string.h>

enum { ROUNDS = 9 };

static struct fb_key key;
static struct fb_hash domain, digest;
static struct fb_signature signature;
static struct fb_authorization authorization;
static uint8_t page[4096];
static volatile uint8_t sink; /* keeps the work from being optimised away */

static void hash_64_bytes(void)
{
	sink ^= fb_keccak256(page, 64).bytes[0];
}

static void hash_page(void)
{
	sink ^= fb_keccak256(page, sizeof(page)).bytes[0];
}

static void hash_authorization(void)
{
	struct fb_hash h = fb_eip3009_transfer_hash(&authorization);

	sink ^= fb_eip712_digest(&domain, &h).bytes[0];
}

static void recover(void)
{
	struct fb_address a;

	FB_ASSERT(fb_recover(&a, &signature, &digest) == FB_OK);
	sink ^= a.bytes[0];
}

static void hash_and_recover(void)
{
	struct fb_hash h = fb_eip3009_transfer_hash(&authorization), d = fb_eip712_digest(&domain, &h);
	struct fb_address a;

	FB_ASSERT(fb_recover(&a, &signature, &d) == FB_OK);
	FB_ASSERT(fb_address_eq(&a, &authorization.from));
}

static void sign(void)
{
	struct fb_signature s;

	fb_sign(&s, &key, &digest);
	sink ^= s.r[0];
}

static uint64_t best_ns(void (*work)(void), unsigned count)
{
	struct fb_clock clock = fb_os_clock();
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock.mono_ns(clock.ctx), each;

		for (unsigned i = 0; i < count; i++)
			work();
		each = (clock.mono_ns(clock.ctx) - start) / count;
		best = each < best ? each : best;
	}
	return best;
}

static void prepare(void)
{
	static const uint8_t secret[32] = { 1 };
	const struct fb_address token = { { 3 } };
	struct fb_hash struct_hash;

	FB_ASSERT(fb_key_from_bytes(&key, secret) == FB_OK);
	memset(page, 0x5a, sizeof(page));
	authorization.from = fb_key_address(&key);
	authorization.value = fb_u256_from_u64(1000);
	domain = fb_eip712_domain(FB_STR("USDC"), FB_STR("2"), 84532, &token);
	struct_hash = fb_eip3009_transfer_hash(&authorization);
	digest = fb_eip712_digest(&domain, &struct_hash);
	fb_sign(&signature, &key, &digest);
}

int main(void)
{
	static const struct { const char *name; void (*work)(void); unsigned count; } rows[] = {
		{ "keccak-256 of 64 bytes", hash_64_bytes, 20000 },
		{ "keccak-256 of 4096 bytes", hash_page, 2000 },
		{ "EIP-3009 digest", hash_authorization, 10000 },
		{ "recover", recover, 500 },
		{ "EIP-3009 digest and recover", hash_and_recover, 500 },
		{ "sign (and check)", sign, 500 },
	};

	prepare();
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint64_t ns = best_ns(rows[i].work, rows[i].count);

		printf("%-30s %4u.%03u us\n", rows[i].name, (unsigned)(ns / 1000), (unsigned)(ns % 1000));
	}
	return 0;
}
