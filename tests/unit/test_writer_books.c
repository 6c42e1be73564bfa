/* Goal: operations through the writer: answers, rows beside them, what stays refused, expiry, batches and their limits.
 * Method: a real store, the journal read back; the clock stands still unless the test moves it. */
#include "test_writer_model.h"

#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

struct reply {
	sem_t came;
	enum fb_status status;
	struct fb_op_result results[FB_SUBMIT_OPS_MAX];
	size_t count;
	pthread_t thread;
};

static void on_reply(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct reply *r = arg;

	r->status = status;
	r->count = count;
	r->thread = pthread_self();
	if (count > 0)
		memcpy(r->results, results, count * sizeof(results[0]));
	sem_post(&r->came);
}

/* Submits and waits. */
static void submit(struct world *w, struct reply *r, struct fb_submission s)
{
	CHECK(sem_init(&r->came, 0, 0) == 0);
	s.done = on_reply;
	s.arg = r;
	fb_writer_submit(w->writer, &s);
	CHECK(sem_wait(&r->came) == 0);
	sem_destroy(&r->came);
}

static struct fb_op post(fb_id id, unsigned from, unsigned to, uint64_t amount)
{
	struct fb_op op = { .kind = FB_OP_POST, .id = id, .leg_count = 1 };

	op.debit = model_key(from, 0, from == 0 ? FB_PURPOSE_WORLD : FB_PURPOSE_AVAILABLE);
	op.legs[0] = (struct fb_leg){ model_key(to, 0, FB_PURPOSE_AVAILABLE), { amount } };
	return op;
}

static struct fb_op hold(fb_id id, unsigned owner, uint64_t amount, int64_t expires_us)
{
	return (struct fb_op){ .kind = FB_OP_HOLD, .id = id, .debit = model_key(owner, 0, FB_PURPOSE_AVAILABLE),
			       .amount = { amount }, .expires_us = expires_us };
}

static struct fb_op capture(fb_id id, fb_id ref, unsigned to, uint64_t amount)
{
	struct fb_op op = { .kind = FB_OP_CAPTURE, .id = id, .ref = ref, .leg_count = 1 };

	op.legs[0] = (struct fb_leg){ model_key(to, 0, FB_PURPOSE_AVAILABLE), { amount } };
	return op;
}

/* One operation's result. */
static struct fb_op_result run(struct world *w, struct fb_op op)
{
	struct reply r;

	submit(w, &r, (struct fb_submission){ .ops = &op, .op_count = 1 });
	CHECK_STATUS(FB_OK, r.status);
	CHECK(r.count == 1);
	return r.results[0];
}

static struct fb_account account_of(struct world *w, unsigned owner)
{
	struct fb_account_key key = model_key(owner, 0, FB_PURPOSE_AVAILABLE);
	struct fb_account a;

	CHECK_STATUS(FB_OK, fb_writer_balance(w->writer, &a, &key));
	return a;
}

static void reopen(struct world *w)
{
	test_writer_close(w);
	test_writer_open(w);
}

static bool has_row(struct world *w, const char *key)
{
	uint8_t out[16];
	size_t len;

	return fb_store_get(w->store, out, &len, sizeof(out), fb_str_of(key)) == FB_OK;
}

