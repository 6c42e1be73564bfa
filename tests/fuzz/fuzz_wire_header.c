/* The payment header, fuzzed on both sides of its base64: the first byte chooses the version and
 * whether the rest is the header or the JSON inside it. Property: a payment that is accepted, put
 * into an envelope with the terms it accepted, is read there to the same values. */
#include "farebox/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 17, TEXT_MAX = 1 << 17 };

static _Alignas(16) unsigned char memory[2][ARENA_BYTES];
static struct fb_json_token tokens[FB_WIRE_TOKENS];
static char text[TEXT_MAX], body[TEXT_MAX];

static struct fb_str header_of(struct fb_str json)
{
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_base64_put(&b, json.at, json.len);
	return fb_buf_view(&b);
}

/* The JSON that the header holds. */
static struct fb_str payload_of(struct fb_str header)
{
	static uint8_t bytes[FB_WIRE_HEADER_MAX];
	size_t len;

	FB_ASSERT(fb_base64_decode(bytes, &len, sizeof(bytes), header) == FB_OK);
	return (struct fb_str){ (const char *)bytes, len };
}

static struct fb_str envelope_of(const struct fb_payment *p, struct fb_str payload)
{
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, body, sizeof(body));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "x402Version", p->version);
	fb_jw_kv_raw(&w, "paymentPayload", payload);
	fb_jw_kv_raw(&w, "paymentRequirements", p->version == 2 ? p->accepted.raw : FB_STR("{}"));
	fb_jw_end(&w);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static void check_in_envelope(const struct fb_payment *p, struct fb_str header)
{
	struct fb_wire_request r;
	enum fb_reason reason;
	struct fb_arena a;
	enum fb_status st;

	fb_arena_init(&a, memory[1], sizeof(memory[1]));
	st = fb_wire_read_request(&r, &reason, envelope_of(p, payload_of(header)), tokens, &a, NULL);
	if (st == FB_TOO_DEEP || st == FB_TOO_MANY)
		return; /* the envelope took a level and some tokens */
	FB_ASSERT(st == FB_OK);
	FB_ASSERT(p->version == 1 || reason == FB_REASON_NONE);
	FB_ASSERT(r.payment.version == p->version && fb_str_eq(r.payment.scheme, p->scheme) &&
		  fb_str_eq(r.payment.network, p->network));
	FB_ASSERT(memcmp(&r.payment.authorization, &p->authorization, sizeof(p->authorization)) == 0);
	FB_ASSERT(fb_str_eq(r.payment.signature, p->signature) && fb_str_eq(r.payment.payer_text, p->payer_text));
	FB_ASSERT(fb_str_eq(r.payment.resource_url, p->resource_url) &&
		  fb_str_eq(r.payment.accepted.raw, p->accepted.raw));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fb_payment p, before;
	enum fb_reason reason = FB_REASON_END;
	struct fb_error e = { "" };
	struct fb_str header;
	struct fb_arena a;
	enum fb_status st;

	if (size == 0 || size > FB_WIRE_HEADER_MAX)
		return 0;
	header = (struct fb_str){ (const char *)data + 1, size - 1 };
	if ((data[0] & 2) == 0)
		header = header_of(header);
	fb_arena_init(&a, memory[0], sizeof(memory[0]));
	memset(&p, 0x55, sizeof(p));
	before = p;
	st = fb_wire_read_payment_header(&p, &reason, header, (data[0] & 1) == 0 ? 2 : 1, tokens, &a, &e);
	if (st != FB_OK)
		FB_ASSERT(reason == FB_REASON_END && memcmp(&p, &before, sizeof(p)) == 0 && e.text[0] != '\0');
	else if (reason == FB_REASON_NONE)
		check_in_envelope(&p, header);
	return 0;
}
