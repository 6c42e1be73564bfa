/* Logs, headers and receipts as nodes write them, and what they tell of money. */
#include "farebox/crypto.h"
#include "farebox/logs.h"
#include "fb_test.h"

enum { LOGS_TOKENS = 8192, LOGS_TEXT = 1 << 18 };
#define LOGS_ESCROW "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define LOGS_TOKEN  "0xcccccccccccccccccccccccccccccccccccccccc"
#define LOGS_ALICE  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LOGS_BOB    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LOGS_WORD   "000000000000000000000000"
#define LOGS_TRANSFER "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

#define MOVE(from, to) "\"" LOGS_TRANSFER "\",\"0x" LOGS_WORD from "\",\"0x" LOGS_WORD to "\""
#define TO_ESCROW(from) MOVE(from, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee")
#define FROM_ESCROW(to) MOVE("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", to)
#define AMOUNT "00000000000000000000000000000000000000000000000000000000000003e8"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"
#define NONCE  "1111111111111111111111111111111111111111111111111111111111111111"
#define NUMBER(n) "0x000000000000000000000000000000000000000000000000000000000000000" #n
#define DEPOSIT(n, beneficiary, payer)                                                      \
	"\"0xec0205ab308ceb2c5be7aaac5b289ac7357a0451ee5443d81ba709ff9adb496e\",\"" NUMBER(n) \
	"\",\"0x" LOGS_WORD beneficiary "\",\"0x" LOGS_WORD payer "\""
#define PAYOUT(n, to)                                                                       \
	"\"0x8083eee928f984800998901be54e63ce410fae1937c44da50a089834a9ff551b\",\"" NUMBER(n) \
	"\",\"0x" NONCE "\",\"0x" LOGS_WORD to "\""
#define UNPAUSED(n)                                                                         \
	"\"0x727092ab9bb33b8ed42cd561551913e56c1db0c8fa434a4c9018e3e3ad547cbb\",\"" NUMBER(n) \
	"\",\"0x" LOGS_WORD LOGS_BOB "\""
#define USED(payer)                                                                         \
	"\"0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5\",\"0x" LOGS_WORD payer "\",\"0x" NONCE "\""

struct logs_line {
	const char *address, *topics, *data; /* topics with 0x and quotes, data without 0x */
	unsigned block, index, tx, fork;
};

static struct fb_json_token tokens[LOGS_TOKENS];
static struct fb_json doc;
static char text[LOGS_TEXT];

static struct fb_escrow logs_escrow(void)
{
	struct fb_escrow e = { .chain_id = 31337 };

	CHECK_STATUS(FB_OK, fb_address_parse(&e.address, FB_STR(LOGS_ESCROW)));
	CHECK_STATUS(FB_OK, fb_address_parse(&e.token, FB_STR(LOGS_TOKEN)));
	return e;
}

static struct fb_json_value logs_parse(const char *json)
{
	CHECK_STATUS(FB_OK, fb_json_parse(&doc, tokens, LOGS_TOKENS, fb_str_of(json)));
	return fb_json_root(&doc);
}

static void logs_line(struct fb_buf *b, const struct logs_line *l)
{
	fb_buf_printf(b, "{\"address\":\"%s\",\"topics\":[%s],\"data\":\"0x%s\",\"blockNumber\":\"0x%x\",", l->address,
		      l->topics, l->data, l->block);
	fb_buf_printf(b, "\"blockHash\":\"0x%064x\",\"transactionHash\":\"0x%064x\",\"transactionIndex\":\"0x0\",",
		      l->block * 256 + l->fork, l->tx);
	fb_buf_printf(b, "\"logIndex\":\"0x%x\",\"removed\":false}", l->index);
}

static struct fb_json_value array_of(const char *before, const struct logs_line *lines, size_t count, const char *after)
{
	struct fb_buf b;

	fb_buf_init(&b, text, sizeof(text));
	fb_buf_text(&b, before);
	fb_buf_char(&b, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			fb_buf_char(&b, ',');
		logs_line(&b, &lines[i]);
	}
	fb_buf_char(&b, ']');
	fb_buf_text(&b, after);
	fb_buf_char(&b, '\0');
	CHECK(!b.overflowed);
	return logs_parse(text);
}

