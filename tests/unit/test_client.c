/* Goal: the contract of farebox/client.h: what a buyer takes, what it never takes, and that what it signs is
 * what a facilitator accepts. Method: quotes that differ in one thing; payments read back by the other side. */
#include "farebox/client.h"
#include "farebox/codec.h"
#include "farebox/verify.h"
#include "fb_sample.h"
#include "fb_test.h"

enum { HEADER_MAX = 16384, ARENA = 1 << 17 };
static struct fb_network networks[2];
static struct fb_quotes quotes;
static struct fb_error error;

/* ---- choosing ------------------------------------------------------------------------------------------- */

static struct fb_quote good_quote(uint8_t version)
{
	return (struct fb_quote){ .version = version, .requirement = fb_sample_requirement(&networks[0], version) };
}

static void start(uint8_t version)
{
	networks[0] = fb_sample_network();
	networks[1] = fb_sample_network();
	snprintf(networks[1].caip2, sizeof(networks[1].caip2), "eip155:31337");
	snprintf(networks[1].v1_name, sizeof(networks[1].v1_name), "local");
	networks[1].chain_id = 31337;
	for (size_t i = 0; i < networks[1].token_count; i++) {
		struct fb_token *t = &networks[1].tokens[i];

		t->domain = fb_eip712_domain(fb_str_of(t->name), fb_str_of(t->version), 31337, &t->address);
	}
	memset(&quotes, 0, sizeof(quotes));
	quotes.count = 1;
	quotes.quote[0] = good_quote(version);
	error.text[0] = '\0';
}

static enum fb_status choose_up_to(struct fb_purchase *p, const char *max)
{
	return fb_client_choose(p, &quotes, networks, FB_COUNT(networks), fb_str_of(max), &error);
}

/* max in atoms of the sample's token */
static enum fb_status choose(struct fb_purchase *p, fb_u128 max)
{
	char text[64];
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_amount_decimal(&b, (struct fb_amount){ max }, networks[0].tokens[0].decimals);
	fb_buf_char(&b, '\0');
	CHECK(!b.overflowed);
	return choose_up_to(p, text);
}

static void choose__good_quote__taken_with_network_token_and_amount(void **state)
{
	(void)state;
	for (uint8_t v = 1; v <= 2; v++) {
		struct fb_purchase p;

		start(v);
		CHECK_STATUS(FB_OK, choose(&p, 1000));
		CHECK(p.quote == &quotes.quote[0] && p.network == &networks[0] && p.token == &networks[0].tokens[0]);
		CHECK(p.amount.atoms == 1000);
	}
}

static void choose__second_network_and_token__found(void **state)
{
	struct fb_purchase p;

	(void)state;
	start(2);
	quotes.quote[0].requirement.network = FB_STR("eip155:31337");
	quotes.quote[0].requirement.asset = networks[1].tokens[1].address;
	quotes.quote[0].requirement.domain_name = FB_STR("EURC");
	quotes.quote[0].requirement.domain_version = FB_STR("1");
	CHECK_STATUS(FB_OK, choose(&p, 1000));
	CHECK(p.network == &networks[1] && p.token == &networks[1].tokens[1]);
}

static void choose__limit__up_to_and_including(void **state)
{
	static const struct {
		fb_u128 max;
		enum fb_status want;
	} rows[] = { { 0, FB_LIMIT }, { 999, FB_LIMIT }, { 1000, FB_OK }, { 1001, FB_OK }, { FB_AMOUNT_MAX, FB_OK } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_purchase p = { .quote = NULL };

		start(2);
		CHECK_STATUS(rows[i].want, choose(&p, rows[i].max));
		CHECK((p.quote == NULL) == (rows[i].want != FB_OK));
	}
	start(2);
	CHECK_STATUS(FB_LIMIT, choose(&(struct fb_purchase){ 0 }, 500));
	CHECK_STR("the server asks 0.001 USDC, your limit is 0.0005: raise it with --max", fb_str_of(error.text));
}

