/* Goal: a network file says everything once and rightly, or is refused with a sentence that points at the
 * fault. Method: one good file, and a table of its faults, each made by replacing one piece of text. */
#include "farebox/network.h"
#include "fb_test.h"
#include "test_network.h"

static const char good[] =
	"{\"name\":\"lab\",\"caip2\":\"eip155:84532\",\"chain_id\":84532,\"v1_name\":\"lab-v1\","
	"\"rpc_urls\":[\"http://127.0.0.1:8545\",\"https://b.example/k\"],"
	"\"explorer_tx\":\"https://x.example/tx/{hash}?a=b\","
	"\"multicall3\":\"0xcA11bde05977b3631167028862bE2a173976CA11\",\"finality_blocks\":7,"
	"\"tokens\":[{\"address\":\"0x036CbD53842c5426634e7929541eC2318f3dCF7e\",\"symbol\":\"USDC\",\"name\":\"USDC\","
	"\"version\":\"2\",\"decimals\":6,"
	"\"domain_separator\":\"0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818\"}]}";

/* `good` with the first `from` replaced. */
static struct fb_str broken(char *out, size_t cap, const char *from, const char *to)
{
	const char *at = strstr(good, from);
	struct fb_buf b;

	CHECK(at != NULL);
	fb_buf_init(&b, out, cap);
	fb_buf_put(&b, good, (size_t)(at - good));
	fb_buf_text(&b, to);
	fb_buf_text(&b, at + strlen(from));
	CHECK(!b.overflowed);
	return fb_buf_view(&b);
}

static void parse__good_file__every_value(void **state)
{
	struct fb_network n;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_network_parse(&n, fb_str_of(good), "lab.json", &e));
	CHECK_STR("lab", fb_str_of(n.name));
	CHECK_STR("eip155:84532", fb_str_of(n.caip2));
	CHECK_STR("lab-v1", fb_str_of(n.v1_name));
	CHECK_STR("https://x.example/tx/{hash}?a=b", fb_str_of(n.explorer_tx));
	CHECK(n.chain_id == 84532 && n.finality_blocks == 7 && n.rpc_url_count == 2 && n.token_count == 1);
	CHECK_STR("http://127.0.0.1:8545", fb_str_of(n.rpc_urls[0]));
	CHECK_STR("https://b.example/k", fb_str_of(n.rpc_urls[1]));
	CHECK(n.multicall3.bytes[0] == 0xca && n.tokens[0].address.bytes[19] == 0x7e &&
		n.tokens[0].domain.bytes[0] == 0x71);
	CHECK_STR("USDC", fb_str_of(n.tokens[0].symbol));
	CHECK_STR("USDC", fb_str_of(n.tokens[0].name));
	CHECK_STR("2", fb_str_of(n.tokens[0].version));
	CHECK(n.tokens[0].decimals == 6);
}

#define ESCROW "0x5fc748f1FEb28d7b76fa1c6B07D8ba2d5535177c"

static void parse__file_with_or_without_escrow__says_so(void **state)
{
	char text[4096];
	struct fb_network n;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, fb_network_parse(&n, fb_str_of(good), "lab.json", &e));
	CHECK(!n.has_escrow && fb_address_is_zero(&n.escrow) && n.escrow_block == 0);
	CHECK_STATUS(FB_OK, fb_network_parse(&n, broken(text, sizeof(text), "\"tokens\"",
							"\"escrow\":{\"block\":77,\"address\":\"" ESCROW "\"},\"tokens\""),
					     "lab.json", &e));
	CHECK(n.has_escrow && n.escrow.bytes[0] == 0x5f && n.escrow.bytes[19] == 0x7c && n.escrow_block == 77);
	CHECK(n.token_count == 1);
}

#define T63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* `good` with `from` replaced, and what is said of it. */
struct fault {
	const char *from, *to;
	enum fb_status want;
	const char *says;
};

static void check_faults(const struct fault *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[4096];
		struct fb_network n = { .chain_id = 77 };
		struct fb_error e = { "" };
		enum fb_status st = fb_network_parse(&n, broken(text, sizeof(text), rows[i].from, rows[i].to), "lab.json", &e);

		if (st != rows[i].want || strstr(e.text, rows[i].says) == NULL)
			fail_msg("%s -> %s: %s: %s", rows[i].from, rows[i].to, fb_status_info(st)->name, e.text);
		CHECK(n.chain_id == 77 && n.token_count == 0); /* written on success only */
	}
}

