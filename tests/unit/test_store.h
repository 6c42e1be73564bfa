/* What the groups of test_store share: one scratch directory a test, and a store in it. */
#ifndef FB_TEST_STORE_H
#define FB_TEST_STORE_H
#include "fb_test_dir.h"
#include "farebox/store.h"
#include "fb_test.h"

extern struct fb_test_dir test_store_root;
extern char test_store_data[128]; /* the store's directory */

int test_store_setup(void **state);
int test_store_teardown(void **state);
struct fb_store *test_store_open(void);
/* What open says when it refuses; the test fails if it does not. */
const char *test_store_refusal(void);
enum fb_status test_store_put(struct fb_store *s, const char *key, const char *value);
/* NULL: not there. */
void test_store_check_row(struct fb_store *s, const char *key, const char *want);
/* One byte of a file, the other way round. */
void test_store_flip(const char *path, off_t at);

/* The groups, one a file; each returns its number of failures. */
int test_store_bulk(void);
int test_store_anchor(void);
int test_store_copies(void);
#endif /* FB_TEST_STORE_H */
