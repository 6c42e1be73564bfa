/* Goal: the contract of farebox/os.h. */
#include "farebox/os.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
