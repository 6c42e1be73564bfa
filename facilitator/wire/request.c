/* The body of /verify and /settle: an envelope that must be one, and content that gets a reason. */
#include "wire_int.h"

struct envelope {
	uint8_t version; /* 0: one that we do not speak, or two that differ */
	struct fb_json_value payment, requirement;
};

static enum fb_status envelope_object(struct fb_json_value *out, struct fb_json_value root, const char *key,
				      struct fb_error *e)
{
	*out = fb_json_get(root, key);
	if (!fb_json_present(*out))
		return fb_error_set(e, FB_MISSING, "%s: want an object", key);
	if (!fb_json_is(*out, FB_JSON_OBJECT))
		return fb_error_set(e, FB_WRONG_TYPE, "%s: want an object", key);
	return FB_OK;
}

static enum fb_status read_envelope(struct envelope *out, struct fb_json_value root, struct fb_error *e)
{
	struct fb_json_value version = fb_json_get(root, "x402Version");
	enum fb_status st;

	if (!fb_json_present(version))
		return fb_error_set(e, FB_MISSING, "x402Version: want 1 or 2");
	if (!fb_json_is(version, FB_JSON_NUMBER))
		return fb_error_set(e, FB_WRONG_TYPE, "x402Version: want the number 1 or 2");
	st = envelope_object(&out->payment, root, "paymentPayload", e);
	if (st == FB_OK)
		st = envelope_object(&out->requirement, root, "paymentRequirements", e);
	if (st != FB_OK)
		return st;
	out->version = fb_wire_version(root);
	if (out->version != fb_wire_version(out->payment))
		out->version = 0;
	return FB_OK;
}

/* What an answer echoes, although the versions say nothing about the shape. */
static enum fb_reason read_versionless(struct fb_wire_request *out, const struct envelope *in, uint8_t claimed,
				       struct fb_arena *arena, struct fb_error *e)
{
	struct fb_wire_reader r = { .arena = arena, .prefix = "" };

	out->payment.version = claimed;
	fb_wire_read_payer(&out->payment.payer_text, in->payment, arena);
	fb_wire_need_network(&r, &out->requirement.network, (struct fb_wire_node){ in->requirement, "" });
	fb_error_set(e, FB_BAD_VALUE, "x402Version: want 1 or 2, the same in paymentPayload");
	return FB_REASON_INVALID_X402_VERSION;
}

/* Both halves are read, whatever is wrong in the first: an answer names the network of the second. */
static enum fb_status read_content(struct fb_wire_request *out, enum fb_reason *reason, const struct envelope *in,
				   struct fb_arena *arena, struct fb_error *e)
{
	struct fb_wire_reader payment = { .arena = arena, .e = e, .prefix = "paymentPayload." };
	struct fb_wire_reader requirement = { .arena = arena, .prefix = "paymentRequirements." };
	struct fb_wire_node first = { in->payment, "" }, second = { in->requirement, "" };
	enum fb_reason found = fb_wire_read_payment(&payment, &out->payment, first, in->version);

	requirement.e = found == FB_REASON_NONE ? e : NULL;
	fb_wire_read_requirement(&requirement, &out->requirement, second, in->version);
	if (payment.status == FB_NO_MEMORY || requirement.status == FB_NO_MEMORY)
		return FB_NO_MEMORY;
	if (found == FB_REASON_NONE && requirement.status != FB_OK)
		found = FB_REASON_INVALID_REQUIREMENTS;
	*reason = fb_wire_explain(found, in->version, out->requirement.scheme, out->requirement.network, e);
	return FB_OK;
}

enum fb_status fb_wire_read_request(struct fb_wire_request *out, enum fb_reason *reason, struct fb_str body,
				    struct fb_json_token *tokens, struct fb_arena *arena, struct fb_error *e)
{
	struct fb_wire_request request = { 0 };
	struct envelope envelope = { 0 };
	enum fb_reason found = FB_REASON_NONE;
	struct fb_json doc;
	enum fb_status st = fb_wire_open(&doc, body, tokens, "body", e);

	if (st == FB_OK)
		st = read_envelope(&envelope, fb_json_root(&doc), e);
	if (st != FB_OK)
		return st;
	if (envelope.version == 0)
		found = read_versionless(&request, &envelope, fb_wire_version(fb_json_root(&doc)), arena, e);
	else
		st = read_content(&request, &found, &envelope, arena, e);
	if (st != FB_OK)
		return st;
	*out = request;
	*reason = found;
	return FB_OK;
}
