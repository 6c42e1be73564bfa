/* Goal: the bytes of a 402 in both versions, and which payments are for which offer. */
#include "fb_test.h"
#include "test_wire.h"

static char block[4096];
static struct fb_buf out;

static struct fb_offer offer(void)
{
	struct fb_offer o = {
		.caip2 = FB_STR("eip155:84532"), .v1_name = FB_STR("base-sepolia"),
		.url = FB_STR("http://127.0.0.1:4021/p"),
		.description = FB_STR("d"), .mime_type = FB_STR("application/json"), .domain_name = FB_STR("USDC"),
		.domain_version = FB_STR("2"), .amount = { 1000 }, .max_timeout_s = 300,
	};

	CHECK_STATUS(FB_OK, fb_address_parse(&o.asset, FB_STR("0x036cbd53842c5426634e7929541ec2318f3dcf7e")));
	CHECK_STATUS(FB_OK, fb_address_parse(&o.pay_to, FB_STR(WIRE_PAYEE)));
	return o;
}

static struct fb_str required(void (*write)(struct fb_buf *, const struct fb_offer *, const char *),
			      const struct fb_offer *o, const char *error)
{
	fb_buf_init(&out, block, sizeof(block));
	write(&out, o, error);
	CHECK(!out.overflowed);
	return fb_buf_view(&out);
}

static void required_v2__as_a_stock_server_says_it__golden_bytes(void **state)
{
	struct fb_offer o = offer();

	(void)state;
	CHECK_STR("{\"x402Version\":2,\"error\":\"Payment required\",\"resource\":"
		  "{\"url\":\"http://127.0.0.1:4021/p\",\"description\":\"d\","
		  "\"mimeType\":\"application/json\"},\"accepts\":[{\"scheme\":\"exact\","
		  "\"network\":\"eip155:84532\",\"amount\":\"1000\","
		  "\"asset\":\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\","
		  "\"payTo\":\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\","
		  "\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}]}",
		  required(fb_wire_write_required_v2, &o, "Payment required"));
}

static void required_v2__upfront_and_bare__golden_bytes(void **state)
{
	struct fb_offer o = offer();

	(void)state;
	o.upfront = true;
	o.description = o.mime_type = FB_STR("");
	o.domain_name = FB_STR("USD\xe2\x82\xae" "0");
	CHECK_STR("{\"x402Version\":2,\"resource\":{\"url\":\"http://127.0.0.1:4021/p\"},"
		  "\"accepts\":[{\"scheme\":\"exact\","
		  "\"network\":\"eip155:84532\",\"amount\":\"1000\","
		  "\"asset\":\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\","
		  "\"payTo\":\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\",\"maxTimeoutSeconds\":300,"
		  "\"extra\":{\"name\":\"USD\xe2\x82\xae" "0\",\"version\":\"2\",\"paymentFlow\":\"upfront\"}}]}",
		  required(fb_wire_write_required_v2, &o, NULL));
}

static void required_v1__as_legacy_clients_need_it__golden_bytes(void **state)
{
	struct fb_offer o = offer();

	(void)state;
	CHECK_STR("{\"x402Version\":1,\"error\":\"X-PAYMENT header is required\",\"accepts\":[{\"scheme\":\"exact\","
		  "\"network\":\"base-sepolia\","
		  "\"maxAmountRequired\":\"1000\",\"asset\":\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\","
		  "\"payTo\":\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\",\"resource\":\"http://127.0.0.1:4021/p\","
		  "\"description\":\"d\","
		  "\"mimeType\":\"application/json\",\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\","
		  "\"version\":\"2\"}}]}",
		  required(fb_wire_write_required_v1, &o, "X-PAYMENT header is required"));
	o.upfront = true;
	o.description = o.mime_type = (struct fb_str){ NULL, 0 };
	CHECK_STR("{\"x402Version\":1,\"accepts\":[{\"scheme\":\"exact\",\"network\":\"base-sepolia\","
		  "\"maxAmountRequired\":\"1000\","
		  "\"asset\":\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\","
		  "\"payTo\":\"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC\","
		  "\"resource\":\"http://127.0.0.1:4021/p\",\"description\":\"\",\"mimeType\":\"\","
		  "\"maxTimeoutSeconds\":300,"
		  "\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}]}",
		  required(fb_wire_write_required_v1, &o, NULL));
	o.v1_name = FB_STR("");
	CHECK_STR("{\"x402Version\":1,\"error\":\"e\",\"accepts\":[]}", required(fb_wire_write_required_v1, &o, "e"));
}

