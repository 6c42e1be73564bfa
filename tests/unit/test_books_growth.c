/* Goal: tables and arrays grow without losing anything, and balances may be read meanwhile. Method: many accounts and
 * holds, all of them looked up again while a table grows; threads that read accounts of which they know what must hold
 * at every moment, while they change and new ones are opened (the thread sanitizer watches). */
#include "test_books.h"

#include <pthread.h>
#include <stdatomic.h>

static struct fb_account_key key_of(uint64_t n)
{
	struct fb_account_key key = { .asset = USDC, .purpose = FB_PURPOSE_AVAILABLE };

	memcpy(key.owner.bytes + n % 12, &n, sizeof(n));
	return key;
}

static void run(struct fb_books *b, uint8_t *batch, const struct fb_op *ops, size_t count)
{
	struct fb_op_result r[8];
	uint32_t records = 0;

	CHECK(count <= FB_COUNT(r));
	CHECK_STATUS(FB_OK, fb_books_run(b, r, batch, &records, ops, count, 1000));
	for (size_t i = 0; i < count; i++)
		CHECK_STATUS(FB_OK, r[i].status);
}

static void check_all_accounts(const struct fb_books *b, uint64_t count)
{
	for (uint64_t n = 1; n <= count + 50; n++) {
		const struct fb_account_key key = key_of(n);
		struct fb_account a;

		CHECK_STATUS(n <= count ? FB_OK : FB_NOT_FOUND, fb_books_balance(b, &a, &key));
		CHECK(n > count || (a.number == n + 1 && a.counters.credits_posted.atoms == n));
	}
}

enum { ACCOUNTS = 60000, HOLDS = 20000 };

static void growth__of_accounts__finds_all_at_every_size(void **state)
{
	uint8_t *batch = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	uint64_t check_at = 1;
	struct fb_books *b;

	(void)state;
	fb_books_open(&b, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = fb_test_seed() });
	for (uint64_t n = 1; n <= ACCOUNTS; n++) {
		struct fb_op op = op_post(n, world, key_of(n), n);

		run(b, batch, &op, 1);
		if (n == check_at || n == ACCOUNTS) {
			check_all_accounts(b, n);
			check_at += 1 + check_at / 9;
		}
	}
	CHECK(fb_books_memory(b) / ACCOUNTS < 128 + 40 + 70); /* an account, its place in the table, and an id */
	fb_books_close(b);
	free(batch);
}

static bool by_age(void *arg, const struct fb_hold *h)
{
	uint64_t *last = arg;

	CHECK(h->seq > *last);
	*last = h->seq;
	return true;
}

/* Opened, and ended from the front, the back and the middle, so that all tables shrink and grow in between. */
static void growth__of_holds__ends_each_once(void **state)
{
	uint8_t *batch = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	struct fb_op post = op_post(1, world, alice, HOLDS);
	struct fb_books *b;
	size_t open = 0, full;
	uint64_t last = 0;

	(void)state;
	fb_books_open(&b, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = fb_test_seed() });
	run(b, batch, &post, 1);
	for (fb_id i = 0; i < HOLDS; i++, open++) {
		struct fb_op ops[2] = { op_hold(100 + i, alice, 1, 5000 + (int64_t)(i % 1000)),
					op_release(1000000 + i, 100 + i / 2) };

		run(b, batch, ops, i % 2 == 0 && i % 3 == 0 ? 2 : 1);
		open -= i % 6 == 0;
	}
	fb_books_each_hold(b, 0, by_age, &last);
	CHECK(count_holds(b, 0) == open && count_holds(b, 2) == open);
	full = fb_books_memory(b);
	for (uint32_t records = 0; open > 0; records = 0) {
		size_t n = fb_books_expire(b, batch, &records, 9999, 1000);

		CHECK(n > 0 && n <= open);
		open -= n;
	}
	CHECK(count_holds(b, 0) == 0 && fb_books_next_expiry(b) == INT64_MAX);
	for (fb_id i = 0; i < HOLDS / 2; i++) { /* in the slots of the old ones */
		struct fb_op op = op_hold(2000000 + i, alice, 1, 0);

		run(b, batch, &op, 1);
	}
	CHECK(fb_books_memory(b) < full + full / 2);
	fb_books_close(b);
	free(batch);
}

