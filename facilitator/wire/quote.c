/* What a buyer reads: the quotes of a 402, entries that make no sense left out. */
#include "wire_int.h"

/* One entry of accepts. False if a value in it is not what it should be. */
static bool read_quote(struct fb_quote *out, struct fb_wire_reader *r, struct fb_json_value entry, uint8_t version)
{
	struct fb_wire_node n = { entry, "" };

	*out = (struct fb_quote){ .version = version };
	fb_wire_read_requirement(r, &out->requirement, n, version);
	if (version == 1) {
		fb_wire_may_text(r, &out->url, n, "resource");
		fb_wire_may_text(r, &out->description, n, "description");
		fb_wire_may_text(r, &out->mime_type, n, "mimeType");
	}
	return r->status == FB_OK;
}

/* FB_NO_MEMORY. */
static enum fb_status read_accepts(struct fb_quotes *out, struct fb_json_value accepts, uint8_t version,
				   struct fb_arena *arena)
{
	struct fb_json_value entry;

	for (entry = fb_json_first(accepts, NULL); fb_json_present(entry); entry = fb_json_next(accepts, entry, NULL)) {
		struct fb_wire_reader r = { .arena = arena, .prefix = "" };
		struct fb_quote quote;

		if (!read_quote(&quote, &r, entry, version) || out->count == FB_QUOTES_MAX)
			out->skipped++;
		else
			out->quote[out->count++] = quote;
		if (r.status == FB_NO_MEMORY)
			return FB_NO_MEMORY;
	}
	FB_ASSERT(out->count + out->skipped == fb_json_count(accepts));
	return FB_OK;
}

/* The resource stands once beside the entries in version 2; what is no string in it is only not shown. */
static enum fb_status read_resource(struct fb_quotes *out, struct fb_json_value root, struct fb_arena *arena)
{
	struct fb_wire_reader r = { .arena = arena, .prefix = "" };
	struct fb_wire_node n = { root, "" }, resource = fb_wire_may_object(&r, n, "resource", "resource");
	struct fb_json_value extensions = fb_json_get(root, "extensions");
	struct fb_quote shown = { 0 };

	out->resource = fb_json_raw(resource.object);
	if (fb_json_is(extensions, FB_JSON_OBJECT))
		out->extensions = fb_json_raw(extensions);
	fb_wire_may_text(&r, &shown.url, resource, "url");
	fb_wire_may_text(&r, &shown.description, resource, "description");
	fb_wire_may_text(&r, &shown.mime_type, resource, "mimeType");
	for (size_t i = 0; i < out->count; i++) {
		out->quote[i].url = shown.url;
		out->quote[i].description = shown.description;
		out->quote[i].mime_type = shown.mime_type;
	}
	return r.status == FB_NO_MEMORY ? FB_NO_MEMORY : FB_OK;
}

static enum fb_status check_required(struct fb_json_value root, uint8_t version, struct fb_error *e)
{
	struct fb_json_value accepts = fb_json_get(root, "accepts");

	if (fb_json_absent_or_null(fb_json_get(root, "x402Version")))
		return fb_error_set(e, FB_MISSING, "the server's 402: x402Version: want %u", version);
	if (fb_wire_version(root) != version)
		return fb_error_set(e, FB_BAD_VALUE, "the server's 402: x402Version: want %u", version);
	if (fb_json_absent_or_null(accepts))
		return fb_error_set(e, FB_MISSING, "the server's 402: accepts: want an array");
	if (!fb_json_is(accepts, FB_JSON_ARRAY))
		return fb_error_set(e, FB_WRONG_TYPE, "the server's 402: accepts: want an array");
	if (fb_json_count(accepts) == 0)
		return fb_error_set(e, FB_MISSING, "the server's 402: accepts: want at least one entry");
	return FB_OK;
}

static enum fb_status read_quotes(struct fb_quotes *out, struct fb_json_value root, uint8_t version,
				  struct fb_arena *arena)
{
	struct fb_wire_reader r = { .arena = arena, .prefix = "" };
	enum fb_status st = read_accepts(out, fb_json_get(root, "accepts"), version, arena);

	fb_wire_may_text(&r, &out->error, (struct fb_wire_node){ root, "" }, "error");
	if (st == FB_OK && r.status == FB_NO_MEMORY)
		st = FB_NO_MEMORY;
	return st == FB_OK && version == 2 ? read_resource(out, root, arena) : st;
}

static enum fb_status read_required(struct fb_quotes *out, struct fb_str text, uint8_t version,
				    struct fb_json_token *tokens, struct fb_arena *arena, struct fb_error *e)
{
	struct fb_quotes quotes = { 0 };
	struct fb_json doc;
	enum fb_status st = fb_wire_open(&doc, text, tokens, "the server's 402", e);

	if (st == FB_OK)
		st = check_required(fb_json_root(&doc), version, e);
	if (st != FB_OK)
		return st;
	st = read_quotes(&quotes, fb_json_root(&doc), version, arena);
	if (st != FB_OK)
		return fb_error_set(e, st, "the server's 402: too long for the memory of one request");
	*out = quotes;
	return FB_OK;
}

enum fb_status fb_wire_read_required_v2(struct fb_quotes *out, struct fb_str header, struct fb_json_token *tokens,
					struct fb_arena *arena, struct fb_error *e)
{
	struct fb_str text;
	enum fb_status st = fb_wire_decode(&text, header, arena, "the server's PAYMENT-REQUIRED", e);

	return st == FB_OK ? read_required(out, text, 2, tokens, arena, e) : st;
}

enum fb_status fb_wire_read_required_v1(struct fb_quotes *out, struct fb_str body, struct fb_json_token *tokens,
					struct fb_arena *arena, struct fb_error *e)
{
	return read_required(out, body, 1, tokens, arena, e);
}
