/* Goal: key files and keystores. Method: both examples of Web3 Secret Storage, each of their members
 * spoiled in turn, a round trip, and files in a scratch directory. */
#include "test_crypto.h"

#include <sys/stat.h>
#include <unistd.h>

#define SIXTEEN "abababababababababababababababab" /* bytes */
#define PASSWORD FB_STR("testpassword")
#define SECRET "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"

static const char pbkdf2_text[] =
	"{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"6087dab2f9fdbbfaddc31a909735c1e6\"},"
	"\"ciphertext\":\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":\"pbkdf2\","
	"\"kdfparams\":{\"c\":262144,\"dklen\":32,\"prf\":\"hmac-sha256\","
	"\"salt\":\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"},"
	"\"mac\":\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"},"
	"\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char scrypt_text[] =
	"{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"83dbcc02d8ccb40e466191a123791e0e\"},"
	"\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":\"scrypt\","
	"\"kdfparams\":{\"dklen\":32,\"n\":262144,\"r\":1,\"p\":8,"
	"\"salt\":\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"},"
	"\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"},"
	"\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";

static void keystore_read__examples_of_the_standard__give_the_secret(void **state)
{
	static const char *const rows[] = { pbkdf2_text, scrypt_text };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_key key = { .secret = { 7 } };
		struct fb_error e = { "" };

		CHECK_STATUS(FB_BAD_KEY, fb_keystore_read(&key, fb_str_of(rows[i]), FB_STR("testpassworD"), &e));
		CHECK_STR("keystore: wrong passphrase", fb_str_of(e.text));
		CHECK(key.secret[0] == 7 && key.secret[1] == 0);
		CHECK_STATUS(FB_OK, fb_keystore_read(&key, fb_str_of(rows[i]), PASSWORD, &e));
		CHECK_HEX(SECRET, key.secret, sizeof(key.secret));
	}
}

/* text with the first `from` replaced by `to`, in a block that the next call overwrites. */
static struct fb_str replaced(const char *text, const char *from, const char *to)
{
	static char block[2048];
	const char *at = strstr(text, from);

