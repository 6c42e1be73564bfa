/* Goal: on a full disk the store refuses, goes on refusing when there is room again, and has lost nothing when opened
 * anew. RocksDB by itself would recover in the background and accept writes behind the one that failed: this is the
 * test that needs the poison of farebox/store.h.
 * Method: a tmpfs of a few megabytes in a mount namespace of this process, later made larger. Where that is not
 * permitted the test is skipped (exit code 77). */
#include "fb_test_dir.h"
#include "farebox/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum {
	SKIPPED = 77,
	VALUE_LEN = 3000,
	ROWS_MAX = 100000,
	PATIENCE_S = 8,        /* RocksDB looks for room every five seconds */
	FLUSH_US = 500 * 1000, /* what the flush of a write buffer is given to fail in */
};
/* Room for the log of two write buffers and for no table beside them: the flush fails, which RocksDB gets over. (It
 * does not get over a log that cannot be written.) */
#define SMALL "size=18m"
#define LARGE "size=200m"

#define MUST(c)                                                                             \
	do {                                                                                \
		if (!(c)) {                                                                 \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c);    \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A namespace for mounts: as root, or as somebody who may be root of a namespace of users. */
static bool enter_namespace(void)
{
	char user[32], group[32];

	snprintf(user, sizeof(user), "0 %u 1", (unsigned)geteuid());
	snprintf(group, sizeof(group), "0 %u 1", (unsigned)getegid());
	if (unshare(CLONE_NEWNS) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/uid_map", user) && write_text("/proc/self/gid_map", group);
}

static bool mount_small_disk(const char *path)
{
	return enter_namespace() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", path, "tmpfs", 0, SMALL) == 0;
}

static struct fb_store *open_store(const char *path)
{
	struct fb_store *s = NULL;
	struct fb_error e = { "" };

	if (fb_store_open(&s, path, &e) != FB_OK)
		fprintf(stderr, "open: %s\n", e.text);
	MUST(s != NULL);
	return s;
}

static enum fb_status put(struct fb_store *s, unsigned n)
{
	static char value[VALUE_LEN];
	char key[16];
	struct fb_put p = { .key = { key, 0 }, .value = { value, sizeof(value) } };

	p.key.len = (size_t)snprintf(key, sizeof(key), "%08u", n);
	return fb_store_commit(s, NULL, &p, 1);
}

static bool count_row(void *arg, struct fb_str key, struct fb_str value)
{
	(void)key, (void)value;
	++*(unsigned *)arg;
	return true;
}

static unsigned count_logs(const char *data)
{
	DIR *dir = opendir(data);
	struct dirent *entry;
	unsigned n = 0;

	MUST(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		n += fb_str_eq(fb_str_of(strrchr(entry->d_name, '.')), FB_STR(".log"));
	closedir(dir);
	return n;
}

/* How many rows the disk took. Waits whenever a write buffer begins to be flushed, which shows in a second log. */
static unsigned fill(struct fb_store *s, const char *data)
{
	unsigned stored = 0, logs = 1;

	for (; stored < ROWS_MAX && put(s, stored) == FB_OK; stored++) {
		if (count_logs(data) > logs)
			usleep(FLUSH_US);
		logs = count_logs(data);
	}
	printf("%u rows stored, then: %s\n", stored, fb_store_failure(s));
	MUST(stored > 100 && stored < ROWS_MAX && strstr(fb_store_failure(s), "No space left") != NULL);
	return stored;
}

static void fill_and_check(const char *disk, const char *data)
{
	struct fb_store *s = open_store(data);
	unsigned stored = fill(s, data), found = 0;

	MUST(mount("none", disk, "tmpfs", MS_REMOUNT, LARGE) == 0); /* room again */
	for (unsigned i = 0; i < PATIENCE_S; i++) {
		MUST(put(s, ROWS_MAX) == FB_STORAGE);
		sleep(1);
	}
	fb_store_close(s);
	s = open_store(data);
	MUST(fb_store_scan(s, FB_STR(""), count_row, &found) == FB_OK);
	MUST(found == stored || found == stored + 1); /* the one that failed may be there, wholly */
	MUST(put(s, ROWS_MAX) == FB_OK);
	fb_store_close(s);
}

int main(void)
{
	struct fb_test_dir dir;
	char data[128];
	bool mounted;

	MUST(fb_test_dir_make(&dir));
	mounted = mount_small_disk(dir.path);
	if (mounted) {
		snprintf(data, sizeof(data), "%s/rows", dir.path);
		fill_and_check(dir.path, data);
		MUST(umount(dir.path) == 0);
	} else {
		puts("skipped: a disk of its own needs the right to mount");
	}
	MUST(fb_test_dir_remove(&dir));
	return mounted ? 0 : SKIPPED;
}
