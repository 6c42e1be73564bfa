/* Goal: the contract of farebox/wire.h. */
#include "farebox/wire.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
