/* The course of submissions that tests of crashes and faults run, and what must be left of it. */
#include "ledger_course.h"

#include "farebox/audit.h"

#include <string.h>

enum {
	OWNERS = 8,
	LAG = 8,           /* the hold that the n-th captures is that of n - LAG: the same owner's */
	REVERSE_EVERY = 6, /* the post of n - REVERSE_LAG */
	REVERSE_LAG = 16,
	REFUSE_EVERY = 5,
	POST = 0, HOLD, CAPTURE, REVERSE, REFUSED, /* an id's last part */
	IDS = 5,
	TOO_MUCH = 1000000000,
};

/* ---- operations ---------------------------------------------------------------------------------------------- */

static fb_id id_of(uint64_t n, unsigned part)
{
	fb_id id = (fb_id)n * IDS + part + 1;

	return id * FB_U128(0x9e3779b97f4a7c15u, 0xf39cc0605cedc835u); /* ids come in no order */
}

static struct fb_account_key key_of(uint64_t owner, enum fb_purpose purpose)
{
	struct fb_account_key key = { .asset = 1, .purpose = purpose };

	key.owner.bytes[0] = purpose == FB_PURPOSE_AVAILABLE ? (uint8_t)(1 + owner % OWNERS) : 0;
	return key;
}

static uint64_t posted(uint64_t n)
{
	return 100 + n % 7;
}

static size_t make_ops(struct fb_op *ops, uint64_t n)
{
	size_t count = 2;

	ops[0] = (struct fb_op){ .kind = FB_OP_POST, .linked = true, .id = id_of(n, POST), .leg_count = 1,
				 .debit = key_of(0, FB_PURPOSE_WORLD) };
	ops[0].legs[0] = (struct fb_leg){ key_of(n, FB_PURPOSE_AVAILABLE), { posted(n) } };
	ops[1] = (struct fb_op){ .kind = FB_OP_HOLD, .id = id_of(n, HOLD), .debit = key_of(n, FB_PURPOSE_AVAILABLE),
				 .amount = { 50 + n % 5 } };
	if (n >= LAG) {
		ops[count] = (struct fb_op){ .kind = FB_OP_CAPTURE, .id = id_of(n, CAPTURE), .ref = id_of(n - LAG, HOLD),
					     .leg_count = 2 };
		ops[count].legs[0] = (struct fb_leg){ key_of(n + 1, FB_PURPOSE_AVAILABLE), { 20 } };
		ops[count++].legs[1] = (struct fb_leg){ key_of(0, FB_PURPOSE_FEES), { 3 } };
	}
	if (n >= REVERSE_LAG && n % REVERSE_EVERY == 0)
		ops[count++] = (struct fb_op){ .kind = FB_OP_REVERSE, .id = id_of(n, REVERSE),
					       .ref = id_of(n - REVERSE_LAG, POST) };
	if (n % REFUSE_EVERY == 0)
		ops[count++] = (struct fb_op){ .kind = FB_OP_HOLD, .id = id_of(n, REFUSED), .amount = { TOO_MUCH },
					       .debit = key_of(n, FB_PURPOSE_AVAILABLE) };
	MUST(count <= COURSE_OPS_MAX);
	return count;
}

static void make_row_key(uint8_t key[9], uint64_t n)
{
	key[0] = 'c';
	fb_put_be64(key + 1, n);
}

void course_submit(struct fb_writer *w, uint64_t n,
		   void (*done)(void *arg, enum fb_status status, const struct fb_op_result *results, size_t count),
		   void *arg)
{
	struct fb_op ops[COURSE_OPS_MAX];
	uint8_t key[9];
	struct fb_put put = { .key = { (const char *)key, sizeof(key) }, .value = { (const char *)key, sizeof(key) } };
	struct fb_submission s = { .ops = ops, .op_count = make_ops(ops, n), .puts = &put, .put_count = 1, .done = done,
				   .arg = arg };

	make_row_key(key, n);
	fb_writer_submit(w, &s);
}

bool course_results_are_good(uint64_t n, const struct fb_op_result *results, size_t count, bool again)
{
	struct fb_op ops[COURSE_OPS_MAX];
	bool good = count == make_ops(ops, n);

	for (size_t i = 0; good && i < count; i++) {
		bool refused = ops[i].kind == FB_OP_HOLD && ops[i].amount.atoms == TOO_MUCH;

		if (refused && again)
			good = results[i].status == FB_ID_FAILED && results[i].first == FB_FUNDS;
		else
			good = results[i].status == (refused ? FB_FUNDS : FB_OK) && results[i].existed == again;
	}
	return good;
}

/* ---- opening ------------------------------------------------------------------------------------------------- */

