/* Goal: a damaged directory is opened as a copy and the original kept; a backup is whole and opens; a reader sees what
 * was durable while the owner goes on. Method: real directories. */
#include "test_store.h"

#include <dirent.h>
#include <unistd.h>

static struct fb_anchor anchor_of(uint64_t number)
{
	return (struct fb_anchor){ .epoch = 1, .number = number };
}

/* The newest log of RocksDB. */
static off_t find_log(char path[512])
{
	char rows[200];
	struct dirent *entry;
	struct stat info;
	DIR *dir;

	snprintf(rows, sizeof(rows), "%s/rows", test_store_data);
	dir = opendir(rows);
	CHECK(dir != NULL);
	path[0] = '\0';
	while ((entry = readdir(dir)) != NULL)
		if (strlen(entry->d_name) > 4 && strcmp(entry->d_name + strlen(entry->d_name) - 4, ".log") == 0)
			snprintf(path, 512, "%s/%s", rows, entry->d_name);
	closedir(dir);
	CHECK(path[0] != '\0' && stat(path, &info) == 0);
	return info.st_size;
}

/* Rows a0 … a9, an anchor, and a byte flipped in the middle of the log. */
static void make_damaged(void)
{
	static char value[2000];
	struct fb_store *s = test_store_open();
	struct fb_anchor a = anchor_of(3);
	struct fb_error e;
	char key[8], path[512];

	memset(value, 'v', sizeof(value) - 1);
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	for (unsigned i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "a%u", i);
		CHECK_STATUS(FB_OK, test_store_put(s, key, value));
	}
	fb_store_close(s);
	test_store_flip(path, find_log(path) / 2);
	CHECK(strstr(test_store_refusal(), "damaged") != NULL);
}

static bool count_row(void *arg, struct fb_str key, struct fb_str value)
{
	(void)key, (void)value;
	++*(unsigned *)arg;
	return true;
}

static unsigned count_rows(struct fb_store *s)
{
	unsigned n = 0;

	CHECK_STATUS(FB_OK, fb_store_scan(s, FB_STR("a"), count_row, &n));
	return n;
}

static bool exists(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", test_store_data, name);
	return access(path, F_OK) == 0;
}

static void salvage__not_accepted__leaves_the_original_and_no_copy(void **state)
{
	struct fb_store *s;
	struct fb_anchor a;
	struct fb_error e;
	unsigned n;

	(void)state;
	make_damaged();
	CHECK_STATUS(FB_OK, fb_salvage_open(&s, test_store_data, &e));
	n = count_rows(s);
	CHECK(n > 1 && n < 9); /* up to the flipped byte */
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &a, &e));
	CHECK(a.number == 3 && exists("damaged-1"));
	fb_store_close(s);
	CHECK(!exists("damaged-1"));
	CHECK(strstr(test_store_refusal(), "damaged") != NULL);
}

static void salvage__accepted__takes_the_place_and_keeps_the_original(void **state)
{
	char aside_text[200];
	struct fb_buf aside;
	struct fb_store *s;
	struct fb_error e;
	unsigned n;

	(void)state;
	make_damaged();
	CHECK_STATUS(FB_OK, fb_salvage_open(&s, test_store_data, &e));
	n = count_rows(s);
	fb_buf_init(&aside, aside_text, sizeof(aside_text));
	CHECK_STATUS(FB_OK, fb_salvage_accept(&s, s, &aside, &e));
	CHECK(count_rows(s) == n);
	CHECK(strstr(aside_text, "damaged-1") != NULL && exists("damaged-1/CURRENT"));
	CHECK_STATUS(FB_OK, test_store_put(s, "a-later", "x"));
	fb_store_close(s);
	s = test_store_open();
	CHECK(count_rows(s) == n + 1);
	fb_store_close(s);
}

static void salvage__too_many_put_aside__is_refused(void **state)
{
	struct fb_store *s;
	struct fb_error e;
	char path[200];

	(void)state;
	make_damaged();
	for (unsigned i = 1; i <= 9; i++) {
		snprintf(path, sizeof(path), "%s/damaged-%u", test_store_data, i);
		CHECK(mkdir(path, 0700) == 0);
	}
	CHECK_STATUS(FB_STORAGE, fb_salvage_open(&s, test_store_data, &e));
	CHECK(strstr(e.text, "move those away") != NULL);
}

