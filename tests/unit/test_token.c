/* Goal: the contract of farebox/token.h. Method: calldata as viem 2.57 encodes it, the lens' answer word
 * by word, and receipts that differ in one thing from a good one; one file a topic, all run from here. */
#include "test_token.h"

int main(void)
{
	return test_token_batch() + test_token_call() + test_token_lens() + test_token_receipt() == 0 ? 0 : 1;
}
