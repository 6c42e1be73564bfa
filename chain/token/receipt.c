/* A transaction receipt as the RPC gives it, read into values. */
#include "farebox/token.h"

static enum fb_status quantity(fb_u128 *out, struct fb_json_value receipt, const char *key, struct fb_arena *arena)
{
	struct fb_str text;
	enum fb_status st = fb_json_string(&text, fb_json_get(receipt, key), arena);

	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

static enum fb_status quantity_u64(uint64_t *out, struct fb_json_value receipt, const char *key, struct fb_arena *arena)
{
	struct fb_str text;
	enum fb_status st = fb_json_string(&text, fb_json_get(receipt, key), arena);

	return st != FB_OK ? st : fb_quantity_parse_u64(out, text);
}

enum fb_status fb_receipt_read(struct fb_receipt_summary *out, struct fb_json_value receipt, struct fb_arena *arena)
{
	struct fb_receipt_summary r = { 0 };
	struct fb_str hash;
	uint64_t status;
	enum fb_status st;

	if (fb_json_is(receipt, FB_JSON_NULL))
		return FB_NOT_FOUND;
	if ((st = quantity_u64(&status, receipt, "status", arena)) != FB_OK || (st = quantity_u64(&r.block, receipt, "blockNumber", arena)) != FB_OK ||
	    (st = quantity_u64(&r.gas_used, receipt, "gasUsed", arena)) != FB_OK ||
	    (st = quantity(&r.gas_price, receipt, "effectiveGasPrice", arena)) != FB_OK ||
	    (st = fb_json_string(&hash, fb_json_get(receipt, "blockHash"), arena)) != FB_OK || (st = fb_hash_parse(&r.block_hash, hash)) != FB_OK)
		return st;
	if (status > 1)
		return FB_BAD_VALUE;
	if (!fb_json_absent_or_null(fb_json_get(receipt, "l1Fee")) && (st = quantity(&r.l1_fee, receipt, "l1Fee", arena)) != FB_OK)
		return st;
	r.succeeded = status == 1;
	*out = r;
	return FB_OK;
}
