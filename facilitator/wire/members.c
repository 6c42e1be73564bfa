/* Members of a message as typed values: the first fault is kept, with the path of what is wrong. */
#include "wire_int.h"

void fb_wire_fault(struct fb_wire_reader *r, struct fb_wire_node n, const char *key, enum fb_status s, const char *want)
{
	FB_ASSERT(s != FB_OK);
	if (r->status != FB_OK)
		return;
	fb_error_set(r->e, s, "%s%s%s%s: want %s", r->prefix, n.path, n.path[0] == '\0' ? "" : ".", key, want);
	r->status = s;
}

/* True with *v if the member is there and no null. */
static bool take(struct fb_json_value *v, struct fb_wire_node n, const char *key)
{
	*v = fb_json_get(n.object, key);
	return !fb_json_absent_or_null(*v);
}

/* A string that must be there; false after a fault. */
static bool take_text(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n, const char *key,
		      const char *want)
{
	struct fb_json_value v;
	enum fb_status st = take(&v, n, key) ? fb_json_string(out, v, r->arena) : FB_MISSING;

	if (st != FB_OK)
		fb_wire_fault(r, n, key, st, st == FB_NO_MEMORY ? "less text" : want);
	return st == FB_OK;
}

static struct fb_wire_node take_object(struct fb_wire_reader *r, struct fb_wire_node n, const char *key,
				       const char *path, bool needed)
{
	static const struct fb_wire_node none = { { NULL, 0 }, "" };
	struct fb_json_value v;

	if (take(&v, n, key) && fb_json_is(v, FB_JSON_OBJECT))
		return (struct fb_wire_node){ v, path };
	if (needed || !fb_json_absent_or_null(v))
		fb_wire_fault(r, n, key, fb_json_absent_or_null(v) ? FB_MISSING : FB_WRONG_TYPE, "an object");
	return none;
}

struct fb_wire_node fb_wire_need_object(struct fb_wire_reader *r, struct fb_wire_node n, const char *key,
					const char *path)
{
	return take_object(r, n, key, path, true);
}

struct fb_wire_node fb_wire_may_object(struct fb_wire_reader *r, struct fb_wire_node n, const char *key,
				       const char *path)
{
	return take_object(r, n, key, path, false);
}

void fb_wire_need_text(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n, const char *key)
{
	static const char want[] = "a string that is not empty";
	struct fb_str text;

	if (!take_text(r, &text, n, key, want))
		return;
	if (text.len == 0)
		fb_wire_fault(r, n, key, FB_BAD_VALUE, want);
	else
		*out = text;
}

void fb_wire_may_text(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n, const char *key)
{
	struct fb_json_value v;
	struct fb_str text;

	if (take(&v, n, key) && take_text(r, &text, n, key, "a string"))
		*out = text;
}

void fb_wire_need_network(struct fb_wire_reader *r, struct fb_str *out, struct fb_wire_node n)
{
	static const char want[] = "the name of a network";
	struct fb_str text;

	if (!take_text(r, &text, n, "network", want))
		return;
	if (text.len == 0 || text.len > FB_WIRE_NETWORK_MAX)
		fb_wire_fault(r, n, "network", FB_BAD_VALUE, want);
	else
		*out = text;
}

void fb_wire_need_u256(struct fb_wire_reader *r, struct fb_u256 *out, struct fb_wire_node n, const char *key)
{
	static const char want[] = "a string of decimal digits, below 2^256";
	struct fb_str text;

	if (take_text(r, &text, n, key, want) && fb_u256_parse(out, text) != FB_OK)
		fb_wire_fault(r, n, key, FB_BAD_VALUE, want);
}

void fb_wire_need_address(struct fb_wire_reader *r, struct fb_address *out, struct fb_str *text, struct fb_wire_node n,
			  const char *key)
{
	static const char want[] = "an address, 0x and 40 hex digits";
	struct fb_str came;

	if (!take_text(r, &came, n, key, want))
		return;
	if (fb_address_parse(out, came) != FB_OK)
		fb_wire_fault(r, n, key, FB_BAD_VALUE, want);
	else if (text != NULL)
		*text = came;
}

void fb_wire_need_hash(struct fb_wire_reader *r, struct fb_hash *out, struct fb_wire_node n, const char *key)
{
	static const char want[] = "0x and 64 hex digits";
	struct fb_str text;

	if (take_text(r, &text, n, key, want) && fb_hash_parse(out, text) != FB_OK)
		fb_wire_fault(r, n, key, FB_BAD_VALUE, want);
}

void fb_wire_need_seconds(struct fb_wire_reader *r, uint64_t *out, struct fb_wire_node n, const char *key)
{
	static const char want[] = "a whole number of seconds above 0";
	struct fb_json_value v;
	uint64_t seconds = 0;
	enum fb_status st = take(&v, n, key) ? fb_json_u64(&seconds, v) : FB_MISSING;

	if (st == FB_OVERFLOW || (st == FB_OK && seconds == 0))
		st = FB_BAD_VALUE;
	if (st != FB_OK)
		fb_wire_fault(r, n, key, st, want);
	else
		*out = seconds;
}

enum fb_status fb_wire_open(struct fb_json *doc, struct fb_str text, struct fb_json_token *tokens, const char *what,
			    struct fb_error *e)
{
	enum fb_status st = fb_json_parse(doc, tokens, FB_WIRE_TOKENS, text);

	if (st != FB_OK)
		return fb_error_set(e, st, "%s: not acceptable as JSON, %s at byte %u", what, fb_status_info(st)->name,
				    doc->error_at);
	if (!fb_json_is(fb_json_root(doc), FB_JSON_OBJECT))
		return fb_error_set(e, FB_WRONG_TYPE, "%s: want a JSON object", what);
	return FB_OK;
}

enum fb_status fb_wire_decode(struct fb_str *out, struct fb_str base64, struct fb_arena *a, const char *what,
			      struct fb_error *e)
{
	size_t cap = base64.len / 4 * 3, len;
	uint8_t *bytes = fb_arena_alloc(a, cap + 1, 1);
	enum fb_status st;

	if (bytes == NULL)
		return fb_error_set(e, FB_NO_MEMORY, "%s: too long for the memory of one request", what);
	st = fb_base64_decode(bytes, &len, cap, base64);
	if (st != FB_OK)
		return fb_error_set(e, st, "%s: want base64 of the standard alphabet, padded", what);
	*out = (struct fb_str){ (const char *)bytes, len };
	return FB_OK;
}

uint8_t fb_wire_version(struct fb_json_value message)
{
	uint64_t v;

	if (fb_json_u64(&v, fb_json_get(message, "x402Version")) != FB_OK)
		return 0;
	return v == 1 || v == 2 ? (uint8_t)v : 0;
}
