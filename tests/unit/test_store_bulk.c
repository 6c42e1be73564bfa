/* Goal: cursors move both ways over one snapshot; a bulk shows all its rows or none.
 * Method: a real store; the failing disk is a directory that was taken away. */
#include "test_store.h"

#include <unistd.h>

static struct fb_str bytes(const char *text)
{
	return fb_str_of(text);
}

/* All keys from the one at or after `from` to the end, or from the one at or before back to the start. */
static void check_walk(struct fb_cursor *c, const char *from, bool back, const char *want)
{
	char seen[128] = "";
	bool more = back ? fb_cursor_seek_back(c, bytes(from)) : fb_cursor_seek(c, bytes(from));

	for (; more; more = back ? fb_cursor_back(c) : fb_cursor_next(c)) {
		struct fb_str key = fb_cursor_key(c), value = fb_cursor_value(c);
		size_t len = strlen(seen);

		snprintf(seen + len, sizeof(seen) - len, "%.*s=%.*s ", FB_STR_ARG(key), FB_STR_ARG(value));
	}
	CHECK_STATUS(FB_OK, fb_cursor_status(c));
	CHECK_STR(want, bytes(seen));
}

static void cursor__both_ways__sees_the_family_as_it_was(void **state)
{
	static const struct { const char *from; bool back; const char *want; } rows[] = {
		{ "", false, "b=1 d=2 f=3 " }, { "b", false, "b=1 d=2 f=3 " }, { "c", false, "d=2 f=3 " }, { "g", false, "" },
		{ "g", true, "f=3 d=2 b=1 " }, { "f", true, "f=3 d=2 b=1 " }, { "e", true, "d=2 b=1 " }, { "a", true, "" },
	};
	struct fb_store *s = test_store_open();
	struct fb_cursor *c;

	(void)state;
	CHECK_STATUS(FB_OK, test_store_put(s, "d", "2"));
	CHECK_STATUS(FB_OK, test_store_put(s, "b", "1"));
	CHECK_STATUS(FB_OK, test_store_put(s, "f", "3"));
	fb_cursor_open(&c, s, FB_FAMILY_ROWS);
	CHECK_STATUS(FB_OK, test_store_put(s, "e", "later"));
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		check_walk(c, rows[i].from, rows[i].back, rows[i].want);
	fb_cursor_close(c);
	fb_store_close(s);
}

static void commit__with_a_journal_row__both_families_or_none(void **state)
{
	struct fb_put journal = { .key = FB_STR("j1"), .value = FB_STR("batch") };
	struct fb_put put = { .key = FB_STR("a"), .value = FB_STR("row") };
	struct fb_store *s = test_store_open();
	uint8_t out[16];
	size_t len;

	(void)state;
	CHECK_STATUS(FB_OK, fb_store_commit(s, &journal, &put, 1));
	journal.key = FB_STR("j2");
	CHECK_STATUS(FB_OK, fb_store_commit(s, &journal, NULL, 0));
	for (unsigned round = 0; round < 2; round++) {
		test_store_check_row(s, "a", "row");
		test_store_check_row(s, "j1", NULL); /* a key space of its own */
		CHECK_STATUS(FB_OK, fb_store_get_from(s, FB_FAMILY_JOURNAL, out, &len, sizeof(out), FB_STR("j2")));
		CHECK_STATUS(FB_NOT_FOUND, fb_store_get_from(s, FB_FAMILY_JOURNAL, out, &len, sizeof(out), FB_STR("a")));
		fb_store_close(s);
		s = test_store_open();
	}
	fb_store_close(s);
}

static void check_derived(struct fb_store *s, const char *want)
{
	struct fb_cursor *c;

	fb_cursor_open(&c, s, FB_FAMILY_DERIVED);
	check_walk(c, "", false, want);
	fb_cursor_close(c);
}

static void bulk__ingested__is_there_at_once_and_after_reopen(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_bulk *b;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
		fb_bulk_put(b, FB_STR("a1"), FB_STR("x"));
		fb_bulk_put(b, FB_STR("a2"), round == 0 ? FB_STR("old") : FB_STR("new"));
		if (round == 0)
			fb_bulk_put(b, FB_STR("b1"), FB_STR("y"));
		else
			fb_bulk_remove(b, FB_STR("b1"));
		fb_bulk_put(b, FB_STR("c1"), FB_STR("z"));
		CHECK_STATUS(FB_OK, fb_bulk_finish(b));
		check_derived(s, round == 0 ? "" : "a1=x a2=old b1=y c1=z "); /* not before */
		CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
		fb_bulk_close(b);
		check_derived(s, round == 0 ? "a1=x a2=old b1=y c1=z " : "a1=x a2=new c1=z ");
		fb_store_close(s);
		s = test_store_open();
		check_derived(s, round == 0 ? "a1=x a2=old b1=y c1=z " : "a1=x a2=new c1=z ");
	}
	test_store_check_row(s, "a1", NULL);
	fb_store_close(s);
}

static void note_found(void *arg, size_t i, struct fb_str value)
{
	char *seen = arg;

	CHECK(value.len == 1);
	seen[i] = value.at[0];
}

static void get_many__some_are_there__gives_those(void **state)
{
	static const struct fb_str keys[] = { { "z", 1 }, { "b2", 2 }, { "a1", 2 }, { "a1", 2 }, { "a", 1 }, { "c1", 2 } };
	struct fb_store *s = test_store_open();
	struct fb_bulk *b;
	char seen[FB_COUNT(keys) + 1] = "......";

	(void)state;
	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	fb_bulk_put(b, FB_STR("a1"), FB_STR("x"));
	fb_bulk_split(b);
	fb_bulk_put(b, FB_STR("b2"), FB_STR("y"));
	CHECK_STATUS(FB_OK, fb_bulk_finish(b));
	CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
	fb_bulk_close(b);
	CHECK_STATUS(FB_OK, fb_store_get_many(s, FB_FAMILY_DERIVED, keys, FB_COUNT(keys), note_found, seen));
	CHECK_STR(".yxx..", fb_str_of(seen));
	fb_store_close(s);
}

