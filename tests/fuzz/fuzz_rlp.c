/* RLP. Property: encodings are canonical, so what can be read, all the way down, is written again byte
 * for byte; items lie inside the text and use all of it. */
#include "farebox/codec.h"

enum { TEXT_MAX = 4096, DEPTH_MAX = 16 };

static bool copy_items(struct fb_buf *b, struct fb_str in, int depth);

static void copy_string(struct fb_buf *b, const struct fb_rlp_item *item)
{
	struct fb_u256 wide;
	uint64_t small;

	if (fb_rlp_item_u64(&small, item) == FB_OK) {
		fb_rlp_u64(b, small);
		FB_ASSERT(fb_rlp_item_u256(&wide, item) == FB_OK && fb_u256_eq(wide, fb_u256_from_u64(small)));
	} else if (fb_rlp_item_u256(&wide, item) == FB_OK) {
		fb_rlp_u256(b, wide);
	} else {
		fb_rlp_bytes(b, item->body.at, item->body.len);
	}
}

static bool copy_item(struct fb_buf *b, struct fb_str *in, int depth)
{
	struct fb_rlp_item item;
	struct fb_str before = *in;
	size_t mark = fb_rlp_list_begin(b);

	if (fb_rlp_take(&item, in) != FB_OK)
		return false;
	FB_ASSERT(item.body.at >= before.at && item.body.at + item.body.len == in->at);
	FB_ASSERT(in->at > before.at && in->at + in->len == before.at + before.len);
	if (!item.list) {
		copy_string(b, &item);
		return true;
	}
	if (depth == DEPTH_MAX || !copy_items(b, item.body, depth + 1))
		return false;
	fb_rlp_list_end(b, mark);
	return true;
}

static bool copy_items(struct fb_buf *b, struct fb_str in, int depth)
{
	while (in.len > 0)
		if (!copy_item(b, &in, depth))
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char block[TEXT_MAX];
	struct fb_str text = { (const char *)data, size };
	struct fb_buf b;

	if (size > TEXT_MAX)
		return 0;
	fb_buf_init(&b, block, sizeof(block));
	if (copy_items(&b, text, 0))
		FB_ASSERT(!b.overflowed && fb_str_eq(text, fb_buf_view(&b)));
	return 0;
}
