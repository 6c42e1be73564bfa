/* Strings as a reader sees them: escapes decoded, and strings compared after decoding. */
#include "json_int.h"

#include <string.h>

static uint32_t hex4(const char *at)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];

		v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

static unsigned put_utf8(uint8_t out[FB_JSON_ESCAPE_MAX], uint32_t c)
{
	unsigned len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	FB_ASSERT(c > 0 && c < 0x110000);
	for (unsigned i = len; i > 1; i--) {
		out[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (uint8_t)(lead[len] | c);
	return len;
}

static uint8_t short_escape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		FB_ASSERT(c == '"' || c == '\\' || c == '/');
		return (uint8_t)c;
	}
}

const char *fb_json_unescape(const char *at, uint8_t out[FB_JSON_ESCAPE_MAX], unsigned *len)
{
	uint32_t c;

	FB_ASSERT(at[0] == '\\');
	if (at[1] != 'u') {
		out[0] = short_escape(at[1]);
		*len = 1;
		return at + 2;
	}
	c = hex4(at + 2);
	at += 6;
	if (c >= 0xd800 && c <= 0xdbff) {
		FB_ASSERT(at[0] == '\\' && at[1] == 'u');
		c = 0x10000 + ((c - 0xd800) << 10) + (hex4(at + 2) - 0xdc00);
		at += 6;
	}
	*len = put_utf8(out, c);
	return at;
}

/* A string read byte by byte through its escapes. */
struct reader {
	const char *at, *end;
	uint8_t pending[FB_JSON_ESCAPE_MAX]; /* of the escape being read */
	unsigned taken, len;
};

static int next_byte(struct reader *r)
{
	if (r->taken < r->len)
		return r->pending[r->taken++];
	if (r->at == r->end)
		return -1;
	if (*r->at != '\\')
		return (unsigned char)*r->at++;
	r->at = fb_json_unescape(r->at, r->pending, &r->len);
	r->taken = 1;
	return r->pending[0];
}

/* Byte by byte; the end of a string sorts before every byte. */
static int cmp_readers(struct reader a, struct reader b)
{
	for (;;) {
		int x = next_byte(&a), y = next_byte(&b);

		if (x != y)
			return x < y ? -1 : 1;
		if (x < 0)
			return 0;
	}
}

static struct reader reader_of(const char *text, const struct fb_json_token *t)
{
	return (struct reader){ .at = text + t->start, .end = text + t->start + t->len };
}

static int cmp_plain(struct fb_str a, struct fb_str b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.at, b.at, shorter);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int fb_json_string_cmp(const char *text, const struct fb_json_token *a, const struct fb_json_token *b)
{
	FB_ASSERT(a->type == FB_JSON_STRING && b->type == FB_JSON_STRING);
	if (!a->escaped && !b->escaped)
		return cmp_plain((struct fb_str){ text + a->start, a->len },
				 (struct fb_str){ text + b->start, b->len });
	return cmp_readers(reader_of(text, a), reader_of(text, b));
}

bool fb_json_string_eq(const char *text, const struct fb_json_token *a, struct fb_str b)
{
	struct reader r = reader_of(text, a);

	if (!a->escaped)
		return a->len == b.len && (b.len == 0 || memcmp(r.at, b.at, b.len) == 0);
	for (size_t i = 0; i < b.len; i++)
		if (next_byte(&r) != (unsigned char)b.at[i])
			return false;
	return next_byte(&r) < 0;
}
