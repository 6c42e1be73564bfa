/* farebox/crypto.h - keccak-256, secp256k1, EIP-55/191/712, EIP-1559 transactions, key files.
 *
 * Layer      3. libsecp256k1, libsodium (scrypt, memory wiping) and OpenSSL's libcrypto (AES, PBKDF2)
 *            are linked by this library alone.
 * Spec       EIP-55, EIP-191 (0x45), EIP-712, EIP-1559, EIP-2; Web3 Secret Storage v3; RFC 6979.
 * Errors     as written at each function; outputs only on FB_OK.
 * Secrets    a fb_key is wiped by fb_key_wipe; nothing here prints or logs a secret, errors name
 *            files and settings only.
 * Threads    every function may be called from any thread (one shared, randomised, read-only
 *            secp256k1 context, made on first use).
 */
#ifndef FB_CRYPTO_H
#define FB_CRYPTO_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/port.h"

/* ---- keccak-256 ------------------------------------------------------------------------------ */
struct fb_keccak {
	uint64_t lane[25];
	size_t filled; /* bytes absorbed into the current block */
};
void fb_keccak_init(struct fb_keccak *k);
void fb_keccak_update(struct fb_keccak *k, const void *bytes, size_t len);
struct fb_hash fb_keccak_final(struct fb_keccak *k);
struct fb_hash fb_keccak256(const void *bytes, size_t len);
/* SHA-256, for fingerprints of stored secrets. */
struct fb_hash fb_sha256(const void *bytes, size_t len);

/* ---- EIP-55 ---------------------------------------------------------------------------------- */
void fb_buf_address_checksum(struct fb_buf *b, const struct fb_address *a);
/* As fb_address_parse, but a text of mixed case must carry the right checksum (all lower and all
 * upper case are accepted). FB_BAD_LENGTH, FB_BAD_HEX, FB_BAD_CHECKSUM. */
FB_MUST_USE enum fb_status fb_address_parse_checked(struct fb_address *out, struct fb_str text);

/* ---- signatures ------------------------------------------------------------------------------ */
struct fb_key {
	uint8_t secret[32];
};
struct fb_signature {
	uint8_t r[32], s[32];
	uint8_t v; /* 27 or 28 */
};
enum { FB_SIGNATURE_LEN = 65 }; /* r, s, v as contracts take them */
/* FB_BAD_KEY: 0 or >= n. */
FB_MUST_USE enum fb_status fb_key_from_bytes(struct fb_key *out, const uint8_t secret[32]);
void fb_key_generate(struct fb_key *out, struct fb_rng rng);
void fb_key_wipe(struct fb_key *key);
struct fb_address fb_key_address(const struct fb_key *key);
/* Deterministic (RFC 6979), low s; the signature is recovered and compared before it is returned. */
void fb_sign(struct fb_signature *out, const struct fb_key *key, const struct fb_hash *digest);
void fb_signature_pack(uint8_t out[FB_SIGNATURE_LEN], const struct fb_signature *s);
/* 65 bytes exactly as the token will take them: low s only, v 27 or 28 (0 and 1 are refused: the
 * token refuses them). FB_BAD_LENGTH, FB_BAD_SIGNATURE. */
FB_MUST_USE enum fb_status fb_signature_unpack(struct fb_signature *out, struct fb_str bytes);
/* The address that signed the digest. FB_BAD_SIGNATURE. */
FB_MUST_USE enum fb_status fb_recover(struct fb_address *out, const struct fb_signature *s,
				      const struct fb_hash *digest);

/* ---- typed data ------------------------------------------------------------------------------ */
struct fb_hash fb_eip191_hash(struct fb_str message); /* personal_sign */
/* Domain {name, version, chainId, verifyingContract}, in that order. */
struct fb_hash fb_eip712_domain(struct fb_str name, struct fb_str version, uint64_t chain_id,
				const struct fb_address *contract);
struct fb_hash fb_eip712_digest(const struct fb_hash *domain, const struct fb_hash *struct_hash);

