/* Goal: a settlement's record is stored as DATA.md says, and anything else is refused; its fingerprint covers the whole
 * payload. Method: golden bytes, round trips, every byte changed, cut and added. */
#include "settle_int.h"
#include "test_settle.h"

enum { FIXED_1 = 144, FIXED_2 = 229, FIXED = 269 };

static struct fb_settle_record good_record(void)
{
	struct fb_settle_record r = { .state = FB_SETTLE_INCLUDED,
				      .granted = true,
				      .to = fb_sample_address(0x33),
				      .block = 0x0102030405060708,
				      .created_us = 0x1112131415161718,
				      .updated_us = 0x2122232425262728,
				      .job = 0x5152535455565758,
				      .since = 0x6162636465666768,
				      .base = 0x3132333435363738,
				      .items = 77,
				      .gas_wei = (fb_u128)0x7172737475767778 << 64 | 5,
				      .signer = fb_sample_address(0x44) };

	memset(r.fingerprint.bytes, 0x11, 32);
	memset(r.tx.bytes, 0x22, 32);
	memset(r.block_hash.bytes, 0x55, 32);
	memset(r.base_hash.bytes, 0x66, 32);
	r.value = fb_u256_from_u64(0x4142434445464748);
	return r;
}

static struct fb_str view(const uint8_t *bytes, size_t len)
{
	return (struct fb_str){ (const char *)bytes, len };
}

static void states__numbers__are_what_is_stored(void **state)
{
	(void)state;
	CHECK(FB_SETTLE_SIGNED == 1 && FB_SETTLE_INCLUDED == 2 && FB_SETTLE_FAILED == 3 && FB_SETTLE_LOST == 4 &&
	      FB_SETTLE_CONFIRMED == 5 && FB_SETTLE_STATE_END == 6);
}

