/* Reads a network file: member by member, strictly, and nothing that contradicts itself. */
#include "network_int.h"

#include "farebox/crypto.h"
#include "farebox/json.h"

#include <stdio.h>
#include <string.h>

enum { FILE_VALUES_MAX = 1024, FILE_TEXTS_MAX = 16384, DECIMALS_MAX = 38, FINALITY_MAX = 1000000, WHERE_MAX = 64 };

struct reader {
	const char *origin;
	struct fb_error *e;
	struct fb_arena *arena;
	char where[WHERE_MAX]; /* of the object being read: "" or "tokens[0]." */
};

/* A member of an object, and how its value becomes a field. */
struct member {
	const char *key;
	enum fb_status (*read)(struct reader *r, void *field, struct fb_json_value v, const char *key);
	size_t offset;
	bool optional;
};

static enum fb_status fault(const struct reader *r, enum fb_status st, const char *key, const char *want)
{
	return fb_error_set(r->e, st, "%s: %s%s: want %s", r->origin, r->where, key, want);
}

/* ---- values ----------------------------------------------------------------------------------------- */

static bool is_visible(struct fb_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] < ' ' || s.at[i] == 0x7f)
			return false;
	return true;
}

/* The value's text into a field of `cap` bytes; `want` says what it should have been. */
static enum fb_status read_bounded(struct reader *r, char *field, size_t cap, struct fb_json_value v, const char *key,
				   const char *want)
{
	struct fb_str s;
	enum fb_status st = fb_json_string(&s, v, r->arena);

	if (st == FB_WRONG_TYPE)
		return fault(r, st, key, want);
	if (st != FB_OK || s.len >= cap || !is_visible(s))
		return fault(r, FB_BAD_VALUE, key, want);
	memset(field, 0, cap);
	if (s.len > 0)
		memcpy(field, s.at, s.len);
	return FB_OK;
}

static enum fb_status read_text(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	static const char want[] = "a text of 1 to 63 bytes without control characters";
	enum fb_status st = read_bounded(r, field, FB_NETWORK_TEXT_MAX, v, key, want);

	return st == FB_OK && *(char *)field == '\0' ? fault(r, FB_BAD_VALUE, key, want) : st;
}

static bool is_url(const char *text)
{
	struct fb_str s = fb_str_of(text);

	return (fb_str_starts(s, FB_STR("http://")) || fb_str_starts(s, FB_STR("https://"))) && strchr(text, ' ') == NULL;
}

static enum fb_status read_explorer(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	static const char want[] = "\"\" or an http(s) URL of at most 255 bytes with one {hash}";
	enum fb_status st = read_bounded(r, field, FB_NETWORK_URL_MAX, v, key, want);
	const char *url = field, *place;

	if (st != FB_OK || url[0] == '\0')
		return st;
	place = strstr(url, "{hash}");
	if (!is_url(url) || place == NULL || strstr(place + 1, "{hash}") != NULL)
		return fault(r, FB_BAD_VALUE, key, want);
	return FB_OK;
}

static enum fb_status read_whole(struct reader *r, uint64_t *field, struct fb_json_value v, const char *key,
				 uint64_t min, uint64_t max, const char *want)
{
	uint64_t n = 0;
	enum fb_status st = fb_json_u64(&n, v);

	if (st == FB_WRONG_TYPE)
		return fault(r, st, key, want);
	if (st != FB_OK || n < min || n > max)
		return fault(r, FB_BAD_VALUE, key, want);
	*field = n;
	return FB_OK;
}

static enum fb_status read_chain_id(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	return read_whole(r, field, v, key, 1, INT64_MAX, "a whole number from 1 to 2^63-1");
}

static enum fb_status read_finality(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	return read_whole(r, field, v, key, 1, FINALITY_MAX, "a whole number from 1 to 1000000");
}

static enum fb_status read_block(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	return read_whole(r, field, v, key, 0, INT64_MAX, "a whole number from 0 to 2^63-1");
}

static enum fb_status read_decimals(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	uint64_t n = 0;
	enum fb_status st = read_whole(r, &n, v, key, 0, DECIMALS_MAX, "a whole number from 0 to 38");

	if (st == FB_OK)
		*(uint8_t *)field = (uint8_t)n;
	return st;
}

static enum fb_status read_address(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	char text[FB_ADDRESS_TEXT_LEN + 1];
	static const char want[] = "0x and 40 hex digits, with the right checksum if in mixed case";
	enum fb_status st = read_bounded(r, text, sizeof(text), v, key, want);

	if (st != FB_OK)
		return st;
	return fb_address_parse_checked(field, fb_str_of(text)) == FB_OK ? FB_OK : fault(r, FB_BAD_VALUE, key, want);
}

