/* Reads what is needed of a block, as eth_getBlockByNumber answers it. */
#include "head_int.h"

/* A text without escapes needs no memory; one with escapes is no number and no hash. */
static enum fb_status text_of(struct fb_str *out, struct fb_json_value block, const char *name)
{
	_Alignas(16) unsigned char none[16];
	struct fb_arena arena;
	enum fb_status st;

	fb_arena_init(&arena, none, 0);
	st = fb_json_string(out, fb_json_get(block, name), &arena);
	return st == FB_NO_MEMORY ? FB_BAD_HEX : st;
}

static enum fb_status read_u64(uint64_t *out, struct fb_json_value block, const char *name)
{
	struct fb_str text;
	enum fb_status st = text_of(&text, block, name);

	return st != FB_OK ? st : fb_quantity_parse_u64(out, text);
}

static enum fb_status read_hash(struct fb_hash *out, struct fb_json_value block, const char *name)
{
	struct fb_str text;
	enum fb_status st = text_of(&text, block, name);

	return st != FB_OK ? st : fb_hash_parse(out, text);
}

static enum fb_status read_base_fee(fb_u128 *out, struct fb_json_value block)
{
	struct fb_str text;
	enum fb_status st;

	*out = 0;
	if (fb_json_absent_or_null(fb_json_get(block, "baseFeePerGas")))
		return FB_OK;
	st = text_of(&text, block, "baseFeePerGas");
	return st != FB_OK ? st : fb_quantity_parse_u128(out, text);
}

enum fb_status fb_head_block_read(struct fb_head_block *out, struct fb_json_value json)
{
	struct fb_head_block b;
	enum fb_status st;

	if ((st = read_u64(&b.number, json, "number")) != FB_OK ||
	    (st = read_u64(&b.time_s, json, "timestamp")) != FB_OK ||
	    (st = read_u64(&b.gas_limit, json, "gasLimit")) != FB_OK ||
	    (st = read_hash(&b.hash, json, "hash")) != FB_OK ||
	    (st = read_hash(&b.parent, json, "parentHash")) != FB_OK ||
	    (st = read_base_fee(&b.base_fee, json)) != FB_OK)
		return st;
	if (b.number > FB_HEAD_NUMBER_MAX)
		return FB_OVERFLOW;
	if (fb_hash_eq(&b.hash, &b.parent))
		return FB_BAD_VALUE;
	*out = b;
	return FB_OK;
}
