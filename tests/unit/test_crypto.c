/* Goal: the contract of farebox/crypto.h. */
#include "farebox/crypto.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
