/* Goal: every derived row is judged. Method: a real writer makes them; then one row at a time is changed, taken away or
 * invented, and the audit must name it; then every byte of every row. */
#include "fb_test_dir.h"
#include "farebox/os.h"
#include "farebox/writer.h"
#include "fb_test.h"
#include "test_audit.h"

#include <pthread.h>
#include <unistd.h>

enum { ROWS_MAX = 256, KEY_MAX = 32, VALUE_MAX = 320, FOLD_WAIT_US = 1000, FOLD_WAITS = 10000, FOLDED = 20 };

static struct fb_test_dir dir;
static char data[96];

/* ---- the ledger ------------------------------------------------------------------------------------------------ */
static const struct fb_account_key escrow = { .owner = { "e" }, .asset = 1, .purpose = FB_PURPOSE_ESCROW },
				   alice = { .owner = { "a" }, .asset = 1, .purpose = FB_PURPOSE_AVAILABLE },
				   bob = { .owner = { "b" }, .asset = 1, .purpose = FB_PURPOSE_AVAILABLE },
				   fees = { .owner = { "f" }, .asset = 1, .purpose = FB_PURPOSE_FEES };

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

static void done(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count)
{
	struct waiter *w = arg;

	FB_ASSERT(status == FB_OK && count > 0 && results != NULL);
	pthread_mutex_lock(&w->lock);
	w->is_done = true;
	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
}

static void submit(struct fb_writer *writer, const struct fb_op *ops, size_t count)
{
	struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
	const struct fb_submission s = { .ops = ops, .op_count = count, .done = done, .arg = &w };

	fb_writer_submit(writer, &s);
	pthread_mutex_lock(&w.lock);
	while (!w.is_done)
		pthread_cond_wait(&w.done, &w.lock);
	pthread_mutex_unlock(&w.lock);
}

static struct fb_op pay(fb_id id, const struct fb_account_key *from, const struct fb_account_key *to, uint64_t amount)
{
	return (struct fb_op){ .kind = FB_OP_POST, .id = id, .debit = *from, .leg_count = 1,
			       .legs = { { *to, { amount } } }, .code = 3, .user = 9 };
}

static struct fb_op keep(fb_id id, const struct fb_account_key *of, uint64_t amount, int64_t expires_us)
{
	return (struct fb_op){ .kind = FB_OP_HOLD, .id = id, .debit = *of, .amount = { amount }, .expires_us = expires_us };
}

static void run_ops(struct fb_writer *w, int64_t now_us)
{
	const struct fb_op chain[] = {
		{ .kind = FB_OP_POST, .linked = true, .id = 7, .debit = alice, .leg_count = 1, .legs = { { bob, { 10 } } } },
		{ .kind = FB_OP_POST, .linked = true, .id = 8, .debit = bob, .leg_count = 1, .legs = { { alice, { 4 } } } },
		{ .kind = FB_OP_POST, .id = 9, .debit = alice, .leg_count = 1, .legs = { { fees, { 1 } } } },
	};
	const struct fb_op capture = { .kind = FB_OP_CAPTURE, .id = 4, .ref = 2, .leg_count = 2,
				       .legs = { { bob, { 250 } }, { fees, { 10 } } } };
	const struct fb_op reverse = { .kind = FB_OP_REVERSE, .id = 6, .ref = 5 };
	const struct fb_op release = { .kind = FB_OP_RELEASE, .id = 11, .ref = 3 };
	const struct fb_op single[] = { pay(1, &escrow, &alice, 1000), keep(2, &alice, 300, 0),
					keep(3, &alice, 20, now_us + 3600000000), capture, pay(5, &bob, &alice, 40), reverse,
					pay(10, &bob, &alice, 100000), release, keep(12, &bob, 33, 0),
					keep(13, &alice, 5, now_us + 500000), keep(14, &alice, 6, now_us + 3600000000) };

	for (size_t i = 0; i < FB_COUNT(single); i++)
		submit(w, &single[i], 1);
	submit(w, chain, FB_COUNT(chain));
}

