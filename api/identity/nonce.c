/* Nonces that only we can make and that open one door each.
 *
 * A nonce is a running number, the second it was made in, and a code over both that takes a key only this process has.
 * So nothing is kept of the many that are never used; of those that are, one bit each, in a window over the newest
 * numbers. After a restart the key is another one, and older nonces are none. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { BODY = 12 /* number 8, second 4 */, CODE = 16, KEY = 32 };
_Static_assert(NONCE_LEN == 2 * (BODY + CODE), "in hex");

struct nonces {
	struct fb_clock clock;
	pthread_mutex_t lock;
	uint64_t next;
	size_t open;
	uint8_t key[KEY];
	uint8_t *used; /* a bit each of the newest `open` numbers */
};

struct nonces *fb_nonces_open(struct fb_clock clock, struct fb_rng rng, size_t open)
{
	struct nonces *n = fb_must_alloc(1, sizeof(*n));

	FB_ASSERT(open >= 8 && (open & (open - 1)) == 0);
	n->clock = clock;
	n->open = open;
	n->used = fb_must_alloc(open / 8, 1);
	rng.fill(rng.ctx, n->key, sizeof(n->key));
	FB_ASSERT(pthread_mutex_init(&n->lock, NULL) == 0);
	return n;
}

void fb_nonces_close(struct nonces *n)
{
	if (n == NULL)
		return;
	pthread_mutex_destroy(&n->lock);
	explicit_bzero(n->key, sizeof(n->key));
	free(n->used);
	free(n);
}

/* Keccak takes a key in front without more ado. */
static void code_of(uint8_t out[CODE], const struct nonces *n, const uint8_t body[BODY])
{
	uint8_t text[KEY + BODY];
	struct fb_hash h;

	memcpy(text, n->key, KEY);
	memcpy(text + KEY, body, BODY);
	h = fb_keccak256(text, sizeof(text));
	memcpy(out, h.bytes, CODE);
}

static uint32_t second(const struct nonces *n)
{
	return (uint32_t)fb_clock_wall_s(&n->clock);
}

void fb_nonce_make(struct nonces *n, char out[NONCE_LEN])
{
	uint8_t bytes[BODY + CODE];
	uint64_t number;
	char block[NONCE_LEN + 2];
	struct fb_buf b;

	pthread_mutex_lock(&n->lock);
	number = n->next++;
	n->used[number % n->open / 8] &= (uint8_t)~(1u << number % 8);
	pthread_mutex_unlock(&n->lock);
	fb_put_be64(bytes, number);
	fb_put_be32(bytes + 8, second(n));
	code_of(bytes + BODY, n, bytes);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, sizeof(bytes));
	FB_ASSERT(!b.overflowed && b.len == sizeof(block));
	memcpy(out, block + 2, NONCE_LEN);
}

static bool is_ours(const struct nonces *n, uint8_t bytes[BODY + CODE], struct fb_str nonce)
{
	char block[NONCE_LEN + 2] = "0x";
	uint8_t code[CODE];

	if (nonce.len != NONCE_LEN)
		return false;
	memcpy(block + 2, nonce.at, NONCE_LEN);
	if (fb_hex_decode_exact(bytes, BODY + CODE, (struct fb_str){ block, sizeof(block) }) != FB_OK)
		return false;
	code_of(code, n, bytes);
	return fb_bytes_eq_secret(code, bytes + BODY, CODE);
}

bool fb_nonce_use(struct nonces *n, struct fb_str nonce)
{
	uint8_t bytes[BODY + CODE];
	uint64_t number;
	uint32_t age;
	bool good;

	if (!is_ours(n, bytes, nonce))
		return false;
	number = fb_get_be64(bytes);
	age = second(n) - fb_get_be32(bytes + 8);
	if (age > NONCE_LIFE_S)
		return false;
	pthread_mutex_lock(&n->lock);
	FB_ASSERT(number < n->next);
	good = n->next - number <= n->open && (n->used[number % n->open / 8] & 1u << number % 8) == 0;
	if (good)
		n->used[number % n->open / 8] |= (uint8_t)(1u << number % 8);
	pthread_mutex_unlock(&n->lock);
	return good;
}
