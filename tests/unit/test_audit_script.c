/* The journal that the audit's tests change: made, encoded, stored. */
#include "fb_test_dir.h"
#include "farebox/crypto.h"
#include "farebox/os.h"
#include "fb_test.h"
#include "test_audit.h"

const int64_t script_time_us = 1700000000000000;

static struct fb_test_dir dir;
static struct fb_store *store;

/* ---- the records ----------------------------------------------------------------------------------------------- */
enum { CHAIN = 1, DOLLARS = 1, EUROS = 2 };

static struct fb_record account(uint64_t number, uint32_t asset, enum fb_purpose purpose, bool below)
{
	struct fb_record r = { .kind = FB_RECORD_ACCOUNT, .debit = number, .asset = asset, .purpose = purpose,
			       .may_go_below_zero = below };

	memset(r.owner.bytes, (int)number, sizeof(r.owner.bytes));
	return r;
}

static struct fb_record post(fb_id id, uint64_t debit, uint64_t credit, uint64_t amount, bool linked)
{
	return (struct fb_record){ .kind = FB_RECORD_POST, .id = id, .debit = debit, .credit = credit, .asset = DOLLARS,
				   .amount.atoms = amount, .linked = linked, .content = 7 };
}

static struct fb_record hold(fb_id id, uint64_t debit, uint64_t amount, int64_t expires_us)
{
	return (struct fb_record){ .kind = FB_RECORD_HOLD, .id = id, .debit = debit, .asset = DOLLARS,
				   .amount.atoms = amount, .expires_us = expires_us, .content = 7 };
}

static struct fb_record end(enum fb_record_kind kind, fb_id id, fb_id ref, uint64_t debit, uint64_t amount)
{
	return (struct fb_record){ .kind = kind, .id = id, .ref = ref, .debit = debit, .asset = DOLLARS,
				   .amount.atoms = amount };
}

static void make_captures(struct fb_record *r)
{
	r[0] = end(FB_RECORD_CAPTURE, 105, 103, 2, 250);
	r[0].credit = 3;
	r[0].held.atoms = 300;
	r[0].linked = true;
	r[1] = end(FB_RECORD_LEG, 105, 103, 2, 10);
	r[1].credit = 4;
	r[2] = (struct fb_record){ .kind = FB_RECORD_REFUSE, .id = 106, .refused = FB_FUNDS };
}

static void make_records(struct fb_record *r)
{
	r[0] = account(1, DOLLARS, FB_PURPOSE_ESCROW, true);
	r[1] = account(2, DOLLARS, FB_PURPOSE_AVAILABLE, false);
	r[2] = account(3, DOLLARS, FB_PURPOSE_AVAILABLE, false);
	r[3] = account(4, DOLLARS, FB_PURPOSE_FEES, false);
	r[4] = account(5, EUROS, FB_PURPOSE_AVAILABLE, false);
	r[5] = account(6, EUROS, FB_PURPOSE_WORLD, true);
	r[6] = post(101, 1, 2, 1000, false);
	r[7] = post(102, 6, 5, 500, false);
	r[7].asset = EUROS;
	r[8] = hold(103, 2, 300, 0);
	r[9] = hold(104, 2, 200, script_time_us + 4500000);
	make_captures(&r[10]);
	r[13] = post(107, 2, 3, 50, true);
	r[14] = post(108, 3, 4, 5, false);
	r[15] = end(FB_RECORD_EXPIRE, 0, 104, 2, 200);
	r[16] = hold(109, 3, 100, script_time_us + 99000000);
	r[17] = end(FB_RECORD_RELEASE, 110, 109, 3, 100);
	r[18] = end(FB_RECORD_REVERSE, 111, 107, 3, 50);
	r[18].credit = 2;
	r[19] = hold(112, 2, 40, 0);
	for (unsigned i = 0; i < SCRIPT_RECORDS; i++)
		r[i].seq = i + 1;
}

void script_make(struct script *s)
{
	static const uint32_t counts[SCRIPT_BATCHES] = { 0, 6, 4, 0, 5, 2, 3 };
	uint64_t seq = 1;

	memset(s, 0, sizeof(*s));
	make_records(s->records);
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++) {
		s->keys[i] = i;
		s->heads[i] = (struct fb_batch_head){ .epoch = 1, .number = i, .first_seq = seq, .records = counts[i],
						      .time_us = script_time_us + i * 1000000 };
		seq += counts[i];
	}
	s->heads[SCRIPT_PUTS_BATCH].puts = 1;
	s->heads[SCRIPT_PUTS_BATCH].puts_hash.bytes[0] = 1;
}

/* ---- the rows -------------------------------------------------------------------------------------------------- */

unsigned script_batch_of(const struct script *s, uint64_t seq)
{
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++)
		if (seq >= s->heads[i].first_seq && seq < s->heads[i].first_seq + s->heads[i].records)
			return i;
	return 0;
}

uint8_t *script_record(struct script *s, uint64_t seq)
{
	unsigned batch = script_batch_of(s, seq);

	return fb_batch_records(s->rows[batch]) + (seq - s->heads[batch].first_seq) * FB_RECORD_LEN;
}

void script_encode(struct script *s)
{
	size_t at = 0;

	for (unsigned i = 0; i < SCRIPT_BATCHES; i++) {
		s->lens[i] = fb_batch_len(s->heads[i].records);
		s->rows[i] = fb_must_alloc(1, s->lens[i]);
		for (uint32_t k = 0; k < s->heads[i].records; k++)
			fb_record_encode(fb_batch_records(s->rows[i]) + k * FB_RECORD_LEN, &s->records[at++]);
	}
	FB_ASSERT(at == SCRIPT_RECORDS);
}

