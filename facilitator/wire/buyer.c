/* What a buyer writes and gets back: the payment for a quote, and the receipt. */
#include "wire_int.h"

static void write_payload(struct fb_jw *w, const struct fb_authorization *a, const uint8_t signature[FB_SIGNATURE_LEN])
{
	fb_jw_key(w, "payload");
	fb_jw_object(w);
	fb_jw_key(w, "authorization");
	fb_jw_object(w);
	fb_wire_kv_address(w, "from", &a->from);
	fb_wire_kv_address(w, "to", &a->to);
	fb_wire_kv_u256(w, "value", a->value);
	fb_wire_kv_u256(w, "validAfter", a->valid_after);
	fb_wire_kv_u256(w, "validBefore", a->valid_before);
	fb_wire_kv_hex(w, "nonce", a->nonce.bytes, sizeof(a->nonce.bytes));
	fb_jw_end(w);
	fb_wire_kv_hex(w, "signature", signature, FB_SIGNATURE_LEN);
	fb_jw_end(w);
}

/* Servers compare by deep equality: what they said goes back byte for byte. */
static void write_echo(struct fb_jw *w, const struct fb_quotes *all, const struct fb_quote *q)
{
	if (all->resource.len > 0)
		fb_jw_kv_raw(w, "resource", all->resource);
	fb_jw_kv_raw(w, "accepted", q->requirement.raw);
	if (all->extensions.len > 0)
		fb_jw_kv_raw(w, "extensions", all->extensions);
}

void fb_wire_write_payment(struct fb_buf *out, const struct fb_quotes *all, const struct fb_quote *q,
			   const struct fb_authorization *a, const uint8_t signature[FB_SIGNATURE_LEN])
{
	struct fb_jw w;

	FB_ASSERT(q->version == 1 || q->version == 2);
	fb_jw_init(&w, out);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "x402Version", q->version);
	if (q->version == 1) {
		fb_jw_kv_str(&w, "scheme", q->requirement.scheme);
		fb_jw_kv_str(&w, "network", q->requirement.network);
	}
	write_payload(&w, a, signature);
	if (q->version == 2)
		write_echo(&w, all, q);
	fb_jw_end(&w);
}

/* A header holds base64, a facilitator's body an object: neither can be taken for the other. */
static enum fb_status receipt_text(struct fb_str *out, struct fb_str header, struct fb_arena *arena, struct fb_error *e)
{
	if (header.len > 0 && header.at[0] == '{') {
		*out = header;
		return FB_OK;
	}
	return fb_wire_decode(out, header, arena, "receipt", e);
}

static enum fb_status read_receipt(struct fb_receipt *out, struct fb_json_value root, struct fb_arena *arena,
				   struct fb_error *e)
{
	struct fb_wire_reader r = { .arena = arena, .e = e, .prefix = "receipt." };
	struct fb_wire_node n = { root, "" };
	enum fb_status st = fb_json_bool(&out->success, fb_json_get(root, "success"));

	if (st != FB_OK)
		fb_wire_fault(&r, n, "success", st, "true or false");
	fb_wire_may_text(&r, &out->transaction, n, "transaction");
	fb_wire_may_text(&r, &out->network, n, "network");
	fb_wire_may_text(&r, &out->payer, n, "payer");
	fb_wire_may_text(&r, &out->reason_text, n, "errorReason");
	fb_wire_may_text(&r, &out->message, n, "errorMessage");
	out->has_tx = fb_hash_parse(&out->tx, out->transaction) == FB_OK;
	return r.status;
}

enum fb_status fb_wire_read_receipt(struct fb_receipt *out, struct fb_str header, struct fb_json_token *tokens,
				    struct fb_arena *arena, struct fb_error *e)
{
	struct fb_receipt receipt = { 0 };
	struct fb_json doc;
	struct fb_str text;
	enum fb_status st = receipt_text(&text, header, arena, e);

	if (st == FB_OK)
		st = fb_wire_open(&doc, text, tokens, "receipt", e);
	if (st == FB_OK)
		st = read_receipt(&receipt, fb_json_root(&doc), arena, e);
	if (st == FB_OK)
		*out = receipt;
	return st;
}