static enum fb_status read_hash(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	char text[FB_HASH_TEXT_LEN + 1];
	static const char want[] = "0x and 64 hex digits";
	enum fb_status st = read_bounded(r, text, sizeof(text), v, key, want);

	if (st != FB_OK)
		return st;
	return fb_hash_parse(field, fb_str_of(text)) == FB_OK ? FB_OK : fault(r, FB_BAD_VALUE, key, want);
}

/* ---- objects ---------------------------------------------------------------------------------------- */

static const struct member *find(const struct member *members, size_t count, struct fb_str key)
{
	for (size_t i = 0; i < count; i++)
		if (fb_str_eq(key, fb_str_of(members[i].key)))
			return &members[i];
	return NULL;
}

/* No member that is not in the table: a misspelt one must not pass for one left out. */
static enum fb_status refuse_unknown(struct reader *r, struct fb_json_value o, const struct member *members,
				     size_t count)
{
	struct fb_json_value key;

	for (struct fb_json_value v = fb_json_first(o, &key); fb_json_present(v); v = fb_json_next(o, v, &key)) {
		struct fb_str name;

		if (fb_json_string(&name, key, r->arena) != FB_OK || find(members, count, name) == NULL) {
			name = fb_json_raw(key);
			name.len = name.len < WHERE_MAX ? name.len : WHERE_MAX;
			return fb_error_set(r->e, FB_BAD_VALUE, "%s: %s%.*s is not a member of a network file", r->origin, r->where,
					    FB_STR_ARG(name));
		}
	}
	return FB_OK;
}

static enum fb_status read_object(struct reader *r, void *out, struct fb_json_value o, const struct member *members,
				  size_t count)
{
	enum fb_status st;

	if (!fb_json_is(o, FB_JSON_OBJECT))
		return fb_error_set(r->e, FB_WRONG_TYPE, "%s: %s: want an object", r->origin,
				    r->where[0] == '\0' ? "the file" : r->where);
	st = refuse_unknown(r, o, members, count);
	for (size_t i = 0; st == FB_OK && i < count; i++)
		if (!members[i].optional && !fb_json_present(fb_json_get(o, members[i].key)))
			st = fb_error_set(r->e, FB_MISSING, "%s: %s%s is missing", r->origin, r->where, members[i].key);
	for (size_t i = 0; st == FB_OK && i < count; i++) {
		struct fb_json_value v = fb_json_get(o, members[i].key);

		if (fb_json_present(v))
			st = members[i].read(r, (char *)out + members[i].offset, v, members[i].key);
	}
	return st;
}

static const struct member token_members[] = {
	{ "address", read_address, offsetof(struct fb_token, address), false },
	{ "symbol", read_text, offsetof(struct fb_token, symbol), false },
	{ "name", read_text, offsetof(struct fb_token, name), false },
	{ "version", read_text, offsetof(struct fb_token, version), false },
	{ "decimals", read_decimals, offsetof(struct fb_token, decimals), false },
	{ "domain_separator", read_hash, offsetof(struct fb_token, domain), false },
};

/* `field` is the network itself: a list fills an array and its count. */
static enum fb_status read_tokens(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	struct fb_network *n = field;
	enum fb_status st = FB_OK;

	if (!fb_json_is(v, FB_JSON_ARRAY))
		return fault(r, FB_WRONG_TYPE, key, "a list of objects");
	if (fb_json_count(v) < 1 || fb_json_count(v) > FB_NETWORK_TOKENS_MAX)
		return fault(r, FB_BAD_VALUE, key, "1 to 8 tokens");
	for (struct fb_json_value item = fb_json_first(v, NULL); st == FB_OK && fb_json_present(item);
	     item = fb_json_next(v, item, NULL)) {
		struct fb_token *t = &n->tokens[n->token_count];

		snprintf(r->where, sizeof(r->where), "%s[%zu].", key, n->token_count);
		st = read_object(r, t, item, token_members, FB_COUNT(token_members));
		if (st == FB_OK && fb_network_token(n, &t->address) != NULL)
			st = fault(r, FB_BAD_VALUE, "address", "no token twice");
		n->token_count++;
	}
	r->where[0] = '\0';
	return st;
}

