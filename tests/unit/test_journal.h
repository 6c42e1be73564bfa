/* The groups of the journal's tests, and one record of every kind with all of its fields. */
#ifndef FB_TEST_JOURNAL_H
#define FB_TEST_JOURNAL_H
#include "farebox/journal.h"
#include "fb_test.h"

int test_journal_batch(void);

struct fb_record journal_sample(enum fb_record_kind kind);
void journal_hex(char *out, const uint8_t *bytes, size_t len); /* 2 * len digits and the end */
#endif /* FB_TEST_JOURNAL_H */
