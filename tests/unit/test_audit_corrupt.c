/* Goal: whatever is wrong is found where it is, and named. Method: one table of lies that are consistent in themselves
 * (hashed, chained, anchored), so that only the rule they break can find them; then every byte, one after the other. */
#include "farebox/crypto.h"
#include "fb_test.h"
#include "test_audit.h"

/* ---- the table of lies ----------------------------------------------------------------------------------------- */
struct lie {
	const char *name;
	void (*tell)(struct script *s); /* before the rows are encoded */
	enum fb_audit_check check;
	uint64_t batch, seq, account; /* as named; batch NONE: about no batch */
	const char *found, *expected;
};
#define NONE UINT64_MAX

/* Makes one function a lie: `change` is done to the script's record (seq) or batch. */
#define LIE_RECORD(name, seq, ...)                               \
	static void name(struct script *s)                       \
	{                                                        \
		struct fb_record *r = &s->records[(seq) - 1];    \
		__VA_ARGS__;                                     \
	}
#define LIE_BATCH(name, batch, change)                           \
	static void name(struct script *s)                       \
	{                                                        \
		struct fb_batch_head *h = &s->heads[batch];      \
		change;                                          \
	}

LIE_RECORD(skip_a_seq, 9, r->seq = 10)
LIE_RECORD(skip_an_account, 3, r->debit = 4)
LIE_RECORD(reuse_an_account, 3, r->debit = 2)
LIE_RECORD(open_twice, 3, memset(r->owner.bytes, 2, sizeof(r->owner.bytes)))
LIE_RECORD(debit_nobody, 7, r->debit = 99)
LIE_RECORD(credit_nobody, 7, r->credit = 99)
LIE_RECORD(other_asset, 7, r->asset = 2)
LIE_RECORD(credit_other_asset, 7, r->credit = 5)
LIE_RECORD(hold_other_asset, 9, r->debit = 5)
LIE_RECORD(pay_oneself, 8, r->debit = 5)
LIE_RECORD(largest_id, 7, r->id = ~(fb_id)0)
LIE_RECORD(post_id_again, 8, r->id = 101)
LIE_RECORD(hold_id_again, 10, r->id = 103)
LIE_RECORD(refused_id_applied, 17, r->id = 106)
LIE_RECORD(applied_id_refused, 13, r->id = 101)
LIE_RECORD(overdraw, 14, r->amount.atoms = 1000)
LIE_RECORD(hold_too_much, 10, r->amount.atoms = 701)
LIE_RECORD(smaller_deposit, 7, r->amount.atoms = 299)
LIE_RECORD(limit_set_later, 6, r->may_go_below_zero = false)
LIE_RECORD(end_unknown, 18, r->ref = 999)
LIE_RECORD(end_ended, 18, r->ref = 103)
LIE_RECORD(end_a_post, 18, r->ref = 101)
LIE_RECORD(end_of_other, 18, r->debit = 2)
LIE_RECORD(free_more, 18, r->amount.atoms = 101)
LIE_RECORD(free_less, 16, r->amount.atoms = 199)
LIE_RECORD(capture_wrong_hold, 11, r->held.atoms = 299)
LIE_RECORD(capture_more, 11, r->amount.atoms = 301)
LIE_RECORD(leg_takes_more, 12, r->amount.atoms = 51)
LIE_RECORD(leg_of_other_id, 12, r->id = 205)
LIE_RECORD(leg_of_other_hold, 12, r->ref = 104)
LIE_RECORD(leg_of_other_account, 12, r->debit = 1)
LIE_RECORD(leg_unlinked, 11, r->linked = false)
LIE_RECORD(leg_alone, 15, r->kind = FB_RECORD_LEG; r->ref = 103)
LIE_RECORD(expire_early, 10, r->expires_us += 9000000)
LIE_RECORD(expire_never, 10, r->expires_us = 0)
LIE_RECORD(release_late, 17, r->expires_us = script_time_us + 6000000)
LIE_RECORD(capture_late, 9, r->expires_us = script_time_us + 4000000)
LIE_RECORD(reverse_unknown, 19, r->ref = 999)
LIE_RECORD(reverse_hold, 19, r->ref = 112)
LIE_RECORD(reverse_same_way, 19, r->debit = 2; r->credit = 3)
LIE_RECORD(reverse_more, 19, r->amount.atoms = 51)
LIE_RECORD(chain_half_refused, 15, *r = (struct fb_record){ .kind = FB_RECORD_REFUSE, .seq = 15, .id = 108,
		.refused = FB_LINKED_FAILED })