/* "1" of a token with 18 decimals is no limit for one with 6. */
static void choose__tokens_of_other_decimals__each_by_its_own(void **state)
{
	struct fb_purchase p = { .quote = NULL };

	(void)state;
	start(2);
	networks[0].tokens[0].decimals = 18;
	quotes.quote[0].requirement.network = FB_STR("eip155:31337");
	quotes.quote[0].requirement.amount = fb_u256_from_u64(1000001);
	CHECK_STATUS(FB_LIMIT, choose_up_to(&p, "1"));
	quotes.quote[0].requirement.amount = fb_u256_from_u64(1000000);
	CHECK_STATUS(FB_OK, choose_up_to(&p, "1"));
	CHECK(p.network == &networks[1]);
}

static void choose__limit_that_is_no_amount__bad_value(void **state)
{
	static const char *const rows[] = { "", "-1", "1e3", ".5", "0.0000001", "1 USDC", "$1" };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_purchase p = { .quote = NULL };

		start(2);
		CHECK_STATUS(FB_BAD_VALUE, choose_up_to(&p, rows[i]));
		CHECK(p.quote == NULL);
	}
}

static void scheme(struct fb_requirement *r) { r->scheme = FB_STR("upto"); }
static void network(struct fb_requirement *r) { r->network = FB_STR("eip155:1"); }
static void v1_network(struct fb_requirement *r) { r->network = FB_STR("base-sepolia"); }
static void asset(struct fb_requirement *r) { r->asset = fb_sample_address(0x12); }
static void no_domain(struct fb_requirement *r) { r->has_domain = false; }
static void name(struct fb_requirement *r) { r->domain_name = FB_STR("USD Coin"); }
static void version(struct fb_requirement *r) { r->domain_version = FB_STR("1"); }
static void other_domain(struct fb_requirement *r) { r->domain_name = FB_STR("EURC"); r->domain_version = FB_STR("1"); }
static void escrow(struct fb_requirement *r) { r->payment_flow = FB_STR("escrow"); }
static void permit2(struct fb_requirement *r) { r->asset_transfer_method = FB_STR("permit2"); }
static void huge(struct fb_requirement *r) { r->amount = fb_u256_from_u128((fb_u128)1 << 127); }

static const struct {
	void (*change)(struct fb_requirement *r);
	const char *why;
} refused[] = {
	{ scheme, "scheme" },
	{ network, "network" },
	{ v1_network, "network" },
	{ asset, "asset" },
	{ no_domain, "extra.name" },
	{ name, "extra.name" },
	{ version, "extra.version" },
	{ other_domain, "extra.name" },
	{ escrow, "payment flow" },
	{ permit2, "transfer method" },
	{ huge, "amount is too large" },
};

static void choose__one_thing_we_do_not_take__not_found_and_told_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(refused); i++) {
		struct fb_purchase p = { .quote = NULL };

		start(2);
		refused[i].change(&quotes.quote[0].requirement);
		CHECK_STATUS(FB_NOT_FOUND, choose(&p, FB_AMOUNT_MAX));
		CHECK(p.quote == NULL);
		if (strstr(error.text, refused[i].why) == NULL)
			fail_msg("row %zu: \"%s\", want \"%s\" in it", i, error.text, refused[i].why);
	}
}

static void choose__known_flows_and_methods__taken(void **state)
{
	static const struct {
		const char *flow, *method;
	} rows[] = { { "", "" }, { "authorization", "eip3009" }, { "upfront", "" }, { "upfront", "eip3009" } };
	struct fb_purchase p;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		start(2);
		quotes.quote[0].requirement.payment_flow = fb_str_of(rows[i].flow);
		quotes.quote[0].requirement.asset_transfer_method = fb_str_of(rows[i].method);
		CHECK_STATUS(FB_OK, choose(&p, 1000));
	}
}

static void choose__several__first_that_can_be_taken(void **state)
{
	struct fb_purchase p;

	(void)state;
	start(2);
	quotes.count = FB_COUNT(refused) + 3;
	for (size_t i = 0; i < quotes.count; i++)
		quotes.quote[i] = good_quote(2);
	for (size_t i = 0; i < FB_COUNT(refused); i++)
		refused[i].change(&quotes.quote[i].requirement);
	quotes.quote[FB_COUNT(refused)].requirement.amount = fb_u256_from_u64(5000); /* too dear: a later one is not */
	CHECK_STATUS(FB_OK, choose(&p, 1000));
	CHECK(p.quote == &quotes.quote[FB_COUNT(refused) + 1]);
}

