/* Base64, standard alphabet with padding (RFC 4648 section 4), one accepted text per value. */
#include "farebox/core.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void fb_base64_put(struct fb_buf *b, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group =
			(uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
		char text[4] = { alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63],
				 alphabet[group & 63] };

		if (left < 3)
			text[3] = '=';
		if (left < 2)
			text[2] = '=';
		fb_buf_put(b, text, sizeof(text));
	}
}

/* 0..63, or -1 for a character outside the alphabet. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* How many of the last group's characters are padding: 0, 1 or 2. */
static size_t padding(struct fb_str text)
{
	if (text.at[text.len - 1] != '=')
		return 0;
	return text.at[text.len - 2] == '=' ? 2 : 1;
}

enum fb_status fb_base64_decode(uint8_t *out, size_t *out_len, size_t cap, struct fb_str text)
{
	size_t pad = 0, at = 0, want;

	if (text.len % 4 != 0)
		return FB_BAD_SYNTAX;
	if (text.len > 0)
		pad = padding(text);
	want = text.len / 4 * 3 - pad;
	if (want > cap)
		return FB_TOO_LARGE;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t kept = i + 4 == text.len ? 4 - pad : 4;
		uint32_t group = 0;

		for (size_t k = 0; k < 4; k++) {
			int v = k < kept ? sextet(text.at[i + k]) : 0;

			if (v < 0)
				return FB_BAD_SYNTAX;
			group = group << 6 | (uint32_t)v;
		}
		if ((kept == 3 && (group & 0xff) != 0) || (kept == 2 && (group & 0xffff) != 0))
			return FB_BAD_SYNTAX; /* unused bits set: a second text for the same bytes */
		for (size_t k = 0; k + 1 < kept; k++)
			out[at++] = (uint8_t)(group >> (16 - 8 * k));
	}
	FB_ASSERT(at == want);
	*out_len = at;
	return FB_OK;
}
