/* What the groups of test_writer share: a data directory, a log that can be read, a clock that is set. */
#ifndef FB_TEST_WRITER_H
#define FB_TEST_WRITER_H
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "farebox/writer.h"
#include "fb_test.h"

#include <pthread.h>
#include <stdatomic.h>

#define TEST_WRITER_START_US 1800000000000000

struct world {
	struct fb_test_dir root;
	int log_fd;
	struct fb_log *log;
	struct fb_metrics *metrics;
	struct fb_clock clock;
	_Atomic int64_t now_us;
	uint32_t snapshot_every; /* 0: the default */
	struct fb_store *store;
	struct fb_writer *writer;
	struct fb_commit port;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	bool held;            /* nobody gets an answer from the clock */
	unsigned standing;    /* threads that wait for one */
};
extern struct world test_world;

int test_writer_setup(void **state);
int test_writer_teardown(void **state);
void test_writer_open(struct world *w);
void test_writer_close(struct world *w);
/* Holds the thread that decides: it has taken a row named "gate", alone, and takes nothing more before it is let go. */
void test_writer_hold(struct world *w);
void test_writer_let_go(struct world *w);
bool test_writer_logged(const struct world *w, const char *event);

/* The groups, one a file; each returns its number of failures. */
int test_writer_books(void);
int test_writer_reads(void);
int test_writer_recover(void);
#endif /* FB_TEST_WRITER_H */
