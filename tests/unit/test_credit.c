/* The decisions one by one: which postings an event leads to, between which accounts, and what is refused. What follows
 * from long runs of events is proved by tests/credit. */
#include "farebox/credit.h"
#include "fb_test.h"

enum { FROM = 10, AMOUNT = 1000 };

/* A chain of which the test says what stands, and wallets of which it says who is known. */
struct stage {
	struct fb_credit_settings settings;
	struct fb_credit *credit;
	uint8_t fork;      /* of the blocks that stand */
	bool known, ours;
	struct fb_movement movements[4];
	size_t count;
};

static struct fb_hash block_hash(uint64_t block, uint8_t fork)
{
	struct fb_hash h = { { 0 } };

	fb_put_be64(h.bytes, block);
	h.bytes[31] = fork;
	return h;
}

static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	const struct stage *s = ctx;

	if (!s->known)
		return false;
	memcpy(out->bytes, wallet->bytes, 20);
	out->bytes[0] = 0x99;
	return true;
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	const struct stage *s = ctx;

	CHECK(m->kind == FB_MOVEMENT_PAYOUT);
	return s->ours;
}

static enum fb_stand stands(void *ctx, uint64_t block, const struct fb_hash *hash)
{
	const struct stage *s = ctx;
	struct fb_hash now = block_hash(block, s->fork);

	return fb_hash_eq(&now, hash) ? FB_STAND_YES : FB_STAND_NO;
}

static void open_stage(struct stage *s, enum fb_credit_rung rung, uint64_t blocks)
{
	memset(s, 0, sizeof(*s));
	s->settings = (struct fb_credit_settings){ .asset = 1, .from_block = FROM, .rung = rung, .blocks = blocks };
	s->settings.escrow.chain_id = 1;
	memset(s->settings.escrow.address.bytes, 0xee, 20);
	s->ours = true;
	fb_credit_open(&s->credit, &s->settings, (struct fb_credit_ports){ owner_of, is_payout, stands, s });
}

/* One movement in the range read next, by a wallet of that letter. */
static void put(struct stage *s, enum fb_movement_kind kind, uint8_t wallet, uint64_t block)
{
	struct fb_movement *m = &s->movements[s->count++];

	*m = (struct fb_movement){ .kind = kind, .block = block, .index = s->count, .amount = { AMOUNT },
				   .block_hash = block_hash(block, s->fork) };
	m->tx.bytes[0] = wallet;
	memset(m->wallet.bytes, wallet, 20);
	memset(m->payer.bytes, wallet, 20);
	m->identity = fb_movement_identity(m, &s->settings.escrow);
}

static enum fb_status scan(struct stage *s, uint64_t first, uint64_t last)
{
	static struct fb_credit_block blocks[64];
	struct fb_credit_scan scan = { .first = first, .last = last, .last_hash = block_hash(last, s->fork),
				       .movements = s->movements, .count = s->count, .blocks = blocks };

	for (uint64_t n = first; n <= last; n++)
		blocks[scan.block_count++] = (struct fb_credit_block){ n, block_hash(n, s->fork) };
	return fb_credit_scan(s->credit, &scan, NULL);
}

/* The event's postings, which must be these: pairs of purposes, ended by 0. */
static void expect(struct stage *s, const enum fb_purpose *pairs)
{
	static struct fb_credit_batch b;
	size_t at = 0;

	while (fb_credit_next(s->credit, &b)) {
		CHECK(b.put_count >= 1 && b.keys[b.put_count - 1][0] == 'C');
		for (size_t i = 0; i < b.op_count; i++, at += 2) {
			CHECK(pairs[at] != 0);
			CHECK(b.ops[i].kind == FB_OP_POST && b.ops[i].debit.purpose == pairs[at]);
			CHECK(b.ops[i].legs[0].credit.purpose == pairs[at + 1]);
		}
	}
	CHECK(pairs[at] == 0);
	s->count = 0;
}
#define EXPECT(s, ...) expect((s), (const enum fb_purpose[]){ __VA_ARGS__, 0 })
#define E FB_PURPOSE_ESCROW
#define P FB_PURPOSE_PENDING_IN
#define A FB_PURPOSE_AVAILABLE
#define S FB_PURPOSE_SUSPENSE
#define R FB_PURPOSE_RECEIVABLE
#define O FB_PURPOSE_PAYOUT

static void nothing(struct stage *s)
{
	expect(s, (const enum fb_purpose[]){ 0 });
}

static void heads(struct stage *s, uint64_t latest, uint64_t safe, uint64_t final)
{
	CHECK_STATUS(FB_OK, fb_credit_heads(s->credit, latest, safe, final));
}

