/* What each client asked for and was told, for whoever checks it afterwards. */
#include "bank.h"

#include "farebox/json.h"

#include <stdlib.h>

enum { LINE_MAX = 8192 };

static void put_u128(struct fb_jw *w, const char *key, fb_u128 v)
{
	char block[FB_U128_DIGITS];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_u128(&b, v);
	fb_jw_kv_str(w, key, fb_buf_view(&b));
}

static void put_account(struct fb_jw *w, const char *key, const struct fb_account_key *k)
{
	char block[2 * FB_OWNER_LEN + 2];
	struct fb_buf b;

	fb_buf_init(&b, block, sizeof(block));
	fb_buf_hex(&b, k->owner.bytes, sizeof(k->owner.bytes));
	if (key != NULL)
		fb_jw_key(w, key);
	fb_jw_array(w);
	fb_jw_str(w, fb_buf_view(&b));
	fb_jw_u64(w, k->asset);
	fb_jw_text(w, fb_purpose_text(k->purpose));
	fb_jw_end(w);
}

static const char *kind_text(enum fb_op_kind k)
{
	static const char *const texts[] = { [FB_OP_ACCOUNT] = "account", [FB_OP_POST] = "post", [FB_OP_HOLD] = "hold",
		[FB_OP_CAPTURE] = "capture", [FB_OP_RELEASE] = "release", [FB_OP_REVERSE] = "reverse" };

	return texts[k];
}

static void put_op(struct fb_jw *w, const struct fb_op *op)
{
	fb_jw_kv_text(w, "kind", kind_text(op->kind));
	put_u128(w, "id", op->id);
	put_u128(w, "ref", op->ref);
	if (op->debit.purpose != 0)
		put_account(w, "debit", &op->debit);
	fb_jw_key(w, "legs");
	fb_jw_array(w);
	for (size_t i = 0; i < op->leg_count; i++) {
		fb_jw_array(w);
		put_account(w, NULL, &op->legs[i].credit);
		fb_jw_amount(w, op->legs[i].amount);
		fb_jw_end(w);
	}
	fb_jw_end(w);
	fb_jw_key(w, "amount");
	fb_jw_amount(w, op->amount);
	fb_jw_kv_u64(w, "expires_us", (uint64_t)op->expires_us);
	fb_jw_kv_u64(w, "code", op->code);
	put_u128(w, "user", op->user);
	fb_jw_kv_bool(w, "below", op->may_go_below_zero);
}

static void put_result(struct fb_jw *w, const struct fb_op_result *r)
{
	fb_jw_kv_text(w, "status", fb_status_info(r->status)->name);
	fb_jw_kv_bool(w, "existed", r->existed);
	fb_jw_kv_text(w, "first", fb_status_info(r->first)->name);
	fb_jw_kv_u64(w, "seq", r->seq);
}

/* In one write, so that a line is there or is not. */
static void write_line(struct client *c, struct fb_buf *b)
{
	fb_buf_char(b, '\n');
	BANK_MUST(!b->overflowed && fwrite(b->at, 1, b->len, c->log) == b->len && fflush(c->log) == 0);
}

void bank_log_submission(struct client *c, const struct bank_submission *s)
{
	char block[LINE_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, block, sizeof(block));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "status", fb_status_info(s->status)->name);
	fb_jw_key(&w, "ops");
	fb_jw_array(&w);
	for (size_t i = 0; i < s->count; i++) {
		fb_jw_object(&w);
		put_op(&w, &s->ops[i]);
		if (s->status == FB_OK)
			put_result(&w, &s->results[i]);
		fb_jw_end(&w);
	}
	fb_jw_end(&w);
	fb_jw_end(&w);
	write_line(c, &b);
}

static void log_read(struct client *c, const char *kind, const struct fb_account_key *key, uint64_t seq,
		     enum fb_status st, const struct fb_account *a)
{
	char block[LINE_MAX];
	struct fb_buf b;
	struct fb_jw w;

	fb_buf_init(&b, block, sizeof(block));
	fb_jw_init(&w, &b);
	fb_jw_object(&w);
	fb_jw_kv_text(&w, "read", kind);
	put_account(&w, "account", key);
	fb_jw_kv_u64(&w, "seq", seq);
	fb_jw_kv_text(&w, "status", fb_status_info(st)->name);
	if (st == FB_OK) {
		fb_jw_kv_u64(&w, "last_seq", a->last_seq);
		put_u128(&w, "debits_posted", a->counters.debits_posted.atoms);
		put_u128(&w, "debits_pending", a->counters.debits_pending.atoms);
		put_u128(&w, "credits_posted", a->counters.credits_posted.atoms);
	}
	fb_jw_end(&w);
	write_line(c, &b);
}

void bank_log_balance(struct client *c, const struct fb_account_key *key, enum fb_status st, const struct fb_account *a)
{
	log_read(c, "balance", key, 0, st, a);
}

void bank_log_balance_at(struct client *c, const struct fb_account_key *key, uint64_t seq, enum fb_status st,
			 const struct fb_account *a)
{
	log_read(c, "balance_at", key, seq, st, a);
}
