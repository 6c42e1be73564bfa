/* Goal: a nonce opens one door once, keys have one reading, rows come back as they were and broken ones are refused.
 * Method: a clock and randomness of the test's; tests/interop/identity.test.mjs has the routes. */
#include "fb_test.h"

#include "identity_int.h"

static int64_t now_us = INT64_C(1795549101000000);
static uint8_t next_byte;

static int64_t wall(void *ctx)
{
	(void)ctx;
	return now_us;
}

static uint64_t mono(void *ctx)
{
	(void)ctx;
	return 0;
}

static void fill(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	for (size_t i = 0; i < len; i++)
		out[i] = next_byte++;
}

static const struct fb_clock test_clock = { mono, wall, NULL };
static const struct fb_rng test_rng = { fill, NULL };

static struct fb_str text_of(const char nonce[NONCE_LEN])
{
	return (struct fb_str){ nonce, NONCE_LEN };
}

static void nonce__used_old_foreign_or_behind_the_window__is_refused(void **state)
{
	struct nonces *n = fb_nonces_open(test_clock, test_rng, 8), *other = fb_nonces_open(test_clock, test_rng, 8);
	char first[NONCE_LEN], more[NONCE_LEN];

	(void)state;
	fb_nonce_make(n, first);
	CHECK(!fb_nonce_use(other, text_of(first)));
	CHECK(fb_nonce_use(n, text_of(first)));
	CHECK(!fb_nonce_use(n, text_of(first)));
	fb_nonce_make(n, first);
	now_us += (int64_t)NONCE_LIFE_S * 1000000;
	memcpy(more, first, sizeof(more));
	more[NONCE_LEN - 1] = more[NONCE_LEN - 1] == '0' ? '1' : '0';
	CHECK(!fb_nonce_use(n, text_of(more)));
	CHECK(fb_nonce_use(n, text_of(first)));
	fb_nonce_make(n, first);
	now_us += (int64_t)(NONCE_LIFE_S + 1) * 1000000;
	CHECK(!fb_nonce_use(n, text_of(first)));
	fb_nonce_make(n, first);
	for (int i = 0; i < 7; i++)
		fb_nonce_make(n, more);
	CHECK(fb_nonce_use(n, text_of(first)));
	fb_nonce_make(n, first);
	for (int i = 0; i < 8; i++)
		fb_nonce_make(n, more);
	CHECK(!fb_nonce_use(n, text_of(first)));
	CHECK(!fb_nonce_use(n, FB_STR("")));
	fb_nonces_close(n);
	fb_nonces_close(other);
}

static void key_text__both_forms__are_the_same_key(void **state)
{
	static const char *const bad[] = { "", "fbk_0011223344556677", "fbk_0011223344556677_", "fbk_001122334455667_00",
					   "FBK_0011223344556677_0000000000000000000000000000000000000000000000000000000000000000",
					   "fbk_0011223344556677-0000000000000000000000000000000000000000000000000000000000000000",
					   "fbk_0011223344556677_000000000000000000000000000000000000000000000000000000000000000A",
					   "fbk_0011223344556677_00000000000000000000000000000000000000000000000000000000000000000" };
	char token[FB_KEY_TEXT_MAX], pair[FB_KEY_TEXT_MAX];
	struct key_text made, read;
	struct fb_buf b, c;

	(void)state;
	fb_key_text_make(&made, test_rng);
	fb_buf_init(&b, token, sizeof(token));
	fb_key_text_token(&b, &made);
	CHECK(fb_key_text_parse(&read, fb_buf_view(&b)) && read.number == made.number);
	CHECK(memcmp(read.secret, made.secret, SECRET_LEN) == 0);
	fb_buf_init(&c, pair, sizeof(pair));
	fb_key_text_id(&c, made.number);
	fb_buf_char(&c, ':');
	fb_key_text_secret(&c, &made);
	CHECK(!c.overflowed && fb_key_text_parse(&read, fb_buf_view(&c)) && read.number == made.number);
	CHECK(memcmp(read.secret, made.secret, SECRET_LEN) == 0);
	for (size_t i = 0; i < FB_COUNT(bad); i++)
		CHECK(!fb_key_text_parse(&read, fb_str_of(bad[i])));
}

static void principal_row__whole__comes_back_and_every_cut_is_refused(void **state)
{
	const struct facts f = { .id = { { 1, 2, 3 } }, .kind = FB_PRINCIPAL_AGENT, .standing = STANDING_ACTIVE,
				 .type = TYPE_DID_VC, .verified = true, .has_wallet = true, .has_claim = true,
				 .created_us = 5, .updated_us = 6, .wallet = { { 7 } }, .wallet_us = 8, .changed_us = 9,
				 .claim = { { 10 } }, .claim_until_us = 11, .owner_id = FB_STR("me"),
				 .name = FB_STR("name"), .description = FB_STR(""), .shown_wallet = FB_STR(""),
				 .capabilities = FB_STR("[\"a\"]"), .metadata = FB_STR("{}") };
	uint8_t *row = fb_must_alloc(PRINCIPAL_ROW_MAX, 1), key[PRINCIPAL_KEY_LEN];
	struct fb_str k = { (const char *)key, sizeof(key) }, v = { (const char *)row, 0 };
	struct facts read;

	(void)state;
	v.len = fb_principal_write(row, &f);
	fb_principal_key(key, &f.id);
	CHECK_STATUS(FB_OK, fb_principal_read(&read, k, v));
	CHECK(fb_uuid_eq(&read.id, &f.id) && read.verified && read.changed_us == 9 && read.claim.bytes[0] == 10);
	CHECK_STR("[\"a\"]", read.capabilities);
	for (size_t len = 0; len < v.len; len++)
		CHECK_STATUS(FB_STORAGE, fb_principal_read(&read, k, (struct fb_str){ v.at, len }));
	for (size_t i = 0; i < 5; i++) {
		uint8_t old = row[i];

		row[i] = 0xf0;
		CHECK_STATUS(FB_STORAGE, fb_principal_read(&read, k, v));
		row[i] = old;
	}
	row[97] = 1; /* a holder that the flags deny */
	CHECK_STATUS(FB_STORAGE, fb_principal_read(&read, k, v));
	free(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonce__used_old_foreign_or_behind_the_window__is_refused),
		cmocka_unit_test(key_text__both_forms__are_the_same_key),
		cmocka_unit_test(principal_row__whole__comes_back_and_every_cut_is_refused),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
