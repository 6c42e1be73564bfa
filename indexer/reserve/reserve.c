/* One comparison at a time, each of the newest safe block that was indexed. */
#include "reserve_int.h"

#include "farebox/codec.h"

#include <stdlib.h>
#include <string.h>

static void look(struct fb_reserve *r);

/* ---- the alarm ---------------------------------------------------------------------------------------------- */
static struct fb_amount gap(struct fb_amount a, struct fb_amount b)
{
	struct fb_amount d = { 0 };

	if (fb_amount_sub(&d, a, b) != FB_OK)
		FB_ASSERT(fb_amount_sub(&d, b, a) == FB_OK);
	return d;
}

static uint64_t shown(struct fb_amount a)
{
	uint64_t v;

	return fb_u256_to_u64(&v, fb_u256_from_amount(a)) == FB_OK ? v : UINT64_MAX;
}

static void log_difference(const struct fb_reserve *r)
{
	char books[FB_U128_DIGITS + 1], chain[FB_U128_DIGITS + 1];
	struct fb_buf b, c;

	fb_buf_init(&b, books, sizeof(books));
	fb_buf_init(&c, chain, sizeof(chain));
	fb_buf_amount(&b, r->status.books);
	fb_buf_amount(&c, r->status.chain);
	fb_log(r->log, FB_EV_RESERVES_DIFFER, FB_F_U64("block", r->status.block), FB_F_STR("books", fb_buf_view(&b)),
	       FB_F_STR("chain", fb_buf_view(&c)), FB_F_U64("good", r->status.good), FB_F_U64("first", r->status.bad),
	       FB_F_TEXT("which", r->status.ledger ? "the ledger and what was posted" : "the chain and what was posted"));
}

/* If it cannot be written the disk failed, which says itself. */
static void on_stored(void *arg, enum fb_status status)
{
	(void)arg;
	(void)status;
}

void fb_reserve_tell(struct fb_reserve *r)
{
	const struct fb_commit port = fb_writer_port(r->writer);
	uint8_t key[FB_RESERVE_KEY_LEN], row[FB_ALARM_LEN];
	struct fb_put put = { .key = { (const char *)key, sizeof(key) }, .value = { (const char *)row, sizeof(row) } };

	fb_alarm_key(key, &r->settings.escrow);
	fb_alarm_encode(row, &r->status);
	port.commit(port.ctx, &put, 1, on_stored, NULL);
	log_difference(r);
	fb_metric_set(r->metrics, FB_M_RESERVE_BAD, r->status.bad);
	if (r->changed != NULL)
		r->changed(r->arg);
}

/* ---- what came out ------------------------------------------------------------------------------------------ */
/* Sticky: an operator ends it. */
static void alarm(struct fb_reserve *r, bool ledger)
{
	r->status.ledger = ledger;
	r->status.bad = r->block;
	r->status.searched = ledger; /* which has no past to look into */
	r->search_due = !ledger;
	atomic_store(&r->differs, true);
	fb_reserve_tell(r);
}

static void conclude(struct fb_reserve *r, struct fb_amount books, struct fb_amount chain, bool ledger)
{
	struct fb_amount difference = gap(books, chain), none = { 0 };
	bool differs = ledger || fb_amount_cmp(difference, none) != 0;

	if (differs && ++r->looks < FB_RESERVE_LOOKS)
		return; /* asked again before it is believed */
	r->looks = 0;
	r->status.block = r->block;
	r->status.books = books;
	r->status.chain = chain;
	fb_metric_set(r->metrics, FB_M_RESERVE_BLOCK, r->block);
	fb_metric_set(r->metrics, FB_M_RESERVE_DELTA, shown(difference));
	if (atomic_load(&r->differs))
		return;
	if (differs)
		alarm(r, ledger);
	else
		r->status.good = r->block;
	if (r->changed != NULL)
		r->changed(r->arg);
}

/* ---- the two sides ------------------------------------------------------------------------------------------ */
/* Does the ledger's account say what was posted? Exact only while nothing is under way, which fb_follow_total knows. */
static enum fb_status ledger_agrees(const struct fb_reserve *r, bool *agrees)
{
	struct fb_account_key key = { .asset = r->settings.asset, .purpose = FB_PURPOSE_ESCROW };
	struct fb_counters c = { .debits_posted = { 0 } };
	struct fb_amount total, booked;
	struct fb_account a;
	enum fb_status st = fb_follow_total(r->follow, &total);

