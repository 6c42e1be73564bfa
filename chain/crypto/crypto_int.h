/* Shared inside chain/crypto only: the parts of a keystore that reading and writing have in common. */
#ifndef FB_CRYPTO_INT_H
#define FB_CRYPTO_INT_H
#include "farebox/crypto.h"

enum { FB_DERIVED_LEN = 32, FB_IV_LEN = 16, FB_SALT_MAX = 64 };

struct fb_kdf {
	enum { FB_SCRYPT, FB_PBKDF2 } kind;
	uint64_t n, r, p; /* scrypt */
	uint64_t c;       /* pbkdf2 with hmac-sha256: iterations */
	uint8_t salt[FB_SALT_MAX];
	size_t salt_len;
};

/* What stands encrypted in a keystore. */
struct fb_sealed {
	struct fb_kdf kdf;
	uint8_t iv[FB_IV_LEN];
	uint8_t ciphertext[32];
	struct fb_hash mac;
};

/* Whether the work asked for is bounded: a keystore is somebody's input. */
bool fb_kdf_is_bounded(const struct fb_kdf *kdf);
/* FB_NO_MEMORY. The derived key is the caller's to wipe. */
FB_MUST_USE enum fb_status fb_kdf_derive(uint8_t out[FB_DERIVED_LEN], const struct fb_kdf *kdf,
					 struct fb_str passphrase);
/* keccak-256 of the second half of the derived key and the ciphertext. */
struct fb_hash fb_sealed_mac(const uint8_t derived[FB_DERIVED_LEN], const uint8_t ciphertext[32]);
/* AES-128-CTR with the first half of the derived key; its own inverse. */
void fb_sealed_crypt(uint8_t out[32], const uint8_t derived[FB_DERIVED_LEN], const uint8_t iv[FB_IV_LEN],
		     const uint8_t in[32]);
#endif /* FB_CRYPTO_INT_H */
