/* PaymentPayload of either version: a signed EIP-3009 authorization and what it claims to pay. */
#include "wire_int.h"

static void read_authorization(struct fb_wire_reader *r, struct fb_payment *out, struct fb_wire_node n)
{
	struct fb_authorization *a = &out->authorization;

	fb_wire_need_address(r, &a->from, &out->payer_text, n, "from");
	fb_wire_need_address(r, &a->to, NULL, n, "to");
	fb_wire_need_u256(r, &a->value, n, "value");
	fb_wire_need_u256(r, &a->valid_after, n, "validAfter");
	fb_wire_need_u256(r, &a->valid_before, n, "validBefore");
	fb_wire_need_hash(r, &a->nonce, n, "nonce");
}

static void read_signature(struct fb_wire_reader *r, struct fb_payment *out, struct fb_wire_node payload)
{
	static const char want[] = "0x and hex digits, 1 to 8192 bytes";
	struct fb_str text = { "", 0 };
	size_t cap, len = 0;
	uint8_t *bytes;

	_Static_assert(FB_WIRE_SIGNATURE_MAX == 8192, "said above");
	fb_wire_need_text(r, &text, payload, "signature");
	if (text.len == 0)
		return;
	cap = text.len / 2 < FB_WIRE_SIGNATURE_MAX ? text.len / 2 : FB_WIRE_SIGNATURE_MAX;
	bytes = fb_arena_alloc(r->arena, cap, 1);
	if (bytes == NULL)
		fb_wire_fault(r, payload, "signature", FB_NO_MEMORY, "a shorter one");
	else if (fb_hex_decode(bytes, &len, cap, text) != FB_OK || len == 0)
		fb_wire_fault(r, payload, "signature", FB_BAD_VALUE, want);
	else
		out->signature = (struct fb_str){ (const char *)bytes, len };
}

static void read_accepted(struct fb_wire_reader *r, struct fb_payment *out, struct fb_wire_node n)
{
	struct fb_wire_node accepted = fb_wire_need_object(r, n, "accepted", "accepted"), resource;

	fb_wire_read_requirement(r, &out->accepted, accepted, 2);
	out->has_accepted = fb_json_present(accepted.object);
	out->scheme = out->accepted.scheme;
	out->network = out->accepted.network;
	resource = fb_wire_may_object(r, n, "resource", "resource");
	fb_wire_may_text(r, &out->resource_url, resource, "url");
}

static bool is_identifier(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return s.len >= FB_WIRE_IDENTIFIER_MIN && s.len <= FB_WIRE_IDENTIFIER_MAX;
}

/* What is wrong in it is no fault of the payment: who does not look at ids must not mind. */
static void read_identifier(struct fb_payment *out, struct fb_json_value payment, struct fb_arena *arena)
{
	struct fb_json_value extension = fb_json_get(fb_json_get(payment, "extensions"), "payment-identifier");
	struct fb_json_value info = fb_json_get(extension, "info");
	struct fb_json_value required = fb_json_get(info, "required"), id = fb_json_get(info, "id");
	struct fb_str text = { "", 0 };

	if (fb_json_absent_or_null(extension))
		return;
	out->identifier_malformed =
		!fb_json_is(info, FB_JSON_OBJECT) ||
		(!fb_json_absent_or_null(required) && fb_json_bool(&out->identifier_required, required) != FB_OK) ||
		(!fb_json_absent_or_null(id) && (fb_json_string(&text, id, arena) != FB_OK || !is_identifier(text)));
	if (!out->identifier_malformed)
		out->identifier = text;
}

/* Another kind of authorization beside ours makes the payload the other kind, as stock clients decide it. */
static bool is_eip3009(struct fb_wire_node payload)
{
	return !fb_json_absent_or_null(fb_json_get(payload.object, "authorization")) &&
	       fb_json_absent_or_null(fb_json_get(payload.object, "permit2Authorization"));
}

