/* The lexical layer: where strings and numbers end, and whether every byte in them is allowed. */
#include "json_int.h"

#include <endian.h>
#include <string.h>

#define EACH_BYTE(b) (0x0101010101010101u * (uint64_t)(b))

/* The high bit of a byte of the result is set for every byte of w below n (n <= 0x80). Bytes of w above
 * 0x7f give no answer, and a borrow may spoil the bytes above a true hit: the lowest hit is always true. */
static uint64_t bytes_below(uint64_t w, unsigned n)
{
	return (w - EACH_BYTE(n)) & ~w;
}

/* The high bit of a byte is set if it is not plain; only the lowest of them is to be believed. */
static uint64_t special_bytes(uint64_t w)
{
	uint64_t quotes = bytes_below(w ^ EACH_BYTE('"'), 1), slashes = bytes_below(w ^ EACH_BYTE('\\'), 1);

	return (w | bytes_below(w, 0x20) | quotes | slashes) & EACH_BYTE(0x80);
}

static bool is_plain(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

const char *fb_json_scan_plain(const char *at, const char *end)
{
	while (end - at >= 8) {
		uint64_t w, special;

		memcpy(&w, at, sizeof(w));
		special = special_bytes(le64toh(w));
		if (special != 0)
			return at + __builtin_ctzll(special) / 8;
		at += 8;
	}
	while (at < end && is_plain(*at))
		at++;
	return at;
}

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The second byte decides about overlong forms, surrogates and what lies above U+10FFFF. */
static bool second_fits(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

unsigned fb_json_scan_utf8(const char *at, const char *end)
{
	unsigned char lead = (unsigned char)*at;
	unsigned len = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;

	FB_ASSERT(at < end);
	if (len == 0 || (size_t)(end - at) < len)
		return 0;
	if (!second_fits(lead, (unsigned char)at[1]))
		return 0;
	for (unsigned i = 1; i < len; i++)
		if (!is_tail(at[i]))
			return 0;
	return len;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four digits at *at; -1 with *at at the fault. */
static int32_t scan_hex4(const char **at, const char *end)
{
	int32_t v = 0;

	for (int i = 0; i < 4; i++) {
		int digit = *at < end ? hex_digit(**at) : -1;

		if (digit < 0)
			return -1;
		v = v << 4 | digit;
		++*at;
	}
	return v;
}

/* Behind "\u". A high surrogate must be followed by a low one. */
static enum fb_status scan_unicode_escape(const char **at, const char *end)
{
	int32_t v = scan_hex4(at, end);

	if (v <= 0)
		return FB_BAD_SYNTAX; /* no digits, or NUL: no C string could hold it */
	if (v < 0xd800 || v > 0xdfff)
		return FB_OK;
	if (v > 0xdbff || end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return FB_BAD_UTF8;
	*at += 2;
	v = scan_hex4(at, end);
	if (v < 0)
		return FB_BAD_SYNTAX;
	return v >= 0xdc00 && v <= 0xdfff ? FB_OK : FB_BAD_UTF8;
}

/* At a backslash. */
static enum fb_status scan_escape(const char **at, const char *end)
{
	++*at;
	if (*at == end)
		return FB_BAD_SYNTAX;
	switch (**at) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		++*at;
		return FB_OK;
	case 'u':
		++*at;
		return scan_unicode_escape(at, end);
	default:
		return FB_BAD_SYNTAX;
	}
}

static enum fb_status scan_special(const char **at, const char *end, bool *escaped)
{
	unsigned len;

	if (**at == '\\') {
		*escaped = true;
		return scan_escape(at, end);
	}
	if ((unsigned char)**at < 0x80)
		return FB_BAD_SYNTAX; /* a raw control character */
	len = fb_json_scan_utf8(*at, end);
	*at += len;
	return len == 0 ? FB_BAD_UTF8 : FB_OK;
}

enum fb_status fb_json_scan_string(const char **at, const char *end, bool *escaped)
{
	*escaped = false;
	for (;;) {
		enum fb_status st;

		*at = fb_json_scan_plain(*at, end);
		if (*at == end)
			return FB_BAD_SYNTAX;
		if (**at == '"')
			return FB_OK;
		st = scan_special(at, end, escaped);
		if (st != FB_OK)
			return st;
	}
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* One digit or more. */
static enum fb_status scan_digits(const char **at, const char *end)
{
	const char *first = *at;

	*at = skip_digits(first, end);
	return *at > first ? FB_OK : FB_BAD_SYNTAX;
}

static enum fb_status scan_exponent(const char **at, const char *end)
{
	++*at;
	if (*at < end && (**at == '+' || **at == '-'))
		++*at;
	return scan_digits(at, end);
}

enum fb_status fb_json_scan_number(const char **at, const char *end)
{
	enum fb_status st = FB_OK;

	if (*at < end && **at == '-')
		++*at;
	if (*at < end && **at == '0')
		++*at; /* a zero stands alone: a digit behind it is not part of the number */
	else
		st = scan_digits(at, end);
	if (st == FB_OK && *at < end && **at == '.') {
		++*at;
		st = scan_digits(at, end);
	}
	if (st == FB_OK && *at < end && (**at == 'e' || **at == 'E'))
		st = scan_exponent(at, end);
	return st;
}
