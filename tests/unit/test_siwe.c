/* Goal: what EIP-4361 allows is read, everything else is refused with its field's name. Method: one good message and a
 * table of changes to it; times, URIs and hosts by tables of their own. */
#include "fb_test.h"

#include "farebox/crypto.h"
#include "farebox/siwe.h"

#define ADDRESS "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define HEAD "pay.example wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n"
#define BODY "URI: https://pay.example/v1/agents/register\nVersion: 1\nChain ID: 1\nNonce: abcDEF12\n"
#define TIME "Issued At: 2026-11-24T19:38:21.5Z"

static enum fb_status parse(struct fb_siwe *m, const char *text, struct fb_error *e)
{
	return fb_siwe_parse(m, fb_str_of(text), e);
}

static void parse__whole_message__gives_its_fields(void **state)
{
	const char *text = "https://pay.example:8443 wants you to sign in with your Ethereum account:\n" ADDRESS
		"\n\nI accept: the terms, [all] of them!\n\n" BODY TIME
		"\nExpiration Time: 2026-11-24T20:38:21+01:00\nNot Before: 1969-12-31T23:59:59.000001Z\nRequest ID: a%20b"
		"\nResources:\n- ipfs://abc\n- https://x.example/?a=b#c";
	struct fb_siwe m;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, parse(&m, text, &e));
	CHECK_STR("https", m.scheme);
	CHECK_STR("pay.example:8443", m.domain);
	CHECK(m.has_statement);
	CHECK_STR("I accept: the terms, [all] of them!", m.statement);
	CHECK_STR("https://pay.example/v1/agents/register", m.uri);
	CHECK_STR("abcDEF12", m.nonce);
	CHECK(m.chain_id == 1 && m.issued_us == INT64_C(1795549101500000));
	CHECK(m.expires && m.expires_us == INT64_C(1795549101000000));
	CHECK(m.starts && m.starts_us == -999999);
	CHECK_STR("a%20b", m.request_id);
	CHECK(m.has_resources && m.resource_count == 2);
	CHECK_STR("\n- ipfs://abc\n- https://x.example/?a=b#c", m.resources);
}

static void parse__optional_parts__may_be_missing(void **state)
{
	struct fb_siwe m;
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_OK, parse(&m, HEAD "\n" BODY TIME, &e));
	CHECK(!m.has_statement && !m.expires && !m.starts && !m.has_resources && m.scheme.len == 0);
	CHECK_STATUS(FB_OK, parse(&m, HEAD "\n\n" BODY TIME, &e));
	CHECK(m.has_statement && m.statement.len == 0);
	CHECK_STATUS(FB_OK, parse(&m, HEAD "\n" BODY TIME "\nResources:", &e));
	CHECK(m.has_resources && m.resource_count == 0);
	CHECK_STATUS(FB_OK, parse(&m, HEAD "URI: is a statement\n\n" BODY TIME, &e));
	CHECK_STR("URI: is a statement", m.statement);
}