static void choose__only_dear_ones__limit_names_the_first(void **state)
{
	struct fb_purchase p;

	(void)state;
	start(2);
	quotes.count = 3;
	quotes.quote[1] = quotes.quote[2] = quotes.quote[0];
	scheme(&quotes.quote[0].requirement);
	quotes.quote[1].requirement.amount = fb_u256_from_u64(7000000);
	quotes.quote[2].requirement.amount = fb_u256_from_u64(6000000);
	CHECK_STATUS(FB_LIMIT, choose(&p, 1));
	CHECK(strstr(error.text, "asks 7 USDC") != NULL);
}

static void choose__nothing_offered__not_found(void **state)
{
	struct fb_purchase p;

	(void)state;
	start(2);
	quotes.count = 0;
	CHECK_STATUS(FB_NOT_FOUND, choose(&p, 1000));
	CHECK(strstr(error.text, "offers nothing") != NULL);
	quotes.skipped = 2;
	CHECK_STATUS(FB_NOT_FOUND, choose(&p, 1000));
	CHECK(strstr(error.text, "cannot be read") != NULL && strstr(error.text, "2 offers") != NULL);
}

/* ---- paying --------------------------------------------------------------------------------------------- */

#define REQUIREMENT(amount, network)                                                                     \
	"{\"scheme\":\"exact\",\"network\":\"" network "\",\"" amount "\":\"1000\",\"asset\":"           \
	"\"0xcccccccccccccccccccccccccccccccccccccccc\",\"payTo\":\"0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"," \
	"\"maxTimeoutSeconds\":300,\"extra\":{\"name\":\"USDC\",\"version\":\"2\"}}"

static void fill(void *ctx, uint8_t *out, size_t len)
{
	memset(out, *(const int *)ctx, len);
}

struct paid {
	char block[HEADER_MAX];
	struct fb_buf header;
	struct fb_authorization signed_as;
	struct fb_arena arena;
	_Alignas(16) unsigned char memory[ARENA];
	struct fb_json_token tokens[FB_WIRE_TOKENS];
};

static struct paid *room(size_t header, size_t arena)
{
	static struct paid p;

	fb_buf_init(&p.header, p.block, header);
	fb_arena_init(&p.arena, p.memory, arena);
	memset(&p.signed_as, 0, sizeof(p.signed_as));
	return &p;
}

static enum fb_status pay(struct paid *p, int nonce)
{
	struct fb_key key = fb_sample_payer();
	struct fb_rng rng = { fill, &nonce };
	struct fb_purchase purchase;

	CHECK_STATUS(FB_OK, choose(&purchase, 1000));
	return fb_client_pay(&p->header, &p->signed_as, &purchase, &quotes, &key, FB_SAMPLE_NOW_S, rng, &p->arena);
}

static void raw(uint8_t v)
{
	start(v);
	quotes.quote[0].requirement.raw = v == 1 ? FB_STR(REQUIREMENT("maxAmountRequired", "base-sepolia")) :
						   FB_STR(REQUIREMENT("amount", "eip155:84532"));
}

/* What a facilitator makes of the header at that time. */
static enum fb_reason judged(struct paid *p, uint8_t v, int64_t now_s)
{
	struct fb_facts facts = { .asset_has_code = true,
				  .of = { .eip3009 = true, .balance = fb_u256_from_u64(1000) } };
	struct fb_requirement want = fb_sample_requirement(&networks[0], v);
	static struct fb_claim claim;
	struct fb_payment payment;
	enum fb_reason reason;
	struct fb_note note;

	CHECK_STATUS(FB_OK, fb_wire_read_payment_header(&payment, &reason, fb_buf_view(&p->header), v, p->tokens,
							&p->arena, &error));
	CHECK(reason == FB_REASON_NONE);
	reason = fb_claim_make(&claim, &networks[0], &payment, &want, &note);
	if (reason != FB_REASON_NONE)
		return reason;
	fb_claim_recover(&claim);
	return fb_claim_judge(&claim, &facts, now_s, &note);
}

