/* Goal: the contract of farebox/os.h. Method: real files in a scratch directory, every failure provoked for real. */
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "fb_test.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fb_test_dir root; /* of one test */

static int setup(void **state)
{
	(void)state;
	return fb_test_dir_make(&root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return fb_test_dir_remove(&root) ? 0 : -1;
}

static const char *in_root(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", root.path, name);
	return path;
}

static void write_file(const char *name, struct fb_str text, mode_t mode)
{
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, text.at, text.len) == (ssize_t)text.len);
	CHECK(fchmod(fd, mode) == 0);
	close(fd);
}

static void clock__read_twice__never_goes_back(void **state)
{
	struct fb_clock c = fb_os_clock();
	uint64_t before = c.mono_ns(c.ctx);

	(void)state;
	CHECK(c.mono_ns(c.ctx) >= before);
	CHECK(fb_clock_wall_s(&c) > 1600000000); /* September 2020 */
	CHECK(fb_clock_mono_ms(&c) >= before / 1000000);
}

static void rng__two_draws__fill_all_and_differ(void **state)
{
	struct fb_rng rng = fb_os_rng();
	static uint8_t a[1024], b[1024];
	uint8_t guard[3] = { 7, 7, 7 };
	size_t zeros = 0;

	(void)state;
	rng.fill(rng.ctx, a, sizeof(a));
	rng.fill(rng.ctx, b, sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	CHECK(zeros < 64); /* 4 expected; 64 has a chance below 1e-40 */
	rng.fill(rng.ctx, guard + 1, 0);
	CHECK(guard[0] == 7 && guard[1] == 7 && guard[2] == 7);
}

static void read_file__table__status_and_reason(void **state)
{
	static const struct {
		const char *name;
		size_t cap;
		enum fb_status want;
		const char *reason;
	} rows[] = {
		{ "four", 4, FB_OK, "" },
		{ "four", 5, FB_OK, "" },
		{ "four", 3, FB_TOO_LARGE, "larger than 3 bytes" },
		{ "four", 0, FB_TOO_LARGE, "larger than 0 bytes" },
		{ "empty", 0, FB_OK, "" },
		{ "absent", 4, FB_NOT_FOUND, "No such file" },
		{ "four/below", 4, FB_NOT_FOUND, "Not a directory" },
		{ ".", 4, FB_IO, "Is a directory" },
		{ "loop", 4, FB_IO, "symbolic links" },
	};

	(void)state;
	write_file("four", FB_STR("a\nb\n"), 0644);
	write_file("empty", FB_STR(""), 0644);
	CHECK(symlink("loop", in_root("loop")) == 0);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char out[8];
		size_t len = 99;
		struct fb_error e = { "" };

		CHECK_STATUS(rows[i].want, fb_os_read_file(out, &len, rows[i].cap, in_root(rows[i].name), &e));
		CHECK(strstr(e.text, rows[i].reason) != NULL);
		if (rows[i].want == FB_OK)
			CHECK(len == (rows[i].cap == 0 ? 0 : 4));
		else
			CHECK(len == 99 && strstr(e.text, rows[i].name) != NULL);
	}
}

static void read_file__unreadable__is_io(void **state)
{
	char out[8];
	size_t len;
	struct fb_error e;

	(void)state;
	/* Permissions do not stop root, but nobody may read another process's memory map at address 0. */
	CHECK_STATUS(FB_IO, fb_os_read_file(out, &len, sizeof(out), "/proc/self/mem", &e));
	CHECK(strstr(e.text, "/proc/self/mem") != NULL);
	if (geteuid() == 0)
		return;
	write_file("closed", FB_STR("x"), 0000);
	CHECK_STATUS(FB_IO, fb_os_read_file(out, &len, sizeof(out), in_root("closed"), &e));
	CHECK(strstr(e.text, "Permission denied") != NULL);
}

