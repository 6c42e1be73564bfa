/* Goal: a lane's row is stored as DATA.md says, and anything else is refused. Method: golden bytes, round trips, and
 * every byte of a row changed, cut and added. */
#include "test_lane.h" /* before any other */

#include "lane_int.h"

enum { RAW = 5, OWNER = 3, HASHES_AT = 32, OWNER_AT = 32 + 2 * 32, RAW_AT = OWNER_AT + OWNER, LEN = RAW_AT + RAW };
static const uint8_t raw[RAW] = { 2, 0xc3, 1, 2, 3 };

static struct fb_lane_row good_row(void)
{
	struct fb_lane_row row = { .nonce = 7,
				   .gas_limit = 0x0102030405060708,
				   .max_fee = FB_U128(0x1112131415161718, 0x191a1b1c1d1e1f20),
				   .day = 0x21222324,
				   .attempt_count = 2,
				   .owner_len = OWNER,
				   .raw_len = RAW };

	memset(row.attempts[0].bytes, 0xa0, 32);
	row.attempts[1] = fb_keccak256(raw, RAW);
	row.owner = fb_must_alloc(OWNER, 1);
	memcpy(row.owner, "abc", OWNER);
	row.raw = fb_must_alloc(RAW, 1);
	memcpy(row.raw, raw, RAW);
	return row;
}

static struct fb_lane a_lane(void)
{
	struct fb_lane lane = { .settings = { .chain_id = 0x4a34 } };

	memset(lane.signer.bytes, 0x5e, sizeof(lane.signer.bytes));
	return lane;
}

static void keys__three_kinds__tag_chain_signer_and_number(void **state)
{
	static const uint8_t rest[28] = { 0,	0,    0,    0,	  0,	0,    0x4a, 0x34, 0x5e, 0x5e,
					  0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e,
					  0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e, 0x5e };
	static const uint8_t nonce[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, day[8] = { 0, 0, 0, 0, 0x11, 0x12, 0x13, 0x14 },
			     zero[8];
	struct fb_lane lane = a_lane();
	uint8_t key[FB_LANE_KEY_LEN];

	(void)state;
	fb_lane_row_key(key, &lane, 0x0102030405060708);
	CHECK(key[0] == 'L' && memcmp(key + 1, rest, 28) == 0 && memcmp(key + 29, nonce, 8) == 0);
	fb_lane_counter_key(key, &lane);
	CHECK(key[0] == 'N' && memcmp(key + 1, rest, 28) == 0 && memcmp(key + 29, zero, 8) == 0);
	fb_lane_gas_key(key, &lane, 0x11121314);
	CHECK(key[0] == 'G' && memcmp(key + 1, rest, 28) == 0 && memcmp(key + 29, day, 8) == 0);
}

static void encode__golden_bytes(void **state)
{
	static const uint8_t numbers[28] = { 1,	   2,	 3,    4,    5,	   6,	 7,    8,    0x11, 0x12,
					     0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c,
					     0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24 };
	static uint8_t out[FB_LANE_ROW_MAX];
	struct fb_lane_row row = good_row();

	(void)state;
	CHECK(fb_lane_row_encode(out, &row) == LEN);
	CHECK(out[0] == 2 && out[1] == 2 && out[2] == 0 && out[3] == OWNER && memcmp(out + 4, numbers, 28) == 0);
	CHECK(memcmp(out + HASHES_AT, row.attempts[0].bytes, 32) == 0);
	CHECK(memcmp(out + HASHES_AT + 32, row.attempts[1].bytes, 32) == 0);
	CHECK(memcmp(out + OWNER_AT, "abc", OWNER) == 0 && memcmp(out + RAW_AT, raw, RAW) == 0);
	fb_lane_row_clear(&row);
}

static enum fb_status decode(struct fb_lane_row *out, const uint8_t *bytes, size_t len, size_t key_len)
{
	uint8_t key[FB_LANE_KEY_LEN + 1] = { 'L' };

	key[FB_LANE_KEY_LEN - 1] = 7;
	return fb_lane_row_decode(out, (struct fb_str){ (const char *)key, key_len },
				  (struct fb_str){ (const char *)bytes, len });
}

static void check_same(const struct fb_lane_row *row, const struct fb_lane_row *got)
{
	CHECK(got->nonce == 7 && got->gas_limit == row->gas_limit && got->max_fee == row->max_fee &&
	      got->day == row->day);
	CHECK(got->step == FB_LANE_WAITING && got->sent_ms == 0);
	CHECK(got->owner_len == OWNER && memcmp(got->owner, "abc", OWNER) == 0);
	CHECK(got->raw_len == RAW && memcmp(got->raw, raw, RAW) == 0);
}

static void decode__encoded__the_same_row(void **state)
{
	static uint8_t bytes[FB_LANE_ROW_MAX];
	struct fb_lane_row row = good_row(), got;
	size_t len = fb_lane_row_encode(bytes, &row);

	(void)state;
	CHECK_STATUS(FB_OK, decode(&got, bytes, len, FB_LANE_KEY_LEN));
	check_same(&row, &got);
	CHECK(got.attempt_count == 2 && memcmp(got.attempts, row.attempts, 2 * sizeof(row.attempts[0])) == 0);
	fb_lane_row_clear(&got);
	fb_lane_row_clear(&row);
}

/* Rows of the first version are read: one attempt, its hash in front. */
static void decode__version_1__a_row_of_one_attempt(void **state)
{
	uint8_t bytes[62 + OWNER + RAW] = { 1 };
	struct fb_lane_row row = good_row(), got;

	(void)state;
	memcpy(bytes + 1, row.attempts[1].bytes, 32);
	fb_put_be64(bytes + 33, row.gas_limit);
	fb_put_be128(bytes + 41, row.max_fee);
	fb_put_be32(bytes + 57, row.day);
	bytes[61] = OWNER;
	memcpy(bytes + 62, "abc", OWNER);
	memcpy(bytes + 62 + OWNER, raw, RAW);
	CHECK_STATUS(FB_OK, decode(&got, bytes, sizeof(bytes), FB_LANE_KEY_LEN));
	check_same(&row, &got);
	CHECK(got.attempt_count == 1 && fb_hash_eq(&got.attempts[0], &row.attempts[1]));
	fb_lane_row_clear(&got);
	for (size_t cut = 0; cut < sizeof(bytes); cut++)
		CHECK_STATUS(FB_STORAGE, decode(&got, bytes, cut, FB_LANE_KEY_LEN));
	fb_lane_row_clear(&row);
}

static void decode__largest__fits(void **state)
{
	static uint8_t bytes[FB_LANE_ROW_MAX + 1];
	struct fb_lane_row row = good_row(), got;

	(void)state;
	fb_lane_row_clear(&row);
	row.raw = fb_must_alloc(FB_LANE_RAW_MAX, 1);
	row.raw_len = FB_LANE_RAW_MAX;
	row.owner = fb_must_alloc(FB_LANE_OWNER_MAX, 1);
	row.owner_len = FB_LANE_OWNER_MAX;
	row.attempt_count = FB_LANE_ATTEMPTS_MAX;
	row.attempts[FB_LANE_ATTEMPTS_MAX - 1] = fb_keccak256(row.raw, row.raw_len);
	CHECK(fb_lane_row_encode(bytes, &row) == FB_LANE_ROW_MAX);
	CHECK_STATUS(FB_OK, decode(&got, bytes, FB_LANE_ROW_MAX, FB_LANE_KEY_LEN));
	CHECK(got.raw_len == FB_LANE_RAW_MAX && got.owner_len == FB_LANE_OWNER_MAX);
	fb_lane_row_clear(&got);
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, FB_LANE_ROW_MAX + 1, FB_LANE_KEY_LEN));
	bytes[1]++;
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, FB_LANE_ROW_MAX, FB_LANE_KEY_LEN));
	fb_lane_row_clear(&row);
}