static uint64_t mark_seq(struct fb_store *s)
{
	uint8_t value[64];
	size_t len;

	return fb_store_get_from(s, FB_FAMILY_DERIVED, value, &len, sizeof(value), FB_STR("B")) == FB_OK ?
		fb_get_be64(value + 1) : 0;
}

static struct fb_writer *open_writer(struct fb_store *s, uint32_t snapshot_every)
{
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng(),
						     .snapshot_every = snapshot_every };
	struct fb_error e = { "" };
	struct fb_writer *w;

	if (fb_writer_open(&w, s, &settings, NULL, NULL, &e) != FB_OK)
		fail_msg("the writer does not open: %s", e.text);
	return w;
}

/* All ends up folded but what comes behind `tail`. */
static struct fb_store *make_ledger(void)
{
	const struct fb_op late = pay(20, &escrow, &bob, 77);
	struct fb_clock clock = fb_os_clock();
	struct fb_store *s;
	struct fb_writer *w;

	CHECK_STATUS(FB_OK, fb_store_open(&s, data, NULL));
	w = open_writer(s, 1);
	run_ops(w, clock.wall_us(clock.ctx));
	for (unsigned i = 0; i < FOLD_WAITS && (fb_writer_seq(w) < FOLDED || mark_seq(s) < fb_writer_seq(w)); i++)
		usleep(FOLD_WAIT_US); /* hold 13 expires, and all of it is folded */
	CHECK(fb_writer_seq(w) == FOLDED && mark_seq(s) == FOLDED);
	fb_writer_close(w);
	w = open_writer(s, 0);
	submit(w, &late, 1);
	fb_writer_close(w);
	CHECK(mark_seq(s) == FOLDED);
	return s;
}

/* ---- its rows -------------------------------------------------------------------------------------------------- */
struct stored {
	uint8_t key[KEY_MAX], value[VALUE_MAX];
	size_t key_len, value_len;
};
static struct stored rows[ROWS_MAX];
static size_t row_count;

static void read_rows(struct fb_store *s)
{
	struct fb_cursor *c;
	bool more;

	row_count = 0;
	fb_cursor_open(&c, s, FB_FAMILY_DERIVED);
	for (more = fb_cursor_seek(c, FB_STR("")); more; more = fb_cursor_next(c)) {
		struct stored *r = &rows[row_count++];
		struct fb_str key = fb_cursor_key(c), value = fb_cursor_value(c);

		CHECK(row_count < ROWS_MAX && key.len <= KEY_MAX && value.len <= VALUE_MAX);
		memcpy(r->key, key.at, r->key_len = key.len);
		memcpy(r->value, value.at, r->value_len = value.len);
	}
	fb_cursor_close(c);
}

/* One row that is, or with value_len 0 is not, in the store. */
static void write_row(struct fb_store *s, const struct stored *r)
{
	struct fb_str key = { (const char *)r->key, r->key_len };
	struct fb_bulk *b;

	fb_bulk_open(&b, s, FB_FAMILY_DERIVED);
	if (r->value_len == 0)
		fb_bulk_remove(b, key);
	else
		fb_bulk_put(b, key, (struct fb_str){ (const char *)r->value, r->value_len });
	CHECK_STATUS(FB_OK, fb_bulk_finish(b));
	CHECK_STATUS(FB_OK, fb_bulk_ingest(b));
	fb_bulk_close(b);
}

static enum fb_status audit(struct fb_store *s, struct fb_audit_summary *sum, struct fb_audit_finding *f)
{
	struct fb_audit_settings settings = script_settings();
	struct fb_error e = { "" };
	enum fb_status st = fb_audit_run(sum, f, s, &settings, &e);

	if (st == FB_STORAGE)
		fail_msg("%s", e.text);
	return st;
}

/* The n-th row whose key starts so. */
static struct stored *find(const char *prefix, unsigned n)
{
	for (size_t i = 0; i < row_count; i++)
		if (memcmp(rows[i].key, prefix, strlen(prefix)) == 0 && rows[i].key_len > strlen(prefix) && n-- == 0)
			return &rows[i];
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].key_len == strlen(prefix) && memcmp(rows[i].key, prefix, rows[i].key_len) == 0)
			return &rows[i];
	fail_msg("there is no row %s", prefix);
	return NULL;
}

