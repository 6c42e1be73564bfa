/* Goal: the contract of farebox/settlements.h. Method: ids as texts, and the real server and a real head over a
 * simulated chain, with records that the test makes up. One file a topic, all run from here. */
#include "test_settlements.h"

int main(void)
{
	return test_settlements_id() + test_settlements_http() == 0 ? 0 : 1;
}
