/* Calldata of the token's own functions. */
#include "farebox/token.h"

#include "abi_constants.h"

#include <string.h>

static void put_authorization(struct fb_buf *out, const struct fb_authorization *a)
{
	fb_abi_address(out, &a->from);
	fb_abi_address(out, &a->to);
	fb_abi_u256(out, a->value);
	fb_abi_u256(out, a->valid_after);
	fb_abi_u256(out, a->valid_before);
	fb_abi_word(out, a->nonce.bytes);
}

void fb_token_transfer_call(struct fb_buf *out, const struct fb_authorization *a, struct fb_str signature)
{
	const uint8_t *sig = (const uint8_t *)signature.at;

	if (signature.len == FB_SIGNATURE_LEN) {
		fb_abi_selector(out, FB_SELECTOR_TRANSFER_WITH_AUTHORIZATION_VRS);
		put_authorization(out, a);
		fb_abi_u64(out, sig[64]);
		fb_abi_word(out, sig);
		fb_abi_word(out, sig + 32);
		return;
	}
	fb_abi_selector(out, FB_SELECTOR_TRANSFER_WITH_AUTHORIZATION_BYTES);
	put_authorization(out, a);
	fb_abi_u64(out, 7 * 32); /* the bytes stand behind seven words */
	fb_abi_bytes(out, signature.at, signature.len);
}

void fb_token_is_valid_signature_call(struct fb_buf *out, const struct fb_hash *digest, struct fb_str signature)
{
	fb_abi_selector(out, FB_SELECTOR_IS_VALID_SIGNATURE);
	fb_abi_word(out, digest->bytes);
	fb_abi_u64(out, 2 * 32);
	fb_abi_bytes(out, signature.at, signature.len);
}

bool fb_token_is_valid_signature_answer(struct fb_str data)
{
	uint8_t magic[32] = { 0 };

	fb_put_be32(magic, FB_SELECTOR_IS_VALID_SIGNATURE);
	return data.len >= sizeof(magic) && memcmp(data.at, magic, sizeof(magic)) == 0;
}