	CHECK(at != NULL);
	snprintf(block, sizeof(block), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return fb_str_of(block);
}

/* Every row is refused before any work is done, so the whole table takes no time. */
static void keystore_read__spoiled_member__refused_before_any_work(void **state)
{
	static const struct { const char *from, *to; enum fb_status want; } rows[] = {
		{ "{\"crypto\"", "[\"crypto\"", FB_BAD_SYNTAX },
		{ "{\"crypto\"", "{\"Crypto\"", FB_BAD_SYNTAX },
		{ "\"version\":3", "\"version\":4", FB_BAD_VALUE },
		{ "\"version\":3", "\"version\":\"3\"", FB_BAD_SYNTAX },
		{ ",\"version\":3", "", FB_BAD_SYNTAX },
		{ "\"version\":3", "\"version\":3,\"version\":3", FB_BAD_SYNTAX },
		{ "aes-128-ctr", "aes-128-cbc", FB_BAD_VALUE },
		{ "\"cipher\":\"aes-128-ctr\",", "", FB_BAD_SYNTAX },
		{ "\"iv\":\"83", "\"iv\":\"", FB_BAD_VALUE },
		{ "\"iv\":\"83", "\"iv\":\"8300", FB_BAD_VALUE },
		{ "\"iv\":\"83", "\"iv\":\"0x", FB_BAD_SYNTAX },
		{ "\"iv\":\"83", "\"iv\":\"8g", FB_BAD_SYNTAX },
		{ "\"iv\"", "\"vi\"", FB_BAD_SYNTAX },
		{ "\"ciphertext\":\"d1", "\"ciphertext\":\"", FB_BAD_VALUE },
		{ "\"ciphertext\":\"d1", "\"ciphertext\":\"d1d1", FB_BAD_VALUE },
		{ "\"ciphertext\":\"d1", "\"ciphertext\":\"d", FB_BAD_SYNTAX },
		{ "\"mac\":\"21", "\"mac\":\"", FB_BAD_VALUE },
		{ "\"mac\":\"21", "\"mac\":\"2121", FB_BAD_VALUE },
		{ "\"mac\"", "\"cam\"", FB_BAD_SYNTAX },
		{ "\"kdf\":\"scrypt\"", "\"kdf\":\"bcrypt\"", FB_BAD_VALUE },
		{ "\"kdf\":\"scrypt\"", "\"kdf\":null", FB_BAD_SYNTAX },
		{ "\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"", FB_BAD_SYNTAX }, /* with scrypt's parameters */
		{ "\"dklen\":32", "\"dklen\":16", FB_BAD_VALUE },
		{ "\"dklen\":32", "\"dklen\":64", FB_BAD_VALUE },
		{ "\"dklen\":32", "\"dklen\":32.0", FB_BAD_SYNTAX },
		{ "\"dklen\":32,", "", FB_BAD_SYNTAX },
		{ "\"n\":262144", "\"n\":2097152", FB_BAD_VALUE },
		{ "\"n\":262144", "\"n\":262143", FB_BAD_VALUE },
		{ "\"n\":262144", "\"n\":0", FB_BAD_VALUE },
		{ "\"n\":262144", "\"n\":1", FB_BAD_VALUE },
		{ "\"n\":262144", "\"n\":9223372036854775808", FB_BAD_VALUE },
		{ "\"n\":262144", "\"n\":18446744073709551616", FB_BAD_SYNTAX },
		{ "\"n\":262144", "\"n\":-262144", FB_BAD_SYNTAX },
		{ "\"n\":262144,\"r\":1", "\"n\":1048576,\"r\":16", FB_BAD_VALUE }, /* 2 GiB */
		{ "\"r\":1", "\"r\":0", FB_BAD_VALUE },
		{ "\"r\":1", "\"r\":17", FB_BAD_VALUE },
		{ "\"r\":1", "\"r\":4294967297", FB_BAD_VALUE },
		{ "\"p\":8", "\"p\":0", FB_BAD_VALUE },
		{ "\"p\":8", "\"p\":17", FB_BAD_VALUE },
		{ "\"p\":8,", "", FB_BAD_SYNTAX },
		{ "\"salt\":\"ab", "\"salt\":\"a", FB_BAD_SYNTAX },
		{ "\"salt\":\"ab", "\"salt\":\"" SIXTEEN SIXTEEN "abab", FB_BAD_VALUE }, /* 66 bytes */
		{ "\"salt\"", "\"pepper\"", FB_BAD_SYNTAX },
	};
	static const struct { const char *from, *to; enum fb_status want; } pbkdf2_rows[] = {
		{ "\"c\":262144", "\"c\":0", FB_BAD_VALUE },
		{ "\"c\":262144", "\"c\":10000001", FB_BAD_VALUE },
		{ "\"c\":262144", "\"c\":4294967297", FB_BAD_VALUE },
		{ "\"c\":262144,", "", FB_BAD_SYNTAX },
		{ "hmac-sha256", "hmac-sha512", FB_BAD_VALUE },
		{ "\"prf\":\"hmac-sha256\",", "", FB_BAD_SYNTAX },
	};
	struct fb_key key = { .secret = { 7 } };
	struct fb_error e;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str text = replaced(scrypt_text, rows[i].from, rows[i].to);

		e.text[0] = '\0';
		CHECK_STATUS(rows[i].want, fb_keystore_read(&key, text, PASSWORD, &e));
		CHECK(fb_str_starts(fb_str_of(e.text), FB_STR("keystore: ")));
	}
	for (size_t i = 0; i < FB_COUNT(pbkdf2_rows); i++) {
		struct fb_str text = replaced(pbkdf2_text, pbkdf2_rows[i].from, pbkdf2_rows[i].to);

		CHECK_STATUS(pbkdf2_rows[i].want, fb_keystore_read(&key, text, PASSWORD, NULL));
	}
	CHECK(key.secret[0] == 7);
}

static void keystore_read__passphrase_too_long__refused(void **state)
{
	static const char long_one[FB_PASSPHRASE_MAX + 1];
	struct fb_key key;

	(void)state;
	CHECK_STATUS(FB_BAD_VALUE, fb_keystore_read(&key, fb_str_of(scrypt_text),
						    (struct fb_str){ long_one, sizeof(long_one) }, NULL));
}

static void seeded_fill(void *ctx, uint8_t *out, size_t len)
{
	uint8_t *counter = ctx;

	for (size_t i = 0; i < len; i++)
		out[i] = (*counter)++;
}

/* What other programs look at: the cost as geth has it, and an id that is a random UUID. */
static void check_form(struct fb_str json, const char *cost)
{
	char text[FB_KEYSTORE_LEN_MAX + 1];
	const char *id;

	snprintf(text, sizeof(text), "%.*s", FB_STR_ARG(json));
	CHECK(strstr(text, cost) != NULL);
	id = strstr(text, "\"id\":\"");
	CHECK(id != NULL);
	id += 6;
	CHECK(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' && id[36] == '"');
	CHECK(id[14] == '4' && strchr("89ab", id[19]) != NULL);
}

static void keystore__written__reads_back(void **state)
{
	struct fb_key key = key_of(ANVIL_0), back;
	struct fb_error e = { "" };

	(void)state;
	for (int light = 0; light <= 1; light++) {
		uint8_t counter = (uint8_t)fb_test_seed();
		struct fb_rng rng = { seeded_fill, &counter };
		char block[FB_KEYSTORE_LEN_MAX];
		struct fb_buf b;

		fb_buf_init(&b, block, sizeof(block));
		CHECK_STATUS(FB_OK, fb_keystore_write(&b, &key, FB_STR("p\xc3\xa4ss"), light == 1, rng));
		CHECK_STATUS(FB_OK, fb_keystore_read(&back, fb_buf_view(&b), FB_STR("p\xc3\xa4ss"), &e));
		CHECK_HEX(ANVIL_0, back.secret, sizeof(back.secret));
		check_form(fb_buf_view(&b), light == 1 ? "\"n\":4096,\"r\":8,\"p\":6" : "\"n\":262144,\"r\":8,\"p\":1");
	}
}

/* The iv is not under the check value: only the address tells that it was changed. */
static void keystore_read__other_iv_or_address__refused(void **state)
{
	static const struct { const char *from, *to; enum fb_status want; } rows[] = {
		{ "\"iv\":\"20", "\"iv\":\"21", FB_BAD_KEY },
		{ "\"address\":\"f3", "\"address\":\"f4", FB_BAD_KEY },
		{ "\"address\":\"f3", "\"address\":\"", FB_BAD_VALUE },
		{ "\"address\":\"f39fd6e51aad88f6f4ce6ab8827279cfffb92266\"", "\"address\":null", FB_OK },
		{ "\"address\"", "\"name\"", FB_OK },
	};
	uint8_t counter = 0;
	struct fb_rng rng = { seeded_fill, &counter };
	char block[FB_KEYSTORE_LEN_MAX];
	struct fb_buf b;
	struct fb_key key = key_of(ANVIL_0);

	(void)state;
	fb_buf_init(&b, block, sizeof(block));
	CHECK_STATUS(FB_OK, fb_keystore_write(&b, &key, FB_STR("pass"), true, rng));
	fb_buf_char(&b, '\0');
	CHECK(!b.overflowed);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_str text = replaced(block, rows[i].from, rows[i].to);
		struct fb_key back = { .secret = { 7 } };

		CHECK_STATUS(rows[i].want, fb_keystore_read(&back, text, FB_STR("pass"), NULL));
		CHECK(back.secret[0] == (rows[i].want == FB_OK ? 0xac : 7));
	}
}

static void keystore_write__bad_passphrase_or_no_room__refused(void **state)
{
	static const char long_one[FB_PASSPHRASE_MAX + 1];
	const struct fb_str too_long = { long_one, sizeof(long_one) };
	uint8_t counter = 0;
	struct fb_rng rng = { seeded_fill, &counter };
	struct fb_key key = key_of(ANVIL_0);
	char block[100];
	struct fb_buf b;

	(void)state;
	fb_buf_init(&b, block, sizeof(block));
	CHECK_STATUS(FB_BAD_VALUE, fb_keystore_write(&b, &key, FB_STR(""), true, rng));
	CHECK_STATUS(FB_BAD_VALUE, fb_keystore_write(&b, &key, too_long, true, rng));
	CHECK(b.len == 0 && !b.overflowed);
	fb_buf_text(&b, "abc");
	CHECK_STATUS(FB_TOO_LARGE, fb_keystore_write(&b, &key, FB_STR("pass"), true, rng));
	CHECK(b.len == 3 && b.overflowed);
}

static void key_parse__table__one_form(void **state)
{
	static const struct { const char *text; enum fb_status want; } rows[] = {
		{ ANVIL_0, FB_OK },
		{ " \t" ANVIL_0 " \r\n", FB_OK },
		{ "0xAC0974BEC39A17E36BA4A6B4D238FF944BACB478CBED5EFCAE784D7BF4F2FF80", FB_OK },
		{ "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", FB_BAD_SYNTAX },
		{ "", FB_BAD_SYNTAX },
		{ "0x", FB_BAD_SYNTAX },
		{ ANVIL_0 "00", FB_BAD_SYNTAX },
		{ ANVIL_0 " " ANVIL_0, FB_BAD_SYNTAX },
		{ "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8g", FB_BAD_SYNTAX },
		{ "0x0000000000000000000000000000000000000000000000000000000000000000", FB_BAD_KEY },
		{ "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", FB_BAD_KEY },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_key key = { .secret = { 7 } };

		CHECK_STATUS(rows[i].want, fb_key_parse(&key, fb_str_of(rows[i].text)));
		CHECK(key.secret[0] == (rows[i].want == FB_OK ? 0xac : 7));
	}
}

static const struct fb_passphrase nobody = { NULL, NULL };

static void key_load__bare_key_or_nothing__refused_and_never_shown(void **state)
{
	static const char *const rows[] = {
		"", " ", "$", ANVIL_0, " " ANVIL_0 "\n", "$" ANVIL_0,
		"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8",   /* a digit is missing */
		"0Xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff8000", /* two too many */
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_key key;
		struct fb_error e = { "" };

		CHECK_STATUS(FB_BAD_VALUE, fb_key_load(&key, rows[i], nobody, &e));
		CHECK(e.text[0] != '\0' && strstr(e.text, "ac0974") == NULL);
	}
}

static void key_load__variable__found_or_named(void **state)
{
	struct fb_key key;
	struct fb_error e;

	(void)state;
	CHECK(setenv("FB_TEST_KEY", ANVIL_1, 1) == 0);
	CHECK_STATUS(FB_OK, fb_key_load(&key, "$FB_TEST_KEY", nobody, &e));
	CHECK_HEX(ANVIL_1, key.secret, sizeof(key.secret));
	CHECK(setenv("FB_TEST_KEY", ANVIL_1 "ab", 1) == 0);
	CHECK_STATUS(FB_BAD_SYNTAX, fb_key_load(&key, "$FB_TEST_KEY", nobody, &e));
	CHECK(strstr(e.text, "$FB_TEST_KEY") != NULL && strstr(e.text, "59c6995e") == NULL);
	CHECK(setenv("FB_TEST_KEY", "0x0000000000000000000000000000000000000000000000000000000000000000", 1) == 0);
	CHECK_STATUS(FB_BAD_KEY, fb_key_load(&key, "$FB_TEST_KEY", nobody, &e));
	CHECK(unsetenv("FB_TEST_KEY") == 0);
	CHECK_STATUS(FB_NOT_FOUND, fb_key_load(&key, "$FB_TEST_KEY", nobody, &e));
	CHECK(strstr(e.text, "$FB_TEST_KEY") != NULL);
}

static const char *write_file(const char *text, mode_t mode)
{
	static char path[64];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%s", "/tmp/fb-test-key-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	f = fdopen(fd, "w");
	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
	CHECK(chmod(path, mode) == 0);
	return path;
}

static void key_load__file__mode_and_content_matter(void **state)
{
	static char too_large[9000];
	static const struct { const char *text; mode_t mode; enum fb_status want; } rows[] = {
		{ ANVIL_1 "\n", 0600, FB_OK },
		{ ANVIL_1, 0400, FB_OK },
		{ ANVIL_1, 0640, FB_FORBIDDEN },
		{ ANVIL_1, 0604, FB_FORBIDDEN },
		{ ANVIL_1, 0620, FB_FORBIDDEN },
		{ "", 0600, FB_BAD_SYNTAX },
		{ ANVIL_1 "ff", 0600, FB_BAD_SYNTAX },
		{ "0x0000000000000000000000000000000000000000000000000000000000000000", 0600, FB_BAD_KEY },
		{ "{}", 0600, FB_BAD_KEY }, /* a keystore, and nobody to ask for its passphrase */
		{ too_large, 0600, FB_TOO_LARGE },
	};
	struct fb_key key;
	struct fb_error e;

	(void)state;
	memset(too_large, ' ', sizeof(too_large) - 1);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		const char *path = write_file(rows[i].text, rows[i].mode);

		e.text[0] = '\0';
		CHECK_STATUS(rows[i].want, fb_key_load(&key, path, nobody, &e));
		CHECK(rows[i].want == FB_OK || strstr(e.text, path) != NULL);
		CHECK(strstr(e.text, "59c6995e") == NULL);
		CHECK(unlink(path) == 0);
		CHECK_STATUS(FB_NOT_FOUND, fb_key_load(&key, path, nobody, &e));
	}
}

