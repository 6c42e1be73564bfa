/* Goal: the contract of farebox/escrow.h. Method: what viem 2.57 encodes, to the byte, and logs that differ in one
 * thing from a good one; one file a topic, all run from here. */
#include "test_escrow.h"

int main(void)
{
	return test_escrow_call() + test_escrow_event() == 0 ? 0 : 1;
}
