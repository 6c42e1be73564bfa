/* Goal: the contract of farebox/json.h. */
#include "farebox/json.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
