/* Goal: the writer's bytes, its escaping of hostile text, its latched overflow, its refusal of misuse. */
#define _POSIX_C_SOURCE 200809L
#include "farebox/json.h"
#include "fb_test.h"
#include "test_json.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[512];
static struct fb_buf out;
static struct fb_jw w;

static void begin(size_t cap)
{
	fb_buf_init(&out, block, cap);
	fb_jw_init(&w, &out);
}

static void write_everything(void)
{
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "text", "a");
	fb_jw_kv_u64(&w, "n", UINT64_MAX);
	fb_jw_kv_bool(&w, "yes", true);
	fb_jw_kv_bool(&w, "no", false);
	fb_jw_kv_raw(&w, "raw", FB_STR("[1, 2]"));
	fb_jw_kv_str(&w, "str", (struct fb_str){ NULL, 0 });
	fb_jw_key(&w, "list");
	fb_jw_array(&w);
	fb_jw_object(&w);
	fb_jw_end(&w);
	fb_jw_array(&w);
	fb_jw_end(&w);
	fb_jw_null(&w);
	fb_jw_object(&w);
	fb_jw_key(&w, "amount");
	fb_jw_amount(&w, (struct fb_amount){ FB_AMOUNT_MAX });
	fb_jw_end(&w);
	fb_jw_end(&w);
	fb_jw_kv_u64(&w, "last", 0);
	fb_jw_end(&w);
}

static const char everything[] =
	"{\"text\":\"a\",\"n\":18446744073709551615,\"yes\":true,\"no\":false,\"raw\":[1, 2],\"str\":\"\","
	"\"list\":[{},[],null,"
	"{\"amount\":\"170141183460469231731687303715884105727\"}],\"last\":0}";

static void write__everything__golden_bytes(void **state)
{
	struct fb_json_token tokens[64];
	struct fb_json doc;

	(void)state;
	begin(sizeof(block));
	write_everything();
	CHECK(!out.overflowed && w.depth == 0);
	CHECK_STR(everything, fb_buf_view(&out));
	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, FB_COUNT(tokens), fb_buf_view(&out)));
}

static void write__every_smaller_buffer__latches(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < sizeof(everything) - 1; cap++) {
		begin(cap);
		write_everything();
		CHECK(out.overflowed && out.len <= cap);
	}
	begin(sizeof(everything) - 1);
	write_everything();
	CHECK(!out.overflowed);
}

static void write__scalars_as_documents__golden_bytes(void **state)
{
	(void)state;
	begin(sizeof(block));
	fb_jw_u64(&w, 42);
	CHECK_STR("42", fb_buf_view(&out));
	begin(sizeof(block));
	fb_jw_null(&w);
	CHECK_STR("null", fb_buf_view(&out));
	begin(sizeof(block));
	fb_jw_array(&w);
	fb_jw_bool(&w, false);
	fb_jw_raw(&w, FB_STR("{}"));
	fb_jw_text(&w, "x");
	fb_jw_end(&w);
	CHECK_STR("[false,{},\"x\"]", fb_buf_view(&out));
	begin(sizeof(block));
	fb_jw_array(&w);
	for (uint64_t i = 0; i < 3; i++) { /* a level used before starts without a comma */
		fb_jw_array(&w);
		fb_jw_u64(&w, i);
		fb_jw_end(&w);
	}
	fb_jw_end(&w);
	CHECK_STR("[[0],[1],[2]]", fb_buf_view(&out));
}

static void string__hostile_bytes__cannot_break_the_frame(void **state)
{
	static const struct { const char *in; size_t len; const char *want; } rows[] = {
		{ "\"\\/", 3, "\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ "USD\xe2\x82\xae" "0", 7, "\"USD\xe2\x82\xae" "0\"" },
		{ "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"" },
		{ "a\xff" "b", 3, "\"a\xef\xbf\xbd" "b\"" },
		{ "\xc3\"", 2, "\"\xef\xbf\xbd\\\"\"" },           /* a cut sequence does not swallow the quote */
		{ "\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "a plain text of more than eight bytes\n", 38, "\"a plain text of more than eight bytes\\n\"" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		begin(sizeof(block));
		fb_jw_str(&w, (struct fb_str){ rows[i].in, rows[i].len });
		CHECK_STR(rows[i].want, fb_buf_view(&out));
	}
}

static void key__hostile_text__escaped(void **state)
{
	(void)state;
	begin(sizeof(block));
	fb_jw_object(&w);
	fb_jw_kv_u64(&w, "a\"\n", 1);
	fb_jw_end(&w);
	CHECK_STR("{\"a\\\"\\n\":1}", fb_buf_view(&out));
}

static void end_at_top(void)
{
	fb_jw_end(&w);
}

static void key_at_top(void)
{
	fb_jw_key(&w, "a");
}

static void key_in_array(void)
{
	fb_jw_array(&w);
	fb_jw_key(&w, "a");
}

static void key_after_key(void)
{
	fb_jw_object(&w);
	fb_jw_key(&w, "a");
	fb_jw_key(&w, "b");
}

static void value_without_key(void)
{
	fb_jw_object(&w);
	fb_jw_u64(&w, 1);
}

static void end_after_key(void)
{
	fb_jw_object(&w);
	fb_jw_key(&w, "a");
	fb_jw_end(&w);
}

static void second_document(void)
{
	fb_jw_null(&w);
	fb_jw_null(&w);
}

static void raw_of_nothing(void)
{
	fb_jw_raw(&w, FB_STR(""));
}

static void nest(int depth)
{
	for (int i = 0; i < depth; i++)
		fb_jw_array(&w);
}

static void nest_too_deep(void)
{
	nest(32);
}

/* In a child, whose panic is silent. */
static bool panics(void (*misuse)(void))
{
	int status = 0;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		begin(sizeof(block));
		misuse();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void misuse__each_kind__panics(void **state)
{
	static void (*const misuses[])(void) = {
		end_at_top, key_at_top, key_in_array, key_after_key, value_without_key,
		end_after_key, second_document, raw_of_nothing, nest_too_deep,
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(misuses); i++)
		CHECK(panics(misuses[i]));
}

static void nesting__to_the_limit__balanced(void **state)
{
	(void)state;
	begin(sizeof(block));
	nest(31);
	for (int i = 0; i < 31; i++)
		fb_jw_end(&w);
	CHECK(out.len == 62 && block[30] == '[' && block[31] == ']');
}

int json_write_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write__everything__golden_bytes),
		cmocka_unit_test(write__every_smaller_buffer__latches),
		cmocka_unit_test(write__scalars_as_documents__golden_bytes),
		cmocka_unit_test(string__hostile_bytes__cannot_break_the_frame),
		cmocka_unit_test(key__hostile_text__escaped),
		cmocka_unit_test(misuse__each_kind__panics),
		cmocka_unit_test(nesting__to_the_limit__balanced),
	};
	return cmocka_run_group_tests_name("json.write", tests, NULL, NULL);
}
