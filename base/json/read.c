/* Values of a parsed document: members, walks, and contents as C values. */
#include "json_int.h"

#include <string.h>

static const struct fb_json_value absent = { NULL, 0 };

static const struct fb_json_token *token_of(struct fb_json_value v)
{
	FB_ASSERT(v.doc != NULL && v.index < v.doc->count);
	return &v.doc->tokens[v.index];
}

struct fb_json_value fb_json_root(const struct fb_json *doc)
{
	FB_ASSERT(doc->count > 0);
	return (struct fb_json_value){ doc, 0 };
}

bool fb_json_is(struct fb_json_value v, enum fb_json_type t)
{
	return fb_json_present(v) && token_of(v)->type == t;
}

bool fb_json_absent_or_null(struct fb_json_value v)
{
	return !fb_json_present(v) || token_of(v)->type == FB_JSON_NULL;
}

struct fb_json_value fb_json_get(struct fb_json_value o, const char *key)
{
	struct fb_str wanted = fb_str_of(key);
	const struct fb_json_token *tokens;
	uint32_t at, end;

	if (!fb_json_is(o, FB_JSON_OBJECT))
		return absent;
	tokens = o.doc->tokens;
	end = token_of(o)->next;
	for (at = o.index + 1; at < end; at = tokens[at + 1].next)
		if (fb_json_string_eq(o.doc->text.at, &tokens[at], wanted))
			return (struct fb_json_value){ o.doc, at + 1 };
	return absent;
}

uint32_t fb_json_count(struct fb_json_value v)
{
	return fb_json_present(v) ? token_of(v)->count : 0;
}

/* The element, or the member whose key, at token `at`; absent at the container's end. */
static struct fb_json_value element_at(struct fb_json_value container, uint32_t at, struct fb_json_value *key)
{
	bool member = token_of(container)->type == FB_JSON_OBJECT, end = at == token_of(container)->next;

	if (key != NULL)
		*key = member && !end ? (struct fb_json_value){ container.doc, at } : absent;
	if (end)
		return absent;
	return (struct fb_json_value){ container.doc, member ? at + 1 : at };
}

struct fb_json_value fb_json_first(struct fb_json_value v, struct fb_json_value *key)
{
	if (fb_json_present(v))
		return element_at(v, v.index + 1, key);
	if (key != NULL)
		*key = absent;
	return absent;
}

struct fb_json_value fb_json_next(struct fb_json_value container, struct fb_json_value element,
				  struct fb_json_value *key)
{
	FB_ASSERT(container.doc == element.doc);
	FB_ASSERT(element.index > container.index && element.index < token_of(container)->next);
	return element_at(container, token_of(element)->next, key);
}

struct fb_str fb_json_raw(struct fb_json_value v)
{
	const struct fb_json_token *t;
	uint32_t quote;

	if (!fb_json_present(v))
		return FB_STR("");
	t = token_of(v);
	quote = t->type == FB_JSON_STRING;
	return (struct fb_str){ v.doc->text.at + t->start - quote, t->len + 2 * quote };
}

/* Copies the string with its escapes decoded, which never makes it longer. */
static size_t copy_unescaped(char *out, const char *at, const char *end)
{
	char *to = out;

	while (at < end) {
		const char *escape = memchr(at, '\\', (size_t)(end - at));
		size_t plain = (size_t)((escape == NULL ? end : escape) - at);
		uint8_t bytes[FB_JSON_ESCAPE_MAX];
		unsigned len;

		memcpy(to, at, plain);
		to += plain;
		at += plain;
		if (escape == NULL)
			break;
		at = fb_json_unescape(at, bytes, &len);
		memcpy(to, bytes, len);
		to += len;
	}
	return (size_t)(to - out);
}

enum fb_status fb_json_string(struct fb_str *out, struct fb_json_value v, struct fb_arena *a)
{
	const struct fb_json_token *t;
	const char *content;
	char *copy;

	if (!fb_json_present(v))
		return FB_MISSING;
	t = token_of(v);
	if (t->type != FB_JSON_STRING)
		return FB_WRONG_TYPE;
	content = v.doc->text.at + t->start;
	if (!t->escaped) {
		*out = (struct fb_str){ content, t->len };
		return FB_OK;
	}
	copy = fb_arena_alloc(a, t->len, 1);
	if (copy == NULL)
		return FB_NO_MEMORY;
	*out = (struct fb_str){ copy, copy_unescaped(copy, content, content + t->len) };
	FB_ASSERT(out->len <= t->len);
	return FB_OK;
}

enum fb_status fb_json_u64(uint64_t *out, struct fb_json_value v)
{
	enum fb_status st;

	if (!fb_json_present(v))
		return FB_MISSING;
	if (token_of(v)->type != FB_JSON_NUMBER)
		return FB_WRONG_TYPE;
	st = fb_u64_parse(out, fb_json_raw(v));
	return st == FB_BAD_SYNTAX ? FB_WRONG_TYPE : st;
}

enum fb_status fb_json_bool(bool *out, struct fb_json_value v)
{
	enum fb_json_type type;

	if (!fb_json_present(v))
		return FB_MISSING;
	type = (enum fb_json_type)token_of(v)->type;
	if (type != FB_JSON_TRUE && type != FB_JSON_FALSE)
		return FB_WRONG_TYPE;
	*out = type == FB_JSON_TRUE;
	return FB_OK;
}