LIE_RECORD(chain_open, 15, r->linked = true)
LIE_RECORD(expired_hold, 10, r->expires_us = script_time_us + 2000000)
LIE_RECORD(overflow, 7, r->amount.atoms = FB_AMOUNT_MAX; r[1] = r[0]; r[1].id++; r[1].seq++; r[1].amount.atoms = 1)
LIE_RECORD(credit_overflow, 17, s->records[3].may_go_below_zero = true; *r = (struct fb_record){
		.kind = FB_RECORD_POST, .seq = 17, .id = 109, .debit = 4, .credit = 2, .asset = 1,
		.amount.atoms = FB_AMOUNT_MAX - 999 })
LIE_BATCH(seq_gap, 4, h->first_seq++)
LIE_BATCH(same_time, 4, h->time_us = script_time_us + 3000000)
LIE_BATCH(time_back, 4, h->time_us = script_time_us)
LIE_BATCH(epoch_back, 4, h->epoch = 0)
LIE_BATCH(wrong_number, 4, h->number = 5)
LIE_BATCH(genesis_elsewhere, 0, h->first_seq = 2)

static void account_in_refused_chain(struct script *s)
{
	s->records[12] = (struct fb_record){ .kind = FB_RECORD_ACCOUNT, .seq = 13, .debit = 7, .linked = true,
					     .purpose = FB_PURPOSE_FEES, .asset = 9 };
	s->records[13] = (struct fb_record){ .kind = FB_RECORD_REFUSE, .seq = 14, .id = 107, .refused = FB_FUNDS };
}

static void reverse_twice(struct script *s)
{
	s->records[19] = s->records[18];
	s->records[19].seq = 20;
	s->records[19].id = 112;
}

static void leave_out_a_batch(struct script *s)
{
	s->left_out[3] = true;
}

static void leave_out_the_genesis(struct script *s)
{
	s->left_out[0] = true;
}

static void leave_out_all(struct script *s)
{
	memset(s->left_out, true, sizeof(s->left_out));
}

static void other_key(struct script *s)
{
	s->keys[6] = 8;
}

