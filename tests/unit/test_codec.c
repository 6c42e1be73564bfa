/* Goal: the contract of farebox/codec.h. Method: published vectors, tables of accepted and refused
 * texts, edges of every range, and seeded round trips; one file a topic, all run from here. */
#include "test_codec.h"

int main(void)
{
	return test_codec_text() + test_codec_u256() + test_codec_rlp() + test_codec_abi() == 0 ? 0 : 1;
}
