/* Goal: B7, the journal rebuilds the books, alone or on any snapshot. Method: at every step of a run a snapshot, rows
 * of which are replaced by later ones as a crash could leave them; then records and rows that contradict the books,
 * each refused without a trace. */
#include "test_books.h"

static struct ledger l;

enum { STEPS = 36, ROWS_MAX = 40 };
struct rows {
	struct fb_account accounts[ROWS_MAX];
	struct fb_hold holds[ROWS_MAX];
	size_t account_count, hold_count;
	uint64_t seq;
};

static bool add_hold(void *arg, const struct fb_hold *h)
{
	struct rows *rows = arg;

	CHECK(rows->hold_count < ROWS_MAX);
	rows->holds[rows->hold_count++] = *h;
	return true;
}

static void take_rows(struct rows *rows, const struct fb_books *b)
{
	*rows = (struct rows){ .seq = fb_books_seq(b), .account_count = fb_books_account_count(b) };
	for (size_t i = 0; i < rows->account_count; i++)
		CHECK_STATUS(FB_OK, fb_books_account(b, &rows->accounts[i], i + 1));
	fb_books_each_hold(b, 0, add_hold, rows);
}

/* Something of everything; each step is one batch. */
static void run_step(int step)
{
	fb_id id = 1000 + 10 * (fb_id)step;
	static const struct fb_account_key *const owners[] = { &alice, &bob, &fees };
	struct fb_account_key payer = *owners[step % 2], payee = *owners[(step + 1) % 3];

	switch (step % 9) {
	case 0:
		payer.owner.bytes[1] = (uint8_t)(step / 9);
		ledger_do(&l, op_post(id, world, payer, 100));
		break;
	case 1:
		ledger_do(&l, op_hold(id, alice, 10, 0));
		break;
	case 2:
		ledger_do(&l, op_hold(id, alice, 7, l.now_us + 5));
		break;
	case 3:
		ledger_do(&l, op_leg(op_capture(id, id - 20, bob, 4), fees, 2));
		break;
	case 4:
		ledger_do(&l, op_post(id, world, bob, 30));
		break;
	case 5:
		ledger_do(&l, op_post(id, alice, payee, 9000)); /* refused */
		break;
	case 6:
		ledger_do(&l, op_reverse(id, id - 20));
		break;
	case 7:
		ledger_do(&l, op_hold(id, alice, 3, 0));
		break;
	default:
		ledger_expire(&l, 5);
		ledger_do(&l, step % 2 == 0 ? op_release(id, id - 10) : op_post(id, world, alice, 1));
		break;
	}
	l.now_us++;
}

/* ---- snapshots -------------------------------------------------------------------------------------------------- */
/* Rows of the older snapshot, some replaced by the newer one's: account i if bit i is set, a hold likewise (whose row
 * is gone if it has ended meanwhile). */
static void mix(struct rows *out, const struct rows *old, const struct rows *new, uint64_t bits)
{
	*out = (struct rows){ .seq = old->seq };
	for (size_t i = 0; i < new->account_count; i++) {
		bool newer = (bits >> i % 32 & 1) != 0;

		if (newer || i < old->account_count)
			out->accounts[out->account_count++] = newer ? new->accounts[i] : old->accounts[i];
	}
	for (fb_id id = 1; id < 2000; id++) {
		const struct rows *from = (bits >> (32 + id % 32) & 1) != 0 ? new : old;

		for (size_t i = 0; i < from->hold_count; i++)
			if (from->holds[i].id == id)
				out->holds[out->hold_count++] = from->holds[i];
	}
}

static void load(struct fb_books **out, const struct rows *rows, bool holds_first)
{
	fb_books_open(out, ledger_index(&l), (struct fb_books_settings){ .seed = 5 });
	for (int pass = 0; pass < 2; pass++)
		if ((pass == 0) == holds_first)
			for (size_t i = rows->hold_count; i > 0; i--)
				CHECK_STATUS(FB_OK, fb_books_load_hold(*out, &rows->holds[i - 1]));
		else
			for (size_t i = rows->account_count; i > 0; i--)
				CHECK_STATUS(FB_OK, fb_books_load_account(*out, &rows->accounts[i - 1]));
	fb_books_load_seq(*out, rows->seq);
}

