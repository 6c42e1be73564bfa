/* What a facilitator answers: the verdict, the settlement, the kinds it supports. */
#include "wire_int.h"

/* The members that say no; a success has neither. */
static void write_refusal(struct fb_jw *w, enum fb_reason reason, const char *message, const char *reason_key,
			  const char *message_key)
{
	if (reason == FB_REASON_NONE)
		return;
	fb_jw_kv_text(w, reason_key, fb_reason_text(reason));
	if (message != NULL)
		fb_jw_kv_text(w, message_key, message);
}

static void write_payer(struct fb_jw *w, struct fb_str payer)
{
	if (payer.len > 0)
		fb_jw_kv_str(w, "payer", payer);
}

void fb_wire_write_verdict(struct fb_buf *out, const struct fb_verdict *v)
{
	struct fb_jw w;

	fb_jw_init(&w, out);
	fb_jw_object(&w);
	fb_jw_kv_bool(&w, "isValid", v->reason == FB_REASON_NONE);
	write_refusal(&w, v->reason, v->message, "invalidReason", "invalidMessage");
	write_payer(&w, v->payer);
	fb_jw_end(&w);
}

void fb_wire_write_settlement(struct fb_buf *out, const struct fb_settlement_answer *a)
{
	struct fb_jw w;

	/* Neither success nor "wait for it" means anything without the transaction. */
	FB_ASSERT(a->has_tx || (a->reason != FB_REASON_NONE && a->reason != FB_REASON_PENDING));
	fb_jw_init(&w, out);
	fb_jw_object(&w);
	fb_jw_kv_bool(&w, "success", a->reason == FB_REASON_NONE);
	write_refusal(&w, a->reason, a->message, "errorReason", "errorMessage");
	if (a->has_tx)
		fb_wire_kv_hex(&w, "transaction", a->tx.bytes, sizeof(a->tx.bytes));
	else
		fb_jw_kv_text(&w, "transaction", "");
	fb_jw_kv_str(&w, "network", a->network);
	write_payer(&w, a->payer);
	if (a->settlement_id.len > 0) {
		fb_jw_key(&w, "extra");
		fb_jw_object(&w);
		fb_jw_kv_str(&w, "settlementId", a->settlement_id);
		fb_jw_end(&w);
	}
	fb_jw_end(&w);
}

static void write_kind(struct fb_jw *w, uint64_t version, struct fb_str network)
{
	if (network.len == 0)
		return;
	fb_jw_object(w);
	fb_jw_kv_u64(w, "x402Version", version);
	fb_jw_kv_text(w, "scheme", "exact");
	fb_jw_kv_str(w, "network", network);
	fb_jw_end(w);
}

void fb_wire_write_supported(struct fb_buf *out, const struct fb_wire_kind *kinds, size_t count,
			     const struct fb_address *signers, size_t signer_count, bool payment_identifier)
{
	struct fb_jw w;

	fb_jw_init(&w, out);
	fb_jw_object(&w);
	fb_jw_key(&w, "kinds");
	fb_jw_array(&w);
	for (size_t i = 0; i < count; i++) {
		write_kind(&w, 2, kinds[i].caip2);
		write_kind(&w, 1, kinds[i].v1_name);
	}
	fb_jw_end(&w);
	fb_jw_key(&w, "extensions");
	fb_jw_array(&w);
	if (payment_identifier)
		fb_jw_text(&w, "payment-identifier");
	fb_jw_end(&w);
	fb_jw_key(&w, "signers");
	fb_jw_object(&w);
	fb_jw_key(&w, "eip155:*");
	fb_jw_array(&w);
	for (size_t i = 0; i < signer_count; i++)
		fb_wire_address(&w, &signers[i]);
	fb_jw_end(&w);
	fb_jw_end(&w);
	fb_jw_end(&w);
}
