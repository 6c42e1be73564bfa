/* The histories of the accounts. Each row carries its record, which must be the journal's, and what the account was
 * after it (at the end of its chain), which must be what comes out when the account's rows are folded by themselves. */
#include "audit_int.h"

#include "farebox/crypto.h"

#include <string.h>

enum { VERSION = 1, COUNTERS_LEN = 64, WORDS = (COUNTERS_LEN + FB_RECORD_LEN) / 8, KEY_LEN = 17 };

/* 63 bits of a hash, and whether the next record belongs to the same chain. */
uint64_t audit_print(const uint8_t record[FB_RECORD_LEN], int64_t time_us, bool linked)
{
	uint8_t bytes[FB_RECORD_LEN + 8];
	struct fb_hash h;

	memcpy(bytes, record, FB_RECORD_LEN);
	fb_put_be64(bytes + FB_RECORD_LEN, (uint64_t)time_us);
	h = fb_sha256(bytes, sizeof(bytes));
	return (fb_get_be64(h.bytes) & ~(uint64_t)1) | linked;
}

static uint64_t print_of(const struct audit *a, uint64_t seq)
{
	return *(const uint64_t *)list_at(&a->prints, seq - 1);
}

/* ---- rows that should be there --------------------------------------------------------------------------------- */

static enum fb_status check_there(struct audit *a, uint64_t account, uint64_t seq)
{
	uint8_t key[KEY_LEN] = "R", value[1];
	size_t len;
	enum fb_status st;

	fb_put_be64(key + 1, account);
	fb_put_be64(key + 9, seq);
	st = fb_store_get_from(a->store, FB_FAMILY_DERIVED, value, &len, sizeof(value),
			       (struct fb_str){ (const char *)key, sizeof(key) });
	if (st != FB_NOT_FOUND)
		return st == FB_TOO_LARGE ? FB_OK : st;
	a->finding->seq = seq;
	return audit_differ_text(a, FB_AUDIT_HISTORY_INDEX, account, "the history's row", "missing", "there");
}

/* Slow, and only when something is wrong already: the first record of the account that has no row. FB_OK: all have. */
static enum fb_status first_missing(struct audit *a, uint64_t account)
{
	enum fb_status st = FB_OK;

	for (uint64_t seq = 1; st == FB_OK && seq <= a->mark.seq; seq++) {
		struct fb_record r;

		st = audit_record_at(a, &r, seq);
		if (st == FB_OK && (r.debit == account || r.credit == account))
			st = check_there(a, account, seq);
	}
	return st;
}

static enum fb_status differ(struct audit *a, uint64_t account, const char *what, fb_u128 found, fb_u128 expected)
{
	uint64_t seq = a->finding->seq;
	enum fb_status st = first_missing(a, account);

	if (st != FB_OK)
		return st;
	a->finding->seq = seq;
	return audit_differ_number(a, FB_AUDIT_HISTORY_INDEX, account, what, found, expected);
}

/* ---- counters -------------------------------------------------------------------------------------------------- */

static enum fb_status compare(struct audit *a, uint64_t account, const struct tally *found, const struct tally *want)
{
	if (found->debits_posted != want->debits_posted)
		return differ(a, account, "debits_posted after it", found->debits_posted, want->debits_posted);
	if (found->debits_pending != want->debits_pending)
		return differ(a, account, "debits_pending after it", found->debits_pending, want->debits_pending);
	if (found->credits_posted != want->credits_posted)
		return differ(a, account, "credits_posted after it", found->credits_posted, want->credits_posted);
	if (found->credits_pending != want->credits_pending)
		return differ(a, account, "credits_pending after it", found->credits_pending, want->credits_pending);
	return FB_OK;
}

static void debit(struct tally *t, const struct fb_record *r)
{
	switch (r->kind) {
	case FB_RECORD_POST:
	case FB_RECORD_LEG:
	case FB_RECORD_REVERSE:
		t->debits_posted += r->amount.atoms;
		return;
	case FB_RECORD_HOLD:
		t->debits_pending += r->amount.atoms;
		return;
	case FB_RECORD_CAPTURE:
		t->debits_pending -= r->held.atoms;
		t->debits_posted += r->amount.atoms;
		return;
	case FB_RECORD_RELEASE:
	case FB_RECORD_EXPIRE:
		t->debits_pending -= r->amount.atoms;
		return;
	case FB_RECORD_ACCOUNT:
	case FB_RECORD_REFUSE:
	case FB_RECORD_KIND_END:
		return;
	}
}

