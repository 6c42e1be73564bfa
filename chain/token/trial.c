/* The simulation of a whole batch: contracts-abi/Trial.yul runs inside an eth_call without being deployed. */
#include "farebox/token.h"

#include "trial_code.h"

enum { ADDRESS = 20, CALL = 4 + 9 * 32, ITEM = ADDRESS + CALL, TAKEN = 0x80 };
_Static_assert((int)FB_TRIAL_MAX <= (int)FB_TRIAL_ITEMS_MAX, "a batch fits the trial");
_Static_assert(FB_TRIAL_CODE_LEN + FB_TRIAL_MAX * ITEM <= 49152, "EIP-3860's limit of creation code");

size_t fb_trial_call_len(size_t count)
{
	return FB_TRIAL_CODE_LEN + count * ITEM;
}

void fb_trial_call(struct fb_buf *out, const struct fb_trial_item *items, size_t count)
{
	FB_ASSERT(count >= 1 && count <= FB_TRIAL_MAX);
	fb_buf_put(out, FB_TRIAL_CODE, FB_TRIAL_CODE_LEN);
	for (size_t i = 0; i < count; i++) {
		struct fb_str signature = { (const char *)items[i].signature, FB_SIGNATURE_LEN };

		fb_buf_put(out, items[i].token.bytes, ADDRESS);
		fb_token_transfer_call(out, items[i].authorization, signature);
	}
}

/* One bit, and gas of 4 bytes: no block has more. */
static bool is_answer(const uint8_t word[32])
{
	uint8_t others = word[0] & (uint8_t)~TAKEN;

	for (size_t i = 1; i < 28; i++)
		others |= word[i];
	return others == 0;
}

enum fb_status fb_trial_answer(struct fb_trial_fact *out, size_t count, struct fb_str data)
{
	const uint8_t *word = (const uint8_t *)data.at;

	if (data.len != count * 32)
		return FB_BAD_LENGTH;
	for (size_t i = 0; i < count; i++)
		if (!is_answer(word + i * 32))
			return FB_BAD_VALUE;
	for (size_t i = 0; i < count; i++, word += 32)
		out[i] = (struct fb_trial_fact){ .taken = (word[0] & TAKEN) != 0, .gas = fb_get_be64(word + 24) };
	return FB_OK;
}
