/* PaymentRequirements of either version, wherever they stand: in a request, in a payment as what was
 * accepted, in a server's offer. */
#include "wire_int.h"

/* extra.name and extra.version are the token's signing domain. What is no string is as good as missing:
 * the judgement of a payment has a reason of its own for that. */
static void read_domain(struct fb_wire_reader *r, struct fb_requirement *out, struct fb_wire_node extra)
{
	struct fb_json_value name = fb_json_get(extra.object, "name"), version = fb_json_get(extra.object, "version");
	struct fb_str domain_name = { "", 0 }, domain_version = { "", 0 };

	if (!fb_json_is(name, FB_JSON_STRING) || !fb_json_is(version, FB_JSON_STRING))
		return;
	fb_wire_may_text(r, &domain_name, extra, "name");
	fb_wire_may_text(r, &domain_version, extra, "version");
	if (domain_name.len == 0 || domain_version.len == 0)
		return;
	out->has_domain = true;
	out->domain_name = domain_name;
	out->domain_version = domain_version;
}

void fb_wire_read_requirement(struct fb_wire_reader *r, struct fb_requirement *out, struct fb_wire_node n,
			      uint8_t version)
{
	struct fb_wire_node extra;

	FB_ASSERT(version == 1 || version == 2);
	*out = (struct fb_requirement){ .raw = fb_json_raw(n.object) };
	fb_wire_need_text(r, &out->scheme, n, "scheme");
	fb_wire_need_network(r, &out->network, n);
	fb_wire_need_u256(r, &out->amount, n, version == 1 ? "maxAmountRequired" : "amount");
	fb_wire_need_address(r, &out->asset, NULL, n, "asset");
	fb_wire_need_address(r, &out->pay_to, NULL, n, "payTo");
	fb_wire_need_seconds(r, &out->max_timeout_s, n, "maxTimeoutSeconds");
	extra = fb_wire_may_object(r, n, "extra", n.path[0] == '\0' ? "extra" : "accepted.extra");
	read_domain(r, out, extra);
	fb_wire_may_text(r, &out->payment_flow, extra, "paymentFlow");
	fb_wire_may_text(r, &out->asset_transfer_method, extra, "assetTransferMethod");
}
