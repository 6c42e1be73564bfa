/* Goal: the contract of farebox/report.h. Method: a small ledger whose clock stands still, and the whole text of every
 * report about it in every form. */
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "fb_test.h"
#include "test_report.h"

#include <pthread.h>
#include <stdatomic.h>

enum { START_S = 1769860800 /* 2026-01-31T12:00:00Z */, SECOND_US = 1000000 };
enum { DIGEST_DIGITS_MIN = 17, DIGEST_DIGITS_MAX = 20 };
#define ALICE 0xa1, 0xa1
#define BOB 0xb0
static const struct fb_account_key escrow = { { { 0xee } }, 1, FB_PURPOSE_ESCROW },
				   alice = { { { ALICE } }, 1, FB_PURPOSE_AVAILABLE },
				   bob = { { { BOB } }, 1, FB_PURPOSE_AVAILABLE },
				   fees = { { { ALICE } }, 1, FB_PURPOSE_FEES },
				   world = { { { 0xee } }, 2, FB_PURPOSE_WORLD },
				   euros = { { { ALICE } }, 2, FB_PURPOSE_AVAILABLE };

static struct fb_test_dir dir;
static char data[96];
static _Atomic int64_t now_us;

/* ---- the ledger ------------------------------------------------------------------------------------------------ */

