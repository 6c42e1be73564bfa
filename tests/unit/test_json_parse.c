/* Goal: the tokeniser accepts RFC 8259 and nothing else, and says where it stopped. */
#include "farebox/json.h"
#include "fb_test.h"
#include "test_json.h"

enum { TOKENS = 1024, TEXT_MAX = 1 << 16 };

static struct fb_json_token tokens[TOKENS];

static enum fb_status parse(struct fb_json *doc, struct fb_str text)
{
	return fb_json_parse(doc, tokens, TOKENS, text);
}

/* A text with its length, so that rows may hold NUL. */
#define TEXT(lit) lit, sizeof(lit) - 1

static void parse__well_formed__accepted(void **state)
{
	static const struct { const char *text; size_t len; uint32_t count; } rows[] = {
		{ TEXT("null"), 1 }, { TEXT("true"), 1 }, { TEXT("false"), 1 }, { TEXT("0"), 1 }, { TEXT("-0"), 1 },
		{ TEXT("-1.5e+300"), 1 }, { TEXT("1E9"), 1 }, { TEXT("10.01"), 1 }, { TEXT("0.0e-0"), 1 },
		{ TEXT("123456789012345678901234567890123456789012345678901234567890"), 1 },
		{ TEXT(" \t\r\n[ ] \n"), 1 }, { TEXT("{}"), 1 }, { TEXT("[[],{}]"), 3 }, { TEXT("[1,2,[3]]"), 5 },
		{ TEXT("{\"a\":1,\"b\":[true]}"), 6 }, { TEXT("{ \"a\" : { \"a\" : 1 } }"), 5 }, { TEXT("\"\""), 1 },
		{ TEXT("{\"\":0}"), 3 }, { TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), 1 }, { TEXT("\"\x7f\""), 1 },
		{ TEXT("\"\\u0001\\uABCD\\uffff\""), 1 }, { TEXT("\"\\ud83d\\ude00\""), 1 },
		{ TEXT("\"\\uDBFF\\uDFFF\""), 1 },
		{ TEXT("\"USD\xe2\x82\xae" "0\""), 1 }, { TEXT("\"\xc2\x80\xdf\xbf\""), 1 },
		{ TEXT("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""), 1 },
		{ TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""), 1 },
		{ TEXT("\"a long text that takes more than one word of eight bytes\""), 1 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_json doc;

		CHECK_STATUS(FB_OK, parse(&doc, (struct fb_str){ rows[i].text, rows[i].len }));
		CHECK(doc.count == rows[i].count);
	}
}

static const struct { const char *text; size_t len; enum fb_status want; uint32_t at; } ill_formed[] = {
	{ TEXT(""), FB_BAD_SYNTAX, 0 },
	{ TEXT("  "), FB_BAD_SYNTAX, 2 },
	{ TEXT("\xef\xbb\xbf{}"), FB_BAD_SYNTAX, 0 }, /* a byte order mark */
	{ TEXT("{}x"), FB_BAD_SYNTAX, 2 },
	{ TEXT("{} {}"), FB_BAD_SYNTAX, 3 },
	{ TEXT("{}\0"), FB_BAD_SYNTAX, 2 },
	{ TEXT("\0"), FB_BAD_SYNTAX, 0 },
	{ TEXT("{\"a\":1,}"), FB_BAD_SYNTAX, 7 },
	{ TEXT("[1,]"), FB_BAD_SYNTAX, 3 },
	{ TEXT("[,1]"), FB_BAD_SYNTAX, 1 },
	{ TEXT("[1 2]"), FB_BAD_SYNTAX, 3 },
	{ TEXT("[1}"), FB_BAD_SYNTAX, 2 },
	{ TEXT("{\"a\":1]"), FB_BAD_SYNTAX, 6 },
	{ TEXT("{a:1}"), FB_BAD_SYNTAX, 1 },
	{ TEXT("{'a':1}"), FB_BAD_SYNTAX, 1 },
	{ TEXT("{\"a\" 1}"), FB_BAD_SYNTAX, 5 },
	{ TEXT("{\"a\":}"), FB_BAD_SYNTAX, 5 },
	{ TEXT("{1:1}"), FB_BAD_SYNTAX, 1 },
	{ TEXT("]"), FB_BAD_SYNTAX, 0 },
	{ TEXT("// c\n1"), FB_BAD_SYNTAX, 0 },
	{ TEXT("[1/**/]"), FB_BAD_SYNTAX, 2 },
	{ TEXT("NaN"), FB_BAD_SYNTAX, 0 },
	{ TEXT("Infinity"), FB_BAD_SYNTAX, 0 },
	{ TEXT("-Infinity"), FB_BAD_SYNTAX, 1 },
	{ TEXT("nul"), FB_BAD_SYNTAX, 0 },
	{ TEXT("nulL"), FB_BAD_SYNTAX, 0 },
	{ TEXT("truex"), FB_BAD_SYNTAX, 4 },
	{ TEXT("True"), FB_BAD_SYNTAX, 0 },
	{ TEXT("00"), FB_BAD_SYNTAX, 1 },
	{ TEXT("-01"), FB_BAD_SYNTAX, 2 },
	{ TEXT("+1"), FB_BAD_SYNTAX, 0 },
	{ TEXT(".5"), FB_BAD_SYNTAX, 0 },
	{ TEXT("1."), FB_BAD_SYNTAX, 2 },
	{ TEXT("1.e5"), FB_BAD_SYNTAX, 2 },
	{ TEXT("1e"), FB_BAD_SYNTAX, 2 },
	{ TEXT("1e+"), FB_BAD_SYNTAX, 3 },
	{ TEXT("-"), FB_BAD_SYNTAX, 1 },
	{ TEXT("0x10"), FB_BAD_SYNTAX, 1 },
	{ TEXT("\"a"), FB_BAD_SYNTAX, 2 },
	{ TEXT("\"a\nb\""), FB_BAD_SYNTAX, 2 },
	{ TEXT("\"a\0b\""), FB_BAD_SYNTAX, 2 },
	{ TEXT("\"12345678\x1f\""), FB_BAD_SYNTAX, 9 },
	{ TEXT("\"\\x41\""), FB_BAD_SYNTAX, 2 },
	{ TEXT("\"\\u00\""), FB_BAD_SYNTAX, 5 },
	{ TEXT("\"\\u00g0\""), FB_BAD_SYNTAX, 5 },
	{ TEXT("\"\\u0000\""), FB_BAD_SYNTAX, 7 },
	{ TEXT("\"\\"), FB_BAD_SYNTAX, 2 },
	{ TEXT("\"\\ud800\""), FB_BAD_UTF8, 7 },
	{ TEXT("\"\\ud800x\""), FB_BAD_UTF8, 7 },
	{ TEXT("\"\\ud800\\n\""), FB_BAD_UTF8, 7 },
	{ TEXT("\"\\ud800\\u0041\""), FB_BAD_UTF8, 13 },
	{ TEXT("\"\\ud800\\ud800\""), FB_BAD_UTF8, 13 },
	{ TEXT("\"\\ud800\\ue000\""), FB_BAD_UTF8, 13 },
	{ TEXT("\"\\udc00\\ud800\""), FB_BAD_UTF8, 7 },
	{ TEXT("\"\\ud800\\u12\""), FB_BAD_SYNTAX, 11 },
	{ TEXT("\"\x80\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xc0\x80\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xc1\xbf\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xc2\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xc2"), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xe0\x9f\xbf\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xed\xa0\x80\""), FB_BAD_UTF8, 1 }, /* a surrogate as three bytes */
	{ TEXT("\"\xe2\x82\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xf0\x8f\xbf\xbf\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xf4\x90\x80\x80\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xf5\x80\x80\x80\""), FB_BAD_UTF8, 1 },
	{ TEXT("\"\xff\""), FB_BAD_UTF8, 1 },
	{ TEXT("\xe2\x82\xae"), FB_BAD_SYNTAX, 0 }, /* outside a string */
};