static void bulk__thrown_away__leaves_nothing(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_bulk *b;
	char path[200];

	(void)state;
	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	fb_bulk_put(b, FB_STR("a"), FB_STR("x"));
	CHECK_STATUS(FB_OK, fb_bulk_finish(b));
	snprintf(path, sizeof(path), "%s/bulk/2-0.sst", test_store_data);
	CHECK(access(path, F_OK) == 0);
	fb_bulk_close(b);
	CHECK(access(path, F_OK) != 0);
	check_derived(s, "");
	fb_store_close(s);
}

/* The table with these bytes in it gets one of them flipped. */
static void damage_table_with(const char *bytes)
{
	char command[512];

	snprintf(command, sizeof(command), "cd '%s/rows' && f=$(grep -l %s *.sst) && test $(echo $f | wc -w) = 1 && "
		 "at=$(grep -obUa %s $f | head -n 1 | cut -d: -f1) && "
		 "printf X | dd of=$f bs=1 seek=$at conv=notrunc status=none", test_store_data, bytes, bytes);
	CHECK(system(command) == 0);
}

static void put_alone(struct fb_store *s, const char *key, const char *value)
{
	struct fb_bulk *b;

	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	fb_bulk_put(b, bytes(key), bytes(value));
	CHECK_STATUS(FB_OK, fb_bulk_finish(b));
	CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
	fb_bulk_close(b);
}

/* RocksDB 7.8 goes on behind a damaged table of a level as if the level had ended. */
static void cursor__damaged_table_in_the_middle__says_so(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_cursor *c;
	unsigned seen = 0;

	(void)state;
	put_alone(s, "a", "first-value");
	put_alone(s, "b", "second-value"); /* tables of one level: they do not overlap */
	put_alone(s, "c", "third-value");
	put_alone(s, "b", "newer");        /* above them */
	put_alone(s, "d", "fourth-value");
	fb_store_close(s);
	damage_table_with("second-value");
	s = test_store_open();
	fb_cursor_open(&c, s, FB_FAMILY_DERIVED);
	for (bool more = fb_cursor_seek(c, FB_STR("a")); more; more = fb_cursor_next(c))
		seen++;
	CHECK_STATUS(FB_STORAGE, fb_cursor_status(c));
	CHECK(seen < 4);
	fb_cursor_close(c);
	fb_store_close(s);
}

static void distrust__once_said__is_remembered_until_cleared(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_error e;

	(void)state;
	CHECK(!fb_store_distrusts_derived(s));
	fb_store_distrust_derived(s);
	fb_store_distrust_derived(s);
	fb_store_close(s);
	s = test_store_open();
	CHECK(fb_store_distrusts_derived(s));
	CHECK_STATUS(FB_OK, fb_store_clear_derived(s, &e));
	CHECK(!fb_store_distrusts_derived(s));
	fb_store_close(s);
}

static void bulk__no_directory_for_its_files__fails_once_and_for_all(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_bulk *b;
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s/bulk", test_store_data);
	CHECK(rmdir(path) == 0);
	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	fb_bulk_put(b, FB_STR("a"), FB_STR("x"));
	fb_bulk_put(b, FB_STR("b"), FB_STR("x"));
	fb_bulk_remove(b, FB_STR("c"));
	CHECK_STATUS(FB_STORAGE, fb_bulk_finish(b));
	CHECK_STATUS(FB_STORAGE, fb_bulk_ingest(b));
	CHECK(strstr(fb_bulk_failure(b), "No such file") != NULL);
	fb_bulk_close(b);
	CHECK_STATUS(FB_OK, test_store_put(s, "other", "rows go on"));
	fb_store_close(s);
}

static void clear_derived__throws_derived_rows_away_alone(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_bulk *b;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "row"));
	for (unsigned round = 0; round < 2; round++) {
		fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
		fb_bulk_put(b, FB_STR("a"), FB_STR("derived"));
		CHECK_STATUS(FB_OK, fb_bulk_finish(b));
		CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
		fb_bulk_close(b);
		check_derived(s, "a=derived ");
		CHECK_STATUS(FB_OK, fb_store_clear_derived(s, &e));
		check_derived(s, "");
	}
	fb_store_close(s);
	s = test_store_open();
	check_derived(s, "");
	test_store_check_row(s, "a", "row");
	fb_store_close(s);
}

int test_store_bulk(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, test_store_setup, test_store_teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(cursor__both_ways__sees_the_family_as_it_was),
		IN_ROOT(commit__with_a_journal_row__both_families_or_none),
		IN_ROOT(bulk__ingested__is_there_at_once_and_after_reopen),
		IN_ROOT(get_many__some_are_there__gives_those),
		IN_ROOT(bulk__thrown_away__leaves_nothing),
		IN_ROOT(bulk__no_directory_for_its_files__fails_once_and_for_all),
		IN_ROOT(cursor__damaged_table_in_the_middle__says_so),
		IN_ROOT(distrust__once_said__is_remembered_until_cleared),
		IN_ROOT(clear_derived__throws_derived_rows_away_alone),
	};

	return cmocka_run_group_tests_name("store: cursors and bulk", tests, NULL, NULL);
}
