/* Goal: the contract of farebox/crypto.h. Method: published vectors, edges of every range, and seeded
 * round trips; one file a topic, all run from here. */
#include "test_crypto.h"

int main(void)
{
	int failed = test_crypto_keccak() + test_crypto_sign() + test_crypto_typed() + test_crypto_tx();
	failed += test_crypto_keys();

	return failed == 0 ? 0 : 1;
}