/* ---- readers ---------------------------------------------------------------------------------------------------- */
enum { READERS = 3, OPENED = 20000, CHANGES = 40000, HOT = 3 /* the number of key_of(1) */ };
struct shared {
	struct fb_books *books;
	_Atomic uint64_t opened; /* accounts 1..opened are there */
	_Atomic bool stop;
	_Atomic unsigned content; /* readers that saw nothing wrong */
};

/* What comes in goes out in the same chain: never the one without the other. */
static bool is_balanced(const struct fb_account *a)
{
	return a->counters.debits_posted.atoms == a->counters.credits_posted.atoms && a->counters.debits_pending.atoms == 0;
}

/* The account that changes most, as fast as it can be read. */
static bool read_hot(const struct shared *s, uint64_t *last_seq)
{
	struct fb_account a;

	for (int i = 0; i < 50; i++) {
		if (fb_books_account(s->books, &a, HOT) != FB_OK || !is_balanced(&a) || a.last_seq < *last_seq)
			return false;
		*last_seq = a.last_seq;
	}
	return true;
}

/* Any account that is there is found, by its key and by its number, while the table that leads to it grows. */
static bool read_any(const struct shared *s, uint64_t n)
{
	uint64_t pick = 1 + n * 7919 % atomic_load(&s->opened);
	const struct fb_account_key key = key_of(pick);
	struct fb_account a;

	return fb_books_balance(s->books, &a, &key) == FB_OK && is_balanced(&a) && a.number == pick + 2 &&
	       fb_books_account(s->books, &a, 1 + n % fb_books_account_count(s->books)) == FB_OK;
}

static void *read_balances(void *arg)
{
	struct shared *s = arg;
	uint64_t last_seq = 0;
	bool good = true;

	for (uint64_t n = 0; good && !atomic_load(&s->stop); n++)
		good = read_hot(s, &last_seq) && read_any(s, n);
	atomic_fetch_add(&s->content, good);
	return NULL;
}

static void through(struct fb_op ops[2], fb_id id, const struct fb_account_key *key, fb_u128 amount)
{
	ops[0] = op_post(id, world, *key, amount);
	ops[1] = op_post(id + 1, *key, fees, amount);
	ops[0].linked = true;
}

static void readers__beside_the_owner__see_whole_accounts(void **state)
{
	uint8_t *batch = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	struct shared s = { .opened = 0 };
	pthread_t threads[READERS];
	fb_id id = 1;

	(void)state;
	fb_books_open(&s.books, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = 3 });
	run(s.books, batch, (struct fb_op[]){ op_account(world, true), op_account(fees, false) }, 2);
	for (uint64_t n = 1; n <= OPENED + CHANGES; n++, id += 2) {
		const struct fb_account_key key = key_of(n <= OPENED ? n : 1);
		fb_u128 amount = n % 2 == 0 ? FB_U128(n, 1) : n; /* both halves of a counter change */
		struct fb_op ops[2];

		through(ops, id, &key, amount);
		run(s.books, batch, ops, 2);
		if (n <= OPENED)
			atomic_store(&s.opened, n);
		for (int i = 0; n == 8 && i < READERS; i++)
			CHECK(pthread_create(&threads[i], NULL, read_balances, &s) == 0);
	}
	atomic_store(&s.stop, true);
	for (int i = 0; i < READERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(atomic_load(&s.content) == READERS);
	fb_books_close(s.books);
	free(batch);
}

int test_books_growth(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(growth__of_accounts__finds_all_at_every_size),
		cmocka_unit_test(growth__of_holds__ends_each_once),
		cmocka_unit_test(readers__beside_the_owner__see_whole_accounts),
	};
	return cmocka_run_group_tests_name("books_growth", tests, NULL, NULL);
}
