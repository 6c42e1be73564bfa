/* Rows that say how things stand: accounts, open holds, ids; against the naive books. */
#include "audit_int.h"

enum { VERSION = 1, ACCOUNT_WORDS = 12, ACCOUNT_SPARE = 6, KEY_MAX = 25 };

/* ---- accounts -------------------------------------------------------------------------------------------------- */

static enum fb_status differ_account(struct audit *a, uint64_t number, const char *what, fb_u128 found,
				     fb_u128 expected)
{
	return audit_differ_number(a, FB_AUDIT_SNAPSHOT, number, what, found, expected);
}

static enum fb_status compare_counters(struct audit *a, uint64_t number, struct fields *f)
{
	const struct account *x = audit_account(a, number);
	const fb_u128 want[] = { x->debits_posted, x->debits_pending, x->credits_posted, 0 };
	static const char *const names[] = { "debits_posted in the account's row", "debits_pending in the account's row",
					     "credits_posted in the account's row", "credits_pending in the account's row" };

	for (size_t i = 0; i < FB_COUNT(want); i++) {
		fb_u128 found = fields_u128(f);

		if (found != want[i])
			return differ_account(a, number, names[i], found, want[i]);
	}
	return FB_OK;
}

static enum fb_status compare_account(struct audit *a, uint64_t number, struct fields *f)
{
	const struct account *x = audit_account(a, number);
	struct fb_owner owner;
	uint8_t spare[ACCOUNT_SPARE], dirt = 0;
	uint64_t asset, purpose, flag;

	fields_bytes(f, owner.bytes, sizeof(owner.bytes));
	asset = fields_small(f, 4);
	purpose = fields_small(f, 1);
	flag = fields_small(f, 1);
	fields_bytes(f, spare, sizeof(spare));
	for (size_t i = 0; i < sizeof(spare); i++)
		dirt |= spare[i];
	if (dirt != 0)
		return differ_account(a, number, "a spare byte in the account's row", dirt, 0);
	for (size_t i = 0; i < sizeof(owner.bytes); i++)
		if (owner.bytes[i] != x->owner.bytes[i])
			return audit_differ_text(a, FB_AUDIT_SNAPSHOT, number, "the owner in the account's row", "another one",
						 "that of its record");
	if (asset != x->asset)
		return differ_account(a, number, "the asset in the account's row", asset, x->asset);
	if (purpose != x->purpose)
		return differ_account(a, number, "the purpose in the account's row", purpose, x->purpose);
	if (flag != x->may_go_below_zero)
		return differ_account(a, number, "may_go_below_zero in the account's row", flag, x->may_go_below_zero);
	return compare_counters(a, number, f);
}

enum fb_status audit_account_row(struct audit *a, uint64_t expected, struct fb_str key, struct fb_str value)
{
	struct fields k = fields_of(key), v = fields_of(value), inner;
	uint8_t words[8 * ACCOUNT_WORDS];
	uint64_t kind = fields_small(&k, 1), number = fields_u64(&k);
	uint64_t version = fields_small(&v, 1), last_seq = fields_u64(&v);

	fields_words(&v, words, ACCOUNT_WORDS);
	if (!fields_end(&k) || !fields_end(&v) || kind != 'A' || version != VERSION)
		return audit_bad_row(a, key);
	if (audit_account(a, number) == NULL)
		return audit_differ_text(a, FB_AUDIT_SNAPSHOT, number, "the account's row", "there",
					 "none, as it never opened");
	if (number != expected)
		return audit_differ_text(a, FB_AUDIT_SNAPSHOT, expected, "the account's row", "missing", "there");
	if (last_seq != audit_account(a, number)->last_seq)
		return differ_account(a, number, "last_seq in the account's row", last_seq,
				      audit_account(a, number)->last_seq);
	inner = fields_of((struct fb_str){ (const char *)words, sizeof(words) });
	return compare_account(a, number, &inner);
}

/* ---- holds ----------------------------------------------------------------------------------------------------- */

static enum fb_status differ_hold(struct audit *a, const struct hold *h, const char *field, fb_u128 found,
				  fb_u128 expected)
{
	char what[AUDIT_WHAT_MAX];

	audit_what(what, "open hold's row", h->id, field);
	return audit_differ_number(a, FB_AUDIT_SNAPSHOT, h->account, what, found, expected);
}

static enum fb_status compare_hold(struct audit *a, const struct hold *h, const struct fact *fact, struct fields *f)
{
	const fb_u128 want[] = { h->seq, fact->content, h->amount, (fb_u128)h->expires_us };
	static const char *const names[] = { "seq", "content", "amount", "expires_us" };

	for (size_t i = 0; i < FB_COUNT(want); i++) {
		fb_u128 found = i == 2 ? fields_u128(f) : fields_u64(f);

		if (found != want[i])
			return differ_hold(a, h, names[i], found, want[i]);
	}
	return FB_OK;
}

