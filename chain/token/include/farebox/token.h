/* farebox/token.h - what a USDC contract takes and says: calldata, the batched read of payment
 * facts, and its events in a receipt.
 *
 * Layer      4
 * Spec       EIP-3009 as FiatTokenV2_2 implements it; contracts-abi/Lens.yul (the answer's layout).
 * Errors     as written at each function; outputs only on FB_OK.
 * Threads    pure functions.
 */
#ifndef FB_TOKEN_H
#define FB_TOKEN_H
#include "farebox/codec.h"
#include "farebox/core.h"
#include "farebox/crypto.h"
#include "farebox/json.h"

/* transferWithAuthorization: the (v, r, s) overload for 65 bytes, the bytes overload otherwise, as
 * the reference facilitator chooses. */
void fb_token_transfer_call(struct fb_buf *out, const struct fb_authorization *a, struct fb_str signature);
/* isValidSignature(bytes32, bytes) of EIP-1271. */
void fb_token_is_valid_signature_call(struct fb_buf *out, const struct fb_hash *digest, struct fb_str signature);
/* True if the returned bytes are the EIP-1271 magic value, all 32 bytes compared as USDC does. */
bool fb_token_is_valid_signature_answer(struct fb_str data);

/* ---- one read for many payments ------------------------------------------------------------------ */
enum { FB_TOKEN_READ_MAX = 256 };
struct fb_lens_item {
	struct fb_address from, to;
	struct fb_hash nonce;
};
struct fb_lens_head {
	uint64_t block, block_time_s;
	bool token_has_code, paused;
};
struct fb_lens_facts {
	bool payer_has_code, nonce_used, from_blacklisted, to_blacklisted;
	bool eip3009;            /* authorizationState and balanceOf answered */
	struct fb_u256 balance;  /* capped at 2^128-1 */
};
/* The data of an eth_call without `to`. */
void fb_lens_call(struct fb_buf *out, const struct fb_address *token, const struct fb_lens_item *items, size_t count);
size_t fb_lens_call_len(size_t count); /* bytes that fb_lens_call writes */
/* FB_BAD_LENGTH, FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_lens_answer(struct fb_lens_head *head, struct fb_lens_facts *facts, size_t count,
					  struct fb_str data);

/* ---- receipts -------------------------------------------------------------------------------------- */
struct fb_receipt_summary {
	bool succeeded; /* status 1 */
	uint64_t block, gas_used;
	fb_u128 gas_price; /* effective, wei */
	fb_u128 l1_fee;    /* wei; 0 where the chain has none */
	struct fb_hash tx, block_hash;
};
/* An eth_getTransactionReceipt result. FB_NOT_FOUND for null (not included); FB_MISSING, FB_WRONG_TYPE, FB_BAD_HEX …
 * for a malformed one (its logs missing, too), which says nothing about the transaction. */
FB_MUST_USE enum fb_status fb_receipt_read(struct fb_receipt_summary *out, struct fb_json_value receipt,
					   struct fb_arena *arena);
/* DESIGN rule 9: does the receipt hold a Transfer(from, to, value) log emitted by `asset`? */
bool fb_receipt_has_transfer(struct fb_json_value receipt, const struct fb_address *asset,
			     const struct fb_authorization *a, struct fb_arena *arena);
#endif /* FB_TOKEN_H */