static void check_recovered(const struct rows *rows, bool holds_first)
{
	struct fb_op_result r;
	struct fb_op op = op_post(1, world, alice, 1);
	uint32_t count = 0;
	struct fb_books *b;

	load(&b, rows, holds_first);
	l.indexed = rows->seq;
	for (size_t i = rows->seq; i < l.all_count; i++)
		CHECK_STATUS(FB_OK, fb_books_replay(b, &l.all[i]));
	check_same(l.books, b);
	CHECK_STATUS(FB_OK, fb_books_run(b, &r, l.batch, &count, &op, 1, l.now_us)); /* they are whole */
	CHECK_STATUS(FB_OK, r.status);
	fb_books_close(b);
}

static void recover__from_every_mix_of_two_snapshots__is_the_live_state(void **state) /* B5, B7 */
{
	static struct rows at[STEPS + 1], mixed;
	uint64_t bits = 0x9e3779b97f4a7c15;

	(void)state;
	ledger_open(&l);
	for (int step = 0; step < STEPS; step++) {
		take_rows(&at[step], l.books);
		run_step(step);
	}
	take_rows(&at[STEPS], l.books);
	CHECK(at[STEPS].account_count >= 6 && at[STEPS].hold_count >= 2);
	for (int old = 0; old <= STEPS; old++)
		for (int new = old; new <= STEPS; new++)
			for (int round = 0; round < 8; round++) {
				bits = bits * 6364136223846793005u + 1442695040888963407u;
				mix(&mixed, &at[old], &at[new], round == 0 ? 0 : round == 1 ? ~(uint64_t)0 : bits ^ bits >> 29);
				check_recovered(&mixed, round % 2 == 0);
			}
	ledger_close(&l);
}

/* Every record one by one: what was answered for an id is known however much of the journal is replayed. */
static void recover__to_every_record__knows_every_id(void **state) /* B3 */
{
	(void)state;
	ledger_open(&l);
	for (int step = 0; step < STEPS; step++)
		run_step(step);
	for (size_t i = 0; i < l.all_count; i++) {
		const struct fb_record *r = &l.all[i];
		struct fb_books *b;
		struct fb_op op = op_post(r->id, world_euro, alice_euro, 3);
		struct fb_op_result result;
		uint32_t count = 0;

		if (r->id == 0 || r->linked || r->kind == FB_RECORD_LEG)
			continue; /* no id, or a chain that is not complete */
		fb_books_open(&b, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = 6 });
		for (size_t k = 0; k <= i; k++)
			CHECK_STATUS(FB_OK, fb_books_replay(b, &l.all[k]));
		CHECK_STATUS(FB_OK, fb_books_run(b, &result, l.batch, &count, &op, 1, l.now_us));
		CHECK_STATUS(FB_ID_REUSED, result.status);
		fb_books_close(b);
	}
	ledger_close(&l);
}

/* ---- changes ---------------------------------------------------------------------------------------------------- */
static void check_changes(size_t accounts, size_t holds, struct fb_books_changes *out)
{
	fb_books_take_changes(l.books, out);
	CHECK(out->account_count == accounts);
	CHECK(out->hold_count == holds);
}

static void free_changes(struct fb_books_changes *c)
{
	free(c->accounts);
	free(c->holds);
}