	if (st == FB_BUSY)
		return st;
	memcpy(key.owner.bytes, r->settings.escrow.address.bytes, FB_OWNER_LEN);
	if (fb_writer_balance(r->writer, &a, &key) == FB_OK)
		c = a.counters;
	*agrees = st == FB_OK && fb_amount_sub(&booked, c.debits_posted, c.credits_posted) == FB_OK &&
		  fb_amount_cmp(booked, total) == 0;
	return FB_OK;
}

static void compare(struct fb_reserve *r, struct fb_amount chain)
{
	struct fb_amount books;
	bool agrees;
	enum fb_status st = fb_follow_value(r->follow, r->block, &books);

	if (st == FB_OVERFLOW) { /* less than nothing */
		books = (struct fb_amount){ 0 };
		conclude(r, books, chain, true);
		return;
	}
	if (st == FB_OK && ledger_agrees(r, &agrees) == FB_OK)
		conclude(r, books, chain, !agrees);
}

void fb_reserve_hears(struct fb_reserve *r, enum fb_heard heard, struct fb_amount chain)
{
	if (r->searching)
		fb_search_hears(r, heard, chain);
	else if (heard == FB_HEARD_BALANCE)
		compare(r, chain);
	if (r->searching)
		look(r);
	else
		fb_reserve_later(r);
}

/* ---- when --------------------------------------------------------------------------------------------------- */
static void on_retry(void *arg)
{
	struct fb_reserve *r = arg;

	fb_timer_stop(r->retry);
	r->retry = NULL;
	look(r);
}

void fb_reserve_later(struct fb_reserve *r)
{
	if (r->retry == NULL && !r->stopped)
		r->retry = fb_timer_start(r->loop, FB_RESERVE_RETRY_MS, 0, on_retry, r);
}

/* The newest safe block that was read, unless it was compared already; before it, the search for an older one. */
static void look(struct fb_reserve *r)
{
	struct fb_follow_status s;
	uint64_t block;

	if (r->stopped || r->asking || r->retry != NULL)
		return;
	fb_follow_status(r->follow, &s);
	block = s.next - 1 < s.safe ? s.next - 1 : s.safe;
	if (s.working || block < s.looked || block < r->settings.from_block)
		return;
	if (r->search_due)
		fb_search_begin(r);
	if (r->searching)
		fb_search_step(r);
	if (r->searching || block <= r->status.block)
		return;
	if (block != r->block)
		r->looks = 0;
	r->block = block;
	fb_reserve_ask(r);
}

/* ---- life --------------------------------------------------------------------------------------------------- */
enum fb_status fb_reserve_open(struct fb_reserve **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_head *head,
			       struct fb_follow *follow, struct fb_writer *writer, struct fb_store *store,
			       const struct fb_credit_settings *settings, void (*changed)(void *arg), void *arg,
			       struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	struct fb_reserve *r = fb_must_alloc(1, sizeof(*r));
	enum fb_status st = fb_reserve_read(&r->status, store, &settings->escrow);

	if (st != FB_OK && st != FB_NOT_FOUND) {
		free(r);
		return fb_error_set(e, st, "the stored alarm about the escrow's reserves cannot be read");
	}
	r->loop = loop;
	r->rpc = rpc;
	r->head = head;
	r->follow = follow;
	r->writer = writer;
	r->store = store;
	r->settings = *settings;
	r->changed = changed;
	r->arg = arg;
	r->log = log;
	r->metrics = metrics;
	atomic_store(&r->differs, st == FB_OK);
	r->search_due = st == FB_OK && !r->status.searched;
	fb_metric_set(metrics, FB_M_RESERVE_BAD, r->status.bad);
	*out = r;
	return FB_OK;
}

void fb_reserve_stop(struct fb_reserve *r)
{
	r->stopped = true;
	fb_timer_stop(r->retry);
	r->retry = NULL;
}

void fb_reserve_close(struct fb_reserve *r)
{
	if (r == NULL)
		return;
	FB_ASSERT(r->stopped && !r->asking);
	fb_search_free(r);
	free(r);
}

void fb_reserve_wake(struct fb_reserve *r)
{
	look(r);
}

bool fb_reserve_differs(const struct fb_reserve *r)
{
	return atomic_load(&r->differs);
}

void fb_reserve_status(const struct fb_reserve *r, struct fb_reserve_status *out)
{
	*out = r->status;
	out->differs = fb_reserve_differs(r);
}
