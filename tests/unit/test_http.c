/* Goal: the contract of farebox/http.h. Method: pure tables for router and target; for the rest a real server on a
 * free loopback port and a client that sends raw bytes. */
#include "test_http.h"

int main(void)
{
	int failed = run_http_target_tests();

	failed += run_http_server_tests();
	failed += run_http_framing_tests();
	failed += run_http_limit_tests();
	failed += run_http_wait_tests();
	failed += run_http_stop_tests();
	return failed;
}
