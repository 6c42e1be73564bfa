/* Goal: the contract of farebox/backup.h. Method: a real ledger, in use and not in use, copied and turned back; copies
 * that are damaged afterwards; places where nothing is or something is already. (Under load: tests/bank/backup.py.) */
#include "fb_test_dir.h"
#include "farebox/backup.h"
#include "farebox/os.h"
#include "farebox/writer.h"
#include "fb_test.h"

#include <pthread.h>
#include <unistd.h>

enum { PATH_LEN = 128, RECORDS = 3 /* two accounts and a post */ };
static const struct fb_account_key escrow = { { { 1 } }, 1, FB_PURPOSE_ESCROW },
				   alice = { { { 2 } }, 1, FB_PURPOSE_AVAILABLE };

static struct fb_test_dir dir;
static char data[PATH_LEN], copy[PATH_LEN], restored[PATH_LEN];
static struct fb_audit_summary sum;
static struct fb_audit_finding finding;
static struct fb_error why;

static int setup(void **state)
{
	(void)state;
	memset(&why, 0, sizeof(why));
	if (!fb_test_dir_make(&dir))
		return -1;
	snprintf(data, sizeof(data), "%s/data", dir.path);
	snprintf(copy, sizeof(copy), "%s/copy", dir.path);
	snprintf(restored, sizeof(restored), "%s/restored", dir.path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return fb_test_dir_remove(&dir) ? 0 : -1;
}

/* ---- a ledger -------------------------------------------------------------------------------------------------- */
struct ledger {
	struct fb_store *store;
	struct fb_writer *writer;
};

static struct ledger open_ledger(const char *directory)
{
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng() };
	struct ledger l = { NULL, NULL };
	struct fb_error e = { "" };

	if (fb_writer_open_store(&l.store, directory, NULL, &e) != FB_OK ||
	    fb_writer_open(&l.writer, l.store, &settings, NULL, NULL, &e) != FB_OK)
		fail_msg("%s", e.text);
	return l;
}

static void close_ledger(struct ledger l)
{
	fb_writer_close(l.writer);
	fb_store_close(l.store);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	enum fb_status status;
	bool is_done;
};

static void done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->status = count == 1 ? results[0].status : status;
	w->is_done = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

/* With a row of the caller's, which a copy must have too. */
static void pay(struct ledger l, fb_id id)
{
	const struct fb_op op = { .kind = FB_OP_POST, .id = id, .debit = escrow, .leg_count = 1,
				  .legs = { { alice, { 5 } } } };
	const struct fb_put put = { .key = FB_STR("mine"), .value = FB_STR("kept") };
	struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };
	const struct fb_submission s = { .ops = &op, .op_count = 1, .puts = &put, .put_count = 1, .done = done, .arg = &w };

	fb_writer_submit(l.writer, &s);
	pthread_mutex_lock(&w.lock);
	while (!w.is_done)
		pthread_cond_wait(&w.done, &w.lock);
	pthread_mutex_unlock(&w.lock);
	CHECK_STATUS(FB_OK, w.status);
}

static void check_balance(struct ledger l, uint64_t want)
{
	struct fb_account a;

	CHECK_STATUS(FB_OK, fb_writer_balance(l.writer, &a, &alice));
	CHECK(a.counters.credits_posted.atoms == want);
}

static void check_row(struct ledger l)
{
	uint8_t value[8];
	size_t len = 0;

	CHECK_STATUS(FB_OK, fb_store_get(l.store, value, &len, sizeof(value), FB_STR("mine")));
	CHECK(len == 4 && memcmp(value, "kept", 4) == 0);
}

static struct fb_audit_settings settings(void)
{
	return (struct fb_audit_settings){ .clock = fb_os_clock(), .rng = fb_os_rng() };
}

static enum fb_status make(const char *from, const char *to)
{
	const struct fb_audit_settings how = settings();

	return fb_backup_make(&sum, &finding, from, to, &how, &why);
}

static enum fb_status restore(const char *from, const char *to)
{
	const struct fb_audit_settings how = settings();

	return fb_backup_restore(&sum, &finding, from, to, &how, &why);
}

/* ---- copies that are good -------------------------------------------------------------------------------------- */

static uint64_t epoch_of(const char *directory)
{
	struct fb_anchor anchor = { 0 };
	struct fb_store *s;

	CHECK_STATUS(FB_OK, fb_store_open_reader(&s, directory, NULL));
	CHECK_STATUS(FB_OK, fb_store_anchor(s, &anchor, NULL));
	fb_store_close(s);
	return anchor.epoch;
}

