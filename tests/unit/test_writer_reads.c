/* Goal: every read says what a naive reading of the journal says, whatever is folded and whatever is in the tail,
 * across restarts and after derived rows were made again. Method: random operations with folds after every few of
 * them; the journal is read whole after each burst and compared with all reads. */
#include "test_writer_model.h"

#include <pthread.h>
#include <semaphore.h>

struct burst {
	sem_t came;
	unsigned failed;
};

static void on_done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct burst *b = arg;

	(void)results, (void)count;
	b->failed += status != FB_OK;
	sem_post(&b->came);
}

/* Several submissions, all answered. */
static void run_burst(struct world *w, struct drawer *d, unsigned submissions)
{
	struct burst b = { .failed = 0 };

	CHECK(sem_init(&b.came, 0, 0) == 0);
	for (unsigned i = 0; i < submissions; i++) {
		struct fb_op ops[8];
		struct fb_submission s = { .ops = ops, .done = on_done, .arg = &b };

		d->now_us = atomic_fetch_add(&w->now_us, (int64_t)draw(d, 200));
		s.op_count = draw_ops(d, ops, FB_COUNT(ops));
		fb_writer_submit(w->writer, &s);
	}
	for (unsigned i = 0; i < submissions; i++)
		CHECK(sem_wait(&b.came) == 0);
	CHECK(b.failed == 0);
	sem_destroy(&b.came);
}

/* ---- comparisons --------------------------------------------------------------------------------------------- */

static void check_balances(struct world *w, const struct model *m)
{
	struct fb_account_key unknown = model_key(99, 0, FB_PURPOSE_AVAILABLE);
	struct fb_account a;

	CHECK_STATUS(FB_NOT_FOUND, fb_writer_balance(w->writer, &a, &unknown));
	for (uint64_t n = 1; n <= m->accounts; n++) {
		struct fb_counters want;

		CHECK(model_counters(m, &want, n, m->count));
		CHECK_STATUS(FB_OK, fb_writer_balance(w->writer, &a, &m->keys[n]));
		CHECK(a.number == n && a.last_seq <= m->count && counters_eq(&a.counters, &want));
	}
}

static void check_balance_at(struct world *w, const struct model *m, struct drawer *d)
{
	for (unsigned i = 0; i < 200; i++) {
		uint64_t n = 1 + draw(d, m->accounts), seq = draw(d, m->count + 3);
		struct fb_counters want;
		struct fb_account a;
		bool open = model_counters(m, &want, n, seq);

		CHECK_STATUS(open ? FB_OK : FB_NOT_FOUND, fb_writer_balance_at(w->writer, &a, &m->keys[n], seq));
		CHECK(!open || (counters_eq(&a.counters, &want) && a.last_seq <= seq));
	}
}

static void check_balance_at_time(struct world *w, const struct model *m, struct drawer *d)
{
	for (unsigned i = 0; i < 100; i++) {
		uint64_t n = 1 + draw(d, m->accounts), seq = 0;
		int64_t time_us = m->lines[1 + draw(d, m->count)].time_us + (int64_t)draw(d, 3) - 1;
		struct fb_counters want;
		struct fb_account a;
		bool open;

		while (seq < m->count && m->lines[seq + 1].time_us <= time_us)
			seq++;
		open = model_counters(m, &want, n, seq);
		CHECK_STATUS(open ? FB_OK : FB_NOT_FOUND,
			     fb_writer_balance_at_time(w->writer, &a, &m->keys[n], time_us));
		CHECK(!open || counters_eq(&a.counters, &want));
	}
}

static void check_line(const struct model *m, const struct fb_history_line *got, uint64_t account, uint64_t seq)
{
	const struct model_line *want = &m->lines[seq];
	uint8_t a[FB_RECORD_LEN], b[FB_RECORD_LEN];

	CHECK(got->record.seq == seq && got->time_us == want->time_us);
	CHECK(counters_eq(&got->after, &want->after[want->record.debit == account ? 0 : 1]));
	fb_record_encode(a, &got->record);
	fb_record_encode(b, &want->record);
	CHECK(memcmp(a, b, sizeof(a)) == 0);
}

/* The next record of the account from seq on, or back; 0: none. */
static uint64_t next_of(const struct model *m, uint64_t account, uint64_t seq, bool back)
{
	for (; seq >= 1 && seq <= m->count; seq = back ? seq - 1 : seq + 1)
		if (m->lines[seq].record.debit == account || m->lines[seq].record.credit == account)
			return seq;
	return 0;
}

