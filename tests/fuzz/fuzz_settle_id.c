/* A settlement's id in a path. Properties: what is read, written down is the same text; what is refused leaves the
 * output alone. */
#include "farebox/settle.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fb_str text = { (const char *)data, size };
	struct fb_settle_key key, before;
	char block[FB_SETTLE_ID_MAX];
	struct fb_buf b;

	memset(&key, 0x77, sizeof(key));
	before = key;
	if (fb_settle_id_parse(&key, text) != FB_OK) {
		FB_ASSERT(memcmp(&key, &before, sizeof(key)) == 0);
		return 0;
	}
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_settle_id(&b, &key);
	FB_ASSERT(!b.overflowed && fb_str_eq(fb_buf_view(&b), text));
	return 0;
}