/* Fills so much that the fold takes what was before out of the tail. */
static void fold_away(struct world *w, fb_id first_id)
{
	uint64_t seq = fb_writer_seq(w->writer);
	struct fb_op ops[120];
	struct reply r;
	struct fb_cursor *c;
	bool folded = false;

	for (unsigned i = 0; i < FB_COUNT(ops); i++)
		ops[i] = post(first_id + i, 0, 9, 1);
	submit(w, &r, (struct fb_submission){ .ops = ops, .op_count = FB_COUNT(ops) });
	for (unsigned i = 0; i < 500 && !folded; i++) {
		struct fb_transfer t;

		usleep(10000);
		fb_cursor_open(&c, w->store, FB_FAMILY_DERIVED);
		folded = fb_cursor_seek(c, FB_STR("B")) && fb_get_be64((const uint8_t *)fb_cursor_value(c).at + 1) >= seq;
		fb_cursor_close(c);
		CHECK_STATUS(FB_OK, fb_writer_transfer(w->writer, &t, first_id));
	}
	CHECK(folded);
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

static void submit__hold_and_capture__answers_and_survives(void **state)
{
	struct world *w = *state;
	struct fb_op_result result;

	result = run(w, post(1, 0, 1, 100));
	CHECK(result.status == FB_OK && !result.existed && result.seq == 3); /* after two accounts */
	result = run(w, hold(2, 1, 30, 0));
	CHECK(result.status == FB_OK && result.seq == 4);
	result = run(w, capture(3, 2, 2, 20));
	CHECK(result.status == FB_OK && result.seq == 6);
	for (unsigned round = 0; round < 2; round++) {
		CHECK(account_of(w, 1).counters.debits_posted.atoms == 20 && account_of(w, 1).last_seq == 6);
		CHECK(account_of(w, 1).counters.debits_pending.atoms == 0);
		CHECK(account_of(w, 2).counters.credits_posted.atoms == 20);
		CHECK(fb_writer_seq(w->writer) == 6);
		reopen(w);
	}
}

static void submit__refused_chain__is_an_answer_and_stays_refused(void **state)
{
	struct world *w = *state;
	struct fb_op ops[2] = { post(1, 0, 1, 5), hold(2, 1, 6, 0) };
	struct reply r;

	w->snapshot_every = 100;
	reopen(w);
	ops[0].linked = true;
	submit(w, &r, (struct fb_submission){ .ops = ops, .op_count = 2 });
	CHECK_STATUS(FB_OK, r.status);
	CHECK(r.results[0].status == FB_LINKED_FAILED && r.results[1].status == FB_FUNDS);
	CHECK(run(w, post(3, 0, 1, 100)).status == FB_OK);
	for (unsigned round = 0; round < 4; round++) { /* remembered, folded, after a restart */
		struct fb_op_result again = run(w, ops[1]);

		CHECK(again.status == FB_ID_FAILED && again.first == FB_FUNDS && again.seq == r.results[1].seq);
		CHECK(run(w, post(3, 0, 1, 100)).existed);
		CHECK_STATUS(FB_ID_REUSED, run(w, post(3, 0, 1, 101)).status);
		if (round % 2 == 0)
			fold_away(w, 1000 + round * 1000);
		else
			reopen(w);
	}
}

static void submit__all_of_it_done_before__writes_no_batch(void **state)
{
	struct world *w = *state;
	uint64_t commits;

	CHECK(run(w, post(1, 0, 1, 5)).status == FB_OK);
	commits = fb_metric_get(w->metrics, FB_M_COMMITS);
	CHECK(run(w, post(1, 0, 1, 5)).existed);
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == commits);
}

/* ---- rows beside operations ---------------------------------------------------------------------------------- */

static void submit__rows_beside__follow_the_operations(void **state)
{
	static const struct { bool need_ok, refused, stored; const char *key; } rows[] = {
		{ false, false, true, "a" }, { true, false, true, "b" }, { false, true, true, "c" }, { true, true, false, "d" },
	};
	struct world *w = *state;

	CHECK(run(w, post(1, 0, 1, 100)).status == FB_OK);
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_op op = hold(10 + i, 1, rows[i].refused ? 1000 : 1, 0);
		struct fb_put put = { .key = fb_str_of(rows[i].key), .value = FB_STR("v") };
		struct reply r;

		submit(w, &r, (struct fb_submission){ .ops = &op, .op_count = 1, .puts = &put, .put_count = 1,
						      .puts_need_ok = rows[i].need_ok });
		CHECK_STATUS(FB_OK, r.status);
		CHECK((r.results[0].status != FB_OK) == rows[i].refused);
	}
	for (size_t i = 0; i < FB_COUNT(rows); i++)
		CHECK(has_row(w, rows[i].key) == rows[i].stored);
}

/* ---- expiry -------------------------------------------------------------------------------------------------- */

static bool wait_pending(struct world *w, unsigned owner, uint64_t want)
{
	for (unsigned i = 0; i < 500; i++) {
		if (account_of(w, owner).counters.debits_pending.atoms == want)
			return true;
		usleep(10000);
	}
	return false;
}

static void expiry__nobody_submits__is_recorded_by_itself(void **state)
{
	struct world *w = *state;
	struct fb_transfer t;

	CHECK(run(w, post(1, 0, 1, 100)).status == FB_OK);
	CHECK(run(w, hold(2, 1, 10, TEST_WRITER_START_US + 1000000)).status == FB_OK);
	CHECK(run(w, hold(3, 1, 20, TEST_WRITER_START_US + 2000000)).status == FB_OK);
	CHECK(account_of(w, 1).counters.debits_pending.atoms == 30);
	atomic_store(&w->now_us, TEST_WRITER_START_US + 1500000);
	CHECK(wait_pending(w, 1, 20));
	CHECK_STATUS(FB_OK, fb_writer_transfer(w->writer, &t, 2));
	CHECK(t.undone);
	CHECK_STATUS(FB_HOLD_EXPIRED, run(w, capture(4, 2, 2, 1)).status);
	reopen(w);
	CHECK(account_of(w, 1).counters.debits_pending.atoms == 20);
	atomic_store(&w->now_us, TEST_WRITER_START_US + 3000000);
	CHECK(wait_pending(w, 1, 0));
}

