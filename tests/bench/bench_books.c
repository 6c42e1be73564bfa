/* What the books cost: nanoseconds an operation, the longest pause, bytes an account; for 10^3 to 10^7 accounts (or as
 * many as the arguments say); then bytes a remembered id and an open hold, and nanoseconds a replayed record. A pair is
 * a hold and its capture, 90 % to one of the accounts and 10 % to the fees, of random accounts; 1,000 holds are open
 * between. The id index is empty and costs nothing here. Times are of the processor, so that what else the machine does
 * counts less. */
#include "farebox/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USDC = 1, PAIRS = 1000000, OPEN = 1000, IDS_KEPT = 1000000, FUNDS = 1000000 };

struct run {
	struct fb_books *books;
	uint8_t *records;
	struct fb_op ops[2 * OPEN];
	struct fb_op_result results[2 * OPEN];
	fb_id next_id;
	uint64_t random, accounts;
	uint64_t longest_ns; /* of one submission */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t draw(struct run *r, uint64_t below)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % below;
}

static struct fb_account_key key_of(uint64_t n, enum fb_purpose purpose)
{
	struct fb_account_key key = { .asset = USDC, .purpose = purpose };

	for (size_t i = 0; i < 16; i += 8) {
		n = (n + 1) * 0x9e3779b97f4a7c15u;
		n ^= n >> 31;
		memcpy(key.owner.bytes + i, &n, 8);
	}
	return key;
}

/* Client ids are random to the hash tables' eye. */
static fb_id new_id(struct run *r)
{
	r->next_id += FB_U128(0x9e3779b97f4a7c15u, 0x6a09e667f3bcc909u);
	return r->next_id;
}

/* One submission; a batch ends with each, as if the writer were never behind. */
static void submit(struct run *r, size_t at, size_t count)
{
	uint32_t records = 0;
	enum fb_status st = fb_books_run(r->books, r->results + at, r->records, &records, r->ops + at, count, 1);

	FB_ASSERT(st == FB_OK);
	for (size_t i = at; i < at + count; i++)
		FB_ASSERT(r->results[i].status == FB_OK);
}

static void expect(struct run *r, size_t at, size_t count)
{
	const struct fb_op *soon[FB_EXPECT_MAX];
	size_t n = 0;

	for (; n < FB_EXPECT_MAX && at + n < count; n++)
		soon[n] = &r->ops[at + n];
	fb_books_expect(r->books, soon, n);
}

/* `at_once` operations a submission; `expected`: as a server does it that knows what waits in its queue. */
static uint64_t submit_all(struct run *r, size_t count, size_t at_once, bool expected)
{
	uint64_t start = now_ns();

	for (size_t i = 0; i < count; i += at_once) {
		if (expected && i % FB_EXPECT_MAX == 0)
			expect(r, i, count);
		submit(r, i, count - i < at_once ? count - i : at_once);
	}
	return now_ns() - start;
}

/* As above, one by one, each on the clock. */
static void submit_timed(struct run *r, size_t count)
{
	uint64_t last = now_ns(), now;

	for (size_t i = 0; i < count; i++, last = now) {
		submit(r, i, 1);
		now = now_ns();
		r->longest_ns = now - last > r->longest_ns ? now - last : r->longest_ns;
	}
}

static void forget(struct run *r)
{
	if (fb_books_seq(r->books) > IDS_KEPT)
		fb_books_forget_ids(r->books, fb_books_seq(r->books) - IDS_KEPT);
}

static void open_books(struct run *r)
{
	fb_books_close(r->books);
	fb_books_open(&r->books, (struct fb_id_index){ NULL, NULL, NULL },
		      (struct fb_books_settings){ .seed = 0x1234567890abcdef });
}

static uint64_t fill(struct run *r, bool timed)
{
	const struct fb_account_key world = key_of(0, FB_PURPOSE_WORLD);
	uint64_t ns = 0;

	open_books(r);
	for (uint64_t done = 0; done < r->accounts;) {
		size_t n = r->accounts - done < OPEN ? r->accounts - done : OPEN;

		for (size_t i = 0; i < n; i++, done++)
			r->ops[i] = (struct fb_op){ .kind = FB_OP_POST, .id = new_id(r), .debit = world,
				.legs = { { key_of(done + 1, FB_PURPOSE_AVAILABLE), { FUNDS } } }, .leg_count = 1 };
		if (timed)
			submit_timed(r, n);
		else
			ns += submit_all(r, n, 1, false);
		forget(r);
	}
	return ns / r->accounts;
}

static void make_pairs(struct run *r)
{
	const struct fb_account_key fees = key_of(1, FB_PURPOSE_FEES);

	for (size_t i = 0; i < OPEN; i++) {
		struct fb_op *hold = &r->ops[i], *capture = &r->ops[OPEN + i];
		uint64_t payer = draw(r, r->accounts), payee = (payer + 1 + draw(r, r->accounts - 1)) % r->accounts;

		*hold = (struct fb_op){ .kind = FB_OP_HOLD, .id = new_id(r), .amount = { 10 }, .expires_us = 1000000,
			.debit = key_of(payer + 1, FB_PURPOSE_AVAILABLE) };
		*capture = (struct fb_op){ .kind = FB_OP_CAPTURE, .id = new_id(r), .ref = hold->id,
			.legs = { { key_of(payee + 1, FB_PURPOSE_AVAILABLE), { 9 } }, { fees, { 1 } } }, .leg_count = 2 };
	}
}