struct asked {
	const char *answer, *want_what;
	int times;
};

static size_t answer(void *ctx, char *out, size_t cap, const char *what)
{
	struct asked *a = ctx;

	a->times++;
	CHECK(strcmp(what, a->want_what) == 0 && cap == FB_PASSPHRASE_MAX);
	memcpy(out, a->answer, strlen(a->answer));
	return strlen(a->answer);
}

static void key_load__keystore__asks_once(void **state)
{
	static const struct { const char *answer; enum fb_status want; } rows[] = {
		{ "testpassword", FB_OK },
		{ "wrong", FB_BAD_KEY },
		{ "", FB_BAD_KEY },
	};
	char text[sizeof(pbkdf2_text) + 2];
	const char *path;

	(void)state;
	snprintf(text, sizeof(text), "\n%s\n", pbkdf2_text);
	path = write_file(text, 0600);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct asked a = { rows[i].answer, path, 0 };
		struct fb_key key;
		struct fb_error e = { "" };

		CHECK_STATUS(rows[i].want, fb_key_load(&key, path, (struct fb_passphrase){ answer, &a }, &e));
		CHECK(a.times == 1);
		if (rows[i].want == FB_OK)
			CHECK_HEX(SECRET, key.secret, sizeof(key.secret));
		else
			CHECK(strstr(e.text, path) != NULL);
	}
	CHECK(unlink(path) == 0);
}

int test_crypto_keys(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keystore_read__examples_of_the_standard__give_the_secret),
		cmocka_unit_test(keystore_read__spoiled_member__refused_before_any_work),
		cmocka_unit_test(keystore_read__passphrase_too_long__refused),
		cmocka_unit_test(keystore__written__reads_back),
		cmocka_unit_test(keystore_read__other_iv_or_address__refused),
		cmocka_unit_test(keystore_write__bad_passphrase_or_no_room__refused),
		cmocka_unit_test(key_parse__table__one_form),
		cmocka_unit_test(key_load__bare_key_or_nothing__refused_and_never_shown),
		cmocka_unit_test(key_load__variable__found_or_named),
		cmocka_unit_test(key_load__file__mode_and_content_matter),
		cmocka_unit_test(key_load__keystore__asks_once),
	};
	return cmocka_run_group_tests_name("crypto keys", tests, NULL, NULL);
}
