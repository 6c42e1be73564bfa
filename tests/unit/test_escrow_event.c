/* Goal: every event out of its log, and nothing else. Method: logs as viem 2.57 encodes them, then each with one thing
 * wrong. */
#include "test_escrow.h"

struct log {
	struct fb_hash topics[FB_ESCROW_TOPICS_MAX + 1];
	size_t count;
	struct fb_str data;
};

/* Topics and data as hex without "0x"; topics end with the first NULL. */
static struct log log_of(const char *const topics[FB_ESCROW_TOPICS_MAX], const char *data)
{
	struct log l = { .count = 0 };

	while (l.count < FB_ESCROW_TOPICS_MAX && topics[l.count] != NULL) {
		memcpy(l.topics[l.count].bytes, bytes_of(topics[l.count]).at, 32);
		l.count++;
	}
	l.data = bytes_of(data);
	return l;
}

static enum fb_status read_log(struct fb_escrow_event *e, const struct log *l)
{
	return fb_escrow_event_read(e, l->topics, l->count, l->data);
}

#define DEPOSIT_TOPIC "ec0205ab308ceb2c5be7aaac5b289ac7357a0451ee5443d81ba709ff9adb496e"
#define PAYOUT_TOPIC "8083eee928f984800998901be54e63ce410fae1937c44da50a089834a9ff551b"
#define FAILED_TOPIC "a6c5ea748a25319291169e5b137d867cd01d4c140a1b3d6f481eccb8775d7d66"
#define CANCELLED_TOPIC "1efad6b256bc24ef69372af411427f341ca0f19a7074a6ea559578ff3ec3b237"
#define CAPS_TOPIC "d82fbf77e1376974458a57262730f4751c2150cb93677cdcd1a935002605f322"

static void event_read__deposit__names_whose_and_from_whom(void **state)
{
	const char *topics[] = { DEPOSIT_TOPIC, WORD("00000005"), ADDRESS_WORD("b1"), ADDRESS_WORD("b2") };
	struct log l = log_of(topics, WORD("000f4240") HASH("aa"));
	struct fb_address beneficiary = address_of(0xb1), payer = address_of(0xb2);
	struct fb_hash nonce = hash_of(0xaa);
	struct fb_escrow_event e;

	(void)state;
	CHECK_STATUS(FB_OK, read_log(&e, &l));
	CHECK(e.kind == FB_ESCROW_DEPOSIT && e.sequence == 5);
	CHECK(fb_address_eq(&e.beneficiary, &beneficiary) && fb_address_eq(&e.payer, &payer));
	CHECK(fb_u256_eq(e.amount, fb_u256_from_u64(1000000)) && fb_hash_eq(&e.authorization, &nonce));
	CHECK(fb_address_is_zero(&e.to) && fb_address_is_zero(&e.account) && e.reason == FB_ESCROW_REFUSAL_NONE);
}

static void event_read__payout__names_id_payee_and_amount(void **state)
{
	const char *topics[] = { PAYOUT_TOPIC, WORD("00000006"), HASH("1d"), ADDRESS_WORD("c1") };
	struct log l = log_of(topics, WORD("00000007"));
	struct fb_address to = address_of(0xc1);
	struct fb_hash id = hash_of(0x1d);
	struct fb_escrow_event e;

	(void)state;
	CHECK_STATUS(FB_OK, read_log(&e, &l));
	CHECK(e.kind == FB_ESCROW_PAYOUT && e.sequence == 6);
	CHECK(fb_hash_eq(&e.id, &id) && fb_address_eq(&e.to, &to) && fb_u256_eq(e.amount, fb_u256_from_u64(7)));
}

static void event_read__failed_payout__says_why_of_any_amount(void **state)
{
	const char *topics[] = { FAILED_TOPIC, WORD("00000007"), HASH("1d"), ADDRESS_WORD("c1") };
	struct log l = log_of(topics, HASH("ff") WORD("00000008"));
	struct fb_escrow_event e;

	(void)state;
	CHECK_STATUS(FB_OK, read_log(&e, &l));
	CHECK(e.kind == FB_ESCROW_PAYOUT_FAILED && e.sequence == 7 && e.reason == FB_ESCROW_REFUSAL_TOKEN_PAUSED);
	CHECK(e.amount.limb[3] == UINT64_MAX);
	CHECK_STR("token_paused", fb_str_of(fb_escrow_refusal_name(e.reason)));
}

static void event_read__cancelled_payout_and_caps__have_fewer_members(void **state)
{
	const char *cancelled[] = { CANCELLED_TOPIC, WORD("00000008"), HASH("1d"), NULL };
	const char *caps[] = { CAPS_TOPIC, WORD("00000004"), NULL, NULL };
	struct log l = log_of(cancelled, "");
	struct fb_escrow_event e;

	(void)state;
	CHECK_STATUS(FB_OK, read_log(&e, &l));
	CHECK(e.kind == FB_ESCROW_PAYOUT_CANCELLED && e.sequence == 8 && e.id.bytes[31] == 0x1d);
	l = log_of(caps, OF_8("00") OF_8("00") OF_8("ff") OF_8("ff") WORD("00000046"));
	CHECK_STATUS(FB_OK, read_log(&e, &l));
	CHECK(e.kind == FB_ESCROW_CAPS_CHANGED && e.payout_cap == ~(fb_u128)0 && e.day_cap == 70);
}

