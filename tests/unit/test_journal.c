/* Goal: a record is stored and read as what it is, and nothing else passes for one.
 * Method: every kind there and back, every field where it does not belong, every bit flipped, and the bytes of known
 * records spelled out, so that what is stored today is read for ever. test_journal_batch.c has the batches. */
#include "test_journal.h"

void journal_hex(char *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static const struct {
	const char *name;
	int64_t at_seq;
} numbers[] = {
	{ "account", 1 }, { "post", 2 }, { "hold", 3 }, { "capture", 4 }, { "leg", 5 },
	{ "release", 6 }, { "expire", 7 }, { "reverse", 8 }, { "refuse", 9 },
};

static void add_note(struct fb_record *r)
{
	r->code = 0x0102;
	r->user = FB_U128(0x1112131415161718, 0x191a1b1c1d1e1f10);
	for (int i = 0; i < 32; i++)
		r->external.bytes[i] = (uint8_t)(0xe0 + i);
}

static void add_money(struct fb_record *r)
{
	r->debit = 0x2122232425262728;
	r->amount.atoms = FB_U128(0x4142434445464748, 0x494a4b4c4d4e4f40);
	r->asset = 0x51525354;
}

struct fb_record journal_sample(enum fb_record_kind kind)
{
	struct fb_record r = { .seq = 0x6162636465666768, .kind = kind, .linked = true };
	bool with_id = kind != FB_RECORD_ACCOUNT && kind != FB_RECORD_EXPIRE;
	bool with_ref = kind >= FB_RECORD_CAPTURE;

	if (with_id) {
		add_note(&r);
		r.id = FB_U128(0x7172737475767778, 0x797a7b7c7d7e7f70);
		r.content = 0x8182838485868788;
	}
	if (with_ref)
		r.ref = FB_U128(0x9192939495969798, 0x999a9b9c9d9e9f90);
	if (kind != FB_RECORD_REFUSE)
		add_money(&r);
	if (kind == FB_RECORD_POST || kind == FB_RECORD_CAPTURE || kind == FB_RECORD_LEG || kind == FB_RECORD_REVERSE)
		r.credit = 0x3132333435363738;
	if (kind == FB_RECORD_CAPTURE)
		r.held.atoms = FB_AMOUNT_MAX;
	if (kind == FB_RECORD_HOLD)
		r.expires_us = INT64_MAX;
	if (kind == FB_RECORD_REFUSE)
		r.refused = FB_FUNDS;
	if (kind == FB_RECORD_ACCOUNT) {
		memset(r.owner.bytes, 0xab, sizeof(r.owner.bytes));
		r.amount.atoms = 0;
		r.purpose = FB_PURPOSE_WORLD;
		r.may_go_below_zero = true;
	}
	return r;
}

static void kinds_and_purposes__numbers__are_frozen(void **state)
{
	static const char *const purposes[] = { "escrow", "available", "pending_in", "fees", "suspense", "receivable",
						"gas", "world", "payout" };

	(void)state;
	CHECK(FB_COUNT(numbers) == FB_RECORD_KIND_END - 1);
	for (size_t i = 0; i < FB_COUNT(numbers); i++)
		CHECK_STR(numbers[i].name, fb_str_of(fb_record_kind_text((enum fb_record_kind)numbers[i].at_seq)));
	CHECK(FB_COUNT(purposes) == FB_PURPOSE_END - 1);
	for (size_t i = 0; i < FB_COUNT(purposes); i++)
		CHECK_STR(purposes[i], fb_str_of(fb_purpose_text((enum fb_purpose)(i + 1))));
}

static bool same(const struct fb_record *a, const struct fb_record *b)
{
	return a->seq == b->seq && a->kind == b->kind && a->linked == b->linked && a->asset == b->asset &&
	       a->debit == b->debit && a->credit == b->credit && a->id == b->id && a->ref == b->ref &&
	       a->amount.atoms == b->amount.atoms && a->held.atoms == b->held.atoms && a->expires_us == b->expires_us &&
	       a->code == b->code && a->user == b->user && fb_hash_eq(&a->external, &b->external) &&
	       a->content == b->content && a->refused == b->refused &&
	       memcmp(a->owner.bytes, b->owner.bytes, FB_OWNER_LEN) == 0 && a->purpose == b->purpose &&
	       a->may_go_below_zero == b->may_go_below_zero;
}

static void record__every_kind__comes_back(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < FB_RECORD_KIND_END; kind++) {
		struct fb_record r = journal_sample((enum fb_record_kind)kind), back;
		uint8_t bytes[FB_RECORD_LEN];

		fb_record_encode(bytes, &r);
		CHECK_STATUS(FB_OK, fb_record_decode(&back, bytes));
		CHECK(same(&r, &back));
	}
}

