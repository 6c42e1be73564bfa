/* Goal: the contract of farebox/metric.h. */
#include "farebox/metric.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
