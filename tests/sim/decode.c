/* Signed bytes and call data, read back. */
#include "sim_int.h"

#include "abi_constants.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 12, SIGNED_FIELDS = 9 };

static bool take_fields(struct fb_rlp_item fields[FIELDS], struct fb_str raw)
{
	struct fb_str rest = { raw.at + 1, raw.len - 1 };
	struct fb_rlp_item list;

	if (raw.len < 2 || raw.at[0] != 2 || fb_rlp_take(&list, &rest) != FB_OK || !list.list || rest.len != 0)
		return false;
	rest = list.body;
	for (size_t i = 0; i < FIELDS; i++)
		if (fb_rlp_take(&fields[i], &rest) != FB_OK || fields[i].list != (i == 8))
			return false;
	return rest.len == 0;
}

/* What was signed: the fields up to the access list, as they stand in the raw bytes. */
static struct fb_hash signed_hash(const struct fb_rlp_item fields[FIELDS])
{
	static const uint8_t type = 2;
	size_t cap = 1024 + fields[7].body.len, mark;
	struct fb_keccak k;
	struct fb_buf b;
	struct fb_hash h;

	fb_buf_init(&b, fb_must_alloc(cap, 1), cap);
	mark = fb_rlp_list_begin(&b);
	for (size_t i = 0; i < SIGNED_FIELDS - 1; i++)
		fb_rlp_bytes(&b, fields[i].body.at, fields[i].body.len);
	fb_rlp_list_end(&b, fb_rlp_list_begin(&b)); /* no access list */
	fb_rlp_list_end(&b, mark);
	FB_ASSERT(!b.overflowed);
	fb_keccak_init(&k);
	fb_keccak_update(&k, &type, 1);
	fb_keccak_update(&k, b.at, b.len);
	h = fb_keccak_final(&k);
	free(b.at);
	return h;
}

static bool recover(struct fb_address *out, const struct fb_rlp_item fields[FIELDS])
{
	struct fb_hash digest = signed_hash(fields);
	struct fb_u256 r, s;
	struct fb_signature signature;
	uint64_t parity;

	if (fields[8].body.len != 0 || fb_rlp_item_u64(&parity, &fields[9]) != FB_OK || parity > 1)
		return false;
	if (fb_rlp_item_u256(&r, &fields[10]) != FB_OK || fb_rlp_item_u256(&s, &fields[11]) != FB_OK)
		return false;
	fb_u256_to_be(signature.r, r);
	fb_u256_to_be(signature.s, s);
	signature.v = (uint8_t)(27 + parity);
	return fb_recover(out, &signature, &digest) == FB_OK;
}

bool sim_decode_tx(struct sim_tx *out, struct fb_str raw, uint64_t chain_id)
{
	struct fb_rlp_item f[FIELDS];
	struct sim_tx tx = { .state = FB_SIM_TX_WAITING };
	struct fb_u256 max_fee, tip, value;
	uint64_t id;

	if (!take_fields(f, raw) || fb_rlp_item_u64(&id, &f[0]) != FB_OK || id != chain_id ||
	    fb_rlp_item_u64(&tx.nonce, &f[1]) != FB_OK)
		return false;
	if (fb_rlp_item_u256(&tip, &f[2]) != FB_OK || fb_u256_to_u128(&tx.tip, tip) != FB_OK ||
	    fb_rlp_item_u256(&max_fee, &f[3]) != FB_OK || fb_u256_to_u128(&tx.max_fee, max_fee) != FB_OK ||
	    fb_rlp_item_u64(&tx.gas_limit, &f[4]) != FB_OK || f[5].body.len != 20)
		return false;
	if (fb_rlp_item_u256(&value, &f[6]) != FB_OK || !fb_u256_is_zero(value) || !recover(&tx.sender, f))
		return false;
	memcpy(tx.to.bytes, f[5].body.at, 20);
	tx.hash = fb_keccak256(raw.at, raw.len);
	tx.call = fb_must_alloc(1, sizeof(*tx.call));
	if (!sim_decode_call(tx.call, f[7].body)) {
		free(tx.call);
		tx.call = NULL;
		tx.batch = sim_decode_batch(f[7].body);
	}
	*out = tx;
	return true;
}

static bool read_authorization(struct fb_authorization *a, struct fb_str words)
{
	if (words.len < 6 * 32 || fb_abi_get_address(&a->from, words, 0) != FB_OK ||
	    fb_abi_get_address(&a->to, words, 1) != FB_OK || fb_abi_get_u256(&a->value, words, 2) != FB_OK ||
	    fb_abi_get_u256(&a->valid_after, words, 3) != FB_OK || fb_abi_get_u256(&a->valid_before, words, 4) != FB_OK)
		return false;
	memcpy(a->nonce.bytes, words.at + 5 * 32, 32);
	return true;
}

bool sim_decode_call(struct sim_call *out, struct fb_str data)
{
	struct fb_str words = { data.at + 4, data.len - 4 }, bytes;
	uint32_t selector = data.len < 4 ? 0 : fb_get_be32((const uint8_t *)data.at);
	uint64_t v;

	if (selector == FB_SELECTOR_TRANSFER_WITH_AUTHORIZATION_VRS) {
		if (words.len != 9 * 32 || !read_authorization(&out->authorization, words) ||
		    fb_abi_get_u64(&v, words, 6) != FB_OK || v > 255)
			return false;
		memcpy(out->signature, words.at + 7 * 32, 64);
		out->signature[64] = (uint8_t)v;
		out->signature_len = FB_SIGNATURE_LEN;
		return true;
	}
	if (selector != FB_SELECTOR_TRANSFER_WITH_AUTHORIZATION_BYTES ||
	    !read_authorization(&out->authorization, words) || fb_abi_get_bytes(&bytes, words, 6) != FB_OK ||
	    bytes.len > SIM_SIGNATURE_MAX)
		return false;
	memcpy(out->signature, bytes.at, bytes.len);
	out->signature_len = bytes.len;
	return true;
}