static void record__only_what_its_kind_must_have__comes_back(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < FB_RECORD_KIND_END; kind++) {
		struct fb_record r = journal_sample((enum fb_record_kind)kind), back;
		uint8_t bytes[FB_RECORD_LEN];

		r.linked = r.may_go_below_zero = false;
		r.asset = 0;
		r.code = 0;
		r.user = 0;
		r.content = 0;
		r.expires_us = 0;
		memset(&r.external, 0, sizeof(r.external));
		memset(&r.owner, 0, sizeof(r.owner));
		if (kind == FB_RECORD_REFUSE)
			r.ref = 0;
		fb_record_encode(bytes, &r);
		CHECK_STATUS(FB_OK, fb_record_decode(&back, bytes));
		CHECK(same(&r, &back));
	}
}

static const char account_bytes[] =
	"6162636465666768" "01" "03" "0000" "51525354" "2122232425262728" "0000000000000000"
	"00000000000000000000000000000000" "00000000000000000000000000000000" "00000000000000000000000000000000"
	"00000000000000000000000000000000" "0000000000000000" "0000000000000000" "00000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000"
	"abababababababababababababababababababab" "08" "00" "0000" "0000000000000000";
static const char capture_bytes[] =
	"6162636465666768" "04" "01" "0102" "51525354" "2122232425262728" "3132333435363738"
	"7172737475767778797a7b7c7d7e7f70" "9192939495969798999a9b9c9d9e9f90" "4142434445464748494a4b4c4d4e4f40"
	"7fffffffffffffffffffffffffffffff" "0000000000000000" "8182838485868788" "1112131415161718191a1b1c1d1e1f10"
	"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	"0000000000000000000000000000000000000000" "00" "00" "0000" "0000000000000000";
static const char refuse_bytes[] =
	"6162636465666768" "09" "01" "0102" "00000000" "0000000000000000" "0000000000000000"
	"7172737475767778797a7b7c7d7e7f70" "9192939495969798999a9b9c9d9e9f90" "00000000000000000000000000000000"
	"00000000000000000000000000000000" "0000000000000000" "8182838485868788" "1112131415161718191a1b1c1d1e1f10"
	"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
	"0000000000000000000000000000000000000000" "00" "00" "002e" "0000000000000000";
static const struct {
	enum fb_record_kind kind;
	const char *hex;
} golden[] = {
	{ FB_RECORD_ACCOUNT, account_bytes },
	{ FB_RECORD_CAPTURE, capture_bytes },
	{ FB_RECORD_REFUSE, refuse_bytes },
};

static void record__known_values__have_known_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(golden); i++) {
		struct fb_record r = journal_sample(golden[i].kind);
		uint8_t bytes[FB_RECORD_LEN];
		char hex[2 * FB_RECORD_LEN + 1];

		fb_record_encode(bytes, &r);
		journal_hex(hex, bytes, sizeof(bytes));
		CHECK_STR(golden[i].hex, fb_str_of(hex));
	}
}

