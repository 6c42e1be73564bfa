/* One record as 192 bytes and back: where its fields lie, and which fields each kind has. */
#include "farebox/journal.h"

#include <string.h>

/* ---- the layout ---------------------------------------------------------------------------------------------- */
enum {
	AT_SEQ = 0,
	AT_KIND = 8,
	AT_FLAGS = 9,
	AT_CODE = 10,
	AT_ASSET = 12,
	AT_DEBIT = 16,
	AT_CREDIT = 24,
	AT_ID = 32,
	AT_REF = 48,
	AT_AMOUNT = 64,
	AT_HELD = 80,
	AT_EXPIRES = 96,
	AT_CONTENT = 104,
	AT_USER = 112,
	AT_EXTERNAL = 128,
	AT_OWNER = 160,
	AT_PURPOSE = 180,
	AT_SPARE_1 = 181,
	AT_REFUSED = 182,
	AT_SPARE_2 = 184,
};
_Static_assert(AT_SPARE_2 + 8 == FB_RECORD_LEN, "stored format");
_Static_assert(sizeof(struct fb_owner) == AT_PURPOSE - AT_OWNER, "stored format");

enum { FLAG_LINKED = 1, FLAG_BELOW_ZERO = 2, FLAGS_ALL = 3 };

/* base/core writes a field byte by byte; these are one instruction each, on the way of every payment. */
static inline void put_16(uint8_t *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_64(uint8_t *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_128(uint8_t *p, fb_u128 v)
{
	put_64(p, (uint64_t)(v >> 64));
	put_64(p + 8, (uint64_t)v);
}

static inline uint16_t get_16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t get_32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t get_64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline fb_u128 get_128(const uint8_t *p)
{
	return FB_U128(get_64(p), get_64(p + 8));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian fields are swapped here");

/* ---- which fields a kind has --------------------------------------------------------------------------------- */
enum {
	ASSET = 1 << 0,
	DEBIT = 1 << 1,
	CREDIT = 1 << 2,
	ID = 1 << 3,
	REF = 1 << 4,
	AMOUNT = 1 << 5,
	HELD = 1 << 6,
	EXPIRES = 1 << 7,
	CONTENT = 1 << 8,
	NOTE = 1 << 9, /* code, user, external */
	OWNER = 1 << 10,
	PURPOSE = 1 << 11,
	BELOW_ZERO = 1 << 12,
	REFUSED = 1 << 13,
};
static const struct {
	unsigned must, may; /* must not be zero; may be anything */
} fields[FB_RECORD_KIND_END] = {
	[FB_RECORD_ACCOUNT] = { DEBIT | PURPOSE, ASSET | OWNER | BELOW_ZERO },
	[FB_RECORD_POST] = { ID | DEBIT | CREDIT | AMOUNT, ASSET | CONTENT | NOTE },
	[FB_RECORD_HOLD] = { ID | DEBIT | AMOUNT, ASSET | CONTENT | NOTE | EXPIRES },
	[FB_RECORD_CAPTURE] = { ID | REF | DEBIT | CREDIT | AMOUNT | HELD, ASSET | CONTENT | NOTE },
	[FB_RECORD_LEG] = { ID | REF | DEBIT | CREDIT | AMOUNT, ASSET | CONTENT | NOTE },
	[FB_RECORD_RELEASE] = { ID | REF | DEBIT | AMOUNT, ASSET | CONTENT | NOTE },
	[FB_RECORD_EXPIRE] = { REF | DEBIT | AMOUNT, ASSET },
	[FB_RECORD_REVERSE] = { ID | REF | DEBIT | CREDIT | AMOUNT, ASSET | CONTENT | NOTE },
	[FB_RECORD_REFUSE] = { ID | REFUSED, REF | CONTENT | NOTE },
};

static bool is_zero(const uint8_t *bytes, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

static unsigned fields_of(const struct fb_record *r)
{
	bool note = r->code != 0 || r->user != 0 || !is_zero(r->external.bytes, sizeof(r->external.bytes));

	return (r->asset != 0 ? ASSET : 0u) | (r->debit != 0 ? DEBIT : 0u) | (r->credit != 0 ? CREDIT : 0u) |
	       (r->id != 0 ? ID : 0u) | (r->ref != 0 ? REF : 0u) | (r->amount.atoms != 0 ? AMOUNT : 0u) |
	       (r->held.atoms != 0 ? HELD : 0u) | (r->expires_us != 0 ? EXPIRES : 0u) | (r->content != 0 ? CONTENT : 0u) |
	       (note ? NOTE : 0u) | (is_zero(r->owner.bytes, FB_OWNER_LEN) ? 0u : OWNER) |
	       (r->purpose != 0 ? PURPOSE : 0u) | (r->may_go_below_zero ? BELOW_ZERO : 0u) |
	       (r->refused != FB_OK ? REFUSED : 0u);
}

static bool is_status(unsigned number)
{
	switch ((enum fb_status)number) {
#define X(name, num, http, retry, api) case FB_##name:
		FB_STATUS_TABLE(X)
#undef X
		return true;
	}
	return false;
}

static bool well_formed(const struct fb_record *r)
{
	unsigned kind = r->kind, has = fields_of(r);

	return kind > 0 && kind < FB_RECORD_KIND_END && (has & fields[kind].must) == fields[kind].must &&
	       (has & ~(fields[kind].must | fields[kind].may)) == 0 && r->seq != 0 &&
	       r->amount.atoms <= FB_AMOUNT_MAX && r->held.atoms <= FB_AMOUNT_MAX && r->expires_us >= 0 &&
	       r->purpose < FB_PURPOSE_END && is_status(r->refused);
}

void fb_record_encode(uint8_t out[FB_RECORD_LEN], const struct fb_record *r)
{
	FB_ASSERT(well_formed(r));
	put_64(out + AT_SEQ, r->seq);
	out[AT_KIND] = (uint8_t)r->kind;
	out[AT_FLAGS] = (uint8_t)((r->linked ? FLAG_LINKED : 0) | (r->may_go_below_zero ? FLAG_BELOW_ZERO : 0));
	put_16(out + AT_CODE, r->code);
	put_32(out + AT_ASSET, r->asset);
	put_64(out + AT_DEBIT, r->debit);
	put_64(out + AT_CREDIT, r->credit);
	put_128(out + AT_ID, r->id);
	put_128(out + AT_REF, r->ref);
	put_128(out + AT_AMOUNT, r->amount.atoms);
	put_128(out + AT_HELD, r->held.atoms);
	put_64(out + AT_EXPIRES, (uint64_t)r->expires_us);
	put_64(out + AT_CONTENT, r->content);
	put_128(out + AT_USER, r->user);
	memcpy(out + AT_EXTERNAL, r->external.bytes, sizeof(r->external.bytes));
	memcpy(out + AT_OWNER, r->owner.bytes, FB_OWNER_LEN);
	out[AT_PURPOSE] = (uint8_t)r->purpose;
	out[AT_SPARE_1] = 0;
	put_16(out + AT_REFUSED, (uint16_t)r->refused);
	memset(out + AT_SPARE_2, 0, FB_RECORD_LEN - AT_SPARE_2);
}

enum fb_status fb_record_decode(struct fb_record *out, const uint8_t bytes[FB_RECORD_LEN])
{
	struct fb_record r = {
		.seq = get_64(bytes + AT_SEQ),
		.kind = bytes[AT_KIND],
		.linked = bytes[AT_FLAGS] & FLAG_LINKED,
		.may_go_below_zero = (bytes[AT_FLAGS] & FLAG_BELOW_ZERO) != 0,
		.code = get_16(bytes + AT_CODE),
		.asset = get_32(bytes + AT_ASSET),
		.debit = get_64(bytes + AT_DEBIT),
		.credit = get_64(bytes + AT_CREDIT),
		.id = get_128(bytes + AT_ID),
		.ref = get_128(bytes + AT_REF),
		.amount.atoms = get_128(bytes + AT_AMOUNT),
		.held.atoms = get_128(bytes + AT_HELD),
		.expires_us = (int64_t)get_64(bytes + AT_EXPIRES),
		.content = get_64(bytes + AT_CONTENT),
		.user = get_128(bytes + AT_USER),
		.purpose = bytes[AT_PURPOSE],
		.refused = get_16(bytes + AT_REFUSED),
	};

	memcpy(r.external.bytes, bytes + AT_EXTERNAL, sizeof(r.external.bytes));
	memcpy(r.owner.bytes, bytes + AT_OWNER, FB_OWNER_LEN);
	if (bytes[AT_FLAGS] > FLAGS_ALL || bytes[AT_SPARE_1] != 0 ||
	    !is_zero(bytes + AT_SPARE_2, FB_RECORD_LEN - AT_SPARE_2) || !well_formed(&r))
		return FB_STORAGE;
	*out = r;
	return FB_OK;
}

const char *fb_purpose_text(enum fb_purpose p)
{
	switch (p) {
#define X(name, num, below, text) \
	case FB_PURPOSE_##name:   \
		return text;
		FB_PURPOSES(X)
#undef X
	case FB_PURPOSE_END:
		break;
	}
	FB_UNREACHABLE("a purpose");
}

const char *fb_record_kind_text(enum fb_record_kind k)
{
	switch (k) {
#define X(name, num, text)      \
	case FB_RECORD_##name:  \
		return text;
		FB_RECORD_KINDS(X)
#undef X
	case FB_RECORD_KIND_END:
		break;
	}
	FB_UNREACHABLE("a kind of record");
}