static enum fb_status read_urls(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	static const char want[] = "a list of at most 8 http(s) URLs of at most 255 bytes";
	struct fb_network *n = field;

	if (!fb_json_is(v, FB_JSON_ARRAY))
		return fault(r, FB_WRONG_TYPE, key, want);
	if (fb_json_count(v) > FB_RPC_ENDPOINTS_MAX)
		return fault(r, FB_BAD_VALUE, key, want);
	for (struct fb_json_value item = fb_json_first(v, NULL); fb_json_present(item);
	     item = fb_json_next(v, item, NULL)) {
		char *url = n->rpc_urls[n->rpc_url_count++];
		enum fb_status st = read_bounded(r, url, FB_NETWORK_URL_MAX, item, key, want);

		if (st == FB_OK && !is_url(url))
			st = fault(r, FB_BAD_VALUE, key, want);
		if (st != FB_OK)
			return st;
	}
	return FB_OK;
}

static const struct member escrow_members[] = {
	{ "address", read_address, offsetof(struct fb_network, escrow), false },
	{ "block", read_block, offsetof(struct fb_network, escrow_block), false },
};

/* `field` is the network itself. */
static enum fb_status read_escrow(struct reader *r, void *field, struct fb_json_value v, const char *key)
{
	struct fb_network *n = field;
	enum fb_status st;

	snprintf(r->where, sizeof(r->where), "%s.", key);
	st = read_object(r, n, v, escrow_members, FB_COUNT(escrow_members));
	r->where[0] = '\0';
	n->has_escrow = st == FB_OK;
	return st;
}

static const struct member network_members[] = {
	{ "name", read_text, offsetof(struct fb_network, name), false },
	{ "caip2", read_text, offsetof(struct fb_network, caip2), false },
	{ "chain_id", read_chain_id, offsetof(struct fb_network, chain_id), false },
	{ "v1_name", read_text, offsetof(struct fb_network, v1_name), false },
	{ "rpc_urls", read_urls, 0, false },
	{ "explorer_tx", read_explorer, offsetof(struct fb_network, explorer_tx), false },
	{ "multicall3", read_address, offsetof(struct fb_network, multicall3), false },
	{ "finality_blocks", read_finality, offsetof(struct fb_network, finality_blocks), false },
	{ "tokens", read_tokens, 0, false },
	{ "escrow", read_escrow, 0, true },
};

/* ---- agreement -------------------------------------------------------------------------------------- */

static enum fb_status check_caip2(const struct fb_network *n, const char *origin, struct fb_error *e)
{
	char want[FB_NETWORK_TEXT_MAX];

	snprintf(want, sizeof(want), "eip155:%llu", (unsigned long long)n->chain_id);
	if (strcmp(want, n->caip2) == 0)
		return FB_OK;
	return fb_error_set(e, FB_MISMATCH, "%s: caip2 is \"%s\", but chain_id makes it \"%s\"", origin, n->caip2, want);
}

static enum fb_status check_domain(const struct fb_network *n, size_t i, const char *origin, struct fb_error *e)
{
	const struct fb_token *t = &n->tokens[i];
	struct fb_hash want = fb_eip712_domain(fb_str_of(t->name), fb_str_of(t->version), n->chain_id, &t->address);
	char text[FB_HASH_TEXT_LEN];
	struct fb_buf b;

	if (fb_hash_eq(&want, &t->domain))
		return FB_OK;
	fb_buf_init(&b, text, sizeof(text));
	fb_buf_hash(&b, &want);
	return fb_error_set(e, FB_MISMATCH,
			    "%s: tokens[%zu].domain_separator does not follow from name \"%s\", version \"%s\", chain_id and "
			    "address: they make %.*s",
			    origin, i, t->name, t->version, FB_STR_ARG(fb_buf_view(&b)));
}

static enum fb_status check(const struct fb_network *n, const char *origin, struct fb_error *e)
{
	enum fb_status st = check_caip2(n, origin, e);

	for (size_t i = 0; st == FB_OK && i < n->token_count; i++)
		st = check_domain(n, i, origin, e);
	return st;
}

enum fb_status fb_network_parse(struct fb_network *out, struct fb_str json, const char *origin, struct fb_error *e)
{
	struct fb_json_token tokens[FILE_VALUES_MAX];
	_Alignas(16) unsigned char texts[FILE_TEXTS_MAX];
	struct fb_arena arena;
	struct reader r = { .origin = origin, .e = e, .arena = &arena };
	struct fb_network n = { .token_count = 0 };
	struct fb_json doc;
	enum fb_status st = fb_json_parse(&doc, tokens, FILE_VALUES_MAX, json);

	if (st != FB_OK)
		return fb_error_set(e, FB_BAD_SYNTAX, "%s: no valid JSON: %s at byte %u", origin, fb_status_info(st)->name,
				    doc.error_at);
	fb_arena_init(&arena, texts, sizeof(texts));
	st = read_object(&r, &n, fb_json_root(&doc), network_members, FB_COUNT(network_members));
	if (st == FB_OK)
		st = check(&n, origin, e);
	if (st == FB_OK)
		*out = n;
	return st;
}
