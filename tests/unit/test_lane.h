/* The groups of lane's tests, one a file. */
#ifndef FB_TEST_LANE_H
#define FB_TEST_LANE_H
#include "farebox/lane.h"
#include "fb_test.h"

int test_lane_row(void);
int test_lane_life(void);
#endif /* FB_TEST_LANE_H */