static int64_t wall_us(void *ctx)
{
	(void)ctx;
	return now_us;
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

static void done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct waiter *w = arg;

	FB_ASSERT(status == FB_OK && count == 1 && results != NULL);
	pthread_mutex_lock(&w->lock);
	w->is_done = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

/* A second later. */
static void submit(struct fb_writer *writer, struct fb_op op)
{
	struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	const struct fb_submission s = { .ops = &op, .op_count = 1, .done = done, .arg = &w };

	now_us += SECOND_US;
	fb_writer_submit(writer, &s);
	pthread_mutex_lock(&w.lock);
	while (!w.is_done)
		pthread_cond_wait(&w.done, &w.lock);
	pthread_mutex_unlock(&w.lock);
}

static struct fb_op pay(fb_id id, const struct fb_account_key *from, const struct fb_account_key *to, uint64_t amount)
{
	return (struct fb_op){ .kind = FB_OP_POST, .id = id, .debit = *from, .leg_count = 1,
			       .legs = { { *to, { amount } } } };
}

static void run_ops(struct fb_writer *w)
{
	struct fb_op deposit = pay(1, &escrow, &alice, 1000);

	deposit.code = 7;
	deposit.user = 99;
	memset(deposit.external.bytes, 0x11, sizeof(deposit.external.bytes));
	submit(w, deposit);
	submit(w, (struct fb_op){ .kind = FB_OP_HOLD, .id = 2, .debit = alice, .amount = { 300 },
				  .expires_us = (START_S + 86400) * (int64_t)SECOND_US });
	submit(w, (struct fb_op){ .kind = FB_OP_CAPTURE, .id = 3, .ref = 2, .leg_count = 2,
				  .legs = { { bob, { 250 } }, { fees, { 10 } } } });
	submit(w, pay(4, &bob, &alice, 9999));
	submit(w, pay(5, &world, &euros, 50));
	submit(w, (struct fb_op){ .kind = FB_OP_HOLD, .id = 6, .debit = alice, .amount = { 100 } });
}

static struct fb_writer_settings settings(void)
{
	return (struct fb_writer_settings){ .clock = { .wall_us = wall_us, .mono_ns = fb_os_clock().mono_ns },
					    .rng = fb_os_rng() };
}

static int setup(void **state)
{
	const struct fb_writer_settings how = settings();
	struct fb_store *s;
	struct fb_writer *w;

	(void)state;
	now_us = START_S * (int64_t)SECOND_US;
	if (!fb_test_dir_make(&dir))
		return -1;
	snprintf(data, sizeof(data), "%s/data", dir.path);
	if (fb_store_open(&s, data, NULL) != FB_OK || fb_writer_open(&w, s, &how, NULL, NULL, NULL) != FB_OK)
		return -1;
	run_ops(w);
	fb_writer_close(w);
	fb_store_close(s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fb_test_dir_remove(&dir) ? 0 : -1;
}

static struct fb_writer *reader(void)
{
	const struct fb_writer_settings how = settings();
	struct fb_writer *w = NULL;

	CHECK_STATUS(FB_OK, fb_writer_open_reader(&w, data, &how, NULL));
	return w;
}

/* ---- what was printed ------------------------------------------------------------------------------------------ */
struct page {
	FILE *out;
	char *text;
	size_t len;
};

static FILE *begin(struct page *p)
{
	p->out = open_memstream(&p->text, &p->len);
	CHECK(p->out != NULL);
	return p->out;
}

/* Digests of contents, which other tests spell out, become one '#'. */
static void hide_digests(char *text)
{
	char *out = text;

	for (size_t digits; *text != '\0'; text += digits) {
		digits = strspn(text, "0123456789");
		if (digits == 0)
			*out++ = *text++;
		else if (digits >= DIGEST_DIGITS_MIN && digits <= DIGEST_DIGITS_MAX)
			*out++ = '#';
		else
			for (size_t i = 0; i < digits; i++)
				*out++ = text[i];
	}
	*out = '\0';
}

static void check_page(struct page *p, const char *want)
{
	CHECK(fclose(p->out) == 0);
	hide_digests(p->text);
	if (strcmp(p->text, want) != 0)
		fail_msg("printed:\n%s\nwant:\n%s", p->text, want);
	free(p->text);
}

/* ---- balances -------------------------------------------------------------------------------------------------- */

static void balances__of_an_owner__are_all_or_those_asked_for(void **state)
{
	static const struct {
		struct fb_report_query q;
		const char *want;
	} rows[] = {
		{ { .owner = { { ALICE } } },
		  "account  asset  purpose    debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      2      1  available            260             100            1000      640        13\n"
		  "      4      1  fees                   0               0              10       10         8\n"
		  "      6      2  available              0               0              50       50        12\n" },
		{ { .owner = { { ALICE } }, .has_purpose = true, .purpose = FB_PURPOSE_FEES },
		  "account  asset  purpose  debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      4      1  fees                 0               0              10       10         8\n" },
		{ { .owner = { { ALICE } }, .has_asset = true, .asset = 2 },
		  "account  asset  purpose    debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      6      2  available              0               0              50       50        12\n" },
		{ { .owner = { { ALICE } }, .has_seq = true, .seq = 4 },
		  "account  asset  purpose    debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      2      1  available              0             300            1000      700         4\n" },
		{ { .owner = { { ALICE } }, .has_time = true, .time_us = (START_S + 1) * (int64_t)SECOND_US },
		  "account  asset  purpose    debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      2      1  available              0               0            1000     1000         3\n" },
		{ { .owner = { { 0xee } }, .has_asset = true, .asset = 1 },
		  "account  asset  purpose  debits_posted  debits_pending  credits_posted  balance  last_seq\n"
		  "      1      1  escrow            1000               0               0    -1000         3\n" },
	};
	struct fb_writer *w = reader();

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct page p;

		CHECK_STATUS(FB_OK, fb_report_balances(begin(&p), FB_REPORT_TABLE, w, &rows[i].q, NULL));
		check_page(&p, rows[i].want);
	}
	fb_writer_close(w);
}

static void balances__as_json__have_every_field(void **state)
{
	const struct fb_report_query q = { .owner = { { BOB } } };
	struct fb_writer *w = reader();
	struct page p;

	(void)state;
	CHECK_STATUS(FB_OK, fb_report_balances(begin(&p), FB_REPORT_JSON, w, &q, NULL));
	check_page(&p, "[\n{\"account\":3,\"owner\":\"0xb000000000000000000000000000000000000000\",\"asset\":1,"
		       "\"purpose\":\"available\",\"debits_posted\":\"0\",\"debits_pending\":\"0\","
		       "\"credits_posted\":\"250\",\"credits_pending\":\"0\",\"balance\":\"250\",\"last_seq\":7,"
		       "\"may_go_below_zero\":false}\n]\n");
	fb_writer_close(w);
}

static void balances__of_nobody__are_not_found(void **state)
{
	static const struct {
		struct fb_report_query q;
		const char *want;
	} rows[] = {
		{ { .owner = { { 0x77 } } }, "the owner has no such account" },
		{ { .owner = { { BOB } }, .has_asset = true, .asset = 2 }, "the owner has no such account" },
		{ { .owner = { { BOB } }, .has_seq = true, .seq = 4 }, "the owner has no such account then" },
		{ { .owner = { { BOB } }, .has_time = true, .time_us = 5 }, "the owner has no such account then" },
	};
	struct fb_writer *w = reader();

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_error e = { "" };
		struct page p;

		CHECK_STATUS(FB_NOT_FOUND, fb_report_balances(begin(&p), FB_REPORT_JSON, w, &rows[i].q, &e));
		CHECK_STR(rows[i].want, fb_str_of(e.text));
		check_page(&p, "[]\n");
	}
	fb_writer_close(w);
}