/* EIP-3009. `to`, `value` … of one authorization; the same struct serves transferWithAuthorization
 * and receiveWithAuthorization, which differ in their type hash. */
struct fb_authorization {
	struct fb_address from, to;
	struct fb_u256 value, valid_after, valid_before; /* seconds */
	struct fb_hash nonce;
};
struct fb_hash fb_eip3009_transfer_hash(const struct fb_authorization *a); /* the struct hash */

/* ---- EIP-1559 transactions ------------------------------------------------------------------- */
struct fb_tx {
	uint64_t chain_id, nonce, gas_limit;
	fb_u128 max_priority_fee, max_fee; /* wei per gas */
	bool creates;         /* a contract, of which `data` is the creation code; `to` has no meaning then */
	struct fb_address to;
	struct fb_u256 value; /* wei */
	struct fb_str data;   /* borrowed */
};
/* The signed bytes (0x02 ‖ rlp) into out and their hash; FB_TOO_LARGE (out full). No access list. */
FB_MUST_USE enum fb_status fb_tx_sign(struct fb_buf *out, struct fb_hash *hash, const struct fb_tx *tx,
				      const struct fb_key *key);
/* Where the contract comes to stand that `sender` creates with this account nonce. */
struct fb_address fb_created_address(const struct fb_address *sender, uint64_t nonce);

/* ---- key files ------------------------------------------------------------------------------- */
enum { FB_PASSPHRASE_MAX = 1024, FB_KEYSTORE_LEN_MAX = 640 }; /* bytes */
/* Where a key comes from, as written in a setting: "$NAME" (environment variable holding 0x + 64 hex
 * digits), a path to a file with the same text, or a path to a Web3 keystore v3 (JSON). A bare hex key
 * is refused here with a hint: keys never stand on a command line or in a config file.
 * `passphrase` answers for a keystore at the path `what`: returns its length into out, or 0 for "none";
 * called at most once, and `ask` may be NULL.
 * Errors in order: FB_BAD_VALUE (bare key, empty), FB_NOT_FOUND, FB_IO, FB_FORBIDDEN (file readable by
 * others), FB_TOO_LARGE, FB_BAD_SYNTAX, FB_BAD_KEY (wrong passphrase or not a key), and those of
 * fb_keystore_read. e names the variable or the file; the caller names the setting. */
struct fb_passphrase {
	size_t (*ask)(void *ctx, char *out, size_t cap, const char *what);
	void *ctx;
};
FB_MUST_USE enum fb_status fb_key_load(struct fb_key *out, const char *source, struct fb_passphrase passphrase,
				       struct fb_error *e);
/* 0x + 64 hex digits, blanks and line ends around allowed. FB_BAD_SYNTAX, FB_BAD_KEY. */
FB_MUST_USE enum fb_status fb_key_parse(struct fb_key *out, struct fb_str text);
/* Keystore v3 with scrypt n=262144, r=8, p=1 (or the light n=4096, p=6 when `light`); at most
 * FB_KEYSTORE_LEN_MAX bytes. FB_BAD_VALUE (passphrase empty or longer than FB_PASSPHRASE_MAX),
 * FB_NO_MEMORY, FB_TOO_LARGE (out full). */
FB_MUST_USE enum fb_status fb_keystore_write(struct fb_buf *out, const struct fb_key *key, struct fb_str passphrase,
					     bool light, struct fb_rng rng);
/* kdf scrypt or pbkdf2 (hmac-sha256), cipher aes-128-ctr; parameters bounded (n <= 2^20, r <= 16,
 * p <= 16, 128·n·r <= 1 GiB, c <= 10^7) before any work; an address, if given, must be the key's.
 * FB_BAD_SYNTAX, FB_BAD_VALUE, FB_NO_MEMORY, FB_BAD_KEY. */
FB_MUST_USE enum fb_status fb_keystore_read(struct fb_key *out, struct fb_str json, struct fb_str passphrase,
					    struct fb_error *e);
#endif /* FB_CRYPTO_H */