static void changes__since_the_last_time__and_no_others(void **state)
{
	struct fb_books_changes c;

	(void)state;
	ledger_open(&l);
	check_changes(0, 0, &c);
	free_changes(&c);
	ledger_do(&l, op_post(1, world, alice, 100));
	ledger_do(&l, op_post(2, world, bob, 100));
	ledger_do(&l, op_hold(3, alice, 5, 7000));
	ledger_do(&l, op_hold(4, bob, 6, 0));
	ledger_do(&l, op_hold(5, bob, 7, 0));
	ledger_do(&l, op_release(6, 5)); /* it came and went */
	check_changes(3, 2, &c);
	CHECK(c.accounts[0].number == 1 && c.accounts[1].number == 2 && c.accounts[2].number == 3);
	CHECK(c.accounts[1].counters.debits_pending.atoms == 5 && c.accounts[1].last_seq == fb_books_seq(l.books) - 3);
	CHECK(c.holds[0].id == 3 && c.holds[0].amount.atoms == 5 && c.holds[0].expires_us == 7000);
	CHECK(c.holds[1].id == 4 && c.holds[1].account == 3 && c.holds[1].content == l.all[c.holds[1].seq - 1].content);
	free_changes(&c);
	check_changes(0, 0, &c);
	free_changes(&c);
	ledger_do(&l, op_capture(7, 4, alice, 6));
	ledger_do(&l, op_hold(8, alice, 1, 0)); /* in the slot of the one that ended */
	check_changes(2, 2, &c);
	CHECK(c.accounts[0].number == 2 && c.accounts[1].number == 3);
	CHECK(c.holds[0].id == 4 && c.holds[0].amount.atoms == 0 && c.holds[0].account == 3);
	CHECK(c.holds[1].id == 8 && c.holds[1].amount.atoms == 1);
	free_changes(&c);
	ledger_do(&l, op_post(9, bob, alice, 5000)); /* a refusal changes no account */
	check_changes(0, 0, &c);
	free_changes(&c);
	ledger_close(&l);
}

/* ---- records that contradict ------------------------------------------------------------------------------------ */
enum { HOLD = 20, ENDED = 21, RELEASE = 22, POSTED = 23, UNDONE = 24, REVERSAL = 25, BIG_HOLD = 26, CAPTURED = 27 };

/* world is 1, alice 2, bob 3, world_euro 4, alice_euro 5. The last record is a capture that is linked to a leg. */
static void prepare(void)
{
	ledger_open(&l);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(1, world, alice, 100)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(2, world, bob, 10)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(3, world_euro, alice_euro, 10)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(HOLD, alice, 10, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(ENDED, alice, 10, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_release(RELEASE, ENDED)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(POSTED, alice, bob, 4)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_post(UNDONE, alice, bob, 4)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_reverse(REVERSAL, UNDONE)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_hold(BIG_HOLD, alice, 20, 0)).status);
	CHECK_STATUS(FB_OK, ledger_do(&l, op_leg(op_capture(CAPTURED, BIG_HOLD, bob, 12), bob, 3)).status);
}

#define MONEY(k, from, to, value) .kind = FB_RECORD_##k, .asset = USDC, .debit = from, .credit = to, .amount = { value }
#define EURO(k, from, to, value) .kind = FB_RECORD_##k, .asset = EURC, .debit = from, .credit = to, .amount = { value }
#define OPENS(k, number, key) .kind = FB_RECORD_ACCOUNT, .debit = number, .asset = USDC, .purpose = FB_PURPOSE_AVAILABLE, \
	.owner = { { key, [19] = key } }
