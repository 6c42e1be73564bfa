/* What the tests of the books share: see test_books.h. */
#include "test_books.h"

#define KEY(letter, unit, purp) { .owner = { { letter, [19] = letter } }, .asset = unit, .purpose = purp }
const struct fb_account_key world = KEY('w', USDC, FB_PURPOSE_WORLD), alice = KEY('a', USDC, FB_PURPOSE_AVAILABLE),
	bob = KEY('b', USDC, FB_PURPOSE_AVAILABLE), fees = KEY('f', USDC, FB_PURPOSE_FEES),
	alice_euro = KEY('a', EURC, FB_PURPOSE_AVAILABLE), world_euro = KEY('w', EURC, FB_PURPOSE_WORLD);

static bool fails_now(struct ledger *l)
{
	return ++l->calls == l->fail_at;
}

static bool is_undone(const struct ledger *l, fb_id id)
{
	for (size_t i = 0; i < l->indexed; i++)
		if (l->all[i].ref == id &&
		    (l->all[i].kind == FB_RECORD_EXPIRE || l->all[i].kind == FB_RECORD_REVERSE))
			return true;
	return false;
}

static enum fb_status index_find(void *ctx, struct fb_id_fact *out, fb_id id)
{
	struct ledger *l = ctx;

	if (fails_now(l))
		return FB_STORAGE;
	for (size_t i = 0; i < l->indexed; i++) {
		const struct fb_record *r = &l->all[i];

		if (r->id != id || r->kind == FB_RECORD_LEG)
			continue;
		*out = (struct fb_id_fact){ .seq = r->seq, .content = r->content, .refused = r->refused, .kind = r->kind,
			.undone = r->refused == FB_OK && is_undone(l, id) };
		return FB_OK;
	}
	return FB_NOT_FOUND;
}

static enum fb_status index_record(void *ctx, struct fb_record *out, uint64_t seq)
{
	struct ledger *l = ctx;

	if (fails_now(l))
		return FB_STORAGE;
	CHECK(seq >= 1 && seq <= l->all_count);
	*out = l->all[seq - 1];
	return FB_OK;
}

struct fb_id_index ledger_index(struct ledger *l)
{
	return (struct fb_id_index){ .find = index_find, .record = index_record, .ctx = l };
}

void ledger_open(struct ledger *l)
{
	*l = (struct ledger){ .now_us = 1000 };
	l->batch = fb_must_alloc(FB_BATCH_RECORDS_MAX, FB_RECORD_LEN);
	fb_books_open(&l->books, ledger_index(l), (struct fb_books_settings){ .seed = fb_test_seed() });
}

void ledger_close(struct ledger *l)
{
	fb_books_close(l->books);
	free(l->batch);
	free(l->all);
}

void ledger_seal(struct ledger *l)
{
	if (l->all_count + l->count > l->all_cap) {
		l->all_cap = 2 * (l->all_count + l->count);
		l->all = realloc(l->all, l->all_cap * sizeof(*l->all));
		CHECK(l->all != NULL);
	}
	for (uint32_t i = 0; i < l->count; i++) {
		struct fb_record *r = &l->all[l->all_count++];

		CHECK_STATUS(FB_OK, fb_record_decode(r, l->batch + i * FB_RECORD_LEN));
		CHECK(r->seq == l->all_count);
	}
	l->count = 0;
	CHECK(fb_books_seq(l->books) == l->all_count);
}

enum fb_status ledger_run(struct ledger *l, struct fb_op_result *results, const struct fb_op *ops, size_t count)
{
	uint64_t before = fb_books_seq(l->books);
	enum fb_status st;

	st = fb_books_run(l->books, results, l->batch, &l->count, ops, count, l->now_us);
	if (st != FB_OK)
		CHECK(l->count == 0 && fb_books_seq(l->books) == before);
	CHECK(l->count <= fb_books_records_max(ops, count));
	ledger_seal(l);
	return st;
}

struct fb_op_result ledger_do(struct ledger *l, struct fb_op op)
{
	struct fb_op_result result;

	CHECK_STATUS(FB_OK, ledger_run(l, &result, &op, 1));
	return result;
}

size_t ledger_expire(struct ledger *l, size_t max)
{
	size_t n = fb_books_expire(l->books, l->batch, &l->count, l->now_us, max);

	CHECK(n == l->count);
	ledger_seal(l);
	return n;
}

void check_counters(const struct fb_books *b, const struct fb_account_key *key, fb_u128 debits, fb_u128 pending,
		    fb_u128 credits)
{
	struct fb_account a = { .number = 0 };

	if (fb_books_balance(b, &a, key) == FB_NOT_FOUND)
		CHECK(debits == 0 && pending == 0 && credits == 0);
	CHECK(a.counters.debits_posted.atoms == debits);
	CHECK(a.counters.debits_pending.atoms == pending);
	CHECK(a.counters.credits_posted.atoms == credits);
	CHECK(a.counters.credits_pending.atoms == 0);
}