static void parse__ill_formed__refused_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(ill_formed); i++) {
		struct fb_json doc;
		enum fb_status got = parse(&doc, (struct fb_str){ ill_formed[i].text, ill_formed[i].len });

		if (got != ill_formed[i].want || doc.error_at != ill_formed[i].at)
			fail_msg("%s: %s at %u", ill_formed[i].text, fb_status_info(got)->name, doc.error_at);
		CHECK(doc.count == 0);
	}
}

static void parse__duplicate_keys__refused_after_unescaping(void **state)
{
	static const struct { const char *text; enum fb_status want; uint32_t at; } rows[] = {
		{ "{\"a\":1,\"a\":1}", FB_DUPLICATE_KEY, 8 },
		{ "{\"a\":1,\"b\":2,\"a\":{\"a\":3}}", FB_DUPLICATE_KEY, 14 },
		{ "{\"a\":1,\"\\u0061\":2}", FB_DUPLICATE_KEY, 8 },
		{ "{\"\\u0061\":1,\"a\":2}", FB_DUPLICATE_KEY, 13 },
		{ "{\"\\/\":1,\"/\":2}", FB_DUPLICATE_KEY, 9 },
		{ "{\"\":1,\"\":2}", FB_DUPLICATE_KEY, 7 },
		{ "{\"\xe2\x82\xae\":1,\"\\u20AE\":2}", FB_DUPLICATE_KEY, 10 },
		{ "{\"\xf0\x9f\x98\x80\":1,\"\\uD83D\\uDE00\":2}", FB_DUPLICATE_KEY, 11 },
		{ "[{\"x\":{\"y\":0,\"y\":0}}]", FB_DUPLICATE_KEY, 14 },
		{ "{\"a\":1,\"A\":1,\"aa\":1,\"a\\u0020\":1,\" a\":1}", FB_OK, 0 },
		{ "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}", FB_OK, 0 },
		{ "{\"a\":1,\"a\":1", FB_BAD_SYNTAX, 12 }, /* found at the object's end: the fault before it wins */
		{ "{\"k00\":0,\"k01\":0,\"k02\":0,\"k03\":0,\"k04\":0,\"k05\":0,\"k06\":0,\"k07\":0,\"k08\":0,"
		  "\"k09\":0,\"k10\":0,\"k11\":0,\"k12\":0,\"k13\":0}", FB_OK, 0 },
		{ "{\"k00\":0,\"k01\":0,\"k02\":0,\"k03\":0,\"k04\":0,\"k05\":0,\"k06\":0,\"k07\":0,\"k08\":0,"
		  "\"k09\":0,\"k10\":0,\"k11\":0,\"k05\":0,\"k01\":0}", FB_DUPLICATE_KEY, 98 },
		{ "{\"k00\":0,\"k01\":0,\"k02\":0,\"k03\":0,\"k04\":0,\"k05\":0,\"k06\":0,\"k07\":0,\"k08\":0,"
		  "\"k09\":0,\"k10\":0,\"k11\":0,\"k01\":0,\"k05\":0}", FB_DUPLICATE_KEY, 98 },
		{ "{\"k00\":0,\"k01\":0,\"k02\":0,\"k03\":0,\"k04\":0,\"k05\":0,\"k06\":0,\"k07\":0,\"k08\":0,"
		  "\"k09\":0,\"k10\":0,\"k11\":0,\"k12\":0,\"\\u006b00\":0}", FB_DUPLICATE_KEY, 106 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_json doc;
		enum fb_status got = parse(&doc, fb_str_of(rows[i].text));

		if (got != rows[i].want || doc.error_at != rows[i].at)
			fail_msg("%s: %s at %u", rows[i].text, fb_status_info(got)->name, doc.error_at);
	}
}

static void parse__every_prefix__refused(void **state)
{
	static const char text[] =
		"{\"a\":[1,-2.5e3,true,null,\"x\\n\\ud83d\\ude00\xe2\x82\xae\"],\"b\":{\"c\":{},\"d\":[]}}";
	struct fb_json doc;

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *exact = malloc(len + 1); /* so that a read beyond the end is seen */

		memcpy(exact, text, len);
		CHECK(parse(&doc, (struct fb_str){ exact, len }) != FB_OK);
		CHECK(doc.error_at <= len);
		free(exact);
	}
	CHECK_STATUS(FB_OK, parse(&doc, fb_str_of(text)));
}

