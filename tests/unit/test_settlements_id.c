/* Goal: a settlement's id stands for its key, and one text only. Method: golden text, round trips, one fault a row. */
#include "test_settlements.h"

#define ASSET "cccccccccccccccccccccccccccccccccccccccc"
#define PAYER "0102030405060708090a0b0c0d0e0f1011121314"
#define NONCE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void id__golden__every_field_there_and_back(void **state)
{
	struct fb_settle_key key, again;
	struct fb_address asset = fb_sample_address(0xcc), payer;
	struct fb_hash nonce;
	char block[FB_SETTLE_ID_MAX];
	struct fb_buf b;

	(void)state;
	CHECK_STATUS(FB_OK, fb_address_parse(&payer, FB_STR("0x" PAYER)));
	CHECK_STATUS(FB_OK, fb_hash_parse(&nonce, FB_STR("0x" NONCE)));
	key = fb_settle_key_from(84532, &asset, &payer, &nonce);
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_settle_id(&b, &key);
	CHECK_STR("84532-" ASSET "-" PAYER "-" NONCE, fb_buf_view(&b));
	CHECK_STATUS(FB_OK, fb_settle_id_parse(&again, fb_buf_view(&b)));
	CHECK(memcmp(&again, &key, sizeof(key)) == 0 && fb_settle_key_chain(&key) == 84532);
	asset = fb_settle_key_asset(&key);
	CHECK(asset.bytes[19] == 0xcc);
	asset = fb_settle_key_payer(&key);
	CHECK(fb_address_eq(&asset, &payer));
	nonce = fb_settle_key_nonce(&key);
	CHECK(nonce.bytes[31] == 0xff);
}

static void id__longest__fits(void **state)
{
	struct fb_address a = fb_sample_address(0xff);
	struct fb_hash nonce = { { 0 } };
	struct fb_settle_key key = fb_settle_key_from(UINT64_MAX, &a, &a, &nonce), again;
	char block[FB_SETTLE_ID_MAX];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, block, sizeof(block));
	fb_buf_settle_id(&b, &key);
	CHECK(!b.overflowed && b.len == FB_SETTLE_ID_MAX);
	CHECK_STATUS(FB_OK, fb_settle_id_parse(&again, fb_buf_view(&b)));
	CHECK(memcmp(&again, &key, sizeof(key)) == 0);
}

static void id__one_fault__refused_and_untouched(void **state)
{
	static const struct {
		const char *text;
		enum fb_status want;
	} rows[] = {
		{ "", FB_BAD_SYNTAX },
		{ "84532", FB_BAD_SYNTAX },
		{ "-" ASSET "-" PAYER "-" NONCE, FB_BAD_SYNTAX },
		{ "084532-" ASSET "-" PAYER "-" NONCE, FB_BAD_SYNTAX },
		{ "0x14a34-" ASSET "-" PAYER "-" NONCE, FB_BAD_SYNTAX },
		{ "18446744073709551616-" ASSET "-" PAYER "-" NONCE, FB_OVERFLOW },
		{ "84532-", FB_BAD_LENGTH },
		{ "84532-" ASSET "-" PAYER "-" "0011", FB_BAD_LENGTH },
		{ "84532-" ASSET "-" PAYER "-" NONCE "0", FB_BAD_LENGTH },
		{ "84532-" ASSET "." PAYER "-" NONCE, FB_BAD_SYNTAX },
		{ "84532-0x" ASSET "-" PAYER "-" NONCE, FB_BAD_HEX },
		{ "84532-CCcccccccccccccccccccccccccccccccccccccc-" PAYER "-" NONCE, FB_BAD_HEX },
		{ "84532-" ASSET "-" PAYER "-" NONCE NONCE, FB_BAD_LENGTH },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_settle_key key = { { 7 } };

		CHECK_STATUS(rows[i].want, fb_settle_id_parse(&key, fb_str_of(rows[i].text)));
		CHECK(key.bytes[0] == 7);
	}
}

int test_settlements_id(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(id__golden__every_field_there_and_back),
		cmocka_unit_test(id__longest__fits),
		cmocka_unit_test(id__one_fault__refused_and_untouched),
	};
	return cmocka_run_group_tests_name("settlements: ids", tests, NULL, NULL);
}