static void event_read__roles_and_pause__name_the_accounts(void **state)
{
	static const struct {
		const char *topic;
		enum fb_escrow_kind kind;
		bool two; /* accounts */
	} rows[] = {
		{ "cdb7872887bdfa8830bc3f6056f05b118c45efbc942f88715cd39ae474b49e38", FB_ESCROW_OWNER_PROPOSED, true },
		{ "040b0ef41c114a49382cd0d5e78c5f42d03727d625ad2727c639432077ee216c", FB_ESCROW_OWNER_CHANGED, true },
		{ "bd1d298f706305de24723b17a73202f46928580c4a194c2bee3928e36da40f47", FB_ESCROW_PAYOUT_ROLE_CHANGED, true },
		{ "233631c8f493fe7a6a69ee51cb605a57c5a83942f21a42672145274865e6c39e", FB_ESCROW_PAUSE_ROLE_CHANGED, true },
		{ "1225ea7631e03f59671aebb1c0b65ac20f4af6612fc68e2b5cac7c3a1e2d32ac", FB_ESCROW_PAUSED, false },
		{ "727092ab9bb33b8ed42cd561551913e56c1db0c8fa434a4c9018e3e3ad547cbb", FB_ESCROW_UNPAUSED, false },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const char *topics[] = { rows[i].topic, WORD("00000009"), ADDRESS_WORD("01"),
					 rows[i].two ? ADDRESS_WORD("02") : NULL };
		struct log l = log_of(topics, "");
		struct fb_address one = address_of(1), two = address_of(2);
		struct fb_hash topic = fb_escrow_topic(rows[i].kind);
		struct fb_escrow_event e;

		CHECK_STATUS(FB_OK, read_log(&e, &l));
		CHECK(e.kind == rows[i].kind && e.sequence == 9);
		CHECK(fb_address_eq(&e.account, rows[i].two ? &two : &one));
		CHECK(rows[i].two ? fb_address_eq(&e.previous, &one) : fb_address_is_zero(&e.previous));
		CHECK(fb_hash_eq(&topic, &l.topics[0]));
	}
}

static void event_read__any_log_with_one_thing_wrong__is_refused(void **state)
{
	static const struct {
		const char *topics[FB_ESCROW_TOPICS_MAX], *data;
		enum fb_status status;
	} rows[] = {
		{ { NULL }, "", FB_NOT_FOUND },
		{ { HASH("11"), WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007"), FB_NOT_FOUND },
		{ { PAYOUT_TOPIC, WORD("00000005"), HASH("1d") }, WORD("00000007"), FB_BAD_LENGTH },
		{ { CANCELLED_TOPIC, WORD("00000005"), HASH("1d"), HASH("1d") }, "", FB_BAD_LENGTH },
		{ { PAYOUT_TOPIC, WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, "", FB_BAD_LENGTH },
		{ { PAYOUT_TOPIC, WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007") "00", FB_BAD_LENGTH },
		{ { PAYOUT_TOPIC, WORD("00000000"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007"), FB_BAD_VALUE },
		{ { PAYOUT_TOPIC, HASH("01"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007"), FB_OVERFLOW },
		{ { PAYOUT_TOPIC, WORD("00000005"), HASH("1d"), HASH("c1") }, WORD("00000007"), FB_BAD_VALUE },
		{ { FAILED_TOPIC, WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007") WORD("00000000"),
		  FB_BAD_VALUE },
		{ { FAILED_TOPIC, WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007") WORD("0000000b"),
		  FB_BAD_VALUE },
		{ { FAILED_TOPIC, WORD("00000005"), HASH("1d"), ADDRESS_WORD("c1") }, WORD("00000007") HASH("01"),
		  FB_BAD_VALUE },
		{ { CAPS_TOPIC, WORD("00000005") }, HASH("01") WORD("00000007"), FB_OVERFLOW },
		/* the first fault counts */
		{ { FAILED_TOPIC, HASH("01"), HASH("1d"), HASH("c1") }, WORD("00000007") HASH("01"), FB_OVERFLOW },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct log l = log_of(rows[i].topics, rows[i].data);
		struct fb_escrow_event e = { .sequence = 77 };

		CHECK_STATUS(rows[i].status, read_log(&e, &l));
		CHECK(e.sequence == 77);
	}
}

int test_escrow_event(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_read__deposit__names_whose_and_from_whom),
		cmocka_unit_test(event_read__payout__names_id_payee_and_amount),
		cmocka_unit_test(event_read__failed_payout__says_why_of_any_amount),
		cmocka_unit_test(event_read__cancelled_payout_and_caps__have_fewer_members),
		cmocka_unit_test(event_read__roles_and_pause__name_the_accounts),
		cmocka_unit_test(event_read__any_log_with_one_thing_wrong__is_refused),
	};

	return cmocka_run_group_tests_name("escrow events", tests, NULL, NULL);
}