static bool count_one(void *arg, const struct fb_hold *h)
{
	(void)h;
	++*(size_t *)arg;
	return true;
}

size_t count_holds(const struct fb_books *b, uint64_t account)
{
	size_t n = 0;

	fb_books_each_hold(b, account, count_one, &n);
	return n;
}

void replay_all(struct fb_books **out, const struct ledger *l, struct fb_id_index index)
{
	fb_books_open(out, index, (struct fb_books_settings){ .seed = ~fb_test_seed() });
	for (size_t i = 0; i < l->all_count; i++)
		CHECK_STATUS(FB_OK, fb_books_replay(*out, &l->all[i]));
}

struct list {
	struct fb_hold *at;
	size_t count;
};

static bool collect(void *arg, const struct fb_hold *h)
{
	struct list *l = arg;

	l->at = realloc(l->at, (l->count + 1) * sizeof(*l->at));
	CHECK(l->at != NULL);
	l->at[l->count++] = *h;
	return true;
}

static void check_same_holds(const struct fb_books *a, const struct fb_books *b, uint64_t account)
{
	struct list x = { NULL, 0 }, y = { NULL, 0 };

	fb_books_each_hold(a, account, collect, &x);
	fb_books_each_hold(b, account, collect, &y);
	CHECK(x.count == y.count);
	for (size_t i = 0; i < x.count; i++)
		CHECK(x.at[i].id == y.at[i].id && x.at[i].account == y.at[i].account && x.at[i].seq == y.at[i].seq &&
		      x.at[i].content == y.at[i].content && x.at[i].amount.atoms == y.at[i].amount.atoms &&
		      x.at[i].expires_us == y.at[i].expires_us);
	free(x.at);
	free(y.at);
}

void check_same(const struct fb_books *a, const struct fb_books *b)
{
	CHECK(fb_books_seq(a) == fb_books_seq(b));
	CHECK(fb_books_account_count(a) == fb_books_account_count(b));
	CHECK(fb_books_next_expiry(a) == fb_books_next_expiry(b));
	check_same_holds(a, b, 0);
	for (uint64_t number = 1; number <= fb_books_account_count(a); number++) {
		struct fb_account x, y;

		CHECK_STATUS(FB_OK, fb_books_account(a, &x, number));
		CHECK_STATUS(FB_OK, fb_books_account(b, &y, number));
		CHECK(memcmp(&x.key.owner, &y.key.owner, sizeof(x.key.owner)) == 0 && x.key.asset == y.key.asset &&
		      x.key.purpose == y.key.purpose && x.number == y.number && x.last_seq == y.last_seq &&
		      x.may_go_below_zero == y.may_go_below_zero);
		CHECK(memcmp(&x.counters, &y.counters, sizeof(x.counters)) == 0);
		check_same_holds(a, b, number);
	}
}

struct fb_op op_account(struct fb_account_key key, bool may_go_below_zero)
{
	return (struct fb_op){ .kind = FB_OP_ACCOUNT, .debit = key, .may_go_below_zero = may_go_below_zero };
}

struct fb_op op_post(fb_id id, struct fb_account_key debit, struct fb_account_key credit, fb_u128 amount)
{
	return (struct fb_op){ .kind = FB_OP_POST, .id = id, .debit = debit, .legs = { { credit, { amount } } },
		.leg_count = 1 };
}

struct fb_op op_hold(fb_id id, struct fb_account_key debit, fb_u128 amount, int64_t expires_us)
{
	return (struct fb_op){ .kind = FB_OP_HOLD, .id = id, .debit = debit, .amount = { amount },
		.expires_us = expires_us };
}

struct fb_op op_capture(fb_id id, fb_id hold, struct fb_account_key credit, fb_u128 amount)
{
	return op_leg((struct fb_op){ .kind = FB_OP_CAPTURE, .id = id, .ref = hold }, credit, amount);
}

struct fb_op op_leg(struct fb_op capture, struct fb_account_key credit, fb_u128 amount)
{
	CHECK(capture.leg_count < FB_LEGS_MAX);
	capture.legs[capture.leg_count++] = (struct fb_leg){ credit, { amount } };
	return capture;
}

struct fb_op op_release(fb_id id, fb_id hold)
{
	return (struct fb_op){ .kind = FB_OP_RELEASE, .id = id, .ref = hold };
}

struct fb_op op_reverse(fb_id id, fb_id post)
{
	return (struct fb_op){ .kind = FB_OP_REVERSE, .id = id, .ref = post };
}
