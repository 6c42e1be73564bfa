/* Writes the calls of a batch as the body of one HTTP request. */
#include "rpc_int.h"

#include <string.h>

enum { ENVELOPE_MAX = 64 }; /* of one call, without method and params */

static void write_call(struct fb_buf *b, const struct fb_rpc_call *call, size_t id)
{
	fb_buf_text(b, "{\"jsonrpc\":\"2.0\",\"id\":");
	fb_buf_u64(b, id);
	fb_buf_text(b, ",\"method\":\"");
	fb_buf_text(b, call->method);
	fb_buf_text(b, "\",\"params\":");
	fb_buf_str(b, call->params);
	fb_buf_char(b, '}');
}

static size_t size_of(const struct fb_rpc_batch *batch)
{
	size_t size = 2; /* the brackets */

	for (size_t i = 0; i < batch->count; i++) {
		const struct fb_rpc_call *call = &batch->calls[i];

		FB_ASSERT(call->params.len >= 2 && call->params.at[0] == '[');
		size += ENVELOPE_MAX + strlen(call->method) + call->params.len;
	}
	return size;
}

struct fb_buf fb_rpc_write(const struct fb_rpc_batch *batch)
{
	size_t size = size_of(batch);
	struct fb_buf b;

	FB_ASSERT(size <= FB_RPC_ASK_MAX);
	fb_buf_init(&b, fb_must_alloc(size, 1), size);
	if (batch->count > 1)
		fb_buf_char(&b, '[');
	for (size_t i = 0; i < batch->count; i++) {
		if (i > 0)
			fb_buf_char(&b, ',');
		write_call(&b, &batch->calls[i], i + 1);
	}
	if (batch->count > 1)
		fb_buf_char(&b, ']');
	FB_ASSERT(!b.overflowed);
	return b;
}