static void read_secret__permissions__only_the_owners(void **state)
{
	static const struct { mode_t mode; enum fb_status want; } rows[] = {
		{ 0600, FB_OK },        { 0400, FB_OK },        { 0640, FB_FORBIDDEN }, { 0604, FB_FORBIDDEN },
		{ 0644, FB_FORBIDDEN }, { 0620, FB_FORBIDDEN }, { 0602, FB_FORBIDDEN }, { 0610, FB_FORBIDDEN },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char name[16], out[16] = "untouched";
		size_t len = 99;
		struct fb_error e = { "" };

		snprintf(name, sizeof(name), "%04o", (unsigned)rows[i].mode);
		write_file(name, FB_STR("secret"), rows[i].mode);
		CHECK_STATUS(rows[i].want, fb_os_read_secret(out, &len, sizeof(out), in_root(name), &e));
		if (rows[i].want == FB_OK) {
			CHECK_STR("secret", ((struct fb_str){ out, len }));
			continue;
		}
		CHECK(len == 99 && strcmp(out, "untouched") == 0);
		CHECK(strstr(e.text, "chmod 600") != NULL && strstr(e.text, name) != NULL);
	}
}

static void read_secret__too_large__leaves_no_byte_of_it(void **state)
{
	char out[5] = "xxxx";
	static const char zeros[sizeof(out)];
	size_t len = 99;
	struct fb_error e;

	(void)state;
	write_file("key", FB_STR("secret"), 0600);
	CHECK_STATUS(FB_TOO_LARGE, fb_os_read_secret(out, &len, sizeof(out), in_root("key"), &e));
	CHECK(memcmp(out, zeros, sizeof(out)) == 0);
	CHECK_STATUS(FB_NOT_FOUND, fb_os_read_secret(out, &len, sizeof(out), in_root("none"), &e));
	CHECK(len == 99);
}

static void write_secret__new_file__is_private_and_reads_back(void **state)
{
	struct stat info;
	char out[16];
	size_t len;
	mode_t before = umask(0);
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_os_write_secret(in_root("key"), FB_STR("hunter2"), &e));
	umask(before);
	CHECK(stat(in_root("key"), &info) == 0 && (info.st_mode & 07777) == 0600);
	CHECK_STATUS(FB_OK, fb_os_read_secret(out, &len, sizeof(out), in_root("key"), &e));
	CHECK_STR("hunter2", ((struct fb_str){ out, len }));
}

static void write_secret__existing__is_never_overwritten(void **state)
{
	char out[16];
	size_t len;
	struct fb_error e;

	(void)state;
	write_file("key", FB_STR("old"), 0600);
	CHECK_STATUS(FB_CONFLICT, fb_os_write_secret(in_root("key"), FB_STR("new"), &e));
	CHECK(strstr(e.text, "never overwritten") != NULL);
	CHECK_STATUS(FB_OK, fb_os_read_secret(out, &len, sizeof(out), in_root("key"), &e));
	CHECK_STR("old", ((struct fb_str){ out, len }));
	CHECK(symlink("elsewhere", in_root("link")) == 0); /* a planted link is not followed */
	CHECK_STATUS(FB_CONFLICT, fb_os_write_secret(in_root("link"), FB_STR("new"), &e));
	CHECK(access(in_root("elsewhere"), F_OK) != 0);
}

static void write_secret__impossible__is_io_and_leaves_nothing(void **state)
{
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_IO, fb_os_write_secret(in_root("no/such/key"), FB_STR("x"), &e));
	CHECK(strstr(e.text, "No such file") != NULL);
	CHECK_STATUS(FB_CONFLICT, fb_os_write_secret("/dev/full", FB_STR("x"), &e));
}

static void make_dirs__missing_parents__private_and_repeatable(void **state)
{
	static const char *const made[] = { "a", "a/b", "a/b/c" };
	struct stat info;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_os_make_dirs(in_root("a/b/c"), &e));
	CHECK_STATUS(FB_OK, fb_os_make_dirs(in_root("a//b/c/"), &e));
	for (size_t i = 0; i < FB_COUNT(made); i++)
		CHECK(stat(in_root(made[i]), &info) == 0 && (info.st_mode & 07777) == 0700);
	CHECK_STATUS(FB_OK, fb_os_make_dirs("/", &e));
}

static void make_dirs__impossible__names_the_part(void **state)
{
	char longest[5000];
	struct fb_error e;

	(void)state;
	write_file("file", FB_STR(""), 0600);
	CHECK_STATUS(FB_IO, fb_os_make_dirs(in_root("file/below"), &e));
	CHECK(strstr(e.text, "/file: a file is in its place") != NULL);
	CHECK_STATUS(FB_IO, fb_os_make_dirs("/proc/farebox/x", &e));
	CHECK(strstr(e.text, "/proc/farebox:") != NULL);
	CHECK_STATUS(FB_IO, fb_os_make_dirs("", &e));
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	CHECK_STATUS(FB_IO, fb_os_make_dirs(longest, &e));
}

