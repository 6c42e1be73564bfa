/* Goal: the contract of farebox/network.h. */
#include "farebox/network.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
