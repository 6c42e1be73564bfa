/* Goal: the contract of farebox/net.h. */
#include "farebox/net.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