static const struct {
	struct fb_record r;
	bool good; /* the row beside the bad ones, which shows that nothing else is wrong with them */
} next_records[] = {
	{ { MONEY(POST, 2, 3, 60), .id = 50 }, true },
	{ { MONEY(POST, 2, 3, 100), .id = 50 }, false }, /* B2 */
	{ { MONEY(POST, 2, 6, 1), .id = 50 }, false },   /* no such account */
	{ { MONEY(POST, 6, 2, 1), .id = 50 }, false },
	{ { MONEY(POST, 2, 2, 1), .id = 50 }, false },
	{ { MONEY(POST, 2, 5, 1), .id = 50 }, false },   /* assets differ */
	{ { MONEY(POST, 5, 2, 1), .id = 50 }, false },
	{ { EURO(POST, 5, 4, 1), .id = 50 }, true },
	{ { EURO(POST, 2, 3, 1), .id = 50 }, false },
	{ { MONEY(POST, 1, 3, FB_AMOUNT_MAX), .id = 50 }, false }, /* overflow */
	{ { MONEY(POST, 1, 3, FB_AMOUNT_MAX - 200), .id = 50 }, true },
	{ { MONEY(POST, 1, 3, FB_AMOUNT_MAX - 109), .id = 50 }, false }, /* of the credit */
	{ { MONEY(POST, 2, 3, 1), .id = POSTED }, false }, /* B3 */
	{ { MONEY(POST, 2, 3, 1), .id = HOLD }, false },
	{ { .kind = FB_RECORD_REFUSE, .id = 50, .refused = FB_FUNDS }, true },
	{ { .kind = FB_RECORD_REFUSE, .id = POSTED, .refused = FB_FUNDS }, false },
	{ { MONEY(HOLD, 2, 0, 10), .id = 50 }, true },
	{ { MONEY(HOLD, 2, 0, 100), .id = 50 }, false }, /* B2 */
	{ { MONEY(HOLD, 6, 0, 10), .id = 50 }, false },
	{ { EURO(HOLD, 2, 0, 10), .id = 50 }, false },
	{ { MONEY(HOLD, 2, 0, 10), .id = HOLD }, false }, /* B3 */
	{ { MONEY(HOLD, 1, 0, FB_AMOUNT_MAX), .id = 50 }, false },
	{ { MONEY(CAPTURE, 2, 3, 9), .id = 50, .ref = HOLD, .held = { 10 } }, true },
	{ { MONEY(CAPTURE, 2, 3, 11), .id = 50, .ref = HOLD, .held = { 10 } }, false },
	{ { MONEY(CAPTURE, 2, 3, 9), .id = 50, .ref = HOLD, .held = { 11 } }, false },
	{ { MONEY(CAPTURE, 3, 2, 9), .id = 50, .ref = HOLD, .held = { 10 } }, false }, /* not its account */
	{ { MONEY(CAPTURE, 2, 3, 9), .id = 50, .ref = ENDED, .held = { 10 } }, false }, /* B4 */
	{ { MONEY(CAPTURE, 2, 3, 9), .id = 50, .ref = 77, .held = { 10 } }, false },
	{ { MONEY(CAPTURE, 2, 3, 9), .id = 50, .ref = POSTED, .held = { 10 } }, false },
	{ { MONEY(CAPTURE, 2, 5, 9), .id = 50, .ref = HOLD, .held = { 10 } }, false },
	{ { MONEY(LEG, 2, 3, 1), .id = CAPTURED, .ref = BIG_HOLD }, false }, /* the leg before was the last */
	{ { MONEY(RELEASE, 2, 0, 10), .id = 50, .ref = HOLD }, true },
	{ { MONEY(RELEASE, 2, 0, 9), .id = 50, .ref = HOLD }, false },
	{ { MONEY(RELEASE, 3, 0, 10), .id = 50, .ref = HOLD }, false },
	{ { EURO(RELEASE, 2, 0, 10), .id = 50, .ref = HOLD }, false },
	{ { MONEY(RELEASE, 2, 0, 10), .id = 50, .ref = ENDED }, false }, /* B4 */
	{ { MONEY(EXPIRE, 2, 0, 10), .ref = HOLD }, true },
	{ { MONEY(EXPIRE, 2, 0, 9), .ref = HOLD }, false },
	{ { MONEY(EXPIRE, 2, 0, 10), .ref = ENDED }, false }, /* B4 */
	{ { MONEY(EXPIRE, 2, 0, 10), .ref = 77 }, false },
	{ { MONEY(REVERSE, 3, 2, 4), .id = 50, .ref = POSTED }, true },
	{ { MONEY(REVERSE, 3, 2, 4), .id = 50, .ref = UNDONE }, false },
	{ { MONEY(REVERSE, 3, 2, 4), .id = 50, .ref = HOLD }, false },
	{ { MONEY(REVERSE, 3, 2, 4), .id = 50, .ref = 77 }, false },
	{ { MONEY(REVERSE, 3, 2, 90), .id = 50, .ref = POSTED }, false }, /* B2 */
	{ { OPENS(ACCOUNT, 6, 'z') }, true },
	{ { OPENS(ACCOUNT, 7, 'z') }, false }, /* a number is left out */
	{ { OPENS(ACCOUNT, 6, 'a') }, false }, /* alice has one */
	{ { OPENS(ACCOUNT, 2, 'a'), .may_go_below_zero = true }, false },
	{ { OPENS(ACCOUNT, 2, 'z') }, false },
};