enum fb_status course_open(struct fb_store **store, struct fb_writer **writer, const char *directory,
			   struct fb_error *e)
{
	const struct fb_writer_settings settings = { .clock = fb_os_clock(), .rng = fb_os_rng(),
						     .snapshot_every = COURSE_SNAPSHOT_EVERY };
	enum fb_status st = fb_writer_open_store(store, directory, NULL, e);

	if (st != FB_OK)
		return st;
	st = fb_writer_open(writer, *store, &settings, NULL, NULL, e);
	if (st != FB_OK)
		fb_store_close(*store);
	return st;
}

void course_close(struct fb_store *store, struct fb_writer *writer)
{
	fb_writer_close(writer);
	fb_store_close(store);
}

/* ---- what is left -------------------------------------------------------------------------------------------- */

/* Rows c0 … without a gap. */
static bool count_row(void *arg, struct fb_str key, struct fb_str value)
{
	uint64_t *n = arg;
	uint8_t want[9];

	make_row_key(want, *n);
	MUST(key.len == sizeof(want) && memcmp(key.at, want, sizeof(want)) == 0);
	MUST(value.len == sizeof(want) && memcmp(value.at, want, sizeof(want)) == 0);
	++*n;
	return true;
}

/* Every id of the n-th is known if it must be. */
static void check_ids(enum fb_status *all, struct fb_writer *w, uint64_t n, bool there)
{
	struct fb_op ops[COURSE_OPS_MAX];
	size_t count = make_ops(ops, n);

	for (size_t i = 0; i < count; i++) {
		struct fb_transfer t;
		enum fb_status st = fb_writer_transfer(w, &t, ops[i].id);

		if (st == FB_STORAGE) {
			*all = st;
			continue;
		}
		MUST(st == (there ? FB_OK : FB_NOT_FOUND));
		MUST(!there || t.record.id == ops[i].id);
	}
}

struct sums {
	uint64_t posted, reversed, captured, fees, held;
};

/* What an owner must have, from how many submissions there were. */
static struct sums sums_of(uint64_t owner, uint64_t count)
{
	struct sums s = { 0 };

	for (uint64_t n = 0; n < count; n++) {
		bool captures = n >= LAG, reverses = n >= REVERSE_LAG && n % REVERSE_EVERY == 0;

		if (n % OWNERS == owner) {
			s.posted += posted(n);
			s.held += n + LAG >= count ? 50 + n % 5 : 0;
			s.fees += captures ? 3 : 0;
			s.captured += captures ? 20 : 0;
			s.reversed += reverses ? posted(n - REVERSE_LAG) : 0;
		}
		if ((n + 1) % OWNERS == owner && captures)
			s.posted += 20;
	}
	return s;
}

static void check_owner(struct fb_writer *w, uint64_t owner, uint64_t count)
{
	struct fb_account_key key = key_of(owner, FB_PURPOSE_AVAILABLE);
	struct sums want = sums_of(owner, count);
	struct fb_account a = { 0 };
	enum fb_status st = fb_writer_balance(w, &a, &key);

	MUST(st == FB_OK || (st == FB_NOT_FOUND && want.posted == 0));
	MUST(a.counters.credits_posted.atoms == want.posted && a.counters.debits_pending.atoms == want.held);
	MUST(a.counters.debits_posted.atoms == want.captured + want.fees + want.reversed);
}

enum fb_status course_check(uint64_t *out, struct fb_store *store, struct fb_writer *w)
{
	uint64_t count = 0;
	enum fb_status st = fb_store_scan(store, FB_STR("c"), count_row, &count);

	if (st != FB_OK)
		return st;
	for (uint64_t n = count > 200 ? count - 200 : 0; n < count; n++)
		check_ids(&st, w, n, true);
	for (uint64_t n = 0; n < count; n += 1 + count / 50)
		check_ids(&st, w, n, true);
	for (uint64_t n = count; n < count + 3; n++)
		check_ids(&st, w, n, false);
	for (uint64_t owner = 0; owner < OWNERS; owner++)
		check_owner(w, owner, count);
	*out = count;
	return st;
}

void course_audit(const char *directory)
{
	const struct fb_audit_settings settings = { .rng = fb_os_rng(), .clock = fb_os_clock() };
	struct fb_audit_summary sum;
	struct fb_audit_finding finding;
	struct fb_error e = { "" };
	struct fb_store *s;
	enum fb_status st;
	char text[1024];
	struct fb_buf line;

	MUST(fb_store_open(&s, directory, &e) == FB_OK);
	st = fb_audit_run(&sum, &finding, s, &settings, &e);
	fb_store_close(s);
	fb_buf_init(&line, text, sizeof(text));
	if (st == FB_MISMATCH)
		fb_audit_describe(&line, &finding);
	if (st != FB_OK)
		fprintf(stderr, "audit: %s %.*s\n", e.text, FB_STR_ARG(fb_buf_view(&line)));
	MUST(st == FB_OK);
}
