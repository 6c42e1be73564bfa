/* A receipt as a node gives it. Properties: whatever it is, reading ends in a known status and leaves the output alone
 * unless it is FB_OK; a receipt moves a payment only if two neighbours of its logs move it alone; and of payments that
 * differ in their nonces alone no more are moved than there are pairs. */
#include "farebox/token.h"

#include <stdlib.h>
#include <string.h>

enum { TOKENS = 4096, ARENA = 1 << 16, ITEMS = 3 };

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

/* Three payments that differ in the last byte of their nonces; which of them the receipt moves. */
static unsigned moved(struct fb_json_value receipt)
{
	struct fb_log_item items[ITEMS];
	unsigned bits = 0;

	for (unsigned i = 0; i < ITEMS; i++) {
		items[i] = (struct fb_log_item){ .authorization = authorization() };
		items[i].authorization.nonce.bytes[31] = (uint8_t)i;
		memset(items[i].asset.bytes, 0xcc, sizeof(items[i].asset.bytes));
	}
	fb_receipt_judge(receipt, items, ITEMS);
	for (unsigned i = 0; i < ITEMS; i++)
		bits |= (items[i].said == FB_LOGS_MOVED ? 1u : 0) << i;
	return bits;
}

static unsigned alone_moved(struct fb_str log, struct fb_str next)
{
	static struct fb_json_token own[TOKENS];
	size_t cap = log.len + next.len + 16;
	char *text = malloc(cap);
	struct fb_json doc;
	struct fb_buf b;
	unsigned bits;

	FB_ASSERT(text != NULL);
	fb_buf_init(&b, text, cap);
	fb_buf_text(&b, "{\"logs\":[");
	fb_buf_str(&b, log);
	fb_buf_text(&b, ",");
	fb_buf_str(&b, next);
	fb_buf_text(&b, "]}");
	FB_ASSERT(!b.overflowed);
	bits = fb_json_parse(&doc, own, TOKENS, fb_buf_view(&b)) == FB_OK ? moved(fb_json_root(&doc)) : 0;
	free(text);
	return bits;
}

static void check_logs(struct fb_json_value receipt)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs"), v, next;
	unsigned any = 0, whole = moved(receipt), pairs = 0;

	if (!fb_json_is(logs, FB_JSON_ARRAY))
		return;
	for (v = fb_json_first(logs, NULL); fb_json_present(v); v = next) {
		next = fb_json_next(logs, v, NULL);
		if (!fb_json_present(next))
			break;
		any |= alone_moved(fb_json_raw(v), fb_json_raw(next));
		pairs++;
	}
	FB_ASSERT((whole & ~any) == 0); /* a first use without its transfer bars a later pair */
	FB_ASSERT((unsigned)__builtin_popcount(whole) <= pairs);
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