/* ---- backup and restore ---------------------------------------------------------------------------------------- */
static void check_restored(const char *directory, const char *want, uint64_t epoch)
{
	struct fb_store *s;
	struct fb_anchor a;
	struct fb_error e;

	CHECK_STATUS(FB_OK, fb_store_open(&s, directory, &e));
	test_store_check_row(s, "a", want);
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &a, &e));
	CHECK(a.epoch == epoch && a.number == 4);
	fb_store_close(s);
}

static void backup__while_open__opens_by_itself_and_is_restored_in_a_new_epoch(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_anchor a = anchor_of(4);
	struct fb_error e;
	char copy[128], restored[128];

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", test_store_root.path);
	snprintf(restored, sizeof(restored), "%s/restored", test_store_root.path);
	CHECK_STATUS(FB_NOT_FOUND, fb_store_backup(s, copy, &e)); /* a journal was never begun */
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "then"));
	CHECK_STATUS(FB_OK, fb_store_backup(s, copy, &e));
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "now"));
	CHECK_STATUS(FB_CONFLICT, fb_store_backup(s, copy, &e));
	CHECK(strstr(e.text, copy) != NULL);
	fb_store_close(s);
	CHECK_STATUS(FB_OK, fb_store_restore(copy, restored, &e));
	CHECK_STATUS(FB_CONFLICT, fb_store_restore(copy, restored, &e));
	check_restored(restored, "then", 2);
	check_restored(copy, "then", 1);
	check_restored(test_store_data, "now", 1);
}

static void backup__without_its_anchor__is_not_restored(void **state)
{
	struct fb_store *s = test_store_open();
	struct fb_anchor a = anchor_of(4);
	struct fb_error e;
	char copy[128], path[160], restored[128];

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", test_store_root.path);
	snprintf(restored, sizeof(restored), "%s/restored", test_store_root.path);
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	CHECK_STATUS(FB_OK, fb_store_backup(s, copy, &e));
	fb_store_close(s);
	snprintf(path, sizeof(path), "%s/anchor", copy);
	CHECK(unlink(path) == 0);
	CHECK_STATUS(FB_NOT_FOUND, fb_store_restore(copy, restored, &e));
	CHECK(access(restored, F_OK) != 0);
}

/* ---- a reader -------------------------------------------------------------------------------------------------- */
static void reader__beside_the_owner__sees_what_was_durable(void **state)
{
	struct fb_store *s = test_store_open(), *reader, *later;
	struct fb_anchor a = anchor_of(4), got;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_store_anchor_make(s, &a, &e));
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "then"));
	CHECK_STATUS(FB_OK, fb_store_open_reader(&reader, test_store_data, &e));
	a = anchor_of(5);
	CHECK_STATUS(FB_OK, fb_store_anchor_move(s, &a));
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "now"));
	test_store_check_row(reader, "a", "then");
	CHECK_STATUS(FB_OK, fb_store_anchor(reader, &got, &e));
	CHECK(got.number == 4);
	CHECK_STATUS(FB_OK, fb_store_open_reader(&later, test_store_data, &e));
	test_store_check_row(later, "a", "now");
	fb_store_close(later);
	fb_store_close(s);
	test_store_check_row(reader, "a", "then");
	fb_store_close(reader);
}

static void reader__nothing_there__is_refused_and_makes_nothing(void **state)
{
	struct fb_store *reader;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_STORAGE, fb_store_open_reader(&reader, test_store_data, &e));
	CHECK(access(test_store_data, F_OK) != 0);
}

int test_store_copies(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, test_store_setup, test_store_teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(salvage__not_accepted__leaves_the_original_and_no_copy),
		IN_ROOT(salvage__accepted__takes_the_place_and_keeps_the_original),
		IN_ROOT(salvage__too_many_put_aside__is_refused),
		IN_ROOT(backup__while_open__opens_by_itself_and_is_restored_in_a_new_epoch),
		IN_ROOT(backup__without_its_anchor__is_not_restored),
		IN_ROOT(reader__beside_the_owner__sees_what_was_durable),
		IN_ROOT(reader__nothing_there__is_refused_and_makes_nothing),
	};

	return cmocka_run_group_tests_name("store: copies", tests, NULL, NULL);
}