static void key__claim__tag_chain_token_payer_nonce(void **state)
{
	static const uint8_t chain[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct fb_settle_record r = good_record();
	struct fb_authorization a;
	struct fb_claim c = { .asset = fb_sample_address(0xaa) };
	struct fb_settle_key k;
	struct fb_address asset;

	(void)state;
	c.authorization.from = fb_sample_address(0xbb);
	memset(c.authorization.nonce.bytes, 0xcc, 32);
	k = fb_settle_key_of(0x0102030405060708, &c);
	CHECK(k.bytes[0] == 'S' && memcmp(k.bytes + 1, chain, 8) == 0 && sizeof(k.bytes) == 81);
	CHECK(memcmp(k.bytes + 9, c.asset.bytes, 20) == 0 && memcmp(k.bytes + 29, c.authorization.from.bytes, 20) == 0);
	CHECK(memcmp(k.bytes + 49, c.authorization.nonce.bytes, 32) == 0);
	asset = fb_settle_asset(&k);
	CHECK(fb_address_eq(&asset, &c.asset));
	a = fb_settle_authorization(&k, &r);
	CHECK(fb_address_eq(&a.from, &c.authorization.from) && fb_hash_eq(&a.nonce, &c.authorization.nonce));
	CHECK(fb_address_eq(&a.to, &r.to) && fb_u256_eq(a.value, r.value));
}

static void encode__golden_bytes(void **state)
{
	struct fb_settle_record r = good_record();
	uint8_t row[FB_SETTLE_ROW_MAX], value[32], number[8];

	(void)state;
	CHECK(fb_settle_record_encode(row, &r) == FIXED);
	CHECK(row[0] == 3 && row[1] == 2 && row[2] == 1 && row[3] == 0);
	CHECK(memcmp(row + 4, r.fingerprint.bytes, 32) == 0 && memcmp(row + 36, r.tx.bytes, 32) == 0 &&
	      memcmp(row + 68, r.to.bytes, 20) == 0);
	fb_u256_to_be(value, r.value);
	CHECK(memcmp(row + 88, value, 32) == 0);
	fb_put_be64(number, r.block);
	CHECK(memcmp(row + 120, number, 8) == 0);
	fb_put_be64(number, (uint64_t)r.created_us);
	CHECK(memcmp(row + 128, number, 8) == 0);
	fb_put_be64(number, (uint64_t)r.updated_us);
	CHECK(memcmp(row + 136, number, 8) == 0);
	CHECK(memcmp(row + 144, r.block_hash.bytes, 32) == 0);
	fb_put_be64(number, r.job);
	CHECK(memcmp(row + 176, number, 8) == 0);
	fb_put_be64(number, r.since);
	CHECK(memcmp(row + 184, number, 8) == 0 && row[192] == 77);
	fb_put_be64(number, 0x7172737475767778);
	CHECK(memcmp(row + 193, number, 8) == 0 && row[208] == 5);
	CHECK(memcmp(row + 209, r.signer.bytes, 20) == 0);
	fb_put_be64(number, r.base);
	CHECK(memcmp(row + 229, number, 8) == 0 && memcmp(row + 237, r.base_hash.bytes, 32) == 0);
	r.state = FB_SETTLE_FAILED;
	r.granted = false;
	r.reason = FB_REASON_TRANSFER_EVENT;
	CHECK(fb_settle_record_encode(row, &r) == FIXED + sizeof("invalid_exact_evm_transfer_event_mismatch") - 1);
	CHECK(row[3] == 41 && memcmp(row + FIXED, "invalid_exact_evm_transfer_event_mismatch", 41) == 0);
}

static void decode__every_state_and_reason__the_same_record(void **state)
{
	(void)state;
	for (int st = 1; st < FB_SETTLE_STATE_END; st++) {
		for (int reason = 0; reason < FB_REASON_END; reason++) {
			struct fb_settle_record r = good_record(), got;
			uint8_t row[FB_SETTLE_ROW_MAX], again[FB_SETTLE_ROW_MAX];
			size_t len;

			r.state = (enum fb_settle_state)st;
			r.reason = (enum fb_reason)reason;
			r.granted = reason % 2 == 0; /* a reorganization takes no grant back */
			len = fb_settle_record_encode(row, &r);
			CHECK_STATUS(FB_OK, fb_settle_record_decode(&got, view(row, len)));
			CHECK(got.state == r.state && got.reason == r.reason && got.granted == r.granted);
			CHECK(fb_settle_record_encode(again, &got) == len && memcmp(row, again, len) == 0);
		}
	}
}

static void decode__damaged__refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = { { 0, 0 }, { 0, 4 },  { 1, 0 },  { 1, 6 },	     { 1, 255 },	 { 2, 2 },
		     { 3, 1 }, { 3, 40 }, { 3, 42 }, { FIXED, 'I' }, { FIXED + 40, 'H' } };
	struct fb_settle_record r = good_record(), got;
	uint8_t row[FB_SETTLE_ROW_MAX + 1];
	size_t len;

	(void)state;
	r.state = FB_SETTLE_FAILED;
	r.granted = false;
	r.reason = FB_REASON_TRANSFER_EVENT;
	len = fb_settle_record_encode(row, &r);
	for (size_t cut = 0; cut < len; cut++)
		CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, cut)));
	CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, len + 1)));
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint8_t was = row[rows[i].at];

		row[rows[i].at] = rows[i].value;
		CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, len)));
		row[rows[i].at] = was;
	}
}

/* A row as an earlier version wrote it: the first bytes of today's, and the reason behind them. */
static size_t write_version(uint8_t *row, const struct fb_settle_record *r, uint8_t version, size_t fixed)
{
	uint8_t now[FB_SETTLE_ROW_MAX];
	size_t len = fb_settle_record_encode(now, r), reason = len - FIXED;

	memcpy(row, now, fixed);
	memcpy(row + fixed, now + FIXED, reason);
	row[0] = version;
	return fixed + reason;
}

static void decode__second_version__read_without_the_head_of_its_signing(void **state)
{
	struct fb_settle_record r = good_record(), got;
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len = write_version(row, &r, 2, FIXED_2);

	(void)state;
	CHECK_STATUS(FB_OK, fb_settle_record_decode(&got, view(row, len)));
	CHECK(got.job == r.job && got.since == r.since && got.gas_wei == r.gas_wei && got.base == 0);
	for (size_t cut = 0; cut < len; cut++)
		CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, cut)));
}

