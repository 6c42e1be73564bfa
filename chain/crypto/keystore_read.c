/* Keystore v3, reading: JSON to a sealed secret, a passphrase to the key in it. */
#include "crypto_int.h"
#include "farebox/json.h"

#include <sodium.h>
#include <string.h>

enum { TOKENS_MAX = 64, ARENA_SIZE = 4096, VERSION = 3 };

struct reader {
	struct fb_arena arena; /* for texts with escapes */
	struct fb_error *e;
};

static enum fb_status read_text(struct fb_str *out, struct fb_json_value object, const char *name, struct reader *r)
{
	if (fb_json_string(out, fb_json_get(object, name), &r->arena) != FB_OK)
		return fb_error_set(r->e, FB_BAD_SYNTAX, "keystore: %s must be there and be a text", name);
	return FB_OK;
}

static enum fb_status read_number(uint64_t *out, struct fb_json_value object, const char *name, struct reader *r)
{
	if (fb_json_u64(out, fb_json_get(object, name)) != FB_OK)
		return fb_error_set(r->e, FB_BAD_SYNTAX, "keystore: %s must be there and be a whole number", name);
	return FB_OK;
}

/* A text that must be one of the standard's words. */
static enum fb_status read_word(struct fb_json_value object, const char *name, const char *want, struct reader *r)
{
	struct fb_str text;
	enum fb_status st = read_text(&text, object, name, r);

	if (st != FB_OK)
		return st;
	if (!fb_str_eq(text, fb_str_of(want)))
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: %s must be \"%s\"", name, want);
	return FB_OK;
}

/* Keystores write their hex without "0x". */
static enum fb_status read_hex(uint8_t *out, size_t *len, size_t cap, struct fb_json_value object, const char *name,
			       struct reader *r)
{
	char block[2 + 2 * FB_SALT_MAX];
	struct fb_buf text;
	struct fb_str digits;
	enum fb_status st = read_text(&digits, object, name, r);

	FB_ASSERT(cap <= FB_SALT_MAX);
	if (st != FB_OK)
		return st;
	fb_buf_init(&text, block, sizeof(block));
	fb_buf_text(&text, "0x");
	fb_buf_str(&text, digits);
	st = text.overflowed ? FB_TOO_LARGE : fb_hex_decode(out, len, cap, fb_buf_view(&text));
	if (st == FB_TOO_LARGE)
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: %s must be at most %zu bytes", name, cap);
	if (st != FB_OK)
		return fb_error_set(r->e, FB_BAD_SYNTAX, "keystore: %s must be hex digits without 0x", name);
	return FB_OK;
}

static enum fb_status read_hex_exact(uint8_t *out, size_t len, struct fb_json_value object, const char *name,
				     struct reader *r)
{
	size_t got;
	enum fb_status st = read_hex(out, &got, len, object, name, r);

	if (st != FB_OK)
		return st;
	if (got != len)
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: %s must be %zu bytes", name, len);
	return FB_OK;
}

static enum fb_status read_scrypt(struct fb_kdf *out, struct fb_json_value params, struct reader *r)
{
	enum fb_status st;

	out->kind = FB_SCRYPT;
	if ((st = read_number(&out->n, params, "n", r)) != FB_OK)
		return st;
	if ((st = read_number(&out->r, params, "r", r)) != FB_OK)
		return st;
	return read_number(&out->p, params, "p", r);
}

static enum fb_status read_pbkdf2(struct fb_kdf *out, struct fb_json_value params, struct reader *r)
{
	enum fb_status st;

	out->kind = FB_PBKDF2;
	st = read_number(&out->c, params, "c", r);
	return st == FB_OK ? read_word(params, "prf", "hmac-sha256", r) : st;
}

static enum fb_status read_kdf(struct fb_kdf *out, struct fb_json_value crypto, struct reader *r)
{
	struct fb_json_value params = fb_json_get(crypto, "kdfparams");
	struct fb_str name;
	uint64_t derived_len;
	enum fb_status st = read_text(&name, crypto, "kdf", r);

	if (st != FB_OK)
		return st;
	if (fb_str_eq(name, FB_STR("scrypt")))
		st = read_scrypt(out, params, r);
	else if (fb_str_eq(name, FB_STR("pbkdf2")))
		st = read_pbkdf2(out, params, r);
	else
		st = fb_error_set(r->e, FB_BAD_VALUE, "keystore: kdf must be scrypt or pbkdf2");
	if (st != FB_OK || (st = read_number(&derived_len, params, "dklen", r)) != FB_OK)
		return st;
	if (derived_len != FB_DERIVED_LEN)
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: dklen must be %d", FB_DERIVED_LEN);
	if (!fb_kdf_is_bounded(out))
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: kdfparams are out of bounds");
	return read_hex(out->salt, &out->salt_len, sizeof(out->salt), params, "salt", r);
}

