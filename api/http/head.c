/* The checks of a request's head that libmicrohttpd 0.9.75 does not make.
 *
 * It joins folded lines onto the header's name, stops names and values at a NUL, takes a bare LF for a line's end,
 * and drops a header with an empty name along with all that follow. None of that shows in the names and values it
 * hands out, but all of it shows in where they lie: it cuts the received bytes up in place. So the whole head is
 * measured: method, target, version, then every name, colon, blanks, value and CRLF must follow each other without a
 * gap, from the first byte to the last (its own count of header bytes). What was glued, cut or dropped leaves a gap.
 *
 * Not detectable here, because libmicrohttpd reads it itself later: a bare LF inside chunked framing and chunk
 * extensions (both skipped), and trailer fields (kept apart, never read by us). Answered by libmicrohttpd itself,
 * with its own page and a closed connection: a line without a colon, a bad chunk size, a bad Content-Length (400; the
 * head of that answer comes twice), a bad version (400, 505), a head beyond its memory (414, 431); without any answer:
 * a first line that does not begin with a word and a blank. */
#include "http_int.h"

#include <string.h>

/* Headers that may come once, and must not be shadowed by a name with '_' (many gateways map both to one). */
enum known {
	K_HOST,
	K_CONTENT_LENGTH,
	K_TRANSFER_ENCODING,
	K_CONTENT_TYPE,
	K_AUTHORIZATION,
	K_PAYMENT_SIGNATURE,
	K_X_PAYMENT,
	K_IDEMPOTENCY_KEY,
	K_ORIGIN,
	K_X_REQUEST_ID, /* a repeated one is ignored */
	K_COUNT
};
static const struct fb_str known_names[K_COUNT] = {
	[K_HOST] = { "host", 4 },
	[K_CONTENT_LENGTH] = { "content-length", 14 },
	[K_TRANSFER_ENCODING] = { "transfer-encoding", 17 },
	[K_CONTENT_TYPE] = { "content-type", 12 },
	[K_AUTHORIZATION] = { "authorization", 13 },
	[K_PAYMENT_SIGNATURE] = { "payment-signature", 17 },
	[K_X_PAYMENT] = { "x-payment", 9 },
	[K_IDEMPOTENCY_KEY] = { "idempotency-key", 15 },
	[K_ORIGIN] = { "origin", 6 },
	[K_X_REQUEST_ID] = { "x-request-id", 12 },
};

struct scan {
	const char *fault;
	const char *expect; /* where the next byte of the head must lie */
	unsigned counts[K_COUNT];
	struct fb_str values[K_COUNT];
};

