/* The tokeniser: one pass of recursive descent, its depth bounded by FB_JSON_DEPTH_MAX. */
#include "json_int.h"

#include <string.h>

struct parser {
	const char *base, *at, *end;
	struct fb_json_token *tokens;
	uint32_t used, cap, depth;
};

static enum fb_status parse_value(struct parser *p);

static void skip_blanks(struct parser *p)
{
	const char *at = p->at;

	while (at < p->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	p->at = at;
}

/* Steps over c, if c is what comes next. */
static bool accept(struct parser *p, char c)
{
	skip_blanks(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static enum fb_status expect(struct parser *p, char c)
{
	return accept(p, c) ? FB_OK : FB_BAD_SYNTAX;
}

static struct fb_json_token *add_token(struct parser *p, enum fb_json_type type)
{
	struct fb_json_token *t;

	if (p->used == p->cap)
		return NULL;
	t = &p->tokens[p->used++];
	*t = (struct fb_json_token){ .start = (uint32_t)(p->at - p->base), .next = p->used, .type = (uint8_t)type };
	return t;
}

static uint32_t len_since(const struct parser *p, const struct fb_json_token *t)
{
	return (uint32_t)(p->at - p->base) - t->start;
}

/* At the opening quote. */
static enum fb_status parse_string(struct parser *p)
{
	struct fb_json_token *t = add_token(p, FB_JSON_STRING);
	enum fb_status st;

	if (t == NULL)
		return FB_TOO_MANY;
	p->at++;
	t->start++;
	st = fb_json_scan_string(&p->at, p->end, &t->escaped);
	if (st != FB_OK)
		return st;
	t->len = len_since(p, t);
	p->at++;
	return FB_OK;
}

static enum fb_status parse_number(struct parser *p)
{
	struct fb_json_token *t = add_token(p, FB_JSON_NUMBER);
	enum fb_status st;

	if (t == NULL)
		return FB_TOO_MANY;
	st = fb_json_scan_number(&p->at, p->end);
	t->len = len_since(p, t);
	return st;
}

static enum fb_status parse_literal(struct parser *p, enum fb_json_type type, struct fb_str word)
{
	struct fb_json_token *t;

	if ((size_t)(p->end - p->at) < word.len || memcmp(p->at, word.at, word.len) != 0)
		return FB_BAD_SYNTAX;
	t = add_token(p, type);
	if (t == NULL)
		return FB_TOO_MANY;
	p->at += word.len;
	t->len = (uint32_t)word.len;
	return FB_OK;
}

static enum fb_status parse_elements(struct parser *p, struct fb_json_token *array)
{
	if (accept(p, ']'))
		return FB_OK;
	do {
		enum fb_status st = parse_value(p);

		if (st != FB_OK)
			return st;
		array->count++;
	} while (accept(p, ','));
	return expect(p, ']');
}

static enum fb_status parse_member(struct parser *p)
{
	enum fb_status st;

	skip_blanks(p);
	if (p->at == p->end || *p->at != '"')
		return FB_BAD_SYNTAX;
	st = parse_string(p);
	if (st == FB_OK)
		st = expect(p, ':');
	return st == FB_OK ? parse_value(p) : st;
}

static enum fb_status parse_members(struct parser *p, struct fb_json_token *object)
{
	if (accept(p, '}'))
		return FB_OK;
	do {
		enum fb_status st = object->count == FB_JSON_MEMBERS_MAX ? FB_TOO_MANY : parse_member(p);

		if (st != FB_OK)
			return st;
		object->count++;
	} while (accept(p, ','));
	return expect(p, '}');
}

/* Found at the object's end; the fault is where the repeated key stands. */
static enum fb_status check_keys(struct parser *p, const struct fb_json_token *object)
{
	uint32_t repeated = fb_json_repeated_key(p->base, p->tokens, (uint32_t)(object - p->tokens));

	if (repeated == 0)
		return FB_OK;
	p->at = p->base + p->tokens[repeated].start;
	return FB_DUPLICATE_KEY;
}

static enum fb_status parse_container(struct parser *p, enum fb_json_type type)
{
	struct fb_json_token *t;
	enum fb_status st;

	if (p->depth == FB_JSON_DEPTH_MAX)
		return FB_TOO_DEEP;
	t = add_token(p, type);
	if (t == NULL)
		return FB_TOO_MANY;
	p->at++;
	p->depth++;
	st = type == FB_JSON_OBJECT ? parse_members(p, t) : parse_elements(p, t);
	if (st != FB_OK)
		return st;
	p->depth--;
	t->len = len_since(p, t);
	t->next = p->used;
	return type == FB_JSON_OBJECT ? check_keys(p, t) : FB_OK;
}

static enum fb_status parse_value(struct parser *p)
{
	skip_blanks(p);
	if (p->at == p->end)
		return FB_BAD_SYNTAX;
	switch (*p->at) {
	case '"':
		return parse_string(p);
	case '{':
		return parse_container(p, FB_JSON_OBJECT);
	case '[':
		return parse_container(p, FB_JSON_ARRAY);
	case 't':
		return parse_literal(p, FB_JSON_TRUE, FB_STR("true"));
	case 'f':
		return parse_literal(p, FB_JSON_FALSE, FB_STR("false"));
	case 'n':
		return parse_literal(p, FB_JSON_NULL, FB_STR("null"));
	default:
		return parse_number(p);
	}
}

enum fb_status fb_json_parse(struct fb_json *doc, struct fb_json_token *tokens, size_t cap, struct fb_str text)
{
	struct parser p = { .tokens = tokens, .cap = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap };
	enum fb_status st;

	*doc = (struct fb_json){ .text = text, .tokens = tokens };
	if (text.len > UINT32_MAX)
		return FB_TOO_LARGE;
	if (text.len == 0)
		return FB_BAD_SYNTAX;
	p.base = p.at = text.at;
	p.end = text.at + text.len;
	st = parse_value(&p);
	if (st == FB_OK) {
		skip_blanks(&p);
		st = p.at == p.end ? FB_OK : FB_BAD_SYNTAX;
	}
	FB_ASSERT(p.at >= p.base && p.at <= p.end);
	if (st != FB_OK) {
		doc->error_at = (uint32_t)(p.at - p.base);
		return st;
	}
	FB_ASSERT(p.depth == 0 && p.used > 0 && tokens[0].next == p.used);
	doc->count = p.used;
	return FB_OK;
}
