/* Properties of the tokeniser, over any bytes:
 * 1. no input makes it read or write out of bounds, and it stops within the text;
 * 2. in what it accepts every token lies inside the text and every skip link inside its container;
 * 3. written again from its tokens (raw scalars, strings decoded and encoded) it is accepted with the
 *    same shape, and writing that again gives the same bytes;
 * 4. a member is found by its own key. */
#include "farebox/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS = 4096, TEXT_MAX = 1 << 17, OUT_MAX = 6 * TEXT_MAX };

static _Alignas(16) unsigned char memory[2 * TEXT_MAX];

static void check_tokens(const struct fb_json *doc)
{
	for (uint32_t i = 0; i < doc->count; i++) {
		const struct fb_json_token *t = &doc->tokens[i];

		FB_ASSERT(t->type <= FB_JSON_OBJECT);
		FB_ASSERT((size_t)t->start + t->len <= doc->text.len);
		FB_ASSERT(t->next > i && t->next <= doc->count);
		FB_ASSERT(t->type >= FB_JSON_ARRAY || (t->next == i + 1 && t->count == 0));
	}
}

static void rewrite(struct fb_jw *w, struct fb_json_value v, struct fb_arena *a);

static struct fb_str text_of(struct fb_json_value v, struct fb_arena *a)
{
	struct fb_str s;

	FB_ASSERT(fb_json_string(&s, v, a) == FB_OK);
	return s;
}

/* Keys are C strings to the writer: what the tokeniser lets through holds no NUL. */
static void rewrite_member(struct fb_jw *w, struct fb_json_value object, struct fb_json_value key,
			   struct fb_json_value v, struct fb_arena *a)
{
	char *name = fb_arena_copy(a, text_of(key, a));

	FB_ASSERT(name != NULL && strlen(name) == text_of(key, a).len);
	FB_ASSERT(fb_json_get(object, name).index == v.index);
	fb_jw_key(w, name);
	rewrite(w, v, a);
}

static void rewrite_items(struct fb_jw *w, struct fb_json_value v, struct fb_arena *a)
{
	struct fb_json_value key, item;
	uint32_t n = 0, end = v.doc->tokens[v.index].next;

	for (item = fb_json_first(v, &key); fb_json_present(item); item = fb_json_next(v, item, &key)) {
		FB_ASSERT(v.doc->tokens[item.index].next <= end);
		if (fb_json_present(key))
			rewrite_member(w, v, key, item, a);
		else
			rewrite(w, item, a);
		n++;
	}
	FB_ASSERT(n == fb_json_count(v));
}

static void rewrite(struct fb_jw *w, struct fb_json_value v, struct fb_arena *a)
{
	if (fb_json_is(v, FB_JSON_STRING)) {
		fb_jw_str(w, text_of(v, a));
	} else if (fb_json_is(v, FB_JSON_ARRAY) || fb_json_is(v, FB_JSON_OBJECT)) {
		if (fb_json_is(v, FB_JSON_ARRAY))
			fb_jw_array(w);
		else
			fb_jw_object(w);
		rewrite_items(w, v, a);
		fb_jw_end(w);
	} else {
		fb_jw_raw(w, fb_json_raw(v));
	}
}

/* False if the writer cannot nest as deep as the document. */
static bool write_again(struct fb_buf *out, char *block, const struct fb_json *doc)
{
	struct fb_arena a;
	struct fb_jw w;
	uint32_t depth = 0, max = 0;

	for (size_t i = 0; i < doc->text.len; i++) { /* an upper bound: brackets in strings count too */
		depth += doc->text.at[i] == '[' || doc->text.at[i] == '{';
		max = depth > max ? depth : max;
		depth -= (doc->text.at[i] == ']' || doc->text.at[i] == '}') && depth > 0;
	}
	if (max >= FB_JSON_DEPTH_MAX)
		return false;
	fb_arena_init(&a, memory, sizeof(memory));
	fb_buf_init(out, block, OUT_MAX);
	fb_jw_init(&w, out);
	rewrite(&w, fb_json_root(doc), &a);
	return !out->overflowed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fb_json_token first[TOKENS], second[TOKENS];
	static char once[OUT_MAX], twice[OUT_MAX];
	struct fb_buf one, two;
	struct fb_json doc, again;

	if (size > TEXT_MAX / 8)
		return 0;
	if (fb_json_parse(&doc, first, TOKENS, (struct fb_str){ (const char *)data, size }) != FB_OK) {
		FB_ASSERT(doc.error_at <= size);
		return 0;
	}
	check_tokens(&doc);
	if (!write_again(&one, once, &doc))
		return 0;
	FB_ASSERT(fb_json_parse(&again, second, TOKENS, fb_buf_view(&one)) == FB_OK);
	check_tokens(&again);
	FB_ASSERT(again.count == doc.count);
	for (uint32_t i = 0; i < doc.count; i++)
		FB_ASSERT(first[i].type == second[i].type && first[i].next == second[i].next &&
			  first[i].count == second[i].count);
	FB_ASSERT(write_again(&two, twice, &again));
	FB_ASSERT(fb_str_eq(fb_buf_view(&one), fb_buf_view(&two)));
	return 0;
}