/* Every byte value at every offset within a word: the eight-byte scan must agree with the rule. */
static void parse__every_byte_at_every_offset__judged_alike(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool fits = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

		for (size_t at = 0; at < 16; at++) {
			char text[19] = "\"pppppppppppppppp\"";
			struct fb_json doc;

			text[1 + at] = (char)c;
			CHECK((parse(&doc, (struct fb_str){ text, 18 }) == FB_OK) == fits);
		}
	}
}

static struct fb_str nested(char *text, size_t depth)
{
	for (size_t i = 0; i < depth; i++) {
		text[i] = '[';
		text[2 * depth - 1 - i] = ']';
	}
	return (struct fb_str){ text, 2 * depth };
}

static void parse__depth__refused_beyond_the_limit(void **state)
{
	static char text[TEXT_MAX];
	struct fb_json doc;
	struct fb_buf b;

	(void)state;
	CHECK_STATUS(FB_OK, parse(&doc, nested(text, FB_JSON_DEPTH_MAX)));
	CHECK_STATUS(FB_TOO_DEEP, parse(&doc, nested(text, FB_JSON_DEPTH_MAX + 1)));
	CHECK(doc.error_at == FB_JSON_DEPTH_MAX);
	CHECK_STATUS(FB_TOO_DEEP, parse(&doc, nested(text, TEXT_MAX / 2)));
	/* depth is of nesting, not of containers seen */
	fb_buf_init(&b, text, sizeof(text));
	for (size_t i = 0; i < 2 * FB_JSON_DEPTH_MAX; i++)
		fb_buf_text(&b, i == 0 ? "[[]" : ",[]");
	fb_buf_char(&b, ']');
	CHECK_STATUS(FB_OK, parse(&doc, fb_buf_view(&b)));
}