/* RFC 9110 5.6.2: a token's characters. */
static const bool is_tchar[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
	['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};

static bool is_token(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_tchar[(unsigned char)s.at[i]])
			return false;
	return s.len > 0;
}

/* RFC 9110 5.5: visible bytes, blanks, and what is beyond ASCII. */
static bool is_field_value(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* In lower case, '_' read as '-'. */
static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

static enum known known_of(struct fb_str name)
{
	for (int k = 0; k < K_COUNT; k++) {
		size_t i = 0;

		if (known_names[k].len != name.len)
			continue;
		while (i < name.len && folded(name.at[i]) == known_names[k].at[i])
			i++;
		if (i == name.len)
			return (enum known)k;
	}
	return K_COUNT;
}

/* Between a name and its value libmicrohttpd skips the colon and blanks, nothing else. */
static bool in_place(struct scan *s, struct fb_str name, struct fb_str value)
{
	if (name.at != s->expect || value.at <= name.at + name.len)
		return false;
	s->expect = value.at + value.len + 2; /* behind CRLF */
	return true;
}

static const char *fault_of(struct scan *s, struct fb_str name, struct fb_str value)
{
	enum known k;

	if (!in_place(s, name, value))
		return "a head that is not plain lines";
	if (!is_token(name))
		return "a header name that is no token";
	if (!is_field_value(value))
		return "a control byte in a header";
	k = known_of(name);
	if (k == K_COUNT)
		return NULL;
	if (memchr(name.at, '_', name.len) != NULL)
		return "a header name with _ that shadows another";
	s->values[k] = fb_str_trim(value);
	return ++s->counts[k] > 1 && k != K_X_REQUEST_ID ? "a header that may come once came twice" : NULL;
}

static enum MHD_Result on_header(void *scan, enum MHD_ValueKind kind, const char *name, size_t name_len,
				 const char *value, size_t value_len)
{
	struct scan *s = scan;

	(void)kind;
	s->fault = fault_of(s, (struct fb_str){ name, name_len }, (struct fb_str){ value, value_len });
	return s->fault == NULL ? MHD_YES : MHD_NO;
}

/* A name or an IPv4 address; in brackets an IPv6 address. */
static bool is_host_char(char c, bool bracket)
{
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return letter || (c >= '0' && c <= '9') || c == '.' || (bracket ? c == ':' : c == '-' || c == '_');
}

static bool is_port(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.len <= 5;
}

static bool is_host(struct fb_str host)
{
	bool bracket = host.len > 0 && host.at[0] == '[';
	size_t start = bracket, i = start;

	while (i < host.len && is_host_char(host.at[i], bracket))
		i++;
	if (i == start)
		return false;
	if (bracket && (i == host.len || host.at[i++] != ']'))
		return false;
	return i == host.len || (host.at[i] == ':' && is_port((struct fb_str){ host.at + i + 1, host.len - i - 1 }));
}

static const char *line_fault(const struct head_line *l)
{
	size_t method_len = strlen(l->method);

	if (l->method + method_len + 1 != l->target || l->target + l->target_len + 1 != l->version)
		return "a request line that is not three words";
	if (!is_token((struct fb_str){ l->method, method_len }))
		return "a method that is no token";
	if (strcmp(l->version, "HTTP/1.1") != 0 && strcmp(l->version, "HTTP/1.0") != 0)
		return "an HTTP version that is neither 1.0 nor 1.1";
	return NULL;
}

static const char *coding_fault(const struct scan *s, const struct head_line *l)
{
	if (s->counts[K_TRANSFER_ENCODING] == 0)
		return NULL;
	if (s->counts[K_CONTENT_LENGTH] > 0)
		return "both Content-Length and Transfer-Encoding";
	if (strcmp(l->version, "HTTP/1.0") == 0)
		return "Transfer-Encoding in HTTP/1.0";
	/* Untrimmed, for that is what libmicrohttpd compares; anything else it would take for a body without an end. */
	if (!fb_str_eq_nocase(fb_str_of(s->values[K_TRANSFER_ENCODING].at), FB_STR("chunked")))
		return "a transfer coding other than chunked";
	return NULL;
}

static const char *fields_fault(struct head *out, const struct scan *s, const struct head_line *l)
{
	const char *fault;

	if (s->counts[K_HOST] != 1)
		return "no Host";
	if (!is_host(s->values[K_HOST]))
		return "a Host that is none";
	fault = coding_fault(s, l);
	if (fault != NULL)
		return fault;
	if (s->counts[K_CONTENT_LENGTH] > 0 && fb_u64_parse(&out->body_len, s->values[K_CONTENT_LENGTH]) != FB_OK)
		return "a Content-Length that is no plain number";
	return NULL;
}

void fb_http_head_check(struct head *out, struct MHD_Connection *mhd, const struct head_line *line)
{
	const union MHD_ConnectionInfo *size = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct scan s = { .fault = line_fault(line) };

	FB_ASSERT(size != NULL);
	*out = (struct head){ .too_large = size->header_size > FB_HTTP_HEADERS_MAX };
	if (out->too_large)
		return;
	s.expect = line->version + strlen("HTTP/1.1") + 2;
	if (s.fault == NULL)
		MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, &s);
	if (s.fault == NULL && s.expect + 2 != line->method + size->header_size)
		s.fault = "a head that is not plain lines";
	if (s.fault == NULL)
		s.fault = fields_fault(out, &s, line);
	out->fault = s.fault;
	if (out->fault != NULL)
		return;
	out->chunked = s.counts[K_TRANSFER_ENCODING] > 0;
	out->host = s.values[K_HOST];
	if (s.counts[K_X_REQUEST_ID] == 1 && fb_http_id_usable(s.values[K_X_REQUEST_ID]))
		out->request_id = s.values[K_X_REQUEST_ID];
}
