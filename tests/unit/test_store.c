/* Goal: the contract of farebox/store.h. Method: real RocksDB in a scratch directory; failures are real ones: a file
 * size limit for the write that fails, bytes flipped and cut on disk, a second process that holds the directory. */
#include "test_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct fb_test_dir test_store_root;
char test_store_data[128];

int test_store_setup(void **state)
{
	(void)state;
	if (!fb_test_dir_make(&test_store_root))
		return -1;
	snprintf(test_store_data, sizeof(test_store_data), "%s/data", test_store_root.path);
	return 0;
}

int test_store_teardown(void **state)
{
	(void)state;
	return fb_test_dir_remove(&test_store_root) ? 0 : -1;
}

struct fb_store *test_store_open(void)
{
	struct fb_store *s = NULL;
	struct fb_error e = { "" };
	enum fb_status st = fb_store_open(&s, test_store_data, &e);

	if (st != FB_OK)
		fail_msg("open: %s", e.text);
	return s;
}

const char *test_store_refusal(void)
{
	static struct fb_error e;
	struct fb_store *s = NULL;

	e.text[0] = '\0';
	CHECK_STATUS(FB_STORAGE, fb_store_open(&s, test_store_data, &e));
	CHECK(s == NULL);
	return e.text;
}

enum fb_status test_store_put(struct fb_store *s, const char *key, const char *value)
{
	struct fb_put p = { .key = fb_str_of(key), .value = fb_str_of(value) };

	return fb_store_commit(s, NULL, &p, 1);
}

void test_store_check_row(struct fb_store *s, const char *key, const char *want)
{
	uint8_t out[64];
	size_t len = 0;

	CHECK_STATUS(want == NULL ? FB_NOT_FOUND : FB_OK, fb_store_get(s, out, &len, sizeof(out), fb_str_of(key)));
	if (want != NULL)
		CHECK_STR(want, ((struct fb_str){ (const char *)out, len }));
}

static void commit__rows__are_there_after_reopen(void **state)
{
	const struct fb_put puts[] = {
		{ .key = FB_STR("a"), .value = FB_STR("1") },
		{ .key = FB_STR("b"), .value = FB_STR("") },
		{ .key = FB_STR("c"), .value = FB_STR("3") },
		{ .key = FB_STR("c"), .remove = true },
		{ .key = FB_STR("d"), .remove = true },
		{ .key = FB_STR("d"), .value = FB_STR("4") },
		{ .key = { "\0\xff", 2 }, .value = { "\0", 1 } },
	};
	struct fb_store *s = test_store_open();
	struct stat info;

	(void)state;
	CHECK_STATUS(FB_OK, fb_store_commit(s, NULL, puts, FB_COUNT(puts)));
	for (unsigned round = 0; round < 3; round++) {
		uint8_t out[8];
		size_t len = 99;

		test_store_check_row(s, "a", "1");
		test_store_check_row(s, "b", "");
		test_store_check_row(s, "c", NULL);
		test_store_check_row(s, "d", "4");
		CHECK_STATUS(FB_OK, fb_store_get(s, out, &len, sizeof(out), (struct fb_str){ "\0\xff", 2 }));
		CHECK(len == 1 && out[0] == 0);
		fb_store_close(s);
		s = test_store_open();
	}
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "2"));
	test_store_check_row(s, "a", "2");
	CHECK_STR("", fb_str_of(fb_store_failure(s)));
	CHECK(stat(test_store_data, &info) == 0 && (info.st_mode & 07777) == 0700);
	fb_store_close(s);
	fb_store_close(NULL);
}

static void get__value_over_cap__is_too_large_and_writes_nothing(void **state)
{
	struct fb_store *s = test_store_open();
	uint8_t out[4] = { 9, 9, 9, 9 };
	size_t len = 99;

	(void)state;
	CHECK_STATUS(FB_OK, test_store_put(s, "k", "12345"));
	CHECK_STATUS(FB_TOO_LARGE, fb_store_get(s, out, &len, sizeof(out), FB_STR("k")));
	CHECK(len == 99 && out[0] == 9);
	CHECK_STATUS(FB_OK, test_store_put(s, "k", "1234"));
	CHECK_STATUS(FB_OK, fb_store_get(s, out, &len, sizeof(out), FB_STR("k")));
	CHECK(len == 4 && out[3] == '4');
	fb_store_close(s);
}

