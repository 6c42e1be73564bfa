/* Goal: the contract of farebox/conf.h. */
#include "farebox/conf.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
