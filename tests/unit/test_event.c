/* Goal: the contract of farebox/event.h. Method: a log on a file, a clock that stands still, and every line read back
 * by the strict JSON reader. */
#define _GNU_SOURCE
#include "farebox/event.h"
#include "farebox/json.h"
#include "fb_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WHOLE_MAX = 1 << 20 };
static char whole[WHOLE_MAX]; /* all lines of one test */

#define STOPPING_AT_0 "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\",\"event\":\"stopping\""

static uint64_t mono_ns(void *ctx)
{
	(void)ctx;
	return 0;
}

static int64_t wall_us(void *ctx)
{
	return *(const int64_t *)ctx;
}

static struct fb_log *open_log(int *fd, int64_t *now_us, enum fb_level min)
{
	struct fb_log *log;

	*fd = memfd_create("log", 0);
	CHECK(*fd >= 0);
	fb_log_open(&log, *fd, min, (struct fb_clock){ mono_ns, wall_us, now_us });
	return log;
}

static struct fb_str close_log(struct fb_log *log, int fd)
{
	ssize_t len = pread(fd, whole, sizeof(whole), 0);

	CHECK(len >= 0 && (size_t)len < sizeof(whole));
	fb_log_close(log);
	close(fd);
	return (struct fb_str){ whole, (size_t)len };
}

/* The only line of a log that got one event with one text field. */
static struct fb_str line_of(struct fb_field field)
{
	int fd;
	int64_t now_us = 0;
	struct fb_log *log = open_log(&fd, &now_us, FB_DEBUG);
	struct fb_str text;

	fb_log(log, FB_EV_STOPPING, field);
	text = close_log(log, fd);
	CHECK(text.len <= FB_EVENT_LINE_MAX);
	CHECK(text.len > 0 && memchr(text.at, '\n', text.len) == text.at + text.len - 1);
	return (struct fb_str){ text.at, text.len - 1 };
}

static void write__every_kind_of_field__is_one_json_line(void **state)
{
	int fd;
	int64_t now_us = 1790000000123456;
	struct fb_log *log = open_log(&fd, &now_us, FB_DEBUG);

	(void)state;
	fb_log(log, FB_EV_TX_SENT, FB_F_U64("nonce", UINT64_MAX), FB_F_HEX("tx", "\x00\xab\xff", 3),
	       FB_F_TEXT("why", "a \"b\""), FB_F_STR("empty", FB_STR("")));
	now_us = 0;
	fb_log_write(log, FB_EV_STOPPED, NULL, 0);
	CHECK_STR("{\"ts\":\"2026-09-21T14:13:20.123456Z\",\"level\":\"info\",\"event\":\"tx_sent\","
		  "\"nonce\":18446744073709551615,\"tx\":\"0x00abff\",\"why\":\"a \\u0022b\\u0022\",\"empty\":\"\"}\n"
		  "{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"info\",\"event\":\"stopped\"}\n",
		  close_log(log, fd));
}

static void write__hostile_text__cannot_forge_a_line(void **state)
{
	static const struct { struct fb_str text; const char *want; } rows[] = {
		{ { "a\n{\"ts\":1}", 10 }, "a\\u000a{\\u0022ts\\u0022:1}" },
		{ { "\0\x1b[2J\x7f", 6 }, "\\u0000\\u001b[2J\\u007f" },
		{ { "\\", 1 }, "\\u005c" },
		{ { "\xc2\x85\xe2\x80\xa8", 5 }, "\\u0085\\u2028" },            /* line ends of Unicode */
		{ { "\xe2\x82\xac\xf0\x9f\x98\x80", 7 }, "\\u20ac\\ud83d\\ude00" },
		{ { "\xc3", 1 }, "\\ufffd" },                                   /* cut short */
		{ { "\xc3\xa9", 1 }, "\\ufffd" },                               /* the rest lies behind the end */
		{ { "\xc3(", 2 }, "\\ufffd(" },                                 /* no continuation */
		{ { "\xc0\x80", 2 }, "\\ufffd\\ufffd" },                        /* two bytes for NUL */
		{ { "\xed\xa0\x80", 3 }, "\\ufffd\\ufffd\\ufffd" },             /* a surrogate */
		{ { "\xf4\x90\x80\x80", 4 }, "\\ufffd\\ufffd\\ufffd\\ufffd" },  /* above U+10FFFF */
		{ { "\x80\xff\xfe", 3 }, "\\ufffd\\ufffd\\ufffd" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char want[256];

		snprintf(want, sizeof(want),
			 STOPPING_AT_0 ",\"k\":\"%s\"}", rows[i].want);
		CHECK_STR(want, line_of(FB_F_STR("k", rows[i].text)));
	}
}

static void check_json(struct fb_str line, bool want_cut)
{
	static struct fb_json_token tokens[64];
	struct fb_json doc;
	bool cut = false;

	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, FB_COUNT(tokens), line));
	if (want_cut)
		CHECK_STATUS(FB_OK, fb_json_bool(&cut, fb_json_get(fb_json_root(&doc), "cut")));
	CHECK(cut == want_cut);
	CHECK(fb_json_present(fb_json_get(fb_json_root(&doc), "cut")) == want_cut);
}