static void parse__each_fault__is_named(void **state)
{
	static const struct fault rows[] = {
		{ "\"name\":\"lab\",", "", FB_MISSING, "lab.json: name is missing" },
		{ "\"finality_blocks\":7,", "", FB_MISSING, "finality_blocks is missing" },
		{ ",\"decimals\":6", "", FB_MISSING, "tokens[0].decimals is missing" },
		{ "\"name\":\"lab\"", "\"nmae\":\"lab\"", FB_BAD_VALUE, "\"nmae\" is not a member" },
		{ "\"symbol\"", "\"symbl\"", FB_BAD_VALUE, "tokens[0].\"symbl\" is not a member" },
		{ "\"name\":\"lab\"", "\"name\":\"lab\",\"name\":\"lab\"", FB_BAD_SYNTAX, "duplicate_key at byte" },
		{ "}]}", "}]} x", FB_BAD_SYNTAX, "lab.json: no valid JSON" },
		{ "{\"name\"", "[{\"name\"", FB_BAD_SYNTAX, "no valid JSON" },
		/* texts */
		{ "\"lab\"", "1", FB_WRONG_TYPE, "lab.json: name: want a text" },
		{ "\"lab\"", "\"\"", FB_BAD_VALUE, "name: want a text" },
		{ "\"lab\"", "\"" T63 "a\"", FB_BAD_VALUE, "name: want a text of 1 to 63 bytes" },
		{ "\"lab\"", "\"a\\u0007b\"", FB_BAD_VALUE, "name: want" },
		{ "\"lab-v1\"", "null", FB_WRONG_TYPE, "v1_name: want" },
		/* numbers */
		{ "\"chain_id\":84532", "\"chain_id\":\"84532\"", FB_WRONG_TYPE, "chain_id: want a whole number" },
		{ "\"chain_id\":84532", "\"chain_id\":84532.0", FB_WRONG_TYPE, "chain_id: want" },
		{ "\"chain_id\":84532", "\"chain_id\":0", FB_BAD_VALUE, "chain_id: want" },
		{ "\"chain_id\":84532", "\"chain_id\":9223372036854775808", FB_BAD_VALUE, "chain_id: want" },
		{ "\"chain_id\":84532", "\"chain_id\":99999999999999999999", FB_BAD_VALUE, "chain_id: want" },
		{ "\"finality_blocks\":7", "\"finality_blocks\":0", FB_BAD_VALUE, "finality_blocks: want" },
		{ "\"finality_blocks\":7", "\"finality_blocks\":1000001", FB_BAD_VALUE, "finality_blocks: want" },
		{ "\"decimals\":6", "\"decimals\":39", FB_BAD_VALUE, "tokens[0].decimals: want" },
		{ "\"decimals\":6", "\"decimals\":\"6\"", FB_WRONG_TYPE, "tokens[0].decimals: want" },
		/* addresses and hashes */
		{ "0xcA11", "0xCA11", FB_BAD_VALUE, "multicall3: want 0x and 40 hex digits, with the right checksum" },
		{ "0xcA11bde0", "0x", FB_BAD_VALUE, "multicall3: want" },
		{ "\"0xcA11bde05977b3631167028862bE2a173976CA11\"", "5", FB_WRONG_TYPE, "multicall3: want" },
		{ "0x036C", "0x036c", FB_BAD_VALUE, "tokens[0].address: want" },
		{ "0x71f1", "0x71f", FB_BAD_VALUE, "tokens[0].domain_separator: want 0x and 64 hex digits" },
		/* URLs */
		{ "http://127.0.0.1:8545", "ws://127.0.0.1:8545", FB_BAD_VALUE, "rpc_urls: want" },
		{ "https://b.example/k", "https://b example/k", FB_BAD_VALUE, "rpc_urls: want" },
		{ "\"https://b.example/k\"", "7", FB_WRONG_TYPE, "rpc_urls: want" },
		{ "[\"http://127.0.0.1:8545\",\"https://b.example/k\"]", "\"http://127.0.0.1:8545\"", FB_WRONG_TYPE,
		  "rpc_urls: want a list" },
		{ "\"https://b.example/k\"",
		  "\"http://a\",\"http://a\",\"http://a\",\"http://a\",\"http://a\",\"http://a\",\"http://a\",\"http://a\"",
		  FB_BAD_VALUE, "at most 8" },
		{ "https://b.example/k", "https://" T63 T63 T63 T63, FB_BAD_VALUE, "255 bytes" },
		{ "https://x.example/tx/{hash}?a=b", "https://x.example/tx/", FB_BAD_VALUE, "explorer_tx: want" },
		{ "https://x.example/tx/{hash}?a=b", "https://x.example/{hash}/{hash}", FB_BAD_VALUE, "explorer_tx: want" },
		{ "https://x.example/tx/{hash}?a=b", "javascript:{hash}", FB_BAD_VALUE, "explorer_tx: want" },
		/* tokens */
		{ "\"tokens\":[", "\"tokens\":[],\"x\":[", FB_BAD_VALUE, "\"x\" is not a member" },
		{ "\"tokens\":[{", "\"tokens\":[5,{", FB_WRONG_TYPE, "tokens[0].: want an object" },
		/* what contradicts */
		{ "eip155:84532", "eip155:8453", FB_MISMATCH,
		  "caip2 is \"eip155:8453\", but chain_id makes it \"eip155:84532\"" },
		{ "\"name\":\"USDC\"", "\"name\":\"USD Coin\"", FB_MISMATCH,
		  "tokens[0].domain_separator does not follow from name \"USD Coin\"" },
		{ "\"version\":\"2\"", "\"version\":\"1\"", FB_MISMATCH, "tokens[0].domain_separator" },
		{ "0x71f1", "0x71f2", FB_MISMATCH,
		  "they make 0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818" },
	};

	(void)state;
	check_faults(rows, FB_COUNT(rows));
}

