/* Goal: a payment header is base64 of a payload of the generation that the header's name stands for. */
#include "fb_test.h"
#include "test_wire.h"

static struct fb_payment payment;
static enum fb_reason reason;
static struct fb_error error;

static enum fb_status read_header(struct fb_str header, uint8_t version)
{
	memset(&payment, 0x55, sizeof(payment));
	reason = FB_REASON_END;
	error.text[0] = '\0';
	return fb_wire_read_payment_header(&payment, &reason, header, version, wire_tokens, wire_arena(), &error);
}

static void header__payload_of_its_generation__read(void **state)
{
	(void)state;
	CHECK_STATUS(FB_OK, read_header(wire_base64(FB_STR(WIRE_PAYMENT_V2)), 2));
	CHECK(reason == FB_REASON_NONE && payment.version == 2 && payment.has_accepted);
	CHECK_STR(WIRE_PAYER, payment.payer_text);
	CHECK_STR(WIRE_REQUIREMENT_V2, payment.accepted.raw);
	CHECK_STR("http://127.0.0.1:4021/p", payment.resource_url);
	CHECK(payment.signature.len == FB_SIGNATURE_LEN);
	CHECK_STATUS(FB_OK, read_header(wire_base64(FB_STR(WIRE_PAYMENT_V1)), 1));
	CHECK(reason == FB_REASON_NONE && payment.version == 1 && !payment.has_accepted);
	CHECK_STR("base-sepolia", payment.network);
}

static void header__payload_of_another_generation__invalid_version(void **state)
{
	static const struct { const char *payload; uint8_t version; const char *payer; } rows[] = {
		{ WIRE_PAYMENT_V2, 1, WIRE_PAYER }, { WIRE_PAYMENT_V1, 2, WIRE_PAYER },
			{ "{\"x402Version\":3}", 2, "" },
		{ "{\"x402Version\":\"2\"}", 2, "" }, { "{}", 2, "" }, { "{}", 1, "" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK, read_header(wire_base64(fb_str_of(rows[i].payload)), rows[i].version));
		CHECK(reason == FB_REASON_INVALID_X402_VERSION && payment.version == rows[i].version);
		CHECK_STR(rows[i].payer, payment.payer_text);
		CHECK(error.text[0] != '\0');
	}
}

static void header__one_edit__its_reason(void **state)
{
	static const struct { const char *find, *replace; enum fb_reason want; const char *path; } rows[] = {
		{ "\"value\":\"1000\"", "\"value\":1000", FB_REASON_INVALID_PAYLOAD, "payload.authorization.value: " },
		{ "\"authorization\"", "\"permit2Authorization\"", FB_REASON_UNSUPPORTED_PAYLOAD_TYPE,
		  "payload.authorization: " },
		{ "\"accepted\"", "\"x\"", FB_REASON_INVALID_PAYLOAD, "accepted: " },
		{ "\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\"",
		  "\"scheme\":\"upto\",\"network\":\"eip155:84532\",\"x\"", FB_REASON_UNSUPPORTED_SCHEME,
		  "scheme: " },
		{ "\"scheme\":\"exact\",\"network\":\"eip155:84532\",\"amount\"",
		  "\"scheme\":\"exact\",\"network\":\"solana:5eykt4\",\"x\"", FB_REASON_INVALID_NETWORK,
		  "network: " },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(FB_OK,
			     read_header(wire_base64(wire_edit(WIRE_PAYMENT_V2, "", rows[i].find, rows[i].replace)),
					 2));
		CHECK(reason == rows[i].want);
		CHECK(strncmp(error.text, rows[i].path, strlen(rows[i].path)) == 0);
	}
}

static void header__undecodable__status_and_untouched_output(void **state)
{
	static const struct { const char *header; enum fb_status want; } rows[] = {
		{ "", FB_BAD_SYNTAX },
		{ "e30", FB_BAD_SYNTAX },        /* padding missing */
		{ "eyJ4Ij_9", FB_BAD_SYNTAX },   /* base64url */
		{ "x402 e30=", FB_BAD_SYNTAX },
		{ "\"e30=\"", FB_BAD_SYNTAX },
		{ "{}", FB_BAD_SYNTAX },         /* JSON itself */
		{ "e31=", FB_BAD_SYNTAX },       /* unused bits set */
		{ "e30=\n", FB_BAD_SYNTAX },
		{ "W10=", FB_WRONG_TYPE },       /* [] */
		{ "bnVsbA==", FB_WRONG_TYPE },   /* null */
		{ "e2E6MX0=", FB_BAD_SYNTAX },   /* {a:1} */
		{ "eyJhIjoxLCJhIjoxfQ==", FB_DUPLICATE_KEY },
		{ "eyJhIjoi/yJ9", FB_BAD_UTF8 },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		CHECK_STATUS(rows[i].want, read_header(fb_str_of(rows[i].header), 2));
		CHECK(reason == FB_REASON_END && ((unsigned char *)&payment)[0] == 0x55);
		CHECK(strncmp(error.text, "payment header: ", 16) == 0);
	}
}

static void header__truncated_anywhere__refused(void **state)
{
	struct fb_str whole = wire_base64(FB_STR(WIRE_PAYMENT_V2));

	(void)state;
	for (size_t len = 0; len < whole.len; len++)
		CHECK_STATUS(FB_BAD_SYNTAX, read_header((struct fb_str){ whole.at, len }, 2));
}

static void header__length__refused_beyond_the_limit(void **state)
{
	static char text[FB_WIRE_HEADER_MAX];
	enum { FITS = FB_WIRE_HEADER_MAX / 4 * 3 };

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{}", 2);
	CHECK_STATUS(FB_OK, read_header(wire_base64((struct fb_str){ text, FITS }), 2));
	CHECK_STATUS(FB_HEADERS_TOO_LARGE, read_header(wire_base64((struct fb_str){ text, FITS + 1 }), 2));
}

static void header__arena_of_any_size__no_memory_or_done(void **state)
{
	struct fb_str header = wire_base64(FB_STR(WIRE_PAYMENT_V2));
	enum fb_status st = FB_OK;

	(void)state;
	for (size_t size = 0; size <= 1024; size += 16) {
		st = fb_wire_read_payment_header(&payment, &reason, header, 2, wire_tokens, wire_arena_of(size), NULL);
		CHECK(st == FB_OK || st == FB_NO_MEMORY);
	}
	CHECK_STATUS(FB_OK, st);
}

int wire_header_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header__payload_of_its_generation__read),
		cmocka_unit_test(header__payload_of_another_generation__invalid_version),
		cmocka_unit_test(header__one_edit__its_reason),
		cmocka_unit_test(header__undecodable__status_and_untouched_output),
		cmocka_unit_test(header__truncated_anywhere__refused),
		cmocka_unit_test(header__length__refused_beyond_the_limit),
		cmocka_unit_test(header__arena_of_any_size__no_memory_or_done),
	};
	return cmocka_run_group_tests_name("wire.header", tests, NULL, NULL);
}