/* Every length around the limit, of a character that takes 1, 6 and 12 bytes, and of raw bytes. */
static void write__too_long__is_cut_and_stays_json(void **state)
{
	static const char *const unit[] = { "x", "\n", "\xf0\x9f\x98\x80" };
	static const size_t written[] = { 1, 6, 12 };
	static char text[3 * FB_EVENT_LINE_MAX];
	unsigned cuts = 0, whole_ones = 0;

	(void)state;
	for (size_t u = 0; u < FB_COUNT(unit); u++) {
		size_t width = strlen(unit[u]);

		for (size_t k = 0; k + width <= sizeof(text); k += width)
			memcpy(text + k, unit[u], width);
		for (size_t n = (FB_EVENT_LINE_MAX - 150) / written[u]; n <= FB_EVENT_LINE_MAX / written[u] + 1; n++) {
			bool cut = n * written[u] + strlen(STOPPING_AT_0 ",\"k\":\"") >
				   FB_EVENT_LINE_MAX - strlen("\",\"cut\":true}\n");

			check_json(line_of(FB_F_STR("k", ((struct fb_str){ text, n * width }))), cut);
			cuts += cut;
			whole_ones += !cut;
		}
	}
	CHECK(cuts > 50 && whole_ones > 50);
	check_json(line_of(FB_F_HEX("k", text, sizeof(text))), true);
}

static void write__fields_behind_a_cut__are_left_out(void **state)
{
	static char text[FB_EVENT_LINE_MAX];
	int fd;
	int64_t now_us = 0;
	struct fb_str line;

	(void)state;
	memset(text, 'x', sizeof(text));
	/* In the second round the first field fits and the key of the second does not. */
	for (size_t len = sizeof(text); len > 0; len = len == sizeof(text) ? sizeof(text) - 95 : 0) {
		struct fb_log *log = open_log(&fd, &now_us, FB_DEBUG);

		fb_log(log, FB_EV_STOPPING, FB_F_STR("a", ((struct fb_str){ text, len })), FB_F_U64("number", 1),
		       FB_F_TEXT("b", "y"));
		line = close_log(log, fd);
		check_json((struct fb_str){ line.at, line.len - 1 }, true);
		CHECK(memmem(line.at, line.len, "number", 6) == NULL);
	}
}

static void write__level__filters_and_broken_is_counted(void **state)
{
	int fd;
	int64_t now_us = 0;
	struct fb_log *log = open_log(&fd, &now_us, FB_BROKEN);

	(void)state;
	fb_log(log, FB_EV_STARTED, FB_F_U64("n", 1));
	fb_log(log, FB_EV_RPC_DOWN, FB_F_U64("n", 2));
	CHECK(fb_log_broken_count(log) == 0);
	fb_log(log, FB_EV_INVARIANT, FB_F_U64("n", 3));
	CHECK(fb_log_broken_count(log) == 1);
	CHECK_STR("{\"ts\":\"1970-01-01T00:00:00.000000Z\",\"level\":\"broken\",\"event\":\"invariant\",\"n\":3}\n",
		  close_log(log, fd));
	fb_log(NULL, FB_EV_INVARIANT, FB_F_U64("n", 4)); /* no log: nothing */
	fb_log_close(NULL);
}

static void write__descriptor_full__loses_the_line_only(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	int64_t now_us = 0;
	struct fb_log *log;

	(void)state;
	CHECK(fd >= 0);
	fb_log_open(&log, fd, FB_DEBUG, (struct fb_clock){ mono_ns, wall_us, &now_us });
	fb_log(log, FB_EV_INVARIANT, FB_F_U64("n", 1));
	CHECK(fb_log_broken_count(log) == 1);
	fb_log_close(log);
	close(fd);
}

enum { THREADS = 4, LINES = 200 };
static void *write_many(void *arg)
{
	char text[160];

	memset(text, '\n', sizeof(text)); /* written in six bytes each: a line of about a thousand */
	for (size_t i = 0; i < LINES; i++)
		fb_log(arg, FB_EV_INVARIANT, FB_F_STR("text", ((struct fb_str){ text, sizeof(text) })), FB_F_U64("i", i));
	return NULL;
}

static void write__many_threads__lines_stay_whole(void **state)
{
	int fd;
	int64_t now_us = 0;
	struct fb_log *log = open_log(&fd, &now_us, FB_DEBUG);
	pthread_t threads[THREADS];
	struct fb_str rest, line;
	size_t lines = 0;

	(void)state;
	CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, write_many, log) == 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(fb_log_broken_count(log) == THREADS * LINES);
	rest = close_log(log, fd);
	while (fb_str_split(&line, &rest, rest, '\n')) {
		check_json(line, false);
		lines++;
	}
	CHECK(lines == THREADS * LINES && rest.len == 0);
}

static void table__names__are_lower_case_and_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_EV_END; i++) {
		const struct fb_event_info *info = fb_event_info((enum fb_event)i);

		CHECK(info->name[0] != '\0' && info->doc[0] != '\0');
		for (const char *c = info->name; *c != '\0'; c++)
			CHECK((*c >= 'a' && *c <= 'z') || *c == '_');
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(info->name, fb_event_info((enum fb_event)k)->name) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write__every_kind_of_field__is_one_json_line),
		cmocka_unit_test(write__hostile_text__cannot_forge_a_line),
		cmocka_unit_test(write__too_long__is_cut_and_stays_json),
		cmocka_unit_test(write__fields_behind_a_cut__are_left_out),
		cmocka_unit_test(write__level__filters_and_broken_is_counted),
		cmocka_unit_test(write__descriptor_full__loses_the_line_only),
		cmocka_unit_test(write__many_threads__lines_stay_whole),
		cmocka_unit_test(table__names__are_lower_case_and_unique),
	};
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