static void parse__each_fault_of_the_escrow__is_named(void **state)
{
	static const struct fault rows[] = {
		{ "\"tokens\"", "\"escrow\":null,\"tokens\"", FB_WRONG_TYPE, "escrow.: want an object" },
		{ "\"tokens\"", "\"escrow\":{\"block\":1},\"tokens\"", FB_MISSING, "escrow.address is missing" },
		{ "\"tokens\"", "\"escrow\":{\"address\":\"" ESCROW "\"},\"tokens\"", FB_MISSING,
		  "escrow.block is missing" },
		{ "\"tokens\"", "\"escrow\":{\"address\":\"" ESCROW "\",\"block\":9223372036854775808},\"tokens\"",
		  FB_BAD_VALUE, "escrow.block: want a whole number" },
		{ "\"tokens\"", "\"escrow\":{\"address\":\"0x1\",\"block\":1},\"tokens\"", FB_BAD_VALUE,
		  "escrow.address: want 0x and 40 hex digits" },
		{ "\"tokens\"", "\"escrow\":{\"address\":\"" ESCROW "\",\"block\":1,\"x\":1},\"tokens\"", FB_BAD_VALUE,
		  "escrow.\"x\" is not a member" },
	};

	(void)state;
	check_faults(rows, FB_COUNT(rows));
}

static void parse__no_object__is_refused(void **state)
{
	static const struct { const char *text; enum fb_status want; } rows[] = {
		{ "", FB_BAD_SYNTAX }, { "[]", FB_WRONG_TYPE }, { "7", FB_WRONG_TYPE }, { "{}", FB_MISSING },
		  { "\"base\"", FB_WRONG_TYPE },
	};
	struct fb_network n;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_STATUS(rows[i].want, fb_network_parse(&n, fb_str_of(rows[i].text), "x", NULL));
}

/* `good` with `count` tokens, whose addresses differ in the last digit or not at all. */
static enum fb_status parse_tokens(size_t count, bool same)
{
	static char text[16384];
	struct fb_buf b;
	struct fb_network n;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_put(&b, good, (size_t)(strstr(good, "{\"address\"") - good));
	for (size_t i = 0; i < count; i++)
		fb_buf_printf(&b,
			"%s{\"address\":\"0x036cbd53842c5426634e7929541ec2318f3dcf7%c\",\"symbol\":\"S\",\"name\":\"USDC\","
			      "\"version\":\"2\",\"decimals\":6,\"domain_separator\":"
			      "\"0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818\"}",
			      i > 0 ? "," : "", same ? 'e' : (char)('0' + i));
	fb_buf_text(&b, "]}");
	CHECK(!b.overflowed);
	return fb_network_parse(&n, fb_buf_view(&b), "x", NULL);
}

static void parse__number_of_tokens__has_a_limit_and_no_repetition(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, parse_tokens(1, true));
	CHECK_STATUS(FB_BAD_VALUE, parse_tokens(0, false));
	CHECK_STATUS(FB_BAD_VALUE, parse_tokens(2, true));
	/* All eight are read; only then is it found that their separators belong to another address. */
	CHECK_STATUS(FB_MISMATCH, parse_tokens(FB_NETWORK_TOKENS_MAX, false));
	CHECK_STATUS(FB_BAD_VALUE, parse_tokens(FB_NETWORK_TOKENS_MAX + 1, false));
}

