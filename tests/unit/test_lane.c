/* Goal: the contract of farebox/lane.h. Method: stored rows byte by byte, and a lane with an owner of its own on a
 * simulated chain; what a lane does for settlements is in test_settle. One file a topic, all run from here. */
#include "test_lane.h"

int main(void)
{
	return test_lane_row() + test_lane_life() + test_lane_heal() + test_lane_block() == 0 ? 0 : 1;
}