static void commit__largest_batch__is_stored(void **state)
{
	static char big[FB_PUT_VALUE_MAX], key[FB_PUT_KEY_MAX];
	static uint8_t out[FB_PUT_VALUE_MAX];
	static struct fb_put puts[FB_STORE_BATCH_MAX];
	static char keys[FB_STORE_BATCH_MAX][16];
	struct fb_store *s = test_store_open();
	size_t len;

	(void)state;
	memset(big, 'v', sizeof(big));
	memset(key, 'k', sizeof(key));
	for (size_t i = 0; i < FB_COUNT(puts); i++) {
		snprintf(keys[i], sizeof(keys[i]), "%08zu", i);
		puts[i] = (struct fb_put){ .key = fb_str_of(keys[i]), .value = FB_STR("x") };
	}
	puts[0] = (struct fb_put){ .key = { key, sizeof(key) }, .value = { big, sizeof(big) } };
	CHECK_STATUS(FB_OK, fb_store_commit(s, NULL, puts, FB_COUNT(puts)));
	CHECK_STATUS(FB_OK, fb_store_get(s, out, &len, sizeof(out), puts[0].key));
	CHECK(len == sizeof(big) && memcmp(out, big, len) == 0);
	test_store_check_row(s, keys[FB_STORE_BATCH_MAX - 1], "x");
	fb_store_close(s);
}

/* ---- scan ---------------------------------------------------------------------------------------------------- */
struct seen {
	char text[256]; /* "key=value " of every row */
	unsigned left;  /* rows until the walk is stopped */
	struct fb_store *writes_to; /* not NULL: commits a row while walking */
};

static bool see(void *arg, struct fb_str key, struct fb_str value)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%.*s=%.*s ", FB_STR_ARG(key), FB_STR_ARG(value));
	if (seen->writes_to != NULL) {
		CHECK_STATUS(FB_OK, test_store_put(seen->writes_to, "p/zz", "later"));
		CHECK_STATUS(FB_OK, test_store_put(seen->writes_to, "p/b", "changed"));
	}
	return --seen->left > 0;
}

static void fill_for_scan(struct fb_store *s)
{
	static const char *const keys[] = { "p/b", "q", "p/", "p/a", "o", "p/bb", "p" };

	for (size_t i = 0; i < FB_COUNT(keys); i++)
		CHECK_STATUS(FB_OK, test_store_put(s, keys[i], "v"));
}

static void scan__table__prefix_in_key_order(void **state)
{
	static const struct { const char *prefix; unsigned stop_after; const char *want; } rows[] = {
		{ "p/", 99, "p/=v p/a=v p/b=v p/bb=v " },
		{ "p/b", 99, "p/b=v p/bb=v " },
		{ "p/", 2, "p/=v p/a=v " },
		{ "", 99, "o=v p=v p/=v p/a=v p/b=v p/bb=v q=v " },
		{ "z", 99, "" },
		{ "p/bbb", 99, "" },
	};
	struct fb_store *s = test_store_open();

	(void)state;
	fill_for_scan(s);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct seen seen = { .left = rows[i].stop_after };

		CHECK_STATUS(FB_OK, fb_store_scan(s, fb_str_of(rows[i].prefix), see, &seen));
		CHECK_STR(rows[i].want, fb_str_of(seen.text));
	}
	fb_store_close(s);
}

static void scan__writes_under_way__sees_one_snapshot(void **state)
{
	struct fb_store *s = test_store_open();
	struct seen seen = { .left = 99, .writes_to = s };

	(void)state;
	fill_for_scan(s);
	CHECK_STATUS(FB_OK, fb_store_scan(s, FB_STR("p/"), see, &seen));
	CHECK_STR("p/=v p/a=v p/b=v p/bb=v ", fb_str_of(seen.text));
	test_store_check_row(s, "p/b", "changed");
	fb_store_close(s);
}

/* ---- a write that fails -------------------------------------------------------------------------------------- */
static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = bytes;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	signal(SIGXFSZ, bytes == RLIM_INFINITY ? SIG_DFL : SIG_IGN);
}

/* Two rows a commit, so that half a batch would show. */
static enum fb_status commit_pair(struct fb_store *s, unsigned n)
{
	static char value[600];
	char keys[2][16];
	struct fb_put puts[2];

	memset(value, 'x', sizeof(value));
	for (size_t i = 0; i < FB_COUNT(puts); i++) {
		snprintf(keys[i], sizeof(keys[i]), "%c%06u", "ab"[i], n);
		puts[i] = (struct fb_put){ .key = fb_str_of(keys[i]), .value = { value, sizeof(value) } };
	}
	return fb_store_commit(s, NULL, puts, FB_COUNT(puts));
}

static bool count_row(void *arg, struct fb_str key, struct fb_str value)
{
	(void)key, (void)value;
	++*(unsigned *)arg;
	return true;
}

static unsigned count_rows(struct fb_store *s, const char *prefix)
{
	unsigned n = 0;

	CHECK_STATUS(FB_OK, fb_store_scan(s, fb_str_of(prefix), count_row, &n));
	return n;
}

