/* farebox/codec.h - turns the chain's texts and bytes into values that cannot be wrong, and back:
 * hex, addresses, hashes, 256-bit numbers, RLP, ABI.
 *
 * Layer      1. GMP (its mpn layer) is linked by this library alone.
 * Spec       Ethereum JSON-RPC "DATA" and "QUANTITY"; Yellow Paper appendix B (RLP); Solidity ABI.
 * Rule       parse, don't validate: a struct exists only if it was parsed, so nobody checks again.
 *            One accepted text per value.
 * Errors     as written at each function; outputs only on FB_OK.
 * Threads    pure functions.
 */
#ifndef FB_CODEC_H
#define FB_CODEC_H
#include "farebox/core.h"

/* ---- hex ----------------------------------------------------------------------------------- */
/* "0x" and an even number of digits of either case, exactly `len` bytes. FB_BAD_LENGTH, FB_BAD_HEX. */
FB_MUST_USE enum fb_status fb_hex_decode_exact(uint8_t *out, size_t len, struct fb_str text);
/* As above, any length up to cap ("0x" is the empty string). FB_BAD_HEX, FB_TOO_LARGE. */
FB_MUST_USE enum fb_status fb_hex_decode(uint8_t *out, size_t *out_len, size_t cap, struct fb_str text);
void fb_buf_hex(struct fb_buf *b, const void *bytes, size_t len); /* "0x" and lower-case digits */

/* ---- address, hash ------------------------------------------------------------------------- */
struct fb_address {
	uint8_t bytes[20];
};
struct fb_hash {
	uint8_t bytes[32];
};
enum { FB_ADDRESS_TEXT_LEN = 42, FB_HASH_TEXT_LEN = 66 };
/* "0x" and 40 digits; the case is not checked here (clients send all three spellings; EIP-55 is in
 * farebox/crypto.h). FB_BAD_LENGTH, FB_BAD_HEX. */
FB_MUST_USE enum fb_status fb_address_parse(struct fb_address *out, struct fb_str text);
FB_MUST_USE enum fb_status fb_hash_parse(struct fb_hash *out, struct fb_str text);
void fb_buf_address(struct fb_buf *b, const struct fb_address *a); /* lower case */
void fb_buf_hash(struct fb_buf *b, const struct fb_hash *h);
bool fb_address_eq(const struct fb_address *a, const struct fb_address *b);
bool fb_address_is_zero(const struct fb_address *a);
bool fb_hash_eq(const struct fb_hash *a, const struct fb_hash *b);

/* ---- JSON-RPC quantities -------------------------------------------------------------------- */
/* "0x0", "0x41"; no leading zeroes, no empty "0x". FB_BAD_HEX, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_quantity_parse_u64(uint64_t *out, struct fb_str text);
FB_MUST_USE enum fb_status fb_quantity_parse_u128(fb_u128 *out, struct fb_str text);
void fb_buf_quantity(struct fb_buf *b, fb_u128 v);

/* ---- 256-bit numbers ------------------------------------------------------------------------ */
struct fb_u256 {
	uint64_t limb[4]; /* least significant first */
};
enum { FB_U256_DIGITS = 78 };
struct fb_u256 fb_u256_from_u64(uint64_t v);
struct fb_u256 fb_u256_from_u128(fb_u128 v);
struct fb_u256 fb_u256_from_be(const uint8_t bytes[32]);
void fb_u256_to_be(uint8_t out[32], struct fb_u256 v);
/* Decimal: digits only, no sign, no leading zero, below 2^256. FB_BAD_SYNTAX, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_u256_parse(struct fb_u256 *out, struct fb_str text);
void fb_buf_u256(struct fb_buf *b, struct fb_u256 v); /* decimal */
int fb_u256_cmp(struct fb_u256 a, struct fb_u256 b);
bool fb_u256_eq(struct fb_u256 a, struct fb_u256 b);
bool fb_u256_is_zero(struct fb_u256 v);
/* FB_OVERFLOW where the result does not fit, for sub: if b > a. out may be an input. */
FB_MUST_USE enum fb_status fb_u256_add(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b);
FB_MUST_USE enum fb_status fb_u256_sub(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b);
FB_MUST_USE enum fb_status fb_u256_mul(struct fb_u256 *out, struct fb_u256 a, struct fb_u256 b);
FB_MUST_USE enum fb_status fb_u256_to_u64(uint64_t *out, struct fb_u256 v);
FB_MUST_USE enum fb_status fb_u256_to_u128(fb_u128 *out, struct fb_u256 v);
/* The one door from the chain's numbers to money. FB_OVERFLOW above FB_AMOUNT_MAX. */
FB_MUST_USE enum fb_status fb_u256_to_amount(struct fb_amount *out, struct fb_u256 v);
struct fb_u256 fb_u256_from_amount(struct fb_amount a);

