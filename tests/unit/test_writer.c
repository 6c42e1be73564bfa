/* Goal: the contract of farebox/writer.h. */
#include "farebox/writer.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