static void commit__disk_refuses__poisons_until_reopened(void **state)
{
	struct fb_store *s = test_store_open();
	unsigned stored = 0, found;

	(void)state;
	limit_file_size(64 << 10); /* RocksDB's write then fails with EFBIG, half way through a record */
	while (stored < 1000 && commit_pair(s, stored) == FB_OK)
		stored++;
	limit_file_size(RLIM_INFINITY);
	CHECK(stored > 10 && stored < 1000);
	CHECK(strstr(fb_store_failure(s), "File too large") != NULL);
	CHECK_STATUS(FB_STORAGE, commit_pair(s, 9999)); /* there is room again, and still */
	CHECK_STATUS(FB_STORAGE, test_store_put(s, "later", "x"));
	CHECK(count_rows(s, "a") >= stored); /* reading goes on */
	fb_store_close(s);

	s = test_store_open();
	found = count_rows(s, "a");
	CHECK(found == stored || found == stored + 1); /* the one that failed: wholly there or wholly not */
	CHECK(count_rows(s, "b") == found);
	test_store_check_row(s, "later", NULL);
	CHECK_STATUS(FB_OK, test_store_put(s, "later", "x"));
	fb_store_close(s);
}

/* ---- damage on disk ------------------------------------------------------------------------------------------ */
enum { PAIRS = 200 };

/* Fills the store, closes it, and gives the path and size of its log. */
static off_t fill_and_find_log(char path[512])
{
	struct fb_store *s = test_store_open();
	struct dirent *entry;
	struct stat info;
	char rows[200];
	DIR *dir;

	for (unsigned i = 0; i < PAIRS; i++)
		CHECK_STATUS(FB_OK, commit_pair(s, i));
	fb_store_close(s);
	snprintf(rows, sizeof(rows), "%s/rows", test_store_data);
	dir = opendir(rows);
	CHECK(dir != NULL);
	path[0] = '\0';
	while ((entry = readdir(dir)) != NULL)
		if (strlen(entry->d_name) > 4 && strcmp(entry->d_name + strlen(entry->d_name) - 4, ".log") == 0)
			snprintf(path, 512, "%s/%s", rows, entry->d_name);
	closedir(dir);
	CHECK(stat(path, &info) == 0 && info.st_size > PAIRS * 2 * 600);
	return info.st_size;
}

void test_store_flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	char c;

	CHECK(fd >= 0 && pread(fd, &c, 1, at) == 1);
	c ^= 1;
	CHECK(pwrite(fd, &c, 1, at) == 1);
	close(fd);
}

static void open__byte_flipped_in_the_log__is_refused_and_says_what_to_do(void **state)
{
	char path[512];
	off_t size = fill_and_find_log(path);
	struct fb_store *s = (struct fb_store *)&size;
	struct fb_error e = { "" };

	(void)state;
	test_store_flip(path, size / 2);
	for (unsigned round = 0; round < 2; round++) {
		CHECK_STATUS(FB_STORAGE, fb_store_open(&s, test_store_data, &e));
		CHECK(s == (struct fb_store *)&size); /* untouched */
		CHECK(strstr(e.text, test_store_data) != NULL && strstr(e.text, "damaged") != NULL);
		CHECK(strstr(e.text, "backup") != NULL);
	}
	test_store_flip(path, size / 2); /* a refusal changed nothing: repaired, it opens with every row */
	s = test_store_open();
	CHECK(count_rows(s, "a") == PAIRS && count_rows(s, "b") == PAIRS);
	fb_store_close(s);
}

static void open__end_of_the_log_torn__drops_the_last_batch_whole(void **state)
{
	char path[512];
	off_t size = fill_and_find_log(path);
	struct fb_store *s;

	(void)state;
	CHECK(truncate(path, size - 700) == 0); /* within the second row of the last pair */
	s = test_store_open();
	CHECK(count_rows(s, "a") == PAIRS - 1 && count_rows(s, "b") == PAIRS - 1);
	CHECK_STATUS(FB_OK, commit_pair(s, PAIRS));
	fb_store_close(s);
}

static void open__zeros_over_the_end__is_refused(void **state)
{
	static const char zeros[2000];
	char path[512];
	off_t size = fill_and_find_log(path);
	struct fb_store *s;
	struct fb_error e = { "" };
	int fd = open(path, O_RDWR);

	(void)state;
	CHECK(fd >= 0 && pwrite(fd, zeros, sizeof(zeros), size - (off_t)sizeof(zeros)) == sizeof(zeros));
	close(fd);
	CHECK_STATUS(FB_STORAGE, fb_store_open(&s, test_store_data, &e));
	CHECK(strstr(e.text, "damaged") != NULL);
}