static void check_next(const struct fb_record *r, bool good, size_t row)
{
	struct fb_books *b, *before;

	replay_all(&b, &l, (struct fb_id_index){ .find = NULL });
	replay_all(&before, &l, (struct fb_id_index){ .find = NULL });
	if (fb_books_replay(b, r) != (good ? FB_OK : FB_STORAGE))
		fail_msg("row %zu: %s", row, good ? "refused" : "accepted");
	if (!good)
		check_same(before, b);
	fb_books_close(b);
	fb_books_close(before);
}

static void replay__what_contradicts__is_refused_without_a_trace(void **state)
{
	(void)state;
	prepare();
	for (size_t i = 0; i < FB_COUNT(next_records); i++) {
		struct fb_record r = next_records[i].r;

		r.seq = l.all_count + 1;
		check_next(&r, next_records[i].good, i);
		r.seq--;
		check_next(&r, false, i);
		r.seq += 2;
		check_next(&r, false, i);
	}
	ledger_close(&l);
}

static const struct {
	struct fb_record r;
	bool good;
} next_legs[] = {
	{ { MONEY(LEG, 2, 3, 3), .id = CAPTURED, .ref = BIG_HOLD }, true },
	{ { MONEY(LEG, 2, 3, 8), .id = CAPTURED, .ref = BIG_HOLD }, true },
	{ { MONEY(LEG, 2, 3, 9), .id = CAPTURED, .ref = BIG_HOLD }, false }, /* more than is left */
	{ { MONEY(LEG, 1, 3, 3), .id = CAPTURED, .ref = BIG_HOLD }, false },
	{ { MONEY(LEG, 2, 3, 3), .id = 50, .ref = BIG_HOLD }, false },
	{ { MONEY(LEG, 2, 3, 3), .id = CAPTURED, .ref = HOLD }, false },
	{ { MONEY(LEG, 2, 5, 3), .id = CAPTURED, .ref = BIG_HOLD }, false },
};

static void replay__a_leg__takes_what_its_capture_left(void **state)
{
	(void)state;
	prepare();
	CHECK(l.all[--l.all_count].kind == FB_RECORD_LEG); /* the journal ends with the capture */
	for (size_t i = 0; i < FB_COUNT(next_legs); i++) {
		struct fb_record r = next_legs[i].r;

		r.seq = l.all_count + 1;
		check_next(&r, next_legs[i].good, i);
	}
	l.all[l.all_count - 1].linked = false;
	CHECK(next_legs[0].good);
	check_next(&(struct fb_record){ MONEY(LEG, 2, 3, 3), .id = CAPTURED, .ref = BIG_HOLD, .seq = l.all_count + 1 },
		   false, 0);
	ledger_close(&l);
}

/* Two legs together may not take more than the capture left either. */
static void replay__two_legs__take_no_more_than_is_left(void **state)
{
	struct fb_record leg = { MONEY(LEG, 2, 3, 5), .id = CAPTURED, .ref = BIG_HOLD, .linked = true };
	struct fb_books *b;

	(void)state;
	prepare();
	l.all_count--;
	replay_all(&b, &l, (struct fb_id_index){ .find = NULL });
	leg.seq = l.all_count + 1;
	CHECK_STATUS(FB_OK, fb_books_replay(b, &leg));
	leg.seq++;
	leg.amount.atoms = 4;
	CHECK_STATUS(FB_STORAGE, fb_books_replay(b, &leg));
	leg.amount.atoms = 3;
	CHECK_STATUS(FB_OK, fb_books_replay(b, &leg));
	fb_books_close(b);
	ledger_close(&l);
}