/* The hash is over the signed bytes alone; of the numbers a changed bit is another number. */
static void decode__damaged__refused(void **state)
{
	static uint8_t bytes[FB_LANE_ROW_MAX];
	struct fb_lane_row row = good_row(), got;
	size_t len = fb_lane_row_encode(bytes, &row);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		CHECK_STATUS(FB_STORAGE, decode(&got, bytes, cut, FB_LANE_KEY_LEN));
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, len + 1, FB_LANE_KEY_LEN));
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, len, FB_LANE_KEY_LEN - 1));
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, len, FB_LANE_KEY_LEN + 1));
	for (size_t i = 0; i < len; i++) {
		bool checked = i < 4 || (i >= HASHES_AT + 32 && i < OWNER_AT) || i >= RAW_AT;

		if (!checked)
			continue;
		bytes[i] ^= 1;
		CHECK_STATUS(FB_STORAGE, decode(&got, bytes, len, FB_LANE_KEY_LEN));
		bytes[i] ^= 1;
	}
	fb_put_be16(bytes + 2, FB_LANE_OWNER_MAX + 1);
	CHECK_STATUS(FB_STORAGE, decode(&got, bytes, FB_LANE_ROW_MAX, FB_LANE_KEY_LEN));
	fb_lane_row_clear(&row);
}

int test_lane_row(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys__three_kinds__tag_chain_signer_and_number),
		cmocka_unit_test(encode__golden_bytes),
		cmocka_unit_test(decode__encoded__the_same_row),
		cmocka_unit_test(decode__version_1__a_row_of_one_attempt),
		cmocka_unit_test(decode__largest__fits),
		cmocka_unit_test(decode__damaged__refused),
	};
	return cmocka_run_group_tests_name("lane row", tests, NULL, NULL);
}