static void expiry__more_than_a_batch_takes__goes_on(void **state)
{
	enum { HOLDS = FB_WRITER_EXPIRE_MAX + 100 };
	struct world *w = *state;
	struct fb_op ops[100];
	struct reply r;
	uint64_t commits;

	CHECK(run(w, post(1, 0, 1, HOLDS)).status == FB_OK);
	for (unsigned i = 0; i < HOLDS;) {
		size_t count = 0;

		for (; count < FB_COUNT(ops) && i < HOLDS; i++)
			ops[count++] = hold(100 + i, 1, 1, TEST_WRITER_START_US + 50000000);
		submit(w, &r, (struct fb_submission){ .ops = ops, .op_count = count });
	}
	CHECK(account_of(w, 1).counters.debits_pending.atoms == HOLDS);
	commits = fb_metric_get(w->metrics, FB_M_COMMITS);
	atomic_store(&w->now_us, TEST_WRITER_START_US + 60000000);
	CHECK(wait_pending(w, 1, 0));
	CHECK(fb_metric_get(w->metrics, FB_M_COMMITS) == commits + 2);
}

/* ---- batches ------------------------------------------------------------------------------------------------- */

struct gate {
	sem_t held, open;
};

static void wait_at_gate(void *arg, enum fb_status st)
{
	struct gate *g = arg;

	(void)st;
	sem_post(&g->held);
	sem_wait(&g->open);
}

/* Holds the thread that writes and answers. */
static void hold_answers(struct world *w, struct gate *g)
{
	struct fb_put put = { .key = FB_STR("gate"), .value = FB_STR("v") };

	CHECK(sem_init(&g->held, 0, 0) == 0 && sem_init(&g->open, 0, 0) == 0);
	w->port.commit(w->port.ctx, &put, 1, wait_at_gate, g);
	CHECK(sem_wait(&g->held) == 0);
}

static void count_ok(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	FB_ASSERT(status == FB_OK && count == 1 && results[0].status == FB_OK);
	atomic_fetch_add((atomic_uint *)arg, 1);
}

/* Batch heads, from batch `from` on. */
static unsigned batches_from(struct world *w, uint64_t from, struct fb_batch_head *out, unsigned cap)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_cursor *c;
	unsigned count = 0;

	fb_journal_key(key, from);
	fb_cursor_open(&c, w->store, FB_FAMILY_JOURNAL);
	for (bool more = fb_cursor_seek(c, (struct fb_str){ (const char *)key, sizeof(key) }); more && count < cap;
	     more = fb_cursor_next(c)) {
		struct fb_batch b;

		CHECK_STATUS(FB_OK, fb_batch_open(&b, fb_cursor_value(c), NULL));
		out[count++] = b.head;
	}
	fb_cursor_close(c);
	return count;
}

static void submit__more_than_a_batch_holds__takes_the_next_in_order(void **state)
{
	enum { POSTS = FB_WRITER_BATCH_OPS_MAX + 10 };
	struct world *w = *state;
	struct fb_batch_head heads[8];
	atomic_uint done = 0;
	unsigned batches;
	uint32_t records = 0;

	CHECK(run(w, post(1, 0, 1, 1)).status == FB_OK);
	test_writer_hold(w);
	for (unsigned i = 0; i < POSTS; i++) {
		struct fb_op op = post(10 + i, 0, 1, 1);

		fb_writer_submit(w->writer,
				 &(struct fb_submission){ .ops = &op, .op_count = 1, .done = count_ok, .arg = &done });
	}
	test_writer_let_go(w);
	reopen(w);
	CHECK(atomic_load(&done) == POSTS);
	batches = batches_from(w, 3, heads, FB_COUNT(heads)); /* after genesis, post and gate */
	CHECK(batches >= 2 && batches <= 4);
	for (unsigned i = 0; i < batches; i++) {
		CHECK(heads[i].records <= FB_WRITER_BATCH_OPS_MAX && heads[i].puts == 0);
		CHECK(i == 0 || heads[i].time_us > heads[i - 1].time_us);
		records += heads[i].records;
	}
	CHECK(records == POSTS && heads[batches - 1].records > 0);
}

