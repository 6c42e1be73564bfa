/* Values as members of what we write. */
#include "wire_int.h"

void fb_wire_address(struct fb_jw *w, const struct fb_address *a)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_buf text;

	fb_buf_init(&text, block, sizeof(block));
	fb_buf_address_checksum(&text, a);
	FB_ASSERT(!text.overflowed);
	fb_jw_str(w, fb_buf_view(&text));
}

void fb_wire_kv_address(struct fb_jw *w, const char *key, const struct fb_address *a)
{
	fb_jw_key(w, key);
	fb_wire_address(w, a);
}

void fb_wire_kv_u256(struct fb_jw *w, const char *key, struct fb_u256 v)
{
	char block[FB_U256_DIGITS];
	struct fb_buf text;

	fb_buf_init(&text, block, sizeof(block));
	fb_buf_u256(&text, v);
	FB_ASSERT(!text.overflowed);
	fb_jw_kv_str(w, key, fb_buf_view(&text));
}

void fb_wire_kv_hex(struct fb_jw *w, const char *key, const void *bytes, size_t len)
{
	char block[2 + 2 * FB_SIGNATURE_LEN];
	struct fb_buf text;

	fb_buf_init(&text, block, sizeof(block));
	fb_buf_hex(&text, bytes, len);
	FB_ASSERT(!text.overflowed);
	fb_jw_kv_str(w, key, fb_buf_view(&text));
}