static enum fb_status read_sealed(struct fb_sealed *out, struct fb_json_value crypto, struct reader *r)
{
	struct fb_json_value cipher = fb_json_get(crypto, "cipherparams");
	enum fb_status st;

	if ((st = read_word(crypto, "cipher", "aes-128-ctr", r)) != FB_OK)
		return st;
	if ((st = read_hex_exact(out->iv, sizeof(out->iv), cipher, "iv", r)) != FB_OK)
		return st;
	if ((st = read_hex_exact(out->ciphertext, sizeof(out->ciphertext), crypto, "ciphertext", r)) != FB_OK)
		return st;
	if ((st = read_hex_exact(out->mac.bytes, sizeof(out->mac.bytes), crypto, "mac", r)) != FB_OK)
		return st;
	return read_kdf(&out->kdf, crypto, r);
}

static enum fb_status open_sealed(struct fb_key *out, const struct fb_sealed *sealed, struct fb_str passphrase,
				  struct reader *r)
{
	uint8_t derived[FB_DERIVED_LEN], secret[32];
	struct fb_hash mac;
	enum fb_status st = fb_kdf_derive(derived, &sealed->kdf, passphrase);

	if (st != FB_OK)
		return fb_error_set(r->e, st, "keystore: not enough memory for its kdfparams");
	mac = fb_sealed_mac(derived, sealed->ciphertext);
	if (!fb_bytes_eq_secret(mac.bytes, sealed->mac.bytes, sizeof(mac.bytes))) {
		st = fb_error_set(r->e, FB_BAD_KEY, "keystore: wrong passphrase");
	} else {
		fb_sealed_crypt(secret, derived, sealed->iv, sealed->ciphertext);
		st = fb_key_from_bytes(out, secret);
		if (st != FB_OK)
			fb_error_set(r->e, st, "keystore: what it holds is no key");
	}
	sodium_memzero(derived, sizeof(derived));
	sodium_memzero(secret, sizeof(secret));
	return st;
}

/* The check value does not cover the iv, and another iv gives another key. The address, where it is
 * given, tells. */
static enum fb_status check_address(const struct fb_key *key, struct fb_json_value root, struct reader *r)
{
	struct fb_address want, got = fb_key_address(key);
	enum fb_status st;

	if (fb_json_absent_or_null(fb_json_get(root, "address")))
		return FB_OK;
	st = read_hex_exact(want.bytes, sizeof(want.bytes), root, "address", r);
	if (st == FB_OK && !fb_address_eq(&want, &got))
		st = fb_error_set(r->e, FB_BAD_KEY, "keystore: the key in it is not the one of its address");
	return st;
}

static enum fb_status read_root(struct fb_key *out, struct fb_json_value root, struct fb_str passphrase,
				struct reader *r)
{
	struct fb_sealed sealed = { .mac = { { 0 } } };
	struct fb_key key;
	uint64_t version;
	enum fb_status st = read_number(&version, root, "version", r);

	if (st != FB_OK)
		return st;
	if (version != VERSION)
		return fb_error_set(r->e, FB_BAD_VALUE, "keystore: version must be %d", VERSION);
	st = read_sealed(&sealed, fb_json_get(root, "crypto"), r);
	if (st != FB_OK || (st = open_sealed(&key, &sealed, passphrase, r)) != FB_OK)
		return st;
	st = check_address(&key, root, r);
	if (st == FB_OK)
		*out = key;
	fb_key_wipe(&key);
	return st;
}

enum fb_status fb_keystore_read(struct fb_key *out, struct fb_str json, struct fb_str passphrase, struct fb_error *e)
{
	_Alignas(16) unsigned char block[ARENA_SIZE];
	struct fb_json_token tokens[TOKENS_MAX];
	struct fb_json doc;
	struct reader r = { .e = e };

	fb_arena_init(&r.arena, block, sizeof(block));
	if (passphrase.len > FB_PASSPHRASE_MAX)
		return fb_error_set(e, FB_BAD_VALUE, "keystore: a passphrase has at most %d bytes", FB_PASSPHRASE_MAX);
	if (fb_json_parse(&doc, tokens, FB_COUNT(tokens), json) != FB_OK)
		return fb_error_set(e, FB_BAD_SYNTAX, "keystore: not valid JSON, at byte %u", (unsigned)doc.error_at);
	return read_root(out, fb_json_root(&doc), passphrase, &r);
}
