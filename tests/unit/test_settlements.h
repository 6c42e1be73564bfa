/* The groups of the tests of settlements, one a file. */
#ifndef FB_TEST_SETTLEMENTS_H
#define FB_TEST_SETTLEMENTS_H
#include "farebox/settlements.h"

#include "fb_stage.h"

int test_settlements_id(void);
int test_settlements_http(void);
#endif /* FB_TEST_SETTLEMENTS_H */