static struct fb_str with_members(char *text, unsigned n, const char *before, const char *behind)
{
	struct fb_buf b;

	fb_buf_init(&b, text, TEXT_MAX);
	fb_buf_char(&b, '{');
	for (unsigned i = 0; i < n; i++) {
		/* every number once, in no order */
		fb_buf_printf(&b, "%s\"%s%03u%s\":0", i == 0 ? "" : ",", before, i * 167 % 257, behind);
	}
	fb_buf_char(&b, '}');
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

static void parse__members__refused_beyond_the_limit(void **state)
{
	static char text[TEXT_MAX];
	struct fb_json doc;

	(void)state;
	CHECK_STATUS(FB_OK, parse(&doc, with_members(text, FB_JSON_MEMBERS_MAX, "", "")));
	CHECK(doc.count == 1 + 2 * FB_JSON_MEMBERS_MAX);
	CHECK_STATUS(FB_OK, parse(&doc, with_members(text, FB_JSON_MEMBERS_MAX, "\\u0041", "\\n")));
	CHECK_STATUS(FB_TOO_MANY, parse(&doc, with_members(text, FB_JSON_MEMBERS_MAX + 1, "", "")));
}

static void parse__duplicate_among_many__found_wherever_it_stands(void **state)
{
	static char text[TEXT_MAX];

	(void)state;
	for (unsigned n = 2; n <= FB_JSON_MEMBERS_MAX; n += n < 40 ? 1 : 27) {
		for (unsigned twin = 0; twin + 1 < n; twin += 1 + n / 8) {
			struct fb_str s = with_members(text, n, "", "");
			struct fb_json doc;

			/* every member is `"ddd":0,`: the last key becomes a copy of another */
			memcpy(text + 2 + 8 * (n - 1), text + 2 + 8 * twin, 3);
			CHECK_STATUS(FB_DUPLICATE_KEY, parse(&doc, s));
			CHECK(doc.error_at == 2 + 8 * (n - 1));
		}
	}
}

static void parse__tokens_run_out__too_many(void **state)
{
	struct fb_json doc;
	static const struct { const char *text; size_t needs; } rows[] = {
		{ "1", 1 }, { "null", 1 }, { "\"\"", 1 }, { "[]", 1 }, { "[1,2]", 3 }, { "{\"a\":true}", 3 },
		{ "{\"a\":{\"b\":[]}}", 5 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		for (size_t cap = 0; cap < rows[i].needs; cap++)
			CHECK_STATUS(FB_TOO_MANY, fb_json_parse(&doc, tokens, cap, fb_str_of(rows[i].text)));
		CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, rows[i].needs, fb_str_of(rows[i].text)));
	}
}