static void state_dir__table__strongest_variable_wins(void **state)
{
	static const struct { const char *systemd, *xdg, *home, *want; } rows[] = {
		{ "/var/lib/fb", "/x", "/home/u", "/var/lib/fb" },
		{ "/var/lib/fb:/var/lib/other", "/x", "/home/u", "/var/lib/fb" },
		{ NULL, "/x", "/home/u", "/x/farebox" },
		{ "", "/x", "/home/u", "/x/farebox" },
		{ NULL, "relative", "/home/u", "/home/u/.local/state/farebox" },
		{ NULL, NULL, "/home/u", "/home/u/.local/state/farebox" },
		{ NULL, NULL, "", "/var/lib/farebox" },
		{ NULL, NULL, NULL, "/var/lib/farebox" },
	};
	static const char *const names[] = { "STATE_DIRECTORY", "XDG_STATE_HOME", "HOME" };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const char *const values[] = { rows[i].systemd, rows[i].xdg, rows[i].home };
		char block[64];
		struct fb_buf b;

		for (size_t k = 0; k < FB_COUNT(names); k++)
			CHECK((values[k] == NULL ? unsetenv(names[k]) : setenv(names[k], values[k], 1)) == 0);
		fb_buf_init(&b, block, sizeof(block));
		fb_os_state_dir(&b);
		CHECK_STR(rows[i].want, fb_buf_view(&b));
	}
}

/* ---- the terminal: a child of its own session asks on a pseudo terminal, the test types ---------------------- */
enum { ANSWER_MAX = 8 };

/* In the child: the exit code is 0 if the status is `want` and the answer is `answer`. */
_Noreturn static void ask_and_exit(enum fb_status want, const char *answer, bool secret)
{
	char out[ANSWER_MAX];
	enum fb_status st = fb_os_ask(out, sizeof(out), "Passphrase: ", secret);
	bool same = st == FB_OK ? strcmp(out, answer) == 0 : out[0] == '\0';

	_exit(st == want && same ? 0 : 1);
}

/* Reads what the terminal shows into seen (terminated) until `until` appears or nothing more comes. */
static void watch(int fd, char *seen, size_t cap, const char *until)
{
	size_t len = strlen(seen);

	while (strstr(seen, until) == NULL && len + 1 < cap) {
		ssize_t n = read(fd, seen + len, cap - len - 1);

		if (n <= 0)
			return;
		len += (size_t)n;
		seen[len] = '\0';
	}
}

static int run_ask(char *seen, size_t cap, const char *typed, enum fb_status want, const char *answer, bool secret)
{
	int fd, code = -1;
	pid_t child = forkpty(&fd, NULL, NULL, NULL);

	CHECK(child >= 0);
	if (child == 0)
		ask_and_exit(want, answer, secret);
	seen[0] = '\0';
	watch(fd, seen, cap, "Passphrase: ");
	CHECK(write(fd, typed, strlen(typed)) == (ssize_t)strlen(typed));
	watch(fd, seen, cap, "\1"); /* never comes: to the end */
	CHECK(waitpid(child, &code, 0) == child);
	close(fd);
	return code;
}

static void ask__table__one_line_echoed_unless_secret(void **state)
{
	static const struct {
		const char *typed;
		enum fb_status want;
		const char *answer;
		bool secret, shows;
	} rows[] = {
		{ "abc\n", FB_OK, "abc", false, true },
		{ "abc\n", FB_OK, "abc", true, false },
		{ "\n", FB_OK, "", true, false },
		{ "abcdefg\n", FB_OK, "abcdefg", true, false }, /* ANSWER_MAX - 1 */
		{ "abcdefgh\n", FB_TOO_LARGE, "", true, false },
		{ "\4", FB_NOT_FOUND, "", true, false }, /* end of the terminal */
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char seen[256];

		CHECK(run_ask(seen, sizeof(seen), rows[i].typed, rows[i].want, rows[i].answer, rows[i].secret) == 0);
		CHECK((strstr(seen, "abc") != NULL) == rows[i].shows);
		CHECK(strstr(seen, "Passphrase: ") != NULL);
	}
}

