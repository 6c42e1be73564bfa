/* Goal: a batch is read only if it is, byte for byte, one that was sealed. Method: known bytes, every bit flipped,
 * every length but the right one, headers that no writer makes but whose hash is right. */
#include "farebox/crypto.h"
#include "test_journal.h"

enum { RECORDS = 3, LEN = FB_BATCH_HEAD_LEN + RECORDS * FB_RECORD_LEN + 32 };

static struct fb_batch_head sample_head(void)
{
	struct fb_batch_head h = { .epoch = 0x0102030405060708, .number = 0x1112131415161718,
		.first_seq = 0x2122232425262728, .records = RECORDS, .puts = 0x41424344, .time_us = 0x3132333435363738 };

	memset(h.previous.bytes, 0x55, 32);
	memset(h.puts_hash.bytes, 0x66, 32);
	return h;
}

static void sample(uint8_t batch[LEN], struct fb_hash *hash)
{
	struct fb_batch_head h = sample_head();

	for (unsigned i = 0; i < RECORDS; i++) {
		struct fb_record r = journal_sample((enum fb_record_kind)(i + 1));

		fb_record_encode(fb_batch_records(batch) + i * FB_RECORD_LEN, &r);
	}
	CHECK(fb_batch_len(RECORDS) == LEN);
	fb_batch_seal(batch, hash, &h);
}

static enum fb_status open_batch(struct fb_batch *out, const uint8_t *bytes, size_t len, struct fb_error *e)
{
	return fb_batch_open(out, (struct fb_str){ (const char *)bytes, len }, e);
}

static void batch__sealed__opens_as_it_was(void **state)
{
	struct fb_batch_head want = sample_head();
	uint8_t bytes[LEN];
	struct fb_hash hash;
	struct fb_batch b;

	(void)state;
	sample(bytes, &hash);
	CHECK_STATUS(FB_OK, open_batch(&b, bytes, LEN, NULL));
	CHECK(b.head.epoch == want.epoch && b.head.number == want.number && b.head.first_seq == want.first_seq);
	CHECK(b.head.records == want.records && b.head.puts == want.puts && b.head.time_us == want.time_us);
	CHECK(fb_hash_eq(&b.head.previous, &want.previous) && fb_hash_eq(&b.head.puts_hash, &want.puts_hash));
	CHECK(b.records == bytes + FB_BATCH_HEAD_LEN);
	CHECK(fb_hash_eq(&b.hash, &hash));
}

static void batch__known_values__have_known_bytes(void **state)
{
	static const char head[] = "46424a42" "0001" "0000" "0102030405060708" "1112131415161718" "2122232425262728"
		"00000003" "41424344" "3132333435363738"
		"5555555555555555555555555555555555555555555555555555555555555555"
		"6666666666666666666666666666666666666666666666666666666666666666";
	char hex[2 * FB_BATCH_HEAD_LEN + 1];
	uint8_t bytes[LEN];
	struct fb_hash hash, want;

	(void)state;
	sample(bytes, &hash);
	journal_hex(hex, bytes, FB_BATCH_HEAD_LEN);
	CHECK_STR(head, fb_str_of(hex));
	want = fb_sha256(bytes, LEN - 32);
	CHECK(fb_hash_eq(&want, &hash) && memcmp(bytes + LEN - 32, want.bytes, 32) == 0);
}

static void open__every_bit_flipped__is_refused(void **state)
{
	uint8_t bytes[LEN];
	struct fb_hash hash;
	struct fb_batch b;

	(void)state;
	sample(bytes, &hash);
	for (unsigned bit = 0; bit < 8 * LEN; bit++) {
		struct fb_error e = { "" };

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_STATUS(FB_STORAGE, open_batch(&b, bytes, LEN, &e));
		CHECK(e.text[0] != '\0');
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK_STATUS(FB_OK, open_batch(&b, bytes, LEN, NULL));
}

static void open__another_length__is_refused(void **state)
{
	static uint8_t bytes[LEN + FB_RECORD_LEN];
	struct fb_hash hash;
	struct fb_batch b;

	(void)state;
	sample(bytes, &hash);
	for (size_t len = 0; len <= sizeof(bytes); len++)
		CHECK_STATUS(len == LEN ? FB_OK : FB_STORAGE, open_batch(&b, bytes, len, NULL));
}

/* Headers that nobody seals, under a hash that is right. */
static void zero_first_seq(uint8_t *p) { fb_put_be64(p + 24, 0); }
static void too_many_records(uint8_t *p) { fb_put_be32(p + 32, FB_BATCH_RECORDS_MAX + 1); }
static void most_records(uint8_t *p) { fb_put_be32(p + 32, UINT32_MAX); }
static void negative_time(uint8_t *p) { p[40] = 0x80; }
static void no_previous(uint8_t *p) { memset(p + 48, 0, 32); }
static void no_puts_hash(uint8_t *p) { memset(p + 80, 0, 32); }
static void no_puts(uint8_t *p) { memset(p + 36, 0, 4); }
static void other_magic(uint8_t *p) { p[3] = 'X'; }
static void other_version(uint8_t *p) { p[5] = 2; }
static void spare_used(uint8_t *p) { p[7] = 1; }
static void genesis_with_records(uint8_t *p)
{
	memset(p + 16, 0, 8);
	memset(p + 36, 0, 4);
	memset(p + 48, 0, 64);
}
static const struct {
	void (*change)(uint8_t *batch);
	const char *field;
} bad_heads[] = {
	{ zero_first_seq, "first seq" },       { too_many_records, "record count" }, { most_records, "record count" },
	{ negative_time, "time" },             { no_previous, "previous hash" },     { no_puts_hash, "hash of the puts" },
	{ no_puts, "hash of the puts" },       { other_magic, "magic" },             { other_version, "version" },
	{ genesis_with_records, "record count" }, { spare_used, "version" },
};

static void open__a_head_nobody_writes__names_the_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(bad_heads); i++) {
		struct fb_error e = { "" };
		uint8_t bytes[LEN];
		struct fb_hash hash;
		struct fb_batch b;
		char want[120];

		sample(bytes, &hash);
		bad_heads[i].change(bytes);
		hash = fb_sha256(bytes, LEN - 32);
		memcpy(bytes + LEN - 32, hash.bytes, 32);
		CHECK_STATUS(FB_STORAGE, open_batch(&b, bytes, LEN, &e));
		snprintf(want, sizeof(want), "not a batch of the journal: its %s is wrong", bad_heads[i].field);
		CHECK_STR(want, fb_str_of(e.text));
	}
}