static size_t logs_read(struct fb_chain_log *out, const struct logs_line *lines, size_t count)
{
	struct fb_escrow e = logs_escrow();
	size_t n = 0;

	CHECK_STATUS(FB_OK, fb_chain_logs_read(out, &n, 64, array_of("", lines, count, "")));
	CHECK_STATUS(FB_OK, fb_chain_logs_sort(out, n, &e, 0, 1000));
	return n;
}

static struct fb_json_value receipt_of(const struct logs_line *lines, size_t count)
{
	static char before[512];

	snprintf(before, sizeof(before),
		 "{\"status\":\"0x1\",\"transactionHash\":\"0x%064x\",\"blockHash\":\"0x%064x\",\"logs\":", lines[0].tx,
		 lines[0].block * 256 + lines[0].fork);
	return array_of(before, lines, count, "}");
}

static enum fb_status movements(struct fb_movement *out, size_t *count, uint64_t *sequence,
				const struct logs_line *lines, size_t n)
{
	struct fb_chain_log logs[64];
	struct fb_escrow e = logs_escrow();
	struct fb_error error = { "" };
	enum fb_status st = fb_movements_read(out, count, sequence, logs, logs_read(logs, lines, n), &e, &error);

	CHECK((st == FB_OK) == (error.text[0] == '\0'));
	return st;
}

/* ---- logs ------------------------------------------------------------------------------------------------------- */
static void log_read__well_formed__has_every_field(void **state)
{
	const struct logs_line line = { LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 7, 3, 9, 1 };
	struct fb_chain_log l;
	size_t n = 0;

	(void)state;
	CHECK_STATUS(FB_OK, fb_chain_logs_read(&l, &n, 1, array_of("", &line, 1, "")));
	CHECK(n == 1 && l.block == 7 && l.index == 3 && l.topic_count == 3 && l.data_len == 32);
	CHECK(l.tx.bytes[31] == 9 && l.block_hash.bytes[31] == 1 && l.block_hash.bytes[30] == 7);
	n = 1;
	CHECK_STATUS(FB_TOO_MANY, fb_chain_logs_read(&l, &n, 1, array_of("", &line, 1, "")));
}

static void log_read__each_fault__has_its_status(void **state)
{
	static const struct {
		const char *from, *to;
		enum fb_status want;
	} faults[] = {
		{ "\"address\"", "\"addresz\"", FB_MISSING },   { "\"topics\"", "\"topicz\"", FB_MISSING },
		{ "\"data\"", "\"dats\"", FB_MISSING },         { "\"blockHash\"", "\"blockHesh\"", FB_MISSING },
		{ "\"logIndex\"", "\"logIndix\"", FB_MISSING },  { "\"0x7\"", "\"0x07\"", FB_BAD_HEX },
		{ "\"0x7\"", "7777", FB_WRONG_TYPE },              { "[\"0xdd", "[\"0xd",  FB_BAD_LENGTH },
		{ ":false", ":true", FB_BAD_VALUE },              { ":false", ":\"no\"", FB_BAD_VALUE },
		{ "0xcccc", "0xccgc", FB_BAD_HEX },               { "e8\"", "e\"", FB_BAD_HEX },
	};
	const struct logs_line line = { LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 7, 3, 9, 1 };
	struct fb_escrow e = logs_escrow();
	char changed[4096];

	(void)state;
	(void)e;
	for (size_t i = 0; i < FB_COUNT(faults); i++) {
		struct fb_chain_log l = { .block = 99 };
		struct fb_buf b;
		const char *at;

		fb_buf_init(&b, text, sizeof(text));
		logs_line(&b, &line);
		fb_buf_char(&b, '\0');
		at = strstr(text, faults[i].from);
		CHECK(at != NULL);
		snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, faults[i].to,
			 at + strlen(faults[i].from));
		CHECK_STATUS(faults[i].want, fb_chain_log_read(&l, logs_parse(changed)));
		CHECK(l.block == 99);
	}
}

static void logs_sort__what_does_not_fit_together__mismatch(void **state)
{
	const struct logs_line good = { LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 7, 3, 9, 1 };
	struct logs_line pairs[4][2] = { { good, good }, { good, good }, { good, good }, { good, good } };
	struct fb_escrow e = logs_escrow();

	(void)state;
	pairs[1][1].index = 4;
	pairs[1][1].fork = 2;                                         /* two hashes of one block */
	pairs[2][1].block = 11;                                       /* out of the range */
	pairs[3][1].topics = "\"" LOGS_TRANSFER "\"";                  /* not about the escrow */
	for (size_t i = 0; i < 4; i++) {
		struct fb_chain_log logs[2];
		size_t n = 0;

		CHECK_STATUS(FB_OK, fb_chain_logs_read(logs, &n, 2, array_of("", pairs[i], 2, "")));
		CHECK_STATUS(FB_MISMATCH, fb_chain_logs_sort(logs, n, &e, 7, 10));
	}
}