static const struct {
	const char *text, *field;
} faults[] = {
	{ "", "domain" },
	{ "pay.example wants you to sign in with your Ethereum account:", "address" },
	{ "pay.example wants you to sign in with your ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ " wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "pay example wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "1x://pay.example wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "://pay.example wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "pay.example/x wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "pay.example wants you to sign in with your Ethereum account:\r\n" ADDRESS "\n\n\n" BODY TIME, "domain" },
	{ "pay.example wants you to sign in with your Ethereum account:\n"
	  "0Xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\n\n"
	  BODY TIME, "address" },
	{ "pay.example wants you to sign in with your Ethereum account:\n"
	  "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\n\n\n"
	  BODY TIME, "address" },
	{ "pay.example wants you to sign in with your Ethereum account:\n"
	  "0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266\n\n\n"
	  BODY TIME, "address" },
	{ "pay.example wants you to sign in with your Ethereum account:\nf39Fd6e51aad88F6F4ce6aB8827279cffFb92266\n\n\n"
	  BODY TIME, "address" },
	{ "pay.example wants you to sign in with your Ethereum account:\n" ADDRESS "0\n\n\n" BODY TIME, "address" },
	{ "pay.example wants you to sign in with your Ethereum account:\n" ADDRESS "\n" BODY TIME, "statement" },
	{ HEAD BODY TIME, "URI" },
	{ HEAD "a % b\n\n" BODY TIME, "statement" },
	{ HEAD "\xc3\xa9\n\n" BODY TIME, "statement" },
	{ HEAD "one\ntwo\n\n" BODY TIME, "URI" },
	{ HEAD "one\n" BODY TIME, "URI" },
	{ HEAD "one\n\n\n" BODY TIME, "URI" },
	{ HEAD "\nURI: pay.example\nVersion: 1\nChain ID: 1\nNonce: abcDEF12\n" TIME, "URI" },
	{ HEAD "\nURI: \nVersion: 1\nChain ID: 1\nNonce: abcDEF12\n" TIME, "URI" },
	{ HEAD "\nURI: x:y\nVersion: 2\nChain ID: 1\nNonce: abcDEF12\n" TIME, "Version" },
	{ HEAD "\nURI: x:y\nVersion: 01\nChain ID: 1\nNonce: abcDEF12\n" TIME, "Version" },
	{ HEAD "\nURI: x:y\nversion: 1\nChain ID: 1\nNonce: abcDEF12\n" TIME, "Version" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 01\nNonce: abcDEF12\n" TIME, "Chain ID" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: \nNonce: abcDEF12\n" TIME, "Chain ID" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 0x1\nNonce: abcDEF12\n" TIME, "Chain ID" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 99999999999999999999\nNonce: abcDEF12\n" TIME, "Chain ID" },
	{ HEAD "\nURI: x:y\nVersion: 1\nNonce: abcDEF12\nChain ID: 1\n" TIME, "Chain ID" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 1\nNonce: abcDEF1\n" TIME, "Nonce" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 1\nNonce: abcDEF-1\n" TIME, "Nonce" },
	{ HEAD "\nURI: x:y\nVersion: 1\nChain ID: 1\n" TIME, "Nonce" },
	{ HEAD "\n" BODY "Issued At: now", "Issued At" },
	{ HEAD "\n" BODY "Issued At: 2026-02-30T00:00:00Z", "Issued At" },
	{ HEAD "\n" BODY "Issued At: ", "Issued At" },
	{ HEAD "\n" BODY, "Issued At" },
	{ HEAD "\n" BODY TIME "\n", "message" },
	{ HEAD "\n" BODY TIME "\r", "Issued At" },
	{ HEAD "\n" BODY TIME " ", "Issued At" },
	{ HEAD "\n" BODY TIME "\nExpiration Time: soon", "Expiration Time" },
	{ HEAD "\n" BODY TIME "\nNot Before: x", "Not Before" },
	{ HEAD "\n" BODY TIME "\nNot Before: 2026-01-01T00:00:00Z\nExpiration Time: 2026-01-01T00:00:00Z", "message" },
	{ HEAD "\n" BODY TIME "\nRequest ID: ", "Request ID" },
	{ HEAD "\n" BODY TIME "\nRequest ID: a b", "Request ID" },
	{ HEAD "\n" BODY TIME "\nRequest ID: a/b", "Request ID" },
	{ HEAD "\n" BODY TIME "\nRequest ID: a%2", "Request ID" },
	{ HEAD "\n" BODY TIME "\nResources:\n- no uri", "Resources" },
	{ HEAD "\n" BODY TIME "\nResources:\nipfs://x", "Resources" },
	{ HEAD "\n" BODY TIME "\nResources: ", "message" },
	{ HEAD "\n" BODY TIME "\nResources:\n- ipfs://x\n", "Resources" },
	{ HEAD "\n" BODY TIME "\nSomething: else", "message" },
};

static void parse__each_fault__names_its_field(void **state)
{
	struct fb_siwe m = { .chain_id = 77 };
	struct fb_error e;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(faults); i++) {
		enum fb_status st = parse(&m, faults[i].text, &e);

		if (st == FB_OK || !fb_str_starts(fb_str_of(e.text), fb_str_of(faults[i].field)))
			fail_msg("row %zu: %s, \"%s\", want %s", i, fb_status_info(st)->name, st == FB_OK ? "" : e.text,
				 faults[i].field);
	}
	CHECK(m.chain_id == 77);
}

static void parse__text_beyond_the_limit__is_refused(void **state)
{
	static char text[FB_SIWE_LEN_MAX + 1];
	struct fb_siwe m;
	struct fb_error e;
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	len = strlen(HEAD "\n" BODY TIME "\nRequest ID: ");
	memcpy(text, HEAD "\n" BODY TIME "\nRequest ID: ", len);
	CHECK_STATUS(FB_OK, fb_siwe_parse(&m, (struct fb_str){ text, FB_SIWE_LEN_MAX }, &e));
	CHECK(m.request_id.len == FB_SIWE_LEN_MAX - len);
	CHECK_STATUS(FB_TOO_LARGE, fb_siwe_parse(&m, (struct fb_str){ text, FB_SIWE_LEN_MAX + 1 }, &e));
}

static void time__table__is_exact(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2000-02-29T23:59:59.999999999Z", INT64_C(951868799999999) },
		{ "0000-01-01T00:00:00Z", INT64_C(-62167219200000000) },
		{ "9999-12-31T23:59:59Z", INT64_C(253402300799000000) },
		{ "2026-01-01T00:30:00+00:30", INT64_C(1767225600000000) },
		{ "2025-12-31T23:30:00-00:30", INT64_C(1767225600000000) },
	};
	static const char *const bad[] = {
		"", "2026-01-01", "2026-01-01T00:00Z", "2026-01-01t00:00:00Z", "2026-01-01T00:00:00z", "2026-01-01T00:00:00",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00ZZ", "02026-01-01T00:00:00Z", "2026-1-01T00:00:00Z",
		"2026-01-01 00:00:00Z", "+026-01-01T00:00:00Z",
	};
	int64_t us = 5;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(bad); i++)
		CHECK_STATUS(FB_BAD_SYNTAX, fb_siwe_time(&us, fb_str_of(bad[i])));
	CHECK(us == 5);
	for (size_t i = 0; i < FB_COUNT(good); i++) {
		CHECK_STATUS(FB_OK, fb_siwe_time(&us, fb_str_of(good[i].text)));
		if (us != good[i].us)
			fail_msg("%s is %lld", good[i].text, (long long)us);
	}
}