static void trial_balance__of_all__has_totals(void **state)
{
	struct fb_writer *w = reader();
	struct page p;

	(void)state;
	CHECK_STATUS(FB_OK, fb_report_trial_balance(begin(&p), FB_REPORT_TABLE, w, NULL));
	check_page(&p, "asset  purpose    accounts  debits_posted  debits_pending  credits_posted  balance\n"
		       "    1  escrow            1           1000               0               0    -1000\n"
		       "    1  available         2            260             100            1250      890\n"
		       "    1  fees              1              0               0              10       10\n"
		       "    1  total             4           1260             100            1260     -100\n"
		       "    2  available         1              0               0              50       50\n"
		       "    2  world             1             50               0               0      -50\n"
		       "    2  total             2             50               0              50        0\n");
	CHECK_STATUS(FB_OK, fb_report_trial_balance(begin(&p), FB_REPORT_CSV, w, NULL));
	check_page(&p, "asset,purpose,accounts,debits_posted,debits_pending,credits_posted,credits_pending,balance,seq\r\n"
		       "1,escrow,1,1000,0,0,0,-1000,13\r\n1,available,2,260,100,1250,0,890,13\r\n"
		       "1,fees,1,0,0,10,0,10,13\r\n1,total,4,1260,100,1260,0,-100,13\r\n"
		       "2,available,1,0,0,50,0,50,13\r\n2,world,1,50,0,0,0,-50,13\r\n2,total,2,50,0,50,0,0,13\r\n");
	fb_writer_close(w);
}

/* ---- history --------------------------------------------------------------------------------------------------- */

static void history__both_ways__goes_page_by_page(void **state)
{
	static const struct {
		struct fb_report_page page;
		const char *want;
	} rows[] = {
		{ { .limit = 2 },
		  "seq  time                         kind     debit  credit  amount  id  debits_posted  debits_pending  "
		  "credits_posted  balance\n"
		  "  2  2026-01-31T12:00:01.000000Z  account      2                                  0               0  "
		  "          1000     1000\n"
		  "  3  2026-01-31T12:00:01.000000Z  post         1       2    1000   1              0               0  "
		  "          1000     1000\n" },
		{ { .limit = 2, .cursor = 7 },
		  "seq  time                         kind  debit  credit  amount  id  ref  debits_posted  debits_pending  "
		  "credits_posted  balance\n"
		  "  8  2026-01-31T12:00:03.000000Z  leg       2       4      10   3    2            260               "
		  "0            1000      740\n"
		  " 13  2026-01-31T12:00:06.000000Z  hold      2             100   6                 260             "
		  "100            1000      640\n" },
		{ { .limit = 1, .newest_first = true },
		  "seq  time                         kind  debit  amount  id  debits_posted  debits_pending  "
		  "credits_posted  balance\n"
		  " 13  2026-01-31T12:00:06.000000Z  hold      2     100   6            260             100            "
		  "1000      640\n" },
	};
	struct fb_writer *w = reader();

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_report_page page = rows[i].page;
		struct page p;

		page.key = alice;
		CHECK_STATUS(FB_OK, fb_report_history(begin(&p), FB_REPORT_TABLE, w, &page, NULL));
		check_page(&p, rows[i].want);
	}
	fb_writer_close(w);
}

