/* ABI, reading. Property: every typed reading of a word writes back to that word, the readers agree with
 * each other, and dynamic bytes lie inside the data. The first byte chooses the word. */
#include "farebox/codec.h"

#include <string.h>

static void check_word(struct fb_str data, size_t i)
{
	char block[4 * 32];
	struct fb_buf b;
	struct fb_u256 wide;
	struct fb_address address;
	uint64_t small;
	bool flag, exists = fb_abi_get_u256(&wide, data, i) == FB_OK;

	FB_ASSERT(exists == (i < data.len / 32));
	FB_ASSERT(exists || fb_abi_get_u64(&small, data, i) == FB_BAD_LENGTH);
	if (!exists)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_abi_u256(&b, wide);
	if (fb_abi_get_u64(&small, data, i) == FB_OK)
		fb_abi_u64(&b, small);
	if (fb_abi_get_bool(&flag, data, i) == FB_OK)
		fb_abi_u64(&b, flag);
	if (fb_abi_get_address(&address, data, i) == FB_OK)
		fb_abi_address(&b, &address);
	FB_ASSERT(!b.overflowed && b.len >= 32);
	for (size_t at = 0; at < b.len; at += 32)
		FB_ASSERT(memcmp(block + at, data.at + 32 * i, 32) == 0);
}

static void check_bytes(struct fb_str data, size_t i)
{
	static char block[64 + FB_ABI_PADDED(1 << 16)];
	struct fb_buf b;
	struct fb_str bytes, back;

	if (fb_abi_get_bytes(&bytes, data, i) != FB_OK)
		return;
	FB_ASSERT(bytes.at >= data.at + 32 && bytes.at + bytes.len <= data.at + data.len);
	if (bytes.len > 1 << 16)
		return;
	fb_buf_init(&b, block, sizeof(block));
	fb_abi_u64(&b, 32);
	fb_abi_bytes(&b, bytes.at, bytes.len);
	FB_ASSERT(!b.overflowed && b.len == 64 + FB_ABI_PADDED(bytes.len));
	FB_ASSERT(fb_abi_get_bytes(&back, fb_buf_view(&b), 0) == FB_OK && fb_str_eq(bytes, back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str words;

	if (size == 0)
		return 0;
	words = (struct fb_str){ (const char *)data + 1, size - 1 };
	check_word(words, data[0]);
	check_bytes(words, data[0]);
	return 0;
}
