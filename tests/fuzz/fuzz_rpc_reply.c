/* Property 1: no bytes crash the reading of an answer. Property 2: an accepted answer, written anew from
 * its results with the parts in reverse order, reads as the same results.
 * Input: one byte for the number of calls, then the body. */
#include "farebox/rpc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS_MAX = 8, TOKENS = 1 << 15, TEXT_MAX = 1 << 17 };

struct reading {
	struct fb_rpc_parsed p;
	struct fb_json_token tokens[TOKENS];
	struct fb_rpc_result results[CALLS_MAX];
	struct fb_arena arena;
	_Alignas(16) unsigned char block[FB_RPC_ARENA_LEN(CALLS_MAX)];
};

static enum fb_status read_body(struct reading *r, struct fb_str body, size_t count)
{
	fb_arena_init(&r->arena, r->block, sizeof(r->block));
	r->p = (struct fb_rpc_parsed){ .tokens = r->tokens, .token_cap = TOKENS, .results = r->results,
		.arena = &r->arena };
	return fb_rpc_parse(&r->p, body, count);
}

static void write_error(struct fb_jw *w, const struct fb_rpc_result *r)
{
	char code[32];
	struct fb_buf b;

	fb_buf_init(&b, code, sizeof(code));
	fb_buf_printf(&b, "%lld", (long long)r->error_code);
	fb_jw_key(w, "error");
	fb_jw_object(w);
	fb_jw_kv_raw(w, "code", fb_buf_view(&b));
	fb_jw_kv_str(w, "message", r->error_message);
	if (fb_json_present(r->error_data))
		fb_jw_kv_raw(w, "data", fb_json_raw(r->error_data));
	fb_jw_end(w);
}

static void write_part(struct fb_jw *w, const struct fb_rpc_result *r, size_t id)
{
	fb_jw_object(w);
	fb_jw_kv_u64(w, "id", id);
	if (r->status == FB_OK)
		fb_jw_kv_raw(w, "result", fb_json_raw(r->result));
	else if (r->status != FB_BAD_SYNTAX)
		write_error(w, r);
	fb_jw_kv_text(w, "jsonrpc", "2.0");
	fb_jw_end(w);
}

static struct fb_str write_all(char *text, const struct fb_rpc_result *results, size_t count)
{
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, text, TEXT_MAX);
	fb_jw_init(&w, &b);
	if (count > 1)
		fb_jw_array(&w);
	for (size_t i = count; i-- > 0;)
		write_part(&w, &results[i], i + 1);
	if (count > 1)
		fb_jw_end(&w);
	FB_ASSERT(!b.overflowed);
	return fb_buf_view(&b);
}

static void check_result(const struct fb_rpc_result *r)
{
	FB_ASSERT(r->status == FB_OK || r->status == FB_REVERTED || r->status == FB_RPC_ERROR ||
		r->status == FB_BAD_SYNTAX);
	FB_ASSERT(fb_json_present(r->result) == (r->status == FB_OK));
	FB_ASSERT(r->error_message.len <= FB_RPC_MESSAGE_MAX);
	FB_ASSERT(r->status != FB_OK || (r->error_code == 0 && r->error_message.len == 0));
}

static void check_same(const struct fb_rpc_result *a, const struct fb_rpc_result *b)
{
	FB_ASSERT(a->status == b->status);
	FB_ASSERT(a->error_code == b->error_code);
	FB_ASSERT(fb_str_eq(a->error_message, b->error_message));
	FB_ASSERT(fb_str_eq(fb_json_raw(a->result), fb_json_raw(b->result)));
	FB_ASSERT(fb_str_eq(fb_json_raw(a->error_data), fb_json_raw(b->error_data)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reading first, second;
	static char text[TEXT_MAX];
	size_t count;

	if (size == 0 || size > TEXT_MAX / 2)
		return 0;
	count = data[0] % CALLS_MAX + 1;
	if (read_body(&first, (struct fb_str){ (const char *)data + 1, size - 1 }, count) != FB_OK)
		return 0;
	for (size_t i = 0; i < count; i++)
		check_result(&first.results[i]);
	FB_ASSERT(read_body(&second, write_all(text, first.results, count), count) == FB_OK);
	for (size_t i = 0; i < count; i++)
		check_same(&first.results[i], &second.results[i]);
	return 0;
}
