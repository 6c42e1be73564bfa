/* Goal: the hashes and EIP-55. Method: published vectors, every length around the 136-byte rate, the
 * same bytes in every split and from every alignment, EIP-55's own list. */
#include "test_crypto.h"

static void keccak__texts__known_hashes(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "", "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
		{ "abc", "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
		{ "The quick brown fox jumps over the lazy dog",
		  "0x4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15" },
		{ "Transfer(address,address,uint256)",
		  "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef" },
	};
	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_HASH(rows[i].want, fb_keccak256(rows[i].text, strlen(rows[i].text)));
}

static void count_up(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
}

static void keccak__lengths_around_the_rate__known_hashes(void **state)
{
	/* of the bytes 0, 1, 2 … */
	static const struct { size_t len; const char *want; } rows[] = {
		{ 0, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
		{ 1, "0xbc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a" },
		{ 7, "0x801560412425120fa609be232d6fa71c7f64f42aee7977267687dcc0a2f5aa63" },
		{ 8, "0x59e7c99f6be4fd053d7c99f54e371304a33213473dc41f1825b7f3ceb33841a6" },
		{ 9, "0x1c2876c406adb4065117127d838f839f4fe555c0106787d5cb24f6df3444e08d" },
		{ 32, "0x8ae1aa597fa146ebd3aa2ceddf360668dea5e526567e92b0321816a4e895bd2d" },
		{ 64, "0x002030bde3d4cf89919649775cd71875c4d0ab1708a380e03fefc3a28aa24831" },
		{ 127, "0xc52f0bd08793b9e8601b29753539e1bf47f8e483eed0a901e8761982449c9b4c" },
		{ 128, "0xed4c9adc183fb8cb025b1500ec3eeae1b45517314441a187605de1bb8a64726e" },
		{ 134, "0x861e165162f806cd361c4421a48f205820ddf4deb02db9f041f48e179ddada97" },
		{ 135, "0xcbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62" },
		{ 136, "0x7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e" },
		{ 137, "0xac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db" },
		{ 143, "0xf1c4711a2aa3eb612d59ddbc7c6e8ea7b0025a3ed13bd45ee926823e1d13624f" },
		{ 144, "0x36b6c310c763efcdcd51591b27ac640ec854bf8da8e413f4cc0f4a29e2a48dbc" },
		{ 271, "0x7c974895b2a88303ff2dc6b58f438ceb0b298cac91099ac0539cc0f477506191" },
		{ 272, "0xfdf2ec49e749960d3c8521a0219af8d03e30e2b3bf19bd16150ee0eaf133d66e" },
		{ 273, "0x4f707289a9c3ccd0c4a51f2f17339f5dd171d371c04ff7783b735b5b22682eaf" },
		{ 1000, "0xaca79e4146e30eb1c733f6d6060d72471c36ea4e01ebf45d7f4916249c2bbd82" },
	};
	uint8_t bytes[1000];

	(void)state;
	count_up(bytes, sizeof(bytes));
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_HASH(rows[i].want, fb_keccak256(bytes, rows[i].len));
}

static void keccak__any_split_and_alignment__same_hash(void **state)
{
	uint8_t bytes[300], shifted[300 + 8];
	struct fb_hash want;

	(void)state;
	count_up(bytes, sizeof(bytes));
	want = fb_keccak256(bytes, sizeof(bytes));
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		uint8_t *at = shifted + cut % 8;
		struct fb_keccak k;
		struct fb_hash got;

		memcpy(at, bytes, sizeof(bytes));
		fb_keccak_init(&k);
		fb_keccak_update(&k, at, cut);
		fb_keccak_update(&k, at + cut, sizeof(bytes) - cut);
		got = fb_keccak_final(&k);
		CHECK(fb_hash_eq(&want, &got));
	}
}

static void sha256__texts__known_hashes(void **state)
{
	(void)state;
	CHECK_HASH("0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", fb_sha256("", 0));
	CHECK_HASH("0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", fb_sha256("abc", 3));
}

/* The list of EIP-55. */
static const char *const checksummed[] = {
	"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

static void checksum__list_of_the_standard__written_and_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(checksummed); i++) {
		char text[FB_ADDRESS_TEXT_LEN];
		struct fb_buf b;
		struct fb_address a;

		CHECK_STATUS(FB_OK, fb_address_parse_checked(&a, fb_str_of(checksummed[i])));
		fb_buf_init(&b, text, sizeof(text));
		fb_buf_address_checksum(&b, &a);
		CHECK_STR(checksummed[i], fb_buf_view(&b));
	}
}

/* A text of one case carries no checksum, whatever the right one would be. */
static void checksum__one_case_only__accepted(void **state)
{
	static const char *const rows[] = {
		"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
		"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
		"0x0000000000000000000000000000000000000000",
	};
	struct fb_address a;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK_STATUS(FB_OK, fb_address_parse_checked(&a, fb_str_of(rows[i])));
}

static void checksum__any_one_letter_in_the_other_case__refused(void **state)
{
	const char *right = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

	(void)state;
	for (size_t i = 2; i < FB_ADDRESS_TEXT_LEN; i++) {
		char text[FB_ADDRESS_TEXT_LEN];
		struct fb_address a = { .bytes = { 7 } };

		memcpy(text, right, sizeof(text));
		if (text[i] < 'A')
			continue;
		text[i] ^= 0x20;
		CHECK_STATUS(FB_BAD_CHECKSUM, fb_address_parse_checked(&a, (struct fb_str){ text, sizeof(text) }));
		CHECK(a.bytes[0] == 7);
	}
}

static void checksum__malformed_text__refused_for_that(void **state)
{
	struct fb_address a;

	(void)state;
	CHECK_STATUS(FB_BAD_LENGTH, fb_address_parse_checked(&a, FB_STR("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe")));
	CHECK_STATUS(FB_BAD_HEX, fb_address_parse_checked(&a, FB_STR("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg")));
	CHECK_STATUS(FB_BAD_HEX, fb_address_parse_checked(&a, FB_STR("0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")));
}

int test_crypto_keccak(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keccak__texts__known_hashes),
		cmocka_unit_test(keccak__lengths_around_the_rate__known_hashes),
		cmocka_unit_test(keccak__any_split_and_alignment__same_hash),
		cmocka_unit_test(sha256__texts__known_hashes),
		cmocka_unit_test(checksum__list_of_the_standard__written_and_read),
		cmocka_unit_test(checksum__one_case_only__accepted),
		cmocka_unit_test(checksum__any_one_letter_in_the_other_case__refused),
		cmocka_unit_test(checksum__malformed_text__refused_for_that),
	};
	return cmocka_run_group_tests_name("crypto keccak", tests, NULL, NULL);
}