static void check_time__edges__are_half_open(void **state)
{
	struct fb_siwe m = { .expires = true, .expires_us = 100, .starts = true, .starts_us = 50 };
	struct fb_error e;

	(void)state;
	CHECK_STATUS(FB_BAD_VALUE, fb_siwe_check_time(&m, 49, &e));
	CHECK_STATUS(FB_OK, fb_siwe_check_time(&m, 50, &e));
	CHECK_STATUS(FB_OK, fb_siwe_check_time(&m, 99, &e));
	CHECK_STATUS(FB_BAD_VALUE, fb_siwe_check_time(&m, 100, &e));
}

static void uris_and_authorities__table__are_told_apart(void **state)
{
	static const char *const uris[] = { "x:y", "https://a.example", "https://u:p@[::1]:80/a/b?c=/?#d", "urn:a:b",
					    "file:///x",
					    "a+b-c.d:e", "http://[1:2:3:4:5:6:7:8]/", "http://[1::127.0.0.1]", "http://[v1.a:b]/",
					    "x:/a//b", "http://a:/", "http://%41/" };
	static const char *const none[] = { "", ":", "x", "1x:y", "x y:z", "x:a b", "x:%4", "x:%zz", "x:a#b#c",
					    "http://[::1",
					    "http://[1:2:3:4:5:6:7]", "http://[1::2::3]", "http://[1:2:3:4:5:6:7:8:9]",
					    "http://[:1:2:3:4:5:6:7]", "http://[12345::]", "http://a:b/", "x:\"", "x:\\",
					    "http://[::1]x/", "http://[::256.0.0.1]/", "http://a@b@c/", "//a/b", "x:{}" };
	static const char *const authorities[] = { "a", "localhost:4022", "1.2.3.4", "[::1]:5", "u@h", "%41", "a.b-c_d~e" };
	static const char *const no_authorities[] = { "", "a/b", "a b", "a:b", "[a", "a?b", "a#b", "\xc3\xa9", "a\\b" };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(uris); i++)
		if (!fb_siwe_is_uri(fb_str_of(uris[i])))
			fail_msg("<%s> is a URI", uris[i]);
	for (size_t i = 0; i < FB_COUNT(none); i++)
		if (fb_siwe_is_uri(fb_str_of(none[i])))
			fail_msg("<%s> is no URI", none[i]);
	for (size_t i = 0; i < FB_COUNT(authorities); i++)
		if (!fb_siwe_is_authority(fb_str_of(authorities[i])))
			fail_msg("<%s> is an authority", authorities[i]);
	for (size_t i = 0; i < FB_COUNT(no_authorities); i++)
		if (fb_siwe_is_authority(fb_str_of(no_authorities[i])))
			fail_msg("<%s> is no authority", no_authorities[i]);
}

static void signer__signature__gives_the_key_that_made_it(void **state)
{
	struct fb_str message = FB_STR(HEAD "\n" BODY TIME);
	struct fb_hash digest = fb_siwe_digest(message);
	uint8_t bytes[FB_SIGNATURE_LEN];
	struct fb_str packed = { (const char *)bytes, sizeof(bytes) };
	struct fb_address who, want;
	struct fb_signature s;
	struct fb_key key = { { 7, 7, 7 } };

	(void)state;
	fb_sign(&s, &key, &digest);
	fb_signature_pack(bytes, &s);
	want = fb_key_address(&key);
	CHECK_STATUS(FB_OK, fb_siwe_signer(&who, message, packed));
	CHECK(fb_address_eq(&who, &want));
	bytes[64] = (uint8_t)(bytes[64] - 27);
	CHECK_STATUS(FB_OK, fb_siwe_signer(&who, message, packed));
	CHECK(fb_address_eq(&who, &want));
	CHECK_STATUS(FB_OK, fb_siwe_signer(&who, FB_STR(HEAD "\n" BODY TIME "1"), packed));
	CHECK(!fb_address_eq(&who, &want));
	bytes[64] = 29;
	CHECK_STATUS(FB_BAD_SIGNATURE, fb_siwe_signer(&who, message, packed));
	packed.len = 64;
	CHECK_STATUS(FB_BAD_LENGTH, fb_siwe_signer(&who, message, packed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__whole_message__gives_its_fields),
		cmocka_unit_test(parse__optional_parts__may_be_missing),
		cmocka_unit_test(parse__each_fault__names_its_field),
		cmocka_unit_test(parse__text_beyond_the_limit__is_refused),
		cmocka_unit_test(time__table__is_exact),
		cmocka_unit_test(check_time__edges__are_half_open),
		cmocka_unit_test(uris_and_authorities__table__are_told_apart),
		cmocka_unit_test(signer__signature__gives_the_key_that_made_it),
	};

	return cmocka_run_group_tests_name("siwe", tests, NULL, NULL);
}
