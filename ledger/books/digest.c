/* Keys as words, the hashes of the tables, and the digest of an operation's content. */
#include "books_int.h"

#include <string.h>

struct fb_key fb_key_pack(const struct fb_account_key *key)
{
	struct fb_key k;
	uint32_t tail;

	memcpy(&k.word[0], key->owner.bytes, 8);
	memcpy(&k.word[1], key->owner.bytes + 8, 8);
	memcpy(&tail, key->owner.bytes + 16, 4);
	k.word[2] = (uint64_t)key->asset << 32 | tail;
	k.word[3] = key->purpose;
	return k;
}

struct fb_account_key fb_key_unpack(const struct fb_key *k)
{
	struct fb_account_key key = { .asset = fb_key_asset(k), .purpose = (enum fb_purpose)k->word[3] };
	uint32_t tail = (uint32_t)k->word[2];

	memcpy(key.owner.bytes, &k->word[0], 8);
	memcpy(key.owner.bytes + 8, &k->word[1], 8);
	memcpy(key.owner.bytes + 16, &tail, 4);
	return key;
}

/* Both halves of a 128-bit product: every bit of both factors reaches every bit of the result. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	fb_u128 product = (fb_u128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Odd, with bits that follow no pattern: the fractions of the golden ratio and of the square roots of 2 and 3. */
enum { ROTATE = 29 };
static const uint64_t golden = 0x9e3779b97f4a7c15, root_2 = 0x6a09e667f3bcc909, root_3 = 0xbb67ae8584caa73b;

/* Owners and ids are chosen by clients; the seed, which nobody knows, keeps them from choosing what collides. */
uint32_t fb_key_hash(const struct fb_key *k, uint64_t seed)
{
	uint64_t low = fold(k->word[0] ^ seed, k->word[1] ^ golden ^ (seed << ROTATE));
	uint64_t high = fold(k->word[2] ^ seed ^ root_2, k->word[3] ^ root_3);

	return (uint32_t)(fold(low ^ seed, high ^ golden) >> 32);
}

uint32_t fb_id_hash(fb_id id, uint64_t seed)
{
	uint64_t half = fold((uint64_t)id ^ seed, (uint64_t)(id >> 64) ^ golden ^ (seed << ROTATE));

	return (uint32_t)(fold(half ^ seed, root_2) >> 32);
}

static uint64_t add(uint64_t digest, uint64_t word)
{
	return fold(digest ^ word, golden) + root_2;
}

static uint64_t add_wide(uint64_t digest, fb_u128 v)
{
	return add(add(digest, (uint64_t)(v >> 64)), (uint64_t)v);
}

static uint64_t add_key(uint64_t digest, const struct fb_account_key *key)
{
	struct fb_key k = fb_key_pack(key);

	return add(add(add(add(digest, k.word[0]), k.word[1]), k.word[2]), k.word[3]);
}

static uint64_t add_legs(uint64_t digest, const struct fb_op *op)
{
	digest = add(digest, op->leg_count);
	for (size_t i = 0; i < op->leg_count; i++)
		digest = add_wide(add_key(digest, &op->legs[i].credit), op->legs[i].amount.atoms);
	return digest;
}

static uint64_t add_note(uint64_t digest, const struct fb_op *op)
{
	uint64_t word[4];

	memcpy(word, op->external.bytes, sizeof(word));
	digest = add_wide(add(digest, op->code), op->user);
	return add(add(add(add(digest, word[0]), word[1]), word[2]), word[3]);
}

uint64_t fb_op_digest(const struct fb_op *op)
{
	uint64_t digest = add_note(add(root_3, op->kind), op);

	switch (op->kind) {
	case FB_OP_POST:
		return add_legs(add_key(digest, &op->debit), op);
	case FB_OP_HOLD:
		return add(add_wide(add_key(digest, &op->debit), op->amount.atoms), (uint64_t)op->expires_us);
	case FB_OP_CAPTURE:
		return add_legs(add_wide(digest, op->ref), op);
	case FB_OP_RELEASE:
	case FB_OP_REVERSE:
		return add_wide(digest, op->ref);
	case FB_OP_ACCOUNT:
		break;
	}
	FB_UNREACHABLE("an operation with an id");
}
