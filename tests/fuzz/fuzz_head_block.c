/* A block as a node gives it. Properties: whatever it is, reading leaves the output alone unless it ends in FB_OK; a
 * block that was read, written down and read again is the same; and no block is its own parent. */
#include "head_int.h"

#include <string.h>

enum { TOKENS = 4096, TEXT_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fb_status read_text(struct fb_head_block *out, struct fb_str text)
{
	static struct fb_json_token tokens[TOKENS];
	struct fb_json doc;

	if (fb_json_parse(&doc, tokens, TOKENS, text) != FB_OK)
		return FB_BAD_SYNTAX;
	return fb_head_block_read(out, fb_json_root(&doc));
}

static void put_quantity(struct fb_buf *b, const char *name, fb_u128 v)
{
	fb_buf_printf(b, "\"%s\":\"", name);
	fb_buf_quantity(b, v);
	fb_buf_text(b, "\",");
}

static void check_again(const struct fb_head_block *block)
{
	struct fb_head_block again;
	char text[TEXT_MAX];
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_char(&b, '{');
	put_quantity(&b, "number", block->number);
	put_quantity(&b, "timestamp", block->time_s);
	put_quantity(&b, "gasLimit", block->gas_limit);
	put_quantity(&b, "baseFeePerGas", block->base_fee);
	fb_buf_text(&b, "\"hash\":\"");
	fb_buf_hash(&b, &block->hash);
	fb_buf_text(&b, "\",\"parentHash\":\"");
	fb_buf_hash(&b, &block->parent);
	fb_buf_text(&b, "\"}");
	FB_ASSERT(!b.overflowed && read_text(&again, fb_buf_view(&b)) == FB_OK);
	FB_ASSERT(again.number == block->number && again.time_s == block->time_s &&
		  again.gas_limit == block->gas_limit && again.base_fee == block->base_fee);
	FB_ASSERT(fb_hash_eq(&again.hash, &block->hash) && fb_hash_eq(&again.parent, &block->parent));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_head_block block = { .number = 77, .gas_limit = 78 };

	if (read_text(&block, (struct fb_str){ (const char *)data, size }) != FB_OK) {
		FB_ASSERT(block.number == 77 && block.gas_limit == 78 && block.time_s == 0);
		return 0;
	}
	FB_ASSERT(!fb_hash_eq(&block.hash, &block.parent) && block.number <= FB_HEAD_NUMBER_MAX);
	check_again(&block);
	return 0;
}