/* Reads an account until it changes. */
struct watch {
	struct world *w;
	struct fb_account seen;
	atomic_uint reads;
	atomic_bool changed;
};

static void *watch(void *arg)
{
	struct watch *s = arg;

	do {
		s->seen = account_of(s->w, 1);
		atomic_fetch_add(&s->reads, 1);
	} while (s->seen.counters.credits_posted.atoms == 1);
	CHECK(s->seen.last_seq <= fb_writer_seq(s->w->writer));
	atomic_store(&s->changed, true);
	return NULL;
}

/* Until the reader waits for something. */
static void wait_stuck(struct watch *s)
{
	unsigned before;

	do {
		before = atomic_load(&s->reads);
		usleep(50000);
	} while (atomic_load(&s->reads) != before);
}

static void submit__while_batches_are_written__is_decided_and_shown_to_nobody(void **state)
{
	enum { POSTS = 1000 };
	struct world *w = *state;
	struct watch reader = { .w = w };
	struct gate g;
	pthread_t thread;
	atomic_uint done = 0;

	CHECK(run(w, post(1, 0, 1, 1)).status == FB_OK);
	hold_answers(w, &g);
	for (unsigned i = 0; i < POSTS; i++) {
		struct fb_op op = post(10 + i, 0, 1, 1);

		fb_writer_submit(w->writer,
				 &(struct fb_submission){ .ops = &op, .op_count = 1, .done = count_ok, .arg = &done });
	}
	CHECK(pthread_create(&thread, NULL, watch, &reader) == 0);
	wait_stuck(&reader); /* for what is decided by now */
	CHECK(!atomic_load(&reader.changed) && atomic_load(&done) == 0 && fb_writer_seq(w->writer) == 3);
	sem_post(&g.open);
	pthread_join(thread, NULL);
	reopen(w);
	CHECK(atomic_load(&done) == POSTS && account_of(w, 1).counters.credits_posted.atoms == POSTS + 1);
}

static void submit__largest__fits(void **state)
{
	static struct fb_op ops[FB_SUBMIT_OPS_MAX];
	struct world *w = *state;
	struct reply r;

	CHECK(run(w, post(1, 0, 1, 1000000)).status == FB_OK);
	for (unsigned i = 0; i < FB_COUNT(ops); i += 2) { /* each capture opens eight accounts */
		ops[i] = hold(1000 + i, 1, 8, 0);
		ops[i + 1] = (struct fb_op){ .kind = FB_OP_CAPTURE, .id = 5000 + i, .ref = 1000 + i, .leg_count = FB_LEGS_MAX };
		for (unsigned k = 0; k < FB_LEGS_MAX; k++) {
			ops[i + 1].legs[k] = (struct fb_leg){ model_key(2 + i, k + 1, FB_PURPOSE_FEES), { 1 } };
			ops[i + 1].legs[k].credit.asset = 1;
			ops[i + 1].legs[k].credit.owner.bytes[1] = (uint8_t)k;
		}
	}
	submit(w, &r, (struct fb_submission){ .ops = ops, .op_count = FB_COUNT(ops) });
	for (unsigned i = 0; i < FB_COUNT(ops); i++)
		CHECK_STATUS(FB_OK, r.results[i].status);
	reopen(w);
	CHECK(account_of(w, 1).counters.debits_posted.atoms == 8 * FB_SUBMIT_OPS_MAX / 2);
}

/* However long the journal: only the records since the last fold are replayed. */
static void open__long_journal__replays_its_end_alone(void **state)
{
	static struct fb_op ops[FB_SUBMIT_OPS_MAX];
	struct world *w = *state;
	struct reply r;

	w->snapshot_every = 256;
	reopen(w);
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < FB_COUNT(ops); i++)
			ops[i] = post(1 + round * FB_COUNT(ops) + i, 0, 1, 1);
		submit(w, &r, (struct fb_submission){ .ops = ops, .op_count = FB_COUNT(ops) });
	}
	CHECK(fb_metric_get(w->metrics, FB_M_LEDGER_RECORDS) == 40 * FB_COUNT(ops) + 2);
	CHECK(fb_metric_get(w->metrics, FB_M_FOLD_SECONDS) > 3);
	reopen(w);
	CHECK(test_writer_logged(w, "\"event\":\"ledger_ready\",\"batch\":40,\"seq\":5122,\"replayed\":"));
	for (unsigned n = 1024; n <= 5122; n++) {
		char too_many[64];

		snprintf(too_many, sizeof(too_many), "\"seq\":5122,\"replayed\":%u,", n);
		CHECK(!test_writer_logged(w, too_many));
	}
	CHECK(account_of(w, 1).counters.credits_posted.atoms == 40 * FB_COUNT(ops));
}