static void history__as_json__has_every_field(void **state)
{
	const struct fb_report_page page = { .key = alice, .cursor = 3, .limit = 1 };
	const struct fb_report_page nobody = { .key = { { { 0x77 } }, 1, FB_PURPOSE_AVAILABLE }, .limit = 1 };
	struct fb_writer *w = reader();
	struct fb_error e = { "" };
	struct page p;

	(void)state;
	CHECK_STATUS(FB_OK, fb_report_history(begin(&p), FB_REPORT_JSON, w, &page, NULL));
	check_page(&p, "[\n{\"seq\":4,\"time\":\"2026-01-31T12:00:02.000000Z\",\"kind\":\"hold\",\"asset\":1,\"debit\":2,"
		       "\"amount\":\"300\",\"id\":\"2\",\"expires\":\"2026-02-01T12:00:00.000000Z\","
		       "\"content\":\"#\",\"linked\":false,\"debits_posted\":\"0\","
		       "\"debits_pending\":\"300\",\"credits_posted\":\"1000\",\"credits_pending\":\"0\","
		       "\"balance\":\"700\"}\n]\n");
	CHECK_STATUS(FB_NOT_FOUND, fb_report_history(begin(&p), FB_REPORT_JSON, w, &nobody, &e));
	CHECK_STR("the owner has no such account", fb_str_of(e.text));
	check_page(&p, "[]\n");
	fb_writer_close(w);
}

/* ---- export ---------------------------------------------------------------------------------------------------- */

static struct fb_store *store(void)
{
	struct fb_store *s = NULL;

	CHECK_STATUS(FB_OK, fb_store_open_reader(&s, data, NULL));
	return s;
}

#define AT "2026-01-31T12:00:"
#define ALICE_TEXT "0xa1a1000000000000000000000000000000000000"
#define NAMES                                                                                                       \
	"batch,seq,time,kind,asset,debit,credit,amount,held,id,ref,expires,code,user,external,content,linked,refused," \
	"owner,purpose,may_go_below_zero\r\n"
static void export__as_csv__has_every_record(void **state)
{
	struct fb_store *s = store();
	struct page p;

	(void)state;
	CHECK_STATUS(FB_OK, fb_report_export(begin(&p), FB_REPORT_CSV, s, NULL));
	check_page(&p, NAMES
		"1,1," AT "01.000000Z,account,1,1,,,,,,,,,,,true,,0xee00000000000000000000000000000000000000,escrow,true\r\n"
		"1,2," AT "01.000000Z,account,1,2,,,,,,,,,,,true,," ALICE_TEXT ",available,false\r\n"
		"1,3," AT "01.000000Z,post,1,1,2,1000,,1,,,7,99,"
		"0x1111111111111111111111111111111111111111111111111111111111111111,#,false,,,,\r\n"
		"2,4," AT "02.000000Z,hold,1,2,,300,,2,,2026-02-01T12:00:00.000000Z,,,,#,false,,,,\r\n"
		"3,5," AT "03.000000Z,account,1,3,,,,,,,,,,,true,,0xb000000000000000000000000000000000000000,"
		"available,false\r\n"
		"3,6," AT "03.000000Z,account,1,4,,,,,,,,,,,true,," ALICE_TEXT ",fees,false\r\n"
		"3,7," AT "03.000000Z,capture,1,2,3,250,300,3,2,,,,,#,true,,,,\r\n"
		"3,8," AT "03.000000Z,leg,1,2,4,10,,3,2,,,,,#,false,,,,\r\n"
		"4,9," AT "04.000000Z,refuse,,,,,,4,,,,,,#,false,insufficient_funds,,,\r\n"
		"5,10," AT "05.000000Z,account,2,5,,,,,,,,,,,true,,0xee00000000000000000000000000000000000000,world,true\r\n"
		"5,11," AT "05.000000Z,account,2,6,,,,,,,,,,,true,," ALICE_TEXT ",available,false\r\n"
		"5,12," AT "05.000000Z,post,2,5,6,50,,5,,,,,,#,false,,,,\r\n"
		"6,13," AT "06.000000Z,hold,1,2,,100,,6,,,,,,#,false,,,,\r\n");
	fb_store_close(s);
}

