/* Goal: the contract of farebox/rpc.h. */
#include "farebox/rpc.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
