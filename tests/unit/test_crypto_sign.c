/* Goal: keys, signatures and recovery. Method: vectors made with an independent implementation, every
 * way a signature can be malformed, seeded round trips. */
#include "test_crypto.h"

#include <pthread.h>

#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define HALF_ORDER "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"
#define HALF_ORDER_AND_ONE "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1"
#define ALL_ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define FIVE "0000000000000000000000000000000000000000000000000000000000000005"
/* Of "hello", by the first development key. */
#define HELLO_HASH "0x50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"
#define HELLO_R "f16ea9a3478698f695fd1401bfe27e9e4a7e8e3da94aa72b021125e31fa899cc"
#define HELLO_S "573c48ea3fe1d4ab61a9db10c19032026e3ed2dbccba5a178235ac27f9450431"
#define HELLO_S_TWIN "a8c3b715c01e2b549e5624ef3e6fcdfc4c700a0ae28e46243d9cb264d6f13d10"

static void key_from_bytes__edges_of_the_range__refused_outside(void **state)
{
	static const struct { const char *secret; enum fb_status want; } rows[] = {
		{ "0x" ZERO, FB_BAD_KEY },
		{ "0x" ONE, FB_OK },
		{ "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", FB_OK },
		{ "0x" ORDER, FB_BAD_KEY },
		{ "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142", FB_BAD_KEY },
		{ "0x" ALL_ONES, FB_BAD_KEY },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_hash secret = hash_of(rows[i].secret);
		struct fb_key key = { .secret = { 7 } };

		CHECK_STATUS(rows[i].want, fb_key_from_bytes(&key, secret.bytes));
		CHECK(memcmp(key.secret, secret.bytes, 32) == 0 || (rows[i].want != FB_OK && key.secret[0] == 7));
	}
}

static void key_address__known_keys__known_addresses(void **state)
{
	static const struct { const char *secret, *address; } rows[] = {
		{ ANVIL_0, ANVIL_0_ADDRESS },
		{ ANVIL_1, ANVIL_1_ADDRESS },
		{ "0x" ONE, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_key key = key_of(rows[i].secret);

		CHECK_ADDRESS(rows[i].address, fb_key_address(&key));
	}
}

static void key_wipe__leaves_zeros(void **state)
{
	struct fb_key key = key_of(ANVIL_0);

	(void)state;
	fb_key_wipe(&key);
	CHECK_HEX("0x" ZERO, key.secret, sizeof(key.secret));
}

/* Gives the group's order once, which is no key, then 1. */
static void order_then_one(void *ctx, uint8_t *out, size_t len)
{
	int *draws = ctx;
	struct fb_hash bytes = hash_of((*draws)++ == 0 ? "0x" ORDER : "0x" ONE);

	CHECK(len == sizeof(bytes.bytes));
	memcpy(out, bytes.bytes, len);
}

static void key_generate__draw_that_is_no_key__drawn_again(void **state)
{
	int draws = 0;
	struct fb_key key;

	(void)state;
	fb_key_generate(&key, (struct fb_rng){ order_then_one, &draws });
	CHECK(draws == 2);
	CHECK_HEX("0x" ONE, key.secret, sizeof(key.secret));
}

static void sign__personal_message__gives_the_known_signature(void **state)
{
	struct fb_key key = key_of(ANVIL_0);
	struct fb_hash digest = hash_of(HELLO_HASH);
	struct fb_signature s;
	uint8_t packed[FB_SIGNATURE_LEN];

	(void)state;
	fb_sign(&s, &key, &digest);
	fb_signature_pack(packed, &s);
	CHECK_HEX("0x" HELLO_R HELLO_S "1c", packed, sizeof(packed));
}

static void signature_unpack__table__only_what_the_token_takes(void **state)
{
	static const struct { const char *hex; enum fb_status want; } rows[] = {
		{ "0x" HELLO_R HELLO_S "1c", FB_OK },
		{ "0x" HELLO_R HELLO_S "1b", FB_OK },
		{ "0x" HELLO_R HALF_ORDER "1b", FB_OK },
		{ "0x" ONE ONE "1b", FB_OK },
		{ "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140" ONE "1b", FB_OK },
		{ "0x", FB_BAD_LENGTH },
		{ "0x" HELLO_R HELLO_S, FB_BAD_LENGTH },
		{ "0x" HELLO_R HELLO_S "1c00", FB_BAD_LENGTH },
		{ "0x" HELLO_R HELLO_S "00", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R HELLO_S "01", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R HELLO_S "1a", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R HELLO_S "1d", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R HELLO_S "ff", FB_BAD_SIGNATURE },
		{ "0x" ZERO HELLO_S "1c", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R ZERO "1c", FB_BAD_SIGNATURE },
		{ "0x" ORDER HELLO_S "1c", FB_BAD_SIGNATURE },
		{ "0x" ALL_ONES HELLO_S "1c", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R ORDER "1c", FB_BAD_SIGNATURE },
		{ "0x" HELLO_R HALF_ORDER_AND_ONE "1c", FB_BAD_SIGNATURE },
		/* n - s with the other parity: the twin that mathematics takes as well */
		{ "0x" HELLO_R HELLO_S_TWIN "1b", FB_BAD_SIGNATURE },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		uint8_t bytes[80];
		size_t len;
		struct fb_signature s = { .v = 9 };

		CHECK_STATUS(FB_OK, fb_hex_decode(bytes, &len, sizeof(bytes), fb_str_of(rows[i].hex)));
		CHECK_STATUS(rows[i].want, fb_signature_unpack(&s, (struct fb_str){ (const char *)bytes, len }));
		CHECK(rows[i].want == FB_OK ? s.v == bytes[64] : s.v == 9);
	}
}

static void recover__known_signature__gives_its_signer(void **state)
{
	struct fb_signature s = signature_of("0x" HELLO_R HELLO_S "1c");
	struct fb_hash digest = hash_of(HELLO_HASH);
	struct fb_address a;

	(void)state;
	CHECK_STATUS(FB_OK, fb_recover(&a, &s, &digest));
	CHECK_ADDRESS(ANVIL_0_ADDRESS, a);
	s.v = 27;
	CHECK_STATUS(FB_OK, fb_recover(&a, &s, &digest));
	CHECK(!fb_address_eq(&a, &(struct fb_address){ 0 }) && a.bytes[0] != 0xf3);
}

static void recover__what_was_never_unpacked__is_checked_again(void **state)
{
	struct fb_hash digest = hash_of(HELLO_HASH), order = hash_of("0x" ORDER);
	struct fb_signature good = signature_of("0x" HELLO_R HELLO_S "1c"), s = good;
	struct fb_address a = { .bytes = { 9 } };

	(void)state;
	s.v = 1;
	CHECK_STATUS(FB_BAD_SIGNATURE, fb_recover(&a, &s, &digest));
	s = good;
	memcpy(s.s, order.bytes, 32);
	CHECK_STATUS(FB_BAD_SIGNATURE, fb_recover(&a, &s, &digest));
	s = good;
	memset(s.r, 0, 32);
	CHECK_STATUS(FB_BAD_SIGNATURE, fb_recover(&a, &s, &digest));
	CHECK(a.bytes[0] == 9);
}

/* 5 is the x of no point of the curve: nobody can have made such a signature. */
static void recover__r_that_is_on_no_point__is_refused(void **state)
{
	struct fb_signature s = signature_of("0x" FIVE ONE "1b");
	struct fb_hash digest = hash_of(HELLO_HASH);
	struct fb_address a = { .bytes = { 9 } };

	(void)state;
	CHECK_STATUS(FB_BAD_SIGNATURE, fb_recover(&a, &s, &digest));
	CHECK(a.bytes[0] == 9);
}

/* A chain of hashes is random enough and replays from its seed. */
static struct fb_hash draw(uint64_t *counter)
{
	uint8_t bytes[16];

	fb_put_be64(bytes, fb_test_seed());
	fb_put_be64(bytes + 8, (*counter)++);
	return fb_keccak256(bytes, sizeof(bytes));
}

static void sign__seeded_keys_and_digests__recover_to_the_key(void **state)
{
	uint64_t counter = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct fb_key key;
		struct fb_hash secret = draw(&counter), digest = draw(&counter), other = draw(&counter);
		struct fb_signature s, again;
		struct fb_address own, found;
		uint8_t packed[FB_SIGNATURE_LEN];

		CHECK_STATUS(FB_OK, fb_key_from_bytes(&key, secret.bytes));
		own = fb_key_address(&key);
		fb_sign(&s, &key, &digest);
		fb_signature_pack(packed, &s);
		CHECK_STATUS(FB_OK, fb_signature_unpack(&again, (struct fb_str){ (char *)packed, sizeof(packed) }));
		CHECK(memcmp(&s, &again, sizeof(s)) == 0);
		CHECK_STATUS(FB_OK, fb_recover(&found, &again, &digest));
		CHECK(fb_address_eq(&own, &found));
		CHECK(fb_recover(&found, &again, &other) != FB_OK || !fb_address_eq(&own, &found));
	}
}