/* From the public record, not from the files. */
static void builtin__table__is_what_the_chains_have(void **state)
{
	static const struct {
		const char *asked, *name, *v1_name, *explorer, *token_name, *address, *domain;
		uint64_t chain_id;
		size_t urls;
	} rows[] = {
		{ "base", "base", "base", "https://basescan.org/tx/{hash}", "USD Coin",
		  "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
		  "0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f", 8453, 0 },
		{ "eip155:8453", "base", "base", "https://basescan.org/tx/{hash}", "USD Coin",
		  "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913",
		  "0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f", 8453, 0 },
		{ "base-sepolia", "base-sepolia", "base-sepolia", "https://sepolia.basescan.org/tx/{hash}", "USDC",
		  "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
			"0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818", 84532, 0 },
		{ "eip155:84532", "base-sepolia", "base-sepolia", "https://sepolia.basescan.org/tx/{hash}", "USDC",
		  "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
			"0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818", 84532, 0 },
		{ "local", "local", "base-sepolia", "", "USDC", "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
		  "0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818", 84532, 1 },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_network n;
		struct fb_address address;
		struct fb_hash domain;
		const struct fb_token *t;

		CHECK_STATUS(FB_OK, fb_network_builtin(&n, fb_str_of(rows[i].asked), NULL));
		CHECK_STATUS(FB_OK, fb_address_parse(&address, fb_str_of(rows[i].address)));
		CHECK_STATUS(FB_OK, fb_hash_parse(&domain, fb_str_of(rows[i].domain)));
		CHECK_STR(rows[i].name, fb_str_of(n.name));
		CHECK_STR(rows[i].v1_name, fb_str_of(n.v1_name));
		CHECK_STR(rows[i].explorer, fb_str_of(n.explorer_tx));
		CHECK(n.chain_id == rows[i].chain_id && n.rpc_url_count == rows[i].urls && n.token_count == 1);
		t = fb_network_token(&n, &address);
		CHECK(t == &n.tokens[0] && t->decimals == 6 && fb_hash_eq(&t->domain, &domain));
		CHECK_STR(rows[i].token_name, fb_str_of(t->name));
		CHECK_STR("2", fb_str_of(t->version));
		address.bytes[0] ^= 1;
		CHECK(fb_network_token(&n, &address) == NULL);
	}
}

static void builtin__unknown_name__lists_what_there_is(void **state)
{
	static const char *const names[] = { "", "mainnet", "eip155:1", "Base", "eip155:84532 " };
	struct fb_network n;
	struct fb_error e;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(names); i++) {
		CHECK_STATUS(FB_NOT_FOUND, fb_network_builtin(&n, fb_str_of(names[i]), &e));
		CHECK(strstr(e.text, "base (eip155:8453), base-sepolia (eip155:84532), local (eip155:84532)") != NULL);
	}
	CHECK(fb_network_builtin_count() == 3);
	for (size_t i = 0; i < fb_network_builtin_count(); i++)
		CHECK_STATUS(FB_OK, fb_network_builtin(&n, fb_str_of(fb_network_builtin_name(i)), NULL));
}

static void explorer__hash_takes_its_place(void **state)
{
	struct fb_network n;
	struct fb_hash tx = { { 0xab } };
	char text[256];
	struct fb_buf b;

	(void)state;
	CHECK_STATUS(FB_OK, fb_network_parse(&n, fb_str_of(good), "x", NULL));
	fb_buf_init(&b, text, sizeof(text));
	fb_network_explorer(&n, &b, &tx);
	CHECK_STR("https://x.example/tx/0xab00000000000000000000000000000000000000000000000000000000000000?a=b",
		fb_buf_view(&b));
	CHECK_STATUS(FB_OK, fb_network_builtin(&n, FB_STR("local"), NULL));
	fb_buf_init(&b, text, sizeof(text));
	fb_network_explorer(&n, &b, &tx);
	CHECK(b.len == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__good_file__every_value),
		cmocka_unit_test(parse__file_with_or_without_escrow__says_so),
		cmocka_unit_test(parse__each_fault__is_named),
		cmocka_unit_test(parse__each_fault_of_the_escrow__is_named),
		cmocka_unit_test(parse__no_object__is_refused),
		cmocka_unit_test(parse__number_of_tokens__has_a_limit_and_no_repetition),
		cmocka_unit_test(builtin__table__is_what_the_chains_have),
		cmocka_unit_test(builtin__unknown_name__lists_what_there_is),
		cmocka_unit_test(explorer__hash_takes_its_place),
	};
	return cmocka_run_group_tests_name("network", tests, NULL, NULL) + test_network_check();
}