/* ---- headers ---------------------------------------------------------------------------------------------------- */
/* The bloom of one log, computed as the Yellow Paper says, with code of its own. */
static void set_bits(uint8_t bloom[FB_BLOOM_LEN], const void *bytes, size_t len)
{
	struct fb_hash h = fb_keccak256(bytes, len);

	for (int i = 0; i < 6; i += 2) {
		unsigned bit = ((unsigned)h.bytes[i] << 8 | h.bytes[i + 1]) % 2048;

		bloom[255 - bit / 8] = (uint8_t)(bloom[255 - bit / 8] | 1u << (bit % 8));
	}
}

static void bloom__of_one_log__may_concern_only_if_it_does(void **state)
{
	struct fb_escrow e = logs_escrow();
	uint8_t bloom[FB_BLOOM_LEN] = { 0 }, topic[32] = { 0 };
	struct fb_hash transfer;

	(void)state;
	CHECK(!fb_bloom_may_concern(bloom, &e));
	CHECK_STATUS(FB_OK, fb_hash_parse(&transfer, FB_STR(LOGS_TRANSFER)));
	set_bits(bloom, e.token.bytes, 20);
	set_bits(bloom, transfer.bytes, 32);
	CHECK(!fb_bloom_may_concern(bloom, &e));
	memset(topic + 12, 0xee, 20);
	set_bits(bloom, topic, 32);
	CHECK(fb_bloom_may_concern(bloom, &e));
	memset(bloom, 0, sizeof(bloom));
	set_bits(bloom, e.address.bytes, 20);
	CHECK(fb_bloom_may_concern(bloom, &e));
}

static void header_read__null_and_faults__say_so(void **state)
{
	static const char *const form =
		"{\"number\":\"0x10\",\"timestamp\":\"0x5\",\"hash\":\"0x%064x\",\"parentHash\":\"0x%064x\","
		"\"logsBloom\":\"0x%0*x\"}";
	struct fb_block_header h = { .number = 99 };

	(void)state;
	CHECK_STATUS(FB_NOT_FOUND, fb_block_header_read(&h, logs_parse("null")));
	CHECK_STATUS(FB_MISSING, fb_block_header_read(&h, logs_parse("{}")));
	snprintf(text, sizeof(text), form, 1, 2, 510, 0);
	CHECK_STATUS(FB_BAD_LENGTH, fb_block_header_read(&h, logs_parse(text)));
	CHECK(h.number == 99);
	snprintf(text, sizeof(text), form, 1, 2, 512, 3);
	CHECK_STATUS(FB_OK, fb_block_header_read(&h, logs_parse(text)));
	CHECK(h.number == 16 && h.hash.bytes[31] == 1 && h.parent.bytes[31] == 2 && h.bloom[255] == 3);
}