static void pay__both_versions__a_facilitator_accepts_it(void **state)
{
	(void)state;
	for (uint8_t v = 1; v <= 2; v++) {
		struct fb_key key = fb_sample_payer();
		struct fb_address payer = fb_key_address(&key), payee = fb_sample_address(0xbb);
		struct paid *p = room(HEADER_MAX, ARENA);

		raw(v);
		CHECK_STATUS(FB_OK, pay(p, 0x5a));
		CHECK(fb_address_eq(&p->signed_as.from, &payer) && fb_address_eq(&p->signed_as.to, &payee));
		CHECK(fb_u256_eq(p->signed_as.value, fb_u256_from_u64(1000)));
		CHECK(fb_u256_eq(p->signed_as.valid_after, fb_u256_from_u64(v == 1 ? FB_SAMPLE_NOW_S - 600 : 0)));
		CHECK(fb_u256_eq(p->signed_as.valid_before, fb_u256_from_u64(FB_SAMPLE_NOW_S + 300)));
		for (size_t i = 0; i < 32; i++)
			CHECK(p->signed_as.nonce.bytes[i] == 0x5a);
		CHECK(judged(p, v, FB_SAMPLE_NOW_S) == FB_REASON_NONE);
		CHECK(judged(p, v, FB_SAMPLE_NOW_S + 294) == FB_REASON_NONE);
		CHECK(judged(p, v, FB_SAMPLE_NOW_S + 295) == FB_REASON_VALID_BEFORE);
	}
}

static void pay__twice__nonces_differ(void **state)
{
	struct paid *p = room(HEADER_MAX, ARENA);
	struct fb_hash first;

	(void)state;
	raw(2);
	CHECK_STATUS(FB_OK, pay(p, 1));
	first = p->signed_as.nonce;
	p = room(HEADER_MAX, ARENA);
	CHECK_STATUS(FB_OK, pay(p, 2));
	CHECK(!fb_hash_eq(&first, &p->signed_as.nonce));
}

static void pay__life__as_asked_but_bounded(void **state)
{
	static const struct {
		uint64_t asked, life;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 86399, 86399 }, { 86400, 86400 }, { 86401, 86400 }, { UINT64_MAX, 86400 } };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct paid *p = room(HEADER_MAX, ARENA);

		raw(2);
		quotes.quote[0].requirement.max_timeout_s = rows[i].asked;
		CHECK_STATUS(FB_OK, pay(p, 1));
		CHECK(fb_u256_eq(p->signed_as.valid_before, fb_u256_from_u64(FB_SAMPLE_NOW_S + rows[i].life)));
	}
}

static void pay__no_room__refused_and_nothing_signed(void **state)
{
	struct paid *p = room(HEADER_MAX, ARENA);
	size_t need;

	(void)state;
	raw(2);
	CHECK_STATUS(FB_OK, pay(p, 1));
	need = p->header.len;
	p = room(need, ARENA);
	CHECK_STATUS(FB_OK, pay(p, 1));
	p = room(need - 1, ARENA);
	CHECK_STATUS(FB_NO_MEMORY, pay(p, 1));
	CHECK(fb_address_is_zero(&p->signed_as.from));
	p = room(HEADER_MAX, 1024);
	CHECK_STATUS(FB_NO_MEMORY, pay(p, 1));
	CHECK(fb_address_is_zero(&p->signed_as.from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choose__good_quote__taken_with_network_token_and_amount),
		cmocka_unit_test(choose__second_network_and_token__found),
		cmocka_unit_test(choose__limit__up_to_and_including),
		cmocka_unit_test(choose__tokens_of_other_decimals__each_by_its_own),
		cmocka_unit_test(choose__limit_that_is_no_amount__bad_value),
		cmocka_unit_test(choose__one_thing_we_do_not_take__not_found_and_told_why),
		cmocka_unit_test(choose__known_flows_and_methods__taken),
		cmocka_unit_test(choose__several__first_that_can_be_taken),
		cmocka_unit_test(choose__only_dear_ones__limit_names_the_first),
		cmocka_unit_test(choose__nothing_offered__not_found),
		cmocka_unit_test(pay__both_versions__a_facilitator_accepts_it),
		cmocka_unit_test(pay__twice__nonces_differ),
		cmocka_unit_test(pay__life__as_asked_but_bounded),
		cmocka_unit_test(pay__no_room__refused_and_nothing_signed),
	};
	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