/* ---- rungs ------------------------------------------------------------------------------------------------ */
static void deposit__its_own_block_counted__is_available_at_the_nth(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_BLOCKS, 3);
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	EXPECT(&s, E, P);
	heads(&s, 10, 0, 0);
	nothing(&s);
	heads(&s, 11, 0, 0);
	nothing(&s);
	heads(&s, 12, 0, 0);
	EXPECT(&s, P, A);
	CHECK(fb_credit_item(s.credit, 0)->state == FB_CREDIT_AVAILABLE);
	fb_credit_close(s.credit);
}

static void deposit__safe_and_final_rungs__wait_for_their_mark(void **state)
{
	static const struct {
		enum fb_credit_rung rung;
		uint64_t safe, final;
		bool available;
	} cases[] = {
		{ FB_CREDIT_SAFE, 9, 9, false }, { FB_CREDIT_SAFE, 10, 9, true },  { FB_CREDIT_FINAL, 20, 9, false },
		{ FB_CREDIT_FINAL, 20, 10, true }, { FB_CREDIT_BLOCKS, 20, 10, true },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(cases); i++) {
		struct stage s;

		open_stage(&s, cases[i].rung, 1000);
		put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
		CHECK_STATUS(FB_OK, scan(&s, 10, 20));
		EXPECT(&s, E, P);
		heads(&s, 20, cases[i].safe, cases[i].final);
		if (cases[i].available)
			EXPECT(&s, P, A);
		else
			nothing(&s);
		fb_credit_close(s.credit);
	}
}

