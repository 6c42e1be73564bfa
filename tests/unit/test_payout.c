/* What is decided about withdrawals without asking anybody: states, reasons, ids and rows. */
#include "fb_test.h"
#include "payout_int.h"

static const struct fb_escrow escrow = { .chain_id = 7, .address = { { 0xee } }, .token = { { 0x70 } } };

static struct fb_withdrawal sample(void)
{
	struct fb_withdrawal w = { .id = { { 1, 2, 3 } }, .owner = { { 4 } }, .to = { { 5 } }, .amount = { 1000 },
				   .fee = { 10 }, .state = FB_PAYOUT_PAID, .reason = FB_ESCROW_REFUSAL_NONE,
				   .held = true, .tries = 3, .created_us = 11, .updated_us = 12, .since = 13, .job = 14,
				   .tx = { { 15 } }, .block = 16, .block_hash = { { 17 } } };

	w.payout_id = fb_payout_id_of(&escrow, &w);
	return w;
}

static void reason__of_every_kind__passes_stays_or_is_decided(void **state)
{
	(void)state;
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_PAUSED) == FB_PAYOUT_PASSES);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_OVER_DAY_CAP) == FB_PAYOUT_PASSES);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_TOKEN_PAUSED) == FB_PAYOUT_PASSES);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_INSUFFICIENT_BALANCE) == FB_PAYOUT_PASSES);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_BAD_PAYEE) == FB_PAYOUT_STAYS);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_ZERO_AMOUNT) == FB_PAYOUT_STAYS);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_OVER_PAYOUT_CAP) == FB_PAYOUT_STAYS);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_TOKEN_REFUSED) == FB_PAYOUT_STAYS);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_ALREADY_PAID) == FB_PAYOUT_DECIDED);
	CHECK(fb_payout_class_of(FB_ESCROW_REFUSAL_CANCELLED) == FB_PAYOUT_DECIDED);
}

static void state__after_any_word__is_a_move_of_the_table(void **state)
{
	static const enum fb_payout_state mined[] = { FB_PAYOUT_SENT, FB_PAYOUT_BURNING };

	(void)state;
	for (size_t i = 0; i < FB_COUNT(mined); i++)
		for (int said = FB_PAYOUT_SAID_NOTHING; said <= FB_PAYOUT_SAID_OTHERWISE; said++)
			for (int r = FB_ESCROW_REFUSAL_PAUSED; r <= FB_ESCROW_REFUSAL_TOKEN_REFUSED; r++) {
				struct fb_payout_word word = { .said = (enum fb_payout_said)said,
							       .reason = (enum fb_escrow_refusal)r };
				enum fb_payout_state to = fb_payout_after(mined[i], &word);

				CHECK(fb_payout_move_of(mined[i], to) != FB_PAYOUT_MOVE_END);
				CHECK((to == FB_PAYOUT_PAID) ==
				      (mined[i] == FB_PAYOUT_SENT && said == FB_PAYOUT_SAID_PAID));
				CHECK((to == FB_PAYOUT_BURNT) ==
				      (mined[i] == FB_PAYOUT_BURNING && said == FB_PAYOUT_SAID_BURNT));
			}
}

static void state__of_a_block_that_is_gone__waits_again_or_stays(void **state)
{
	(void)state;
	for (int s = FB_PAYOUT_QUEUED; s < FB_PAYOUT_STATE_END; s++) {
		enum fb_payout_state from = (enum fb_payout_state)s;
		enum fb_payout_state pay = fb_payout_gone(from, FB_PAYOUT_JOB_PAY);
		enum fb_payout_state burn = fb_payout_gone(from, FB_PAYOUT_JOB_BURN);

		CHECK(pay == from || fb_payout_move_of(from, pay) != FB_PAYOUT_MOVE_END);
		CHECK(burn == from || fb_payout_move_of(from, burn) != FB_PAYOUT_MOVE_END);
	}
	CHECK(fb_payout_gone(FB_PAYOUT_COMPLETED, FB_PAYOUT_JOB_PAY) == FB_PAYOUT_COMPLETED);
}