#define OPEN_MAX_TEXT "170141183460469231731687303715884105727"
static const struct lie lies[] = {
	{ "a seq is skipped", skip_a_seq, FB_AUDIT_RECORD_SEQ, 2, 9, 0, "10", "9" },
	{ "an account's number is skipped", skip_an_account, FB_AUDIT_ACCOUNT_NUMBER, 1, 3, 4, "4", "3" },
	{ "an account's number is used again", reuse_an_account, FB_AUDIT_ACCOUNT_NUMBER, 1, 3, 2, "2", "3" },
	{ "an account opens twice", open_twice, FB_AUDIT_ACCOUNT_TWICE, 1, 3, 3, "3", "2" },
	{ "nobody is debited", debit_nobody, FB_AUDIT_ACCOUNT_NUMBER, 2, 7, 99, "99", "6" },
	{ "nobody is credited", credit_nobody, FB_AUDIT_ACCOUNT_NUMBER, 2, 7, 99, "99", "6" },
	{ "a record has another asset", other_asset, FB_AUDIT_ASSET, 2, 7, 1, "2", "1" },
	{ "an account of another asset is credited", credit_other_asset, FB_AUDIT_ASSET, 2, 7, 5, "1", "2" },
	{ "an account of another asset is held", hold_other_asset, FB_AUDIT_ASSET, 2, 9, 5, "1", "2" },
	{ "an account pays itself", pay_oneself, FB_AUDIT_SAME_ACCOUNT, 2, 8, 5, "the debited one", "another one" },
	{ "an id is all ones", largest_id, FB_AUDIT_ID_RANGE, 2, 7, 1, NULL, NULL },
	{ "a post's id is used again", post_id_again, FB_AUDIT_ID_TWICE, 2, 8, 6, "8", "7" },
	{ "a hold's id is used again", hold_id_again, FB_AUDIT_ID_TWICE, 2, 10, 2, "10", "9" },
	{ "a refused id is applied later", refused_id_applied, FB_AUDIT_ID_TWICE, 5, 17, 3, "17", "13" },
	{ "an applied id is refused later", applied_id_refused, FB_AUDIT_ID_TWICE, 4, 13, 0, "13", "7" },
	{ "more is paid than there is", overdraw, FB_AUDIT_LIMIT, 4, 14, 2, "-460", "0 or more" },
	{ "more is held than there is", hold_too_much, FB_AUDIT_LIMIT, 2, 10, 2, "-1", "0 or more" },
	{ "less was deposited", smaller_deposit, FB_AUDIT_LIMIT, 2, 9, 2, "-1", "0 or more" },
	{ "an account may not go below zero", limit_set_later, FB_AUDIT_LIMIT, 2, 8, 6, "-500", "0 or more" },
	{ "an unknown hold ends", end_unknown, FB_AUDIT_HOLD_OPEN, 6, 18, 3, "unknown", "open" },
	{ "a hold ends twice", end_ended, FB_AUDIT_HOLD_OPEN, 6, 18, 3, "ended", "open" },
	{ "a post ends as a hold", end_a_post, FB_AUDIT_HOLD_OPEN, 6, 18, 3, "post", "open" },
	{ "a hold ends on another account", end_of_other, FB_AUDIT_HOLD_ACCOUNT, 6, 18, 2, "2", "3" },
	{ "a release frees more", free_more, FB_AUDIT_HOLD_AMOUNT, 6, 18, 3, "101", "100" },
	{ "an expiry frees less", free_less, FB_AUDIT_HOLD_AMOUNT, 5, 16, 2, "199", "200" },
	{ "a capture misjudges its hold", capture_wrong_hold, FB_AUDIT_HOLD_AMOUNT, 4, 11, 2, "299", "300" },
	{ "a capture takes more than the hold", capture_more, FB_AUDIT_CAPTURE_SUM, 4, 11, 2, "301", "300" },
	{ "a leg takes more than the hold", leg_takes_more, FB_AUDIT_CAPTURE_SUM, 4, 12, 2, "301", "300" },
	{ "a leg has another id", leg_of_other_id, FB_AUDIT_LEG_PLACE, 4, 12, 2, "another one", NULL },
	{ "a leg has another hold", leg_of_other_hold, FB_AUDIT_LEG_PLACE, 4, 12, 2, "another one", NULL },
	{ "a leg is of another account", leg_of_other_account, FB_AUDIT_LEG_PLACE, 4, 12, 1, "another one", NULL },
	{ "a capture is not linked to its leg", leg_unlinked, FB_AUDIT_LEG_PLACE, 4, 12, 2, NULL, NULL },
	{ "a leg has no capture", leg_alone, FB_AUDIT_LEG_PLACE, 4, 15, 3, "no part of a capture", NULL },
	{ "a hold expires early", expire_early, FB_AUDIT_HOLD_TIME, 5, 16, 2, "not over", "over" },
	{ "a hold without an end expires", expire_never, FB_AUDIT_HOLD_TIME, 5, 16, 2, "not over", "over" },
	{ "a hold is released late", release_late, FB_AUDIT_HOLD_TIME, 6, 18, 3, "over", "not over" },
	{ "a hold is captured late", capture_late, FB_AUDIT_HOLD_TIME, 4, 11, 2, "over", "not over" },
	{ "an unknown post is reversed", reverse_unknown, FB_AUDIT_REVERSE_POST, 6, 19, 3, "unknown", "post" },
	{ "a hold is reversed", reverse_hold, FB_AUDIT_REVERSE_POST, 6, 19, 3, "unknown", "post" },
	{ "a reversal pays again", reverse_same_way, FB_AUDIT_REVERSE_POST, 6, 19, 2, "another one", NULL },
	{ "a reversal takes more", reverse_more, FB_AUDIT_REVERSE_POST, 6, 19, 3, "51", "50" },
	{ "a post is reversed twice", reverse_twice, FB_AUDIT_REVERSE_TWICE, 6, 20, 3, "reversed already", NULL },
	{ "half a chain is refused", chain_half_refused, FB_AUDIT_CHAIN_MIXED, 4, 15, 0, "refused", NULL },
	{ "a chain goes on in the next batch", chain_open, FB_AUDIT_CHAIN_WHOLE, 4, 15, 0, NULL, NULL },
	{ "a refusal opens an account", account_in_refused_chain, FB_AUDIT_CHAIN_MIXED, 4, 14, 0, "refused", NULL },
	{ "a hold is over before it begins", expired_hold, FB_AUDIT_HOLD_TIME, 2, 10, 2, "over", "not over" },
	{ "debits overflow", overflow, FB_AUDIT_OVERFLOW, 2, 8, 1, NULL, OPEN_MAX_TEXT },
	{ "credits overflow", credit_overflow, FB_AUDIT_OVERFLOW, 5, 17, 2, NULL, OPEN_MAX_TEXT },
	{ "seqs have a gap", seq_gap, FB_AUDIT_BATCH_SEQ, 4, 0, 0, "12", "11" },
	{ "time stands still", same_time, FB_AUDIT_BATCH_TIME, 4, 0, 0, "1700000003000000", "1700000003000001" },
	{ "time goes back", time_back, FB_AUDIT_BATCH_TIME, 4, 0, 0, "1700000000000000", "1700000003000001" },
	{ "the epoch goes back", epoch_back, FB_AUDIT_BATCH_EPOCH, 4, 0, 0, "0", "1" },
	{ "a batch has another's number", wrong_number, FB_AUDIT_BATCH_NUMBER, 4, 0, 0, "5", "4" },
	{ "the genesis begins elsewhere", genesis_elsewhere, FB_AUDIT_BATCH_SEQ, 0, 0, 0, "2", "1" },
	{ "a batch is missing", leave_out_a_batch, FB_AUDIT_BATCH_NUMBER, 3, 0, 0, "4", "3" },
	{ "the genesis is missing", leave_out_the_genesis, FB_AUDIT_BATCH_NUMBER, 0, 0, 0, "1", "0" },
	{ "the journal is empty", leave_out_all, FB_AUDIT_GENESIS, NONE, 0, 0, "empty", NULL },
	{ "a row has another key", other_key, FB_AUDIT_BATCH_NUMBER, 6, 0, 0, "8", "6" },
};

