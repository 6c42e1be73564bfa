/* Rows of principals and keys: bytes, and back. DATA.md has the offsets. */
#include "identity_int.h"

#include <string.h>

enum { VERSION = 1, WALLET = 1, CLAIM = 2, HOLDER = 4, VERIFIED = 8, FLAGS = 15 };

/* ---- principals ---------------------------------------------------------------------------------------------- */
void fb_principal_key(uint8_t out[PRINCIPAL_KEY_LEN], const struct fb_uuid *id)
{
	out[0] = 'P';
	memcpy(out + 1, id->bytes, sizeof(id->bytes));
}

static uint8_t *put_text(uint8_t *p, struct fb_str s)
{
	fb_put_be16(p, (uint16_t)s.len);
	memcpy(p + 2, s.at, s.len);
	return p + 2 + s.len;
}

size_t fb_principal_write(uint8_t *row, const struct facts *f)
{
	const struct fb_str texts[] = { f->owner_id, f->name, f->description,
				       f->shown_wallet, f->capabilities, f->metadata };
	uint8_t *p = row + PRINCIPAL_HEAD_LEN;

	_Static_assert(FB_COUNT(texts) == PRINCIPAL_TEXTS, "as many as are read");
	memset(row, 0, PRINCIPAL_HEAD_LEN);
	row[0] = VERSION;
	row[1] = (uint8_t)f->kind;
	row[2] = (uint8_t)f->standing;
	row[3] = (uint8_t)f->type;
	row[4] = (uint8_t)((f->has_wallet ? WALLET : 0) | (f->has_claim ? CLAIM : 0) | (f->has_holder ? HOLDER : 0) |
			   (f->verified ? VERIFIED : 0));
	fb_put_be64(row + 5, (uint64_t)f->created_us);
	fb_put_be64(row + 13, (uint64_t)f->updated_us);
	if (f->has_wallet) {
		memcpy(row + 21, f->wallet.bytes, 20);
		fb_put_be64(row + 41, (uint64_t)f->wallet_us);
		fb_put_be64(row + 49, (uint64_t)f->changed_us);
	}
	if (f->has_claim) {
		memcpy(row + 57, f->claim.bytes, 32);
		fb_put_be64(row + 89, (uint64_t)f->claim_until_us);
	}
	if (f->has_holder)
		memcpy(row + 97, f->holder.bytes, 16);
	for (size_t i = 0; i < FB_COUNT(texts); i++)
		p = put_text(p, texts[i]);
	FB_ASSERT(p - row <= PRINCIPAL_ROW_MAX);
	return (size_t)(p - row);
}

static bool take_text(struct fb_str *out, struct fb_str *rest, size_t max)
{
	size_t len;

	if (rest->len < 2)
		return false;
	len = fb_get_be16((const uint8_t *)rest->at);
	if (len > max || len > rest->len - 2)
		return false;
	*out = (struct fb_str){ rest->at + 2, len };
	*rest = (struct fb_str){ rest->at + 2 + len, rest->len - 2 - len };
	return true;
}

static bool take_texts(struct facts *f, struct fb_str rest)
{
	return take_text(&f->owner_id, &rest, FB_OWNER_ID_MAX) && take_text(&f->name, &rest, FB_NAME_MAX) &&
	       take_text(&f->description, &rest, FB_DESCRIPTION_MAX) &&
	       take_text(&f->shown_wallet, &rest, SHOWN_WALLET_MAX) &&
	       take_text(&f->capabilities, &rest, CAPABILITIES_TEXT_MAX) &&
	       take_text(&f->metadata, &rest, FB_METADATA_MAX) && rest.len == 0 && f->owner_id.len > 0;
}

static int64_t get_time(const uint8_t *p)
{
	return (int64_t)fb_get_be64(p);
}

static bool is_set(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return true;
	return false;
}

