/* Properties: any bytes encode to text that decodes to them; any text that decodes is the one text of
 * its bytes; a buffer one byte too small is refused untouched. */
#include "farebox/core.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 4096 };

static void check_bytes(const uint8_t *data, size_t size)
{
	static char block[FB_BASE64_LEN(BYTES_MAX)];
	static uint8_t back[BYTES_MAX];
	size_t len = 0;
	struct fb_buf text;

	fb_buf_init(&text, block, sizeof(block));
	fb_base64_put(&text, data, size);
	FB_ASSERT(!text.overflowed && text.len == FB_BASE64_LEN(size));
	FB_ASSERT(fb_base64_decode(back, &len, size, fb_buf_view(&text)) == FB_OK);
	FB_ASSERT(len == size && (size == 0 || memcmp(back, data, size) == 0));
	if (size > 0)
		FB_ASSERT(fb_base64_decode(back, &len, size - 1, fb_buf_view(&text)) == FB_TOO_LARGE);
}

static void check_text(struct fb_str text)
{
	static uint8_t bytes[BYTES_MAX];
	static char block[BYTES_MAX + 4];
	size_t len;
	struct fb_buf back;

	if (fb_base64_decode(bytes, &len, sizeof(bytes), text) != FB_OK)
		return;
	fb_buf_init(&back, block, sizeof(block));
	fb_base64_put(&back, bytes, len);
	FB_ASSERT(fb_str_eq(fb_buf_view(&back), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > BYTES_MAX)
		return 0;
	check_bytes(data, size);
	check_text((struct fb_str){ (const char *)data, size });
	return 0;
}
