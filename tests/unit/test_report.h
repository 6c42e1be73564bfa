/* The tests of one file, listed by another. */
#ifndef FB_TEST_REPORT_H
#define FB_TEST_REPORT_H
#include "farebox/report.h"

void time__known_values__are_written_and_read(void **state);
void time__other_spellings__are_read(void **state);
void time__wrong_texts__are_refused(void **state);
void time__random_times__go_there_and_back(void **state);
#endif /* FB_TEST_REPORT_H */