static void check_history(struct world *w, const struct model *m, struct drawer *d)
{
	for (unsigned i = 0; i < 60; i++) {
		struct fb_history_line lines[40];
		size_t count = 99, cap = draw(d, FB_COUNT(lines) + 1);
		bool newest_first = draw(d, 2) == 0;
		uint64_t n = 1 + draw(d, m->accounts), cursor = draw(d, 3) == 0 ? 0 : draw(d, m->count + 2), seq;

		CHECK_STATUS(FB_OK, fb_writer_history(w->writer, lines, &count, cap, &m->keys[n], cursor, newest_first));
		seq = !newest_first ? cursor + 1 : cursor == 0 || cursor > m->count ? m->count : cursor - 1;
		for (size_t k = 0; k < count; k++, seq = newest_first ? seq - 1 : seq + 1) {
			seq = next_of(m, n, seq, newest_first);
			check_line(m, &lines[k], n, seq);
		}
		CHECK(count == cap || next_of(m, n, seq, newest_first) == 0);
	}
}

static void check_transfers(struct world *w, const struct model *m)
{
	struct fb_transfer t;

	CHECK_STATUS(FB_NOT_FOUND, fb_writer_transfer(w->writer, &t, 2));
	for (uint64_t seq = 1; seq <= m->count; seq += 1 + seq % 7) {
		const struct fb_record *r = &m->lines[seq].record;
		bool undone = false;

		if (r->id == 0 || r->kind == FB_RECORD_LEG)
			continue;
		for (uint64_t s = seq; s <= m->count; s++)
			undone |= m->lines[s].record.ref == r->id && (m->lines[s].record.kind == FB_RECORD_EXPIRE ||
								      m->lines[s].record.kind == FB_RECORD_REVERSE);
		CHECK_STATUS(FB_OK, fb_writer_transfer(w->writer, &t, r->id));
		CHECK(t.record.seq == seq && t.record.kind == r->kind && t.time_us == m->lines[seq].time_us);
		CHECK(t.undone == undone);
	}
}

/* Page by page, of one account or of all. */
static void check_holds(struct world *w, const struct model *m, uint64_t account, size_t cap)
{
	struct fb_hold page[16], last = { 0 };
	size_t count, seen = 0, want = 0;

	do {
		CHECK_STATUS(FB_OK, fb_writer_holds(w->writer, page, &count, cap, account == 0 ? NULL : &m->keys[account],
						    seen == 0 ? NULL : &last));
		for (size_t i = 0; i < count; i++) {
			const struct fb_record *r = &m->lines[page[i].seq].record;

			CHECK(page[i].account > last.account || (page[i].account == last.account && page[i].id > last.id));
			CHECK(r->id == page[i].id && r->debit == page[i].account && r->amount.atoms == page[i].amount.atoms);
			CHECK(r->expires_us == page[i].expires_us && r->content == page[i].content);
			CHECK((account == 0 || r->debit == account) && model_hold_is_open(m, r));
			last = page[i];
		}
		seen += count;
	} while (count == cap);
	for (uint64_t seq = 1; seq <= m->count; seq++)
		want += (account == 0 || m->lines[seq].record.debit == account) &&
			model_hold_is_open(m, &m->lines[seq].record);
	CHECK(seen == want);
}

static void check_trial_balance(struct world *w, const struct model *m)
{
	struct fb_trial_row rows[64];
	struct fb_amount debits[MODEL_ASSETS + 1] = { { 0 } }, credits[MODEL_ASSETS + 1] = { { 0 } };
	size_t count = 0;
	uint64_t accounts = 0, seq;

	CHECK_STATUS(FB_OK, fb_writer_trial_balance(w->writer, rows, &count, FB_COUNT(rows), &seq));
	CHECK(seq == m->count);
	for (size_t i = 0; i < count; i++) {
		struct fb_counters sums = { .debits_posted = { 0 } }, one;
		uint64_t of_row = 0;

		for (uint64_t n = 1; n <= m->accounts; n++)
			if (m->keys[n].asset == rows[i].asset && m->keys[n].purpose == rows[i].purpose) {
				CHECK(model_counters(m, &one, n, m->count));
				sums.debits_posted.atoms += one.debits_posted.atoms;
				sums.debits_pending.atoms += one.debits_pending.atoms;
				sums.credits_posted.atoms += one.credits_posted.atoms;
				of_row++;
			}
		CHECK(of_row == rows[i].accounts && counters_eq(&sums, &rows[i].sums));
		accounts += of_row;
		debits[rows[i].asset].atoms += sums.debits_posted.atoms;
		credits[rows[i].asset].atoms += sums.credits_posted.atoms;
	}
	CHECK(accounts == m->accounts);
	for (unsigned asset = 1; asset <= MODEL_ASSETS; asset++)
		CHECK(debits[asset].atoms == credits[asset].atoms); /* B1 */
	CHECK(count < 2 || fb_writer_trial_balance(w->writer, rows, &count, 1, &seq) == FB_TOO_MANY);
}

