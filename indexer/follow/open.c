/* Opening, closing, what others may ask and want. */
#include "follow_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- ports of the decisions --------------------------------------------------------------------------------- */
static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	struct fb_follow *f = ctx;

	return f->ports.owner_of(f->ports.ctx, out, wallet);
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	struct fb_follow *f = ctx;

	return f->ports.is_payout(f->ports.ctx, m);
}

static enum fb_stand stands(void *ctx, uint64_t block, const struct fb_hash *hash)
{
	const struct fb_follow *f = ctx;
	struct fb_head_block latest;
	struct fb_hash now;

	if (fb_head_hash(f->head, block, &now) == FB_OK)
		return fb_hash_eq(&now, hash) ? FB_STAND_YES : FB_STAND_NO;
	return fb_head_latest(f->head, &latest) && block > latest.number ? FB_STAND_NO : FB_STAND_UNKNOWN;
}

/* ---- rows --------------------------------------------------------------------------------------------------- */
struct loading {
	struct fb_credit *credit;
	enum fb_status status;
};

static bool load_row(void *arg, struct fb_str key, struct fb_str value)
{
	struct loading *l = arg;

	l->status = fb_credit_load(l->credit, key, value);
	return l->status == FB_OK;
}

enum fb_status fb_follow_rows(struct fb_credit *credit, struct fb_store *store, const struct fb_escrow *escrow,
			      struct fb_error *e)
{
	struct loading l = { .credit = credit, .status = FB_OK };

	for (const char *tag = FB_CREDIT_PREFIXES; *tag != '\0' && l.status == FB_OK; tag++) {
		uint8_t prefix[FB_CREDIT_PREFIX_LEN];
		enum fb_status st;

		fb_credit_prefix(prefix, *tag, escrow);
		st = fb_store_scan(store, (struct fb_str){ (const char *)prefix, sizeof(prefix) }, load_row, &l);
		if (st != FB_OK)
			l.status = st;
		if (l.status != FB_OK)
			fb_error_set(e, l.status, "a row of the indexer (%c) cannot be read, or its escrow began later",
				     *tag);
	}
	return l.status;
}

enum fb_status fb_follow_load(struct fb_follow *f, struct fb_error *e)
{
	const struct fb_credit_ports ports = { owner_of, is_payout, stands, f };
	enum fb_status st;

	fb_credit_close(f->credit);
	fb_credit_open(&f->credit, &f->settings.credit, ports);
	st = f->store == NULL ? FB_OK : fb_follow_rows(f->credit, f->store, &f->settings.credit.escrow, e);
	f->latest = f->safe = f->final = 0;
	f->heads_due = true;
	fb_metric_set(f->metrics, FB_M_INDEXER_HALTED, fb_credit_halted(f->credit) != FB_CREDIT_HALT_NONE);
	return st;
}

/* ---- life --------------------------------------------------------------------------------------------------- */
static void on_head(void *arg, const struct fb_head_event *e)
{
	struct fb_follow *f = arg;

	if (f->stopped)
		return;
	f->heads_due = true;
	if (e->change == FB_HEAD_REORGED) {
		f->rewind_first = f->rewind_due && f->rewind_first < e->first ? f->rewind_first : e->first;
		f->rewind_due = true;
	}
	fb_follow_pump(f);
}

static void free_follow(struct fb_follow *f)
{
	for (size_t i = 0; i < f->wish_count; i++)
		free(f->wishes[i].movements);
	fb_credit_close(f->credit);
	free(f->receipt);
	free(f->r.logs);
	free(f->r.second);
	free(f->r.movements);
	free(f->params);
	free(f);
}

enum fb_status fb_follow_open(struct fb_follow **out, struct fb_loop *loop, struct fb_rpc *rpc, struct fb_rpc *second,
			      struct fb_head *head, struct fb_writer *writer, struct fb_store *store,
			      const struct fb_follow_settings *settings, struct fb_follow_ports ports,
			      struct fb_log *log, struct fb_metrics *metrics, struct fb_error *e)
{
	struct fb_follow *f = fb_must_alloc(1, sizeof(*f));
	enum fb_status st;

	FB_ASSERT(settings->range_max >= 1 && settings->range_max <= FB_FOLLOW_RANGE_MAX);
	FB_ASSERT(settings->doubts_max >= 1);
	FB_ASSERT((writer == NULL) == (store == NULL) && (writer == NULL) == (ports.batch != NULL));
	f->loop = loop;
	f->rpc = rpc;
	f->second_rpc = second;
	f->head = head;
	f->writer = writer;
	f->store = store;
	f->settings = *settings;
	f->ports = ports;
	f->log = log;
	f->metrics = metrics;
	f->range = FB_FOLLOW_RANGE < settings->range_max ? FB_FOLLOW_RANGE : settings->range_max;
	f->r.logs = fb_must_alloc(FB_FOLLOW_LOGS_MAX, sizeof(*f->r.logs));
	f->r.second = fb_must_alloc(FB_FOLLOW_LOGS_MAX, sizeof(*f->r.second));
	f->r.movements = fb_must_alloc(FB_FOLLOW_LOGS_MAX, sizeof(*f->r.movements));
	f->params = fb_must_alloc(FB_FOLLOW_PARAMS_MAX, 1);
	st = fb_follow_load(f, e);
	if (st != FB_OK) {
		free_follow(f);
		return st;
	}
	fb_head_listen(head, on_head, f);
	*out = f;
	return FB_OK;
}

