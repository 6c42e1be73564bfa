/* A scratch directory for tests that need real files. Include before any system header: it wants nftw(3). */
#ifndef FB_TEST_DIR_H
#define FB_TEST_DIR_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct fb_test_dir {
	char path[64];
};

/* Under $TMPDIR or /tmp. */
static inline bool fb_test_dir_make(struct fb_test_dir *d)
{
	const char *base = getenv("TMPDIR");
	int n = snprintf(d->path, sizeof(d->path), "%s/farebox_test_XXXXXX", base == NULL ? "/tmp" : base);

	return n > 0 && (size_t)n < sizeof(d->path) && mkdtemp(d->path) != NULL;
}

static inline int fb_test_dir_remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info, (void)kind, (void)at;
	return remove(path);
}

static inline bool fb_test_dir_remove(const struct fb_test_dir *d)
{
	return nftw(d->path, fb_test_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0;
}
#endif /* FB_TEST_DIR_H */