enum fb_status audit_hold_row(struct audit *a, struct fb_str key, struct fb_str value)
{
	struct fields k = fields_of(key), v = fields_of(value);
	uint64_t kind = fields_small(&k, 1), account = fields_u64(&k);
	fb_id id = fields_u128(&k);
	const struct fact *fact = audit_fact(a, id);
	const struct hold *h;
	char what[AUDIT_WHAT_MAX];
	enum fb_status st;

	if (!fields_end(&k) || kind != 'H' || fields_small(&v, 1) != VERSION)
		return audit_bad_row(a, key);
	audit_what(what, "open hold's row", id, "the row");
	if (fact == NULL || fact->hold == 0)
		return audit_differ_text(a, FB_AUDIT_SNAPSHOT, account, what, "there", "none, as no such hold is open");
	a->finding->seq = fact->seq;
	h = list_at(&a->holds, fact->hold - 1);
	if (account != h->account)
		return differ_hold(a, h, "account", account, h->account);
	st = compare_hold(a, h, fact, &v);
	return st != FB_OK || fields_end(&v) ? st : audit_bad_row(a, key);
}

/* ---- ids ------------------------------------------------------------------------------------------------------- */

static enum fb_status compare_id(struct audit *a, const struct fact *fact, struct fields *f)
{
	const uint64_t want[] = { fact->seq, fact->content, fact->refused, fact->kind, fact->undone };
	static const size_t lens[] = { 8, 8, 2, 1, 1 };
	static const char *const names[] = { "seq", "content", "refused", "kind", "undone" };

	for (size_t i = 0; i < FB_COUNT(want); i++) {
		uint64_t found = lens[i] == 8 ? fields_u64(f) : fields_small(f, lens[i]);
		char what[AUDIT_WHAT_MAX];

		audit_what(what, "index row", fact->id, names[i]);
		if (found != want[i])
			return audit_differ_number(a, FB_AUDIT_ID_INDEX, 0, what, found, want[i]);
	}
	return FB_OK;
}

enum fb_status audit_id_row(struct audit *a, struct fb_str key, struct fb_str value)
{
	struct fields k = fields_of(key), v = fields_of(value);
	uint64_t kind = fields_small(&k, 1);
	fb_id id = fields_u128(&k);
	const struct fact *fact = audit_fact(a, id);
	char what[AUDIT_WHAT_MAX];
	enum fb_status st;

	if (!fields_end(&k) || kind != 'I' || fields_small(&v, 1) != VERSION)
		return audit_bad_row(a, key);
	audit_what(what, "index row", id, "the row");
	if (fact == NULL)
		return audit_differ_text(a, FB_AUDIT_ID_INDEX, 0, what, "there", "none, as the id was never used");
	a->finding->seq = fact->seq;
	st = compare_id(a, fact, &v);
	return st != FB_OK || fields_end(&v) ? st : audit_bad_row(a, key);
}

/* ---- what should be there -------------------------------------------------------------------------------------- */

static enum fb_status check_there(struct audit *a, const uint8_t *key, size_t len)
{
	uint8_t value[1];
	size_t value_len;
	enum fb_status st = fb_store_get_from(a->store, FB_FAMILY_DERIVED, value, &value_len, sizeof(value),
					      (struct fb_str){ (const char *)key, len });

	return st == FB_TOO_LARGE ? FB_OK : st;
}

enum fb_status audit_missing_hold(struct audit *a)
{
	for (size_t i = 0; i < a->holds.count; i++) {
		const struct hold *h = list_at(&a->holds, i);
		uint8_t key[KEY_MAX] = "H";
		char what[AUDIT_WHAT_MAX];

		fb_put_be64(key + 1, h->account);
		fb_put_be128(key + 9, h->id);
		if (h->amount == 0 || check_there(a, key, 25) != FB_NOT_FOUND)
			continue;
		a->finding->seq = h->seq;
		audit_what(what, "open hold's row", h->id, "the row");
		return audit_differ_text(a, FB_AUDIT_SNAPSHOT, h->account, what, "missing", "there");
	}
	return FB_STORAGE; /* rows come and go */
}

enum fb_status audit_missing_id(struct audit *a)
{
	for (size_t i = 0; i < a->facts.count; i++) {
		const struct fact *f = list_at(&a->facts, i);
		uint8_t key[KEY_MAX] = "I";
		char what[AUDIT_WHAT_MAX];

		fb_put_be128(key + 1, f->id);
		if (check_there(a, key, 17) != FB_NOT_FOUND)
			continue;
		a->finding->seq = f->seq;
		audit_what(what, "index row", f->id, "the row");
		return audit_differ_text(a, FB_AUDIT_ID_INDEX, 0, what, "missing", "there");
	}
	return FB_STORAGE;
}
