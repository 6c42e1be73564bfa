/* farebox/token.h - what a USDC contract takes and says: calldata, alone and many in one transaction; the batched
 * read of payment facts; the simulation of a batch; its events in a receipt.
 *
 * Layer      4
 * Spec       EIP-3009 as FiatTokenV2_2 implements it; Multicall3's aggregate3; contracts-abi/Lens.yul and
 *            Trial.yul (the answers' layouts).
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

/* ---- many transfers in one transaction ------------------------------------------------------------ */
struct fb_call3 {
	struct fb_address to;
	struct fb_str data;
};
/* Multicall3's aggregate3 with allowFailure; at least one call. */
void fb_call3_write(struct fb_buf *out, const struct fb_call3 *calls, size_t count);
size_t fb_call3_len(const struct fb_call3 *calls, size_t count); /* bytes that fb_call3_write writes */

enum { FB_TRIAL_MAX = 128 };
struct fb_trial_item {
	struct fb_address token;
	const struct fb_authorization *authorization;
	const uint8_t *signature; /* FB_SIGNATURE_LEN bytes */
};
struct fb_trial_fact {
	bool taken;   /* the transfer would go through, behind those before it */
	uint64_t gas; /* that it used */
};
/* The data of an eth_call without `to` that tries the transfers one after another. */
void fb_trial_call(struct fb_buf *out, const struct fb_trial_item *items, size_t count);
size_t fb_trial_call_len(size_t count); /* bytes that fb_trial_call writes */
/* FB_BAD_LENGTH, FB_BAD_VALUE. */
FB_MUST_USE enum fb_status fb_trial_answer(struct fb_trial_fact *out, size_t count, struct fb_str data);

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
/* Wei that the transaction took from its sender. */
fb_u128 fb_receipt_cost(const struct fb_receipt_summary *r);
/* What the logs say of one authorization. A payment is DESIGN rule 9's only as MOVED: the token's own
 * AuthorizationUsed(payer, nonce), and next to it its Transfer(payer, to, value). */
enum fb_logs_said {
	FB_LOGS_NOTHING,
	FB_LOGS_MOVED,
	FB_LOGS_USED, /* used, without that transfer: for another one */
	FB_LOGS_CANCELED,
};
struct fb_log_item {
	struct fb_address asset;
	struct fb_authorization authorization; /* from, to, value, nonce */
	enum fb_logs_said said;
};
/* Fills `said` of every item. The items are different authorizations; a log speaks for one of them at most. */
void fb_receipt_judge(struct fb_json_value receipt, struct fb_log_item *items, size_t count);
/* In the result of eth_getLogs: the transaction that used or cancelled the authorization. FB_NOT_FOUND: none did;
 * FB_WRONG_TYPE: that is no list of logs. */
FB_MUST_USE enum fb_status fb_authorization_find(struct fb_hash *tx, bool *canceled, struct fb_json_value logs,
						 const struct fb_log_item *item);
#endif /* FB_TOKEN_H */
