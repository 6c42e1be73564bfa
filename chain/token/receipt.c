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

static enum fb_status hash(struct fb_hash *out, struct fb_json_value receipt, const char *key, struct fb_arena *arena)
{
	struct fb_str text;
	enum fb_status st = fb_json_string(&text, fb_json_get(receipt, key), arena);

	return st != FB_OK ? st : fb_hash_parse(out, text);
}

/* Without its logs a receipt of status 1 says nothing about money. */
static enum fb_status has_logs(struct fb_json_value receipt)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs");

	if (!fb_json_present(logs))
		return FB_MISSING;
	return fb_json_is(logs, FB_JSON_ARRAY) ? FB_OK : FB_WRONG_TYPE;
}

enum fb_status fb_receipt_read(struct fb_receipt_summary *out, struct fb_json_value receipt, struct fb_arena *arena)
{
	struct fb_receipt_summary r = { 0 };
	uint64_t status;
	enum fb_status st;

	if (fb_json_is(receipt, FB_JSON_NULL))
		return FB_NOT_FOUND;
	if ((st = hash(&r.tx, receipt, "transactionHash", arena)) != FB_OK ||
	    (st = quantity_u64(&status, receipt, "status", arena)) != FB_OK ||
	    (st = quantity_u64(&r.block, receipt, "blockNumber", arena)) != FB_OK ||
	    (st = hash(&r.block_hash, receipt, "blockHash", arena)) != FB_OK ||
	    (st = quantity_u64(&r.gas_used, receipt, "gasUsed", arena)) != FB_OK ||
	    (st = quantity(&r.gas_price, receipt, "effectiveGasPrice", arena)) != FB_OK ||
	    (st = has_logs(receipt)) != FB_OK)
		return st;
	if (status > 1)
		return FB_BAD_VALUE;
	if (!fb_json_absent_or_null(fb_json_get(receipt, "l1Fee")) &&
	    (st = quantity(&r.l1_fee, receipt, "l1Fee", arena)) != FB_OK)
		return st;
	r.succeeded = status == 1;
	*out = r;
	return FB_OK;
}

fb_u128 fb_receipt_cost(const struct fb_receipt_summary *r)
{
	return (fb_u128)r->gas_used * r->gas_price + r->l1_fee;
}
