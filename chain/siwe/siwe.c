/* The message: its lines, in their order, and its signature. */
#include "farebox/siwe.h"

#include "farebox/crypto.h"

#include <inttypes.h>
#include <string.h>

/* ---- lines ------------------------------------------------------------------------------------------------------ */
struct reader {
	struct fb_str rest;
	struct fb_error *error;
	const char *field; /* being read */
};

static enum fb_status bad(const struct reader *r, const char *why)
{
	return fb_error_set(r->error, FB_BAD_SYNTAX, "%s: %s", r->field, why);
}

static bool take(struct reader *r, struct fb_str text)
{
	if (!fb_str_starts(r->rest, text))
		return false;
	r->rest = (struct fb_str){ r->rest.at + text.len, r->rest.len - text.len };
	return true;
}

/* Up to the end of the line, which stays; the last one has none. */
static struct fb_str take_line(struct reader *r)
{
	const char *end = memchr(r->rest.at, '\n', r->rest.len);
	struct fb_str line = { r->rest.at, end == NULL ? r->rest.len : (size_t)(end - r->rest.at) };

	r->rest = (struct fb_str){ line.at + line.len, r->rest.len - line.len };
	return line;
}

/* "\nTITLE" is next, and what stands behind it to the end of the line is *out. */
static enum fb_status take_field(struct reader *r, struct fb_str *out, const char *title)
{
	struct fb_str start = FB_STR("\n");

	r->field = title;
	if (!take(r, start) || !take(r, fb_str_of(title)) || !take(r, FB_STR(": ")))
		return bad(r, "the line is not where it belongs");
	*out = take_line(r);
	return FB_OK;
}

/* The line may be missing. */
static bool has_field(const struct reader *r, const char *title)
{
	struct reader ahead = *r;

	return take(&ahead, FB_STR("\n")) && take(&ahead, fb_str_of(title)) && take(&ahead, FB_STR(":"));
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */
static bool is_scheme(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!alpha && (i == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
			return false;
	}
	return s.len > 0;
}

static enum fb_status read_domain(struct reader *r, struct fb_siwe *out)
{
	struct fb_str line = take_line(r), end = FB_STR(" wants you to sign in with your Ethereum account:");
	struct fb_str head = { line.at, line.len < end.len ? 0 : line.len - end.len };

	r->field = "domain";
	if (line.len < end.len || !fb_str_eq((struct fb_str){ line.at + head.len, end.len }, end))
		return bad(r, "the first line does not end in \"wants you to sign in with your Ethereum account:\"");
	out->scheme = (struct fb_str){ "", 0 };
	for (size_t i = 0; i + 3 <= head.len; i++)
		if (memcmp(head.at + i, "://", 3) == 0) {
			out->scheme = (struct fb_str){ head.at, i };
			if (!is_scheme(out->scheme))
				return bad(r, "its scheme is none");
			head = (struct fb_str){ head.at + i + 3, head.len - i - 3 };
			break;
		}
	out->domain = head;
	return fb_siwe_is_authority(head) ? FB_OK : bad(r, "it is no host with an optional port");
}

static enum fb_status read_address(struct reader *r, struct fb_siwe *out)
{
	char block[FB_ADDRESS_TEXT_LEN];
	struct fb_str line;
	struct fb_buf b;

	r->field = "address";
	if (!take(r, FB_STR("\n")))
		return bad(r, "it is missing");
	line = take_line(r);
	if (fb_address_parse(&out->address, line) != FB_OK)
		return bad(r, "want 0x and 40 hex digits");
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_address_checksum(&b, &out->address);
	if (fb_str_eq(line, fb_buf_view(&b)))
		return FB_OK;
	return fb_error_set(r->error, FB_BAD_CHECKSUM, "address: not in its EIP-55 spelling, which is %.*s",
			    FB_STR_ARG(fb_buf_view(&b)));
}

static bool is_statement(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < ' ' || s.at[i] > '~' || strchr("\"%<>\\^`{|}", s.at[i]) != NULL)
			return false;
	return true;
}

/* The address's end and an empty line; then the statement and its end, or nothing; then an empty line, whose end is the
 * next field's beginning. So a statement that is there and empty is one line more than none. */
static enum fb_status read_statement(struct reader *r, struct fb_siwe *out)
{
	r->field = "statement";
	out->statement = (struct fb_str){ "", 0 };
	out->has_statement = false;
	if (!take(r, FB_STR("\n\n")))
		return bad(r, "want an empty line behind the address");
	if (has_field(r, "URI"))
		return FB_OK;
	out->has_statement = true;
	out->statement = take_line(r);
	if (!is_statement(out->statement))
		return bad(r, "holds characters that may not be in it");
	return take(r, FB_STR("\n")) ? FB_OK : bad(r, "want an empty line behind it");
}

static bool is_nonce(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
			return false;
	}
	return s.len >= FB_SIWE_NONCE_MIN;
}

static enum fb_status read_numbers(struct reader *r, struct fb_siwe *out)
{
	struct fb_str text;
	enum fb_status st = take_field(r, &out->uri, "URI");

