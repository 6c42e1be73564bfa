/* Goal: the contract of farebox/http.h. */
#include "farebox/http.h"
#include "fb_test.h"

int main(void)
{
	return 0;
}