static bool same_chain(const struct audit *a, uint64_t from, uint64_t to)
{
	while (from < to && (print_of(a, from) & 1) != 0)
		from++;
	return from == to;
}

/* The chain of the row before has ended: now what it said of its end can be judged. */
static enum fb_status end_chain(struct audit *a, const struct history *h)
{
	a->finding->seq = h->seq;
	return h->seq == 0 ? FB_OK : compare(a, h->account, &h->said, &h->now);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static enum fb_status end_account(struct audit *a, const struct history *h)
{
	const struct account *x = audit_account(a, h->account);
	enum fb_status st = end_chain(a, h);

	if (st == FB_OK && x != NULL && h->lines != x->lines)
		st = differ(a, h->account, "the number of rows in the history", h->lines, x->lines);
	return st;
}

static enum fb_status begin_account(struct audit *a, struct history *h, uint64_t account)
{
	enum fb_status st = end_account(a, h);

	if (st == FB_OK && account != h->account + 1)
		st = differ(a, h->account + 1, "the number of rows in the history", 0,
			    audit_account(a, h->account + 1)->lines);
	*h = (struct history){ .account = account };
	return st;
}

/* Its record is the journal's: the naive fold has judged it already. */
static enum fb_status check_record(struct audit *a, const struct history *h, const uint8_t bytes[FB_RECORD_LEN],
				   uint64_t seq, int64_t time_us, struct fb_record *out)
{
	if (seq == 0 || seq >= a->next_seq)
		return audit_differ_number(a, FB_AUDIT_HISTORY_INDEX, h->account, "the seq in the history (expected: at most)",
					   seq, a->next_seq - 1);
	if (fb_record_decode(out, bytes) != FB_OK || audit_print(bytes, time_us, out->linked) != print_of(a, seq))
		return audit_differ_text(a, FB_AUDIT_HISTORY_INDEX, h->account, "the history's row", "another record or time",
					 "that of the journal");
	if (out->debit != h->account && out->credit != h->account)
		return audit_differ_text(a, FB_AUDIT_HISTORY_INDEX, h->account, "the history's row",
					 "a record of other accounts", "one of this account");
	return FB_OK;
}

static struct tally read_tally(const uint8_t bytes[COUNTERS_LEN])
{
	return (struct tally){ fb_get_be128(bytes), fb_get_be128(bytes + 16), fb_get_be128(bytes + 32),
			       fb_get_be128(bytes + 48) };
}

static enum fb_status add_row(struct audit *a, struct history *h, const struct fb_record *r, const struct tally *said)
{
	enum fb_status st = FB_OK;

	if (h->seq == 0 || !same_chain(a, h->seq, r->seq))
		st = end_chain(a, h);
	else
		st = compare(a, h->account, said, &h->said);
	if (st != FB_OK)
		return st;
	if (r->debit == h->account)
		debit(&h->now, r);
	else
		h->now.credits_posted += r->amount.atoms;
	h->said = *said;
	h->seq = r->seq;
	h->lines++;
	return FB_OK;
}

enum fb_status audit_history_row(struct audit *a, struct history *h, struct fb_str key, struct fb_str value)
{
	struct fields k = fields_of(key), v = fields_of(value);
	uint8_t words[8 * WORDS];
	uint64_t kind = fields_small(&k, 1), account = fields_u64(&k), seq = fields_u64(&k);
	uint64_t version = fields_small(&v, 1);
	int64_t time_us = (int64_t)fields_u64(&v);
	enum fb_status st = FB_OK;
	struct fb_record r;
	struct tally said;

	fields_words(&v, words, WORDS);
	if (!fields_end(&k) || !fields_end(&v) || kind != 'R' || version != VERSION)
		return audit_bad_row(a, key);
	if (account == 0 || account > a->accounts.count)
		return audit_differ_text(a, FB_AUDIT_HISTORY_INDEX, account, "the history's row", "there",
					 "none, as the account never opened");
	if (account != h->account)
		st = begin_account(a, h, account);
	if (st != FB_OK)
		return st;
	a->finding->seq = seq;
	said = read_tally(words);
	st = check_record(a, h, words + COUNTERS_LEN, seq, time_us, &r);
	return st == FB_OK ? add_row(a, h, &r, &said) : st;
}

enum fb_status audit_history_end(struct audit *a, struct history *h)
{
	enum fb_status st = end_account(a, h);

	if (st == FB_OK && h->account < a->accounts.count)
		st = differ(a, h->account + 1, "the number of rows in the history", 0,
			    audit_account(a, h->account + 1)->lines);
	return st;
}