static void *recover_many(void *arg)
{
	struct fb_signature s = *(const struct fb_signature *)arg;
	struct fb_hash digest = hash_of(HELLO_HASH);
	struct fb_key key = key_of(ANVIL_0);
	size_t wrong = 0;

	for (int i = 0; i < 20; i++) {
		struct fb_address a, own = fb_key_address(&key);

		wrong += fb_recover(&a, &s, &digest) != FB_OK || !fb_address_eq(&a, &own);
		fb_sign(&s, &key, &digest);
	}
	return wrong == 0 ? arg : NULL;
}

static void recover__from_many_threads__is_right_in_each(void **state)
{
	struct fb_signature s = signature_of("0x" HELLO_R HELLO_S "1c");
	pthread_t threads[4];
	void *fine;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(threads); i++)
		CHECK(pthread_create(&threads[i], NULL, recover_many, &s) == 0);
	for (size_t i = 0; i < FB_COUNT(threads); i++) {
		CHECK(pthread_join(threads[i], &fine) == 0);
		CHECK(fine == &s);
	}
}

int test_crypto_sign(void)
{
	const struct CMUnitTest tests[] = {
		/* first: they race to make the context */
		cmocka_unit_test(recover__from_many_threads__is_right_in_each),
		cmocka_unit_test(key_from_bytes__edges_of_the_range__refused_outside),
		cmocka_unit_test(key_address__known_keys__known_addresses),
		cmocka_unit_test(key_wipe__leaves_zeros),
		cmocka_unit_test(key_generate__draw_that_is_no_key__drawn_again),
		cmocka_unit_test(sign__personal_message__gives_the_known_signature),
		cmocka_unit_test(signature_unpack__table__only_what_the_token_takes),
		cmocka_unit_test(recover__known_signature__gives_its_signer),
		cmocka_unit_test(recover__what_was_never_unpacked__is_checked_again),
		cmocka_unit_test(recover__r_that_is_on_no_point__is_refused),
		cmocka_unit_test(sign__seeded_keys_and_digests__recover_to_the_key),
	};
	return cmocka_run_group_tests_name("crypto sign", tests, NULL, NULL);
}