/* ---- movements --------------------------------------------------------------------------------------------------- */
static void movements__every_kind_in_one_range__is_told_apart(void **state)
{
	const struct logs_line lines[] = {
		{ LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 5, 0, 1, 0 },
		{ LOGS_ESCROW, DEPOSIT(3, LOGS_ALICE, LOGS_ALICE), AMOUNT ZEROES, 5, 1, 1, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 5, 2, 1, 0 },
		{ LOGS_ESCROW, DEPOSIT(4, LOGS_BOB, LOGS_ALICE), AMOUNT ZEROES, 5, 3, 1, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_BOB), AMOUNT, 5, 7, 2, 0 },
		{ LOGS_ESCROW, DEPOSIT(5, LOGS_BOB, LOGS_BOB), AMOUNT NONCE, 5, 8, 2, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_BOB), AMOUNT, 6, 0, 3, 0 },
		{ LOGS_ESCROW, UNPAUSED(6), "", 6, 1, 3, 0 },
		{ LOGS_TOKEN, FROM_ESCROW(LOGS_ALICE), AMOUNT, 8, 4, 4, 0 },
		{ LOGS_ESCROW, PAYOUT(7, LOGS_ALICE), AMOUNT, 8, 5, 4, 0 },
		{ LOGS_TOKEN, FROM_ESCROW(LOGS_BOB), AMOUNT, 8, 6, 5, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_BOB), ZEROES, 9, 0, 6, 0 },
	};
	static const enum fb_movement_kind kinds[] = { FB_MOVEMENT_DEPOSIT,  FB_MOVEMENT_GIFT,   FB_MOVEMENT_DEPOSIT,
						       FB_MOVEMENT_TRANSFER, FB_MOVEMENT_PAYOUT, FB_MOVEMENT_LEAK };
	static const uint8_t wallets[] = { 0xaa, 0xbb, 0xbb, 0xbb, 0xaa, 0xbb };
	struct fb_movement m[64];
	uint64_t sequence = 2;
	size_t count;

	(void)state;
	CHECK_STATUS(FB_OK, movements(m, &count, &sequence, lines, FB_COUNT(lines)));
	CHECK(count == FB_COUNT(kinds) && sequence == 7);
	for (size_t i = 0; i < count; i++) {
		CHECK(m[i].kind == kinds[i]);
		CHECK(m[i].wallet.bytes[0] == wallets[i]);
		CHECK(m[i].amount.atoms == 1000);
		for (size_t k = 0; k < i; k++)
			CHECK(!fb_hash_eq(&m[i].identity, &m[k].identity));
	}
	CHECK(m[0].place == 0 && m[1].place == 2 && m[3].place == 0);
}

static void movements__what_is_missing__is_a_mismatch(void **state)
{
	const struct logs_line lines[] = {
		{ LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 5, 0, 1, 0 },
		{ LOGS_ESCROW, DEPOSIT(3, LOGS_ALICE, LOGS_ALICE), AMOUNT ZEROES, 5, 1, 1, 0 },
		{ LOGS_TOKEN, FROM_ESCROW(LOGS_ALICE), AMOUNT, 8, 4, 4, 0 },
		{ LOGS_ESCROW, PAYOUT(4, LOGS_ALICE), AMOUNT, 8, 5, 4, 0 },
	};
	struct logs_line without[4], far = lines[1], other = lines[1];
	struct fb_movement m[64];
	size_t count = 77;
	uint64_t sequence;

	(void)state;
	for (size_t gone = 0; gone < 4; gone++) {
		size_t n = 0;

		for (size_t i = 0; i < 4; i++)
			if (i != gone)
				without[n++] = lines[i];
		sequence = 2;
		if (gone == 3) { /* the last event's absence shows with the next one */
			CHECK_STATUS(FB_OK, movements(m, &count, &sequence, without, n));
			continue;
		}
		CHECK_STATUS(FB_MISMATCH, movements(m, &count, &sequence, without, n));
		CHECK(sequence == 2);
	}
	sequence = 3;
	CHECK_STATUS(FB_MISMATCH, movements(m, &count, &sequence, lines, 4));
	far.index = 2; /* not directly before it */
	sequence = 2;
	CHECK_STATUS(FB_MISMATCH, movements(m, &count, &sequence, (struct logs_line[]){ lines[0], far }, 2));
	other.topics = DEPOSIT(3, LOGS_ALICE, LOGS_BOB);
	CHECK_STATUS(FB_MISMATCH, movements(m, &count, &sequence, (struct logs_line[]){ lines[0], other }, 2));
}

static void identity__another_block_or_sender__stays(void **state)
{
	struct logs_line lines[2] = {
		{ LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 5, 0, 1, 0 },
		{ LOGS_ESCROW, DEPOSIT(3, LOGS_ALICE, LOGS_ALICE), AMOUNT ZEROES, 5, 1, 1, 0 },
	};
	struct fb_movement a[64], b[64];
	uint64_t sequence = 2;
	size_t count;

	(void)state;
	CHECK_STATUS(FB_OK, movements(a, &count, &sequence, lines, 2));
	lines[0].block = lines[1].block = 9;
	lines[0].index = 10;
	lines[1].index = 11;
	lines[1].topics = DEPOSIT(8, LOGS_ALICE, LOGS_ALICE);
	sequence = 7;
	CHECK_STATUS(FB_OK, movements(b, &count, &sequence, lines, 2));
	CHECK(fb_hash_eq(&a[0].identity, &b[0].identity));
	lines[0].tx = lines[1].tx = 2;
	sequence = 7;
	CHECK_STATUS(FB_OK, movements(b, &count, &sequence, lines, 2));
	CHECK(!fb_hash_eq(&a[0].identity, &b[0].identity));
	lines[1].data = AMOUNT NONCE; /* by an authorization: who sends it says nothing */
	sequence = 7;
	CHECK_STATUS(FB_OK, movements(a, &count, &sequence, lines, 2));
	lines[0].tx = lines[1].tx = 3;
	sequence = 7;
	CHECK_STATUS(FB_OK, movements(b, &count, &sequence, lines, 2));
	CHECK(fb_hash_eq(&a[0].identity, &b[0].identity));
}