static void early__up_to_the_cap__and_no_further(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	fb_credit_close(s.credit);
	s.settings.early_max.atoms = AMOUNT;
	s.settings.early_cap.atoms = 2 * AMOUNT;
	fb_credit_open(&s.credit, &s.settings, (struct fb_credit_ports){ owner_of, is_payout, stands, &s });
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	put(&s, FB_MOVEMENT_DEPOSIT, 'b', 10);
	put(&s, FB_MOVEMENT_DEPOSIT, 'c', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	EXPECT(&s, E, P, E, P, E, P, P, A, P, A);
	CHECK(fb_credit_at_risk(s.credit).atoms == 2 * AMOUNT);
	heads(&s, 20, 10, 10);
	EXPECT(&s, P, A);
	CHECK(fb_credit_at_risk(s.credit).atoms == 0);
	fb_credit_close(s.credit);
}

/* ---- whose it is ------------------------------------------------------------------------------------------ */
static void kinds__known_and_unknown_wallets__go_where_they_belong(void **state)
{
	static const struct {
		enum fb_movement_kind kind;
		bool known;
		enum fb_purpose debit, credit;
	} cases[] = {
		{ FB_MOVEMENT_DEPOSIT, false, E, P },  { FB_MOVEMENT_DEPOSIT, true, E, P },
		{ FB_MOVEMENT_AUTHORIZED, false, E, P }, { FB_MOVEMENT_GIFT, false, E, S },
		{ FB_MOVEMENT_GIFT, true, E, P },      { FB_MOVEMENT_TRANSFER, false, E, S },
		{ FB_MOVEMENT_TRANSFER, true, E, P },  { FB_MOVEMENT_PAYOUT, false, O, E },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(cases); i++) {
		struct stage s;

		open_stage(&s, FB_CREDIT_FINAL, 0);
		s.known = cases[i].known;
		put(&s, cases[i].kind, 'a', 10);
		CHECK_STATUS(FB_OK, scan(&s, 10, 10));
		EXPECT(&s, cases[i].debit, cases[i].credit);
		CHECK((fb_credit_item(s.credit, 0)->owner.bytes[0] == 0x99) == cases[i].known);
		fb_credit_close(s.credit);
	}
}

static void what_left_and_is_not_ours__is_counted_and_not_posted(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	s.ours = false;
	put(&s, FB_MOVEMENT_LEAK, 'a', 10);
	put(&s, FB_MOVEMENT_PAYOUT, 'b', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	nothing(&s);
	CHECK(fb_credit_leaks(s.credit) == 2 && fb_credit_count(s.credit) == 0);
	fb_credit_close(s.credit);
}

static void suspense__its_wallet_is_proven__moves_when_ripe(void **state)
{
	struct stage s;
	struct fb_address wallet;

	(void)state;
	open_stage(&s, FB_CREDIT_BLOCKS, 2);
	put(&s, FB_MOVEMENT_TRANSFER, 'a', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	EXPECT(&s, E, S);
	s.known = true;
	memset(wallet.bytes, 'a', 20);
	CHECK_STATUS(FB_OK, fb_credit_claim(s.credit, &wallet, (struct fb_amount){ AMOUNT + 5 }));
	EXPECT(&s, S, A); /* the 5 that are final; the movement itself is not ripe */
	heads(&s, 11, 0, 0);
	EXPECT(&s, S, A);
	fb_credit_close(s.credit);
}

/* ---- blocks that go and come ------------------------------------------------------------------------------ */
static void reorg__pending_available_and_payout__are_reversed_from_where_they_are(void **state)
{
	static const enum fb_purpose from[] = { P, R, E };
	static const enum fb_purpose to[] = { E, E, O };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct stage s;

		open_stage(&s, FB_CREDIT_BLOCKS, i == 1 ? 1 : 100);
		heads(&s, 10, 0, 0);
		nothing(&s);
		put(&s, i == 2 ? FB_MOVEMENT_PAYOUT : FB_MOVEMENT_DEPOSIT, 'a', 10);
		CHECK_STATUS(FB_OK, scan(&s, 10, 10));
		if (i == 1)
			EXPECT(&s, E, P, P, A);
		else
			EXPECT(&s, i == 2 ? O : E, i == 2 ? E : P);
		s.fork = 1;
		CHECK_STATUS(FB_OK, fb_credit_rewind(s.credit, 10));
		EXPECT(&s, from[i], to[i]);
		CHECK(fb_credit_debtors(s.credit) == (i == 1));
		CHECK(fb_credit_next_block(s.credit) == 10);
		fb_credit_close(s.credit);
	}
}

static void debt__the_next_credit__repays_it_first(void **state)
{
	static struct fb_credit_batch b;
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_BLOCKS, 1);
	heads(&s, 10, 0, 0);
	nothing(&s);
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	EXPECT(&s, E, P, P, A);
	s.fork = 1;
	CHECK_STATUS(FB_OK, fb_credit_rewind(s.credit, 10));
	EXPECT(&s, R, E);
	CHECK(!fb_credit_repay(s.credit, &b, 0, (struct fb_amount){ 0 }));
	CHECK(fb_credit_repay(s.credit, &b, 0, (struct fb_amount){ 400 }));
	CHECK(b.op_count == 1 && b.ops[0].debit.purpose == A && b.ops[0].legs[0].amount.atoms == 400);
	fb_credit_repaid(s.credit, FB_FUNDS); /* it was spent meanwhile: the whole debt is there again */
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	s.movements[0].tx.bytes[1] = 1;
	s.movements[0].amount.atoms = AMOUNT + 1;
	s.movements[0].identity = fb_movement_identity(&s.movements[0], &s.settings.escrow);
	CHECK_STATUS(FB_OK, scan(&s, 10, 10));
	EXPECT(&s, E, P, P, R, P, A);
	CHECK(fb_credit_debtors(s.credit) == 0);
	fb_credit_close(s.credit);
}

static void ids__same_block_again__differ_by_round_alone(void **state)
{
	struct fb_hash identity = { { 1 } }, block = { { 2 } }, other = { { 3 } };
	fb_id first = fb_credit_id(&identity, &block, FB_CREDIT_POST_CREDIT, 0);

	(void)state;
	CHECK(first == fb_credit_id(&identity, &block, FB_CREDIT_POST_CREDIT, 0));
	CHECK(first != fb_credit_id(&identity, &block, FB_CREDIT_POST_CREDIT, 1));
	CHECK(first != fb_credit_id(&identity, &block, FB_CREDIT_POST_REVERSAL, 0));
	CHECK(first != fb_credit_id(&identity, &other, FB_CREDIT_POST_CREDIT, 0));
	CHECK(first != fb_credit_id(&other, &block, FB_CREDIT_POST_CREDIT, 0));
}

static void receipt__seen_before_its_block__is_one_credit(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	put(&s, FB_MOVEMENT_AUTHORIZED, 'a', 12);
	CHECK_STATUS(FB_OK, fb_credit_receipt(s.credit, s.movements, 1));
	EXPECT(&s, E, P);
	put(&s, FB_MOVEMENT_AUTHORIZED, 'a', 12);
	CHECK_STATUS(FB_OK, scan(&s, 10, 12));
	nothing(&s);
	s.fork = 1;
	put(&s, FB_MOVEMENT_AUTHORIZED, 'a', 13);
	s.movements[0].block_hash = block_hash(13, 7); /* of a block that does not stand */
	CHECK_STATUS(FB_BUSY, fb_credit_receipt(s.credit, s.movements, 1));
	fb_credit_close(s.credit);
}

/* ---- lies and halts --------------------------------------------------------------------------------------- */
static void scan__a_credited_movement_is_left_out__is_a_lie_or_a_reorg(void **state)
{
	struct fb_credit_scan s2 = { .first = 10, .last = 20 };
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	CHECK_STATUS(FB_OK, scan(&s, 10, 20));
	EXPECT(&s, E, P);
	heads(&s, 40, 20, 20);
	EXPECT(&s, P, A);
	CHECK_STATUS(FB_MISSING, fb_credit_scan(s.credit, &s2, NULL));
	CHECK_STATUS(FB_MISMATCH, scan(&s, 10, 20)); /* the same block without it */
	CHECK(fb_credit_item(s.credit, 0)->state == FB_CREDIT_AVAILABLE);
	s.fork = 1;
	CHECK_STATUS(FB_OK, scan(&s, 10, 20));
	EXPECT(&s, R, E);
	CHECK_STATUS(FB_CONFLICT, fb_credit_rewind(s.credit, 20)); /* final now */
	fb_credit_close(s.credit);
}

static void halt__everything_after_it__is_refused_until_released(void **state)
{
	struct stage s;
	struct fb_address wallet = { { 0 } };

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	fb_credit_halt(s.credit, FB_CREDIT_HALT_DISAGREE);
	nothing(&s);
	CHECK(fb_credit_halted(s.credit) == FB_CREDIT_HALT_DISAGREE);
	CHECK_STATUS(FB_CONFLICT, scan(&s, 10, 20));
	CHECK_STATUS(FB_CONFLICT, fb_credit_heads(s.credit, 1, 1, 1));
	CHECK_STATUS(FB_CONFLICT, fb_credit_rewind(s.credit, 15));
	CHECK_STATUS(FB_CONFLICT, fb_credit_receipt(s.credit, s.movements, 0));
	CHECK_STATUS(FB_CONFLICT, fb_credit_claim(s.credit, &wallet, (struct fb_amount){ 0 }));
	fb_credit_halt(s.credit, FB_CREDIT_HALT_NONE);
	nothing(&s);
	CHECK_STATUS(FB_OK, scan(&s, 10, 20));
	nothing(&s);
	fb_credit_close(s.credit);
}

static void limit__more_than_can_be_kept__is_refused_before_anything_happened(void **state)
{
	struct fb_credit_scan scan_ = { .first = 10, .last = 10, .count = FB_CREDIT_LIVE_MAX + 1 };
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	CHECK_STATUS(FB_LIMIT, fb_credit_scan(s.credit, &scan_, NULL));
	CHECK_STATUS(FB_LIMIT, fb_credit_receipt(s.credit, NULL, FB_CREDIT_LIVE_MAX + 1));
	CHECK(fb_credit_next_block(s.credit) == 10);
	fb_credit_close(s.credit);
}

static void value__at_a_block__is_what_moved_up_to_it(void **state)
{
	struct fb_amount v;
	struct stage s;

	(void)state;
	open_stage(&s, FB_CREDIT_FINAL, 0);
	put(&s, FB_MOVEMENT_DEPOSIT, 'a', 10);
	put(&s, FB_MOVEMENT_DEPOSIT, 'b', 12);
	put(&s, FB_MOVEMENT_PAYOUT, 'c', 14);
	s.movements[2].amount.atoms = 300;
	CHECK_STATUS(FB_OK, scan(&s, 10, 15));
	EXPECT(&s, E, P, E, P, O, E);
	for (uint64_t n = 9; n <= 15; n++) {
		CHECK_STATUS(FB_OK, fb_credit_value(s.credit, n, &v));
		CHECK(v.atoms == (n < 10 ? 0 : n < 12 ? AMOUNT : n < 14 ? 2 * AMOUNT : 2 * AMOUNT - 300));
	}
	CHECK_STATUS(FB_OK, fb_credit_total(s.credit, &v));
	CHECK(v.atoms == 2 * AMOUNT - 300);
	fb_credit_close(s.credit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deposit__its_own_block_counted__is_available_at_the_nth),
		cmocka_unit_test(deposit__safe_and_final_rungs__wait_for_their_mark),
		cmocka_unit_test(early__up_to_the_cap__and_no_further),
		cmocka_unit_test(kinds__known_and_unknown_wallets__go_where_they_belong),
		cmocka_unit_test(what_left_and_is_not_ours__is_counted_and_not_posted),
		cmocka_unit_test(suspense__its_wallet_is_proven__moves_when_ripe),
		cmocka_unit_test(reorg__pending_available_and_payout__are_reversed_from_where_they_are),
		cmocka_unit_test(debt__the_next_credit__repays_it_first),
		cmocka_unit_test(ids__same_block_again__differ_by_round_alone),
		cmocka_unit_test(receipt__seen_before_its_block__is_one_credit),
		cmocka_unit_test(scan__a_credited_movement_is_left_out__is_a_lie_or_a_reorg),
		cmocka_unit_test(halt__everything_after_it__is_refused_until_released),
		cmocka_unit_test(limit__more_than_can_be_kept__is_refused_before_anything_happened),
		cmocka_unit_test(value__at_a_block__is_what_moved_up_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
