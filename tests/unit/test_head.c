/* Goal: the contract of farebox/head.h. Method: the pure part as tables and in random worlds, the reader of blocks
 * fault by fault, and the whole on a simulated chain. One file a topic, all run from here. */
#include "test_head.h"

int main(void)
{
	return test_head_block() + test_head_follow() + test_head_worlds() + test_head_shell() == 0 ? 0 : 1;
}
