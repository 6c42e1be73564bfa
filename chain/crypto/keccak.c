/* Keccak-256 as Ethereum uses it: rate 136 bytes, padding 0x01 … 0x80 (not SHA-3's 0x06). */
#include "farebox/crypto.h"

enum { RATE = 136, LANE = 8, ROUNDS = 24 };

_Static_assert(RATE % LANE == 0, "a block is whole lanes");

static const uint64_t round_constants[ROUNDS] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

/* chi: one row of five lanes, the only step that is not linear. */
#define ROW(out, b0, b1, b2, b3, b4)                                                    \
	do {                                                                            \
		uint64_t r0 = (b0), r1 = (b1), r2 = (b2), r3 = (b3), r4 = (b4);         \
		(out)[0] = r0 ^ (~r1 & r2);                                             \
		(out)[1] = r1 ^ (~r2 & r3);                                             \
		(out)[2] = r2 ^ (~r3 & r4);                                             \
		(out)[3] = r3 ^ (~r4 & r0);                                             \
		(out)[4] = r4 ^ (~r0 & r1);                                             \
	} while (0)

/* One round from a to e. Every index is a constant, so that the compiler keeps lanes in registers; rho
 * and pi are in the choice of indices and rotations. */
__attribute__((always_inline)) static inline void round_into(uint64_t e[25], const uint64_t a[25], uint64_t constant)
{
	uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
	uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
	uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
	uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
	uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
	uint64_t d0 = c4 ^ rotate(c1, 1);
	uint64_t d1 = c0 ^ rotate(c2, 1);
	uint64_t d2 = c1 ^ rotate(c3, 1);
	uint64_t d3 = c2 ^ rotate(c4, 1);
	uint64_t d4 = c3 ^ rotate(c0, 1);

	ROW(e + 0, a[0] ^ d0, rotate(a[6] ^ d1, 44), rotate(a[12] ^ d2, 43), rotate(a[18] ^ d3, 21),
	    rotate(a[24] ^ d4, 14));
	e[0] ^= constant; /* iota */
	ROW(e + 5, rotate(a[3] ^ d3, 28), rotate(a[9] ^ d4, 20), rotate(a[10] ^ d0, 3), rotate(a[16] ^ d1, 45),
	    rotate(a[22] ^ d2, 61));
	ROW(e + 10, rotate(a[1] ^ d1, 1), rotate(a[7] ^ d2, 6), rotate(a[13] ^ d3, 25), rotate(a[19] ^ d4, 8),
	    rotate(a[20] ^ d0, 18));
	ROW(e + 15, rotate(a[4] ^ d4, 27), rotate(a[5] ^ d0, 36), rotate(a[11] ^ d1, 10), rotate(a[17] ^ d2, 15),
	    rotate(a[23] ^ d3, 56));
	ROW(e + 20, rotate(a[2] ^ d2, 62), rotate(a[8] ^ d3, 55), rotate(a[14] ^ d4, 39), rotate(a[15] ^ d0, 41),
	    rotate(a[21] ^ d1, 2));
}

static void permute(uint64_t lane[25])
{
	uint64_t other[25];

	for (size_t i = 0; i < ROUNDS; i += 2) {
		round_into(other, lane, round_constants[i]);
		round_into(lane, other, round_constants[i + 1]);
	}
}

/* Little-endian from any address; compilers make one load of it. */
static inline uint64_t load(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	       (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline void absorb_byte(struct fb_keccak *k, size_t at, uint8_t byte)
{
	k->lane[at / LANE] ^= (uint64_t)byte << 8 * (at % LANE);
}

void fb_keccak_init(struct fb_keccak *k)
{
	*k = (struct fb_keccak){ .filled = 0 };
}

void fb_keccak_update(struct fb_keccak *k, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	FB_ASSERT(k->filled < RATE);
	while (len > 0) {
		size_t step = k->filled % LANE == 0 && len >= LANE ? LANE : 1;

		if (step == LANE)
			k->lane[k->filled / LANE] ^= load(in);
		else
			absorb_byte(k, k->filled, *in);
		in += step;
		len -= step;
		k->filled += step;
		if (k->filled == RATE) {
			permute(k->lane);
			k->filled = 0;
		}
	}
}

struct fb_hash fb_keccak_final(struct fb_keccak *k)
{
	struct fb_hash hash;

	FB_ASSERT(k->filled < RATE);
	absorb_byte(k, k->filled, 0x01);
	absorb_byte(k, RATE - 1, 0x80);
	permute(k->lane);
	for (size_t i = 0; i < sizeof(hash.bytes); i++)
		hash.bytes[i] = (uint8_t)(k->lane[i / LANE] >> 8 * (i % LANE));
	k->filled = RATE; /* used up: another update would be a mistake, and is caught */
	return hash;
}

struct fb_hash fb_keccak256(const void *bytes, size_t len)
{
	struct fb_keccak k;

	fb_keccak_init(&k);
	fb_keccak_update(&k, bytes, len);
	return fb_keccak_final(&k);
}