static void export__as_jsonl__leaves_out_what_a_record_has_not(void **state)
{
	static const char *const lines[] = {
		"{\"batch\":1,\"seq\":2,\"time\":\"" AT "01.000000Z\",\"kind\":\"account\",\"asset\":1,\"debit\":2,"
		"\"linked\":true,\"owner\":\"" ALICE_TEXT "\",\"purpose\":\"available\",\"may_go_below_zero\":false}\n",
		"{\"batch\":1,\"seq\":3,\"time\":\"" AT "01.000000Z\",\"kind\":\"post\",\"asset\":1,\"debit\":1,"
		"\"credit\":2,\"amount\":\"1000\",\"id\":\"1\",\"code\":7,\"user\":\"99\",\"external\":"
		"\"0x1111111111111111111111111111111111111111111111111111111111111111\",\"content\":\"#\","
		"\"linked\":false}\n",
		"{\"batch\":3,\"seq\":7,\"time\":\"" AT "03.000000Z\",\"kind\":\"capture\",\"asset\":1,\"debit\":2,"
		"\"credit\":3,\"amount\":\"250\",\"held\":\"300\",\"id\":\"3\",\"ref\":\"2\",\"content\":\"#\","
		"\"linked\":true}\n",
		"{\"batch\":4,\"seq\":9,\"time\":\"" AT "04.000000Z\",\"kind\":\"refuse\",\"id\":\"4\",\"content\":\"#\","
		"\"linked\":false,\"refused\":\"insufficient_funds\"}\n",
	};
	struct fb_store *s = store();
	size_t count = 0;
	struct page p;

	(void)state;
	CHECK_STATUS(FB_OK, fb_report_export(begin(&p), FB_REPORT_JSONL, s, NULL));
	CHECK(fclose(p.out) == 0);
	hide_digests(p.text);
	for (size_t i = 0; i < FB_COUNT(lines); i++)
		if (strstr(p.text, lines[i]) == NULL)
			fail_msg("printed:\n%s\nwhich lacks:\n%s", p.text, lines[i]);
	for (const char *c = p.text; *c != '\0'; c++)
		count += *c == '\n';
	CHECK(count == 13);
	free(p.text);
	fb_store_close(s);
}

static void export__to_a_full_disk__fails(void **state)
{
	struct fb_store *s = store();
	FILE *full = fopen("/dev/full", "w");
	struct fb_error e = { "" };

	(void)state;
	CHECK(full != NULL);
	CHECK_STATUS(FB_IO, fb_report_export(full, FB_REPORT_JSONL, s, &e));
	CHECK_STR("the report cannot be written: No space left on device", fb_str_of(e.text));
	fclose(full);
	fb_store_close(s);
}

/* Batch 2 with one byte wrong. */
static void damage(void)
{
	uint8_t key[FB_JOURNAL_KEY_LEN], value[1024];
	struct fb_put row = { .key = { (const char *)key, sizeof(key) }, .value.at = (const char *)value };
	struct fb_store *s;

	fb_journal_key(key, 2);
	CHECK_STATUS(FB_OK, fb_store_open(&s, data, NULL));
	CHECK_STATUS(FB_OK, fb_store_get_from(s, FB_FAMILY_JOURNAL, value, &row.value.len, sizeof(value), row.key));
	value[200] ^= 1;
	CHECK_STATUS(FB_OK, fb_store_commit(s, &row, NULL, 0));
	fb_store_close(s);
}

static void export__of_a_damaged_journal__stops_there(void **state)
{
	struct fb_error e = { "" };
	struct fb_store *s;
	struct page p;

	(void)state;
	damage();
	s = store();
	CHECK_STATUS(FB_STORAGE, fb_report_export(begin(&p), FB_REPORT_JSONL, s, &e));
	CHECK_STR("batch 2 of the journal is missing or damaged: run farebox ledger audit", fb_str_of(e.text));
	CHECK(fclose(p.out) == 0 && strstr(p.text, "\"seq\":3") != NULL && strstr(p.text, "\"seq\":4") == NULL);
	free(p.text);
	fb_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time__known_values__are_written_and_read),
		cmocka_unit_test(time__other_spellings__are_read),
		cmocka_unit_test(time__wrong_texts__are_refused),
		cmocka_unit_test(time__random_times__go_there_and_back),
		cmocka_unit_test(balances__of_an_owner__are_all_or_those_asked_for),
		cmocka_unit_test(balances__as_json__have_every_field),
		cmocka_unit_test(balances__of_nobody__are_not_found),
		cmocka_unit_test(trial_balance__of_all__has_totals),
		cmocka_unit_test(history__both_ways__goes_page_by_page),
		cmocka_unit_test(history__as_json__has_every_field),
		cmocka_unit_test(export__as_csv__has_every_record),
		cmocka_unit_test(export__as_jsonl__leaves_out_what_a_record_has_not),
		cmocka_unit_test(export__to_a_full_disk__fails),
		cmocka_unit_test(export__of_a_damaged_journal__stops_there), /* last: nothing mends it */
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
