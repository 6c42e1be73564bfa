/* Goal: EIP-1559 transactions. Method: a vector made with an independent implementation; whatever is
 * signed is read back field by field through the RLP reader. */
#include "test_crypto.h"

static const struct fb_str vector_data = { "\xde\xad\xbe\xef", 4 };

static struct fb_tx vector_tx(void)
{
	return (struct fb_tx){
		.chain_id = 84532, .nonce = 7, .gas_limit = 120000, .max_priority_fee = 1000000, .max_fee = 20000000,
		.to = address_of("0x036CbD53842c5426634e7929541eC2318f3dCF7e"), .data = vector_data,
	};
}

static void tx_sign__vector__bytes_and_hash(void **state)
{
	char block[256];
	struct fb_buf out;
	struct fb_hash hash;
	struct fb_tx tx = vector_tx();
	struct fb_key key = key_of(ANVIL_0);

	(void)state;
	fb_buf_init(&out, block, sizeof(block));
	CHECK_STATUS(FB_OK, fb_tx_sign(&out, &hash, &tx, &key));
	CHECK_HEX("0x02f87183014a3407830f42408401312d008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e"
		  "8084deadbeefc001a05f43776b61e9ea834982d4c1b4e47ce0c275074a45a99173d35aaf9ce499a507a06df9"
		  "37530fa61cb875b49b03604b7b2248bf3fc0424170d2ac486d232bc34e20", out.at, out.len);
	CHECK_HASH("0x34f7e969fe3529531403d007bc175ec9f74a16f3b9fca55dbe0b8d9258ea3dce", hash);
}

static void tx_sign__creation__has_no_recipient(void **state)
{
	char block[256];
	struct fb_buf out;
	struct fb_hash hash;
	struct fb_tx tx = vector_tx();
	struct fb_key key = key_of(ANVIL_0);

	(void)state;
	tx.creates = true;
	fb_buf_init(&out, block, sizeof(block));
	CHECK_STATUS(FB_OK, fb_tx_sign(&out, &hash, &tx, &key));
	CHECK_HEX("0x02f85d83014a3407830f42408401312d008301d4c0808084deadbeefc001a0d8f86de61e8af2e53f405e83351c96768af9"
		  "7cbbfcbbe66ac6807027917d2ba4a0014691e890603fc5fdbeddc308ea7503ea7e48e8d4867c1bdf8b1eadc3bfc197",
		  out.at, out.len);
	CHECK_HASH("0x1cd199d7dc8d1cbf7a467943629d16ca3c4804cec38bb1cac0442303060e8443", hash);
}

static void created_address__nonces_of_each_length__as_viem_says(void **state)
{
	static const struct {
		uint64_t nonce;
		const char *want;
	} rows[] = {
		{ 0, "0x5fbdb2315678afecb367f032d93f642f64180aa3" },
		{ 1, "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512" },
		{ 127, "0x5fc748f1feb28d7b76fa1c6b07d8ba2d5535177c" },
		{ 128, "0xb82008565fdc7e44609fa118a4a681e92581e680" },
		{ 256, "0x3c1cb427d20f15563ada8c249e71db76d7183b6c" },
		{ UINT64_MAX - 1, "0x91d657e4bb26c1bf384bb8cccf4987730c38048d" },
	};
	struct fb_key key = key_of(ANVIL_0);
	struct fb_address sender = fb_key_address(&key);

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_address got = fb_created_address(&sender, rows[i].nonce);

		CHECK_HEX(rows[i].want, got.bytes, sizeof(got.bytes));
	}
}

static void tx_sign__every_size_too_small__is_too_large_and_leaves_the_front(void **state)
{
	enum { FRONT = 3, SIGNED = 116 };
	struct fb_tx tx = vector_tx();
	struct fb_key key = key_of(ANVIL_0);

	(void)state;
	for (size_t cap = FRONT; cap <= FRONT + SIGNED; cap++) {
		char block[FRONT + SIGNED];
		struct fb_buf out;
		struct fb_hash hash = { .bytes = { 9 } };
		bool fits = cap == FRONT + SIGNED;

		fb_buf_init(&out, block, cap);
		fb_buf_text(&out, "abc");
		CHECK_STATUS(fits ? FB_OK : FB_TOO_LARGE, fb_tx_sign(&out, &hash, &tx, &key));
		CHECK(out.overflowed == !fits && out.len == (fits ? cap : FRONT) && memcmp(block, "abc", FRONT) == 0);
		CHECK(fits || (hash.bytes[0] == 9 && hash.bytes[1] == 0));
	}
}