/* ---- the table of lies ----------------------------------------------------------------------------------------- */
enum edit { FLIP, REMOVE, INVENT /* the same under another key */, LONGER };
struct lie {
	const char *name, *prefix;
	unsigned row;
	enum edit edit;
	int at; /* of the value, of the key for INVENT; below 0: from the end */
	enum fb_audit_check check;
	uint64_t seq, account;
	const char *what, *found, *expected;
};

static const struct lie lies[] = {
	{ "an account's last seq", "A", 1, FLIP, 8, FB_AUDIT_SNAPSHOT, 0, 2, "last_seq in the account's row", "21", "20" },
	{ "an account's owner", "A", 1, FLIP, 13, FB_AUDIT_SNAPSHOT, 0, 2, "the owner in the account's row", NULL, NULL },
	{ "an account's credits", "A", 1, FLIP, -1, FB_AUDIT_SNAPSHOT, 0, 2, "credits_posted in the account's row",
	  "1045", "1044" },
	{ "an account is forgotten", "A", 1, REMOVE, 0, FB_AUDIT_SNAPSHOT, 0, 2, "the account's row", "missing", "there" },
	{ "the last account is forgotten", "A", 3, REMOVE, 0, FB_AUDIT_SNAPSHOT, 0, 4, "the account's row", "missing",
	  "there" },
	{ "an account is invented", "A", 3, INVENT, 8, FB_AUDIT_SNAPSHOT, 0, 5, "the account's row", "there", NULL },
	{ "an account's row is too long", "A", 1, LONGER, 0, FB_AUDIT_DERIVED_BYTES, 0, 0, NULL, NULL, NULL },
	{ "the mark's seq", "B", 99, FLIP, 8, FB_AUDIT_DERIVED_MARK, 0, 0, "the mark's seq", "21", "20" },
	{ "the mark's hash", "B", 99, FLIP, -1, FB_AUDIT_DERIVED_MARK, 0, 0, "the mark's hash", NULL, NULL },
	{ "the mark's batch does not exist", "B", 99, FLIP, 15, FB_AUDIT_DERIVED_MARK, 0, 0,
	  "the mark's batch (expected: at most)", NULL, NULL },
	{ "the mark is missing", "B", 99, REMOVE, 0, FB_AUDIT_DERIVED_MARK, 0, 0, "the mark", "missing", NULL },
	{ "a batch by seq", "Bs", 2, FLIP, 8, FB_AUDIT_BATCH_INDEX, 5, 0, "the batch of the row by seq", "2", "3" },
	{ "a batch by seq is missing", "Bs", 2, REMOVE, 0, FB_AUDIT_BATCH_INDEX, 0, 0,
	  "the first seq of the next row by seq", "6", "5" },
	{ "the last batch by seq is missing", "Bs", 12, REMOVE, 0, FB_AUDIT_BATCH_INDEX, 20, 0, "the row by seq", "missing",
	  "there" },
	{ "a batch by seq is invented", "Bs", 1, INVENT, 8, FB_AUDIT_BATCH_INDEX, 0, 0, "another row by seq", "there",
	  "none" },
	{ "a batch by time is invented", "Bt", 1, INVENT, 2, FB_AUDIT_BATCH_INDEX, 0, 0, "another row by time", "there",
	  "none" },
	{ "a batch by time", "Bt", 2, FLIP, 8, FB_AUDIT_BATCH_INDEX, 5, 0, "the last seq of the row by time", "4", "5" },
	{ "a batch by time is missing", "Bt", 2, REMOVE, 0, FB_AUDIT_BATCH_INDEX, 0, 0,
	  "the time of the next row by time", NULL, NULL },
	{ "an open hold's seq", "H", 1, FLIP, 8, FB_AUDIT_SNAPSHOT, 14, 3,
	  "the open hold's row of id 12: seq", "15", "14" },
	{ "an open hold's content", "H", 1, FLIP, 16, FB_AUDIT_SNAPSHOT, 14, 3,
	  "the open hold's row of id 12: content", NULL, NULL },
	{ "an open hold's amount", "H", 1, FLIP, 32, FB_AUDIT_SNAPSHOT, 14, 3, "the open hold's row of id 12: amount", "32",
	  "33" },
	{ "an open hold's time", "H", 1, FLIP, 40, FB_AUDIT_SNAPSHOT, 14, 3,
	  "the open hold's row of id 12: expires_us", "1", "0" },
	{ "an open hold is forgotten", "H", 1, REMOVE, 0, FB_AUDIT_SNAPSHOT, 14, 3, "the open hold's row of id 12: the row",
	  "missing", "there" },
	{ "a hold is invented", "H", 1, INVENT, -1, FB_AUDIT_SNAPSHOT, 0, 3,
	  "the open hold's row of id 13: the row", "there", NULL },
	{ "a hold is of another account", "H", 1, INVENT, 8, FB_AUDIT_SNAPSHOT, 14, 3,
	  "the open hold's row of id 12: account", "2", "3" },
	{ "an id's seq", "I", 0, FLIP, 8, FB_AUDIT_ID_INDEX, 3, 0, "the index row of id 1: seq", "2", "3" },
	{ "an id's content", "I", 0, FLIP, 16, FB_AUDIT_ID_INDEX, 3, 0, "the index row of id 1: content", NULL, NULL },
	{ "an id is said to be refused", "I", 0, FLIP, 18, FB_AUDIT_ID_INDEX, 3, 0, "the index row of id 1: refused", "1",
	  "0" },
	{ "an id's kind", "I", 0, FLIP, 19, FB_AUDIT_ID_INDEX, 3, 0, "the index row of id 1: kind", "3", "2" },
	{ "a post is said to be reversed", "I", 0, FLIP, 20, FB_AUDIT_ID_INDEX, 3, 0, "the index row of id 1: undone", "1",
	  "0" },
	{ "an id is forgotten", "I", 5, REMOVE, 0, FB_AUDIT_ID_INDEX, 11, 0, "the index row of id 6: the row", "missing",
	  "there" },
	{ "an id is invented", "I", 0, INVENT, 16, FB_AUDIT_ID_INDEX, 0, 0,
	  "the index row of id 0: the row", "there", NULL },
	{ "a history's time", "R", 1, FLIP, 8, FB_AUDIT_HISTORY_INDEX, 3, 1, "the history's row", "another record or time",
	  NULL },
	{ "a history's record", "R", 1, FLIP, -1, FB_AUDIT_HISTORY_INDEX, 3, 1, "the history's row",
	  "another record or time", NULL },
	{ "a history's balance", "R", 1, FLIP, 20, FB_AUDIT_HISTORY_INDEX, 3, 1, "debits_posted after it", "1001", "1000" },
	{ "a history has a gap", "R", 4, REMOVE, 0, FB_AUDIT_HISTORY_INDEX, 4, 2, "the history's row", "missing", "there" },
	{ "a history has no end", "R", 1, REMOVE, 0, FB_AUDIT_HISTORY_INDEX, 3, 1,
	  "the history's row", "missing", "there" },
	{ "a history has a line more", "R", 1, INVENT, 16, FB_AUDIT_HISTORY_INDEX, 2, 1, "the history's row",
	  "another record or time", NULL },
	{ "a history of account 0", "R", 1, INVENT, 8, FB_AUDIT_HISTORY_INDEX, 0, 0, "the history's row", "there", NULL },
	{ "a history of an account that never opened", "R", 1, INVENT, 1, FB_AUDIT_HISTORY_INDEX, 0, 72057594037927937,
	  "the history's row", "there", NULL },
	{ "a row of no kind", "R", 1, INVENT, 0, FB_AUDIT_DERIVED_BYTES, 0, 0, NULL, "of no known layout", NULL },
	{ "a row has another version", "I", 1, FLIP, 0, FB_AUDIT_DERIVED_BYTES, 0, 0, NULL, "of no known layout", NULL },
};

