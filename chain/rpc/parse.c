/* Reads the answer to a batch: which call each part answers, and what it says. */
#include "rpc_int.h"

#include <string.h>

enum { REVERTED_CODE = 3, SERVER_ERROR_CODE = -32000, SEEN_WORDS = FB_RPC_CALLS_MAX / 64 };

static bool is_hex_of_high_surrogate(const char *at)
{
	return (at[0] == 'd' || at[0] == 'D') &&
	       (at[1] == '8' || at[1] == '9' || (at[1] | 0x20) == 'a' || (at[1] | 0x20) == 'b');
}

/* Bytes of the character that begins at `at`, escaped or not. The text is valid JSON. */
static size_t character_len(const char *at)
{
	unsigned char lead = (unsigned char)at[0];

	if (lead == '\\' && at[1] == 'u')
		return is_hex_of_high_surrogate(at + 2) ? 12 : 6;
	if (lead == '\\')
		return 2;
	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Cuts a long message in its token, between characters, so that the copy of it is bounded. */
static void bound(struct fb_json_token *message, const char *text)
{
	uint32_t len = 0;

	FB_ASSERT(message->type == FB_JSON_STRING);
	if (message->len <= FB_RPC_MESSAGE_MAX)
		return;
	for (size_t next = 0; next <= FB_RPC_MESSAGE_MAX; next = len + character_len(text + message->start + len))
		len = (uint32_t)next;
	message->len = len;
}

/* Codes are whole numbers of either sign; 0 stands for one that is not. */
static int64_t code_of(struct fb_json_value v)
{
	struct fb_str text = fb_json_raw(v);
	bool negative = fb_str_starts(text, FB_STR("-"));
	uint64_t n = 0;

	if (negative)
		text = (struct fb_str){ text.at + 1, text.len - 1 };
	if (!fb_json_is(v, FB_JSON_NUMBER) || fb_u64_parse(&n, text) != FB_OK || n > INT64_MAX)
		return 0;
	return negative ? -(int64_t)n : (int64_t)n;
}

static bool mentions(struct fb_str s, struct fb_str word)
{
	for (size_t i = 0; i + word.len <= s.len; i++)
		if (fb_str_eq_nocase((struct fb_str){ s.at + i, word.len }, word))
			return true;
	return false;
}

static enum fb_status read_error(const struct fb_rpc_parsed *p, struct fb_rpc_result *r, struct fb_json_value error)
{
	struct fb_json_value message = fb_json_get(error, "message");

	if (!fb_json_is(error, FB_JSON_OBJECT)) {
		r->status = FB_BAD_SYNTAX;
		return FB_OK;
	}
	r->error_code = code_of(fb_json_get(error, "code"));
	r->error_data = fb_json_get(error, "data");
	if (fb_json_is(message, FB_JSON_STRING)) {
		bound(&p->tokens[message.index], p->doc.text.at);
		if (fb_json_string(&r->error_message, message, p->arena) != FB_OK)
			return FB_RPC_ERROR;
	}
	r->status = r->error_code == REVERTED_CODE ||
		    (r->error_code == SERVER_ERROR_CODE && mentions(r->error_message, FB_STR("revert")))
		    ? FB_REVERTED : FB_RPC_ERROR;
	return FB_OK;
}

/* One answer goes to the result of the call whose id it bears. */
static enum fb_status read_answer(const struct fb_rpc_parsed *p, uint64_t seen[SEEN_WORDS], size_t count,
				  struct fb_json_value answer)
{
	struct fb_json_value version = fb_json_get(answer, "jsonrpc"), error = fb_json_get(answer, "error");
	struct fb_rpc_result *r;
	uint64_t id;

	if (!fb_str_eq(fb_json_raw(version), FB_STR("\"2.0\"")) || fb_json_u64(&id, fb_json_get(answer, "id")) != FB_OK)
		return FB_RPC_ERROR;
	if (id < 1 || id > count || (seen[(id - 1) / 64] >> (id - 1) % 64 & 1) != 0)
		return FB_RPC_ERROR;
	seen[(id - 1) / 64] |= (uint64_t)1 << (id - 1) % 64;
	r = &p->results[id - 1];
	*r = (struct fb_rpc_result){ .error_message = FB_STR("") };
	if (!fb_json_absent_or_null(error))
		return read_error(p, r, error);
	r->result = fb_json_get(answer, "result");
	r->status = fb_json_present(r->result) ? FB_OK : FB_BAD_SYNTAX;
	return FB_OK;
}

enum fb_status fb_rpc_parse(struct fb_rpc_parsed *p, struct fb_str body, size_t count)
{
	uint64_t seen[SEEN_WORDS] = { 0 };
	enum fb_status st = FB_OK;
	struct fb_json_value root;

	FB_ASSERT(count >= 1 && count <= FB_RPC_CALLS_MAX);
	if (fb_json_parse(&p->doc, p->tokens, p->token_cap, body) != FB_OK)
		return FB_RPC_ERROR;
	root = fb_json_root(&p->doc);
	if (count == 1)
		return read_answer(p, seen, count, root);
	/* An object here is one error for the whole batch: too many requests, no batches allowed. */
	if (!fb_json_is(root, FB_JSON_ARRAY) || fb_json_count(root) != count)
		return FB_RPC_ERROR;
	for (struct fb_json_value v = fb_json_first(root, NULL); fb_json_present(v) && st == FB_OK;
	     v = fb_json_next(root, v, NULL))
		st = read_answer(p, seen, count, v);
	return st;
}