/* A hold ends out of these two states alone. */
static void state__over__comes_from_paid_and_burnt_alone(void **state)
{
	(void)state;
	for (int s = FB_PAYOUT_NONE; s < FB_PAYOUT_STATE_END; s++) {
		enum fb_payout_state from = (enum fb_payout_state)s;

		CHECK((fb_payout_move_of(from, FB_PAYOUT_COMPLETED) != FB_PAYOUT_MOVE_END) == (s == FB_PAYOUT_PAID));
		CHECK((fb_payout_move_of(from, FB_PAYOUT_FAILED) != FB_PAYOUT_MOVE_END) == (s == FB_PAYOUT_BURNT));
		CHECK(fb_payout_move_of(FB_PAYOUT_COMPLETED, from) == FB_PAYOUT_MOVE_END);
		CHECK(fb_payout_move_of(FB_PAYOUT_FAILED, from) == FB_PAYOUT_MOVE_END);
	}
}

static void row__written_and_read__is_the_same_and_proves_its_id(void **state)
{
	uint8_t row[FB_PAYOUT_ROW_LEN], again[FB_PAYOUT_ROW_LEN], key[FB_PAYOUT_ROW_KEY_LEN];
	struct fb_str k = { (const char *)key, sizeof(key) }, v = { (const char *)row, sizeof(row) };
	struct fb_withdrawal w = sample(), out;

	(void)state;
	fb_payout_row_key(key, &escrow, &w.id);
	fb_payout_encode(row, &w);
	CHECK(fb_payout_decode(&out, &escrow, k, v) == FB_OK);
	fb_payout_encode(again, &out);
	CHECK(memcmp(row, again, sizeof(row)) == 0 && fb_uuid_eq(&out.id, &w.id));
	row[24] ^= 1; /* another wallet */
	CHECK(fb_payout_decode(&out, &escrow, k, v) == FB_STORAGE);
	row[24] ^= 1;
	key[FB_PAYOUT_ROW_KEY_LEN - 1] ^= 1; /* another id */
	CHECK(fb_payout_decode(&out, &escrow, k, v) == FB_STORAGE);
}

static void ids__of_one_withdrawal__differ_by_what_they_are_for(void **state)
{
	struct fb_withdrawal w = sample(), other = sample();

	(void)state;
	CHECK(fb_payout_op_id(&w, FB_PAYOUT_CODE_HOLD) != fb_payout_op_id(&w, FB_PAYOUT_CODE_CAPTURE));
	CHECK(fb_payout_op_id(&w, FB_PAYOUT_CODE_RELEASE) != fb_payout_op_id(&w, FB_PAYOUT_CODE_CAPTURE));
	other.amount = (struct fb_amount){ 1001 };
	other.payout_id = fb_payout_id_of(&escrow, &other);
	CHECK(!fb_hash_eq(&w.payout_id, &other.payout_id));
}

static void retry__after_many_refusals__is_bounded(void **state)
{
	(void)state;
	CHECK(fb_payout_retry_ms(0) == FB_PAYOUT_RETRY_MS);
	CHECK(fb_payout_retry_ms(UINT32_MAX) == FB_PAYOUT_RETRY_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason__of_every_kind__passes_stays_or_is_decided),
		cmocka_unit_test(state__after_any_word__is_a_move_of_the_table),
		cmocka_unit_test(state__of_a_block_that_is_gone__waits_again_or_stays),
		cmocka_unit_test(state__over__comes_from_paid_and_burnt_alone),
		cmocka_unit_test(row__written_and_read__is_the_same_and_proves_its_id),
		cmocka_unit_test(ids__of_one_withdrawal__differ_by_what_they_are_for),
		cmocka_unit_test(retry__after_many_refusals__is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
