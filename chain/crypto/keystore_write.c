/* Keystore v3, writing: seals a key with a passphrase and fresh random bytes. */
#include "crypto_int.h"
#include "farebox/json.h"

#include <sodium.h>

enum { SALT_LEN = 32, ID_LEN = 16, VERSION = 3 };

/* Keystores write their hex without "0x". */
static void put_hex(struct fb_jw *w, const char *name, const uint8_t *bytes, size_t len)
{
	char block[2 + 2 * 32];
	struct fb_buf text;

	fb_buf_init(&text, block, sizeof(block));
	fb_buf_hex(&text, bytes, len);
	FB_ASSERT(!text.overflowed);
	fb_jw_kv_str(w, name, (struct fb_str){ text.at + 2, text.len - 2 });
}

/* A random UUID, RFC 4122 section 4.4: version 4, variant 1. */
static void put_id(struct fb_jw *w, struct fb_rng rng)
{
	static const size_t groups[] = { 4, 2, 2, 2, 6 };
	uint8_t id[ID_LEN];
	char block[40], hex[2 + 2 * 6];
	struct fb_buf text, group;
	size_t at = 0;

	rng.fill(rng.ctx, id, sizeof(id));
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	fb_buf_init(&text, block, sizeof(block));
	for (size_t i = 0; i < FB_COUNT(groups); i++) {
		fb_buf_init(&group, hex, sizeof(hex));
		fb_buf_hex(&group, id + at, groups[i]);
		if (i > 0)
			fb_buf_char(&text, '-');
		fb_buf_put(&text, group.at + 2, group.len - 2);
		at += groups[i];
	}
	FB_ASSERT(at == ID_LEN && !text.overflowed);
	fb_jw_kv_str(w, "id", fb_buf_view(&text));
}

static void put_crypto(struct fb_jw *w, const struct fb_sealed *s)
{
	fb_jw_key(w, "crypto");
	fb_jw_object(w);
	fb_jw_kv_text(w, "cipher", "aes-128-ctr");
	fb_jw_key(w, "cipherparams");
	fb_jw_object(w);
	put_hex(w, "iv", s->iv, sizeof(s->iv));
	fb_jw_end(w);
	put_hex(w, "ciphertext", s->ciphertext, sizeof(s->ciphertext));
	fb_jw_kv_text(w, "kdf", "scrypt");
	fb_jw_key(w, "kdfparams");
	fb_jw_object(w);
	fb_jw_kv_u64(w, "dklen", FB_DERIVED_LEN);
	fb_jw_kv_u64(w, "n", s->kdf.n);
	fb_jw_kv_u64(w, "r", s->kdf.r);
	fb_jw_kv_u64(w, "p", s->kdf.p);
	put_hex(w, "salt", s->kdf.salt, s->kdf.salt_len);
	fb_jw_end(w);
	put_hex(w, "mac", s->mac.bytes, sizeof(s->mac.bytes));
	fb_jw_end(w);
}

static enum fb_status seal(struct fb_sealed *out, const struct fb_key *key, struct fb_str passphrase, bool light,
			   struct fb_rng rng)
{
	uint8_t derived[FB_DERIVED_LEN];
	enum fb_status st;

	out->kdf = (struct fb_kdf){ .kind = FB_SCRYPT, .r = 8, .salt_len = SALT_LEN };
	out->kdf.n = light ? 4096 : 262144;
	out->kdf.p = light ? 6 : 1;
	rng.fill(rng.ctx, out->kdf.salt, SALT_LEN);
	rng.fill(rng.ctx, out->iv, sizeof(out->iv));
	st = fb_kdf_derive(derived, &out->kdf, passphrase);
	if (st == FB_OK) {
		fb_sealed_crypt(out->ciphertext, derived, out->iv, key->secret);
		out->mac = fb_sealed_mac(derived, out->ciphertext);
	}
	sodium_memzero(derived, sizeof(derived));
	return st;
}

enum fb_status fb_keystore_write(struct fb_buf *out, const struct fb_key *key, struct fb_str passphrase, bool light,
				 struct fb_rng rng)
{
	size_t start = out->len;
	struct fb_address address = fb_key_address(key);
	struct fb_sealed sealed;
	struct fb_jw w;
	enum fb_status st;

	if (passphrase.len == 0 || passphrase.len > FB_PASSPHRASE_MAX)
		return FB_BAD_VALUE;
	st = seal(&sealed, key, passphrase, light, rng);
	if (st != FB_OK)
		return st;
	fb_jw_init(&w, out);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "version", VERSION);
	put_id(&w, rng);
	put_hex(&w, "address", address.bytes, sizeof(address.bytes));
	put_crypto(&w, &sealed);
	fb_jw_end(&w);
	if (!out->overflowed)
		return FB_OK;
	out->len = start;
	return FB_TOO_LARGE;
}
