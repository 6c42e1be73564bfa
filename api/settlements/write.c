/* A settlement as JSON. */
#include "settlements_int.h"

#include "farebox/codec.h"
#include "farebox/json.h"
#include "farebox/wire.h"

enum { NUMBER_MAX = 96, US_PER_MS = 1000 };

/* "queued", or the state's name in lower case. */
static void write_state(struct fb_jw *w, enum fb_settle_state state)
{
	static const char *const names[] = {
		[0] = "QUEUED",
#define X(name, num, ...) [num] = #name,
		FB_SETTLE_STATES(X)
#undef X
	};
	char text[32];
	size_t len = 0;

	FB_ASSERT((size_t)state < FB_COUNT(names));
	for (const char *p = names[state]; *p != '\0' && len < sizeof(text); p++)
		text[len++] = (char)(*p - 'A' + 'a');
	fb_jw_kv_str(w, "state", (struct fb_str){ text, len });
}

static const char *rung_name(enum fb_settlements_rung r)
{
	static const char *const names[] = { NULL, "sent", "included", "confirmed", "safe", "final" };

	FB_ASSERT((size_t)r < FB_COUNT(names));
	return names[r];
}

static void kv_text_or_null(struct fb_jw *w, const char *key, const char *text)
{
	fb_jw_key(w, key);
	if (text == NULL)
		fb_jw_null(w);
	else
		fb_jw_text(w, text);
}

static void kv_hex(struct fb_jw *w, const char *key, const void *bytes, size_t len)
{
	char block[NUMBER_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, bytes, len);
	FB_ASSERT(!b.overflowed);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void kv_hash_or_null(struct fb_jw *w, const char *key, const struct fb_hash *h)
{
	const struct fb_hash zero = { { 0 } };

	if (fb_hash_eq(h, &zero))
		kv_text_or_null(w, key, NULL);
	else
		kv_hex(w, key, h->bytes, sizeof(h->bytes));
}

static void write_identity(struct fb_jw *w, const struct fb_settlements *s, const struct fb_settle_key *key)
{
	struct fb_address asset = fb_settle_key_asset(key), payer = fb_settle_key_payer(key);
	struct fb_hash nonce = fb_settle_key_nonce(key);
	char block[FB_SETTLE_ID_MAX];
	struct fb_buf id;

	fb_buf_init(&id, block, sizeof(block));
	fb_buf_settle_id(&id, key);
	FB_ASSERT(!id.overflowed);
	fb_jw_kv_str(w, "id", fb_buf_view(&id));
	fb_jw_kv_text(w, "network", s->network->caip2);
	kv_hex(w, "asset", asset.bytes, sizeof(asset.bytes));
	kv_hex(w, "payer", payer.bytes, sizeof(payer.bytes));
	kv_hex(w, "nonce", nonce.bytes, sizeof(nonce.bytes));
}

static void write_content(struct fb_jw *w, const struct fb_settle_status *r)
{
	char block[NUMBER_MAX];
	struct fb_buf b;

	kv_hex(w, "payTo", r->to.bytes, sizeof(r->to.bytes));
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u256(&b, r->value);
	FB_ASSERT(!b.overflowed);
	fb_jw_kv_str(w, "amount", fb_buf_view(&b));
	kv_hash_or_null(w, "transaction", &r->tx);
	fb_jw_key(w, "blockNumber");
	if (r->block == 0)
		fb_jw_null(w);
	else
		fb_jw_u64(w, r->block);
	kv_hash_or_null(w, "blockHash", &r->block_hash);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u128(&b, r->gas_wei);
	fb_jw_key(w, "gasWei");
	if (r->gas_wei == 0)
		fb_jw_null(w);
	else
		fb_jw_str(w, fb_buf_view(&b));
	kv_text_or_null(w, "reason", r->reason == FB_REASON_NONE ? NULL : fb_reason_text(r->reason));
	fb_jw_kv_bool(w, "granted", r->granted);
	fb_jw_kv_u64(w, "createdAt", (uint64_t)(r->created_us / US_PER_MS));
	fb_jw_kv_u64(w, "updatedAt", (uint64_t)(r->updated_us / US_PER_MS));
}

void fb_settlements_write(struct fb_buf *out, const struct fb_settlements *s, const struct fb_settlements_view *v)
{
	uint8_t revision[8];
	char block[2 + 2 * sizeof(revision)];
	struct fb_buf b;
	struct fb_jw w;

	fb_put_be64(revision, v->revision);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, revision, sizeof(revision));
	fb_jw_init(&w, out);
	fb_jw_object(&w);
	write_identity(&w, s, &v->key);
	write_state(&w, v->record.state);
	kv_text_or_null(&w, "rung", rung_name(v->rung));
	if ((int)v->record.state != 0)
		write_content(&w, &v->record);
	fb_jw_kv_str(&w, "revision", (struct fb_str){ block + 2, b.len - 2 });
	fb_jw_end(&w);
}