/* The copy, turned back, is the ledger as it was, and goes on. */
static void check_copy(void)
{
	struct ledger l;

	CHECK(sum.records == RECORDS && sum.anchor == sum.batches - 1);
	CHECK_STATUS(FB_OK, restore(copy, restored));
	CHECK(sum.records == RECORDS && sum.accounts == 2 && sum.ids == 1);
	CHECK(epoch_of(copy) == 1 && epoch_of(restored) == 2);
	l = open_ledger(restored);
	check_balance(l, 5);
	check_row(l);
	pay(l, 9);
	check_balance(l, 10);
	close_ledger(l);
}

static void make__while_nobody_uses_it__copies_all(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	close_ledger(l);
	CHECK_STATUS(FB_OK, make(data, copy));
	check_copy();
	l = open_ledger(data);
	check_balance(l, 5);
	close_ledger(l);
}

static void make__beside_its_owner__copies_what_was_acknowledged(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	CHECK_STATUS(FB_OK, make(data, copy));
	pay(l, 2);
	check_copy();
	check_balance(l, 10);
	close_ledger(l);
}

static void make__of_an_empty_ledger__is_a_ledger(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	CHECK_STATUS(FB_OK, make(data, copy));
	close_ledger(l);
	CHECK_STATUS(FB_OK, restore(copy, restored));
	CHECK(sum.records == 0);
	close_ledger(open_ledger(restored));
}

static void restore__into_an_empty_directory__uses_it(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	close_ledger(l);
	CHECK_STATUS(FB_OK, make(data, copy));
	CHECK(mkdir(restored, 0700) == 0);
	check_copy();
}

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static void check_why(const char *part)
{
	if (strstr(why.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.text, part);
}

static void make__where_something_is__is_a_conflict(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	CHECK(mkdir(copy, 0700) == 0);
	CHECK_STATUS(FB_CONFLICT, make(data, copy)); /* in use */
	check_why(copy);
	close_ledger(l);
	CHECK_STATUS(FB_CONFLICT, make(data, copy)); /* not in use */
	check_why(copy);
}

static void make__of_nothing__fails_and_makes_nothing(void **state)
{
	(void)state;
	CHECK_STATUS(FB_STORAGE, make(data, copy));
	check_why(data);
	CHECK(access(data, F_OK) != 0 && access(copy, F_OK) != 0);
}

static void restore__over_a_ledger__is_a_conflict(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	CHECK_STATUS(FB_OK, make(data, copy));
	CHECK_STATUS(FB_CONFLICT, restore(copy, data));
	check_why("is not empty");
	check_balance(l, 5);
	close_ledger(l);
}

static void restore__of_nothing__fails(void **state)
{
	(void)state;
	CHECK(restore(copy, restored) != FB_OK);
	check_why(copy);
	CHECK(access(restored, F_OK) != 0);
}

/* Changes one byte of the post, and of what was hashed nothing. */
static void damage(const char *directory)
{
	uint8_t key[FB_JOURNAL_KEY_LEN], value[4096];
	struct fb_put row = { .key = { (const char *)key, sizeof(key) }, .value.at = (const char *)value };
	struct fb_store *s;

	fb_journal_key(key, 1);
	CHECK_STATUS(FB_OK, fb_store_open(&s, directory, NULL));
	CHECK_STATUS(FB_OK, fb_store_get_from(s, FB_FAMILY_JOURNAL, value, &row.value.len, sizeof(value), row.key));
	value[200] ^= 1;
	CHECK_STATUS(FB_OK, fb_store_commit(s, &row, NULL, 0));
	fb_store_close(s);
}

static void restore__of_a_damaged_copy__says_what_is_wrong(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	close_ledger(l);
	CHECK_STATUS(FB_OK, make(data, copy));
	damage(copy);
	CHECK_STATUS(FB_MISMATCH, restore(copy, restored));
	CHECK(finding.check == FB_AUDIT_BATCH_BYTES && finding.batch == 1);
}

static void make__of_a_damaged_ledger__says_what_is_wrong(void **state)
{
	struct ledger l = open_ledger(data);

	(void)state;
	pay(l, 1);
	close_ledger(l);
	damage(data);
	CHECK_STATUS(FB_MISMATCH, make(data, copy));
	CHECK(finding.check == FB_AUDIT_BATCH_BYTES && finding.batch == 1);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(make__while_nobody_uses_it__copies_all),
		IN_DIR(make__beside_its_owner__copies_what_was_acknowledged),
		IN_DIR(make__of_an_empty_ledger__is_a_ledger),
		IN_DIR(restore__into_an_empty_directory__uses_it),
		IN_DIR(make__where_something_is__is_a_conflict),
		IN_DIR(make__of_nothing__fails_and_makes_nothing),
		IN_DIR(restore__over_a_ledger__is_a_conflict),
		IN_DIR(restore__of_nothing__fails),
		IN_DIR(restore__of_a_damaged_copy__says_what_is_wrong),
		IN_DIR(make__of_a_damaged_ledger__says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