static void check_text(const char *lie, const char *what, const char *want, const char *got)
{
	if (want != NULL && strcmp(want, got) != 0)
		fail_msg("%s: %s is \"%s\", want \"%s\"", lie, what, got, want);
}

static void check_finding(const struct lie *l, enum fb_status st, const struct fb_audit_finding *f)
{
	if (st != FB_MISMATCH)
		fail_msg("%s: %s, want a finding", l->name, fb_status_info(st)->name);
	check_text(l->name, "the check", fb_audit_check_info(l->check)->name, fb_audit_check_info(f->check)->name);
	if (f->in_journal != (l->batch != NONE) || (f->in_journal && f->batch != l->batch) || f->seq != l->seq ||
	    f->account != l->account)
		fail_msg("%s: named batch %lld, seq %lld, account %lld", l->name, (long long)f->batch, (long long)f->seq,
			 (long long)f->account);
	check_text(l->name, "found", l->found, f->found);
	check_text(l->name, "expected", l->expected, f->expected);
}

/* Tells the lie in a journal that is otherwise right. */
static void tell(struct script *s, const struct lie *l)
{
	script_make(s);
	l->tell(s);
	script_encode(s);
	script_chain(s);
	script_anchor(s);
}

void audit__each_corruption__is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < FB_COUNT(lies); i++) {
		struct fb_audit_summary sum = { .batches = 77 };
		struct fb_audit_finding f;
		struct script s;

		tell(&s, &lies[i]);
		check_finding(&lies[i], script_audit(&s, &sum, &f), &f);
		CHECK(sum.batches == 77);
		script_free(&s);
	}
}

/* ---- the chain, seen by the quick check ------------------------------------------------------------------------ */

static void break_link(struct script *s)
{
	s->rows[5][FB_BATCH_HEAD_LEN - 2 * SCRIPT_HASH_LEN] ^= 1; /* the previous hash */
	script_rehash(s, 5);
}

static void break_row(struct script *s)
{
	script_record(s, 12)[70] ^= 1;
}

static void change_history(struct script *s) /* all of it is rehashed, but for what the anchor knows */
{
	script_record(s, 7)[79]++;
	script_chain(s);
}

static void cut_the_end(struct script *s)
{
	s->left_out[5] = s->left_out[6] = true;
}

static void anchor_ahead(struct script *s)
{
	s->anchor.number = 9;
}

static void anchor_behind_its_journal(struct script *s)
{
	s->anchor.epoch = 0;
}

