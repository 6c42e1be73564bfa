/* Members of a body and parameters of a query, read by a table of rows. */
#include "farebox/envelope.h"

#include <inttypes.h>
#include <string.h>

/* ---- kinds ----------------------------------------------------------------------------------------------- */
static bool is_clean(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool check_text(struct fb_problem *p, const struct fb_member *f, struct fb_str s)
{
	if (s.len < f->min || s.len > f->max)
		return fb_problem_field(p, f->name, "want %" PRIu64 " to %" PRIu64 " bytes of text, not %zu", f->min,
					f->max, s.len);
	return is_clean(s) || fb_problem_field(p, f->name, "holds control characters");
}

static bool read_money(struct fb_problem *p, struct fb_value *out, const struct fb_member *f, struct fb_str s)
{
	enum fb_status st = fb_amount_parse_decimal(&out->money, s, FB_ENVELOPE_DECIMALS);

	if (st == FB_OK)
		return true;
	if (st == FB_BAD_VALUE)
		return fb_problem_field(p, f->name, "has more than %d digits behind the point", FB_ENVELOPE_DECIMALS);
	if (st == FB_OVERFLOW)
		return fb_problem_field(p, f->name, "is too large");
	return fb_problem_field(p, f->name, "want an amount as a decimal text like \"10.50\"");
}

/* v: where the reader whose status this is put the number. */
static bool check_number(struct fb_problem *p, const struct fb_member *f, enum fb_status st, const uint64_t *v)
{
	if (st == FB_OK && *v >= f->min && *v <= f->max)
		return true;
	return fb_problem_field(p, f->name, "want a whole number from %" PRIu64 " to %" PRIu64, f->min, f->max);
}

/* ---- bodies ---------------------------------------------------------------------------------------------- */
static bool out_of_memory(struct fb_problem *p)
{
	return fb_problem_set(p, 503, fb_status_info(FB_NO_MEMORY)->name, "there is no memory for this request");
}

static bool read_string(struct fb_problem *p, struct fb_str *out, const struct fb_member *f, struct fb_json_value v,
			struct fb_arena *a, const char *want)
{
	enum fb_status st = fb_json_string(out, v, a);

	if (st == FB_NO_MEMORY)
		return out_of_memory(p);
	return st == FB_OK || fb_problem_field(p, f->name, "want %s", want);
}

static bool read_texts(struct fb_problem *p, struct fb_value *out, const struct fb_member *f, struct fb_arena *a)
{
	struct fb_json_value e = fb_json_first(out->json, NULL);
	struct fb_str s;

	if (!fb_json_is(out->json, FB_JSON_ARRAY))
		return fb_problem_field(p, f->name, "want a list of texts");
	if (fb_json_count(out->json) < f->min || fb_json_count(out->json) > f->max)
		return fb_problem_field(p, f->name, "want %" PRIu64 " to %" PRIu64 " texts", f->min, f->max);
	for (; fb_json_present(e); e = fb_json_next(out->json, e, NULL)) {
		if (!read_string(p, &s, f, e, a, "a list of texts"))
			return false;
		if (s.len == 0 || s.len > FB_LIST_TEXT_MAX || !is_clean(s))
			return fb_problem_field(p, f->name, "want texts of 1 to %d bytes without control characters",
						FB_LIST_TEXT_MAX);
	}
	out->text = fb_json_raw(out->json);
	return true;
}

static bool read_object(struct fb_problem *p, struct fb_value *out, const struct fb_member *f)
{
	out->text = fb_json_raw(out->json);
	if (!fb_json_is(out->json, FB_JSON_OBJECT))
		return fb_problem_field(p, f->name, "want an object");
	return out->text.len <= f->max || fb_problem_field(p, f->name, "has more than %" PRIu64 " bytes", f->max);
}

static bool read_member(struct fb_problem *p, struct fb_value *out, const struct fb_member *f, struct fb_arena *a)
{
	switch (f->kind) {
	case FB_MEMBER_TEXT:
		return read_string(p, &out->text, f, out->json, a, "a text") && check_text(p, f, out->text);
	case FB_MEMBER_MONEY:
		return read_string(p, &out->text, f, out->json, a, "an amount as a decimal text like \"10.50\"") &&
		       read_money(p, out, f, out->text);
	case FB_MEMBER_NUMBER:
		return check_number(p, f, fb_json_u64(&out->number, out->json), &out->number);
	case FB_MEMBER_BOOL:
		return fb_json_bool(&out->truth, out->json) == FB_OK || fb_problem_field(p, f->name, "want true or false");
	case FB_MEMBER_TEXTS:
		return read_texts(p, out, f, a);
	case FB_MEMBER_OBJECT:
		return read_object(p, out, f);
	}
	FB_UNREACHABLE("a kind of field");
}

static bool has_row(const struct fb_member *fields, size_t count, struct fb_str name)
{
	for (size_t i = 0; i < count; i++)
		if (fb_str_eq(fb_str_of(fields[i].name), name))
			return true;
	return false;
}

/* What a stranger named, as far as it can be shown. */
static bool unknown(struct fb_problem *p, struct fb_str name, const char *what)
{
	char shown[48];
	size_t len = name.len < sizeof(shown) - 1 ? name.len : sizeof(shown) - 1;

	for (size_t i = 0; i < len; i++)
		shown[i] = (name.at[i] >= ' ' && name.at[i] <= '~') ? name.at[i] : '?';
	shown[len] = '\0';
	return fb_problem_field(p, shown, "%s", what);
}

static bool check_members(struct fb_problem *p, struct fb_json_value root, const struct fb_member *fields, size_t count,
			  struct fb_arena *a)
{
	struct fb_json_value key, v = fb_json_first(root, &key);
	struct fb_str name;

	for (; fb_json_present(v); v = fb_json_next(root, v, &key)) {
		if (fb_json_string(&name, key, a) != FB_OK)
			return out_of_memory(p);
		if (!has_row(fields, count, name))
			return unknown(p, name, "is not a member of this request");
	}
	return true;
}

static bool read_rows(struct fb_problem *p, struct fb_value *out, struct fb_json_value root,
		      const struct fb_member *fields, size_t count, struct fb_arena *a)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct fb_value){ .json = fb_json_get(root, fields[i].name) };
		out[i].present = !fb_json_absent_or_null(out[i].json);
		if (!out[i].present && fields[i].needed)
			return fb_problem_field(p, fields[i].name, "is missing");
		if (out[i].present && !read_member(p, &out[i], &fields[i], a))
			return false;
	}
	return true;
}

