/* Keystore v3, the cryptography: deriving a key from a passphrase, the cipher, the check value. */
#include "crypto_int.h"

#include <openssl/evp.h>
#include <sodium.h>

/* n <= 2^20, r and p <= 16, 128·n·r bytes of memory; iterations of pbkdf2. */
enum { N_MAX = 1 << 20, R_MAX = 16, P_MAX = 16, SCRYPT_MEMORY_MAX = 1 << 30, ITERATIONS_MAX = 10000000 };
enum { CIPHER_KEY_LEN = 16 };

static bool scrypt_is_bounded(const struct fb_kdf *kdf)
{
	bool power_of_two = kdf->n >= 2 && kdf->n <= N_MAX && (kdf->n & (kdf->n - 1)) == 0;

	if (!power_of_two || kdf->r < 1 || kdf->r > R_MAX || kdf->p < 1 || kdf->p > P_MAX)
		return false;
	return 128 * kdf->n * kdf->r <= SCRYPT_MEMORY_MAX;
}

bool fb_kdf_is_bounded(const struct fb_kdf *kdf)
{
	if (kdf->kind == FB_SCRYPT)
		return scrypt_is_bounded(kdf);
	return kdf->c >= 1 && kdf->c <= ITERATIONS_MAX;
}

/* libsodium's scrypt, because OpenSSL's refuses the parameters of the standard's own example (r = 1). */
static enum fb_status scrypt(uint8_t out[FB_DERIVED_LEN], const struct fb_kdf *kdf, struct fb_str passphrase)
{
	FB_ASSERT(sodium_init() >= 0); /* may be called again; chooses the code for this processor */
	if (crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)passphrase.at, passphrase.len, kdf->salt,
						  kdf->salt_len, kdf->n, (uint32_t)kdf->r, (uint32_t)kdf->p, out,
						  FB_DERIVED_LEN) != 0)
		return FB_NO_MEMORY;
	return FB_OK;
}

enum fb_status fb_kdf_derive(uint8_t out[FB_DERIVED_LEN], const struct fb_kdf *kdf, struct fb_str passphrase)
{
	FB_ASSERT(fb_kdf_is_bounded(kdf));
	FB_ASSERT(kdf->salt_len <= sizeof(kdf->salt));
	FB_ASSERT(passphrase.len <= FB_PASSPHRASE_MAX);
	if (kdf->kind == FB_SCRYPT)
		return scrypt(out, kdf, passphrase);
	if (PKCS5_PBKDF2_HMAC(passphrase.at, (int)passphrase.len, kdf->salt, (int)kdf->salt_len, (int)kdf->c,
			      EVP_sha256(), FB_DERIVED_LEN, out) != 1)
		return FB_NO_MEMORY;
	return FB_OK;
}

struct fb_hash fb_sealed_mac(const uint8_t derived[FB_DERIVED_LEN], const uint8_t ciphertext[32])
{
	struct fb_keccak k;
	struct fb_hash mac;

	fb_keccak_init(&k);
	fb_keccak_update(&k, derived + CIPHER_KEY_LEN, FB_DERIVED_LEN - CIPHER_KEY_LEN);
	fb_keccak_update(&k, ciphertext, 32);
	mac = fb_keccak_final(&k);
	sodium_memzero(&k, sizeof(k));
	return mac;
}

void fb_sealed_crypt(uint8_t out[32], const uint8_t derived[FB_DERIVED_LEN], const uint8_t iv[FB_IV_LEN],
		     const uint8_t in[32])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0;

	/* Keys are read when the program starts, where running out of memory stops it. */
	FB_ASSERT(ctx != NULL);
	FB_ASSERT(EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, derived, iv) == 1);
	FB_ASSERT(EVP_EncryptUpdate(ctx, out, &len, in, 32) == 1);
	FB_ASSERT(len == 32);
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
}
