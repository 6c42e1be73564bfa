/* A course of submissions in which the n-th is always the same, so that from how many of them are found everything else
 * follows; and the check of what a crash or a fault left of it. */
#ifndef FB_LEDGER_COURSE_H
#define FB_LEDGER_COURSE_H
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "farebox/writer.h"

#include <stdlib.h>

#define MUST(c)                                                                             \
	do {                                                                                \
		if (!(c)) {                                                                 \
			fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #c);    \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

enum {
	COURSE_SNAPSHOT_EVERY = 150, /* records: a fold every thirty submissions */
	COURSE_OPS_MAX = 6,
};

/* Opens both, or says why not. */
enum fb_status course_open(struct fb_store **store, struct fb_writer **writer, const char *directory,
			   struct fb_error *e);
void course_close(struct fb_store *store, struct fb_writer *writer);

/* The n-th: a post linked with a hold, the capture of an earlier hold, sometimes a reversal and what is refused; and a
 * row beside them. done as in struct fb_submission. */
void course_submit(struct fb_writer *w, uint64_t n,
		   void (*done)(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count),
		   void *arg);
/* Whether these are the results of the n-th; `again`: of its repetition. */
bool course_results_are_good(uint64_t n, const struct fb_op_result *results, size_t count, bool again);

/* How many submissions there are in an open writer: 0 … n-1 each wholly and nothing else, books and rows as they must
 * be. Ends the process with a message if not. FB_STORAGE: some of it cannot be read, and says so. */
enum fb_status course_check(uint64_t *count, struct fb_store *store, struct fb_writer *writer);
/* Everything, by the audit, of a store that nobody has open. */
void course_audit(const char *directory);
#endif /* FB_LEDGER_COURSE_H */