static void replay__the_index_fails__is_a_failure_and_may_be_repeated(void **state)
{
	static struct rows rows;
	struct fb_books *b;

	(void)state;
	prepare();
	take_rows(&rows, l.books);
	l.indexed = l.all_count;
	ledger_do(&l, op_reverse(60, POSTED));
	load(&b, &rows, false);
	l.calls = 0;
	l.fail_at = 1;
	CHECK_STATUS(FB_STORAGE, fb_books_replay(b, &l.all[rows.seq]));
	CHECK_STATUS(FB_OK, fb_books_replay(b, &l.all[rows.seq]));
	check_same(l.books, b);
	fb_books_close(b);
	ledger_close(&l);
}

/* ---- rows that contradict --------------------------------------------------------------------------------------- */
static void load__rows_that_contradict__are_refused(void **state)
{
	const struct fb_account good = { .key = alice, .number = 2, .last_seq = 5,
		.counters = { { 10 }, { 20 }, { 30 }, { 0 } } };
	const struct fb_hold hold = { .id = 7, .account = 2, .seq = 4, .amount = { 20 } };
	struct fb_account accounts[13];
	struct fb_hold holds[9];
	struct fb_books *b;

	(void)state;
	for (size_t i = 0; i < FB_COUNT(accounts); i++)
		accounts[i] = good;
	accounts[0].number = 0;
	accounts[1].number = (uint64_t)FB_ACCOUNTS_MAX + 1;
	accounts[2].last_seq = 0;
	accounts[3].key.purpose = (enum fb_purpose)0;
	accounts[4].key.purpose = FB_PURPOSE_END;
	accounts[5].counters.debits_posted.atoms = 11; /* B2 */
	accounts[6].counters.credits_posted.atoms = FB_AMOUNT_MAX + 1;
	accounts[7].counters.debits_posted.atoms = FB_AMOUNT_MAX + 1;
	accounts[8].counters.debits_pending.atoms = FB_AMOUNT_MAX + 1;
	accounts[9].counters.credits_pending.atoms = 1;
	accounts[10].counters.debits_posted.atoms = FB_AMOUNT_MAX - 19; /* with what is pending above the maximum */
	accounts[10].may_go_below_zero = true;
	accounts[11].key = bob;   /* the number is taken */
	accounts[12].number = 3; /* the key is taken */
	for (size_t i = 0; i < FB_COUNT(holds); i++)
		holds[i] = hold;
	holds[0].id = 0;
	holds[1].id = ~(fb_id)0;
	holds[2].account = 0;
	holds[3].account = (uint64_t)FB_ACCOUNTS_MAX + 1;
	holds[4].seq = 0;
	holds[5].amount.atoms = 0;
	holds[6].amount.atoms = FB_AMOUNT_MAX + 1;
	holds[7].expires_us = -1;
	fb_books_open(&b, (struct fb_id_index){ .find = NULL }, (struct fb_books_settings){ .seed = 1 });
	for (size_t i = 0; i < 11; i++)
		CHECK_STATUS(FB_STORAGE, fb_books_load_account(b, &accounts[i]));
	CHECK_STATUS(FB_OK, fb_books_load_account(b, &good));
	CHECK_STATUS(FB_STORAGE, fb_books_load_account(b, &accounts[11]));
	CHECK_STATUS(FB_STORAGE, fb_books_load_account(b, &accounts[12]));
	for (size_t i = 0; i < 8; i++)
		CHECK_STATUS(FB_STORAGE, fb_books_load_hold(b, &holds[i]));
	CHECK_STATUS(FB_OK, fb_books_load_hold(b, &hold));
	CHECK_STATUS(FB_STORAGE, fb_books_load_hold(b, &holds[8])); /* again */
	fb_books_close(b);
}

/* Snapshots that no replay makes whole; the row that is changed, and how. */
enum unwhole { GAP, TOO_NEW, TOO_NEW_HOLD, NO_HOLD, LESS_HELD, MORE_CREDITS, NOTHING_WRONG };