/* ---- RLP ------------------------------------------------------------------------------------
 * Writer: lists are written to the same buf and closed with fb_rlp_list_end, which puts the header
 * before what was written since the mark. Overflow is latched in the buf. */
void fb_rlp_bytes(struct fb_buf *b, const void *bytes, size_t len);
void fb_rlp_u64(struct fb_buf *b, uint64_t v); /* minimal big-endian, 0 is the empty string */
void fb_rlp_u128(struct fb_buf *b, fb_u128 v);
void fb_rlp_u256(struct fb_buf *b, struct fb_u256 v);
size_t fb_rlp_list_begin(const struct fb_buf *b); /* the mark */
void fb_rlp_list_end(struct fb_buf *b, size_t mark);
/* Reader: takes one item off the front of *rest. Canonical encodings only (shortest length form,
 * single bytes below 0x80 stand for themselves). FB_BAD_SYNTAX. */
struct fb_rlp_item {
	bool list;
	struct fb_str body; /* the bytes of a string, or the concatenated items of a list */
};
FB_MUST_USE enum fb_status fb_rlp_take(struct fb_rlp_item *out, struct fb_str *rest);
/* A string item as a number: no leading zero byte. FB_WRONG_TYPE (a list), FB_BAD_SYNTAX, FB_OVERFLOW. */
FB_MUST_USE enum fb_status fb_rlp_item_u64(uint64_t *out, const struct fb_rlp_item *item);
FB_MUST_USE enum fb_status fb_rlp_item_u256(struct fb_u256 *out, const struct fb_rlp_item *item);

/* ---- ABI ------------------------------------------------------------------------------------
 * Writer: words of 32 bytes; dynamic parts are put by the caller in the order the ABI wants:
 * offsets (fb_abi_u64) first, then for each its length and padded bytes (fb_abi_bytes). */
void fb_abi_selector(struct fb_buf *b, uint32_t selector);
void fb_abi_word(struct fb_buf *b, const uint8_t word[32]);
void fb_abi_u64(struct fb_buf *b, uint64_t v);
void fb_abi_u256(struct fb_buf *b, struct fb_u256 v);
void fb_abi_address(struct fb_buf *b, const struct fb_address *a);
void fb_abi_bytes(struct fb_buf *b, const void *bytes, size_t len); /* length word, bytes, zero padding */
#define FB_ABI_PADDED(len) (((len) + 31) / 32 * 32)
/* Reader over returned or log data: word i (0-based). FB_BAD_LENGTH if data is shorter. */
FB_MUST_USE enum fb_status fb_abi_get_u256(struct fb_u256 *out, struct fb_str data, size_t i);
FB_MUST_USE enum fb_status fb_abi_get_u64(uint64_t *out, struct fb_str data, size_t i); /* FB_OVERFLOW */
/* FB_BAD_VALUE unless 12 zero bytes come first; unless 0 or 1. */
FB_MUST_USE enum fb_status fb_abi_get_address(struct fb_address *out, struct fb_str data, size_t i);
FB_MUST_USE enum fb_status fb_abi_get_bool(bool *out, struct fb_str data, size_t i);
/* Dynamic bytes or string whose offset is word i, offsets counted from the start of data.
 * FB_BAD_LENGTH if the length or the bytes lie outside; padding behind the bytes may be missing. */
FB_MUST_USE enum fb_status fb_abi_get_bytes(struct fb_str *out, struct fb_str data, size_t i);
#endif /* FB_CODEC_H */
