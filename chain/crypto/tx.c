/* EIP-1559 transactions: 0x02 and the RLP of nine fields is signed; with the signature behind, it is sent. */
#include "farebox/crypto.h"

#include <string.h>

enum { TYPE_1559 = 0x02 };

static void put_fields(struct fb_buf *b, const struct fb_tx *tx)
{
	fb_rlp_u64(b, tx->chain_id);
	fb_rlp_u64(b, tx->nonce);
	fb_rlp_u128(b, tx->max_priority_fee);
	fb_rlp_u128(b, tx->max_fee);
	fb_rlp_u64(b, tx->gas_limit);
	fb_rlp_bytes(b, tx->to.bytes, tx->creates ? 0 : sizeof(tx->to.bytes));
	fb_rlp_u256(b, tx->value);
	fb_rlp_bytes(b, tx->data.at, tx->data.len);
	fb_rlp_list_end(b, fb_rlp_list_begin(b)); /* no access list */
}

/* `signature` NULL for what is signed. */
static void put_tx(struct fb_buf *b, const struct fb_tx *tx, const struct fb_signature *signature)
{
	size_t list;

	fb_buf_char(b, TYPE_1559);
	list = fb_rlp_list_begin(b);
	put_fields(b, tx);
	if (signature != NULL) {
		FB_ASSERT(signature->v == 27 || signature->v == 28);
		fb_rlp_u64(b, signature->v - 27u); /* the parity of y */
		fb_rlp_u256(b, fb_u256_from_be(signature->r));
		fb_rlp_u256(b, fb_u256_from_be(signature->s));
	}
	fb_rlp_list_end(b, list);
}

enum fb_status fb_tx_sign(struct fb_buf *out, struct fb_hash *hash, const struct fb_tx *tx, const struct fb_key *key)
{
	size_t start = out->len;
	struct fb_signature signature;
	struct fb_hash digest;

	put_tx(out, tx, NULL);
	if (out->overflowed) {
		out->len = start;
		return FB_TOO_LARGE;
	}
	digest = fb_keccak256(out->at + start, out->len - start);
	fb_sign(&signature, key, &digest);
	out->len = start; /* the same room takes the signed form */
	put_tx(out, tx, &signature);
	if (out->overflowed) {
		out->len = start;
		return FB_TOO_LARGE;
	}
	*hash = fb_keccak256(out->at + start, out->len - start);
	return FB_OK;
}

struct fb_address fb_created_address(const struct fb_address *sender, uint64_t nonce)
{
	char block[64]; /* two short items and their header */
	struct fb_address created;
	struct fb_hash hash;
	struct fb_buf b;
	size_t list;

	fb_buf_init(&b, block, sizeof(block));
	list = fb_rlp_list_begin(&b);
	fb_rlp_bytes(&b, sender->bytes, sizeof(sender->bytes));
	fb_rlp_u64(&b, nonce);
	fb_rlp_list_end(&b, list);
	FB_ASSERT(!b.overflowed);
	hash = fb_keccak256(b.at, b.len);
	memcpy(created.bytes, hash.bytes + sizeof(hash.bytes) - sizeof(created.bytes), sizeof(created.bytes));
	return created;
}