static void decode__first_version__read_without_what_it_did_not_know(void **state)
{
	struct fb_settle_record r = good_record(), got;
	uint8_t row[FB_SETTLE_ROW_MAX];
	size_t len = write_version(row, &r, 1, FIXED_1);

	(void)state;
	CHECK_STATUS(FB_OK, fb_settle_record_decode(&got, view(row, len)));
	CHECK(got.state == r.state && got.granted && fb_hash_eq(&got.tx, &r.tx) && got.block == r.block);
	CHECK(got.job == 0 && got.since == 0 && got.items == 1 && got.gas_wei == 0);
	for (size_t cut = 0; cut < len; cut++)
		CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, cut)));
	row[1] = FB_SETTLE_CONFIRMED; /* which it did not know */
	CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, len)));
	row[1] = FB_SETTLE_FAILED; /* whose success it never granted */
	CHECK_STATUS(FB_STORAGE, fb_settle_record_decode(&got, view(row, len)));
}

/* Spelt out a second time: nobody leaves a state by accident. */
static void moves__every_pair__only_those_of_the_table(void **state)
{
	static const char table[FB_SETTLE_STATE_END][FB_SETTLE_STATE_END + 1] = {
		/* to: none, signed, included, failed, lost, confirmed */
		".S....", /* none */
		".SIFL.", /* signed */
		".S...C", /* included */
		".SIF..", /* failed */
		"NSIF..", /* lost */
		".S....", /* confirmed */
	};

	(void)state;
	for (int from = 0; from < FB_SETTLE_STATE_END; from++)
		for (int to = 0; to < FB_SETTLE_STATE_END; to++)
			CHECK((fb_settle_move_of((enum fb_settle_state)from, (enum fb_settle_state)to) <
			       FB_SETTLE_MOVE_END) ==
			      (table[from][to] != '.'));
}

static void change_to(struct fb_claim *c) { c->authorization.to.bytes[19] ^= 1; }
static void change_value(struct fb_claim *c) { c->authorization.value.limb[3] ^= 1; }
static void change_after(struct fb_claim *c) { c->authorization.valid_after.limb[0] ^= 1; }
static void change_before(struct fb_claim *c) { c->authorization.valid_before.limb[0] ^= 1; }
static void change_from(struct fb_claim *c) { c->authorization.from.bytes[0] ^= 1; }
static void change_nonce(struct fb_claim *c) { c->authorization.nonce.bytes[31] ^= 1; }
static void change_asset(struct fb_claim *c) { c->asset.bytes[0] ^= 1; }
static void change_signature(struct fb_claim *c) { c->signature[64] ^= 1; }
static void lengthen(struct fb_claim *c) { c->signature_len++; }
static void shorten(struct fb_claim *c) { c->signature_len--; }

static void fingerprint__any_part_of_the_payload__matters(void **state)
{
	static void (*const changes[])(struct fb_claim *
				       c) = { change_to,    change_value, change_after,	    change_before, change_from,
					      change_nonce, change_asset, change_signature, lengthen,	   shorten };
	static struct fb_claim good = { .version = 2, .signature_len = 65 }, c;
	struct fb_hash want = fb_settle_fingerprint(1, &good), got;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(changes); i++) {
		c = good;
		changes[i](&c);
		got = fb_settle_fingerprint(1, &c);
		CHECK(!fb_hash_eq(&want, &got));
	}
	got = fb_settle_fingerprint(2, &good);
	CHECK(!fb_hash_eq(&want, &got));
	c = good;
	c.version = 1; /* one authorization, two generations of the protocol */
	c.amount = fb_u256_from_u64(5);
	c.pay_to.bytes[0] = 1;
	got = fb_settle_fingerprint(1, &c);
	CHECK(fb_hash_eq(&want, &got));
}

int test_settle_record(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states__numbers__are_what_is_stored),
		cmocka_unit_test(key__claim__tag_chain_token_payer_nonce),
		cmocka_unit_test(encode__golden_bytes),
		cmocka_unit_test(decode__every_state_and_reason__the_same_record),
		cmocka_unit_test(decode__damaged__refused),
		cmocka_unit_test(decode__second_version__read_without_the_head_of_its_signing),
		cmocka_unit_test(decode__first_version__read_without_what_it_did_not_know),
		cmocka_unit_test(moves__every_pair__only_those_of_the_table),
		cmocka_unit_test(fingerprint__any_part_of_the_payload__matters),
	};
	return cmocka_run_group_tests_name("settle record", tests, NULL, NULL);
}
