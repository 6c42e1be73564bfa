/* secp256k1: keys, their addresses, signatures, recovery. The one user of libsecp256k1. */
#include "farebox/crypto.h"
#include "farebox/os.h"

#include <pthread.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <string.h>

enum { PUBKEY_LEN = 65, COMPACT_LEN = 64, V_BASE = 27 };

/* The order of the group, and half of it: the largest s the token takes (EIP-2). */
static const uint8_t order[32] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
	0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
};
static const uint8_t half_order[32] = {
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static secp256k1_context *shared; /* written once, then only read */

/* Blinding with random bytes guards the secret against side channels (time, power) while signing. */
static void make_context(void)
{
	uint8_t seed[32];
	struct fb_rng rng = fb_os_rng();

	shared = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	FB_ASSERT(shared != NULL);
	rng.fill(rng.ctx, seed, sizeof(seed));
	FB_ASSERT(secp256k1_context_randomize(shared, seed) == 1);
	sodium_memzero(seed, sizeof(seed));
}

static const secp256k1_context *context(void)
{
	FB_ASSERT(pthread_once(&once, make_context) == 0);
	return shared;
}

static struct fb_address address_of(const secp256k1_pubkey *pub)
{
	uint8_t bytes[PUBKEY_LEN];
	size_t len = sizeof(bytes);
	struct fb_address a;
	struct fb_hash hash;

	FB_ASSERT(secp256k1_ec_pubkey_serialize(context(), bytes, &len, pub, SECP256K1_EC_UNCOMPRESSED) == 1);
	FB_ASSERT(len == sizeof(bytes));
	hash = fb_keccak256(bytes + 1, len - 1);
	memcpy(a.bytes, hash.bytes + sizeof(hash.bytes) - sizeof(a.bytes), sizeof(a.bytes));
	return a;
}

enum fb_status fb_key_from_bytes(struct fb_key *out, const uint8_t secret[32])
{
	if (secp256k1_ec_seckey_verify(context(), secret) != 1)
		return FB_BAD_KEY;
	memcpy(out->secret, secret, sizeof(out->secret));
	return FB_OK;
}

void fb_key_generate(struct fb_key *out, struct fb_rng rng)
{
	/* One draw in 2^128 is no key: a second refusal means that rng is no source of randomness. */
	for (int draws = 0; draws < 2; draws++) {
		rng.fill(rng.ctx, out->secret, sizeof(out->secret));
		if (secp256k1_ec_seckey_verify(context(), out->secret) == 1)
			return;
	}
	FB_UNREACHABLE("two draws in a row that are no keys");
}

void fb_key_wipe(struct fb_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

struct fb_address fb_key_address(const struct fb_key *key)
{
	secp256k1_pubkey pub;

	FB_ASSERT(secp256k1_ec_pubkey_create(context(), &pub, key->secret) == 1);
	return address_of(&pub);
}

/* r and s in 1..n-1, s in the lower half, v as the token wants it. */
static bool is_canonical(const struct fb_signature *s)
{
	static const uint8_t zero[32];

	if (s->v != V_BASE && s->v != V_BASE + 1)
		return false;
	if (memcmp(s->r, zero, sizeof(zero)) == 0 || memcmp(s->r, order, sizeof(order)) >= 0)
		return false;
	return memcmp(s->s, zero, sizeof(zero)) != 0 && memcmp(s->s, half_order, sizeof(half_order)) <= 0;
}

void fb_sign(struct fb_signature *out, const struct fb_key *key, const struct fb_hash *digest)
{
	secp256k1_ecdsa_recoverable_signature raw;
	uint8_t compact[COMPACT_LEN];
	struct fb_address signer, own = fb_key_address(key);
	struct fb_signature s;
	int recovery_id;

	/* No nonce function given is RFC 6979; the library's signatures have the low s. */
	FB_ASSERT(secp256k1_ecdsa_sign_recoverable(context(), &raw, digest->bytes, key->secret, NULL, NULL) == 1);
	FB_ASSERT(secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), compact, &recovery_id, &raw) == 1);
	memcpy(s.r, compact, sizeof(s.r));
	memcpy(s.s, compact + sizeof(s.r), sizeof(s.s));
	s.v = (uint8_t)(V_BASE + recovery_id);
	/* A fault while signing could give the key away; a signature that does not verify never leaves. */
	FB_ASSERT(fb_recover(&signer, &s, digest) == FB_OK);
	FB_ASSERT(fb_address_eq(&signer, &own));
	*out = s;
}

void fb_signature_pack(uint8_t out[FB_SIGNATURE_LEN], const struct fb_signature *s)
{
	memcpy(out, s->r, sizeof(s->r));
	memcpy(out + 32, s->s, sizeof(s->s));
	out[64] = s->v;
}

enum fb_status fb_signature_unpack(struct fb_signature *out, struct fb_str bytes)
{
	struct fb_signature s;

	if (bytes.len != FB_SIGNATURE_LEN)
		return FB_BAD_LENGTH;
	memcpy(s.r, bytes.at, sizeof(s.r));
	memcpy(s.s, bytes.at + 32, sizeof(s.s));
	s.v = (uint8_t)bytes.at[64];
	if (!is_canonical(&s))
		return FB_BAD_SIGNATURE;
	*out = s;
	return FB_OK;
}

enum fb_status fb_recover(struct fb_address *out, const struct fb_signature *s, const struct fb_hash *digest)
{
	secp256k1_ecdsa_recoverable_signature raw;
	secp256k1_pubkey pub;
	uint8_t compact[COMPACT_LEN];

	if (!is_canonical(s))
		return FB_BAD_SIGNATURE;
	memcpy(compact, s->r, sizeof(s->r));
	memcpy(compact + sizeof(s->r), s->s, sizeof(s->s));
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &raw, compact, s->v - V_BASE) != 1 ||
	    secp256k1_ecdsa_recover(context(), &pub, &raw, digest->bytes) != 1)
		return FB_BAD_SIGNATURE;
	*out = address_of(&pub);
	return FB_OK;
}