/* A part that its flag denies is all zero. */
static bool heads_fit(const uint8_t *p, const struct facts *f)
{
	return p[0] == VERSION && p[1] >= FB_PRINCIPAL_AGENT && p[1] <= FB_PRINCIPAL_PROFILE && p[2] >= STANDING_ACTIVE &&
	       p[2] <= STANDING_DEACTIVATED && p[3] >= TYPE_API_KEY_ONLY && p[3] <= TYPE_DID_VC && (p[4] & ~FLAGS) == 0 &&
	       (f->has_wallet || !is_set(p + 21, 36)) && (f->has_claim || !is_set(p + 57, 40)) &&
	       (f->has_holder || !is_set(p + 97, 16));
}

enum fb_status fb_principal_read(struct facts *out, struct fb_str key, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct facts f = { .created_us = 0 };

	if (key.len != PRINCIPAL_KEY_LEN || key.at[0] != 'P' || value.len < PRINCIPAL_HEAD_LEN)
		return FB_STORAGE;
	f.has_wallet = (p[4] & WALLET) != 0;
	f.has_claim = (p[4] & CLAIM) != 0;
	f.has_holder = (p[4] & HOLDER) != 0;
	f.verified = (p[4] & VERIFIED) != 0;
	if (!heads_fit(p, &f) ||
	    !take_texts(&f, (struct fb_str){ value.at + PRINCIPAL_HEAD_LEN, value.len - PRINCIPAL_HEAD_LEN }))
		return FB_STORAGE;
	memcpy(f.id.bytes, key.at + 1, sizeof(f.id.bytes));
	f.kind = (enum fb_principal_kind)p[1];
	f.standing = (enum standing)p[2];
	f.type = (enum identity_type)p[3];
	f.created_us = get_time(p + 5);
	f.updated_us = get_time(p + 13);
	memcpy(f.wallet.bytes, p + 21, 20);
	f.wallet_us = get_time(p + 41);
	f.changed_us = get_time(p + 49);
	memcpy(f.claim.bytes, p + 57, 32);
	f.claim_until_us = get_time(p + 89);
	memcpy(f.holder.bytes, p + 97, 16);
	*out = f;
	return FB_OK;
}

/* ---- keys ---------------------------------------------------------------------------------------------------- */
void fb_key_row_key(uint8_t out[KEY_KEY_LEN], uint64_t number)
{
	out[0] = 'K';
	fb_put_be64(out + 1, number);
}

void fb_key_row_write(uint8_t out[KEY_ROW_LEN], const struct key_facts *k)
{
	out[0] = VERSION;
	out[1] = (uint8_t)k->role;
	memcpy(out + 2, k->principal.bytes, 16);
	memcpy(out + 18, k->secret.bytes, 32);
	fb_put_be32(out + 50, k->scopes);
	fb_put_be32(out + 54, k->rate_per_min);
	fb_put_be64(out + 58, (uint64_t)k->created_us);
	fb_put_be64(out + 66, (uint64_t)k->expires_us);
	fb_put_be64(out + 74, (uint64_t)k->revoked_us);
}

enum fb_status fb_key_row_read(struct key_facts *out, struct fb_str key, struct fb_str value)
{
	const uint8_t *p = (const uint8_t *)value.at;
	struct key_facts k;

	if (key.len != KEY_KEY_LEN || key.at[0] != 'K' || value.len != KEY_ROW_LEN || p[0] != VERSION ||
	    p[1] < FB_ROLE_BUYER || p[1] > FB_ROLE_ADMIN)
		return FB_STORAGE;
	k.number = fb_get_be64((const uint8_t *)key.at + 1);
	k.role = (enum fb_role)p[1];
	memcpy(k.principal.bytes, p + 2, 16);
	memcpy(k.secret.bytes, p + 18, 32);
	k.scopes = fb_get_be32(p + 50);
	k.rate_per_min = fb_get_be32(p + 54);
	k.created_us = get_time(p + 58);
	k.expires_us = get_time(p + 66);
	k.revoked_us = get_time(p + 74);
	if ((k.scopes & ~fb_role_scopes(FB_ROLE_ADMIN)) != 0)
		return FB_STORAGE;
	*out = k;
	return FB_OK;
}
