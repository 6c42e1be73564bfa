/* Goal: members, walks and contents of a parsed document; absence is a value, not a crash. */
#include "farebox/json.h"
#include "fb_test.h"
#include "test_json.h"

enum { TOKENS = 128 };

static struct fb_json_token tokens[TOKENS];
static struct fb_json doc;
static _Alignas(16) unsigned char block[256];

static struct fb_json_value parsed(const char *text)
{
	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, TOKENS, fb_str_of(text)));
	return fb_json_root(&doc);
}

static void get__table__finds_by_unescaped_key(void **state)
{
	static const struct { const char *key, *raw; } rows[] = {
		{ "a", "1" },   { "b", "{\"a\":2,\"z\":[3]}" }, { "c", "\"x\\ty\"" }, { "d/e", "null" },
		{ "", "true" }, { "z", "" },                    { "A", "" },         { "d\\/e", "" },
		{ "\xe2\x82\xae", "-1.5" },
	};
	struct fb_json_value root = parsed("{\"a\":1,\"b\":{\"a\":2,\"z\":[3]},\"c\":\"x\\ty\",\"d\\/e\":null,"
					   "\"\":true,\"\\u20ae\":-1.5}");

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_STR(rows[i].raw, fb_json_raw(fb_json_get(root, rows[i].key)));
	CHECK_STR("2", fb_json_raw(fb_json_get(fb_json_get(root, "b"), "a")));
}

static void get__of_no_object__absent(void **state)
{
	struct fb_json_value root = parsed("[{\"a\":1}]"), none = fb_json_get(root, "a");
	struct fb_json_value key = root;

	(void)state;
	CHECK(!fb_json_present(none));
	CHECK(!fb_json_present(fb_json_get(none, "a")));
	CHECK(!fb_json_present(fb_json_first(none, &key)) && !fb_json_present(key));
	CHECK(fb_json_count(none) == 0);
	CHECK(!fb_json_is(none, FB_JSON_NULL) && fb_json_absent_or_null(none));
	CHECK(fb_json_raw(none).len == 0);
}

static void is__every_type__told_apart(void **state)
{
	static const char *const texts[] = { "null", "false", "true", "0", "\"\"", "[]", "{}" };

	(void)state;
	for (unsigned i = 0; i < FB_COUNT(texts); i++) {
		struct fb_json_value v = parsed(texts[i]);

		for (unsigned t = 0; t < FB_COUNT(texts); t++)
			CHECK(fb_json_is(v, (enum fb_json_type)t) == (i == t));
		CHECK(fb_json_absent_or_null(v) == (i == 0));
		CHECK_STR(texts[i], fb_json_raw(v));
	}
}

static void walk__array_and_object__in_order(void **state)
{
	struct fb_json_value root = parsed("{\"k\":[1,[2,3],{\"x\":4},\"5\"],\"l\":{},\"m\":6}"), key, v, array;
	static const char *const elements[] = { "1", "[2,3]", "{\"x\":4}", "\"5\"" };
	static const char *const keys[] = { "\"k\"", "\"l\"", "\"m\"" };
	uint32_t n = 0;

	(void)state;
	for (v = fb_json_first(root, &key); fb_json_present(v); v = fb_json_next(root, v, &key))
		CHECK_STR(keys[n++], fb_json_raw(key));
	CHECK(n == 3 && fb_json_count(root) == 3 && !fb_json_present(key));
	array = fb_json_get(root, "k");
	n = 0;
	for (v = fb_json_first(array, &key); fb_json_present(v); v = fb_json_next(array, v, NULL)) {
		CHECK(!fb_json_present(key));
		CHECK_STR(elements[n++], fb_json_raw(v));
	}
	CHECK(n == 4 && fb_json_count(array) == 4);
	CHECK(!fb_json_present(fb_json_first(fb_json_get(root, "l"), NULL)));
}