static void tell(struct fb_store *s, const struct lie *l, struct stored *told)
{
	size_t at;

	*told = *find(l->prefix, l->row);
	at = (size_t)(l->at < 0 ? (int)(l->edit == INVENT ? told->key_len : told->value_len) + l->at : l->at);
	if (l->edit == FLIP)
		told->value[at] ^= 1;
	if (l->edit == REMOVE)
		told->value_len = 0;
	if (l->edit == INVENT)
		told->key[at] ^= 1;
	if (l->edit == LONGER)
		told->value[told->value_len++] = 0;
	write_row(s, told);
}

static void mend(struct fb_store *s, const struct lie *l, struct stored *told)
{
	if (l->edit == INVENT) {
		told->value_len = 0;
		write_row(s, told);
		return;
	}
	write_row(s, find(l->prefix, l->row));
}

static void check_text(const char *lie, const char *what, const char *want, const char *got)
{
	if (want != NULL && strcmp(want, got) != 0)
		fail_msg("%s: %s is \"%s\", want \"%s\"", lie, what, got, want);
}

static void check_finding(const struct lie *l, enum fb_status st, const struct fb_audit_finding *f)
{
	if (st != FB_MISMATCH)
		fail_msg("%s: not found", l->name);
	check_text(l->name, "the check", fb_audit_check_info(l->check)->name, fb_audit_check_info(f->check)->name);
	check_text(l->name, "what", l->what, f->what);
	check_text(l->name, "found", l->found, f->found);
	check_text(l->name, "expected", l->expected, f->expected);
	if (f->seq != l->seq || f->account != l->account)
		fail_msg("%s: named seq %llu, account %llu", l->name, (unsigned long long)f->seq,
			 (unsigned long long)f->account);
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

int derived_setup(void **state)
{
	(void)state;
	if (!fb_test_dir_make(&dir))
		return -1;
	snprintf(data, sizeof(data), "%s/data", dir.path);
	return 0;
}

int derived_teardown(void **state)
{
	(void)state;
	return fb_test_dir_remove(&dir) ? 0 : -1;
}

void audit__derived_rows_of_a_writer__are_clean(void **state)
{
	struct fb_store *s = make_ledger();
	struct fb_audit_summary sum;
	struct fb_audit_finding f;

	(void)state;
	read_rows(s);
	if (audit(s, &sum, &f) != FB_OK)
		fail_msg("%s, seq %llu, account %llu: %s is %s, expected %s", fb_audit_check_info(f.check)->name,
			 (unsigned long long)f.seq, (unsigned long long)f.account, f.what, f.found, f.expected);
	CHECK(sum.derived == row_count && sum.records == FOLDED + 1 && sum.accounts == 4 && sum.holds == 2);
	fb_store_close(s);
}

void audit__each_derived_lie__is_named(void **state)
{
	struct fb_store *s = make_ledger();
	struct fb_audit_summary sum;
	struct fb_audit_finding f;

	(void)state;
	read_rows(s);
	for (size_t i = 0; i < FB_COUNT(lies); i++) {
		struct stored told;

		tell(s, &lies[i], &told);
		check_finding(&lies[i], audit(s, &sum, &f), &f);
		mend(s, &lies[i], &told);
	}
	CHECK_STATUS(FB_OK, audit(s, &sum, &f));
	fb_store_close(s);
}

void audit__any_byte_of_a_derived_row_flipped__is_found(void **state)
{
	enum { STEP = 41 };
	struct fb_store *s = make_ledger();
	struct fb_audit_summary sum;
	struct fb_audit_finding f;

	(void)state;
	read_rows(s);
	for (size_t i = 0; i < row_count; i++) {
		for (size_t at = i % STEP; at < rows[i].value_len; at += STEP) {
			struct stored told = rows[i];

			told.value[at] ^= 0x40;
			write_row(s, &told);
			if (audit(s, &sum, &f) != FB_MISMATCH)
				fail_msg("byte %zu of row %zu (%c) changed unseen", at, i, rows[i].key[0]);
		}
		write_row(s, &rows[i]);
	}
	CHECK_STATUS(FB_OK, audit(s, &sum, &f));
	fb_store_close(s);
}
