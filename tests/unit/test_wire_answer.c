/* Goal: the bytes of a facilitator's answers, and the strings of the reasons. */
#include "fb_test.h"
#include "test_wire.h"

static char block[1024];
static struct fb_buf out;

#define TX "0xabababababababababababababababababababababababababababababababab"

static void begin(void)
{
	fb_buf_init(&out, block, sizeof(block));
}

static struct fb_hash tx(void)
{
	struct fb_hash h;

	memset(h.bytes, 0xab, sizeof(h.bytes));
	return h;
}

static void reason_text__every_reason__its_own_string(void **state)
{
	(void)state;
	CHECK_STR("", fb_str_of(fb_reason_text(FB_REASON_NONE)));
	for (unsigned i = 1; i < FB_REASON_END; i++) {
		const char *text = fb_reason_text((enum fb_reason)i);

		CHECK(text[0] != '\0');
		for (unsigned k = 1; k < i; k++)
			CHECK(strcmp(text, fb_reason_text((enum fb_reason)k)) != 0);
	}
	/* the two that clients act on */
	CHECK_STR("settlement_pending", fb_str_of(fb_reason_text(FB_REASON_PENDING)));
	CHECK_STR("invalid_exact_evm_nonce_already_used", fb_str_of(fb_reason_text(FB_REASON_NONCE_USED)));
}

