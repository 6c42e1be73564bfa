/* A server's 402 and receipt, fuzzed as JSON (the first byte chooses which). Property: for every quote
 * that is read, the payment written for it is read back with the quote's terms, and its echo is what
 * the server said, byte for byte. */
#include "farebox/wire.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 1 << 18, TEXT_MAX = 1 << 17 };

static _Alignas(16) unsigned char memory[2][ARENA_BYTES];
static struct fb_json_token tokens[FB_WIRE_TOKENS];
static char json[TEXT_MAX], base64[FB_BASE64_LEN(TEXT_MAX)];

static struct fb_str base64_of(struct fb_str bytes)
{
	struct fb_buf b;

	fb_buf_init(&b, base64, sizeof(base64));
	fb_base64_put(&b, bytes.at, bytes.len);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static void check_payment(const struct fb_quotes *all, const struct fb_quote *q)
{
	struct fb_authorization a = { .to = q->requirement.pay_to, .value = q->requirement.amount };
	static const uint8_t signature[FB_SIGNATURE_LEN] = { 1 };
	struct fb_payment p;
	enum fb_reason reason;
	struct fb_arena arena;
	struct fb_buf b;
	enum fb_status st;

	fb_buf_init(&b, json, sizeof(json));
	fb_wire_write_payment(&b, all, q, &a, signature);
	FB_ASSERT(!b.overflowed);
	if (FB_BASE64_LEN(b.len) > FB_WIRE_HEADER_MAX)
		return;
	fb_arena_init(&arena, memory[1], sizeof(memory[1]));
	st = fb_wire_read_payment_header(&p, &reason, base64_of(fb_buf_view(&b)), q->version, tokens, &arena, NULL);
	if (st == FB_TOO_MANY)
		return; /* the authorization's tokens came on top of a full 402 */
	FB_ASSERT(st == FB_OK);
	/* a resource that servers may get wrong is echoed all the same, and may be refused by them */
	FB_ASSERT(reason == FB_REASON_NONE || (q->version == 2 && all->resource.len > 0));
	FB_ASSERT(fb_str_eq(p.network, q->requirement.network) && fb_str_eq(p.scheme, q->requirement.scheme));
	FB_ASSERT(q->version == 1 || fb_str_eq(p.accepted.raw, q->requirement.raw));
	FB_ASSERT(memcmp(&p.authorization, &a, sizeof(a)) == 0);
}

static void try_required(struct fb_str in, uint8_t version)
{
	static struct fb_quotes quotes, before;
	struct fb_error e = { "" };
	struct fb_arena a;
	enum fb_status st;

	memset(&quotes, 0x55, sizeof(quotes));
	before = quotes;
	fb_arena_init(&a, memory[0], sizeof(memory[0]));
	st = version == 1 ? fb_wire_read_required_v1(&quotes, in, tokens, &a, &e)
			  : fb_wire_read_required_v2(&quotes, base64_of(in), tokens, &a, &e);
	if (st != FB_OK) {
		FB_ASSERT(memcmp(&quotes, &before, sizeof(quotes)) == 0 && e.text[0] != '\0');
		return;
	}
	FB_ASSERT(quotes.count <= FB_QUOTES_MAX && quotes.count + quotes.skipped > 0);
	for (size_t i = 0; i < quotes.count; i++)
		check_payment(&quotes, &quotes.quote[i]);
}

static void try_receipt(struct fb_str in)
{
	struct fb_receipt r, again;
	struct fb_arena a;

	fb_arena_init(&a, memory[0], sizeof(memory[0]));
	if (fb_wire_read_receipt(&r, in, tokens, &a, NULL) != FB_OK)
		return;
	FB_ASSERT(r.has_tx == (fb_hash_parse(&again.tx, r.transaction) == FB_OK));
	if (in.at[0] != '{')
		return;
	fb_arena_init(&a, memory[1], sizeof(memory[1]));
	FB_ASSERT(fb_wire_read_receipt(&again, base64_of(in), tokens, &a, NULL) == FB_OK);
	FB_ASSERT(r.success == again.success && fb_str_eq(r.transaction, again.transaction) &&
		  fb_str_eq(r.reason_text, again.reason_text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str in;

	if (size == 0 || size > TEXT_MAX / 4)
		return 0;
	in = (struct fb_str){ (const char *)data + 1, size - 1 };
	if (data[0] == '1' || data[0] == '2')
		try_required(in, (uint8_t)(data[0] - '0'));
	else
		try_receipt(in);
	return 0;
}