static void spoil(struct rows *rows, enum unwhole how)
{
	switch (how) {
	case GAP:
		rows->accounts[1].number = 9;
		break;
	case TOO_NEW:
		rows->accounts[0].last_seq = rows->seq + 1;
		break;
	case TOO_NEW_HOLD:
		rows->holds[0].seq = rows->seq + 1;
		break;
	case NO_HOLD:
		rows->hold_count--;
		break;
	case LESS_HELD:
		rows->holds[0].amount.atoms--;
		break;
	case MORE_CREDITS:
		rows->accounts[1].counters.credits_posted.atoms++;
		break;
	case NOTHING_WRONG:
		break;
	}
}

static void load__rows_that_are_not_whole__are_found_before_the_first_change(void **state) /* B1, B5 */
{
	static struct rows rows;

	(void)state;
	prepare();
	for (enum unwhole how = GAP; how <= NOTHING_WRONG; how++) {
		struct fb_op op = op_post(70, world, alice, 1);
		enum fb_status want = how == NOTHING_WRONG ? FB_OK : FB_STORAGE;
		struct fb_op_result r;
		struct fb_books *b;
		uint32_t count = 0;

		take_rows(&rows, l.books);
		rows.holds[0].expires_us = 1;
		spoil(&rows, how);
		load(&b, &rows, false);
		l.indexed = l.all_count;
		CHECK(fb_books_expire(b, l.batch, &count, 5, 9) == (want == FB_OK ? 1 : 0));
		CHECK_STATUS(want, fb_books_run(b, &r, l.batch, &count, &op, 1, l.now_us));
		fb_books_close(b);
	}
	ledger_close(&l);
}

/* A limit that was lowered keeps nobody from what is there. */
static void load__more_than_the_limits__is_kept(void **state)
{
	static struct rows rows;
	struct fb_op op = op_post(70, alice, bob, 1), opens = op_post(71, alice, fees, 1), hold = op_hold(72, bob, 1, 0);
	struct fb_op_result r;
	struct fb_books *b;
	uint32_t count = 0;

	(void)state;
	prepare();
	take_rows(&rows, l.books);
	fb_books_open(&b, ledger_index(&l), (struct fb_books_settings){ .accounts = 1, .holds = 1 });
	for (size_t i = 0; i < rows.account_count; i++)
		CHECK_STATUS(FB_OK, fb_books_load_account(b, &rows.accounts[i]));
	for (size_t i = 0; i < rows.hold_count; i++)
		CHECK_STATUS(FB_OK, fb_books_load_hold(b, &rows.holds[i]));
	fb_books_load_seq(b, rows.seq);
	l.indexed = l.all_count;
	CHECK_STATUS(FB_OK, fb_books_run(b, &r, l.batch, &count, &op, 1, l.now_us));
	CHECK_STATUS(FB_OK, r.status);
	CHECK_STATUS(FB_OK, fb_books_run(b, &r, l.batch, &count, &opens, 1, l.now_us));
	CHECK_STATUS(FB_LIMIT, r.status);
	CHECK_STATUS(FB_OK, fb_books_run(b, &r, l.batch, &count, &hold, 1, l.now_us));
	CHECK_STATUS(FB_LIMIT, r.status);
	fb_books_close(b);
	ledger_close(&l);
}

int test_books_recovery(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recover__from_every_mix_of_two_snapshots__is_the_live_state),
		cmocka_unit_test(recover__to_every_record__knows_every_id),
		cmocka_unit_test(changes__since_the_last_time__and_no_others),
		cmocka_unit_test(replay__what_contradicts__is_refused_without_a_trace),
		cmocka_unit_test(replay__a_leg__takes_what_its_capture_left),
		cmocka_unit_test(replay__two_legs__take_no_more_than_is_left),
		cmocka_unit_test(replay__the_index_fails__is_a_failure_and_may_be_repeated),
		cmocka_unit_test(load__rows_that_contradict__are_refused),
		cmocka_unit_test(load__rows_that_are_not_whole__are_found_before_the_first_change),
		cmocka_unit_test(load__more_than_the_limits__is_kept),
	};
	return cmocka_run_group_tests_name("books_recovery", tests, NULL, NULL);
}