void fb_follow_stop(struct fb_follow *f)
{
	f->stopped = true;
	fb_timer_stop(f->retry);
	f->retry = NULL;
}

void fb_follow_close(struct fb_follow *f)
{
	if (f == NULL)
		return;
	FB_ASSERT(f->stopped && !f->asking && !f->submitting);
	free_follow(f);
}

/* ---- wishes ------------------------------------------------------------------------------------------------- */
void fb_follow_halt(struct fb_follow *f, enum fb_credit_halt why)
{
	FB_ASSERT(why != FB_CREDIT_HALT_NONE);
	f->halt_due = true;
	f->halt_why = why;
	fb_follow_pump(f);
}

void fb_follow_hear(struct fb_follow *f, const struct fb_head_report *r)
{
	bool final = r->fault == FB_HEAD_FAULT_FINAL || r->fault == FB_HEAD_FAULT_DEEP;

	f->conflicts = final ? f->conflicts + 1 : 0;
	if (f->conflicts == FB_FOLLOW_CONFLICTS_MAX)
		fb_follow_halt(f, FB_CREDIT_HALT_DEEP);
	if (f->latest > 0 || f->stopped)
		return;
	f->heads_due = true; /* how far the chain is final may be known now, without a change to tell of */
	fb_follow_pump(f);
}

enum fb_status fb_follow_receipt(struct fb_follow *f, struct fb_json_value receipt)
{
	struct fb_movement *m;
	size_t count = 0;
	enum fb_status st;

	if (f->wish_count == FB_FOLLOW_WISHES_MAX)
		return FB_BUSY;
	m = fb_must_alloc(FB_FOLLOW_RECEIPT_MAX, sizeof(*m));
	st = fb_movements_of_receipt(m, &count, FB_FOLLOW_RECEIPT_MAX, receipt, &f->settings.credit.escrow, NULL);
	if (st == FB_OK && count > 0 && (m[0].block <= f->final || stands(f, m[0].block, &m[0].block_hash) != FB_STAND_YES))
		st = FB_BUSY;
	if (st != FB_OK || count == 0) {
		free(m);
		return st;
	}
	f->wishes[f->wish_count++] = (struct fb_wish){ .movements = m, .count = count };
	fb_follow_pump(f);
	return FB_OK;
}

enum fb_status fb_follow_claim(struct fb_follow *f, const struct fb_address *wallet)
{
	if (f->wish_count == FB_FOLLOW_WISHES_MAX)
		return FB_BUSY;
	f->wishes[f->wish_count++] = (struct fb_wish){ .wallet = *wallet };
	fb_follow_pump(f);
	return FB_OK;
}

/* ---- what is known ------------------------------------------------------------------------------------------ */
void fb_follow_status(const struct fb_follow *f, struct fb_follow_status *out)
{
	struct fb_hash hash;
	uint64_t looked = fb_credit_looked(f->credit, &hash);

	*out = (struct fb_follow_status){
		.next = fb_credit_next_block(f->credit), .looked = looked, .looked_hash = hash,
		.sequence = fb_credit_sequence(f->credit, looked + 1),
		.latest = f->latest, .safe = f->safe, .final = f->final, .halt = fb_credit_halted(f->credit),
		.live = fb_credit_count(f->credit), .debtors = fb_credit_debtors(f->credit),
		.at_risk = fb_credit_at_risk(f->credit), .doubts = f->doubts, .leaks = fb_credit_leaks(f->credit),
		.working = f->working || f->submitting, .dead = f->dead, .doubt = f->doubt.text,
	};
}

enum fb_status fb_follow_value(const struct fb_follow *f, uint64_t number, struct fb_amount *out)
{
	struct fb_hash hash;

	if (f->working || f->submitting)
		return FB_BUSY;
	if (number < fb_credit_looked(f->credit, &hash) || number >= fb_credit_next_block(f->credit))
		return FB_NOT_FOUND;
	return fb_credit_value(f->credit, number, out);
}

enum fb_status fb_follow_total(const struct fb_follow *f, struct fb_amount *out)
{
	return f->working || f->submitting ? FB_BUSY : fb_credit_total(f->credit, out);
}