static void verdict__table__golden_bytes(void **state)
{
	static const struct { struct fb_verdict v; const char *want; } rows[] = {
		{ { FB_REASON_NONE, NULL, { WIRE_PAYER, 42 } }, "{\"isValid\":true,\"payer\":\"" WIRE_PAYER "\"}" },
		{ { FB_REASON_NONE, "not shown", { "", 0 } }, "{\"isValid\":true}" },
		{ { FB_REASON_VALUE, NULL, { NULL, 0 } },
		  "{\"isValid\":false,\"invalidReason\":\"invalid_exact_evm_payload_authorization_value_mismatch\"}" },
		{ { FB_REASON_BALANCE, "has 1 of \"2\"", { WIRE_PAYER, 42 } },
		  "{\"isValid\":false,\"invalidReason\":\"invalid_exact_evm_insufficient_balance\","
		  "\"invalidMessage\":\"has 1 of \\\"2\\\"\",\"payer\":\"" WIRE_PAYER "\"}" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		begin();
		fb_wire_write_verdict(&out, &rows[i].v);
		CHECK_STR(rows[i].want, fb_buf_view(&out));
	}
}

static void settlement__success__golden_bytes(void **state)
{
	struct fb_settlement_answer a = { .payer = FB_STR(WIRE_PAYER), .network = FB_STR("eip155:84532"),
					  .has_tx = true, .tx = tx() };

	(void)state;
	begin();
	fb_wire_write_settlement(&out, &a);
	CHECK_STR("{\"success\":true,\"transaction\":\"" TX "\",\"network\":\"eip155:84532\",\"payer\":\""
		  WIRE_PAYER "\"}", fb_buf_view(&out));
}

static void settlement__refused__transaction_and_network_are_still_strings(void **state)
{
	struct fb_settlement_answer a = { .reason = FB_REASON_INVALID_PAYLOAD };

	(void)state;
	begin();
	fb_wire_write_settlement(&out, &a);
	CHECK_STR("{\"success\":false,\"errorReason\":\"invalid_payload\",\"transaction\":\"\",\"network\":\"\"}",
		  fb_buf_view(&out));
	a = (struct fb_settlement_answer){ FB_REASON_TRANSACTION_FAILED, "reverted", FB_STR(WIRE_PAYER),
					   FB_STR("base-sepolia"), true, tx(), { "", 0 } };
	begin();
	fb_wire_write_settlement(&out, &a);
	CHECK_STR("{\"success\":false,\"errorReason\":\"invalid_exact_evm_transaction_failed\","
		  "\"errorMessage\":\"reverted\",\"transaction\":\"" TX
		  "\",\"network\":\"base-sepolia\",\"payer\":\"" WIRE_PAYER "\"}", fb_buf_view(&out));
}

static void settlement__with_an_id__extra_names_it(void **state)
{
	struct fb_settlement_answer a = { .payer = FB_STR(WIRE_PAYER), .network = FB_STR("eip155:84532"),
					  .has_tx = true, .tx = tx(), .settlement_id = FB_STR("84532-aa-bb-cc") };

	(void)state;
	begin();
	fb_wire_write_settlement(&out, &a);
	CHECK_STR("{\"success\":true,\"transaction\":\"" TX "\",\"network\":\"eip155:84532\",\"payer\":\""
		  WIRE_PAYER "\",\"extra\":{\"settlementId\":\"84532-aa-bb-cc\"}}", fb_buf_view(&out));
}

static void settlement__pending__carries_the_hash(void **state)
{
	struct fb_settlement_answer a = { .reason = FB_REASON_PENDING, .network = FB_STR("eip155:84532"),
					  .has_tx = true, .tx = tx() };

	(void)state;
	begin();
	fb_wire_write_settlement(&out, &a);
	CHECK_STR("{\"success\":false,\"errorReason\":\"settlement_pending\",\"transaction\":\""
		  TX "\",\"network\":\"eip155:84532\"}", fb_buf_view(&out));
}

static void supported__networks_and_signers__golden_bytes(void **state)
{
	struct fb_wire_kind kinds[] = { { FB_STR("eip155:84532"), FB_STR("base-sepolia") },
					{ FB_STR("eip155:42161"), { NULL, 0 } } };
	struct fb_address signers[2];

	(void)state;
	CHECK_STATUS(FB_OK, fb_address_parse(&signers[0], FB_STR("0x70997970c51812dc3a010c7d01b50e0d17dc79c8")));
	CHECK_STATUS(FB_OK, fb_address_parse(&signers[1], FB_STR(WIRE_PAYEE)));
	begin();
	fb_wire_write_supported(&out, kinds, 2, signers, 2, true);
	CHECK_STR("{\"kinds\":[{\"x402Version\":2,\"scheme\":\"exact\",\"network\":\"eip155:84532\"},"
		  "{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base-sepolia\"},"
		  "{\"x402Version\":2,\"scheme\":\"exact\",\"network\":\"eip155:42161\"}],"
		  "\"extensions\":[\"payment-identifier\"],"
		  "\"signers\":{\"eip155:*\":[\"" WIRE_PAYER "\",\"" WIRE_PAYEE "\"]}}", fb_buf_view(&out));
	begin();
	fb_wire_write_supported(&out, kinds, 0, signers, 0, false);
	CHECK_STR("{\"kinds\":[],\"extensions\":[],\"signers\":{\"eip155:*\":[]}}", fb_buf_view(&out));
}

static void answers__buffer_too_small__latched(void **state)
{
	struct fb_verdict v = { .payer = FB_STR(WIRE_PAYER) };

	(void)state;
	fb_buf_init(&out, block, 20);
	fb_wire_write_verdict(&out, &v);
	CHECK(out.overflowed && out.len <= 20);
}

int wire_answer_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_text__every_reason__its_own_string),
		cmocka_unit_test(verdict__table__golden_bytes),
		cmocka_unit_test(settlement__success__golden_bytes),
		cmocka_unit_test(settlement__refused__transaction_and_network_are_still_strings),
		cmocka_unit_test(settlement__with_an_id__extra_names_it),
		cmocka_unit_test(settlement__pending__carries_the_hash),
		cmocka_unit_test(supported__networks_and_signers__golden_bytes),
		cmocka_unit_test(answers__buffer_too_small__latched),
	};
	return cmocka_run_group_tests_name("wire.answer", tests, NULL, NULL);
}