static void string__table__unescaped(void **state)
{
	static const struct { const char *json, *want; } rows[] = {
		{ "\"\"", "" },
		{ "\"plain\"", "plain" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"a\\u0041z\"", "aAz" },
		{ "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
		{ "\"\\uD800\\uDC00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\"USD\\u20AE0\"", "USD\xe2\x82\xae" "0" },
		{ "\"USD\xe2\x82\xae" "0\"", "USD\xe2\x82\xae" "0" },
		{ "\"\\\\\\\\u0041\"", "\\\\u0041" },
	};
	struct fb_arena a;

	(void)state;
	fb_arena_init(&a, block, sizeof(block));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str out;

		CHECK_STATUS(FB_OK, fb_json_string(&out, parsed(rows[i].json), &a));
		CHECK_STR(rows[i].want, out);
	}
}

static void string__nothing_escaped__is_a_view(void **state)
{
	struct fb_json_value root = parsed("\"plain\"");
	struct fb_arena a;
	struct fb_str out;

	(void)state;
	fb_arena_init(&a, block, 0);
	CHECK_STATUS(FB_OK, fb_json_string(&out, root, &a));
	CHECK(out.at == doc.text.at + 1);
}

static void string__faults__leave_the_output(void **state)
{
	struct fb_str out = FB_STR("before");
	struct fb_arena a;

	(void)state;
	fb_arena_init(&a, block, 0);
	CHECK_STATUS(FB_MISSING, fb_json_string(&out, fb_json_get(parsed("{}"), "a"), &a));
	CHECK_STATUS(FB_WRONG_TYPE, fb_json_string(&out, parsed("1"), &a));
	CHECK_STATUS(FB_WRONG_TYPE, fb_json_string(&out, parsed("null"), &a));
	CHECK_STATUS(FB_NO_MEMORY, fb_json_string(&out, parsed("\"\\n\""), &a));
	CHECK_STR("before", out);
	CHECK(a.overflowed);
}

static void u64__table__whole_numbers_only(void **state)
{
	static const struct { const char *json; enum fb_status want; uint64_t value; } rows[] = {
		{ "0", FB_OK, 0 },
		{ "300", FB_OK, 300 },
		{ "18446744073709551615", FB_OK, UINT64_MAX },
		{ "18446744073709551616", FB_OVERFLOW, 7 },
		{ "1000000000000000000000000000000000000000000000", FB_OVERFLOW, 7 },
		{ "-1", FB_WRONG_TYPE, 7 },
		{ "-0", FB_WRONG_TYPE, 7 },
		{ "1.0", FB_WRONG_TYPE, 7 },
		{ "1e3", FB_WRONG_TYPE, 7 },
		{ "\"1\"", FB_WRONG_TYPE, 7 },
		{ "null", FB_WRONG_TYPE, 7 },
		{ "true", FB_WRONG_TYPE, 7 },
		{ "[]", FB_WRONG_TYPE, 7 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		v = 7;
		CHECK_STATUS(rows[i].want, fb_json_u64(&v, parsed(rows[i].json)));
		CHECK(v == rows[i].value);
	}
	CHECK_STATUS(FB_MISSING, fb_json_u64(&v, fb_json_get(parsed("{}"), "a")));
}

static void bool__table__true_and_false_only(void **state)
{
	bool v = false;

	(void)state;
	CHECK_STATUS(FB_OK, fb_json_bool(&v, parsed("true")));
	CHECK(v);
	CHECK_STATUS(FB_WRONG_TYPE, fb_json_bool(&v, parsed("0")));
	CHECK_STATUS(FB_WRONG_TYPE, fb_json_bool(&v, parsed("null")));
	CHECK_STATUS(FB_WRONG_TYPE, fb_json_bool(&v, parsed("\"false\"")));
	CHECK_STATUS(FB_MISSING, fb_json_bool(&v, fb_json_get(parsed("{}"), "a")));
	CHECK(v);
	CHECK_STATUS(FB_OK, fb_json_bool(&v, parsed("false")));
	CHECK(!v);
}

int json_read_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get__table__finds_by_unescaped_key),
		cmocka_unit_test(get__of_no_object__absent),
		cmocka_unit_test(is__every_type__told_apart),
		cmocka_unit_test(walk__array_and_object__in_order),
		cmocka_unit_test(string__table__unescaped),
		cmocka_unit_test(string__nothing_escaped__is_a_view),
		cmocka_unit_test(string__faults__leave_the_output),
		cmocka_unit_test(u64__table__whole_numbers_only),
		cmocka_unit_test(bool__table__true_and_false_only),
	};
	return cmocka_run_group_tests_name("json.read", tests, NULL, NULL);
}