static uint64_t pair_ns(struct run *r, size_t at_once, bool expected)
{
	uint64_t ns = 0;

	for (size_t done = 0; done < PAIRS; done += OPEN) {
		make_pairs(r);
		ns += submit_all(r, (size_t)2 * OPEN, at_once, expected);
		forget(r);
	}
	return ns / PAIRS;
}

static uint64_t resident(void)
{
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%*u %llu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * 4096;
}

static void row(uint64_t accounts)
{
	struct run *r = fb_must_alloc(1, sizeof(*r));
	uint64_t before = resident(), open_ns, alone_ns, expected_ns, many_ns, memory;

	r->accounts = accounts;
	r->random = 0x2545f4914f6cdd1d;
	r->records = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	fill(r, true);
	open_ns = fill(r, false);
	memory = fb_books_memory(r->books);
	alone_ns = pair_ns(r, 1, false);
	expected_ns = pair_ns(r, 1, true);
	many_ns = pair_ns(r, 500, false);
	printf("%9llu accounts  open+post %4llu ns  pair: alone %4llu ns, expected %4llu ns, 250 at once %4llu ns"
	       "  longest %6.3f ms  %4llu bytes/account (resident %4llu)\n", (unsigned long long)accounts,
	       (unsigned long long)open_ns, (unsigned long long)alone_ns, (unsigned long long)expected_ns,
	       (unsigned long long)many_ns, (double)r->longest_ns / 1e6,
	       (unsigned long long)(memory / accounts), (unsigned long long)((resident() - before) / accounts));
	fflush(stdout);
	fb_books_close(r->books);
	free(r->records);
	free(r);
}

/* ---- ids, holds, replay ----------------------------------------------------------------------------------------- */
enum { MANY = 1000000, REPLAYED = 100000 /* accounts, and as many holds */ };

static void make_one(struct run *r, bool hold, uint64_t n)
{
	const struct fb_account_key world = key_of(0, FB_PURPOSE_WORLD);

	r->ops[0] = (struct fb_op){ .kind = hold ? FB_OP_HOLD : FB_OP_POST, .id = new_id(r), .debit = world,
		.leg_count = !hold, .legs = { { key_of(n, FB_PURPOSE_AVAILABLE), { 1 } } }, .amount = { 1 },
		.expires_us = (int64_t)(1000000 + n) };
}

static size_t bytes_of(struct run *r, bool hold)
{
	size_t before = fb_books_memory(r->books);

	for (uint64_t n = 1; n <= MANY; n++) {
		make_one(r, hold, n);
		r->ops[0].legs[0].credit = key_of(1, FB_PURPOSE_AVAILABLE);
		submit(r, 0, 1);
	}
	return (fb_books_memory(r->books) - before) / MANY;
}

static uint64_t replay_ns(const uint8_t *records, size_t count)
{
	uint64_t start = now_ns();
	struct fb_books *b;

	fb_books_open(&b, (struct fb_id_index){ NULL, NULL, NULL }, (struct fb_books_settings){ .seed = 99 });
	for (size_t i = 0; i < count; i++) {
		struct fb_record record;
		enum fb_status st = fb_record_decode(&record, records + i * FB_RECORD_LEN);

		FB_ASSERT(st == FB_OK);
		st = fb_books_replay(b, &record);
		FB_ASSERT(st == FB_OK);
	}
	start = now_ns() - start;
	fb_books_close(b);
	return start / count;
}

/* Of accounts that are opened and get money, and of holds. */
static uint64_t replay(struct run *r)
{
	uint8_t *all = fb_must_alloc(3 * (size_t)REPLAYED + 1, FB_RECORD_LEN), *batch = r->records;
	uint64_t ns;

	open_books(r);
	for (uint64_t n = 1; n <= 2 * (uint64_t)REPLAYED; n++) {
		r->records = all + fb_books_seq(r->books) * FB_RECORD_LEN;
		make_one(r, n > REPLAYED, n);
		submit(r, 0, 1);
	}
	ns = replay_ns(all, fb_books_seq(r->books));
	r->records = batch;
	free(all);
	return ns;
}

static void details(void)
{
	struct run *r = fb_must_alloc(1, sizeof(*r));
	size_t id, hold;

	r->records = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	open_books(r);
	id = bytes_of(r, false);
	hold = bytes_of(r, true) - id;
	printf("%d remembered ids: %zu bytes each; as many open holds: %zu bytes each; a replayed record: %llu ns\n", MANY,
	       id, hold, (unsigned long long)replay(r));
	fb_books_close(r->books);
	free(r->records);
	free(r);
}

int main(int argc, char **argv)
{
	static const uint64_t sizes[] = { 1000, 10000, 100000, 1000000, 10000000 };

	for (int i = 1; i < argc; i++)
		row(strtoull(argv[i], NULL, 10));
	for (size_t i = 0; i < FB_COUNT(sizes) && argc == 1; i++)
		row(sizes[i]);
	details();
	return 0;
}
