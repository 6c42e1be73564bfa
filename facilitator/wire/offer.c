/* What a resource server says: its offer in both versions, and whether a payment is one for it. */
#include "wire_int.h"

static void begin_required(struct fb_jw *w, struct fb_buf *out, uint64_t version, const char *error)
{
	fb_jw_init(w, out);
	fb_jw_object(w);
	fb_jw_kv_u64(w, "x402Version", version);
	if (error != NULL)
		fb_jw_kv_text(w, "error", error);
}

static void write_extra(struct fb_jw *w, const struct fb_offer *o, bool upfront)
{
	FB_ASSERT(o->domain_name.len > 0 && o->domain_version.len > 0);
	fb_jw_key(w, "extra");
	fb_jw_object(w);
	fb_jw_kv_str(w, "name", o->domain_name);
	fb_jw_kv_str(w, "version", o->domain_version);
	if (upfront)
		fb_jw_kv_text(w, "paymentFlow", "upfront");
	fb_jw_end(w);
}

static void write_price(struct fb_jw *w, const struct fb_offer *o, const char *amount_key, struct fb_str network)
{
	fb_jw_kv_text(w, "scheme", "exact");
	fb_jw_kv_str(w, "network", network);
	fb_jw_key(w, amount_key);
	fb_jw_amount(w, o->amount);
	fb_wire_kv_address(w, "asset", &o->asset);
	fb_wire_kv_address(w, "payTo", &o->pay_to);
}

static void write_resource(struct fb_jw *w, const struct fb_offer *o)
{
	fb_jw_key(w, "resource");
	fb_jw_object(w);
	fb_jw_kv_str(w, "url", o->url);
	if (o->description.len > 0)
		fb_jw_kv_str(w, "description", o->description);
	if (o->mime_type.len > 0)
		fb_jw_kv_str(w, "mimeType", o->mime_type);
	fb_jw_end(w);
}

void fb_wire_write_required_v2(struct fb_buf *out, const struct fb_offer *o, const char *error)
{
	struct fb_jw w;

	FB_ASSERT(o->url.len > 0 && o->max_timeout_s > 0);
	begin_required(&w, out, 2, error);
	write_resource(&w, o);
	fb_jw_key(&w, "accepts");
	fb_jw_array(&w);
	fb_jw_object(&w);
	write_price(&w, o, "amount", o->caip2);
	fb_jw_kv_u64(&w, "maxTimeoutSeconds", o->max_timeout_s);
	write_extra(&w, o, o->upfront);
	fb_jw_end(&w);
	fb_jw_end(&w);
	fb_jw_end(&w);
}

static void write_entry_v1(struct fb_jw *w, const struct fb_offer *o)
{
	fb_jw_object(w);
	write_price(w, o, "maxAmountRequired", o->v1_name);
	fb_jw_kv_str(w, "resource", o->url);
	fb_jw_kv_str(w, "description", o->description);
	fb_jw_kv_str(w, "mimeType", o->mime_type);
	fb_jw_kv_u64(w, "maxTimeoutSeconds", o->max_timeout_s);
	write_extra(w, o, false); /* version 1 knows no payment flows */
	fb_jw_end(w);
}

void fb_wire_write_required_v1(struct fb_buf *out, const struct fb_offer *o, const char *error)
{
	struct fb_jw w;

	FB_ASSERT(o->url.len > 0 && o->max_timeout_s > 0);
	begin_required(&w, out, 1, error);
	fb_jw_key(&w, "accepts");
	fb_jw_array(&w);
	if (o->v1_name.len > 0)
		write_entry_v1(&w, o);
	fb_jw_end(&w);
	fb_jw_end(&w);
}

struct fb_requirement fb_offer_requirement(const struct fb_offer *o, uint8_t version)
{
	FB_ASSERT(version == 1 || version == 2);
	return (struct fb_requirement){
		.scheme = FB_STR("exact"),
		.network = version == 1 ? o->v1_name : o->caip2,
		.amount = fb_u256_from_amount(o->amount),
		.asset = o->asset,
		.pay_to = o->pay_to,
		.max_timeout_s = o->max_timeout_s,
		.has_domain = o->domain_name.len > 0 && o->domain_version.len > 0,
		.domain_name = o->domain_name,
		.domain_version = o->domain_version,
		.payment_flow = version == 2 && o->upfront ? FB_STR("upfront") : FB_STR(""),
	};
}

/* A flow not named is "authorization". */
static bool same_flow(struct fb_str a, struct fb_str b)
{
	struct fb_str none = FB_STR("authorization");

	return fb_str_eq(a.len > 0 ? a : none, b.len > 0 ? b : none);
}

static bool same_terms(const struct fb_requirement *a, const struct fb_requirement *b)
{
	return fb_u256_eq(a->amount, b->amount) && fb_address_eq(&a->asset, &b->asset) &&
	       fb_address_eq(&a->pay_to, &b->pay_to) &&
	       a->max_timeout_s == b->max_timeout_s && fb_str_eq(a->domain_name, b->domain_name) &&
	       fb_str_eq(a->domain_version, b->domain_version) && same_flow(a->payment_flow, b->payment_flow);
}

bool fb_offer_matches(const struct fb_offer *o, const struct fb_payment *p)
{
	struct fb_requirement ours = fb_offer_requirement(o, p->version);

	if (!fb_str_eq(p->scheme, ours.scheme) || !fb_str_eq(p->network, ours.network))
		return false;
	return p->version == 1 || (p->has_accepted && same_terms(&p->accepted, &ours));
}