	if (st == FB_OK && !fb_siwe_is_uri(out->uri))
		return bad(r, "it is no URI");
	if (st == FB_OK)
		st = take_field(r, &text, "Version");
	if (st == FB_OK && !fb_str_eq(text, FB_STR("1")))
		return bad(r, "want 1");
	if (st == FB_OK)
		st = take_field(r, &text, "Chain ID");
	if (st == FB_OK && fb_u64_parse(&out->chain_id, text) != FB_OK)
		return bad(r, "want a number");
	if (st == FB_OK)
		st = take_field(r, &out->nonce, "Nonce");
	if (st == FB_OK && !is_nonce(out->nonce))
		return bad(r, "want at least 8 letters and digits");
	return st;
}

static enum fb_status read_time(struct reader *r, int64_t *out, const char *title)
{
	struct fb_str text;
	enum fb_status st = take_field(r, &text, title);

	if (st == FB_OK && fb_siwe_time(out, text) != FB_OK)
		return bad(r, "want a time like 2026-01-31T12:00:00Z");
	return st;
}

static bool is_request_id(struct fb_str s)
{
	struct fb_str scheme = FB_STR("x:");
	char uri[FB_SIWE_LEN_MAX + 2];

	/* The characters of a path's segment are those of a URI's path but for the slash, the query and the fragment. */
	if (s.len == 0 || memchr(s.at, '/', s.len) != NULL || memchr(s.at, '?', s.len) != NULL ||
	    memchr(s.at, '#', s.len) != NULL)
		return false;
	memcpy(uri, scheme.at, scheme.len);
	memcpy(uri + scheme.len, s.at, s.len);
	return fb_siwe_is_uri((struct fb_str){ uri, scheme.len + s.len });
}

static enum fb_status read_resources(struct reader *r, struct fb_siwe *out)
{
	struct fb_str line;

	r->field = "Resources";
	(void)take(r, FB_STR("\nResources:"));
	out->has_resources = true;
	out->resources = r->rest;
	while (take(r, FB_STR("\n"))) {
		if (!take(r, FB_STR("- ")))
			return bad(r, "want each on a line of its own behind \"- \"");
		line = take_line(r);
		if (!fb_siwe_is_uri(line))
			return bad(r, "holds something that is no URI");
		out->resource_count++;
	}
	return FB_OK;
}

static enum fb_status read_optional(struct reader *r, struct fb_siwe *out)
{
	enum fb_status st = FB_OK;

	out->expires = has_field(r, "Expiration Time");
	if (out->expires)
		st = read_time(r, &out->expires_us, "Expiration Time");
	out->starts = st == FB_OK && has_field(r, "Not Before");
	if (out->starts)
		st = read_time(r, &out->starts_us, "Not Before");
	if (st == FB_OK && has_field(r, "Request ID")) {
		st = take_field(r, &out->request_id, "Request ID");
		if (st == FB_OK && !is_request_id(out->request_id))
			return bad(r, "is empty or holds characters that may not be in it");
	}
	if (st == FB_OK && has_field(r, "Resources"))
		st = read_resources(r, out);
	r->field = "message";
	if (st == FB_OK && r->rest.len > 0)
		return bad(r, "something stands behind its last field, or out of order");
	return st;
}

enum fb_status fb_siwe_parse(struct fb_siwe *out, struct fb_str message, struct fb_error *e)
{
	struct reader r = { .rest = message, .error = e };
	struct fb_siwe m = { .request_id = { "", 0 }, .resources = { "", 0 } };
	enum fb_status st;

	if (message.len > FB_SIWE_LEN_MAX)
		return fb_error_set(e, FB_TOO_LARGE, "message: more than %d bytes", FB_SIWE_LEN_MAX);
	st = read_domain(&r, &m);
	if (st == FB_OK)
		st = read_address(&r, &m);
	if (st == FB_OK)
		st = read_statement(&r, &m);
	if (st == FB_OK)
		st = read_numbers(&r, &m);
	if (st == FB_OK)
		st = read_time(&r, &m.issued_us, "Issued At");
	if (st == FB_OK)
		st = read_optional(&r, &m);
	if (st == FB_OK)
		*out = m;
	return st;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */
enum fb_status fb_siwe_check_time(const struct fb_siwe *m, int64_t now_us, struct fb_error *e)
{
	if (m->expires && now_us >= m->expires_us)
		return fb_error_set(e, FB_BAD_VALUE, "Expiration Time: the message has expired");
	if (m->starts && now_us < m->starts_us)
		return fb_error_set(e, FB_BAD_VALUE, "Not Before: the message is not valid yet");
	return FB_OK;
}

struct fb_hash fb_siwe_digest(struct fb_str message)
{
	return fb_eip191_hash(message);
}

enum fb_status fb_siwe_signer(struct fb_address *out, struct fb_str message, struct fb_str signature)
{
	struct fb_hash digest = fb_siwe_digest(message);
	uint8_t bytes[FB_SIGNATURE_LEN];
	struct fb_signature s;
	enum fb_status st;

	if (signature.len != sizeof(bytes))
		return FB_BAD_LENGTH;
	memcpy(bytes, signature.at, sizeof(bytes));
	if (bytes[FB_SIGNATURE_LEN - 1] <= 1)
		bytes[FB_SIGNATURE_LEN - 1] = (uint8_t)(bytes[FB_SIGNATURE_LEN - 1] + 27);
	st = fb_signature_unpack(&s, (struct fb_str){ (const char *)bytes, sizeof(bytes) });
	return st == FB_OK ? fb_recover(out, &s, &digest) : st;
}