static void check_all(struct world *w, struct drawer *d)
{
	struct model m;

	model_read(&m, w->store);
	CHECK(fb_writer_seq(w->writer) == m.count);
	check_balances(w, &m);
	check_balance_at(w, &m, d);
	check_balance_at_time(w, &m, d);
	check_history(w, &m, d);
	check_transfers(w, &m);
	check_holds(w, &m, 0, 1 + draw(d, 16));
	check_holds(w, &m, 1 + draw(d, m.accounts), 1 + draw(d, 16));
	check_trial_balance(w, &m);
	model_free(&m);
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void reopen(struct world *w, uint32_t snapshot_every)
{
	test_writer_close(w);
	w->snapshot_every = snapshot_every;
	test_writer_open(w);
}

static void reads__random_operations_and_folds__agree_with_the_journal(void **state)
{
	struct world *w = *state;
	struct drawer d = { .random = 88172645463325252u ^ fb_test_seed() << 20, .next_id = 1 };

	reopen(w, 64);
	for (unsigned round = 0; round < 25; round++) {
		run_burst(w, &d, 1 + (unsigned)draw(&d, 150));
		check_all(w, &d);
		if (draw(&d, 3) == 0)
			reopen(w, draw(&d, 3) == 0 ? 0 : 64); /* with and without folds */
	}
	CHECK(fb_writer_seq(w->writer) > 2000); /* a run that tested nothing is no success */
}

static void reads__derived_rows_thrown_away__are_made_again(void **state)
{
	struct world *w = *state;
	struct drawer d = { .random = 362436069u ^ fb_test_seed() << 20, .next_id = 1 };
	struct fb_error e;

	reopen(w, 100);
	run_burst(w, &d, 400);
	fb_writer_close(w->writer);
	CHECK_STATUS(FB_OK, fb_store_clear_derived(w->store, &e));
	fb_store_close(w->store);
	test_writer_open(w);
	check_all(w, &d);
	run_burst(w, &d, 50);
	check_all(w, &d);
}

/* ---- while the writer works ------------------------------------------------------------------------------------ */

struct reader {
	struct world *w;
	atomic_bool stop;
	unsigned reads;
};

/* What is read at any moment is of one moment. */
static void *read_all_the_time(void *arg)
{
	struct reader *r = arg;
	struct fb_account_key key = model_key(1, 0, FB_PURPOSE_AVAILABLE);

	while (!atomic_load(&r->stop)) {
		struct fb_history_line lines[20];
		struct fb_trial_row rows[64];
		struct fb_amount debits = { 0 }, credits = { 0 };
		struct fb_account a;
		uint64_t seq;
		size_t count;

		if (fb_writer_balance(r->w->writer, &a, &key) == FB_OK) {
			FB_ASSERT(a.last_seq <= fb_writer_seq(r->w->writer));
			FB_ASSERT(FB_OK == fb_writer_history(r->w->writer, lines, &count, 20, &key, 0, true));
			FB_ASSERT(count > 0 && lines[0].record.seq >= a.last_seq);
			for (size_t i = 1; i < count; i++)
				FB_ASSERT(lines[i].record.seq < lines[i - 1].record.seq);
		}
		FB_ASSERT(FB_OK == fb_writer_trial_balance(r->w->writer, rows, &count, 64, &seq));
		for (size_t i = 0; i < count; i++) {
			debits.atoms += rows[i].sums.debits_posted.atoms;
			credits.atoms += rows[i].sums.credits_posted.atoms;
		}
		FB_ASSERT(debits.atoms == credits.atoms); /* B1 */
		r->reads++;
	}
	return NULL;
}

static void reads__while_written_and_folded__see_one_moment(void **state)
{
	struct world *w = *state;
	struct drawer d = { .random = 521288629u ^ fb_test_seed() << 20, .next_id = 1 };
	struct reader readers[2];
	pthread_t threads[2];

	reopen(w, 50);
	for (unsigned i = 0; i < 2; i++) {
		readers[i] = (struct reader){ .w = w };
		CHECK(pthread_create(&threads[i], NULL, read_all_the_time, &readers[i]) == 0);
	}
	for (unsigned i = 0; i < 20; i++)
		run_burst(w, &d, 60);
	for (unsigned i = 0; i < 2; i++) {
		atomic_store(&readers[i].stop, true);
		pthread_join(threads[i], NULL);
		CHECK(readers[i].reads > 5);
	}
	check_all(w, &d);
}

int test_writer_reads(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, test_writer_setup, test_writer_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(reads__random_operations_and_folds__agree_with_the_journal),
		IN_WORLD(reads__derived_rows_thrown_away__are_made_again),
		IN_WORLD(reads__while_written_and_folded__see_one_moment),
	};

	return cmocka_run_group_tests_name("writer: reads", tests, NULL, NULL);
}