/* ---- receipts ---------------------------------------------------------------------------------------------------- */
static void receipt__authorization_before_the_transfer__belongs_to_the_payer(void **state)
{
	struct logs_line lines[] = {
		{ LOGS_TOKEN, USED(LOGS_ALICE), "", 5, 3, 1, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_ALICE), AMOUNT, 5, 4, 1, 0 },
		{ LOGS_TOKEN, TO_ESCROW(LOGS_BOB), AMOUNT, 5, 5, 1, 0 },
	};
	struct fb_escrow e = logs_escrow();
	struct fb_movement m[64], n[64];
	uint64_t sequence = 2;
	size_t count;

	(void)state;
	CHECK_STATUS(FB_OK, movements(m, &count, &sequence, lines + 1, 2));
	CHECK_STATUS(FB_OK, fb_movement_authorize(&m[0], receipt_of(lines, 3), &e));
	CHECK(m[0].kind == FB_MOVEMENT_AUTHORIZED && m[0].reference.bytes[0] == 0x11);
	CHECK_STATUS(FB_OK, fb_movement_authorize(&m[1], receipt_of(lines, 3), &e));
	CHECK(m[1].kind == FB_MOVEMENT_TRANSFER);
	CHECK_STATUS(FB_OK, fb_movements_of_receipt(n, &count, 8, receipt_of(lines, 3), &e, NULL));
	CHECK(count == 2);
	for (size_t i = 0; i < 2; i++)
		CHECK(fb_hash_eq(&m[i].identity, &n[i].identity) && m[i].kind == n[i].kind);
	CHECK_STATUS(FB_TOO_MANY, fb_movements_of_receipt(n, &count, 1, receipt_of(lines, 3), &e, NULL));
	m[1].block_hash.bytes[0] ^= 1;
	CHECK_STATUS(FB_MISMATCH, fb_movement_authorize(&m[1], receipt_of(lines, 3), &e));
	m[1].block_hash.bytes[0] ^= 1;
	CHECK_STATUS(FB_MISMATCH, fb_movement_authorize(&m[1], receipt_of(lines, 2), &e));
	CHECK_STATUS(FB_NOT_FOUND, fb_movement_authorize(&m[1], logs_parse("null"), &e));
	lines[0].topics = USED(LOGS_BOB); /* somebody else's */
	m[0].kind = FB_MOVEMENT_TRANSFER;
	CHECK_STATUS(FB_OK, fb_movement_authorize(&m[0], receipt_of(lines, 3), &e));
	CHECK(m[0].kind == FB_MOVEMENT_TRANSFER);
}

static void receipt__of_status_0__moves_nothing(void **state)
{
	struct fb_escrow e = logs_escrow();
	struct fb_movement m[1];
	size_t count = 9;

	(void)state;
	CHECK_STATUS(FB_OK, fb_movements_of_receipt(m, &count, 1, logs_parse("{\"status\":\"0x0\"}"), &e, NULL));
	CHECK(count == 0);
	CHECK_STATUS(FB_MISSING, fb_movements_of_receipt(m, &count, 1, logs_parse("{\"status\":\"0x1\"}"), &e, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_read__well_formed__has_every_field),
		cmocka_unit_test(log_read__each_fault__has_its_status),
		cmocka_unit_test(logs_sort__what_does_not_fit_together__mismatch),
		cmocka_unit_test(bloom__of_one_log__may_concern_only_if_it_does),
		cmocka_unit_test(header_read__null_and_faults__say_so),
		cmocka_unit_test(movements__every_kind_in_one_range__is_told_apart),
		cmocka_unit_test(movements__what_is_missing__is_a_mismatch),
		cmocka_unit_test(identity__another_block_or_sender__stays),
		cmocka_unit_test(receipt__authorization_before_the_transfer__belongs_to_the_payer),
		cmocka_unit_test(receipt__of_status_0__moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
