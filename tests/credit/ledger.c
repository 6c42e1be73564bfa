/* The ledger's side: books, the rows stored beside them, and the death of the process between two batches. */
#include "world.h"

#include <string.h>

static uint8_t records[FB_RECORD_LEN * 1024];

static void apply_row(struct world *w, const struct fb_put *put)
{
	struct world_row *free_row = NULL, *r = NULL;

	for (size_t i = 0; i < w->row_count && r == NULL; i++) {
		struct world_row *at = &w->rows[i];

		if (at->used && at->key_len == put->key.len && memcmp(at->key, put->key.at, put->key.len) == 0)
			r = at;
		else if (!at->used)
			free_row = at;
	}
	if (put->remove) {
		if (r != NULL)
			r->used = false;
		return;
	}
	if (r == NULL)
		r = free_row != NULL ? free_row : &w->rows[w->row_count++];
	CHECK(w, w->row_count <= WORLD_ROWS);
	r->used = true;
	r->key_len = put->key.len;
	r->value_len = put->value.len;
	memcpy(r->key, put->key.at, put->key.len);
	memcpy(r->value, put->value.at, put->value.len);
}

/* As the writer does: no row unless every operation is taken. */
static enum fb_status submit(struct world *w, const struct fb_credit_batch *b)
{
	struct fb_op_result results[FB_CREDIT_OPS_MAX];
	uint32_t count = 0;
	enum fb_status st = FB_OK;

	CHECK(w, fb_books_records_max(b->ops, b->op_count) <= 1024);
	if (b->op_count > 0)
		st = fb_books_run(w->books, results, records, &count, b->ops, b->op_count, (int64_t)++w->op_ids);
	CHECK(w, st == FB_OK);
	for (size_t i = 0; i < b->op_count; i++) {
		if (results[i].status != FB_OK)
			st = results[i].status;
		CHECK(w, !results[i].existed);
	}
	for (size_t i = 0; i < b->put_count && st == FB_OK; i++)
		apply_row(w, &b->puts[i]);
	return st;
}

static bool dies(struct world *w)
{
	if (world_draw(w, 1000) >= w->crash_rate)
		return false;
	w->crashes++;
	ledger_load(w);
	return true;
}

bool ledger_submit(struct world *w, const struct fb_credit_batch *b)
{
	if (dies(w))
		return false;
	CHECK(w, submit(w, b) == FB_OK);
	return !dies(w);
}

enum fb_status ledger_post(struct world *w, const struct fb_op *op)
{
	static struct fb_credit_batch b;

	b.op_count = 1;
	b.put_count = 0;
	b.ops[0] = *op;
	return submit(w, &b);
}

static struct fb_account_key key_of(const struct fb_owner *owner, enum fb_purpose purpose)
{
	return (struct fb_account_key){ *owner, WORLD_ASSET, purpose };
}

struct fb_amount ledger_available(struct world *w, const struct fb_owner *owner)
{
	const struct fb_account_key key = key_of(owner, FB_PURPOSE_AVAILABLE);
	struct fb_account a;

	if (fb_books_balance(w->books, &a, &key) != FB_OK)
		return (struct fb_amount){ 0 };
	return (struct fb_amount){ a.counters.credits_posted.atoms - a.counters.debits_posted.atoms -
				   a.counters.debits_pending.atoms };
}

world_sum ledger_balance(struct world *w, const struct fb_owner *owner, enum fb_purpose purpose)
{
	const struct fb_account_key key = key_of(owner, purpose);
	struct fb_account a;

	if (fb_books_balance(w->books, &a, &key) != FB_OK)
		return 0;
	return (world_sum)a.counters.credits_posted.atoms -
	       (world_sum)a.counters.debits_posted.atoms;
}

struct fb_owner ledger_owner(const struct world *w, uint8_t wallet, bool named)
{
	struct fb_address a = chain_wallet(wallet);
	struct fb_owner o;

	(void)w;
	memcpy(o.bytes, a.bytes, sizeof(o.bytes));
	if (named && wallet % 2 == 1)
		o.bytes[0] = 0xaa; /* an owner by another name than the wallet's */
	return o;
}

static bool owner_of(void *ctx, struct fb_owner *out, const struct fb_address *wallet)
{
	struct world *w = ctx;
	uint8_t i = (uint8_t)(wallet->bytes[0] - 0x10);

	CHECK(w, i < WORLD_WALLETS);
	if (!w->registered[i])
		return false;
	*out = ledger_owner(w, i, true);
	return true;
}

static bool is_payout(void *ctx, const struct fb_movement *m)
{
	(void)ctx;
	(void)m;
	return true;
}

void ledger_load(struct world *w)
{
	const struct fb_credit_ports ports = { owner_of, is_payout, chain_stands, w };

	w->fresh = true;
	fb_credit_close(w->credit);
	fb_credit_open(&w->credit, &w->settings, ports);
	for (size_t i = 0; i < w->row_count; i++) {
		const struct world_row *r = &w->rows[i];
		struct fb_str key = { (const char *)r->key, r->key_len }, value = { (const char *)r->value, r->value_len };
		struct fb_credit_item item;

		if (r->used && r->key[0] == 'D')
			CHECK(w, fb_credit_read_final(&item, key, value, &w->settings.escrow) == FB_OK);
		else if (r->used)
			CHECK(w, fb_credit_load(w->credit, key, value) == FB_OK);
	}
}

void ledger_open(struct world *w)
{
	fb_books_open(&w->books, (struct fb_id_index){ 0 }, (struct fb_books_settings){ .seed = w->seed });
	ledger_load(w);
}