static void batch__genesis_and_puts_alone__open(void **state)
{
	const struct fb_put put = { .key = FB_STR("k"), .value = FB_STR("v") };
	struct fb_batch_head genesis = { .first_seq = 1 }, puts = { .number = 1, .first_seq = 1, .puts = 1, .time_us = 1 };
	uint8_t bytes[FB_BATCH_HEAD_LEN + 32];
	struct fb_batch b;

	(void)state;
	fb_batch_seal(bytes, &puts.previous, &genesis);
	CHECK_STATUS(FB_OK, open_batch(&b, bytes, sizeof(bytes), NULL));
	CHECK(b.head.number == 0 && b.head.records == 0);
	puts.puts_hash = fb_puts_hash(&put, 1);
	fb_batch_seal(bytes, &b.hash, &puts);
	CHECK_STATUS(FB_OK, open_batch(&b, bytes, sizeof(bytes), NULL));
	CHECK(b.head.puts == 1);
}

static void batch__the_most_records__opens(void **state)
{
	size_t len = fb_batch_len(FB_BATCH_RECORDS_MAX);
	uint8_t *bytes = fb_must_alloc(len, 1);
	struct fb_batch_head h = sample_head();
	struct fb_hash hash;
	struct fb_batch b;

	(void)state;
	h.records = FB_BATCH_RECORDS_MAX;
	fb_batch_seal(bytes, &hash, &h);
	CHECK_STATUS(FB_OK, open_batch(&b, bytes, len, NULL));
	free(bytes);
}

/* Lists of puts of which no two are the same, though some have the same bytes in a row. */
static const struct fb_put lists[][2] = {
	{ { .key = FB_STR("ab"), .value = FB_STR("c") }, { .key = FB_STR("d") } },
	{ { .key = FB_STR("a"), .value = FB_STR("bc") }, { .key = FB_STR("d") } },
	{ { .key = FB_STR("d") }, { .key = FB_STR("ab"), .value = FB_STR("c") } },
	{ { .key = FB_STR("ab"), .value = FB_STR("c") }, { .key = FB_STR("d"), .remove = true } },
	{ { .key = FB_STR("ab"), .value = FB_STR("c") }, { .key = FB_STR(""), .value = FB_STR("d") } },
	{ { .key = FB_STR("ab"), .value = FB_STR("c\0") }, { .key = FB_STR("d") } },
};

static void puts_hash__different_lists__differ(void **state)
{
	struct fb_hash seen[FB_COUNT(lists) + 2], again;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(lists); i++)
		seen[i] = fb_puts_hash(lists[i], 2);
	seen[FB_COUNT(lists)] = fb_puts_hash(lists[0], 1);
	seen[FB_COUNT(lists) + 1] = (struct fb_hash){ { 0 } };
	for (size_t i = 0; i < FB_COUNT(seen); i++)
		for (size_t k = 0; k < i; k++)
			CHECK(!fb_hash_eq(&seen[i], &seen[k]));
	again = fb_puts_hash(lists[0], 2);
	CHECK(fb_hash_eq(&again, &seen[0]));
	again = fb_puts_hash(NULL, 0);
	CHECK(fb_hash_eq(&again, &seen[FB_COUNT(lists) + 1]));
}

static void journal_key__numbers__sort_as_they_count(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 255, 256, UINT32_MAX, UINT64_MAX };
	uint8_t last[FB_JOURNAL_KEY_LEN] = { 0 }, key[FB_JOURNAL_KEY_LEN];

	(void)state;
	for (size_t i = 0; i < FB_COUNT(numbers); i++) {
		fb_journal_key(key, numbers[i]);
		CHECK(key[0] == 'J' && fb_get_be64(key + 1) == numbers[i]);
		CHECK(memcmp(last, key, sizeof(key)) < 0);
		memcpy(last, key, sizeof(key));
	}
}

int test_journal_batch(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch__sealed__opens_as_it_was),
		cmocka_unit_test(batch__known_values__have_known_bytes),
		cmocka_unit_test(open__every_bit_flipped__is_refused),
		cmocka_unit_test(open__another_length__is_refused),
		cmocka_unit_test(open__a_head_nobody_writes__names_the_field),
		cmocka_unit_test(batch__genesis_and_puts_alone__open),
		cmocka_unit_test(batch__the_most_records__opens),
		cmocka_unit_test(puts_hash__different_lists__differ),
		cmocka_unit_test(journal_key__numbers__sort_as_they_count),
	};
	return cmocka_run_group_tests_name("journal_batch", tests, NULL, NULL);
}
