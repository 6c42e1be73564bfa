/* Goal: the contract of farebox/event.h. */
#include "farebox/event.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
