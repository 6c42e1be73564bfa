/* SHA-256, from OpenSSL. */
#include "farebox/crypto.h"

#include <openssl/sha.h>

struct fb_hash fb_sha256(const void *bytes, size_t len)
{
	struct fb_hash hash;

	SHA256(bytes, len, hash.bytes);
	return hash;
}
