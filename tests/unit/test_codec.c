/* Goal: the contract of farebox/codec.h. */
#include "farebox/codec.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