static void parse__text_of_4_GiB__too_large_unread(void **state)
{
	struct fb_json doc;

	(void)state;
	CHECK_STATUS(FB_TOO_LARGE, parse(&doc, (struct fb_str){ "1", (size_t)UINT32_MAX + 1 }));
}

static void parse__skip_links__span_what_they_hold(void **state)
{
	struct fb_json doc;
	static const struct { uint8_t type; uint32_t start, len, next, count; } want[] = {
		{ FB_JSON_OBJECT, 0, 29, 9, 2 }, { FB_JSON_STRING, 2, 1, 2, 0 }, { FB_JSON_ARRAY, 5, 9, 5, 2 },
		{ FB_JSON_NUMBER, 6, 2, 4, 0 }, { FB_JSON_TRUE, 9, 4, 5, 0 }, { FB_JSON_STRING, 16, 2, 6, 0 },
		{ FB_JSON_OBJECT, 20, 8, 9, 1 }, { FB_JSON_STRING, 22, 1, 8, 0 }, { FB_JSON_STRING, 26, 0, 9, 0 },
	};
	(void)state;
	CHECK_STATUS(FB_OK, parse(&doc, FB_STR("{\"a\":[12,true],\"\\n\":{\"c\":\"\"}}")));
	CHECK(doc.count == FB_COUNT(want));
	for (uint32_t i = 0; i < FB_COUNT(want); i++) {
		CHECK(tokens[i].type == want[i].type && tokens[i].start == want[i].start &&
		      tokens[i].len == want[i].len);
		CHECK(tokens[i].next == want[i].next && tokens[i].count == want[i].count);
	}
	CHECK(tokens[5].escaped && !tokens[1].escaped);
}

int json_parse_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__well_formed__accepted),
		cmocka_unit_test(parse__ill_formed__refused_with_its_place),
		cmocka_unit_test(parse__duplicate_keys__refused_after_unescaping),
		cmocka_unit_test(parse__every_prefix__refused),
		cmocka_unit_test(parse__every_byte_at_every_offset__judged_alike),
		cmocka_unit_test(parse__depth__refused_beyond_the_limit),
		cmocka_unit_test(parse__members__refused_beyond_the_limit),
		cmocka_unit_test(parse__duplicate_among_many__found_wherever_it_stands),
		cmocka_unit_test(parse__tokens_run_out__too_many),
		cmocka_unit_test(parse__text_of_4_GiB__too_large_unread),
		cmocka_unit_test(parse__skip_links__span_what_they_hold),
	};
	return cmocka_run_group_tests_name("json.parse", tests, NULL, NULL);
}