void verify__each_corruption_of_the_chain__is_named(void **state)
{
	static const struct lie rows[] = {
		{ "a link is broken", break_link, FB_AUDIT_BATCH_PREVIOUS, 5, 0, 0, NULL, NULL },
		{ "a row is damaged", break_row, FB_AUDIT_BATCH_BYTES, 4, 0, 0,
		  "not a batch of the journal: its hash is wrong", "a batch" },
		{ "history is written anew", change_history, FB_AUDIT_ANCHOR, 6, 0, 0, NULL, NULL },
		{ "the end is cut off", cut_the_end, FB_AUDIT_ANCHOR, NONE, 0, 0, "4", "6" },
		{ "the anchor is ahead", anchor_ahead, FB_AUDIT_ANCHOR, NONE, 0, 0, "6", "9" },
		{ "the anchor is of an older epoch", anchor_behind_its_journal, FB_AUDIT_ANCHOR, NONE, 0, 0, "0", "1" },
	};

	(void)state;
	for (size_t i = 0; i < FB_COUNT(rows); i++) {
		struct fb_audit_summary sum;
		struct fb_audit_finding f;
		struct script s;

		script_make(&s);
		script_encode(&s);
		script_chain(&s);
		script_anchor(&s);
		rows[i].tell(&s);
		check_finding(&rows[i], script_verify(&s, &sum, &f), &f);
		check_finding(&rows[i], script_audit(&s, &sum, &f), &f);
		script_free(&s);
	}
}

/* ---- every byte ------------------------------------------------------------------------------------------------ */

static void right(struct script *s)
{
	script_make(s);
	script_encode(s);
	script_chain(s);
	script_anchor(s);
}

void audit__every_byte_of_every_row_flipped__is_found(void **state)
{
	struct fb_audit_summary sum;
	struct fb_audit_finding f;
	struct script s;

	(void)state;
	right(&s);
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++)
		for (size_t at = 0; at < s.lens[i]; at += 3) {
			s.rows[i][at] ^= 0x10;
			if (script_audit(&s, &sum, &f) != FB_MISMATCH || f.check != FB_AUDIT_BATCH_BYTES || f.batch != i)
				fail_msg("byte %zu of batch %u changed unseen", at, i);
			s.rows[i][at] ^= 0x10;
		}
	CHECK_STATUS(FB_OK, script_audit(&s, &sum, &f));
	script_free(&s);
}

/* Somebody who can write everything: what he writes may be lawful, but nothing that he writes may harm the auditor. */
void audit__random_bytes_changed_and_all_hashed__is_judged(void **state)
{
	enum { ROUNDS = 300, CHANGES_MAX = 4 };
	uint64_t random = fb_test_seed() * 0x9e3779b97f4a7c15u, found = 0;
	struct fb_audit_summary sum;
	struct fb_audit_finding f;
	struct script s;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		right(&s);
		for (unsigned i = 0; i < 1 + round % CHANGES_MAX; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			script_record(&s, 1 + (random >> 33) % SCRIPT_RECORDS)[(random >> 12) % FB_RECORD_LEN] ^=
				(uint8_t)(1u << ((random >> 60) & 7));
		}
		script_chain(&s);
		script_anchor(&s);
		found += script_audit(&s, &sum, &f) == FB_MISMATCH;
		script_free(&s);
	}
	CHECK(found > ROUNDS / 2 && found < ROUNDS); /* codes, users and the like are nobody's business */
}

/* Somebody who can write everything but the anchor. */
void audit__every_record_byte_changed_and_all_rehashed__is_found(void **state)
{
	struct fb_audit_summary sum;
	struct fb_audit_finding f;
	struct script s;

	(void)state;
	right(&s);
	for (uint64_t seq = 1; seq <= SCRIPT_RECORDS; seq++)
		for (unsigned at = 0; at < FB_RECORD_LEN; at += 5) {
			script_record(&s, seq)[at] ^= 1;
			script_chain(&s);
			if (script_audit(&s, &sum, &f) != FB_MISMATCH)
				fail_msg("byte %u of record %llu changed unseen", at, (unsigned long long)seq);
			if (f.seq != 0 && f.seq < seq)
				fail_msg("byte %u of record %llu is said to be in %llu", at, (unsigned long long)seq,
					 (unsigned long long)f.seq);
			script_record(&s, seq)[at] ^= 1;
		}
	script_free(&s);
}