static void batches__clock_goes_back__time_still_grows(void **state)
{
	struct world *w = *state;
	struct fb_batch_head heads[8];
	unsigned batches;

	CHECK(run(w, post(1, 0, 1, 1)).status == FB_OK);
	atomic_store(&w->now_us, 5);
	CHECK(run(w, post(2, 0, 1, 1)).status == FB_OK);
	reopen(w);
	CHECK(run(w, post(3, 0, 1, 1)).status == FB_OK);
	batches = batches_from(w, 0, heads, FB_COUNT(heads));
	CHECK(batches == 4 && heads[0].records == 0 && heads[0].time_us == TEST_WRITER_START_US);
	for (unsigned i = 1; i < batches; i++)
		CHECK(heads[i].time_us == heads[i - 1].time_us + 1);
}

static void batches__of_rows_alone__are_in_the_journal(void **state)
{
	struct world *w = *state;
	struct fb_put put = { .key = FB_STR("k"), .value = FB_STR("v") };
	struct fb_hash want = fb_puts_hash(&put, 1);
	struct fb_batch_head head;
	struct reply r;

	submit(w, &r, (struct fb_submission){ .puts = &put, .put_count = 1 });
	CHECK(r.status == FB_OK && r.count == 0);
	CHECK(batches_from(w, 1, &head, 1) == 1);
	CHECK(head.records == 0 && head.puts == 1 && fb_hash_eq(&head.puts_hash, &want));
}

struct drained {
	atomic_uint answers;
	atomic_bool drained;
	pthread_t thread;
};

static void on_drained(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct drained *d = arg;

	FB_ASSERT(status == FB_OK ? count == 1 : status == FB_DRAINING && count == 0 && results == NULL);
	atomic_fetch_add(&d->answers, 1);
	if (status == FB_OK)
		return;
	d->thread = pthread_self();
	atomic_store(&d->drained, true);
}

static void *close_writer(void *writer)
{
	fb_writer_close(writer);
	return NULL;
}

static void submit__after_close_began__is_draining_on_the_callers_thread(void **state)
{
	struct world *w = *state;
	struct drained d = { .answers = 0 };
	struct gate g;
	pthread_t closing;
	unsigned sent = 0;

	hold_answers(w, &g);
	CHECK(pthread_create(&closing, NULL, close_writer, w->writer) == 0);
	for (; !atomic_load(&d.drained); sent++) { /* until close began, they are queued */
		struct fb_op op = post(1 + sent, 0, 1, 1);

		fb_writer_submit(w->writer,
				 &(struct fb_submission){ .ops = &op, .op_count = 1, .done = on_drained, .arg = &d });
		usleep(1000);
	}
	CHECK(pthread_equal(d.thread, pthread_self()));
	sem_post(&g.open);
	pthread_join(closing, NULL);
	w->writer = NULL;
	CHECK(atomic_load(&d.answers) == sent);
}

int test_writer_books(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, test_writer_setup, test_writer_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(submit__hold_and_capture__answers_and_survives),
		IN_WORLD(submit__refused_chain__is_an_answer_and_stays_refused),
		IN_WORLD(submit__all_of_it_done_before__writes_no_batch),
		IN_WORLD(submit__rows_beside__follow_the_operations),
		IN_WORLD(expiry__nobody_submits__is_recorded_by_itself),
		IN_WORLD(expiry__more_than_a_batch_takes__goes_on),
		IN_WORLD(submit__more_than_a_batch_holds__takes_the_next_in_order),
		IN_WORLD(submit__while_batches_are_written__is_decided_and_shown_to_nobody),
		IN_WORLD(submit__largest__fits),
		IN_WORLD(open__long_journal__replays_its_end_alone),
		IN_WORLD(batches__clock_goes_back__time_still_grows),
		IN_WORLD(batches__of_rows_alone__are_in_the_journal),
		IN_WORLD(submit__after_close_began__is_draining_on_the_callers_thread),
	};

	return cmocka_run_group_tests_name("writer: operations", tests, NULL, NULL);
}
