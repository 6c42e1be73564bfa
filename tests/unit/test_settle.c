/* Goal: the contract of farebox/settle.h. Method: the whole engine on a simulated chain (farebox/rig.h), one
 * story a test; the rig itself watches the invariants all the time. One file a topic, all run from here. */
#include "test_settle.h"

int main(void)
{
	int failed = test_settle_record() + test_settle_once() + test_settle_chain() + test_settle_limits() +
		     test_settle_restart() + test_settle_lost() + test_settle_batch();

	return failed == 0 ? 0 : 1;
}
