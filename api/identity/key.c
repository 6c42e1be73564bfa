/* API keys as texts, and finding the one that a text is. */
#include "identity_int.h"

#include "farebox/crypto.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

/* ---- making -------------------------------------------------------------------------------------------------- */
void fb_key_text_make(struct key_text *out, struct fb_rng rng)
{
	uint8_t number[8];

	rng.fill(rng.ctx, number, sizeof(number));
	rng.fill(rng.ctx, out->secret, sizeof(out->secret));
	out->number = fb_get_be64(number);
}

static void put_hex(struct fb_buf *b, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		fb_buf_char(b, digits[bytes[i] >> 4]);
		fb_buf_char(b, digits[bytes[i] & 15]);
	}
}

void fb_key_text_id(struct fb_buf *b, uint64_t number)
{
	uint8_t bytes[8];

	fb_put_be64(bytes, number);
	fb_buf_text(b, "fbk_");
	put_hex(b, bytes, sizeof(bytes));
}

void fb_key_text_token(struct fb_buf *b, const struct key_text *k)
{
	fb_key_text_id(b, k->number);
	fb_buf_char(b, '_');
	put_hex(b, k->secret, sizeof(k->secret));
}

void fb_key_text_secret(struct fb_buf *b, const struct key_text *k)
{
	fb_buf_text(b, "sec_");
	put_hex(b, k->secret, sizeof(k->secret));
}

/* ---- reading ------------------------------------------------------------------------------------------------- */
static bool take_hex(uint8_t *out, struct fb_str text, size_t len)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		const char *at = text.at[i] == '\0' ? NULL : strchr(digits, text.at[i]);

		if (at == NULL)
			return false;
		out[i / 2] = (uint8_t)(out[i / 2] << 4 | (at - digits));
	}
	return true;
}

static struct fb_str behind(struct fb_str s, size_t len)
{
	return (struct fb_str){ s.at + len, s.len - len };
}

bool fb_key_text_parse_pair(struct key_text *out, struct fb_str id, struct fb_str secret)
{
	uint8_t number[8] = { 0 };

	if (id.len != KEY_ID_LEN || !fb_str_starts(id, FB_STR("fbk_")) || !take_hex(number, behind(id, 4), sizeof(number)))
		return false;
	if (fb_str_starts(secret, FB_STR("sec_")))
		secret = behind(secret, 4);
	memset(out->secret, 0, sizeof(out->secret));
	if (!take_hex(out->secret, secret, sizeof(out->secret)))
		return false;
	out->number = fb_get_be64(number);
	return true;
}

bool fb_key_text_parse(struct key_text *out, struct fb_str text)
{
	if (text.len <= KEY_ID_LEN || (text.at[KEY_ID_LEN] != '_' && text.at[KEY_ID_LEN] != ':'))
		return false;
	return fb_key_text_parse_pair(out, (struct fb_str){ text.at, KEY_ID_LEN }, behind(text, KEY_ID_LEN + 1));
}

enum fb_status fb_key_text_of(struct key_text *out, const struct fb_request *r)
{
	struct fb_str authorization = fb_request_header(r, "Authorization"), bearer = FB_STR("Bearer "), key;

	if (authorization.len == 0)
		key = fb_request_header(r, "x-api-key");
	else if (authorization.len > bearer.len &&
		 fb_str_eq_nocase((struct fb_str){ authorization.at, bearer.len }, bearer))
		key = fb_str_trim(behind(authorization, bearer.len));
	else
		return FB_UNAUTHORIZED;
	if (key.len == 0)
		return FB_MISSING;
	return fb_key_text_parse(out, key) ? FB_OK : FB_UNAUTHORIZED;
}

struct fb_hash fb_secret_hash(const uint8_t secret[SECRET_LEN])
{
	return fb_sha256(secret, SECRET_LEN);
}

void fb_claim_token(uint8_t out[SECRET_LEN], const struct key_text *k)
{
	static const char what[] = "farebox: the claim of the agent of this key";
	uint8_t text[sizeof(what) + SECRET_LEN];
	struct fb_hash h;

	memcpy(text, what, sizeof(what));
	memcpy(text + sizeof(what), k->secret, SECRET_LEN);
	h = fb_sha256(text, sizeof(text));
	memcpy(out, h.bytes, SECRET_LEN);
}

/* ---- finding ------------------------------------------------------------------------------------------------- */
static bool is_good(const struct fb_identity *i, const struct api_key *k)
{
	return k->durable && k->of->durable && k->is.revoked_us == 0 &&
	       (k->is.expires_us == 0 || fb_identity_now(i) < k->is.expires_us) && k->of->is.standing == STANDING_ACTIVE;
}

struct api_key *fb_identity_key(const struct fb_identity *i, const struct key_text *text)
{
	struct fb_hash hash = fb_secret_hash(text->secret);
	uint8_t number[8];
	struct api_key *k;

	fb_put_be64(number, text->number);
	k = fb_map_find(&i->by_number, number, sizeof(number));
	if (k == NULL || !fb_bytes_eq_secret(hash.bytes, k->is.secret.bytes, sizeof(hash.bytes)))
		return NULL;
	return is_good(i, k) ? k : NULL;
}

uint32_t fb_role_scopes(enum fb_role r)
{
	uint32_t buyer = FB_SCOPE_READ | FB_SCOPE_SPEND | FB_SCOPE_WITHDRAW | FB_SCOPE_MANAGE;

	switch (r) {
	case FB_ROLE_BUYER:
		return buyer;
	case FB_ROLE_PROVIDER:
		return buyer | FB_SCOPE_PUBLISH;
	case FB_ROLE_ADMIN:
		return buyer | FB_SCOPE_PUBLISH | FB_SCOPE_ADMIN;
	}
	FB_UNREACHABLE("a role");
}