void script_chain(struct script *s)
{
	struct fb_hash hash = { { 0 } };

	for (unsigned i = 0; i < SCRIPT_BATCHES; i++) {
		s->heads[i].previous = hash;
		fb_batch_seal(s->rows[i], &hash, &s->heads[i]);
	}
}

void script_rehash(struct script *s, unsigned batch)
{
	size_t body = s->lens[batch] - SCRIPT_HASH_LEN;
	struct fb_hash hash = fb_sha256(s->rows[batch], body);

	memcpy(s->rows[batch] + body, hash.bytes, SCRIPT_HASH_LEN);
}

void script_anchor(struct script *s)
{
	const unsigned last = SCRIPT_BATCHES - 1;

	s->anchor = (struct fb_anchor){ .epoch = 1, .number = last };
	memcpy(s->anchor.hash.bytes, s->rows[last] + s->lens[last] - SCRIPT_HASH_LEN, SCRIPT_HASH_LEN);
}

void script_free(struct script *s)
{
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++) {
		free(s->rows[i]);
		s->rows[i] = NULL;
	}
}

/* ---- the store ------------------------------------------------------------------------------------------------- */

/* What the store has, so that only what is new is written: a write costs a flush. */
static struct {
	uint8_t *row;
	size_t len;
} written[SCRIPT_BATCHES];
static struct fb_anchor anchored;

static void forget_written(void)
{
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++) {
		free(written[i].row);
		written[i].row = NULL;
	}
}

int script_setup(void **state)
{
	char path[sizeof(dir.path) + 8];

	(void)state;
	if (!fb_test_dir_make(&dir))
		return -1;
	snprintf(path, sizeof(path), "%s/data", dir.path);
	return fb_store_open(&store, path, NULL) == FB_OK ? 0 : -1;
}

int script_teardown(void **state)
{
	(void)state;
	forget_written();
	fb_store_close(store);
	return fb_test_dir_remove(&dir) ? 0 : -1;
}

struct fb_store *script_store(void)
{
	return store;
}

/* Removes every row that a script may have written. */
static void clear_rows(void)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_bulk *bulk;

	fb_bulk_open(&bulk, store, FB_FAMILY_JOURNAL);
	for (uint64_t number = 0; number < 2 * SCRIPT_BATCHES; number++) {
		fb_journal_key(key, number);
		fb_bulk_remove(bulk, (struct fb_str){ (const char *)key, sizeof(key) });
	}
	CHECK_STATUS(FB_OK, fb_bulk_finish(bulk));
	CHECK_STATUS(FB_OK, fb_bulk_ingest(bulk));
	fb_bulk_close(bulk);
}

static void write_row(uint64_t number, const uint8_t *row, size_t len)
{
	uint8_t key[FB_JOURNAL_KEY_LEN];
	struct fb_put put = { .key = { (const char *)key, sizeof(key) }, .value = { (const char *)row, len } };

	fb_journal_key(key, number);
	CHECK_STATUS(FB_OK, fb_store_commit(store, &put, NULL, 0));
}

static void write_batch(const struct script *s, unsigned i)
{
	if (s->keys[i] == i && written[i].row != NULL && written[i].len == s->lens[i] &&
	    memcmp(written[i].row, s->rows[i], s->lens[i]) == 0)
		return;
	write_row(s->keys[i], s->rows[i], s->lens[i]);
	free(written[i].row);
	written[i].row = fb_must_alloc(1, s->lens[i]);
	written[i].len = s->lens[i];
	memcpy(written[i].row, s->rows[i], s->lens[i]);
}

static bool has_all_rows(const struct script *s)
{
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++)
		if (s->left_out[i] || s->keys[i] != i)
			return false;
	return true;
}

static void write_script(const struct script *s)
{
	if (!has_all_rows(s)) {
		clear_rows();
		forget_written();
	}
	for (unsigned i = 0; i < SCRIPT_BATCHES; i++)
		if (!s->left_out[i])
			write_batch(s, i);
	if (memcmp(&anchored, &s->anchor, sizeof(anchored)) != 0)
		CHECK_STATUS(FB_OK, fb_store_anchor_make(store, &s->anchor, NULL));
	anchored = s->anchor;
}

/* A store with rows that other scripts do not write is emptied. */
static void end_script(const struct script *s)
{
	if (has_all_rows(s))
		return;
	clear_rows();
	forget_written();
}

struct fb_audit_settings script_settings(void)
{
	return (struct fb_audit_settings){ .rng = fb_os_rng(), .clock = fb_os_clock() };
}

enum fb_status script_audit(const struct script *s, struct fb_audit_summary *sum, struct fb_audit_finding *f)
{
	struct fb_audit_settings settings = script_settings();

	enum fb_status st;

	write_script(s);
	st = fb_audit_run(sum, f, store, &settings, NULL);
	end_script(s);
	return st;
}

enum fb_status script_verify(const struct script *s, struct fb_audit_summary *sum, struct fb_audit_finding *f)
{
	struct fb_audit_settings settings = script_settings();

	enum fb_status st;

	write_script(s);
	st = fb_audit_verify(sum, f, store, &settings, NULL);
	end_script(s);
	return st;
}
