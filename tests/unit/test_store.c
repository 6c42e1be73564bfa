/* Goal: the contract of farebox/store.h. */
#include "farebox/store.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