static void offer_requirement__both_versions__what_a_payment_is_judged_by(void **state)
{
	struct fb_offer o = offer();
	struct fb_requirement v2 = fb_offer_requirement(&o, 2), v1 = fb_offer_requirement(&o, 1);

	(void)state;
	CHECK_STR("exact", v2.scheme);
	CHECK_STR("eip155:84532", v2.network);
	CHECK_STR("base-sepolia", v1.network);
	CHECK(fb_u256_eq(v2.amount, fb_u256_from_u64(1000)) && fb_address_eq(&v2.asset, &o.asset) &&
	      fb_address_eq(&v2.pay_to, &o.pay_to));
	CHECK(v2.max_timeout_s == 300 && v2.has_domain && v2.payment_flow.len == 0 && v2.raw.len == 0);
	o.upfront = true;
	CHECK_STR("upfront", fb_offer_requirement(&o, 2).payment_flow);
	CHECK(fb_offer_requirement(&o, 1).payment_flow.len == 0);
}

static struct fb_payment payment_of(struct fb_str payload, uint8_t version)
{
	struct fb_payment p;
	enum fb_reason reason;

	CHECK_STATUS(FB_OK, fb_wire_read_payment_header(&p, &reason, wire_base64(payload), version, wire_tokens,
							wire_arena(), NULL));
	CHECK(reason == FB_REASON_NONE);
	return p;
}

static void offer_matches__v2_one_edit__only_the_same_terms(void **state)
{
	static const struct { const char *find, *replace; bool want, upfront; } rows[] = {
		{ "", "", true, false },
		{ "", "", false, true },
		{ WIRE_ASSET, "0x036cbd53842c5426634e7929541ec2318f3dcf7e", true, false },
		{ "\"payTo\":\"" WIRE_PAYEE "\"", "\"payTo\":\"0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc\"", true,
		  false },
		{ "\"extra\":{", "\"x\":1,\"extra\":{\"more\":{},", true, false },
		{ "\"extra\":{", "\"extra\":{\"paymentFlow\":\"authorization\",", true, false },
		{ "\"extra\":{", "\"extra\":{\"paymentFlow\":\"upfront\",", true, true },
		{ "\"extra\":{", "\"extra\":{\"paymentFlow\":\"upfront\",", false, false },
		{ "\"extra\":{", "\"extra\":{\"paymentFlow\":\"escrow\",", false, true },
		{ "\"scheme\":\"exact\"", "\"scheme\":\"upto\"", false, false },
		{ "eip155:84532", "eip155:8453", false, false },
		{ "eip155:84532", "base-sepolia", false, false },
		{ "\"amount\":\"1000\"", "\"amount\":\"1001\"", false, false },
		{ "\"amount\":\"1000\"", "\"amount\":\"999\"", false, false },
		{ WIRE_ASSET, WIRE_PAYEE, false, false },
		{ "\"payTo\":\"" WIRE_PAYEE "\"", "\"payTo\":\"" WIRE_PAYER "\"", false, false },
		{ ":300", ":301", false, false },
		{ "\"USDC\"", "\"USD Coin\"", false, false },
		{ "\"version\":\"2\"", "\"version\":\"1\"", false, false },
		{ "\"version\":\"2\"", "\"v\":\"2\"", false, false },
		{ "\"extra\":{", "\"extra\":null,\"x\":{", false, false },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_payment p = payment_of(wire_edit(WIRE_PAYMENT_V2, "\"accepted\"", rows[i].find,
							   rows[i].replace), 2);
		struct fb_offer o = offer();

		o.upfront = rows[i].upfront;
		if (fb_offer_matches(&o, &p) != rows[i].want)
			fail_msg("row %zu: %s -> %s", i, rows[i].find, rows[i].replace);
	}
}

static void offer_matches__v1__scheme_and_network(void **state)
{
	struct fb_payment p = payment_of(FB_STR(WIRE_PAYMENT_V1), 1);
	struct fb_offer o = offer();

	(void)state;
	CHECK(fb_offer_matches(&o, &p));
	p = payment_of(wire_edit(WIRE_PAYMENT_V1, "", "base-sepolia", "base"), 1);
	CHECK(!fb_offer_matches(&o, &p));
	p = payment_of(wire_edit(WIRE_PAYMENT_V1, "", "base-sepolia", "eip155:84532"), 1);
	CHECK(!fb_offer_matches(&o, &p));
	p = payment_of(wire_edit(WIRE_PAYMENT_V1, "", "exact", "upto"), 1);
	CHECK(!fb_offer_matches(&o, &p));
	p = payment_of(FB_STR(WIRE_PAYMENT_V1), 1);
	o.v1_name = FB_STR("");
	CHECK(!fb_offer_matches(&o, &p));
}

int wire_offer_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(required_v2__as_a_stock_server_says_it__golden_bytes),
		cmocka_unit_test(required_v2__upfront_and_bare__golden_bytes),
		cmocka_unit_test(required_v1__as_legacy_clients_need_it__golden_bytes),
		cmocka_unit_test(offer_requirement__both_versions__what_a_payment_is_judged_by),
		cmocka_unit_test(offer_matches__v2_one_edit__only_the_same_terms),
		cmocka_unit_test(offer_matches__v1__scheme_and_network),
	};
	return cmocka_run_group_tests_name("wire.offer", tests, NULL, NULL);
}
