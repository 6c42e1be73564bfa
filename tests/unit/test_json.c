/* Goal: the contract of farebox/json.h. Method: tables of accepted and refused texts, every limit
 * reached and passed, golden bytes for the writer. */
#include "test_json.h"

int main(void)
{
	return json_parse_tests() + json_read_tests() + json_write_tests();
}