enum fb_reason fb_wire_read_payment(struct fb_wire_reader *r, struct fb_payment *out, struct fb_wire_node n,
				    uint8_t version)
{
	struct fb_wire_node payload;

	FB_ASSERT(version == 1 || version == 2);
	*out = (struct fb_payment){ .version = version };
	if (version == 2) {
		read_accepted(r, out, n);
		read_identifier(out, n.object, r->arena);
	} else {
		fb_wire_need_text(r, &out->scheme, n, "scheme");
		fb_wire_need_network(r, &out->network, n);
	}
	payload = fb_wire_need_object(r, n, "payload", "payload");
	if (fb_json_present(payload.object) && !is_eip3009(payload)) {
		fb_wire_fault(r, payload, "authorization", FB_MISSING, "an EIP-3009 authorization and no other kind");
		return FB_REASON_UNSUPPORTED_PAYLOAD_TYPE;
	}
	read_authorization(r, out, fb_wire_need_object(r, payload, "authorization", "payload.authorization"));
	read_signature(r, out, payload);
	return r->status == FB_OK ? FB_REASON_NONE : FB_REASON_INVALID_PAYLOAD;
}

void fb_wire_read_payer(struct fb_str *out, struct fb_json_value payment, struct fb_arena *a)
{
	struct fb_wire_reader r = { .arena = a, .prefix = "" };
	struct fb_wire_node n = { payment, "" };
	struct fb_address ignored;

	n = fb_wire_need_object(&r, n, "payload", "");
	n = fb_wire_need_object(&r, n, "authorization", "");
	fb_wire_need_address(&r, &ignored, out, n, "from");
}

enum fb_reason fb_wire_explain(enum fb_reason reason, uint8_t version, struct fb_str scheme, struct fb_str network,
			       struct fb_error *e)
{
	if (reason == FB_REASON_NONE)
		return reason;
	if (scheme.len > 0 && !fb_str_eq(scheme, FB_STR("exact"))) {
		fb_error_set(e, FB_BAD_VALUE, "scheme: want exact");
		return FB_REASON_UNSUPPORTED_SCHEME;
	}
	if (version == 2 && network.len > 0 && !fb_str_starts(network, FB_STR("eip155:"))) {
		fb_error_set(e, FB_BAD_VALUE, "network: want one of the eip155 family");
		return FB_REASON_INVALID_NETWORK;
	}
	return reason;
}

/* The payload of a header whose version agrees with the header's name. */
static enum fb_status read_header_content(struct fb_payment *out, enum fb_reason *reason, struct fb_json_value root,
					  uint8_t version, struct fb_arena *arena, struct fb_error *e)
{
	struct fb_wire_reader r = { .arena = arena, .e = e, .prefix = "" };
	enum fb_reason found = fb_wire_read_payment(&r, out, (struct fb_wire_node){ root, "" }, version);

	if (r.status == FB_NO_MEMORY)
		return r.status;
	*reason = fb_wire_explain(found, version, out->scheme, out->network, e);
	return FB_OK;
}

enum fb_status fb_wire_read_payment_header(struct fb_payment *out, enum fb_reason *reason, struct fb_str header,
					   uint8_t version, struct fb_json_token *tokens, struct fb_arena *arena,
					   struct fb_error *e)
{
	struct fb_payment payment = { .version = version };
	struct fb_json doc;
	struct fb_str text;
	enum fb_reason found = FB_REASON_INVALID_X402_VERSION;
	enum fb_status st;

	FB_ASSERT(version == 1 || version == 2);
	if (header.len > FB_WIRE_HEADER_MAX)
		return fb_error_set(e, FB_HEADERS_TOO_LARGE, "payment header: want at most %d bytes",
				    FB_WIRE_HEADER_MAX);
	st = fb_wire_decode(&text, header, arena, "payment header", e);
	if (st == FB_OK)
		st = fb_wire_open(&doc, text, tokens, "payment header", e);
	if (st != FB_OK)
		return st;
	if (fb_wire_version(fb_json_root(&doc)) == version) {
		st = read_header_content(&payment, &found, fb_json_root(&doc), version, arena, e);
	} else {
		fb_error_set(e, FB_BAD_VALUE, "x402Version: want %u in this header", version);
		fb_wire_read_payer(&payment.payer_text, fb_json_root(&doc), arena);
	}
	if (st != FB_OK)
		return st;
	*out = payment;
	*reason = found;
	return FB_OK;
}