static bool check_type(struct fb_problem *p, const struct fb_request *r)
{
	struct fb_str type = fb_request_header(r, "Content-Type"), head = type, rest;

	(void)fb_str_split(&head, &rest, type, ';');
	if (type.len == 0 || fb_str_eq_nocase(fb_str_trim(head), FB_STR("application/json")))
		return true;
	return fb_problem_set(p, 415, fb_status_info(FB_MEDIA_TYPE)->name, "want Content-Type: application/json");
}

static bool parse(struct fb_problem *p, struct fb_json *doc, struct fb_request *r)
{
	size_t cap = r->body.len / 2 + 2 < FB_BODY_TOKENS_MAX ? r->body.len / 2 + 2 : FB_BODY_TOKENS_MAX;
	struct fb_json_token *tokens = fb_arena_alloc(r->arena, cap, sizeof(*tokens));
	enum fb_status st;

	if (tokens == NULL)
		return out_of_memory(p);
	st = fb_json_parse(doc, tokens, cap, r->body);
	if (st != FB_OK)
		return fb_problem_set(p, 400, "invalid_json", "the body is no JSON that can be read: %s at byte %u",
				      fb_status_info(st)->name, (unsigned)doc->error_at);
	return fb_json_is(fb_json_root(doc), FB_JSON_OBJECT) ||
	       fb_problem_set(p, 400, "invalid_json", "the body is not a JSON object");
}

bool fb_body_read(struct fb_problem *p, struct fb_value *out, struct fb_request *r, const struct fb_member *fields,
		  size_t count)
{
	struct fb_json *doc = FB_NEW(r->arena, struct fb_json);

	FB_ASSERT(count <= FB_MEMBERS_MAX);
	if (doc == NULL)
		return out_of_memory(p);
	return check_type(p, r) && parse(p, doc, r) &&
	       check_members(p, fb_json_root(doc), fields, count, r->arena) &&
	       read_rows(p, out, fb_json_root(doc), fields, count, r->arena);
}

bool fb_body_read_optional(struct fb_problem *p, struct fb_value *out, struct fb_request *r,
			   const struct fb_member *fields, size_t count)
{
	if (r->body.len == 0)
		r->body = FB_STR("{}");
	return fb_body_read(p, out, r, fields, count);
}

/* ---- queries --------------------------------------------------------------------------------------------- */
static bool read_parameter(struct fb_problem *p, struct fb_value *out, const struct fb_member *f)
{
	switch (f->kind) {
	case FB_MEMBER_TEXT:
		return check_text(p, f, out->text);
	case FB_MEMBER_MONEY:
		return read_money(p, out, f, out->text);
	case FB_MEMBER_NUMBER:
		return check_number(p, f, fb_u64_parse(&out->number, out->text), &out->number);
	case FB_MEMBER_BOOL:
		out->truth = fb_str_eq(out->text, FB_STR("true"));
		return out->truth || fb_str_eq(out->text, FB_STR("false")) ||
		       fb_problem_field(p, f->name, "want true or false");
	case FB_MEMBER_TEXTS:
	case FB_MEMBER_OBJECT:
		break;
	}
	FB_UNREACHABLE("a query has no lists and objects");
}

/* Names count as they are written: one that is escaped is none of ours. */
static bool check_names(struct fb_problem *p, struct fb_str query, const struct fb_member *fields, size_t count)
{
	struct fb_str rest = query, part, tail, name, value;

	while (rest.len > 0) {
		part = rest;
		if (!fb_str_split(&part, &tail, rest, '&'))
			tail = (struct fb_str){ "", 0 };
		rest = tail;
		name = part;
		(void)fb_str_split(&name, &value, part, '=');
		if (name.len > 0 && !has_row(fields, count, name))
			return unknown(p, name, "is not a parameter of this request");
	}
	return true;
}

bool fb_query_read(struct fb_problem *p, struct fb_value *out, struct fb_request *r, const struct fb_member *fields,
		   size_t count)
{
	if (!check_names(p, r->query, fields, count))
		return false;
	for (size_t i = 0; i < count; i++) {
		enum fb_status st;

		out[i] = (struct fb_value){ .present = false };
		st = fb_request_query(r, &out[i].text, fields[i].name);
		if (st == FB_NO_MEMORY)
			return out_of_memory(p);
		if (st == FB_BAD_SYNTAX)
			return fb_problem_field(p, fields[i].name, "is given twice or cannot be decoded");
		if (st != FB_OK && fields[i].needed)
			return fb_problem_field(p, fields[i].name, "is missing");
		out[i].present = st == FB_OK;
		if (out[i].present && !read_parameter(p, &out[i], &fields[i]))
			return false;
	}
	return true;
}
