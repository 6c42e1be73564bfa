/* Goal: the contract of farebox/wire.h. Method: real messages; tables of one edit each with the status
 * or reason it must give; golden bytes of every writer; what is written is read back. */
#include "fb_test.h"
#include "test_wire.h"

struct fb_json_token wire_tokens[FB_WIRE_TOKENS];

struct fb_arena *wire_arena_of(size_t size)
{
	static _Alignas(16) unsigned char block[WIRE_ARENA_BYTES];
	static struct fb_arena arena;

	CHECK(size <= sizeof(block));
	fb_arena_init(&arena, block, size);
	return &arena;
}

struct fb_arena *wire_arena(void)
{
	return wire_arena_of(WIRE_ARENA_BYTES);
}

struct fb_str wire_edit(const char *text, const char *after, const char *find, const char *replace)
{
	static char block[WIRE_TEXT_MAX];
	const char *from = strstr(text, after), *at = from == NULL ? NULL : strstr(from, find);
	struct fb_buf b;

	if (at == NULL)
		fail_msg("no \"%s\" behind \"%s\"", find, after);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_put(&b, text, (size_t)(at - text));
	fb_buf_text(&b, replace);
	fb_buf_text(&b, at + strlen(find));
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

struct fb_str wire_base64(struct fb_str text)
{
	static char block[2 * WIRE_TEXT_MAX];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_base64_put(&b, text.at, text.len);
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

int main(void)
{
	return wire_request_tests() + wire_edit_tests() + wire_header_tests() + wire_answer_tests() +
	       wire_offer_tests() + wire_buyer_tests();
}
