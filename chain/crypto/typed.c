/* What gets signed: EIP-191 messages, EIP-712 typed data, EIP-3009 authorizations. */
#include "farebox/crypto.h"

#include <string.h>

enum { WORD = 32 };

/* keccak-256 of "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)" */
static const uint8_t domain_type[WORD] = {
	0x8b, 0x73, 0xc3, 0xc6, 0x9b, 0xb8, 0xfe, 0x3d, 0x51, 0x2e, 0xcc, 0x4c, 0xf7, 0x59, 0xcc, 0x79,
	0x23, 0x9f, 0x7b, 0x17, 0x9b, 0x0f, 0xfa, 0xca, 0xa9, 0xa7, 0x5d, 0x52, 0x2b, 0x39, 0x40, 0x0f,
};
/* keccak-256 of "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,
 * uint256 validBefore,bytes32 nonce)", in one line */
static const uint8_t transfer_type[WORD] = {
	0x7c, 0x7c, 0x6c, 0xdb, 0x67, 0xa1, 0x87, 0x43, 0xf4, 0x9e, 0xc6, 0xfa, 0x9b, 0x35, 0xf5, 0x0d,
	0x52, 0xed, 0x05, 0xcb, 0xed, 0x4c, 0xc5, 0x92, 0xe1, 0x3b, 0x44, 0x50, 0x1c, 0x1a, 0x22, 0x67,
};

struct fb_hash fb_eip191_hash(struct fb_str message)
{
	char text[64];
	struct fb_buf head;
	struct fb_keccak k;

	fb_buf_init(&head, text, sizeof(text));
	fb_buf_text(&head, "\x19" "Ethereum Signed Message:\n");
	fb_buf_u64(&head, message.len);
	FB_ASSERT(!head.overflowed);
	fb_keccak_init(&k);
	fb_keccak_update(&k, head.at, head.len);
	fb_keccak_update(&k, message.at, message.len);
	return fb_keccak_final(&k);
}

struct fb_hash fb_eip712_domain(struct fb_str name, struct fb_str version, uint64_t chain_id,
				const struct fb_address *contract)
{
	char words[5 * WORD];
	struct fb_buf b;

	fb_buf_init(&b, words, sizeof(words));
	fb_abi_word(&b, domain_type);
	fb_abi_word(&b, fb_keccak256(name.at, name.len).bytes);
	fb_abi_word(&b, fb_keccak256(version.at, version.len).bytes);
	fb_abi_u64(&b, chain_id);
	fb_abi_address(&b, contract);
	FB_ASSERT(b.len == sizeof(words) && !b.overflowed);
	return fb_keccak256(words, sizeof(words));
}

struct fb_hash fb_eip712_digest(const struct fb_hash *domain, const struct fb_hash *struct_hash)
{
	uint8_t bytes[2 + 2 * WORD] = { 0x19, 0x01 };

	memcpy(bytes + 2, domain->bytes, WORD);
	memcpy(bytes + 2 + WORD, struct_hash->bytes, WORD);
	return fb_keccak256(bytes, sizeof(bytes));
}

struct fb_hash fb_eip3009_transfer_hash(const struct fb_authorization *a)
{
	char words[7 * WORD];
	struct fb_buf b;

	fb_buf_init(&b, words, sizeof(words));
	fb_abi_word(&b, transfer_type);
	fb_abi_address(&b, &a->from);
	fb_abi_address(&b, &a->to);
	fb_abi_u256(&b, a->value);
	fb_abi_u256(&b, a->valid_after);
	fb_abi_u256(&b, a->valid_before);
	fb_abi_word(&b, a->nonce.bytes);
	FB_ASSERT(b.len == sizeof(words) && !b.overflowed);
	return fb_keccak256(words, sizeof(words));
}