static void ask__interrupted__ends_the_program_with_its_echo_on(void **state)
{
	char seen[256];
	int code = run_ask(seen, sizeof(seen), "ab\3", FB_OK, "", true);

	(void)state;
	CHECK(WIFSIGNALED(code) && WTERMSIG(code) == SIGINT);
	CHECK(strstr(seen, "ab") == NULL);
}

static void ask__without_terminal__is_not_found(void **state)
{
	int code = -1;
	pid_t child = fork();

	(void)state;
	CHECK(child >= 0);
	if (child == 0) {
		char out[8] = "";

		setsid();
		_exit(fb_os_ask(out, sizeof(out), "?", false) == FB_NOT_FOUND ? 0 : 1);
	}
	CHECK(waitpid(child, &code, 0) == child && code == 0);
}

/* ---- names held against other processes ------------------------------------------------------------- */

/* A child that holds the name until it is told to end, through a pipe. */
static pid_t holding_child(struct fb_str name, int *end)
{
	int pipes[2], ready[2];
	char c;
	pid_t child;

	CHECK(pipe(pipes) == 0 && pipe(ready) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		int held;

		close(pipes[1]);
		if (fb_os_hold(&held, name) != FB_OK || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(pipes[0], &c, 1) == 1 ? 0 : 2); /* without releasing it */
	}
	close(pipes[0]);
	CHECK(read(ready[0], &c, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	*end = pipes[1];
	return child;
}

static void hold__another_process_has_it__busy_until_that_ends(void **state)
{
	char text[64];
	struct fb_str name = { text, (size_t)snprintf(text, sizeof(text), "farebox-test/%d", (int)getpid()) };
	int end, held, code = -1;
	pid_t child = holding_child(name, &end);

	(void)state;
	CHECK_STATUS(FB_BUSY, fb_os_hold(&held, name));
	CHECK(write(end, "x", 1) == 1 && waitpid(child, &code, 0) == child && code == 0);
	close(end);
	CHECK_STATUS(FB_OK, fb_os_hold(&held, name));
	CHECK_STATUS(FB_BUSY, fb_os_hold(&code, name));
	fb_os_release(held);
	CHECK_STATUS(FB_OK, fb_os_hold(&held, name));
	fb_os_release(held);
}

static void hold__longest_name__is_told_apart_by_its_last_byte(void **state)
{
	char a[FB_OS_NAME_MAX], b[FB_OS_NAME_MAX];
	int held_a, held_b;

	(void)state;
	memset(a, 'n', sizeof(a));
	memcpy(a, &(pid_t){ getpid() }, sizeof(pid_t));
	memcpy(b, a, sizeof(b));
	b[FB_OS_NAME_MAX - 1] = 'm';
	CHECK_STATUS(FB_OK, fb_os_hold(&held_a, (struct fb_str){ a, sizeof(a) }));
	CHECK_STATUS(FB_OK, fb_os_hold(&held_b, (struct fb_str){ b, sizeof(b) }));
	fb_os_release(held_a);
	fb_os_release(held_b);
}

int main(void)
{
#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock__read_twice__never_goes_back),
		cmocka_unit_test(rng__two_draws__fill_all_and_differ),
		IN_ROOT(read_file__table__status_and_reason),
		IN_ROOT(read_file__unreadable__is_io),
		IN_ROOT(read_secret__permissions__only_the_owners),
		IN_ROOT(read_secret__too_large__leaves_no_byte_of_it),
		IN_ROOT(write_secret__new_file__is_private_and_reads_back),
		IN_ROOT(write_secret__existing__is_never_overwritten),
		IN_ROOT(write_secret__impossible__is_io_and_leaves_nothing),
		IN_ROOT(make_dirs__missing_parents__private_and_repeatable),
		IN_ROOT(make_dirs__impossible__names_the_part),
		cmocka_unit_test(state_dir__table__strongest_variable_wins),
		cmocka_unit_test(hold__another_process_has_it__busy_until_that_ends),
		cmocka_unit_test(hold__longest_name__is_told_apart_by_its_last_byte),
		cmocka_unit_test(ask__table__one_line_echoed_unless_secret),
		cmocka_unit_test(ask__interrupted__ends_the_program_with_its_echo_on),
		cmocka_unit_test(ask__without_terminal__is_not_found),
	};
	return cmocka_run_group_tests_name("os", tests, NULL, NULL);
}
