/* A receipt as a node gives it. Properties: whatever it is, reading ends in a known status and leaves the output alone
 * unless it is FB_OK; and a receipt holds the transfer exactly if one of its logs holds it alone. */
#include "farebox/token.h"

#include <stdlib.h>
#include <string.h>

enum { TOKENS = 4096, ARENA = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fb_json_token tokens[TOKENS];
_Alignas(16) static unsigned char memory[ARENA];

/* What the corpus' receipts pay: 1000 atoms. */
static struct fb_authorization authorization(void)
{
	struct fb_authorization a;

	memset(&a, 0, sizeof(a));
	memset(a.from.bytes, 0x11, sizeof(a.from.bytes));
	memset(a.to.bytes, 0x22, sizeof(a.to.bytes));
	a.value = fb_u256_from_u64(1000);
	return a;
}

static bool has_transfer(struct fb_json_value receipt)
{
	struct fb_authorization a = authorization();
	struct fb_address asset;
	struct fb_arena arena;

	memset(asset.bytes, 0xcc, sizeof(asset.bytes));
	fb_arena_init(&arena, memory, sizeof(memory));
	return fb_receipt_has_transfer(receipt, &asset, &a, &arena);
}

static bool alone_has_transfer(struct fb_str log)
{
	static struct fb_json_token own[TOKENS];
	size_t cap = log.len + 16;
	char *text = malloc(cap);
	struct fb_json doc;
	struct fb_buf b;
	bool yes;

	FB_ASSERT(text != NULL);
	fb_buf_init(&b, text, cap);
	fb_buf_text(&b, "{\"logs\":[");
	fb_buf_str(&b, log);
	fb_buf_text(&b, "]}");
	FB_ASSERT(!b.overflowed);
	yes = fb_json_parse(&doc, own, TOKENS, fb_buf_view(&b)) == FB_OK && has_transfer(fb_json_root(&doc));
	free(text);
	return yes;
}

static void check_logs(struct fb_json_value receipt)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs");
	bool any = false;

	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return;
	for (struct fb_json_value v = fb_json_first(logs, NULL); fb_json_present(v); v = fb_json_next(logs, v, NULL))
		any |= alone_has_transfer(fb_json_raw(v));
	FB_ASSERT(any == has_transfer(receipt));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_receipt_summary r = { .block = 77, .gas_used = 78 };
	struct fb_arena arena;
	struct fb_json doc;
	enum fb_status st;

	if (fb_json_parse(&doc, tokens, TOKENS, (struct fb_str){ (const char *)data, size }) != FB_OK)
		return 0;
	fb_arena_init(&arena, memory, sizeof(memory));
	st = fb_receipt_read(&r, fb_json_root(&doc), &arena);
	FB_ASSERT((st == FB_NOT_FOUND) == fb_json_is(fb_json_root(&doc), FB_JSON_NULL));
	FB_ASSERT(st == FB_OK || (r.block == 77 && r.gas_used == 78 && !r.succeeded));
	FB_ASSERT(st != FB_OK || fb_json_is(fb_json_get(fb_json_root(&doc), "logs"), FB_JSON_ARRAY));
	check_logs(fb_json_root(&doc));
	return 0;
}
