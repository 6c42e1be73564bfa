/* One log line as a JSON object, cut to its limit without becoming invalid. */
#include "event_int.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Kept free until the end: the longest thing that may still have to follow. */
#define TAIL "\",\"cut\":true}\n"
enum { BODY_MAX = FB_EVENT_LINE_MAX - (sizeof(TAIL) - 1) };

/* All of it or nothing. */
static void put(struct line *l, const char *bytes, size_t len)
{
	if (l->cut || l->len + len > BODY_MAX) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->len, bytes, len);
	l->len += len;
}

static void put_unit(struct line *l, uint32_t utf16_unit)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', digits[utf16_unit >> 12 & 15], digits[utf16_unit >> 8 & 15],
			 digits[utf16_unit >> 4 & 15], digits[utf16_unit & 15] };

	put(l, text, sizeof(text));
}

static void put_code_point(struct line *l, uint32_t c)
{
	char plain = (char)c;

	if (c >= 0x10000) {
		put_unit(l, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(l, 0xdc00 + ((c - 0x10000) & 0x3ff));
	} else if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
		put_unit(l, c);
	} else {
		put(l, &plain, 1);
	}
}

/* Takes one character off the front; U+FFFD for a byte that starts none (RFC 3629: shortest form only, no
 * surrogates, nothing above U+10FFFF). */
static uint32_t take_code_point(struct fb_str *s)
{
	static const struct { uint8_t mask, lead, tail; uint32_t min; } forms[] = {
		{ 0x80, 0x00, 0, 0 }, { 0xe0, 0xc0, 1, 0x80 }, { 0xf0, 0xe0, 2, 0x800 }, { 0xf8, 0xf0, 3, 0x10000 },
	};
	uint8_t first = (uint8_t)s->at[0];

	for (size_t f = 0; f < FB_COUNT(forms); f++) {
		uint32_t c = first & (uint8_t)~forms[f].mask;
		size_t tail = forms[f].tail, k = 0;

		if ((first & forms[f].mask) != forms[f].lead || tail >= s->len)
			continue;
		while (k < tail && ((uint8_t)s->at[k + 1] & 0xc0) == 0x80)
			c = c << 6 | ((uint8_t)s->at[++k] & 0x3f);
		if (k < tail || c < forms[f].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			break;
		*s = (struct fb_str){ s->at + tail + 1, s->len - tail - 1 };
		return c;
	}
	*s = (struct fb_str){ s->at + 1, s->len - 1 };
	return 0xfffd;
}

static void put_text(struct line *l, struct fb_str s)
{
	while (s.len > 0 && !l->cut)
		put_code_point(l, take_code_point(&s));
}

static void put_hex(struct line *l, struct fb_str bytes)
{
	static const char digits[] = "0123456789abcdef";

	put(l, "0x", 2);
	for (size_t i = 0; i < bytes.len && !l->cut; i++) {
		uint8_t byte = (uint8_t)bytes.at[i];
		char text[2] = { digits[byte >> 4], digits[byte & 15] };

		put(l, text, sizeof(text));
	}
}

/* A key, colon and what opens the value together, or nothing: a cut never leaves half a member behind. */
static bool put_key(struct line *l, const char *key, const char *after)
{
	char text[128];
	int n = snprintf(text, sizeof(text), ",\"%s\":%s", key, after);

	FB_ASSERT(n > 0 && (size_t)n < sizeof(text)); /* keys are our own short words */
	put(l, text, (size_t)n);
	return !l->cut;
}

/* Also after a cut: room for it is part of TAIL. */
static void close_quote(struct line *l)
{
	FB_ASSERT(l->len <= BODY_MAX);
	l->text[l->len++] = '"';
}

void line_begin(struct line *l, int64_t wall_us, const struct fb_event_info *info)
{
	static const char *const levels[] = {
		[FB_DEBUG] = "debug", [FB_INFO] = "info", [FB_ODD] = "odd", [FB_BROKEN] = "broken",
	};
	int64_t micros = wall_us % 1000000;
	time_t seconds = (time_t)((wall_us - micros) / 1000000);
	struct tm t;
	char text[256];
	int n;

	FB_ASSERT(wall_us >= 0);
	FB_ASSERT(gmtime_r(&seconds, &t) != NULL);
	l->len = 0;
	l->cut = false;
	n = snprintf(text, sizeof(text),
		     "{\"ts\":\"%04d-%02d-%02dT%02d:%02d:%02d.%06dZ\",\"level\":\"%s\",\"event\":\"%s\"",
		     t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, (int)micros, levels[info->level],
		     info->name);
	FB_ASSERT(n > 0 && (size_t)n < sizeof(text));
	put(l, text, (size_t)n);
	FB_ASSERT(!l->cut);
}

void line_field(struct line *l, const struct fb_field *field)
{
	char number[24];

	switch (field->kind) {
	case FB_FIELD_NUMBER:
		snprintf(number, sizeof(number), "%llu", (unsigned long long)field->number);
		(void)put_key(l, field->key, number);
		return;
	case FB_FIELD_TEXT:
		if (put_key(l, field->key, "\"")) {
			put_text(l, field->text);
			close_quote(l);
		}
		return;
	case FB_FIELD_BYTES:
		if (put_key(l, field->key, "\"")) {
			put_hex(l, field->text);
			close_quote(l);
		}
		return;
	}
	FB_UNREACHABLE("field kind");
}

struct fb_str line_end(struct line *l)
{
	const char *tail = l->cut ? ",\"cut\":true}\n" : "}\n";
	size_t len = strlen(tail);

	FB_ASSERT(len <= sizeof(l->text) - l->len);
	memcpy(l->text + l->len, tail, len);
	l->len += len;
	return (struct fb_str){ l->text, l->len };
}