/* What decodes encodes to the same bytes: no second encoding of any record, however the bits fall. */
static void decode__every_bit_flipped__is_refused_or_another_record(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < FB_RECORD_KIND_END; kind++) {
		struct fb_record r = journal_sample((enum fb_record_kind)kind), back;
		uint8_t bytes[FB_RECORD_LEN], again[FB_RECORD_LEN];

		fb_record_encode(bytes, &r);
		for (unsigned bit = 0; bit < 8 * FB_RECORD_LEN; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (fb_record_decode(&back, bytes) == FB_OK) {
				CHECK(!same(&r, &back));
				fb_record_encode(again, &back);
				CHECK(memcmp(again, bytes, sizeof(bytes)) == 0);
			}
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* One wrong byte each, in the bytes of a record that is good. */
static const struct {
	enum fb_record_kind kind;
	size_t at;
	uint8_t value;
	const char *what;
} bad_bytes[] = {
	{ FB_RECORD_POST, 8, 0, "no kind" },
	{ FB_RECORD_POST, 8, FB_RECORD_KIND_END, "a kind too far" },
	{ FB_RECORD_POST, 9, 4, "an unknown flag" },
	{ FB_RECORD_POST, 9, 2, "below zero on a post" },
	{ FB_RECORD_POST, 64, 0x80, "an amount above the maximum" },
	{ FB_RECORD_CAPTURE, 80, 0x80, "a hold above the maximum" },
	{ FB_RECORD_POST, 95, 1, "held on a post" },
	{ FB_RECORD_POST, 103, 1, "an expiry on a post" },
	{ FB_RECORD_HOLD, 96, 0x80, "a negative expiry" },
	{ FB_RECORD_HOLD, 31, 1, "a credit on a hold" },
	{ FB_RECORD_POST, 63, 1, "a ref on a post" },
	{ FB_RECORD_POST, 160, 1, "an owner on a post" },
	{ FB_RECORD_POST, 180, 1, "a purpose on a post" },
	{ FB_RECORD_ACCOUNT, 180, 0, "no purpose" },
	{ FB_RECORD_ACCOUNT, 180, FB_PURPOSE_END, "a purpose too far" },
	{ FB_RECORD_ACCOUNT, 47, 1, "an id on an account" },
	{ FB_RECORD_ACCOUNT, 11, 1, "a code on an account" },
	{ FB_RECORD_EXPIRE, 47, 1, "an id on an expiry" },
	{ FB_RECORD_EXPIRE, 111, 1, "content on an expiry" },
	{ FB_RECORD_REFUSE, 182, 1, "an unknown status" },
	{ FB_RECORD_REFUSE, 183, 0, "refused for nothing" },
	{ FB_RECORD_POST, 183, FB_FUNDS, "a refused post" },
	{ FB_RECORD_REFUSE, 15, 1, "an asset on a refusal" },
	{ FB_RECORD_POST, 181, 1, "spare bytes used" },
	{ FB_RECORD_POST, 184, 1, "spare bytes used" },
	{ FB_RECORD_POST, 191, 1, "spare bytes used" },
};

static void decode__a_wrong_byte__table(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(bad_bytes); i++) {
		struct fb_record r = journal_sample(bad_bytes[i].kind), back = { .seq = 5 };
		uint8_t bytes[FB_RECORD_LEN];

		fb_record_encode(bytes, &r);
		bytes[bad_bytes[i].at] = bad_bytes[i].value;
		if (fb_record_decode(&back, bytes) != FB_STORAGE)
			fail_msg("decoded: %s", bad_bytes[i].what);
		CHECK(back.seq == 5);
	}
}

/* Fields that a kind must have, wiped by turns; the row of a kind names all of them. */
enum { SEQ_AT = 0, DEBIT_AT = 16, CREDIT_AT = 24, ID_AT = 32, REF_AT = 48, AMOUNT_AT = 64, HELD_AT = 80 };
static const struct {
	enum fb_record_kind kind;
	size_t at, len;
} needed[] = {
	{ FB_RECORD_ACCOUNT, SEQ_AT, 8 }, { FB_RECORD_ACCOUNT, DEBIT_AT, 8 },
	{ FB_RECORD_POST, SEQ_AT, 8 }, { FB_RECORD_POST, DEBIT_AT, 8 }, { FB_RECORD_POST, CREDIT_AT, 8 },
	{ FB_RECORD_POST, ID_AT, 16 }, { FB_RECORD_POST, AMOUNT_AT, 16 },
	{ FB_RECORD_HOLD, DEBIT_AT, 8 }, { FB_RECORD_HOLD, ID_AT, 16 }, { FB_RECORD_HOLD, AMOUNT_AT, 16 },
	{ FB_RECORD_CAPTURE, DEBIT_AT, 8 }, { FB_RECORD_CAPTURE, CREDIT_AT, 8 }, { FB_RECORD_CAPTURE, ID_AT, 16 },
	{ FB_RECORD_CAPTURE, REF_AT, 16 }, { FB_RECORD_CAPTURE, AMOUNT_AT, 16 }, { FB_RECORD_CAPTURE, HELD_AT, 16 },
	{ FB_RECORD_LEG, DEBIT_AT, 8 }, { FB_RECORD_LEG, CREDIT_AT, 8 }, { FB_RECORD_LEG, ID_AT, 16 },
	{ FB_RECORD_LEG, REF_AT, 16 }, { FB_RECORD_LEG, AMOUNT_AT, 16 },
	{ FB_RECORD_RELEASE, DEBIT_AT, 8 }, { FB_RECORD_RELEASE, ID_AT, 16 }, { FB_RECORD_RELEASE, REF_AT, 16 },
	{ FB_RECORD_RELEASE, AMOUNT_AT, 16 },
	{ FB_RECORD_EXPIRE, DEBIT_AT, 8 }, { FB_RECORD_EXPIRE, REF_AT, 16 }, { FB_RECORD_EXPIRE, AMOUNT_AT, 16 },
	{ FB_RECORD_REVERSE, DEBIT_AT, 8 }, { FB_RECORD_REVERSE, CREDIT_AT, 8 }, { FB_RECORD_REVERSE, ID_AT, 16 },
	{ FB_RECORD_REVERSE, REF_AT, 16 }, { FB_RECORD_REVERSE, AMOUNT_AT, 16 },
	{ FB_RECORD_REFUSE, ID_AT, 16 },
};

static void decode__a_needed_field_is_zero__is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(needed); i++) {
		struct fb_record r = journal_sample(needed[i].kind), back;
		uint8_t bytes[FB_RECORD_LEN];

		fb_record_encode(bytes, &r);
		memset(bytes + needed[i].at, 0, needed[i].len);
		if (fb_record_decode(&back, bytes) != FB_STORAGE)
			fail_msg("%s without the field at %zu", fb_record_kind_text(needed[i].kind), needed[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_purposes__numbers__are_frozen),
		cmocka_unit_test(record__every_kind__comes_back),
		cmocka_unit_test(record__only_what_its_kind_must_have__comes_back),
		cmocka_unit_test(record__known_values__have_known_bytes),
		cmocka_unit_test(decode__every_bit_flipped__is_refused_or_another_record),
		cmocka_unit_test(decode__a_wrong_byte__table),
		cmocka_unit_test(decode__a_needed_field_is_zero__is_refused),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL) + test_journal_batch();
}