static void open__impossible_directory__names_it(void **state)
{
	struct fb_store *s;
	struct fb_error e = { "" };
	char path[160];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/no/such", test_store_root.path);
	CHECK_STATUS(FB_STORAGE, fb_store_open(&s, path, &e));
	CHECK(strstr(e.text, path) != NULL && strstr(e.text, "No such file") != NULL);
	snprintf(path, sizeof(path), "%s/file", test_store_root.path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	CHECK_STATUS(FB_STORAGE, fb_store_open(&s, path, &e));
	CHECK(strstr(e.text, path) != NULL && strstr(e.text, "Not a directory") != NULL);
	CHECK_STATUS(FB_STORAGE, fb_store_open(&s, "/proc/self", &e));
	CHECK(strstr(e.text, "/proc/self") != NULL);
}

/* What is not looked at must not become an empty store. */
static void open__records_of_an_earlier_layout__are_not_passed_over(void **state)
{
	struct fb_store *s = test_store_open();
	char command[512];

	(void)state;
	CHECK_STATUS(FB_OK, test_store_put(s, "a", "1"));
	fb_store_close(s);
	snprintf(command, sizeof(command), "cd '%s' && mv rows/* . && rmdir rows", test_store_data);
	CHECK(system(command) == 0);
	CHECK(strstr(test_store_refusal(), "earlier version") != NULL);
	snprintf(command, sizeof(command), "cd '%s' && mkdir rows && mv *.log CURRENT MANIFEST* OPTIONS* rows/",
		 test_store_data);
	CHECK(system(command) == 0);
	s = test_store_open();
	test_store_check_row(s, "a", "1");
	fb_store_close(s);
}

/* ---- two at a time ------------------------------------------------------------------------------------------- */
static void open__twice__is_busy(void **state)
{
	struct fb_store *s = test_store_open(), *other;
	struct fb_error e = { "" };

	(void)state;
	CHECK_STATUS(FB_BUSY, fb_store_open(&other, test_store_data, &e));
	CHECK(strstr(e.text, test_store_data) != NULL && strstr(e.text, "another farebox") != NULL);
	fb_store_close(s);
	s = test_store_open();
	fb_store_close(s);
}

/* What the second process does: opens, says so on standard output, and waits to be killed. */
static int hold(const char *directory)
{
	struct fb_store *s;
	struct fb_error e;
	enum fb_status st = fb_store_open(&s, directory, &e);

	if (st != FB_OK || write(STDOUT_FILENO, "!", 1) != 1)
		return 1;
	for (;;)
		pause();
}

static void open__other_process_has_it__is_busy_until_it_dies(void **state)
{
	char self[] = "/proc/self/exe", flag[] = "--hold";
	char *args[] = { self, flag, test_store_data, NULL };
	posix_spawn_file_actions_t actions;
	struct fb_store *s;
	struct fb_error e;
	int out[2];
	pid_t child;
	char c;

	(void)state;
	CHECK(pipe(out) == 0);
	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CHECK(posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO) == 0);
	CHECK(posix_spawn(&child, self, &actions, NULL, args, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(out[1]);
	CHECK(read(out[0], &c, 1) == 1);
	close(out[0]);
	CHECK_STATUS(FB_BUSY, fb_store_open(&s, test_store_data, &e));
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	s = test_store_open();
	fb_store_close(s);
}

int main(int argc, char **argv)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, test_store_setup, test_store_teardown)
	const struct CMUnitTest tests[] = {
		IN_ROOT(commit__rows__are_there_after_reopen),
		IN_ROOT(get__value_over_cap__is_too_large_and_writes_nothing),
		IN_ROOT(commit__largest_batch__is_stored),
		IN_ROOT(scan__table__prefix_in_key_order),
		IN_ROOT(scan__writes_under_way__sees_one_snapshot),
		IN_ROOT(commit__disk_refuses__poisons_until_reopened),
		IN_ROOT(open__byte_flipped_in_the_log__is_refused_and_says_what_to_do),
		IN_ROOT(open__end_of_the_log_torn__drops_the_last_batch_whole),
		IN_ROOT(open__zeros_over_the_end__is_refused),
		IN_ROOT(open__impossible_directory__names_it),
		IN_ROOT(open__records_of_an_earlier_layout__are_not_passed_over),
		IN_ROOT(open__twice__is_busy),
		IN_ROOT(open__other_process_has_it__is_busy_until_it_dies),
	};

	if (argc == 3 && strcmp(argv[1], "--hold") == 0)
		return hold(argv[2]);
	return cmocka_run_group_tests_name("store", tests, NULL, NULL) + test_store_bulk() + test_store_anchor() +
	       test_store_copies();
}
