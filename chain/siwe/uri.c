/* URIs and authorities by RFC 3986's grammar. */
#include "farebox/siwe.h"

#include <string.h>

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Unreserved, sub-delims, and one of `more`. */
static bool is_plain(char c, const char *more)
{
	return is_alpha(c) || is_digit(c) ||
	       (c != '\0' && (strchr("-._~!$&'()*+,;=", c) != NULL || strchr(more, c) != NULL));
}

/* Such characters and escaped bytes alone. */
static bool is_of(struct fb_str s, const char *more)
{
	for (size_t i = 0; i < s.len; i++) {
		if (is_plain(s.at[i], more))
			continue;
		if (s.at[i] != '%' || s.len - i < 3 || !is_hex(s.at[i + 1]) || !is_hex(s.at[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

static struct fb_str part(struct fb_str s, size_t from, size_t to)
{
	FB_ASSERT(from <= to && to <= s.len);
	return (struct fb_str){ s.at + from, to - from };
}

/* ---- hosts ---------------------------------------------------------------------------------------------------- */
static bool is_octet(struct fb_str s)
{
	uint64_t v;

	return s.len <= 3 && fb_u64_parse(&v, s) == FB_OK && v <= 255;
}

static bool is_ipv4(struct fb_str s)
{
	struct fb_str head, rest = s;

	for (int i = 0; i < 3; i++) {
		if (!fb_str_split(&head, &rest, rest, '.') || !is_octet(head))
			return false;
	}
	return is_octet(rest);
}

/* Groups with a colon between each two; an IPv4 address may be the last one and counts twice. */
static bool count_groups(size_t *out, struct fb_str s, bool v4_allowed)
{
	struct fb_str head, rest = s;
	size_t count = 0;

	while (s.len > 0) {
		bool more = fb_str_split(&head, &rest, s, ':');

		head = more ? head : s;
		if (!more && v4_allowed && is_ipv4(head)) {
			*out = count + 2;
			return true;
		}
		if (head.len == 0 || head.len > 4 || (more && rest.len == 0))
			return false;
		for (size_t i = 0; i < head.len; i++)
			if (!is_hex(head.at[i]))
				return false;
		count++;
		s = more ? rest : (struct fb_str){ "", 0 };
	}
	*out = count;
	return true;
}

static bool is_ipv6(struct fb_str s)
{
	size_t left, right;

	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.at[i] == ':' && s.at[i + 1] == ':')
			return count_groups(&left, part(s, 0, i), false) &&
			       count_groups(&right, part(s, i + 2, s.len), true) && left + right <= 7;
	return count_groups(&left, s, true) && left == 8;
}

static bool is_ip_literal(struct fb_str s)
{
	struct fb_str inner, version, rest;

	if (s.len < 4 || s.at[0] != '[' || s.at[s.len - 1] != ']')
		return false;
	inner = part(s, 1, s.len - 1);
	if (inner.at[0] != 'v')
		return is_ipv6(inner);
	if (!fb_str_split(&version, &rest, part(inner, 1, inner.len), '.') || version.len == 0 || rest.len == 0)
		return false;
	for (size_t i = 0; i < version.len; i++)
		if (!is_hex(version.at[i]))
			return false;
	return is_of(rest, ":") && memchr(rest.at, '%', rest.len) == NULL;
}

/* Where host ends and ":port" begins; s.len without a port. */
static size_t host_end(struct fb_str s)
{
	size_t i = s.len;

	while (i > 0 && is_digit(s.at[i - 1]))
		i--;
	return i > 0 && s.at[i - 1] == ':' ? i - 1 : s.len;
}

/* May be empty, as in "file:///". */
static bool is_authority_or_empty(struct fb_str s)
{
	struct fb_str user, host = s;

	if (fb_str_split(&user, &host, s, '@') && !is_of(user, ":"))
		return false;
	host = part(host, 0, host_end(host));
	return host.len > 0 && host.at[0] == '[' ? is_ip_literal(host) : is_of(host, "");
}

bool fb_siwe_is_authority(struct fb_str s)
{
	return s.len > 0 && is_authority_or_empty(s);
}

/* ---- URIs ------------------------------------------------------------------------------------------------------- */
static size_t scheme_len(struct fb_str s)
{
	size_t i = 0;

	if (s.len == 0 || !is_alpha(s.at[0]))
		return 0;
	while (i < s.len && (is_alpha(s.at[i]) || is_digit(s.at[i]) || strchr("+-.", s.at[i]) != NULL) && s.at[i] != '\0')
		i++;
	return i;
}

static size_t find_any(struct fb_str s, size_t from, const char *any)
{
	while (from < s.len && (s.at[from] == '\0' || strchr(any, s.at[from]) == NULL))
		from++;
	return from;
}

static bool is_hierarchy(struct fb_str s)
{
	size_t end;

	if (!fb_str_starts(s, FB_STR("//")))
		return is_of(s, ":@/");
	end = find_any(s, 2, "/");
	return is_authority_or_empty(part(s, 2, end)) && is_of(part(s, end, s.len), ":@/");
}

bool fb_siwe_is_uri(struct fb_str s)
{
	size_t scheme = scheme_len(s), path_end = find_any(s, 0, "?#"), query_end = find_any(s, path_end, "#");

	if (scheme == 0 || scheme >= path_end || s.at[scheme] != ':')
		return false;
	if (!is_hierarchy(part(s, scheme + 1, path_end)))
		return false;
	if (path_end < query_end && !is_of(part(s, path_end + 1, query_end), ":@/?"))
		return false;
	return query_end == s.len || is_of(part(s, query_end + 1, s.len), ":@/?");
}
