/* Calldata of the token's own functions, and its Transfer log in a receipt. */
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

/* Topic i of a log equals these 32 bytes. */
static bool topic_is(struct fb_json_value topics, uint32_t i, const uint8_t want[32], struct fb_arena *arena)
{
	struct fb_json_value v = fb_json_first(topics, NULL);
	struct fb_str text;
	struct fb_hash got;

	for (uint32_t k = 0; k < i && fb_json_present(v); k++)
		v = fb_json_next(topics, v, NULL);
	return fb_json_string(&text, v, arena) == FB_OK && fb_hash_parse(&got, text) == FB_OK &&
	       memcmp(got.bytes, want, 32) == 0;
}

static void pad_address(uint8_t out[32], const struct fb_address *a)
{
	memset(out, 0, 12);
	memcpy(out + 12, a->bytes, sizeof(a->bytes));
}

static bool is_transfer(struct fb_json_value log, const struct fb_address *asset, const struct fb_authorization *a,
			struct fb_arena *arena)
{
	struct fb_json_value topics = fb_json_get(log, "topics");
	uint8_t from[32], to[32], value[32], data[32];
	struct fb_address emitter;
	struct fb_str text;

	pad_address(from, &a->from);
	pad_address(to, &a->to);
	fb_u256_to_be(value, a->value);
	if (fb_json_string(&text, fb_json_get(log, "address"), arena) != FB_OK ||
	    fb_address_parse(&emitter, text) != FB_OK)
		return false;
	if (!fb_address_eq(&emitter, asset) || fb_json_count(topics) != 3)
		return false;
	if (!topic_is(topics, 0, FB_TOPIC_TRANSFER, arena) || !topic_is(topics, 1, from, arena) ||
	    !topic_is(topics, 2, to, arena))
		return false;
	return fb_json_string(&text, fb_json_get(log, "data"), arena) == FB_OK &&
	       fb_hex_decode_exact(data, sizeof(data), text) == FB_OK && memcmp(data, value, sizeof(data)) == 0;
}

bool fb_receipt_has_transfer(struct fb_json_value receipt, const struct fb_address *asset,
			     const struct fb_authorization *a, struct fb_arena *arena)
{
	struct fb_json_value logs = fb_json_get(receipt, "logs");

	for (struct fb_json_value log = fb_json_first(logs, NULL); fb_json_present(log);
	     log = fb_json_next(logs, log, NULL))
		if (is_transfer(log, asset, a, arena))
			return true;
	return false;
}
