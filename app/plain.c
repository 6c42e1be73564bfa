/* Text of a stranger as it may be shown on a terminal: nothing in it that moves the cursor, changes colours, ends a
 * line, or turns the direction of reading, any of which can make a price look like another one. */
#include "app.h"

/* Bytes of the UTF-8 sequence at s.at, 1 for what is none; *c gets the character, U+FFFD then. */
static size_t take_character(uint32_t *c, struct fb_str s)
{
	unsigned char lead = (unsigned char)s.at[0];
	size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	*c = 0xfffd;
	if (len > s.len || (lead >= 0x80 && lead < 0xc2) || lead > 0xf4)
		return 1;
	if (len == 1) {
		*c = lead;
		return 1;
	}
	*c = lead & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)s.at[i] & 0xc0) != 0x80) {
			*c = 0xfffd;
			return 1;
		}
		*c = *c << 6 | ((unsigned char)s.at[i] & 0x3f);
	}
	return len;
}

static bool is_plain(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} not[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffd }, { 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < FB_COUNT(not); i++)
		if (c >= not[i].first && c <= not[i].last)
			return false;
	return true;
}

void fb_app_plain(struct fb_buf *out, struct fb_str s)
{
	while (s.len > 0 && out->cap - out->len > 8) { /* room for a character and the mark below */
		uint32_t c;
		size_t len = take_character(&c, s);

		if (is_plain(c))
			fb_buf_put(out, s.at, len);
		else
			fb_buf_char(out, '?');
		s = (struct fb_str){ s.at + len, s.len - len };
	}
	if (s.len > 0)
		fb_buf_text(out, "...");
}