static uint64_t take_u64(struct fb_str *rest)
{
	struct fb_rlp_item item;
	uint64_t v;

	CHECK_STATUS(FB_OK, fb_rlp_take(&item, rest));
	CHECK_STATUS(FB_OK, fb_rlp_item_u64(&v, &item));
	return v;
}

static struct fb_u256 take_u256(struct fb_str *rest)
{
	struct fb_rlp_item item;
	struct fb_u256 v;

	CHECK_STATUS(FB_OK, fb_rlp_take(&item, rest));
	CHECK_STATUS(FB_OK, fb_rlp_item_u256(&v, &item));
	return v;
}

static struct fb_str take_bytes(struct fb_str *rest, bool list)
{
	struct fb_rlp_item item;

	CHECK_STATUS(FB_OK, fb_rlp_take(&item, rest));
	CHECK(item.list == list);
	return item.body;
}

/* The signer of a raw transaction, by rebuilding what was signed from the fields read. */
static struct fb_address check_fields(const struct fb_tx *tx, struct fb_str raw)
{
	struct fb_str rest = { raw.at + 1, raw.len - 1 }, fields = take_bytes(&rest, true);
	struct fb_str start = fields, unsigned_fields;
	static char block[8192];
	struct fb_buf b;
	struct fb_signature s = { 0 };
	struct fb_hash digest;
	struct fb_address signer;
	size_t mark;

	CHECK(raw.at[0] == 2 && rest.len == 0);
	CHECK(take_u64(&fields) == tx->chain_id);
	CHECK(take_u64(&fields) == tx->nonce);
	CHECK(fb_u256_eq(take_u256(&fields), fb_u256_from_u128(tx->max_priority_fee)));
	CHECK(fb_u256_eq(take_u256(&fields), fb_u256_from_u128(tx->max_fee)));
	CHECK(take_u64(&fields) == tx->gas_limit);
	CHECK(fb_str_eq(take_bytes(&fields, false), (struct fb_str){ (const char *)tx->to.bytes, 20 }));
	CHECK(fb_u256_eq(take_u256(&fields), tx->value));
	CHECK(fb_str_eq(take_bytes(&fields, false), tx->data));
	CHECK(take_bytes(&fields, true).len == 0);
	unsigned_fields = (struct fb_str){ start.at, start.len - fields.len };
	s.v = (uint8_t)(27 + take_u64(&fields));
	fb_u256_to_be(s.r, take_u256(&fields));
	fb_u256_to_be(s.s, take_u256(&fields));
	CHECK(fields.len == 0);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_char(&b, 2);
	mark = fb_rlp_list_begin(&b);
	fb_buf_str(&b, unsigned_fields);
	fb_rlp_list_end(&b, mark);
	digest = fb_keccak256(b.at, b.len);
	CHECK_STATUS(FB_OK, fb_recover(&signer, &s, &digest));
	return signer;
}

/* Nonces enough that some r or s has a zero byte in front, which RLP leaves out. */
static void tx_sign__many_nonces_and_extremes__read_back(void **state)
{
	static char block[8192], data[4096];
	struct fb_key key = key_of(ANVIL_1);
	struct fb_tx tx = vector_tx();
	size_t short_ones = 0;

	(void)state;
	memset(data, 0xab, sizeof(data));
	for (uint64_t i = 0; i < 600; i++) {
		struct fb_buf out;
		struct fb_hash hash, want;

		tx.nonce = i % 100 == 99 ? UINT64_MAX : i;
		tx.gas_limit = i % 50 == 0 ? 0 : UINT64_MAX >> i % 64;
		tx.max_fee = ~(fb_u128)0 >> i % 128;
		tx.value = fb_u256_from_u64(i % 3);
		tx.data = (struct fb_str){ data, i % 200 == 0 ? sizeof(data) : i % 64 };
		fb_buf_init(&out, block, sizeof(block));
		CHECK_STATUS(FB_OK, fb_tx_sign(&out, &hash, &tx, &key));
		want = fb_keccak256(out.at, out.len);
		CHECK(fb_hash_eq(&hash, &want));
		CHECK_ADDRESS(ANVIL_1_ADDRESS, check_fields(&tx, fb_buf_view(&out)));
		short_ones += (uint8_t)out.at[out.len - 33] != 0xa0;
	}
	CHECK(short_ones > 0);
}

int test_crypto_tx(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tx_sign__vector__bytes_and_hash),
		cmocka_unit_test(tx_sign__creation__has_no_recipient),
		cmocka_unit_test(created_address__nonces_of_each_length__as_viem_says),
		cmocka_unit_test(tx_sign__every_size_too_small__is_too_large_and_leaves_the_front),
		cmocka_unit_test(tx_sign__many_nonces_and_extremes__read_back),
	};
	return cmocka_run_group_tests_name("crypto tx", tests, NULL, NULL);
}
