/* Goal: the contract of farebox/audit.h. Method: a journal of every kind of record, right and then wrong in one place
 * at a time, and what the audit says about it: which rule, which batch, seq and account, found and expected. */
#include "farebox/audit.h"
#include "farebox/os.h"
#include "fb_test.h"
#include "test_audit.h"

static void audit__a_right_journal__is_clean(void **state)
{
	struct fb_audit_finding f;
	struct fb_audit_summary sum;
	struct script s;

	(void)state;
	script_make(&s);
	script_encode(&s);
	script_chain(&s);
	script_anchor(&s);
	if (script_audit(&s, &sum, &f) != FB_OK)
		fail_msg("seq %llu: %s is %s, expected %s", (unsigned long long)f.seq, f.what, f.found, f.expected);
	CHECK(sum.batches == SCRIPT_BATCHES && sum.records == SCRIPT_RECORDS && sum.accounts == SCRIPT_ACCOUNTS);
	CHECK(sum.ids == 12 && sum.holds == 1 && sum.anchor == SCRIPT_BATCHES - 1);
	CHECK(fb_hash_eq(&sum.head, &s.anchor.hash));
	CHECK_STATUS(FB_OK, script_verify(&s, &sum, &f));
	CHECK(sum.records == SCRIPT_RECORDS && sum.accounts == 0 && fb_hash_eq(&sum.head, &s.anchor.hash));
	script_free(&s);
}

static void audit__a_journal_beyond_its_anchor__is_clean(void **state)
{
	struct fb_audit_finding f;
	struct fb_audit_summary sum;
	struct script s;

	(void)state;
	script_make(&s);
	script_encode(&s);
	script_chain(&s);
	s.anchor = (struct fb_anchor){ .epoch = 1, .number = 4, .hash = s.heads[5].previous };
	CHECK_STATUS(FB_OK, script_audit(&s, &sum, &f));
	CHECK(sum.anchor == 4 && sum.batches == SCRIPT_BATCHES);
	script_free(&s);
}

static void audit__a_journal_that_was_only_announced__is_clean(void **state)
{
	struct fb_audit_finding f;
	struct fb_audit_summary sum;
	struct script s;

	(void)state;
	script_make(&s);
	script_encode(&s);
	script_chain(&s);
	s.anchor.epoch = 1;
	CHECK_STATUS(FB_OK, script_audit(&s, &sum, &f));
	memset(s.left_out, true, sizeof(s.left_out));
	CHECK_STATUS(FB_OK, script_audit(&s, &sum, &f));
	CHECK(sum.batches == 0 && sum.records == 0);
	script_free(&s);
}

/* ---- progress -------------------------------------------------------------------------------------------------- */
struct shown {
	unsigned times;
	struct fb_audit_progress last;
};

static void show(void *arg, const struct fb_audit_progress *p)
{
	struct shown *s = arg;

	s->times++;
	s->last = *p;
}

static uint64_t slow_ns(void *ctx) /* every look takes longer than the pause between two */
{
	uint64_t *now = ctx;

	*now += (FB_AUDIT_PROGRESS_MS + 1) * (uint64_t)1000000;
	return *now;
}

static void audit__slow__shows_how_far_it_is(void **state)
{
	uint64_t now = 0;
	struct shown shown = { 0 };
	struct fb_audit_settings settings = { .rng = fb_os_rng(), .clock = { .mono_ns = slow_ns, .ctx = &now },
					      .progress = show, .arg = &shown };
	struct fb_audit_finding f;
	struct fb_audit_summary sum;
	struct script s;

	(void)state;
	script_make(&s);
	script_encode(&s);
	script_chain(&s);
	script_anchor(&s);
	CHECK_STATUS(FB_OK, script_audit(&s, &sum, &f));
	CHECK_STATUS(FB_OK, fb_audit_run(&sum, &f, script_store(), &settings, NULL));
	CHECK(shown.times == SCRIPT_BATCHES);
	CHECK(shown.last.done == SCRIPT_RECORDS && shown.last.total == SCRIPT_RECORDS);
	CHECK(shown.last.elapsed_ms > FB_AUDIT_PROGRESS_MS && sum.elapsed_ms > shown.last.elapsed_ms);
	script_free(&s);
}

/* ---- words ----------------------------------------------------------------------------------------------------- */

static void describe__what_is_known__is_said(void **state)
{
	static const struct {
		struct fb_audit_finding f;
		const char *want;
	} rows[] = {
		{ { FB_AUDIT_LIMIT, true, 12, 340, 7, "the balance", "-5", "0 or more" },
		  "batch 12, seq 340, account 7: the balance is -5, expected 0 or more (limit: an account that may not is "
		  "never below zero (B2))" },
		{ { FB_AUDIT_BATCH_SEQ, true, 0, 0, 0, "the batch's first seq", "2", "1" },
		  "batch 0: the batch's first seq is 2, expected 1 (batch_first_seq: a batch begins with the seq after the one "
		  "before)" },
		{ { FB_AUDIT_GENESIS, false, 0, 0, 0, "the journal", "empty", "begun by batch 0" },
		  "the journal is empty, expected begun by batch 0 (genesis: the journal begins with batch 0)" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		char block[512];
		struct fb_buf b;

		fb_buf_init(&b, block, sizeof(block));
		fb_audit_describe(&b, &rows[i].f);
		CHECK_STR(rows[i].want, fb_buf_view(&b));
	}
}

static void check_info__every_check__has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < FB_AUDIT_CHECK_END; i++)
		for (unsigned k = 0; k < i; k++)
			CHECK(strcmp(fb_audit_check_info(i)->name, fb_audit_check_info(k)->name) != 0);
}

#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, derived_setup, derived_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audit__a_right_journal__is_clean),
		cmocka_unit_test(audit__a_journal_beyond_its_anchor__is_clean),
		cmocka_unit_test(audit__a_journal_that_was_only_announced__is_clean),
		cmocka_unit_test(audit__each_corruption__is_named),
		cmocka_unit_test(audit__every_byte_of_every_row_flipped__is_found),
		cmocka_unit_test(audit__every_record_byte_changed_and_all_rehashed__is_found),
		cmocka_unit_test(audit__random_bytes_changed_and_all_hashed__is_judged),
		cmocka_unit_test(verify__each_corruption_of_the_chain__is_named),
		WITH_LEDGER(audit__derived_rows_of_a_writer__are_clean),
		WITH_LEDGER(audit__each_derived_lie__is_named),
		WITH_LEDGER(audit__any_byte_of_a_derived_row_flipped__is_found),
		cmocka_unit_test(audit__slow__shows_how_far_it_is),
		cmocka_unit_test(describe__what_is_known__is_said),
		cmocka_unit_test(check_info__every_check__has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, script_setup, script_teardown);
}
